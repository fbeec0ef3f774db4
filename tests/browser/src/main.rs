//! Sites for a browser: a small application on one of the frameworks, the website whose pages call
//! it, and what stands in front of both. Tests start and steer sites over the control interface,
//! whose address this prints; it ends when its input does, so that nothing outlives a test.

mod application;
mod control;
mod front;
mod hosts;
mod on_actix;
mod on_axum;
mod on_poem;
mod on_rocket;
mod on_warp;
mod server;
mod site;
mod website;

use std::{fs, io, path::PathBuf, thread};

use clap::Parser as _;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{control::Sites, server::Adapter, site::Problem};

#[derive(clap::Parser)]
struct Arguments {
    /// Which framework the application is built with
    #[arg(long)]
    adapter: Adapter,
    #[command(flatten)]
    folders: Folders,
}

/// Where sites find and leave things.
#[derive(clap::Args)]
struct Folders {
    /// The folder of the page that was built
    #[arg(long)]
    pages: PathBuf,
    /// The folder for databases
    #[arg(long)]
    databases: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    fs::create_dir_all(&arguments.folders.databases)?;
    let sites = Sites::new(arguments.adapter, arguments.folders);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    tokio::select! {
        served = axum::serve(listener, control::routes(sites)) => served?,
        _ = input_ended() => {}
    }
    Ok(())
}

/// Ends when whoever started this closes the other end of its input.
fn input_ended() -> oneshot::Receiver<()> {
    let (end, ended) = oneshot::channel();
    // Not a task: the runtime would wait for its reading to end.
    thread::spawn(move || {
        let read = io::copy(&mut io::stdin(), &mut io::sink());
        drop((read, end));
    });
    ended
}
