//! A refused session as Rocket's outcome, response and catcher.

use rocket::response::{self, Responder};
use rocket::{Catcher, Request, catcher::BoxFuture, http::Status, request::Outcome};

use crate::{SessionRejection, convert, kept};

impl SessionRejection {
    /// What a guard of this request was refused with, if that is what `status` comes from: for a
    /// catcher of the application's own, which may return it or answer otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use rocket::{Request, catch, http::Status};
    /// use session_rocket::SessionRejection;
    ///
    /// #[catch(default)]
    /// fn refused(status: Status, request: &Request<'_>) -> Result<String, SessionRejection> {
    ///     match SessionRejection::of(status, request) {
    ///         Some(rejection) => Err(rejection),
    ///         None => Ok(format!("we are sorry: {status}")),
    ///     }
    /// }
    /// # let _ = rocket::build().register("/", rocket::catchers![refused]);
    /// ```
    pub fn of(status: Status, request: &Request<'_>) -> Option<Self> {
        let refused = kept::of(request).refused.clone();
        refused.filter(|refused| refused.status() == status)
    }

    /// The outcome of a guard that refuses for this reason. A catcher answers; unless the
    /// application has one that takes precedence, it is the fairing's.
    pub fn into_outcome<T>(self, request: &Request<'_>) -> Outcome<T, Self> {
        Outcome::Error(self.for_catcher(request))
    }

    /// Leaves the refusal to the catcher of the status.
    pub(crate) fn for_catcher(self, request: &Request<'_>) -> (Status, Self) {
        let rejection = self.within(request);
        kept::of(request).refused = Some(rejection.clone());
        (rejection.status(), rejection)
    }

    /// The same as a refusal of this request, for it may come out of a handler, which does not know
    /// the request.
    fn within(self, request: &Request<'_>) -> Self {
        match kept::exchange(request) {
            Ok(exchange) => self.0.within(&exchange).into(),
            Err(_) => self,
        }
    }

    fn status(&self) -> Status {
        convert::status(self.0.status())
    }
}

impl<'r> Responder<'r, 'static> for SessionRejection {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let answer = self.within(request).0.to_response();
        Ok(convert::response(answer))
    }
}

/// Answers what guards of ours have refused, and leaves all else to Rocket's own catcher.
pub(crate) fn default_catcher() -> Catcher {
    let mut catcher = Catcher::new(None, answer_refused);
    catcher.name = Some("sessions".into());
    catcher
}

fn answer_refused<'r>(status: Status, request: &'r Request<'_>) -> BoxFuture<'r> {
    Box::pin(async move {
        match SessionRejection::of(status, request) {
            Some(rejection) => rejection.respond_to(request),
            None => Catcher::default().handler.handle(status, request).await,
        }
    })
}
