//! The HTTP suite.

use crate::application::Poem;

session_testkit::http_suite!(Poem);
