//! Opening a store: what is refused, and what is warned about.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use session_core::{
    AppInfo, Sessions,
    finding::Finding,
    store::{KeyInserted, Rotated, SessionStore},
};
use session_redis::{ConnectError, ConnectOptions, RedisFeed, RedisStore};
use session_testkit::store::records::{
    NOW_MS, RETENTION, create, key, named, rotation_of, session,
};
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    own_server::{DURABLE, OwnServer, in_the_end, until},
    shared_server::{options, unused_prefix},
};

/// I8: a server that may delete what it was told to keep is warned about, in the log of the service
/// that starts on it and to whoever asks.
#[tokio::test]
async fn an_evicting_server_is_warned_about() {
    for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
        let settings = format!("{DURABLE}maxmemory-policy {policy}\n");
        let server = OwnServer::start(&settings).await;
        let store = server.store().await;
        assert_eq!(said(&store).await, [format!("maxmemory-policy {policy}")]);
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
        let _listening = tracing::subscriber::set_default(subscriber);
        // Beside an SQL database's, this store is behind another one, which hides nothing.
        let feed = RedisFeed::new(server.options()).unwrap();
        let app = AppInfo::new("https://api.example.com", "https://example.com");
        let sessions = Sessions::builder(app).store(feed.announcing(store));
        let sessions = sessions.build().await.unwrap();
        until(async || log.text().contains(policy)).await;
        assert!(log.text().contains("WARN"), "{}", log.text());
        sessions.shutdown().await;
    }
}

/// I8: nothing of ours expires by itself, so a policy about what does takes nothing.
#[tokio::test]
async fn a_server_that_keeps_everything_is_not_warned_about() {
    for policy in ["noeviction", "volatile-lru", "volatile-ttl"] {
        let server = OwnServer::start(&format!("{DURABLE}maxmemory-policy {policy}\n")).await;
        create(&server.store().await, &session("one")).await;
        assert!(said(&server.store().await).await.is_empty());
        let info: String = server.run("INFO keyspace").await;
        assert!(info.contains("expires=0"), "{info}");
    }
}

/// Acknowledged means durable: a server that does not wait for the disk is warned about, and so is
/// one that does not tell.
#[tokio::test]
async fn a_server_that_does_not_wait_for_the_disk_is_warned_about() {
    for (settings, expected) in [
        ("", "appendonly no"),
        ("appendonly yes\n", "appendfsync everysec"),
        ("appendonly yes\nappendfsync no\n", "appendfsync no"),
        (
            "appendonly yes\nappendfsync always\nrename-command CONFIG \"\"\n",
            "appendfsync untold",
        ),
    ] {
        let server = OwnServer::start(settings).await;
        assert_eq!(said(&server.store().await).await, [expected]);
    }
}

/// What is found about a server: each setting and its value.
async fn said(store: &RedisStore) -> Vec<String> {
    let findings = store.findings().await.unwrap().into_iter();
    let in_words = |finding: Finding| {
        let value = finding.value().unwrap_or("untold");
        format!("{} {value}", finding.subject())
    };
    findings.map(in_words).collect()
}

/// What makes no sense is refused before anything is sent.
#[tokio::test]
async fn a_setting_without_sense_is_refused() {
    let opened = |options| async { RedisStore::connect_with(options).await.unwrap_err() };
    for address in ["", "localhost", "postgres://localhost", "redis://"] {
        let refused = opened(ConnectOptions::new(address)).await;
        assert!(matches!(refused, ConnectError::Address(_)), "{address}");
    }
    for prefix in ["", "A", "{", "}", "a b", "\u{e4}", &"a".repeat(33)] {
        let refused = opened(options(prefix)).await;
        assert!(matches!(refused, ConnectError::UnusablePrefix), "{prefix}");
    }
    let zero = Duration::ZERO;
    for refused in [options("a").timeout(zero), options("a").poll_every(zero)] {
        assert!(matches!(
            opened(refused).await,
            ConnectError::ZeroSetting(_)
        ));
    }
}

/// A server that is not there is an error in time, and the error names no password.
#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    let nobody = ConnectOptions::new("redis://:hunter2@127.0.0.1:1/0");
    assert!(!format!("{nobody:?}").contains("hunter2"));
    let refused = RedisStore::connect_with(nobody).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Server(_)));
    assert!(!format!("{refused:?}").contains("hunter2"));
}

/// C4: applications that share a server do not see each other's sessions.
#[tokio::test]
async fn another_prefix_is_another_store() {
    let prefix = unused_prefix();
    let one = RedisStore::connect_with(options(&prefix)).await.unwrap();
    let longer = format!("{prefix}:s");
    let other = RedisStore::connect_with(options(&longer)).await.unwrap();
    let row = session("one");
    create(&one, &row).await;
    assert!(other.get(&row.handle).await.unwrap().is_none());
    create(&other, &row).await;
}

/// On a node of a cluster, every script finds its keys in one hash slot.
#[tokio::test]
async fn a_cluster_keeps_the_keys_together() {
    let server = OwnServer::start(&format!("{DURABLE}cluster-enabled yes\n")).await;
    let () = server.run("CLUSTER ADDSLOTSRANGE 0 16383").await;
    let store = in_the_end(async || RedisStore::connect_with(server.options()).await).await;
    for name in ["{one}", "two{", "}three"] {
        let row = session(name);
        create(&store, &row).await;
        let rotated = store.rotate(&rotation_of(&row)).await.unwrap();
        assert_eq!(rotated, Rotated::Rotated);
        assert_eq!(
            store
                .revoke(&named(&[name]), RETENTION)
                .await
                .unwrap()
                .len(),
            1
        );
    }
    let listed = store
        .list(&named(&["{one}", "two{"]), NOW_MS, None, 9)
        .await;
    assert!(listed.unwrap().is_empty());
    let inserted = store
        .insert_key(&key("d-{1}", NOW_MS), NOW_MS)
        .await
        .unwrap();
    assert_eq!(inserted, KeyInserted::Inserted);
    let purged = store.purge_expired(i64::MAX, 9).await.unwrap();
    assert_eq!(purged.revocations, 3);

    let keys: Vec<String> = server.run("KEYS *").await;
    let mut slots = HashSet::new();
    for key in &keys {
        slots.insert(server.run::<u32>(&format!("CLUSTER KEYSLOT {key}")).await);
    }
    assert!(keys.len() > 1 && slots.len() == 1, "{keys:?}");
}

/// What was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
