//! Why a token is refused. Nothing here repeats any part of the token.

/// Why a text cannot be a token of ours, whatever key it was made under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedToken {
    /// More bytes than a token of ours can have; nothing else was looked at (security J1).
    #[error("the token is too long")]
    TooLong,
    /// The parts are not there, or are not in the one base64 form that we write (RFC 4648 §3.5).
    #[error("the token is not encoded as ours are")]
    Encoding,
    /// A part is not a JSON object with distinct member names.
    #[error("the token's JSON is not acceptable")]
    Json,
    /// The named header parameter is missing, or not as we write it.
    #[error("the token's header parameter `{0}` is not acceptable")]
    Header(&'static str),
    /// The named claim is missing, or not as we write it.
    #[error("the token's claim `{0}` is not acceptable")]
    Claim(&'static str),
}

/// A refresh token that was not made under our keys. One value for every cause, so that nobody
/// learns from an answer how far a guess went (security F12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the refresh token was not issued here")]
pub(crate) struct ForgedToken;

/// Why an access token does not serve for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenRejection {
    /// Not a token of ours at all.
    #[error("the access token is malformed")]
    Malformed(#[from] MalformedToken),
    /// It names a key that we do not have, or no longer.
    #[error("the access token names an unknown key")]
    UnknownKey,
    /// It was not made under the key that it names.
    #[error("the access token's signature is wrong")]
    BadSignature,
    /// It was signed by a static key where dynamic ones are expected, or the reverse (wire case 13).
    #[error("the access token was signed by another kind of key")]
    WrongKeyKind,
    /// Another service issued it.
    #[error("the access token has another issuer")]
    WrongIssuer,
    /// Its time is over (wire case 14).
    #[error("the access token has expired")]
    Expired,
    /// It expires sooner than the route allows for.
    #[error("the access token expires too soon for this route")]
    ExpiresTooSoon,
    /// It was issued later than now, by more than clocks may differ (security B3).
    #[error("the access token was issued in the future")]
    IssuedInFuture,
    /// Its `nbf` claim is in the future.
    #[error("the access token is not valid yet")]
    NotYetValid,
    /// It would be valid for longer than we issue tokens for (security B4).
    #[error("the access token's lifetime is too long")]
    LifetimeTooLong,
    /// The request did not prove that a script of the website sent it.
    #[error("the anti-CSRF check failed")]
    AntiCsrf,
    /// The request has a cookie of an older protocol, which a refresh removes (wire case 43).
    #[error("the request has a cookie of an older protocol")]
    LegacyCookie,
    /// The request has several access token cookies, and no order among them can be relied on (wire
    /// case 41).
    #[error("the request has several access token cookies")]
    DuplicateCookie,
}
