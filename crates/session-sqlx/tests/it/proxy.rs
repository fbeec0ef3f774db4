//! A connection through which answers can be held back.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use session_sqlx::{ConnectOptions, SqlxStore};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::servers::PATIENCE;

/// Passes everything on, but no answer to a certain question until it may.
pub(crate) struct Proxy {
    held: watch::Sender<Held>,
    asked: Arc<AtomicUsize>,
    replaced: watch::Sender<Option<Replaced>>,
    port: u16,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// In front of the server at this address.
    pub(crate) async fn before(url: &str) -> Self {
        let (_, place) = url.rsplit_once('@').unwrap();
        let (server, _) = place.split_once('/').unwrap();
        let server = server.to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (held, _) = watch::channel(Held::Nothing);
        let mut accepting = JoinSet::new();
        let holding = held.clone();
        let asked = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&asked);
        let (replaced, replacing) = watch::channel(None);
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                connections.spawn(pass_on(
                    client,
                    server,
                    holding.clone(),
                    Arc::clone(&counting),
                    replacing.clone(),
                ));
            }
        });
        Self {
            held,
            asked,
            replaced,
            port,
            _accepting: accepting,
        }
    }

    /// The address by which the database is reached through this.
    pub(crate) fn url(&self, url: &str) -> String {
        let (account, place) = url.rsplit_once('@').unwrap();
        let (_, database) = place.split_once('/').unwrap();
        format!("{account}@127.0.0.1:{}/{database}", self.port)
    }

    /// A store that reaches the database through this, on one connection.
    pub(crate) async fn store(&self, url: &str) -> SqlxStore {
        let options = ConnectOptions::new(self.url(url)).connections(1);
        SqlxStore::connect_with(options.timeout(PATIENCE))
            .await
            .unwrap()
    }

    /// From the next question on that has this text in it, holds answers back.
    pub(crate) fn hold_from(&self, question: &'static str) {
        self.held.send_replace(Held::From(question));
    }

    /// From now on holds every answer back.
    pub(crate) fn hold(&self) {
        self.held.send_replace(Held::Answers);
    }

    /// Ends every connection, and what was held back never comes.
    pub(crate) fn cut(&self) {
        self.held.send_replace(Held::Cut);
    }

    /// From now on asks something else in the place of this text; it must not be longer.
    pub(crate) fn replace(&self, text: &'static str, with: &str) {
        assert!(with.len() <= text.len());
        let with = format!("{with:width$}", width = text.len());
        self.replaced.send_replace(Some((text, with)));
    }

    /// From now on asks what it is told to.
    pub(crate) fn replace_nothing(&self) {
        self.replaced.send_replace(None);
    }

    /// How often something was asked: the messages on the way to the server.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Passes on what has come, and says whether anything was held back.
    pub(crate) fn pass_on(&self) -> bool {
        matches!(self.held.send_replace(Held::Nothing), Held::Answers)
    }
}

/// A text in questions and what takes its place.
type Replaced = (&'static str, String);

#[derive(Clone, Copy)]
enum Held {
    Nothing,
    From(&'static str),
    Answers,
    /// What there is of connections ends.
    Cut,
}

async fn pass_on(
    client: TcpStream,
    server: TcpStream,
    held: watch::Sender<Held>,
    asked: Arc<AtomicUsize>,
    replaced: watch::Receiver<Option<Replaced>>,
) {
    let (mut questions, mut to_client) = client.into_split();
    let (mut answers, mut to_server) = server.into_split();
    let ask = async {
        let mut question = Vec::with_capacity(65_536);
        while let Ok(1..) = questions.read_buf(&mut question).await {
            asked.fetch_add(1, Ordering::SeqCst);
            if let Some((text, with)) = replaced.borrow().clone() {
                while let Some(place) = question
                    .windows(text.len())
                    .position(|at| at == text.as_bytes())
                    .and_then(|at| question.get_mut(at..at + with.len()))
                {
                    place.copy_from_slice(with.as_bytes());
                }
            }
            let is_begun =
                |text: &str| question.windows(text.len()).any(|at| at == text.as_bytes());
            held.send_if_modified(|held| match held {
                Held::From(text) if is_begun(text) => {
                    *held = Held::Answers;
                    true
                }
                _ => false,
            });
            if to_server.write_all(&question).await.is_err() {
                return;
            }
            question.clear();
        }
        drop(to_server.shutdown().await);
    };
    let answer = async {
        let mut holding = held.subscribe();
        let mut answer = Vec::with_capacity(65_536);
        while let Ok(1..) = answers.read_buf(&mut answer).await {
            let free = holding.wait_for(|held| !matches!(held, Held::Answers));
            // What came as the connection was cut does not come any more.
            let is_free = free.await.is_ok_and(|held| !matches!(*held, Held::Cut));
            if !is_free || to_client.write_all(&answer).await.is_err() {
                return;
            }
            answer.clear();
        }
    };
    let mut ending = held.subscribe();
    tokio::select! {
        biased;
        _ = ending.wait_for(|held| matches!(held, Held::Cut)) => {}
        _ = async { tokio::join!(ask, answer) } => {}
    }
}
