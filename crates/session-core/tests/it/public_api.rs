//! What can be done with the public types, and what cannot.

use std::{fmt, fs, path::Path, time::Duration};

use serde::Serialize;
use session_core::{
    AccessToken, IssuedSession, NewSession, Payload, RefreshToken, Session, SessionError,
    SessionInformation, Sessions, SessionsBuilder, Tokens, VerifyOptions, config::EncryptionSecret,
    http::Exchange, store::KeyRecord,
};

use crate::node::{Node, refresh_token};

/// Fails to compile when the type implements the trait: then two implementations would fit.
macro_rules! lacks {
    ($type:ty: $($bound:tt)+) => {
        const _: () = {
            trait Lacks<Which> {
                const HOLDS: bool = true;
            }
            struct Implemented;
            impl<T: ?Sized> Lacks<()> for T {}
            impl<T: ?Sized + $($bound)+> Lacks<Implemented> for T {}
            assert!(<$type as Lacks<_>>::HOLDS);
        };
    };
}

macro_rules! is_secret {
    ($($type:ty),+ $(,)?) => {
        $(
            lacks!($type: fmt::Display);
            lacks!($type: PartialEq);
            lacks!($type: Serialize);
        )+
    };
}

// K7: a secret is not printed, not compared with `==` and not written down by accident.
is_secret!(
    AccessToken,
    RefreshToken,
    EncryptionSecret,
    Tokens,
    IssuedSession,
    Session,
    KeyRecord,
);

fn is_shared<T: Send + Sync + 'static>() {}

fn is_sent<T: Send>(value: T) -> T {
    value
}

/// Frameworks move all of these between threads.
#[tokio::test]
async fn everything_can_be_moved_between_threads() {
    is_shared::<Sessions>();
    is_shared::<Session>();
    is_shared::<IssuedSession>();
    is_shared::<SessionInformation>();
    is_shared::<NewSession>();
    is_shared::<Payload>();
    is_shared::<VerifyOptions>();
    is_shared::<SessionError>();
    is_shared::<Exchange>();
    is_shared::<SessionsBuilder>();
    let node = Node::new().await;
    let issued = is_sent(node.log_in("ann")).await;
    let token = refresh_token(&issued);
    let refreshed = is_sent(node.refresh(&token)).await.unwrap();
    let ended = is_sent(refreshed.session().revoked());
    is_sent(node.sessions.revoke(refreshed.session().handle()))
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(10), ended)
        .await
        .expect("it has ended");
}

/// The lines of our sources outside tests, with where they are.
fn source_lines() -> Vec<(String, String)> {
    fn visit(folder: &Path, lines: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if name != "tests" {
                    visit(&path, lines);
                }
            } else if name != "tests.rs" && name != "fixtures.rs" {
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap();
                for (index, line) in text.lines().enumerate() {
                    lines.push((format!("{name}:{}", index + 1), line.trim().to_owned()));
                }
            }
        }
    }
    let mut lines = Vec::new();
    visit(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut lines,
    );
    assert!(lines.len() > 5_000);
    lines
}

/// The names on both sides of a comparison.
fn compared(line: &str) -> Vec<String> {
    let is_part =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '(' | ')');
    let code = line.split("//").next().unwrap();
    let mut names = Vec::new();
    for operator in [" == ", " != "] {
        for (at, _) in code.match_indices(operator) {
            let left: String = code[..at]
                .chars()
                .rev()
                .take_while(|c| is_part(*c))
                .collect();
            names.push(left.chars().rev().collect());
            let right = code[at + operator.len()..].trim_start_matches(['&', '*']);
            names.push(right.chars().take_while(|c| is_part(*c)).collect());
        }
    }
    names
}

/// K3: nothing that an attacker could guess byte by byte is compared with `==`; the timing itself
/// is the crypto library's promise and is not measured here.
#[test]
fn secrets_are_compared_in_constant_time_only() {
    const SECRET: [&str; 9] = [
        "secret",
        "secret_hash",
        "hash()",
        "mac",
        "signature",
        "material",
        "expose()",
        "anti_csrf_token",
        "presented",
    ];
    assert_eq!(compared("if *a.mac == b.hash() {"), ["a.mac", "b.hash()"]);
    let lines = source_lines();
    for (place, line) in &lines {
        for name in compared(line) {
            let is_secret = SECRET
                .iter()
                .any(|secret| name == *secret || name.ends_with(&format!(".{secret}")));
            assert!(!is_secret, "{place} compares {name}: {line}");
        }
    }
    for place in [
        "refresh.rs",
        "access.rs",
        "refreshing.rs",
        "encryption_secret.rs",
    ] {
        let is_in_constant_time = lines
            .iter()
            .any(|(at, line)| at.starts_with(place) && line.contains("verify_slices_are_equal"));
        assert!(is_in_constant_time, "{place}");
    }
}

/// For applications' own tests: in memory, with a clock that is turned, one line per login.
#[cfg(feature = "testing")]
#[tokio::test]
async fn an_application_can_test_with_one_line_per_login() {
    use session_core::{testing::TestSessions, verify::PresentedAntiCsrf};

    let test = TestSessions::new().await.unwrap();
    let issued = test.log_in("ann").await.unwrap();
    assert!(matches!(
        test.log_in("").await,
        Err(SessionError::InvalidId(_))
    ));
    let options = VerifyOptions::new().check_database(true);
    let verify = async || {
        let access_token = issued.tokens().access_token().expose();
        let sessions = test.sessions();
        sessions
            .verify(access_token, PresentedAntiCsrf::NotChecked, &options)
            .await
    };
    assert_eq!(verify().await.unwrap().user_id().as_str(), "ann");
    test.advance(Duration::from_hours(1));
    assert!(matches!(
        verify().await,
        Err(SessionError::TryRefreshToken(_))
    ));
}
