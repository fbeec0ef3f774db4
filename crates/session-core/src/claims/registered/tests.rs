use std::sync::Mutex;

use serde_json::json;

use super::super::BoxError;
use super::*;

struct Roles;

#[async_trait]
impl SessionClaim for Roles {
    type Value = Vec<String>;
    const KEY: &'static str = "st-role";

    async fn fetch(&self, context: &ClaimContext<'_>) -> Result<Option<Vec<String>>, BoxError> {
        Ok(Some(vec![format!(
            "{} of {}",
            context.user(),
            context.tenant()
        )]))
    }
}

/// Counts the members that it is shown.
struct Members(Arc<Mutex<Vec<usize>>>);

#[async_trait]
impl SessionClaim for Members {
    type Value = Option<usize>;
    const KEY: &'static str = "members";

    async fn fetch(&self, context: &ClaimContext<'_>) -> Result<Option<Option<usize>>, BoxError> {
        let members = context.payload().len();
        self.0.lock().unwrap().push(members);
        Ok(Some((members < 10).then_some(members)))
    }
}

struct Absent;

#[async_trait]
impl SessionClaim for Absent {
    type Value = String;
    const KEY: &'static str = "absent";

    async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<String>, BoxError> {
        Ok(None)
    }
}

struct Broken;

#[async_trait]
impl SessionClaim for Broken {
    type Value = String;
    const KEY: &'static str = "broken";

    async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<String>, BoxError> {
        Err("the directory is away")?
    }
}

struct Stuck;

#[async_trait]
impl SessionClaim for Stuck {
    type Value = String;
    const KEY: &'static str = "stuck";

    async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<String>, BoxError> {
        std::future::pending().await
    }
}

struct Subject;

#[async_trait]
impl SessionClaim for Subject {
    type Value = String;
    const KEY: &'static str = "sub";

    async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<String>, BoxError> {
        Ok(None)
    }
}

struct Nameless;

#[async_trait]
impl SessionClaim for Nameless {
    type Value = String;
    const KEY: &'static str = "";

    async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<String>, BoxError> {
        Ok(None)
    }
}

async fn build(claims: RegisteredClaimsBuilder, payload: Value) -> Result<Value, ClaimFetchError> {
    let whose = FetchFor {
        user: &UserId::try_from("ann").unwrap(),
        tenant: &TenantId::default(),
        now: SystemTime::UNIX_EPOCH + Duration::from_millis(5),
        timeout: Duration::from_secs(5),
    };
    let mut payload = payload.as_object().unwrap().clone();
    let claims = claims.build().unwrap();
    claims.build_all(&whose, &mut payload).await?;
    Ok(payload.into())
}

/// Wire §8: claims are built one after the other and see those before; they replace equal keys.
#[tokio::test]
async fn a_new_session_gets_every_claim_and_each_sees_those_before_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let claims = RegisteredClaims::builder()
        .claim(Roles)
        .claim(Absent)
        .claim(Members(Arc::clone(&seen)));
    let payload = build(claims, json!({"st-role": "forged", "own": 1})).await;
    assert_eq!(
        payload.unwrap(),
        json!({
            "own": 1,
            "st-role": {"v": ["ann of public"], "t": 5},
            "members": {"v": 2, "t": 5},
        })
    );
    assert_eq!(*seen.lock().unwrap(), [2]);
}

/// Wire §8: "no value" leaves the payload as it is, and a null is no value.
#[tokio::test]
async fn a_claim_without_a_value_leaves_the_payload_alone() {
    let before = json!({
        "absent": {"v": "old", "t": 1}, "members": {"v": 1, "t": 1},
        "3": 0, "4": 0, "5": 0, "6": 0, "7": 0, "8": 0, "9": 0, "10": 0,
    });
    let claims = RegisteredClaims::builder()
        .claim(Absent)
        .claim(Members(Arc::default()));
    assert_eq!(build(claims, before.clone()).await.unwrap(), before);
}

/// Wire §8: a failure names the claim and keeps its cause.
#[tokio::test]
async fn a_failed_fetch_names_the_claim() {
    let failed = build(RegisteredClaims::builder().claim(Broken), json!({})).await;
    let error = failed.unwrap_err();
    assert_eq!(error.to_string(), "the claim broken could not be fetched");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the directory is away");
}

/// Wire §8, design §6: an application's function that never returns does not keep the request.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_never_returns_is_given_up() {
    let stuck = build(RegisteredClaims::builder().claim(Stuck), json!({})).await;
    assert!(matches!(
        stuck.unwrap_err(),
        ClaimFetchError::TimedOut { key: "stuck", .. }
    ));
}

/// Wire §8: two claims with one key are an error.
#[test]
fn two_claims_with_one_key_are_refused() {
    let twice = RegisteredClaims::builder().claim(Roles).claim(Roles);
    assert_eq!(
        twice.build().unwrap_err(),
        ClaimRegistrationError::DuplicateKey("st-role")
    );
}

/// B10: a claim cannot take the place of what the token says of itself.
#[test]
fn a_claim_with_a_protected_or_empty_key_is_refused() {
    assert_eq!(
        RegisteredClaims::builder()
            .claim(Subject)
            .build()
            .unwrap_err(),
        ClaimRegistrationError::ProtectedKey("sub")
    );
    assert_eq!(
        RegisteredClaims::builder()
            .claim(Nameless)
            .build()
            .unwrap_err(),
        ClaimRegistrationError::EmptyKey
    );
}
