//! The middleware around the application, the one that guards a route, and the session routes.

use std::{fmt, future, pin::Pin, rc::Rc};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::middleware::{Next, from_fn};
use actix_web::{
    Error, HttpMessage as _, HttpResponse, ResponseError, guard, http::StatusCode, web,
};
use session_core::{
    Sessions, VerifyOptions,
    http::{Exchange, HeadChanges},
};

use crate::{convert, get_session};

/// Gives every request below it its session, answers the session routes and writes cookies and
/// headers into the responses.
#[derive(Debug, Clone)]
#[must_use]
pub struct SessionMiddleware(Sessions);

impl SessionMiddleware {
    /// The middleware for these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self(sessions)
    }
}

impl<S, B> Transform<S, ServiceRequest> for SessionMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = SessionService<S>;
    type InitError = ();
    type Future = future::Ready<Result<SessionService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        future::ready(Ok(SessionService {
            inner: Rc::new(inner),
            sessions: self.0.clone(),
        }))
    }
}

/// The service that [`SessionMiddleware`] makes.
#[derive(Debug)]
pub struct SessionService<S> {
    inner: Rc<S>,
    sessions: Sessions,
}

impl<S, B> Service<ServiceRequest> for SessionService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<B>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (inner, sessions) = (Rc::clone(&self.inner), self.sessions.clone());
        Box::pin(async move {
            if has_exchange_about(&request, &sessions) {
                let response = inner.call(request).await?;
                return Ok(response.map_into_left_body());
            }
            let exchange = convert::exchange(&sessions, request.head());
            if let Some(ours) = exchange.handle_route().await {
                let mut response = convert::response(ours);
                convert::finish(&exchange, &mut response);
                return Ok(request.into_response(response).map_into_right_body());
            }
            request.extensions_mut().insert(exchange.clone());
            match inner.call(request).await {
                Ok(mut response) => {
                    convert::finish(&exchange, response.response_mut());
                    Ok(response.map_into_left_body())
                }
                // Of another middleware: actix-web makes the response when nobody looks any more, and
                // whoever looks before makes it again.
                Err(error) => {
                    let changes = convert::changes(&exchange, &mut error.error_response());
                    Err(SettledError { error, changes }.into())
                }
            }
        })
    }
}

/// An error whose response carries what happened to the session, however often it is made.
#[derive(Debug)]
struct SettledError {
    error: Error,
    changes: HeadChanges,
}

impl fmt::Display for SettledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for SettledError {
    /// As [`apply`](convert::apply) leaves it: loggers and metrics ask for it without the response.
    fn status_code(&self) -> StatusCode {
        let changed = self.changes.status().map(convert::status);
        changed.unwrap_or_else(|| self.error.as_response_error().status_code())
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.error.error_response();
        convert::apply(&self.changes, &mut response);
        response
    }
}

/// Whether the middleware is applied twice, so that the outer one counts.
fn has_exchange_about(request: &ServiceRequest, sessions: &Sessions) -> bool {
    let extensions = request.extensions();
    let outer = extensions.get::<Exchange>();
    outer.is_some_and(|outer| outer.is_about(sessions))
}

/// Guards a scope, a resource or a route: a request whose session does not pass `options` is refused
/// before the handler runs. Goes inside [`SessionMiddleware`].
///
/// Around a scope it also refuses what the scope has no route for.
///
/// # Examples
///
/// ```
/// use actix_web::{App, web};
/// use session_actix::{Session, VerifyOptions, verify_session};
///
/// async fn feed(session: Session) -> String {
///     session.user_id().to_string()
/// }
///
/// # let _ =
/// App::new().service(
///     web::resource("/feed")
///         .wrap(verify_session(VerifyOptions::new().check_blacklist(true)))
///         .get(feed),
/// )
/// # ;
/// ```
pub fn verify_session<S, B>(
    options: VerifyOptions,
) -> impl Transform<
    S,
    ServiceRequest,
    Response = ServiceResponse<EitherBody<B>>,
    Error = Error,
    InitError = (),
>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let options = Rc::new(options);
    from_fn(move |request: ServiceRequest, next: Next<B>| {
        let options = Rc::clone(&options);
        async move {
            match get_session(request.request(), &options).await {
                Ok(_) => Ok(next.call(request).await?.map_into_left_body()),
                Err(refused) => Ok(request.error_response(refused).map_into_right_body()),
            }
        }
    })
}

type ResponseFuture<B> =
    Pin<Box<dyn Future<Output = Result<ServiceResponse<EitherBody<B>>, Error>>>>;

/// The session routes alone, where [`SessionMiddleware`] is not around the whole application: around
/// a scope it sees the scope's requests and no others.
///
/// Requests for all other paths go on to the application, whatever the API base path is.
///
/// # Examples
///
/// ```
/// use actix_web::{App, web};
/// use session_actix::{Session, SessionMiddleware, Sessions, configure};
///
/// async fn whoami(session: Session) -> String {
///     session.user_id().to_string()
/// }
///
/// fn routes(config: &mut web::ServiceConfig, sessions: Sessions) {
///     let api = web::scope("/api").wrap(SessionMiddleware::new(sessions.clone()));
///     config
///         .configure(configure(sessions))
///         .service(api.route("/whoami", web::get().to(whoami)));
/// }
/// # let _ = routes;
/// ```
pub fn configure(sessions: Sessions) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        let ours = sessions.clone();
        let built_in = guard::fn_guard(move |context| {
            let head = context.head();
            Exchange::answers(&ours, &convert::method(head), head.uri.path())
        });
        let middleware = SessionMiddleware::new(sessions);
        config.service(web::scope("").guard(built_in).wrap(middleware));
    }
}
