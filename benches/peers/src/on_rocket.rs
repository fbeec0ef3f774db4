//! The route on Rocket.
#![expect(clippy::needless_pass_by_value, reason = "Rocket's way")]

use rocket::{
    Build, Rocket, get, routes,
    serde::json::{Json, Value, json},
};
use session_rocket::{CheckBlacklist, CheckDatabase, Session, SessionFairing, Sessions, Stateless};

use crate::{answer::Answer, launching, service::Check};

/// Without sessions.
pub fn bare() -> Rocket<Build> {
    rocket::custom(launching::config()).mount("/", routes![nobody])
}

/// With a session that is checked as far as this.
pub fn with_sessions(check: Check, sessions: Sessions) -> Rocket<Build> {
    let routes = match check {
        Check::Stateless => routes![stateless],
        Check::Blacklist => routes![blacklist],
        Check::Database => routes![database],
    };
    let rocket = rocket::custom(launching::config()).mount("/", routes);
    rocket.attach(SessionFairing::new(sessions))
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
