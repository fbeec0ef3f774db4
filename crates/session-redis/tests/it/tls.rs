//! A server that speaks TLS alone, with certificates of a test's own authorities.

use std::{error::Error, io::Write as _, net::Ipv4Addr};

use servers::{Authority, Identity, free_port};
use session_core::store::SessionStore;
use session_redis::{ConnectError, ConnectOptions, RedisFeed, RedisStore};
use session_testkit::store::records::{create, session};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    feed::Nodes,
    own_server::{FORGETFUL, OwnServer},
    shared_server::PATIENCE,
};

/// Many nodes, point 3: a server whose authority is the application's own is used over TLS.
#[tokio::test]
async fn a_server_of_the_given_authority_is_used() {
    let authority = Authority::new().unwrap();
    let server = TlsServer::known_as("127.0.0.1", &authority).await;
    let options = server.options().root_certificate(authority.certificate());
    let store = RedisStore::connect_with(options).await.unwrap();
    let row = session("one");
    create(&store, &row).await;
    assert!(store.get(&row.handle).await.unwrap().is_some());
}

/// Many nodes, point 3: of several authorities that are given, each is trusted.
#[tokio::test]
async fn several_authorities_can_be_given() {
    let (old, new) = (Authority::new().unwrap(), Authority::new().unwrap());
    let server = TlsServer::known_as("127.0.0.1", &new).await;
    let both = format!("{}{}", old.certificate(), new.certificate());
    let options = server.options().root_certificate(both);
    RedisStore::connect_with(options).await.unwrap();
}

/// Many nodes, point 3: a server that an impostor's authority vouches for is not spoken to, and neither
/// is one of an authority that nobody gave.
#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let server = TlsServer::known_as("127.0.0.1", &Authority::new().unwrap()).await;
    let other = Authority::new().unwrap().certificate();
    for options in [server.options().root_certificate(other), server.options()] {
        let said = refused(options).await;
        assert!(said.contains("invalid peer certificate"), "{said}");
    }
}

/// Many nodes, point 3: neither is one whose certificate is for another name.
#[tokio::test]
async fn a_server_of_another_name_is_refused() {
    let authority = Authority::new().unwrap();
    let server = TlsServer::known_as("redis.example.com", &authority).await;
    let said = refused(server.options().root_certificate(authority.certificate())).await;
    assert!(said.contains("not valid for name"), "{said}");
}

/// Many nodes, point 3: a server that answers without TLS gets no password and is not used.
#[tokio::test]
async fn a_server_without_tls_learns_nothing() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = ConnectOptions::new(format!("rediss://:hunter2@127.0.0.1:{port}"));
    let answering = async {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut said = vec![0; 4096];
            let length = connection.read(&mut said).await.unwrap();
            said.truncate(length);
            let first = said.first().copied();
            assert_eq!(first, Some(TLS_HANDSHAKE), "{}", said.escape_ascii());
            // What a server says that lets everybody in.
            connection.write_all(b"+OK\r\n").await.unwrap();
            connection.read_to_end(&mut said).await.unwrap();
            assert!(!said.escape_ascii().to_string().contains("hunter2"));
        }
    };
    tokio::select! {
        () = answering => {}
        _ = refused(options.timeout(PATIENCE)) => {}
    }
}

/// Many nodes, point 3: a server that asks for a certificate of the client's gets the one that was
/// given, and lets nobody else in.
#[tokio::test]
async fn a_client_is_known_by_its_certificate() {
    let authority = Authority::new().unwrap();
    let server = TlsServer::asking(authority.certify("127.0.0.1").unwrap(), &authority).await;
    let trusting = || server.options().root_certificate(authority.certificate());
    let with =
        |identity: Identity| trusting().client_certificate(identity.certificate(), identity.key());
    let known = with(authority.certify("node-1").unwrap());
    RedisStore::connect_with(known).await.unwrap();
    refused(trusting()).await;
    let stranger = Authority::new().unwrap().certify("node-1").unwrap();
    refused(with(stranger)).await;
}

/// Many nodes, point 3: what one node revokes the other hears of over TLS.
#[tokio::test]
async fn a_feed_is_heard_over_tls() {
    let authority = Authority::new().unwrap();
    let server = TlsServer::known_as("127.0.0.1", &authority).await;
    let options = server.options().root_certificate(authority.certificate());
    let nodes = Nodes::on(&options).await;
    nodes.listen(&server.server).await;
    let (session, _) = nodes.sign_in().await;
    nodes.one.revoke(&session).await.unwrap();
    nodes.other_knows(1).await;
}

/// A certificate that could never be asked for, and a text that is none, are refused before anything
/// is sent.
#[tokio::test]
async fn a_certificate_without_sense_is_refused() {
    let authority = Authority::new().unwrap();
    let node = authority.certify("node-1").unwrap();
    let tls = || ConnectOptions::new("rediss://localhost");
    let refused = |options| RedisFeed::new(options).unwrap_err();
    for address in ["redis://localhost", "redis+unix:///socket"] {
        let plain = || ConnectOptions::new(address);
        for options in [
            plain().root_certificate(authority.certificate()),
            plain().client_certificate(node.certificate(), node.key()),
        ] {
            assert!(matches!(refused(options), ConnectError::NotOverTls));
        }
    }
    for options in [
        tls().root_certificate(""),
        tls().root_certificate(node.key()),
        tls().client_certificate("none", node.key()),
    ] {
        assert!(matches!(refused(options), ConnectError::NoCertificate(_)));
    }
    let damaged = authority.certificate().replace("MII", "!!!");
    for options in [
        tls().root_certificate(damaged),
        tls().client_certificate(node.certificate(), "none"),
    ] {
        assert!(matches!(refused(options), ConnectError::Certificate(_)));
    }
    let options = tls().client_certificate(node.certificate(), node.key());
    assert!(!format!("{options:?}").contains("PRIVATE KEY"));
}

/// A server with a port for TLS and none without.
struct TlsServer {
    server: OwnServer,
    port: u16,
    _files: [NamedTempFile; 3],
}

impl TlsServer {
    /// One whose certificate is for this name.
    async fn known_as(name: &str, authority: &Authority) -> Self {
        Self::start(&authority.certify(name).unwrap(), authority, "no").await
    }

    /// One that asks its clients for a certificate of this authority.
    async fn asking(identity: Identity, authority: &Authority) -> Self {
        Self::start(&identity, authority, "yes").await
    }

    async fn start(identity: &Identity, authority: &Authority, asks: &str) -> Self {
        let port = free_port().unwrap();
        let files = [
            identity.certificate(),
            identity.key(),
            &authority.certificate(),
        ]
        .map(file);
        let [certificate, key, trusted] = files.each_ref().map(|file| file.path().display());
        let server = OwnServer::start(&format!(
            "{FORGETFUL}bind 127.0.0.1\ntls-port {port}\ntls-auth-clients {asks}\n\
             tls-cert-file {certificate}\ntls-key-file {key}\ntls-ca-cert-file {trusted}\n"
        ))
        .await;
        Self {
            server,
            port,
            _files: files,
        }
    }

    fn options(&self) -> ConnectOptions {
        ConnectOptions::new(format!("rediss://127.0.0.1:{}", self.port)).timeout(PATIENCE)
    }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// What is said when no store can be opened.
async fn refused(options: ConnectOptions) -> String {
    let refused = RedisStore::connect_with(options).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Server(_)), "{refused:?}");
    refused.source().unwrap().to_string()
}

/// The first byte of whoever begins to speak TLS (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;
