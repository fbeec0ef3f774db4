//! A program that serves, until it is dropped.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

/// A running program and its address.
pub(crate) struct Program {
    process: Child,
    address: String,
}

impl Program {
    /// Starts it and waits until it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().to_owned();
        Self { process, address }
    }

    /// The status and the body of what it answers to `GET /session` with these header lines.
    pub(crate) fn get(&self, path: &str, lines: &[&str]) -> (u16, String) {
        self.ask("GET", path, lines, "")
    }

    /// The same of any method, with a body.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        lines: &[&str],
        body: &str,
    ) -> (u16, String) {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        let length = format!("content-length: {}", body.len());
        for line in lines.iter().chain(&["connection: close", &length]) {
            request.push_str(line);
            request.push_str("\r\n");
        }
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .write_all(format!("{request}\r\n{body}").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap();
        (status.parse().unwrap(), body.to_owned())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}
