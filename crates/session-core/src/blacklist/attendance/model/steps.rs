//! What can happen next, and what must never be seen.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use stateright::{Model, Property};

use super::{
    super::{Blacklist, Freshness, Lease, LeaseTerms, Moment},
    Mistake,
};
use crate::{
    blacklist::Listed,
    clock::{ManualClock, from_unix_ms},
    ids::SessionHandle,
    store::RevokedSession,
};

/// One session that is revoked, one who waits, and one node that is waited for.
pub(super) struct OneWait {
    pub(super) mistake: Option<Mistake>,
}

/// Everything at one moment. The node's clock shows what the registry's does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what has happened, each by itself"
)]
pub(super) struct World {
    now_s: u8,
    is_revoked: bool,
    is_raised: bool,
    /// The node's row: when it ends, and whether the barrier is acknowledged in it.
    row: Option<(u8, bool)>,
    is_confirmed: bool,
    set: Taken,
    has_acknowledged: bool,
    renewal: Renewal,
    look: Look,
    reading: Reading,
    presence: Presence,
    moments: u8,
    said: Said,
}

/// What the set says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Said {
    Nothing,
    Live,
    Revoked,
}

/// The time, and the place among all moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct TakenMoment {
    at_s: u8,
    order: u8,
}

/// The set, taken down between two steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Taken {
    knows: bool,
    as_of: Option<TakenMoment>,
    /// Without a break since which moment, and when it was asked for.
    lease: Option<(u8, TakenMoment)>,
}

/// A renewal under way, and whether it acknowledges the barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Renewal {
    None,
    Asked(TakenMoment, bool),
    Written(TakenMoment),
}

/// A look at the barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Look {
    None,
    /// Which a mistake takes the moment of.
    Began(TakenMoment),
    Answered(Option<TakenMoment>),
    /// Acknowledged when the set is complete as of then.
    Pending(TakenMoment),
}

/// A reading of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reading {
    None,
    Asked(TakenMoment),
    Answered(TakenMoment, bool),
}

/// Whether the node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Presence {
    ToCome,
    Here,
    Leaving,
    Gone,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    TimePasses,
    Revoke,
    Raise,
    /// Whoever waits reads the registry.
    Judge,
    /// The node reads the barrier for the first time.
    Begin,
    Renew,
    WriteRow,
    RenewalReturns,
    LoseRenewal,
    BeginLook,
    ReadBarrier,
    NoteBarrier,
    Acknowledge,
    AskFeed,
    ReadList,
    TakeList,
    BeginToLeave,
    FinishLeaving,
}

impl OneWait {
    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn terms(&self) -> LeaseTerms {
        LeaseTerms {
            holds: HOLDS,
            covers: if self.is(Mistake::FreshForAsLongAsTheLease) {
                HOLDS
            } else {
                HOLDS.saturating_sub(STALENESS)
            },
        }
    }

    /// Lets something happen to the service's own set.
    fn on_set<T>(&self, world: &mut World, act: impl FnOnce(&Blacklist) -> T) -> T {
        let set = self.restore(world);
        let done = act(&set);
        world.take_down(&set);
        done
    }

    fn restore(&self, world: &World) -> Blacklist {
        let clock = Arc::new(ManualClock::new(from_unix_ms(START_MS)));
        clock.advance(Duration::from_secs(world.now_s.into()));
        let set = Blacklist::new(1, clock);
        if world.set.knows {
            set.extend(&[revoked()]);
        }
        set.moments.store(world.moments.into(), Ordering::Relaxed);
        if let Some(moment) = world.set.as_of {
            set.known
                .change(|_| Some(Freshness::AsOf(moment.restore())));
        }
        *set.attendance.lease() = match world.set.lease {
            _ if self.is(Mistake::NoLeaseIsNeeded) => Lease::NotNeeded,
            None => Lease::None,
            Some((unbroken_since, from)) => Lease::Held {
                unbroken_since: unbroken_since.into(),
                from: from.restore(),
                terms: self.terms(),
            },
        };
        set
    }

    fn renewal_returns(&self, world: &mut World, asked: TakenMoment) {
        let terms = self.terms();
        let asked = if self.is(Mistake::LeaseCountsFromTheAnswer) {
            world.moment()
        } else {
            asked
        };
        self.on_set(world, |set| set.renew_lease(asked.restore(), terms));
        if self.is(Mistake::BreaksAreForgotten)
            && let Some((unbroken_since, _)) = &mut world.set.lease
        {
            *unbroken_since = 0;
        }
    }

    fn acknowledge(&self, world: &mut World, moment: TakenMoment) {
        let has_heard = self.on_set(world, |set| set.is_fresh_since(moment.restore()));
        if has_heard || self.is(Mistake::BarriersAreAcknowledgedUnheard) {
            world.look = Look::None;
            world.has_acknowledged = true;
        }
    }

    /// It stops going by its set, and then leaves the registry.
    fn leave(&self, world: &mut World, is_first: bool) {
        if is_first == self.is(Mistake::LeavesTheRegistryFirst) {
            world.row = None;
        } else {
            self.on_set(world, Blacklist::give_up_lease);
        }
    }

    /// Asks about the session.
    fn look_up(&self, world: &mut World) {
        let listed = self.restore(world).look_up(&revoked().handle, STALENESS);
        world.said = match listed {
            Listed::Absent => Said::Live,
            Listed::Revoked => Said::Revoked,
            Listed::Unknown(_) => Said::Nothing,
        };
    }
}

impl World {
    fn moment(&mut self) -> TakenMoment {
        self.moments += 1;
        TakenMoment {
            at_s: self.now_s,
            order: self.moments - 1,
        }
    }

    fn take_down(&mut self, set: &Blacklist) {
        self.moments = u8::try_from(set.moments.load(Ordering::Relaxed)).unwrap();
        self.set = Taken {
            knows: set.len() > 0,
            as_of: match set.known.get() {
                Freshness::AsOf(moment) => Some(TakenMoment::of(moment)),
                Freshness::Never | Freshness::Always => None,
            },
            lease: match *set.attendance.lease() {
                Lease::Held {
                    unbroken_since,
                    from,
                    ..
                } => Some((u8::try_from(unbroken_since).unwrap(), TakenMoment::of(from))),
                Lease::NotNeeded | Lease::None => None,
            },
        };
    }

    /// Numbers the moments that are remembered anew: nothing but their order matters.
    fn renumber(&mut self) {
        let mut orders: Vec<&mut u8> = Vec::new();
        orders.extend(self.set.as_of.as_mut().map(|moment| &mut moment.order));
        if let Some((unbroken_since, from)) = &mut self.set.lease {
            orders.extend([unbroken_since, &mut from.order]);
        }
        if let Renewal::Asked(moment, _) | Renewal::Written(moment) = &mut self.renewal {
            orders.push(&mut moment.order);
        }
        if let Look::Began(moment) | Look::Answered(Some(moment)) | Look::Pending(moment) =
            &mut self.look
        {
            orders.push(&mut moment.order);
        }
        if let Reading::Asked(moment) | Reading::Answered(moment, _) = &mut self.reading {
            orders.push(&mut moment.order);
        }
        let known: BTreeSet<u8> = orders.iter().map(|order| **order).collect();
        for order in orders {
            *order = u8::try_from(known.range(..*order).count()).unwrap();
        }
        self.moments = u8::try_from(known.len()).unwrap();
    }
}

impl TakenMoment {
    fn of(moment: Moment) -> Self {
        Self {
            at_s: u8::try_from(moment.monotonic.as_secs()).unwrap(),
            order: u8::try_from(moment.order).unwrap(),
        }
    }

    fn restore(self) -> Moment {
        Moment {
            monotonic: Duration::from_secs(self.at_s.into()),
            wall_ms: START_MS + i64::from(self.at_s) * 1_000,
            order: self.order.into(),
        }
    }
}

impl Model for OneWait {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            now_s: 0,
            is_revoked: false,
            is_raised: false,
            row: None,
            is_confirmed: false,
            set: Taken {
                knows: false,
                as_of: None,
                lease: None,
            },
            has_acknowledged: false,
            renewal: Renewal::None,
            look: Look::None,
            reading: Reading::None,
            presence: Presence::ToCome,
            moments: 0,
            said: Said::Nothing,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.now_s < LONGEST_S {
            steps.push(Step::TimePasses);
        }
        steps.extend(match (world.is_revoked, world.is_raised) {
            (false, _) => Some(Step::Revoke),
            (true, false) => Some(Step::Raise),
            (true, true) if !world.is_confirmed => Some(Step::Judge),
            (true, true) => None,
        });
        steps.push(match world.reading {
            Reading::None => Step::AskFeed,
            Reading::Asked(_) => Step::ReadList,
            Reading::Answered(..) => Step::TakeList,
        });
        match world.presence {
            Presence::ToCome => steps.push(Step::Begin),
            Presence::Here | Presence::Gone => {}
            Presence::Leaving => steps.push(Step::FinishLeaving),
        }
        if world.presence != Presence::Here {
            return;
        }
        // One call to the registry after the other.
        match (world.renewal, world.look) {
            (Renewal::None, look) => {
                steps.extend([Step::Renew, Step::BeginToLeave]);
                match look {
                    Look::None if self.is(Mistake::MomentIsOfBeforeTheBarrier) => {
                        steps.push(Step::BeginLook);
                    }
                    Look::None | Look::Began(_) => steps.push(Step::ReadBarrier),
                    Look::Answered(_) => steps.push(Step::NoteBarrier),
                    Look::Pending(_) => steps.push(Step::Acknowledge),
                }
            }
            (Renewal::Asked(..), _) => steps.extend([Step::WriteRow, Step::LoseRenewal]),
            (Renewal::Written(_), _) => {
                steps.extend([Step::RenewalReturns, Step::LoseRenewal]);
            }
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut world = last.clone();
        match step {
            Step::TimePasses => world.now_s += 1,
            Step::Revoke => world.is_revoked = true,
            Step::Raise => world.is_raised = true,
            Step::Judge => {
                world.is_confirmed = match world.row {
                    Some((ends_s, has_acknowledged)) => has_acknowledged || ends_s <= world.now_s,
                    None => true,
                };
            }
            Step::Begin => {
                world.presence = Presence::Here;
                world.has_acknowledged = world.is_raised;
            }
            Step::Renew => {
                let asked = world.moment();
                world.renewal = Renewal::Asked(asked, world.has_acknowledged);
            }
            Step::WriteRow => {
                let Renewal::Asked(asked, with_barrier) = world.renewal else {
                    return None;
                };
                // The greatest acknowledgement stays.
                let was_in_it = world.row.is_some_and(|(_, barrier)| barrier);
                world.row = Some((world.now_s + LEASE_S, was_in_it || with_barrier));
                world.renewal = Renewal::Written(asked);
            }
            Step::RenewalReturns => {
                let Renewal::Written(asked) = world.renewal else {
                    return None;
                };
                world.renewal = Renewal::None;
                self.renewal_returns(&mut world, asked);
            }
            Step::LoseRenewal => world.renewal = Renewal::None,
            Step::BeginLook => world.look = Look::Began(world.moment()),
            Step::ReadBarrier => {
                let before = match world.look {
                    Look::Began(moment) => Some(moment),
                    _ => None,
                };
                let is_new = world.is_raised && !world.has_acknowledged;
                world.look = if is_new {
                    Look::Answered(before)
                } else {
                    Look::None
                };
            }
            Step::NoteBarrier => {
                let Look::Answered(before) = world.look else {
                    return None;
                };
                world.look = Look::Pending(before.unwrap_or_else(|| world.moment()));
            }
            Step::Acknowledge => {
                let Look::Pending(moment) = world.look else {
                    return None;
                };
                self.acknowledge(&mut world, moment);
            }
            Step::AskFeed => world.reading = Reading::Asked(world.moment()),
            Step::ReadList => {
                let Reading::Asked(moment) = world.reading else {
                    return None;
                };
                world.reading = Reading::Answered(moment, world.is_revoked);
            }
            Step::TakeList => {
                let Reading::Answered(moment, is_revoked) = world.reading else {
                    return None;
                };
                world.reading = Reading::None;
                self.on_set(&mut world, |set| {
                    set.extend(is_revoked.then_some(&revoked()));
                    set.set_fresh(Freshness::AsOf(moment.restore()));
                });
            }
            Step::BeginToLeave => {
                world.presence = Presence::Leaving;
                self.leave(&mut world, true);
            }
            Step::FinishLeaving => {
                world.presence = Presence::Gone;
                self.leave(&mut world, false);
            }
        }
        self.look_up(&mut world);
        world.renumber();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(SAFE, |_, world: &World| {
                !(world.is_confirmed && world.said == Said::Live)
            }),
            Property::sometimes("the node is waited for", |_, world: &World| {
                let has_acknowledged = world.row.is_some_and(|(_, acknowledged)| acknowledged);
                has_acknowledged && world.is_confirmed && world.said == Said::Revoked
            }),
            Property::sometimes("a node that is cut off is not", |_, world: &World| {
                let is_over = world.row == Some((LEASE_S, false)) && world.now_s >= LEASE_S;
                is_over && world.is_confirmed && world.presence == Presence::Here
            }),
            Property::sometimes("the node goes by its set", |_, world: &World| {
                !world.is_revoked && world.said == Said::Live
            }),
        ]
    }
}

fn revoked() -> RevokedSession {
    RevokedSession {
        handle: SessionHandle::try_from("one").unwrap(),
        expires_at_ms: START_MS + 3_600_000,
    }
}

pub(super) const SAFE: &str = "who was waited for does not let it pass";

const START_MS: i64 = 1_700_000_000_000;
const STALENESS: Duration = Duration::from_secs(1);
const HOLDS: Duration = Duration::from_secs(2);
/// How long a row counts, which is longer than the node goes by.
const LEASE_S: u8 = 3;
const LONGEST_S: u8 = 3;
