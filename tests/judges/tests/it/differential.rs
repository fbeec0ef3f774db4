//! The same edited tokens to us and to `jose`: what we accept, `jose` accepts, and it reads the same
//! in it. Where `jose` accepts what we refuse, somebody has looked at it and said why.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use judges::{Library, Verdict};
use serde_json::{Map, Value, json};
use session_core::{
    Session, SessionError, VerifyOptions, config::AccessKeyKind, verify::PresentedAntiCsrf,
};
use session_testkit::http::{TestApp, client::Mode};

use crate::{
    court::{judge, server, stranger},
    edits::{self, Workshop},
};

/// How often each happened.
#[derive(Default, Clone, Copy)]
struct Counts {
    both_accept: usize,
    both_refuse: usize,
    jose_alone: usize,
}

/// Security A, B, C, D: ten thousand edits of real tokens, from a seed.
#[tokio::test(flavor = "multi_thread")]
async fn what_we_accept_jose_accepts() {
    // `jose` has one tolerance for all times, and ours for the clocks of other nodes is not for `exp`:
    // neither has any.
    let app = server().await;
    let app = app
        .with(|builder| builder.config(|config| config.clock_leeway(Duration::ZERO)))
        .await;
    let mut workshop = workshop(&app).await;
    let tokens: Vec<(&str, String)> = edits::all()
        .cycle()
        .take(TOKENS)
        .map(|(name, edit)| (name, edit(&mut workshop)))
        .collect();

    let texts: Vec<&String> = tokens.iter().map(|(_, token)| token).collect();
    let verdicts = judge(Library::Jose, &app).judge(app.now_s(), &texts).await;
    let mut counts = BTreeMap::<&str, Counts>::new();
    for ((name, token), verdict) in tokens.iter().zip(verdicts) {
        let counts = counts.entry(name).or_default();
        match (ours(&app, token).await, verdict) {
            (Ok(session), Verdict::Claims(claims)) => {
                assert_eq!(read(&session), read_by_jose(&claims), "{name}: {token}");
                counts.both_accept += 1;
            }
            (Ok(_), Verdict::Refused(reason)) => {
                panic!("{name}: we accept what jose refuses, {reason}: {token}")
            }
            (Err(_), Verdict::Claims(_)) => counts.jose_alone += 1,
            (Err(_), Verdict::Refused(_)) => counts.both_refuse += 1,
        }
    }

    println!("{}", table(&counts));
    let alone = counts.iter().filter(|(_, counts)| counts.jose_alone > 0);
    let alone: BTreeSet<&str> = alone.map(|(name, _)| *name).collect();
    let reviewed: BTreeSet<&str> = JOSE_ALONE.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        alone, reviewed,
        "what jose alone accepts, and what was reviewed"
    );
    let untouched = counts["as it came"];
    assert_eq!((untouched.both_refuse, untouched.jose_alone), (0, 0));
}

/// What `jose` accepts and we refuse, and why that is right.
const JOSE_ALONE: &[(&str, &str)] = &[
    (
        "white space around",
        "one token, one text: ours takes the form in which we write it (security A20)",
    ),
    ("signed segments padded", "as above"),
    ("signed segments with bits to spare set", "as above"),
    (
        "signed segments with foreign characters",
        "as above: white space is passed over",
    ),
    ("signature padded", "as above"),
    ("signature with bits to spare set", "as above"),
    (
        "signature with foreign characters",
        "as above: white space is passed over",
    ),
    (
        "header: `b64` that is not critical",
        "changes what is signed for those who know it",
    ),
    (
        "header: `crit`",
        "we know no extension, so none that has to be understood; jose knows `b64`",
    ),
    (
        "header: `zip` or `cty`",
        "changes what the payload is for those who know it",
    ),
    (
        "header: a key of its own",
        "jose passes over it; a token that brings its key is not ours",
    ),
    (
        "header: another `typ`",
        "jose was not asked to look; keeps tokens for other purposes out",
    ),
    ("header: no `typ`", "as above"),
    (
        "JSON: a name twice",
        "readers differ on which counts (RFC 8725 §2.4)",
    ),
    ("JSON: a name twice, once escaped", "as above"),
    ("JSON: a name twice, further in", "as above"),
    (
        "JSON: a byte order mark",
        "no JSON of ours begins with one (RFC 8259 §8.1)",
    ),
    (
        "JSON: a number beyond a double",
        "infinite to some readers, a failure to others",
    ),
    (
        "JSON: half a surrogate pair",
        "no text in UTF-8, so not the same to every reader",
    ),
    (
        "JSON: nested deeply",
        "costs a reader its stack; ours are not",
    ),
    (
        "JSON: `serde_json`'s own name for a number",
        "a number to one reader and an object to another",
    ),
    ("claims: a parent", "a refresh that our service never makes"),
    ("claims: an id that is none", "no store could have it"),
    (
        "claims: more than fits",
        "nobody was given one so long, and nothing of it is decoded",
    ),
    (
        "claims: one missing that a session needs",
        "not a session's",
    ),
    ("claims: one of another type", "not a session's"),
    (
        "several claims at once",
        "one of the above, or of the below",
    ),
    (
        "times: `exp` as a fraction or with an exponent",
        "we write whole seconds",
    ),
    (
        "times: `exp` too far off",
        "later than any token that we issue",
    ),
    (
        "times: `iat` as a fraction or with an exponent",
        "we write whole seconds",
    ),
    (
        "times: `iat` at some second",
        "in the future or longer ago than a token lives; jose was not asked",
    ),
];

async fn workshop(app: &TestApp) -> Workshop {
    let previous = app.signer().await;
    app.sessions().rotate_signing_key().await.unwrap();
    app.advance(Duration::from_mins(2));
    let signer = app.signer().await;
    let payload = json!({
        "name": "Zoë / \"\u{1f600}\"",
        "st-role": { "v": ["admin"], "t": 1_700_000_000_000_i64 },
        "numbers": [0, -1, 0.1, 123_456_789.5],
    });
    let tokens = vec![
        app.log_in_by(Mode::Header, "alice").await.access_token(),
        app.log_in_with_payload("bob", payload).await.access_token(),
        app.log_in("a-user-with-a-long-name@example.com")
            .await
            .access_token(),
    ];
    let mut service_tokens = Vec::new();
    for subject in ["alice", "bob"] {
        let claims = Map::from_iter([("sub".to_owned(), json!(subject))]);
        let hour = Duration::from_hours(1);
        let token = app
            .sessions()
            .create_jwt(claims, hour, AccessKeyKind::Dynamic)
            .await;
        service_tokens.push(token.unwrap());
    }
    let set = serde_json::to_value(app.sessions().jwks()).unwrap();
    let keys = set["keys"].as_array().unwrap();
    let key = keys
        .iter()
        .find(|key| key["kid"] == signer.key_id())
        .unwrap();
    Workshop {
        chance: fastrand::Rng::with_seed(SEED),
        tokens,
        service_tokens,
        previous,
        stranger: stranger().await,
        modulus: BASE64_URL_SAFE_NO_PAD
            .decode(key["n"].as_str().unwrap())
            .unwrap(),
        signer,
        now_s: app.now_s(),
    }
}

async fn ours(app: &TestApp, token: &str) -> Result<Session, SessionError> {
    let options = VerifyOptions::new();
    let verify = app
        .sessions()
        .verify(token, PresentedAntiCsrf::NotChecked, &options);
    verify.await
}

/// What a session is to an application, as we read it: whose it is, and every claim.
fn read(session: &Session) -> ([Value; 3], Value) {
    let ids = [
        json!(session.user_id()),
        json!(session.tenant_id()),
        json!(session.handle()),
    ];
    let claims = Value::Object((*session.access_token_payload()).clone());
    (ids, with_doubles(claims))
}

/// The same as `jose` reads it.
fn read_by_jose(claims: &str) -> ([Value; 3], Value) {
    let claims: Value = serde_json::from_str(claims).unwrap();
    let ids = ["sub", "tId", "sessionHandle"].map(|name| claims[name].clone());
    (ids, with_doubles(claims))
}

/// JavaScript has no other numbers.
fn with_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(values) => values.into_iter().map(with_doubles).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, with_doubles(value)))
            .collect(),
        value => value,
    }
}

fn table(counts: &BTreeMap<&str, Counts>) -> String {
    let mut table = String::from("accepted: by both, by neither, by jose alone\n");
    let mut sum = Counts::default();
    for (name, counts) in counts {
        let Counts {
            both_accept,
            both_refuse,
            jose_alone,
        } = *counts;
        writeln!(
            table,
            "{both_accept:>6} {both_refuse:>6} {jose_alone:>6}  {name}"
        )
        .unwrap();
        sum.both_accept += both_accept;
        sum.both_refuse += both_refuse;
        sum.jose_alone += jose_alone;
    }
    let Counts {
        both_accept,
        both_refuse,
        jose_alone,
    } = sum;
    writeln!(
        table,
        "{both_accept:>6} {both_refuse:>6} {jose_alone:>6}  in all, seed {SEED}"
    )
    .unwrap();
    table
}

const TOKENS: usize = 10_000;
const SEED: u64 = 7;
