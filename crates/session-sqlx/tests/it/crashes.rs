//! A PostgreSQL server of a test's own that crashes with transactions that are not on its disk.

use std::process::Command;

use servers::{Kind, OwnServer};
use session_core::store::{RevocationCursor, SessionStore};
use session_sqlx::{ConnectOptions, PgPool, SqlxStore};
use session_testkit::store::records::{RETENTION, all_revocations, create, named, names, session};
use sqlx::AssertSqlSafe;
use tokio::time;

use crate::servers::PATIENCE;

/// H17: the machine goes down, and the server counts transactions again that nobody had waited for.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_are_counted_again_after_a_crash_are_read() {
    let mut server = OwnServer::start(Kind::Postgres).unwrap();
    let followed = Followed::on(&server).await;
    server.kill().unwrap();
    signal("KILL", followed.writer);
    server.start_again().unwrap();
    followed.misses_nothing().await;
}

/// H17: one process of the server dies, and the server, which goes on by itself, counts transactions
/// again that nobody had waited for.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_that_are_counted_again_when_a_process_crashed_are_read() {
    let server = OwnServer::start(Kind::Postgres).unwrap();
    let followed = Followed::on(&server).await;
    let mut spared = followed.pool.acquire().await.unwrap();
    let victim = PgPool::connect(server.url()).await.unwrap();
    signal(
        "KILL",
        number(&victim, "SELECT pg_backend_pid()::bigint").await,
    );
    // The server ends all connections before it begins anew, and takes new ones when it has.
    let ended = async {
        let asleep = "SELECT pg_sleep(0.1)";
        while sqlx::raw_sql(asleep).execute(&mut *spared).await.is_ok() {}
    };
    time::timeout(PATIENCE, ended).await.unwrap();
    drop(spared);
    signal("KILL", followed.writer);
    followed.misses_nothing().await;
}

/// A list that was read to its end when the server had counted transactions that are not on its disk.
struct Followed {
    /// The process that writes for all, which stands still.
    writer: i64,
    pool: PgPool,
    store: SqlxStore,
    cursor: RevocationCursor,
}

impl Followed {
    async fn on(server: &OwnServer) -> Self {
        let pool = PgPool::connect(server.url()).await.unwrap();
        let options = ConnectOptions::new(server.url()).timeout(PATIENCE);
        let store = SqlxStore::connect_with(options).await.unwrap();
        create(&store, &session("one")).await;
        // Nobody else writes what has not been waited for.
        let writer = "SELECT pid::bigint FROM pg_stat_activity WHERE backend_type = 'walwriter'";
        let writer = number(&pool, writer).await;
        signal("STOP", writer);
        count_transactions(&pool, 100).await;
        let (_, cursor) = all_revocations(&store, RevocationCursor::default(), 9).await;
        Self {
            writer,
            pool,
            store,
            cursor,
        }
    }

    async fn misses_nothing(self) {
        let revoked = self.store.revoke(&named(&["one"]), RETENTION).await;
        assert_eq!(revoked.unwrap().len(), 1);
        let written_by = "SELECT written_by::text::bigint FROM session_revocations";
        let written_by = number(&self.pool, written_by).await;
        let horizon = self.cursor.0.get(1).copied().unwrap().cast_signed();
        assert!(written_by < horizon, "it was not counted again");
        count_transactions(&self.pool, 200).await;
        let (heard, _) = all_revocations(&self.store, self.cursor, 9).await;
        assert_eq!(names(&heard), ["one"]);
    }
}

/// Transactions that write nothing and that nobody waits for.
async fn count_transactions(pool: &PgPool, count: u32) {
    let counted = format!(
        "DO $$ BEGIN FOR one IN 1..{count} LOOP PERFORM pg_current_xact_id(); ROLLBACK; END LOOP; \
         END $$"
    );
    sqlx::raw_sql(AssertSqlSafe(counted))
        .execute(pool)
        .await
        .unwrap();
}

async fn number(pool: &PgPool, question: &'static str) -> i64 {
    let answer = sqlx::query_scalar(question).fetch_one(pool);
    answer.await.unwrap()
}

fn signal(signal: &str, process: i64) {
    let sent = Command::new("kill")
        .args(["-s", signal, &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}
