//! `cargo xtask …`: every developer command of this workspace.
//!
//! This file reads the command line. What a command does lives in the module of its name; what
//! `test` runs, in order, in `checks`.

mod adapters;
mod advisories;
mod bench;
mod book;
mod browser;
mod campaign;
mod cases;
mod checks;
mod citations;
mod fleet;
mod fuzz;
mod links;
mod playwright;
mod process;
mod report;
#[cfg(test)]
mod repository;
mod rust_version;
mod scale;
mod services;
mod sources;
mod sql;
mod tables;
mod tests_run;
mod tools;
mod web;
mod workspace;

use std::process::ExitCode;

use servers::Servers;
use workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask <command>

  test                        every check there is, on throw-away database servers; the closing
                              line counts the tests
  services                    the same servers for a person who develops, until ctrl-c
  fleet [--listen ADDRESS]    the example of several nodes on a PostgreSQL that is thrown away,
                              until ctrl-c
  web [--framework axum|actix|rocket|warp] [--port N]
                              the example page on the official browser SDK, with the server
                              behind it, until ctrl-c
  web --test [--framework axum|actix|rocket|warp]
                              tests that page in Chromium, on all four or on one
  browser [--adapter NAME]    the official browser SDK in Chromium against one adapter or all;
                              target/browser keeps a trace and a screenshot of what failed
  lint                        formatting and clippy, warnings as errors
  doc                         the API reference and the book, links checked
  bench [--quick [--write]] [--only NAME]
                              what the library costs beside its limits and beside what others do;
                              fails when a target is missed by more than the noise. All of it, and
                              not quickly, or with --write, writes docs/performance; NAME begins the
                              names of rows
  scale [--quick]             measures a store of up to a million sessions, and writes
                              docs/src/figures.md and docs/src/statements.md; quickly, only
                              tries whether that works
  tables                      rewrites the test columns of docs/src/attacks.md and
                              docs/src/conformance.md from the tests' doc lines
  campaign [--minutes N] [--seed S]
                              random faults on every database for N minutes (default 10)
  fuzz <target> [--minutes N] drives one fuzz target for N minutes (default 5)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("{}", problem.trim_end());
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<ExitCode, String> {
    match words {
        ["test"] => return checks::test(),
        ["lint"] => return checks::lint(),
        ["doc"] => return checks::doc(),
        ["services"] => services::serve()?,
        ["fleet", rest @ ..] => fleet::serve(&Workspace::load()?, rest)?,
        ["web", rest @ ..] => web::run(&Workspace::load()?, rest)?,
        ["browser", rest @ ..] => browser::run(&Workspace::load()?, rest)?,
        ["scale"] => scale::whole(&Workspace::load()?)?,
        ["scale", "--quick"] => scale::quick(&Workspace::load()?, &Servers::start()?)?,
        ["tables"] => tables::rewrite(&Workspace::load()?)?,
        ["bench", rest @ ..] => bench::run(&Workspace::load()?, rest)?,
        ["campaign", rest @ ..] => campaign::run(&Workspace::load()?, rest)?,
        ["fuzz", rest @ ..] => fuzz::run(&Workspace::load()?, rest)?,
        [] | ["help" | "--help" | "-h"] => print!("{USAGE}"),
        _ => return Err(USAGE.to_owned()),
    }
    Ok(ExitCode::SUCCESS)
}
