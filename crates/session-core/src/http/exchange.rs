//! `Exchange`: one request and its response, as far as sessions are concerned.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Extensions, HeaderMap, Response};

use crate::{
    NewSession, Session, SessionHandle, Sessions,
    backend::Delivery,
    error::{ClientTokens, SessionError},
    http::{
        Refusal, RequestView, TransferMethod,
        effects::{ClearTokens, Effects},
        refusal::{self, Challenge, Statuses, Unanswered},
        transfer::Credentials,
    },
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
/// use session_core::{Sessions, http::{Exchange, RequestView}};
///
/// # async fn application(_: Request<()>) -> Response<Bytes> { Response::default() }
/// async fn serve(sessions: Sessions, mut request: Request<()>) -> Response<Bytes> {
///     let exchange = Exchange::new(&sessions, &view(&request));
///     let mut response = match exchange.handle_route(&view(&request)).await {
///         Some(ours) => ours,
///         None => {
///             request.extensions_mut().insert(exchange.clone());
///             application(request).await
///         }
///     };
///     exchange.finish(&mut response);
///     response
/// }
///
/// fn view(request: &Request<()>) -> RequestView<'_> {
///     RequestView::new(request.method(), request.uri().path(), request.headers())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Exchange(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sessions: Sessions,
    effects: Effects,
    challenge: Challenge,
    verified: Mutex<Option<(Session, TransferMethod)>>,
}

impl Exchange {
    /// Begins the exchange of a request.
    pub fn new(sessions: &Sessions, view: &RequestView<'_>) -> Self {
        let config = sessions.shared_config();
        Self(Arc::new(Inner {
            challenge: Challenge::of(config, view),
            effects: Effects::new(Arc::clone(config)),
            sessions: sessions.clone(),
            verified: Mutex::default(),
        }))
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
    /// # Errors
    ///
    /// A [`Refusal`] with the outcome of wire §6. A preflight has no session, so it is refused too.
    pub async fn verify(
        &self,
        view: &RequestView<'_>,
        options: &VerifyOptions,
    ) -> Result<Session, Refusal> {
        self.verify_optional(view, options)
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
        view: &RequestView<'_>,
        options: &VerifyOptions,
    ) -> Result<Option<Session>, Refusal> {
        self.judge(view, options)
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
    pub async fn guard(
        &self,
        view: &RequestView<'_>,
        options: &VerifyOptions,
    ) -> Result<Option<Session>, Refusal> {
        if view.is_without_session() {
            return Ok(None);
        }
        if options.is_session_required() {
            self.verify(view, options).await.map(Some)
        } else {
            self.verify_optional(view, options).await
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
    pub async fn create(
        &self,
        view: &RequestView<'_>,
        new: NewSession,
    ) -> Result<Session, Refusal> {
        self.create_session(view, new)
            .await
            .map_err(|error| self.refusal(error))
    }

    /// The response, when the request is for one of our own routes: refresh, sign-out, public keys
    /// and discovery (wire §5).
    pub async fn handle_route(&self, view: &RequestView<'_>) -> Option<Response<Bytes>> {
        super::builtin::handle(self, view).await
    }

    /// The response to an error. Tokens are cleared when the error says so; only here, so an
    /// application that answers by itself keeps them.
    pub fn refuse(&self, error: &SessionError) -> Response<Bytes> {
        let clears = matches!(
            error,
            SessionError::Unauthorised(ClientTokens::Clear)
                | SessionError::TokenTheftDetected { .. }
        );
        if clears {
            self.0.effects.clear_for_refusal();
        }
        let statuses = Statuses::of(self.0.sessions.config());
        let response = refusal::render(error, statuses, self.0.challenge);
        if response.status().is_server_error() {
            tracing::warn!(
                status = response.status().as_u16(),
                error = error as &dyn std::error::Error,
                "session request failed"
            );
        } else {
            tracing::debug!(status = response.status().as_u16(), %error, "session refused");
        }
        response
    }

    /// Completes the head of a response: an error of ours that a handler returned gets its status
    /// and headers, and the session's cookies and headers are written. Nothing can change them
    /// from then on.
    pub fn finish<B>(&self, response: &mut Response<B>) {
        if let Some(Unanswered(error)) = response.extensions_mut().remove() {
            let refused = self.refuse(&error);
            *response.status_mut() = refused.status();
            for (name, value) in refused.headers() {
                response.headers_mut().insert(name, value.clone());
            }
        }
        self.write_effects(response.headers_mut());
    }

    /// Writes the session's cookies and headers into the head of a response; nothing can change
    /// them from then on. For adapters whose framework has a response type of its own.
    pub fn write_effects(&self, headers: &mut HeaderMap) {
        self.0
            .effects
            .write(headers, self.0.sessions.clock().as_ref());
    }

    pub(super) fn effects(&self) -> &Effects {
        &self.0.effects
    }

    fn refusal(&self, error: SessionError) -> Refusal {
        Refusal::new(error, self.clone())
    }

    /// The pipeline of wire §6 up to the token's own checks, which are the service's.
    pub(super) async fn judge(
        &self,
        view: &RequestView<'_>,
        options: &VerifyOptions,
    ) -> Result<Option<Session>, SessionError> {
        if view.is_without_session() {
            return Ok(None);
        }
        if let Some((session, method)) = self.verified() {
            let anti_csrf = self.presented_anti_csrf(view, method, options)?;
            self.0
                .sessions
                .recheck(&session, anti_csrf, options)
                .await?;
            return Ok(Some(session));
        }
        let config = self.0.sessions.config();
        let credentials = Credentials::read(config, view)?;
        let Some((token, method)) = credentials.access_token(config.token_transfer())? else {
            return Ok(None);
        };
        let anti_csrf = self.presented_anti_csrf(view, method, options)?;
        let session = self
            .0
            .sessions
            .check(token, Some(method), anti_csrf, options)
            .await?;
        session.bind(self.0.effects.clone(), method)?;
        self.remember(&session, method);
        Ok(Some(session))
    }

    async fn create_session(
        &self,
        view: &RequestView<'_>,
        new: NewSession,
    ) -> Result<Session, SessionError> {
        let (sessions, config) = (&self.0.sessions, self.0.sessions.config());
        self.0.effects.ensure_open()?;
        let credentials = Credentials::read(config, view)?;
        let method = TransferMethod::of_new_session(config.token_transfer(), view);
        let delivery = Delivery::by(method, config);
        let replaced = self.presented_sessions(&credentials).await;
        let issued = sessions.create_presented(new, delivery).await?;
        for handle in replaced {
            sessions.revoke(&handle).await?;
        }
        let (session, tokens) = issued.into_parts();
        let effects = self.0.effects.supersede();
        if credentials.has_access_token_besides(method) {
            effects.clear(ClearTokens::besides(method))?;
        }
        effects.attach(&tokens, method)?;
        session.bind(effects, method)?;
        self.remember(&session, method);
        Ok(session)
    }

    /// The sessions that the request belongs to, by whatever live access tokens it carries.
    async fn presented_sessions(&self, credentials: &Credentials<'_>) -> Vec<SessionHandle> {
        let mut handles = Vec::new();
        for token in credentials.session_tokens() {
            if let Ok((_, verified)) = self.0.sessions.verify_signature(token).await {
                handles.push(verified.handle().clone());
            }
        }
        handles
    }

    /// The anti-CSRF check as far as it concerns the request alone (wire §9.3). A token from a
    /// header needs none: no other site can send it (security E7).
    fn presented_anti_csrf<'a>(
        &self,
        view: &RequestView<'a>,
        method: TransferMethod,
        options: &VerifyOptions,
    ) -> Result<PresentedAntiCsrf<'a>, SessionError> {
        let checked = options
            .anti_csrf()
            .unwrap_or(view.checks_anti_csrf_by_default());
        if !checked {
            return Ok(PresentedAntiCsrf::NotChecked);
        }
        view.presented_anti_csrf(method, self.0.sessions.config().anti_csrf())
            .ok_or(SessionError::TryRefreshToken(TokenRejection::AntiCsrf))
    }

    fn verified(&self) -> Option<(Session, TransferMethod)> {
        self.0
            .verified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn remember(&self, session: &Session, method: TransferMethod) {
        let mut verified = self
            .0
            .verified
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *verified = Some((session.clone(), method));
    }
}

/// A check of the token alone: no look-up, no claims.
pub(super) fn signature_only() -> VerifyOptions {
    Stateless::options().claim_validators(std::iter::empty())
}
