//! Three nodes on three frameworks and one PostgreSQL, as processes behind one address: what one of
//! them ends, the others refuse.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use databases::{Database, Server};
use http_body_util::BodyExt as _;
use hyper::{Method, StatusCode};
use serde_json::json;
use session_core::clock::{Clock as _, SystemClock};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::Barrier,
    time::{sleep, timeout},
};

use crate::{
    client::{Client, Transport, exchange_over},
    server::PATIENCE,
};

/// G13: a session is made on one node and ended on another; the streams of all say so, and all
/// refuse it, though none asks the database. Half of all delays are shorter than a tenth of the time
/// between two looks into the database: the nodes are told.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_ended_on_one_node_is_refused_by_all() {
    let database = Database::on(Server::Postgres);
    let fleet = Fleet::start(&database.url().await).await;
    let mut delays = Vec::new();
    for round in 0..ROUNDS {
        for (number, node) in NODES.into_iter().enumerate() {
            let born_on = NODES[(number + round) % NODES.len()];
            let mut ann = Client::new(fleet.address, Transport::Headers);
            let login = json!({ "user": "ann" });
            let hello = ann.post_json(&format!("/{born_on}/login"), login).await;
            assert_eq!((hello.status, hello.text()), (StatusCode::OK, "hello, ann"));
            let taken = fleet.end_on(node, ann).await;
            for (other, delay) in taken.iter().filter(|(other, _)| *other != node) {
                println!("ended on {node}, {other} heard of it {delay:?} after the answer");
                delays.push(*delay);
            }
        }
    }
    assert!(fleet.interrupt().await.success());
    delays.sort();
    let (median, longest) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    println!("median {median:?}, longest {longest:?}");
    assert!(median < Duration::from_millis(100), "{delays:?}");
    assert!(longest < MAX_STALENESS, "{delays:?}");
}

/// An interrupt ends the nodes, their streams and what stands before them, in order.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_fleet_ends_as_a_whole() {
    let database = Database::on(Server::Postgres);
    let fleet = Fleet::start(&database.url().await).await;
    let mut ann = Client::new(fleet.address, Transport::Headers);
    ann.post_json("/axum/login", json!({ "user": "ann" })).await;
    let (open, nodes) = (Barrier::new(NODES.len() + 1), fleet.nodes.clone());
    let address = fleet.address;
    let [axum, actix, warp] = NODES.map(|node| Box::pin(events(address, node, &ann, &open)));
    let interrupted = async {
        open.wait().await;
        fleet.interrupt().await
    };
    let all = async { tokio::join!(axum, actix, warp, interrupted) };
    let (axum, actix, warp, status) = timeout(PATIENCE, all).await.unwrap();
    assert!(status.success(), "{status}");
    for events in [axum, actix, warp] {
        assert!(events.iter().all(|event| event == "tick"), "{events:?}");
    }
    let left: Vec<_> = nodes.values().filter(|id| is_running(**id)).collect();
    assert!(left.is_empty(), "{left:?} of {nodes:?}");
}

/// Whatever stands before the nodes is killed and cannot tell them: they end all the same.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_fleet_that_was_killed() {
    let database = Database::on(Server::Postgres);
    let mut fleet = Fleet::start(&database.url().await).await;
    assert!(fleet.nodes.values().all(|id| is_running(*id)));
    fleet.process.kill().await.unwrap();
    let all_ended = async {
        while fleet.nodes.values().any(|id| is_running(*id)) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, all_ended).await.unwrap();
}

/// The nodes and what stands before them. They end with this value.
struct Fleet {
    process: Child,
    address: SocketAddr,
    nodes: BTreeMap<String, u32>,
}

impl Fleet {
    async fn start(database: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_e2e-fleet"))
            .args(["--listen", "127.0.0.1:0"])
            .env("DATABASE_URL", database)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut nodes = BTreeMap::new();
        let address = timeout(PATIENCE, async {
            loop {
                let line = lines.next_line().await.unwrap().unwrap();
                if let Some(address) = line.strip_prefix("open http://") {
                    return address.parse().unwrap();
                }
                let (name, rest) = line.split_once(" is process ").unwrap();
                let (id, _) = rest.split_once(" on 127.0.0.1:").unwrap();
                nodes.insert(name.to_owned(), id.parse().unwrap());
            }
        });
        let address = address.await.expect("the fleet takes too long to start");
        assert_eq!(nodes.len(), NODES.len());
        Self {
            process,
            address,
            nodes,
        }
    }

    /// Ends a session on one node while its streams are open on all. For each node, how long after
    /// the answer its stream said so.
    async fn end_on(&self, node: &str, mut ann: Client) -> Vec<(&'static str, Duration)> {
        let open = Barrier::new(NODES.len() + 1);
        // They keep the token that the answer clears.
        let thieves = [ann.clone(), ann.clone(), ann.clone()];
        let [axum, actix, warp] =
            NODES.map(|name| Box::pin(heard(self.address, name, &thieves[0], &open)));
        let ending = async {
            open.wait().await;
            let answer = ann.post(&format!("/{node}/end")).await;
            assert_eq!((answer.status, answer.text()), (StatusCode::OK, "ended"));
            SystemClock.monotonic()
        };
        let all = async { tokio::join!(axum, actix, warp, ending) };
        let (axum, actix, warp, ended) = timeout(PATIENCE, all).await.unwrap();
        for (name, mut thief) in NODES.into_iter().zip(thieves) {
            let refused = thief.get(&format!("/{name}/news")).await;
            refused.assert_refused(401, "unauthorised");
        }
        let heard = NODES.into_iter().zip([axum, actix, warp]);
        heard
            .map(|(name, at)| (name, at.saturating_sub(ended)))
            .collect()
    }

    /// SIGINT to the process that was started, and to no other.
    async fn interrupt(mut self) -> ExitStatus {
        let id = self.process.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().await;
        assert!(sent.unwrap().success());
        self.process.wait().await.unwrap()
    }
}

/// When a node's event stream says that the session has ended, by our own clock.
async fn heard(address: SocketAddr, node: &str, client: &Client, open: &Barrier) -> Duration {
    let events = events(address, node, client, open).await;
    let at = SystemClock.monotonic();
    assert_eq!(events.last().map(String::as_str), Some("ended"), "{node}");
    at
}

/// The events of a node's stream until it closes. Meets the others when it is open.
async fn events(address: SocketAddr, node: &str, client: &Client, open: &Barrier) -> Vec<String> {
    let path = format!("/{node}/events");
    let request = client.request(Method::GET, &path);
    let socket = TcpStream::connect(address).await.unwrap();
    let read = exchange_over(socket, request, async |response| {
        assert_eq!(response.status(), StatusCode::OK, "{node}");
        open.wait().await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.into()).unwrap();
        let names = text.lines().filter_map(|line| line.strip_prefix("event:"));
        names.map(|name| name.trim().to_owned()).collect()
    });
    read.await.unwrap()
}

/// Whether a process is there and is more than its exit status.
fn is_running(id: u32) -> bool {
    fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| !line.is_empty())
}

const NODES: [&str; 3] = ["axum", "actix", "warp"];

/// So many that half of them are not fast by chance.
const ROUNDS: usize = 5;

/// What a node promises however it hears.
const MAX_STALENESS: Duration = Duration::from_secs(5);
