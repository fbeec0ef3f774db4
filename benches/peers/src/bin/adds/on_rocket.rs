//! Rocket's own local client.

use bytes::Bytes;
use peers::Problem;
use rocket::{
    Build, Rocket,
    http::Header,
    local::asynchronous::{Client, LocalRequest},
};

use crate::application::Application;

/// An application that is not launched.
pub(crate) struct OnRocket(Client);

impl OnRocket {
    /// What [`peers::on_rocket`] builds.
    pub(crate) async fn of(rocket: Rocket<Build>) -> Result<Self, Problem> {
        Ok(Self(Client::untracked(rocket).await?))
    }
}

impl Application for OnRocket {
    type Request<'a> = LocalRequest<'a>;

    fn request(&self, authorization: &str) -> LocalRequest<'_> {
        let header = Header::new("authorization", authorization.to_owned());
        self.0.get("/session").header(header)
    }

    async fn answer<'a>(&'a self, request: LocalRequest<'a>) -> Result<(u16, Bytes), Problem> {
        let answer = request.dispatch().await;
        let status = answer.status().code;
        let body = answer.into_bytes().await.unwrap_or_default();
        Ok((status, body.into()))
    }
}
