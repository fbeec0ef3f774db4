//! On Rocket: a request guard.

use rocket::{
    Request, State, get,
    http::Status,
    request::{FromRequest, Outcome},
    routes,
    serde::json::{Value, json},
};

use super::{Claims, Verifier};
use crate::{Problem, answer::Answer, launching};

pub(super) async fn serve(verifier: Verifier) -> Result<(), Problem> {
    let app = rocket::custom(launching::config()).mount("/", routes![user]);
    launching::serve(app.manage(verifier)).await
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Claims {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let authorization = request.headers().get_one("authorization");
        let verifier = request.guard::<&State<Verifier>>().await;
        let claims = verifier
            .succeeded()
            .and_then(|verifier| verifier.verify(authorization));
        match claims {
            Some(claims) => Outcome::Success(claims),
            None => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

#[get("/session")]
fn user(claims: Claims) -> Value {
    json!(Answer::to(&claims.sub))
}
