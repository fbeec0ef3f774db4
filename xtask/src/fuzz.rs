//! Drives one target of the package `fuzz` for a while, on the stable toolchain.
//!
//! A target is a test: `cargo test` runs its seeds and a second of random inputs. Here the same test
//! gets minutes. It stops at the first input that fails and prints the seed that brings it back.

use std::time::Duration;

use crate::{process, workspace::Workspace};

const DEFAULT_MINUTES: u64 = 5;

/// Reads `<target> [--minutes N]` and runs it.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    let (target, minutes) = parse(arguments)?;
    let Some(package) = workspace.member("fuzz") else {
        return Err("there is no package `fuzz` in this workspace".to_owned());
    };
    // A target is a test binary of its own, or a test or a module of tests among others.
    let has_binary = package.test_binaries.iter().any(|binary| binary == target);
    let among: &[&str] = if has_binary {
        &["--test", target]
    } else {
        &["--tests"]
    };
    let cargo = || {
        let mut command = process::cargo(workspace.root());
        command
            .args(["test", "--locked", "--package", "fuzz"])
            .args(among)
            .arg("--");
        command
    };
    let listed = process::capture(cargo().args(["--list", "--format", "terse"]))?;
    let tests: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .collect();
    let wanted: Vec<&str> = tests
        .iter()
        .copied()
        .filter(|test| has_binary || is(test, target))
        .collect();
    if wanted.is_empty() {
        let binaries = package.test_binaries.iter().map(String::as_str);
        let known: Vec<&str> = binaries.chain(tests).collect();
        return Err(format!(
            "no target `{target}`; there are: {}",
            known.join(", ")
        ));
    }
    let budget = Duration::from_secs(minutes * 60).as_millis().to_string();
    process::show(
        cargo()
            .args(wanted)
            .args(["--exact", "--nocapture"])
            .env("BOLERO_RANDOM_TEST_TIME_MS", budget),
    )
}

fn is(test: &str, target: &str) -> bool {
    test == target || test.split("::").any(|part| part == target)
}

fn parse<'a>(arguments: &[&'a str]) -> Result<(&'a str, u64), String> {
    let (target, minutes) = match arguments {
        [target] => (*target, DEFAULT_MINUTES),
        [target, "--minutes", minutes] => (
            *target,
            minutes
                .parse()
                .map_err(|_| format!("`{minutes}` is no number of minutes"))?,
        ),
        _ => return Err("usage: cargo xtask fuzz <target> [--minutes N]".to_owned()),
    };
    // A day bounds the arithmetic and catches a slip of the finger.
    if (1..=24 * 60).contains(&minutes) {
        Ok((target, minutes))
    } else {
        Err("between 1 and 1440 minutes".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_have_a_default_and_limits() {
        assert_eq!(parse(&["access_token"]), Ok(("access_token", 5)));
        assert_eq!(
            parse(&["access_token", "--minutes", "7"]),
            Ok(("access_token", 7))
        );
        for wrong in ["0", "1441", "-1", "five"] {
            assert!(
                parse(&["access_token", "--minutes", wrong]).is_err(),
                "{wrong}"
            );
        }
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn a_target_is_named_by_its_function_or_its_module() {
        assert!(is("access_token", "access_token"));
        assert!(is("access_token::seeds_and_random_inputs", "access_token"));
        assert!(!is("access_token_seeds", "access_token"));
    }
}
