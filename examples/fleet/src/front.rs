//! Stands where a load balancer does: starts the nodes, serves the page and passes on what begins
//! with a node's name, so that the page can choose.

use std::{
    collections::HashMap, env, error::Error, net::SocketAddr, process::Stdio, sync::Arc,
    time::Duration,
};

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{Html, Response};
use axum::routing::{any, get};
use axum::{Router, http::StatusCode};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Serves the page and the nodes until it is stopped; then the nodes have ended, too.
pub(crate) async fn serve(
    listener: std::net::TcpListener,
    stop: CancellationToken,
) -> Result<(), Box<dyn Error>> {
    let site = format!("http://{}", listener.local_addr()?);
    let mut nodes = Vec::new();
    let mut front = Front::new();
    for name in ["axum", "actix", "warp"] {
        let node = Node::start(name, &site).await?;
        println!("{name} is process {} on {}", node.id, node.address);
        front.nodes.insert(name, node.address);
        nodes.push(node);
    }
    let app = Router::new()
        .route("/", get(Html(include_str!("page.html"))))
        .route("/{node}/{path}", any(pass_on))
        .with_state(Arc::new(front));
    println!("open {site}");
    axum::serve(TcpListener::from_std(listener)?, app)
        .with_graceful_shutdown(async move {
            stop.cancelled().await;
            // Their event streams pass through here, and would never end otherwise.
            for node in nodes {
                node.end().await;
            }
        })
        .await?;
    Ok(())
}

struct Front {
    nodes: HashMap<&'static str, SocketAddr>,
    client: Client<HttpConnector, Body>,
}

impl Front {
    fn new() -> Self {
        Self {
            nodes: HashMap::new(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }
}

async fn pass_on(
    State(front): State<Arc<Front>>,
    Path((node, path)): Path<(String, String)>,
    mut request: Request,
) -> Result<Response, StatusCode> {
    let address = front.nodes.get(&*node).ok_or(StatusCode::NOT_FOUND)?;
    let there = format!("http://{address}/{path}").parse();
    *request.uri_mut() = there.map_err(|_| StatusCode::NOT_FOUND)?;
    let response = timeout(PATIENCE, front.client.request(request)).await;
    let response = response.map_err(|_| StatusCode::GATEWAY_TIMEOUT)?;
    let response = response.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok(response.map(Body::new))
}

/// A node as a process of its own; one whose input ends when this process does.
struct Node {
    process: Child,
    id: u32,
    address: SocketAddr,
}

impl Node {
    async fn start(name: &str, site: &str) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(env::current_exe()?)
            .args(["--listen", "127.0.0.1:0", "--attached"])
            .args(["node", name, "--site", site])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let id = process.id().ok_or("a node has ended")?;
        let output = process.stdout.take().ok_or("a node has no output")?;
        let mut lines = BufReader::new(output).lines();
        let first = timeout(PATIENCE, lines.next_line()).await??;
        let address = first.ok_or("a node has ended")?;
        let address = address.trim_start_matches("listening on ").parse()?;
        Ok(Self {
            process,
            id,
            address,
        })
    }

    async fn end(mut self) {
        drop(self.process.stdin.take());
        if !matches!(timeout(PATIENCE, self.process.wait()).await, Ok(Ok(_))) {
            self.process.kill().await.ok();
        }
    }
}

/// The first node to start makes tables and keys, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_mins(1);
