//! Edits of the text, without a look at what it says.

use super::{Edit, Workshop};

pub(super) const EDITS: &[Edit] = &[
    ("as it came", Workshop::token),
    ("a bit flipped", a_bit_flipped),
    ("a character replaced", a_character_replaced),
    ("a character inserted", a_character_inserted),
    ("a character taken away", a_character_taken_away),
    ("cut short", cut_short),
    ("other segments", other_segments),
    ("white space around", white_space_around),
    (
        "signed segments in the other base64 alphabet",
        in_the_other_alphabet,
    ),
    ("signed segments padded", padded),
    ("signed segments with bits to spare set", with_bits_to_spare),
    (
        "signed segments with foreign characters",
        with_foreign_characters,
    ),
    (
        "signature in the other base64 alphabet",
        signature_in_the_other_alphabet,
    ),
    ("signature padded", signature_padded),
    (
        "signature with bits to spare set",
        signature_with_bits_to_spare,
    ),
    (
        "signature with foreign characters",
        signature_with_foreign_characters,
    ),
];

fn a_bit_flipped(workshop: &mut Workshop) -> String {
    let mut bytes = workshop.token().into_bytes();
    // The last character has bits to spare, which are an edit of their own.
    let index = workshop.chance.usize(..bytes.len() - 1);
    // Bit 7 would make it no text.
    bytes[index] ^= 1 << workshop.chance.u8(..7);
    String::from_utf8(bytes).unwrap()
}

fn a_character_replaced(workshop: &mut Workshop) -> String {
    let mut token = workshop.token();
    let index = workshop.chance.usize(..token.len() - 1);
    let character = any_character(workshop);
    token.replace_range(index..=index, &character);
    token
}

fn a_character_inserted(workshop: &mut Workshop) -> String {
    let mut token = workshop.token();
    let index = workshop.chance.usize(..token.len());
    let character = any_character(workshop);
    token.insert_str(index, &character);
    token
}

fn a_character_taken_away(workshop: &mut Workshop) -> String {
    let mut token = workshop.token();
    let index = workshop.chance.usize(..token.len());
    token.remove(index);
    token
}

fn cut_short(workshop: &mut Workshop) -> String {
    let mut token = workshop.token();
    let length = workshop.chance.usize(..token.len());
    token.truncate(length);
    token
}

fn other_segments(workshop: &mut Workshop) -> String {
    let [header, payload, signature] = workshop.segments();
    workshop.one_of(&[
        format!("{header}.{payload}"),
        format!("{header}.{signature}"),
        format!("{payload}.{signature}"),
        header.clone(),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{payload}.{header}.{signature}"),
        format!("{header}.{signature}.{payload}"),
        format!("{header}.{payload}.{signature}."),
        format!(".{header}.{payload}.{signature}"),
        format!("{header}.{header}.{payload}.{signature}"),
        format!("{header}.{payload}.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}..{signature}"),
        format!("{header}..{payload}.{signature}"),
        format!("{header}{payload}.{signature}"),
        String::new(),
        "..".to_owned(),
        "...".to_owned(),
    ])
}

fn white_space_around(workshop: &mut Workshop) -> String {
    let token = workshop.token();
    let space = workshop.one_of(&WHITE_SPACE);
    match workshop.chance.u8(..3) {
        0 => format!("{space}{token}"),
        1 => format!("{token}{space}"),
        _ => format!("{space}{token}{space}"),
    }
}

fn in_the_other_alphabet(workshop: &mut Workshop) -> String {
    recoded(workshop, |_, segment| other_alphabet(segment))
}

fn padded(workshop: &mut Workshop) -> String {
    recoded(workshop, |_, segment| with_padding(segment))
}

fn with_bits_to_spare(workshop: &mut Workshop) -> String {
    recoded(workshop, bits_to_spare)
}

fn with_foreign_characters(workshop: &mut Workshop) -> String {
    recoded(workshop, foreign_character)
}

fn signature_in_the_other_alphabet(workshop: &mut Workshop) -> String {
    resigned(workshop, |_, signature| other_alphabet(signature))
}

fn signature_padded(workshop: &mut Workshop) -> String {
    resigned(workshop, |_, signature| with_padding(signature))
}

fn signature_with_bits_to_spare(workshop: &mut Workshop) -> String {
    resigned(workshop, bits_to_spare)
}

fn signature_with_foreign_characters(workshop: &mut Workshop) -> String {
    resigned(workshop, foreign_character)
}

/// A token with one of its first two segments encoded otherwise, and signed like that.
fn recoded(workshop: &mut Workshop, edit: fn(&mut Workshop, &str) -> String) -> String {
    let [header, payload, _] = workshop.segments();
    if workshop.chance.bool() {
        let header = edit(workshop, &header);
        workshop.signer.sign_segments(&header, &payload)
    } else {
        let payload = edit(workshop, &payload);
        workshop.signer.sign_segments(&header, &payload)
    }
}

/// A token with its signature encoded otherwise.
fn resigned(workshop: &mut Workshop, edit: fn(&mut Workshop, &str) -> String) -> String {
    let [header, payload, signature] = workshop.segments();
    format!("{header}.{payload}.{}", edit(workshop, &signature))
}

/// Unchanged where none of the characters that differ is in it.
fn other_alphabet(segment: &str) -> String {
    segment.replace('-', "+").replace('_', "/")
}

/// With at least one character of padding, whether there is room for it or not.
fn with_padding(segment: &str) -> String {
    let missing = (4 - segment.len() % 4) % 4;
    format!("{segment}{}", "=".repeat(missing.max(1)))
}

/// The same bytes with bits set that base64 does not use; unchanged where there are none.
fn bits_to_spare(workshop: &mut Workshop, segment: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let spare = match segment.len() % 4 {
        2 => 4,
        3 => 2,
        _ => return segment.to_owned(),
    };
    let (rest, last) = segment.split_at(segment.len() - 1);
    let value = ALPHABET.iter().position(|&byte| byte == last.as_bytes()[0]);
    let bits = workshop.chance.usize(1..1 << spare);
    format!("{rest}{}", char::from(ALPHABET[value.unwrap() | bits]))
}

fn foreign_character(workshop: &mut Workshop, segment: &str) -> String {
    let mut segment = segment.to_owned();
    let index = workshop.chance.usize(..=segment.len());
    let foreign = workshop.one_of(&[
        "!", "%", "*", "~", "\u{e9}", "\u{ff21}", "=", " ", "\n", "\r\n",
    ]);
    segment.insert_str(index, foreign);
    segment
}

/// Any but white space, which is an edit of its own.
fn any_character(workshop: &mut Workshop) -> String {
    let character = match workshop.chance.u8(..8) {
        0 => workshop.one_of(&['\u{e9}', '\u{ff21}', '\u{1f600}', '\0']),
        1 => '.',
        _ => workshop.chance.char('!'..='~'),
    };
    character.to_string()
}

const WHITE_SPACE: [&str; 8] = [" ", "  ", "\t", "\n", "\r\n", "\u{b}", "\u{a0}", "\u{feff}"];
