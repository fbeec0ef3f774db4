//! The server as a process of its own.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    answer::Answer,
    client::{Client, Transport},
    framework::Framework,
};

/// A server that ends with this value.
pub(crate) struct Server {
    port: u16,
    _folder: TempDir,
    process: Child,
    /// The process ends when this is closed, however this one ends.
    _input: ChildStdin,
}

impl Server {
    /// A server that many tests use at a time: none of them sets it up or counts.
    pub(crate) fn shared(framework: Framework) -> &'static Self {
        static SERVERS: Mutex<BTreeMap<&str, &Server>> = Mutex::new(BTreeMap::new());
        let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
        servers
            .entry(framework.0)
            .or_insert_with(|| Box::leak(Box::new(Self::start(framework))))
    }

    /// Starts a server on a free port and waits until it serves.
    pub(crate) fn start(framework: Framework) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        fs::create_dir_all(files.join("angular")).unwrap();
        fs::write(files.join("angular/main.js"), "run()").unwrap();
        fs::write(files.join("runtime.js"), "start()").unwrap();
        fs::write(folder.path().join("page.html"), "<title>suite</title>").unwrap();
        let log = folder.path().join("log");
        let mut process = Command::new(env!("CARGO_BIN_EXE_sdk-server"))
            .args(["--framework", framework.0, "--port", "0"])
            .arg("--static")
            .arg(&files)
            .arg("--page")
            .arg(folder.path().join("page.html"))
            .arg("--until-input-ends")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            // Nobody waits for it any more if it has taken too long.
            tell.send(line).ok();
        });
        let line = told.recv_timeout(PATIENCE).unwrap_or_default();
        let port = line.trim_end().strip_prefix("listening on port ");
        let server = Self {
            port: port.map_or(0, |port| port.parse().unwrap()),
            _folder: folder,
            process,
            _input: input,
        };
        let log = || fs::read_to_string(&log).unwrap();
        assert_ne!(
            server.port,
            0,
            "it says {line:?} and does not start:\n{}",
            log()
        );
        server
    }

    /// A server whose application was set up with `/test/setup/app` and `/test/setup/st`.
    pub(crate) async fn with(framework: Framework, core_config: Value, st: Value) -> Self {
        let server = Self::start(framework);
        server.set_up(core_config, st).await;
        server
    }

    /// Another application, of its own.
    pub(crate) async fn set_up(&self, core_config: Value, st: Value) {
        let id = APP.fetch_add(1, Ordering::Relaxed).to_string();
        let app = json!({ "appId": id, "coreConfig": core_config });
        let text = self.post("/test/setup/app", app).await;
        assert_eq!(text.status, 200, "{text:?}");
        self.apply(text.text(), st).await;
    }

    /// The second of the two calls.
    pub(crate) async fn apply(&self, core_url: &str, mut st: Value) {
        st["coreUrl"] = core_url.into();
        let answer = self.post("/test/setup/st", st).await;
        assert_eq!((answer.status, answer.text()), (200, ""), "{answer:?}");
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A client that keeps its tokens in cookies.
    pub(crate) fn browser(&self) -> Client<'_> {
        Client::new(self, Transport::Cookies)
    }

    /// A client that keeps its tokens itself.
    pub(crate) fn app(&self) -> Client<'_> {
        Client::new(self, Transport::Headers)
    }

    /// Sends a request without any header of its own.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(with_json(request(Method::POST, path), &body))
            .await
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.send_to(Ipv4Addr::LOCALHOST.into(), request).await
    }

    pub(crate) async fn send_to(&self, ip: IpAddr, request: Request<Full<Bytes>>) -> Answer {
        let exchange = exchange((ip, self.port).into(), request);
        let answer = timeout(PATIENCE, exchange).await;
        answer.expect("the server does not answer")
    }

    /// What a counter says.
    pub(crate) async fn count(&self, path: &str) -> u64 {
        self.get(path).await.json().as_u64().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A request without any header of its own.
pub(crate) fn request(method: Method, path: &str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "localhost");
    request.body(Full::default()).unwrap()
}

pub(crate) fn with_json(mut request: Request<Full<Bytes>>, body: &Value) -> Request<Full<Bytes>> {
    let json = "application/json".parse().unwrap();
    request.headers_mut().insert(CONTENT_TYPE, json);
    *request.body_mut() = body.to_string().into();
    request
}

async fn exchange(address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let socket = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
    let answer = async {
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer::new(head, &body)
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}

/// No two tests of a process have the same application.
static APP: AtomicUsize = AtomicUsize::new(0);

/// Far longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
