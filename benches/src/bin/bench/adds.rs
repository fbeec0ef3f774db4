//! What a session adds to a request in the process of each framework: the program `adds` measures.

use std::process::Command;

use bench::{
    extent::{Extent, Only},
    rounds::Pairs,
    row::{Row, Target, Unit},
};
use programs::process;
use serde::Deserialize;

use crate::built;

/// `adds-axum-new` and its likes.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    let mut rows = Vec::new();
    for framework in FRAMEWORKS {
        if only.wants_any(&format!("adds-{framework}-")) {
            let figures = Figures::of(framework, extent);
            rows.extend(figures.rows(framework));
        }
    }
    rows.retain(|row| only.wants(&row.name));
    rows
}

/// What the program prints: nanoseconds of a request, in each round.
#[derive(Deserialize)]
struct Figures {
    without: Vec<f64>,
    new: Vec<f64>,
    seen: Vec<f64>,
}

impl Figures {
    fn of(framework: &str, extent: Extent) -> Self {
        let mut adds = Command::new(built::peers("adds"));
        adds.args([framework, "--rounds", extent.either("1001", "301")]);
        serde_json::from_str(&process::capture(&mut adds).unwrap()).unwrap()
    }

    fn rows(self, framework: &str) -> [Row; 2] {
        let without = format!("the same handler on {framework} without a session");
        let row = |kind: &str, what: &str, figures: Vec<f64>, most: f64| {
            let pairs = Pairs {
                ours: figures,
                theirs: self.without.clone(),
            };
            Row::compared(
                format!("adds-{framework}-{kind}"),
                [what, &without],
                Unit::Nanoseconds,
                pairs,
                Target::DifferenceAtMost(most),
            )
        };
        let new = "a request with a session whose token was not seen before, without a socket";
        let seen = "a request with a session whose token was seen before, without a socket";
        [
            row("new", new, self.new, 18_000.0),
            row("seen", seen, self.seen, 1_000.0),
        ]
    }
}

const FRAMEWORKS: [&str; 6] = ["axum", "actix", "rocket", "warp", "poem", "tower"];
