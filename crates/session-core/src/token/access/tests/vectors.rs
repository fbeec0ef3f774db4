//! Test data that others wrote (A3, A17, A18, A19). What we answer differently on purpose stands in
//! [`EXPECTED_DIFFERENCES`], and nothing else may differ.
#![expect(clippy::string_slice, reason = "hexadecimal is ASCII")]

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    fixtures::{der_of, key, key_id, vector_json, vectors},
    keys::{KeyError, SigningKey, VerificationKey},
    store::{KeyPurpose, KeyRecord},
    token::{MalformedToken, jws::Jws},
};

/// A file, the numbers of vectors in it whose result ours is the opposite of, and why.
const EXPECTED_DIFFERENCES: &[(&str, &[u64], &str)] = &[
    (
        SIGNATURES,
        &[1, 18, 347, 348, 351, 352, 357, 358, 359, 376, 377, 378],
        "valid there; HMAC and elliptic curves are not accepted here",
    ),
    (
        SIGNATURES,
        &[264, 265, 266, 267, 268, 269, 270, 271],
        "valid there; RS384 and RS512 are not accepted here",
    ),
    (
        SIGNATURES,
        &[
            272, 273, 274, 275, 287, 288, 320, 321, 322, 323, 325, 326, 327, 328, 346, 350,
        ],
        "valid there; PSS is not accepted here",
    ),
    (
        SIGNATURES,
        &[353, 355],
        "invalid there for the JWK's `use` and `key_ops`; a key here is bound to its use by the \
         purpose and algorithm of its record, and never comes as a JWK",
    ),
    (
        SIGNATURES,
        &[372, 373],
        "valid there for an HMAC over a text with foreign characters, which is refused here",
    ),
    (
        KEYS,
        &[2, 13, 14, 15],
        "valid there; HMAC is not accepted here",
    ),
    (
        OLDER,
        &[1, 18, 48],
        "valid there; HMAC and elliptic curves are not accepted here",
    ),
];

const SIGNATURES: &str = "json_web_signature_test";
const KEYS: &str = "json_web_key_test";
const OLDER: &str = "json_web_crypto_test";

/// The keys of a group that a record of ours could hold.
fn keys_of(group: &Value) -> Vec<Result<VerificationKey, KeyError>> {
    let public = &group["public"];
    let jwks = public["keys"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![public.clone()]);
    let ours =
        |jwk: &&Value| jwk["kty"] == "RSA" && jwk["alg"].as_str().is_none_or(|alg| alg == "RS256");
    jwks.iter().filter(ours).map(verification_key).collect()
}

fn verification_key(jwk: &Value) -> Result<VerificationKey, KeyError> {
    let number = |name: &str| {
        BASE64_URL_SAFE_NO_PAD
            .decode(jwk[name].as_str().unwrap())
            .unwrap()
    };
    let der = der_of(&number("n"), &number("e"));
    VerificationKey::from_der(key_id("d-1"), KeyPurpose::AccessDynamic, &der)
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// Holds our answers against all vectors of a file; says how many there are.
fn compare(file: &str) -> usize {
    let suite = vector_json(&format!("wycheproof/{file}.json"));
    let (mut count, mut differing) = (0, Vec::new());
    for group in suite["testGroups"].as_array().unwrap() {
        let keys = keys_of(group);
        for test in group["tests"].as_array().unwrap() {
            let Some(token) = test["jws"].as_str() else {
                continue;
            };
            count += 1;
            let accepted = Jws::parse(token).is_ok_and(|jws| {
                keys.iter()
                    .flatten()
                    .any(|key| jws.signed.is_signed_by(token, key))
            });
            if accepted != (test["result"] == "valid") {
                differing.push(test["tcId"].as_u64().unwrap());
            }
        }
    }
    let mut expected: Vec<u64> = EXPECTED_DIFFERENCES
        .iter()
        .filter(|(name, ..)| *name == file)
        .flat_map(|(_, numbers, _)| numbers.iter().copied())
        .collect();
    expected.sort_unstable();
    assert_eq!(differing, expected, "{file}");
    count
}

/// A3, A17, A19: 401 tokens, 225 of them forgeries of one RS256 token.
#[test]
fn wycheproofs_tokens_get_the_expected_answers() {
    assert_eq!(compare(SIGNATURES), 401);
}

/// A18, A19: keys that must not be used, and uses that keys are not for.
#[test]
fn wycheproofs_keys_get_the_expected_answers() {
    assert_eq!(compare(KEYS), 26);
    assert_eq!(compare(OLDER), 48);
}

/// A17: the primitive under RS256, on 1034 signatures; a missing NULL is refused.
#[test]
fn wycheproofs_raw_signatures_get_the_expected_answers() {
    let mut count = 0;
    for bits in [2048, 3072, 4096, 8192] {
        let suite = vector_json(&format!("wycheproof/rsa_signature_{bits}_sha256_test.json"));
        for group in suite["testGroups"].as_array().unwrap() {
            let der = hex(&group["publicKeyAsn"]);
            let key = VerificationKey::from_der(key_id("d-1"), KeyPurpose::AccessDynamic, &der);
            let key = key.unwrap();
            for test in group["tests"].as_array().unwrap() {
                count += 1;
                let accepted = key.has_signed(&hex(&test["msg"]), &hex(&test["sig"]));
                assert_eq!(
                    accepted,
                    test["result"] == "valid",
                    "{bits}: {}",
                    test["tcId"]
                );
            }
        }
    }
    assert_eq!(count, 1034);
}

/// RS256 is deterministic: our signer makes the very same bytes, or refuses the key.
#[test]
fn our_signer_makes_wycheproofs_signatures() {
    let suite = vector_json("wycheproof/rsa_pkcs1_2048_sig_gen_test.json");
    let (mut made, mut refused) = (0, 0);
    for group in suite["testGroups"].as_array().unwrap() {
        if group["sha"] != "SHA-256" {
            continue;
        }
        let record = KeyRecord {
            id: key_id("d-1"),
            purpose: KeyPurpose::AccessDynamic,
            algorithm: "RS256".to_owned(),
            created_at_ms: 0,
            material: Zeroizing::new(hex(&group["privateKeyPkcs8"])),
            sealed_under: None,
        };
        let tests = group["tests"].as_array().unwrap();
        match SigningKey::from_record(&record) {
            Ok(key) => {
                for test in tests {
                    assert_eq!(key.sign(&hex(&test["msg"])).unwrap(), hex(&test["sig"]));
                    made += 1;
                }
            }
            Err(_) => refused += tests.len(),
        }
    }
    assert_eq!((made, refused), (10, 0));
}

/// RFC 7520 §4: of its eight examples, the RS256 one is accepted and the others are refused.
#[test]
fn the_cookbooks_rs256_example_is_accepted_and_no_other() {
    for (name, content) in vectors("jose-cookbook/jws") {
        let example: Value = serde_json::from_slice(&content).unwrap();
        let Some(token) = example["output"]["compact"].as_str() else {
            continue;
        };
        let jws = Jws::parse(token);
        if name.starts_with("4_1.") {
            let key = verification_key(&example["input"]["key"]).unwrap();
            assert!(jws.unwrap().signed.is_signed_by(token, &key), "{name}");
        } else {
            assert!(jws.is_err(), "{name}");
        }
    }
}

/// RFC 7797, A6: an unencoded payload is refused for `crit`, before its algorithm is.
#[test]
fn the_unencoded_payloads_of_rfc_7797_are_refused() {
    let mut count = 0;
    for (name, content) in vectors("jose-cookbook/rfc7797") {
        let Ok(example) = serde_json::from_slice::<Value>(&content) else {
            continue;
        };
        for form in ["compact", "json"] {
            let output = &example["output"][form];
            let token = output
                .as_str()
                .map_or_else(|| output.to_string(), str::to_owned);
            assert!(Jws::parse(&token).is_err(), "{name}");
            count += 1;
        }
        let header = BASE64_URL_SAFE_NO_PAD.encode(example["signing"]["protected"].to_string());
        let payload = BASE64_URL_SAFE_NO_PAD.encode(example["input"]["payload"].as_str().unwrap());
        let answer = Jws::parse(&format!("{header}.{payload}.AAAA"));
        assert_eq!(
            answer.unwrap_err(),
            MalformedToken::Header("crit"),
            "{name}"
        );
    }
    assert_eq!(count, 4);
}

/// A19: a record's material is used with its own algorithm and for its own purpose.
#[test]
fn a_key_is_bound_to_its_algorithm_and_purpose() {
    for (algorithm, purpose) in [
        ("PS512", KeyPurpose::AccessDynamic),
        ("RS384", KeyPurpose::AccessStatic),
        ("HS256", KeyPurpose::AccessDynamic),
        ("", KeyPurpose::AccessDynamic),
        ("RS256", KeyPurpose::Refresh),
    ] {
        let record = KeyRecord {
            algorithm: algorithm.to_owned(),
            ..crate::fixtures::signing_record("d-1", purpose, 0)
        };
        let answer = crate::keys::Key::from_record(&record).err();
        assert!(
            matches!(answer, Some(KeyError::Unreadable(_))),
            "{algorithm} {purpose:?}"
        );
    }
    assert_eq!(key().purpose(), KeyPurpose::AccessDynamic);
}
