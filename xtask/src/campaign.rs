//! Random faults for a while, on every database at once.
//!
//! The faults, the clients and the judgement are tests of the package `nodes`, which start servers of
//! their own: `cargo test` runs a few faults, and here the same tests get minutes. Each prints its
//! seed, and `--seed` brings its faults back.

use crate::{process, workspace::Workspace};

const DEFAULT_MINUTES: u64 = 10;

/// Reads `[--minutes N] [--seed S]` and runs it.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    let wish = Wish::of(arguments)?;
    let mut command = process::cargo(workspace.root());
    command
        .args(["test", "--locked", "--package", "nodes", "--test", "it"])
        .args(["campaign::", "--", "--nocapture"])
        // All databases at once: they mostly wait.
        .arg("--test-threads=8")
        .env("SESSION_TEST_CAMPAIGN_MINUTES", wish.minutes.to_string());
    if let Some(seed) = wish.seed {
        command.env("SESSION_TEST_CAMPAIGN_SEED", seed.to_string());
    }
    process::show(&mut command)
}

#[derive(Debug, PartialEq, Eq)]
struct Wish {
    minutes: u64,
    seed: Option<u64>,
}

impl Wish {
    fn of(arguments: &[&str]) -> Result<Self, String> {
        let mut wish = Self {
            minutes: DEFAULT_MINUTES,
            seed: None,
        };
        for pair in arguments.chunks(2) {
            let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
            match pair {
                ["--minutes", minutes] => wish.minutes = number(minutes)?,
                ["--seed", seed] => wish.seed = Some(number(seed)?),
                _ => return Err("usage: cargo xtask campaign [--minutes N] [--seed S]".to_owned()),
            }
        }
        // A week bounds the arithmetic and catches a slip of the finger.
        if (1..=7 * 24 * 60).contains(&wish.minutes) {
            Ok(wish)
        } else {
            Err("between 1 and 10080 minutes".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_and_seed_are_read() {
        let wish = |minutes, seed| Ok(Wish { minutes, seed });
        assert_eq!(Wish::of(&[]), wish(DEFAULT_MINUTES, None));
        assert_eq!(Wish::of(&["--minutes", "7"]), wish(7, None));
        assert_eq!(
            Wish::of(&["--seed", "5", "--minutes", "7"]),
            wish(7, Some(5))
        );
        for wrong in [
            ["--minutes", "0"],
            ["--minutes", "10081"],
            ["--minutes", "-1"],
            ["--seed", "x"],
            ["--days", "1"],
        ] {
            assert!(Wish::of(&wrong).is_err(), "{wrong:?}");
        }
        assert!(Wish::of(&["--minutes"]).is_err());
    }
}
