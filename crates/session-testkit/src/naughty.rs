//! The Big List of Naughty Strings, and strings that look alike.

/// The 515 strings of the Big List of Naughty Strings by Max Woolf (MIT; `data/blns`).
pub fn strings() -> Vec<String> {
    let strings: Vec<String> =
        serde_json::from_str(include_str!("../data/blns/blns.json")).unwrap();
    assert_eq!(strings.len(), 515, "the list in data/blns is not whole");
    strings
}

/// Texts that a collation, a normal form or a trimmed column would take for one another.
pub const LOOKALIKES: [&str; 23] = [
    "Alice",
    "alice",
    "ALICE",
    "\u{c1}lice",
    "A\u{301}lice",
    "Alice ",
    " Alice",
    "Alice\t",
    "Alice\n",
    "Alice\u{a0}",
    "Alice\u{200b}",
    "\u{ff21}lice",
    "Al\u{456}ce",
    "stra\u{df}e",
    "strasse",
    "stra\u{1e9e}e",
    "I\u{307}ce",
    "\u{130}ce",
    "\u{131}ce",
    "ice",
    "1",
    "01",
    "1.0",
];
