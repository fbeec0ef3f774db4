//! A client with one session, which keeps a record of what it is told.

use history::{Check, Deed, History, Reply, SessionNumber};
use hyper::Method;
use session_axum::{SessionHandle, session_core::store::SessionStore};

use crate::{
    client::{ACCESS, Answer, NoAnswer, Opened, REFRESH, ask, open},
    node::Place,
};

/// A device and its session.
#[derive(Debug, Clone)]
pub struct Device {
    peer: Peer,
    access: String,
    refresh: String,
}

/// What others know of a session.
#[derive(Debug, Clone)]
pub struct Peer {
    session: SessionNumber,
    user: String,
    handle: String,
}

impl Device {
    /// `None` when the session was not acknowledged: whether there is one is not known, and nobody
    /// can use it.
    pub async fn log_in(at: Place, user: &str, history: &History) -> Option<Self> {
        let (session, asked) = (history.new_session(), history.now());
        let path = format!("/sessions/of/{user}");
        let answer = ask(at.address, Method::POST, &path, None).await;
        let handle = (answer.as_ref().ok())
            .and_then(|answer| Some(answer.json().get("handle")?.as_str()?.to_owned()));
        let told = match (reply(&answer), &handle) {
            (Reply::Done, Some(handle)) => Reply::Begun(handle.clone()),
            (other, _) => other,
        };
        let begin = Deed::Begin(user.to_owned());
        history.record(session, at.node, asked, begin, told);
        let answer = answer.ok()?;
        Some(Self {
            access: answer.header(ACCESS)?.to_owned(),
            refresh: answer.header(REFRESH)?.to_owned(),
            peer: Peer {
                session,
                user: user.to_owned(),
                handle: handle?,
            },
        })
    }

    /// Asks a route that checks the session.
    pub async fn try_use(&self, at: Place, check: Check, history: &History) -> Reply {
        let path = match check {
            Check::Stateless => "/stateless",
            Check::Blacklist => "/blacklist",
            Check::Database => "/database",
        };
        let asked = history.now();
        let answer = ask(at.address, Method::GET, path, Some(&self.access)).await;
        let told = reply(&answer);
        let deed = Deed::Use(check);
        history.record(self.peer.session, at.node, asked, deed, told.clone());
        told
    }

    /// Exchanges its refresh token, and keeps what it is given.
    pub async fn refresh(&mut self, at: Place, history: &History) -> Reply {
        let asked = history.now();
        let answer = ask(
            at.address,
            Method::POST,
            "/auth/session/refresh",
            Some(&self.refresh),
        );
        let answer = answer.await;
        let told = match (&answer, reply(&answer)) {
            (Ok(answer), Reply::Done) => {
                let successor = answer.header(REFRESH).unwrap_or_default();
                Reply::Successor(successor.to_owned())
            }
            (_, other) => other,
        };
        let deed = Deed::Refresh(self.refresh.clone());
        history.record(self.peer.session, at.node, asked, deed, told.clone());
        if let (Ok(answer), Reply::Successor(successor)) = (&answer, &told) {
            self.refresh.clone_from(successor);
            answer
                .header(ACCESS)
                .unwrap_or_default()
                .clone_into(&mut self.access);
        }
        told
    }

    /// Two tabs have the same token, and both find that it is time.
    pub async fn refresh_in_two_tabs(
        &mut self,
        one: Place,
        two: Place,
        history: &History,
    ) -> Reply {
        let mut tab = self.clone();
        let (told, other) = tokio::join!(self.refresh(one, history), tab.refresh(two, history));
        if matches!(told, Reply::Successor(_)) {
            return told;
        }
        *self = tab;
        other
    }

    /// Begins to wait at a node for the session's end: once this has returned, the node waits, and
    /// its answer ends when it knows. `None` when it refuses, as it knows already.
    pub async fn wait_for_end(&self, at: Place) -> Option<Opened> {
        let waiting = open(
            at.address,
            Method::GET,
            "/until-revoked",
            Some(&self.access),
        );
        waiting.await.ok().filter(|waiting| waiting.status() == 200)
    }

    /// Its access token.
    pub fn access(&self) -> &str {
        &self.access
    }

    /// What others know of it.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }
}

impl Peer {
    /// Ends the session.
    pub async fn end(&self, at: Place, history: &History) -> Reply {
        let asked = history.now();
        let path = format!("/sessions/{}", self.handle);
        let answer = ask(at.address, Method::DELETE, &path, None).await;
        let is_ended = |answer: &Answer| {
            answer
                .json()
                .get("ended")
                .and_then(serde_json::Value::as_bool)
                == Some(true)
        };
        let told = match (&answer, reply(&answer)) {
            (Ok(answer), Reply::Done) if !is_ended(answer) => Reply::Gone,
            (_, other) => other,
        };
        history.record(self.session, at.node, asked, Deed::End, told.clone());
        told
    }

    /// Ends every session of its user.
    pub async fn end_all(&self, at: Place, history: &History) -> Reply {
        let asked = history.now();
        let path = format!("/sessions/of/{}", self.user);
        let told = reply(&ask(at.address, Method::DELETE, &path, None).await);
        let deed = Deed::EndAll(self.user.clone());
        history.record(self.session, at.node, asked, deed, told.clone());
        told
    }

    /// Looks what became of the session, into the database itself.
    ///
    /// # Panics
    ///
    /// When the database does not answer.
    pub async fn look(&self, store: &dyn SessionStore, history: &History) -> Reply {
        let asked = history.now();
        let handle = SessionHandle::try_from(self.handle.clone()).unwrap();
        let row = store.get(&handle).await.unwrap();
        let told = row.map_or(Reply::Gone, |row| Reply::Row(row.generation));
        history.record(self.session, NOBODY, asked, Deed::Look, told.clone());
        told
    }

    /// Whose session it is.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Its handle.
    pub fn handle(&self) -> &str {
        &self.handle
    }
}

fn reply(answer: &Result<Answer, NoAnswer>) -> Reply {
    answer.as_ref().map_or(Reply::Nothing, Answer::reply)
}

/// Not a node: the database was asked.
const NOBODY: usize = usize::MAX;
