//! Whom servers run as, and what only they may read.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::process;

/// Whom a server runs as: it refuses to be root.
#[derive(Clone, Copy)]
pub(crate) struct Account(Option<&'static str>);

impl Account {
    /// The package's own account where we are root, and ourselves where we are not.
    pub(crate) fn of(package_account: &'static str) -> Result<Self, String> {
        let id = process::capture(Command::new("id").arg("-u"))?;
        Ok(Self((id.trim() == "0").then_some(package_account)))
    }

    /// A folder that belongs to it alone.
    pub(crate) fn folder(self, parent: &Path, name: &str) -> Result<PathBuf, String> {
        let folder = parent.join(name);
        let mut install = Command::new("install");
        install.args(["-d", "-m", "700"]);
        if let Some(account) = self.0 {
            install.args(["-o", account]);
        }
        process::capture(install.arg(&folder))?;
        Ok(folder)
    }

    /// A file that this account alone can read.
    pub(crate) fn secret(self, folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
        let file = folder.join(name);
        let problem = |error: std::io::Error| format!("{}: {error}", file.display());
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut opened = options.open(&file).map_err(problem)?;
        opened.write_all(text.as_bytes()).map_err(problem)?;
        if let Some(account) = self.0 {
            process::capture(Command::new("chown").arg(account).arg(&file))?;
        }
        Ok(file)
    }

    /// A program under this account.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = self.setpriv();
        command.arg(program).stdin(Stdio::null());
        command
    }

    /// A program under this account that gets `signal` when we die.
    pub(crate) fn server(
        self,
        program: &Path,
        signal: &str,
        log: &Path,
    ) -> Result<Command, String> {
        let problem = |error: std::io::Error| format!("{}: {error}", log.display());
        let log = fs::File::create(log).map_err(problem)?;
        let mut command = self.setpriv();
        command
            .arg(format!("--pdeathsig={signal}"))
            .arg(program)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(|error| error.to_string())?)
            .stderr(log);
        Ok(command)
    }

    fn setpriv(self) -> Command {
        let mut command = Command::new("setpriv");
        if let Some(account) = self.0 {
            command.arg(format!("--reuid={account}"));
            command.arg(format!("--regid={account}"));
            command.arg("--init-groups");
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// What is written down of a password is for one account.
    #[test]
    fn a_secret_is_readable_by_its_account_alone() {
        let folder = std::env::temp_dir().join(format!("session-secret-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let secret = Account(None).secret(&folder, "password", "canary").unwrap();
        let mode = fs::metadata(&secret).unwrap().permissions().mode();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "canary");
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(mode & 0o777, 0o600);
    }
}
