//! A server of each framework, with its adapter around the suite's routes. Each hands what it is
//! asked to [`routes::answer`].

mod actix;
mod axum;
mod rocket;
mod warp;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use http::Request;
use session_core::{NewSession, Session, VerifyOptions};

use crate::{application::Application, routes, settings::BoxError};

/// A framework that there is an adapter for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Framework {
    Axum,
    Actix,
    Rocket,
    Warp,
}

impl Framework {
    /// Starts a server of this framework, for nobody but this process.
    pub(crate) async fn serve(self, application: Arc<Application>) -> Result<Running, BoxError> {
        match self {
            Self::Axum => axum::serve(application).await,
            Self::Actix => actix::serve(application),
            Self::Rocket => rocket::serve(application).await,
            Self::Warp => warp::serve(application).await,
        }
    }
}

/// A server, which ends with this value.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Running {
    fn new(address: SocketAddr, stop: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self {
            address,
            stop: Some(Box::new(stop)),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
    }
}

/// A request of a framework that has types of its own.
#[expect(
    clippy::expect_used,
    reason = "what was a request to one is to the other"
)]
fn asked<'a>(
    method: &str,
    target: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: Bytes,
) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(target);
    let request = headers.into_iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    request.body(body).expect("a request")
}

/// Adapters that have a type for it all have the same.
macro_rules! session_requests {
    ($($adapter:ident)*) => {$(
        impl routes::SessionRequest for $adapter::SessionRequest {
            type Rejection = $adapter::SessionRejection;

            async fn create_session(&self, new: NewSession) -> Result<Session, Self::Rejection> {
                self.create_session(new).await
            }

            async fn get_session(
                &self,
                options: &VerifyOptions,
            ) -> Result<Option<Session>, Self::Rejection> {
                self.get_session(options).await
            }
        }
    )*};
}
session_requests! { session_axum session_rocket session_warp }

const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
