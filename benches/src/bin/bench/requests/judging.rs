//! Whether a server answers rightly. It is asked before it is measured, as errors are soon made.

use std::process::Command;

use programs::process;

use super::server::Server;

/// Asks as the first and as the last of some users, who have these header lines, and with the line
/// of one who was never let in. A server without sessions answers everybody alike.
pub(crate) fn judge(server: &Server, lines: &str, has_sessions: bool) {
    let (first, last) = (lines.lines().next().unwrap(), lines.lines().last().unwrap());
    let answers = [first, last, &forged(first, last)].map(|line| answer(server, line));
    let expected = if has_sessions {
        let user = |number| format!(r#"{{"user":"user-{number:08}"}} 200"#);
        let last = lines.lines().count() - 1;
        [Some(user(0)), Some(user(last)), None]
    } else {
        [(); 3].map(|()| Some(r#"{"user":"nobody-000000"} 200"#.to_owned()))
    };
    for (answer, expected) in answers.iter().zip(expected) {
        let is_right = match expected {
            Some(expected) => *answer == expected,
            None => answer.ends_with(" 401"),
        };
        assert!(is_right, "{}: {answers:?}", server.address());
    }
}

/// The body and the status.
fn answer(server: &Server, line: &str) -> String {
    let mut curl = Command::new(programs::curl().unwrap());
    curl.args(["--silent", "--write-out", " %{http_code}", "--header", line]);
    curl.arg(format!("{}/session", server.address()));
    process::capture(&mut curl).unwrap()
}

/// A token with the signature of another, or a cookie with another letter in it.
fn forged(one: &str, other: &str) -> String {
    match (one.rsplit_once('.'), other.rsplit_once('.')) {
        (Some((signed, _)), Some((_, signature))) if one.starts_with("authorization") => {
            format!("{signed}.{signature}")
        }
        _ => {
            let mut letters: Vec<char> = one.chars().collect();
            let letter = letters.iter_mut().rev().nth(8).unwrap();
            *letter = if *letter == 'A' { 'B' } else { 'A' };
            letters.into_iter().collect()
        }
    }
}
