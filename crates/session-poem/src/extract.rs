//! What a handler asks for: `Session<P>`, `OptionalSession<P>` and the functions.

use poem::{FromRequest, Request, RequestBody};
use session_core::{NewSession, Policy, VerifyOptions};

use crate::{layer::exchange_of, response};

session_core::adapter_types! {
    /// The session of a request, checked as the policy `P` says.
    ///
    /// Without a parameter the configuration decides how far to look. A request without such a
    /// session is refused before the handler runs; take `poem::Result<Session<P>>` to answer by
    /// yourself.
    Session;

    /// The session of a request that may have none.
    ///
    /// Only a request without a token has none. One whose token has expired is refused, so that the
    /// client refreshes.
    OptionalSession;

    /// A session that was refused, as a poem error.
    ///
    /// Returned from a handler it becomes the answer that a client's SDK expects. A handler that
    /// looks at [`error`](Self::error) and answers by itself has the last word.
    #[must_use = "a rejection that is not returned lets the request pass"]
    SessionRejection = response::refusal;
}

impl<'a, P: Policy> FromRequest<'a> for Session<P> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::of(&exchange_of(request)?).await?)
    }
}

impl<'a, P: Policy> FromRequest<'a> for OptionalSession<P> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::of(&exchange_of(request)?).await?)
    }
}

/// The session of a request, where a handler decides by itself what it asks for.
///
/// `None` is possible only where the options say that no session is required, and for the method
/// `OPTIONS`.
///
/// # Errors
///
/// [`SessionRejection`]: return it, and it becomes the answer that a client's SDK expects.
pub async fn get_session(
    request: &Request,
    options: &VerifyOptions,
) -> Result<Option<session_core::Session>, SessionRejection> {
    Ok(exchange_of(request)?.guard(options).await?)
}

/// Logs in: makes a session whose tokens travel with the response to this request.
///
/// A session that the request belongs to is ended.
///
/// # Errors
///
/// [`SessionRejection`]: nothing was created, or nobody has its tokens.
pub async fn create_session(
    request: &Request,
    new: NewSession,
) -> Result<session_core::Session, SessionRejection> {
    Ok(exchange_of(request)?.create(new).await?)
}
