//! How a program that was started to be measured says that it is ready, and when it ends.

use std::{io, net, process, thread};

/// Tells whoever started this program where it listens.
pub fn announce(address: net::SocketAddr) {
    println!("http://{address}");
}

/// Listens on a free port and tells whoever started this program.
pub async fn listen() -> io::Result<tokio::net::TcpListener> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    Ok(listener)
}

/// The same for actix-web, whose workers share the standard library's.
pub fn listen_for_workers() -> io::Result<net::TcpListener> {
    let listener = net::TcpListener::bind("127.0.0.1:0")?;
    announce(listener.local_addr()?);
    Ok(listener)
}

/// Ends this process when its input ends, so that it does not outlive whoever started it.
pub fn end_with_input() {
    thread::spawn(|| {
        drop(io::copy(&mut io::stdin(), &mut io::sink()));
        process::exit(0);
    });
}
