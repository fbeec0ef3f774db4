//! A MariaDB server with the durable settings that it comes with.

use std::path::Path;

use crate::{
    Account, Kind, Server,
    certificates::Tls,
    folder::{free_port, log_in, password},
    on_path, process, program,
};

pub(crate) fn prepare(parent: &Path, tls: Option<&Tls>) -> Result<Server, String> {
    let mariadbd = program(|| on_path("mariadbd"), "mariadb-server")?;
    let installer = program(|| on_path("mariadb-install-db"), "mariadb-server")?;
    let admin = program(|| on_path("mariadb-admin"), "mariadb-client")?;
    let account = Account::of("mysql")?;
    let folder = account.folder(parent, "mariadb")?;
    let (data, socket) = (folder.join("data"), folder.join("socket"));
    let (port, password) = (free_port()?.to_string(), password()?);
    let at = |name: &str, path: &Path| format!("--{name}={}", path.display());
    process::capture(
        account
            .command(&installer)
            .args(["--no-defaults", "--skip-test-db"])
            .arg("--auth-root-authentication-method=socket")
            .arg(at("datadir", &data))
            .current_dir(&folder),
    )?;
    let demand = match tls {
        None => "NONE",
        Some(Tls { clients: None, .. }) => "SSL",
        Some(Tls {
            clients: Some(_), ..
        }) => "X509",
    };
    let grant = format!(
        "CREATE USER IF NOT EXISTS session@'127.0.0.1' IDENTIFIED BY '{password}' \
         REQUIRE {demand};\n\
         GRANT ALL ON *.* TO session@'127.0.0.1';\n"
    );
    let accounts = account.secret(&folder, "accounts.sql", &grant)?;
    let mut command = account.server(&mariadbd, Kind::MariaDb.ends_on(), &log_in(parent))?;
    command
        .args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
        ])
        .arg("--max-connections=500")
        .arg(format!("--port={port}"))
        .arg(at("datadir", &data))
        .arg(at("socket", &socket))
        .arg(at("pid-file", &folder.join("pid")))
        .arg(at("init-file", &accounts))
        .current_dir(&folder);
    if let Some(tls) = tls {
        let files = tls.write(account, &folder)?;
        command.arg("--require-secure-transport");
        command.arg(at("ssl-cert", &files.certificate));
        command.arg(at("ssl-key", &files.key));
        command.args(files.clients.map(|clients| at("ssl-ca", &clients)));
    }
    // A server that refuses an account answers.
    let mut ask = account.command(&admin);
    ask.args(["--no-defaults", "--silent", "--user=session", "ping"]);
    ask.arg(format!("--port={port}")).arg("--host=127.0.0.1");
    ask.env("MYSQL_PWD", &password);
    Ok(Server {
        kind: Kind::MariaDb,
        url: format!("mysql://session:{password}@127.0.0.1:{port}/mysql"),
        command,
        ask,
        answer: "",
    })
}
