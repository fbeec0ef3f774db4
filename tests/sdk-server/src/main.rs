//! The server that the test suite of the official browser SDK drives: what the suite asks of it, on
//! each of the frameworks. README.md says how it is run.
//!
//! One process is two servers. `server` is what the suite talks to: it owns the port, counts,
//! serves files and takes the suite's settings. Behind it, each time that the suite changes them, a
//! server of the framework is started anew, with the adapter around the suite's routes.

mod answers;
mod application;
mod backend;
mod cors;
mod counters;
mod framework;
mod keys;
mod listen;
mod routes;
mod server;
mod settings;
mod stored;
mod version_two;

use std::{io, path::PathBuf, thread};

use clap::Parser as _;
use tokio::sync::oneshot;

use crate::{framework::Framework, server::Server, settings::BoxError};

/// The test server of the official browser SDK's own suite
#[derive(clap::Parser)]
struct Arguments {
    /// Whose adapter answers
    #[arg(long)]
    framework: Framework,
    /// Where to listen, at every address of this machine; 0 is a free port
    #[arg(long, value_name = "N")]
    port: u16,
    /// Whose files are served at their own paths; also those of its folder `angular`
    #[arg(long = "static", value_name = "DIR")]
    files: PathBuf,
    /// What is served as `/index.html`
    #[arg(long, value_name = "FILE")]
    page: PathBuf,
    /// End when the standard input does
    #[arg(long)]
    until_input_ends: bool,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    for path in [&arguments.files, &arguments.page] {
        path.metadata()
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let listener = listen::everywhere(arguments.port)?;
    let port = listener.local_addr()?.port();
    let server = Server::new(arguments.framework, port).await?;
    let router = server.router(&arguments.files, &arguments.page);
    println!("listening on port {port}");
    let serving = axum::serve(listener, router).into_future();
    if arguments.until_input_ends {
        tokio::select! {
            outcome = serving => outcome?,
            _ = input_ended() => {}
        }
    } else {
        serving.await?;
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
