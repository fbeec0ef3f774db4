//! Looks after the sessions and keys of `session-core` in a database: lists and ends sessions,
//! rotates and encrypts keys, applies migrations, and says what is wrong.
//!
//! `sessionctl help` and the book's chapter have the commands. Exit codes: 0, done; 1, refused or
//! failed; 2, a mistake in the command line; 3, `doctor` found a danger.

mod arguments;
mod certificates;
mod database;
mod doctor;
mod failure;
mod keys;
mod migrate;
mod output;
mod secrets;
mod sessions;

use std::process::ExitCode;

use clap::Parser as _;
use session_core::Administration;

use crate::{
    arguments::{Arguments, Command, Operation},
    database::Place,
    failure::Failure,
    output::Output,
};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return output::answer(&answer),
    };
    let output = Output::new(arguments.json);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments, &output)),
        Err(error) => Err(Failure::Output(error)),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}

async fn run(arguments: Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let place = Place::find(arguments.place)?;
    match arguments.command {
        Command::Migrate(which) => {
            migrate::run(&place, &which, output).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Operation(operation) => {
            let lifetime = operation.access_token_lifetime();
            let administration = place.administration(lifetime).await?;
            let outcome = operate(&administration, operation, output).await;
            administration.close().await;
            outcome
        }
    }
}

async fn operate(
    administration: &Administration,
    operation: Operation,
    output: &Output,
) -> Result<ExitCode, Failure> {
    match operation {
        Operation::List(which) => sessions::list(administration, which, output).await?,
        Operation::Show(which) => sessions::show(administration, &which, output).await?,
        Operation::Revoke(which) => sessions::revoke(administration, which, output).await?,
        Operation::Keys { action } => keys::run(administration, action, output).await?,
        Operation::Purge => sessions::purge(administration, output).await?,
        Operation::Doctor => return doctor::run(administration, output).await,
    }
    Ok(ExitCode::SUCCESS)
}
