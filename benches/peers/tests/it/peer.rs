//! `peer`, on each framework.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::program::Program;

#[test]
fn axum_knows_its_users() {
    knows_its_users("axum");
}

#[test]
fn actix_knows_its_users() {
    knows_its_users("actix");
}

#[test]
fn rocket_knows_its_users() {
    knows_its_users("rocket");
}

#[test]
fn warp_knows_its_users() {
    knows_its_users("warp");
}

/// Bare, the route answers everybody alike. With sessions it answers each token with its user, and
/// refuses one that has the signature of another, and who has none.
fn knows_its_users(framework: &str) {
    let bare = Program::start(peer().args([framework, "bare"]));
    assert_eq!(bare.get("/session", &[]), answer("nobody-000000"));
    for check in ["stateless", "blacklist", "database"] {
        let folder = TempDir::new().unwrap();
        let peer = Program::start(&mut with_sessions(framework, check, folder.path()));
        let requests = fs::read_to_string(folder.path().join("requests")).unwrap();
        let [first, second] = *requests.lines().collect::<Vec<_>>() else {
            panic!("{requests}");
        };
        assert_eq!(peer.get("/session", &[first]), answer("user-00000000"));
        assert_eq!(peer.get("/session", &[second]), answer("user-00000001"));
        let (signed, _) = first.rsplit_once('.').unwrap();
        let (_, signature) = second.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{signature}");
        assert_eq!(peer.get("/session", &[&forged]).0, 401);
        assert_eq!(peer.get("/session", &[]).0, 401);
        // What the figures say of the tokens.
        let token = first.strip_prefix("authorization: Bearer ").unwrap();
        assert!((1_050..1_150).contains(&token.len()), "{}", token.len());
    }
}

fn with_sessions(framework: &str, check: &str, folder: &Path) -> Command {
    let store = match check {
        "database" => format!("sqlite://{}", folder.join("sessions.db").display()),
        _ => "memory".to_owned(),
    };
    let mut peer = peer();
    peer.args([framework, "session", "--check", check, "--store", &store]);
    peer.args(["--sessions", "2", "--folder"]).arg(folder);
    peer
}

fn peer() -> Command {
    Command::new(env!("CARGO_BIN_EXE_peer"))
}

fn answer(user: &str) -> (u16, String) {
    (200, format!(r#"{{"user":"{user}"}}"#))
}
