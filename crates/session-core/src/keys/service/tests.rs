//! Security D2, D4, D7, K8 and wire cases 2, 9, 10, 75: keys that many nodes make, load and remove.

use std::collections::HashSet;

use super::*;
use crate::{
    clock::ManualClock,
    config::RsaKeySize,
    fixtures::{
        faulty_store::{Fault, FaultyStore},
        key_id, signing_record,
    },
    keys::AtRestSecret,
    store::{SessionStore, Updated},
};

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
/// I − O.
const UNTIL_THE_NEXT_IS_DUE: Duration = Duration::from_mins(168 * 60 - 1);

fn policy() -> KeyPolicy {
    KeyPolicy {
        signing: KeyPurpose::AccessDynamic,
        interval: 168 * HOUR,
        overlap: MINUTE,
        access_lifetime: HOUR,
        refresh_lifetime: 24 * HOUR,
        rsa_key_size: RsaKeySize::Bits2048,
    }
}

fn secrets(name: &str, byte: u8) -> AtRestSecrets {
    AtRestSecrets::new(AtRestSecret::new(name, &[byte; 32]).unwrap())
}

/// A store and a clock that several nodes share.
#[derive(Clone, Default)]
struct Cluster {
    store: FaultyStore,
    clock: Arc<ManualClock>,
}

impl Cluster {
    async fn node(&self) -> KeyService {
        self.start(policy(), secrets("a", 1)).await.unwrap()
    }

    async fn start(
        &self,
        policy: KeyPolicy,
        secrets: AtRestSecrets,
    ) -> Result<KeyService, KeyError> {
        let calls = StoreCalls::new(Arc::new(self.store.clone()), 64, Duration::from_secs(30));
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        KeyService::start(calls, policy, secrets, clock).await
    }

    async fn records(&self, purpose: KeyPurpose) -> Vec<KeyRecord> {
        let records = self.store.load_keys().await.unwrap();
        records
            .into_iter()
            .filter(|record| record.purpose == purpose)
            .collect()
    }

    fn signs(&self, node: &KeyService) -> KeyId {
        let ring = node.ring();
        ring.signing_key(KeyPurpose::AccessDynamic, self.clock.now())
            .unwrap()
            .id()
            .clone()
    }

    fn mints(&self, node: &KeyService) -> KeyId {
        node.ring()
            .refresh_key_for_minting(self.clock.now())
            .unwrap()
            .id()
            .clone()
    }
}

/// Wire cases 1 and 2: the names of keys.
#[tokio::test]
async fn a_first_start_makes_the_keys_that_are_needed() {
    let cluster = Cluster::default();
    let node = cluster.node().await;
    assert_eq!(cluster.signs(&node).as_str(), "d-1700000000000");
    assert!(cluster.mints(&node).as_str().starts_with("r-"));
    assert_eq!(cluster.store.load_keys().await.unwrap().len(), 2);

    let fixed = node.signing_key(KeyPurpose::AccessStatic).await.unwrap();
    assert!(fixed.id().as_str().starts_with("s-") && fixed.id().as_str().len() == 34);
    cluster.clock.advance(10_000 * HOUR);
    let same = node.signing_key(KeyPurpose::AccessStatic).await.unwrap();
    assert_eq!(same.id(), fixed.id());
}

/// Wire case 2: where static keys sign, no dynamic one is made.
#[tokio::test]
async fn static_signing_makes_no_dynamic_key() {
    let cluster = Cluster::default();
    let policy = KeyPolicy {
        signing: KeyPurpose::AccessStatic,
        ..policy()
    };
    cluster.start(policy, secrets("a", 1)).await.unwrap();
    assert_eq!(cluster.records(KeyPurpose::AccessStatic).await.len(), 1);
    assert!(cluster.records(KeyPurpose::AccessDynamic).await.is_empty());
}

/// D7, L4: however many nodes start or find a key due at once, one key appears for each period, and
/// all use it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_appears_for_each_period() {
    let cluster = Cluster::default();
    let nodes = futures_util::future::join_all((0..16).map(|_| cluster.node())).await;
    let names = |cluster: &Cluster, nodes: &[KeyService]| -> HashSet<(KeyId, KeyId)> {
        nodes
            .iter()
            .map(|node| (cluster.signs(node), cluster.mints(node)))
            .collect()
    };
    assert_eq!(names(&cluster, &nodes).len(), 1);
    assert_eq!(cluster.records(KeyPurpose::AccessDynamic).await.len(), 1);
    assert_eq!(cluster.records(KeyPurpose::Refresh).await.len(), 1);

    cluster
        .clock
        .advance(UNTIL_THE_NEXT_IS_DUE.saturating_sub(Duration::from_millis(1)));
    futures_util::future::join_all(nodes.iter().map(KeyService::ensure_current)).await;
    assert_eq!(cluster.records(KeyPurpose::AccessDynamic).await.len(), 1);
    cluster.clock.advance(Duration::from_millis(1));
    for made in futures_util::future::join_all(nodes.iter().map(KeyService::ensure_current)).await {
        made.unwrap();
    }
    assert_eq!(cluster.records(KeyPurpose::AccessDynamic).await.len(), 2);
    assert_eq!(cluster.records(KeyPurpose::Refresh).await.len(), 1);
    assert_eq!(names(&cluster, &nodes).len(), 1);
}

/// Wire §1.4, D6: the next key is known everywhere before it signs.
#[tokio::test]
async fn the_next_key_is_made_before_it_is_needed() {
    let cluster = Cluster::default();
    let (one, two) = (cluster.node().await, cluster.node().await);
    let first = cluster.signs(&one);
    cluster.clock.advance(UNTIL_THE_NEXT_IS_DUE);
    one.ensure_current().await.unwrap();
    assert_eq!(cluster.signs(&one), first);
    two.reload().await.unwrap();
    cluster.clock.advance(MINUTE);
    let second = cluster.signs(&one);
    assert_ne!(second, first);
    assert!(
        two.ring()
            .verification_key(&second, cluster.clock.now())
            .is_some()
    );
    assert!(
        one.ring()
            .verification_key(&first, cluster.clock.now())
            .is_some()
    );
}

/// D2, wire cases 9, 10 and 75: unknown names cause at most one reload a second, whoever asks.
#[tokio::test]
async fn a_flood_of_unknown_keys_causes_one_reload_a_second() {
    let cluster = Cluster::default();
    let node = cluster.node().await;
    cluster.clock.advance(Duration::from_secs(1));
    for expected in 1..=3 {
        let before = cluster.store.asked();
        let asked = (0..1000).map(|_| node.reload_if_cooled_down());
        for answer in futures_util::future::join_all(asked).await {
            answer.unwrap();
        }
        assert_eq!(cluster.store.asked(), before + 1, "second {expected}");
        cluster.clock.advance(Duration::from_millis(999));
        node.reload_if_cooled_down().await.unwrap();
        assert_eq!(cluster.store.asked(), before + 1, "second {expected}");
        cluster.clock.advance(Duration::from_millis(1));
    }
}

/// D5, wire case 9: when the store does not answer, an unknown key is not known to be unknown, and
/// the keys that are known keep serving.
#[tokio::test]
async fn a_failed_reload_is_told_and_costs_no_key() {
    let cluster = Cluster::default();
    let node = cluster.node().await;
    let key = cluster.signs(&node);
    cluster.store.set(Fault::Unavailable);
    cluster.clock.advance(Duration::from_secs(1));
    let before = cluster.store.asked();
    assert_eq!(node.reload_if_cooled_down().await, Err(ReloadFailed));
    assert_eq!(node.reload_if_cooled_down().await, Err(ReloadFailed));
    assert_eq!(cluster.store.asked(), before + 1);
    assert!(node.reload().await.is_err());
    assert!(
        node.ring()
            .verification_key(&key, cluster.clock.now())
            .is_some()
    );
    node.signing_key(KeyPurpose::AccessDynamic).await.unwrap();

    cluster.store.set(Fault::None);
    assert_eq!(node.reload_if_cooled_down().await, Err(ReloadFailed));
    cluster.clock.advance(Duration::from_secs(1));
    node.reload_if_cooled_down().await.unwrap();
}

/// D8: a node that cannot make the next key signs with the last one for as long as that verifies,
/// and then says why it does not.
#[tokio::test]
async fn a_node_that_cannot_make_a_key_signs_until_it_must_stop() {
    let cluster = Cluster::default();
    let node = cluster.node().await;
    cluster.store.set(Fault::Unavailable);
    cluster.clock.advance(168 * HOUR);
    node.signing_key(KeyPurpose::AccessDynamic).await.unwrap();
    cluster.clock.advance(HOUR);
    let error = node
        .signing_key(KeyPurpose::AccessDynamic)
        .await
        .unwrap_err();
    assert!(matches!(error, KeyError::Store(_)));
    cluster.store.set(Fault::None);
    node.signing_key(KeyPurpose::AccessDynamic).await.unwrap();
}

/// D4: a removed key serves nobody here at once, and nobody elsewhere after the next reload.
#[tokio::test]
async fn a_removed_key_is_refused_everywhere() {
    let cluster = Cluster::default();
    let (one, two) = (cluster.node().await, cluster.node().await);
    let removed = cluster.signs(&one);
    cluster.clock.advance(Duration::from_millis(1));
    assert_eq!(one.remove_key(&removed).await.unwrap(), Updated::Updated);
    let now = cluster.clock.now();
    assert!(one.ring().verification_key(&removed, now).is_none());
    assert!(two.ring().verification_key(&removed, now).is_some());
    two.reload().await.unwrap();
    assert!(two.ring().verification_key(&removed, now).is_none());
    assert_ne!(cluster.signs(&one), removed);
    assert_eq!(cluster.signs(&one), cluster.signs(&two));
    assert_eq!(one.remove_key(&removed).await.unwrap(), Updated::Gone);

    let refresh = cluster.mints(&one);
    assert_eq!(one.remove_key(&refresh).await.unwrap(), Updated::Updated);
    assert_ne!(cluster.mints(&one), refresh);
}

/// D4: a key whose removal could not be confirmed is refused here all the same.
#[tokio::test]
async fn a_key_is_refused_even_when_its_removal_is_not_confirmed() {
    let cluster = Cluster::default();
    let node = cluster.node().await;
    let key = cluster.signs(&node);
    cluster.store.set(Fault::Unavailable);
    assert!(node.remove_key(&key).await.is_err());
    assert!(
        node.ring()
            .verification_key(&key, cluster.clock.now())
            .is_none()
    );
}

/// D7: keys that are made on purpose, on two nodes at once, are one key; it is used after the
/// overlap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotating_on_two_nodes_at_once_makes_one_key() {
    let cluster = Cluster::default();
    let (one, two) = (cluster.node().await, cluster.node().await);
    let (signed, minted) = (cluster.signs(&one), cluster.mints(&one));
    let rotated = tokio::join!(
        one.rotate_refresh_key(),
        two.rotate_refresh_key(),
        one.rotate_signing_key(),
        two.rotate_signing_key()
    );
    assert!(matches!(rotated, (Ok(()), Ok(()), Ok(()), Ok(()))));
    assert_eq!(cluster.records(KeyPurpose::Refresh).await.len(), 2);
    assert_eq!(cluster.records(KeyPurpose::AccessDynamic).await.len(), 2);
    two.reload().await.unwrap();
    for node in [&one, &two] {
        assert_eq!(
            (cluster.signs(node), cluster.mints(node)),
            (signed.clone(), minted.clone())
        );
    }
    cluster.clock.advance(MINUTE + Duration::from_millis(1));
    for node in [&one, &two] {
        assert_ne!(cluster.signs(node), signed);
        assert_ne!(cluster.mints(node), minted);
        assert!(node.ring().refresh_key(&minted).is_some());
    }
    assert_eq!(cluster.mints(&one), cluster.mints(&two));
    assert_eq!(cluster.signs(&one), cluster.signs(&two));
}

/// Wire §1.4: keys that nothing living was made under go away.
#[tokio::test]
async fn retired_keys_are_purged() {
    let cluster = Cluster::default();
    let node = cluster.node().await;
    let first = cluster.mints(&node);
    node.rotate_refresh_key().await.unwrap();
    assert_eq!(node.purge_retired().await.unwrap(), 0);
    cluster.clock.advance(171 * HOUR);
    node.ensure_current().await.unwrap();
    assert_eq!(node.purge_retired().await.unwrap(), 2);
    assert!(node.ring().refresh_key(&first).is_none());
    assert_eq!(cluster.store.load_keys().await.unwrap().len(), 2);
    assert_eq!(node.purge_retired().await.unwrap(), 0);
}

/// K10: keys are sealed in the store, and move to the new secret when it is replaced.
#[tokio::test]
async fn keys_are_sealed_under_the_primary_secret() {
    let cluster = Cluster::default();
    let sealed_under = |records: Vec<KeyRecord>| -> HashSet<Option<String>> {
        records
            .into_iter()
            .map(|record| record.sealed_under)
            .collect()
    };
    let node = cluster
        .start(policy(), AtRestSecrets::default())
        .await
        .unwrap();
    let names = (cluster.signs(&node), cluster.mints(&node));
    let records = cluster.store.load_keys().await.unwrap();
    assert_eq!(sealed_under(records), HashSet::from([None]));

    let node = cluster.node().await;
    let records = cluster.store.load_keys().await.unwrap();
    assert_eq!(sealed_under(records), HashSet::from([Some("a".to_owned())]));
    assert_eq!((cluster.signs(&node), cluster.mints(&node)), names);
    assert_eq!(node.reseal().await.unwrap(), 0);

    let older = AtRestSecret::new("a", &[1; 32]).unwrap();
    let node = cluster
        .start(policy(), secrets("b", 2).with_older(older))
        .await
        .unwrap();
    let records = cluster.store.load_keys().await.unwrap();
    assert_eq!(sealed_under(records), HashSet::from([Some("b".to_owned())]));
    assert_eq!((cluster.signs(&node), cluster.mints(&node)), names);
}

/// D7: a store that many new nodes keep busy answers late, and a start goes on where it was.
#[tokio::test]
async fn a_start_asks_a_busy_store_again() {
    let cluster = Cluster::default();
    cluster.store.set(Fault::Unavailable);
    let heal = async {
        while cluster.store.asked() < 3 {
            tokio::task::yield_now().await;
        }
        cluster.store.set(Fault::None);
    };
    let (node, ()) = tokio::join!(cluster.node(), heal);
    assert_eq!(cluster.signs(&node).as_str(), "d-1700000000000");
}

#[tokio::test]
async fn a_start_gives_up_on_a_store_that_never_answers() {
    let cluster = Cluster::default();
    cluster.store.set(Fault::Unavailable);
    let error = cluster.start(policy(), secrets("a", 1)).await.unwrap_err();
    assert!(matches!(error, KeyError::Store(StoreError::Unavailable(_))));
    assert_eq!(cluster.store.asked(), 10);
}

/// K10: a node without the right secret does not start, instead of making keys that end all sessions.
#[tokio::test]
async fn a_node_without_the_secret_does_not_start() {
    let cluster = Cluster::default();
    cluster.node().await;
    for secrets in [AtRestSecrets::default(), secrets("a", 2), secrets("b", 1)] {
        let error = cluster.start(policy(), secrets).await.unwrap_err();
        assert!(matches!(error, KeyError::Sealed { .. }));
    }
    assert_eq!(cluster.store.load_keys().await.unwrap().len(), 2);
}

/// A18: an unusable key that another node put there is not used, and harms nothing else.
#[tokio::test]
async fn an_unusable_key_in_the_store_is_not_used() {
    let cluster = Cluster::default();
    let node = cluster.node().await;
    let key = cluster.signs(&node);
    let broken = KeyRecord {
        algorithm: "PS256".to_owned(),
        ..signing_record("d-9", KeyPurpose::AccessDynamic, 1_700_000_000_009)
    };
    assert_eq!(
        cluster.store.insert_key(&broken, i64::MAX).await.unwrap(),
        crate::store::KeyInserted::Inserted
    );
    node.reload().await.unwrap();
    assert!(
        node.ring()
            .verification_key(&key_id("d-9"), cluster.clock.now())
            .is_none()
    );
    assert_eq!(cluster.signs(&node), key);
}

/// Keys are used in the order in which they were made, also when the clock goes back.
#[tokio::test]
async fn a_clock_that_goes_back_does_not_reorder_keys() {
    let cluster = Cluster::default();
    let node = cluster.node().await;
    let first = cluster.mints(&node);
    cluster
        .clock
        .set_wall_clock(crate::fixtures::at_ms(1_600_000_000_000));
    node.rotate_refresh_key().await.unwrap();
    cluster
        .clock
        .set_wall_clock(crate::fixtures::at_ms(1_700_000_060_001));
    assert_ne!(cluster.mints(&node), first);
}
