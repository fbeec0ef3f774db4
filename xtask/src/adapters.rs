//! An adapter moves bytes between its framework and `session_core::http` and decides nothing: no
//! status code, no header or cookie name, no match on an error.

use std::{collections::BTreeSet, path::Path};

use crate::sources;

/// The crates that are no adapters. Whatever else is published here is held to the rule, so that a
/// new adapter cannot be forgotten.
const OTHERS: &[&str] = &[
    "session-core",
    "session-sqlx",
    "session-redis",
    "session-testkit",
    "sessionctl",
];

const DECISIONS: &[&str] = &[
    "SessionError::",
    "sAccessToken",
    "sRefreshToken",
    "sIdRefreshToken",
    "\"front-token",
    "\"anti-csrf",
    "\"st-a",
    "\"st-r",
    "\"rid\"",
    "\"authorization",
    "\"Authorization",
    "\"set-cookie",
    "\"Set-Cookie",
    "\"cookie\"",
    "\"Cookie\"",
    "\"www-authenticate",
    "\"WWW-Authenticate",
    "\"cache-control",
    "\"Cache-Control",
    "\"retry-after",
    "\"Retry-After",
    "\"access-control-",
    "\"Access-Control-",
    "Status::new(",
];

/// Searches every adapter.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let mut offences = Vec::new();
    let mut adapters = BTreeSet::new();
    for source in sources::under(root, "crates")? {
        let mut parts = source
            .path
            .components()
            .skip(1)
            .map(std::path::Component::as_os_str);
        let Some(package) = parts.next().and_then(|name| name.to_str()) else {
            continue;
        };
        if OTHERS.contains(&package) || parts.next().is_none_or(|folder| folder != "src") {
            continue;
        }
        adapters.insert(package.to_owned());
        offences.extend(source.offences(offence));
    }
    println!(
        "adapters: {}",
        adapters.into_iter().collect::<Vec<_>>().join(", ")
    );
    if offences.is_empty() {
        Ok(())
    } else {
        Err(offences.join("\n"))
    }
}

fn offence(line: &str) -> Option<String> {
    let decision = DECISIONS
        .iter()
        .find(|decision| line.contains(*decision))
        .copied();
    // `StatusCode::OK` is a decision, `StatusCode::from_u16(…)` the conversion of one.
    let constants = ["StatusCode::", "Status::", "header::", "HeaderName::"];
    let constant = constants
        .iter()
        .find(|path| names_a_constant(line, path))
        .copied();
    decision
        .or(constant)
        .map(|what| format!("`{what}` belongs into session_core::http"))
}

fn names_a_constant(line: &str, path: &str) -> bool {
    line.split(path).skip(1).any(|rest| {
        let name: String = rest
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
            .collect();
        name.len() > 1 && name.chars().all(|letter| !letter.is_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_in_an_adapter_is_found() {
        for line in [
            "return StatusCode::UNAUTHORIZED.into_response();",
            "headers.append(header::SET_COOKIE, value);",
            "match error { SessionError::Unauthorised(_) => {} }",
            "request.headers().get(\"st-auth-mode\")",
        ] {
            assert!(offence(line).is_some(), "{line}");
        }
    }

    #[test]
    fn a_conversion_in_an_adapter_passes() {
        for line in [
            "let status = StatusCode::from_u16(response.status().as_u16());",
            "parts.headers.append(name, value);",
            "impl IntoResponse for SessionRejection {",
            "type Rejection = SessionRejection;",
        ] {
            assert!(offence(line).is_none(), "{line}");
        }
    }
}
