//! What the nodes have in common, whatever their framework: all that makes them a fleet.

use std::{env, error::Error, net::TcpListener, time::Duration};

use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use session_core::{AppInfo, Session, Sessions};
use session_sqlx::SqlxStore;
use tokio::time::interval;
use tokio_stream::wrappers::IntervalStream;
use tokio_util::sync::CancellationToken;

use crate::{on_actix, on_axum, on_warp};

/// Serves one node until it is stopped.
pub(crate) async fn serve(
    framework: Framework,
    listener: TcpListener,
    site: &str,
    stop: CancellationToken,
) -> Result<(), Box<dyn Error>> {
    let sessions = sessions(site).await?;
    println!("listening on {}", listener.local_addr()?);
    let ours = sessions.clone();
    match framework {
        Framework::Axum => on_axum::serve(listener, ours, stop).await?,
        Framework::Actix => on_actix::serve(listener, ours, stop).await?,
        Framework::Warp => on_warp::serve(listener, ours, stop).await?,
    }
    sessions.shutdown().await;
    Ok(())
}

/// The same database and the same site are all that nodes share. The first of them makes the tables
/// and the keys; from then on PostgreSQL tells each what the others revoke.
async fn sessions(site: &str) -> Result<Sessions, Box<dyn Error>> {
    let database = env::var("DATABASE_URL").map_err(|_| "DATABASE_URL is not set")?;
    let sessions = Sessions::builder(AppInfo::new(site, site))
        .store(SqlxStore::connect(database).await?)
        .build()
        .await?;
    Ok(sessions)
}

/// What a node is built with.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Framework {
    Axum,
    Actix,
    Warp,
}

#[derive(Deserialize)]
pub(crate) struct Login {
    pub(crate) user: String,
}

/// The events of a stream: a tick each second, and one more when the session ends, on whichever node.
pub(crate) fn events(
    session: &Session,
    stop: CancellationToken,
) -> impl Stream<Item = &'static str> + Send + use<> {
    let ticks = IntervalStream::new(interval(Duration::from_secs(1))).map(|_| "tick");
    let ended = stream::iter(["ended"]);
    let events = ticks.take_until(session.revoked()).chain(ended);
    events.take_until(stop.cancelled_owned())
}
