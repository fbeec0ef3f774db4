//! `Exchange`: one request and its response, as far as sessions are concerned.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    Extensions, HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{ACCESS_CONTROL_EXPOSE_HEADERS, SET_COOKIE},
};
use tokio::sync::Mutex;

use crate::{
    NewSession, Session, SessionHandle, Sessions,
    backend::Delivery,
    error::{ClientTokens, SessionError},
    http::{
        HeaderLines, Refusal, TransferMethod,
        binding::Binding,
        credentials::Credentials,
        effects::{ClearTokens, Effects, Login},
        presented::PresentedRequest,
        refusal::{self, Statuses, Unsettled, Verdict},
        routes::Route,
    },
    issued::Tokens,
    token::TokenRejection,
    verify::{Policy as _, PresentedAntiCsrf, Stateless, VerifyOptions},
};

/// One request and its response, as far as sessions are concerned.
///
/// An adapter makes one per request, keeps it where handlers can reach it, and lets it write its
/// effects when the head of the response is made. Clones are the same exchange.
///
/// # Examples
///
/// What an adapter's layer does with each request:
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use session_core::{Sessions, http::Exchange};
///
/// # async fn application(_: Request<()>) -> Response<Bytes> { Response::default() }
/// async fn serve(sessions: Sessions, mut request: Request<()>) -> Response<Bytes> {
///     let exchange = Exchange::new(
///         &sessions,
///         request.method(),
///         request.uri().path(),
///         request.headers(),
///     );
///     let mut response = match exchange.handle_route().await {
///         Some(ours) => ours,
///         None => {
///             request.extensions_mut().insert(exchange.clone());
///             application(request).await
///         }
///     };
///     exchange.finish(&mut response);
///     response
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Exchange(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sessions: Sessions,
    effects: Effects,
    presented: PresentedRequest,
    /// Locked while a session is judged: a framework may run two extractors at once, and the second
    /// has to find what the first has checked.
    verified: Mutex<Option<Verified>>,
}

/// The session of the request, not bound to this exchange: it would keep it for ever.
#[derive(Debug)]
struct Verified {
    session: Session,
    method: TransferMethod,
    login: Login,
}

impl Exchange {
    /// Begins the exchange of a request. What the request presents is read here, once.
    ///
    /// `path` is the path as the client sent it, without the query: where a framework strips prefixes
    /// while it routes, the path before that.
    pub fn new(
        sessions: &Sessions,
        method: &Method,
        path: &str,
        headers: &dyn HeaderLines,
    ) -> Self {
        let config = sessions.shared_config();
        Self(Arc::new(Inner {
            presented: PresentedRequest::read(
                config,
                sessions.verified_tokens(),
                method,
                path,
                headers,
            ),
            effects: Effects::default(),
            sessions: sessions.clone(),
            verified: Mutex::default(),
        }))
    }

    /// Whether a request is for one of our own routes, which [`handle_route`](Self::handle_route)
    /// answers: for adapters whose framework wants to know before there is an exchange.
    pub fn answers(sessions: &Sessions, method: &Method, path: &str) -> bool {
        Route::of_request(sessions.config().app(), method, path).is_some()
    }

    /// The exchange that a layer left in a request's extensions.
    ///
    /// # Errors
    ///
    /// A refusal that names `line`, the line that adds the layer, when there is none.
    pub fn of(extensions: &Extensions, line: &'static str) -> Result<Self, Refusal> {
        extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Refusal::missing_layer(line))
    }

    /// Whether the exchange is about these sessions, so that a layer which is applied twice leaves
    /// the request to the outer one.
    pub fn is_about(&self, sessions: &Sessions) -> bool {
        Arc::ptr_eq(self.0.sessions.shared_config(), sessions.shared_config())
    }

    /// The sessions that the exchange is about.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// The session of the request.
    ///
    /// What earlier calls in this request have checked is not checked again; a call that asks for
    /// more does the rest. `session_required` of the options is not looked at.
    ///
    /// A second call waits while a first is under way, so a future of this has to be polled to its
    /// end or dropped.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] with the outcome of wire §6. A preflight has no session, so it is refused too.
    pub async fn verify(&self, options: &VerifyOptions) -> Result<Session, Refusal> {
        self.verify_optional(options)
            .await?
            .ok_or_else(|| self.refusal(SessionError::Unauthorised(ClientTokens::Keep)))
    }

    /// The session of the request, if it has one.
    ///
    /// Only the lack of a token, or one that is not a session's at all, gives `None`; an expired,
    /// forged or revoked one is refused, so that the client refreshes (wire cases 45 to 47).
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub async fn verify_optional(
        &self,
        options: &VerifyOptions,
    ) -> Result<Option<Session>, Refusal> {
        self.judge(options)
            .await
            .map_err(|error| self.refusal(error))
    }

    /// Lets a request pass to a route that is guarded by `options`, or refuses it.
    ///
    /// A preflight passes without a session (wire case 51), and so does a request without a session
    /// where `session_required` is off.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub async fn guard(&self, options: &VerifyOptions) -> Result<Option<Session>, Refusal> {
        if !self.0.presented.carries_session() {
            return Ok(None);
        }
        if options.is_session_required() {
            self.verify(options).await.map(Some)
        } else {
            self.verify_optional(options).await
        }
    }

    /// Creates a session; its tokens travel with the response, in cookies or headers as the client
    /// asks (wire §4.6).
    ///
    /// A session that the request belongs to is ended, as long as its access token still verifies:
    /// whoever logs in anew has no use for it, and a session that somebody planted before the login
    /// must not live on (security E18).
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the payload cannot travel or the head of the response has been sent:
    /// nothing was created. When the backend does not answer, the outcome is unknown, and a session
    /// that was created can do no harm, for nobody has its tokens.
    pub async fn create(&self, new: NewSession) -> Result<Session, Refusal> {
        self.create_session(new)
            .await
            .map_err(|error| self.refusal(error))
    }

    /// The response, when the request is for one of our own routes: refresh, sign-out, public keys
    /// and discovery (wire §5).
    pub async fn handle_route(&self) -> Option<Response<Bytes>> {
        super::builtin::handle(self).await
    }

    /// The response to an error. Tokens are cleared when the error says so; only here, so an
    /// application that answers by itself keeps them.
    pub fn refuse(&self, error: &SessionError) -> Response<Bytes> {
        self.settle(error);
        refusal::render(error, self.statuses(), self.0.presented.challenge)
    }

    /// An error as a refusal of this request.
    pub fn refusal(&self, error: SessionError) -> Refusal {
        Refusal::new(error, self.clone())
    }

    /// Completes the head of a response: an error of ours that a handler returned gets its status
    /// and headers, and the session's cookies and headers are written. Nothing can change them
    /// from then on.
    pub fn finish<B>(&self, response: &mut Response<B>) {
        if let Some(Unsettled(error)) = response.extensions_mut().remove() {
            let status = self.settle(&error);
            *response.status_mut() = status;
            refusal::write_headers(status, self.0.presented.challenge, response.headers_mut());
        }
        self.write_effects(response.headers_mut());
    }

    /// What [`finish`](Self::finish) would change in the head of a response whose framework has
    /// types of its own: `lines` are its headers, `extensions` those of the refusal that it was made
    /// of, if it was. Nothing can change the session's cookies and headers from then on.
    #[must_use = "the session's cookies and headers have to be written"]
    pub fn finish_head(&self, lines: &dyn HeaderLines, extensions: Extensions) -> HeadChanges {
        let unsettled = extensions.get::<Unsettled>().is_some();
        if !unsettled && self.0.effects.seal_if_nothing_is_pending() {
            return HeadChanges {
                status: None,
                headers: HeaderMap::new(),
            };
        }
        let mut head = Response::new(());
        *head.extensions_mut() = extensions;
        // All others are replaced, whatever they were.
        for name in [SET_COOKIE, ACCESS_CONTROL_EXPOSE_HEADERS] {
            lines.each(&name, &mut |line| {
                if let Ok(value) = HeaderValue::from_bytes(line) {
                    head.headers_mut().append(name.clone(), value);
                }
            });
        }
        self.finish(&mut head);
        HeadChanges {
            status: unsettled.then_some(head.status()),
            headers: std::mem::take(head.headers_mut()),
        }
    }

    /// Writes the session's cookies and headers into the head of a response; nothing can change
    /// them from then on. For adapters whose framework has a response type of its own.
    pub fn write_effects(&self, headers: &mut HeaderMap) {
        let sessions = &self.0.sessions;
        self.0
            .effects
            .write(headers, sessions.config(), sessions.clock().as_ref());
    }

    pub(super) fn presented(&self) -> &PresentedRequest {
        &self.0.presented
    }

    pub(super) fn effects(&self) -> &Effects {
        &self.0.effects
    }

    /// Gives the client tokens, on behalf of the session of a login.
    pub(super) fn attach(
        &self,
        login: Login,
        tokens: &Tokens,
        method: TransferMethod,
    ) -> Result<(), SessionError> {
        let config = self.0.sessions.config();
        self.0.effects.attach(login, tokens, method, config)
    }

    pub(super) fn statuses(&self) -> Statuses {
        Statuses::of(self.0.sessions.config())
    }

    /// Does what an error means for the client's tokens, logs it, and says its status.
    fn settle(&self, error: &SessionError) -> StatusCode {
        let verdict = Verdict::of(error);
        if verdict.clears_tokens {
            self.0.effects.clear_for_refusal();
        }
        let status = verdict.status(self.statuses());
        refusal::log(error, status);
        status
    }

    /// The pipeline of wire §6 up to the token's own checks, which are the service's.
    pub(super) async fn judge(
        &self,
        options: &VerifyOptions,
    ) -> Result<Option<Session>, SessionError> {
        if !self.0.presented.carries_session() {
            return Ok(None);
        }
        let mut verified = self.0.verified.lock().await;
        if let Some(verified) = verified.as_ref() {
            let anti_csrf = self.presented_anti_csrf(verified.method, options)?;
            let rechecked = self
                .0
                .sessions
                .recheck(&verified.session, anti_csrf, options);
            rechecked.await?;
            return verified.bound_to(self).map(Some);
        }
        let config = self.0.sessions.config();
        let credentials = self.0.presented.credentials()?;
        let Some((token, method)) = credentials.access_token(config.token_transfer())? else {
            return Ok(None);
        };
        let anti_csrf = self.presented_anti_csrf(method, options)?;
        let session = self
            .0
            .sessions
            .check(token, Some(method), anti_csrf, options)
            .await?;
        let now_verified = Verified {
            session,
            method,
            login: Login::default(),
        };
        let session = now_verified.bound_to(self)?;
        *verified = Some(now_verified);
        Ok(Some(session))
    }

    async fn create_session(&self, new: NewSession) -> Result<Session, SessionError> {
        let (sessions, config) = (&self.0.sessions, self.0.sessions.config());
        let presented = &self.0.presented;
        self.0.effects.ensure_open()?;
        let credentials = presented.credentials()?;
        let method = TransferMethod::of_new_session(config.token_transfer(), presented.auth_mode());
        let delivery = Delivery::by(method, config);
        let replaced = self.presented_sessions(credentials).await;
        let issued = sessions.create_presented(new, delivery).await?;
        for handle in replaced {
            sessions.revoke(&handle).await?;
        }
        let (session, tokens) = issued.into_parts();
        let login = self.0.effects.supersede();
        if credentials.has_access_token_besides(method) {
            let others = ClearTokens::besides(method);
            self.0.effects.clear(login, others)?;
        }
        self.attach(login, &tokens, method)?;
        let verified = Verified {
            session,
            method,
            login,
        };
        let session = verified.bound_to(self)?;
        *self.0.verified.lock().await = Some(verified);
        Ok(session)
    }

    /// The sessions that the request belongs to, by whatever live access tokens it carries.
    async fn presented_sessions(&self, credentials: &Credentials) -> Vec<SessionHandle> {
        let mut handles = Vec::new();
        for token in credentials.session_tokens() {
            if let Ok(verified) = self.0.sessions.verify_signature(token).await {
                handles.push(verified.handle().clone());
            }
        }
        handles
    }

    /// The anti-CSRF check as far as it concerns the request alone (wire §9.3). A token from a
    /// header needs none: no other site can send it (security E7).
    fn presented_anti_csrf(
        &self,
        method: TransferMethod,
        options: &VerifyOptions,
    ) -> Result<PresentedAntiCsrf<'_>, SessionError> {
        let checked = options
            .anti_csrf()
            .unwrap_or(self.0.presented.checks_anti_csrf_by_default());
        if !checked {
            return Ok(PresentedAntiCsrf::NotChecked);
        }
        let mode = self.0.sessions.config().anti_csrf();
        self.0
            .presented
            .anti_csrf(method, mode)
            .ok_or(SessionError::TryRefreshToken(TokenRejection::AntiCsrf))
    }
}

impl Verified {
    fn bound_to(&self, exchange: &Exchange) -> Result<Session, SessionError> {
        let binding = Binding::new(exchange, self.login, self.method);
        self.session.clone().bound(binding)
    }
}

/// What a session changes in the head of a response.
#[derive(Debug)]
#[must_use = "the session's cookies and headers have to be written"]
pub struct HeadChanges {
    status: Option<StatusCode>,
    headers: HeaderMap,
}

impl HeadChanges {
    /// The status, where it is another.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The lines that take the place of all that the response has of the same names.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// A check of the token alone: no look-up, no claims.
pub(super) fn signature_only() -> VerifyOptions {
    Stateless::options().claim_validators(std::iter::empty())
}
