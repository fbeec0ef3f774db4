//! Servers that pass a case and differ all the same.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use session_core::{MemoryStore, NewSession, Sessions, UserId, async_trait, store::SessionStore};
use session_testkit::http::{Adapter, Contender, ServerGuard, routes, run, transcript::compare};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// Answers everything with the same bytes.
struct Fixed(&'static str);

#[async_trait]
impl Adapter for Fixed {
    async fn serve(&self, _: Sessions, listener: std::net::TcpListener) -> ServerGuard {
        let (answer, listener) = (self.0, TcpListener::from_std(listener).unwrap());
        #[expect(clippy::disallowed_methods, reason = "stopped by the guard")]
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _gone = reply(stream, answer).await;
            }
        });
        ServerGuard::new(move || server.abort())
    }
}

async fn reply(stream: TcpStream, answer: &str) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 2 {
        line.clear();
    }
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

const PLAIN: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
const OWN_PAGE: &str = "HTTP/1.1 404 No\r\ncontent-length: 3\r\nx-own: a\r\n\r\n404";
const COOKIE: &str = "HTTP/1.1 404 Not Found\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n";
const JSON: &str =
    "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

fn differ(one: &'static str, other: &'static str) -> bool {
    let contenders = vec![
        Contender::new("one", Fixed(one)),
        Contender::new("other", Fixed(other)),
    ];
    let (name, case) = (
        "routes::what_is_not_ours_is_the_applications",
        routes::what_is_not_ours_is_the_applications,
    );
    let compare = || compare(contenders, name, &case);
    match catch_unwind(AssertUnwindSafe(compare)) {
        Ok(()) => false,
        Err(panic) => {
            let message = panic.downcast::<String>().unwrap();
            assert!(message.contains("only one:"), "{message}");
            true
        }
    }
}

/// What a framework says where the application has nothing is its own affair.
#[test]
fn a_frameworks_own_page_is_not_compared() {
    for answer in [PLAIN, COOKIE, JSON] {
        assert!(!differ(answer, answer), "{answer}");
    }
    assert!(!differ(PLAIN, OWN_PAGE));
}

/// A cookie, or an answer that looks like the session's, is not.
#[test]
fn what_no_case_asks_for_is_compared() {
    assert!(differ(PLAIN, COOKIE));
    assert!(differ(COOKIE, PLAIN));
    assert!(differ(PLAIN, JSON));
}

/// Serves nobody, with sessions in this store.
struct Over(MemoryStore);

#[async_trait]
impl Adapter for Over {
    async fn serve(&self, _: Sessions, _: std::net::TcpListener) -> ServerGuard {
        ServerGuard::new(|| {})
    }

    async fn empty_store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.0.clone())
    }
}

/// The sessions of a case are in the store that the adapter brings.
#[test]
fn an_adapter_brings_its_own_store() {
    let store = MemoryStore::default();
    run(Over(store.clone()), &async |app| {
        let ann = NewSession::new(UserId::try_from("ann").unwrap());
        let created = app.sessions().create(ann).await.unwrap();
        let kept = store.get(created.session().handle()).await.unwrap();
        assert!(kept.is_some());
    });
}
