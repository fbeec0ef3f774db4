//! A refused session as an actix-web response.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};

use crate::{SessionRejection, convert};

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        convert::status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        convert::response(self.0.to_response())
    }
}
