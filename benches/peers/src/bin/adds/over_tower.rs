//! axum, warp and what has no framework: all are tower services.

use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};
use http_body_util::BodyExt;
use peers::{Problem, on_tower::Body};
use tower::{Service, ServiceExt as _};

use crate::application::Application;

/// A service that is cloned for each request.
pub(crate) struct OverTower<S>(pub(crate) S);

impl<S, B> Application for OverTower<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error: Into<Problem>> + Clone,
    B: BodyExt<Data = Bytes, Error: Into<Problem>>,
{
    type Request<'a>
        = Result<Request<Body>, http::Error>
    where
        S: 'a;

    fn request(&self, authorization: &str) -> Result<Request<Body>, http::Error> {
        let request = Request::get("/session").header(AUTHORIZATION, authorization);
        request.body(Body::default())
    }

    async fn answer(
        &self,
        request: Result<Request<Body>, http::Error>,
    ) -> Result<(u16, Bytes), Problem> {
        let answer = self.0.clone().oneshot(request?).await.map_err(Into::into)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(Into::into)?;
        Ok((status, body.to_bytes()))
    }
}
