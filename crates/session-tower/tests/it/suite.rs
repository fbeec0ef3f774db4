//! The HTTP suite.

use crate::application::Hyper;

session_testkit::http_suite!(Hyper);
