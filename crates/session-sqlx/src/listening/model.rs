//! Listening, explored exhaustively within small bounds: commits, notifications that say nothing or
//! are forged, a connection that is lost and made again, heartbeats, and readings of the table that
//! may fail, each step of each between any two of the others (design §7).
//!
//! Left out: a connection that passes nothing on, and one to another table. Either is given up as a
//! lost one is, and until then no heartbeat counts. What a heartbeat is worth is decided by the feed's own types. Each rule has a mistake that breaks
//! it, and the search has to find each.

use std::collections::BTreeSet;

use stateright::{Checker as _, HasDiscoveries, Model, Property};

use super::*;

/// One node that listens, and all that is said to it.
struct OneListener {
    mistake: Option<Mistake>,
}

/// What the feed could do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    AnyHeartbeatCounts,
    MomentIsOfTheReturn,
    NewConnectionIsNoDoubt,
    DoubtEndsWithAnyReading,
    NonsenseIsPassedOver,
    ReadingIsOfNoUse,
}

/// Everything at one moment. Time is the number of commits that were acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what has happened, each by itself"
)]
struct World {
    commits: u8,
    nonsense: u8,
    /// What the listening connection holds and the node has not taken yet; `None` without one.
    connection: Option<Vec<Notification>>,
    /// Whether the feed works on a connection, be it dead or alive.
    listens: bool,
    has_lost_one: bool,
    has_forged: bool,
    known: BTreeSet<u8>,
    doubts: u64,
    read: Option<u64>,
    is_relied_on: bool,
    nonce: Option<String>,
    beats: u8,
    /// When the heartbeat under way was sent.
    sent: Option<u8>,
    /// Whether it is still to be committed.
    is_on_its_way: bool,
    reading: Reading,
    readings: u8,
    has_lied: bool,
    was_relied_on: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Notification {
    Told(u8),
    Nonsense,
    Heartbeat(String),
}

/// How far a reading of the table has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Reading {
    None,
    Asked { doubts: u64, asked: u8 },
    Answered { doubts: u64, asked: u8, up_to: u8 },
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Commit,
    CommitWithNonsense,
    Connect,
    DoubtTheNewConnection,
    LoseConnection,
    NoticeTheLoss,
    SendHeartbeat,
    CommitHeartbeat,
    ForgeHeartbeat,
    Hear,
    RelyOnTheHeartbeat,
    Ask,
    Answer,
    TakeAnswer,
    FailReading,
}

impl OneListener {
    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn hear(&self, world: &mut World) {
        let Some(queue) = &mut world.connection else {
            return;
        };
        match queue.remove(0) {
            Notification::Told(revocation) => {
                world.known.insert(revocation);
            }
            Notification::Nonsense if self.is(Mistake::NonsenseIsPassedOver) => {}
            Notification::Nonsense => on_hearing(world, Hearing::doubt),
            Notification::Heartbeat(nonce) => {
                let heartbeat = Heartbeat::default();
                heartbeat.nonce().clone_from(&world.nonce);
                if self.is(Mistake::AnyHeartbeatCounts) {
                    heartbeat.nonce().take();
                } else {
                    heartbeat.came_back(&nonce);
                }
                world.nonce = heartbeat.nonce().clone();
            }
        }
    }

    fn rely(&self, world: &mut World) {
        let Some(mut sent) = world.sent.take() else {
            return;
        };
        if self.is(Mistake::MomentIsOfTheReturn) {
            sent = world.commits;
        }
        if on_hearing(world, Hearing::rely) {
            world.was_relied_on = true;
            claim(world, sent);
        }
    }

    fn take_answer(&self, world: &mut World, doubts: u64, asked: u8, up_to: u8) {
        if !self.is(Mistake::ReadingIsOfNoUse) {
            world.known.extend(0..up_to);
        }
        claim(world, asked);
        world.read = Some(if self.is(Mistake::DoubtEndsWithAnyReading) {
            world.doubts
        } else {
            doubts
        });
    }
}

impl Model for OneListener {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            commits: 0,
            nonsense: 0,
            connection: None,
            listens: false,
            has_lost_one: false,
            has_forged: false,
            known: [].into(),
            doubts: 0,
            read: None,
            is_relied_on: false,
            nonce: None,
            beats: 0,
            sent: None,
            is_on_its_way: false,
            reading: Reading::None,
            readings: 0,
            has_lied: false,
            was_relied_on: false,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.commits < 2 {
            steps.push(Step::Commit);
            if world.nonsense == 0 {
                steps.push(Step::CommitWithNonsense);
            }
        }
        match &world.connection {
            None if world.listens => steps.push(Step::NoticeTheLoss),
            None => steps.push(Step::Connect),
            Some(_) if !world.listens => steps.push(Step::DoubtTheNewConnection),
            Some(queue) => {
                if !queue.is_empty() {
                    steps.push(Step::Hear);
                }
                if !world.has_lost_one {
                    steps.push(Step::LoseConnection);
                }
                if !world.has_forged {
                    steps.push(Step::ForgeHeartbeat);
                }
                if world.sent.is_none() && world.beats < 2 {
                    steps.push(Step::SendHeartbeat);
                }
            }
        }
        if world.is_on_its_way {
            steps.push(Step::CommitHeartbeat);
        }
        if world.sent.is_some() && world.nonce.is_none() {
            steps.push(Step::RelyOnTheHeartbeat);
        }
        match world.reading {
            Reading::None if world.readings < 2 => steps.push(Step::Ask),
            Reading::None => {}
            Reading::Asked { .. } => steps.extend([Step::Answer, Step::FailReading]),
            Reading::Answered { .. } => steps.push(Step::TakeAnswer),
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut world = last.clone();
        match step {
            Step::Commit => {
                let told = Notification::Told(world.commits);
                notify(&mut world, told);
                world.commits += 1;
            }
            Step::CommitWithNonsense => {
                notify(&mut world, Notification::Nonsense);
                world.nonsense += 1;
                world.commits += 1;
            }
            Step::Connect => world.connection = Some(Vec::new()),
            Step::DoubtTheNewConnection => {
                world.listens = true;
                if !self.is(Mistake::NewConnectionIsNoDoubt) {
                    on_hearing(&mut world, Hearing::doubt);
                }
            }
            Step::LoseConnection => {
                world.has_lost_one = true;
                world.connection = None;
            }
            Step::NoticeTheLoss => {
                world.listens = false;
                world.nonce = None;
                world.sent = None;
                world.is_on_its_way = false;
                on_hearing(&mut world, Hearing::give_up);
            }
            Step::SendHeartbeat => {
                world.beats += 1;
                let nonce = world.beats.to_string();
                let heartbeat = Heartbeat::default();
                heartbeat.expect(&nonce);
                world.nonce = heartbeat.nonce().clone();
                world.sent = Some(world.commits);
                world.is_on_its_way = true;
            }
            Step::CommitHeartbeat => {
                world.is_on_its_way = false;
                let nonce = world.beats.to_string();
                notify(&mut world, Notification::Heartbeat(nonce));
            }
            Step::ForgeHeartbeat => {
                world.has_forged = true;
                // It may overtake what is honestly under way.
                let forged = Notification::Heartbeat("forged".to_owned());
                world.connection.as_mut()?.insert(0, forged);
            }
            Step::Hear => self.hear(&mut world),
            Step::RelyOnTheHeartbeat => self.rely(&mut world),
            Step::Ask => {
                world.readings += 1;
                world.reading = Reading::Asked {
                    doubts: world.doubts,
                    asked: world.commits,
                };
            }
            Step::Answer => {
                let Reading::Asked { doubts, asked } = world.reading else {
                    return None;
                };
                world.reading = Reading::Answered {
                    doubts,
                    asked,
                    up_to: world.commits,
                };
            }
            Step::TakeAnswer => {
                let Reading::Answered {
                    doubts,
                    asked,
                    up_to,
                } = std::mem::replace(&mut world.reading, Reading::None)
                else {
                    return None;
                };
                self.take_answer(&mut world, doubts, asked, up_to);
            }
            Step::FailReading => world.reading = Reading::None,
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(FRESH, |_, world: &World| !world.has_lied),
            Property::sometimes("a heartbeat is relied on", |_, world: &World| {
                world.was_relied_on
            }),
            Property::sometimes("listening begins anew", |_, world: &World| {
                world.has_lost_one && world.connection.is_some() && world.is_relied_on
            }),
        ]
    }
}

/// The feed says that all that was acknowledged before `moment` is known.
fn claim(world: &mut World, moment: u8) {
    world.has_lied |= !(0..moment).all(|revocation| world.known.contains(&revocation));
}

fn notify(world: &mut World, notification: Notification) {
    if let Some(queue) = &mut world.connection {
        queue.push(notification);
    }
}

/// Lets something happen to the feed's own state.
fn on_hearing<T>(world: &mut World, act: impl FnOnce(&Hearing) -> T) -> T {
    let hearing = Hearing {
        state: Mutex::new(State {
            doubts: world.doubts,
            read: world.read,
            is_relied_on: world.is_relied_on,
        }),
        doubted: Notify::new(),
    };
    let done = act(&hearing);
    let state = hearing.state();
    (world.doubts, world.read) = (state.doubts, state.read);
    world.is_relied_on = state.is_relied_on;
    done
}

fn breaks(mistake: Mistake) {
    let listener = OneListener {
        mistake: Some(mistake),
    };
    let checker = listener
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyOf([FRESH].into()))
        .spawn_bfs()
        .join();
    let found = checker.discovery(FRESH);
    let found = found.map(stateright::Path::into_actions);
    let states = checker.unique_state_count();
    println!("{mistake:?} after {states} states: {found:?}");
    assert!(found.is_some(), "{mistake:?} goes unnoticed");
}

/// INV-2, I1, I3: a node that says how fresh it is has applied all that it says it has.
#[test]
fn a_node_that_listens_is_as_fresh_as_it_says() {
    let listener = OneListener { mistake: None };
    let checker = listener.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// I5: a heartbeat of somebody else's says nothing about what was heard.
#[test]
fn a_heartbeat_that_anybody_can_send_is_found() {
    breaks(Mistake::AnyHeartbeatCounts);
}

/// Design §7: a heartbeat tells of what was committed before it was sent.
#[test]
fn a_moment_that_is_of_the_return_is_found() {
    breaks(Mistake::MomentIsOfTheReturn);
}

/// Design §7: subscribe first, then read.
#[test]
fn a_new_connection_that_is_no_doubt_is_found() {
    breaks(Mistake::NewConnectionIsNoDoubt);
}

/// Design §7: a reading settles the doubts that it began after.
#[test]
fn a_doubt_that_ends_with_any_reading_is_found() {
    breaks(Mistake::DoubtEndsWithAnyReading);
}

/// Design §7: "read the table" is a reason to read it.
#[test]
fn nonsense_that_is_passed_over_is_found() {
    breaks(Mistake::NonsenseIsPassedOver);
}

/// Design §7: what was read is applied before it is vouched for.
#[test]
fn a_reading_that_is_not_applied_is_found() {
    breaks(Mistake::ReadingIsOfNoUse);
}

const FRESH: &str = "all that was acknowledged before is known";
