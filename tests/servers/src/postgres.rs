//! A PostgreSQL server with the durable settings that it comes with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Account, Kind, Server,
    certificates::Tls,
    folder::{free_port, log_in, password},
    on_path, process, program,
};

pub(crate) fn prepare(parent: &Path, tls: Option<&Tls>) -> Result<Server, String> {
    let place = Place::below(parent)?;
    let password = password()?;
    let secret = place.account.secret(&place.folder, "password", &password)?;
    process::capture(
        (place.account)
            .command(&place.beside("initdb"))
            .args([
                "--username=session",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
            ])
            .arg("--locale=C.UTF-8")
            .arg("--pwfile")
            .arg(&secret)
            .arg("--pgdata")
            .arg(place.data())
            .current_dir(&place.folder),
    )?;
    let mut server = place.server(parent, &password)?;
    if let Some(tls) = tls {
        place.demand(tls, &mut server.command)?;
    }
    Ok(server)
}

/// A server on a copy of another one's data, which it keeps up to date.
pub(crate) fn prepare_standby(primary: &str, parent: &Path) -> Result<Server, String> {
    let place = Place::below(parent)?;
    let (password, port) = primary
        .strip_prefix("postgres://session:")
        .and_then(|rest| rest.strip_suffix("/postgres"))
        .and_then(|rest| rest.split_once("@127.0.0.1:"))
        .ok_or("the primary's address is not one of ours")?;
    let mut copy = place.account.command(&place.beside("pg_basebackup"));
    copy.args([
        "--write-recovery-conf",
        "--checkpoint=fast",
        "--no-password",
    ]);
    copy.args(["--host=127.0.0.1", "--username=session", "--port", port]);
    copy.arg("--pgdata").arg(place.data());
    process::capture(copy.env("PGPASSWORD", password).current_dir(&place.folder))?;
    place.server(parent, password)
}

/// Where a server is about to be.
struct Place {
    postgres: PathBuf,
    account: Account,
    folder: PathBuf,
}

impl Place {
    fn below(parent: &Path) -> Result<Self, String> {
        let postgres = program(find, "postgresql")?;
        let account = Account::of("postgres")?;
        let folder = account.folder(parent, "postgres")?;
        Ok(Self {
            postgres,
            account,
            folder,
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.postgres.with_file_name(name)
    }

    fn demand(&self, tls: &Tls, command: &mut Command) -> Result<(), String> {
        let files = tls.write(self.account, &self.folder)?;
        let mut line = "hostssl all all 127.0.0.1/32 scram-sha-256".to_owned();
        let mut set = |name: &str, value: &Path| {
            command.arg("-c").arg(format!("{name}={}", value.display()));
        };
        set("ssl_cert_file", &files.certificate);
        set("ssl_key_file", &files.key);
        if let Some(clients) = &files.clients {
            line += " clientcert=verify-ca";
            set("ssl_ca_file", clients);
        }
        let who = self
            .account
            .secret(&self.folder, "who.conf", &format!("{line}\n"))?;
        set("hba_file", &who);
        command.args(["-c", "ssl=on"]);
        Ok(())
    }

    fn server(&self, parent: &Path, password: &str) -> Result<Server, String> {
        let port = free_port()?.to_string();
        let log = log_in(parent);
        let mut command = (self.account).server(&self.postgres, Kind::Postgres.ends_on(), &log)?;
        command.current_dir(&self.folder).arg("-D").arg(self.data());
        command.args(["-p", &port, "-k", "", "-h", "127.0.0.1"]);
        // Every test opens several pools.
        command.args(["-c", "max_connections=500"]);
        // Shared memory in files of its folder, or one that is killed leaves it to the machine.
        command.args(["-c", "dynamic_shared_memory_type=mmap"]);
        let mut ask = self.account.command(&self.beside("pg_isready"));
        ask.args(["-q", "-h", "127.0.0.1", "-p", &port]);
        ask.current_dir(&self.folder);
        Ok(Server {
            kind: Kind::Postgres,
            url: format!("postgres://session:{password}@127.0.0.1:{port}/postgres"),
            command,
            ask,
            answer: "",
        })
    }
}

/// The newest version that the distribution installed, or one on the search path.
fn find() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    versions
        .flatten()
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin/postgres")))
        })
        .filter(|(_, program)| program.is_file())
        .max()
        .map(|(_, program)| program)
        .or_else(|| on_path("postgres"))
}
