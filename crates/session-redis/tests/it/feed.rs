//! Two nodes on one SQL database that they ask once an hour, and a Redis between them.

use std::{env, time::Duration};

use session_core::{
    AppInfo, NewSession, SessionHandle, Sessions, VerifyOptions,
    store::{RevokedSession, SessionStore},
    verify::PresentedAntiCsrf,
};
use session_redis::{ConnectError, ConnectOptions, RedisFeed};
use session_sqlx::SqlxStore;
use session_testkit::store::records::{handle, user};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    time,
};

use crate::{
    own_server::{FORGETFUL, OwnServer, address, until},
    shared_server::{PATIENCE, options, unused_prefix},
};

/// Design §7: what one node revokes is refused by the other long before it asks the database.
#[tokio::test]
async fn the_other_node_hears_of_a_revocation() {
    let server = OwnServer::start(FORGETFUL).await;
    let nodes = Nodes::on(&server.options()).await;
    nodes.listen(&server).await;
    let (session, token) = nodes.sign_in().await;
    assert!(accepts(&nodes.other, &token).await);
    nodes.one.revoke(&session).await.unwrap();
    nodes.other_knows(1).await;
    assert!(!accepts(&nodes.other, &token).await);
}

/// Sessions that were revoked in the application's own transaction are told when it says so.
#[tokio::test]
async fn what_the_application_revoked_itself_can_be_told() {
    let server = OwnServer::start(FORGETFUL).await;
    let nodes = Nodes::on(&server.options()).await;
    nodes.listen(&server).await;
    let (session, token) = nodes.sign_in().await;
    nodes.feed.announce(&[]);
    nodes.feed.announce(&[RevokedSession {
        handle: session,
        expires_at_ms: i64::MAX,
    }]);
    nodes.other_knows(1).await;
    assert!(!accepts(&nodes.other, &token).await);
}

/// A store that tells of revocations by itself still does when Redis is told as well.
#[tokio::test]
async fn a_store_keeps_the_feed_of_its_own() {
    let postgres = env::var("SESSION_TEST_POSTGRES_URL")
        .expect("`cargo xtask test` starts the servers that the tests need");
    let database = session_sqlx::ConnectOptions::new(postgres)
        .timeout(PATIENCE)
        .table_prefix("announcing_");
    let store = SqlxStore::connect_with(database).await.unwrap();
    let feed = RedisFeed::new(options(&unused_prefix())).unwrap();
    assert!(feed.announcing(store).revocation_feed().is_some());
}

/// A revocation of more sessions than a message names is heard of whole.
#[tokio::test]
async fn a_large_revocation_is_told_whole() {
    let server = OwnServer::start(FORGETFUL).await;
    let nodes = Nodes::on(&server.options()).await;
    nodes.listen(&server).await;
    let revoked: Vec<RevokedSession> = (0..2_345)
        .map(|number| RevokedSession {
            handle: handle(&format!("s-{number}")),
            expires_at_ms: i64::MAX,
        })
        .collect();
    nodes.feed.announce(&revoked);
    nodes.other_knows(2_345).await;
}

/// I1: a feed that was cut is taken up again.
#[tokio::test]
async fn a_feed_that_was_cut_is_heard_again() {
    let server = OwnServer::start(FORGETFUL).await;
    let nodes = Nodes::on(&server.options()).await;
    nodes.listen(&server).await;
    let killed: u32 = server.run("CLIENT KILL TYPE pubsub").await;
    assert_eq!(killed, 2);
    nodes.listen(&server).await;
    let (session, _) = nodes.sign_in().await;
    nodes.one.revoke(&session).await.unwrap();
    nodes.other_knows(1).await;
}

/// I3: so is one whose server was restarted, also by the node that tells.
#[tokio::test]
async fn a_restarted_server_is_used_again() {
    let mut server = OwnServer::start(FORGETFUL).await;
    let nodes = Nodes::on(&server.options()).await;
    nodes.listen(&server).await;
    let (first, _) = nodes.sign_in().await;
    nodes.one.revoke(&first).await.unwrap();
    nodes.other_knows(1).await;
    server.crash_and_restart().await;
    nodes.listen(&server).await;
    // What is told over the old connection is lost; the loss is noticed by then.
    until(async || {
        let (session, _) = nodes.sign_in().await;
        nodes.one.revoke(&session).await.unwrap();
        nodes.other_entries().await > 1
    })
    .await;
}

/// I2: a connection that is dead without a sign is given up and made again.
#[tokio::test]
async fn a_dead_connection_is_noticed() {
    let server = OwnServer::start(FORGETFUL).await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("proxy");
    let proxy = UnixListener::bind(&path).unwrap();
    let options = ConnectOptions::new(address(&path)).timeout(Duration::from_millis(500));
    let feed = RedisFeed::new(options).unwrap();
    let database = format!("sqlite://{}/sessions.db", folder.path().display());
    let sessions = node(&database, feed).await;

    let (mut near, _) = proxy.accept().await.unwrap();
    let mut far = UnixStream::connect(server.socket()).await.unwrap();
    let heard = until(async || {
        let message = "[[\"marker\",9999999999999]]";
        let _: u32 = server.run(&format!("PUBLISH {CHANNEL} {message}")).await;
        sessions.health().await.blacklist.entries == 1
    });
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => panic!("the connection was closed"),
        () = heard => {}
    }
    // Both ends are open, and nobody carries anything between them any more.
    let again = time::timeout(PATIENCE, proxy.accept()).await.unwrap();
    assert!(again.is_ok());
    drop((near, far));
}

/// I2, I9: a server that hangs delays no revocation, and is used again when it goes on.
#[tokio::test]
async fn a_server_that_hangs_delays_no_revocation() {
    let server = OwnServer::start(FORGETFUL).await;
    let nodes = Nodes::on(&server.options().timeout(Duration::from_millis(200))).await;
    nodes.listen(&server).await;
    let (session, token) = nodes.sign_in().await;
    server.signal("STOP");
    nodes.one.revoke(&session).await.unwrap();
    let database = VerifyOptions::new().check_database(true);
    let verified = (nodes.other)
        .verify(&token, PresentedAntiCsrf::NotChecked, &database)
        .await;
    assert!(verified.is_err());
    server.signal("CONT");
    until(async || {
        let (session, _) = nodes.sign_in().await;
        nodes.one.revoke(&session).await.unwrap();
        nodes.other_entries().await > 0
    })
    .await;
}

/// I6, I9: a server that is not there keeps no node from starting, and costs nothing but the speed.
#[tokio::test]
async fn a_server_that_is_not_there_costs_nothing_but_speed() {
    let nodes = Nodes::on(&ConnectOptions::new("redis://127.0.0.1:1/0")).await;
    let (session, token) = nodes.sign_in().await;
    assert!(accepts(&nodes.other, &token).await);
    nodes.one.revoke(&session).await.unwrap();
    assert!(!accepts(&nodes.one, &token).await);
}

/// I5: what makes no sense on the channel is ignored, and nothing on it brings a session back.
#[tokio::test]
async fn nothing_on_the_channel_brings_a_session_back() {
    let server = OwnServer::start(FORGETFUL).await;
    let nodes = Nodes::on(&server.options()).await;
    nodes.listen(&server).await;
    let (session, token) = nodes.sign_in().await;
    nodes.one.revoke(&session).await.unwrap();
    nodes.other_knows(1).await;
    let over = format!("[[\"{session}\",0]]");
    for message in [
        "",
        "nonsense",
        "[]",
        "[[1,2]]",
        &over,
        "[[\"marker\",9999999999999]]",
    ] {
        let heard: u32 = server.run(&format!("PUBLISH {CHANNEL} {message}")).await;
        assert_eq!(heard, 2);
    }
    nodes.other_knows(2).await;
    assert!(!accepts(&nodes.other, &token).await);
}

/// Design §7: what is heard over Redis makes nobody's knowledge complete.
#[tokio::test]
async fn a_feed_that_is_well_does_not_vouch() {
    let server = OwnServer::start(FORGETFUL).await;
    let nodes = Nodes::on(&server.options()).await;
    nodes.listen(&server).await;
    let (session, _) = nodes.sign_in().await;
    until(async || !nodes.other.health().await.blacklist.is_fresh()).await;
    nodes.one.revoke(&session).await.unwrap();
    nodes.other_knows(1).await;
    assert!(!nodes.other.health().await.blacklist.is_fresh());
}

/// Settings are judged like the store's.
#[tokio::test]
async fn a_feed_with_settings_without_sense_is_refused() {
    let refused = RedisFeed::new(ConnectOptions::new("redis://localhost").prefix("}"));
    assert!(matches!(refused, Err(ConnectError::UnusablePrefix)));
    let refused = RedisFeed::new(ConnectOptions::new("localhost"));
    assert!(matches!(refused, Err(ConnectError::Address(_))));
}

/// Two services as two processes have them.
pub(crate) struct Nodes {
    pub(crate) one: Sessions,
    other: Sessions,
    /// That of `one`.
    feed: RedisFeed,
    _folder: TempDir,
}

impl Nodes {
    pub(crate) async fn on(options: &ConnectOptions) -> Self {
        Self::between(options, options).await
    }

    pub(crate) async fn between(one: &ConnectOptions, other: &ConnectOptions) -> Self {
        let folder = TempDir::new().unwrap();
        let database = format!("sqlite://{}/sessions.db", folder.path().display());
        let feed = RedisFeed::new(one.clone()).unwrap();
        Self {
            one: node(&database, feed.clone()).await,
            other: node(&database, RedisFeed::new(other.clone()).unwrap()).await,
            feed,
            _folder: folder,
        }
    }

    /// Waits until both listen.
    pub(crate) async fn listen(&self, server: &OwnServer) {
        until(async || {
            let command = format!("PUBSUB NUMSUB {CHANNEL}");
            let (_, listening): (String, u32) = server.run(&command).await;
            listening == 2
        })
        .await;
    }

    pub(crate) async fn sign_in(&self) -> (SessionHandle, String) {
        let issued = self.one.create(NewSession::new(user("ann"))).await.unwrap();
        let (session, tokens) = issued.into_parts();
        let token = tokens.access_token().expose().to_owned();
        (session.handle().clone(), token)
    }

    async fn other_entries(&self) -> usize {
        self.other.health().await.blacklist.entries
    }

    /// Waits until the other node knows of so many revocations.
    pub(crate) async fn other_knows(&self, sessions: usize) {
        until(async || self.other_entries().await == sessions).await;
    }
}

async fn node(database: &str, feed: RedisFeed) -> Sessions {
    let options = session_sqlx::ConnectOptions::new(database).poll_every(Duration::from_hours(1));
    let store = SqlxStore::connect_with(options).await.unwrap();
    Sessions::builder(AppInfo::new(
        "https://api.example.com",
        "https://example.com",
    ))
    .config(|config| config.max_staleness(Duration::from_secs(1)))
    .store(feed.announcing(store))
    .feed(feed)
    .build()
    .await
    .unwrap()
}

/// Whether a route that checks the blacklist lets the token through.
async fn accepts(node: &Sessions, token: &str) -> bool {
    let checked = VerifyOptions::new().check_blacklist(true);
    node.verify(token, PresentedAntiCsrf::NotChecked, &checked)
        .await
        .is_ok()
}

pub(crate) const CHANNEL: &str = "{session}:revoked";
