//! Listing and changing keys.

use std::{fs, process::Stdio};

use serde_json::Value;
use session_core::config::RsaKeySize;
use tempfile::TempDir;

use crate::place::{HOUR, Place, Ran, new, ran};

fn of_purpose<'k>(keys: &'k Value, purpose: &str) -> Vec<(&'k str, &'k str)> {
    let keys = keys.as_array().unwrap().iter();
    keys.filter(|key| key["purpose"] == purpose)
        .map(|key| (key["id"].as_str().unwrap(), key["state"].as_str().unwrap()))
        .collect()
}

/// D7: several processes that rotate at the same moment make one key, on each database, and so do
/// those that come right after.
#[tokio::test(flavor = "multi_thread")]
async fn several_processes_that_rotate_make_one_key() {
    for place in Place::all() {
        place.with_one("ann").await.into_parts();
        for (action, purpose) in [("rotate", "access-dynamic"), ("rotate-refresh", "refresh")] {
            let before = place.json(&["keys"]).await;
            let old = of_purpose(&before, purpose);
            assert_eq!(old.len(), 1);
            assert_eq!(old[0].1, "in-use");
            let mut running = Vec::new();
            for _ in 0..6 {
                let mut command = place.tool(&["keys", action, "--json"]).await;
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                running.push(command.spawn().unwrap());
            }
            let mut said: Vec<Value> = Vec::new();
            for process in running {
                let ran = Ran::of(process.wait_with_output().unwrap());
                assert_eq!(ran.code, 0, "{}", ran.errors);
                said.push(serde_json::from_str(&ran.text).unwrap());
            }
            said.push(place.json(&["keys", action]).await);
            assert_eq!(said.iter().filter(|said| said["made"] == true).count(), 1);
            let after = place.json(&["keys", "list"]).await;
            let keys = of_purpose(&after, purpose);
            assert_eq!(keys.len(), 2, "{after}");
            assert_eq!(keys[0].1, "upcoming");
            assert_eq!(keys[1], old[0]);
            assert!(said.iter().all(|said| said["key"] == keys[0].0));
        }
    }
}

/// D4: a removed key is gone, on each database; one that ends sessions is removed by consent alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_leaked_is_removed() {
    for place in Place::all() {
        place.with_one("ann").await.into_parts();
        let keys = place.json(&["keys"]).await;
        let id = |purpose: &str| of_purpose(&keys, purpose)[0].0;
        place.json(&["keys", "remove", id("access-dynamic")]).await;
        let refused = place.run(&["keys", "remove", id("refresh")]).await;
        assert_eq!(refused.code, 2);
        assert!(refused.errors.contains("--yes"), "{}", refused.errors);
        let left = place.json(&["keys"]).await;
        assert_eq!(left.as_array().unwrap().len(), 1);
        place
            .json(&["keys", "remove", id("refresh"), "--yes"])
            .await;
        let unknown = place.run(&["keys", "remove", id("refresh"), "--yes"]).await;
        assert_eq!((unknown.code, &*unknown.text), (1, ""));
        assert_eq!(place.json(&["keys"]).await.as_array().unwrap().len(), 0);
    }
}

/// K10: keys are encrypted under a new secret, from files and from the environment, on each database,
/// and a service that has it alone starts.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_encrypted_under_a_new_secret() {
    let folder = TempDir::new().unwrap();
    let files = [("2026", [2; 32]), ("2027", [3; 32])].map(|(name, bytes)| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        format!("--encryption-secret={name}={}", file.display())
    });
    let [second, third] = &files;
    let first = "2025=11111111111111111111111111111111";
    for place in Place::all() {
        place.with_one("ann").await.into_parts();
        let unprepared = place.run(&["keys", "re-encrypt"]).await;
        assert_eq!(unprepared.code, 1);
        assert!(
            unprepared.errors.contains("no at-rest secret"),
            "{}",
            unprepared.errors
        );
        let mut command = place.tool(&["keys", "re-encrypt"]).await;
        command.env("SESSION_ENCRYPTION_SECRETS", first);
        assert_eq!(ran(&mut command).code, 0);
        let wrong = place.run(&["keys", "re-encrypt", third]).await;
        assert_eq!(wrong.code, 1);
        let encoded = folder.path().join("encoded");
        fs::write(
            &encoded,
            "base64:MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=\n",
        )
        .unwrap();
        let older = format!("--encryption-secret=2025={}", encoded.display());
        let said = place.json(&["keys", "re-encrypt", second, &older]).await;
        assert_eq!(said["encrypted"], 2);
        let said = place.json(&["keys", "re-encrypt", second, &older]).await;
        assert_eq!(said["encrypted"], 0);
        for key in place
            .json(&["keys", "list", second])
            .await
            .as_array()
            .unwrap()
        {
            assert_eq!(key["sealed_under"], "2026");
            assert_eq!(key["state"], "in-use");
        }
        let sessions = place
            .sessions(HOUR, |builder| {
                builder.config(|config| config.encryption_secret("2026", [2; 32]))
            })
            .await;
        drop(sessions.create(new("ann")).await.unwrap());
        sessions.shutdown().await;
    }
}

/// K10: without the secret of the other keys none is made, as it would be stored in the clear.
#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_made_without_the_secret() {
    let place = Place::file();
    let sessions = place
        .sessions(HOUR, |builder| {
            builder.config(|config| config.encryption_secret("2026", [2; 32]))
        })
        .await;
    sessions.shutdown().await;
    for action in ["rotate", "rotate-refresh"] {
        let refused = place.run(&["keys", action]).await;
        assert_eq!(refused.code, 1);
        let keys = place.json(&["keys"]).await;
        let keys = keys.as_array().unwrap();
        assert_eq!(keys.len(), 2);
        for key in keys {
            assert_eq!(key["state"], "unreadable");
        }
        assert!(
            refused.errors.contains("at-rest secret"),
            "{}",
            refused.errors
        );
    }
}

/// A18: a new key is as large as the services' own, without anybody saying so; where there is none
/// to go by, somebody has to.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_as_large_as_the_one_before() {
    let place = Place::file();
    let sessions = place
        .sessions(HOUR, |builder| {
            builder.config(|config| config.rsa_key_size(RsaKeySize::Bits3072))
        })
        .await;
    sessions.shutdown().await;
    let said = place.json(&["keys", "rotate"]).await;
    assert_eq!(said["made"], true);
    let keys = place.json(&["keys"]).await;
    assert_eq!(sizes(&keys), [3072, 3072]);

    for (id, _) in of_purpose(&keys, "access-dynamic") {
        place.json(&["keys", "remove", id]).await;
    }
    let refused = place.run(&["keys", "rotate"]).await;
    assert_eq!((refused.code, &*refused.text), (1, ""));
    assert!(refused.errors.contains("--bits"), "{}", refused.errors);
    place.json(&["keys", "rotate", "--bits", "4096"]).await;
    assert_eq!(sizes(&place.json(&["keys"]).await), [4096]);
}

fn sizes(keys: &Value) -> Vec<u64> {
    let keys = keys.as_array().unwrap().iter();
    keys.filter_map(|key| key["bits"].as_u64()).collect()
}
