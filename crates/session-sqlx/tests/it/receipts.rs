//! Waiting until every node on a database knows of a revocation. The tests print how long it takes.

use std::time::Duration;

use session_core::{
    AppInfo, IssuedSession, NewSession, NodeName, Session, SessionError, Sessions, UserId,
    VerifyOptions, store::SessionStore, verify::PresentedAntiCsrf,
};
use session_sqlx::{ConnectOptions, SqlxStore};
use session_testkit::faulty_store::{Fault, FaultyStore, Operation};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    files::url_in,
    servers::{Database, Opening, PATIENCE, Server},
};

/// Design §7, INV-2: when a receipt says everywhere, the other node refuses the session without
/// asking the database.
#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_that_the_other_node_has_heard() {
    for place in Place::ALL {
        let place = place();
        let here = node("here", place.store().await, STALE).await;
        let asked = FaultyStore::new(place.store().await);
        let there = node("there", asked.clone(), STALE).await;
        let name = place.name();
        for round in 0..5 {
            let issued = log_in(&here).await;
            let began = Instant::now();
            let handle = issued.session().handle();
            let receipt = here.revoke_and_wait(handle, PATIENCE).await.unwrap();
            println!(
                "{name}, round {round}: everywhere after {:?}",
                began.elapsed()
            );
            assert!(receipt.confirmation().is_complete(), "{name}: {receipt:?}");
            let reads = asked.calls(Operation::Get);
            let refused = look(&there, &issued).await;
            assert!(matches!(refused, Err(SessionError::Unauthorised(_))));
            assert_eq!(asked.calls(Operation::Get), reads, "{name}");
        }
        there.shutdown().await;
        here.shutdown().await;
    }
}

/// Design §7: a node that cannot hear of revocations is named, and asks the database.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_feed_is_held_back_is_named() {
    for place in Place::ALL {
        let place = place();
        let name = place.name();
        let here = node("here", place.store().await, STALE).await;
        let held_back = FaultyStore::new(place.store().await);
        held_back.break_with(Operation::RevocationsSince, Fault::Unavailable);
        let there = node("there", held_back.clone(), STALE).await;
        let issued = log_in(&here).await;
        let handle = issued.session().handle();
        let short = Duration::from_secs(3);
        let receipt = here.revoke_and_wait(handle, short).await.unwrap();
        let missing = receipt.confirmation().missing();
        let missing: Vec<&str> = missing.iter().map(NodeName::as_str).collect();
        assert!(missing.contains(&"there"), "{name}: {missing:?}");
        assert!(look(&there, &issued).await.is_err(), "{name}");

        held_back.repair();
        let heard = here.confirm_everywhere(PATIENCE).await;
        assert!(heard.is_complete(), "{name}: {heard:?}");
        there.shutdown().await;
        here.shutdown().await;
    }
}

/// Design §7: a node that ended without leaving is waited for until its lease is over, and no longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_died_is_not_waited_for_beyond_its_lease() {
    let database = Database::on(Server::Postgres);
    let fresh = Duration::from_secs(1);
    let here = node("here", database.store().await, fresh).await;
    let silent = FaultyStore::new(database.store().await);
    silent.break_with(Operation::Leave, Fault::Unavailable);
    node("dead", silent, fresh).await.shutdown().await;

    let began = Instant::now();
    let missing = here.confirm_everywhere(Duration::from_millis(300)).await;
    let missing: Vec<&str> = missing.missing().iter().map(NodeName::as_str).collect();
    assert!(missing.contains(&"dead"), "{missing:?}");
    let confirmed = here.confirm_everywhere(PATIENCE).await;
    println!("a dead node was waited for for {:?}", began.elapsed());
    assert!(confirmed.is_complete(), "{confirmed:?}");
    here.shutdown().await;
}

/// A database that several nodes can open.
enum Place {
    File(TempDir),
    On(Database),
}

impl Place {
    const ALL: [fn() -> Self; 3] = [
        || Self::File(TempDir::new().unwrap()),
        || Self::On(Database::on(Server::Postgres)),
        || Self::On(Database::on(Server::MySql)),
    ];

    fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "SQLite",
            Self::On(database) => match database.server() {
                Server::Postgres => "PostgreSQL",
                Server::MySql => "MySQL",
            },
        }
    }

    async fn store(&self) -> SqlxStore {
        match self {
            Self::File(folder) => {
                let options = ConnectOptions::new(url_in(folder)).timeout(PATIENCE);
                SqlxStore::connect_with(options).await.unwrap()
            }
            Self::On(database) => database.store().await,
        }
    }
}

async fn node(name: &str, store: impl SessionStore, max_staleness: Duration) -> Sessions {
    let app = AppInfo::new("https://api.example.com", "https://example.com");
    let builder = Sessions::builder(app).store(store);
    let builder = builder.config(|config| {
        let config = config.node_name(name).store_timeout(PATIENCE);
        config.max_staleness(max_staleness)
    });
    builder.build().await.unwrap()
}

async fn log_in(node: &Sessions) -> IssuedSession {
    let ann = UserId::try_from("ann").unwrap();
    node.create(NewSession::new(ann)).await.unwrap()
}

async fn look(node: &Sessions, issued: &IssuedSession) -> Result<Session, SessionError> {
    let token = issued.tokens().access_token().expose();
    let blacklist = VerifyOptions::new().check_blacklist(true);
    node.verify(token, PresentedAntiCsrf::NotChecked, &blacklist)
        .await
}

/// So long that a busy machine makes no set stale.
const STALE: Duration = Duration::from_mins(1);
