//! Creating, verifying and refreshing sessions.

use std::sync::Arc;

use tracing::Instrument as _;

use crate::{
    backend::{Delivery, Issued},
    error::{ClientTokens, SessionError},
    http::TransferMethod,
    information::NewSession,
    issued::IssuedSession,
    payload::Payload,
    session::Session,
    sessions::Sessions,
    telemetry::HandleTag,
    token::{self, RefreshToken},
    verify::{CandidateToken, Facts, PresentedAntiCsrf, VerifyOptions},
};

impl Sessions {
    /// Creates a session without a request at hand: in a job, a test, or for a client that gets its
    /// tokens in some way of its own.
    ///
    /// With a request, the adapter's way of creating a session is the one to use: it decides how
    /// the tokens travel and sends them. Durable when it returns.
    ///
    /// # Errors
    ///
    /// * [`InvalidPayload`](SessionError::InvalidPayload),
    ///   [`DataTooLong`](SessionError::DataTooLong): nothing was written.
    /// * [`ClaimFetch`](SessionError::ClaimFetch): a registered claim has no value to be had.
    /// * [`Unavailable`](SessionError::Unavailable): outcome unknown; the session can do no harm,
    ///   for nobody has its tokens.
    pub async fn create(&self, new: NewSession) -> Result<IssuedSession, SessionError> {
        self.create_presented(new, Delivery::unknown(self.config()))
            .await
    }

    /// Verifies an access token without a request at hand.
    ///
    /// # Errors
    ///
    /// * [`Unauthorised`](SessionError::Unauthorised) with [`ClientTokens::Keep`]: this is no
    ///   access token at all (wire §6, row 6).
    /// * All that verification can say.
    pub async fn verify(
        &self,
        access_token: &str,
        anti_csrf: PresentedAntiCsrf<'_>,
        options: &VerifyOptions,
    ) -> Result<Session, SessionError> {
        let candidate = match self.verified_tokens().get(access_token.as_bytes()) {
            Some(known) => CandidateToken::Verified(known),
            None => token::access::parse(access_token)
                .map(|parsed| CandidateToken::Parsed(Box::new(parsed)))
                .map_err(|_| SessionError::Unauthorised(ClientTokens::Keep))?,
        };
        self.check(candidate, None, anti_csrf, options).await
    }

    /// Exchanges a refresh token for the session's next tokens, without a request at hand.
    ///
    /// Inside the grace window the same token always yields the same successor and a replay writes
    /// nothing, so tabs, retries and lost responses share one lineage. Outside it, or of a token
    /// more than eight rotations old, a replay is theft: the session is revoked before this
    /// returns. Costs one read, one conditional update and one signature. A dropped future leaves
    /// the outcome unknown; to learn it, present the token again.
    ///
    /// # Errors
    ///
    /// * [`Unauthorised`](SessionError::Unauthorised): not ours, expired or gone (wire cases 23, 24).
    /// * [`TokenTheftDetected`](SessionError::TokenTheftDetected): replayed outside the window.
    /// * [`Unavailable`](SessionError::Unavailable): the backend did not answer.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_core::{RefreshToken, SessionError, Sessions, verify::PresentedAntiCsrf};
    /// # async fn two_tabs(sessions: Sessions, token: RefreshToken) -> Result<(), SessionError> {
    /// let one = sessions.refresh(&token, PresentedAntiCsrf::NotChecked).await?;
    /// let two = sessions.refresh(&token, PresentedAntiCsrf::NotChecked).await?;
    /// let secret = |issued: &session_core::IssuedSession| {
    ///     issued.tokens().refresh_token().map(|token| token.expose().to_owned())
    /// };
    /// assert_eq!(secret(&one), secret(&two));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        anti_csrf: PresentedAntiCsrf<'_>,
    ) -> Result<IssuedSession, SessionError> {
        self.refresh_presented(token, anti_csrf, Delivery::unknown(self.config()))
            .await
    }

    pub(crate) async fn create_presented(
        &self,
        new: NewSession,
        delivery: Delivery,
    ) -> Result<IssuedSession, SessionError> {
        async {
            let mut claims = new.payload.clone();
            self.registered_claims()
                .build_all(&self.fetch_for(&new.user, &new.tenant), &mut claims)
                .await
                .map_err(SessionError::ClaimFetch)?;
            let payload = Payload::try_from(claims)?;
            let issued = self.backend().create(&new, payload, delivery).await?;
            tracing::info!(session = %HandleTag::of(issued.verified.handle()), "session created");
            Ok(self.issued(issued, delivery.method))
        }
        .instrument(tracing::debug_span!("create_session"))
        .await
    }

    pub(crate) async fn refresh_presented(
        &self,
        token: &RefreshToken,
        anti_csrf: PresentedAntiCsrf<'_>,
        delivery: Delivery,
    ) -> Result<IssuedSession, SessionError> {
        let span = tracing::debug_span!("refresh_session");
        let issued = self
            .backend()
            .refresh(token, anti_csrf, delivery)
            .instrument(span)
            .await?;
        Ok(self.issued(issued, delivery.method))
    }

    fn issued(&self, issued: Issued, method: Option<TransferMethod>) -> IssuedSession {
        let Issued { verified, tokens } = issued;
        let session = Session::new(
            self.clone(),
            Arc::new(verified),
            method,
            Facts::of_a_new_session(self.clock().monotonic()),
        );
        IssuedSession { session, tokens }
    }
}
