//! `Connection`: the one connection that a store's operations share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::aio::ConnectionManager;

use crate::{error::ConnectError, options::ConnectOptions};

/// A connection that is made again when it breaks, and replaced when it falls silent.
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
    number: u64,
}

impl Connection {
    pub(crate) async fn open(options: ConnectOptions) -> Result<Self, ConnectError> {
        let line = Line {
            manager: options.connect().await?,
            number: 0,
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

    /// No answer came on `silent`: who asks next uses another one. Of many who waited on the same, the
    /// first replaces it; those who have asked on it may still get their answers.
    pub(crate) fn replace(&self, silent: &Line) {
        let mut current = self.current();
        if current.number != silent.number {
            return;
        }
        match self.options.connect_when_asked() {
            Ok(manager) => {
                current.manager = manager;
                current.number = current.number.wrapping_add(1);
            }
            Err(error) => tracing::warn!(%error, "a silent connection to Redis is kept"),
        }
    }

    fn current(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
