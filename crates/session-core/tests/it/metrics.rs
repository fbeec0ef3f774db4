//! What is counted, under which names and labels.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, LocalRecorderGuard,
    Metadata, Recorder, SharedString, Unit,
};
use session_core::{NewSession, RefreshToken, TenantId, verify::PresentedAntiCsrf};

use crate::{
    faulty_store::{Fault, FaultyStore, Op},
    node::{Node, check_blacklist, check_database, refresh_token, settle, stateless, user_id},
};

/// Keeps everything that is recorded, by name and labels.
#[derive(Clone, Default)]
pub(crate) struct Recorded(Arc<Mutex<BTreeMap<String, Arc<Series>>>>);

#[derive(Default)]
struct Series {
    count: AtomicU64,
    last: Mutex<f64>,
}

impl Recorded {
    fn series(&self, key: &Key) -> Arc<Series> {
        let labels: Vec<String> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        let all = self.0.lock().unwrap();
        all.get(name)
            .map_or(0, |series| series.count.load(Ordering::SeqCst))
    }

    /// Over all labels.
    pub(crate) fn sum(&self, name: &str) -> u64 {
        let with_labels = format!("{name}{{");
        let all = self.0.lock().unwrap();
        all.iter()
            .filter(|(name, _)| name.starts_with(&with_labels))
            .map(|(_, series)| series.count.load(Ordering::SeqCst))
            .sum()
    }

    fn last(&self, name: &str) -> f64 {
        *self.0.lock().unwrap()[name].last.lock().unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

impl CounterFn for Series {
    fn increment(&self, value: u64) {
        self.count.fetch_add(value, Ordering::SeqCst);
    }

    fn absolute(&self, value: u64) {
        self.count.store(value, Ordering::SeqCst);
    }
}

impl GaugeFn for Series {
    fn increment(&self, value: f64) {
        *self.last.lock().unwrap() += value;
    }

    fn decrement(&self, value: f64) {
        *self.last.lock().unwrap() -= value;
    }

    fn set(&self, value: f64) {
        *self.last.lock().unwrap() = value;
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.count.fetch_add(1, Ordering::SeqCst);
        *self.last.lock().unwrap() = value;
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.series(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.series(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.series(key))
    }
}

pub(crate) fn recorded() -> (&'static Recorded, LocalRecorderGuard<'static>) {
    let recorded: &'static Recorded = Box::leak(Box::default());
    (recorded, metrics::set_default_local_recorder(recorded))
}

/// Design §5: every refresh is counted once, by what it was.
#[tokio::test]
async fn every_refresh_is_counted_by_what_it_was() {
    let (recorded, _recording) = recorded();
    let node = Node::new().await;
    let refreshes =
        |outcome: &str| recorded.count(&format!("session_refreshes_total{{outcome={outcome}}}"));
    let first = node.log_in("ann").await;
    let backup = node.row(first.session().handle()).await.unwrap();
    let mut newest = refresh_token(&first);
    for _ in 0..3 {
        newest = refresh_token(&node.refresh(&newest).await.unwrap());
    }
    assert_eq!(refreshes("rotated"), 3);
    let _replay = node.refresh(&refresh_token(&first)).await.unwrap();
    assert_eq!(refreshes("within_grace"), 1);
    node.store.restore(&backup).await;
    newest = refresh_token(&node.refresh(&newest).await.unwrap());
    assert_eq!(refreshes("ahead_of_store"), 1);
    node.advance(Duration::from_secs(30));
    node.refresh(&refresh_token(&first)).await.unwrap_err();
    assert_eq!(refreshes("after_grace"), 1);
    node.refresh(&newest).await.unwrap_err();
    node.refresh(&RefreshToken::from_text("garbage"))
        .await
        .unwrap_err();
    assert_eq!(refreshes("unauthorised"), 2);

    let oldest = refresh_token(&node.log_in("bob").await);
    let mut newest = oldest.clone();
    for _ in 0..9 {
        newest = refresh_token(&node.refresh(&newest).await.unwrap());
    }
    node.refresh(&oldest).await.unwrap_err();
    assert_eq!(refreshes("stale_generation"), 1);
    let all: u64 = recorded
        .names()
        .iter()
        .filter(|name| name.starts_with("session_refreshes_total"))
        .map(|name| recorded.count(name))
        .sum();
    assert_eq!(all, 3 + 1 + 1 + 1 + 2 + 9 + 1);
    assert_eq!(recorded.count("session_revocations_total{}"), 2);
}

/// Verifications are counted by check and outcome, store calls by operation and outcome, and the
/// blacklist is measured.
#[tokio::test(start_paused = true)]
async fn verifications_store_calls_and_the_blacklist_are_measured() {
    let (recorded, _recording) = recorded();
    let node = Node::with(FaultyStore::shared(Duration::from_secs(1)), |builder| {
        builder
    })
    .await;
    let issued = node.log_in("ann").await;
    node.verify(&issued, &stateless()).await.unwrap();
    node.verify(&issued, &check_blacklist()).await.unwrap();
    node.sessions
        .revoke(issued.session().handle())
        .await
        .unwrap();
    node.verify(&issued, &check_database()).await.unwrap_err();
    node.store.put(Op::Get, Fault::Fail);
    node.verify(&issued, &check_database()).await.unwrap_err();
    for (name, count) in [
        ("session_verifications_total{check=stateless,outcome=ok}", 1),
        ("session_verifications_total{check=blacklist,outcome=ok}", 1),
        (
            "session_verifications_total{check=database,outcome=unauthorised}",
            1,
        ),
        (
            "session_verifications_total{check=database,outcome=unavailable}",
            1,
        ),
        ("session_store_call_seconds{operation=create,outcome=ok}", 1),
        ("session_store_call_seconds{operation=revoke,outcome=ok}", 1),
        ("session_store_call_seconds{operation=get,outcome=ok}", 1),
        ("session_store_call_seconds{operation=get,outcome=error}", 1),
    ] {
        assert_eq!(
            recorded.count(name),
            count,
            "{name} of {:?}",
            recorded.names()
        );
    }
    node.pass(Duration::from_secs(11)).await;
    assert!((recorded.last("session_blacklist_entries{}") - 1.0).abs() < f64::EPSILON);
    assert!(recorded.last("session_blacklist_age_seconds{}") < 5.0);
    node.store.put(Op::RevocationsSince, Fault::Fail);
    node.pass(Duration::from_secs(6)).await;
    node.verify(&issued, &check_blacklist()).await.unwrap_err();
    let bob = node.log_in("bob").await;
    node.verify(&bob, &check_blacklist()).await.unwrap_err();
    let passed_over = "session_blacklist_passed_over_total{reason=old}";
    assert_eq!(recorded.count(passed_over), 1, "{:?}", recorded.names());
    node.sessions.rotate_refresh_key().await.unwrap();
    let made = "session_signing_keys_created_total{purpose=refresh}";
    assert_eq!(recorded.count(made), 1, "{:?}", recorded.names());
}

/// K9: no name and no label is a user, a handle, a tenant, a key or a token, so that there are few
/// of them whatever clients send.
#[tokio::test]
async fn no_label_names_a_user_a_handle_or_a_token() {
    let (recorded, _recording) = recorded();
    let node = Node::new().await;
    let mut few = None;
    for round in 0..8 {
        let user = format!("canary-user-{round}");
        let new =
            NewSession::new(user_id(&user)).tenant(TenantId::try_from("canary-tenant").unwrap());
        let issued = node.sessions.create(new).await.unwrap();
        let _refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
        let forged = format!("canary-token-{round}");
        node.refresh(&RefreshToken::from_text(forged.as_str()))
            .await
            .unwrap_err();
        node.verify_text(&forged, &stateless()).await.unwrap_err();
        let unknown = crate::node::naming_another_key(&issued, &format!("canary-key-{round}"));
        node.sessions
            .verify(&unknown, PresentedAntiCsrf::NotChecked, &check_database())
            .await
            .unwrap_err();
        node.sessions
            .revoke(issued.session().handle())
            .await
            .unwrap();
        node.verify(&issued, &check_blacklist()).await.unwrap_err();
        settle().await;
        let names = recorded.names();
        for name in &names {
            assert!(!name.contains("canary"), "{name}");
            assert!(!name.contains(issued.session().handle().as_str()), "{name}");
        }
        let count = *few.get_or_insert(names.len());
        assert_eq!(
            names.len(),
            count,
            "as many series as after the first round"
        );
    }
}
