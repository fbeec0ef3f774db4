//! The rotation state machine against a simple reference model (design §5, security F5).
//!
//! The model has no cryptography: a refresh token is the list of keys that its ancestors were made
//! under and its own key, and "the successor of" is "that list, one longer". Everything else is
//! written down anew from the design: who is current, who is inside the window, who is a thief.
//!
//! No step makes the store fail: a rotation that is committed while its answer is lost leaves the
//! row and the client as a lost answer of the service's does. What comes between judging a token and
//! the swap is explored in `backend/refresh/model`.
//!
//! What finds which mistake (each was planted by hand once and found):
//!
//! | mistake in the service | found by |
//! |---|---|
//! | a window that is open one millisecond longer, or closed one earlier | [`Verdict`] differs: clock steps end exactly at its edge |
//! | seven or nine remembered rotations instead of eight | [`Verdict`] differs after a run of refreshes |
//! | the window counted from another rotation than the one that superseded the token | `superseded_for` differs |
//! | a successor derived under the newest key instead of the token's own | [`Verdict`] differs after a key rotation |
//! | a generation that is current taken for the row's without a look at its secret | [`Verdict`] differs after a restore and a key rotation |
//! | a token ahead of the row taken for a thief's | [`Verdict`] differs after a restore |
//! | a theft that revokes nothing | the session answers after its end (INV-4, INV-8) |
//! | a replay that draws a token of its own | two texts for one token of the model (INV-3) |

mod trial;

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use trial::Trial;

/// Who holds tokens: the owner's newest tab, slow ones, and the thief.
const HOLDERS: usize = 5;

/// What may happen next.
#[derive(Debug, Clone)]
enum Step {
    /// Time passes.
    Wait(Wait),
    /// Somebody refreshes with the token it holds, so many times in a row, and keeps each answer.
    Refresh { who: usize, times: usize },
    /// As `Refresh`, but the answer is lost on the way.
    LoseAnswer { who: usize },
    /// Several copies of one request arrive at once; the last answer is kept.
    Race { who: usize, requests: usize },
    /// A tab shares the jar of another, or the thief copies what somebody holds.
    Copy { from: usize, to: usize },
    /// An operator makes a new refresh key.
    RotateKey,
    /// The database goes back to what it was so many rotations ago.
    Restore { rotations: usize },
    /// The application changes the payload by handle.
    UpdatePayload(u32),
    /// The session is ended by handle.
    Revoke,
}

/// Times that matter: those at the edges of the window and of a key's publication.
#[derive(Debug, Clone, Copy)]
enum Wait {
    Nothing,
    Millisecond,
    Second,
    JustInside,
    Window,
    KeyPublication,
}

impl Wait {
    fn duration(self, grace: Duration) -> Duration {
        match self {
            Self::Nothing => Duration::ZERO,
            Self::Millisecond => Duration::from_millis(1),
            Self::Second => Duration::from_secs(1),
            Self::JustInside => grace.saturating_sub(Duration::from_millis(1)),
            Self::Window => grace,
            Self::KeyPublication => Duration::from_mins(1),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..HOLDERS;
    let wait = prop_oneof![
        Just(Wait::Nothing),
        Just(Wait::Millisecond),
        Just(Wait::Second),
        Just(Wait::JustInside),
        Just(Wait::Window),
        Just(Wait::KeyPublication),
    ];
    prop_oneof![
        6 => wait.prop_map(Step::Wait),
        12 => (who.clone(), 1..3_usize).prop_map(|(who, times)| Step::Refresh { who, times }),
        2 => (who.clone(), 7..10_usize).prop_map(|(who, times)| Step::Refresh { who, times }),
        3 => who.clone().prop_map(|who| Step::LoseAnswer { who }),
        2 => (who.clone(), 2..6_usize).prop_map(|(who, requests)| Step::Race { who, requests }),
        6 => (who.clone(), who).prop_map(|(from, to)| Step::Copy { from, to }),
        3 => Just(Step::RotateKey),
        2 => (1..4_usize).prop_map(|rotations| Step::Restore { rotations }),
        2 => any::<u32>().prop_map(Step::UpdatePayload),
        1 => Just(Step::Revoke),
    ]
}

/// Mostly what makes two lines part: a database that goes back, and keys that change meanwhile.
fn step_around_a_failover() -> impl Strategy<Value = Step> {
    let who = 0..3_usize;
    prop_oneof![
        6 => who.clone().prop_map(|who| Step::Refresh { who, times: 1 }),
        2 => (who.clone(), who).prop_map(|(from, to)| Step::Copy { from, to }),
        2 => Just(Step::RotateKey),
        3 => Just(Step::Wait(Wait::KeyPublication)),
        3 => (1..3_usize).prop_map(|rotations| Step::Restore { rotations }),
    ]
}

fn grace() -> impl Strategy<Value = Duration> {
    prop_oneof![
        1 => Just(Duration::ZERO),
        4 => Just(Duration::from_secs(10)),
        2 => Just(Duration::from_secs(30)),
        1 => Just(Duration::from_mins(10)),
    ]
}

/// What a refresh comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Rotated,
    /// The row was so many generations behind.
    AheadOfStore(u64),
    WithinGrace {
        steps_behind: u64,
        superseded_for: Duration,
    },
    AfterGrace,
    StaleGeneration,
    Unauthorised,
}

/// A refresh token of the model: the keys of its ancestors from the first on, and its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Token {
    ancestors: Vec<usize>,
    key: usize,
}

impl Token {
    fn generation(&self) -> u64 {
        self.ancestors.len() as u64
    }

    fn successor(&self, key: usize) -> Self {
        let mut ancestors = self.ancestors.clone();
        ancestors.push(self.key);
        Self { ancestors, key }
    }

    /// Whether it has the same secret: what a token's own key is only decides over the next one's.
    fn is_same_secret(&self, other: &Self) -> bool {
        self.ancestors == other.ancestors
    }

    fn is_ancestor_of(&self, other: &Self) -> bool {
        self.generation() < other.generation() && other.ancestors.starts_with(&self.ancestors)
    }
}

/// The row of the model. It remembers every rotation; the service's remembers eight.
#[derive(Debug, Clone)]
struct Row {
    current: Token,
    /// When the row learned of each generation.
    learned_at: BTreeMap<u64, Duration>,
}

/// The model.
struct Model {
    grace: Duration,
    now: Duration,
    /// When each refresh key was made.
    keys: Vec<Duration>,
    row: Option<Row>,
}

impl Model {
    /// The newest key that every node has had a minute to hear of, else the oldest.
    fn minting_key(&self) -> usize {
        let is_known = |made: &Duration| *made + Duration::from_mins(1) <= self.now;
        self.keys.iter().rposition(is_known).unwrap_or(0)
    }

    fn refresh(&mut self, presented: &Token) -> Verdict {
        let (key, now, grace) = (self.minting_key(), self.now, self.grace);
        let Some(row) = &mut self.row else {
            return Verdict::Unauthorised;
        };
        let (presented_generation, generation) = (presented.generation(), row.current.generation());
        let is_ahead = presented_generation > generation;
        if is_ahead || presented.is_same_secret(&row.current) {
            row.learned_at.entry(presented_generation).or_insert(now);
            row.learned_at.insert(presented_generation + 1, now);
            let leads_on = if is_ahead { presented } else { &row.current };
            row.current = leads_on.successor(key);
            return match presented_generation - generation {
                0 => Verdict::Rotated,
                behind => Verdict::AheadOfStore(behind),
            };
        }
        let steps_behind = generation - presented_generation;
        let superseded_at = row
            .learned_at
            .range(presented_generation + 1..)
            .next()
            .map(|(_, at)| *at);
        let superseded_for = now - superseded_at.unwrap_or(now);
        let verdict = if steps_behind > 8 || !presented.is_ancestor_of(&row.current) {
            Verdict::StaleGeneration
        } else if superseded_for >= grace {
            Verdict::AfterGrace
        } else {
            return Verdict::WithinGrace {
                steps_behind,
                superseded_for,
            };
        };
        self.row = None;
        verdict
    }

    /// Whether there are so many keys that finding out by which of them the row's current token
    /// descends from `presented` may cost more than the service pays for one request.
    fn search_is_too_long(&self, presented: &Token) -> bool {
        let Some(row) = &self.row else {
            return false;
        };
        let steps = presented.generation()..row.current.generation();
        let mut tried_at_once = 1_usize;
        let cost = steps.take(8).fold(0, |cost, _| {
            tried_at_once *= self.keys.len();
            cost + tried_at_once
        });
        cost > 512
    }
}

/// Takes model and service through the same steps.
fn run(grace: Duration, steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut trial = Trial::new(grace).await;
        for step in steps {
            trial.step(step).await;
        }
        trial.reckoning().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// F2, F3, F4, F5, F8, INV-1, INV-3, INV-4, INV-5, INV-8: all orders of owner, slow tabs, lost
    /// answers and a thief, with key rotations, payload updates and restores between any two steps.
    #[test]
    fn the_rotation_does_what_the_model_says(
        grace in grace(),
        steps in proptest::collection::vec(step(), 1..48),
    ) {
        run(grace, &steps);
    }

    /// INV-3, INV-5: the same around a database that goes back while keys change.
    #[test]
    fn a_database_that_goes_back_does_what_the_model_says(
        steps in proptest::collection::vec(step_around_a_failover(), 8..32),
    ) {
        run(Duration::from_mins(10), &steps);
    }
}
