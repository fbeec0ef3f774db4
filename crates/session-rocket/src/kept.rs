//! What Rocket keeps of us, for a request and for the application.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rocket::Request;
use session_core::Sessions;
use session_core::http::{Exchange, Refusal};

use crate::{SessionRejection, convert};

/// The sessions of the application. Their type is our own, for an application may keep its
/// `Sessions` there as well.
pub(crate) struct Managed(pub(crate) Sessions);

/// What is kept for a request.
#[derive(Default)]
pub(crate) struct Kept {
    exchange: Option<Exchange>,
    /// What a guard refused it with, for the catcher that answers.
    pub(crate) refused: Option<SessionRejection>,
    /// Whether the head of its response is complete.
    pub(crate) is_answered: bool,
}

/// What is kept for this request.
pub(crate) fn of<'r>(request: &'r Request<'_>) -> MutexGuard<'r, Kept> {
    let kept = request.local_cache(Mutex::<Kept>::default);
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The exchange of a request. It begins here and not in the fairing where that has not seen the
/// request yet: another stands in front of it, or Rocket cannot read the request and shows it to
/// catchers alone.
pub(crate) fn exchange(request: &Request<'_>) -> Result<Exchange, SessionRejection> {
    let managed = request.rocket().state();
    let Managed(sessions) = managed.ok_or_else(|| Refusal::missing_layer(LINE))?;
    let begin = || convert::exchange(sessions, request);
    Ok(of(request).exchange.get_or_insert_with(begin).clone())
}

const LINE: &str = ".attach(session_rocket::SessionFairing::new(sessions))";
