//! On Rocket.

use std::{collections::HashSet, io::Cursor, sync::Arc};

use rocket::{
    Config, Data, Request, Response, Route,
    config::{LogLevel, Shutdown},
    data::ToByteUnit as _,
    fairing::AdHoc,
    http::{Method, Status},
    route::{Handler, Outcome},
};
use session_rocket::{SessionFairing, SessionRequest};
use tokio::{sync::oneshot, task::JoinSet};

use super::{LOOPBACK, Running, asked};
use crate::{application::Application, routes, settings::BoxError};

pub(super) async fn serve(application: Arc<Application>) -> Result<Running, BoxError> {
    let config = Config {
        address: LOOPBACK.0.into(),
        port: LOOPBACK.1,
        log_level: LogLevel::Off,
        shutdown: Shutdown {
            ctrlc: false,
            signals: HashSet::new(),
            ..Shutdown::default()
        },
        ..Config::debug_default()
    };
    let (tell, port) = oneshot::channel();
    let sessions = SessionFairing::new(application.sessions.clone());
    let routes =
        METHODS.map(|method| Route::new(method, "/<path..>", CatchAll(Arc::clone(&application))));
    let rocket = rocket::custom(config)
        .mount("/", routes)
        .attach(sessions)
        .attach(AdHoc::on_liftoff("port", |rocket| {
            // Whoever waits for it has gone if this fails.
            tell.send(rocket.config().port).ok();
            Box::pin(async {})
        }));
    let mut server = JoinSet::new();
    server.spawn(async { rocket.launch().await.map(drop) });
    let address = (LOOPBACK.0, port.await?).into();
    Ok(Running::new(address, || drop(server)))
}

#[derive(Clone)]
struct CatchAll(Arc<Application>);

#[rocket::async_trait]
impl Handler for CatchAll {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let found = request.guard::<SessionRequest>().await.succeeded();
        let body = data.open(1.mebibytes()).into_bytes().await;
        let (Some(session_request), Ok(body)) = (found, body) else {
            return Outcome::Error(Status::InternalServerError);
        };
        let headers = request.headers().iter();
        let lines: Vec<_> = headers
            .map(|line| (line.name.to_string(), line.value))
            .collect();
        let asked = asked(
            request.method().as_str(),
            &request.uri().to_string(),
            lines
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes())),
            body.into_inner().into(),
        );
        match routes::answer(&self.0, &session_request, &asked).await {
            Ok(answer) => Outcome::Success(response(answer)),
            Err(rejection) => Outcome::from(request, rejection),
        }
    }
}

fn response<'r>(answer: http::Response<bytes::Bytes>) -> Response<'r> {
    let (head, body) = answer.into_parts();
    let mut response = Response::new();
    response.set_status(Status::new(head.status.as_u16()));
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        response.adjoin_raw_header(name.to_string(), value);
    }
    response.set_sized_body(body.len(), Cursor::new(body));
    response
}

const METHODS: [Method; 5] = [
    Method::Get,
    Method::Post,
    Method::Put,
    Method::Delete,
    Method::Patch,
];
