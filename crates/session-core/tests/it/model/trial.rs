//! Model and service side by side.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use session_core::{
    IssuedSession, RefreshToken, SessionError, SessionHandle, clock::unix_ms,
    observer::ReplayClass, store::SessionRecord,
};

use super::{HOLDERS, Model, Row, Step, Token, Verdict};
use crate::node::{
    Heard, Listener, Node, Told, all_at_once, check_blacklist, check_database, generation,
    refresh_token, secret_hash,
};

/// Model and service side by side.
pub(super) struct Trial {
    node: Node,
    heard: Heard,
    handle: SessionHandle,
    model: Model,
    began: Duration,
    /// What everybody holds, as the model and as the client see it.
    held: Vec<(Token, RefreshToken)>,
    /// The one text of each token of the model.
    texts: HashMap<Token, String>,
    /// When each token was superseded for the first time in the true history, which no restore
    /// changes.
    superseded: HashMap<Token, Duration>,
    backups: Vec<(SessionRecord, Row)>,
    payload: u32,
    /// Whether the database has been set back: only then may two lines part.
    has_been_restored: bool,
    /// Its access token must end with the session, like the newest one.
    first: IssuedSession,
    newest_access: IssuedSession,
}

impl Trial {
    pub(super) async fn new(grace: Duration) -> Self {
        let (listener, heard) = Listener::new();
        let node = Node::with(crate::faulty_store::FaultyStore::new(), |builder| {
            builder
                .config(|config| {
                    config
                        .access_token_lifetime(Duration::from_hours(1))
                        .rotation_grace(grace)
                })
                .observer(listener)
        })
        .await;
        let issued = node.log_in("ann").await;
        let handle = issued.session().handle().clone();
        let first = Token {
            ancestors: Vec::new(),
            key: 0,
        };
        let began = Duration::from_millis(node.now_ms().unsigned_abs());
        let row = Row {
            current: first.clone(),
            learned_at: BTreeMap::from([(0, Duration::ZERO)]),
        };
        let stored = node.row(&handle).await.unwrap();
        let text = refresh_token(&issued);
        Self {
            texts: HashMap::from([(first.clone(), text.expose().to_owned())]),
            held: vec![(first, text); HOLDERS],
            superseded: HashMap::new(),
            backups: vec![(stored, row.clone())],
            model: Model {
                grace,
                now: Duration::ZERO,
                keys: vec![Duration::ZERO],
                row: Some(row),
            },
            payload: 0,
            has_been_restored: false,
            newest_access: issued.clone(),
            first: issued,
            node,
            heard,
            handle,
            began,
        }
    }

    pub(super) async fn step(&mut self, step: &Step) {
        match *step {
            Step::Wait(wait) => {
                let by = wait.duration(self.model.grace);
                self.node.advance(by);
                self.model.now += by;
            }
            Step::Refresh { who, times } => {
                for _ in 0..times {
                    self.refresh(who, 1, true).await;
                }
            }
            Step::LoseAnswer { who } => self.refresh(who, 1, false).await,
            Step::Race { who, requests } => self.refresh(who, requests, true).await,
            Step::Copy { from, to } => self.held[to] = self.held[from].clone(),
            Step::RotateKey => self.rotate_key().await,
            Step::Restore { rotations } => self.restore(rotations).await,
            Step::UpdatePayload(value) => self.update_payload(value).await,
            Step::Revoke => {
                let ended = self.node.sessions.revoke(&self.handle).await.unwrap();
                assert_eq!(ended, self.model.row.take().is_some());
            }
        }
        self.invariants().await;
    }

    /// One request, or several copies of it at once, and what the model says to them.
    async fn refresh(&mut self, who: usize, requests: usize, answer_arrives: bool) {
        let (presented, text) = self.held[who].clone();
        if self.has_been_restored && self.model.search_is_too_long(&presented) {
            return;
        }
        let was_alive = self.model.row.is_some();
        let mut expected = Vec::new();
        for _ in 0..requests {
            let before = self.model.row.clone();
            expected.push(self.model.refresh(&presented));
            self.note_superseded(before.as_ref(), &presented);
        }
        let generation_before = self
            .node
            .row(&self.handle)
            .await
            .map_or(0, |row| row.generation);
        let answers = all_at_once((0..requests).map(|_| {
            let (sessions, text) = (self.node.sessions.clone(), text.clone());
            async move {
                let not_checked = session_core::verify::PresentedAntiCsrf::NotChecked;
                sessions.refresh(&text, not_checked).await
            }
        }))
        .await;
        let mut verdicts = self
            .verdicts(&answers, generation(&text), generation_before)
            .await;
        verdicts.sort_unstable();
        expected.sort_unstable();
        assert_eq!(verdicts, expected, "somebody presented {presented:?}");
        assert!(was_alive || answers.iter().all(Result::is_err));
        self.no_false_theft(&presented, &verdicts);
        for issued in answers.into_iter().flatten() {
            self.accept(who, issued, answer_arrives).await;
        }
    }

    /// What the service did, by its answers, by what it told the application and by its row.
    async fn verdicts(
        &mut self,
        answers: &[Result<IssuedSession, SessionError>],
        presented: u64,
        generation_before: u64,
    ) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let mut answered = 0;
        for answer in answers {
            match answer {
                Ok(_) => answered += 1,
                Err(SessionError::TokenTheftDetected { user, handle }) => {
                    assert_eq!((user.as_str(), handle), ("ann", &self.handle));
                    let event = self.heard.theft().await;
                    assert_eq!((&event.handle, event.revoked), (&self.handle, true));
                    verdicts.push(match event.class {
                        ReplayClass::AfterGrace => Verdict::AfterGrace,
                        ReplayClass::StaleGeneration => Verdict::StaleGeneration,
                        ReplayClass::WithinGrace => panic!("told of a theft within the window"),
                    });
                }
                Err(SessionError::Unauthorised(_)) => verdicts.push(Verdict::Unauthorised),
                Err(error) => panic!("{error:?}"),
            }
        }
        for told in self.heard.rest().await {
            match told {
                Told::Replay(event) => verdicts.push(Verdict::WithinGrace {
                    steps_behind: event.steps_behind,
                    superseded_for: event.superseded_for,
                }),
                told @ Told::Theft(_) => panic!("told twice: {told:?}"),
            }
            answered -= 1;
        }
        // Who was answered and was no replay has rotated.
        for _ in 0..answered {
            verdicts.push(match presented - generation_before {
                0 => Verdict::Rotated,
                behind => Verdict::AheadOfStore(behind),
            });
        }
        verdicts
    }

    /// INV-3: whatever was presented, the answer is the one current token of the one lineage.
    async fn accept(&mut self, who: usize, issued: IssuedSession, answer_arrives: bool) {
        let text = refresh_token(&issued);
        // A race with an empty window ends the session that another request has just rotated.
        if let Some(row) = &self.model.row {
            let current = row.current.clone();
            let known = self.texts.entry(current.clone());
            let known = known.or_insert_with(|| text.expose().to_owned());
            assert_eq!(known, text.expose(), "two texts of one token");
            let stored = self.node.row(&self.handle).await.unwrap();
            assert_eq!(stored.generation, generation(&text));
            assert_eq!(stored.secret_hash, secret_hash(&text));
            assert_eq!(stored.generation, current.generation());
            self.backups.push((stored, row.clone()));
            let payload = issued.session().payload();
            let value = payload
                .as_map()
                .get("value")
                .and_then(serde_json::Value::as_u64);
            assert_eq!(value.unwrap_or(0), u64::from(self.payload));
            if answer_arrives {
                self.held[who] = (current, text);
            }
        }
        self.newest_access = issued;
    }

    async fn rotate_key(&mut self) {
        self.node.sessions.rotate_refresh_key().await.unwrap();
        let newest = *self.model.keys.last().unwrap();
        let made = self.model.now.max(newest + Duration::from_millis(1));
        self.model.keys.push(made);
    }

    async fn restore(&mut self, rotations: usize) {
        if self.model.row.is_none() {
            return;
        }
        let index = self.backups.len().saturating_sub(1 + rotations);
        // What was lost is in no later backup either.
        self.backups.truncate(index + 1);
        let (stored, row) = self.backups[index].clone();
        self.node.store.restore(&stored).await;
        self.model.row = Some(row);
        self.has_been_restored = true;
    }

    async fn update_payload(&mut self, value: u32) {
        let update = serde_json::Map::from_iter([("value".to_owned(), value.into())]);
        let merged = self.node.sessions.merge_payload(&self.handle, update).await;
        assert_eq!(merged.unwrap(), self.model.row.is_some());
        self.payload = value;
    }

    /// Keeps the true history, which knows nothing of restores.
    fn note_superseded(&mut self, before: Option<&Row>, presented: &Token) {
        let (Some(before), Some(after)) = (before, &self.model.row) else {
            return;
        };
        if before.current != after.current {
            for token in [&before.current, presented] {
                self.superseded
                    .entry(token.clone())
                    .or_insert(self.model.now);
            }
        }
    }

    /// INV-5: nobody is found guilty who presents the newest token, or one that was superseded
    /// less than the window ago and is at most eight steps behind, unless the database lost what
    /// happened meanwhile.
    fn no_false_theft(&self, presented: &Token, verdicts: &[Verdict]) {
        let is_theft =
            |verdict: &Verdict| matches!(verdict, Verdict::AfterGrace | Verdict::StaleGeneration);
        if self.has_been_restored || !verdicts.iter().any(is_theft) {
            return;
        }
        let superseded_at = self
            .superseded
            .get(presented)
            .expect("the newest is no theft");
        let is_late = self.model.now - *superseded_at >= self.model.grace;
        let newest = self.texts.keys().map(Token::generation).max().unwrap_or(0);
        assert!(
            is_late || newest - presented.generation() > 8,
            "{verdicts:?}"
        );
    }

    /// INV-1, 4 and 8: an ended session is ended for whoever asks, and stays so. A live one is
    /// live.
    async fn invariants(&mut self) {
        let is_alive = self.model.row.is_some();
        assert_eq!(self.node.row(&self.handle).await.is_some(), is_alive);
        for issued in [&self.first, &self.newest_access] {
            let expires_at = issued.tokens().access_token_expires_at();
            let has_expired = unix_ms(expires_at) <= unix_ms(self.node.now());
            for options in [check_database(), check_blacklist()] {
                let seen = self.node.verify(issued, &options).await;
                assert_eq!(
                    seen.is_ok(),
                    is_alive && !has_expired,
                    "{options:?} {seen:?}"
                );
            }
        }
        let clock = Duration::from_millis(self.node.now_ms().unsigned_abs());
        assert_eq!(clock - self.began, self.model.now);
    }

    /// Once the window is over, nobody but who holds the current token goes on, and the first who
    /// tries with another ends it for all (INV-3, INV-4).
    pub(super) async fn reckoning(&mut self) {
        self.node.advance(self.model.grace);
        self.model.now += self.model.grace;
        for who in (0..HOLDERS).rev() {
            self.refresh(who, 1, true).await;
            self.invariants().await;
        }
    }
}
