//! The ids that tests cite: attacks by letter and number, wire cases by number.

use std::fmt;

/// What a test defends against or proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    /// An attack of `docs/src/attacks.md`.
    Attack(char, u16),
    /// A case of `docs/src/conformance.md`.
    Wire(u16),
}

/// The last of the wire cases; they are numbered from 1.
const LAST_WIRE_CASE: u16 = 75;

/// The attacks that need a test, or a reason why they do not apply.
const REQUIRED_ATTACKS: &str = "A1-A21 B1-B5 B8-B11 C1-C7 D1-D2 D4 D7 D9-D10 E1-E19 E21 F1-F21 \
     G1-G12 G14-G16 H1 H3-H5 H12-H13 H16 H18 J1-J2 J4 J8 J10 K1 K3 K5 K7-K10 L5 L9";

/// Every attack that has to be in the table.
pub(crate) fn required_attacks() -> Vec<Case> {
    REQUIRED_ATTACKS
        .split_whitespace()
        .filter_map(range)
        .flatten()
        .collect()
}

/// Every wire case that has to be in the table.
pub(crate) fn required_wire_cases() -> Vec<Case> {
    (1..=LAST_WIRE_CASE).map(Case::Wire).collect()
}

/// Reads `A6`.
pub(crate) fn attack(text: &str) -> Option<Case> {
    let mut letters = text.chars();
    let letter = letters
        .next()
        .filter(|letter| ('A'..='L').contains(letter))?;
    let digits = letters.as_str();
    let plain =
        (1..=2).contains(&digits.len()) && digits.chars().all(|digit| digit.is_ascii_digit());
    if plain {
        Some(Case::Attack(letter, digits.parse().ok()?))
    } else {
        None
    }
}

/// Reads `A1-A4`, `A1–4` or `A6`.
pub(crate) fn range(text: &str) -> Option<Vec<Case>> {
    let Some((first, last)) = text.split_once(['-', '–']) else {
        return Some(vec![attack(text)?]);
    };
    let Case::Attack(letter, first) = attack(first)? else {
        return None;
    };
    let last: u16 = last.strip_prefix(letter).unwrap_or(last).parse().ok()?;
    Some(
        (first..=last)
            .map(|number| Case::Attack(letter, number))
            .collect(),
    )
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attack(letter, number) => write!(f, "{letter}{number}"),
            Self::Wire(number) => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_required_attacks_are_all_read() {
        let attacks = required_attacks();
        assert_eq!(attacks.len(), 21 + 9 + 7 + 6 + 20 + 21 + 15 + 8 + 5 + 7 + 2);
        assert!(attacks.contains(&Case::Attack('G', 16)));
        assert!(!attacks.contains(&Case::Attack('G', 13)));
    }

    #[test]
    fn an_id_is_a_letter_and_one_or_two_digits() {
        assert_eq!(attack("F10"), Some(Case::Attack('F', 10)));
        for other in ["F", "F100", "f1", "M1", "F1a", "1F", "+1", "F+1"] {
            assert_eq!(attack(other), None, "{other}");
        }
        assert_eq!(range("A2–4").map(|cases| cases.len()), Some(3));
    }
}
