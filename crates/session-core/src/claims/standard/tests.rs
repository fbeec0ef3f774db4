use async_trait::async_trait;
use proptest::prelude::*;

use super::super::{BoxError, ClaimContext};
use super::*;

macro_rules! claim {
    ($name:ident, $value:ty, $key:literal, $max_age:expr) => {
        struct $name;

        #[async_trait]
        impl SessionClaim for $name {
            type Value = $value;
            const KEY: &'static str = $key;
            const DEFAULT_MAX_AGE: Option<Duration> = $max_age;

            async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<$value>, BoxError> {
                Ok(None)
            }
        }
    };
}

claim!(Plan, String, "plan", None);
claim!(EmailVerified, bool, "st-ev", None);
claim!(Roles, Vec<String>, "st-role", None);
claim!(Ports, Vec<i64>, "ports", None);
claim!(Level, f64, "level", None);
claim!(Fresh, String, "fresh", Some(Duration::from_mins(5)));

const NO_ROLES: [&str; 0] = [];

/// The time that payloads are judged at: second 10 000.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(10_000)
}

/// A payload with `value` under `key`, set `age_ms` ago.
fn payload(key: &str, value: &Value, age_ms: i64) -> Map<String, Value> {
    let payload = json!({ key: { "v": value, "t": 10_000_000 - age_ms } });
    payload.as_object().unwrap().clone()
}

/// The reason of the validator's failure on a value that is as good as new.
fn reason(validator: &StandardValidator, key: &str, value: &Value) -> Value {
    let failure = validator.validate(&payload(key, value, 0), now());
    failure.unwrap_err().reason().unwrap().clone()
}

fn accepts(validator: &StandardValidator, key: &str, value: &Value) -> bool {
    validator.validate(&payload(key, value, 0), now()).is_ok()
}

fn reason_when_missing(validator: &StandardValidator) -> Value {
    let failure = validator.validate(&Map::new(), now()).unwrap_err();
    failure.reason().unwrap().clone()
}

/// Wire case 55: no `actualValue` when there is no value.
#[test]
fn a_missing_primitive_value_is_reported_without_an_actual_one() {
    assert_eq!(
        reason_when_missing(&Plan::has_value("pro")),
        json!({"message": "value does not exist", "expectedValue": "pro"})
    );
}

/// Wire §8, table: every expectation's name when the value is missing, upstream's slip included.
#[test]
fn a_missing_value_is_reported_with_what_was_expected() {
    let missing =
        |name: &str, expected: Value| json!({"message": "value does not exist", name: expected});
    for (validator, expected) in [
        (
            EmailVerified::is_true(),
            missing("expectedValue", json!(true)),
        ),
        (
            EmailVerified::is_false(),
            missing("expectedValue", json!(false)),
        ),
        (
            Roles::includes("a"),
            missing("expectedToInclude", json!("a")),
        ),
        (
            Roles::excludes("a"),
            missing("expectedToNotInclude", json!("a")),
        ),
        (
            Roles::includes_all(["a", "b"]),
            missing("expectedToInclude", json!(["a", "b"])),
        ),
        (
            Roles::includes_any(["a", "b"]),
            missing("expectedToNotInclude", json!(["a", "b"])),
        ),
        (
            Roles::excludes_all(["a", "b"]),
            missing("expectedToNotInclude", json!(["a", "b"])),
        ),
    ] {
        assert_eq!(reason_when_missing(&validator), expected);
    }
}

/// Wire §8, table: every expectation's name when the value is another one.
#[test]
fn a_wrong_value_is_reported_with_what_was_expected_and_found() {
    let roles = json!(["a", "c"]);
    let wrong = |name: &str, expected: Value, actual: &Value| json!({"message": "wrong value", name: expected, "actualValue": actual});
    assert_eq!(
        reason(&Plan::has_value("pro"), "plan", &json!("free")),
        wrong("expectedValue", json!("pro"), &json!("free"))
    );
    assert_eq!(
        reason(&EmailVerified::is_true(), "st-ev", &json!(false)),
        wrong("expectedValue", json!(true), &json!(false))
    );
    assert_eq!(
        reason(&EmailVerified::is_false(), "st-ev", &json!(true)),
        wrong("expectedValue", json!(false), &json!(true))
    );
    for (validator, name, expected) in [
        (Roles::includes("b"), "expectedToInclude", json!("b")),
        (Roles::excludes("a"), "expectedToNotInclude", json!("a")),
        (
            Roles::includes_all(["a", "b"]),
            "expectedToInclude",
            json!(["a", "b"]),
        ),
        (
            Roles::includes_any(["b", "d"]),
            "expectedToIncludeAtLeastOneOf",
            json!(["b", "d"]),
        ),
        (
            Roles::excludes_all(["b", "c"]),
            "expectedToNotInclude",
            json!(["b", "c"]),
        ),
    ] {
        assert_eq!(
            reason(&validator, "st-role", &roles),
            wrong(name, expected, &roles)
        );
    }
}

/// Wire §8: what each validator accepts.
#[test]
fn the_expected_value_is_accepted() {
    let roles = json!(["a", "c"]);
    assert!(accepts(&Plan::has_value("pro"), "plan", &json!("pro")));
    assert!(accepts(&EmailVerified::is_true(), "st-ev", &json!(true)));
    assert!(accepts(&EmailVerified::is_false(), "st-ev", &json!(false)));
    for validator in [
        Roles::includes("a"),
        Roles::excludes("b"),
        Roles::includes_all(["c", "a"]),
        Roles::includes_any(["b", "c"]),
        Roles::excludes_all(["b", "d"]),
    ] {
        assert!(accepts(&validator, "st-role", &roles), "{validator:?}");
    }
}

/// Wire §8: all of none is fulfilled, any of none is not.
#[test]
fn an_empty_list_is_included_and_excluded_but_has_no_member() {
    let roles = json!(["a"]);
    assert!(accepts(&Roles::includes_all(NO_ROLES), "st-role", &roles));
    assert!(accepts(&Roles::excludes_all(NO_ROLES), "st-role", &roles));
    assert!(!accepts(&Roles::includes_any(NO_ROLES), "st-role", &roles));
}

/// Wire §8: missing before too old before wrong, ages in whole seconds.
#[test]
fn a_value_that_is_too_old_is_reported_before_a_wrong_one() {
    let validator = Plan::has_value("pro").max_age(Duration::from_mins(5));
    let failure = validator.validate(&payload("plan", &json!("free"), 300_999), now());
    assert_eq!(
        failure.unwrap_err().reason(),
        Some(&json!({"message": "expired", "ageInSeconds": 300, "maxAgeInSeconds": 300}))
    );
    let failure = validator.validate(&payload("plan", &json!("free"), 300_000), now());
    assert_eq!(
        failure.unwrap_err().reason().unwrap()["message"],
        "wrong value"
    );
    assert_eq!(
        reason_when_missing(&validator)["message"],
        "value does not exist"
    );
}

/// Wire §8: a value is fetched again when it is missing or older than allowed, not when it is wrong.
#[test]
fn a_missing_or_old_value_is_fetched_again() {
    let patient = Plan::has_value("pro");
    let limited = Plan::has_value("pro").max_age(Duration::from_mins(5));
    let aged = |age_ms| payload("plan", &json!("free"), age_ms);
    assert!(patient.should_refetch(&Map::new(), now()));
    assert!(!patient.should_refetch(&aged(9_000_000), now()));
    assert!(!limited.should_refetch(&aged(300_000), now()));
    assert!(limited.should_refetch(&aged(300_001), now()));
    assert!(!limited.should_refetch(&aged(-60_000), now()));
}

/// Wire §8: the claim's own limit holds unless the validator has one.
#[test]
fn the_claims_own_age_limit_is_the_default() {
    let old = payload("fresh", &json!("x"), 400_000);
    assert!(Fresh::has_value("x").should_refetch(&old, now()));
    let lenient = Fresh::has_value("x").max_age(Duration::from_secs(500));
    assert!(!lenient.should_refetch(&old, now()));
}

/// Wire §8: the id is the claim's key unless it is set.
#[test]
fn the_id_is_the_claims_key_unless_set() {
    assert_eq!(ClaimValidator::id(&Roles::includes("a")), "st-role");
    let named = Roles::includes("a").id("admins");
    assert_eq!(ClaimValidator::id(&named), "admins");
    assert_eq!(named.claim_key(), Some("st-role"));
}

/// Wire §8: equality converts nothing, and numbers are one type.
#[test]
fn equality_is_strict_but_numbers_are_numbers() {
    assert!(accepts(&Ports::includes(1), "ports", &json!([1.0])));
    assert!(!accepts(
        &Ports::includes(1),
        "ports",
        &json!(["1", true, 1.5])
    ));
    assert!(accepts(&Level::has_value(2.0), "level", &json!(2)));
    assert!(!accepts(&Level::has_value(2.0), "level", &json!("2")));
    let big = 9_007_199_254_740_993_i64;
    assert!(accepts(&Ports::includes(big), "ports", &json!([big])));
    assert!(!accepts(&Ports::includes(big), "ports", &json!([big - 1])));
    assert!(accepts(
        &Ports::includes(i64::MIN),
        "ports",
        &json!([i64::MIN])
    ));
}

/// Wire §8: a value of another type is wrong, never a panic and never accepted.
#[test]
fn a_value_of_another_type_is_wrong() {
    for value in [json!("a"), json!({"a": 1}), json!(7), json!(false)] {
        for validator in [
            Roles::includes("a"),
            Roles::excludes("b"),
            Roles::includes_all(NO_ROLES),
            Roles::excludes_all(NO_ROLES),
        ] {
            assert_eq!(
                reason(&validator, "st-role", &value)["message"],
                "wrong value"
            );
        }
    }
}

/// Wire §8: an expectation that JSON cannot express is met by nothing.
#[test]
fn an_expectation_without_a_json_form_is_never_met() {
    let validator = Level::has_value(f64::NAN);
    assert!(!accepts(&validator, "level", &json!(0)));
    assert!(!accepts(&validator, "level", &Value::Null));
}

proptest! {
    /// Wire §8: the list validators agree with the definition of sets.
    #[test]
    fn list_validators_agree_with_sets(
        stored in prop::collection::vec(0..6_i64, 0..6),
        asked in prop::collection::vec(0..6_i64, 0..6),
    ) {
        let value = json!(stored);
        let all = asked.iter().all(|value| stored.contains(value));
        let any = asked.iter().any(|value| stored.contains(value));
        prop_assert_eq!(accepts(&Ports::includes_all(asked.clone()), "ports", &value), all);
        prop_assert_eq!(accepts(&Ports::includes_any(asked.clone()), "ports", &value), any);
        prop_assert_eq!(accepts(&Ports::excludes_all(asked), "ports", &value), !any);
    }
}
