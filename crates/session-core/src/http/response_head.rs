//! Writing what was collected into the head of a response: cookies, headers, and what tells caches
//! and browsers about them (wire §4.2, §4.4).

use std::time::SystemTime;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, SET_COOKIE},
};

use crate::{
    clock::from_unix_ms,
    config::{AccessTokenExposure, SessionConfig, defaults::LEGACY_COOKIE_NAME},
    http::{
        effects::{Change, Front, Pending},
        names::{ANTI_CSRF, FRONT_TOKEN, ST_ACCESS_TOKEN, ST_REFRESH_TOKEN},
        set_cookie::{self, LONG_AGO, SetCookie},
    },
};

/// Writes `pending` into `headers`, as of `now`.
///
/// Nothing is touched when there is nothing to write. Otherwise the response must not be stored
/// (security E19), whatever the application said about caching it.
pub(super) fn write(
    pending: &Pending,
    config: &SessionConfig,
    now: SystemTime,
    headers: &mut HeaderMap,
) {
    let cookies = set_cookies(pending, config, now);
    let tokens = token_headers(pending, config);
    if cookies.is_empty() && tokens.is_empty() {
        return;
    }
    for cookie in cookies {
        replace_cookie(headers, cookie);
    }
    expose(headers, tokens.iter().map(|(name, _)| name));
    for (name, value) in tokens {
        headers.insert(name, value);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

fn set_cookies(pending: &Pending, config: &SessionConfig, now: SystemTime) -> Vec<HeaderValue> {
    let cookies = config.cookies();
    let cookie = |name, path, value, expires, domain| {
        SetCookie {
            name,
            value,
            domain,
            path,
            expires,
            secure: cookies.is_secure(),
            same_site: cookies.same_site().as_str(),
        }
        .to_header_value()
    };
    let access = |value, expires, domain| {
        cookie(
            cookies.access_name(),
            cookies.access_path(),
            value,
            expires,
            domain,
        )
    };
    let refresh = |value, expires, domain| {
        cookie(
            cookies.refresh_name(),
            cookies.refresh_path(),
            value,
            expires,
            domain,
        )
    };
    let domain = cookies.domain();
    let mut written = Vec::new();
    match &pending.cookies {
        Some(Change::Clear) => {
            written.push(access("", LONG_AGO, domain));
            written.push(refresh("", LONG_AGO, domain));
        }
        Some(Change::Set {
            access: access_token,
            refresh: refresh_token,
        }) => {
            let expires = now.checked_add(cookies.access_max_age()).unwrap_or(now);
            written.push(access(access_token.expose(), expires, domain));
            if let Some((token, expires_at_ms)) = refresh_token {
                written.push(refresh(
                    token.expose(),
                    from_unix_ms(*expires_at_ms),
                    domain,
                ));
            }
        }
        None => {
            let older_domain = cookies.older_domain();
            if pending.older.access {
                written.push(access("", LONG_AGO, older_domain));
            }
            if pending.older.refresh {
                written.push(refresh("", LONG_AGO, older_domain));
            }
        }
    }
    if pending.legacy {
        written.push(cookie(
            LEGACY_COOKIE_NAME,
            cookies.access_path(),
            "",
            LONG_AGO,
            domain,
        ));
    }
    written.into_iter().flatten().collect()
}

/// The token headers in the order in which the wire contract exposes them.
fn token_headers(pending: &Pending, config: &SessionConfig) -> Vec<(HeaderName, HeaderValue)> {
    let empty = || Some(HeaderValue::from_static(""));
    let (mut access, refresh) = match &pending.headers {
        Some(Change::Clear) => (empty(), empty()),
        Some(Change::Set { access, refresh }) => (
            sensitive(access.expose()),
            refresh
                .as_ref()
                .and_then(|(token, _)| sensitive(token.expose())),
        ),
        None => (None, None),
    };
    if let Some(Change::Set { access: token, .. }) = &pending.cookies
        && config.access_token_exposure() == AccessTokenExposure::CookieAndHeader
    {
        access = sensitive(token.expose());
    }
    let front_token = pending.front_token.as_ref().and_then(|front| match front {
        Front::Remove => Some(HeaderValue::from_static("remove")),
        Front::Token(token) => HeaderValue::try_from(token).ok(),
    });
    let anti_csrf = pending.anti_csrf.as_deref().and_then(sensitive);
    [
        (FRONT_TOKEN, front_token),
        (ST_ACCESS_TOKEN, access),
        (ST_REFRESH_TOKEN, refresh),
        (ANTI_CSRF, anti_csrf),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// A value that no `Debug` prints and HTTP/2 does not index.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Adds a `Set-Cookie` in place of any of the same name (REQ-31).
fn replace_cookie(headers: &mut HeaderMap, cookie: HeaderValue) {
    let name = set_cookie::name_of(&cookie).to_vec();
    if let http::header::Entry::Occupied(entry) = headers.entry(SET_COOKIE) {
        let (key, others) = entry.remove_entry_mult();
        let others: Vec<HeaderValue> = others
            .filter(|other| set_cookie::name_of(other) != name)
            .collect();
        for other in others {
            headers.append(key.clone(), other);
        }
    }
    headers.append(SET_COOKIE, cookie);
}

/// Adds `names` to the headers that a cross-origin script may read, keeping what is there (wire
/// §4.4). Names are compared as tokens and without case.
///
/// With credentials a browser takes `*` for the name of a header, so `*` covers nothing of ours.
fn expose<'a>(headers: &mut HeaderMap, names: impl Iterator<Item = &'a HeaderName>) {
    let mut lines: Vec<HeaderValue> = headers
        .get_all(ACCESS_CONTROL_EXPOSE_HEADERS)
        .iter()
        .cloned()
        .collect();
    let missing: Vec<&str> = names
        .map(HeaderName::as_str)
        .filter(|name| {
            let mut tokens = lines
                .iter()
                .flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
            !tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
        })
        .collect();
    let missing = missing.join(", ");
    if missing.is_empty() {
        return;
    }
    lines.retain(|line| !line.is_empty());
    // One line stays one, for clients that read only the first.
    let line = match lines.as_slice() {
        [only] => [only.as_bytes(), b", ", missing.as_bytes()].concat(),
        _ => missing.into_bytes(),
    };
    if lines.len() == 1 {
        lines.clear();
    }
    lines.extend(HeaderValue::from_bytes(&line));
    headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
    for line in lines {
        headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, line);
    }
}
