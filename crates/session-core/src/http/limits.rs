//! What a transport can carry: tokens that are too large are an error here, not a cookie that a
//! browser drops without a word (security E12).

use crate::{
    config::SessionConfig,
    error::SessionError,
    http::{
        TransferMethod,
        set_cookie::{MAX_COOKIE_SIZE, SetCookie},
    },
    issued::Tokens,
    payload::InvalidPayload,
};

/// Refuses tokens that `method` cannot carry to the client.
///
/// # Errors
///
/// [`SessionError::InvalidPayload`]: the payload is what makes tokens large.
pub(crate) fn ensure_fits(
    config: &SessionConfig,
    tokens: &Tokens,
    method: TransferMethod,
) -> Result<(), SessionError> {
    let cookies_fit = || {
        let fits = |name: &str, value: &str| SetCookie::size(name, value) <= MAX_COOKIE_SIZE;
        let cookies = config.cookies();
        fits(cookies.access_name(), tokens.access_token().expose())
            && tokens
                .refresh_token()
                .is_none_or(|token| fits(cookies.refresh_name(), token.expose()))
    };
    let fits = tokens.front_token().len() <= MAX_HEADER_VALUE
        && match method {
            TransferMethod::Cookie => cookies_fit(),
            TransferMethod::Header => tokens.access_token().expose().len() <= MAX_HEADER_VALUE,
        };
    if fits {
        Ok(())
    } else {
        Err(SessionError::InvalidPayload(InvalidPayload::TokenTooLong))
    }
}

/// Refuses tokens that some way to the client, not known yet, could not carry: any that the
/// configuration allows.
///
/// # Errors
///
/// As [`ensure_fits`].
pub(crate) fn ensure_fits_any(config: &SessionConfig, tokens: &Tokens) -> Result<(), SessionError> {
    TransferMethod::allowed_by(config.token_transfer())
        .iter()
        .try_for_each(|&method| ensure_fits(config, tokens, method))
}

/// The most bytes of a header value that servers, proxies and clients agree to pass on.
const MAX_HEADER_VALUE: usize = 8 * 1024;
