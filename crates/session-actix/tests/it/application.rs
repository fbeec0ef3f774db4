//! The application of the HTTP suite on actix-web.

use std::{net::TcpListener, panic::AssertUnwindSafe, thread};

use actix_web::{
    App, Error, HttpRequest, HttpResponse, HttpServer,
    body::{BodyStream, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::ErrorInternalServerError,
    guard,
    http::{Method, StatusCode},
    middleware::{Next, from_fn},
    rt::System,
    web::{self, Bytes, ServiceConfig},
};
use futures_util::FutureExt as _;
use session_actix::{
    CheckBlacklist, CheckDatabase, OptionalSession, Policy, Session, SessionMiddleware,
    SessionRejection, Sessions, Stateless, create_session, get_session,
    session_core::{self, async_trait},
    verify_session,
};
use session_testkit::http::{
    Adapter, ServerGuard,
    application::{self, Admin, Guard, Login},
};

/// Serves the application of the HTTP suite.
pub(crate) struct Actix;

#[async_trait]
impl Adapter for Actix {
    async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard {
        let server = HttpServer::new(move || {
            App::new()
                // As large as the suite's bodies.
                .app_data(web::PayloadConfig::new(2_000_000))
                .configure(|config| routes(config, &sessions))
                .wrap(from_fn(catch_panic))
                .wrap(SessionMiddleware::new(sessions.clone()))
        });
        let server = server.workers(2).disable_signals();
        let server = server.listen(listener).unwrap().run();
        let handle = server.handle();
        // A thread of its own: the case's runtime may end before the workers have.
        thread::spawn(|| System::new().block_on(server));
        ServerGuard::new(move || drop(handle.stop(false)))
    }
}

/// Catches what actix-web itself leaves uncaught.
pub(crate) async fn catch_panic<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let answer = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| Err(ErrorInternalServerError("a handler panicked")))
}

fn routes(config: &mut ServiceConfig, sessions: &Sessions) {
    let nested = web::scope("/nested")
        .route("/stateless", web::get().to(required::<Stateless>))
        .route("/database", web::get().to(required::<CheckDatabase>))
        .route("/act", web::post().to(act))
        .wrap(SessionMiddleware::new(sessions.clone()))
        .wrap(verify_session(application::nested_guard()));
    config
        .route("/login", web::post().to(login))
        .route("/act", web::post().to(act))
        .service(web::resource("/session").get(configured).post(configured))
        .configure(checked::<Stateless>("/stateless"))
        .configure(checked::<CheckBlacklist>("/blacklist"))
        .configure(checked::<CheckDatabase>("/database"))
        .service(web::resource("/optional").get(optional).post(optional))
        .route("/admin", web::get().to(required::<Admin>))
        .route("/twice", web::get().to(twice))
        .route("/value", web::get().to(value))
        .route("/stream", web::get().to(stream))
        .service(nested);
    for guard in application::guards() {
        config.configure(guarded_by(guard));
    }
}

fn checked<P: Policy>(path: &'static str) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let resource = web::resource(path);
        config.service(resource.get(required::<P>).post(required::<P>));
    }
}

fn guarded_by(guard: Guard) -> impl FnOnce(&mut ServiceConfig) {
    let methods = guard.methods.iter();
    let methods: Vec<Method> = methods
        .map(|method| method.as_str().parse().unwrap())
        .collect();
    let methods = guard::fn_guard(move |context| match &context.head().method {
        // Here a handler for GET is not one for HEAD by itself.
        &Method::HEAD => methods.contains(&Method::GET),
        method => methods.contains(method),
    });
    move |config| {
        let resource = web::resource(guard.path).guard(methods);
        let guarded = resource.route(web::route().to(guarded));
        config.service(guarded.wrap(verify_session(guard.options)));
    }
}

async fn login(request: HttpRequest, body: Bytes) -> Result<HttpResponse, SessionRejection> {
    let mut last = None;
    for new in Login::parse(&body)?.sessions {
        last = Some(create_session(&request, new).await?);
    }
    let session = last.unwrap();
    Ok(respond(application::act(&session, &body).await?))
}

async fn act(session: Session<Stateless>, body: Bytes) -> Result<HttpResponse, SessionRejection> {
    Ok(respond(application::act(&session, &body).await?))
}

async fn required<P: Policy>(session: Session<P>) -> HttpResponse {
    describe(Some(&session))
}

async fn configured(session: Session) -> HttpResponse {
    describe(Some(&session))
}

async fn optional(session: OptionalSession<Stateless>) -> HttpResponse {
    describe(session.as_ref())
}

async fn twice(_: Session<Stateless>, session: Session<CheckDatabase>) -> HttpResponse {
    describe(Some(&session))
}

async fn value(session: Result<Session<CheckDatabase>, SessionRejection>) -> HttpResponse {
    match session {
        Ok(session) => describe(Some(&session)),
        Err(refused) => respond(application::describe_refused(refused.error())),
    }
}

async fn stream(session: Session<CheckBlacklist>) -> HttpResponse {
    // `streaming` would name a content type.
    HttpResponse::Ok().body(BodyStream::new(application::events(session.into_inner())))
}

async fn guarded(request: HttpRequest) -> Result<HttpResponse, SessionRejection> {
    let session = get_session(&request, &application::ask_nothing()).await?;
    Ok(describe(session.as_ref()))
}

fn describe(session: Option<&session_core::Session>) -> HttpResponse {
    respond(application::describe(session))
}

fn respond(response: http::Response<Bytes>) -> HttpResponse {
    let (head, body) = response.into_parts();
    let mut response = HttpResponse::build(StatusCode::from_u16(head.status.as_u16()).unwrap());
    for (name, value) in &head.headers {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    response.body(body)
}
