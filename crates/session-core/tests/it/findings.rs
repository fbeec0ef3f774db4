//! What is wrong with the database, and who is told.

use session_core::finding::{Finding, Severity};

use crate::{
    faulty_store::{Fault, FaultyStore, Op},
    logs::logged,
    node::Node,
};

/// Security §5.2, K2: what is wrong with the database is said once at the start, the worse as a
/// warning, and a value that the database made up starts no line of its own.
#[tokio::test]
async fn what_is_wrong_with_the_database_is_logged_at_the_start() {
    let store = FaultyStore::new();
    store.set_findings([
        Finding::new(Severity::Danger, "fsync", "commits may be lost")
            .with_value("off\nWARN \u{1b}[31m"),
        Finding::new(
            Severity::Notice,
            "synchronous_commit",
            "each commit says otherwise",
        ),
    ]);
    let node = Node::with(store, |builder| builder).await;
    let log = logged();
    let lines_about =
        |what: &str| -> Vec<&str> { log.lines().filter(|line| line.contains(what)).collect() };
    let danger = lines_about("commits may be lost");
    assert_eq!(danger.len(), 1, "{log}");
    assert!(danger[0].contains("WARN") && danger[0].contains("danger"));
    assert!(!log.contains('\u{1b}'));
    let notice = lines_about("each commit says otherwise");
    assert!(notice.len() == 1 && notice[0].contains("INFO"), "{log}");
    assert_eq!(node.store.calls(Op::Findings), 1);
}

/// A database that does not tell its settings, or does not answer, keeps no service from starting.
#[tokio::test]
async fn a_database_that_tells_nothing_of_itself_is_logged() {
    for fault in [Fault::Fail, Fault::Panic] {
        let store = FaultyStore::new();
        store.put(Op::Findings, fault);
        let node = Node::with(store, |builder| builder).await;
        assert!(logged().contains("settings could not be read"));
        drop(node.log_in("ann").await);
    }
}
