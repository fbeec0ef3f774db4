//! `others`: serves the route of the package `peers` on one thread, with what else there is.
//!
//! Prints where it listens, and ends when its input does. With the sessions of others it leaves the
//! header line of each session in the file `requests` of a folder; tokens are those of the folder's
//! `jwks.json`, which the program `peer` has left there.

mod actix_sessions;
#[expect(dead_code, reason = "here every route has a session")]
#[path = "../../src/answer.rs"]
mod answer;
mod jsonwebtoken;
#[path = "../../src/launching.rs"]
mod launching;
#[path = "../../src/listening.rs"]
mod listening;
mod tower_sessions;

use std::{error::Error, path::PathBuf};

use actix_web::rt::System;
use clap::Parser as _;
use serde_json::{Map, Value, json};

#[derive(clap::Parser)]
struct Arguments {
    #[command(subcommand)]
    other: Other,
    /// Where requests are left, or the keys are found
    #[arg(long)]
    folder: PathBuf,
}

#[derive(clap::Subcommand)]
enum Other {
    /// The crate `jsonwebtoken`, on one of the frameworks
    Jsonwebtoken { framework: jsonwebtoken::Framework },
    /// The crate `tower-sessions` on axum
    TowerSessions {
        /// The address of an SQLite database or of a Redis
        store: String,
    },
    /// The crate `actix-session` on actix-web
    ActixSession {
        /// `cookie`, or the address of a Redis
        store: String,
    },
}

fn main() -> Result<(), Problem> {
    let Arguments { other, folder } = Arguments::parse();
    listening::end_with_input();
    // actix-web's runtime, which is tokio's on one thread: all frameworks run in it.
    System::new().block_on(async {
        match other {
            Other::Jsonwebtoken { framework } => jsonwebtoken::serve(framework, &folder).await,
            Other::TowerSessions { store } => tower_sessions::serve(&store, &folder).await,
            Other::ActixSession { store } => actix_sessions::serve(&store, &folder).await,
        }
    })
}

/// What a session holds: the user, and as much as the tokens of `peer` say.
fn session_of(number: u32) -> Map<String, Value> {
    let mut session = Map::new();
    session.insert("user".to_owned(), json!(format!("user-{number:08}")));
    for (name, value) in [
        ("role", json!(["member", "editor"])),
        ("permissions", json!(["read", "write", "share"])),
        ("verified", json!(true)),
        ("email", json!("somebody@example.com")),
        (
            "organisation",
            json!("4f1c2a86-2f0e-4a3c-9f57-0f4b7c1f6d21"),
        ),
        ("plan", json!("basic")),
    ] {
        session.insert(name.to_owned(), value);
    }
    session
}

const SESSIONS: u32 = 1_000;

/// What did not work, for a person.
type Problem = Box<dyn Error + Send + Sync>;
