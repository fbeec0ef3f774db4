//! Many servers that start at the same moment on a database that is not there yet.

use std::{collections::BTreeSet, sync::Arc};

use hyper::StatusCode;
use serde_json::Value;
use session_core::{
    AppInfo, NewSession, Sessions, UserId, store::SessionStore as _, verify::PresentedAntiCsrf,
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    client::Client,
    example::Example,
    server::{Database, Server},
};

/// D7, L4: one schema and one key of each kind, and everybody works with them.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_first_starts_make_one_key() {
    let database = Database::new();
    let barrier = Arc::new(Barrier::new(STARTS));
    let mut starts = JoinSet::new();
    for _ in 0..STARTS {
        let (url, barrier) = (database.url(), Arc::clone(&barrier));
        starts.spawn(async move {
            barrier.wait().await;
            let store = session_sqlx::SqlxStore::connect(&url).await.unwrap();
            let app = AppInfo::new("https://api.example.com", "https://example.com");
            Sessions::builder(app).store(store).build().await.unwrap()
        });
    }
    let services = starts.join_all().await;

    let published: BTreeSet<String> = services
        .iter()
        .map(|sessions| serde_json::to_string(&sessions.jwks()).unwrap())
        .collect();
    assert_eq!(published.len(), 1);
    assert_eq!(signing_keys(published.first().unwrap()), 1);
    // One that signs, one that protects refresh tokens.
    assert_eq!(database.open().await.load_keys().await.unwrap().len(), 2);

    let ann = UserId::try_from("ann").unwrap();
    let issued = services[0].create(NewSession::new(ann)).await.unwrap();
    let (_, mut tokens) = issued.into_parts();
    for sessions in services.iter().step_by(10) {
        let token = tokens.refresh_token().unwrap().clone();
        let refreshed = sessions
            .refresh(&token, PresentedAntiCsrf::NotChecked)
            .await
            .unwrap();
        (_, tokens) = refreshed.into_parts();
    }
    for sessions in services {
        sessions.shutdown().await;
    }
}

/// D7, L4: the same with processes.
#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_that_start_at_once_make_one_key() {
    let database = Database::new();
    let starts = std::array::from_fn::<_, 8, _>(|_| Server::start(Example::Axum, &database));
    let servers = futures_util::future::join_all(starts).await;

    let mut published = BTreeSet::new();
    for server in &servers {
        let keys = Client::browser(server).get("/auth/jwt/jwks.json").await;
        assert_eq!(keys.status, StatusCode::OK);
        published.insert(keys.text().to_owned());
    }
    let keys: BTreeSet<String> = published
        .iter()
        .map(|keys| serde_json::from_str::<Value>(keys).unwrap()["keys"].to_string())
        .collect();
    assert_eq!(keys.len(), 1);
    assert_eq!(signing_keys(published.first().unwrap()), 1);
    assert_eq!(database.open().await.load_keys().await.unwrap().len(), 2);

    // A session made by one is refreshed, looked up and ended by all others.
    let mut ann = Client::browser(&servers[0]);
    ann.log_in("ann", "laptop").await;
    for server in &servers {
        ann.reconnect(server);
        assert_eq!(ann.refresh().await.status, StatusCode::OK);
        assert_eq!(ann.post("/like-comment").await.status, StatusCode::OK);
    }
    let signed_out = ann.clone().post("/auth/signout").await;
    assert_eq!(signed_out.status, StatusCode::OK);
    ann.reconnect(&servers[0]);
    ann.refresh().await.assert_refused(401, "unauthorised");
}

fn signing_keys(jwks: &str) -> usize {
    let jwks: Value = serde_json::from_str(jwks).unwrap();
    jwks["keys"].as_array().unwrap().len()
}

const STARTS: usize = 100;
