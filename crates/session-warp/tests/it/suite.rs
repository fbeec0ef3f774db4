//! The HTTP suite.

use crate::application::Warp;

session_testkit::http_suite!(Warp);
