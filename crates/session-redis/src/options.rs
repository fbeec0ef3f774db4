//! `ConnectOptions`: what a connection needs to know.

use std::time::Duration;

use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::error::{ConnectError, TimedOut};
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// How to reach a server and what to call things there.
#[derive(Clone)]
#[must_use]
pub struct ConnectOptions {
    nodes: Vec<String>,
    shape: Shape,
    prefix: String,
    #[cfg(feature = "tls")]
    tls: Tls,
    pub(crate) timeout: Duration,
    pub(crate) poll_every: Duration,
    pub(crate) distrust: Duration,
}

impl ConnectOptions {
    /// The server at `url`: `redis://user:password@host:6379/0`, `rediss://…` for TLS, or
    /// `redis+unix:///path`.
    pub fn new(url: impl Into<String>) -> Self {
        Self::to(vec![url.into()], Shape::Server)
    }

    /// The cluster that has nodes at `urls`, of which one has to answer: it tells which of all nodes
    /// has the keys, and that one is asked, with the same account and the same certificates.
    pub fn cluster(urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::to(urls.into_iter().map(Into::into).collect(), Shape::Cluster)
    }

    fn to(nodes: Vec<String>, shape: Shape) -> Self {
        Self {
            nodes,
            shape,
            prefix: "session".to_owned(),
            #[cfg(feature = "tls")]
            tls: Tls::default(),
            timeout: Duration::from_secs(2),
            poll_every: Duration::from_secs(1),
            distrust: Duration::from_mins(1),
        }
    }

    /// What all keys and channels begin with, in braces, so that a cluster keeps them together.
    /// Default: `session`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The authority that a server's certificate must be of, as PEM; several may follow one another.
    /// Takes an address of TLS (`rediss://`). Default: the public authorities, which are not trusted
    /// beside this one.
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.trust(pem.into());
        self
    }

    /// The certificate that the server is shown, with those that lead to its authority, and the key
    /// that belongs to it, both as PEM. Takes an address of TLS (`rediss://`). Default: none.
    #[cfg(feature = "tls")]
    pub fn client_certificate(
        mut self,
        pem: impl Into<Vec<u8>>,
        key_pem: impl Into<Vec<u8>>,
    ) -> Self {
        self.tls.introduce_as(pem.into(), key_pem.into());
        self
    }

    /// How long to wait for the server. Default: 2 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a node asks the store for the revocations of others. Default: 1 second.
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.poll_every = interval;
        self
    }

    /// For how long the store's list of revocations is not relied upon after the server lost its
    /// memory. Default: 1 minute, in which every node has read the signing keys again and refuses
    /// every token of before by itself.
    pub fn distrust_after_loss(mut self, time: Duration) -> Self {
        self.distrust = time;
        self
    }

    /// What keys and channels begin with.
    pub(crate) fn key_prefix(&self) -> Result<String, ConnectError> {
        let allowed = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-.:".contains(letter)
        };
        if !(1..=32).contains(&self.prefix.len()) || !self.prefix.chars().all(allowed) {
            return Err(ConnectError::UnusablePrefix);
        }
        Ok(format!("{{{}}}:", self.prefix))
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.shape == Shape::Cluster
    }

    /// Whether there is a node that no attempt before or at this one was made at.
    pub(crate) fn has_another_after(&self, attempt: usize) -> bool {
        attempt.saturating_add(1) < self.nodes.len()
    }

    /// Of several nodes, every attempt takes the next.
    pub(crate) fn client(&self, attempt: usize) -> Result<Client, ConnectError> {
        for (setting, value) in [("timeout", self.timeout), ("poll_every", self.poll_every)] {
            if value.is_zero() {
                return Err(ConnectError::ZeroSetting(setting));
            }
        }
        let node = attempt.checked_rem(self.nodes.len());
        let url = node.and_then(|node| self.nodes.get(node));
        let url = url.ok_or(ConnectError::NoNode)?;
        #[cfg(feature = "tls")]
        return self.tls.client(url);
        #[cfg(not(feature = "tls"))]
        Client::open(&**url).map_err(|error| ConnectError::Address(Box::new(error)))
    }

    /// One connection, which is shared and made again when it breaks.
    pub(crate) async fn connect(&self, client: Client) -> Result<ConnectionManager, ConnectError> {
        let connected = ConnectionManager::new_with_config(client, self.manager_config());
        match tokio::time::timeout(self.timeout, connected).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(ConnectError::Server(Box::new(error))),
            Err(_) => Err(ConnectError::Server(Box::new(TimedOut))),
        }
    }

    /// The same, made when something is asked on it.
    pub(crate) fn connect_when_asked(
        &self,
        client: Client,
    ) -> Result<ConnectionManager, ConnectError> {
        ConnectionManager::new_lazy_with_config(client, self.manager_config())
            .map_err(|error| ConnectError::Server(Box::new(error)))
    }

    fn manager_config(&self) -> ConnectionManagerConfig {
        ConnectionManagerConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout))
            // Whoever asks next tries again; nobody is to wait for another's attempts.
            .set_number_of_retries(1)
    }
}

/// What the addresses are of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Server,
    Cluster,
}

impl std::fmt::Debug for ConnectOptions {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
