//! A server on a port of its own, and which framework it is built with.

use std::{any::Any, io, net::SocketAddr};

use crate::{application::Application, on_actix, on_axum, on_poem, on_rocket, on_warp};

/// A framework with an adapter.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Adapter {
    Axum,
    Actix,
    Rocket,
    Warp,
    Poem,
}

impl Adapter {
    /// Serves the application with this framework.
    pub(crate) async fn serve(self, application: Application) -> io::Result<Server> {
        match self {
            Self::Axum => on_axum::serve(application).await,
            Self::Actix => on_actix::serve(application),
            Self::Rocket => on_rocket::serve(application).await,
            Self::Warp => on_warp::serve(application).await,
            Self::Poem => on_poem::serve(application).await,
        }
    }
}

/// A server that stops when this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    _stops_on_drop: Box<dyn Any + Send + Sync>,
}

impl Server {
    /// The one at `address`, which `stops_on_drop` keeps running.
    pub(crate) fn new(address: SocketAddr, stops_on_drop: impl Any + Send + Sync) -> Self {
        Self {
            address,
            _stops_on_drop: Box::new(stops_on_drop),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}
