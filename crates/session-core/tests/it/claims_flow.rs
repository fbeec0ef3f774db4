//! Claims: fetched, validated, and carried by the next token.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use session_core::{
    NewSession, SessionError, VerifyOptions, async_trait,
    claims::{ArrayClaim as _, BoxError, ClaimContext, ClaimValidator, SessionClaim},
};
use tokio::task::JoinSet;

use crate::{
    faulty_store::{Fault, FaultyStore, Op},
    node::{Node, assert_unauthorised, assert_unavailable, refresh_token, user_id},
    payload::{front_token, update},
};

/// The application's roles, as it has them now.
#[derive(Debug, Default)]
struct Directory {
    fetches: AtomicUsize,
    is_promoted: AtomicBool,
    is_broken: AtomicBool,
    is_silent: AtomicBool,
}

pub(crate) struct Roles(Arc<Directory>);

#[async_trait]
impl SessionClaim for Roles {
    type Value = Vec<String>;
    const KEY: &'static str = "st-role";
    const DEFAULT_MAX_AGE: Option<Duration> = Some(Duration::from_mins(5));

    async fn fetch(&self, context: &ClaimContext<'_>) -> Result<Option<Vec<String>>, BoxError> {
        assert_eq!(context.user().as_str(), "ann");
        self.0.fetches.fetch_add(1, Ordering::SeqCst);
        if self.0.is_broken.load(Ordering::SeqCst) {
            return Err("the directory is away".into());
        }
        if self.0.is_silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let is_promoted = self.0.is_promoted.load(Ordering::SeqCst);
        Ok(Some(vec![
            if is_promoted { "admin" } else { "member" }.to_owned(),
        ]))
    }
}

fn admins_only() -> VerifyOptions {
    let validator: Arc<dyn ClaimValidator> = Arc::new(Roles::includes("admin"));
    VerifyOptions::new().claim_validators([validator])
}

async fn with_roles() -> (Node, Arc<Directory>) {
    let directory = Arc::new(Directory::default());
    let roles = Roles(directory.clone());
    let node = Node::with(FaultyStore::new(), |builder| builder.claim(roles)).await;
    (node, directory)
}

/// Wire §8: a registered claim is fetched for a new session, and not again while it is young.
#[tokio::test]
async fn a_registered_claim_is_fetched_once_for_a_new_session() {
    let (node, directory) = with_roles().await;
    let issued = node.log_in("ann").await;
    assert_eq!(issued.session().claim::<Roles>().unwrap(), ["member"]);
    node.advance(Duration::from_mins(5));
    let _refused = node.verify(&issued, &admins_only()).await.unwrap_err();
    let _refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    assert_eq!(directory.fetches.load(Ordering::SeqCst), 1);
}

/// An application can change the claims of a user who has been away for longer than an access
/// token lives.
#[tokio::test]
async fn a_payload_can_be_changed_by_handle_while_the_user_is_away() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    node.advance(Duration::from_hours(24));
    let handle = issued.session().handle();
    let merged = node
        .sessions
        .merge_payload(handle, update(json!({"a": 1})))
        .await;
    assert!(merged.unwrap());
    assert!(
        node.sessions
            .set_claim::<Roles>(handle, &vec!["admin".to_owned()])
            .await
            .unwrap()
    );
    let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    assert_eq!(refreshed.session().payload().as_map()["a"], 1);
    assert_eq!(refreshed.session().claim::<Roles>().unwrap(), ["admin"]);
}

/// Wire case 54, wire §6 row 24: a claim that is too old is fetched again; the session goes on with
/// a new token that has it.
#[tokio::test]
async fn a_claim_that_is_too_old_is_fetched_and_travels_in_a_new_token() {
    let (node, directory) = with_roles().await;
    let issued = node.log_in("ann").await;
    directory.is_promoted.store(true, Ordering::SeqCst);
    node.advance(Duration::from_mins(6));
    let session = node.verify(&issued, &admins_only()).await.unwrap();
    assert_eq!(session.claim::<Roles>().unwrap(), ["admin"]);
    let expected = json!({"v": ["admin"], "t": node.now_ms()});
    assert_eq!(front_token(&session)["up"]["st-role"], expected);
    let stored = session.information().await.unwrap();
    assert_eq!(stored.payload().as_map()["st-role"], expected);
}

/// Wire case 53: a claim that was fetched and does not suffice is kept in the database, and the
/// refusal names the validator with its reason.
#[tokio::test]
async fn a_claim_that_does_not_suffice_is_refused_and_kept() {
    let (node, _directory) = with_roles().await;
    let issued = node.log_in("ann").await;
    node.advance(Duration::from_mins(6));
    match node.verify(&issued, &admins_only()).await {
        Err(SessionError::InvalidClaims(errors)) => {
            assert_eq!(
                serde_json::to_value(&errors).unwrap(),
                json!([{"id": "st-role", "reason": {
                    "message": "wrong value",
                    "expectedToInclude": "admin",
                    "actualValue": ["member"],
                }}])
            );
        }
        outcome => panic!("{outcome:?}"),
    }
    let handle = issued.session().handle();
    let stored = node.sessions.information(handle).await.unwrap().unwrap();
    assert_eq!(stored.payload().as_map()["st-role"]["t"], node.now_ms());
}

/// Wire §6, row 25: a claim that has to be fetched for a session that has ended.
#[tokio::test]
async fn a_claim_of_a_session_that_has_ended_is_not_kept() {
    let (node, directory) = with_roles().await;
    let issued = node.log_in("ann").await;
    directory.is_promoted.store(true, Ordering::SeqCst);
    node.sessions
        .revoke(issued.session().handle())
        .await
        .unwrap();
    node.advance(Duration::from_mins(6));
    assert_unauthorised(node.verify(&issued, &admins_only()).await);
}

/// H9: an application's function that fails or never returns is 503 and no verdict.
#[tokio::test(start_paused = true)]
async fn a_claim_that_cannot_be_fetched_is_no_verdict() {
    let (node, directory) = with_roles().await;
    let issued = node.log_in("ann").await;
    node.advance(Duration::from_mins(6));
    for trouble in [&directory.is_broken, &directory.is_silent] {
        trouble.store(true, Ordering::SeqCst);
        let (verified, created) = (
            node.verify(&issued, &admins_only()).await.map(drop),
            node.sessions
                .create(NewSession::new(user_id("ann")))
                .await
                .map(drop),
        );
        for outcome in [verified, created] {
            assert!(
                matches!(outcome, Err(SessionError::ClaimFetch(_))),
                "{outcome:?}"
            );
        }
        trouble.store(false, Ordering::SeqCst);
    }
    node.store.put(Op::UpdatePayload, Fault::Fail);
    assert_unavailable(node.verify(&issued, &admins_only()).await);
}

/// F14: a claim that is fetched while the application changes another member by handle overwrites
/// nothing.
#[tokio::test]
async fn a_fetched_claim_overwrites_no_concurrent_change() {
    let (node, directory) = with_roles().await;
    let issued = node.log_in("ann").await;
    directory.is_promoted.store(true, Ordering::SeqCst);
    node.advance(Duration::from_mins(6));
    let gate = node.store.hold_before(Op::UpdatePayload);
    let (sessions, token) = (
        node.sessions.clone(),
        issued.tokens().access_token().expose().to_owned(),
    );
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let not_checked = session_core::verify::PresentedAntiCsrf::NotChecked;
        sessions.verify(&token, not_checked, &admins_only()).await
    });
    gate.arrivals(1).await;
    node.store.heal();
    let handle = issued.session().handle();
    node.sessions
        .merge_payload(handle, update(json!({"plan": "pro"})))
        .await
        .unwrap();
    gate.open();
    let session = tasks.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(session.payload().as_map()["plan"], "pro");
    assert_eq!(session.claim::<Roles>().unwrap(), ["admin"]);
    assert_eq!(
        session.information().await.unwrap().payload(),
        &session.payload()
    );
}

/// Wire §7: claims by handle: set, read, fetched, validated, removed, and none of it for a session
/// that has ended.
#[tokio::test]
async fn claims_are_managed_by_handle() {
    let (node, directory) = with_roles().await;
    let issued = node.log_in("ann").await;
    let (sessions, handle) = (&node.sessions, issued.session().handle());
    let claim = async || sessions.claim::<Roles>(handle).await.unwrap();
    assert_eq!(claim().await, Some(Some(vec!["member".to_owned()])));
    assert!(sessions.set_claim::<Roles>(handle, &vec![]).await.unwrap());
    assert_eq!(claim().await, Some(Some(vec![])));
    assert!(sessions.remove_claim::<Roles>(handle).await.unwrap());
    assert_eq!(claim().await, Some(None));
    directory.is_promoted.store(true, Ordering::SeqCst);
    assert!(sessions.fetch_and_set_claim::<Roles>(handle).await.unwrap());
    assert_eq!(claim().await, Some(Some(vec!["admin".to_owned()])));
    let validator: Arc<dyn ClaimValidator> = Arc::new(Roles::excludes("admin"));
    let errors = sessions
        .validate_claims(handle, std::slice::from_ref(&validator))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(errors.len(), 1);

    sessions.revoke(handle).await.unwrap();
    assert_eq!(claim().await, None);
    assert!(!sessions.set_claim::<Roles>(handle, &vec![]).await.unwrap());
    assert!(!sessions.fetch_and_set_claim::<Roles>(handle).await.unwrap());
    assert!(!sessions.remove_claim::<Roles>(handle).await.unwrap());
    assert_eq!(
        sessions
            .validate_claims(handle, &[validator])
            .await
            .unwrap(),
        None
    );
}

/// Wire §6: global validators run everywhere unless the route says otherwise.
#[tokio::test]
async fn global_validators_run_unless_the_route_says_otherwise() {
    let directory = Arc::new(Directory::default());
    let roles = Roles(directory.clone());
    let node = Node::with(FaultyStore::new(), |builder| {
        builder
            .claim(roles)
            .claim_validator(Arc::new(Roles::includes("admin")))
    })
    .await;
    let issued = node.log_in("ann").await;
    let refused = node.verify(&issued, &VerifyOptions::new()).await;
    assert!(matches!(refused, Err(SessionError::InvalidClaims(_))));
    let without = VerifyOptions::new().claim_validators([]);
    assert!(node.verify(&issued, &without).await.is_ok());
    let members: Arc<dyn ClaimValidator> = Arc::new(Roles::includes("member"));
    let both = VerifyOptions::new().and_claim_validators([members]);
    match node.verify(&issued, &both).await {
        Err(SessionError::InvalidClaims(errors)) => assert_eq!(errors.len(), 1),
        outcome => panic!("{outcome:?}"),
    }
}
