//! actix-web's own test service.

use actix_http::Request;
use actix_web::{
    App, Error,
    body::{self, MessageBody},
    dev::{Service, ServiceResponse},
    http::header::AUTHORIZATION,
    test::{self, TestRequest},
};
use bytes::Bytes;
use peers::{Problem, on_actix, service::Check};
use session_actix::{SessionMiddleware, Sessions};

use crate::application::Application;

/// What actix-web makes of an application for its tests.
pub(crate) struct OnActix<S>(S);

/// Without sessions.
pub(crate) async fn bare() -> impl Application {
    OnActix(test::init_service(App::new().configure(on_actix::bare)).await)
}

/// With a session whose token alone is looked at.
pub(crate) async fn with_sessions(sessions: Sessions) -> impl Application {
    let routes = App::new().configure(on_actix::with_sessions(Check::Stateless));
    OnActix(test::init_service(routes.wrap(SessionMiddleware::new(sessions))).await)
}

impl<S, B> Application for OnActix<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Request<'a>
        = Request
    where
        S: 'a;

    fn request(&self, authorization: &str) -> Request {
        let request = TestRequest::get().uri("/session");
        request
            .insert_header((AUTHORIZATION, authorization))
            .to_request()
    }

    async fn answer(&self, request: Request) -> Result<(u16, Bytes), Problem> {
        let unsendable = |error: Error| Problem::from(error.to_string());
        let answer = self.0.call(request).await.map_err(unsendable)?;
        let status = answer.status().as_u16();
        let body = body::to_bytes(answer.into_body()).await;
        Ok((status, body.map_err(|error| error.into().to_string())?))
    }
}
