//! `Row`: a line of the table of figures, and whether it reaches its target.

use serde::{Deserialize, Serialize};

use crate::rounds::Pairs;

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "the measurements build them")]
pub struct Row {
    /// What `--only` calls it: `verify-new`, `requests-new-express`.
    pub name: String,
    /// What was measured, and how, in words.
    pub what: String,
    /// What it was measured against, in words.
    pub against: Option<String>,
    /// What `ours` and `theirs` count.
    pub unit: Unit,
    /// Of the measured.
    pub ours: Spread,
    /// Of what it was measured against.
    pub theirs: Option<Spread>,
    /// Ours to theirs, of each pair of rounds.
    pub ratio: Option<Spread>,
    /// What is asked of it.
    pub target: Target,
}

impl Row {
    /// A row about one thing.
    pub fn alone(
        name: impl Into<String>,
        what: impl Into<String>,
        unit: Unit,
        figures: Vec<f64>,
        target: Target,
    ) -> Self {
        Self {
            name: name.into(),
            what: what.into(),
            against: None,
            unit,
            ours: Spread::of(figures),
            theirs: None,
            ratio: None,
            target,
        }
    }

    /// A row about two things that were measured in turn.
    pub fn compared(
        name: impl Into<String>,
        [what, against]: [&str; 2],
        unit: Unit,
        pairs: Pairs,
        target: Target,
    ) -> Self {
        Self {
            name: name.into(),
            what: what.to_owned(),
            against: Some(against.to_owned()),
            unit,
            ratio: Some(Spread::of(pairs.ratios())),
            ours: Spread::of(pairs.ours),
            theirs: Some(Spread::of(pairs.theirs)),
            target,
        }
    }

    /// Whether the target is reached, and if it is not, whether by more than the noise that was
    /// measured: half of what lies between the quartiles.
    pub fn verdict(&self) -> Verdict {
        let judged = match self.target {
            Target::Shown => return Verdict::Shown,
            Target::RatioAtMost(_) | Target::RatioAtLeast(_) => self.ratio,
            Target::AtMost(_) | Target::AtLeast(_) => Some(self.ours),
            Target::DifferenceAtMost(_) => self.difference(),
        };
        let Some(judged) = judged else {
            return Verdict::NotReached;
        };
        let missed_by = match self.target {
            Target::RatioAtMost(most) | Target::AtMost(most) | Target::DifferenceAtMost(most) => {
                judged.median - most
            }
            Target::RatioAtLeast(least) | Target::AtLeast(least) => least - judged.median,
            Target::Shown => return Verdict::Shown,
        };
        if missed_by <= 0.0 {
            Verdict::Reached
        } else if missed_by <= judged.noise() {
            Verdict::WithinNoise
        } else {
            Verdict::NotReached
        }
    }

    /// By how much ours is more than theirs, as noisy as the noisier of both.
    pub fn difference(&self) -> Option<Spread> {
        let theirs = self.theirs?;
        let median = self.ours.median - theirs.median;
        let noise = self.ours.noise().max(theirs.noise());
        Some(Spread {
            low: median - noise,
            median,
            high: median + noise,
        })
    }
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the pages write each")]
pub enum Unit {
    /// Time of one operation.
    Nanoseconds,
    /// Time of one operation.
    Microseconds,
    /// Time of one operation.
    Seconds,
    /// How many requests are answered.
    RequestsPerSecond,
    /// Memory.
    BytesPerEntry,
    /// Pieces of memory asked for by one operation.
    Allocations,
    /// Whatever the row says.
    Count,
    /// Of a thing to itself, under other circumstances.
    Ratio,
}

/// What is asked of a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the pages write each")]
pub enum Target {
    /// Of ours to theirs.
    RatioAtMost(f64),
    /// Of ours to theirs.
    RatioAtLeast(f64),
    /// Of ours.
    AtMost(f64),
    /// Of ours.
    AtLeast(f64),
    /// Of ours less theirs.
    DifferenceAtMost(f64),
    /// Nothing: it stands beside the others.
    Shown,
}

/// Whether a row reaches its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Verdict {
    /// It does.
    Reached,
    /// It does not, by no more than the noise: a quieter machine would tell.
    WithinNoise,
    /// It does not.
    NotReached,
    /// It has none.
    Shown,
}

/// The quartiles of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "complete by nature")]
pub struct Spread {
    /// What three quarters are above.
    pub low: f64,
    /// What half are above.
    pub median: f64,
    /// What one quarter is above.
    pub high: f64,
}

impl Spread {
    /// The quartiles of some figures, of which there must be one.
    pub fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        let last = figures.len() - 1;
        let quartile = |quarters: usize| {
            // Between two figures, the nearer one.
            let index = (last * quarters + 2) / 4;
            *figures.get(index).unwrap()
        };
        Self {
            low: quartile(1),
            median: quartile(2),
            high: quartile(3),
        }
    }

    /// A figure that cannot vary.
    pub fn exactly(figure: f64) -> Self {
        Self {
            low: figure,
            median: figure,
            high: figure,
        }
    }

    /// Half of what lies between the quartiles.
    pub fn noise(self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The middle of the sorted figures, and what lies half-way to both ends.
    #[test]
    fn quartiles_are_among_the_figures() {
        let spread = Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        let expected = Spread {
            low: 2.0,
            median: 3.0,
            high: 4.0,
        };
        assert_eq!(spread, expected);
        assert_eq!(Spread::of(vec![7.0]), Spread::exactly(7.0));
    }

    /// A row fails when it misses its target by more than it varied.
    #[test]
    fn a_row_fails_beyond_its_noise_alone() {
        let pairs = |ours: [f64; 5]| Pairs {
            ours: ours.to_vec(),
            theirs: vec![10.0; 5],
        };
        let row = |ours, target| {
            Row::compared(
                "row",
                ["this", "that"],
                Unit::Nanoseconds,
                pairs(ours),
                target,
            )
        };
        let noisy = [10.0, 11.0, 12.0, 13.0, 14.0];
        let steady = [12.0; 5];
        let most = Target::RatioAtMost(1.15);
        assert_eq!(row(noisy, most).verdict(), Verdict::WithinNoise);
        assert_eq!(row(steady, most).verdict(), Verdict::NotReached);
        let least = Target::RatioAtLeast(1.25);
        assert_eq!(row(noisy, least).verdict(), Verdict::WithinNoise);
        assert_eq!(row(steady, least).verdict(), Verdict::NotReached);
        for (target, verdict) in [
            (Target::DifferenceAtMost(2.0), Verdict::Reached),
            (Target::DifferenceAtMost(1.0), Verdict::NotReached),
            (Target::AtMost(12.0), Verdict::Reached),
            (Target::AtLeast(12.5), Verdict::NotReached),
            (Target::Shown, Verdict::Shown),
        ] {
            assert_eq!(row(steady, target).verdict(), verdict, "{target:?}");
        }
    }
}
