//! Servers that speak TLS alone, with certificates of a test's own authorities.

use std::{error::Error, iter};

use ::servers::{Authority, Kind, OwnServer};
use session_core::store::SessionStore;
use session_sqlx::{ConnectOptions, SqlxStore};
use session_testkit::store::records::{create, session};
use tempfile::TempDir;

use crate::servers::{Database, Opening, PATIENCE, Server};

/// Many nodes, point 1: a server whose authority the address names is used over TLS.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_named_authority_is_used() {
    for kind in KINDS {
        let (files, authority) = (Files::new(), Authority::new().unwrap());
        let identity = authority.certify("127.0.0.1").unwrap();
        let server = OwnServer::start_with_tls(kind, &identity, None).unwrap();
        let trusting = files.trusting(&server, &authority);
        let store = SqlxStore::connect_with(trusting).await.unwrap();
        let row = session("one");
        create(&store, &row).await;
        assert!(store.get(&row.handle).await.unwrap().is_some());
    }
}

/// Many nodes, point 1: a server that an impostor's authority vouches for is refused, and so is one
/// whose certificate is for another name.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_the_named_one_is_refused() {
    for kind in KINDS {
        let (files, authority) = (Files::new(), Authority::new().unwrap());
        let identity = authority.certify("database.example.com").unwrap();
        let server = OwnServer::start_with_tls(kind, &identity, None).unwrap();
        let said = refused(files.trusting(&server, &authority)).await;
        assert!(said.contains("not valid for name"), "{said}");
        let impostor = Authority::new().unwrap();
        let said = refused(files.trusting(&server, &impostor)).await;
        assert!(said.contains("BadSignature"), "{said}");
    }
}

/// Many nodes, point 1: where the address demands TLS, a server that has none is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused() {
    for server in Server::ALL {
        let database = Database::on(server);
        database.store().await;
        let demand = match server {
            Server::Postgres => "sslmode=verify-full",
            Server::MySql => "ssl-mode=VERIFY_IDENTITY",
        };
        let options = ConnectOptions::new(format!("{}?{demand}", database.url().await));
        let said = refused(options.timeout(PATIENCE)).await;
        assert!(said.contains("does not support TLS"), "{said}");
    }
}

/// Many nodes, point 1: a server that asks for a certificate of the client's gets the one that the
/// address names, and lets nobody else in.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_known_by_its_certificate() {
    for kind in KINDS {
        let (files, authority) = (Files::new(), Authority::new().unwrap());
        let identity = authority.certify("127.0.0.1").unwrap();
        let server = OwnServer::start_with_tls(kind, &identity, Some(&authority)).unwrap();
        refused(files.trusting(&server, &authority)).await;
        let own = authority.certify("node-1").unwrap();
        let address = format!(
            "{}&sslcert={}&sslkey={}",
            files.address(&server, &authority),
            files.write("own", own.certificate()),
            files.write("key", own.key()),
        );
        let options = ConnectOptions::new(address).timeout(PATIENCE);
        SqlxStore::connect_with(options).await.unwrap();
    }
}

/// What addresses name.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A server, if this authority says that it is the one.
    fn trusting(&self, server: &OwnServer, authority: &Authority) -> ConnectOptions {
        ConnectOptions::new(self.address(server, authority)).timeout(PATIENCE)
    }

    fn address(&self, server: &OwnServer, authority: &Authority) -> String {
        let trusted = self.write("trusted", &authority.certificate());
        let demand = match server.kind() {
            Kind::MariaDb => "ssl-mode=VERIFY_IDENTITY&ssl-ca",
            _ => "sslmode=verify-full&sslrootcert",
        };
        format!("{}?{demand}={trusted}", server.url())
    }
}

/// What is said when no store can be opened, with every cause.
async fn refused(options: ConnectOptions) -> String {
    let refused = SqlxStore::connect_with(options).await.unwrap_err();
    let causes = iter::successors(refused.source(), |cause| (*cause).source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

const KINDS: [Kind; 2] = [Kind::Postgres, Kind::MariaDb];
