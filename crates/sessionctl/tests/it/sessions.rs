//! Listing, showing, ending and purging.

use std::time::Duration;

use databases::{Database, Server};
use serde_json::{Value, json};
use session_core::{
    IssuedSession, VerifyOptions, clock::SystemClock, store::SessionScope,
    verify::PresentedAntiCsrf,
};

use crate::place::{HOUR, Place, in_tenant, new};

fn handle(issued: &IssuedSession) -> &str {
    issued.session().handle().as_str()
}

fn handles(listed: &Value) -> Vec<&str> {
    let sessions = listed.as_array().unwrap().iter();
    sessions
        .map(|one| one["handle"].as_str().unwrap())
        .collect()
}

/// G1, G8: what is ended by handle, by user and by tenant is ended, and nothing else is, on each
/// database; a service that asks its database refuses it.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_shown_and_ended() {
    for place in Place::all() {
        let sessions = place
            .sessions(Duration::ZERO, |b| b.clock(SystemClock))
            .await;
        let create = async |new| sessions.create(new).await.unwrap();
        let (one, two) = (create(new("ann")).await, create(new("ann")).await);
        let three = create(in_tenant("ann", "t1")).await;
        let four = create(in_tenant("bob", "t1")).await;
        let other = create(new("bob")).await;

        let listed = place.json(&["list", "--user", "ann"]).await;
        let mut expected = [&one, &two, &three].map(handle);
        expected.sort_unstable();
        let mut found = handles(&listed);
        found.sort_unstable();
        assert_eq!(found, expected);
        let listed = place
            .json(&["list", "--user", "ann", "--tenant", "t1"])
            .await;
        assert_eq!(handles(&listed), [handle(&three)]);
        let listed = place
            .json(&["list", "--tenant", "t1", "--limit", "1"])
            .await;
        assert_eq!(handles(&listed).len(), 1);

        let shown = place.json(&["show", handle(&four)]).await;
        assert_eq!(shown["user"], "bob");
        assert_eq!(shown["tenant"], "t1");
        assert_eq!(shown["absolute_expiry"], Value::Null);

        let database = VerifyOptions::new().check_database(true);
        for (arguments, ended) in [
            (vec!["revoke", handle(&one), "nobody"], vec![&one]),
            (
                vec!["revoke", "--user", "ann", "--tenant", "t1"],
                vec![&three],
            ),
            (vec!["revoke", "--user", "ann"], vec![&two]),
            (vec!["revoke", "--tenant", "t1", "--yes"], vec![&four]),
        ] {
            let ended_handles: Vec<&str> = ended.iter().map(|issued| handle(issued)).collect();
            let said = place.json(&arguments).await;
            assert_eq!(said, json!({ "revoked": ended_handles }));
            for issued in ended {
                let token = issued.tokens().access_token().expose();
                let verified = sessions.verify(token, PresentedAntiCsrf::NotChecked, &database);
                assert!(verified.await.is_err());
                let gone = place.run(&["show", handle(issued)]).await;
                assert_eq!((gone.code, &*gone.text), (1, ""));
            }
        }
        let token = other.tokens().access_token().expose();
        let verified = sessions.verify(token, PresentedAntiCsrf::NotChecked, &database);
        assert!(verified.await.is_ok());
        sessions.shutdown().await;
    }
}

/// K2: ids that a terminal would obey are shown as what they are, in tables, in JSON and in errors.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_told_nothing_by_an_id() {
    let place = Place::file();
    let user = "ann\u{1b}[2J\r\nroot\u{9b}\u{202e}";
    let issued = place.with_one(user).await;
    for arguments in [
        vec!["list", "--user", user],
        vec!["list", "--user", user, "--json"],
        vec!["show", handle(&issued)],
        vec!["revoke", "--tenant", "t\u{1b}[31m"],
    ] {
        let ran = place.run(&arguments).await;
        for character in ran.text.chars().chain(ran.errors.chars()) {
            let is_obeyed = character.is_control() && character != '\n' || character == '\u{202e}';
            assert!(!is_obeyed, "{arguments:?}: {ran:?}");
        }
    }
    let listed = place.json(&["list", "--user", user]).await;
    assert_eq!(listed[0]["user"], user);
    let table = place.run(&["list", "--user", user]).await.text;
    assert_eq!(table.lines().count(), 2);
    assert!(
        table.contains(r"ann\u{1b}[2J\u{d}\u{a}root\u{9b}\u{202e}"),
        "{table}"
    );
}

/// K1: claims and data are shown when they are asked for, and tokens and what is in keys never.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_asked_for_is_not_shown() {
    let place = Place::file();
    let sessions = place.sessions(HOUR, |builder| builder).await;
    let new = new("ann")
        .claim_value("plan", json!("canary-claim"))
        .data_value("device", json!("canary-data"));
    let issued = sessions.create(new).await.unwrap();
    sessions.shutdown().await;
    let shown = place.run(&["show", handle(&issued)]).await.text;
    let listed = place.run(&["list", "--user", "ann", "--json"]).await.text;
    assert!(!(shown + &listed).contains("canary"));
    let shown = place.json(&["show", handle(&issued), "--payload"]).await;
    assert_eq!(shown["payload"]["plan"], "canary-claim");
    assert_eq!(shown["data"]["device"], "canary-data");
    for arguments in [vec!["show", handle(&issued), "--payload"], vec!["keys"]] {
        let ran = place.run(&arguments).await;
        let said = ran.text + &ran.errors;
        let refresh_token = issued.tokens().refresh_token().unwrap().expose();
        assert!(!said.contains(refresh_token), "{said}");
        assert!(
            !said.contains(issued.tokens().access_token().expose()),
            "{said}"
        );
    }
}

/// What cannot be taken back for everybody in a tenant is asked for twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_signed_out_by_consent_alone() {
    let place = Place::file();
    let issued = place.with_one("ann").await;
    let tenant = issued.session().tenant_id().as_str();
    let refused = place.run(&["revoke", "--tenant", tenant]).await;
    assert_eq!((refused.code, &*refused.text), (2, ""));
    assert!(refused.errors.contains("--yes"), "{}", refused.errors);
    assert_eq!(place.run(&["show", handle(&issued)]).await.code, 0);
    let agreed = place.json(&["revoke", "--tenant", tenant, "--yes"]).await;
    assert_eq!(agreed["revoked"].as_array().unwrap().len(), 1);
}

/// A list that was cut says so, where a pipe does not see it.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_cut_says_so() {
    let place = Place::file();
    let sessions = place.sessions(HOUR, |builder| builder).await;
    for _ in 0..3 {
        drop(sessions.create(new("ann")).await.unwrap());
    }
    sessions.shutdown().await;
    for (limit, lines, is_cut) in [("2", 3, true), ("3", 4, false)] {
        let ran = place
            .run(&["list", "--user", "ann", "--limit", limit])
            .await;
        assert_eq!(ran.text.lines().count(), lines);
        assert_eq!(ran.errors.contains("--limit"), is_cut, "{}", ran.errors);
    }
}

/// H16: what has expired is deleted, and what lives stays, on each database.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_purged() {
    for place in Place::all() {
        // First, as a service deletes what has expired when it starts.
        let living = place.with_one("bob").await;
        let long_ago = place.sessions(24 * 200 * HOUR, |builder| builder).await;
        for _ in 0..2 {
            drop(long_ago.create(new("ann")).await.unwrap());
        }
        let revoked = long_ago.create(new("eve")).await.unwrap();
        assert!(long_ago.revoke(revoked.session().handle()).await.unwrap());
        long_ago.shutdown().await;
        let purged = place.json(&["purge"]).await;
        assert_eq!(purged, json!({ "sessions": 2, "revocations": 1 }));
        let again = place.json(&["purge"]).await;
        assert_eq!(again, json!({ "sessions": 0, "revocations": 0 }));
        assert_eq!(place.run(&["show", handle(&living)]).await.code, 0);
    }
}

/// G8: more handles than one call of the store takes are ended in several.
#[tokio::test(flavor = "multi_thread")]
async fn many_handles_are_ended_in_one_run() {
    let place = Place::file();
    let issued = place.with_one("ann").await;
    let mut arguments = vec!["revoke".to_owned()];
    arguments.extend((0..SessionScope::MAX_HANDLES).map(|number| format!("h-{number}")));
    arguments.push(handle(&issued).to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = place.json(&arguments).await;
    assert_eq!(said, json!({ "revoked": [handle(&issued)] }));
}

/// G8: what was ended before a database failed half-way is printed, and the failure is one.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_ended_before_a_failure_is_printed() {
    let database = Database::on(Server::Postgres);
    let place = Place::OnServer(database);
    let (first, last) = (place.with_one("ann").await, place.with_one("bob").await);
    if let Place::OnServer(database) = &place {
        database.run(&refusing_to_end(handle(&last))).await;
    }
    let mut arguments = vec!["revoke".to_owned(), handle(&first).to_owned()];
    arguments.extend((1..SessionScope::MAX_HANDLES).map(|number| format!("h-{number}")));
    arguments.push(handle(&last).to_owned());
    arguments.push("--json".to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = place.run(&arguments).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let said: Value = serde_json::from_str(&ran.text).unwrap();
    assert_eq!(said, json!({ "revoked": [handle(&first)] }));
    assert!(ran.errors.contains("not confirmed"), "{}", ran.errors);
    assert_eq!(place.run(&["show", handle(&last)]).await.code, 0);
}

/// SQL after which a database fails whenever this session is to be ended.
fn refusing_to_end(handle: &str) -> String {
    format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
           'BEGIN RAISE EXCEPTION ''refused''; END';
         CREATE TRIGGER refuse BEFORE DELETE ON session_sessions FOR EACH ROW \
           WHEN (OLD.handle = '{handle}') EXECUTE FUNCTION refuse();"
    )
}
