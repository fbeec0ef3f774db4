//! Requests per second over real sockets, beside what others answer.
//!
//! Every contender has one processor to itself, the same for all, and is asked in turn; the client,
//! and what a contender asks itself, has another.

mod contender;
mod ground;
mod judging;
mod load;
mod server;
mod words;

use std::thread;

use bench::{
    extent::{Extent, Only},
    rounds::Pairs,
    row::{Row, Target, Unit},
};
use contender::{Comparison, Contender};
use ground::Ground;
use load::{Counted, Round};

/// `requests-new-express` and its likes. A quick run leaves out those without a target, unless they
/// are asked for.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    let mut comparisons = contender::comparisons();
    comparisons.retain(|comparison| {
        let is_shown = comparison.least.is_none();
        let is_left_out = is_shown && extent == Extent::Quick && only.is_everything();
        only.wants(&comparison.name) && !is_left_out
    });
    if comparisons.is_empty() {
        return Vec::new();
    }
    // A thread of its own, as it gives up a processor.
    let measured = thread::spawn(move || measured(extent, &comparisons));
    measured.join().unwrap()
}

fn measured(extent: Extent, comparisons: &[Comparison]) -> Vec<Row> {
    let mut ground = Ground::prepare();
    for comparison in comparisons {
        ground.start(comparison.theirs);
        ground.start(comparison.ours);
    }
    let figures = Figures::of(&ground, extent);
    let row = |comparison| figures.row(comparison);
    comparisons.iter().map(row).collect()
}

/// All rounds of each contender, in the same order.
struct Figures(Vec<(Contender, Vec<Round>)>);

impl Figures {
    fn of(ground: &Ground, extent: Extent) -> Self {
        let seconds = extent.either(2, 1);
        let round = |(contender, server): &(Contender, _)| {
            Round::of(server, &ground.lines_of(*contender), seconds)
        };
        // The first is not counted: just-in-time compilers have work to do, and caches fill.
        let warm = |running| {
            round(running);
            (running.0, Vec::new())
        };
        let mut figures: Vec<_> = ground.running().iter().map(warm).collect();
        for _ in 0..extent.either(7, 5) {
            for (running, (_, rounds)) in ground.running().iter().zip(&mut figures) {
                rounds.push(round(running));
            }
        }
        Self(figures)
    }

    fn rounds(&self, contender: Contender) -> &[Round] {
        let of = |(one, _): &&(Contender, _)| *one == contender;
        &self.0.iter().find(of).unwrap().1
    }

    /// A contender that had its processor for the whole round answered as much as it can. Where one
    /// had not, as the client was too slow or somebody else was there, its time on the processor says
    /// how much that would be.
    fn row(&self, comparison: &Comparison) -> Row {
        let [ours, theirs] = [comparison.ours, comparison.theirs].map(|one| self.rounds(one));
        let counted = Counted::of([ours, theirs]);
        let mut pairs = Pairs::default();
        for (ours, theirs) in ours.iter().zip(theirs) {
            let [ours, theirs] = [ours, theirs].map(|round| counted.requests(round));
            pairs.push(ours, theirs);
        }
        let what = words::of(comparison.ours, ours, counted);
        let against = words::of(comparison.theirs, theirs, counted);
        let target = comparison.least.map_or(Target::Shown, Target::RatioAtLeast);
        let unit = Unit::RequestsPerSecond;
        Row::compared(&*comparison.name, [&what, &against], unit, pairs, target)
    }
}
