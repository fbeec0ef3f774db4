//! The schema.

use std::fs;

use databases::{Database, Server};
use serde_json::json;

use crate::place::{Place, ran, tool};

/// H14: a look at a database that has no schema says so and makes none; `migrate` makes it, once and
/// again, and then there are no sessions.
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_made_when_it_is_asked_for() {
    for server in Server::ALL {
        let place = Place::OnServer(Database::on(server));
        for _ in 0..2 {
            let early = place.run(&["keys"]).await;
            assert_eq!(early.code, 1);
            assert!(
                early.errors.contains("sessionctl migrate"),
                "{}",
                early.errors
            );
        }
        for _ in 0..2 {
            let made = place.json(&["migrate"]).await;
            assert_eq!(made, json!({ "up_to_date": true }));
        }
        assert_eq!(place.json(&["keys"]).await, json!([]));
    }
    let place = Place::file();
    let early = place.run(&["keys"]).await;
    assert_eq!(early.code, 1);
    let Place::File(folder) = &place else {
        panic!("another place");
    };
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    place.json(&["migrate"]).await;
    assert_eq!(place.json(&["list", "--user", "ann"]).await, json!([]));
}

/// The script that is printed makes the schema, under the names that were asked for, and no server
/// is needed to print it.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_printed_without_a_database() {
    for (server, address) in [
        (Server::Postgres, "postgres://nobody@127.0.0.1:1/none"),
        (Server::MySql, "mysql://nobody@127.0.0.1:1/none"),
    ] {
        let arguments = [
            "migrate",
            "--print",
            "--prefix",
            "auth_",
            "--database",
            address,
        ];
        let printed = ran(&mut tool(&arguments));
        assert_eq!(printed.code, 0, "{}", printed.errors);
        let database = Database::on(server);
        database.run(&printed.text).await;
        let place = Place::OnServer(database);
        let keys = place.json(&["keys", "--prefix", "auth_"]).await;
        assert_eq!(keys, json!([]));
        let wrong = place.run(&["keys"]).await;
        assert_eq!(wrong.code, 1);
    }
}

/// Redis has no schema to migrate, and what is said is not about an option that nobody gave.
#[test]
fn redis_is_not_migrated() {
    let ran = ran(&mut tool(&["migrate", "--database", "redis://127.0.0.1:1"]));
    assert_eq!(ran.code, 2, "{ran:?}");
    let said = "Redis has no schema: there is nothing to migrate";
    assert!(ran.errors.contains(said), "{}", ran.errors);
}
