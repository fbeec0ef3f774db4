//! What nodes and the database do with a request: the service's own decisions, and the mistakes.

use std::time::Duration;

use super::{
    Mistake,
    steps::{GRACE_MS, Node, OneSession, TICK_MS, now_ms},
    world::{Held, Request, Row, Statement, Who, World},
};
use crate::{
    backend::{
        issue,
        refresh::{self, Replay, Verdict},
    },
    config::SessionConfig,
    ids::KeyId,
    keys::KeyRing,
    observer::ReplayClass,
    store::Rotations,
    token::refresh::RefreshTokenParts,
};

impl OneSession {
    /// One request until its statement: the row is read and judged.
    pub(super) fn judge(&self, world: &mut World, who: Who, node: Node) {
        let Request::Sent(held) = std::mem::replace(world.request_mut(who), Request::None) else {
            return;
        };
        let Some(row) = world.row.clone() else {
            return;
        };
        let now_ms = now_ms(world);
        let is_known = |ring: &KeyRing| {
            ring.refresh_key(&held.parts.key).is_some()
                && (held.generation() > row.0.generation
                    || refresh::has_keys_onward(&held.parts, &row.0, ring))
        };
        let mut ring = match node {
            Node::Behind if !world.has_read_keys => &self.older,
            Node::Behind | Node::UpToDate => &self.all,
        };
        if !is_known(ring) && !self.is(Mistake::KeysAreNotReadAgain) {
            world.has_read_keys = true;
            ring = &self.all;
        }
        let verdict = self.verdict(&held, &row, ring, node, now_ms, who);
        let superseded_at_ms = world.history.superseded_at_ms.get(&held.generation());
        let is_late = superseded_at_ms.is_some_and(|at_ms| now_ms - at_ms >= GRACE_MS);
        world.seen.served_too_late |=
            is_late && matches!(verdict, Verdict::Current(_) | Verdict::WithinGrace(_));
        match verdict {
            Verdict::Current(successor) => {
                world.seen.ahead_of_store |= successor.row_was_behind_by > 0;
                let (to, next) = self.rotated(&row, &held, &successor, node, now_ms);
                let from = row.0.generation;
                *world.request_mut(who) =
                    Request::Judged(held, Statement::Rotate { from, to, next });
            }
            Verdict::WithinGrace(replay) => {
                world.seen.replay = true;
                self.answer_replay(world, who, node, &row, replay, now_ms);
            }
            Verdict::Theft { .. } => {
                *world.request_mut(who) = Request::Judged(held, Statement::End(row));
            }
            Verdict::KeyRemoved => world.seen.logged_out = true,
        }
    }

    /// The service's verdict, or a wrong one.
    fn verdict(
        &self,
        held: &Held,
        row: &Row,
        ring: &KeyRing,
        node: Node,
        now_ms: i64,
        who: Who,
    ) -> Verdict {
        let Some(key) = ring.refresh_key(&held.parts.key) else {
            return Verdict::KeyRemoved;
        };
        let row = if self.is(Mistake::WindowCountsFromTheLatestRotation) {
            row.with(|row| {
                let mut rotations = Rotations::default();
                for entry in row.rotations.iter() {
                    let mut entry = entry.clone();
                    entry.at_ms = row.refreshed_at_ms;
                    rotations.push(entry);
                }
                row.rotations = rotations;
            })
        } else {
            row.clone()
        };
        let grace_ms = if self.is(Mistake::WindowIsTooLong) {
            GRACE_MS + TICK_MS
        } else {
            GRACE_MS
        };
        let grace = Duration::from_millis(grace_ms.unsigned_abs());
        let minting_key = self.minting_key(node);
        let verdict = refresh::classify(&held.parts, key, &row.0, ring, minting_key, now_ms, grace);
        let theft = Verdict::Theft {
            class: ReplayClass::StaleGeneration,
            replay: None,
        };
        match verdict {
            Verdict::Current(mut successor) if self.is(Mistake::SuccessorIsDrawn) => {
                let draw = 1_000 + who as u64;
                let secret = &held.parts.secret;
                successor.secret = secret.successor(key, &held.parts.handle, draw);
                Verdict::Current(successor)
            }
            Verdict::Current(successor)
                if self.is(Mistake::AheadOfStoreIsTheft) && successor.row_was_behind_by > 0 =>
            {
                theft
            }
            Verdict::WithinGrace(replay)
                if self.is(Mistake::OnlyThePreviousIsForgiven) && replay.steps_behind > 1 =>
            {
                theft
            }
            verdict => verdict,
        }
    }

    fn rotated(
        &self,
        row: &Row,
        held: &Held,
        successor: &refresh::Successor,
        node: Node,
        now_ms: i64,
    ) -> (Row, Held) {
        let config = self.config(node);
        let expires_at_ms = issue::session_expiry_ms(config, now_ms, None);
        let access_expires_at_ms =
            1_000 * issue::access_expiry_s(config, now_ms, expires_at_ms, &successor.secret);
        let rotation = refresh::rotation(
            &row.0,
            successor,
            now_ms,
            expires_at_ms,
            access_expires_at_ms,
        );
        let next = Held::new(RefreshTokenParts {
            generation: rotation.to_generation,
            key: rotation.refresh_key.clone(),
            secret: successor.secret.clone(),
            ..RefreshTokenParts::clone(&held.parts)
        });
        let to = row.with(|row| {
            row.generation = rotation.to_generation;
            row.secret_hash = rotation.secret_hash;
            row.refresh_key = rotation.refresh_key;
            row.rotations = rotation.rotations;
            row.refreshed_at_ms = rotation.at_ms;
            row.expires_at_ms = rotation.expires_at_ms;
            row.access_expires_at_ms = rotation.access_expires_at_ms;
        });
        (to, next)
    }

    /// The current tokens again, without a statement.
    fn answer_replay(
        &self,
        world: &mut World,
        who: Who,
        node: Node,
        row: &Row,
        replay: Replay,
        now_ms: i64,
    ) {
        let config = self.config(node);
        let until_ms = if self.is(Mistake::ReplayMovesTheExpiry) {
            1_000 * issue::access_expiry_s(config, now_ms, i64::MAX, &replay.secret)
        } else {
            issue::replayed_access_expiry_ms(config, &row.0, &replay.secret, now_ms)
        };
        let next = Held::new(RefreshTokenParts {
            generation: row.0.generation,
            key: row.0.refresh_key.clone(),
            secret: replay.secret,
            ..self.first_token()
        });
        hand_out(world, who, next, until_ms);
    }

    /// The database executes a request's statement.
    pub(super) fn execute(&self, world: &mut World, who: Who) {
        let Request::Judged(held, statement) =
            std::mem::replace(world.request_mut(who), Request::None)
        else {
            return;
        };
        match statement {
            Statement::Rotate { from, to, next } => self.swap(world, who, held, from, &to, next),
            Statement::End(as_read) => {
                world.seen.theft = true;
                if self.is(Mistake::TheftEndsNothing) {
                    world.seen.let_a_thief_go = world.row.is_some();
                } else if world.row.is_some() {
                    world.seen.accused_the_user |= !world.history.thief_has_acted;
                    self.end(world, &as_read);
                }
            }
        }
    }

    fn swap(&self, world: &mut World, who: Who, held: Held, from: u64, to: &Row, next: Held) {
        let is_unconditional = self.is(Mistake::SwapHasNoCondition);
        let Some(row) = world.row.clone() else {
            if self.is(Mistake::SwapInserts) {
                world.row = Some(to.clone());
                world.seen.came_back = true;
            }
            return;
        };
        if row.0.generation != from && !is_unconditional {
            world.seen.lost_swap = true;
            *world.request_mut(who) = if self.is(Mistake::LostSwapIsTheft) {
                Request::Judged(held, Statement::End(row))
            } else {
                Request::Sent(held)
            };
            return;
        }
        let now_ms = now_ms(world);
        let mut until_ms = to.0.access_expires_at_ms;
        if self.is(Mistake::ExpiryIsFixedAfterTheSwap) {
            until_ms += now_ms - to.0.refreshed_at_ms;
        }
        let after = to.with(|to| {
            if !self.is(Mistake::RowKeepsTheNewestExpiry) {
                to.access_expires_at_ms = to.access_expires_at_ms.max(row.0.access_expires_at_ms);
            }
        });
        world.seen.went_back |= after.0.generation <= row.0.generation;
        let superseded = &mut world.history.superseded_at_ms;
        for generation in row.0.generation..after.0.generation {
            superseded.entry(generation).or_insert(to.0.refreshed_at_ms);
        }
        world.row = Some(after);
        hand_out(world, who, next, until_ms);
    }

    /// Row and record in one statement; `as_read` is what a wrong one would go by.
    pub(super) fn end(&self, world: &mut World, as_read: &Row) {
        let Some(row) = world.row.take() else { return };
        world.standby = None;
        world.record_until_ms = if self.is(Mistake::EndLeavesNoRecord) {
            None
        } else if self.is(Mistake::RecordIsOfTheRowAsRead) {
            Some(as_read.0.access_expires_at_ms)
        } else {
            Some(row.0.access_expires_at_ms)
        };
    }

    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    pub(super) fn config(&self, node: Node) -> &SessionConfig {
        let [behind, up_to_date] = &self.configs;
        match node {
            Node::Behind => behind,
            Node::UpToDate => up_to_date,
        }
    }

    fn minting_key(&self, node: Node) -> &KeyId {
        let [older, newest] = &self.keys;
        match node {
            Node::Behind => older,
            Node::UpToDate => newest,
        }
    }
}

fn hand_out(world: &mut World, who: Who, next: Held, until_ms: i64) {
    let history = &mut world.history;
    history.access_until_ms = history.access_until_ms.max(until_ms);
    let first = *(history.handed_out.entry(next.generation())).or_insert(next.hash);
    world.seen.two_lines |= first != next.hash;
    *world.request_mut(who) = Request::Answered(next);
}
