//! Other people's libraries as judges of our access tokens: each is a process that fetches the keys
//! from our JWKS URL, reads tokens and says what it makes of them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test whose judge does not speak is to fail"
)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use programs::{Node, Python};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
    time::timeout,
};

/// Who judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a test has a verdict for each")]
pub enum Library {
    /// `jose`, from npm.
    Jose,
    /// `jsonwebtoken` with the keys that `jwks-rsa` fetches, from npm.
    JsonWebToken,
    /// `PyJWT` with its JWKS client, from PyPI.
    PyJwt,
    /// The official Node.js SDK, from npm: a session without a request.
    SuperTokensNode,
}

impl Library {
    /// Starts a judge who fetches the keys from `jwks` and expects tokens of `issuer`.
    pub fn start(self, jwks: &str, issuer: &str) -> Judge {
        let mut command = match self {
            Self::Jose => node("scripts/jose.mjs"),
            Self::JsonWebToken => node("scripts/jsonwebtoken.mjs"),
            Self::PyJwt => python("scripts/pyjwt_with_jwks_client.py"),
            Self::SuperTokensNode => node("scripts/supertokens_node.mjs"),
        };
        command.args([jwks, issuer]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        let mut process = command.kill_on_drop(true).spawn().unwrap();
        Judge {
            questions: process.stdin.take().unwrap(),
            verdicts: BufReader::new(process.stdout.take().unwrap()).lines(),
            _process: process,
        }
    }
}

/// A library that is running; it ends with this value. What it has cached of the keys, it keeps.
#[derive(Debug)]
pub struct Judge {
    questions: ChildStdin,
    verdicts: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Judge {
    /// What it makes of these tokens, when its clock shows `now_s`, in Unix seconds.
    pub async fn judge(&mut self, now_s: i64, tokens: &[impl AsRef<str>]) -> Vec<Verdict> {
        let now = now_s * 1_000;
        let questions: String = tokens
            .iter()
            .map(|token| {
                let token = token.as_ref();
                serde_json::to_string(&Question { now, token }).unwrap() + "\n"
            })
            .collect();
        let mut verdicts = Vec::with_capacity(tokens.len());
        let ask = self.questions.write_all(questions.as_bytes());
        let hear = async {
            while verdicts.len() < tokens.len() {
                let line = timeout(PATIENCE, self.verdicts.next_line()).await;
                let line = line.expect("the judge takes too long").unwrap();
                let line = line.expect("the judge has left; its words are above");
                verdicts.push(serde_json::from_str(&line).unwrap());
            }
        };
        let (asked, ()) = tokio::join!(ask, hear);
        asked.unwrap();
        verdicts
    }
}

#[derive(Serialize)]
struct Question<'a> {
    now: i64,
    token: &'a str,
}

/// What a library makes of a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Verdict {
    /// It is good, and this is what it says, in JSON.
    Claims(String),
    /// It is not, for this reason in the library's own words.
    Refused(String),
}

impl Verdict {
    /// `accepted`, or why it was not.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Claims(_) => "accepted",
            Self::Refused(reason) => reason,
        }
    }
}

fn node(script: &str) -> Command {
    static NODE: OnceLock<Node> = OnceLock::new();
    let node = NODE.get_or_init(|| Node::ready().expect("there is no Node.js"));
    let mut command = node.in_folder(here()).expect("npm does not install");
    // What turns the clock is experimental in the oldest Node.js that will do.
    command.args(["--disable-warning=ExperimentalWarning", script]);
    command
}

fn python(script: &str) -> Command {
    static PYTHON: OnceLock<Python> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let requirements: PathBuf = here().join("requirements.txt");
        Python::with(&requirements).expect("there is no Python")
    });
    let mut command = python.command();
    command.arg(here().join(script));
    command
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Far longer than any of them takes.
const PATIENCE: Duration = Duration::from_mins(1);
