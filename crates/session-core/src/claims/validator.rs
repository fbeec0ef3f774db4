//! `ClaimValidator`: what a route asks of a session's payload, and what it answers when it is not so.

use std::{
    fmt::{self, Debug},
    time::SystemTime,
};

use serde::Serialize;
use serde_json::{Map, Value};

/// What a route asks of a session's payload.
///
/// The built-in ones are made by [`PrimitiveClaim`](super::PrimitiveClaim),
/// [`BooleanClaim`](super::BooleanClaim) and [`ArrayClaim`](super::ArrayClaim).
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use serde_json::{Map, Value, json};
/// use session_core::claims::{ClaimFailure, ClaimValidator};
///
/// #[derive(Debug)]
/// struct FromTheOffice;
///
/// impl ClaimValidator for FromTheOffice {
///     fn id(&self) -> &str {
///         "office"
///     }
///
///     fn validate(&self, payload: &Map<String, Value>, _: SystemTime) -> Result<(), ClaimFailure> {
///         match payload.get("network") {
///             Some(network) if network == "office" => Ok(()),
///             _ => Err(ClaimFailure::because(json!({"message": "not in the office"}))),
///         }
///     }
/// }
/// ```
pub trait ClaimValidator: Debug + Send + Sync + 'static {
    /// What the client is told when this validator fails. Several validators may share an id.
    fn id(&self) -> &str;

    /// The claim that is fetched when [`should_refetch`](Self::should_refetch) says so; none unless
    /// overridden.
    fn claim_key(&self) -> Option<&str> {
        None
    }

    /// Whether the claim has to be fetched before it can be judged; never unless overridden.
    fn should_refetch(&self, payload: &Map<String, Value>, now: SystemTime) -> bool {
        let _: (&Map<String, Value>, SystemTime) = (payload, now);
        false
    }

    /// Judges the payload.
    ///
    /// # Errors
    ///
    /// [`ClaimFailure`], with a reason that the client may read.
    fn validate(&self, payload: &Map<String, Value>, now: SystemTime) -> Result<(), ClaimFailure>;
}

/// Why a validator does not accept a payload.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClaimFailure {
    reason: Option<Value>,
}

impl ClaimFailure {
    /// A failure without a reason.
    pub fn unexplained() -> Self {
        Self::default()
    }

    /// A failure for `reason`, any JSON. Everybody who sees the answer can read it.
    pub fn because(reason: impl Into<Value>) -> Self {
        Self {
            reason: Some(reason.into()),
        }
    }

    /// The reason, if there is one.
    pub fn reason(&self) -> Option<&Value> {
        self.reason.as_ref()
    }
}

/// A validator that failed, as the client is told: `{"id": …, "reason": …}`, the reason left out when
/// there is none (wire §5).
#[derive(Clone, PartialEq, Serialize)]
pub struct ClaimError {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Value>,
}

impl fmt::Debug for ClaimError {
    /// Shows no value of a claim: it is the user's business (security K1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimError")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl ClaimError {
    pub(crate) fn new(id: impl Into<String>, failure: ClaimFailure) -> Self {
        Self {
            id: id.into(),
            reason: failure.reason,
        }
    }

    /// The id of the validator.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The reason, if it gave one.
    pub fn reason(&self) -> Option<&Value> {
        self.reason.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Wire case 53, §5: the two members that a client reads.
    #[test]
    fn a_missing_reason_is_left_out() {
        let explained = ClaimError::new("st-ev", ClaimFailure::because(json!({"message": "no"})));
        assert_eq!(
            serde_json::to_value(explained).unwrap(),
            json!({"id": "st-ev", "reason": {"message": "no"}})
        );
        let unexplained = ClaimError::new("st-ev", ClaimFailure::unexplained());
        assert_eq!(
            serde_json::to_value(unexplained).unwrap(),
            json!({"id": "st-ev"})
        );
    }
}
