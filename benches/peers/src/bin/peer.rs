//! `peer`: serves the route with one of the frameworks on one thread, bare or with sessions.
//!
//! Prints where it listens, and ends when its input does. With sessions, it leaves in a folder what
//! clients and other verifiers need: `requests`, the header line of each session, and `jwks.json`.

use std::{fs, path::PathBuf};

use actix_web::rt::System;
use clap::Parser as _;
use peers::{
    Problem, launching, listening, on_actix, on_axum, on_rocket, on_warp,
    service::{self, Check, Store},
};
use session_core::Sessions;
use tokio::runtime;

#[derive(clap::Parser)]
struct Arguments {
    /// Who serves
    framework: Framework,
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Framework {
    Axum,
    Actix,
    Rocket,
    Warp,
}

#[derive(clap::Subcommand)]
enum Kind {
    /// The route alone
    Bare,
    /// The route with a session
    Session(WithSessions),
}

#[derive(clap::Args)]
struct WithSessions {
    /// How far the route looks
    #[arg(long, default_value = "stateless")]
    check: Check,
    /// `memory`, or the address of a database
    #[arg(long, default_value = "memory")]
    store: Store,
    /// How many verified tokens are remembered
    #[arg(long, default_value_t = 0)]
    seen: usize,
    /// How many sessions there are
    #[arg(long, default_value_t = 1_000)]
    sessions: u32,
    /// Where to leave the requests and the keys
    #[arg(long)]
    folder: PathBuf,
}

impl WithSessions {
    async fn open(&self) -> Result<Sessions, Problem> {
        let sessions = service::open(&self.store, self.seen).await?;
        let requests = service::log_in(&sessions, self.sessions).await?;
        fs::write(self.folder.join("requests"), requests.join("\n"))?;
        fs::write(self.folder.join("jwks.json"), sessions.jwks().to_text())?;
        Ok(sessions)
    }
}

fn main() -> Result<(), Problem> {
    let Arguments { framework, kind } = Arguments::parse();
    listening::end_with_input();
    let server = serve(framework, kind);
    match framework {
        Framework::Actix => System::new().block_on(server),
        Framework::Axum | Framework::Rocket | Framework::Warp => {
            let mut runtime = runtime::Builder::new_current_thread();
            runtime.enable_all().build()?.block_on(server)
        }
    }
}

async fn serve(framework: Framework, kind: Kind) -> Result<(), Problem> {
    match kind {
        Kind::Bare => match framework {
            Framework::Axum => on_axum::serve(on_axum::bare()).await?,
            Framework::Actix => on_actix::serve_bare().await?,
            Framework::Rocket => launching::serve(on_rocket::bare()).await?,
            Framework::Warp => on_warp::serve_bare().await?,
        },
        Kind::Session(arguments) => {
            let (check, sessions) = (arguments.check, arguments.open().await?);
            match framework {
                Framework::Axum => on_axum::serve(on_axum::with_sessions(check, sessions)).await?,
                Framework::Actix => on_actix::serve(check, sessions).await?,
                Framework::Rocket => {
                    launching::serve(on_rocket::with_sessions(check, sessions)).await?;
                }
                Framework::Warp => on_warp::serve(check, sessions).await?,
            }
        }
    }
    Ok(())
}
