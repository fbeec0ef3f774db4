//! The route on actix-web with `actix-session`, whose cookie is the session, or names one in Redis.

use std::{fs, path::Path};

use actix_session::{
    Session, SessionMiddleware,
    storage::{CookieSessionStore, RedisSessionStore, SessionStore},
};
use actix_web::{
    App, Error, HttpResponse, HttpServer,
    cookie::Key,
    error::ErrorUnauthorized,
    test::{TestRequest, call_service, init_service},
    web::{self, Path as InPath, ServiceConfig},
};

use crate::{Problem, SESSIONS, answer::Answer, listening, session_of};

/// Serves until the process ends.
pub(crate) async fn serve(store: &str, folder: &Path) -> Result<(), Problem> {
    match store {
        "cookie" => serve_on(|| CookieSessionStore::default(), folder).await,
        address => {
            let store = RedisSessionStore::new(address).await;
            let store = store.map_err(|error| error.to_string())?;
            serve_on(move || store.clone(), folder).await
        }
    }
}

async fn serve_on<S: SessionStore + 'static>(
    store: impl Fn() -> S + Clone + Send + 'static,
    folder: &Path,
) -> Result<(), Problem> {
    let key = Key::generate();
    let middleware = move || {
        let builder = SessionMiddleware::builder(store(), key.clone());
        builder.cookie_secure(false).build()
    };
    log_in(middleware(), folder).await?;
    let listener = listening::listen_for_workers()?;
    let app = move || App::new().configure(routes).wrap(middleware());
    let server = HttpServer::new(app).workers(1).listen(listener)?;
    Ok(server.run().await?)
}

/// Logs in each user, as a client of the application would.
async fn log_in<S: SessionStore + 'static>(
    middleware: SessionMiddleware<S>,
    folder: &Path,
) -> Result<(), Problem> {
    let app = init_service(App::new().configure(routes).wrap(middleware)).await;
    let mut requests = Vec::new();
    for number in 0..SESSIONS {
        let request = TestRequest::post().uri(&format!("/login/{number}"));
        let answer = call_service(&app, request.to_request()).await;
        let cookie = answer.response().cookies().next();
        let cookie = cookie.ok_or("a login sets a cookie")?;
        // As it was sent, and a client sends it back.
        requests.push(format!("cookie: {}", cookie.stripped().encoded()));
    }
    fs::write(folder.join("requests"), requests.join("\n"))?;
    Ok(())
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/login/{number}", web::post().to(create))
        .route("/session", web::get().to(user));
}

async fn create(session: Session, number: InPath<u32>) -> Result<HttpResponse, Error> {
    for (name, value) in session_of(*number) {
        session.insert(name, value)?;
    }
    Ok(HttpResponse::Ok().finish())
}

async fn user(session: Session) -> Result<HttpResponse, Error> {
    let user: Option<String> = session.get("user")?;
    let user = user.ok_or_else(|| ErrorUnauthorized("no session"))?;
    Ok(HttpResponse::Ok().json(Answer::to(&user)))
}
