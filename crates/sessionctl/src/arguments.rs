//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, Parser, Subcommand};
use session_core::{
    KeyId, SessionHandle, TenantId, UserId,
    config::{RsaKeySize, defaults},
};

/// Looks after the sessions and keys in a database.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) place: PlaceArguments,

    /// Prints JSON instead of a table.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "Environment:
  SESSION_DATABASE_URL        the database's address, which may hold a password
  SESSION_ENCRYPTION_SECRETS  the at-rest secrets, one NAME=SECRET a line, as for the option
  SESSION_REDIS_ROOT_CERTIFICATE
                              a file with the authority that a rediss:// server is trusted by, as PEM
  SESSION_REDIS_CLIENT_CERTIFICATE, SESSION_REDIS_CLIENT_KEY
                              files with what a rediss:// server knows this tool by, as PEM

Exit codes: 0 done, 1 refused or failed, 2 a mistake in the command line, 3 doctor found a danger";

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct PlaceArguments {
    #[arg(
        long,
        global = true,
        value_name = "URL",
        conflicts_with = "database_file",
        help = "The database's address without a password: sqlite://PATH, postgres://…, mysql://… \
                or redis://… [default: SESSION_DATABASE_URL]"
    )]
    pub(crate) database: Option<String>,

    /// A file that holds the address, perhaps with a password.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) database_file: Option<PathBuf>,

    /// What the tables' or keys' names begin with [default: session_, on Redis session]
    #[arg(long, global = true)]
    pub(crate) prefix: Option<String>,

    /// The schema that the tables are in (MySQL: the database).
    #[arg(long, global = true)]
    pub(crate) schema: Option<String>,

    /// How long one operation of the database may take; opening it, with the time for migrations,
    /// may take 40 seconds more.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) timeout: u64,

    /// An at-rest secret and the file that holds it; the first one encrypts, the others only
    /// decrypt. The file is taken as it is, or decoded if it begins with "base64:".
    #[arg(long = "encryption-secret", global = true, value_name = "NAME=FILE")]
    pub(crate) encryption_secrets: Vec<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// With what is in the database.
    #[command(flatten)]
    Operation(Operation),
    /// Brings the schema up to date, or prints what would.
    Migrate(MigrateArguments),
}

impl Operation {
    /// How long the access tokens live that it has to reckon with, if it matters.
    pub(crate) fn access_token_lifetime(&self) -> Option<Duration> {
        match self {
            Self::Revoke(which) => Some(
                which
                    .access_token_lifetime
                    .unwrap_or(*defaults::ACCESS_TOKEN_LIFETIME_RANGE.end()),
            ),
            _ => None,
        }
    }
}

/// What to do with sessions and keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Operation {
    /// Lists live sessions, oldest first.
    List(ListArguments),
    /// Shows one session.
    Show(ShowArguments),
    /// Ends sessions. Ending one that does not exist is no error.
    Revoke(RevokeArguments),
    /// Lists the keys, or changes them.
    Keys {
        #[command(subcommand)]
        action: Option<KeyAction>,
    },
    /// Deletes sessions and revocations that have expired.
    Purge,
    /// Says what is wrong with the database, the clocks and the keys.
    Doctor,
}

/// Which sessions to list.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whose").args(["user", "tenant"]).multiple(true).required(true))]
pub(crate) struct ListArguments {
    /// Those of this user.
    #[arg(long, value_parser = user)]
    pub(crate) user: Option<UserId>,
    /// Those of this tenant.
    #[arg(long, value_parser = tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// At most so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

/// Which session to show.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The session's handle.
    #[arg(value_parser = handle)]
    pub(crate) handle: SessionHandle,
    /// Shows its claims and the application's data, too.
    #[arg(long)]
    pub(crate) payload: bool,
}

/// Which sessions to end.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["handles", "user", "tenant"]).multiple(true).required(true))]
pub(crate) struct RevokeArguments {
    /// The sessions with these handles.
    #[arg(value_name = "HANDLE", value_parser = handle, conflicts_with_all = ["user", "tenant"])]
    pub(crate) handles: Vec<SessionHandle>,
    /// All of this user.
    #[arg(long, value_parser = user)]
    pub(crate) user: Option<UserId>,
    /// Those in this tenant: of the user, or of everybody.
    #[arg(long, value_parser = tenant)]
    pub(crate) tenant: Option<TenantId>,
    /// The longest life of an access token that a service on this database gives. Revocations are
    /// remembered for as long [default: 30 days, the longest there can be]
    #[arg(long, value_name = "SECONDS", value_parser = lifetime)]
    pub(crate) access_token_lifetime: Option<Duration>,
    /// Does not ask before everybody in a tenant is signed out.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// What to do with the keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// Lists them: ids, purposes, ages, states; never what is in them.
    List,
    /// Makes a new signing key, which is used once every node has read it.
    Rotate {
        /// Its size in bits [default: that of the newest one]
        #[arg(long, value_parser = size)]
        bits: Option<RsaKeySize>,
    },
    /// Makes a new key for refresh tokens. Nobody is logged out.
    RotateRefresh,
    /// Removes a key that may have leaked: what was made with it is refused.
    Remove {
        /// The key's id.
        #[arg(value_parser = key)]
        id: KeyId,
        /// Does not ask before a key is removed whose sessions end with it.
        #[arg(long)]
        yes: bool,
    },
    /// Encrypts every key under the first at-rest secret.
    ReEncrypt,
}

/// How to migrate.
#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
    /// Prints the SQL instead of running it, and asks no database.
    #[arg(long)]
    pub(crate) print: bool,
    /// The version that the schema has; 0 when there is none.
    #[arg(long, value_name = "VERSION", default_value_t = 0, requires = "print")]
    pub(crate) after: u32,
}

fn user(text: &str) -> Result<UserId, session_core::InvalidId> {
    UserId::try_from(text)
}

fn tenant(text: &str) -> Result<TenantId, session_core::InvalidId> {
    TenantId::try_from(text)
}

fn handle(text: &str) -> Result<SessionHandle, session_core::InvalidId> {
    SessionHandle::try_from(text)
}

/// A service may give shorter lives; a minute is remembered for those.
fn lifetime(text: &str) -> Result<Duration, &'static str> {
    let longest = *defaults::ACCESS_TOKEN_LIFETIME_RANGE.end();
    text.parse()
        .ok()
        .map(Duration::from_secs)
        .filter(|lifetime| (Duration::from_mins(1)..=longest).contains(lifetime))
        .ok_or("it must be 60 to 2592000 seconds")
}

fn size(text: &str) -> Result<RsaKeySize, &'static str> {
    match text {
        "2048" => Ok(RsaKeySize::Bits2048),
        "3072" => Ok(RsaKeySize::Bits3072),
        "4096" => Ok(RsaKeySize::Bits4096),
        _ => Err("keys have 2048, 3072 or 4096 bits"),
    }
}

fn key(text: &str) -> Result<KeyId, session_core::InvalidId> {
    KeyId::try_from(text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
