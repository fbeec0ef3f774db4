//! What adapters answered during a case, in a form in which they can be compared.
//!
//! A transcript has a line per answer: the request's method and path, then status, every header by
//! name and in the order of its lines, and the body. What no two runs have in common is replaced:
//! dates, and whatever is long and drawn at random (tokens, handles, keys). The clock stands still,
//! so what the sessions say about time is compared as it is.
//!
//! What a framework answers by itself is its own affair: of its 400, 404 and 405 only the session's
//! part is compared, and what becomes of a panic not at all.
//!
//! ```no_run
//! use std::net::TcpListener;
//! use session_core::{Sessions, async_trait};
//! use session_testkit::http::{Adapter, Contender, ServerGuard};
//!
//! struct MyAdapter;
//! # struct MyOther;
//!
//! #[async_trait]
//! impl Adapter for MyAdapter {
//!     async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard {
//!         # let _ = (sessions, listener);
//!         ServerGuard::new(|| {})
//!     }
//! }
//! # #[async_trait]
//! # impl Adapter for MyOther {
//! #     async fn serve(&self, _: Sessions, _: TcpListener) -> ServerGuard {
//! #         ServerGuard::new(|| {})
//! #     }
//! # }
//!
//! fn contenders() -> Vec<Contender> {
//!     vec![
//!         Contender::new("mine", MyAdapter),
//!         Contender::new("other", MyOther).without_http2(),
//!     ]
//! }
//!
//! session_testkit::same_answers!(contenders());
//! ```

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use http::{HeaderName, HeaderValue, Method, header};
use session_core::token::FrontToken;

use super::{Adapter, TestApp, client::Answer, record};

/// The answers of one case, shared by its servers.
#[derive(Clone, Default)]
pub(crate) struct Transcript(Arc<Mutex<Vec<String>>>);

impl Transcript {
    /// Writes down an answer.
    pub(crate) fn add(&self, method: &Method, path: &str, answer: &Answer) {
        if let Some(line) = line(answer) {
            let path = masked(path);
            self.0
                .lock()
                .unwrap()
                .push(format!("{method} {path} {line}"));
        }
    }

    /// The lines in no order of time, for the requests of a case may race.
    fn lines(&self) -> Vec<String> {
        let mut lines = self.0.lock().unwrap().clone();
        lines.sort_unstable();
        lines
    }
}

/// An adapter that is compared with others.
pub struct Contender {
    name: &'static str,
    adapter: Arc<dyn Adapter>,
    http2: bool,
    other_bytes: bool,
}

impl Contender {
    /// An adapter and what to call it.
    pub fn new(name: &'static str, adapter: impl Adapter) -> Self {
        Self {
            name,
            adapter: Arc::new(adapter),
            http2: true,
            other_bytes: true,
        }
    }

    /// The same, but its framework does not speak HTTP/2: it is left out of those cases.
    #[must_use = "this returns the contender"]
    pub fn without_http2(self) -> Self {
        Self {
            http2: false,
            ..self
        }
    }

    /// The same, but its framework drops header lines that are not UTF-8 before anybody sees them. No
    /// adapter can tell the client what is wrong with a line that it never saw, so of the cases that
    /// send such lines only outlines are compared.
    #[must_use = "this returns the contender"]
    pub fn with_text_headers_alone(self) -> Self {
        Self {
            other_bytes: false,
            ..self
        }
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Runs a case, named `subject::case`, against every contender; fails when one answers anything
/// that the first does not.
pub fn compare(contenders: Vec<Contender>, name: &str, case: &impl AsyncFn(&TestApp)) {
    let over_http2 = name.starts_with("http2::");
    let mut transcripts = contenders
        .into_iter()
        .filter(|contender| contender.http2 || !over_http2)
        .map(|contender| {
            let mut lines = record(contender.adapter, case).lines();
            if CHANCE.contains(&name) {
                lines = outlines(&lines);
                lines.dedup();
            }
            let outlined = !contender.other_bytes && OTHER_BYTES.contains(&name);
            (contender.name, outlined, lines)
        });
    let (first, _, expected) = transcripts.next().expect("there is nobody to compare");
    assert!(
        !expected.is_empty() || WITHOUT_ANSWERS.contains(&name),
        "{name}: {first} answered nothing that can be compared"
    );
    for (other, outlined, lines) in transcripts {
        let (expected, lines) = if outlined {
            (outlines(&expected), outlines(&lines))
        } else {
            (expected.clone(), lines)
        };
        assert!(
            lines == expected,
            "{name}\n\nonly {first}:\n{}\n\nonly {other}:\n{}",
            missing(&expected, &lines),
            missing(&lines, &expected)
        );
    }
}

/// Cases that draw what they send, or whose answers depend on who wins a race: only which outlines
/// there are is compared, not how many.
const CHANCE: &[&str] = &[
    "forgeries::a_flipped_bit_is_refused",
    "payload::concurrent_merges_are_all_kept",
    "settings::expiry_is_spread_where_it_is_configured",
    "token_texts::a_token_of_another_shape_is_refused",
];

/// Cases that send header lines which are not UTF-8, and whose answers say something about them.
const OTHER_BYTES: &[&str] = &["cookies::a_bearer_token_has_one_form"];

/// Cases without an answer that could be compared: one sends bytes alone that a server may refuse by
/// itself, the other sends nothing.
const WITHOUT_ANSWERS: &[&str] = &[
    "limits::an_oversize_token_is_refused",
    "settings::contradictions_are_refused_at_the_start",
];

fn outlines(lines: &[String]) -> Vec<String> {
    let mut outlines: Vec<_> = lines.iter().map(|line| outline(line)).collect();
    outlines.sort_unstable();
    outlines
}

/// The request, the status and the names of the headers.
fn outline(line: &str) -> String {
    let head = line.split(BODY).next().unwrap_or_default();
    let names = head.split(HEADER).map(|header| header.split(':').next());
    names.flatten().collect::<Vec<_>>().join(HEADER)
}

const HEADER: &str = "\n    ";
const BODY: &str = "\n    => ";

/// The lines of `one` that `other` does not have, each as often as it lacks them.
fn missing(one: &[String], other: &[String]) -> String {
    let mut other = other.to_vec();
    let mut missing = one.to_vec();
    missing.retain(|line| match other.iter().position(|there| there == line) {
        Some(index) => {
            other.swap_remove(index);
            false
        }
        None => true,
    });
    missing.join("\n")
}

/// An answer without the request; `None` for what became of a panic.
fn line(answer: &Answer) -> Option<String> {
    let json = answer
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    let own = matches!(answer.status(), 400 | 404 | 405 | 500) && !json;
    if own && answer.status() == 500 {
        return None;
    }
    let mut headers: Vec<String> = answer
        .headers()
        .keys()
        .filter(|&name| !CONNECTION.contains(name))
        .filter(|&name| !own || SESSION.contains(&name.as_str()))
        .flat_map(|name| {
            let lines = answer.headers().get_all(name).iter();
            lines.map(move |value| format!("{HEADER}{name}: {}", header_value(name, value)))
        })
        .collect();
    headers.sort_by(|one, other| one.split(':').next().cmp(&other.split(':').next()));
    let headers = headers.concat();
    Some(if own {
        format!("is the framework's{headers}")
    } else {
        let body = masked(&answer.text());
        format!("{}{headers}{BODY}{body}", answer.status())
    })
}

/// What the session may say in an answer that is not its own.
const SESSION: [&str; 6] = [
    "set-cookie",
    "front-token",
    "st-access-token",
    "st-refresh-token",
    "anti-csrf",
    "www-authenticate",
];

/// Between the client and the server, whatever the application.
const CONNECTION: [HeaderName; 2] = [header::CONNECTION, header::SERVER];

fn header_value(name: &HeaderName, value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    match name.as_str() {
        "date" => "a date".to_owned(),
        "set-cookie" | "st-access-token" | "st-refresh-token" | "anti-csrf" => masked(&text),
        "front-token" if text != "remove" => {
            let token = FrontToken::parse(&text).expect("a front token that cannot be read");
            let expiry = token.access_expires_at_ms();
            masked(&format!(
                "{} {expiry} {:?}",
                token.user_id(),
                token.payload()
            ))
        }
        _ => text.into_owned(),
    }
}

/// The text with a mark for everything that was drawn at random.
fn masked(text: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) =
            rest.split_at(rest.find(|letter| !is_part(letter)).unwrap_or(rest.len()));
        let has_digit = word.contains(|letter: char| letter.is_ascii_digit());
        let random = word.len() >= CERTAINLY_RANDOM || word.len() >= RANDOM && has_digit;
        masked.push_str(if random { "*" } else { word });
        let (between, next) = after.split_at(after.find(is_part).unwrap_or(after.len()));
        masked.push_str(between);
        rest = next;
    }
    masked
}

/// From this length on, a word with a digit in it is taken for a random one.
const RANDOM: usize = 20;

/// From this length on, whatever is in it: one token in some thousands has no digit.
const CERTAINLY_RANDOM: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_random_is_masked() {
        for (text, expected) in [
            ("", ""),
            (
                r#"{"message":"unauthorised"}"#,
                r#"{"message":"unauthorised"}"#,
            ),
            (
                r#"{"handle":"0b3f8b2e-4c1d-4f6a-9b1e-2f3c4d5e6f70"}"#,
                r#"{"handle":"*"}"#,
            ),
            (
                "sAccessToken=eyJhbGciOiJSUzI1NiIs.e30.c2ln; Path=/",
                "sAccessToken=*.e30.c2ln; Path=/",
            ),
            ("claimValidationErrors", "claimValidationErrors"),
            (
                "Expires=Tue, 14 Nov 2023 22:13:20 GMT",
                "Expires=Tue, 14 Nov 2023 22:13:20 GMT",
            ),
            ("süß 12345678901234567890", "süß *"),
            (
                "anti-csrf: DQoeAvOnZdxgY_tEpxUiGyMfTDablSVrfHxjiaVhf-w",
                "anti-csrf: *",
            ),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn an_outline_has_names_alone() {
        let line = "GET /a 200\n    date: a date\n    set-cookie: a=b\n    => {\"a\":1}\n    x: y";
        assert_eq!(outline(line), "GET /a 200\n    date\n    set-cookie");
    }

    #[test]
    fn what_one_lacks_is_told_as_often_as_it_lacks_it() {
        let lines = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        assert_eq!(missing(&lines("aab"), &lines("abc")), "a");
        assert_eq!(missing(&lines("abc"), &lines("aab")), "c");
    }
}
