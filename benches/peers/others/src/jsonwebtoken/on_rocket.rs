//! On Rocket: a request guard.

use rocket::{
    Config, Request, State,
    config::LogLevel,
    fairing::AdHoc,
    get,
    http::Status,
    request::{FromRequest, Outcome},
    routes,
    serde::json::{Value, json},
};

use super::{Claims, Verifier};
use crate::{Problem, answer::Answer, listening};

pub(super) async fn serve(verifier: Verifier) -> Result<(), Problem> {
    let config = Config {
        port: 0,
        workers: 1,
        log_level: LogLevel::Off,
        ..Config::release_default()
    };
    let announced = AdHoc::on_liftoff("its address", |rocket| {
        Box::pin(async {
            let config = rocket.config();
            listening::announce((config.address, config.port).into());
        })
    });
    let app = rocket::custom(config).mount("/", routes![user]);
    app.manage(verifier).attach(announced).launch().await?;
    Ok(())
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
