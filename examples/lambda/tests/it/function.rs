//! The example as a process of its own, and the Runtime API that it asks for events.

use std::{collections::HashMap, convert::Infallible, process::Stdio, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    task::JoinSet,
    time::timeout,
};

/// A running function. It ends when this is dropped.
pub(crate) struct Function {
    events: mpsc::UnboundedSender<Value>,
    answers: mpsc::UnboundedReceiver<Value>,
    _process: Child,
    _runtime_api: JoinSet<()>,
    _database: TempDir,
}

impl Function {
    /// Starts the example; `gateway_path` is what the gateway puts before each path.
    pub(crate) async fn start(gateway_path: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let database = tempfile::tempdir().unwrap();
        let file = database.path().join("sessions.sqlite");
        let process = Command::new(env!("CARGO_BIN_EXE_example-lambda"))
            .envs([
                (
                    "AWS_LAMBDA_RUNTIME_API",
                    listener.local_addr().unwrap().to_string(),
                ),
                ("AWS_LAMBDA_FUNCTION_NAME", "sessions".to_owned()),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
                ("API_DOMAIN", "https://api.example.com".to_owned()),
                ("WEBSITE_DOMAIN", "https://example.com".to_owned()),
                ("GATEWAY_PATH", gateway_path.to_owned()),
                ("DATABASE_URL", format!("sqlite://{}", file.display())),
            ])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (events, asked) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let api = RuntimeApi {
            asked: Arc::new(Mutex::new(asked)),
            answered,
        };
        let mut runtime_api = JoinSet::new();
        runtime_api.spawn(api.serve(listener));
        Self {
            events,
            answers,
            _process: process,
            _runtime_api: runtime_api,
            _database: database,
        }
    }

    /// What the function answers to an event.
    pub(crate) async fn invoke(&mut self, event: Value) -> Value {
        self.events.send(event).unwrap();
        let answer = timeout(Duration::from_mins(1), self.answers.recv());
        answer.await.unwrap().unwrap()
    }
}

/// The half of Lambda that a function talks to: it asks for the next event and posts its answer.
#[derive(Clone)]
struct RuntimeApi {
    asked: Arc<Mutex<mpsc::UnboundedReceiver<Value>>>,
    answered: mpsc::UnboundedSender<Value>,
}

impl RuntimeApi {
    async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let api = self.clone();
            let service = service_fn(move |request| {
                let api = api.clone();
                async move { Ok::<_, Infallible>(api.answer(request).await) }
            });
            connections.spawn(async move {
                let connection = http1::Builder::new();
                // The function goes away when the test is over.
                let _ended = connection
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() == Method::GET {
            let event = self.asked.lock().await.recv().await.unwrap();
            return Response::builder()
                .header(
                    "lambda-runtime-aws-request-id",
                    "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                )
                .header("lambda-runtime-deadline-ms", "4102444800000")
                .header(
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:eu-central-1:123456789012:function:sessions",
                )
                .body(event.to_string().into())
                .unwrap();
        }
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert!(
            path.ends_with("/response"),
            "{path}: {}",
            String::from_utf8_lossy(&body)
        );
        self.answered
            .send(serde_json::from_slice(&body).unwrap())
            .unwrap();
        let mut accepted = Response::new(Full::default());
        *accepted.status_mut() = StatusCode::ACCEPTED;
        accepted
    }
}

/// The cookies of a browser, as far as these tests need them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Cookies(HashMap<String, String>);

impl Cookies {
    /// Keeps what an answer sets and forgets what it clears.
    pub(crate) fn keep(&mut self, lines: &[String]) {
        for line in lines {
            let pair = line.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// `name=value` of each.
    pub(crate) fn pairs(&self) -> Vec<String> {
        let pairs = self.0.iter();
        pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}
