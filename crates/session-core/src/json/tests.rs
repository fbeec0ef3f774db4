//! Strictness, and numbers that come back as they went.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::fixtures::vectors;

fn parse(text: &str) -> Result<Map<String, Value>, JsonError> {
    parse_object(text.as_bytes())
}

/// A13: every `n_` file is refused as a document, every `y_` object is read, and every value of a
/// `y_` file is read as a member.
#[test]
fn the_json_test_suite() {
    let (mut refused, mut read) = (0, 0);
    for (name, content) in vectors("jsontestsuite/test_parsing") {
        let answer = parse_object(&content);
        let as_member = parse_object(&[b"{\"x\":", &content[..], b"}"].concat());
        match name.as_bytes()[0] {
            b'n' => {
                assert!(answer.is_err(), "{name}");
                refused += 1;
            }
            b'y' if name.contains("duplicated_key") => assert!(as_member.is_err(), "{name}"),
            b'y' => {
                let member = as_member.unwrap();
                assert_eq!(answer.is_ok(), member["x"].is_object(), "{name}");
                read += 1;
            }
            // `i_` may go either way; what is read can be written and read again.
            _ => {
                if let Ok(object) = as_member {
                    assert_eq!(parse(&to_text(&object)), Ok(object), "{name}");
                }
            }
        }
    }
    assert_eq!((refused, read), (188, 93));
}

/// A12, H5: names are compared after unescaping, and not normalised.
#[test]
fn the_transform_set_has_one_meaning_or_none() {
    for (name, content) in vectors("jsontestsuite/test_transform") {
        let answer = parse_object(&[b"{\"x\":", &content[..], b"}"].concat());
        if name.starts_with("object_same_key") {
            assert_eq!(answer.unwrap_err(), JsonError::Syntax, "{name}");
        } else if name.starts_with("object_key_nf") {
            assert_eq!(answer.unwrap()["x"].as_object().unwrap().len(), 2, "{name}");
        } else if let Ok(object) = answer {
            assert_eq!(parse(&to_text(&object)), Ok(object), "{name}");
        }
    }
}

/// A12: at any depth, and in any spelling.
#[test]
fn a_name_that_occurs_twice_is_refused() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"b":{"a":1,"a":2}}"#,
        r#"{"b":[[{"a":null,"a":null}]]}"#,
        r#"{"":1,"":2}"#,
    ] {
        assert_eq!(parse(text), Err(JsonError::Syntax), "{text}");
    }
    parse(r#"{"a":{"a":{"a":1}},"A":1}"#).unwrap();
}

/// A14: one object, and nothing around it but white space.
#[test]
fn nothing_may_stand_around_the_object() {
    for text in [
        "",
        " ",
        "{}x",
        "{}{}",
        "\u{feff}{}",
        "[]",
        "1",
        "\"x\"",
        "null",
        "{",
        "{},",
        "{}\0",
    ] {
        assert_eq!(parse(text), Err(JsonError::Syntax), "{text}");
    }
    assert!(parse(" \n\t{}\r\n ").unwrap().is_empty());
    assert_eq!(parse_object(b"{\"\xff\":1}"), Err(JsonError::Encoding));
}

/// A15: brackets in strings do not count.
#[test]
fn nesting_is_counted_outside_strings_only() {
    let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    parse(&nested(MAX_DEPTH - 1)).unwrap();
    assert_eq!(parse(&nested(MAX_DEPTH)), Err(JsonError::Depth));
    parse(&format!(
        r#"{{"x":"{}\"{}"}}"#,
        "[".repeat(1000),
        "{".repeat(1000)
    ))
    .unwrap();
    let flat = format!("{{\"x\":[{}[]]}}", "[],".repeat(1000));
    parse(&flat).unwrap();
}

/// B1: a number that no double can hold is refused, with and without `arbitrary_precision`.
#[test]
fn numbers_beyond_a_double_are_refused() {
    for text in ["1e999", "-1e999", &"9".repeat(400)] {
        assert_eq!(
            parse(&format!("{{\"x\":{text}}}")),
            Err(JsonError::Syntax),
            "{text}"
        );
    }
    for text in [
        "01", "1.", ".5", "+1", "1e", "-", "NaN", "Infinity", "0x1", "--1", "1e5e5",
    ] {
        assert_eq!(
            parse(&format!("{{\"x\":{text}}}")),
            Err(JsonError::Syntax),
            "{text}"
        );
    }
}

/// An object that looks like the way in which numbers are handed over inside `serde_json` is refused
/// whatever features are enabled, so that no text means a number to one build and an object to
/// another.
#[test]
fn an_object_that_poses_as_a_number_is_refused() {
    for text in [
        r#"{"x":{"$serde_json::private::Number":"1"}}"#,
        r#"{"x":{"\u0024serde_json::private::Number":"1"}}"#,
        r#"{"$serde_json::private::Number":"1"}"#,
        r#"{"x":1,"y":{"$serde_json::private::Number":"1"}}"#,
    ] {
        assert_eq!(parse(text), Err(JsonError::Syntax), "{text}");
    }
    let disguised = Map::from_iter([(NUMBER_IN_DISGUISE.to_owned(), json!("1"))]);
    assert!(!is_plain(&disguised, 8));
}

/// Wire §1.2: decimal notation only; also in the form that numbers have under `arbitrary_precision`.
#[test]
fn numbers_are_written_without_an_exponent() {
    let written = |number: f64| to_text(&Map::from_iter([("x".to_owned(), json!(number))]));
    assert_eq!(written(1e16), r#"{"x":10000000000000000.0}"#);
    assert_eq!(written(1.5e-7), r#"{"x":0.00000015}"#);
    assert_eq!(written(-0.0), r#"{"x":-0.0}"#);
    assert_eq!(written(2.5), r#"{"x":2.5}"#);

    let as_text = |number: &str| {
        let mut bytes = Vec::new();
        PlainNumbers.write_number_str(&mut bytes, number).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(as_text("1e3"), "1000.0");
    assert_eq!(as_text("12E-1"), "1.2");
    assert_eq!(as_text("0e999999999"), "0.0");
    assert_eq!(as_text("-0"), "-0.0");
    assert_eq!(as_text("18446744073709551615"), "18446744073709551615");
    assert_eq!(as_text("18446744073709551616"), "18446744073709552000.0");
    assert_eq!(as_text("1e999"), "null");
}

/// Wire case 25: what a row and a token say in the same words is not read to be compared, and what
/// either says otherwise is.
#[test]
fn what_is_left_is_told_by_its_words() {
    let is_own = |name: &str| matches!(name, "exp" | "sub");
    let text = r#"{"a":1,"b":[1,{"exp":",}"}],"exp":9,"plan":"x","sub":"ann"}"#;
    let left = r#"{"a":1,"b":[1,{"exp":",}"}],"plan":"x"}"#;
    assert!(is_what_is_left(text, left, is_own));
    assert!(is_what_is_left(r#"{"exp":9,"sub":"ann"}"#, "{}", is_own));
    assert!(is_what_is_left("{}", "{}", is_own));
    for other in [
        "",
        "{",
        "{}",
        text,
        r#"{"a":1,"b":[1,{"exp":",}"}],"plan":"y"}"#,
        r#"{"a":1,"b":[1,{"exp":",}"}]}"#,
        r#"{"a":1,"b":[1,{"exp":",}"}],"plan":"x","z":1}"#,
        r#"{"b":[1,{"exp":",}"}],"a":1,"plan":"x"}"#,
        r#"{"a":1,"b":[1,{"exp":",}"}],"plan":"x"} "#,
        r#"{"a":1,"b":[1,{"exp":",}"}],"plan":"x""#,
        r#"{"a":1"b":[1,{"exp":",}"}]"plan":"x"}"#,
    ] {
        assert!(!is_what_is_left(text, other, is_own), "{other}");
    }
    for otherwise in [
        r#"{"plan":"x","a":1,"b":[1,{"exp":",}"}],"exp":9,"sub":"ann"}"#,
        r#"{"a":1, "b":[1,{"exp":",}"}],"exp":9,"plan":"x","sub":"ann"}"#,
        r#"{"a":1,"b":[1,{"exp":",}"}],"exp":9,"plan":"x","sub":"ann"} "#,
        r#"{"a":1,"b":[1,{"exp":",}"}],"exp":9,"pl\u0061n":"x","sub":"ann"}"#,
        r#"{"a":1,"b":[1,{"exp":",}"}],"exp":9,"plan":"x""#,
    ] {
        assert!(!is_what_is_left(otherwise, left, is_own), "{otherwise}");
    }
}

proptest! {
    /// Wire case 25: of what we write it is always told, and it is never told wrongly.
    #[test]
    fn what_is_told_to_be_left_is_what_is_left(
        all in prop::collection::btree_map("[a-e\"]{0,2}", "[,:{}\"]{0,2}", 0..6),
        other in prop::collection::btree_map("[a-e\"]{0,2}", "[,:{}\"]{0,2}", 0..6),
    ) {
        let is_left_out = |name: &str| name.starts_with('a');
        let object = |members: &std::collections::BTreeMap<String, String>| {
            members.iter().map(|(name, value)| (name.clone(), json!([value]))).collect::<Map<_, _>>()
        };
        let (all, other) = (object(&all), to_text(&object(&other)));
        let mut left = all.clone();
        left.retain(|name, _| !is_left_out(name));
        let (text, left) = (to_text(&all), to_text(&left));
        let plainly = !all.keys().any(|name| name.contains('"'));
        prop_assert_eq!(is_what_is_left(&text, &left, is_left_out), plainly, "{}", text);
        prop_assert_eq!(is_what_is_left(&text, &other, is_left_out), plainly && other == left);
    }

    /// H5: what is written is read back as the same object, without an exponent in any number.
    #[test]
    fn every_number_comes_back_as_it_went(float in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, signed: i64, unsigned: u64) {
        let object = Map::from_iter([
            ("a".to_owned(), json!(float)),
            ("b".to_owned(), json!(signed)),
            ("c".to_owned(), json!([unsigned])),
        ]);
        let text = to_text(&object);
        prop_assert!(!text.contains(['e', 'E']), "{}", text);
        prop_assert_eq!(parse(&text), Ok(object));
    }

    /// K2: every text comes back, whatever is in it.
    #[test]
    fn every_text_comes_back_as_it_went(name: String, value: String) {
        let object = Map::from_iter([(name, json!({ "value": value }))]);
        prop_assert_eq!(parse(&to_text(&object)), Ok(object));
    }

    /// J8: no bytes cause a panic, and what is accepted is one object to `serde_json` too.
    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(prop::sample::select(&b"{}[]\":,\\u01e-.+tfn \n\xff"[..]), 0..64)) {
        if let Ok(object) = parse_object(&bytes) {
            prop_assert_eq!(serde_json::from_slice::<Map<String, Value>>(&bytes).unwrap(), object);
        }
    }
}
