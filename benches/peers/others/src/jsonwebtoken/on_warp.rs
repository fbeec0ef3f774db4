//! On warp: a filter.

use std::convert::Infallible;

use warp::{
    Filter, Rejection, Reply,
    http::StatusCode,
    path,
    reject::{self, Reject},
    reply::{self, Response},
};

use super::{Claims, Verifier};
use crate::{Problem, answer::Answer, listening};

pub(super) async fn serve(verifier: Verifier) -> Result<(), Problem> {
    let user = |claims: Claims| reply::json(&Answer::to(&claims.sub));
    let routes = path!("session")
        .and(warp::get())
        .and(claims(verifier))
        .map(user)
        .recover(refuse);
    let listener = listening::listen().await?;
    warp::serve(routes).incoming(listener).run().await;
    Ok(())
}

fn claims(verifier: Verifier) -> impl Filter<Extract = (Claims,), Error = Rejection> + Clone {
    let authorization = warp::header::optional::<String>("authorization");
    authorization.and_then(move |authorization: Option<String>| {
        let claims = verifier.verify(authorization.as_deref());
        async { claims.ok_or_else(|| reject::custom(Unauthorised)) }
    })
}

#[derive(Debug)]
struct Unauthorised;

impl Reject for Unauthorised {}

async fn refuse(rejection: Rejection) -> Result<Response, Infallible> {
    let status = match rejection.find::<Unauthorised>() {
        Some(_) => StatusCode::UNAUTHORIZED,
        None => StatusCode::NOT_FOUND,
    };
    Ok(status.into_response())
}
