//! The HTTP suite.

use crate::application::OnRocket;

session_testkit::http_suite!(OnRocket);
