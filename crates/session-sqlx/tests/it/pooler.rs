//! What a pooler in transaction mode does to notifications: it does not pass them on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// Stands before PostgreSQL and passes everything on, notifications only while it may.
pub(crate) struct Pooler {
    swallows: Arc<AtomicBool>,
    lets_in: watch::Sender<bool>,
    port: u16,
    _accepting: JoinSet<()>,
}

impl Pooler {
    /// In front of the server at this address.
    pub(crate) async fn before(url: &str) -> Self {
        let (_, place) = url.rsplit_once('@').unwrap();
        let server = place.split_once('/').unwrap().0.to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let swallows = Arc::new(AtomicBool::new(false));
        let mut accepting = JoinSet::new();
        let (lets_in, mut gate) = watch::channel(true);
        let swallowing = Arc::clone(&swallows);
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                gate.wait_for(|is_open| *is_open).await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                let swallowing = Arc::clone(&swallowing);
                connections.spawn(async move {
                    let (mut questions, to_client) = client.into_split();
                    let (answers, mut to_server) = server.into_split();
                    // Whichever side leaves first, the other is left too.
                    tokio::select! {
                        _ = io::copy(&mut questions, &mut to_server) => {}
                        _ = pass_on(answers, to_client, &swallowing) => {}
                    }
                });
            }
        });
        Self {
            swallows,
            lets_in,
            port,
            _accepting: accepting,
        }
    }

    /// The address by which the database is reached through this. Unencrypted, to be understood.
    pub(crate) fn url(&self, url: &str) -> String {
        let (account, place) = url.rsplit_once('@').unwrap();
        let (_, database) = place.split_once('/').unwrap();
        format!(
            "{account}@127.0.0.1:{}/{database}?sslmode=disable",
            self.port
        )
    }

    /// Whether new connections go on to the server; until then they wait.
    pub(crate) fn let_in(&self, lets_in: bool) {
        self.lets_in.send_replace(lets_in);
    }

    pub(crate) fn swallow_notifications(&self, swallows: bool) {
        self.swallows.store(swallows, Ordering::SeqCst);
    }
}

/// A message is its kind, its length with the length's own four bytes, and the rest.
async fn pass_on(
    mut answers: OwnedReadHalf,
    mut to_client: OwnedWriteHalf,
    swallows: &AtomicBool,
) -> io::Result<()> {
    loop {
        let kind = answers.read_u8().await?;
        let length = answers.read_u32().await?;
        let mut rest = vec![0; length as usize - 4];
        answers.read_exact(&mut rest).await?;
        if kind == NOTIFICATION && swallows.load(Ordering::SeqCst) {
            continue;
        }
        let mut message = vec![kind];
        message.extend(length.to_be_bytes());
        message.extend(rest);
        to_client.write_all(&message).await?;
    }
}

const NOTIFICATION: u8 = b'A';
