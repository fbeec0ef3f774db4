//! K10: what the database has is of no use without the at-rest secret.

use super::*;
use crate::{
    fixtures::{key_id, refresh_record},
    store::KeyPurpose,
};

fn secret(name: &str, byte: u8) -> AtRestSecret {
    AtRestSecret::new(name, &[byte; 32]).unwrap()
}

#[test]
fn what_is_sealed_can_be_opened_and_shows_nothing() {
    let secrets = AtRestSecrets::new(secret("a", 1));
    let record = refresh_record("r-1", 0);
    let sealed = secrets.seal(record.clone()).unwrap();
    assert_eq!(sealed.sealed_under.as_deref(), Some("a"));
    assert_eq!(sealed.material.len(), record.material.len() + 12 + 16);
    for window in record.material.windows(8) {
        assert!(!sealed.material.windows(8).any(|sealed| sealed == window));
    }
    let opened = secrets.open(sealed).unwrap();
    assert_eq!(opened.material, record.material);
    assert_eq!(opened.sealed_under, None);
}

/// A nonce is never used twice under one key (NIST SP 800-38D §8).
#[test]
fn sealing_twice_gives_different_texts() {
    let secrets = AtRestSecrets::new(secret("a", 1));
    let record = refresh_record("r-1", 0);
    let (first, second) = (
        secrets.seal(record.clone()).unwrap(),
        secrets.seal(record).unwrap(),
    );
    assert_ne!(first.material, second.material);
}

/// K10: no bit can be changed, and no key can be moved to another row or purpose.
#[test]
fn a_changed_or_moved_record_cannot_be_opened() {
    let secrets = AtRestSecrets::new(secret("a", 1));
    let sealed = secrets.seal(refresh_record("r-1", 0)).unwrap();
    let refused = |record: KeyRecord| {
        assert!(matches!(secrets.open(record), Err(KeyError::Sealed { .. })));
    };
    for position in 0..sealed.material.len() {
        let mut changed = sealed.clone();
        changed.material[position] ^= 1;
        refused(changed);
    }
    for end in 0..sealed.material.len() {
        refused(KeyRecord {
            material: Zeroizing::new(sealed.material[..end].to_vec()),
            ..sealed.clone()
        });
    }
    refused(KeyRecord {
        id: key_id("r-2"),
        ..sealed.clone()
    });
    refused(KeyRecord {
        purpose: KeyPurpose::AccessDynamic,
        ..sealed.clone()
    });
    refused(KeyRecord {
        algorithm: "RS256".to_owned(),
        ..sealed.clone()
    });
    refused(KeyRecord {
        sealed_under: Some("b".to_owned()),
        ..sealed.clone()
    });
    secrets.open(sealed).unwrap();
}

/// The secret can be replaced: the older one still reads, the new one writes.
#[test]
fn an_older_secret_reads_and_the_primary_writes() {
    let record = refresh_record("r-1", 0);
    let before = AtRestSecrets::new(secret("old", 1));
    let sealed = before.seal(record.clone()).unwrap();
    let after = AtRestSecrets::new(secret("new", 2)).with_older(secret("old", 1));
    let opened = after.open(sealed.clone()).unwrap();
    assert_eq!(opened.material, record.material);
    assert_eq!(
        after.seal(opened).unwrap().sealed_under.as_deref(),
        Some("new")
    );
    assert!(
        AtRestSecrets::new(secret("new", 2))
            .open(sealed.clone())
            .is_err()
    );
    assert!(
        AtRestSecrets::new(secret("old", 3))
            .open(sealed.clone())
            .is_err()
    );
    assert!(AtRestSecrets::default().open(sealed).is_err());
}

#[test]
fn without_a_secret_material_is_stored_as_it_is() {
    let record = refresh_record("r-1", 0);
    let stored = AtRestSecrets::default().seal(record.clone()).unwrap();
    assert_eq!(
        (stored.sealed_under, &stored.material),
        (None, &record.material)
    );
    let secrets = AtRestSecrets::new(secret("a", 1));
    assert_eq!(
        secrets.open(record.clone()).unwrap().material,
        record.material
    );
}

#[test]
fn a_secret_has_a_name_and_at_least_32_bytes() {
    let refused = |name: &str, bytes: &[u8]| AtRestSecret::new(name, bytes).unwrap_err();
    assert_eq!(refused("a", &[1; 31]), InvalidAtRestSecret::TooShort);
    for name in ["", "a b", "é", "a\0", &"x".repeat(65)] {
        assert_eq!(refused(name, &[1; 32]), InvalidAtRestSecret::Name);
    }
    AtRestSecret::new("x".repeat(64), &[1; 1000]).unwrap();
    // Every byte of a longer secret counts.
    let mut long = [1; 64];
    let first = AtRestSecret::new("a", &long).unwrap();
    long[63] = 2;
    assert_ne!(first.key, AtRestSecret::new("a", &long).unwrap().key);
}

/// K7: no secret prints itself.
#[test]
fn secrets_print_their_type() {
    assert_eq!(format!("{:?}", secret("a", 1)), "AtRestSecret");
    let text = format!("{:?}", AtRestSecrets::new(secret("a", 1)));
    assert_eq!(
        text,
        "AtRestSecrets { primary: Some(AtRestSecret), older: [] }"
    );
}
