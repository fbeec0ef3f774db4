//! Requests that no client library would send.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::http::TestApp;

/// The bytes of an answer.
#[derive(Debug)]
pub struct RawAnswer(Vec<u8>);

impl RawAnswer {
    /// The status; `None` when the server closed the connection without a word.
    pub fn status(&self) -> Option<u16> {
        let line = self.0.split(|&byte| byte == b'\r').next()?;
        std::str::from_utf8(line.get(9..12)?).ok()?.parse().ok()
    }

    /// The lines of the head after the first.
    pub fn head_lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.0);
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        head.split("\r\n").skip(1).map(str::to_owned).collect()
    }
}

/// Sends bytes on a connection of their own and reads until the server closes it.
///
/// Nothing follows the bytes, so a server that waits for more is not waited for. It may close early;
/// what it said until then counts.
pub async fn send_raw(app: &TestApp, request: &[u8]) -> RawAnswer {
    let stream = TcpStream::connect(app.address()).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let mut answer = Vec::new();
    // Written and read at once: a server that refuses a long head answers before its end.
    let write = async {
        to.write_all(request).await?;
        to.shutdown().await
    };
    let (_written, _read) = tokio::join!(write, from.read_to_end(&mut answer));
    RawAnswer(answer)
}
