//! Security F11–F13, K7, K8: what only a holder of the key can make.
#![expect(clippy::string_slice, reason = "tokens are ASCII")]

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::fixtures::{handle, key_id, refresh_record};

fn key(id: &str) -> RefreshKey {
    RefreshKey::from_record(&refresh_record(id, 0)).unwrap()
}

fn parts(key: &RefreshKey) -> RefreshTokenParts {
    RefreshTokenParts {
        handle: handle(),
        tenant: TenantId::default(),
        generation: 7,
        key: key.id().clone(),
        anti_csrf: false,
        secret: RefreshSecret([0x5a; 32]),
    }
}

fn opened(text: &str, key: &RefreshKey) -> Result<RefreshTokenParts, ForgedToken> {
    open(&RefreshToken::from_text(text), key)
}

#[test]
fn a_token_says_what_it_was_made_from() {
    let key = key("r-1");
    for anti_csrf in [false, true] {
        let made = RefreshTokenParts {
            anti_csrf,
            ..parts(&key)
        };
        let token = seal(&made, &key);
        let read = open(&token, &key).unwrap();
        assert_eq!(read.handle, made.handle);
        assert_eq!(read.tenant, made.tenant);
        assert_eq!(read.generation, 7);
        assert_eq!(read.key, made.key);
        assert_eq!(read.anti_csrf, anti_csrf);
        assert!(read.secret.matches(&made.secret.hash()));
        assert_eq!(key_id_of(&token).unwrap(), made.key);
    }
}

/// Design §5: no randomness and no clock goes into a token, so all who compute it get one text.
#[test]
fn the_same_parts_give_the_same_token() {
    let key = key("r-1");
    assert_eq!(
        seal(&parts(&key), &key).expose(),
        seal(&parts(&key), &key).expose()
    );
}

/// F11: no bit of a token can be flipped.
#[test]
fn every_flipped_bit_is_noticed() {
    let key = key("r-1");
    let token = seal(&parts(&key), &key);
    for position in 0..token.expose().len() {
        for bit in 0..8 {
            let mut bytes = token.expose().as_bytes().to_vec();
            bytes[position] ^= 1 << bit;
            if let Ok(mutated) = String::from_utf8(bytes) {
                assert!(
                    opened(&mutated, &key).is_err(),
                    "byte {position}, bit {bit}"
                );
            }
        }
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut mutated = bytes.clone();
            mutated[position] ^= 1 << bit;
            assert!(opened(&BASE64_URL_SAFE_NO_PAD.encode(mutated), &key).is_err());
        }
    }
}

/// F11, A9: no shorter and no longer text is the token.
#[test]
fn every_prefix_and_every_extension_is_refused() {
    let key = key("r-1");
    let token = seal(&parts(&key), &key);
    let text = token.expose();
    for end in 0..text.len() {
        assert!(opened(&text[..end], &key).is_err());
        assert!(end == 0 || opened(&text[end..], &key).is_err());
    }
    for suffix in ["A", "AAAA", "=", "==", ".", " ", "\n", "\0", "%3D", "é"] {
        assert!(opened(&format!("{text}{suffix}"), &key).is_err());
        assert!(opened(&format!("{suffix}{text}"), &key).is_err());
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    for count in 1..=64 {
        let longer = [&bytes[..], &vec![0; count]].concat();
        assert!(opened(&BASE64_URL_SAFE_NO_PAD.encode(longer), &key).is_err());
    }
}

/// F11: another application's key, also of the same name; another key of ours, also named in the
/// token; other formats.
#[test]
fn a_token_of_another_key_is_forged() {
    let (ours, strangers, older) = (key("r-1"), key("r-1"), key("r-0"));
    assert!(open(&seal(&parts(&strangers), &strangers), &ours).is_err());
    let misnamed = RefreshTokenParts {
        key: key_id("r-0"),
        ..parts(&ours)
    };
    assert!(open(&seal(&misnamed, &ours), &ours).is_err());
    assert!(open(&seal(&misnamed, &ours), &older).is_err());
    let encrypted = format!("AAECAwQFBgcICQoL.{}.V2", "0".repeat(64));
    for text in [
        "",
        ".",
        "a.b.V2",
        &encrypted,
        &encrypted.to_lowercase(),
        "null",
        "AQAA",
    ] {
        assert!(opened(text, &ours).is_err());
        assert!(key_id_of(&RefreshToken::from_text(text)).is_err());
    }
}

/// F11: correctly authenticated bytes in another layout are refused all the same.
#[test]
fn every_byte_has_one_meaning() {
    let key = key("r-1");
    let good = BASE64_URL_SAFE_NO_PAD
        .decode(seal(&parts(&key), &key).expose())
        .unwrap();
    let body = &good[..good.len() - 32];
    let authenticated = |body: &[u8]| {
        let bytes = [body, &key.mac(body)].concat();
        opened(&BASE64_URL_SAFE_NO_PAD.encode(bytes), &key)
    };
    authenticated(body).unwrap();
    let with = |position: usize, value: u8| {
        let mut mutated = body.to_vec();
        mutated[position] = value;
        mutated
    };
    for mutated in [
        with(0, 0),
        with(0, 2),
        with(1, 2),
        with(1, 0xff),
        with(2, 0),
        with(2, 0xff),
        with(2, 4),
        with(3, b' '),
        with(3, 0xff),
        [body, &[0]].concat(),
        body[..body.len() - 1].to_vec(),
        Vec::new(),
    ] {
        assert!(authenticated(&mutated).is_err());
    }
}

/// F12: one answer for every cause.
#[test]
fn no_answer_tells_how_far_a_guess_went() {
    let key = key("r-1");
    let good = seal(&parts(&key), &key);
    let wrong_mac = {
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(good.expose()).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    };
    let answers: HashSet<String> = ["!", "AAAA", &wrong_mac, &"A".repeat(2000)]
        .into_iter()
        .map(|text| format!("{:?}", opened(text, &key).unwrap_err()))
        .collect();
    assert_eq!(answers.len(), 1);
}

/// J1: a text over the cap is not decoded.
#[test]
fn a_text_over_the_cap_is_refused_unread() {
    let at_the_cap = RefreshToken::from_text("A".repeat(1024));
    assert_eq!(key_id_of(&at_the_cap), Err(MalformedToken::Encoding));
    for length in [1025, 64 * 1024, 100 << 20] {
        let text = RefreshToken::from_text("!".repeat(length));
        assert_eq!(key_id_of(&text), Err(MalformedToken::TooLong));
        assert!(open(&text, &key("r-1")).is_err());
    }
}

/// The longest names give a token far below the cap.
#[test]
fn the_longest_token_is_accepted() {
    let key = key(&"r".repeat(64));
    let made = RefreshTokenParts {
        handle: SessionHandle::try_from("h".repeat(128)).unwrap(),
        tenant: TenantId::try_from("t".repeat(64)).unwrap(),
        generation: u64::MAX,
        ..parts(&key)
    };
    let token = seal(&made, &key);
    assert_eq!(token.expose().len(), 444);
    assert_eq!(open(&token, &key).unwrap().generation, u64::MAX);
}

/// F13, K10: neither what the database has nor what an access token shows is a token.
#[test]
fn a_known_hash_is_no_token() {
    let key = key("r-1");
    let made = parts(&key);
    let token = seal(&made, &key);
    let hash = token_hash(&token);
    assert!(
        hash.len() == 64
            && hash
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    );
    for text in [
        hash.clone(),
        BASE64_URL_SAFE_NO_PAD.encode(made.secret.hash()),
    ] {
        assert!(opened(&text, &key).is_err());
    }
    let from_hash = RefreshTokenParts {
        secret: RefreshSecret(made.secret.hash()),
        ..made.clone()
    };
    let read = open(&seal(&from_hash, &key), &key).unwrap();
    assert!(!read.secret.matches(&made.secret.hash()));
}

/// Wire §0: `H` of a text is its SHA-256 in lower-case hexadecimal.
#[test]
fn the_hash_of_a_token_is_its_sha_256() {
    let token = RefreshToken::from_text("abc");
    assert_eq!(
        token_hash(&token),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

/// Design §5: the next secret follows from the presented one, and from nothing less than all of key,
/// handle and generation.
#[test]
fn a_successor_depends_on_everything_and_on_nothing_else() {
    let (ours, strangers) = (key("r-1"), key("r-1"));
    let secret = RefreshSecret([1; 32]);
    let other_handle = SessionHandle::try_from("other").unwrap();
    let next = secret.successor(&ours, &handle(), 3);
    assert!(next.matches(&secret.successor(&ours, &handle(), 3).hash()));
    let others = [
        secret.successor(&strangers, &handle(), 3),
        secret.successor(&ours, &other_handle, 3),
        secret.successor(&ours, &handle(), 4),
        RefreshSecret([2; 32]).successor(&ours, &handle(), 3),
        secret.clone(),
        RefreshSecret(ours.mac(&[1; 32])),
    ];
    for other in others {
        assert!(!next.matches(&other.hash()));
    }
}

/// E16: an anti-CSRF token is of one session and generation, and says nothing about the successor.
#[test]
fn an_anti_csrf_token_is_of_one_generation_only() {
    let key = key("r-1");
    let secret = RefreshSecret([1; 32]);
    let token = secret.anti_csrf_token(&key, &handle(), 3);
    assert_eq!(token.len(), 43);
    assert_eq!(token, secret.anti_csrf_token(&key, &handle(), 3));
    assert_ne!(token, secret.anti_csrf_token(&key, &handle(), 4));
    let successor = secret.successor(&key, &handle(), 3);
    assert_ne!(token, BASE64_URL_SAFE_NO_PAD.encode(successor.0));
    assert_ne!(token, successor.anti_csrf_token(&key, &handle(), 3));
}

/// K8: secrets come from the operating system and do not repeat.
#[test]
fn random_secrets_do_not_repeat() {
    let hashes: HashSet<_> = (0..10_000)
        .map(|_| RefreshSecret::random().unwrap().hash())
        .collect();
    assert_eq!(hashes.len(), 10_000);
}

/// K7: secrets do not print themselves.
#[test]
fn tokens_and_secrets_print_their_type() {
    let key = key("r-1");
    let made = parts(&key);
    assert_eq!(format!("{:?}", seal(&made, &key)), "RefreshToken");
    assert_eq!(format!("{:?}", made.secret), "RefreshSecret");
    assert_eq!(format!("{key:?}"), "RefreshKey");
    assert_eq!(
        format!("{made:?}"),
        "RefreshTokenParts { generation: 7, .. }"
    );
}

prop_compose! {
    fn any_parts()(
        handle in "\\PC{1,30}",
        tenant in "[a-zA-Z0-9-]{1,64}",
        generation: u64,
        key in "[!-~]{1,64}",
        anti_csrf: bool,
        secret: [u8; 32],
    ) -> RefreshTokenParts {
        RefreshTokenParts {
            handle: SessionHandle::try_from(handle).unwrap(),
            tenant: TenantId::try_from(tenant).unwrap(),
            generation,
            key: key_id(&key),
            anti_csrf,
            secret: RefreshSecret(secret),
        }
    }
}

proptest! {
    #[test]
    fn any_parts_come_back_as_they_went(made in any_parts()) {
        let key = key(made.key.as_str());
        let read = open(&seal(&made, &key), &key).unwrap();
        prop_assert_eq!(&read.handle, &made.handle);
        prop_assert_eq!(&read.tenant, &made.tenant);
        prop_assert_eq!(read.generation, made.generation);
        prop_assert_eq!(read.anti_csrf, made.anti_csrf);
        prop_assert_eq!(read.secret.0, made.secret.0);
    }

    /// F11: however a token is changed, it is not ours any more.
    #[test]
    fn any_change_is_noticed(made in any_parts(), at: prop::sample::Index, put in "[A-Za-z0-9_-]{0,4}", drop in 0_usize..4) {
        let key = key(made.key.as_str());
        let token = seal(&made, &key);
        let text = token.expose();
        let at = at.index(text.len());
        let end = text.len().min(at + drop);
        let mutated = format!("{}{put}{}", &text[..at], &text[end..]);
        prop_assume!(mutated != text);
        prop_assert!(opened(&mutated, &key).is_err());
    }

    /// J8: no text causes a panic.
    #[test]
    fn any_text_gets_an_answer(text: String) {
        prop_assert!(opened(&text, &key("r-1")).is_err());
    }
}
