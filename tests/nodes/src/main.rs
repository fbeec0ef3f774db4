//! One node: an axum application with every check, on the store that `SESSION_STORE` names, and with
//! the Redis beside it that `SESSION_FEED` names: addresses hold passwords, and every process may
//! read another's arguments. So it is with the secrets that keys are encrypted with, `SESSION_SECRET`
//! and the one before, `SESSION_OLDER_SECRET`, each as `NAME=SECRET`. It listens on a port of its own,
//! prints where, and ends at SIGTERM or when its input does, so that nothing outlives a test.

mod clock;
mod signing;

use std::{
    convert::Infallible,
    env,
    error::Error,
    io, thread,
    time::{Duration, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    routing::{delete, get, post},
};
use clap::Parser as _;
use futures_util::stream;
use serde_json::{Value, json};
use session_axum::{
    AppInfo, CheckBlacklist, CheckDatabase, NewSession, Session, SessionError, SessionHandle,
    SessionLayer, SessionRejection, SessionRequest, Sessions, Stateless, UserId,
    session_core::blacklist::Notifications,
};
use session_redis::{RedisFeed, RedisStore};
use session_sqlx::SqlxStore;
use tokio::{
    net::TcpListener,
    runtime::Handle,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use crate::clock::FastClock;

#[derive(clap::Parser)]
struct Arguments {
    /// What the feed's channels begin with, or the names of a store on Redis
    #[arg(long, default_value = "session")]
    prefix: String,
    /// How often the store is asked for the revocations of others
    #[arg(long, default_value_t = 1000)]
    poll_ms: u64,
    /// How old the blacklist may be
    #[arg(long, default_value_t = 5000)]
    max_staleness_ms: u64,
    /// How long the store may take
    #[arg(long, default_value_t = 2000)]
    timeout_ms: u64,
    /// How long a superseded refresh token still gets its successor
    #[arg(long, default_value_t = 30_000)]
    grace_ms: u64,
    /// How many connections to a database are used at the same time
    #[arg(long, default_value_t = 4)]
    connections: u32,
    /// How long a key signs
    #[arg(long, value_name = "HOURS", default_value_t = 168)]
    key_hours: u64,
    /// How many times as fast as the machine's the clock runs
    #[arg(long, default_value_t = 1)]
    clock_speed: u32,
    /// Since when it does, in Unix milliseconds
    #[arg(long, default_value_t = 0)]
    clock_since_ms: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let sessions = service(arguments).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut terminated = signal(SignalKind::terminate())?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app(sessions.clone()))
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = input_ended() => {}
            }
        })
        .await?;
    sessions.shutdown().await;
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

async fn service(arguments: Arguments) -> Result<Sessions, Box<dyn Error>> {
    let ms = Duration::from_millis;
    let (timeout, poll_every) = (ms(arguments.timeout_ms), ms(arguments.poll_ms));
    let app = AppInfo::new("https://api.example.com", "https://example.com");
    let builder = Sessions::builder(app)
        .clock(FastClock {
            since: UNIX_EPOCH + ms(arguments.clock_since_ms),
            speed: arguments.clock_speed,
        })
        .config(|mut config| {
            if let Some((name, secret)) = secret("SESSION_SECRET") {
                config = config.encryption_secret(name, secret);
            }
            if let Some((name, secret)) = secret("SESSION_OLDER_SECRET") {
                config = config.older_encryption_secret(name, secret);
            }
            config
                .max_staleness(ms(arguments.max_staleness_ms))
                .rotation_grace(ms(arguments.grace_ms))
                .signing_key_rotation(Duration::from_hours(arguments.key_hours))
                .store_timeout(timeout)
        });
    let on_redis = |url| {
        session_redis::ConnectOptions::new(url)
            .prefix(arguments.prefix)
            .timeout(timeout)
            .poll_every(poll_every)
    };
    let address = env::var("SESSION_STORE")?;
    if address.starts_with("redis") {
        let store = RedisStore::connect_with(on_redis(address)).await?;
        return Ok(builder.store(store).build().await?);
    }
    let options = session_sqlx::ConnectOptions::new(address)
        .timeout(timeout)
        .poll_every(poll_every)
        .connections(arguments.connections);
    let store = SqlxStore::connect_with(options).await?;
    let builder = match env::var("SESSION_FEED") {
        Ok(url) => {
            let feed = RedisFeed::new(on_redis(url))?;
            builder.store(feed.announcing(store)).feed(feed)
        }
        Err(_) => builder.store(store),
    };
    Ok(builder.build().await?)
}

fn app(sessions: Sessions) -> Router {
    Router::new()
        .route("/sessions/of/{user}", post(create).delete(revoke_all))
        .route("/sessions/{handle}", delete(revoke))
        .route("/stateless", get(async |_: Session<Stateless>| ()))
        .route("/blacklist", get(async |_: Session<CheckBlacklist>| ()))
        .route("/database", get(async |_: Session<CheckDatabase>| ()))
        .route("/until-revoked", get(until_revoked))
        .route("/health", get(health))
        .merge(signing::routes())
        .with_state(sessions.clone())
        .layer(SessionLayer::new(sessions))
}

/// Its tokens travel with the answer.
async fn create(request: SessionRequest, Path(user): Path<String>) -> Answer {
    let session = request
        .create_session(NewSession::new(user_of(user)?))
        .await?;
    Ok(Json(json!({ "handle": session.handle() })))
}

async fn revoke(State(sessions): State<Sessions>, Path(handle): Path<String>) -> Answer {
    let handle = SessionHandle::try_from(handle).map_err(SessionError::from)?;
    Ok(Json(json!({ "ended": sessions.revoke(&handle).await? })))
}

async fn revoke_all(State(sessions): State<Sessions>, Path(user): Path<String>) -> Answer {
    let ended = sessions.revoke_all_of_user(&user_of(user)?, None).await?;
    Ok(Json(json!({ "ended": ended })))
}

/// An answer that ends when this node knows that the session was revoked.
async fn until_revoked(session: Session<CheckBlacklist>) -> Body {
    let revoked = session.revoked();
    Body::from_stream(stream::once(async {
        revoked.await;
        Ok::<_, Infallible>(Bytes::new())
    }))
}

async fn health(State(sessions): State<Sessions>) -> Json<Value> {
    let health = sessions.health().await;
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Json(json!({
        "is_ready": health.is_ready(),
        "store_answers": health.store.is_none(),
        "clock_offset_ms": health.clock_offset.map(ms),
        "is_fresh": health.blacklist.is_fresh(),
        "age_ms": health.blacklist.age.map(ms),
        "entries": health.blacklist.entries,
        "is_notified": health.blacklist.notifications == Notifications::Arriving,
        "tasks": Handle::current().metrics().num_alive_tasks(),
    }))
}

/// A secret of the environment, and its name.
fn secret(variable: &str) -> Option<(String, String)> {
    let named = env::var(variable).ok()?;
    let (name, secret) = named.split_once('=')?;
    Some((name.to_owned(), secret.to_owned()))
}

fn user_of(user: String) -> Result<UserId, SessionError> {
    UserId::try_from(user).map_err(SessionError::from)
}

type Answer = Result<Json<Value>, SessionRejection>;
