//! Inputs for fuzz targets: a text that a target knows, changed as the fuzzer says.
//!
//! Random bytes are almost never a token. Every target therefore judges its input twice: as the text
//! itself, which is what the files in `tests/it/__fuzz__/<target>/corpus` are, and as a script of
//! edits to a good text, which is what random bytes are best at.
//!
//! `cargo test -p fuzz` runs the corpus and a second of random inputs for each target;
//! `cargo xtask fuzz <target> --minutes 5` goes on for longer.

/// A good text changed by a script: the first byte chooses the text, and each five bytes that follow
/// are one edit.
///
/// # Examples
///
/// ```
/// let untouched = fuzz::edited(&[b"a good text"], &[0]);
/// assert_eq!(untouched, b"a good text");
/// ```
pub fn edited(texts: &[&[u8]], script: &[u8]) -> Vec<u8> {
    let (&choice, edits) = script.split_first().unwrap_or((&0, &[]));
    let chosen = texts.iter().cycle().nth(choice.into());
    let mut text = chosen.map_or_else(Vec::new, |text| text.to_vec());
    for edit in edits.as_chunks::<5>().0.iter().take(MAX_EDITS) {
        apply(&mut text, *edit);
    }
    text
}

fn apply(text: &mut Vec<u8>, [kind, high, low, length, value]: [u8; 5]) {
    let at = usize::from(u16::from_be_bytes([high, low])) % (text.len() + 1);
    let end = text.len().min(at + usize::from(length));
    match kind % 6 {
        0 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << (value % 8);
            }
        }
        1 => text.insert(at, value),
        2 => drop(text.drain(at..end)),
        3 => {
            let piece: Vec<u8> = text.drain(at..end).collect();
            text.splice(at..at, [piece.as_slice(), &piece].concat());
        }
        4 => {
            let word = WORDS
                .iter()
                .cycle()
                .nth(value.into())
                .copied()
                .unwrap_or_default();
            text.splice(at..end, word.bytes());
        }
        _ => text.truncate(at),
    }
}

const MAX_EDITS: usize = 32;

/// What the readers treat in a special way.
const WORDS: &[&str] = &[
    "",
    ".",
    "..",
    "=",
    "-",
    "_",
    "+",
    "/",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    " ",
    "\r\n",
    "\0",
    "null",
    "true",
    "0",
    "-0",
    "1e9",
    "1e999",
    "9223372036854775807",
    "18446744073709551616",
    "{\"a\":",
    "[[[[[[[[",
    "\"exp\":0",
    "\"iat\":0",
    "\"sub\":\"\"",
    "\"stt\":1",
    "\"nbf\":0",
    "\"crit\":[]",
    "\"alg\":\"none\"",
    "\"kid\":\"\"",
    "\u{feff}",
    "é",
    "AAAA",
    "%",
    ";",
    "$serde_json::private::Number",
];
