//! The application on actix-web.

use std::{convert::Infallible, io, net::TcpListener, thread};

use actix_cors::Cors;
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::header::CONTENT_TYPE,
    rt::{self, System},
    web::{self, Bytes, Json, Payload, ServiceConfig},
};
use futures_util::StreamExt as _;
use serde_json::{Map, Value};
use session_actix::{
    CORS_REQUEST_HEADERS, CheckBlacklist, CheckDatabase, Policy, Session, SessionMiddleware,
    SessionRejection, Stateless, create_session,
};

use crate::{
    application::{AdminsOnly, Application, Login, Role, described, events},
    server::Server,
};

pub(crate) fn serve(application: Application) -> io::Result<Server> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = HttpServer::new(move || {
        App::new()
            .configure(routes)
            .wrap(SessionMiddleware::new(application.sessions.clone()))
            .wrap(cors(&application.website))
    });
    let server = server.workers(1).disable_signals();
    let server = server.listen(listener)?.run();
    let stops_on_drop = Stop(server.handle());
    thread::spawn(|| System::new().block_on(server));
    Ok(Server::new(address, stops_on_drop))
}

/// Stops a server without waiting for those that it serves.
struct Stop(ServerHandle);

impl Drop for Stop {
    fn drop(&mut self) {
        drop(self.0.stop(false));
    }
}

fn cors(website: &str) -> Cors {
    Cors::default()
        .allowed_origin(website)
        .allowed_methods(["GET", "POST"])
        .allowed_headers(CORS_REQUEST_HEADERS.iter().map(http::HeaderName::as_str))
        .allowed_header(CONTENT_TYPE)
        .supports_credentials()
}

fn routes(config: &mut ServiceConfig) {
    let stateless = web::resource("/stateless");
    config
        .route("/login", web::post().to(login))
        .service(stateless.get(whoami::<Stateless>).post(whoami::<Stateless>))
        .route("/blacklist", web::get().to(whoami::<CheckBlacklist>))
        .route("/database", web::get().to(whoami::<CheckDatabase>))
        .route("/admin", web::get().to(whoami::<AdminsOnly>))
        .route("/payload", web::post().to(merge))
        .route("/role", web::post().to(role))
        .route("/always-401", web::get().to(HttpResponse::Unauthorized))
        .route("/events", web::get().to(event_stream))
        .route("/socket", web::get().to(socket));
}

async fn login(request: HttpRequest, Json(login): Json<Login>) -> Answer {
    let session = create_session(&request, login.try_into()?).await?;
    Ok(Json(described(&session)))
}

async fn whoami<P: Policy>(session: Session<P>) -> Json<Value> {
    Json(described(&session))
}

async fn merge(session: Session<Stateless>, Json(update): Json<Map<String, Value>>) -> Answer {
    session.merge_payload(update).await?;
    Ok(Json(described(&session)))
}

async fn role(session: Session<Stateless>) -> Answer {
    session.fetch_and_set_claim::<Role>().await?;
    Ok(Json(described(&session)))
}

async fn event_stream(session: Session<CheckBlacklist>) -> HttpResponse {
    let events =
        events(session.into_inner()).map(|event| Bytes::from(format!("data: {event}\n\n")));
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .streaming(events.map(Ok::<_, Infallible>))
}

async fn socket(
    session: Session<CheckBlacklist>,
    request: HttpRequest,
    body: Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, mut socket, _) = actix_ws::handle(&request, body)?;
    rt::spawn(async move {
        if socket.text("open").await.is_ok() {
            session.revoked().await;
            // The browser may have gone meanwhile.
            let _closed = socket.close(None).await;
        }
    });
    Ok(response)
}

type Answer = Result<Json<Value>, SessionRejection>;
