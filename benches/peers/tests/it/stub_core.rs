//! `stub-core`, as an SDK asks it.

use std::{fs, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::Program;

/// It has the keys that it was given, and tells what a token says.
#[test]
fn it_answers_as_a_core_does() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("jwks.json");
    fs::write(&keys, r#"{"keys":[]}"#).unwrap();
    let core = Program::start(Command::new(env!("CARGO_BIN_EXE_stub-core")).arg(keys));
    let get = |path| core.get(path, &[]);
    let keys = (200, r#"{"keys":[]}"#.to_owned());
    assert_eq!(get("/.well-known/jwks.json"), keys);
    assert_eq!(
        get("/apiversion"),
        (200, r#"{"versions":["5.4"]}"#.to_owned())
    );

    // {"sub":"alice","rsub":"alice","sessionHandle":"h","tId":"public"}
    let claims =
        "eyJzdWIiOiJhbGljZSIsInJzdWIiOiJhbGljZSIsInNlc3Npb25IYW5kbGUiOiJoIiwidElkIjoicHVibGljIn0";
    let question = json!({ "accessToken": format!("header.{claims}.signature") }).to_string();
    let json_type = "content-type: application/json";
    let verify = "/recipe/session/verify";
    let (status, answer) = core.ask("POST", verify, &[json_type], &question);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, answer.get("status")), (200, Some(&json!("OK"))));
    let session = answer.get("session").unwrap();
    for (name, value) in [("userId", "alice"), ("handle", "h"), ("tenantId", "public")] {
        assert_eq!(session.get(name), Some(&json!(value)), "{session}");
    }
}
