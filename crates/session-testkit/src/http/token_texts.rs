//! Texts that are almost a token: nothing is a session but in the form in which we wrote it (security
//! A).

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::json;

use super::{TestApp, forge::Forge};

/// A9, A10: a token that was cut, lengthened or given other segments.
pub async fn a_token_of_another_shape_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    let token = &forge.token;
    let [header, payload, signature] = forge.segments();
    let cuts = (0..token.len())
        .step_by(29)
        .map(|end| token[..end].to_owned());
    let shapes = [
        format!("{token}A"),
        format!("{token}AAAA"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{header}.{payload}.{payload}.{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}"),
        header.to_owned(),
        ".".repeat(1_000),
        "..".to_owned(),
        json!({ "payload": payload, "protected": header, "signature": signature }).to_string(),
    ];
    for forged in cuts.chain(shapes) {
        forge.assert_refused(&forged).await;
    }
}

/// A11: another base64 of the same bytes; where the session is revoked, no form of its token is
/// accepted.
pub async fn another_encoding_of_the_same_bytes_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    let [header, payload, signature] = forge.segments();
    let standard = |segment: &str| segment.replace('-', "+").replace('_', "/");
    let padded = |segment: &str| format!("{segment}{}", "=".repeat((4 - segment.len() % 4) % 4));
    let mut forms = vec![
        format!("{header}.{payload}.{signature}!!!!"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}\t.{payload}.{signature}"),
        format!("{header}.{payload}. {signature}"),
        format!("{header}.{payload}.{}", padded(signature)),
        format!("{header}.{payload}.{}", with_pad_bits(signature)),
    ];
    if standard(signature) != signature {
        forms.push(format!("{header}.{payload}.{}", standard(signature)));
    }
    for form in &forms {
        forge.assert_refused(form).await;
    }
    app.revoke(
        &forge.claims["sessionHandle"]
            .as_str()
            .unwrap()
            .try_into()
            .unwrap(),
    )
    .await;
    for form in &forms {
        for path in ["/database", "/blacklist"] {
            let answer = app.get(path).cookie("sAccessToken", form).send().await;
            answer.assert_status(401);
        }
    }
}

/// A12: a name twice, in the header or at any depth of the payload, escaped or not.
pub async fn a_name_twice_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    let (header, claims) = (forge.header.to_string(), forge.claims.to_string());
    let with = |text: &str, member: &str| format!("{{{member},{}", &text[1..]);
    for member in [
        r#""alg":"RS256""#,
        r#""kid":"x""#,
        r#""x":1,"x":1"#,
        r#""\u0061lg":"none""#,
    ] {
        let token = forge
            .signer
            .sign_bytes(with(&header, member).as_bytes(), claims.as_bytes());
        forge.assert_refused(&token).await;
    }
    for member in [
        r#""sub":"bob""#,
        r#""e\u0078p":1"#,
        r#""x":1,"x":2"#,
        r#""x":{"y":1,"y":2}"#,
        r#""x":[{"y":1,"\u0079":2}]"#,
    ] {
        let token = forge
            .signer
            .sign_bytes(header.as_bytes(), with(&claims, member).as_bytes());
        forge.assert_refused(&token).await;
    }
}

/// A13, A14, A15, A16: a payload that is not one JSON object in UTF-8, or a very deep one.
pub async fn a_payload_that_is_not_plain_json_is_refused(app: &TestApp) {
    let forge = Forge::new(app).await;
    let (header, claims) = (forge.header.to_string(), forge.claims.to_string());
    let inside = |text: &str| format!(r#"{{"x":{text},{}"#, &claims[1..]).into_bytes();
    let utf16: Vec<u8> = claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut invalid_utf8 = inside(r#""~""#);
    let tilde = invalid_utf8.iter().position(|&byte| byte == b'~').unwrap();
    invalid_utf8[tilde] = 0xff;
    let payloads: Vec<Vec<u8>> = vec![
        b"[]".to_vec(),
        b"null".to_vec(),
        b"7".to_vec(),
        br#""text""#.to_vec(),
        Vec::new(),
        b"{}".to_vec(),
        format!("[{claims}]").into_bytes(),
        format!("{claims}x").into_bytes(),
        format!("{claims}{claims}").into_bytes(),
        format!("\u{feff}{claims}").into_bytes(),
        utf16,
        invalid_utf8,
        inside("1,"),
        inside("01"),
        inside("+1"),
        inside("NaN"),
        inside("'x'"),
        inside("/**/1"),
        inside(r#""\ud800""#),
        inside("\"\t\""),
        inside(&format!("{}{}", "[".repeat(65), "]".repeat(65))),
        inside(&format!("{}{}", "[".repeat(2_000), "]".repeat(2_000))),
    ];
    for payload in payloads {
        let token = forge.signer.sign_bytes(header.as_bytes(), &payload);
        forge.assert_refused(&token).await;
    }
}

/// A20: the same header in another spacing, under the signature of the first.
pub async fn the_signature_is_over_the_bytes_that_came(app: &TestApp) {
    let forge = Forge::new(app).await;
    let [_, payload, signature] = forge.segments();
    let spaced = forge.header.to_string().replace(':', ": ");
    let header = BASE64_URL_SAFE_NO_PAD.encode(spaced);
    let token = format!("{header}.{payload}.{signature}");
    forge.assert_refused(&token).await;
}

/// The same bytes with a bit set that base64 does not use.
fn with_pad_bits(segment: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(segment.len() % 4, 0, "there are no bits to spare");
    let (rest, last) = segment.split_at(segment.len() - 1);
    let value = ALPHABET
        .iter()
        .position(|&byte| byte == last.as_bytes()[0])
        .unwrap();
    format!("{rest}{}", char::from(ALPHABET[value | 1]))
}
