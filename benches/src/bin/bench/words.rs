//! Figures, targets and verdicts in words, the same on the screen and in the book.

use bench::row::{Row, Spread, Target, Unit, Verdict};

/// A figure with its unit: three digits that count.
pub(crate) fn figure(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Nanoseconds => time(value),
        Unit::Microseconds => time(value * 1e3),
        Unit::Seconds => time(value * 1e9),
        Unit::RequestsPerSecond => format!("{}/s", grouped(value)),
        Unit::BytesPerEntry => format!("{} B", digits(value)),
        Unit::Allocations | Unit::Count => grouped(value),
        Unit::Ratio => times(value),
    }
}

/// The target of a row.
pub(crate) fn target(row: &Row) -> String {
    let unit = row.unit;
    match row.target {
        Target::RatioAtMost(most) => format!("≤ {}", times(most)),
        Target::RatioAtLeast(least) => format!("≥ {}", times(least)),
        Target::AtMost(most) => format!("≤ {}", figure(unit, most)),
        Target::AtLeast(least) => format!("≥ {}", figure(unit, least)),
        Target::DifferenceAtMost(most) => format!("≤ +{}", figure(unit, most)),
        Target::Shown => "–".to_owned(),
    }
}

/// What the target is about: the ratio, the difference, or the figure alone. The lower quartile, the
/// median and the upper quartile.
pub(crate) fn judged(row: &Row) -> [String; 3] {
    let unit = row.unit;
    let of = |spread: Spread, words: &dyn Fn(f64) -> String| {
        [spread.low, spread.median, spread.high].map(words)
    };
    match (row.target, row.ratio, row.difference()) {
        (Target::DifferenceAtMost(_), _, Some(difference)) => of(difference, &|value| {
            signed(value, |value| figure(unit, value))
        }),
        (Target::RatioAtMost(_) | Target::RatioAtLeast(_) | Target::Shown, Some(ratio), _) => {
            of(ratio, &times)
        }
        _ => of(row.ours, &|value| figure(unit, value)),
    }
}

/// What the target is about, in one text.
pub(crate) fn judged_in_full(row: &Row) -> String {
    match judged(row) {
        [low, median, high] if low == high => median,
        [low, median, high] => format!("{median} ({low} to {high})"),
    }
}

/// The verdict on a row.
pub(crate) fn verdict(row: &Row) -> &'static str {
    match row.verdict() {
        Verdict::Reached => "ok",
        Verdict::WithinNoise => "noisy",
        Verdict::NotReached => "NOT REACHED",
        Verdict::Shown => "shown",
    }
}

fn signed(value: f64, words: impl Fn(f64) -> String) -> String {
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{}", words(value.abs()))
}

fn times(value: f64) -> String {
    format!("{}×", digits(value))
}

fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds.abs() {
        below if below < 1e3 => (nanoseconds, "ns"),
        below if below < 1e6 => (nanoseconds / 1e3, "µs"),
        below if below < 1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    format!("{} {unit}", digits(value))
}

/// Three digits, no more.
pub(crate) fn digits(value: f64) -> String {
    match value.abs() {
        below if below < 9.995 => format!("{value:.2}"),
        below if below < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// With a space between thousands.
pub(crate) fn grouped(value: f64) -> String {
    let text = if value.fract() == 0.0 || value >= 100.0 {
        format!("{value:.0}")
    } else {
        digits(value)
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    if !fraction.is_empty() {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}
