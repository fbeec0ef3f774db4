//! Ending all sessions of a user or a tenant, several, or all but one.

use std::time::Duration;

use session_core::{
    BackendError, IssuedSession, NewSession, SessionError, SessionHandle, TenantId,
    store::SessionScope,
};
use tokio::task::JoinSet;

use crate::{
    faulty_store::{Fault, Op},
    node::{
        Node, all_at_once, assert_unauthorised, check_blacklist, check_database, refresh_token,
        settle, user_id,
    },
};

/// G4, INV-9: every session whose creation was acknowledged before the user's sessions were ended
/// is over; one that is acknowledged afterwards lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ending_all_sessions_of_a_user_spares_none_that_was_there() {
    let node = Node::new().await;
    for _ in 0..20 {
        let mut creations = JoinSet::new();
        for _ in 0..8 {
            let sessions = node.sessions.clone();
            creations.spawn(async move {
                let mut created = Vec::new();
                for _ in 0..4 {
                    created.push(
                        sessions
                            .create(NewSession::new(user_id("ann")))
                            .await
                            .unwrap(),
                    );
                }
                created
            });
        }
        let acknowledged = creations.join_next().await.unwrap().unwrap();
        let ended = node
            .sessions
            .revoke_all_of_user(&user_id("ann"), None)
            .await
            .unwrap();
        for issued in &acknowledged {
            assert!(ended.contains(issued.session().handle()));
            assert_unauthorised(node.verify(issued, &check_database()).await);
            assert_unauthorised(node.verify(issued, &check_blacklist()).await);
        }
        let after = node.log_in("ann").await;
        for issued in creations
            .join_all()
            .await
            .into_iter()
            .flatten()
            .chain([after])
        {
            let is_ended = ended.contains(issued.session().handle());
            for options in [check_database(), check_blacklist()] {
                assert_eq!(node.verify(&issued, &options).await.is_err(), is_ended);
            }
        }
        node.sessions
            .revoke_all_of_user(&user_id("ann"), None)
            .await
            .unwrap();
    }
}

/// G4: a creation that is under way while all sessions are ended is either ended or acknowledged
/// later, and then it lives.
#[tokio::test]
async fn a_session_acknowledged_after_the_end_of_all_others_lives() {
    let node = Node::new().await;
    let before = node.log_in("ann").await;
    let gate = node.store.hold_before(Op::Create);
    let sessions = node.sessions.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { sessions.create(NewSession::new(user_id("ann"))).await });
    gate.arrivals(1).await;
    let ended = node
        .sessions
        .revoke_all_of_user(&user_id("ann"), None)
        .await;
    assert_eq!(ended.unwrap(), [before.session().handle().clone()]);
    gate.open();
    let after = tasks.join_next().await.unwrap().unwrap().unwrap();
    assert!(node.verify(&after, &check_database()).await.is_ok());
    assert!(node.verify(&after, &check_blacklist()).await.is_ok());
}

/// G6, B5: a revocation is of sessions, not of times, so neither the same millisecond nor a clock
/// that was set back spares one or ends another.
#[tokio::test]
async fn the_same_millisecond_spares_none_and_ends_no_other() {
    let node = Node::new().await;
    for clock_goes_back in [Duration::ZERO, Duration::from_secs(1)] {
        let before = node.log_in("ann").await;
        node.sessions
            .revoke_all_of_user(&user_id("ann"), None)
            .await
            .unwrap();
        node.clock.set_wall_clock(node.now() - clock_goes_back);
        let after = node.log_in("ann").await;
        for options in [check_database(), check_blacklist()] {
            assert_unauthorised(node.verify(&before, &options).await);
            assert!(node.verify(&after, &options).await.is_ok());
        }
    }
}

/// G7, C4: each level ends exactly its sessions: a user's, a user's in one tenant, a tenant's.
#[tokio::test]
async fn each_level_ends_exactly_its_own_sessions() {
    let tenant = |text: &str| TenantId::try_from(text).unwrap();
    let users = ["ann", "bob"];
    let tenants = ["public", "t1"];
    for level in ["user", "user in tenant", "tenant"] {
        let node = Node::new().await;
        settle().await;
        let mut all: Vec<IssuedSession> = Vec::new();
        for user in users {
            for in_tenant in tenants {
                let new = NewSession::new(user_id(user)).tenant(tenant(in_tenant));
                all.push(node.sessions.create(new).await.unwrap());
            }
        }
        let (ann, t1) = (user_id("ann"), tenant("t1"));
        let mut ended = match level {
            "user" => node.sessions.revoke_all_of_user(&ann, None).await,
            "user in tenant" => node.sessions.revoke_all_of_user(&ann, Some(&t1)).await,
            _ => node.sessions.revoke_all_of_tenant(&t1).await,
        }
        .unwrap();
        ended.sort();
        let mut expected = Vec::new();
        for issued in &all {
            let session = issued.session();
            let (is_ann, is_t1) = (*session.user_id() == ann, *session.tenant_id() == t1);
            let is_over = match level {
                "user" => is_ann,
                "user in tenant" => is_ann && is_t1,
                _ => is_t1,
            };
            if is_over {
                expected.push(session.handle().clone());
            }
            for options in [check_database(), check_blacklist()] {
                assert_eq!(
                    node.verify(issued, &options).await.is_err(),
                    is_over,
                    "{level}"
                );
            }
            assert_eq!(node.refresh(&refresh_token(issued)).await.is_err(), is_over);
        }
        expected.sort();
        assert_eq!(ended, expected, "{level}");
    }
}

/// C4, wire case 65: a session's tenant is in its handle and in its token; it is ended by its
/// handle alone, and seen in its own tenant's list only.
#[tokio::test]
async fn a_session_knows_its_tenant() {
    let node = Node::new().await;
    let t1 = TenantId::try_from("t1").unwrap();
    let other = TenantId::try_from("t2").unwrap();
    let new = NewSession::new(user_id("ann")).tenant(t1.clone());
    let issued = node.sessions.create(new).await.unwrap();
    let session = issued.session();
    assert!(session.handle().as_str().ends_with("_t1"));
    assert_eq!(session.access_token_payload()["tId"], "t1");
    let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    assert_eq!(refreshed.session().tenant_id(), &t1);
    for (tenant, seen) in [(Some(&t1), 1), (Some(&other), 0), (None, 1)] {
        let list = node
            .sessions
            .sessions_of_user(session.user_id(), tenant, None, 10)
            .await;
        assert_eq!(list.unwrap().len(), seen);
    }
    assert_eq!(
        node.sessions.revoke_all_of_tenant(&other).await.unwrap(),
        []
    );
    assert!(node.sessions.revoke(session.handle()).await.unwrap());
}

/// G8: ending a session twice, one that never was, one several times in a call, and more than fit
/// into one transaction: no error, and exactly those that the call ended.
#[tokio::test]
async fn ending_sessions_again_is_no_error_and_says_what_it_did() {
    let node = Node::new().await;
    let (ann, bob) = (node.log_in("ann").await, node.log_in("bob").await);
    let (anns, bobs) = (ann.session().handle(), bob.session().handle());
    assert!(node.sessions.revoke(anns).await.unwrap());
    assert!(!node.sessions.revoke(anns).await.unwrap());
    let unknown = SessionHandle::try_from("00000000-0000-0000-0000-000000000000").unwrap();
    assert!(!node.sessions.revoke(&unknown).await.unwrap());
    assert_eq!(node.sessions.revoke_many(&[]).await.unwrap(), []);
    let mut many: Vec<SessionHandle> = (0..10_001)
        .map(|number| SessionHandle::try_from(format!("nobody-{number}")).unwrap())
        .collect();
    many.extend([bobs.clone(), anns.clone(), bobs.clone(), unknown]);
    let ended = node.sessions.revoke_many(&many).await.unwrap();
    assert_eq!(ended, std::slice::from_ref(bobs));
    assert!(!ann.session().revoke().await.unwrap());
    let nobody = user_id("nobody");
    let ended = node.sessions.revoke_all_of_user(&nobody, None).await;
    assert_eq!(ended.unwrap(), []);
}

/// G8: whoever ends many sessions, and fails half-way, is told of those that were ended: nobody else
/// ever is.
#[tokio::test]
async fn what_was_ended_before_a_failure_is_told() {
    let node = Node::new().await;
    let tenant = TenantId::try_from("t1").unwrap();
    let log_in = async || {
        let new = NewSession::new(user_id("ann")).tenant(tenant.clone());
        let issued = node.sessions.create(new).await.unwrap();
        issued.session().handle().clone()
    };

    let (first, last) = (log_in().await, log_in().await);
    let mut many = vec![first.clone(); SessionScope::MAX_HANDLES];
    many.push(last.clone());
    let told = fails_after_one_part(&node, node.sessions.revoke_many(&many)).await;
    assert_eq!(told, std::slice::from_ref(&first));
    assert!(node.row(&last).await.is_some());

    let told = fails_after_one_part(&node, node.sessions.revoke_all_of_tenant(&tenant)).await;
    assert_eq!(told, [last]);

    node.store.put(Op::Revoke, Fault::Fail);
    let Err(SessionError::Unavailable(BackendError::Store(_))) =
        node.sessions.revoke_many(&many).await
    else {
        panic!("nothing was ended");
    };
}

/// What an error tells of sessions when the store breaks after the first transaction.
async fn fails_after_one_part(
    node: &Node,
    revoke: impl Future<Output = Result<Vec<SessionHandle>, SessionError>>,
) -> Vec<SessionHandle> {
    let gate = node.store.hold_after(Op::Revoke);
    let breaks = async {
        gate.arrivals(1).await;
        node.store.put(Op::Revoke, Fault::Fail);
        gate.open();
    };
    let (outcome, ()) = tokio::join!(revoke, breaks);
    node.store.heal();
    let Err(SessionError::Unavailable(BackendError::RevokedInPart { ended, cause })) = outcome
    else {
        panic!("{outcome:?}");
    };
    assert!(matches!(*cause, BackendError::Store(_)), "{cause:?}");
    ended
}

/// G8: of a hundred who end a session at once, one did.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_who_end_a_session_one_did() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let answers = all_at_once((0..100).map(|_| {
        let (sessions, handle) = (node.sessions.clone(), issued.session().handle().clone());
        async move { sessions.revoke(&handle).await.unwrap() }
    }))
    .await;
    assert_eq!(answers.into_iter().filter(|ended| *ended).count(), 1);
}

/// Ending the others spares the session itself and other users.
#[tokio::test]
async fn ending_the_others_spares_this_one() {
    let node = Node::new().await;
    let (mine, other) = (node.log_in("ann").await, node.log_in("ann").await);
    let bobs = node.log_in("bob").await;
    let ended = mine.session().revoke_others().await.unwrap();
    assert_eq!(ended, [other.session().handle().clone()]);
    assert!(node.verify(&mine, &check_database()).await.is_ok());
    assert!(node.verify(&bobs, &check_database()).await.is_ok());
    assert_unauthorised(node.verify(&other, &check_database()).await);
}
