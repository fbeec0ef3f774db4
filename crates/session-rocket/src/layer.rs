//! The fairing around the application, and the guard around routes.

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::{Method, Status, uri::Origin};
use rocket::route::{BoxFuture, Handler, Outcome};
use rocket::{Build, Catcher, Data, Request, Response, Rocket, Route};
use session_core::{Sessions, VerifyOptions};

use crate::kept::{self, Kept, Managed};
use crate::{convert, get_session, response};

/// Gives every request its session, answers the session routes and writes cookies and headers into
/// the responses.
///
/// Attached twice, the later one counts.
#[derive(Debug, Clone)]
#[must_use]
pub struct SessionFairing(Sessions);

impl SessionFairing {
    /// The fairing for these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self(sessions)
    }
}

#[rocket::async_trait]
impl Fairing for SessionFairing {
    fn info(&self) -> Info {
        Info {
            name: "Sessions",
            kind: Kind::Ignite | Kind::Request | Kind::Response | Kind::Singleton,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let app = self.0.config().app();
        let mut rocket = rocket.manage(Managed(self.0.clone()));
        // With the path that a gateway puts in front, and without. The one may be below the other.
        let mut bases = vec![app.base_path(), app.api_base_path()];
        bases.dedup();
        for (base, rank) in bases.into_iter().zip(isize::MIN..) {
            // What Rocket cannot mount at, it can still look for everywhere.
            let base = Origin::parse(base).unwrap_or(Origin::ROOT);
            rocket = rocket.mount(base, built_in_routes(rank));
        }
        // An application that has a default catcher of its own has the last word.
        let is_default = |own: &Catcher| own.code.is_none() && own.base.path() == "/";
        if !rocket.catchers().any(is_default) {
            rocket = rocket.register("/", [response::default_catcher()]);
        }
        Ok(rocket)
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        // Copies of a request of `rocket::local` share what is kept, and each of them may be sent.
        if kept::of(request).is_answered {
            *kept::of(request) = Kept::default();
        }
        // Rocket serves a HEAD request by a GET route when there is no other; now it is still HEAD.
        let _begun = kept::exchange(request);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        if let Ok(exchange) = kept::exchange(request) {
            convert::finish(&exchange, response);
        }
        kept::of(request).is_answered = true;
    }
}

/// See every request below the base path before the application does, and forward what is not ours.
fn built_in_routes(rank: isize) -> Vec<Route> {
    let route = |method| {
        let mut route = Route::ranked(rank, method, "/<path..>", built_in);
        route.name = Some("sessions".into());
        route
    };
    vec![route(Method::Get), route(Method::Post)]
}

fn built_in<'r>(request: &'r Request<'_>, data: Data<'r>) -> BoxFuture<'r> {
    Box::pin(async move {
        let answer = async { kept::exchange(request).ok()?.handle_route().await };
        match answer.await {
            Some(answer) => Outcome::Success(convert::response(answer)),
            // What Rocket itself says where no route matches.
            None => Outcome::forward(data, Status::NotFound),
        }
    })
}

/// Guards routes: a request whose session does not pass `options` is refused before the route's own
/// guards are asked, and never forwarded to another route.
///
/// # Examples
///
/// ```
/// use rocket::{get, routes};
/// use session_rocket::{Session, VerifyOptions, verify_session};
///
/// #[get("/feed")]
/// fn feed(session: Session) -> String {
///     session.user_id().to_string()
/// }
///
/// let fresh = verify_session(VerifyOptions::new().check_blacklist(true));
/// # let _ =
/// rocket::build().mount("/", fresh.guard(routes![feed]))
/// # ;
/// ```
pub fn verify_session(options: VerifyOptions) -> VerifySession {
    VerifySession(options)
}

/// The guard that [`verify_session`] makes.
#[derive(Debug, Clone)]
#[must_use]
pub struct VerifySession(VerifyOptions);

impl VerifySession {
    /// The same routes, guarded: one route or all that are mounted together.
    #[must_use = "the routes have to be mounted"]
    pub fn guard(&self, routes: impl Into<Vec<Route>>) -> Vec<Route> {
        let mut routes = routes.into();
        for route in &mut routes {
            route.handler = Box::new(Guarded(self.0.clone(), route.handler.clone()));
        }
        routes
    }
}

#[derive(Clone)]
struct Guarded(VerifyOptions, Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for Guarded {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let Self(options, handler) = self;
        match get_session(request, options).await {
            Ok(_) => handler.handle(request, data).await,
            // Without the fairing there is no catcher that would name the missing line.
            Err(missing) if kept::exchange(request).is_err() => Outcome::from(request, missing),
            Err(rejection) => Outcome::Error(rejection.for_catcher(request).0),
        }
    }
}
