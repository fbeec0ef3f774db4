//! What the route answers, whoever serves it.

use serde::Serialize;

/// The user of a session, as JSON.
#[derive(Debug, Serialize)]
#[must_use]
pub struct Answer<'a> {
    user: &'a str,
}

impl<'a> Answer<'a> {
    /// The answer to this user.
    pub fn to(user: &'a str) -> Self {
        Self { user }
    }

    /// The answer of a route that has no session: as long as those to users.
    pub fn without_session() -> Answer<'static> {
        Answer {
            user: "nobody-000000",
        }
    }
}
