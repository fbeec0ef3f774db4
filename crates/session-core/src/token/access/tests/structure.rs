//! Security A8–A16, J: the encoding and the structure of a token.
#![expect(clippy::string_slice, reason = "tokens are ASCII")]

use serde_json::json;

use super::{assert_malformed, header_with, payload};
use crate::{
    fixtures::{HEADER, claims_with_raw, key, minted, sign, vectors, verify},
    token::MalformedToken,
};

/// A8: no bit of a token can be flipped.
#[test]
fn every_flipped_bit_is_noticed() {
    let token = minted(|_| ());
    verify(&token).unwrap();
    for position in 0..token.len() {
        for bit in 0..8 {
            let mut bytes = token.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            // What is not UTF-8 any more never gets here: headers are read as text.
            if let Ok(mutated) = String::from_utf8(bytes) {
                assert!(verify(&mutated).is_err(), "byte {position}, bit {bit}");
            }
        }
    }
}

/// A9: no shorter and no longer text is the token.
#[test]
fn every_prefix_and_every_extension_is_refused() {
    let token = minted(|_| ());
    for end in 0..token.len() {
        assert!(verify(&token[..end]).is_err(), "the first {end} bytes");
        assert!(
            end == 0 || verify(&token[end..]).is_err(),
            "without the first {end} bytes"
        );
    }
    for character in ['A', '_', '-', '.', '=', ' ', '\n', '\0', ';', 'é'] {
        for count in 1..=4 {
            let suffix: String = std::iter::repeat_n(character, count).collect();
            assert!(verify(&format!("{token}{suffix}")).is_err());
            assert!(verify(&format!("{suffix}{token}")).is_err());
        }
    }
}

/// A10: three segments, none of them empty.
#[test]
fn any_other_number_of_segments_is_refused() {
    let token = minted(|_| ());
    let segments: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = segments[..] else {
        panic!("three segments")
    };
    let mutants = [
        String::new(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}."),
        "..".to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{header}.{header}.{payload}.{payload}.{signature}"),
        ".".repeat(1000),
        json!({ "protected": header, "payload": payload, "signature": signature }).to_string(),
        json!({ "payload": payload, "signatures": [{ "protected": header }] }).to_string(),
    ];
    for mutant in mutants {
        assert!(verify(&mutant).is_err(), "{mutant}");
    }
}

/// A11: one token has one text (RFC 4648 §3.3, §3.5).
#[test]
fn no_other_base64_text_stands_for_the_same_bytes() {
    let token = minted(|_| ());
    let segments: Vec<&str> = token.split('.').collect();
    for index in 0..3 {
        let segment = segments[index];
        let (first, second) = segment.split_at(segment.len() / 2);
        let mut forms = vec![
            format!("{segment}="),
            format!("{segment}=="),
            format!("{segment}!!!!"),
            segment.replace('-', "+").replace('_', "/") + "+",
        ];
        for inner in ["\n", "\r\n", " ", "\t", "\0", "=", "+", "/"] {
            forms.push(format!("{first}{inner}{second}"));
        }
        if !segment.len().is_multiple_of(4) {
            // The pad bits of the last character are zero; every other value is refused.
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let last = segment.chars().next_back().unwrap();
            let value = alphabet.find(last).unwrap();
            let others = if segment.len() % 4 == 2 { 16 } else { 4 };
            for other in (1..others).map(|pad| value + pad) {
                let other = alphabet.chars().nth(other).unwrap();
                forms.push(format!("{}{other}", &segment[..segment.len() - 1]));
            }
        }
        for form in forms {
            let mut mutated = segments.clone();
            mutated[index] = &form;
            let mutated = mutated.join(".");
            assert_eq!(
                verify(&mutated).unwrap_err(),
                MalformedToken::Encoding.into(),
                "{mutated}"
            );
        }
    }
}

/// A12: no name twice, whatever it is and wherever it stands; names are compared after unescaping.
#[test]
fn a_name_that_occurs_twice_is_refused() {
    for member in [
        r#""alg":"RS256""#,
        r#""\u0061lg":"RS256""#,
        r#""x":1,"x":1"#,
        r#""x":{"y":1,"y":1}"#,
    ] {
        assert_malformed(&sign(header_with(member), payload()));
    }
    for (name, text) in [
        ("x", r#"1,"exp":9"#),
        ("x", r#"1,"e\u0078p":9"#),
        ("x", r#"1,"x":2"#),
        ("x", r#"{"y":1,"y":1}"#),
        ("x", r#"[{"y":{"z":1,"\u007a":1}}]"#),
        ("x", r#"1,"sub":"user-2""#),
    ] {
        assert_malformed(&sign(HEADER, claims_with_raw(name, text)));
    }
}

/// A13: what is not JSON is refused, and what may be JSON causes no panic.
#[test]
fn the_json_test_suite_as_header_and_as_payload() {
    for (name, content) in vectors("jsontestsuite/test_parsing") {
        let as_header = verify(&sign(&content, payload()));
        let as_payload = verify(&sign(HEADER, &content));
        let claim = [
            b"{\"x\":",
            &content[..],
            b",",
            payload().as_bytes()[1..].as_ref(),
        ]
        .concat();
        let as_claim = verify(&sign(HEADER, &claim));
        // Every file is one document without the members that we ask for, so alone none passes.
        assert!(as_header.is_err() && as_payload.is_err(), "{name}");
        if name.starts_with("y_") {
            let repeats_a_name = name.contains("duplicated_key");
            assert_eq!(as_claim.is_ok(), !repeats_a_name, "{name}: {as_claim:?}");
        }
    }
}

/// A14: UTF-8 without a byte order mark, and nothing after the object.
#[test]
fn other_encodings_and_trailing_bytes_are_refused() {
    let utf16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    for suffix in ["x", "{}", ",", "\0", "]"] {
        assert_malformed(&sign(format!("{HEADER}{suffix}"), payload()));
        assert_malformed(&sign(HEADER, payload() + suffix));
    }
    assert_malformed(&sign(format!("\u{feff}{HEADER}"), payload()));
    assert_malformed(&sign(HEADER, format!("\u{feff}{}", payload())));
    assert_malformed(&sign(utf16(HEADER), payload()));
    assert_malformed(&sign(HEADER, utf16(&payload())));
    let mut invalid = payload().replace("user-1", "user-?").into_bytes();
    let at = invalid.iter().position(|&byte| byte == b'?').unwrap();
    invalid[at] = 0xff;
    assert_malformed(&sign(HEADER, invalid));
    for surrogate in [r"\ud800", r"\udc00", r"\ud800x", r"\udc00\ud800"] {
        assert_malformed(&sign(
            HEADER,
            claims_with_raw("x", &format!("\"{surrogate}\"")),
        ));
    }
}

/// A15: nesting is measured before anything recurses, so a small stack is enough.
#[test]
fn deep_nesting_is_refused_on_a_small_stack() {
    let check = || {
        for (depth, accepted) in [
            (62, true),
            (63, true),
            (64, false),
            (127, false),
            (128, false),
        ] {
            let nested = "[".repeat(depth) + &"]".repeat(depth);
            let token = sign(HEADER, claims_with_raw("x", &nested));
            assert_eq!(
                verify(&token).is_ok(),
                accepted,
                "depth {depth} in the payload"
            );
            let token = sign(header_with(&format!("\"x\":{nested}")), payload());
            assert_eq!(
                verify(&token).is_ok(),
                accepted,
                "depth {depth} in the header"
            );
        }
        for open in ["[", r#"{"a":"#] {
            let deep = open.repeat(100_000);
            let in_payload = claims_with_raw("x", &deep);
            assert!(crate::json::parse_object(in_payload.as_bytes()).is_err());
            assert_eq!(
                verify(&sign(HEADER, in_payload)).unwrap_err(),
                MalformedToken::TooLong.into()
            );
        }
    };
    let _warm = key();
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(check)
        .unwrap();
    thread.join().unwrap();
}

/// A16: the payload is an object.
#[test]
fn a_payload_that_is_no_object_is_refused() {
    for text in ["[]", "\"x\"", "1", "null", "true", "", " ", "{", "foo"] {
        assert_malformed(&sign(HEADER, text));
        assert_malformed(&sign(text, payload()));
    }
}

/// J1: length is the first thing that is looked at.
#[test]
fn a_text_over_the_cap_is_refused_unread() {
    for length in [8 * 1024 + 1, 64 * 1024, 1 << 20, 100 << 20] {
        let text = "a".repeat(length);
        assert_eq!(verify(&text).unwrap_err(), MalformedToken::TooLong.into());
    }
    let at_the_cap = "a".repeat(8 * 1024);
    assert_eq!(
        verify(&at_the_cap).unwrap_err(),
        MalformedToken::Encoding.into()
    );
}

/// J4: many members are bounded by the length of the text, and their names cannot be made to
/// collide for long.
#[test]
fn as_many_members_as_fit_are_read_or_refused_quickly() {
    let many: Vec<String> = (0..100_000).map(|name| format!("\"{name}\":0")).collect();
    let token = sign(
        HEADER,
        claims_with_raw("x", &format!("{{{}}}", many.join(","))),
    );
    assert_eq!(verify(&token).unwrap_err(), MalformedToken::TooLong.into());
    let fitting = claims_with_raw("x", &format!("{{{}}}", many[..500].join(",")));
    verify(&sign(HEADER, fitting)).unwrap();
}
