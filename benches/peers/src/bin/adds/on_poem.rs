//! poem's endpoints, called as its server calls them.

use bytes::Bytes;
use peers::Problem;
use poem::{Endpoint, Request, http::header::AUTHORIZATION};

use crate::application::Application;

/// An endpoint of all routes.
pub(crate) struct OnPoem<E>(pub(crate) E);

impl<E: Endpoint> Application for OnPoem<E> {
    type Request<'a>
        = Request
    where
        E: 'a;

    fn request(&self, authorization: &str) -> Request {
        let request = Request::builder().uri_str("/session");
        request.header(AUTHORIZATION, authorization).finish()
    }

    async fn answer(&self, request: Request) -> Result<(u16, Bytes), Problem> {
        let answer = self.0.get_response(request).await;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().into_bytes().await?))
    }
}
