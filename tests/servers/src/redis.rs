//! A Redis server that writes everything to the disk before it answers, and evicts nothing.

use std::{fs, path::Path};

use super::{Account, Server, free_port, launch, on_path, password, program};

pub(super) const VARIABLE: &str = "SESSION_TEST_REDIS_URL";

pub(super) fn start(parent: &Path) -> Result<Server, String> {
    let redis = program(|| on_path("redis-server"), "redis-server")?;
    let client = program(|| on_path("redis-cli"), "redis-tools")?;
    let account = Account::of("redis")?;
    let folder = account.folder(parent, "redis")?;
    let log = parent.join("redis.log");
    let (port, password) = (free_port()?.to_string(), password()?);
    // In a file, as every process may read another's arguments.
    let settings = parent.join("redis.conf");
    let lines = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {}\n\
         appendonly yes\nappendfsync always\nmaxmemory-policy noeviction\n",
        folder.display()
    );
    fs::write(&settings, lines).map_err(|error| error.to_string())?;
    let mut command = account.server(&redis, "TERM", &log)?;
    command.arg(&settings).current_dir(&folder);
    let url = format!("redis://:{password}@127.0.0.1:{port}/0");
    launch(
        &mut command,
        |child| Server {
            variable: VARIABLE,
            url: url.clone(),
            child,
            ends_on: "TERM",
        },
        &log,
        || {
            let mut ask = account.command(&client);
            ask.args(["-h", "127.0.0.1", "-p", &port, "ping"]);
            ask.env("REDISCLI_AUTH", &password);
            ask.output()
                .is_ok_and(|output| output.stdout.starts_with(b"PONG"))
        },
    )
}
