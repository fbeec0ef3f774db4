//! The built-in validators, with the exact reasons of wire §8.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{ClaimFailure, ClaimValidator, SessionClaim, stored::StoredClaim};
use crate::clock::duration_ms;

/// Validators of a claim with one value.
pub trait PrimitiveClaim: SessionClaim + Sized {
    /// The claim has this value; numbers are equal when their values are, `1` and `1.0` too.
    fn has_value(value: impl Into<Self::Value>) -> StandardValidator {
        StandardValidator::new::<Self>(Expectation::HasValue(to_json(value.into())))
    }
}

impl<C: SessionClaim> PrimitiveClaim for C {}

/// Validators of a claim that is true or false.
pub trait BooleanClaim: PrimitiveClaim + SessionClaim<Value = bool> {
    /// The claim is true.
    fn is_true() -> StandardValidator {
        Self::has_value(true)
    }

    /// The claim is there, and false.
    fn is_false() -> StandardValidator {
        Self::has_value(false)
    }
}

impl<C: SessionClaim<Value = bool>> BooleanClaim for C {}

/// Validators of a claim with a list of values.
pub trait ArrayClaim: SessionClaim + Sized {
    /// What the list is made of.
    type Element: Serialize;

    /// The list has this value.
    fn includes(value: impl Into<Self::Element>) -> StandardValidator {
        StandardValidator::new::<Self>(Expectation::Includes(to_json(value.into())))
    }

    /// The list is there, and has not this value.
    fn excludes(value: impl Into<Self::Element>) -> StandardValidator {
        StandardValidator::new::<Self>(Expectation::Excludes(to_json(value.into())))
    }

    /// The list has each of these values; so it has when there are none.
    fn includes_all(
        values: impl IntoIterator<Item = impl Into<Self::Element>>,
    ) -> StandardValidator {
        StandardValidator::new::<Self>(Expectation::IncludesAll(all_to_json(values)))
    }

    /// The list has at least one of these values; so it has not when there are none.
    fn includes_any(
        values: impl IntoIterator<Item = impl Into<Self::Element>>,
    ) -> StandardValidator {
        StandardValidator::new::<Self>(Expectation::IncludesAny(all_to_json(values)))
    }

    /// The list is there, and has none of these values; so it has not when there are none.
    fn excludes_all(
        values: impl IntoIterator<Item = impl Into<Self::Element>>,
    ) -> StandardValidator {
        StandardValidator::new::<Self>(Expectation::ExcludesAll(all_to_json(values)))
    }
}

impl<C, T> ArrayClaim for C
where
    C: SessionClaim<Value = Vec<T>>,
    T: Serialize,
{
    type Element = T;
}

/// A built-in validator: the claim is there, is not too old and has what is expected of it, judged
/// in this order.
#[derive(Debug, Clone)]
#[must_use]
pub struct StandardValidator {
    key: &'static str,
    id: String,
    max_age: Option<Duration>,
    expectation: Expectation,
}

#[derive(Debug, Clone)]
enum Expectation {
    HasValue(Value),
    Includes(Value),
    Excludes(Value),
    IncludesAll(Vec<Value>),
    IncludesAny(Vec<Value>),
    ExcludesAll(Vec<Value>),
}

impl StandardValidator {
    fn new<C: SessionClaim>(expectation: Expectation) -> Self {
        Self {
            key: C::KEY,
            id: C::KEY.to_owned(),
            max_age: C::DEFAULT_MAX_AGE,
            expectation,
        }
    }

    /// How old the value may be; by default what the claim says. An older one is fetched again, or
    /// fails when it cannot be.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// What the client is told when the validator fails; by default the claim's key.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// The age in milliseconds and the limit, of a value that is too old.
    fn excessive_age(&self, claim: StoredClaim<'_>, now: SystemTime) -> Option<(i64, Duration)> {
        let limit = self.max_age?;
        let age_ms = claim.age_ms(now);
        (age_ms > duration_ms(limit)).then_some((age_ms, limit))
    }
}

impl ClaimValidator for StandardValidator {
    fn id(&self) -> &str {
        &self.id
    }

    fn claim_key(&self) -> Option<&str> {
        Some(self.key)
    }

    fn should_refetch(&self, payload: &Map<String, Value>, now: SystemTime) -> bool {
        StoredClaim::read(payload, self.key)
            .is_none_or(|claim| self.excessive_age(claim, now).is_some())
    }

    fn validate(&self, payload: &Map<String, Value>, now: SystemTime) -> Result<(), ClaimFailure> {
        let Some(claim) = StoredClaim::read(payload, self.key) else {
            let (name, expected) = self.expectation.when_missing();
            return Err(ClaimFailure::because(json!({
                "message": "value does not exist",
                name: expected,
            })));
        };
        if let Some((age_ms, limit)) = self.excessive_age(claim, now) {
            return Err(ClaimFailure::because(json!({
                "message": "expired",
                "ageInSeconds": age_ms / 1000,
                "maxAgeInSeconds": limit.as_secs(),
            })));
        }
        if self.expectation.is_met_by(claim.value) {
            return Ok(());
        }
        let (name, expected) = self.expectation.when_wrong();
        Err(ClaimFailure::because(json!({
            "message": "wrong value",
            name: expected,
            "actualValue": claim.value,
        })))
    }
}

impl Expectation {
    fn is_met_by(&self, actual: &Value) -> bool {
        let elements = || actual.as_array().map(Vec::as_slice);
        match self {
            Self::HasValue(expected) => is_equal(actual, expected),
            Self::Includes(expected) => elements().is_some_and(|list| has(list, expected)),
            Self::Excludes(expected) => elements().is_some_and(|list| !has(list, expected)),
            Self::IncludesAll(expected) => {
                elements().is_some_and(|list| expected.iter().all(|value| has(list, value)))
            }
            Self::IncludesAny(expected) => {
                elements().is_some_and(|list| expected.iter().any(|value| has(list, value)))
            }
            Self::ExcludesAll(expected) => {
                elements().is_some_and(|list| !expected.iter().any(|value| has(list, value)))
            }
        }
    }

    /// The member of the reason that says what was expected of a value that is another one.
    fn when_wrong(&self) -> (&'static str, Value) {
        match self {
            Self::HasValue(value) => ("expectedValue", value.clone()),
            Self::Includes(value) => ("expectedToInclude", value.clone()),
            Self::Excludes(value) => ("expectedToNotInclude", value.clone()),
            Self::IncludesAll(values) => ("expectedToInclude", values.clone().into()),
            Self::IncludesAny(values) => ("expectedToIncludeAtLeastOneOf", values.clone().into()),
            Self::ExcludesAll(values) => ("expectedToNotInclude", values.clone().into()),
        }
    }

    /// The same for a value that is missing. `includes_any` has a misleading name here, as clients
    /// know it (wire §8).
    fn when_missing(&self) -> (&'static str, Value) {
        match self {
            Self::IncludesAny(values) => ("expectedToNotInclude", values.clone().into()),
            Self::HasValue(_)
            | Self::Includes(_)
            | Self::Excludes(_)
            | Self::IncludesAll(_)
            | Self::ExcludesAll(_) => self.when_wrong(),
        }
    }
}

/// A value that cannot be written as JSON becomes `null`, which no stored value equals.
fn to_json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn all_to_json<T: Serialize>(values: impl IntoIterator<Item = impl Into<T>>) -> Vec<Value> {
    values
        .into_iter()
        .map(|value| to_json(value.into()))
        .collect()
}

fn has(list: &[Value], expected: &Value) -> bool {
    list.iter().any(|value| is_equal(value, expected))
}

/// Equality as the clients' language has it: no conversion between types, but one type of numbers.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_i128(), other.as_i128()) {
            (Some(one), Some(other)) => one == other,
            (None, None) => one.as_f64() == other.as_f64(),
            (Some(integer), None) => is_integer(other.as_f64(), integer),
            (None, Some(integer)) => is_integer(one.as_f64(), integer),
        },
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_equal(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, a)| other.get(name).is_some_and(|b| is_equal(a, b)))
        }
        _ => one == other,
    }
}

fn is_integer(float: Option<f64>, integer: i128) -> bool {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared where the fraction is zero; outside the range of i128 it saturates to a \
                  number that no JSON integer here has"
    )]
    float.is_some_and(|float| float.fract() == 0.0 && float as i128 == integer)
}

#[cfg(test)]
mod tests;
