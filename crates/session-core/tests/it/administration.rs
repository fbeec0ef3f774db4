//! What an operator does without a service, beside services and alone.

use std::time::Duration;

use session_core::{
    Administration, AppInfo, BackendError, KeyId, NewSession, SessionError, SessionHandle,
    SessionInformation, Sessions, TenantId,
    config::SessionConfigBuilder,
    finding::{Finding, Severity},
    keys::{
        KeyError, KeyRotation,
        KeyState::{self, InUse, Previous, Retired, Upcoming},
        StoredKey,
    },
    store::{KeyPurpose, SessionScope, SessionStore as _},
};

use crate::{
    faulty_store::{FaultyStore, Op},
    node::{
        Node, all_at_once, assert_unauthorised, check_database, keys, refresh_token, stateless,
        user_id,
    },
};

const MINUTE: Duration = Duration::from_mins(1);

/// Somebody with a tool, on the node's store and by its clock.
pub(crate) fn operator(
    node: &Node,
    change: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
) -> Administration {
    let app = AppInfo::new("http://localhost", "http://localhost");
    Sessions::builder(app)
        .config(change)
        .store(node.store.clone())
        .shared_clock(node.clock.clone())
        .administration()
        .unwrap()
}

pub(crate) fn with_defaults(config: SessionConfigBuilder) -> SessionConfigBuilder {
    config
}

fn of_user(user: &str, tenant: Option<&str>) -> SessionScope {
    SessionScope::User {
        user: user_id(user),
        tenant: tenant.map(tenant_id),
        except: None,
    }
}

fn tenant_id(text: &str) -> TenantId {
    TenantId::try_from(text).unwrap()
}

/// D7: a tool that looks at a database that no service has been started on makes no keys there, and
/// one that does nothing reads nothing.
#[tokio::test]
async fn a_look_changes_nothing() {
    let store = FaultyStore::new();
    let app = AppInfo::new("http://localhost", "http://localhost");
    let operator = Sessions::builder(app)
        .store(store.clone())
        .administration()
        .unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert!(Op::ALL.iter().all(|op| store.calls(*op) == 0));
    assert!(operator.keys().await.unwrap().is_empty());
    let nobody = SessionHandle::try_from("nobody").unwrap();
    assert!(operator.session(&nobody).await.unwrap().is_none());
    assert!(operator.findings().await.unwrap().is_empty());
    let scope = of_user("ann", None);
    assert!(
        operator
            .list(scope.clone(), None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(operator.revoke(scope).await.unwrap().is_empty());
    for op in [
        Op::Create,
        Op::InsertKey,
        Op::ResealKey,
        Op::RemoveKey,
        Op::Purge,
    ] {
        assert_eq!(store.calls(op), 0, "{op:?}");
    }
    operator.close().await;
}

/// G1, G4: what an operator ends is refused by every node that asks the database, and nothing else
/// is.
#[tokio::test]
async fn what_an_operator_ends_is_refused() {
    let node = Node::new().await;
    let operator = operator(&node, with_defaults);
    let in_tenant = |user: &str, tenant: &str| {
        node.sessions
            .create(NewSession::new(user_id(user)).tenant(tenant_id(tenant)))
    };
    let [one, two] = [node.log_in("ann").await, node.log_in("ann").await];
    let three = in_tenant("ann", "t1").await.unwrap();
    let four = in_tenant("bob", "t1").await.unwrap();
    let handle = |issued: &session_core::IssuedSession| issued.session().handle().clone();
    let other = node.log_in("bob").await;
    for (scope, ended) in [
        (SessionScope::Handles(vec![handle(&one)]), vec![&one]),
        (of_user("ann", Some("t1")), vec![&three]),
        (of_user("ann", None), vec![&two]),
        (SessionScope::Tenant(tenant_id("t1")), vec![&four]),
    ] {
        for issued in &ended {
            assert!(node.verify(issued, &check_database()).await.is_ok());
        }
        let handles: Vec<SessionHandle> = ended.iter().map(|issued| handle(issued)).collect();
        assert_eq!(operator.revoke(scope).await.unwrap(), handles);
        for issued in ended {
            assert_unauthorised(node.verify(issued, &check_database()).await);
        }
    }
    assert!(node.verify(&other, &check_database()).await.is_ok());
}

/// A page begins after the one before, and a session is shown as the database knows it.
#[tokio::test]
async fn sessions_are_listed_page_by_page() {
    let node = Node::new().await;
    let operator = operator(&node, with_defaults);
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(node.log_in("ann").await.session().handle().clone());
        node.advance(Duration::from_secs(1));
    }
    let first = operator.list(of_user("ann", None), None, 2).await.unwrap();
    let rest = operator.list(of_user("ann", None), first.last(), 2);
    let rest = rest.await.unwrap();
    let listed: Vec<&SessionHandle> = first
        .iter()
        .chain(&rest)
        .map(SessionInformation::handle)
        .collect();
    assert_eq!(listed, made.iter().collect::<Vec<_>>());
    let shown = operator.session(&made[0]).await.unwrap().unwrap();
    assert_eq!(shown.user_id(), &user_id("ann"));
}

/// D7: of any number of operators who rotate at once or one after the other, one makes a key; a
/// minute later another is made.
#[tokio::test]
async fn rotating_at_once_makes_one_key() {
    let node = Node::new().await;
    node.advance(MINUTE);
    for purpose in [KeyPurpose::AccessDynamic, KeyPurpose::Refresh] {
        for expected in [2, 3] {
            let rotations = (0..8).map(|_| {
                let operator = operator(&node, with_defaults);
                async move { rotate(&operator, purpose).await.unwrap() }
            });
            let mut outcomes = all_at_once(rotations).await;
            outcomes.push(
                rotate(&operator(&node, with_defaults), purpose)
                    .await
                    .unwrap(),
            );
            let made = |one: &&KeyRotation| matches!(one, KeyRotation::Made(_));
            assert_eq!(outcomes.iter().filter(made).count(), 1);
            let stored = keys(&node, purpose).await;
            assert_eq!(stored.len(), expected);
            for outcome in &outcomes {
                let (KeyRotation::Made(id) | KeyRotation::MadeAlready(id)) = outcome else {
                    panic!("{outcome:?}");
                };
                assert_eq!(id, &stored[0].id);
            }
            node.advance(MINUTE);
        }
    }
}

async fn rotate(
    operator: &Administration,
    purpose: KeyPurpose,
) -> Result<KeyRotation, SessionError> {
    match purpose {
        KeyPurpose::Refresh => operator.rotate_refresh_key().await,
        _ => operator.rotate_signing_key().await,
    }
}

/// D6: a new key is published, used, superseded and retired, in this order, and no session is lost
/// over it.
#[tokio::test]
async fn a_key_is_shown_as_what_it_does() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    node.advance(MINUTE);
    let operator = operator(&node, with_defaults);
    let [signing, minting] = [KeyPurpose::AccessDynamic, KeyPurpose::Refresh];
    for purpose in [signing, minting] {
        assert!(matches!(
            rotate(&operator, purpose).await,
            Ok(KeyRotation::Made(_))
        ));
    }
    let states = async || {
        let mut shown = operator.keys().await.unwrap();
        shown.sort_by_key(|key| (key.purpose().as_str(), std::cmp::Reverse(key.created_at())));
        let states = shown.iter().map(StoredKey::state);
        states.collect::<Vec<KeyState>>()
    };
    assert_eq!(states().await, [Upcoming, InUse, Upcoming, InUse]);
    node.advance(MINUTE);
    assert_eq!(states().await, [InUse, Previous, InUse, Previous]);
    let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    assert!(node.verify(&refreshed, &stateless()).await.is_ok());
    // A week's use and two lives of an access token later.
    node.advance(Duration::from_hours(170));
    assert_eq!(states().await[1..], [Retired, InUse, Previous]);
    for key in operator.keys().await.unwrap() {
        let shown = format!("{key:?}");
        let stored = node.store.inner().load_keys().await.unwrap();
        let stored = stored.iter().find(|stored| stored.id == *key.id()).unwrap();
        let material: &[u8] = &stored.material;
        assert!(!shown.contains(&format!("{:?}", &material[..8])), "{shown}");
    }
}

fn secrets(
    primary: &'static str,
    older: &'static [&'static str],
) -> impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder {
    move |config| {
        let bytes = |name: &str| name.repeat(32).into_bytes();
        let config = config.encryption_secret(primary, bytes(primary));
        older.iter().fold(config, |config, name| {
            config.older_encryption_secret(*name, bytes(name))
        })
    }
}

/// K10: whoever does not have the at-rest secret makes no key that would be stored in the clear,
/// and sees of the others that they are there.
#[tokio::test]
async fn no_key_is_made_without_the_secret_of_the_others() {
    let node = Node::configured(secrets("2026", &[])).await;
    node.advance(MINUTE);
    let stranger = operator(&node, with_defaults);
    for outcome in [
        stranger.rotate_signing_key().await,
        stranger.rotate_refresh_key().await,
    ] {
        let Err(SessionError::Unavailable(BackendError::Keys(KeyError::Sealed { .. }))) = outcome
        else {
            panic!("{outcome:?}");
        };
    }
    let shown = stranger.keys().await.unwrap();
    assert_eq!(shown.len(), 2);
    for key in shown {
        assert_eq!(key.state(), KeyState::Unreadable);
        assert_eq!(key.sealed_under(), Some("2026"));
    }
    let found = stranger.findings().await.unwrap();
    assert_eq!(subjects(&found), ["notice unreadable keys"]);
    let owner = operator(&node, secrets("2026", &[]));
    assert!(owner.findings().await.unwrap().is_empty());
}

/// K10: the at-rest secret is replaced while nodes that have the old one alone go on.
#[tokio::test]
async fn keys_are_encrypted_anew_under_running_nodes() {
    let node = Node::configured(secrets("2025", &[])).await;
    let issued = node.log_in("ann").await;
    let unprepared = operator(&node, with_defaults).encrypt_keys_anew().await;
    let Err(SessionError::Unavailable(BackendError::Keys(KeyError::NoAtRestSecret))) = unprepared
    else {
        panic!("{unprepared:?}");
    };
    let operator = operator(&node, secrets("2026", &["2025"]));
    assert_eq!(operator.encrypt_keys_anew().await.unwrap(), 2);
    assert_eq!(operator.encrypt_keys_anew().await.unwrap(), 0);
    for key in operator.keys().await.unwrap() {
        assert_eq!(key.sealed_under(), Some("2026"));
        assert_eq!(key.state(), KeyState::InUse);
    }
    let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    assert!(node.verify(&refreshed, &stateless()).await.is_ok());
}

/// D4: a removed key is gone from the database, and whoever needs another one makes it.
#[tokio::test]
async fn removing_a_key_makes_none() {
    let node = Node::new().await;
    let operator = operator(&node, with_defaults);
    let made = node.store.calls(Op::InsertKey);
    let signing = keys(&node, KeyPurpose::AccessDynamic).await.remove(0).id;
    assert!(operator.remove_key(&signing).await.unwrap());
    assert!(!operator.remove_key(&signing).await.unwrap());
    assert!(keys(&node, KeyPurpose::AccessDynamic).await.is_empty());
    assert_eq!(node.store.calls(Op::InsertKey), made);
    let unknown = KeyId::try_from("d-0").unwrap();
    assert!(!operator.remove_key(&unknown).await.unwrap());
}

/// B5, B7: a machine whose clock is wrong deletes nothing that has not expired, and makes no key that
/// would be used too early or too late.
#[tokio::test]
async fn a_wrong_clock_deletes_and_makes_nothing() {
    let node = Node::new().await;
    node.log_in("ann").await.into_parts();
    node.advance(MINUTE);
    let operator = operator(&node, with_defaults);
    let database_ms = node.now_ms() - 30_001;
    node.store.set_clock(database_ms);
    let purges = node.store.calls(Op::Purge);
    let outcomes = [
        operator.purge().await.map(drop),
        operator.rotate_signing_key().await.map(drop),
        operator.rotate_refresh_key().await.map(drop),
    ];
    for outcome in outcomes {
        let Err(SessionError::Unavailable(BackendError::ClocksDiffer { offset })) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(offset, Duration::from_millis(30_001));
    }
    assert_eq!(node.store.calls(Op::Purge), purges);
    let found = operator.findings().await.unwrap();
    let expected = ["danger clock offset", "warning keys in the clear"];
    assert_eq!(subjects(&found), expected);
    node.store.set_clock(node.now_ms() - 30_000);
    assert!(operator.purge().await.is_ok());
    let found = operator.findings().await.unwrap();
    assert_eq!(subjects(&found)[0], "warning clock offset");
    node.store.set_clock(node.now_ms() + 2_000);
    let found = operator.findings().await.unwrap();
    assert_eq!(subjects(&found), ["warning keys in the clear"]);
}

/// H16: everything that has expired is deleted, however many at a time, and nothing else.
#[tokio::test]
async fn a_purge_goes_on_until_nothing_expired_is_left() {
    let node = Node::new().await;
    for user in ["ann", "bob", "eve"] {
        node.log_in(user).await.into_parts();
    }
    node.sessions.shutdown().await;
    node.advance(Duration::from_hours(24 * 101));
    let operator = operator(&node, |config| config.purge_batch(2));
    let purged = operator.purge().await.unwrap();
    assert_eq!((purged.sessions, purged.revocations), (3, 0));
    assert_eq!(operator.purge().await.unwrap().sessions, 0);
}

/// Security §5.2: the database's own findings are among an operator's, the worst first.
#[tokio::test]
async fn the_worst_finding_is_the_first() {
    let node = Node::new().await;
    let of = |severity| Finding::new(severity, "fsync", "commits may be lost");
    let (notice, danger) = (of(Severity::Notice), of(Severity::Danger));
    node.store.set_findings([notice.clone(), danger.clone()]);
    let found = operator(&node, with_defaults).findings().await.unwrap();
    assert_eq!(subjects(&found)[1], "warning keys in the clear");
    assert_eq!((&found[0], &found[2]), (&danger, &notice));
}

fn subjects(findings: &[Finding]) -> Vec<String> {
    let in_words = |finding: &Finding| format!("{} {}", finding.severity(), finding.subject());
    findings.iter().map(in_words).collect()
}
