//! Tokens that were seen before, by a service that remembers them.

use std::{thread, time::Duration};

use aws_lc_rs::digest;
use bench::{
    extent::{Extent, Only},
    memory,
    records::spread,
    rounds::{self, Pairs, at, time_of},
    row::{Row, Target, Unit},
};
use session_core::{MemoryStore, VerifyOptions};
use tokio::runtime::Runtime;

use crate::{
    scaling,
    service::{Apart, Service},
    verify::{accept, waiting},
};

/// Few tokens and many, the first time and again.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    let names = [HOT, MANY, FIRST, MEMORY, SCALING];
    if !names.iter().any(|name| only.wants(name)) {
        return Vec::new();
    }
    let background = scaling::background();
    let remembering = Remembering::of(extent, &background);
    // In this order: the first of these is when the tokens are seen for the first time.
    let rows = [
        remembering.first(),
        vec![remembering.hot(extent), remembering.many(extent)],
        if only.wants(SCALING) {
            vec![remembering.scaling(extent)]
        } else {
            Vec::new()
        },
    ];
    background.block_on(remembering.service.sessions.shutdown());
    let mut rows = rows.concat();
    rows.retain(|row| only.wants(&row.name));
    rows
}

/// A service that remembers all of its tokens.
struct Remembering {
    service: Service,
    tokens: Vec<String>,
    options: VerifyOptions,
}

impl Remembering {
    /// Signs all tokens, on all cores.
    fn of(extent: Extent, background: &Runtime) -> Self {
        let count = extent.either(100_000, 20_000);
        let store = MemoryStore::default();
        let service = background.block_on(Service::on(store, |config| {
            config.verified_tokens(2 * count)
        }));
        let threads = scaling::threads();
        let tokens: Vec<String> = thread::scope(|scope| {
            let service = &service;
            let some: Vec<_> = (0..threads)
                .map(|thread| {
                    let numbers = (thread..count).step_by(threads);
                    scope.spawn(move || waiting(service.tokens(numbers)))
                })
                .collect();
            some.into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        // In an order that has nothing to do with where they are in memory.
        let mut numbered: Vec<(u64, String)> = (0..).map(spread).zip(tokens).collect();
        numbered.sort_unstable();
        Self {
            service,
            tokens: numbered.into_iter().map(|(_, token)| token).collect(),
            options: VerifyOptions::new(),
        }
    }

    /// Every token for the first time, some in each round; and what remembering them takes.
    fn first(&self) -> Vec<Row> {
        let mut pairs = Pairs::default();
        let before = memory::of_this_process();
        for some in self.tokens.chunks(AT_ONCE) {
            let apart = Apart::all(some);
            let number = f64::from(u32::try_from(some.len()).unwrap());
            let each = |took: Duration| took.as_secs_f64() * 1e9 / number;
            let (ours, ()) = time_of(|| {
                waiting(async {
                    for token in some {
                        accept(&self.service.sessions, token, &self.options).await;
                    }
                });
            });
            let (theirs, ()) =
                time_of(|| apart.iter().for_each(|one| self.service.key.verify(one)));
            pairs.push(each(ours), each(theirs));
        }
        let kilobytes = u32::try_from(memory::of_this_process() - before).unwrap();
        let count = u32::try_from(self.tokens.len()).unwrap();
        let bytes = f64::from(kilobytes) * 1_024.0 / f64::from(count);
        let what = "`Sessions::verify` of tokens never seen, by a service that remembers them";
        let against = "`aws-lc-rs` verifying the signatures of the same bytes with a parsed key";
        vec![
            Row::compared(
                FIRST,
                [what, against],
                Unit::Nanoseconds,
                pairs,
                Target::Shown,
            ),
            Row::alone(
                MEMORY,
                format!("memory of each of {count} remembered tokens"),
                Unit::BytesPerEntry,
                vec![bytes],
                Target::Shown,
            ),
        ]
    }

    fn hot(&self, extent: Extent) -> Row {
        let token = at(&self.tokens, 0);
        let figures = waiting(rounds::alone_waiting(extent, async |_| {
            accept(&self.service.sessions, token, &self.options).await;
        }));
        let what = "`Sessions::verify` of one token that is remembered";
        Row::alone(HOT, what, Unit::Nanoseconds, figures, Target::AtMost(150.0))
    }

    fn many(&self, extent: Extent) -> Row {
        let figures = waiting(rounds::alone_waiting(extent, async |call| {
            let token = at(&self.tokens, call);
            accept(&self.service.sessions, token, &self.options).await;
        }));
        let count = self.tokens.len();
        let what =
            format!("`Sessions::verify` of {count} tokens that are remembered, in random order");
        Row::alone(
            MANY,
            what,
            Unit::Nanoseconds,
            figures,
            Target::AtMost(1_000.0),
        )
    }

    fn scaling(&self, extent: Extent) -> Row {
        let ours = async |call| {
            accept(
                &self.service.sessions,
                at(&self.tokens, call),
                &self.options,
            )
            .await;
        };
        let theirs = async |call| {
            let token: &String = at(&self.tokens, call);
            digest_of(token);
        };
        let pairs = scaling::scaling_of(extent, &ours, &theirs);
        scaling::row(
            SCALING,
            "verifying tokens that are remembered",
            "digests of them",
            pairs,
        )
    }
}

/// A digest of a token: work that shares nothing and takes about as long as a look-up.
fn digest_of(token: &str) {
    std::hint::black_box(digest::digest(&digest::SHA256, token.as_bytes()));
}

const HOT: &str = "verify-seen-hot";
const MANY: &str = "verify-seen-many";
const FIRST: &str = "verify-new-remembered";
const MEMORY: &str = "seen-memory";
const SCALING: &str = "scaling-seen";
const AT_ONCE: usize = 500;
