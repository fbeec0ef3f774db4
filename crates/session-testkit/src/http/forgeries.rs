//! Forged tokens: nothing but what we signed is a session (security A).
//!
//! Wherever it can be, the forgery is signed with the server's own key, so that it is refused for
//! what it says and not for its signature.

use std::net::{Ipv4Addr, TcpListener};

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Value, json};

use super::{TestApp, client::Mode, forge::Forge};

/// A1: `alg` none, however it is spelt and whatever stands for a signature.
pub async fn a_token_without_a_signature_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    let [_, payload, signature] = forge.segments();
    for alg in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!(""),
        json!(null),
        json!("none "),
    ] {
        let mut header = forge.header.clone();
        header["alg"] = alg.clone();
        let encoded = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
        for signature in ["", "AAAA", signature] {
            let token = format!("{encoded}.{payload}.{signature}");
            forge.assert_refused(&token).await;
        }
        forge
            .assert_refused(&forge.with_header(&json!({ "alg": alg })))
            .await;
    }
    let mut header = forge.header.as_object().unwrap().clone();
    header.remove("alg");
    let token = forge.signer.sign(&json!(header), &forge.claims);
    forge.assert_refused(&token).await;
}

/// A2: a MAC under the public key, in every form in which somebody might take it for a secret.
pub async fn a_mac_under_the_public_key_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    let der = forge.signer.public_key();
    let base64 = BASE64_STANDARD.encode(&der);
    let lines: Vec<&str> = (0..base64.len())
        .step_by(64)
        .map(|start| &base64[start..base64.len().min(start + 64)])
        .collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        lines.join("\n")
    );
    let jwks = app.get("/auth/jwt/jwks.json").send().await.json();
    let jwk = &jwks["keys"][0];
    let modulus = BASE64_URL_SAFE_NO_PAD
        .decode(jwk["n"].as_str().unwrap())
        .unwrap();
    let secrets: [&[u8]; 5] = [
        &der,
        pem.as_bytes(),
        format!("{pem}\n").leak().as_bytes(),
        jwk.to_string().leak().as_bytes(),
        &modulus,
    ];
    for (name, algorithm) in [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ] {
        let mut header = forge.header.clone();
        header["alg"] = json!(name);
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&forge.claims));
        for secret in secrets {
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
            let tag = BASE64_URL_SAFE_NO_PAD.encode(tag);
            forge.assert_refused(&format!("{signed}.{tag}")).await;
        }
    }
}

/// A3: another algorithm, correctly signed with our own key.
pub async fn another_algorithm_of_our_own_key_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    for token in forge.signer.sign_otherwise(&forge.header, &forge.claims) {
        forge.assert_refused(&token).await;
    }
}

/// A4: `RS256` in any other spelling.
pub async fn the_algorithm_is_spelt_in_one_way(app: &TestApp) {
    let forge = Forge::new(app).await;
    for alg in [
        json!("rs256"),
        json!("RS256 "),
        json!(" RS256"),
        json!("RS256\0"),
        json!(["RS256"]),
        json!(256),
    ] {
        forge
            .assert_refused(&forge.with_header(&json!({ "alg": alg })))
            .await;
    }
}

/// A5: a key that the token brings along, or says where to get, is not used and not fetched.
pub async fn a_key_in_the_token_is_not_used(app: &TestApp) {
    let forge = Forge::new(app).await;
    let trap = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    trap.set_nonblocking(true).unwrap();
    let url = format!("http://{}/jwks.json", trap.local_addr().unwrap());
    let jwk = app.get("/auth/jwt/jwks.json").send().await.json()["keys"][0].clone();
    for header in [
        json!({ "jwk": jwk }),
        json!({ "jku": url }),
        json!({ "x5u": url }),
        json!({ "x5c": ["MIIB"] }),
        json!({ "x5t": "AAAA" }),
    ] {
        forge.assert_refused(&forge.with_header(&header)).await;
    }
    assert!(trap.accept().is_err(), "somebody came for the key");
}

/// A6: an extension that has to be understood is not; `b64` and compression neither.
pub async fn a_critical_extension_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    for header in [
        json!({ "crit": ["x"], "x": 1 }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "crit": [] }),
        json!({ "crit": ["alg"] }),
        json!({ "crit": ["x", "x"], "x": 1 }),
        json!({ "crit": "x" }),
        json!({ "crit": null }),
        json!({ "b64": false }),
        json!({ "zip": "DEF" }),
    ] {
        forge.assert_refused(&forge.with_header(&header)).await;
    }
}

/// A7: a signature of the wrong length, of zeros, or of another token.
pub async fn a_signature_that_is_not_the_tokens_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    let [header, payload, _] = forge.segments();
    for length in [0, 1, 255, 256, 257, 512] {
        let zeros = BASE64_URL_SAFE_NO_PAD.encode(vec![0; length]);
        let token = format!("{header}.{payload}.{zeros}");
        forge.assert_refused(&token).await;
    }
    let bob = app.log_in_by(Mode::Header, "bob").await.access_token();
    let of_bob = bob.rsplit_once('.').unwrap().1;
    forge
        .assert_refused(&format!("{header}.{payload}.{of_bob}"))
        .await;
}

/// A8: a flipped bit, anywhere.
pub async fn a_flipped_bit_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    let bytes = forge.token.as_bytes();
    for (index, byte) in bytes.iter().enumerate().step_by(5) {
        let mut flipped = bytes.to_vec();
        flipped[index] = byte ^ (1 << (index % 6));
        // What cannot stand in a header is no case for a token.
        if let Ok(token) = String::from_utf8(flipped)
            && token.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let answer = app.get("/stateless").bearer(&token).send().await;
            answer.assert_status(401).assert_tokens_untouched();
        }
    }
}

/// D1, D10: a key id that is a path, a statement or missing is looked up nowhere.
pub async fn a_key_id_is_nothing_but_a_name(app: &TestApp) {
    let forge = Forge::new(app).await;
    let calls = app.store().session_calls();
    for key_id in [
        json!("'; DROP TABLE keys; --"),
        json!("../../../../dev/null"),
        json!("%00"),
        json!("\0"),
        json!(""),
        json!("é"),
        json!(null),
        json!(1),
        json!("d-1"),
        json!("d".repeat(4_000)),
    ] {
        let token = forge.with_header(&json!({ "kid": key_id }));
        forge.assert_refused(&token).await;
    }
    let mut header = forge.header.as_object().unwrap().clone();
    header.remove("kid");
    let token = forge.signer.sign(&json!(header), &forge.claims);
    forge.assert_refused(&token).await;
    assert_eq!(app.store().session_calls(), calls);
}
