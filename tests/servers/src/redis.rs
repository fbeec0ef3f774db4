//! A Redis server that writes everything to its log on the disk before it answers, copies its memory
//! nowhere else, and evicts nothing.

use std::path::Path;

use crate::{
    Account, Kind, Server,
    certificates::Tls,
    folder::{free_port, log_in, password},
    on_path, program,
};

pub(crate) fn prepare(parent: &Path, tls: Option<&Tls>) -> Result<Server, String> {
    let redis = program(|| on_path("redis-server"), "redis-server")?;
    let client = program(|| on_path("redis-cli"), "redis-tools")?;
    let account = Account::of("redis")?;
    let folder = account.folder(parent, "redis")?;
    let (port, password) = (free_port()?.to_string(), password()?);
    let (scheme, listening) = match tls {
        None => ("redis", format!("port {port}")),
        Some(tls) => {
            let files = tls.write(account, &folder)?;
            let clients = match files.clients {
                None => "tls-auth-clients no".to_owned(),
                Some(clients) => format!("tls-ca-cert-file {}", clients.display()),
            };
            let (certificate, key) = (files.certificate.display(), files.key.display());
            let lines = format!(
                "port 0\ntls-port {port}\ntls-cert-file {certificate}\ntls-key-file {key}\n{clients}"
            );
            ("rediss", lines)
        }
    };
    let lines = format!(
        "bind 127.0.0.1\n{listening}\nrequirepass {password}\ndir {0}\nunixsocket {0}/socket\n\
         appendonly yes\nappendfsync always\nsave \"\"\nmaxmemory-policy noeviction\n",
        folder.display()
    );
    // In a file, as every process may read another's arguments.
    let settings = account.secret(&folder, "redis.conf", &lines)?;
    let mut command = account.server(&redis, Kind::Redis.ends_on(), &log_in(parent))?;
    command.arg(&settings).current_dir(&folder);
    let mut ask = account.command(&client);
    ask.arg("-s").arg(folder.join("socket")).arg("ping");
    ask.env("REDISCLI_AUTH", &password);
    Ok(Server {
        kind: Kind::Redis,
        url: format!("{scheme}://:{password}@127.0.0.1:{port}/0"),
        command,
        ask,
        answer: "PONG",
    })
}
