//! The chart: of every target, how much of what it allows is used.
//!
//! It is put into the page itself, so that its colours are those of the reader's theme. A blank line
//! would end it there.

use bench::row::{Row, Spread, Target, Verdict};

use crate::words;

/// The chart of all rows that have a target.
pub(crate) fn of(rows: &[Row]) -> String {
    let bars: Vec<(&Row, Spread)> = rows
        .iter()
        .filter_map(|row| Some((row, used_of_target(row)?)))
        .collect();
    let height = TOP + HEIGHT * bars.len() + BOTTOM;
    let end = TOP + HEIGHT * bars.len();
    let mut lines = vec![format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"How much of each target is used\" font-size=\"12\" \
         style=\"width: 100%; fill: var(--fg, currentColor)\">"
    )];
    for share in 0..=MOST {
        let x = across(f64::from(share));
        let width = if share == 1 { 2 } else { 1 };
        lines.push(format!(
            "<line x1=\"{x:.0}\" y1=\"{TOP}\" x2=\"{x:.0}\" y2=\"{end}\" \
             stroke=\"currentColor\" stroke-width=\"{width}\" opacity=\"0.5\"/>"
        ));
        let label = if share == 1 {
            "the target".to_owned()
        } else {
            format!("{share}×")
        };
        lines.push(format!(
            "<text x=\"{x:.0}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            TOP - 8
        ));
    }
    for (index, (row, used)) in bars.iter().enumerate() {
        lines.extend(bar(row, *used, TOP + HEIGHT * index));
    }
    lines.push("</svg>".to_owned());
    lines.push(String::new());
    lines.join("\n")
}

fn bar(row: &Row, used: Spread, top: usize) -> [String; 4] {
    let colour = match row.verdict() {
        Verdict::NotReached => MISSED,
        Verdict::WithinNoise => NOISY,
        Verdict::Reached | Verdict::Shown => REACHED,
    };
    let (left, right) = (across(0.0), across(used.median));
    let (low, high) = (across(used.low), across(used.high));
    let (middle, baseline) = (top + HEIGHT / 2, top + HEIGHT - 6);
    let [_, median, _] = words::judged(row);
    [
        format!(
            "<text x=\"{:.0}\" y=\"{baseline}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            row.name
        ),
        format!(
            "<rect x=\"{left:.1}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\"/>",
            top + 3,
            (right - left).max(1.0),
            HEIGHT - 6
        ),
        format!(
            "<line x1=\"{low:.1}\" y1=\"{middle}\" x2=\"{high:.1}\" y2=\"{middle}\" \
             stroke=\"currentColor\" stroke-width=\"2\"/>"
        ),
        format!(
            "<text x=\"{:.0}\" y=\"{baseline}\">{median} of {}</text>",
            across(f64::from(MOST)) + 12.0,
            words::target(row).replace('<', "&lt;"),
        ),
    ]
}

/// How much of what its target allows a row uses: 1 is the target itself, less is better.
fn used_of_target(row: &Row) -> Option<Spread> {
    let share = |spread: Spread, most: f64| match most {
        // Nothing is allowed.
        0.0 => Spread::exactly(if spread.median <= 0.0 {
            0.0
        } else {
            f64::from(MOST)
        }),
        most => Spread {
            low: spread.low / most,
            median: spread.median / most,
            high: spread.high / most,
        },
    };
    let inverse = |spread: Spread, least: f64| Spread {
        low: least / spread.high,
        median: least / spread.median,
        high: least / spread.low,
    };
    match row.target {
        Target::RatioAtMost(most) => Some(share(row.ratio?, most)),
        Target::RatioAtLeast(least) => Some(inverse(row.ratio?, least)),
        Target::AtMost(most) => Some(share(row.ours, most)),
        Target::AtLeast(least) => Some(inverse(row.ours, least)),
        Target::DifferenceAtMost(most) => Some(share(row.difference()?, most)),
        Target::Shown => None,
    }
}

fn across(share: f64) -> f64 {
    LEFT + share.clamp(0.0, f64::from(MOST)) * OF_ONE
}

/// Legible on light and on dark.
const REACHED: &str = "#3f8f5f";
const NOISY: &str = "#b8952f";
const MISSED: &str = "#cc5533";
/// What is beyond so many times a target ends there.
const MOST: u32 = 3;
const WIDTH: usize = 900;
const LEFT: f64 = 220.0;
const OF_ONE: f64 = 140.0;
const TOP: usize = 30;
const HEIGHT: usize = 22;
const BOTTOM: usize = 10;
