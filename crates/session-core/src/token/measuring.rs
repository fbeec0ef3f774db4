//! What the package `bench` measures. No part of the API: it may change or go in any release.

use super::{
    AccessToken,
    access::{self, AccessClaims},
};
use crate::{
    ids::{SessionHandle, TenantId, UserId},
    keys::SigningKey,
    payload::Payload,
    store::KeyRecord,
};

/// Makes access tokens of one session, one like the other, without what a login does besides.
#[derive(Debug)]
pub struct Minting {
    key: SigningKey,
    user: UserId,
    tenant: TenantId,
    handle: SessionHandle,
    payload: Payload,
    refresh_token_hash: String,
    issued_at_s: i64,
}

impl Minting {
    /// Tokens with these claims, signed with the key of a record; `None` when it is no key that
    /// signs.
    pub fn new(
        record: &KeyRecord,
        user: UserId,
        handle: SessionHandle,
        payload: Payload,
        issued_at_s: i64,
    ) -> Option<Self> {
        Some(Self {
            key: SigningKey::from_record(record).ok()?,
            user,
            tenant: TenantId::default(),
            handle,
            payload,
            refresh_token_hash: "0".repeat(64),
            issued_at_s,
        })
    }

    /// Makes a token; `None` when it would be too long.
    pub fn mint(&self, issuer: &str) -> Option<AccessToken> {
        let claims = AccessClaims {
            user: &self.user,
            tenant: &self.tenant,
            handle: &self.handle,
            issuer,
            issued_at_s: self.issued_at_s,
            expires_at_s: self.issued_at_s.saturating_add(3_600),
            refresh_token_hash: &self.refresh_token_hash,
            anti_csrf_token: None,
        };
        let minted = access::mint(&self.key, &claims, &self.payload).ok()?;
        Some(minted.token().clone())
    }
}
