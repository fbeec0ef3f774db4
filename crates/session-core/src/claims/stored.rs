//! The form of a claim in the payload: `{"v": value, "t": milliseconds}` (wire §8).

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::{ClaimFetchError, SessionClaim};
use crate::clock::unix_ms;

/// The value of the claim `C` in `payload`; `None` when there is none or it is of another type.
pub fn value<C: SessionClaim>(payload: &Map<String, Value>) -> Option<C::Value> {
    let stored = StoredClaim::read(payload, C::KEY)?;
    serde_json::from_value(stored.value.clone()).ok()
}

/// How long ago the value of the claim `C` in `payload` was fetched; `None` when there is none. A
/// time in the future counts as now.
pub fn age<C: SessionClaim>(payload: &Map<String, Value>, now: SystemTime) -> Option<Duration> {
    let stored = StoredClaim::read(payload, C::KEY)?;
    let age_ms = stored.age_ms(now);
    Some(Duration::from_millis(u64::try_from(age_ms).unwrap_or(0)))
}

/// Stores `value` under `key` as of `now`. A `null` must never remain in a payload, because front
/// ends would stumble over it (wire §8); so it removes the claim.
pub(crate) fn set(payload: &mut Map<String, Value>, key: &str, value: Value, now: SystemTime) {
    if value.is_null() {
        remove(payload, key);
    } else {
        let claim = [("v", value), ("t", unix_ms(now).into())];
        let claim = claim.map(|(name, value)| (name.to_owned(), value));
        payload.insert(key.to_owned(), Value::Object(claim.into_iter().collect()));
    }
}

/// The update of a payload that stores `value` as the claim `C` as of `now`. A value that is `null`
/// as JSON removes the claim.
pub(crate) fn update<C: SessionClaim>(
    value: &C::Value,
    now: SystemTime,
) -> Result<Map<String, Value>, ClaimFetchError> {
    let value = serde_json::to_value(value).map_err(|source| ClaimFetchError::NotJson {
        key: C::KEY,
        source,
    })?;
    let mut update = Map::from_iter([(C::KEY.to_owned(), Value::Null)]);
    if !value.is_null() {
        set(&mut update, C::KEY, value, now);
    }
    Ok(update)
}

/// Removes the claim under `key`, if there is one.
pub(crate) fn remove(payload: &mut Map<String, Value>, key: &str) {
    payload.remove(key);
}

/// A claim as it stands in a payload.
#[derive(Clone, Copy)]
pub(super) struct StoredClaim<'a> {
    pub(super) value: &'a Value,
    set_at_ms: i64,
}

impl<'a> StoredClaim<'a> {
    /// Reads the claim under `key`. One that is not of the form `{v, t}` does not exist: without a
    /// time it could never be too old.
    pub(super) fn read(payload: &'a Map<String, Value>, key: &str) -> Option<Self> {
        let claim = payload.get(key)?.as_object()?;
        Some(Self {
            value: claim.get("v").filter(|value| !value.is_null())?,
            set_at_ms: claim.get("t")?.as_i64()?,
        })
    }

    pub(super) fn age_ms(&self, now: SystemTime) -> i64 {
        unix_ms(now).saturating_sub(self.set_at_ms)
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use serde_json::json;

    use super::super::{BoxError, ClaimContext};
    use super::*;

    struct Plan;

    #[async_trait]
    impl SessionClaim for Plan {
        type Value = String;
        const KEY: &'static str = "plan";

        async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<String>, BoxError> {
            Ok(None)
        }
    }

    fn at(ms: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
    }

    fn payload(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    /// Wire case 54: a claim is stored as its value and the milliseconds when it was set.
    #[test]
    fn a_claim_is_stored_with_the_time_when_it_was_set() {
        let mut map = Map::new();
        set(&mut map, "plan", json!("pro"), at(1_700_000_000_123));
        assert_eq!(map, payload(r#"{"plan":{"v":"pro","t":1700000000123}}"#));
        assert_eq!(value::<Plan>(&map).as_deref(), Some("pro"));
        assert_eq!(
            age::<Plan>(&map, at(1_700_000_002_123)),
            Some(Duration::from_secs(2))
        );
        assert_eq!(age::<Plan>(&map, at(0)), Some(Duration::ZERO));
        remove(&mut map, "plan");
        assert!(map.is_empty());
    }

    /// Wire §8: a null never remains in the payload.
    #[test]
    fn a_null_removes_the_claim() {
        let mut map = payload(r#"{"plan":{"v":"pro","t":1}}"#);
        set(&mut map, "plan", Value::Null, at(2));
        assert!(map.is_empty());
    }

    /// Wire §8: what is not of the form `{v, t}` is no value, and nothing panics.
    #[test]
    fn a_claim_of_another_form_does_not_exist() {
        for text in [
            r"{}",
            r#"{"plan":null}"#,
            r#"{"plan":"pro"}"#,
            r#"{"plan":[]}"#,
            r#"{"plan":{"t":1}}"#,
            r#"{"plan":{"v":null,"t":1}}"#,
            r#"{"plan":{"v":"pro"}}"#,
            r#"{"plan":{"v":"pro","t":"1"}}"#,
            r#"{"plan":{"v":"pro","t":1e300}}"#,
            r#"{"plan":{"v":7,"t":1}}"#,
        ] {
            assert_eq!(value::<Plan>(&payload(text)), None, "{text}");
        }
        let ancient = payload(r#"{"plan":{"v":"pro","t":-9223372036854775808}}"#);
        assert!(age::<Plan>(&ancient, at(1)).is_some());
    }
}
