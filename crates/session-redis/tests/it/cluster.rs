//! A cluster of three primaries: whichever node a service is told of, the one that has the keys is
//! asked, and another one once they are there.

use std::{error::Error as _, sync::Arc};

use servers::free_port;
use session_core::{
    async_trait,
    finding::Finding,
    store::{RevocationCursor, SessionStore, StoreError},
};
use session_redis::{ConnectError, ConnectOptions, RedisFeed, RedisStore};
use session_testkit::store::{
    TestDatabase, feed, keys as signing_keys, list, nodes, purge,
    records::{RETENTION, all_revocations, create, named, names, session},
    revocation, rotation, sessions, updates,
};

use crate::{
    feed::{CHANNEL, Nodes},
    own_server::{DURABLE, OwnServer, in_the_end, until},
    shared_server::{PATIENCE, unused_prefix},
};

/// Many nodes, point 3: on a cluster the store is what it is on a server, whichever node has the keys
/// and whichever was named.
#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_the_same_on_each_primary() {
    let cluster = Cluster::start().await;
    for owner in 0..PRIMARIES {
        let told = cluster.address((owner + 1) % PRIMARIES);
        let keys = async || {
            let prefix = cluster.prefix_on(owner).await;
            Keys(
                ConnectOptions::cluster([&told])
                    .prefix(prefix)
                    .timeout(PATIENCE),
            )
        };
        sessions::a_session_is_read_back_byte_for_byte(&keys().await).await;
        rotation::of_racing_rotations_one_wins(&keys().await).await;
        revocation::a_revoked_session_is_gone_and_recorded(&keys().await).await;
        revocation::of_racing_revocations_one_returns_each_session(&keys().await).await;
        updates::of_racing_payload_updates_one_wins(&keys().await).await;
        list::pages_join_in_the_order_of_age(&keys().await).await;
        purge::what_has_expired_is_deleted_and_nothing_else(&keys().await).await;
        signing_keys::a_hundred_first_starts_make_one_key(&keys().await).await;
        nodes::an_acknowledgement_is_not_taken_back(&keys().await).await;
        feed::a_cursor_yields_what_came_since(&keys().await).await;
        assert!(cluster.0[owner].server.run::<u32>("DBSIZE").await > 0);
    }
}

/// Many nodes, point 3: while the keys are on their way to another primary nobody can tell what there
/// is, so no session is taken for ended and no revocation for done; then all is as it was.
#[tokio::test]
async fn keys_that_move_are_never_taken_for_gone() {
    let cluster = Cluster::start().await;
    let prefix = cluster.prefix_on(0).await;
    let options = ConnectOptions::cluster([cluster.address(0)]).prefix(&prefix);
    let store = RedisStore::connect_with(options.timeout(PATIENCE))
        .await
        .unwrap();
    for name in ["one", "two"] {
        create(&store, &session(name)).await;
    }
    store.revoke(&named(&["one"]), RETENTION).await.unwrap();
    let (_, cursor) = all_revocations(&store, RevocationCursor::default(), 10).await;

    let [from, to, third] = &cluster.0;
    let slot: u32 = from
        .server
        .run(&format!("CLUSTER KEYSLOT {{{prefix}}}:"))
        .await;
    let (source, target) = (from.id().await, to.id().await);
    let set = format!("CLUSTER SETSLOT {slot}");
    let () = to.server.run(&format!("{set} IMPORTING {source}")).await;
    let () = from.server.run(&format!("{set} MIGRATING {target}")).await;
    let listed: Vec<String> = from
        .server
        .run(&format!("CLUSTER GETKEYSINSLOT {slot} 99"))
        .await;
    assert!(listed.len() > 1, "{listed:?}");
    for key in listed {
        let unknown = store.get(&session("two").handle).await;
        assert!(
            matches!(unknown, Err(StoreError::Unavailable(_))),
            "{unknown:?}"
        );
        let unknown = store.revoke(&named(&["two"]), RETENTION).await;
        assert!(
            matches!(unknown, Err(StoreError::Unavailable(_))),
            "{unknown:?}"
        );
        let migrate = format!("MIGRATE 127.0.0.1 {} {key} 0 60000", to.port);
        let () = from.server.run(&migrate).await;
    }
    for node in [to, from, third] {
        let () = node.server.run(&format!("{set} NODE {target}")).await;
    }

    assert!(store.get(&session("two").handle).await.unwrap().is_some());
    store.revoke(&named(&["two"]), RETENTION).await.unwrap();
    let (since, _) = all_revocations(&store, cursor, 10).await;
    // Another server, so the list is read from its start.
    assert_eq!(names(&since), ["one", "two"]);
    assert_eq!(from.server.run::<u32>("DBSIZE").await, 0);
}

/// H7: when a primary is gone, the replica that the cluster puts in its place is asked.
#[tokio::test]
async fn a_promoted_replica_is_asked() {
    let mut cluster = Cluster::start().await;
    let replica = Node::start().await;
    let options = ConnectOptions::cluster([cluster.address(0), cluster.address(1)]);
    let options = options.prefix(cluster.prefix_on(0).await).timeout(PATIENCE);
    let store = RedisStore::connect_with(options).await.unwrap();
    let row = session("one");
    create(&store, &row).await;
    replica.meet(&cluster.0[0]).await;
    let primary = cluster.0[0].id().await;
    let replicate = format!("CLUSTER REPLICATE {primary}");
    until(async || replica.says("CLUSTER NODES", &primary).await).await;
    let () = replica.server.run(&replicate).await;
    until(async || {
        replica
            .says("INFO replication", "master_link_status:up")
            .await
    })
    .await;
    for node in [&cluster.0[1], &cluster.0[2], &replica] {
        let () = (node.server)
            .run("CONFIG SET cluster-node-timeout 2000")
            .await;
    }
    cluster.0[0].server.kill().await;
    assert!(
        in_the_end(async || store.get(&row.handle).await)
            .await
            .is_some()
    );
    assert!(replica.says("INFO replication", "role:master").await);
}

/// Security §5.2: what is found is about the primary that has the keys.
#[tokio::test]
async fn findings_are_about_the_primary_that_has_the_keys() {
    let cluster = Cluster::start().await;
    let [_, owner, _] = &cluster.0;
    let options = ConnectOptions::cluster([cluster.address(0)]);
    let options = options.prefix(cluster.prefix_on(1).await).timeout(PATIENCE);
    let store = RedisStore::connect_with(options).await.unwrap();
    assert_eq!(store.findings().await.unwrap(), []);
    let () = owner.server.run("CONFIG SET appendfsync everysec").await;
    let findings = store.findings().await.unwrap();
    let subjects: Vec<_> = findings.iter().map(Finding::subject).collect();
    assert_eq!(subjects, ["appendfsync"]);
}

/// Many nodes, point 3: one node that answers is enough; no node is a mistake; and who names a server
/// is led nowhere else.
#[tokio::test]
async fn one_node_that_answers_is_enough() {
    let cluster = Cluster::start().await;
    let prefix = cluster.prefix_on(0).await;
    let nobody = "redis://127.0.0.1:1".to_owned();
    let options = ConnectOptions::cluster([nobody, cluster.address(2)]).prefix(&prefix);
    RedisStore::connect_with(options.timeout(PATIENCE))
        .await
        .unwrap();
    let refused = RedisFeed::new(ConnectOptions::cluster([""; 0])).unwrap_err();
    assert!(matches!(refused, ConnectError::NoNode));
    let server = ConnectOptions::new(cluster.address(2)).prefix(&prefix);
    let refused = RedisStore::connect_with(server.timeout(PATIENCE))
        .await
        .unwrap_err();
    assert!(matches!(refused, ConnectError::Server(_)));
    assert!(
        format!("{:?}", refused.source()).contains("Moved"),
        "{refused:?}"
    );
}

/// Many nodes, point 3: what is told to one node of a cluster is heard at another.
#[tokio::test]
async fn a_feed_is_heard_at_another_node() {
    let cluster = Cluster::start().await;
    let [one, other, _] = &cluster.0;
    let at = |node: usize| ConnectOptions::cluster([cluster.address(node)]).timeout(PATIENCE);
    let nodes = Nodes::between(&at(0), &at(1)).await;
    for node in [one, other] {
        until(async || {
            let command = format!("PUBSUB NUMSUB {CHANNEL}");
            node.server.run::<(String, u32)>(&command).await.1 == 1
        })
        .await;
    }
    let (session, _) = nodes.sign_in().await;
    nodes.one.revoke(&session).await.unwrap();
    nodes.other_knows(1).await;
}

/// Keys of its own on a cluster.
struct Keys(ConnectOptions);

#[async_trait]
impl TestDatabase for Keys {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(RedisStore::connect_with(self.0.clone()).await.unwrap())
    }
}

/// Three primaries, each with a third of the slots.
struct Cluster([Node; PRIMARIES]);

impl Cluster {
    async fn start() -> Self {
        let cluster = Self([
            Node::start().await,
            Node::start().await,
            Node::start().await,
        ]);
        for (number, node) in cluster.0.iter().enumerate() {
            let (first, last) = (
                SLOTS * number / PRIMARIES,
                SLOTS * (number + 1) / PRIMARIES - 1,
            );
            let epoch = format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1);
            let () = node.server.run(&epoch).await;
            let slots = format!("CLUSTER ADDSLOTSRANGE {first} {last}");
            let () = node.server.run(&slots).await;
        }
        for node in &cluster.0[1..] {
            node.meet(&cluster.0[0]).await;
        }
        for node in &cluster.0 {
            until(async || {
                node.says("CLUSTER INFO", "cluster_state:ok").await
                    && node.says("CLUSTER INFO", "cluster_size:3").await
            })
            .await;
        }
        cluster
    }

    fn node(&self, number: usize) -> &Node {
        self.0.get(number).unwrap()
    }

    fn address(&self, node: usize) -> String {
        format!("redis://127.0.0.1:{}", self.node(node).port)
    }

    /// A prefix whose keys are on this node.
    async fn prefix_on(&self, node: usize) -> String {
        loop {
            let prefix = unused_prefix();
            let ask = format!("CLUSTER KEYSLOT {{{prefix}}}:");
            let slot: usize = self.node(node).server.run(&ask).await;
            let slots = SLOTS * node / PRIMARIES..SLOTS * (node + 1) / PRIMARIES;
            if slots.contains(&slot) {
                return prefix;
            }
        }
    }
}

struct Node {
    server: OwnServer,
    port: u16,
    bus: u16,
}

impl Node {
    async fn start() -> Self {
        let (port, bus) = (free_port().unwrap(), free_port().unwrap());
        let settings = format!(
            "{DURABLE}bind 127.0.0.1\nport {port}\ncluster-enabled yes\ncluster-port {bus}\n"
        );
        let server = OwnServer::start(&settings).await;
        Self { server, port, bus }
    }

    async fn meet(&self, other: &Self) {
        let meet = format!("CLUSTER MEET 127.0.0.1 {} {}", other.port, other.bus);
        let () = self.server.run(&meet).await;
    }

    async fn id(&self) -> String {
        self.server.run("CLUSTER MYID").await
    }

    async fn says(&self, question: &str, text: &str) -> bool {
        self.server.run::<String>(question).await.contains(text)
    }
}

const PRIMARIES: usize = 3;
const SLOTS: usize = 16_384;
