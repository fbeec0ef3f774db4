//! An example server and the page in front of it, which end with us.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use programs::Node;

use crate::{process, workspace::Workspace};

/// Both, running.
pub(super) struct Demo {
    site: String,
    ended: Receiver<&'static str>,
    #[expect(dead_code, reason = "dropping it ends the server and the page")]
    processes: [Attached; 2],
}

impl Demo {
    /// Builds both and waits until both answer. What is built for the browser lies in `folder`; with
    /// a `database` of its own, the server's log lies there, too.
    pub(super) fn start(
        workspace: &Workspace,
        node: &Node,
        framework: &str,
        port: u16,
        folder: &Path,
        database: Option<&str>,
    ) -> Result<Self, String> {
        let site = format!("http://127.0.0.1:{port}");
        let (tell, ended) = channel();

        let package = format!("example-{framework}");
        let mut build = process::cargo(workspace.root());
        process::show(build.args(["build", "--locked", "--package", &package]))?;
        let mut server = Command::new(workspace.target().join("debug").join(&package));
        server.args(["--listen", "127.0.0.1:0", "--site", &site]);
        server.args(
            database
                .iter()
                .flat_map(|database| ["--database", database]),
        );
        let mut server = ending_with_us(&server);
        if database.is_some() {
            let log = File::create(folder.join("server.log"));
            server.stderr(log.map_err(|error| error.to_string())?);
        }
        let (server, api) = Attached::start(server, "the server", &tell, |line| {
            line.strip_prefix("open ").map(str::to_owned)
        })?;

        let page = super::page(workspace);
        let output = folder.join("page");
        let mut build = node.program_of(&page, "vite")?;
        build
            .args(["build", "--logLevel", "warn", "--outDir"])
            .arg(&output);
        build.env("VITE_API", api).env("VITE_FRAMEWORK", framework);
        process::show(&mut build)?;
        let mut serve = node.program_of(&page, "vite")?;
        serve.args(["preview", "--port", &port.to_string(), "--outDir"]);
        serve.arg(&output).env("NO_COLOR", "1");
        let (page, ()) = Attached::start(ending_with_us(&serve), "the page", &tell, |line| {
            line.contains(&site).then_some(())
        })?;
        Ok(Self {
            site,
            ended,
            processes: [server, page],
        })
    }

    /// The address to open.
    pub(super) fn site(&self) -> &str {
        &self.site
    }

    /// Waits until one of the two has ended, and says which.
    pub(super) fn first_to_end(&self) -> &'static str {
        self.ended.recv().unwrap_or("everything")
    }
}

/// A process that ends with this value, and with us however we end.
struct Attached(Child);

impl Attached {
    /// Starts a process and reads its lines until one says that it is ready. At its end, `tell` gets
    /// its name.
    fn start<T>(
        mut command: Command,
        name: &'static str,
        tell: &Sender<&'static str>,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T), String> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        process::announce(&command);
        let started = command.spawn();
        let mut started = Self(started.map_err(|error| process::cannot_start(&command, &error))?);
        let stdout = started.0.stdout.take().ok_or("there is no output")?;
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let found = lines.find_map(|line| ready(&line));
        let found = found.ok_or_else(|| format!("{name} does not start"))?;
        let tell = tell.clone();
        thread::spawn(move || {
            lines.for_each(drop);
            tell.send(name).ok();
        });
        Ok((started, found))
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The same command, for a process that is told to end when we have.
fn ending_with_us(command: &Command) -> Command {
    let mut attached = Command::new("setpriv");
    attached.arg("--pdeathsig=TERM").arg(command.get_program());
    attached.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => attached.env(name, value),
            None => attached.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        attached.current_dir(folder);
    }
    attached
}
