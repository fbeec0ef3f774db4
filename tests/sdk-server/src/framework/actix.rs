//! On actix-web.

use std::{net::TcpListener, sync::Arc, thread};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::StatusCode,
    rt::System,
    web::{self, Bytes, Data},
};
use session_actix::{SessionMiddleware, SessionRejection, create_session, get_session};
use session_core::{NewSession, Session, VerifyOptions};

use super::{LOOPBACK, Running, asked};
use crate::{application::Application, routes, settings::BoxError};

pub(super) fn serve(application: Arc<Application>) -> Result<Running, BoxError> {
    let listener = TcpListener::bind(LOOPBACK)?;
    let address = listener.local_addr()?;
    let application = Data::from(application);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(application.clone())
            .default_service(web::to(answer))
            .wrap(SessionMiddleware::new(application.sessions.clone()))
    });
    let server = server.workers(1).disable_signals().listen(listener)?.run();
    let handle = server.handle();
    thread::spawn(|| System::new().block_on(server));
    Ok(Running::new(address, move || drop(handle.stop(false))))
}

async fn answer(
    application: Data<Application>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, SessionRejection> {
    let headers = request.headers().iter();
    let asked = asked(
        request.method().as_str(),
        &request.uri().to_string(),
        headers.map(|(name, value)| (name.as_str(), value.as_bytes())),
        body,
    );
    let (head, body) = routes::answer(&application, &request, &asked)
        .await?
        .into_parts();
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or_default();
    let mut answer = HttpResponse::build(status);
    for (name, value) in &head.headers {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    Ok(answer.body(body))
}

impl routes::SessionRequest for HttpRequest {
    type Rejection = SessionRejection;

    async fn create_session(&self, new: NewSession) -> Result<Session, SessionRejection> {
        create_session(self, new).await
    }

    async fn get_session(
        &self,
        options: &VerifyOptions,
    ) -> Result<Option<Session>, SessionRejection> {
        get_session(self, options).await
    }
}
