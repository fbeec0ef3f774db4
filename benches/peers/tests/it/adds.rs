//! `adds`, on each framework.

use std::process::Command;

use serde_json::Value;

/// It finds the answers right, and has a figure for each round of each side.
#[test]
fn each_framework_is_measured() {
    for framework in ["axum", "actix", "rocket", "warp", "poem", "tower"] {
        let mut adds = Command::new(env!("CARGO_BIN_EXE_adds"));
        let output = adds.args([framework, "--rounds", "3", "--sessions", "2"]);
        let output = output.output().unwrap();
        assert!(output.status.success(), "{framework}: {output:?}");
        let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
        for side in ["without", "new", "seen"] {
            let rounds = figures.get(side).and_then(Value::as_array).unwrap();
            assert_eq!(rounds.len(), 3, "{framework}: {figures}");
        }
    }
}
