//! The route on warp.

use std::io;

use session_warp::{CheckBlacklist, CheckDatabase, Policy, Session, Sessions, Stateless, session};
use warp::{
    Filter as _, Reply as _,
    filters::BoxedFilter,
    path,
    reply::{Response, json},
};

use crate::{answer::Answer, listening, service::Check};

/// Without sessions.
pub fn bare() -> BoxedFilter<(Response,)> {
    let nobody = || json(&Answer::without_session()).into_response();
    path!("session").and(warp::get()).map(nobody).boxed()
}

/// With a session that is checked as far as this; what serves it has the sessions.
pub fn with_sessions(check: Check) -> BoxedFilter<(Response,)> {
    match check {
        Check::Stateless => route::<Stateless>(),
        Check::Blacklist => route::<CheckBlacklist>(),
        Check::Database => route::<CheckDatabase>(),
    }
}

/// Serves without sessions until the process ends.
pub async fn serve_bare() -> io::Result<()> {
    let server = warp::serve(bare());
    server.incoming(listening::listen().await?).run().await;
    Ok(())
}

/// Serves with sessions until the process ends.
pub async fn serve(check: Check, sessions: Sessions) -> io::Result<()> {
    let server = session_warp::serve(sessions, with_sessions(check));
    server.incoming(listening::listen().await?).await;
    Ok(())
}

fn route<P: Policy>() -> BoxedFilter<(Response,)> {
    let user = |session: Session<P>| json(&Answer::to(session.user_id().as_str())).into_response();
    path!("session")
        .and(warp::get())
        .and(session::<P>())
        .map(user)
        .boxed()
}
