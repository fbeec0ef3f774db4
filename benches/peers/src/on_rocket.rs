//! The route on Rocket.
#![expect(clippy::needless_pass_by_value, reason = "Rocket's way")]

use rocket::{
    Build, Config, Rocket,
    config::LogLevel,
    fairing::AdHoc,
    get, routes,
    serde::json::{Json, Value, json},
};
use session_rocket::{CheckBlacklist, CheckDatabase, Session, SessionFairing, Sessions, Stateless};

use crate::{Problem, answer::Answer, listening, service::Check};

/// Without sessions.
pub fn bare() -> Rocket<Build> {
    rocket::custom(config()).mount("/", routes![nobody])
}

/// With a session that is checked as far as this.
pub fn with_sessions(check: Check, sessions: Sessions) -> Rocket<Build> {
    let routes = match check {
        Check::Stateless => routes![stateless],
        Check::Blacklist => routes![blacklist],
        Check::Database => routes![database],
    };
    let rocket = rocket::custom(config()).mount("/", routes);
    rocket.attach(SessionFairing::new(sessions))
}

/// Serves until the process ends.
pub async fn serve(app: Rocket<Build>) -> Result<(), Problem> {
    let announced = AdHoc::on_liftoff("its address", |rocket| {
        Box::pin(async {
            let config = rocket.config();
            listening::announce((config.address, config.port).into());
        })
    });
    app.attach(announced).launch().await?;
    Ok(())
}

/// That of a release build, on a free port and without a log.
fn config() -> Config {
    Config {
        port: 0,
        workers: 1,
        log_level: LogLevel::Off,
        ..Config::release_default()
    }
}

#[get("/session")]
fn nobody() -> Json<Answer<'static>> {
    Json(Answer::without_session())
}

#[get("/session")]
fn stateless(session: Session<Stateless>) -> Value {
    user(&session)
}

#[get("/session")]
fn blacklist(session: Session<CheckBlacklist>) -> Value {
    user(&session)
}

#[get("/session")]
fn database(session: Session<CheckDatabase>) -> Value {
    user(&session)
}

fn user(session: &session_core::Session) -> Value {
    json!(Answer::to(session.user_id().as_str()))
}
