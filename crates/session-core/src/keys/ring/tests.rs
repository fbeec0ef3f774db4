//! Wire §1.4: which key serves when.

use serde_json::Value;

use super::*;
use crate::fixtures::{at_ms, key_id, refresh_record, signing_record};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

fn policy() -> KeyPolicy {
    KeyPolicy {
        signing: KeyPurpose::AccessDynamic,
        interval: Duration::from_hours(168),
        overlap: Duration::from_mins(1),
        access_lifetime: Duration::from_hours(1),
        refresh_lifetime: Duration::from_hours(2400),
        rsa_key_size: RsaKeySize::Bits2048,
    }
}

fn ring(records: Vec<KeyRecord>) -> KeyRing {
    let (ring, refused) = KeyRing::from_records(records, &AtRestSecrets::default(), policy());
    assert!(refused.is_empty(), "{refused:?}");
    ring
}

fn dynamic(created_at_ms: i64) -> KeyRecord {
    signing_record(
        &format!("d-{created_at_ms}"),
        KeyPurpose::AccessDynamic,
        created_at_ms,
    )
}

fn signs(ring: &KeyRing, now_ms: i64) -> Option<String> {
    ring.signing_key(KeyPurpose::AccessDynamic, at_ms(now_ms))
        .map(|key| key.id().to_string())
}

fn verifies(ring: &KeyRing, id: &str, now_ms: i64) -> bool {
    ring.verification_key(&key_id(id), at_ms(now_ms)).is_some()
}

/// Wire §1.4, D6: a new key signs when it is O old, so that every node knows it by then; the previous
/// one signs until then, and verifies until I + 2V.
#[test]
fn a_new_key_is_published_before_it_signs() {
    let (first_ms, second_ms) = (0, 168 * HOUR_MS - MINUTE_MS);
    let ring = ring(vec![dynamic(first_ms), dynamic(second_ms)]);
    let (first, second) = ("d-0", "d-604740000");
    assert_eq!(signs(&ring, second_ms).unwrap(), first);
    assert!(verifies(&ring, second, second_ms));
    assert_eq!(signs(&ring, second_ms + MINUTE_MS - 1).unwrap(), first);
    assert_eq!(signs(&ring, second_ms + MINUTE_MS).unwrap(), second);
    assert!(verifies(&ring, first, 170 * HOUR_MS - 1));
    assert!(!verifies(&ring, first, 170 * HOUR_MS));
}

/// Wire §1.4: a key signs from the start when there is no other, also when its predecessor is past
/// its interval.
#[test]
fn the_only_key_signs_at_once() {
    assert_eq!(signs(&ring(vec![dynamic(1000)]), 1000).unwrap(), "d-1000");
    let late = ring(vec![dynamic(0), dynamic(168 * HOUR_MS)]);
    assert_eq!(signs(&late, 168 * HOUR_MS).unwrap(), "d-604800000");
    // Another node's clock may be ahead of ours.
    assert_eq!(signs(&ring(vec![dynamic(5000)]), 1000).unwrap(), "d-5000");
    assert_eq!(signs(&ring(Vec::new()), 0), None);
}

/// D8: a node that hears of no new key stops signing while others still accept what it signed.
#[test]
fn a_stale_key_stops_signing_before_its_tokens_are_refused() {
    let ring = ring(vec![dynamic(0)]);
    assert_eq!(signs(&ring, 169 * HOUR_MS - 1).unwrap(), "d-0");
    assert_eq!(signs(&ring, 169 * HOUR_MS), None);
    // The last token expires exactly when the key stops verifying.
    assert!(verifies(&ring, "d-0", 170 * HOUR_MS - 1));
}

/// Wire §1.4: static keys stay.
#[test]
fn a_static_key_signs_and_verifies_for_ever() {
    let ring = ring(vec![signing_record("s-1", KeyPurpose::AccessStatic, 0)]);
    let far = 1_000_000 * HOUR_MS;
    let key = ring
        .signing_key(KeyPurpose::AccessStatic, at_ms(far))
        .unwrap();
    assert_eq!(key.id().as_str(), "s-1");
    assert!(verifies(&ring, "s-1", far));
    assert_eq!(signs(&ring, 0), None);
}

/// D4: what is not in the ring is not trusted.
#[test]
fn a_removed_key_verifies_nothing() {
    let ring = ring(vec![dynamic(0), dynamic(1), refresh_record("r-1", 0)]);
    assert!(verifies(&ring, "d-0", 5));
    let without = ring.without(&key_id("d-0")).without(&key_id("r-1"));
    assert!(!verifies(&without, "d-0", 5));
    assert!(verifies(&without, "d-1", 5));
    assert!(without.refresh_key(&key_id("r-1")).is_none());
    assert!(!without.jwks(at_ms(5)).to_text().contains("d-0"));
}

/// Design §5: a refresh key mints when every node has had the time to hear of it.
#[test]
fn a_new_refresh_key_mints_after_the_overlap() {
    let mints = |ring: &KeyRing, now_ms: i64| {
        ring.refresh_key_for_minting(at_ms(now_ms))
            .unwrap()
            .id()
            .to_string()
    };
    let alone = ring(vec![refresh_record("r-1", 1000)]);
    assert_eq!(mints(&alone, 1000), "r-1");
    let both = ring(vec![
        refresh_record("r-2", 100_000),
        refresh_record("r-1", 1000),
    ]);
    assert_eq!(mints(&both, 100_000), "r-1");
    assert_eq!(mints(&both, 100_000 + MINUTE_MS - 1), "r-1");
    assert_eq!(mints(&both, 100_000 + MINUTE_MS), "r-2");
    // With two new ones, the elder is the one that others are more likely to know.
    assert_eq!(mints(&both, 1500), "r-1");
    assert!(both.refresh_key(&key_id("r-1")).is_some());
    assert!(both.refresh_key(&key_id("r-3")).is_none());
    assert!(ring(Vec::new()).refresh_key_for_minting(at_ms(0)).is_none());
}

/// Wire §1.4, design §5: a key is removed when no living token can have been made under it.
#[test]
fn keys_retire_when_their_last_token_has_expired() {
    let day_ms = 24 * HOUR_MS;
    let ring = ring(vec![
        dynamic(0),
        dynamic(1),
        refresh_record("r-1", 0),
        refresh_record("r-2", day_ms),
        refresh_record("r-3", 200 * day_ms),
        signing_record("s-1", KeyPurpose::AccessStatic, 0),
    ]);
    let retired = |now_ms: i64| -> Vec<String> {
        ring.retired(at_ms(now_ms))
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert!(retired(170 * HOUR_MS - 1).is_empty());
    assert_eq!(retired(170 * HOUR_MS), ["d-0"]);
    assert_eq!(retired(101 * day_ms + 2 * MINUTE_MS), ["d-1", "d-0"]);
    assert_eq!(
        retired(101 * day_ms + 2 * MINUTE_MS + 1),
        ["d-1", "d-0", "r-1"]
    );
    assert_eq!(retired(1000 * day_ms), ["d-1", "d-0", "r-2", "r-1"]);
}

/// Wire §1.4, case 62, D9: dynamic keys newest first, then static ones; the six members and none of
/// the private ones.
#[test]
fn the_key_set_shows_public_members_only() {
    let ring = ring(vec![
        signing_record("s-1", KeyPurpose::AccessStatic, 9),
        dynamic(0),
        dynamic(2),
        refresh_record("r-1", 1),
    ]);
    let jwks = ring.jwks(at_ms(10));
    let text: Value = serde_json::from_str(&jwks.to_text()).unwrap();
    assert_eq!(text.as_object().unwrap().len(), 1);
    let keys = text["keys"].as_array().unwrap();
    let names: Vec<_> = keys
        .iter()
        .map(|key| key["kid"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["d-2", "d-0", "s-1"]);
    for key in keys {
        let mut members: Vec<_> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
        assert_eq!(
            (&key["kty"], &key["alg"], &key["use"], &key["e"]),
            (
                &"RSA".into(),
                &"RS256".into(),
                &"sig".into(),
                &"AQAB".into()
            )
        );
        assert_eq!(key["n"].as_str().unwrap().len(), 342);
    }
}

/// Wire §1.4: `max-age` ends when the next key is due, and is at least a second.
#[test]
fn the_key_set_may_be_cached_until_the_next_key_is_due() {
    let dynamic_ring = ring(vec![dynamic(0)]);
    let max_age_s = |now_ms: i64| dynamic_ring.jwks(at_ms(now_ms)).max_age_s();
    assert_eq!(max_age_s(0), 168 * 3600 - 60);
    assert_eq!(max_age_s(100 * HOUR_MS), 68 * 3600 - 60);
    assert_eq!(max_age_s(168 * HOUR_MS), 1);
    let fixed = ring(vec![signing_record("s-1", KeyPurpose::AccessStatic, 0)]);
    assert_eq!(fixed.jwks(at_ms(0)).max_age_s(), 60);
    assert_eq!(ring(Vec::new()).jwks(at_ms(0)).to_text(), r#"{"keys":[]}"#);
}

/// A18, A19: a key that cannot be used is left out and reported, and the others serve.
#[test]
fn an_unusable_record_is_left_out_and_reported() {
    let good = dynamic(0);
    let unreadable = KeyRecord {
        material: vec![0; 10].into(),
        ..dynamic(1)
    };
    let wrong_algorithm = KeyRecord {
        algorithm: "PS512".to_owned(),
        ..dynamic(2)
    };
    let sealed = KeyRecord {
        sealed_under: Some("x".to_owned()),
        ..dynamic(3)
    };
    let weak = KeyRecord {
        material: vec![7; 64].into(),
        ..refresh_record("r-1", 0)
    };
    let short = KeyRecord {
        material: vec![7; 63].into(),
        ..refresh_record("r-2", 0)
    };
    let duplicate = dynamic(0);
    let (ring, refused) = KeyRing::from_records(
        vec![
            good,
            unreadable,
            wrong_algorithm,
            sealed,
            weak,
            short,
            duplicate,
        ],
        &AtRestSecrets::default(),
        policy(),
    );
    assert!(verifies(&ring, "d-0", 0));
    let errors: Vec<String> = refused.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "the key d-1 is unreadable",
            "the key d-2 is unreadable",
            "the key d-3 is encrypted under the at-rest secret `x`, which is not configured here \
             or was changed",
            "the key r-1 is too weak: its two halves are the same",
            "the key r-2 is unreadable",
            "the key d-0 is unreadable",
        ]
    );
}

/// B8: no clock causes a panic.
#[test]
fn any_clock_gets_an_answer() {
    let ring = ring(vec![
        dynamic(i64::MAX),
        dynamic(i64::MIN),
        refresh_record("r-1", i64::MIN),
    ]);
    for now_ms in [i64::MIN, -1, 0, i64::MAX] {
        let _key = ring.signing_key(KeyPurpose::AccessDynamic, at_ms(now_ms));
        let _key = ring.refresh_key_for_minting(at_ms(now_ms));
        let _keys = ring.retired(at_ms(now_ms));
        assert!(ring.jwks(at_ms(now_ms)).max_age_s() >= 1);
    }
}

/// Wire §1.4: of static keys all nodes sign with the oldest, and the others verify.
#[test]
fn the_oldest_static_key_is_in_use() {
    let fixed = |id: &str, at_ms| signing_record(id, KeyPurpose::AccessStatic, at_ms);
    let ring = ring(vec![fixed("s-1", 1), fixed("s-2", 2)]);
    let state = |id: &str| ring.state(&key_id(id), at_ms(HOUR_MS));
    assert_eq!(state("s-1"), KeyState::InUse);
    assert_eq!(state("s-2"), KeyState::Previous);
    assert_eq!(state("s-3"), KeyState::Unreadable);
}
