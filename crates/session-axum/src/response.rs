//! A refused session as an axum response.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};

use crate::SessionRejection;

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        self.0.to_response().map(Body::from)
    }
}
