//! Following the list of revocations on a server: gaps between numbers, round trips.

use session_core::store::{RevocationCursor, SessionStore};
use session_testkit::store::records::{
    NOW_MS, RETENTION, all_revocations, create, named, names, session,
};

use crate::{
    proxy::Proxy,
    servers::{Database, Opening, Server},
};

/// A large list that two numbers in five are missing from is read to its end in pages as long as a
/// service's, and what comes next is heard.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_list_full_of_gaps_is_read_to_its_end() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = database.store().await;
        record(&database, 4_000, "% 5 < 3").await;
        let (all, mut cursor) = all_revocations(&store, RevocationCursor::default(), 1_000).await;
        assert_eq!(all.len(), 2_400);
        for name in ["one", "two"] {
            create(&store, &session(name)).await;
            store.revoke(&named(&[name]), RETENTION).await.unwrap();
            let (heard, next) = all_revocations(&store, cursor, 1_000).await;
            assert!(names(&heard).contains(&name.to_owned()));
            cursor = next;
        }
    }
}

/// However many numbers are missing, a poll is a few questions and not one for each.
#[tokio::test(flavor = "multi_thread")]
async fn a_poll_is_a_few_questions() {
    for server in Server::ALL {
        let database = Database::on(server);
        let url = database.url().await;
        let proxy = Proxy::before(&url).await;
        let store = proxy.store(&url).await;
        record(&database, 100, "% 2 = 0").await;
        let mut cursor = RevocationCursor::default();
        for _ in 0..2 {
            (_, cursor) = all_revocations(&store, cursor, 1_000).await;
        }
        let before = proxy.asked();
        let page = store
            .revocations_since(cursor, NOW_MS, 1_000)
            .await
            .unwrap();
        assert!(!page.more);
        let questions = proxy.asked() - before;
        assert!((1..=5).contains(&questions), "{questions}");
    }
}

/// Records with the numbers up to `most` for which the condition holds.
async fn record(database: &Database, most: u32, condition: &str) {
    let (overriding, numbers) = match database.server() {
        Server::Postgres => (
            "OVERRIDING SYSTEM VALUE",
            format!("generate_series(1, {most}) AS list (seq)"),
        ),
        Server::MySql => ("", format!("seq_1_to_{most}")),
    };
    let expires_at_ms = NOW_MS + 1;
    database
        .run(&format!(
            "INSERT INTO session_revocations (number, handle, expires_at_ms) {overriding} \
             SELECT seq, concat('old-', seq), {expires_at_ms} FROM {numbers} \
             WHERE seq {condition}"
        ))
        .await;
    if database.server() == Server::Postgres {
        database
            .run("SELECT setval(pg_get_serial_sequence('session_revocations', 'number'), 10000)")
            .await;
    }
}
