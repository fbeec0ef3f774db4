//! A site: nodes of one application on one store, a clock that a test turns, and a website.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use session_core::{
    AppInfo, Sessions, UserId,
    clock::{Clock, ManualClock},
    config::AntiCsrf,
    store::SessionScope,
};
use session_sqlx::SqlxStore;
use session_testkit::faulty_store::{Fault, FaultyStore};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{
    Folders,
    application::{Application, Role},
    front::{Damage, Exchange, Front, Traffic},
    hosts::Hosts,
    server::{Adapter, Server},
    website,
};

/// What a test wants of a site.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(crate) struct Settings {
    nodes: usize,
    hosts: Hosts,
    anti_csrf: Option<AntiCsrfMode>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nodes: 1,
            hosts: Hosts::SameSite,
            anti_csrf: None,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum AntiCsrfMode {
    None,
    ViaToken,
    ViaCustomHeader,
}

/// Where a site is.
#[derive(Debug, Serialize)]
pub(crate) struct Addresses {
    website: String,
    /// The same pages at an origin that is nobody's.
    foreign: String,
    /// The nodes; the first is the one that the pages know.
    apis: Vec<String>,
}

/// What a test does to a site.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Command {
    /// Turns the clock by so many seconds.
    Advance(u64),
    /// Everybody has another role.
    Role(String),
    /// A node ends all sessions of a user, and waits until every other node knows.
    Revoke { node: usize, user: String },
    /// Takes the database away, or gives it back.
    Database(Presence),
    /// Damages answers from now on, or leaves them as they are.
    Damage(Option<Damage>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Presence {
    Away,
    Back,
}

/// A running site, until it is dropped.
pub(crate) struct Site {
    nodes: Vec<Node>,
    clock: Arc<ManualClock>,
    role: Role,
    store: FaultyStore,
    traffic: Traffic,
    _website: (Server, Front),
    _folder: TempDir,
}

struct Node {
    sessions: Sessions,
    _server: Server,
    _front: Front,
}

impl Site {
    /// Starts one.
    pub(crate) async fn start(
        adapter: Adapter,
        settings: Settings,
        folders: &Folders,
    ) -> Result<(Self, Addresses), Problem> {
        let folder = TempDir::new_in(&folders.databases)?;
        let file = folder.path().join("sessions.sqlite");
        let store = SqlxStore::connect(&format!("sqlite://{}", file.display())).await?;
        let store = FaultyStore::new(store);
        let clock = Arc::new(ManualClock::new(now()));
        let (role, traffic) = (Role::default(), Traffic::default());

        let hosts = settings.hosts;
        let website = TcpListener::bind("127.0.0.1:0").await?;
        let port = website.local_addr()?.port();
        let mut addresses = Addresses {
            website: hosts.website(port),
            foreign: hosts.foreign(port),
            apis: Vec::new(),
        };
        let mut listeners = Vec::new();
        for _ in 0..settings.nodes {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            addresses
                .apis
                .push(hosts.api(listener.local_addr()?.port()));
            listeners.push(listener);
        }
        let api = addresses.apis.first().ok_or("a site has a node")?;

        let mut nodes = Vec::new();
        for (number, listener) in listeners.into_iter().enumerate() {
            let sessions = Sessions::builder(AppInfo::new(api, &addresses.website))
                .store(store.clone())
                .shared_clock(Arc::clone(&clock) as Arc<dyn Clock>)
                .claim(role.clone())
                .config(|config| {
                    let config = config.expiry_jitter(0.0);
                    match settings.anti_csrf {
                        Some(mode) => config.anti_csrf(mode.into()),
                        None => config,
                    }
                })
                .build()
                .await?;
            let application = Application {
                sessions: sessions.clone(),
                website: addresses.website.clone(),
            };
            let server = adapter.serve(application).await?;
            let tls = hosts.tls_of_the_api()?;
            nodes.push(Node {
                _front: Front::start(listener, tls, server.address(), number, traffic.clone()),
                sessions,
                _server: server,
            });
        }
        let pages = website::serve(&folders.pages).await?;
        let tls = hosts.tls_of_the_website()?;
        let front = Front::start(website, tls, pages.address(), 0, Traffic::default());
        let site = Self {
            nodes,
            clock,
            role,
            store,
            traffic,
            _website: (pages, front),
            _folder: folder,
        };
        Ok((site, addresses))
    }

    /// Does what a test wants.
    pub(crate) async fn obey(&self, command: Command) -> Result<(), Problem> {
        match command {
            Command::Advance(seconds) => self.clock.advance(Duration::from_secs(seconds)),
            Command::Role(role) => self.role.set(role),
            Command::Revoke { node, user } => return self.revoke(node, user).await,
            Command::Database(Presence::Away) => self.store.break_all(Fault::Unavailable),
            Command::Database(Presence::Back) => self.store.repair(),
            Command::Damage(damage) => self.traffic.damage(damage),
        }
        Ok(())
    }

    async fn revoke(&self, node: usize, user: String) -> Result<(), Problem> {
        let node = self.nodes.get(node).ok_or("there is no such node")?;
        let scope = SessionScope::User {
            user: UserId::try_from(user)?,
            tenant: None,
            except: None,
        };
        let receipt = node.sessions.revoke_and_wait(scope, PATIENCE).await?;
        if receipt.ended().is_empty() {
            return Err("there was no session to end".into());
        }
        if !receipt.confirmation().is_complete() {
            return Err(format!("{:?}", receipt.confirmation()).into());
        }
        Ok(())
    }

    /// What the nodes were asked and have answered so far.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.traffic.exchanges()
    }
}

impl From<AntiCsrfMode> for AntiCsrf {
    fn from(mode: AntiCsrfMode) -> Self {
        match mode {
            AntiCsrfMode::None => Self::None,
            AntiCsrfMode::ViaToken => Self::ViaToken,
            AntiCsrfMode::ViaCustomHeader => Self::ViaCustomHeader,
        }
    }
}

/// Browsers go by their own clock, so a site's has to begin there.
#[expect(clippy::disallowed_methods, reason = "what the clock begins with")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// For what takes a moment, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// What did not work, for a person.
pub(crate) type Problem = Box<dyn Error + Send + Sync>;
