//! The page "Without an SDK: curl": its commands run against the example on axum, and answer as shown.

use std::{path::Path, process::Stdio};

use tokio::{process::Command, time::timeout};

use crate::{
    example::Example,
    server::{Application, PATIENCE},
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/src/curl.md");

/// Where the example listens unless it is told otherwise.
const ADDRESS: &str = "127.0.0.1:3000";

#[tokio::test]
async fn the_recipes_answer_as_shown() {
    let app = Application::start(Example::Axum).await;
    let address = app.server().address().to_string();
    let recipes = recipes(&std::fs::read_to_string(PAGE).unwrap());
    let script: Vec<_> = recipes
        .iter()
        .map(|recipe| format!("{}\nprintf '{END}%s{END}' $?\n", recipe.command))
        .collect();
    let output = run(&script.concat().replace(ADDRESS, &address)).await;
    let output = output.replace(&address, ADDRESS).replace('\r', "");

    let mut parts = output.split(END);
    for Recipe { command, shown } in &recipes {
        let (seen, code) = (parts.next().unwrap(), parts.next());
        assert_eq!(code, Some("0"), "$ {command}\n{seen}");
        assert!(
            is_as_shown(shown, seen),
            "$ {command}\n--- shown ---\n{shown}\n--- seen ---\n{seen}"
        );
    }
    assert_eq!(parts.collect::<Vec<_>>(), [""]);
}

/// A command of the page, and what it is shown to write.
struct Recipe {
    command: String,
    shown: String,
}

/// The commands in the page's `console` blocks: a line after `$ `, and those that a backslash at the
/// end of a line joins to it. What follows up to the next is the output.
fn recipes(page: &str) -> Vec<Recipe> {
    let mut recipes = Vec::<Recipe>::new();
    let (mut is_console, mut goes_on) = (false, false);
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            is_console = language == "console";
        } else if !is_console {
        } else if let Some(command) = line.strip_prefix("$ ") {
            recipes.push(Recipe {
                command: command.to_owned(),
                shown: String::new(),
            });
            goes_on = command.ends_with('\\');
        } else {
            let recipe = recipes.last_mut().expect("output before any command");
            let text = if goes_on {
                &mut recipe.command
            } else {
                &mut recipe.shown
            };
            text.push('\n');
            text.push_str(line);
            goes_on &= line.ends_with('\\');
        }
    }
    assert!(!recipes.is_empty(), "the page has no commands");
    recipes
}

/// Whether an output is as shown, line for line.
fn is_as_shown(shown: &str, seen: &str) -> bool {
    let [shown, seen] = [shown, seen].map(|text| text.trim().lines().map(str::trim));
    shown.clone().count() == seen.clone().count()
        && shown
            .zip(seen)
            .all(|(shown, seen)| line_is_as_shown(shown, seen))
}

/// `…` stands for at least one character.
fn line_is_as_shown(shown: &str, seen: &str) -> bool {
    let Some((before, after)) = shown.split_once('…') else {
        return shown == seen;
    };
    let Some(rest) = seen.strip_prefix(before).filter(|rest| !rest.is_empty()) else {
        return false;
    };
    let later = rest.char_indices().skip(1).map(|(index, _)| index);
    later
        .chain([rest.len()])
        .any(|index| line_is_as_shown(after, rest.split_at(index).1))
}

/// Runs a script in a folder of its own, with nothing of the developer's settings.
async fn run(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let curl = programs::curl().expect("there is no curl");
    let path = std::env::join_paths([
        curl.parent().unwrap(),
        Path::new("/usr/bin"),
        Path::new("/bin"),
    ]);
    let output = Command::new("/bin/sh")
        .args(["-c", script])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", path.unwrap())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, output)
        .await
        .expect("the recipes take too long");
    String::from_utf8(output.unwrap().stdout).unwrap()
}

#[test]
fn an_ellipsis_stands_for_something_within_a_line() {
    assert!(is_as_shown("a\nid: …; end\n", "\na\nid: 1; 2; end"));
    assert!(is_as_shown("{\"a\":…,\"b\":…}", "{\"a\":1,\"b\":2}"));
    for seen in [
        "a\nid: ; end",
        "a\nid: 1; end.",
        "id: 1; end",
        "a\nid: 1; end\nb",
    ] {
        assert!(!is_as_shown("a\nid: …; end", seen), "{seen}");
    }
}

/// Stands in the output where a command has ended, around its exit code.
const END: char = '\u{1e}';
