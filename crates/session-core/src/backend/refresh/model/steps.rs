//! What can happen next, with the service's own functions wherever it decides.

use std::{sync::Arc, time::Duration};

use stateright::{Model, Property};

use super::{
    Bounds, Mistake,
    world::{Held, History, Request, Row, Seen, Statement, Who, World},
};
use crate::{
    backend::issue,
    config::{AppInfo, SessionConfig},
    fixtures::{handle, refresh_record},
    ids::{KeyId, TenantId, UserId},
    keys::{AtRestSecrets, KeyPolicy, KeyRing},
    store::{KeyPurpose, KeyRecord, Rotations, SessionRecord},
    token::refresh::{RefreshSecret, RefreshTokenParts},
};

/// One session and everybody around it.
pub(super) struct OneSession {
    bounds: Bounds,
    pub(super) mistake: Option<Mistake>,
    first: RefreshSecret,
    pub(super) keys: [KeyId; 2],
    /// Both keys, and what a node knows that has not read them lately.
    pub(super) all: KeyRing,
    pub(super) older: KeyRing,
    pub(super) configs: [SessionConfig; 2],
}

/// The nodes: one that does not know the newest key yet, and one that makes tokens under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Behind,
    UpToDate,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    TimePasses,
    Send(Who),
    Judge(Who, Node),
    Execute(Who),
    Deliver(Who),
    LoseAnswer(Who),
    Steal,
    LogOut,
    Replicate,
    FailOver,
}

impl OneSession {
    pub(super) fn new(bounds: Bounds, mistake: Option<Mistake>) -> Self {
        let records = [refresh_record("r-1", 0), refresh_record("r-2", 1)];
        let [older, _] = &records;
        Self {
            older: ring(vec![older.clone()]),
            all: ring(records.to_vec()),
            keys: records.map(|record| record.id),
            first: RefreshSecret::random().unwrap(),
            // What one node accepts for shorter, another may be configured to hand out for longer.
            configs: [config(120), config(60)],
            bounds,
            mistake,
        }
    }

    pub(super) fn first_token(&self) -> RefreshTokenParts {
        let [key, _] = &self.keys;
        RefreshTokenParts {
            handle: handle(),
            tenant: TenantId::default(),
            generation: 0,
            key: key.clone(),
            anti_csrf: false,
            secret: self.first.clone(),
        }
    }
}

impl Model for OneSession {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let jar = Held::new(self.first_token());
        let config = self.config(Node::UpToDate);
        let expires_at_ms = issue::session_expiry_ms(config, START_MS, None);
        let access_expires_at_ms =
            1_000 * issue::access_expiry_s(config, START_MS, expires_at_ms, &self.first);
        let row = Row(Arc::new(SessionRecord {
            handle: handle(),
            tenant: TenantId::default(),
            user: UserId::try_from("ann").unwrap(),
            generation: 0,
            secret_hash: jar.hash,
            refresh_key: jar.parts.key.clone(),
            rotations: Rotations::default(),
            payload: "{}".to_owned(),
            payload_version: 0,
            data: "{}".to_owned(),
            created_at_ms: START_MS,
            refreshed_at_ms: START_MS,
            expires_at_ms,
            absolute_expires_at_ms: None,
            access_expires_at_ms,
        }));
        vec![World {
            ticks: 0,
            standby: Some(row.clone()),
            row: Some(row),
            record_until_ms: None,
            has_failed_over: false,
            has_read_keys: false,
            loot: None,
            requests: [Request::None, Request::None, Request::None],
            sends_left: [self.bounds.honest_requests, self.bounds.stolen_requests],
            history: History {
                handed_out: [(0, jar.hash)].into(),
                access_until_ms: access_expires_at_ms,
                ..History::default()
            },
            jar,
            seen: Seen::default(),
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.ticks < self.bounds.ticks && statements_may_wait(world) && user_may_wait(world) {
            steps.push(Step::TimePasses);
        }
        for who in Who::ALL {
            match world.request(who) {
                Request::None => {
                    // Tabs are alike, so it is always the same one that is first.
                    let may_send = match who {
                        Who::OneTab => true,
                        Who::OtherTab => *world.request(Who::OneTab) != Request::None,
                        Who::Thief => world.loot.is_some(),
                    };
                    if may_send && world.row.is_some() && world.sends_left(who) > 0 {
                        steps.push(Step::Send(who));
                    }
                }
                Request::Sent(_) => {
                    steps.extend([Node::Behind, Node::UpToDate].map(|node| Step::Judge(who, node)));
                }
                Request::Judged(..) => steps.push(Step::Execute(who)),
                Request::Answered(_) => {
                    steps.extend([Step::Deliver(who), Step::LoseAnswer(who)]);
                }
            }
        }
        if self.bounds.stolen_requests > 0 {
            if world.loot.is_none() {
                steps.push(Step::Steal);
            }
            if world.row.is_some() {
                steps.push(Step::LogOut);
            }
        }
        let is_behind = world.row.is_some() && world.row != world.standby;
        if self.bounds.fails_over && !world.has_failed_over && is_behind {
            steps.extend([Step::Replicate, Step::FailOver]);
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut world = last.clone();
        match step {
            Step::TimePasses => world.ticks += 1,
            Step::Send(who) => {
                *world.sends_left_mut(who) -= 1;
                let token = if who.is_honest() {
                    world.jar.clone()
                } else {
                    world.history.thief_has_acted = true;
                    world.loot.clone()?
                };
                *world.request_mut(who) = Request::Sent(token);
            }
            Step::Judge(who, node) => self.judge(&mut world, who, node),
            Step::Execute(who) => self.execute(&mut world, who),
            Step::Deliver(who) => {
                let request = std::mem::replace(world.request_mut(who), Request::None);
                let Request::Answered(next) = request else {
                    return None;
                };
                if who.is_honest() {
                    world.jar = next;
                } else {
                    world.loot = Some(next);
                }
            }
            Step::LoseAnswer(who) => *world.request_mut(who) = Request::None,
            Step::Steal => world.loot = Some(world.jar.clone()),
            Step::LogOut => {
                let row = world.row.clone()?;
                self.end(&mut world, &row);
            }
            Step::Replicate => world.standby = world.row.clone(),
            Step::FailOver => {
                world.has_failed_over = true;
                world.row = world.standby.clone();
                let known = world.row.as_ref()?.0.generation;
                let superseded = &mut world.history.superseded_at_ms;
                superseded.retain(|generation, _| *generation < known);
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(ONE_LINE, |_, world: &World| !world.seen.two_lines),
            Property::always(FORWARD, |_, world: &World| !world.seen.went_back),
            Property::always(NO_FALSE_THEFT, |_, world: &World| {
                !world.seen.accused_the_user
            }),
            Property::always(NOBODY_OUT, |_, world: &World| !world.seen.logged_out),
            Property::always(LATE_IS_THEFT, |_, world: &World| {
                !world.seen.served_too_late && !world.seen.let_a_thief_go
            }),
            Property::always(FINAL, |_, world: &World| !world.seen.came_back),
            // What a failover loses takes with it what it knew of the expiries.
            Property::always(RECORD_COVERS, |_, world: &World| {
                world.row.is_some()
                    || world.has_failed_over
                    || world.record_until_ms >= Some(world.history.access_until_ms)
            }),
            Property::sometimes("a swap is lost", |_, world: &World| world.seen.lost_swap),
            Property::sometimes("a replay is served", |_, world: &World| world.seen.replay),
        ];
        if self.bounds.stolen_requests > 0 {
            properties.push(Property::sometimes(
                "a thief is found",
                |_, world: &World| world.seen.theft,
            ));
        }
        if self.bounds.fails_over {
            properties.push(Property::sometimes(
                "the row is behind",
                |_, world: &World| world.seen.ahead_of_store,
            ));
        }
        properties
    }
}

/// A statement is given up long before the window that it begins is over.
fn statements_may_wait(world: &World) -> bool {
    let then_ms = now_ms(world) + TICK_MS;
    Who::ALL.iter().all(|who| match world.request(*who) {
        Request::Judged(_, Statement::Rotate { to, .. }) => {
            then_ms - to.0.refreshed_at_ms < GRACE_MS
        }
        _ => true,
    })
}

/// The window is chosen so that an answer arrives, or is asked for again, while it is open. Once a
/// thief is about, the user may come too late.
fn user_may_wait(world: &World) -> bool {
    let then_ms = now_ms(world) + TICK_MS;
    let superseded = &world.history.superseded_at_ms;
    world.history.thief_has_acted
        || world.honest_tokens().all(|token| {
            superseded
                .get(&token.generation())
                .is_none_or(|at_ms| then_ms - at_ms < GRACE_MS)
        })
}

pub(super) fn now_ms(world: &World) -> i64 {
    START_MS + i64::from(world.ticks) * TICK_MS
}

fn config(access_seconds: u64) -> SessionConfig {
    SessionConfig::builder(AppInfo::new(
        "https://api.example.com",
        "https://example.com",
    ))
    .access_token_lifetime(Duration::from_secs(access_seconds))
    .expiry_jitter(0.0)
    .build()
    .unwrap()
}

fn ring(records: Vec<KeyRecord>) -> KeyRing {
    let policy = KeyPolicy {
        signing: KeyPurpose::AccessDynamic,
        interval: Duration::from_hours(168),
        overlap: Duration::from_mins(1),
        access_lifetime: Duration::from_mins(2),
        refresh_lifetime: Duration::from_hours(2400),
        rsa_key_size: crate::config::RsaKeySize::Bits2048,
    };
    let (ring, refused) = KeyRing::from_records(records, &AtRestSecrets::default(), policy);
    assert!(refused.is_empty(), "{refused:?}");
    ring
}

pub(super) const ONE_LINE: &str = "one lineage";
pub(super) const FORWARD: &str = "the row moves forward";
pub(super) const NO_FALSE_THEFT: &str = "no false theft";
pub(super) const NOBODY_OUT: &str = "nobody is logged out";
pub(super) const LATE_IS_THEFT: &str = "a replay outside the window is theft";
pub(super) const FINAL: &str = "an ended session stays ended";
pub(super) const RECORD_COVERS: &str = "no token outlives the record of its revocation";

const START_MS: i64 = 1_700_000_000_000;
pub(super) const TICK_MS: i64 = 10_000;
pub(super) const GRACE_MS: i64 = 2 * TICK_MS;
