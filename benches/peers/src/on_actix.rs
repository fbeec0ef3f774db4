//! The route on actix-web.

use std::io;

use actix_web::{
    App, HttpResponse, HttpServer,
    web::{self, ServiceConfig},
};
use session_actix::{
    CheckBlacklist, CheckDatabase, Policy, Session, SessionMiddleware, Sessions, Stateless,
};

use crate::{answer::Answer, listening, service::Check};

/// Without sessions.
pub fn bare(config: &mut ServiceConfig) {
    let nobody = async || HttpResponse::Ok().json(Answer::without_session());
    config.route("/session", web::get().to(nobody));
}

/// With a session that is checked as far as this, by an application with the middleware.
pub fn with_sessions(check: Check) -> impl Fn(&mut ServiceConfig) + Copy {
    move |config| {
        let route = match check {
            Check::Stateless => web::get().to(user::<Stateless>),
            Check::Blacklist => web::get().to(user::<CheckBlacklist>),
            Check::Database => web::get().to(user::<CheckDatabase>),
        };
        config.route("/session", route);
    }
}

/// Serves without sessions until the process ends.
pub async fn serve_bare() -> io::Result<()> {
    let server = HttpServer::new(|| App::new().configure(bare));
    let server = server.workers(1);
    server.listen(listening::listen_for_workers()?)?.run().await
}

/// Serves with sessions until the process ends.
pub async fn serve(check: Check, sessions: Sessions) -> io::Result<()> {
    let server = HttpServer::new(move || {
        let routes = App::new().configure(with_sessions(check));
        routes.wrap(SessionMiddleware::new(sessions.clone()))
    });
    let server = server.workers(1);
    server.listen(listening::listen_for_workers()?)?.run().await
}

async fn user<P: Policy>(session: Session<P>) -> HttpResponse {
    HttpResponse::Ok().json(Answer::to(session.user_id().as_str()))
}
