//! Other headers, signed with our key.

use serde_json::{Value, json};

use super::{Edit, Workshop};

pub(super) const EDITS: &[Edit] = &[
    ("header: `alg`", alg),
    ("header: no `alg`", |workshop| without(workshop, "alg")),
    ("header: an unknown `kid`", unknown_kid),
    ("header: a `kid` that is no text", kid_of_another_type),
    ("header: no `kid`", |workshop| without(workshop, "kid")),
    ("header: another `typ`", typ),
    ("header: no `typ`", |workshop| without(workshop, "typ")),
    ("header: another `version`", version),
    ("header: no `version`", |workshop| {
        without(workshop, "version")
    }),
    ("header: a key of its own", a_key_of_its_own),
    ("header: `crit`", crit),
    ("header: `b64` that is not critical", b64),
    ("header: `zip` or `cty`", zip_or_cty),
    ("header: a member more", a_member_more),
    ("header: no object", no_object),
];

fn without(workshop: &mut Workshop, name: &str) -> String {
    let mut parts = workshop.parts();
    parts.header.remove(name);
    workshop.sign(parts)
}

fn alg(workshop: &mut Workshop) -> String {
    let alg = workshop.one_of(&[
        json!("none"),
        json!("rs256"),
        json!("RS256 "),
        json!(" RS256"),
        json!("RS256\0"),
        json!("RS384"),
        json!("RS512"),
        json!("PS256"),
        json!("ES256"),
        json!("HS256"),
        json!("RSA1_5"),
        json!("dir"),
        json!(""),
        json!(null),
        json!(256),
        json!(["RS256"]),
        json!({ "RS256": true }),
    ]);
    workshop.with_header("alg", alg)
}

fn unknown_kid(workshop: &mut Workshop) -> String {
    let own = workshop.signer.key_id().to_owned();
    let kid = workshop.one_of(&[
        String::new(),
        "d-1".to_owned(),
        "d-".to_owned(),
        format!("{own} "),
        format!(" {own}"),
        format!("{own}\0"),
        own.to_uppercase(),
        format!("{own}/../{own}"),
        own.replace('d', "s"),
        "__proto__".to_owned(),
        "k".repeat(2_000),
    ]);
    workshop.with_header("kid", kid.into())
}

fn kid_of_another_type(workshop: &mut Workshop) -> String {
    let own = workshop.signer.key_id().to_owned();
    let kid = workshop.one_of(&[
        json!(null),
        json!(1),
        json!(true),
        json!([own]),
        json!({ "kid": own }),
    ]);
    workshop.with_header("kid", kid)
}

fn typ(workshop: &mut Workshop) -> String {
    let typ = workshop.one_of(&[
        json!("jwt"),
        json!("at+jwt"),
        json!("application/jwt"),
        json!("JWT "),
        json!("JWE"),
        json!(""),
        json!(null),
        json!(1),
        json!(["JWT"]),
    ]);
    workshop.with_header("typ", typ)
}

fn version(workshop: &mut Workshop) -> String {
    let version = workshop.one_of(&[
        json!("4"),
        json!("3"),
        json!("2"),
        json!("6"),
        json!("05"),
        json!("5 "),
        json!(""),
        json!(5),
        json!(null),
    ]);
    workshop.with_header("version", version)
}

fn a_key_of_its_own(workshop: &mut Workshop) -> String {
    let (name, value) = workshop.one_of(&[
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("jwk", json!(null)),
        ("jku", json!("http://127.0.0.1:9/jwks.json")),
        ("x5u", json!("http://127.0.0.1:9/certificate.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
    ]);
    workshop.with_header(name, value)
}

fn crit(workshop: &mut Workshop) -> String {
    let mut parts = workshop.parts();
    let changes = workshop.one_of(&[
        json!({ "crit": [] }),
        json!({ "crit": null }),
        json!({ "crit": "exp" }),
        json!({ "crit": ["alg"] }),
        json!({ "crit": ["x"], "x": 1 }),
        json!({ "crit": ["x"] }),
        json!({ "crit": [1] }),
        json!({ "crit": ["b64"], "b64": true }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "crit": ["b64", "b64"], "b64": true }),
        json!({ "crit": ["b64", "x"], "b64": true, "x": 1 }),
    ]);
    parts.header.extend(changes.as_object().unwrap().clone());
    workshop.sign(parts)
}

fn b64(workshop: &mut Workshop) -> String {
    let b64 = workshop.one_of(&[json!(true), json!(false), json!("false"), json!(null)]);
    workshop.with_header("b64", b64)
}

fn zip_or_cty(workshop: &mut Workshop) -> String {
    let (name, value) = workshop.one_of(&[("zip", "DEF"), ("cty", "JWT"), ("cty", "json")]);
    workshop.with_header(name, value.into())
}

fn a_member_more(workshop: &mut Workshop) -> String {
    let name = workshop.one_of(&[
        "x",
        "",
        "ALG",
        "Kid",
        "epk",
        "enc",
        "__proto__",
        "constructor",
    ]);
    let value = workshop.one_of(&[
        json!("x"),
        json!(null),
        json!({ "alg": "none" }),
        json!([1]),
    ]);
    workshop.with_header(name, value)
}

fn no_object(workshop: &mut Workshop) -> String {
    let parts = workshop.parts();
    let header = Value::from(parts.header);
    let header = workshop.one_of(&[
        format!("[{header}]"),
        Value::from(header.to_string()).to_string(),
        "null".to_owned(),
        "5".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        String::new(),
    ]);
    let claims = Value::from(parts.claims).to_string();
    workshop
        .signer
        .sign_bytes(header.as_bytes(), claims.as_bytes())
}
