//! The route on actix-web.

use std::{io, net::TcpListener};

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
    let (listener, server) = (listen()?, HttpServer::new(|| App::new().configure(bare)));
    server.workers(1).listen(listener)?.run().await
}

/// Serves with sessions until the process ends.
pub async fn serve(check: Check, sessions: Sessions) -> io::Result<()> {
    let server = HttpServer::new(move || {
        let routes = App::new().configure(with_sessions(check));
        routes.wrap(SessionMiddleware::new(sessions.clone()))
    });
    server.workers(1).listen(listen()?)?.run().await
}

fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listening::announce(listener.local_addr()?);
    Ok(listener)
}

async fn user<P: Policy>(session: Session<P>) -> HttpResponse {
    HttpResponse::Ok().json(Answer::to(session.user_id().as_str()))
}
