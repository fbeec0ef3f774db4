//! `adds`: what a session adds to a request, in the process of one framework and without a socket.
//!
//! Prints, as JSON, how many nanoseconds a request took in each round: on the route without
//! sessions, and on the route with a session whose token was not seen before, or was. Rounds of all
//! three take turns.

mod application;
mod measuring;
mod on_actix;
mod on_poem;
mod on_rocket;
mod over_tower;

use actix_web::rt::System;
use clap::Parser as _;
use peers::{
    Problem, on_axum, on_poem as poem, on_rocket as rocket, on_tower, on_warp,
    service::{self, Check, Store},
};
use session_core::Sessions;
use session_warp::SessionLayer;
use tower::Layer as _;

use application::Clients;
use measuring::{Figures, Measuring};
use on_poem::OnPoem;
use on_rocket::OnRocket;
use over_tower::OverTower;

#[derive(clap::Parser)]
struct Arguments {
    framework: Framework,
    /// How many rounds
    #[arg(long, default_value_t = 301)]
    rounds: usize,
    /// How many sessions there are; some of them ask in each round
    #[arg(long, default_value_t = 1_000)]
    sessions: u32,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Framework {
    Axum,
    Actix,
    Rocket,
    Warp,
    Poem,
    Tower,
}

fn main() -> Result<(), Problem> {
    let arguments = Arguments::parse();
    // actix-web's runtime, which is tokio's on one thread: all frameworks run in it.
    let figures = System::new().block_on(figures(arguments))?;
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

async fn figures(arguments: Arguments) -> Result<Figures, Problem> {
    let users = arguments.sessions;
    let (new, of_new) = opened(users, 0).await?;
    // With room to spare, so that none is forgotten.
    let (seen, of_seen) = opened(users, usize::try_from(users)? * 8).await?;
    let measuring = Measuring {
        clients: [of_new, of_seen],
        rounds: arguments.rounds,
    };
    match arguments.framework {
        Framework::Axum => {
            let with = [new, seen].map(|sessions| on_axum::with_sessions(CHECK, sessions));
            let with = with.map(OverTower);
            measuring.measure(OverTower(on_axum::bare()), with).await
        }
        Framework::Actix => {
            let new = on_actix::with_sessions(new).await;
            let with = [new, on_actix::with_sessions(seen).await];
            measuring.measure(on_actix::bare().await, with).await
        }
        Framework::Rocket => {
            let with = [new, seen].map(|sessions| rocket::with_sessions(CHECK, sessions));
            let [new, seen] = with.map(OnRocket::of);
            let without = OnRocket::of(rocket::bare()).await?;
            measuring.measure(without, [new.await?, seen.await?]).await
        }
        Framework::Warp => {
            let with = [new, seen].map(|sessions| {
                let routes = session_warp::service(on_warp::with_sessions(CHECK));
                OverTower(SessionLayer::new(sessions).layer(routes))
            });
            let without = OverTower(warp::service(on_warp::bare()));
            measuring.measure(without, with).await
        }
        Framework::Poem => {
            let with = [new, seen].map(poem::with_sessions).map(OnPoem);
            measuring.measure(OnPoem(poem::bare()), with).await
        }
        Framework::Tower => {
            let with = [new, seen].map(on_tower::with_sessions).map(OverTower);
            measuring.measure(OverTower(on_tower::bare()), with).await
        }
    }
}

/// Sessions that remember so many tokens, and clients that have one each.
async fn opened(users: u32, remembered: usize) -> Result<(Sessions, Clients), Problem> {
    let sessions = service::open(&Store::Memory, remembered).await?;
    let clients = Clients::of(&service::log_in(&sessions, users).await?)?;
    Ok((sessions, clients))
}

const CHECK: Check = Check::Stateless;
