//! What the package `fuzz` drives. No part of the API: it may change or go in any release.
//!
//! Each function reads what it is given, checks what must hold whatever that is, and says whether
//! it was accepted.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use http::{HeaderMap, HeaderValue, header::COOKIE};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{
    http::SessionCookies,
    ids::{KeyId, SessionHandle, TenantId},
    keys::RefreshKey,
    store::{KeyPurpose, KeyRecord},
    token::{
        FrontToken, RefreshToken, access, front,
        refresh::{self, RefreshSecret, RefreshTokenParts},
    },
    verify::VerifiedTokens,
};

/// Reads an access token; accepted means well-formed, for there is no key here.
pub fn access_token(text: &str) -> bool {
    let accepted = access::parse(text).is_ok();
    if accepted {
        let canonical = |segment: &str| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(segment).unwrap_or_default();
            BASE64_URL_SAFE_NO_PAD.encode(bytes) == segment
        };
        assert!(text.split('.').count() == 3 && text.split('.').all(canonical));
    }
    accepted
}

/// An access token of any header and payload, with a signature that nobody verifies.
pub fn access_token_of(header: &[u8], payload: &[u8]) -> String {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    format!(
        "{}.{}.{}",
        encode(header),
        encode(payload),
        encode(&[0; 256])
    )
}

/// Reads the access token of any header and payload. What is accepted means the same to another
/// reader of JSON.
pub fn access_token_json(header: &[u8], payload: &[u8]) -> bool {
    let accepted = access_token(&access_token_of(header, payload));
    if accepted {
        let header: Map<String, Value> = serde_json::from_slice(header).unwrap_or_default();
        assert!(header.get("alg").is_some_and(|alg| alg == "RS256"));
        assert!(!header.contains_key("crit") && !header.contains_key("jwk"));
        let payload: Map<String, Value> = serde_json::from_slice(payload).unwrap_or_default();
        assert!(payload.get("sub").is_some_and(Value::is_string));
        let seconds = |name: &str| {
            payload
                .get(name)
                .and_then(Value::as_i64)
                .unwrap_or_default()
        };
        assert!(seconds("iat") < seconds("exp"));
    }
    accepted
}

/// Opens a refresh token. Whatever is opened is what we would write.
pub fn refresh_token(text: &str) -> bool {
    let Some(key) = refresh_key() else {
        return false;
    };
    let token = RefreshToken::from_text(text);
    let opened = refresh::open(&token, &key);
    if let Ok(parts) = &opened {
        assert_eq!(refresh::seal(parts, &key).expose(), text);
        assert!(refresh::key_id_of(&token).is_ok_and(|id| id == *key.id()));
    }
    opened.is_ok()
}

/// A good refresh token; empty when the names are not acceptable.
pub fn refresh_token_of(handle: &str, tenant: &str, generation: u64) -> String {
    let token = || {
        let key = refresh_key()?;
        let parts = RefreshTokenParts {
            handle: SessionHandle::try_from(handle).ok()?,
            tenant: TenantId::try_from(tenant).ok()?,
            generation,
            key: key.id().clone(),
            anti_csrf: true,
            secret: RefreshSecret::random().ok()?,
        };
        Some(refresh::seal(&parts, &key).expose().to_owned())
    };
    token().unwrap_or_default()
}

/// The bytes of a refresh token before its MAC.
pub fn refresh_token_body(text: &str) -> Vec<u8> {
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    bytes.truncate(bytes.len().saturating_sub(32));
    bytes
}

/// Opens the refresh token of any bytes, under a good MAC.
pub fn authenticated_refresh_token(body: &[u8]) -> bool {
    refresh_key().is_some_and(|key| {
        let bytes = [body, &key.mac(body)].concat();
        refresh_token(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
    })
}

/// Reads a front token. What is read is written back as what it was.
pub fn front_token(text: &str) -> bool {
    let read = FrontToken::parse(text);
    if let Ok(token) = &read {
        let written = front::build(
            token.user_id(),
            token.access_expires_at_ms(),
            token.payload(),
        );
        assert!(FrontToken::parse(&written).as_ref() == Ok(token) || written.len() > text.len());
    }
    read.is_ok()
}

/// Reads the front token of any JSON.
pub fn front_token_json(json: &[u8]) -> bool {
    front_token(&BASE64_STANDARD.encode(json))
}

/// Reads the `Cookie` lines of a request; accepted means that our access cookie has a value. However
/// the lines are cut, cookies are counted as a search through the text counts them.
pub fn cookie_header(lines: &[&[u8]]) -> bool {
    let lines: Vec<HeaderValue> = lines
        .iter()
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let searched = |needle: &str| {
        let times = |line: &HeaderValue| {
            let pairs = String::from_utf8_lossy(line.as_bytes()).replace("; ", ";");
            usize::from(pairs.starts_with(needle)) + pairs.matches(&format!(";{needle}")).count()
        };
        lines.iter().map(times).sum::<usize>()
    };
    let headers: HeaderMap = lines.iter().map(|line| (COOKIE, line.clone())).collect();
    let none_known = VerifiedTokens::new(0);
    let cookies = SessionCookies::read(&headers, "sAccessToken", "sRefreshToken", &none_known);
    let Ok(cookies) = cookies else {
        return false;
    };
    for (cookie, times) in [
        (&cookies.access, searched("sAccessToken=")),
        (&cookies.refresh, searched("sRefreshToken=")),
        (&cookies.legacy, searched("sIdRefreshToken=")),
    ] {
        assert_eq!(cookie.is_present(), times > 0);
        assert_eq!(cookie.is_duplicated(), times > 1);
        let token = cookie.token();
        assert!(token.is_none_or(|token| !token.text().is_empty() && cookie.is_present()));
    }
    cookies.access.token().is_some()
}

fn refresh_key() -> Option<RefreshKey> {
    let record = KeyRecord {
        id: KeyId::try_from("r-1").ok()?,
        purpose: KeyPurpose::Refresh,
        algorithm: "HS256".to_owned(),
        created_at_ms: 0,
        material: Zeroizing::new((0..64).collect()),
        sealed_under: None,
    };
    RefreshKey::from_record(&record).ok()
}
