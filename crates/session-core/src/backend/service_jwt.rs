//! Tokens for other services, signed with the keys that our JWKS publishes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{error::SessionError, json, keys::SigningKey};

/// Signs `payload` as it is, with `iat` and `exp` set.
///
/// The header has no `version`, so what is made here is never taken for an access token (wire
/// §10.11, security C2).
pub(crate) fn sign(
    key: &SigningKey,
    mut payload: Map<String, Value>,
    issuer: &str,
    issued_at_s: i64,
    expires_at_s: i64,
) -> Result<String, SessionError> {
    payload.entry("iss").or_insert_with(|| json!(issuer));
    payload.insert("iat".to_owned(), json!(issued_at_s));
    payload.insert("exp".to_owned(), json!(expires_at_s));
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": key.id().as_str() }).to_string();
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(json::to_text(&payload), &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}
