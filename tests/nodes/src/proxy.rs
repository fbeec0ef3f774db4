//! A line to a server that can be cut, stopped up and slowed down while it is used.

use std::{net::SocketAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// Stands before a server; ends with this value, and all its lines with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
    /// How often all lines were cut: a cut that is over at once ends them, too.
    cuts: watch::Sender<u64>,
    server: watch::Sender<SocketAddr>,
    _accepting: JoinSet<()>,
}

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests choose among them")]
pub enum Way {
    /// It arrives.
    Open,
    /// Lines are reset, old and new ones.
    Cut,
    /// Nothing arrives, and no line is closed: nobody is told. What was sent arrives when the way is
    /// open again.
    BlackHole,
    /// Questions arrive, and answers do not.
    NoAnswers,
    /// Answers arrive, and questions do not.
    NoQuestions,
    /// It arrives so much later.
    Delayed(Duration),
    /// So many bytes arrive each second.
    Slow(u32),
}

impl Proxy {
    /// In front of the server of an address such as `postgres://user:password@host:port/name`.
    pub async fn before(url: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, _) = watch::channel(Way::Open);
        let (cuts, cut) = watch::channel(0);
        let (server, _) = watch::channel(server_of(url));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, way.subscribe(), cut, server.subscribe()));
        Self {
            address,
            way,
            cuts,
            server,
            _accepting: accepting,
        }
    }

    /// The same address, by way of this.
    pub fn url(&self, url: &str) -> String {
        url.replace(&server_of(url).to_string(), &self.address.to_string())
    }

    /// From now on, this becomes of what is sent.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
        if way == Way::Cut {
            self.cuts.send_modify(|cuts| *cuts += 1);
        }
    }

    /// From now on, new lines lead to the server of another address.
    pub fn lead_to(&self, url: &str) {
        self.server.send_replace(server_of(url));
    }
}

fn server_of(url: &str) -> SocketAddr {
    let (_, place) = url.rsplit_once('@').unwrap();
    let (server, _) = place.split_once('/').unwrap();
    server.parse().unwrap()
}

async fn accept(
    listener: TcpListener,
    way: watch::Receiver<Way>,
    mut cut: watch::Receiver<u64>,
    server: watch::Receiver<SocketAddr>,
) {
    let mut lines = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        cut.mark_unchanged();
        let (way, cut, server) = (way.clone(), cut.clone(), *server.borrow());
        lines.spawn(connect(client, server, way, cut));
        while lines.try_join_next().is_some() {}
    }
}

async fn connect(
    mut client: TcpStream,
    server: SocketAddr,
    way: watch::Receiver<Way>,
    mut cut: watch::Receiver<u64>,
) {
    if *way.borrow() == Way::Cut {
        return reset(&client);
    }
    let is_cut = async move {
        // It fails when the proxy has ended, and all its lines with it.
        drop(cut.changed().await);
    };
    tokio::pin!(is_cut);
    let server = tokio::select! {
        biased;
        () = &mut is_cut => None,
        server = TcpStream::connect(server) => server.ok(),
    };
    let Some(mut server) = server else {
        return reset(&client);
    };
    {
        let (questions, to_client) = client.split();
        let (answers, to_server) = server.split();
        let asking = carry(questions, to_server, Way::lets_questions_pass, way.clone());
        let answering = carry(answers, to_client, Way::lets_answers_pass, way);
        tokio::select! {
            biased;
            () = &mut is_cut => {}
            _ = async { tokio::join!(asking, answering) } => return,
        }
    }
    reset(&client);
    reset(&server);
}

/// Makes the end of a line a reset, not an orderly farewell.
fn reset(line: &TcpStream) {
    // One that has gone already needs none.
    drop(line.set_zero_linger());
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    passes: fn(&Way) -> bool,
    mut way: watch::Receiver<Way>,
) {
    let mut buffer = BytesMut::with_capacity(MOST_AT_ONCE);
    while let Ok(1..) = from.read_buf(&mut buffer).await {
        let mut sent = buffer.split().freeze();
        while !sent.is_empty() {
            let now = way.wait_for(passes).await.map(|way| *way);
            let Ok(now) = now else { return };
            let (some, pause) = now.next_piece(&mut sent);
            sleep(pause).await;
            if to.write_all(&some).await.is_err() {
                return;
            }
        }
        buffer.reserve(MOST_AT_ONCE);
    }
    drop(to.shutdown().await);
}

impl Way {
    // Nothing passes between a cut and the moment when its line hears of it, either.
    fn lets_questions_pass(&self) -> bool {
        !matches!(self, Self::Cut | Self::BlackHole | Self::NoQuestions)
    }

    fn lets_answers_pass(&self) -> bool {
        !matches!(self, Self::Cut | Self::BlackHole | Self::NoAnswers)
    }

    /// What is to be passed on next, and in what time.
    fn next_piece(self, sent: &mut Bytes) -> (Bytes, Duration) {
        match self {
            Self::Slow(each_second) => {
                let most = (each_second / PIECES_A_SECOND).max(1);
                let piece = sent.split_to(sent.len().min(most as usize));
                let size = u32::try_from(piece.len()).unwrap_or(most);
                (piece, Duration::from_secs(1) * size / each_second.max(1))
            }
            Self::Delayed(pause) => (std::mem::take(sent), pause),
            _ => (std::mem::take(sent), Duration::ZERO),
        }
    }
}

const MOST_AT_ONCE: usize = 16_384;
const PIECES_A_SECOND: u32 = 20;

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    /// A server that answers with what it is asked, by way of a proxy.
    async fn echo() -> (Proxy, JoinSet<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("echo://user@{}/0", listener.local_addr().unwrap());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut lines = JoinSet::new();
            while let Ok((mut line, _)) = listener.accept().await {
                lines.spawn(async move {
                    let (mut from, mut to) = line.split();
                    drop(tokio::io::copy(&mut from, &mut to).await);
                });
            }
        });
        (Proxy::before(&url).await, serving)
    }

    async fn says_back(line: &mut TcpStream, text: &[u8]) -> std::io::Result<()> {
        line.write_all(text).await?;
        let mut back = vec![0; text.len()];
        line.read_exact(&mut back).await?;
        assert_eq!(back, text);
        Ok(())
    }

    #[test]
    fn an_address_leads_through_the_proxy() {
        let url = "postgres://session:a@127.0.0.1:1@127.0.0.1:5432/postgres";
        assert_eq!(server_of(url).to_string(), "127.0.0.1:5432");
    }

    #[tokio::test]
    async fn an_open_way_passes_everything() {
        let (proxy, _serving) = echo().await;
        let mut line = TcpStream::connect(proxy.address).await.unwrap();
        says_back(&mut line, &vec![7; 100_000]).await.unwrap();
    }

    #[tokio::test]
    async fn a_cut_resets_old_lines_and_new_ones() {
        let (proxy, _serving) = echo().await;
        let mut line = TcpStream::connect(proxy.address).await.unwrap();
        says_back(&mut line, b"one").await.unwrap();
        proxy.set(Way::Cut);
        let mut new = TcpStream::connect(proxy.address).await.unwrap();
        for line in [&mut line, &mut new] {
            let lost = line.read_u8().await.unwrap_err();
            assert_eq!(lost.kind(), std::io::ErrorKind::ConnectionReset);
        }
        proxy.set(Way::Open);
        let mut line = TcpStream::connect(proxy.address).await.unwrap();
        says_back(&mut line, b"two").await.unwrap();
        proxy.set(Way::Cut);
        proxy.set(Way::Open);
        let lost = line.read_u8().await.unwrap_err();
        assert_eq!(lost.kind(), std::io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn what_was_held_back_arrives_when_the_way_is_open() {
        for way in [Way::BlackHole, Way::NoAnswers, Way::NoQuestions] {
            let (proxy, _serving) = echo().await;
            let mut line = TcpStream::connect(proxy.address).await.unwrap();
            says_back(&mut line, b"one").await.unwrap();
            proxy.set(way);
            let mut held = Box::pin(says_back(&mut line, b"two"));
            let answer = timeout(Duration::from_millis(50), &mut held).await;
            assert!(answer.is_err(), "{way:?}");
            proxy.set(Way::Open);
            held.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_slow_way_takes_its_time() {
        let (proxy, _serving) = echo().await;
        let mut line = TcpStream::connect(proxy.address).await.unwrap();
        proxy.set(Way::Slow(1_000));
        let began = Instant::now();
        says_back(&mut line, &[7; 200]).await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(200));
        proxy.set(Way::Delayed(Duration::from_millis(50)));
        let began = Instant::now();
        says_back(&mut line, b"two").await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(100));
    }

    #[tokio::test]
    async fn a_proxy_can_lead_somewhere_else() {
        let (proxy, serving) = echo().await;
        let (other, _serving) = echo().await;
        drop(serving);
        proxy.lead_to(&format!("echo://user@{}/0", other.address));
        let mut line = TcpStream::connect(proxy.address).await.unwrap();
        says_back(&mut line, b"one").await.unwrap();
    }
}
