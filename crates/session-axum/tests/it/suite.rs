//! The HTTP suite.

use crate::application::Axum;

session_testkit::http_suite!(Axum);
