use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use serde_json::json;

use super::super::{
    ArrayClaim, BoxError, ClaimContext, ClaimFailure, PrimitiveClaim, SessionClaim,
};
use super::*;
use crate::ids::{TenantId, UserId};

/// Roles as the application has them, with a count of how often it was asked.
struct Roles {
    now_has: Option<Vec<String>>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl SessionClaim for Roles {
    type Value = Vec<String>;
    const KEY: &'static str = "st-role";

    async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<Vec<String>>, BoxError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.now_has.clone())
    }
}

/// A plan that follows from the roles.
struct Plan;

#[async_trait]
impl SessionClaim for Plan {
    type Value = String;
    const KEY: &'static str = "plan";

    async fn fetch(&self, context: &ClaimContext<'_>) -> Result<Option<String>, BoxError> {
        let roles = context.payload().get("st-role");
        Ok(Some(roles.map_or("none", |_| "from roles").to_owned()))
    }
}

#[derive(Debug)]
struct Refuses;

impl ClaimValidator for Refuses {
    fn id(&self) -> &'static str {
        "refuses"
    }

    fn validate(&self, _: &Map<String, Value>, _: SystemTime) -> Result<(), ClaimFailure> {
        Err(ClaimFailure::unexplained())
    }
}

struct Case {
    claims: RegisteredClaims,
    asked: Arc<AtomicUsize>,
}

impl Case {
    /// An application whose user has these roles.
    fn with_roles(roles: Option<&[&str]>) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let roles = Roles {
            now_has: roles.map(|roles| roles.iter().map(|&role| role.to_owned()).collect()),
            asked: Arc::clone(&asked),
        };
        Self {
            claims: RegisteredClaims::builder()
                .claim(roles)
                .claim(Plan)
                .build()
                .unwrap(),
            asked,
        }
    }

    async fn validate(
        &self,
        validators: Vec<Arc<dyn ClaimValidator>>,
        payload: Value,
    ) -> ClaimOutcome {
        let whose = FetchFor {
            user: &UserId::try_from("ann").unwrap(),
            tenant: &TenantId::default(),
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000),
            timeout: Duration::from_secs(5),
        };
        validate(
            &validators,
            &self.claims,
            &whose,
            payload.as_object().unwrap(),
        )
        .await
        .unwrap()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn admin() -> Arc<dyn ClaimValidator> {
    Arc::new(Roles::includes("admin").max_age(Duration::from_mins(1)))
}

/// Wire case 54: a stale claim is fetched, stored as {v,t} and then valid.
#[tokio::test]
async fn a_stale_claim_is_fetched_before_it_is_judged() {
    let case = Case::with_roles(Some(&["admin"]));
    let stale = json!({"st-role": {"v": ["member"], "t": 1}, "own": 1});
    let outcome = case.validate(vec![admin()], stale).await;
    assert!(outcome.errors.is_empty());
    assert_eq!(
        Value::from(outcome.refetched.unwrap()),
        json!({"st-role": {"v": ["admin"], "t": 1_000_000}, "own": 1})
    );
}

/// Wire case 53: a refetched claim is to be kept even when the verdict is a refusal.
#[tokio::test]
async fn a_refetched_claim_is_handed_back_with_the_refusal() {
    let case = Case::with_roles(Some(&["member"]));
    let outcome = case.validate(vec![admin()], json!({})).await;
    assert!(outcome.refetched.is_some());
    assert_eq!(
        serde_json::to_value(outcome.errors).unwrap(),
        json!([{"id": "st-role", "reason": {
            "message": "wrong value",
            "expectedToInclude": "admin",
            "actualValue": ["member"],
        }}])
    );
}

/// Wire §8: a fresh claim is judged as it is, without asking the application.
#[tokio::test]
async fn a_fresh_claim_is_not_fetched() {
    let case = Case::with_roles(Some(&["admin"]));
    let fresh = json!({"st-role": {"v": ["member"], "t": 999_000}});
    let outcome = case.validate(vec![admin()], fresh).await;
    assert_eq!(case.asked(), 0);
    assert!(outcome.refetched.is_none());
    assert_eq!(outcome.errors.len(), 1);
}

/// Wire §8: all refetches come first, in order, and each sees those before it.
#[tokio::test]
async fn every_refetch_comes_before_every_verdict() {
    let case = Case::with_roles(Some(&["admin"]));
    let validators: Vec<Arc<dyn ClaimValidator>> =
        vec![admin(), Arc::new(Plan::has_value("from roles"))];
    let outcome = case.validate(validators, json!({})).await;
    assert!(outcome.errors.is_empty());
    assert_eq!(outcome.refetched.unwrap().len(), 2);
}

/// Wire §8: errors of all validators are reported together, in order, with ids they may share.
#[tokio::test]
async fn every_failure_is_reported() {
    let case = Case::with_roles(None);
    let validators: Vec<Arc<dyn ClaimValidator>> = vec![
        admin(),
        Arc::new(Refuses),
        Arc::new(Roles::excludes("member")),
    ];
    let outcome = case.validate(validators, json!({})).await;
    let ids: Vec<&str> = outcome.errors.iter().map(ClaimError::id).collect();
    assert_eq!(ids, ["st-role", "refuses", "st-role"]);
    assert_eq!(outcome.errors[1].reason(), None);
}

/// Wire §8: "no value" leaves the payload unchanged, and the application is asked once, however many
/// validators miss the claim.
#[tokio::test]
async fn a_claim_without_a_value_is_asked_for_once() {
    let case = Case::with_roles(None);
    let validators = vec![admin(), admin(), admin()];
    let outcome = case.validate(validators, json!({"own": 1})).await;
    assert_eq!(case.asked(), 1);
    assert!(outcome.refetched.is_none());
    assert_eq!(outcome.errors.len(), 3);
}
