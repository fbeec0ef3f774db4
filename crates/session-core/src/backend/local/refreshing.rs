//! Exchanging a refresh token: what the verdict on it means for the row and for the answer.

use std::sync::Arc;

use super::{LocalBackend, anti_csrf_token};
use crate::{
    backend::{
        Delivery, Issued, SessionBackend as _, issue,
        refresh::{self, Replay, Successor, Verdict},
    },
    config::TheftDetection,
    error::{BackendError, ClientTokens, SessionError},
    ids::KeyId,
    keys::{KeyError, KeyRing},
    observer::{ReplayClass, ReplayEvent, TheftEvent},
    payload::Payload,
    store::{Rotated, SessionRecord, SessionScope},
    telemetry::{self, RefreshOutcome},
    token::{
        RefreshToken,
        refresh::{self as refresh_token, RefreshTokenParts},
    },
    verify::PresentedAntiCsrf,
};

impl LocalBackend {
    pub(super) async fn exchange(
        &self,
        token: &RefreshToken,
        anti_csrf: PresentedAntiCsrf<'_>,
        delivery: Delivery,
    ) -> Result<Issued, SessionError> {
        let key_id = refresh_token::key_id_of(token).map_err(|_| unauthorised())?;
        let mut ring = self.keys_with_refresh_key(&key_id).await?;
        let key = ring.refresh_key(&key_id).ok_or_else(unauthorised)?;
        let parts = refresh_token::open(token, key).map_err(|_| unauthorised())?;
        if let (true, PresentedAntiCsrf::Token(presented)) = (parts.anti_csrf, anti_csrf) {
            let expected = anti_csrf_token(&parts, key);
            if !presented.is_some_and(|presented| constant_time_eq(presented, &expected)) {
                return Err(unauthorised());
            }
        }
        for _ in 0..MAX_SWAP_ATTEMPTS {
            let row = self.live_row(&parts).await?.ok_or_else(unauthorised)?;
            if parts.generation <= row.generation && !refresh::has_keys_onward(&parts, &row, &ring)
            {
                // Another node has used a key that is not known here yet. Without it, an honest
                // tab could not be told from a thief.
                self.reload_keys().await?;
                ring = self.keys.ring();
            }
            let key = ring.refresh_key(&key_id).ok_or_else(unauthorised)?;
            let now_ms = self.now_ms();
            let minting_key = self.minting_key(&ring)?;
            let verdict = refresh::classify(
                &parts,
                key,
                &row,
                &ring,
                minting_key.id(),
                now_ms,
                self.config.rotation_grace(),
            );
            let issued = match verdict {
                Verdict::Current(successor) => {
                    let issued = self
                        .rotate(&ring, &row, &successor, now_ms, delivery)
                        .await?;
                    if issued.is_some() {
                        telemetry::rotated(&row.handle, successor.row_was_behind_by);
                    }
                    issued
                }
                Verdict::WithinGrace(replay) => {
                    self.replayed(&ring, &row, &replay, now_ms, delivery)
                        .await?
                }
                Verdict::Theft { class, replay } => {
                    self.theft(&ring, &row, class, replay, now_ms, delivery)
                        .await?
                }
                Verdict::KeyRemoved => return Err(unauthorised()),
            };
            if let Some(issued) = issued {
                return Ok(issued);
            }
        }
        Err(SessionError::Unavailable(BackendError::Contended {
            attempts: MAX_SWAP_ATTEMPTS,
        }))
    }

    /// The keys, read again when this one is not among them. A key is published long before it is
    /// used, so one that is unknown after reading does not exist; and when it cannot be read,
    /// nothing is known, which must not log anybody out.
    async fn keys_with_refresh_key(&self, id: &KeyId) -> Result<Arc<KeyRing>, SessionError> {
        let ring = self.current_keys().await?;
        if ring.refresh_key(id).is_some() {
            return Ok(ring);
        }
        self.reload_keys().await?;
        let ring = self.keys.ring();
        if ring.is_unread(id) {
            return Err(KeyError::Unreadable(id.clone()).into());
        }
        Ok(ring)
    }

    async fn live_row(
        &self,
        parts: &RefreshTokenParts,
    ) -> Result<Option<SessionRecord>, SessionError> {
        let row = self.get(&parts.handle).await?;
        Ok(row.filter(|row| row.tenant == parts.tenant))
    }

    /// Swaps the row's generation; `None` when somebody else was faster.
    async fn rotate(
        &self,
        ring: &KeyRing,
        row: &SessionRecord,
        successor: &Successor,
        now_ms: i64,
        delivery: Delivery,
    ) -> Result<Option<Issued>, SessionError> {
        let expires_at_ms =
            issue::session_expiry_ms(&self.config, now_ms, row.absolute_expires_at_ms);
        let access_expires_at_ms =
            issue::access_expiry_s(&self.config, now_ms, expires_at_ms, &successor.secret)
                .saturating_mul(1_000);
        if access_expires_at_ms <= now_ms {
            // Tokens count whole seconds, and the session ends before the next one.
            return Err(unauthorised());
        }
        let rotation =
            refresh::rotation(row, successor, now_ms, expires_at_ms, access_expires_at_ms);
        let mut row = row.clone();
        row.expires_at_ms = expires_at_ms;
        // What the row keeps is the latest expiry of all tokens; this token's own is what counts
        // here.
        row.access_expires_at_ms = access_expires_at_ms;
        let parts = RefreshTokenParts {
            handle: row.handle.clone(),
            tenant: row.tenant.clone(),
            generation: successor.generation,
            key: successor.key.clone(),
            anti_csrf: delivery.anti_csrf,
            secret: successor.secret.clone(),
        };
        let payload = Payload::stored(&row.payload)?;
        let issued = self.issue(ring, &row, &parts, &payload, now_ms, delivery)?;
        let rotated = self.calls.call("rotate", move |store| async move {
            store.rotate(&rotation).await
        });
        match rotated.await? {
            Rotated::Lost => Ok(None),
            Rotated::Rotated => Ok(Some(issued)),
        }
    }

    async fn replayed(
        &self,
        ring: &KeyRing,
        row: &SessionRecord,
        replay: &Replay,
        now_ms: i64,
        delivery: Delivery,
    ) -> Result<Option<Issued>, SessionError> {
        let issued = self.catch_up(ring, row, replay, now_ms, delivery).await?;
        if issued.is_some() {
            telemetry::refreshed(RefreshOutcome::Replay(ReplayClass::WithinGrace));
            self.observers.replayed_within_grace(ReplayEvent {
                user: row.user.clone(),
                handle: row.handle.clone(),
                steps_behind: replay.steps_behind,
                superseded_for: replay.superseded_for,
            });
        }
        Ok(issued)
    }

    /// The session's current tokens, for somebody who is behind: what the last rotation handed out,
    /// without writing anything. When its access token has expired meanwhile, as in shadow mode it
    /// may have long ago, the lineage moves on; `None` when somebody else was faster.
    async fn catch_up(
        &self,
        ring: &KeyRing,
        row: &SessionRecord,
        replay: &Replay,
        now_ms: i64,
        delivery: Delivery,
    ) -> Result<Option<Issued>, SessionError> {
        let parts = RefreshTokenParts {
            handle: row.handle.clone(),
            tenant: row.tenant.clone(),
            generation: row.generation,
            key: row.refresh_key.clone(),
            anti_csrf: delivery.anti_csrf,
            secret: replay.secret.clone(),
        };
        let key = ring
            .refresh_key(&row.refresh_key)
            .ok_or_else(unauthorised)?;
        let access_expires_at_ms =
            issue::replayed_access_expiry_ms(&self.config, row, &replay.secret, now_ms);
        if access_expires_at_ms <= now_ms {
            let minting_key = self.minting_key(ring)?.id();
            return match refresh::advance(&parts, key, row, minting_key, now_ms) {
                Some(successor) => self.rotate(ring, row, &successor, now_ms, delivery).await,
                None => Err(unauthorised()),
            };
        }
        let mut row = row.clone();
        row.access_expires_at_ms = access_expires_at_ms;
        let payload = Payload::stored(&row.payload)?;
        self.issue(ring, &row, &parts, &payload, now_ms, delivery)
            .map(Some)
    }

    async fn theft(
        &self,
        ring: &KeyRing,
        row: &SessionRecord,
        class: ReplayClass,
        replay: Option<Replay>,
        now_ms: i64,
        delivery: Delivery,
    ) -> Result<Option<Issued>, SessionError> {
        let mut event = TheftEvent {
            user: row.user.clone(),
            handle: row.handle.clone(),
            class,
            revoked: false,
        };
        if self.config.theft_detection() == TheftDetection::Shadow {
            let answer = match replay {
                Some(replay) => self.catch_up(ring, row, &replay, now_ms, delivery).await,
                None => Err(SessionError::Unauthorised(ClientTokens::Clear)),
            };
            if !matches!(answer, Ok(None)) {
                telemetry::refreshed(RefreshOutcome::Replay(class));
                self.observers.theft_detected(event);
            }
            return answer;
        }
        event.revoked = true;
        let (user, handle) = (event.user.clone(), event.handle.clone());
        let observers = self.observers.clone();
        // Told where the session is revoked, so that a thief who hangs up is heard of all the same.
        let revoked = self
            .revoke_and_tell(
                SessionScope::Handles(vec![handle.clone()]),
                move |revoked| {
                    if !revoked.is_empty() {
                        telemetry::refreshed(RefreshOutcome::Replay(class));
                        observers.theft_detected(event);
                    }
                },
            )
            .await?;
        if revoked.is_empty() {
            // Somebody else ended it first, so it is theirs to tell.
            return Err(unauthorised());
        }
        Err(SessionError::TokenTheftDetected { user, handle })
    }
}

fn unauthorised() -> SessionError {
    telemetry::refreshed(RefreshOutcome::Unauthorised);
    SessionError::Unauthorised(ClientTokens::Clear)
}

fn constant_time_eq(presented: &str, expected: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(presented.as_bytes(), expected.as_bytes())
        .is_ok()
}

/// A lost swap is re-read and classified again; only a row that keeps moving without its
/// generation growing past the token's could ask for more.
const MAX_SWAP_ATTEMPTS: u32 = 4;
