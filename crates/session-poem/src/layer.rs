//! What goes around routes: `SessionLayer` and `verify_session`.

use poem::{Endpoint, IntoResponse, Middleware, Request, Response};
use session_core::{Sessions, VerifyOptions, http::Exchange};

use crate::{SessionRejection, response};

/// Gives an application its sessions.
///
/// It answers refresh, sign-out, the key set and discovery under the API base path, and writes what
/// happened to a session into the response, be it an error. It goes around every route that uses
/// sessions. Applied twice for the same sessions, the outer one counts.
#[derive(Debug, Clone)]
#[must_use]
pub struct SessionLayer {
    sessions: Sessions,
}

impl SessionLayer {
    /// A layer for these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

impl<E: Endpoint> Middleware<E> for SessionLayer {
    type Output = SessionEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        SessionEndpoint {
            sessions: self.sessions.clone(),
            inner,
        }
    }
}

/// What [`SessionLayer`] makes of an endpoint.
#[derive(Debug, Clone)]
pub struct SessionEndpoint<E> {
    sessions: Sessions,
    inner: E,
}

impl<E: Endpoint> Endpoint for SessionEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let outer = request.data::<Exchange>();
        if outer.is_some_and(|exchange| exchange.is_about(&self.sessions)) {
            return self.inner.call(request).await.map(E::Output::into_response);
        }
        let (path, headers) = (sent_path(&request), request.headers());
        let exchange = Exchange::new(&self.sessions, request.method(), path, headers);
        let mut response = if let Some(ours) = exchange.handle_route().await {
            response::from_core(ours)
        } else {
            request.set_data(exchange.clone());
            let answer = self.inner.call(request);
            match response::rendering_for(exchange.clone(), answer).await {
                Ok(answer) => answer.into_response(),
                Err(error) => response::of_error(&exchange, error),
            }
        };
        exchange.write_effects(response.headers_mut());
        Ok(response)
    }
}

/// Lets only requests with a session pass that meets `options`.
///
/// What is checked here, a handler's [`Session`](crate::Session) does not check again. Requests of
/// the method `OPTIONS` pass, so that an application can answer them.
///
/// # Examples
///
/// ```
/// use poem::{EndpointExt as _, Route, handler, post};
/// use session_poem::{Session, VerifyOptions, verify_session};
///
/// #[handler]
/// async fn like_comment(session: Session) -> String {
///     format!("liked by {}", session.user_id())
/// }
///
/// let options = VerifyOptions::new().check_database(true);
/// let app = Route::new().at("/like-comment", post(like_comment).with(verify_session(options)));
/// # let _ = app;
/// ```
pub fn verify_session(options: VerifyOptions) -> VerifySession {
    VerifySession { options }
}

/// A guard for routes, made by [`verify_session`].
#[derive(Debug, Clone)]
#[must_use]
pub struct VerifySession {
    options: VerifyOptions,
}

impl<E: Endpoint> Middleware<E> for VerifySession {
    type Output = GuardEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        GuardEndpoint {
            options: self.options.clone(),
            inner,
        }
    }
}

/// What [`verify_session`] makes of an endpoint.
#[derive(Debug, Clone)]
pub struct GuardEndpoint<E> {
    options: VerifyOptions,
    inner: E,
}

impl<E: Endpoint> Endpoint for GuardEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> poem::Result<E::Output> {
        let passed = exchange_of(&request)?.guard(&self.options).await;
        let _session = passed.map_err(SessionRejection::from)?;
        self.inner.call(request).await
    }
}

/// The exchange that the layer left in the request.
pub(crate) fn exchange_of(request: &Request) -> Result<Exchange, SessionRejection> {
    const LINE: &str = ".with(session_poem::SessionLayer::new(sessions))";
    Ok(Exchange::of(request.extensions(), LINE)?)
}

/// The path that the client sent: a nested route sees what is left of it.
fn sent_path(request: &Request) -> &str {
    // `poem::test` and requests built by hand leave the original at `/`. No route makes a path
    // longer, so a request that really was for `/` still is.
    match request.original_uri().path() {
        "/" => request.uri().path(),
        path => path,
    }
}
