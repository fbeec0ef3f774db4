//! Three nodes, each on a framework of its own, on one PostgreSQL: a session that is ended on one is
//! refused by all, milliseconds later. `cargo xtask fleet` starts it with a database that it throws
//! away; with yours, it is `DATABASE_URL=postgres://… cargo run -p example-fleet`. Then open the
//! address that it prints.

mod front;
mod node;
mod on_actix;
mod on_axum;
mod on_warp;

use std::{
    error::Error,
    io,
    net::{SocketAddrV4, TcpListener},
    thread,
};

use clap::Parser as _;
use node::Framework;
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::LevelFilter;

#[derive(clap::Parser)]
struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddrV4,
    /// End when standard input ends, as well as on ctrl-c
    #[arg(long)]
    attached: bool,
    #[command(subcommand)]
    node: Option<Node>,
}

#[derive(clap::Subcommand)]
enum Node {
    /// One node alone, instead of all and what stands before them
    Node {
        framework: Framework,
        /// The address that browsers know
        #[arg(long, value_name = "URL")]
        site: String,
    },
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let log = tracing_subscriber::fmt().with_writer(io::stderr);
    log.with_max_level(LevelFilter::WARN).init();
    let listener = listen(arguments.listen)?;

    let stop = CancellationToken::new();
    if arguments.attached {
        stop_with_input(stop.clone());
    }
    let serving = async {
        match arguments.node {
            Some(Node::Node { framework, site }) => {
                node::serve(framework, listener, &site, stop.clone()).await
            }
            None => front::serve(listener, stop.clone()).await,
        }
    };
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended,
        _ = tokio::signal::ctrl_c() => stop.cancel(),
    }
    serving.await
}

/// An event is not to wait until the one before it is acknowledged, which takes a browser up to 40 ms.
/// On Linux, connections have this from their listener, whatever the framework.
fn listen(address: SocketAddrV4) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_nodelay(true)?;
    socket.set_reuseaddr(true)?;
    socket.bind(address.into())?;
    socket.listen(1024)?.into_std()
}

/// Whoever started this process holds the other end: it stops when he ends, however he ends. In a
/// thread of its own, as nothing can interrupt the reading.
fn stop_with_input(stop: CancellationToken) {
    thread::spawn(move || {
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        stop.cancel();
    });
}
