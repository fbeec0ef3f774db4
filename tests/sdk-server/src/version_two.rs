//! A session whose access token is of version 2, as they were made years ago (wire §1.1, §1.2).
//!
//! The library makes and reads none. Such a client is at a route with a session what one without an
//! access token is, and its refresh token gets it a current one.

use std::{ops::Range, time::Duration};

use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};
use session_core::{
    NewSession, RefreshToken, Session, SessionError, UserId,
    clock::unix_ms,
    store::{KeyPurpose, SessionStore as _},
};

use crate::application::Application;

/// Creates a session for a client that keeps its tokens itself. Gives back the headers that they
/// travel in.
pub(crate) async fn log_in(
    application: &Application,
    user: UserId,
    payload: Map<String, Value>,
) -> Result<HeaderMap, SessionError> {
    let sessions = &application.sessions;
    let now = sessions.clock().now();
    let times_ms = unix_ms(now)..unix_ms(now + LIFETIME);
    let front = json!({ "uid": user, "ate": times_ms.end, "up": payload });
    let issued = sessions
        .create(NewSession::new(user).payload(payload))
        .await?;
    let (session, tokens) = issued.into_parts();
    let access = access_token(&session, times_ms, &signing_key(application).await?);
    let refresh = tokens.refresh_token().map(RefreshToken::expose);
    let values = [
        ("st-access-token", access),
        ("st-refresh-token", refresh.unwrap_or_default().to_owned()),
        ("front-token", BASE64_STANDARD.encode(front.to_string())),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        #[expect(clippy::expect_used, reason = "letters of base64 and points")]
        let value = HeaderValue::try_from(value).expect("a header value");
        headers.insert(name, value);
    }
    Ok(headers)
}

fn access_token(session: &Session, times_ms: Range<i64>, key: &KeyPair) -> String {
    let own_claims = session.access_token_payload();
    let claims = json!({
        "sessionHandle": session.handle(),
        "userId": session.user_id(),
        "refreshTokenHash1": own_claims.get("refreshTokenHash1"),
        "userData": session.payload().as_map(),
        "expiryTime": times_ms.end,
        "timeCreated": times_ms.start,
    });
    let signed = format!("{HEADER}.{}", BASE64_STANDARD.encode(claims.to_string()));
    let mut signature = vec![0; key.public_modulus_len()];
    let random = SystemRandom::new();
    #[expect(clippy::expect_used, reason = "the buffer is as long as the modulus")]
    key.sign(
        &RSA_PKCS1_SHA256,
        &random,
        signed.as_bytes(),
        &mut signature,
    )
    .expect("a signature");
    format!("{signed}.{}", BASE64_STANDARD.encode(signature))
}

/// The oldest key: it has been signing for as long as there are sessions.
async fn signing_key(application: &Application) -> Result<KeyPair, SessionError> {
    let keys = application.store.load_keys().await?;
    let mut signing = keys
        .iter()
        .filter(|key| key.purpose == KeyPurpose::AccessDynamic);
    let oldest = signing.next_back();
    #[expect(clippy::expect_used, reason = "no store here is without a key of ours")]
    let pair = oldest
        .and_then(|key| KeyPair::from_pkcs8(&key.material).ok())
        .expect("a key");
    Ok(pair)
}

/// The header of every token of version 2.
const HEADER: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0=";

const LIFETIME: Duration = Duration::from_hours(1);
