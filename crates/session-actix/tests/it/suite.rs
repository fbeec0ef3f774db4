//! The HTTP suite.

use crate::application::Actix;

session_testkit::http_suite!(Actix, no http2);
