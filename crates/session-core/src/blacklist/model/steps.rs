//! What can happen next, and what must never be seen.

use std::{sync::Arc, time::Duration};

use stateright::{Model, Property};

use super::{
    super::{Blacklist, FeedReceiver, Listed, Unsettled, key_of},
    Bounds, Clocks, Feed, Mistake,
    list::{List, SESSIONS, Session},
    world::{NodeClocks, Poll, Revoker, Said, Taken, World},
};
use crate::{
    clock::duration_ms, ids::SessionHandle, memory::MemoryStore, store::RevokedSession,
    store_calls::StoreCalls,
};

/// One node, its store and all others.
pub(super) struct OneNode {
    pub(super) bounds: Bounds,
    mistake: Option<Mistake>,
    calls: StoreCalls,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    TimePasses,
    Commit(Session, Revoker),
    Answer(Session),
    LoseAnswer(Session),
    /// Whoever was not answered asks again and hears that there is nothing left to revoke.
    AskAgain(Session),
    Ask,
    ReadPage,
    TakePage,
    /// The store does not answer for a page, or not in time.
    LosePage,
    /// A message about a committed revocation, be it the first or a repeat.
    Hear(Session),
    HearForgedEnd(Session),
    HearEndless,
    Restart,
    SetWallClock,
    Suspend,
}

impl OneNode {
    pub(super) fn new(bounds: Bounds, mistake: Option<Mistake>) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self {
            bounds,
            mistake,
            calls: StoreCalls::new(store, 1, STALENESS),
        }
    }

    pub(super) fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Lets something happen to the service's own set.
    pub(super) fn on_set<T>(&self, world: &mut World, act: impl FnOnce(&Arc<Blacklist>) -> T) -> T {
        let set = world.set.restore(self.bounds.capacity, world.clocks);
        let done = act(&set);
        world.set = Taken::take_down(&set);
        if self.is(Mistake::RoomIsMadeBySilence) {
            *world.set.incomplete_until_ms_mut() = i64::MIN;
        }
        done
    }

    pub(super) fn on_feed<T>(&self, world: &mut World, act: impl FnOnce(&FeedReceiver) -> T) -> T {
        self.on_set(world, |set| {
            act(&FeedReceiver::new(Arc::clone(set), self.calls.clone()))
        })
    }

    /// A feed beside the store's own, which also claims to have told everything.
    fn hear(&self, world: &mut World, message: &RevokedSession) {
        let vouches = self.is(Mistake::MessagesVouch);
        self.on_set(world, |set| {
            let (set, calls) = (Arc::clone(set), self.calls.clone());
            let receiver = if vouches {
                FeedReceiver::new(set, calls)
            } else {
                FeedReceiver::beside_the_store(set, calls)
            };
            receiver.revoked(std::slice::from_ref(message));
            receiver.complete_as_of(receiver.moment());
        });
        if self.is(Mistake::LastMessageCounts) {
            let entries = world.set.entries_mut();
            entries.insert(key_of(&message.handle), message.expires_at_ms);
        }
        if self.is(Mistake::EndlessRecordsStay) {
            let entries = world.set.entries_mut();
            let ends_ms = entries.entry(key_of(&message.handle)).or_insert(i64::MIN);
            *ends_ms = message.expires_at_ms.max(*ends_ms);
        }
        if self.is(Mistake::EndlessRecordsKeepTheSetFull) && world.set.len() >= self.bounds.capacity
        {
            let until_ms = world.set.incomplete_until_ms_mut();
            *until_ms = message.expires_at_ms.max(*until_ms);
        }
    }

    fn answer(&self, world: &mut World, session: Session) {
        let Some(revoker) = world.unanswered.remove(session) else {
            return;
        };
        if revoker == Revoker::ThisProcess {
            let waits = self.is(Mistake::OwnRevocationsWaitForThePoll);
            self.on_set(world, |set| {
                let unsettled = Unsettled::new(set);
                if !waits {
                    set.extend(&[revoked(session)]);
                }
                unsettled.settle();
            });
        }
        world.acknowledged.insert(session, (world.now_ms, revoker));
    }

    fn lose_answer(&self, world: &mut World, session: Session) {
        let revoker = world.unanswered.remove(session);
        if revoker == Some(Revoker::ThisProcess) && !self.is(Mistake::DoubtIsForgotten) {
            self.on_set(world, |set| drop(Unsettled::new(set)));
        }
        world.unconfirmed.insert(session);
    }

    fn restart(&self, world: &mut World) {
        world.has_restarted = true;
        world.poll = Poll::None;
        world.known.clear();
        world.clocks.began_at = world.clocks.monotonic_ms;
        world.set = Taken::begun(world.clocks);
        // Whoever waited for this process is not answered.
        for session in std::mem::take(&mut world.unanswered).into_keys() {
            world.unconfirmed.insert(session);
        }
        for (_, revoker) in world.acknowledged.values_mut() {
            *revoker = Revoker::Another;
        }
        if !self.is(Mistake::CursorOutlivesTheSet) {
            world.cursor.clear();
        }
    }

    /// Time takes out of the set what has expired.
    fn sweep(&self, world: &mut World) -> Arc<Blacklist> {
        let set = self.on_set(world, |set| {
            set.sweep();
            Arc::clone(set)
        });
        let (mut taken, mut clocks) = (world.set.clone(), world.clocks);
        match self.mistake {
            Some(Mistake::EntriesExpireByTheWallClock) => {
                let entries = taken.entries_mut();
                entries.retain(|_, until_ms| *until_ms > clocks.wall_ms);
                world.set = taken.clone();
            }
            Some(Mistake::SuspensionGoesUnnoticed) => {
                clocks.wall_ms = START_MS + clocks.monotonic_ms;
            }
            Some(Mistake::SetBackGoesUnnoticed) => *taken.began_ms_mut() = i64::MIN,
            _ => return set,
        }
        taken.restore(self.bounds.capacity, clocks)
    }

    /// Asks about every session, and notes what must not be said.
    fn look(&self, world: &mut World) {
        let set = self.sweep(world);
        for session in self.sessions() {
            let said = set.look_up(&handle(session), STALENESS);
            let is_absent = said == Listed::Absent;
            world.said.live_too_late |= is_absent && self.is_due(world, session);
            world.said.live_again |= is_absent && world.known.contains(session);
            world.said.live |= is_absent;
            world.said.live_anew |= is_absent && world.has_read_again;
            if said == Listed::Revoked {
                world.known.insert(session);
            }
        }
    }

    /// Whether this node has to know of the revocation. By a clock that is ahead nobody has a token
    /// of the session any more.
    fn is_due(&self, world: &World, session: Session) -> bool {
        let is_due = match world.acknowledged.get(session) {
            Some(_) if self.bounds.feed == Feed::InProcess => true,
            Some((_, Revoker::ThisProcess)) => true,
            Some((at_ms, Revoker::Another)) => world.now_ms - at_ms > duration_ms(STALENESS),
            None => false,
        };
        is_due && world.clocks.wall_ms < ENDS_MS
    }

    fn sessions(&self) -> impl Iterator<Item = Session> + use<> {
        SESSIONS.into_iter().take(self.bounds.sessions)
    }
}

impl Model for OneNode {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let clocks = NodeClocks {
            wall_ms: START_MS,
            monotonic_ms: 0,
            began_at: 0,
        };
        vec![World {
            now_ms: START_MS,
            clocks,
            set: Taken::begun(clocks),
            poll: Poll::None,
            cursor: Vec::new(),
            list: List::default(),
            unanswered: [].into(),
            unconfirmed: [].into(),
            acknowledged: [].into(),
            known: [].into(),
            clock_events: 0,
            has_restarted: false,
            has_forged: false,
            has_read_again: false,
            said: Said::default(),
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.now_ms < START_MS + i64::from(self.bounds.ticks) * TICK_MS {
            steps.push(Step::TimePasses);
        }
        for session in self.sessions() {
            if world.list.contains(session) {
                continue;
            }
            steps.push(Step::Commit(session, Revoker::ThisProcess));
            if self.bounds.feed == Feed::Polling {
                steps.push(Step::Commit(session, Revoker::Another));
            }
        }
        for session in world.unanswered.keys() {
            steps.extend([Step::Answer(session), Step::LoseAnswer(session)]);
        }
        let unconfirmed = world.unconfirmed.iter();
        steps.extend(unconfirmed.map(|session| Step::AskAgain(session)));
        match world.poll {
            Poll::None => steps.push(Step::Ask),
            Poll::Asked(_) => steps.extend([Step::ReadPage, Step::LosePage]),
            Poll::Answered(..) => steps.push(Step::TakePage),
        }
        if self.bounds.hears {
            steps.extend(world.list.iter().map(Step::Hear));
            if !world.has_forged {
                steps.push(Step::HearEndless);
                let known = world.known.iter();
                steps.extend(known.map(|session| Step::HearForgedEnd(session)));
            }
        }
        if self.bounds.restarts && !world.has_restarted {
            steps.push(Step::Restart);
        }
        match self.bounds.clocks {
            Clocks::AreSet if world.clock_events < 2 => steps.push(Step::SetWallClock),
            Clocks::StandStill if world.clock_events < 1 => steps.push(Step::Suspend),
            _ => {}
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut world = last.clone();
        match step {
            Step::TimePasses => {
                world.now_ms += TICK_MS;
                world.clocks.wall_ms += TICK_MS;
                world.clocks.monotonic_ms += TICK_MS;
            }
            Step::Commit(session, revoker) => {
                world.list.commit(session);
                world.unanswered.insert(session, revoker);
            }
            Step::Answer(session) => self.answer(&mut world, session),
            Step::LoseAnswer(session) => self.lose_answer(&mut world, session),
            Step::AskAgain(session) => {
                world.unconfirmed.remove(session);
                let at_ms = world.now_ms;
                world
                    .acknowledged
                    .insert(session, (at_ms, Revoker::Another));
            }
            Step::Ask => self.ask(&mut world),
            Step::ReadPage => Self::read_page(&mut world),
            Step::TakePage => self.take_page(&mut world),
            Step::LosePage => world.poll = Poll::None,
            Step::Hear(session) => self.hear(&mut world, &revoked(session)),
            Step::HearForgedEnd(session) => {
                world.has_forged = true;
                let expires_at_ms = world.now_ms - 1;
                self.hear(&mut world, &until(session, expires_at_ms));
            }
            Step::HearEndless => {
                world.has_forged = true;
                self.hear(&mut world, &until("nobody", i64::MAX));
            }
            Step::Restart => self.restart(&mut world),
            Step::SetWallClock => {
                let by_ms = if world.clock_events == 0 {
                    HOUR_MS
                } else {
                    -HOUR_MS
                };
                world.clocks.wall_ms += by_ms;
                world.clock_events += 1;
            }
            Step::Suspend => {
                world.clock_events += 1;
                world.now_ms += 3 * TICK_MS;
                world.clocks.wall_ms += 3 * TICK_MS;
            }
        }
        self.look(&mut world);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(FRESH, |_, world: &World| !world.said.live_too_late),
            Property::always(NEVER_FORGETS, |_, world: &World| !world.said.live_again),
            Property::always(BOUNDED, |_, world: &World| {
                world.set.latest_end_ms() <= world.now_ms + LONGEST_MS + HOUR_MS
            }),
            Property::sometimes("a revocation is known", |_, world: &World| {
                !world.known.is_empty()
            }),
            Property::sometimes("a session is known to be live", |_, world: &World| {
                world.said.live
            }),
        ];
        if self.bounds.clocks == Clocks::AreSet {
            properties.push(Property::sometimes(
                "a set that was begun anew is relied on",
                |_, world: &World| world.said.live_anew,
            ));
        }
        properties
    }
}

fn handle(session: Session) -> SessionHandle {
    SessionHandle::try_from(session).unwrap()
}

pub(super) fn revoked(session: Session) -> RevokedSession {
    until(session, ENDS_MS)
}

fn until(session: Session, expires_at_ms: i64) -> RevokedSession {
    RevokedSession {
        handle: handle(session),
        expires_at_ms,
    }
}

pub(super) const FRESH: &str = "everything that was acknowledged before is known";
pub(super) const NEVER_FORGETS: &str = "what was revoked stays revoked";
pub(super) const BOUNDED: &str = "nothing stays for ever";

const STALENESS: Duration = Duration::from_secs(5);
const START_MS: i64 = 1_700_000_000_000;
const TICK_MS: i64 = 3_000;
const HOUR_MS: i64 = 3_600_000;
/// When the last access token of a session has expired.
pub(super) const ENDS_MS: i64 = START_MS + HOUR_MS / 2;
/// The longest life of an access token, and the most that clocks may differ.
const LONGEST_MS: i64 = 31 * 24 * HOUR_MS;
