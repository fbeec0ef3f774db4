//! What can happen next, and what must never be seen.

use std::{sync::Arc, time::Duration};

use stateright::{Model, Property};

use super::{
    super::{Blacklist, FeedMoment, FeedReceiver, Listed, Unsettled, key_of},
    Bounds, Clocks, Feed, Mistake,
    world::{NodeClocks, Poll, Revoker, Said, Session, Taken, TakenMoment, World, moment_of},
};
use crate::{
    clock::duration_ms, ids::SessionHandle, memory::MemoryStore, store::RevokedSession,
    store_calls::StoreCalls,
};

/// One node, its store and all others.
pub(super) struct OneNode {
    bounds: Bounds,
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

    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Lets something happen to the service's own set.
    fn on_set<T>(&self, world: &mut World, act: impl FnOnce(&Arc<Blacklist>) -> T) -> T {
        let set = world.set.restore(self.bounds.capacity, world.clocks);
        let done = act(&set);
        world.set = Taken::take_down(&set);
        if self.is(Mistake::RoomIsMadeBySilence) {
            world.set.pass_over_what_found_no_room();
        }
        done
    }

    fn on_feed<T>(&self, world: &mut World, act: impl FnOnce(&FeedReceiver) -> T) -> T {
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
    }

    fn take_page(&self, world: &mut World) {
        let Poll::Answered {
            moment,
            doubts,
            page,
            more,
        } = std::mem::replace(&mut world.poll, Poll::None)
        else {
            return;
        };
        let known: Vec<RevokedSession> = page.iter().map(|session| revoked(session)).collect();
        self.on_feed(world, |receiver| receiver.revoked(&known));
        world.cursor += page.len();
        if more && !self.is(Mistake::FirstPageIsEnough) {
            world.poll = Poll::Asked { moment, doubts };
            return;
        }
        let feed = self.bounds.feed;
        let (of_the_answer, too_soon) = (
            self.is(Mistake::MomentIsOfTheAnswer),
            self.is(Mistake::DoubtIsSettledTooSoon),
        );
        self.on_feed(world, |receiver| match feed {
            Feed::Polling if of_the_answer => receiver.complete_as_of(receiver.moment()),
            Feed::Polling => receiver.complete_as_of(FeedMoment(moment_of(moment))),
            Feed::InProcess if too_soon => {
                receiver.complete_unless_doubted_since(receiver.doubts());
            }
            Feed::InProcess => receiver.complete_unless_doubted_since(doubts),
        });
    }

    fn answer(&self, world: &mut World, session: Session) {
        let revoker = world.unanswered.remove(session);
        if revoker == Some(Revoker::ThisNode) {
            self.on_set(world, |set| {
                let unsettled = Unsettled::new(set);
                set.extend(&[revoked(session)]);
                unsettled.settle();
            });
        }
        world.acknowledged_at_ms.insert(session, world.now_ms);
    }

    fn lose_answer(&self, world: &mut World, session: Session) {
        let revoker = world.unanswered.remove(session);
        if revoker == Some(Revoker::ThisNode) && !self.is(Mistake::DoubtIsForgotten) {
            self.on_set(world, |set| drop(Unsettled::new(set)));
        }
        world.unconfirmed.insert(session);
    }

    /// Time takes out of the set what has expired.
    fn sweep(&self, world: &mut World) {
        self.on_set(world, |set| set.sweep());
        if self.is(Mistake::EntriesExpireByTheWallClock) {
            let wall_ms = world.clocks.wall_ms;
            let entries = world.set.entries_mut();
            entries.retain(|_, until_ms| *until_ms > wall_ms);
        }
    }

    /// Asks about every session, and notes what must not be said.
    fn look(&self, world: &mut World) {
        let mut clocks = world.clocks;
        if self.is(Mistake::SuspensionGoesUnnoticed) {
            clocks.wall_ms = START_MS + clocks.monotonic_ms;
        }
        let set = world.set.restore(self.bounds.capacity, clocks);
        for session in SESSIONS.into_iter().take(self.bounds.sessions) {
            let said = set.look_up(&handle(session), STALENESS);
            let is_due = match world.acknowledged_at_ms.get(session) {
                Some(_) if self.bounds.feed == Feed::InProcess => true,
                Some(at_ms) => world.now_ms - at_ms > duration_ms(STALENESS),
                None => false,
            };
            world.said.live_too_late |= is_due && said == Listed::Absent;
            world.said.live_again |= world.known.contains(session) && said == Listed::Absent;
            world.said.live |= said == Listed::Absent;
            if said == Listed::Revoked {
                world.known.insert(session);
            }
        }
    }
}

impl Model for OneNode {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            now_ms: START_MS,
            clocks: NodeClocks {
                wall_ms: START_MS,
                monotonic_ms: 0,
                began: (START_MS, 0),
            },
            set: Taken::empty(),
            poll: Poll::None,
            cursor: 0,
            table: Vec::new(),
            unanswered: [].into(),
            unconfirmed: [].into(),
            acknowledged_at_ms: [].into(),
            known: [].into(),
            clock_events: 0,
            has_restarted: false,
            has_forged: false,
            said: Said::default(),
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.now_ms < START_MS + i64::from(self.bounds.ticks) * TICK_MS {
            steps.push(Step::TimePasses);
        }
        // Sessions are alike, so they are always revoked in the same order.
        let mut sessions = SESSIONS.iter().take(self.bounds.sessions);
        if let Some(session) = sessions.nth(world.table.len()) {
            steps.push(Step::Commit(session, Revoker::ThisNode));
            if self.bounds.feed == Feed::Polling {
                steps.push(Step::Commit(session, Revoker::AnotherNode));
            }
        }
        for session in world.unanswered.keys() {
            steps.extend([Step::Answer(session), Step::LoseAnswer(session)]);
        }
        steps.extend(
            world
                .unconfirmed
                .iter()
                .map(|session| Step::AskAgain(session)),
        );
        steps.push(match world.poll {
            Poll::None => Step::Ask,
            Poll::Asked { .. } => Step::ReadPage,
            Poll::Answered { .. } => Step::TakePage,
        });
        if self.bounds.hears {
            steps.extend(world.table.iter().map(|session| Step::Hear(session)));
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
                world.table.push(session);
                world.unanswered.insert(session, revoker);
            }
            Step::Answer(session) => self.answer(&mut world, session),
            Step::LoseAnswer(session) => self.lose_answer(&mut world, session),
            Step::AskAgain(session) => {
                world.unconfirmed.remove(session);
                world.acknowledged_at_ms.insert(session, world.now_ms);
            }
            Step::Ask => {
                let doubts = world.set.doubts();
                world.poll = Poll::Asked {
                    moment: moment(&world),
                    doubts,
                };
            }
            Step::ReadPage => {
                let Poll::Asked { moment, doubts } = world.poll else {
                    return None;
                };
                let left = world.table.get(world.cursor..).unwrap_or_default();
                world.poll = Poll::Answered {
                    moment,
                    doubts,
                    page: left.iter().copied().take(PAGE).collect(),
                    more: left.len() > PAGE,
                };
            }
            Step::TakePage => self.take_page(&mut world),
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
            Step::Restart => {
                world.has_restarted = true;
                world.poll = Poll::None;
                world.set = Taken::empty();
                world.known.clear();
                world.clocks.began = (world.clocks.wall_ms, world.clocks.monotonic_ms);
                // Whoever waited for this process is not answered.
                for session in std::mem::take(&mut world.unanswered).into_keys() {
                    world.unconfirmed.insert(session);
                }
                if !self.is(Mistake::CursorOutlivesTheSet) {
                    world.cursor = 0;
                }
            }
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
        self.sweep(&mut world);
        self.look(&mut world);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
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
        ]
    }
}

fn moment(world: &World) -> TakenMoment {
    let monotonic = Duration::from_millis(world.clocks.monotonic_ms.unsigned_abs());
    (monotonic, world.clocks.wall_ms)
}

fn handle(session: Session) -> SessionHandle {
    SessionHandle::try_from(session).unwrap()
}

fn revoked(session: Session) -> RevokedSession {
    until(session, START_MS + HOUR_MS / 2)
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

const SESSIONS: [Session; 2] = ["one", "other"];
const PAGE: usize = 1;
const STALENESS: Duration = Duration::from_secs(5);
const START_MS: i64 = 1_700_000_000_000;
const TICK_MS: i64 = 3_000;
const HOUR_MS: i64 = 3_600_000;
/// The longest life of an access token, and the most that clocks may differ.
const LONGEST_MS: i64 = 31 * 24 * HOUR_MS;
