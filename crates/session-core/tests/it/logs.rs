//! What is written to logs, and what is not.

use std::{cell::RefCell, fmt::Debug, io, sync::Once, time::Duration};

use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Map, json};
use session_core::{
    IssuedSession, NewSession, RefreshToken, TenantId, VerifyOptions,
    config::{AntiCsrf, TheftDetection},
    http::Exchange,
    observer::SessionObserver,
    store::SessionStore as _,
    verify::PresentedAntiCsrf,
};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::{
    faulty_store::{Fault, FaultyStore, Op},
    node::{
        Node, check_blacklist, check_database, naming_another_key, refresh_token, secret_hash,
        settle, signing_key, stateless, user_id,
    },
};

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes down everything at the finest level, for each thread by itself. Called before anything
/// can be logged, because a subscriber that is added later may miss what another thread is about to
/// log for the first time.
pub(crate) fn keep_logs() {
    static KEPT: Once = Once::new();
    KEPT.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(|| ThisThread)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// What this thread has logged.
pub(crate) fn logged() -> String {
    LOG.with_borrow(|log| String::from_utf8(log.clone()).unwrap())
}

struct ThisThread;

impl io::Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What must not be in any log: where it comes from, and the text.
#[derive(Default)]
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn add(&mut self, what: &'static str, text: impl Into<String>) {
        let text = text.into();
        assert!(text.len() >= 6, "{what} {text:?} would be found anywhere");
        self.0.push((what, text));
    }

    fn add_session(&mut self, issued: &IssuedSession) {
        self.add_tokens(issued);
        self.add("handle", issued.session().handle().as_str());
    }

    fn add_tokens(&mut self, issued: &IssuedSession) {
        let tokens = issued.tokens();
        for part in tokens.access_token().expose().split('.').skip(1) {
            self.add("access token", part);
        }
        let text = refresh_token(issued);
        self.add("refresh token", text.expose());
        self.add(
            "end of a refresh token",
            &text.expose()[text.expose().len() - 40..],
        );
        self.add("hash of a secret", hex(&secret_hash(&text)));
        self.add("hash of a secret", format!("{:?}", secret_hash(&text)));
        let claims = issued.session().access_token_payload();
        self.add(
            "hash of a token",
            claims["refreshTokenHash1"].as_str().unwrap(),
        );
        self.add("front token", tokens.front_token());
        if let Some(token) = tokens.anti_csrf_token() {
            self.add("anti-CSRF token", token);
        }
    }

    #[track_caller]
    fn assert_not_in(&self, text: &str, place: &str) {
        for (what, canary) in &self.0 {
            assert!(!text.contains(canary.as_str()), "{what} in {place}: {text}");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

const USER: &str = "canary-user-7f3a";
const VALUE: &str = "canary-claim-91bc";
const DATA: &str = "canary-data-c04d";
const SECRET: &str = "canary-at-rest-secret-5e5e5e5e5e5e5e5e";

fn canaries() -> Canaries {
    let mut canaries = Canaries::default();
    for (what, text) in [
        ("user", USER),
        ("claim", VALUE),
        ("data", DATA),
        ("secret", SECRET),
    ] {
        canaries.add(what, text);
    }
    canaries.add("secret", hex(SECRET.as_bytes()));
    canaries
}

#[derive(Debug)]
struct Deaf;

#[session_core::async_trait]
impl SessionObserver for Deaf {}

async fn node(theft: TheftDetection) -> Node {
    Node::with(FaultyStore::shared(Duration::from_millis(50)), |builder| {
        builder.observer(Deaf).config(|config| {
            config
                .anti_csrf(AntiCsrf::ViaToken)
                .encryption_secret("2026", SECRET.as_bytes().to_vec())
                .theft_detection(theft)
        })
    })
    .await
}

fn new_session() -> NewSession {
    NewSession::new(user_id(USER))
        .tenant(TenantId::try_from("t1").unwrap())
        .claim_value("plan", json!(VALUE))
        .data_value("device", json!(DATA))
}

/// K1: whole flows at the finest level, honest ones and hostile ones, on a store that works and on
/// one that fails: no token, hash, cookie, claim, datum, user or handle is in the log.
#[tokio::test(start_paused = true)]
async fn no_log_has_a_token_a_hash_a_claim_a_user_or_a_handle() {
    let mut canaries = canaries();
    for theft in [TheftDetection::Enforce, TheftDetection::Shadow] {
        let node = node(theft).await;
        for key in node.store.inner().load_keys().await.unwrap() {
            canaries.add("key material", hex(&key.material));
        }
        honest(&node, &mut canaries).await;
        hostile(&node, &mut canaries).await;
        over_http(&node, &mut canaries).await;
        on_a_broken_store(&node, &mut canaries).await;
        node.sessions.shutdown().await;
    }
    let text = logged();
    for expected in [
        "create_session",
        "refresh_session",
        "session revoked",
        "used inside the grace window",
        "used after its time",
        "session refused",
        "made a key",
        "removed a key",
        "no answer from the session store",
    ] {
        assert!(
            text.contains(expected),
            "the flows do not reach {expected:?}"
        );
    }
    canaries.assert_not_in(&text, "the log");
}

async fn honest(node: &Node, canaries: &mut Canaries) {
    let sessions = &node.sessions;
    let issued = sessions.create(new_session()).await.unwrap();
    canaries.add_session(&issued);
    for options in [stateless(), check_blacklist(), check_database()] {
        let session = node.verify(&issued, &options).await.unwrap();
        let update = Map::from_iter([("nick".to_owned(), json!(format!("{VALUE}-2")))]);
        session.merge_payload(update).await.unwrap();
        for part in session.access_token().expose().split('.').skip(1) {
            canaries.add("access token", part);
        }
        session
            .update_data(&Map::from_iter([("d".to_owned(), json!(DATA))]))
            .await
            .unwrap();
    }
    let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    canaries.add_session(&refreshed);
    let replayed = node.refresh(&refresh_token(&issued)).await.unwrap();
    canaries.add_session(&replayed);
    sessions.rotate_signing_key().await.unwrap();
    sessions.rotate_refresh_key().await.unwrap();
    sessions
        .sessions_of_user(&user_id(USER), None, None, 10)
        .await
        .unwrap();
    let backup = node.row(issued.session().handle()).await.unwrap();
    let newest = node.refresh(&refresh_token(&refreshed)).await.unwrap();
    canaries.add_session(&newest);
    node.store.restore(&backup).await;
    canaries.add_session(&node.refresh(&refresh_token(&newest)).await.unwrap());
    let health = sessions.health().await;
    canaries.assert_not_in(&format!("{health:?}"), "the health");
    sessions
        .revoke_all_of_user(&user_id(USER), None)
        .await
        .unwrap();
}

async fn hostile(node: &Node, canaries: &mut Canaries) {
    let issued = node.sessions.create(new_session()).await.unwrap();
    canaries.add_session(&issued);
    let token = refresh_token(&issued);
    let access_token = issued.tokens().access_token().expose();
    for text in [
        naming_another_key(&issued, "d-1"),
        format!("{access_token}A"),
        access_token.replace('.', " "),
        "canary-garbage-access-token".to_owned(),
    ] {
        node.verify_text(&text, &check_database())
            .await
            .unwrap_err();
    }
    canaries.add("garbage", "canary-garbage");
    for text in ["canary-garbage-refresh-token", access_token] {
        node.refresh(&RefreshToken::from_text(text))
            .await
            .unwrap_err();
    }
    let wrong = PresentedAntiCsrf::Token(Some("canary-garbage-anti-csrf"));
    node.sessions.refresh(&token, wrong).await.unwrap_err();
    node.sessions
        .verify(access_token, wrong, &stateless())
        .await
        .unwrap_err();
    canaries.add_session(&node.refresh(&token).await.unwrap());
    node.advance(Duration::from_secs(31));
    if let Ok(shadowed) = node.refresh(&token).await {
        canaries.add_session(&shadowed);
    }
    settle().await;
    let key = signing_key(&issued);
    node.sessions.remove_key(&key).await.unwrap();
    node.verify(&issued, &stateless()).await.unwrap_err();
    node.advance(Duration::from_hours(2));
    node.verify(&issued, &stateless()).await.unwrap_err();
}

async fn over_http(node: &Node, canaries: &mut Canaries) {
    let issued = node.sessions.create(new_session()).await.unwrap();
    canaries.add_session(&issued);
    let (access_token, token) = (
        issued.tokens().access_token().expose(),
        refresh_token(&issued),
    );
    let cookies = format!(
        "sAccessToken={access_token}; sRefreshToken={}; x=canary-cookie-1",
        token.expose()
    );
    canaries.add("cookie", "canary-cookie-1");
    let twice = format!("{cookies}; sAccessToken=canary-cookie-2");
    canaries.add("cookie", "canary-cookie-2");
    for (cookies, path) in [
        (&cookies, "/feed"),
        (&twice, "/feed"),
        (&twice, "/auth/session/refresh"),
        (&cookies, "/auth/session/refresh"),
        (&cookies, "/auth/signout"),
    ] {
        let headers = HeaderMap::from_iter([
            (header::COOKIE, HeaderValue::from_str(cookies).unwrap()),
            (
                header::HeaderName::from_static("anti-csrf"),
                HeaderValue::from_str(issued.tokens().anti_csrf_token().unwrap()).unwrap(),
            ),
        ]);
        let exchange = Exchange::new(&node.sessions, &Method::POST, path, &headers);
        let mut response = match exchange.handle_route().await {
            Some(response) => response,
            None => match exchange.verify(&VerifyOptions::new()).await {
                Ok(session) => {
                    canaries.assert_not_in(&format!("{session:?}"), "a session");
                    http::Response::default()
                }
                Err(refusal) => refusal.to_response(),
            },
        };
        exchange.finish(&mut response);
        canaries.assert_not_in(&format!("{exchange:?}"), "an exchange");
    }
}

async fn on_a_broken_store(node: &Node, canaries: &mut Canaries) {
    let issued = node.sessions.create(new_session()).await.unwrap();
    canaries.add_session(&issued);
    let mut tokens_only = Canaries::default();
    tokens_only.add_tokens(&issued);
    for fault in [Fault::Fail, Fault::Panic, Fault::Hang] {
        node.store.put_everywhere(&fault);
        let outcomes = [
            node.refresh(&refresh_token(&issued)).await.map(drop),
            node.verify(&issued, &check_database()).await.map(drop),
            node.sessions.create(new_session()).await.map(drop),
            node.sessions
                .revoke(issued.session().handle())
                .await
                .map(drop),
        ];
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            tokens_only.assert_not_in(&format!("{error} {error:?}"), "an error");
        }
        tokio::time::sleep(Duration::from_secs(61)).await;
        node.store.heal();
    }
    node.store.put(Op::Get, Fault::Fail);
    node.refresh(&refresh_token(&issued)).await.unwrap_err();
    node.store.heal();
}

/// K2: an identifier with line ends and escape sequences begins no line of the log.
#[tokio::test]
async fn an_identifier_with_line_ends_forges_no_line_of_the_log() {
    let node = Node::new().await;
    let hostile = "x\n2026-01-01T00:00:00Z ERROR forged\r\n\u{1b}[31mred";
    let issued = node
        .sessions
        .create(NewSession::new(user_id(hostile)))
        .await
        .unwrap();
    node.verify_text(&naming_another_key(&issued, "d-1\\nforged"), &stateless())
        .await
        .unwrap_err();
    let _second = node.refresh(&refresh_token(&issued)).await.unwrap();
    node.advance(Duration::from_secs(31));
    node.refresh(&refresh_token(&issued)).await.unwrap_err();
    settle().await;
    let text = logged();
    assert!(text.contains("used after its time"));
    assert!(!text.contains("forged"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

/// K7, D9: whatever of ours is printed for debugging shows no token, no hash, no key, no claim and
/// no datum.
#[tokio::test]
async fn debug_output_shows_no_secret() {
    let node = node(TheftDetection::Enforce).await;
    let issued = node.sessions.create(new_session()).await.unwrap();
    let mut canaries = canaries();
    canaries.0.retain(|(what, _)| *what != "user");
    canaries.add_tokens(&issued);
    let keys = node.store.inner().load_keys().await.unwrap();
    for key in &keys {
        canaries.add("key material", format!("{:?}", key.material.as_slice()));
    }
    let session = node.verify(&issued, &check_database()).await.unwrap();
    let information = session.information().await.unwrap();
    let row = node.row(session.handle()).await.unwrap();
    let new = new_session();
    let app = session_core::AppInfo::new("https://api.example.com", "https://example.com");
    let builder = session_core::Sessions::builder(app)
        .config(|config| config.encryption_secret("2026", SECRET.as_bytes().to_vec()));
    let config = node.sessions.config();
    let printed: [(&str, &dyn Debug); 19] = [
        ("Sessions", &node.sessions),
        ("SessionsBuilder", &builder),
        ("SessionConfig", config),
        ("EncryptionSecret", &config.encryption_secret()),
        ("Session", &session),
        ("IssuedSession", &issued),
        ("Tokens", issued.tokens()),
        ("AccessToken", issued.tokens().access_token()),
        ("RefreshToken", &refresh_token(&issued)),
        ("NewSession", &new),
        ("SessionInformation", &information),
        ("Payload", information.payload()),
        ("SessionRecord", &row),
        ("Rotations", &row.rotations),
        ("KeyRecord", &keys),
        ("Jwks", &node.sessions.jwks()),
        ("VerifyOptions", &VerifyOptions::new()),
        ("MemoryStore", node.store.inner()),
        (
            "PresentedAntiCsrf",
            &PresentedAntiCsrf::Token(issued.tokens().anti_csrf_token()),
        ),
    ];
    for (name, value) in printed {
        canaries.assert_not_in(&format!("{value:?}"), name);
        canaries.assert_not_in(&format!("{value:#?}"), name);
    }
}
