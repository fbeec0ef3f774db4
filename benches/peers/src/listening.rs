//! How a program that was started to be measured says that it is ready, and when it ends.

use std::{io, net::SocketAddr, process, thread};

/// Tells whoever started this program where it listens.
pub fn announce(address: SocketAddr) {
    println!("http://{address}");
}

/// Ends this process when its input ends, so that it does not outlive whoever started it.
pub fn end_with_input() {
    thread::spawn(|| {
        drop(io::copy(&mut io::stdin(), &mut io::sink()));
        process::exit(0);
    });
}
