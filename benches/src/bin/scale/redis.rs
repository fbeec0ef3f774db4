//! Redis as the store, filled through it.

use std::{sync::Arc, time::Duration};

use bench::{
    clock::now_ms,
    records::{DAY_MS, handle, session},
};
use databases::{Filling, redis_address, unused_name};
use redis::aio::MultiplexedConnection;
use session_core::{
    SessionHandle,
    store::{Created, Retention, SessionRecord, SessionScope, SessionStore},
};
use session_redis::{ConnectOptions, RedisStore};
use tokio::task::JoinSet;

use crate::{Extent, pages::Store, workload};

pub(crate) async fn on_a_server(extent: Extent) -> Store {
    let mut figures = Store::named("Redis");
    figures.about = about().await;
    for &sessions in extent.sizes {
        eprintln!("{sessions} sessions");
        let prefix = unused_name();
        let options = ConnectOptions::new(redis_address())
            .prefix(&prefix)
            .timeout(PATIENCE);
        let store = Arc::new(RedisStore::connect_with(options).await.unwrap());
        let filling = Filling {
            sessions,
            revocations: sessions / 10,
            expired: workload::expired(extent.samples),
            now_ms: now_ms(),
        };
        fill(&store, filling).await;
        figures.add(workload::run(&*store, filling, extent.samples).await);
        // So that the next one is measured on a server that holds no more than it says.
        remove(&prefix).await;
    }
    figures
}

async fn about() -> String {
    let mut server = server().await;
    let mut ask = redis::cmd("INFO");
    let information: String = ask.arg("server").query_async(&mut server).await.unwrap();
    let version = information
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"))
        .unwrap();
    let mut ask = redis::cmd("CONFIG");
    let setting = ask.arg("GET").arg("appendfsync").query_async(&mut server);
    let (name, value): (String, String) = setting.await.unwrap();
    format!("{version}, as the store, `{name} {value}`. All users are in one tenant.")
}

async fn remove(prefix: &str) {
    let mut server = server().await;
    let mut cursor = 0_u64;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("*{prefix}*"));
        let page = scan.arg("COUNT").arg(10_000).query_async(&mut server);
        let (next, keys): (u64, Vec<String>) = page.await.unwrap();
        if !keys.is_empty() {
            let mut unlink = redis::cmd("UNLINK");
            let removed = unlink.arg(keys).query_async::<u64>(&mut server);
            removed.await.unwrap();
        }
        if next == 0 {
            return;
        }
        cursor = next;
    }
}

async fn server() -> MultiplexedConnection {
    let client = redis::Client::open(redis_address()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

async fn fill(store: &Arc<RedisStore>, filling: Filling) {
    let Filling {
        sessions,
        revocations,
        expired,
        now_ms,
    } = filling;
    let users = filling.users();
    let step = 90 * DAY_MS / i64::from(sessions + expired);
    create(store, "s", sessions + expired, move |number, row| {
        let created_at_ms = now_ms - 90 * DAY_MS + i64::from(number) * step;
        let user = Filling::user(number % users);
        let is_expired = number < expired;
        *row = session(row.handle.clone(), user, created_at_ms);
        if is_expired {
            row.expires_at_ms = now_ms - 1 - i64::from(number);
        }
    })
    .await;
    create(store, "r", revocations + expired, move |number, row| {
        let is_expired = number < expired;
        let hour = if is_expired { -HOUR_MS } else { HOUR_MS };
        row.access_expires_at_ms = now_ms + hour + i64::from(number);
    })
    .await;
    let handles: Vec<SessionHandle> = (0..revocations + expired)
        .map(|number| handle("r", number))
        .collect();
    let retention = Retention {
        skew: Duration::ZERO,
        at_least_until_ms: i64::MIN,
    };
    for some in handles.chunks(1_000) {
        let scope = SessionScope::Handles(some.to_vec());
        let revoked = store.revoke(&scope, retention).await.unwrap();
        assert_eq!(revoked.len(), some.len());
    }
}

/// Many at a time, which the server writes to its log together.
async fn create(
    store: &Arc<RedisStore>,
    kind: &'static str,
    count: u32,
    change: impl Fn(u32, &mut SessionRecord) + Copy + Send + 'static,
) {
    let mut tasks = JoinSet::new();
    for first in 0..TASKS {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for number in (first..count).step_by(usize::try_from(TASKS).unwrap()) {
                let user = "revoked".to_owned();
                let mut row = session(handle(kind, number), user, now_ms());
                change(number, &mut row);
                let created = store.create(&row).await.unwrap();
                assert_eq!(created, Created::Created);
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

const TASKS: u32 = 256;
const HOUR_MS: i64 = 3_600_000;
const PATIENCE: Duration = Duration::from_mins(10);
