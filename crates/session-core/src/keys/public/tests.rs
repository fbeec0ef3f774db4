//! A18, J3: which keys are trusted.

use serde_json::Value;

use super::*;
use crate::fixtures::{der_of, key, key_id, vector_json};

fn verdict(modulus: &[u8], exponent: &[u8]) -> Result<VerificationKey, KeyError> {
    VerificationKey::from_der(
        key_id("d-1"),
        KeyPurpose::AccessDynamic,
        &der_of(modulus, exponent),
    )
}

fn assert_weak(modulus: &[u8], exponent: &[u8]) {
    let answer = verdict(modulus, exponent);
    assert!(matches!(answer, Err(KeyError::Weak { .. })), "{answer:?}");
}

fn good_modulus() -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD
        .decode(key().public().encoded_modulus())
        .unwrap()
}

/// A18: exponents that make signatures forgeable.
#[test]
fn an_exponent_is_odd_and_between_3_and_2_to_the_32() {
    let modulus = good_modulus();
    for good in [&[3][..], &[1, 0, 1], &[0xff, 0xff, 0xff, 0xff]] {
        verdict(&modulus, good).unwrap();
    }
    for bad in [
        &[1][..],
        &[2],
        &[4],
        &[1, 0, 0],
        &[1, 0, 0, 0, 1],
        &[0xff; 9],
        &[0xff; 256],
    ] {
        assert_weak(&modulus, bad);
    }
}

/// A18, J3: sizes that can be factored, or that cost too much.
#[test]
fn a_modulus_has_2048_to_8192_bits() {
    let odd = |bytes: usize, first: u8| {
        let mut modulus = vec![0x5a; bytes];
        modulus[0] = first;
        modulus[bytes - 1] = 0x5b;
        modulus
    };
    assert_weak(&odd(128, 0xff), &[1, 0, 1]);
    assert_weak(&odd(256, 0x7f), &[1, 0, 1]);
    assert_weak(&odd(1025, 0x01), &[1, 0, 1]);
    assert_weak(&odd(2048, 0xff), &[1, 0, 1]);
    verdict(&odd(256, 0x80), &[1, 0, 1]).unwrap();
    verdict(&odd(1024, 0xff), &[1, 0, 1]).unwrap();
    let mut even = odd(256, 0x80);
    even[255] = 2;
    assert_weak(&even, &[1, 0, 1]);
}

/// A18: Wycheproof's key with the ROCA structure, and its two other weak keys.
#[test]
fn wycheproofs_weak_keys_are_refused() {
    for (file, weak_groups) in [("json_web_key_test", 3), ("json_web_crypto_test", 1)] {
        let suite = vector_json(&format!("wycheproof/{file}.json"));
        let groups = suite["testGroups"].as_array().unwrap();
        let weak: Vec<_> = groups
            .iter()
            .filter(|group| {
                ["jws_rsa_roca_key", "keysize_too_small", "exponentOne"]
                    .contains(&group["comment"].as_str().unwrap_or_default())
            })
            .collect();
        assert_eq!(weak.len(), weak_groups);
        for group in weak {
            let public = &group["public"];
            let jwk = public["keys"].get(0).unwrap_or(public);
            let number = |name: &str| decoded(&jwk[name]);
            assert_weak(&number("n"), &number("e"));
        }
    }
}

fn decoded(text: &Value) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text.as_str().unwrap())
        .unwrap()
}

/// A DER text has one meaning, and anything else is unreadable.
#[test]
fn other_encodings_of_a_key_are_unreadable() {
    let der = der_of(&good_modulus(), &[1, 0, 1]);
    let read =
        |der: &[u8]| VerificationKey::from_der(key_id("d-1"), KeyPurpose::AccessDynamic, der);
    read(&der).unwrap();
    for end in 0..der.len() {
        assert!(read(&der[..end]).is_err());
    }
    assert!(read(&[&der[..], &[0]].concat()).is_err());
    for (position, _) in der.iter().enumerate().take(8) {
        let mut mutated = der.clone();
        mutated[position] ^= 0x20;
        assert!(read(&mutated).is_err(), "byte {position}");
    }
    assert!(matches!(read(b""), Err(KeyError::Unreadable(_))));
}

/// D9, K7: a key prints its name and nothing else.
#[test]
fn a_verification_key_prints_its_name() {
    let text = format!("{:?}", key().public());
    assert_eq!(
        text,
        r#"VerificationKey { id: KeyId("d-1700000000000"), .. }"#
    );
}
