//! On actix-web: an extractor.

use std::future::{Ready, ready};

use actix_web::{
    App, Error, FromRequest, HttpRequest, HttpResponse, HttpServer,
    dev::Payload,
    error::ErrorUnauthorized,
    http::header::AUTHORIZATION,
    web::{self, Data},
};

use super::{Claims, Verifier};
use crate::{Problem, answer::Answer, listening};

pub(super) async fn serve(verifier: Verifier) -> Result<(), Problem> {
    let listener = listening::listen_for_workers()?;
    let verifier = Data::new(verifier);
    let app = move || {
        let app = App::new().app_data(verifier.clone());
        app.route("/session", web::get().to(user))
    };
    Ok(HttpServer::new(app)
        .workers(1)
        .listen(listener)?
        .run()
        .await?)
}

impl FromRequest for Claims {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let authorization = request.headers().get(AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        let verifier = request.app_data::<Data<Verifier>>();
        let claims = verifier.and_then(|verifier| verifier.verify(authorization));
        ready(claims.ok_or_else(|| ErrorUnauthorized("unauthorised")))
    }
}

async fn user(claims: Claims) -> HttpResponse {
    HttpResponse::Ok().json(Answer::to(&claims.sub))
}
