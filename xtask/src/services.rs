//! `cargo xtask services`: the servers of the tests, for a person who develops.

use std::thread;

use servers::Servers;

/// Runs the servers until it is interrupted.
pub(crate) fn serve() -> Result<(), String> {
    let servers = Servers::start()?;
    for (variable, url) in servers.environment() {
        println!("export {variable}={url}");
    }
    println!("# running until ctrl-c");
    loop {
        thread::park();
    }
}
