//! `Connection`: the one connection that a store's operations share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{Client, RedisError, aio::ConnectionManager};

use crate::{error::ConnectError, options::ConnectOptions, redirection};

/// A connection that is made again when it breaks, and replaced when it falls silent or leads to a
/// node of a cluster that has none of our keys.
///
/// The driver sees one that was closed. One that a firewall has forgotten, or a server that was
/// unplugged, closes nothing: questions time out on it for as long as the operating system goes on
/// trying, which may be a quarter of an hour.
pub(crate) struct Connection {
    options: ConnectOptions,
    line: Mutex<Line>,
}

/// A connection, and how many there were before it.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) manager: ConnectionManager,
    client: Arc<Client>,
    number: usize,
}

impl Connection {
    pub(crate) async fn open(options: ConnectOptions) -> Result<Self, ConnectError> {
        let mut number = 0;
        let (client, manager) = loop {
            let client = options.client(number)?;
            match options.connect(client.clone()).await {
                Ok(manager) => break (client, manager),
                Err(_) if options.has_another_after(number) => number = number.wrapping_add(1),
                Err(error) => return Err(error),
            }
        };
        let line = Line {
            manager,
            client: Arc::new(client),
            number,
        };
        Ok(Self {
            options,
            line: Mutex::new(line),
        })
    }

    /// The one to ask on.
    pub(crate) fn line(&self) -> Line {
        self.current().clone()
    }

    /// This one came to nothing: it is given up if it was silent, and in a cluster also if its node is
    /// gone, whose keys another one has by then.
    pub(crate) fn has_failed(&self, line: &Line, error: &RedisError) {
        if error.is_timeout() || (self.options.is_cluster() && error.is_io_error()) {
            self.replace(line);
        }
    }

    /// No answer came on `silent`: who asks next uses another one. Of many who waited on the same, the
    /// first replaces it; those who have asked on it may still get their answers.
    pub(crate) fn replace(&self, silent: &Line) {
        match self.options.client(silent.number.wrapping_add(1)) {
            Ok(client) => self.put(silent, client),
            Err(error) => tracing::warn!(%error, "a silent connection to Redis is kept"),
        }
    }

    /// Whether the answer was that another node has the keys, which is the one to ask from then on.
    pub(crate) fn follow(&self, line: &Line, answer: &RedisError) -> bool {
        if !self.options.is_cluster() {
            return false;
        }
        let address = line.client.get_connection_info();
        let Some(there) = redirection::address(address.addr(), answer) else {
            return false;
        };
        let client = Client::open(address.clone().set_addr(there));
        client.is_ok_and(|client| {
            self.put(line, client);
            true
        })
    }

    fn put(&self, instead_of: &Line, client: Client) {
        let mut current = self.current();
        if current.number != instead_of.number {
            return;
        }
        match self.options.connect_when_asked(client.clone()) {
            Ok(manager) => {
                *current = Line {
                    manager,
                    client: Arc::new(client),
                    number: current.number.wrapping_add(1),
                };
            }
            Err(error) => tracing::warn!(%error, "a connection to Redis is not replaced"),
        }
    }

    fn current(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
