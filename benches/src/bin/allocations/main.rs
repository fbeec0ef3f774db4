//! `allocations`: how often the library asks for memory while it checks a request.
//!
//! A program of its own, as its allocator counts. The program `bench` calls it, and reads the rows
//! that it writes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that goes wrong has nothing to say"
)]

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::AllocationInfo;
use bench::row::{Row, Target, Unit};
use http::{
    HeaderMap, HeaderValue, Method, Response,
    header::{AUTHORIZATION, COOKIE, HeaderName},
};
use session_core::{
    AppInfo, MemoryStore, NewSession, Sessions, UserId, VerifyOptions, http::Exchange,
};
use tokio::runtime;

fn main() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let rows = runtime.unwrap().block_on(measure());
    println!("{}", serde_json::to_string(&rows).unwrap());
}

async fn measure() -> Vec<Row> {
    let store = MemoryStore::default();
    let sessions = service(&store, 0).await;
    // On the same keys, so the tokens of one are the other's too.
    let remembering = service(&store, 1_000).await;
    let ann = NewSession::new(UserId::try_from("ann").unwrap());
    let issued = sessions.create(ann).await.unwrap();
    let token = issued.tokens().access_token().expose();
    let bearer = request(&AUTHORIZATION, &format!("Bearer {token}"));
    let cookie = request(&COOKIE, &format!("sAccessToken={token}; other=value"));
    let longer = |bytes: usize| request(&AUTHORIZATION, &format!("Bearer {}", "a".repeat(bytes)));
    let bytes_of = |headers: &HeaderMap| in_bytes(of_a_request(&sessions, headers, false));
    let grown = bytes_of(&longer(900_000)) - bytes_of(&longer(9_000));
    vec![
        row(
            "allocations-new-header",
            "checking a request with a token never seen, in a header",
            pieces(of_a_request(&sessions, &bearer, true)),
            Target::Shown,
        ),
        row(
            "allocations-new-cookie",
            "checking a request with a token never seen, in a cookie",
            pieces(of_a_request(&sessions, &cookie, true)),
            Target::Shown,
        ),
        row(
            "allocations-seen-header",
            "checking a request with a token that is remembered, in a header",
            pieces(of_a_request(&remembering, &bearer, true)),
            Target::AtMost(2.0),
        ),
        row(
            "allocations-seen-cookie",
            "checking a request with a token that is remembered, in a cookie",
            pieces(of_a_request(&remembering, &cookie, true)),
            Target::AtMost(2.0),
        ),
        row(
            "allocations-oversized",
            "bytes more for a token of 900 000 bytes than for one of 9 000, both beyond the cap",
            grown,
            Target::AtMost(0.0),
        ),
    ]
}

async fn service(store: &MemoryStore, verified_tokens: usize) -> Sessions {
    let app = AppInfo::new("https://api.example.com", "https://example.com");
    let builder = Sessions::builder(app)
        .store(store.clone())
        .config(|config| config.verified_tokens(verified_tokens));
    builder.build().await.unwrap()
}

fn request(name: &HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name.clone(), HeaderValue::from_str(value).unwrap())])
}

/// What an adapter does with a request, counted the second time.
fn of_a_request(sessions: &Sessions, headers: &HeaderMap, is_good: bool) -> AllocationInfo {
    let serve = || {
        let exchange = Exchange::new(sessions, &Method::GET, "/feed", headers);
        let options = VerifyOptions::new();
        let verified = at_once(exchange.verify(&options));
        assert_eq!(verified.is_ok(), is_good, "{verified:?}");
        if is_good {
            let mut response = Response::new(());
            exchange.finish(&mut response);
        }
    };
    serve();
    allocation_counter::measure(serve)
}

/// What needs no waiting, without a runtime whose allocations would count.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it waits"),
    }
}

fn row(name: &str, what: &str, count: f64, target: Target) -> Row {
    Row::alone(name, what, Unit::Allocations, vec![count], target)
}

fn pieces(info: AllocationInfo) -> f64 {
    f64::from(u32::try_from(info.count_total).unwrap())
}

fn in_bytes(info: AllocationInfo) -> f64 {
    f64::from(u32::try_from(info.bytes_total).unwrap())
}
