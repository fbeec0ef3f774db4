//! A database that a later version has changed, while nodes of this one go on.

use std::sync::Arc;

use databases::{Database, Server};
use history::{Check, History, Reply};
use nodes::{Fleet, Habits, Load, Node, until};

use crate::ground::{NEVER_AWAY, dice, log_in, quick};

/// H14: what a later version may do to PostgreSQL disturbs no node that is running, and one that
/// starts afterwards refuses to, and says why.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_go_on_when_a_later_version_has_changed_postgres() {
    go_on(Server::Postgres).await;
}

/// H14: nor what it may do to MariaDB.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_go_on_when_a_later_version_has_changed_mariadb() {
    go_on(Server::MySql).await;
}

async fn go_on(server: Server) {
    let database = Database::on(server);
    let settings = quick(&database.url().await).with("--timeout-ms=20000");
    let fleet = Fleet::start([settings.clone(), settings.clone()]).await;
    fleet.until_well().await;
    let history = Arc::new(History::default());
    let mut kept = log_in(fleet.at(0), "kept", &history).await;
    let mut dice = dice(&format!("a later version on {server:?}"));
    let load = Load::start(4, Habits::OneTab, fleet.places(), &history, &mut dice);
    let at_work = async || {
        let before = history.refreshes();
        let is_so = async || history.refreshes() > before + 20;
        until("clients are at work", is_so).await;
    };
    at_work().await;
    for table in ["session_sessions", "session_keys", "session_revocations"] {
        let add = format!("ALTER TABLE {table} ADD COLUMN later INTEGER");
        database.run(&add).await;
        at_work().await;
    }
    let record = "INSERT INTO session_schema (version) VALUES (99)";
    database.run(record).await;
    at_work().await;
    load.stop().await;

    for node in 0..2 {
        for check in [Check::Stateless, Check::Blacklist, Check::Database] {
            let told = kept.try_use(fleet.at(node), check, &history).await;
            assert_eq!(told, Reply::Done, "{check:?}");
        }
        let told = kept.refresh(fleet.at(node), &history).await;
        assert!(matches!(told, Reply::Successor(_)), "{told:?}");
    }
    assert_eq!(history.failures(), 0, "requests failed");
    history.assert_consistent(&NEVER_AWAY, "the schema was changed");
    let refusal = Node::refusal(&settings).await;
    assert!(refusal.contains("SchemaTooNew"), "{refusal}");
    fleet.assert_no_panic();
}
