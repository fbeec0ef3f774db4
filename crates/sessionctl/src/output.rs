//! `Output`: tables for people, JSON for machines.
//!
//! User ids and the like are whatever somebody signed up with, and a terminal obeys what it is sent:
//! nothing that could move its cursor, colour it or turn text around reaches it (security K2).

use std::{
    error::Error,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::SystemTime,
};

use jiff::Timestamp;
use serde_json::Value;

use crate::failure::Failure;

/// Where results go.
#[derive(Debug)]
pub(crate) struct Output {
    as_json: bool,
}

impl Output {
    pub(crate) fn new(as_json: bool) -> Self {
        Self { as_json }
    }

    /// Prints one result: the value, or the text that `for_people` makes.
    pub(crate) fn result(
        &self,
        value: &Value,
        for_people: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let mut text = if self.as_json {
            escaped(&format!("{value:#}"), in_json)
        } else {
            for_people()
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        print(&text)
    }

    /// Says something beside the result, which a pipe does not get to see.
    pub(crate) fn remark(&self, text: &str) {
        if !self.as_json {
            say(text);
        }
    }
}

/// Says why a command was not done: the error and what led to it.
pub(crate) fn complain(failure: &Failure) {
    let mut lines = vec![format!("error: {failure}")];
    let mut source = failure.source();
    while let Some(error) = source {
        lines.push(format!("  because: {error}"));
        source = error.source();
    }
    // Drivers wrap errors in others that say the same.
    lines.dedup();
    say(&lines.join("\n"));
}

/// Asks for consent, unless it was given on the command line.
pub(crate) fn confirm(is_agreed: bool, question: &str) -> Result<(), Failure> {
    if is_agreed {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Unconfirmed(question.to_owned()));
    }
    say(&format!("{question} Type yes to go on:"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        Ok(())
    } else {
        Err(Failure::Declined)
    }
}

/// Rows under a headline, in columns.
pub(crate) fn table<const N: usize>(headline: [&str; N], rows: &[[String; N]]) -> String {
    let shown: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| for_terminal(cell)))
        .collect();
    let headline = headline.map(str::to_owned);
    let mut widths = [0; N];
    for row in shown.iter().chain([&headline]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in [&headline].into_iter().chain(&shown) {
        let line: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A moment, in UTC and to the second.
pub(crate) fn moment(time: SystemTime) -> String {
    Timestamp::try_from(time)
        .and_then(|time| time.round(jiff::Unit::Second))
        .map_or_else(|_| "out of range".to_owned(), |time| time.to_string())
}

/// A text as a terminal may have it: what is no character to look at becomes its number.
pub(crate) fn for_terminal(text: &str) -> String {
    escaped(text, |character| {
        format!("\\u{{{:x}}}", u32::from(character))
    })
}

/// As JSON writes it. What has to be escaped is inside of strings, as JSON itself needs none of it
/// but line ends and spaces.
fn in_json(character: char) -> String {
    let mut units = [0; 2];
    if character == '\n' {
        return "\n".to_owned();
    }
    let units = character.encode_utf16(&mut units).iter();
    let escaped: Vec<String> = units.map(|unit| format!("\\u{unit:04x}")).collect();
    escaped.concat()
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) {
            escaped.push_str(&escape(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Control characters, and those that turn the direction of what follows or cannot be seen.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Prints what the command line itself has for an answer: help, or a mistake, which repeats what was
/// typed or pasted.
pub(crate) fn answer(answer: &clap::Error) -> ExitCode {
    let text = answer.render().to_string();
    if answer.use_stderr() {
        say(&text);
    } else if print(&text).is_err() {
        return ExitCode::FAILURE;
    }
    u8::try_from(answer.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// A reader that has seen enough, such as `head`, is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn say(text: &str) {
    let lines: Vec<String> = text.lines().map(for_terminal).collect();
    eprintln!("{}", lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// K2: a terminal is told nothing by a user id.
    #[test]
    fn what_a_terminal_would_obey_becomes_a_number() {
        let id = "ann\u{1b}[31m\r\n\u{9b}2J\u{202e}x\u{200b}é漢";
        assert_eq!(
            for_terminal(id),
            "ann\\u{1b}[31m\\u{d}\\u{a}\\u{9b}2J\\u{202e}x\\u{200b}é漢"
        );
    }

    /// K2: JSON says the same to who reads it, and nothing to a terminal.
    #[test]
    fn json_is_read_back_as_it_was() {
        let value = serde_json::json!({ "user": "a\u{1b}\u{9b}\u{202e}\u{e0041}\n\u{7f}" });
        let text = escaped(&format!("{value:#}"), in_json);
        assert!(!text.chars().any(|one| one != '\n' && is_obeyed(one)));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [
            ["a".to_owned(), "bb".to_owned()],
            ["ccc".to_owned(), String::new()],
        ];
        assert_eq!(table(["x", "y"], &rows), "x    y\na    bb\nccc\n");
    }

    #[test]
    fn moments_are_in_utc_and_to_the_second() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_400);
        assert_eq!(moment(time), "2023-11-14T22:13:20Z");
    }
}
