//! The verification pipeline, in the order of wire §6: signature and times, kind of key, anti-CSRF,
//! then as far beyond the token as the route asks, then the claims.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::Guard;
use tracing::Instrument as _;

use crate::{
    blacklist::{Listed, Unreliable},
    claims::{self, ClaimValidator},
    error::{BackendError, ClientTokens, SessionError, in_words},
    http::TransferMethod,
    ids::KeyId,
    keys::KeyRing,
    session::Session,
    sessions::Sessions,
    telemetry,
    token::{ParsedAccessToken, TokenRejection, VerifiedAccessToken},
    verify::{Lookups, VerifyOptions},
};

/// What a request brought against cross-site request forgery (wire §9.3).
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum PresentedAntiCsrf<'a> {
    /// Nothing is asked for: the session does not travel in cookies, the method is safe, or another
    /// defence has been checked.
    NotChecked,
    /// The session's anti-CSRF token is asked for, and this is what the request had in its place.
    Token(Option<&'a str>),
}

impl fmt::Debug for PresentedAntiCsrf<'_> {
    /// Shows no token (security K1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotChecked => "NotChecked",
            Self::Token(None) => "Token(None)",
            Self::Token(Some(_)) => "Token(Some(..))",
        })
    }
}

/// An access token that is to be verified.
pub(crate) enum CandidateToken {
    /// One that has the form.
    Parsed(Box<ParsedAccessToken>),
    /// One that this node has verified before.
    Verified(Arc<VerifiedAccessToken>),
}

/// What has been established about a session since its request began.
#[derive(Default)]
pub(crate) struct Facts {
    anti_csrf: bool,
    /// When the database had the session, on the monotonic clock. What the blacklist says is not
    /// kept: it may know better a moment later, and to look again costs nothing.
    in_database_at: Option<Duration>,
    validated: Vec<Arc<dyn ClaimValidator>>,
}

impl Facts {
    /// What is true of a session that was just written to the database.
    pub(crate) fn of_a_new_session(now: Duration) -> Self {
        Self {
            anti_csrf: true,
            in_database_at: Some(now),
            validated: Vec::new(),
        }
    }

    /// The payload has changed, so what was said of the old one no longer counts.
    pub(crate) fn forget_claims(&mut self) {
        self.validated.clear();
    }

    /// Whether a look-up can be spared. What was seen ages: a request that asks again after an
    /// upload, or from within an event stream, is answered anew.
    fn cover(&self, now: Duration) -> bool {
        self.in_database_at
            .is_some_and(|at| now.saturating_sub(at) <= ONE_REQUEST)
    }
}

impl Sessions {
    /// Verifies a token that came by `method` and makes it a session.
    pub(crate) async fn check(
        &self,
        token: CandidateToken,
        method: Option<TransferMethod>,
        anti_csrf: PresentedAntiCsrf<'_>,
        options: &VerifyOptions,
    ) -> Result<Session, SessionError> {
        let outcome = async {
            let verified = self.verify_signature(token).await?;
            let session = Session::new(self.clone(), verified, method, Facts::default());
            self.establish(&session, anti_csrf, options).await?;
            Ok(session)
        }
        .instrument(tracing::debug_span!("verify_session"))
        .await;
        self.count(options, &outcome);
        outcome
    }

    /// Checks what `options` ask for and has not been checked yet.
    pub(crate) async fn recheck(
        &self,
        session: &Session,
        anti_csrf: PresentedAntiCsrf<'_>,
        options: &VerifyOptions,
    ) -> Result<(), SessionError> {
        let outcome = if session.access_token_remaining().is_zero() {
            Err(SessionError::TryRefreshToken(TokenRejection::Expired))
        } else {
            self.establish(session, anti_csrf, options).await
        };
        self.count(options, &outcome);
        outcome
    }

    pub(crate) async fn verify_signature(
        &self,
        token: CandidateToken,
    ) -> Result<Arc<VerifiedAccessToken>, SessionError> {
        let now = self.clock().now();
        let token = match token {
            CandidateToken::Parsed(token) => token,
            CandidateToken::Verified(token) => {
                let keys = self.backend().keys();
                let key = keys.same_key(token.key(), now);
                // A session that has ended has no use for speed, and a removed key none at all: what
                // this token is worth then is found out as if nobody had seen it before.
                if let Some(key) =
                    key.filter(|_| !self.blacklist().contains_key(token.revocation_key()))
                {
                    return match token.judge(key, now, self.access_policy()) {
                        Ok(()) => Ok(token),
                        Err(rejection) => {
                            self.verified_tokens().forget(&token);
                            Err(SessionError::TryRefreshToken(rejection))
                        }
                    };
                }
                self.verified_tokens().forget(&token);
                let parsed = ParsedAccessToken::read(token.token().clone())
                    .map_err(|malformed| SessionError::TryRefreshToken(malformed.into()))?;
                Box::new(parsed)
            }
        };
        let (keys, now) = self.keys_with(token.key_id(), now).await;
        let key = keys
            .verification_key(token.key_id(), now)
            .ok_or(SessionError::TryRefreshToken(TokenRejection::UnknownKey))?;
        let verified = token
            .verify(key, now, self.access_policy())
            .map_err(SessionError::TryRefreshToken)?;
        let verified = Arc::new(verified);
        self.verified_tokens().keep(&verified);
        Ok(verified)
    }

    /// The keys as they were `now`, or read again when this one is not among them: another node may
    /// have made it since ours were read. At most one reading a second for all requests together, and
    /// a key that cannot be read is like one that is not there: a refresh will tell (wire §6, row 10;
    /// security D2).
    async fn keys_with(&self, id: &KeyId, now: SystemTime) -> (Guard<Arc<KeyRing>>, SystemTime) {
        let keys = self.backend().keys();
        if keys.verification_key(id, now).is_some() {
            return (keys, now);
        }
        drop(keys);
        if let Err(error) = self.backend().reload_keys().await {
            tracing::warn!(%error, "the signing keys could not be read");
        }
        (self.backend().keys(), self.clock().now())
    }

    async fn establish(
        &self,
        session: &Session,
        anti_csrf: PresentedAntiCsrf<'_>,
        options: &VerifyOptions,
    ) -> Result<(), SessionError> {
        establish_anti_csrf(session, anti_csrf)?;
        if let Some(remaining) = options.remaining()
            && session.access_token_remaining() < remaining
        {
            return Err(SessionError::TryRefreshToken(
                TokenRejection::ExpiresTooSoon,
            ));
        }
        self.establish_lookup(session, options).await?;
        self.establish_claims(session, options).await
    }

    async fn establish_lookup(
        &self,
        session: &Session,
        options: &VerifyOptions,
    ) -> Result<(), SessionError> {
        let asked = options.lookups(self.config().default_check(), self.config().max_staleness());
        if asked == Lookups::None {
            return Ok(());
        }
        let now = self.clock().monotonic();
        if session.facts().cover(now) {
            return Ok(());
        }
        let passed_over = if let Lookups::Blacklist { max_staleness } = asked {
            let key = session.verified().revocation_key();
            match self.blacklist().look_up_key(key, max_staleness) {
                Listed::Revoked => return Err(SessionError::Unauthorised(ClientTokens::Clear)),
                Listed::Absent => return Ok(()),
                Listed::Unknown(reason) => Some(reason),
            }
        } else {
            None
        };
        // Whoever asks no database has no room for it in the future of a request.
        Box::pin(self.ask_database(session, passed_over)).await?;
        session.facts().in_database_at = Some(now);
        Ok(())
    }

    /// Asks the database, be it in place of a set that could not say.
    async fn ask_database(
        &self,
        session: &Session,
        passed_over: Option<Unreliable>,
    ) -> Result<(), SessionError> {
        let asked = self.backend().live_payload(session.handle());
        let Some(reason) = passed_over else {
            let stored = asked.await?;
            let stored = stored.ok_or(SessionError::Unauthorised(ClientTokens::Clear))?;
            return session.adopt_stored_payload(&stored);
        };
        telemetry::blacklist_passed_over(reason);
        match asked.await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(SessionError::Unauthorised(ClientTokens::Clear)),
            Err(SessionError::Unavailable(store)) => {
                let age = self.blacklist().age();
                let blacklist = in_words(age);
                tracing::error!(
                    %blacklist, %reason,
                    "neither the blacklist nor the store can be asked"
                );
                Err(SessionError::Unavailable(BackendError::BlacklistStale {
                    age,
                    store: Box::new(store),
                }))
            }
            Err(error) => Err(error),
        }
    }

    async fn establish_claims(
        &self,
        session: &Session,
        options: &VerifyOptions,
    ) -> Result<(), SessionError> {
        let mut asked = options.validators(self.global_validators()).peekable();
        if asked.peek().is_none() {
            return Ok(());
        }
        // What few routes ask for takes no room in the future of every request.
        Box::pin(self.validate_asked(session, asked)).await
    }

    async fn validate_asked(
        &self,
        session: &Session,
        asked: impl Iterator<Item = &Arc<dyn ClaimValidator>>,
    ) -> Result<(), SessionError> {
        let validators: Vec<Arc<dyn ClaimValidator>> = {
            let facts = session.facts();
            asked
                .filter(|asked| !facts.validated.iter().any(|done| Arc::ptr_eq(done, asked)))
                .cloned()
                .collect()
        };
        if validators.is_empty() {
            return Ok(());
        }
        let payload = session.access_token_payload();
        let whose = self.fetch_for(session.user_id(), session.tenant_id());
        let outcome = claims::validate(&validators, self.registered_claims(), &whose, &payload)
            .await
            .map_err(SessionError::ClaimFetch)?;
        if let Some(update) = outcome.update(&payload) {
            // Saved even when the claims do not suffice; the tokens are attached by whoever binds
            // the session to its response, and a refused one is never bound (wire §6, rows 23, 24).
            session.merge_unattached(&update).await?;
        }
        if outcome.errors.is_empty() {
            session.facts().validated.extend(validators);
            Ok(())
        } else {
            Err(SessionError::InvalidClaims(outcome.errors))
        }
    }

    fn count<T>(&self, options: &VerifyOptions, outcome: &Result<T, SessionError>) {
        let check =
            match options.lookups(self.config().default_check(), self.config().max_staleness()) {
                Lookups::None => "stateless",
                Lookups::Blacklist { .. } => "blacklist",
                Lookups::Database => "database",
            };
        let outcome = match outcome {
            Ok(_) => "ok",
            Err(error) => {
                tracing::debug!(check, %error, "session refused");
                error.as_str()
            }
        };
        telemetry::verified(check, outcome);
    }
}

fn establish_anti_csrf(
    session: &Session,
    anti_csrf: PresentedAntiCsrf<'_>,
) -> Result<(), SessionError> {
    let PresentedAntiCsrf::Token(presented) = anti_csrf else {
        return Ok(());
    };
    let mut facts = session.facts();
    if !facts.anti_csrf {
        let token = session.verified();
        if !presented.is_some_and(|presented| token.is_anti_csrf_token(presented)) {
            return Err(SessionError::TryRefreshToken(TokenRejection::AntiCsrf));
        }
        facts.anti_csrf = true;
    }
    Ok(())
}

/// As long as the parts of a request that follow one another at once: layer, extractors, handler.
const ONE_REQUEST: Duration = Duration::from_secs(1);
