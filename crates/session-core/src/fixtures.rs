//! What the unit tests start from: keys, claims, and a signer that signs whatever it is told to.

pub(crate) mod faulty_store;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::{
    clock::from_unix_ms,
    config::RsaKeySize,
    ids::{KeyId, SessionHandle, TenantId, UserId},
    keys::{RefreshKey, SigningKey},
    store::{KeyPurpose, KeyRecord, Rotations, SessionRecord},
    token::{
        TokenRejection, VerifiedAccessToken,
        access::{self, AccessClaims, AccessPolicy},
    },
};

/// The second at which tokens are made here.
pub(crate) const ISSUED_S: i64 = 1_700_000_000;
/// An hour later.
pub(crate) const EXPIRES_S: i64 = ISSUED_S + 3600;
pub(crate) const ISSUER: &str = "https://api.example.com/auth";
pub(crate) const KEY_ID: &str = "d-1700000000000";
/// The header of a good token.
pub(crate) const HEADER: &str =
    r#"{"alg":"RS256","typ":"JWT","kid":"d-1700000000000","version":"5"}"#;

/// A minute after the tokens were made.
pub(crate) fn now() -> SystemTime {
    at_ms((ISSUED_S + 60) * 1000)
}

pub(crate) fn at_ms(unix_ms: i64) -> SystemTime {
    from_unix_ms(unix_ms)
}

pub(crate) fn key_id(text: &str) -> KeyId {
    KeyId::try_from(text).unwrap()
}

pub(crate) fn handle() -> SessionHandle {
    SessionHandle::try_from("2f9d3f0e-0000-4000-8000-000000000001").unwrap()
}

/// A signing key's record. All have the same key, for making one takes long.
pub(crate) fn signing_record(id: &str, purpose: KeyPurpose, created_at_ms: i64) -> KeyRecord {
    static MATERIAL: OnceLock<Zeroizing<Vec<u8>>> = OnceLock::new();
    let material = MATERIAL.get_or_init(|| SigningKey::generate(RsaKeySize::Bits2048).unwrap());
    KeyRecord {
        id: key_id(id),
        purpose,
        algorithm: "RS256".to_owned(),
        created_at_ms,
        material: material.clone(),
        sealed_under: None,
    }
}

/// A refresh key's record with a new key.
pub(crate) fn refresh_record(id: &str, created_at_ms: i64) -> KeyRecord {
    KeyRecord {
        id: key_id(id),
        purpose: KeyPurpose::Refresh,
        algorithm: "HS256".to_owned(),
        created_at_ms,
        material: RefreshKey::generate().unwrap(),
        sealed_under: None,
    }
}

/// The row of a session that was just made.
pub(crate) fn session_record(handle: &str) -> SessionRecord {
    SessionRecord {
        handle: SessionHandle::try_from(handle).unwrap(),
        tenant: TenantId::default(),
        user: UserId::try_from("user-1").unwrap(),
        generation: 0,
        secret_hash: [0; 32],
        refresh_key: key_id("r-1"),
        rotations: Rotations::default(),
        payload: "{}".to_owned(),
        payload_version: 0,
        data: "{}".to_owned(),
        created_at_ms: ISSUED_S * 1000,
        refreshed_at_ms: ISSUED_S * 1000,
        expires_at_ms: EXPIRES_S * 1000,
        absolute_expires_at_ms: None,
        access_expires_at_ms: EXPIRES_S * 1000,
    }
}

/// The key that signs the tokens of these tests.
pub(crate) fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let record = signing_record(KEY_ID, KeyPurpose::AccessDynamic, ISSUED_S * 1000);
        SigningKey::from_record(&record).unwrap()
    })
}

/// A key of somebody else that has the same name.
pub(crate) fn stranger() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let material = SigningKey::generate(RsaKeySize::Bits2048).unwrap();
        let record = KeyRecord {
            material,
            ..signing_record(KEY_ID, KeyPurpose::AccessDynamic, ISSUED_S * 1000)
        };
        SigningKey::from_record(&record).unwrap()
    })
}

pub(crate) fn policy() -> AccessPolicy {
    AccessPolicy {
        issuer: ISSUER.to_owned(),
        key_purpose: KeyPurpose::AccessDynamic,
        max_lifetime_s: 3600,
        leeway_s: 60,
    }
}

/// Makes a token with claims that `change` may alter first.
pub(crate) fn minted(change: impl FnOnce(&mut AccessClaims<'_>)) -> String {
    let (user, tenant, handle) = (
        UserId::try_from("user-1").unwrap(),
        TenantId::default(),
        handle(),
    );
    let mut claims = AccessClaims {
        user: &user,
        tenant: &tenant,
        handle: &handle,
        issuer: ISSUER,
        issued_at_s: ISSUED_S,
        expires_at_s: EXPIRES_S,
        refresh_token_hash: "00ff",
        anti_csrf_token: None,
    };
    change(&mut claims);
    let minted = access::mint(key(), &claims, &crate::Payload::default()).unwrap();
    minted.token().expose().to_owned()
}

/// The claims of a good token.
pub(crate) fn claims() -> Map<String, Value> {
    let claims = json!({
        "sub": "user-1",
        "rsub": "user-1",
        "tId": "public",
        "iat": ISSUED_S,
        "exp": EXPIRES_S,
        "sessionHandle": handle().as_str(),
        "refreshTokenHash1": "00ff",
        "parentRefreshTokenHash1": null,
        "antiCsrfToken": null,
        "iss": ISSUER,
    });
    claims.as_object().unwrap().clone()
}

/// The claims of a good token with one of them replaced.
pub(crate) fn claims_with(name: &str, value: Value) -> String {
    let mut claims = claims();
    claims.insert(name.to_owned(), value);
    serde_json::to_string(&claims).unwrap()
}

/// The claims of a good token with the text of one of them replaced, whatever it is.
pub(crate) fn claims_with_raw(name: &str, text: &str) -> String {
    let mut claims = claims();
    claims.remove(name);
    let others = serde_json::to_string(&claims).unwrap();
    format!("{},\"{name}\":{text}}}", others.strip_suffix('}').unwrap())
}

/// `S(h, p)` of the attack catalogue: signs any bytes with the real key, so that what is refused is
/// refused by policy.
pub(crate) fn sign(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let signed = format!(
        "{}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(header),
        BASE64_URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = key().sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// What the verifier says to a token a minute after it was made.
pub(crate) fn verify(token: &str) -> Result<Arc<VerifiedAccessToken>, TokenRejection> {
    verify_at(token, now())
}

pub(crate) fn verify_at(
    token: &str,
    now: SystemTime,
) -> Result<Arc<VerifiedAccessToken>, TokenRejection> {
    let verified = access::parse(token)?.verify(key().public(), now, &policy())?;
    assert_eq!(verified.token().expose(), token);
    Ok(Arc::new(verified))
}

/// `RSAPublicKey` in DER.
pub(crate) fn der_of(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let numbers = [integer(modulus), integer(exponent)].concat();
    [vec![0x30], length_of(numbers.len()), numbers].concat()
}

fn integer(number: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if number[0] & 0x80 == 0 { &[] } else { &[0] };
    [
        &[0x02],
        &length_of(number.len() + padding.len())[..],
        padding,
        number,
    ]
    .concat()
}

fn length_of(length: usize) -> Vec<u8> {
    match u16::try_from(length).unwrap().to_be_bytes() {
        [0, short @ ..] if short[0] < 0x80 => short.to_vec(),
        [0, short] => vec![0x81, short],
        [high, low] => vec![0x82, high, low],
    }
}

/// A file of test data that others wrote.
pub(crate) fn vector(path: &str) -> Vec<u8> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(path);
    std::fs::read(file).unwrap()
}

pub(crate) fn vector_json(path: &str) -> Value {
    serde_json::from_slice(&vector(path)).unwrap()
}

/// The names and contents of the files of a folder of test data.
pub(crate) fn vectors(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(folder);
    let mut files: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}
