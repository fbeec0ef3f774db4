//! Mistakes in the command line, and what must not be on it.

use std::fs;

use tempfile::TempDir;

use crate::place::{Place, ran, tool};

/// Security §4: a password in the arguments is refused, before anything is opened, and not repeated.
#[test]
fn a_password_in_the_arguments_is_refused() {
    for address in [
        "postgres://ann:canary-7f@127.0.0.1:1/sessions",
        "mysql://127.0.0.1:1/sessions?password=canary-7f",
        "redis://:canary-7f@127.0.0.1:1/0",
    ] {
        let ran = ran(&mut tool(&["keys", "--database", address]));
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(
            ran.errors.contains("SESSION_DATABASE_URL"),
            "{}",
            ran.errors
        );
        assert!(!ran.errors.contains("canary"), "{}", ran.errors);
    }
}

/// Security §4: an address with a password is read from a file, and no error repeats it.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_read_from_a_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("address");
    let named = format!("--database-file={}", file.display());
    let place = Place::file();
    place.json(&["migrate"]).await;
    fs::write(&file, place.url().await + "\n").unwrap();
    assert_eq!(ran(&mut tool(&["keys", &named])).code, 0);
    for address in [
        "postgres://ann:canary-7f@127.0.0.1:1/sessions",
        "mysql://ann:canary-7f@127.0.0.1:1/sessions",
        "redis://:canary-7f@127.0.0.1:1/0",
        "oracle://ann:canary-7f@127.0.0.1:1/sessions",
    ] {
        fs::write(&file, address).unwrap();
        let ran = ran(&mut tool(&["keys", &named, "--timeout", "1"]));
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(!ran.errors.contains("canary"), "{}", ran.errors);
    }
    fs::remove_file(&file).unwrap();
    let missing = ran(&mut tool(&["keys", &named]));
    assert_eq!(missing.code, 1);
    assert!(missing.errors.contains("address"), "{}", missing.errors);
}

/// A mistake is told from a failure by its code, and says what is missing.
#[test]
fn a_mistake_has_its_own_code() {
    let database = ["--database", "sqlite://nowhere/sessions.db"];
    for (arguments, hint) in [
        (vec!["keys"], "SESSION_DATABASE_URL"),
        (vec!["list"], "--user"),
        (vec!["revoke"], "--user"),
        (
            vec!["revoke", "one", "--user", "ann"],
            "cannot be used with",
        ),
        (vec!["show", ""], "must not be empty"),
        (vec!["migrate", "--after", "1"], "--print"),
        (vec!["destroy"], "destroy"),
        (vec!["keys", "--timeout", "61"], "1..=60"),
        (vec!["keys", "--encryption-secret", "name"], "NAME=FILE"),
        (
            vec!["revoke", "one", "--access-token-lifetime", "59"],
            "60 to 2592000",
        ),
        (vec!["keys", "rotate", "--bits", "1024"], "2048, 3072"),
    ] {
        let mut command = tool(&arguments);
        if hint != "SESSION_DATABASE_URL" {
            command.args(database);
        }
        let ran = ran(&mut command);
        assert_eq!((ran.code, &*ran.text), (2, ""), "{arguments:?}");
        assert!(ran.errors.contains(hint), "{arguments:?}: {}", ran.errors);
    }
}

/// A secret that is none is a failure that names it and does not show it.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_used_is_not_shown() {
    let place = Place::file();
    place.json(&["migrate"]).await;
    for (secrets, code) in [
        ("2026=canary-short", 1),
        ("2026=base64:canary!", 2),
        ("canary-without-a-name", 2),
    ] {
        let mut command = place.tool(&["keys"]).await;
        let ran = ran(command.env("SESSION_ENCRYPTION_SECRETS", secrets));
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(!ran.errors.contains("canary"), "{}", ran.errors);
    }
}
