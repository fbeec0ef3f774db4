//! Other claims, signed with our key.

use serde_json::{Value, json};

use super::{Edit, Workshop};

pub(super) const EDITS: &[Edit] = &[
    ("claims: one missing that a session needs", one_missing),
    ("claims: one of another type", one_of_another_type),
    ("claims: an id that is none", an_id_that_is_none),
    ("claims: a parent", a_parent),
    ("claims: an anti-CSRF token", an_anti_csrf_token),
    ("claims: of another kind (`stt`)", of_another_kind),
    ("claims: of a session (`stt` 0)", |workshop| {
        workshop.with_claim("stt", json!(0))
    }),
    ("claims: another issuer", another_issuer),
    ("claims: no issuer", |workshop| without(workshop, "iss")),
    ("claims: one more", one_more),
    ("claims: not an object", not_an_object),
    ("claims: more than fits", more_than_fits),
    ("times: no `exp`", |workshop| without(workshop, "exp")),
    ("times: `exp` at some second", exp_at_some_second),
    ("times: `exp` too far off", exp_too_far_off),
    (
        "times: `exp` as a fraction or with an exponent",
        exp_in_another_form,
    ),
    ("times: `exp` in no JSON number", exp_in_no_number),
    ("times: `exp` of another type", exp_of_another_type),
    ("times: `iat` at some second", iat_at_some_second),
    (
        "times: `iat` as a fraction or with an exponent",
        iat_in_another_form,
    ),
    ("times: `iat` of another type", iat_of_another_type),
    ("times: `nbf` in the past", nbf_in_the_past),
    ("times: `nbf` in the future", nbf_in_the_future),
    ("times: `nbf` of another type", nbf_of_another_type),
    ("several claims at once", several_at_once),
    ("for another service", for_another_service),
];

fn without(workshop: &mut Workshop, name: &str) -> String {
    let mut parts = workshop.parts();
    parts.claims.remove(name);
    workshop.sign(parts)
}

fn one_missing(workshop: &mut Workshop) -> String {
    let name = workshop.one_of(&[SESSION_CLAIMS, &["iat"]].concat());
    without(workshop, name)
}

fn one_of_another_type(workshop: &mut Workshop) -> String {
    let name = workshop.one_of(SESSION_CLAIMS);
    let value = no_text(workshop);
    workshop.with_claim(name, value)
}

fn an_id_that_is_none(workshop: &mut Workshop) -> String {
    let name = workshop.one_of(&["sub", "rsub", "tId", "sessionHandle"]);
    let id = workshop.one_of(&[String::new(), "a\0b".to_owned(), "x".repeat(2_000)]);
    workshop.with_claim(name, id.into())
}

fn a_parent(workshop: &mut Workshop) -> String {
    let parent = workshop.one_of(&[json!("a".repeat(64)), json!("")]);
    workshop.with_claim("parentRefreshTokenHash1", parent)
}

fn an_anti_csrf_token(workshop: &mut Workshop) -> String {
    let token = workshop.one_of(&[json!("x"), json!(""), json!(1), json!(null)]);
    workshop.with_claim("antiCsrfToken", token)
}

fn of_another_kind(workshop: &mut Workshop) -> String {
    let kind = workshop.one_of(&[
        json!(1),
        json!(-1),
        json!("0"),
        json!(0.5),
        json!(null),
        json!([]),
    ]);
    workshop.with_claim("stt", kind)
}

fn another_issuer(workshop: &mut Workshop) -> String {
    let own = "http://localhost:3000/auth";
    let issuer = workshop.one_of(&[
        json!("https://else.example/auth"),
        json!(format!("{own}/")),
        json!(format!("{own} ")),
        json!(own.to_uppercase()),
        json!(""),
        json!(null),
        json!(1),
        json!([own]),
        json!({ own: own }),
    ]);
    workshop.with_claim("iss", issuer)
}

fn one_more(workshop: &mut Workshop) -> String {
    let name = workshop.one_of(&["x", "", "aud", "jti", "scope", "Sub", "__proto__", "é"]);
    let value = workshop.one_of(&[json!("x"), json!(1), json!(null), json!(["x"]), json!({})]);
    workshop.with_claim(name, value)
}

fn not_an_object(workshop: &mut Workshop) -> String {
    let parts = workshop.parts();
    let claims = Value::from(parts.claims);
    let claims = workshop.one_of(&[
        format!("[{claims}]"),
        Value::from(claims.to_string()).to_string(),
        "null".to_owned(),
        "true".to_owned(),
        "7".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        String::new(),
    ]);
    let header = Value::from(parts.header).to_string();
    workshop
        .signer
        .sign_bytes(header.as_bytes(), claims.as_bytes())
}

/// More than 8 KiB as a token.
fn more_than_fits(workshop: &mut Workshop) -> String {
    let length = workshop.chance.usize(8_192..20_000);
    workshop.with_claim("x", "x".repeat(length).into())
}

fn exp_at_some_second(workshop: &mut Workshop) -> String {
    let offset = workshop.one_of(&[-100_000, -61, -2, -1, 0, 1, 2, 59, 3_000]);
    let exp = workshop.now_s + offset;
    workshop.with_claim("exp", exp.into())
}

fn exp_too_far_off(workshop: &mut Workshop) -> String {
    let now = workshop.now_s;
    let exp = workshop.one_of(&[
        (now + 100_000).to_string(),
        "253402300800".to_owned(),
        "9007199254740993".to_owned(),
        u64::MAX.to_string(),
        "1e300".to_owned(),
        "1e400".to_owned(),
    ]);
    workshop.with_claim_text("exp", &exp)
}

fn exp_in_another_form(workshop: &mut Workshop) -> String {
    let text = number_in_another_form(workshop, 600);
    workshop.with_claim_text("exp", &text)
}

fn exp_in_no_number(workshop: &mut Workshop) -> String {
    let exp = workshop.now_s + 600;
    let text = workshop.one_of(&[
        format!("0{exp}"),
        format!("+{exp}"),
        format!("{exp}."),
        format!("{exp}e"),
        format!("0x{exp:x}"),
        format!("{exp}n"),
        "1_900_000_000".to_owned(),
        "Infinity".to_owned(),
    ]);
    workshop.with_claim_text("exp", &text)
}

fn exp_of_another_type(workshop: &mut Workshop) -> String {
    let exp = no_number(workshop);
    workshop.with_claim("exp", exp)
}

fn iat_at_some_second(workshop: &mut Workshop) -> String {
    let offset = workshop.one_of(&[-4_000, -3_000, -1, 0, 1, 2, 59, 3_000]);
    let iat = workshop.now_s + offset;
    workshop.with_claim("iat", iat.into())
}

fn iat_in_another_form(workshop: &mut Workshop) -> String {
    let text = number_in_another_form(workshop, -10);
    workshop.with_claim_text("iat", &text)
}

fn iat_of_another_type(workshop: &mut Workshop) -> String {
    let iat = no_number(workshop);
    workshop.with_claim("iat", iat)
}

fn nbf_in_the_past(workshop: &mut Workshop) -> String {
    let now = workshop.now_s;
    let nbf = workshop.one_of(&[
        now.to_string(),
        format!("{}.5", now - 1),
        format!("{now}.0"),
        (now - 100).to_string(),
        "0".to_owned(),
        "-1".to_owned(),
        "-0.0".to_owned(),
        "1e3".to_owned(),
    ]);
    workshop.with_claim_text("nbf", &nbf)
}

fn nbf_in_the_future(workshop: &mut Workshop) -> String {
    let now = workshop.now_s;
    let nbf = workshop.one_of(&[
        (now + 1).to_string(),
        format!("{now}.5"),
        (now + 1_000).to_string(),
        "1e300".to_owned(),
        u64::MAX.to_string(),
    ]);
    workshop.with_claim_text("nbf", &nbf)
}

fn nbf_of_another_type(workshop: &mut Workshop) -> String {
    let nbf = no_number(workshop);
    workshop.with_claim("nbf", nbf)
}

/// Two or three claims set, each to one of the values that the others may have, too.
fn several_at_once(workshop: &mut Workshop) -> String {
    let mut parts = workshop.parts();
    for _ in 0..workshop.chance.usize(2..=3) {
        let names = [SESSION_CLAIMS, &["iss", "exp", "iat", "nbf", "stt", "x"]].concat();
        let name = workshop.one_of(&names);
        let now = workshop.now_s;
        let value = workshop.one_of(&[
            json!("mallory"),
            json!("public"),
            json!(0),
            json!(now),
            json!(now + 600),
            json!(null),
        ]);
        parts.claims.insert(name.to_owned(), value);
    }
    workshop.sign(parts)
}

fn for_another_service(workshop: &mut Workshop) -> String {
    let tokens = workshop.service_tokens.clone();
    workshop.one_of(&tokens)
}

/// A whole number of seconds from now, as JSON allows it to be written, or a fraction.
fn number_in_another_form(workshop: &mut Workshop, offset: i64) -> String {
    let seconds = workshop.now_s + offset;
    workshop.one_of(&[
        format!("{seconds}.0"),
        format!("{seconds}.5"),
        format!("{seconds}e0"),
        format!("{seconds}E+0"),
        format!("{seconds}000e-3"),
        format!("0.{seconds}e10"),
        format!(
            "{}.{}e9",
            &seconds.to_string()[..1],
            &seconds.to_string()[1..]
        ),
    ])
}

fn no_number(workshop: &mut Workshop) -> Value {
    let now = workshop.now_s;
    workshop.one_of(&[
        json!((now + 600).to_string()),
        json!("2099-01-01T00:00:00Z"),
        json!(""),
        json!(null),
        json!(true),
        json!([now + 600]),
        json!({}),
    ])
}

fn no_text(workshop: &mut Workshop) -> Value {
    workshop.one_of(&[
        json!(null),
        json!(1),
        json!(true),
        json!(["alice"]),
        json!({ "id": "alice" }),
    ])
}

/// What says whose session it is.
const SESSION_CLAIMS: &[&str] = &["sub", "rsub", "tId", "sessionHandle", "refreshTokenHash1"];
