//! No statement of the store reads a whole table, however many sessions there are.

use std::time::Duration;

use databases::Filling;
use session_core::store::{
    RevocationCursor, Rotated, SessionRecord, SessionScope, SessionStore, Updated,
};
use session_sqlx::{ConnectOptions, MySqlPool, PgPool, Plan, SqlitePool, SqlxStore};
use session_testkit::store::records::{
    NOW_MS, RETENTION, all_of, create, named, rotation_of, session_of, tenant,
};
use sqlx::{AssertSqlSafe, Row, mysql::MySqlPoolOptions, postgres::PgPoolOptions};
use tempfile::TempDir;

use crate::{
    files::url_in,
    servers::{Database, Opening, PATIENCE, Server},
};

const FILLING: Filling = Filling {
    sessions: 20_000,
    revocations: 4_000,
    expired: 500,
    now_ms: NOW_MS,
};

/// H16, J6: every statement goes by an index, and a page of a list is read in the index's order.
#[tokio::test(flavor = "multi_thread")]
async fn no_statement_on_a_server_reads_a_whole_table() {
    for server in Server::ALL {
        let database = Database::on(server);
        let store = filled(&database, database.options().await).await;
        let plans = store.plans(&one_of(&store, "user-20").await).await.unwrap();
        assert_none(&plans, &[], |step| match server {
            Server::Postgres => step.contains("Seq Scan on session_"),
            Server::MySql => ["session", "known"].iter().any(|table| {
                step.starts_with(table) && (step.contains(", ALL") || step.contains(", index"))
            }),
        });
        database.run(ONE_HAS_NEARLY_ALL).await;
        database.run(Filling::look(server)).await;
        let plans = store.plans(&one_of(&store, "heavy").await).await.unwrap();
        assert_none(&plans, IN_ORDER, |step| match server {
            Server::Postgres => step.contains("Sort"),
            Server::MySql => step.contains("Using filesort"),
        });
    }
}

/// H16, J6: the same on SQLite, whether or not somebody has let it look at its tables.
#[tokio::test(flavor = "multi_thread")]
async fn no_statement_on_a_file_reads_a_whole_table() {
    let folder = TempDir::new().unwrap();
    let options = ConnectOptions::new(url_in(&folder)).timeout(PATIENCE);
    let store = SqlxStore::connect_with(options).await.unwrap();
    let pool = SqlitePool::connect(&url_in(&folder)).await.unwrap();
    let filling = AssertSqlSafe(FILLING.script_for_sqlite());
    sqlx::raw_sql(filling).execute(&pool).await.unwrap();
    for look in ["", "ANALYZE"] {
        sqlx::raw_sql(look).execute(&pool).await.unwrap();
        // Anew, so that its connections know what was found.
        let options = ConnectOptions::new(url_in(&folder)).timeout(PATIENCE);
        let store_now = SqlxStore::connect_with(options).await.unwrap();
        let example = one_of(&store, "user-20").await;
        let plans = store_now.plans(&example).await.unwrap();
        assert_none(&plans, &[], |step| {
            step.starts_with("SCAN session_") || step.contains("ANY(")
        });
        assert_none(&plans, IN_ORDER, |step| step.contains("TEMP B-TREE"));
    }
}

/// H16: nor does PostgreSQL when it plans a statement once for whatever values come, which it does
/// for those that run often.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_any_value_reads_no_whole_table() {
    let database = Database::on(Server::Postgres);
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(|connection, _| {
            let set = sqlx::raw_sql("SET plan_cache_mode = force_generic_plan");
            Box::pin(async move { set.execute(connection).await.map(drop) })
        })
        .connect(&database.url().await)
        .await
        .unwrap();
    let options = ConnectOptions::over(PgPool::clone(&pool)).timeout(PATIENCE);
    let store = filled(&database, options).await;
    let whole_reads = async || {
        let flush = sqlx::raw_sql("SELECT pg_stat_force_next_flush()");
        flush.execute(&pool).await.unwrap();
        let count = "SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables \
                     WHERE relname IN ('session_sessions', 'session_revocations')";
        database.ask(count).await
    };
    let before = whole_reads().await;
    for (name, operation) in OPERATIONS {
        run(&store, operation).await;
        assert_eq!(whole_reads().await, before, "{name}");
    }
}

/// H16, J6: no operation on MariaDB reads more rows than it is about, also where one user has nearly
/// all sessions and a page far on is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_reads_no_more_rows_than_it_is_about() {
    let database = Database::on(Server::MySql);
    let pool = MySqlPoolOptions::new()
        .max_connections(1)
        .after_connect(|connection, _| {
            let set = sqlx::raw_sql("SET SESSION sql_mode = 'STRICT_ALL_TABLES'");
            Box::pin(async move { set.execute(connection).await.map(drop) })
        })
        .connect(&database.url().await)
        .await
        .unwrap();
    let options = ConnectOptions::over(MySqlPool::clone(&pool)).timeout(PATIENCE);
    let store = filled(&database, options).await;
    database.run(ONE_HAS_NEARLY_ALL).await;
    for (name, operation) in OPERATIONS {
        let before = rows_read(&pool).await;
        run(&store, operation).await;
        let read = rows_read(&pool).await - before;
        assert!(read < 1_000, "{name}: {read} rows");
    }
}

/// H16: what earlier batches deleted does not slow down the next one, although MariaDB keeps it until
/// nobody can see it any more, and whoever may change rows steps over it one by one.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_does_not_stumble_over_what_was_purged() {
    let database = Database::on(Server::MySql);
    let store = filled(&database, database.options().await).await;
    let pool = MySqlPool::connect(&database.url().await).await.unwrap();
    let mut reader = pool.acquire().await.unwrap();
    sqlx::raw_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT; SELECT 1 FROM session_sessions")
        .execute(&mut *reader)
        .await
        .unwrap();
    let plans = store.plans(&one_of(&store, "user-20").await).await.unwrap();
    let looks = |plan: &&Plan| {
        plan.operation().starts_with("purge") && plan.statement().ends_with("LIMIT ?")
    };
    let looks: Vec<&Plan> = plans.iter().filter(looks).collect();
    assert_eq!(looks.len(), 2);
    let mut before = Vec::new();
    for look in &looks {
        before.push(pages_read(&pool, look).await);
    }
    for _ in 0..20 {
        let purged = store.purge_expired(NOW_MS, 20).await.unwrap();
        assert_eq!((purged.sessions, purged.revocations), (20, 20));
    }
    for (look, before) in looks.iter().zip(before) {
        let mut after = pages_read(&pool, look).await;
        // While another test's transaction is open on the same server, older than what was purged,
        // every reader has to look at each row as well.
        for _ in 0..150 {
            if after < before + 20 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            after = pages_read(&pool, look).await;
        }
        assert!(after < before + 20, "{before}, then {after}: {look:?}");
    }
}

/// How many pages it takes to carry out a statement whose parameters are the time and the limit.
async fn pages_read(pool: &MySqlPool, plan: &Plan) -> u64 {
    let statement = plan.statement().replacen('?', &NOW_MS.to_string(), 1);
    let question = format!("ANALYZE FORMAT=JSON {}", statement.replacen('?', "20", 1));
    // As the store's own transactions are.
    let mut connection = pool.acquire().await.unwrap();
    sqlx::raw_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        .execute(&mut *connection)
        .await
        .unwrap();
    let answer: String = sqlx::query_scalar(AssertSqlSafe(question))
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let (_, rest) = answer.split_once(r#""pages_accessed": "#).unwrap();
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next();
    digits.unwrap().parse().unwrap()
}

async fn rows_read(pool: &MySqlPool) -> i64 {
    let counters = sqlx::query("SHOW SESSION STATUS LIKE 'Handler_read%'")
        .fetch_all(pool)
        .await
        .unwrap();
    let values = counters.iter().map(|row| row.get::<String, _>("Value"));
    values.map(|value| value.parse::<i64>().unwrap()).sum()
}

/// What a node does all day.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Create,
    Get,
    Rotate,
    Update,
    ListOfUser,
    ListOfTenant,
    ListFurtherOn,
    ListHandles,
    RevokeHandles,
    RevokeUser,
    RevokeTenant,
    RevocationsSince,
    Purge,
}

const OPERATIONS: [(&str, Operation); 13] = [
    ("create", Operation::Create),
    ("get", Operation::Get),
    ("rotate", Operation::Rotate),
    ("update", Operation::Update),
    ("list of a user", Operation::ListOfUser),
    ("list of a tenant", Operation::ListOfTenant),
    ("list further on", Operation::ListFurtherOn),
    ("list handles", Operation::ListHandles),
    ("revoke handles", Operation::RevokeHandles),
    ("revoke a user's", Operation::RevokeUser),
    ("revoke a tenant's", Operation::RevokeTenant),
    ("revocations since", Operation::RevocationsSince),
    ("purge", Operation::Purge),
];

/// On a new session, on those of `user-20`, and on those of another tenant.
async fn run(store: &SqlxStore, operation: Operation) {
    let there = session_of("new", "there");
    let public = SessionScope::Tenant(there.tenant.clone());
    match operation {
        Operation::Create => create(store, &there).await,
        Operation::Get => drop(store.get(&there.handle).await.unwrap()),
        Operation::Rotate => {
            let rotated = store.rotate(&rotation_of(&there)).await.unwrap();
            assert_eq!(rotated, Rotated::Rotated);
        }
        Operation::Update => {
            let updated = store.update_payload(&there.handle, 0, "{}").await.unwrap();
            assert_eq!(updated, Updated::Updated);
            let updated = store.update_data(&there.handle, "{}").await.unwrap();
            assert_eq!(updated, Updated::Updated);
        }
        Operation::ListOfUser => {
            let of_user = all_of("user-20");
            let page = store.list(&of_user, NOW_MS, None, 20).await.unwrap();
            assert!(page.len() > 15);
        }
        Operation::ListOfTenant => {
            let page = store.list(&public, NOW_MS, None, 20).await.unwrap();
            assert_eq!(page.len(), 20);
        }
        Operation::ListFurtherOn => {
            for scope in [all_of("heavy"), public] {
                let after = session_of("new", "zz");
                let after = SessionRecord {
                    created_at_ms: NOW_MS - 600_000,
                    ..after
                };
                let page = store.list(&scope, NOW_MS, Some(&after), 20).await.unwrap();
                assert!(page.len() < 20, "it is the last one");
            }
        }
        Operation::ListHandles => {
            let here = named(&["there", "nowhere"]);
            let page = store.list(&here, NOW_MS, None, 20).await.unwrap();
            assert_eq!(page.len(), 1);
        }
        Operation::RevokeHandles => {
            let revoked = store.revoke(&named(&["there"]), RETENTION).await.unwrap();
            assert_eq!(revoked.len(), 1);
        }
        Operation::RevokeUser => {
            let revoked = store.revoke(&all_of("user-20"), RETENTION).await.unwrap();
            assert!(revoked.len() > 15);
        }
        Operation::RevokeTenant => {
            let tenant = SessionScope::Tenant(tenant("tenant-30"));
            let revoked = store.revoke(&tenant, RETENTION).await.unwrap();
            assert!(revoked.len() > 15);
        }
        Operation::RevocationsSince => {
            let page = store.revocations_since(RevocationCursor::default(), NOW_MS, 20);
            assert!(page.await.unwrap().more);
        }
        Operation::Purge => {
            let purged = store.purge_expired(NOW_MS, 20).await.unwrap();
            assert_eq!((purged.sessions, purged.revocations), (20, 20));
        }
    }
}

/// The operations that read a part of an index in its order; of all, where none is named.
const IN_ORDER: &[&str] = &["list by user", "list by tenant", "purge"];

/// No step of these operations' plans is like this. A table of keys has a handful of rows, so what is
/// done with it does not count.
fn assert_none(plans: &[Plan], operations: &[&str], is_like_this: impl Fn(&str) -> bool) {
    let mut judged = 0;
    for plan in plans {
        let named = |name: &&str| plan.operation().starts_with(*name);
        let counts = operations.is_empty() || operations.iter().any(named);
        if !counts || plan.statement().contains("session_keys") {
            continue;
        }
        judged += 1;
        assert!(!plan.steps().is_empty(), "{plan:#?}");
        let steps = plan.steps();
        assert!(!steps.iter().any(|step| is_like_this(step)), "{plan:#?}");
    }
    assert!(judged >= 6, "{plans:#?}");
}

const ONE_HAS_NEARLY_ALL: &str =
    "UPDATE session_sessions SET user_id = 'heavy' WHERE tenant = 'public'";

async fn filled(database: &Database, options: ConnectOptions) -> SqlxStore {
    let store = SqlxStore::connect_with(options).await.unwrap();
    database.run(&FILLING.script(database.server())).await;
    store
}

async fn one_of(store: &SqlxStore, user: &str) -> SessionRecord {
    let sessions = store.list(&all_of(user), NOW_MS, None, 20).await.unwrap();
    sessions.first().unwrap().clone()
}
