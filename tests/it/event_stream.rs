//! The event stream: a tick each second, until the session ends or the server does.

use std::net::SocketAddr;

use http_body_util::BodyExt as _;
use hyper::{Method, StatusCode};
use tokio::{net::TcpStream, sync::Notify, time::timeout};

use crate::{
    client::{Client, exchange_over},
    example::{Example, on_every_example},
    server::{Application, PATIENCE},
};

on_every_example! {
    an_event_stream_says_that_the_session_has_ended_and_closes,
    an_interrupted_server_closes_its_streams_and_ends_well,
}

async fn an_event_stream_says_that_the_session_has_ended_and_closes(example: Example) {
    let app = Application::start(example).await;
    let (mut laptop, mut phone) = (app.browser(), app.browser());
    let handle = laptop.log_in("ann", "laptop").await;
    phone.log_in("ann", "phone").await;
    let events = events(app.server().address(), &laptop, async || {
        let ended = phone.post(&format!("/devices/{handle}/end")).await;
        assert_eq!(ended.status, StatusCode::OK);
    });
    let events = timeout(PATIENCE, events).await.unwrap();
    let (last, ticks) = events.split_last().unwrap();
    assert_eq!(last, "ended");
    assert!(ticks.len() >= 2, "{events:?}");
    assert!(ticks.iter().all(|event| event == "tick"), "{events:?}");
}

/// Nothing waits for clients that never hang up.
async fn an_interrupted_server_closes_its_streams_and_ends_well(example: Example) {
    let app = Application::start(example).await;
    let mut ann = app.browser();
    ann.log_in("ann", "laptop").await;
    let address = app.server().address();
    let (server, database) = app.into_parts();
    let interrupted = Notify::new();
    let listening = async { events(address, &ann, async || interrupted.notify_one()).await };
    let interrupting = async {
        interrupted.notified().await;
        server.interrupt().await
    };
    let (events, status) = timeout(PATIENCE, async { tokio::join!(listening, interrupting) })
        .await
        .unwrap();
    assert!(status.success(), "{status}:\n{}", database.log_text());
    assert!(events.iter().all(|event| event == "tick"), "{events:?}");
}

/// The names of the events until the stream is closed. After the second, `then` is run.
async fn events(server: SocketAddr, client: &Client, then: impl AsyncFnOnce()) -> Vec<String> {
    let socket = TcpStream::connect(server).await.unwrap();
    let request = client.request(Method::GET, "/events");
    let read = exchange_over(socket, request, async |response| {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let (mut body, mut text, mut then) = (response.into_body(), String::new(), Some(then));
        while let Some(Ok(frame)) = body.frame().await {
            text += str::from_utf8(&frame.into_data().unwrap()).unwrap();
            if text.matches("event:").count() == 2
                && let Some(then) = then.take()
            {
                then().await;
            }
        }
        text
    });
    let text = read.await.unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("event:"));
    names.map(|name| name.trim_start().to_owned()).collect()
}
