//! Other ways to write the JSON of header or payload, signed with our key.

use serde_json::Value;

use super::{Edit, Parts, Workshop};

pub(super) const EDITS: &[Edit] = &[
    ("JSON: white space", white_space),
    ("JSON: members in another order", another_order),
    ("JSON: escapes", escapes),
    ("JSON: a name twice", a_name_twice),
    (
        "JSON: a name twice, once escaped",
        a_name_twice_once_escaped,
    ),
    ("JSON: a name twice, further in", a_name_twice_further_in),
    ("JSON: a byte order mark", a_byte_order_mark),
    ("JSON: something before or after it", something_around),
    ("JSON: not UTF-8", not_utf8),
    ("JSON: half a surrogate pair", half_a_surrogate_pair),
    ("JSON: a number beyond a double", a_number_beyond_a_double),
    ("JSON: a large integer", a_large_integer),
    ("JSON: nested within reason", nested_within_reason),
    ("JSON: nested deeply", nested_deeply),
    (
        "JSON: what only JavaScript allows",
        what_only_javascript_allows,
    ),
    ("JSON: a bare control character", a_bare_control_character),
    (
        "JSON: `serde_json`'s own name for a number",
        a_number_in_disguise,
    ),
];

fn white_space(workshop: &mut Workshop) -> String {
    rewritten(workshop, |workshop, json| {
        let space = workshop.one_of(&[" ", "\t", "\n", "\r\n", "    "]);
        let value: Value = serde_json::from_str(&json).unwrap();
        let spaced = serde_json::to_string_pretty(&value).unwrap();
        format!("{space}{}{space}", spaced.replace('\n', space)).into()
    })
}

fn another_order(workshop: &mut Workshop) -> String {
    rewritten(workshop, |workshop, json| {
        let value: Value = serde_json::from_str(&json).unwrap();
        let members = value.as_object().unwrap().iter();
        let mut members: Vec<_> = members
            .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
            .collect();
        workshop.chance.shuffle(&mut members);
        format!("{{{}}}", members.join(",")).into()
    })
}

fn escapes(workshop: &mut Workshop) -> String {
    rewritten(workshop, |workshop, json| {
        let escapes = [
            (r#""alg""#, r#""\u0061lg""#),
            ("RS256", r"\u0052\u0053256"),
            ("JWT", r"\u004aW\u0054"),
            (r#""exp""#, r#""\u0065x\u0070""#),
            (r#""sub""#, r#""\u0073ub""#),
            ("alice", r"\u0061lice"),
            ("Zoë", r"Zo\u00EB"),
            ("\u{1f600}", r"\uD83d\uDe00"),
            ("/", r"\/"),
        ];
        let json = escapes.iter().fold(json, |json, (plain, escaped)| {
            if workshop.chance.bool() {
                json.replace(plain, escaped)
            } else {
                json
            }
        });
        json.into()
    })
}

fn a_name_twice(workshop: &mut Workshop) -> String {
    rewritten(workshop, |workshop, json| {
        let member = workshop.one_of(&[
            r#""alg":"RS256""#,
            r#""kid":"d-1""#,
            r#""sub":"mallory""#,
            r#""exp":1"#,
            r#""iss":"https://else.example""#,
            r#""x":1"#,
        ]);
        let name = member.split(':').next().unwrap();
        // Where the name is not there, it comes twice.
        let again = if json.contains(&format!("{name}:")) {
            member.to_owned()
        } else {
            format!("{member},{member}")
        };
        if workshop.chance.bool() {
            format!("{{{again},{}", &json[1..]).into()
        } else {
            with_last(&json, &again)
        }
    })
}

fn a_name_twice_once_escaped(workshop: &mut Workshop) -> String {
    rewritten(workshop, |workshop, json| {
        let members = workshop.one_of(&[
            r#""x":1,"\u0078":2"#,
            r#""\u0078":1,"x":1"#,
            r#""\u00e9":1,"é":1"#,
        ]);
        with_last(&json, members)
    })
}

fn a_name_twice_further_in(workshop: &mut Workshop) -> String {
    rewritten(workshop, |workshop, json| {
        let member = workshop.one_of(&[
            r#""x":{"y":1,"y":2}"#,
            r#""x":[{"y":1,"\u0079":2}]"#,
            r#""x":{"y":{"":1,"":1}}"#,
        ]);
        with_last(&json, member)
    })
}

fn a_byte_order_mark(workshop: &mut Workshop) -> String {
    rewritten(workshop, |_, json| format!("\u{feff}{json}").into())
}

fn something_around(workshop: &mut Workshop) -> String {
    rewritten(workshop, |workshop, json| {
        let more = workshop.one_of(&["x", "{}", "null", ",", "\0", "}", "// x", "\u{a0}"]);
        if workshop.chance.bool() {
            format!("{more}{json}").into()
        } else {
            format!("{json}{more}").into()
        }
    })
}

fn not_utf8(workshop: &mut Workshop) -> String {
    rewritten(workshop, |workshop, json| {
        let bytes: Vec<u8> = match workshop.chance.u8(..4) {
            0 => return json.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            1 => vec![0xff],
            // A slash in two bytes, and half a surrogate pair in three.
            2 => vec![0xc0, 0xaf],
            _ => vec![0xed, 0xa0, 0x80],
        };
        let member = [br#","x":""#, &*bytes, br#""}"#].concat();
        [&json.as_bytes()[..json.len() - 1], &member].concat()
    })
}

fn half_a_surrogate_pair(workshop: &mut Workshop) -> String {
    with_member(
        workshop,
        &[
            r#""\ud800""#,
            r#""\udc00\ud800""#,
            r#""\ud83dx""#,
            r#"{"\udfff":1}"#,
        ],
    )
}

fn a_number_beyond_a_double(workshop: &mut Workshop) -> String {
    with_member(workshop, &["1e400", "-1e400", "[1e309]"])
}

fn a_large_integer(workshop: &mut Workshop) -> String {
    with_member(
        workshop,
        &[
            "9007199254740993",
            "18446744073709551616",
            "-9223372036854775809",
            "1e308",
        ],
    )
}

/// The outermost object counts as one.
fn nested_within_reason(workshop: &mut Workshop) -> String {
    with_member(workshop, &[&nested(30), &nested(63)])
}

fn nested_deeply(workshop: &mut Workshop) -> String {
    with_member(workshop, &[&nested(64), &nested(200), &nested(2_000)])
}

fn what_only_javascript_allows(workshop: &mut Workshop) -> String {
    with_member(
        workshop,
        &[
            "1,",
            "01",
            "+1",
            ".5",
            "1.",
            "0x1",
            "NaN",
            "Infinity",
            "undefined",
            "'x'",
            "/**/1",
            "`x`",
        ],
    )
}

fn a_bare_control_character(workshop: &mut Workshop) -> String {
    with_member(workshop, &["\"\t\"", "\"\n\"", "\"\0\"", "\"\u{1f}\""])
}

fn a_number_in_disguise(workshop: &mut Workshop) -> String {
    with_member(workshop, &[r#"{"$serde_json::private::Number":"1"}"#])
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// An object with members more, after all others.
fn with_last(json: &str, members: &str) -> Vec<u8> {
    format!("{},{members}}}", &json[..json.len() - 1]).into()
}

/// With one of these texts as the value of a member more.
fn with_member(workshop: &mut Workshop, values: &[&str]) -> String {
    let value = workshop.one_of(values);
    let in_header = workshop.chance.u8(..4) == 0;
    in_either(workshop, in_header, |_, json| {
        with_last(&json, &format!("\"x\":{value}"))
    })
}

/// With header or payload written otherwise.
fn rewritten(
    workshop: &mut Workshop,
    write: impl FnOnce(&mut Workshop, String) -> Vec<u8>,
) -> String {
    let in_header = workshop.chance.bool();
    in_either(workshop, in_header, write)
}

fn in_either(
    workshop: &mut Workshop,
    in_header: bool,
    write: impl FnOnce(&mut Workshop, String) -> Vec<u8>,
) -> String {
    let Parts { header, claims } = workshop.parts();
    let [header, claims] = [header, claims].map(|part| Value::from(part).to_string());
    if in_header {
        let header = write(workshop, header);
        workshop.signer.sign_bytes(&header, claims.as_bytes())
    } else {
        let claims = write(workshop, claims);
        workshop.signer.sign_bytes(header.as_bytes(), &claims)
    }
}
