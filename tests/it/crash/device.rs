//! A client that keeps a record of what it was told.

use std::net::SocketAddr;

use history::{Check, Deed, History, Reply, SessionNumber};
use hyper::Method;
use session_core::{SessionHandle, store::SessionStore};
use session_sqlx::SqlxStore;

use crate::{
    client::{Answer, Client, NoAnswer, Transport},
    dice,
};

/// A device and its one session.
#[derive(Debug)]
pub(super) struct Device {
    session: SessionNumber,
    user: String,
    handle: SessionHandle,
    transport: Transport,
    /// With the tokens of the last good answer, even after a bad one.
    client: Client,
    peers: Vec<Peer>,
    over: bool,
}

/// Another device of the same user.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    session: SessionNumber,
    user: String,
    handle: SessionHandle,
}

/// What a device can do after what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    /// The session is over.
    Over,
    NoServer,
}

impl Device {
    /// `None` when there is no answer: whether there is a session is not known, and nobody can use
    /// it.
    pub(super) async fn log_in(
        server: SocketAddr,
        user: &str,
        transport: Transport,
        history: &History,
    ) -> Option<Self> {
        let mut client = Client::new(server, transport);
        let (session, asked) = (history.new_session(), history.now());
        let answer = client.try_log_in(user, "one of several").await;
        let told = match (&answer, reply(&answer)) {
            (Ok(answer), Reply::Done) => {
                Reply::Begun(answer.json()["handle"].as_str().unwrap().to_owned())
            }
            (_, other) => other,
        };
        let begin = Deed::Begin(user.to_owned());
        history.record(session, SERVER, asked, begin, told.clone());
        let Reply::Begun(handle) = told else {
            return None;
        };
        Some(Self {
            session,
            user: user.to_owned(),
            handle: SessionHandle::try_from(handle).unwrap(),
            transport,
            client,
            peers: Vec::new(),
            over: false,
        })
    }

    /// Gets to know the other devices of its user among `peers`.
    pub(super) fn meet(&mut self, peers: &[Peer]) {
        let others = peers
            .iter()
            .filter(|peer| peer.user == self.user && peer.session != self.session);
        self.peers = others.cloned().collect();
    }

    /// Does one of the things that a user might do.
    pub(super) async fn act(&mut self, history: &History) -> Next {
        match dice::below(100) {
            0..50 => self.refresh(history).await,
            50..70 => self.refresh_in_two_tabs(history).await,
            70..90 => self.try_use(history).await,
            90..95 => self.sign_out(history).await,
            _ => self.end_a_peer(history).await,
        }
    }

    /// What became of the session, and whether its client can go on.
    pub(super) async fn find_out(&mut self, store: &SqlxStore, history: &History) {
        let asked = history.now();
        let row = store.get(&self.handle).await.unwrap();
        let row = row.map_or(Reply::Gone, |row| Reply::Row(row.generation));
        history.record(self.session, SERVER, asked, Deed::Look, row);
        self.try_use(history).await;
        let refreshed = self.refresh(history).await;
        let used = self.try_use(history).await;
        self.over = (refreshed, used) != (Next::GoOn, Next::GoOn);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn transport(&self) -> Transport {
        self.transport
    }

    pub(super) fn as_peer(&self) -> Peer {
        Peer {
            session: self.session,
            user: self.user.clone(),
            handle: self.handle.clone(),
        }
    }

    async fn refresh(&mut self, history: &History) -> Next {
        let tab = self.client.clone();
        let (told, client) = self.refresh_tab(tab, history).await;
        self.go_on_as(told, client)
    }

    /// Two tabs have the same token, and both find that it is time.
    async fn refresh_in_two_tabs(&mut self, history: &History) -> Next {
        let (one, two) = (self.client.clone(), self.client.clone());
        let ((one, client), (two, other)) = tokio::join!(
            self.refresh_tab(one, history),
            self.refresh_tab(two, history)
        );
        let next = self.go_on_as(two, other);
        match self.go_on_as(one, client) {
            Next::GoOn => next,
            stopped => stopped,
        }
    }

    async fn refresh_tab(&self, mut tab: Client, history: &History) -> (Next, Client) {
        let presented = tab.refresh_token().unwrap().to_owned();
        let asked = history.now();
        let answer = tab.try_refresh().await;
        let told = match reply(&answer) {
            Reply::Done => Reply::Successor(tab.refresh_token().unwrap().to_owned()),
            other => other,
        };
        let next = next(&told);
        history.record(self.session, SERVER, asked, Deed::Refresh(presented), told);
        (next, tab)
    }

    async fn try_use(&mut self, history: &History) -> Next {
        let mut tab = self.client.clone();
        let asked = history.now();
        let answer = tab.try_send(Method::POST, "/like-comment", None).await;
        let told = reply(&answer);
        let next = next(&told);
        history.record(
            self.session,
            SERVER,
            asked,
            Deed::Use(Check::Database),
            told,
        );
        self.go_on_as(next, tab)
    }

    async fn sign_out(&mut self, history: &History) -> Next {
        let mut tab = self.client.clone();
        let asked = history.now();
        let answer = tab.try_send(Method::POST, "/auth/signout", None).await;
        let told = reply(&answer);
        let next = match &told {
            Reply::Done => Next::Over,
            other => next(other),
        };
        history.record(self.session, SERVER, asked, Deed::SignOut, told);
        next
    }

    async fn end_a_peer(&mut self, history: &History) -> Next {
        if self.peers.is_empty() {
            return Next::GoOn;
        }
        let one = usize::try_from(dice::below(self.peers.len() as u64)).unwrap();
        let peer = self.peers.remove(one);
        let path = format!("/devices/{}/end", peer.handle);
        let mut tab = self.client.clone();
        let asked = history.now();
        let answer = tab.try_send(Method::POST, &path, None).await;
        let told = reply(&answer);
        match &answer {
            // This is about the device that asks.
            Ok(answer) if answer.status == 401 => {
                let next = next(&told);
                history.record(
                    self.session,
                    SERVER,
                    asked,
                    Deed::Use(Check::Database),
                    told,
                );
                next
            }
            Ok(_) => {
                history.record(peer.session, SERVER, asked, Deed::End, told);
                Next::GoOn
            }
            Err(NoAnswer) => {
                history.record(peer.session, SERVER, asked, Deed::End, told);
                Next::NoServer
            }
        }
    }

    /// Keeps the tokens of `tab` if it was given any.
    fn go_on_as(&mut self, next: Next, tab: Client) -> Next {
        if next == Next::GoOn {
            self.client = tab;
        }
        next
    }
}

fn reply(answer: &Result<Answer, NoAnswer>) -> Reply {
    let Ok(answer) = answer else {
        return Reply::Nothing;
    };
    match (answer.status.as_u16(), answer.message().as_str()) {
        (200, _) => Reply::Done,
        (401, "try refresh token") => Reply::Stale,
        (401, "unauthorised") | (404, "you have no such session") => Reply::Gone,
        (401, "token theft detected") => Reply::Theft,
        (503, _) => Reply::Unavailable,
        (status, _) => Reply::Status(status),
    }
}

fn next(told: &Reply) -> Next {
    match told {
        Reply::Nothing => Next::NoServer,
        Reply::Gone | Reply::Theft | Reply::Unavailable | Reply::Status(_) => Next::Over,
        Reply::Done | Reply::Begun(_) | Reply::Successor(_) | Reply::Row(_) | Reply::Stale => {
            Next::GoOn
        }
    }
}

/// There is one at a time.
pub(super) const SERVER: usize = 0;
