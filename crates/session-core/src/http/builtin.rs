//! Our own routes: refresh, sign-out, public keys and discovery (wire §5).

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL},
};
use serde_json::json;

use crate::{
    backend::Delivery,
    config::TokenTransfer,
    error::{ClientTokens, DuplicateCookies, SessionError},
    http::{
        Exchange,
        credentials::Credentials,
        effects::{ClearTokens, Login, OlderCookies},
        exchange::signature_only,
        refusal,
        routes::Route,
    },
};

/// Answers a request for one of our own routes.
pub(super) async fn handle(exchange: &Exchange) -> Option<Response<Bytes>> {
    let sessions = exchange.sessions();
    // What is hardly ever done takes no room in the future of every request.
    let outcome = match exchange.presented().route? {
        Route::Refresh => Box::pin(refresh(exchange)).await.map(|()| json!({})),
        Route::SignOut => {
            let signed_out = Box::pin(sign_out(exchange)).await;
            signed_out.map(|()| json!({ "status": "OK" }))
        }
        Route::Jwks => {
            let jwks = sessions.jwks();
            let mut response = document(&json!(jwks));
            let cache_control = format!("max-age={}, must-revalidate", jwks.max_age_s());
            if let Ok(value) = HeaderValue::try_from(cache_control) {
                response.headers_mut().insert(CACHE_CONTROL, value);
            }
            return Some(response);
        }
        Route::Discovery => return Some(document(&sessions.openid_configuration())),
    };
    Some(match outcome {
        Ok(body) => refusal::json(StatusCode::OK, &body),
        Err(error) => exchange.refuse(&error),
    })
}

/// A document that any website may read: it is the same for everybody.
fn document(body: &serde_json::Value) -> Response<Bytes> {
    let mut response = refusal::json(StatusCode::OK, body);
    response
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Exchanges the request's refresh token for the next tokens, in the order of wire §4.6.
async fn refresh(exchange: &Exchange) -> Result<(), SessionError> {
    let config = exchange.sessions().config();
    let credentials = exchange.presented().credentials()?;
    if config.token_transfer() != TokenTransfer::Header {
        resolve_duplicates(exchange, credentials)?;
    }
    let outcome = exchange_tokens(exchange, credentials).await;
    let knows_the_session = match &outcome {
        Ok(())
        | Err(
            SessionError::Unauthorised(ClientTokens::Clear)
            | SessionError::TokenTheftDetected { .. },
        ) => true,
        Err(_) => false,
    };
    if knows_the_session && credentials.cookies.legacy.is_present() {
        exchange.effects().clear_legacy_cookie();
    }
    outcome
}

/// A cookie that was sent twice: the one of the older domain has to go before a refresh can tell
/// which is the session's (wire §4.7, case 42).
fn resolve_duplicates(exchange: &Exchange, credentials: &Credentials) -> Result<(), SessionError> {
    let duplicates = OlderCookies {
        access: credentials.cookies.access.is_duplicated(),
        refresh: credentials.cookies.refresh.is_duplicated(),
    };
    if !duplicates.access && !duplicates.refresh {
        return Ok(());
    }
    if exchange
        .sessions()
        .config()
        .cookies()
        .older_domain()
        .is_none()
    {
        return Err(SessionError::DuplicateCookies(DuplicateCookies::Unresolved));
    }
    exchange.effects().clear_older_cookies(duplicates);
    Err(SessionError::DuplicateCookies(DuplicateCookies::Cleared))
}

async fn exchange_tokens(
    exchange: &Exchange,
    credentials: &Credentials,
) -> Result<(), SessionError> {
    let unauthorised = || SessionError::Unauthorised(ClientTokens::Clear);
    let sessions = exchange.sessions();
    let config = sessions.config();
    let (token, method) = credentials
        .refresh_token(config.token_transfer())
        .ok_or_else(unauthorised)?;
    let anti_csrf = exchange
        .presented()
        .anti_csrf(method, config.anti_csrf())
        .ok_or_else(unauthorised)?;
    let delivery = Delivery::by(method, config);
    let issued = sessions
        .refresh_presented(&token, anti_csrf, delivery)
        .await?;
    let login = Login::default();
    if credentials.has_refresh_token_besides(method) {
        let others = ClearTokens::besides(method);
        exchange.effects().clear(login, others)?;
    }
    exchange.attach(login, issued.tokens(), method)
}

/// Ends the request's session. Its claims do not matter (wire case 61), and one that has ended
/// already is no error (case 60).
async fn sign_out(exchange: &Exchange) -> Result<(), SessionError> {
    let session = exchange
        .judge(&signature_only())
        .await?
        .ok_or(SessionError::Unauthorised(ClientTokens::Keep))?;
    session.revoke().await?;
    Ok(())
}
