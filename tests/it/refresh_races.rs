//! One refresh token in many requests at once, and clients that hang up on their refresh.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use hyper::{Method, StatusCode};
use session_core::{SessionHandle, store::SessionStore as _};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::Barrier,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    client::{Client, REFRESH},
    dice,
    example::Example,
    server::{Database, PATIENCE, Server},
};

/// F6: N-way race on one token. One lineage, the same successor for all, no theft, no 5xx.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_refreshes_of_one_token_get_one_successor() {
    let database = Database::new();
    let server = Server::start(Example::Axum, &database).await;
    let store = database.open().await;
    for at_once in [2, 8, 50, 100] {
        let mut ann = Client::browser(&server);
        let handle = SessionHandle::try_from(ann.log_in("ann", "laptop").await).unwrap();
        let barrier = Arc::new(Barrier::new(at_once));
        let mut tabs = JoinSet::new();
        for _ in 0..at_once {
            let (mut tab, barrier) = (ann.clone(), Arc::clone(&barrier));
            tabs.spawn(async move {
                barrier.wait().await;
                let answer = tab.refresh().await;
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
                tab
            });
        }
        let tabs = timeout(PATIENCE, tabs.join_all()).await.unwrap();
        let successors: BTreeSet<_> = tabs.iter().map(|tab| tab.refresh_token()).collect();
        assert_eq!(successors.len(), 1, "{at_once} at once");
        assert_ne!(tabs[0].refresh_token(), ann.refresh_token());
        let row = store.get(&handle).await.unwrap().unwrap();
        assert_eq!(row.generation, 1, "{at_once} at once");

        // Every tab can go on, with what it got and with what it had.
        let [mut first, mut last] = [tabs[0].clone(), tabs[at_once - 1].clone()];
        for tab in [&mut first, &mut last, &mut ann] {
            assert_eq!(tab.post("/like-comment").await.status, StatusCode::OK);
            assert_eq!(tab.refresh().await.status, StatusCode::OK);
        }
        assert_eq!(first.refresh_token(), ann.refresh_token());
    }
}

/// F8, G11, L2: a client hangs up in the middle of its refresh and never learns what became of it.
/// Nothing is half done: it asks again with the token that it has, and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_on_its_refresh_can_try_again() {
    let database = Database::new();
    let server = Server::start(Example::Axum, &database).await;
    let store = database.open().await;
    let mut ann = Client::browser(&server);
    let handle = SessionHandle::try_from(ann.log_in("ann", "laptop").await).unwrap();
    for generation in 0..HANG_UPS {
        // One in four has been answered already; for the others, any moment is as good as another.
        let answered = generation % 4 == 0;
        let moment = (!answered).then(|| Duration::from_micros(dice::below(5_000)));
        hang_up_on_refresh(&server, &ann, moment).await;
        if answered {
            let row = store.get(&handle).await.unwrap().unwrap();
            assert_eq!(row.generation, generation + 1);
        }
        let answer = ann.refresh().await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{generation}: {}",
            answer.text()
        );
        // The token was presented twice and exchanged once.
        let row = store.get(&handle).await.unwrap().unwrap();
        assert_eq!(row.generation, generation + 1);
    }
    assert_eq!(ann.post("/like-comment").await.status, StatusCode::OK);
}

/// Sends a refresh and hangs up, at some moment or as soon as there is an answer.
async fn hang_up_on_refresh(server: &Server, client: &Client, moment: Option<Duration>) {
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let request = client.request(Method::POST, REFRESH);
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    let headers: String = headers.collect();
    let head = format!("POST {REFRESH} HTTP/1.1\r\n{headers}content-length: 0\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    match moment {
        Some(moment) => sleep(moment).await,
        None => timeout(PATIENCE, socket.readable()).await.unwrap().unwrap(),
    }
}

const HANG_UPS: u64 = 200;
