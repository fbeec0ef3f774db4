//! All of a route's validators at once: first every refetch, then every verdict (wire §8).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{ClaimError, ClaimFetchError, ClaimValidator, FetchFor, RegisteredClaims};

/// What became of the validation of a payload.
#[derive(Debug)]
#[must_use]
pub(crate) struct ClaimOutcome {
    /// The payload with the claims that were fetched, when that changed it. It has to be kept
    /// whatever the verdict (wire cases 53, 54).
    pub(crate) refetched: Option<Map<String, Value>>,
    /// The validators that failed, in order; none when the payload is accepted.
    pub(crate) errors: Vec<ClaimError>,
}

impl ClaimOutcome {
    /// What turns `payload`, which was validated, into what was fetched; `None` when that is the
    /// same. Only what changed, so that a concurrent change of something else is kept.
    pub(crate) fn update(&self, payload: &Map<String, Value>) -> Option<Map<String, Value>> {
        let refetched = self.refetched.as_ref()?;
        let removed = payload.keys().filter(|key| !refetched.contains_key(*key));
        let changed = refetched
            .iter()
            .filter(|(key, value)| payload.get(*key) != Some(*value));
        Some(
            removed
                .map(|key| (key.clone(), Value::Null))
                .chain(changed.map(|(key, value)| (key.clone(), value.clone())))
                .collect(),
        )
    }
}

/// Fetches what the validators find missing or too old, in their order and each claim once, and
/// judges the result with all of them.
pub(crate) async fn validate(
    validators: &[Arc<dyn ClaimValidator>],
    claims: &RegisteredClaims,
    whose: &FetchFor<'_>,
    payload: &Map<String, Value>,
) -> Result<ClaimOutcome, ClaimFetchError> {
    let mut refetched: Option<Map<String, Value>> = None;
    let mut asked: Vec<&str> = Vec::new();
    for validator in validators {
        let Some(key) = validator.claim_key().filter(|key| !asked.contains(key)) else {
            continue;
        };
        if validator.should_refetch(refetched.as_ref().unwrap_or(payload), whose.now) {
            asked.push(key);
            let current = refetched.get_or_insert_with(|| payload.clone());
            claims.fetch(key, whose, current).await?;
        }
    }
    let refetched = refetched.filter(|refetched| refetched != payload);
    let judged = refetched.as_ref().unwrap_or(payload);
    let errors = validators
        .iter()
        .filter_map(|validator| {
            let failure = validator.validate(judged, whose.now).err()?;
            Some(ClaimError::new(validator.id(), failure))
        })
        .collect();
    Ok(ClaimOutcome { refetched, errors })
}

#[cfg(test)]
mod tests;
