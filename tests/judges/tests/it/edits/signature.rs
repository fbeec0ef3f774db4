//! Other signatures, and other keys.

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use super::{Edit, Parts, Workshop, decode, encode};

pub(super) const EDITS: &[Edit] = &[
    ("no signature", no_signature),
    ("a signature of zeros", of_zeros),
    ("the signature at another length", at_another_length),
    ("the signature plus the modulus", plus_the_modulus),
    ("the signature of another token", of_another_token),
    ("altered under the old signature", altered),
    ("signed with another key of ours", with_another_key_of_ours),
    ("signed with somebody else's key", with_somebody_elses_key),
    ("another RSA algorithm of our key", another_algorithm),
    ("a MAC under the public key", a_mac_under_the_public_key),
];

fn no_signature(workshop: &mut Workshop) -> String {
    let Parts { mut header, claims } = workshop.parts();
    let alg = workshop.one_of(&["none", "None", "NONE", "nOnE", "", "RS256"]);
    header.insert("alg".to_owned(), alg.into());
    let signature = workshop.one_of(&["", "AA", "AAAA"]);
    let [header, claims] = [header, claims].map(|part| encode(Value::from(part).to_string()));
    format!("{header}.{claims}.{signature}")
}

fn of_zeros(workshop: &mut Workshop) -> String {
    let [header, payload, _] = workshop.segments();
    let length = workshop.one_of(&[1, 255, 256, 257, 512]);
    format!("{header}.{payload}.{}", encode(vec![0; length]))
}

fn at_another_length(workshop: &mut Workshop) -> String {
    let [header, payload, signature] = workshop.segments();
    let mut bytes = decode(&signature);
    match workshop.chance.u8(..4) {
        0 => bytes.insert(0, 0),
        1 => bytes.push(0),
        2 => bytes.truncate(workshop.chance.usize(..bytes.len())),
        _ => bytes.extend_from_within(..),
    }
    format!("{header}.{payload}.{}", encode(bytes))
}

/// The same number to whoever forgets to ask that it is less than the modulus.
fn plus_the_modulus(workshop: &mut Workshop) -> String {
    let [header, payload, signature] = workshop.segments();
    let mut sum = decode(&signature);
    let mut carry = 0;
    for (byte, modulus) in sum.iter_mut().zip(&workshop.modulus).rev() {
        let [high, low] = (u16::from(*byte) + u16::from(*modulus) + carry).to_be_bytes();
        (*byte, carry) = (low, high.into());
    }
    if carry > 0 {
        sum.insert(0, 1);
    }
    format!("{header}.{payload}.{}", encode(sum))
}

fn of_another_token(workshop: &mut Workshop) -> String {
    let [header, payload, own] = workshop.segments();
    let others = workshop.tokens.iter();
    let others: Vec<_> = others
        .filter(|token| !token.ends_with(&own))
        .cloned()
        .collect();
    let other = workshop.one_of(&others);
    let signature = other.rsplit('.').next().unwrap();
    format!("{header}.{payload}.{signature}")
}

fn altered(workshop: &mut Workshop) -> String {
    let [header, payload, signature] = workshop.segments();
    let mut claims: Value = serde_json::from_slice(&decode(&payload)).unwrap();
    let name = workshop.one_of(&["sub", "rsub", "exp", "sessionHandle", "added"]);
    claims[name] = match name {
        "exp" => json!(workshop.now_s + 7_200),
        _ => json!("mallory"),
    };
    format!("{header}.{}.{signature}", encode(claims.to_string()))
}

fn with_another_key_of_ours(workshop: &mut Workshop) -> String {
    let Parts { mut header, claims } = workshop.parts();
    // One that is called by its name is a good key.
    if workshop.chance.bool() {
        header.insert("kid".to_owned(), workshop.previous.key_id().into());
    }
    workshop.previous.sign(&header.into(), &claims.into())
}

fn with_somebody_elses_key(workshop: &mut Workshop) -> String {
    let Parts { mut header, claims } = workshop.parts();
    if workshop.chance.bool() {
        header.insert("kid".to_owned(), "d-1".into());
    }
    workshop.stranger.sign(&header.into(), &claims.into())
}

fn another_algorithm(workshop: &mut Workshop) -> String {
    let Parts { header, claims } = workshop.parts();
    let tokens = workshop
        .signer
        .sign_otherwise(&header.into(), &claims.into());
    let [header, payload, signature] = split(&workshop.one_of(&tokens));
    if workshop.chance.bool() {
        return format!("{header}.{payload}.{signature}");
    }
    // The same signature under the header of ours.
    let [header, ..] = workshop.segments();
    format!("{header}.{payload}.{signature}")
}

fn a_mac_under_the_public_key(workshop: &mut Workshop) -> String {
    let Parts { mut header, claims } = workshop.parts();
    let (name, algorithm) = workshop.one_of(&[
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
        ("RS256", hmac::HMAC_SHA256),
    ]);
    header.insert("alg".to_owned(), name.into());
    let [header, claims] = [header, claims].map(|part| encode(Value::from(part).to_string()));
    let der = workshop.signer.public_key();
    let secrets = [pem(&der), workshop.modulus.clone(), der];
    let key = hmac::Key::new(algorithm, &workshop.one_of(&secrets));
    let text = format!("{header}.{claims}");
    let tag = hmac::sign(&key, text.as_bytes());
    format!("{text}.{}", encode(tag))
}

/// A public key as a file has it.
fn pem(der: &[u8]) -> Vec<u8> {
    let base64 = BASE64_STANDARD.encode(der);
    let lines = base64.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    let (begin, end) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");
    format!("{begin}\n{}\n{end}\n", lines.join("\n")).into_bytes()
}

fn split(token: &str) -> [String; 3] {
    let mut segments = token.split('.').map(str::to_owned);
    [(); 3].map(|()| segments.next().unwrap())
}
