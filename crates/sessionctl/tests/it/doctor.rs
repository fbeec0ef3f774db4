//! What is wrong, planted and found.

use std::{fs, os::unix::fs::PermissionsExt};

use databases::{Database, Server};
use serde_json::Value;

use crate::place::Place;

/// Each finding as its severity, its subject and its value.
fn said(verdict: &Value) -> Vec<String> {
    let findings = verdict["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let word = |name: &str| finding[name].as_str().unwrap_or("untold").to_owned();
            format!("{} {} {}", word("severity"), word("subject"), word("value"))
        })
        .collect()
}

/// H18: a file that others can read is found, in words and in JSON.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_others_can_read_is_found() {
    let place = Place::file();
    place.json(&["migrate"]).await;
    let sound = place.run(&["doctor"]).await;
    assert_eq!((sound.code, &*sound.text), (0, "nothing is wrong\n"));
    let Place::File(folder) = &place else {
        panic!("another place");
    };
    let file = folder.path().join("sessions.db");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let verdict = place.json(&["doctor"]).await;
    assert_eq!(said(&verdict), ["warning file permissions 644"]);
    let in_words = place.run(&["doctor"]).await.text;
    assert!(
        in_words.starts_with("warning  file permissions = 644: "),
        "{in_words}"
    );
}

/// Security §5.2: a server that lets go of what it acknowledged is a danger, which the exit code
/// says; one that relaxes what is not ours is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lets_go_is_found() {
    let place = Place::OnServer(Database::on(Server::MySql));
    place.json(&["migrate"]).await;
    let global = "innodb_flush_log_at_trx_commit";
    let Place::OnServer(database) = &place else {
        panic!("another place");
    };
    // The data is in memory: other tests notice nothing.
    database.run(&format!("SET GLOBAL {global} = 2")).await;
    let ran = place.run(&["doctor", "--json"]).await;
    database.run(&format!("SET GLOBAL {global} = 1")).await;
    let verdict: Value = serde_json::from_str(&ran.text).unwrap();
    assert_eq!(said(&verdict), [format!("danger {global} 2")]);
    assert_eq!(ran.code, 3);
    let healed = place.run(&["doctor"]).await;
    assert_eq!((healed.code, &*healed.text), (0, "nothing is wrong\n"));

    let place = Place::OnServer(Database::on(Server::Postgres));
    place.json(&["migrate"]).await;
    let Place::OnServer(database) = &place else {
        panic!("another place");
    };
    let url = database.url().await;
    let (_, name) = url.rsplit_once('/').unwrap();
    database
        .run(&format!(
            "ALTER DATABASE {name} SET synchronous_commit = off"
        ))
        .await;
    let verdict = place.json(&["doctor"]).await;
    assert_eq!(said(&verdict), ["notice synchronous_commit off"]);
}

/// K10: keys in the clear are found on each database, and the clocks are compared where there are
/// two.
#[tokio::test(flavor = "multi_thread")]
async fn keys_in_the_clear_are_found() {
    for place in Place::all() {
        place.with_one("ann").await.into_parts();
        let verdict = place.json(&["doctor"]).await;
        let said = said(&verdict);
        assert!(
            said.contains(&"warning keys in the clear 2 of 2".to_owned()),
            "{said:?}"
        );
        let has_clock = !matches!(place, Place::File(_));
        let offset = verdict["clock_offset_ms"].as_u64();
        assert_eq!(offset.is_some(), has_clock, "{verdict}");
        assert!(offset.is_none_or(|offset| offset < 60_000), "{verdict}");
    }
}
