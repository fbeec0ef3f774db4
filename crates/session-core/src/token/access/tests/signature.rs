//! Security A1–A7, A20: the algorithm, the key and the signature of a token.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256},
};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::{assert_malformed, header_with, payload};
use crate::{
    fixtures::{HEADER, KEY_ID, minted, now, policy, sign, signing_record, stranger, verify},
    keys::SigningKey,
    store::KeyPurpose,
    token::{MalformedToken, TokenRejection, access},
};

#[test]
fn a_token_that_the_raw_signer_makes_is_accepted_when_nothing_is_wrong_with_it() {
    verify(&sign(HEADER, payload())).unwrap();
    verify(&sign(header_with(r#""unknown":1"#), payload())).unwrap();
}

/// A1: `none` in eight spellings, with any signature.
#[test]
fn a_token_without_a_signature_algorithm_is_refused() {
    let real = minted(|_| ());
    let real_signature = real.rsplit('.').next().unwrap();
    for algorithm in [
        r#""alg":"none","#,
        r#""alg":"None","#,
        r#""alg":"NONE","#,
        r#""alg":"nOnE","#,
        r#""alg":"","#,
        r#""alg":null,"#,
        r#""alg":"none ","#,
        "",
    ] {
        let header = HEADER.replace(r#""alg":"RS256","#, algorithm);
        assert_malformed(&sign(&header, payload()));
        let signed = format!(
            "{}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(&header),
            BASE64_URL_SAFE_NO_PAD.encode(payload())
        );
        for signature in ["", "AAAA", real_signature] {
            assert_malformed(&format!("{signed}.{signature}"));
        }
    }
}

/// A2: HMAC keyed with the public key in every form that an attacker can get it in.
#[test]
fn a_mac_under_the_public_key_is_no_signature() {
    let record = signing_record(KEY_ID, KeyPurpose::AccessDynamic, 0);
    let pair = KeyPair::from_pkcs8(&record.material).unwrap();
    let der = pair.public_key().as_ref().to_vec();
    let own = SigningKey::from_record(&record).unwrap();
    let pem = format!(
        "-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n",
        BASE64_STANDARD.encode(&der)
    );
    let jwk = format!(
        r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#,
        own.public().encoded_modulus(),
        own.public().encoded_exponent()
    );
    let modulus = BASE64_URL_SAFE_NO_PAD
        .decode(own.public().encoded_modulus())
        .unwrap();
    let forms: [&[u8]; 5] = [
        pem.as_bytes(),
        pem.trim_end().as_bytes(),
        &der,
        jwk.as_bytes(),
        &modulus,
    ];
    for secret in forms {
        for (name, algorithm) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
            ("RS256", hmac::HMAC_SHA256),
        ] {
            let signed = format!(
                "{}.{}",
                BASE64_URL_SAFE_NO_PAD.encode(HEADER.replace("RS256", name)),
                BASE64_URL_SAFE_NO_PAD.encode(payload())
            );
            let mac = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
            let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac));
            let answer = access::parse(&token)
                .map_err(TokenRejection::from)
                .and_then(|token| token.verify(own.public(), now(), &policy()));
            let expected = if name == "RS256" {
                TokenRejection::BadSignature
            } else {
                MalformedToken::Header("alg").into()
            };
            assert_eq!(answer.unwrap_err(), expected);
        }
    }
}

/// A3: a correct signature of another algorithm by our own key, under its name and under ours.
#[test]
fn only_rs256_is_accepted_from_our_own_key() {
    let record = signing_record(KEY_ID, KeyPurpose::AccessDynamic, 0);
    let pair = KeyPair::from_pkcs8(&record.material).unwrap();
    let own = SigningKey::from_record(&record).unwrap();
    let encodings: [(&str, &'static dyn aws_lc_rs::signature::RsaEncoding); 3] = [
        ("RS384", &RSA_PKCS1_SHA384),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
    ];
    for (name, encoding) in encodings {
        for (written, expected) in [
            (
                name,
                TokenRejection::Malformed(MalformedToken::Header("alg")),
            ),
            ("RS256", TokenRejection::BadSignature),
        ] {
            let signed = format!(
                "{}.{}",
                BASE64_URL_SAFE_NO_PAD.encode(HEADER.replace("RS256", written)),
                BASE64_URL_SAFE_NO_PAD.encode(payload())
            );
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(
                encoding,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
            let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
            let answer = access::parse(&token)
                .map_err(TokenRejection::from)
                .and_then(|token| token.verify(own.public(), now(), &policy()));
            assert_eq!(answer.unwrap_err(), expected);
        }
    }
    for name in ["ES256", "EdDSA", "PS384", "RS1"] {
        assert_malformed(&sign(HEADER.replace("RS256", name), payload()));
    }
}

/// A4: other spellings of the algorithm are other algorithms; an escaped letter is the letter (RFC
/// 7515 §10.13).
#[test]
fn the_algorithm_is_spelled_in_one_way() {
    for algorithm in [
        r#""rs256""#,
        r#""RS256 ""#,
        r#""RS256\u0000""#,
        r#"["RS256"]"#,
        "256",
    ] {
        assert_malformed(&sign(HEADER.replace(r#""RS256""#, algorithm), payload()));
    }
    verify(&sign(HEADER.replace("RS256", r"\u0052S256"), payload())).unwrap();
    assert_malformed(&sign(HEADER.replace(r#""alg""#, r#""ALG""#), payload()));
}

/// A5: nothing in a header brings its own key, however well it is signed; nothing is ever fetched,
/// for this crate has no client.
#[test]
fn a_key_in_the_header_is_refused() {
    let attacker = stranger().public();
    let jwk = format!(
        r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#,
        attacker.encoded_modulus(),
        attacker.encoded_exponent()
    );
    for member in [
        format!(r#""jwk":{jwk}"#),
        r#""jku":"https://attacker.example/jwks.json""#.to_owned(),
        r#""x5u":"https://attacker.example/cert.pem""#.to_owned(),
        r#""x5c":["MIIB"]"#.to_owned(),
        r#""x5t":"AAAA""#.to_owned(),
        r#""x5t#S256":"AAAA""#.to_owned(),
        r#""zip":"DEF""#.to_owned(),
        r#""cty":"JWT""#.to_owned(),
    ] {
        assert_malformed(&sign(header_with(&member), payload()));
    }
}

/// A6: we understand no critical extension, so any `crit` is refused (RFC 7515 §4.1.11).
#[test]
fn a_critical_extension_is_refused() {
    for members in [
        r#""crit":["exp"]"#,
        r#""crit":["b64"],"b64":false"#,
        r#""b64":false"#,
        r#""crit":[]"#,
        r#""crit":["alg"]"#,
        r#""crit":["x","x"],"x":1"#,
        r#""crit":"x""#,
        r#""crit":null"#,
    ] {
        assert_malformed(&sign(header_with(members), payload()));
    }
}

/// A7: a signature of another length, or of another token.
#[test]
fn a_signature_of_the_wrong_length_or_token_is_refused() {
    let token = minted(|_| ());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let other = minted(|claims| claims.refresh_token_hash = "other");
    let other = BASE64_URL_SAFE_NO_PAD
        .decode(other.rsplit_once('.').unwrap().1)
        .unwrap();
    for signature in [
        Vec::new(),
        bytes[..255].to_vec(),
        bytes[1..].to_vec(),
        [&bytes[..], &[0]].concat(),
        [&[0], &bytes[..]].concat(),
        vec![0; 512],
        vec![0; 256],
        other,
    ] {
        let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(verify(&token).unwrap_err(), TokenRejection::BadSignature);
    }
}

/// A20: the signature is over the bytes that came, not over what they mean.
#[test]
fn another_spelling_of_the_header_is_not_what_was_signed() {
    let token = sign(HEADER, payload());
    let (_, rest) = token.split_once('.').unwrap();
    for header in [
        HEADER.replace(',', ", "),
        HEADER
            .replace(r#""alg":"RS256","#, "")
            .replace('}', r#","alg":"RS256"}"#),
        HEADER.replace("JWT", r"\u004aWT"),
    ] {
        let mutated = format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(header));
        assert_eq!(verify(&mutated).unwrap_err(), TokenRejection::BadSignature);
    }
}
