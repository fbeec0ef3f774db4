//! An operator whose settings are not those of the services.

use std::{sync::Arc, time::Duration};

use session_core::{
    Administration, BackendError, KeyId, SessionError,
    clock::ManualClock,
    config::RsaKeySize::{Bits2048, Bits3072, Bits4096},
    keys::{KeyError, KeyRotation, StoredKey},
    store::{
        KeyInserted, KeyPurpose, KeyRecord, RevocationCursor, SessionScope, SessionStore as _,
    },
};

use crate::{
    administration::{operator, with_defaults},
    blacklist::two_nodes,
    faulty_store::FaultyStore,
    node::{Node, assert_unauthorised, check_blacklist, check_database, keys},
};

const MINUTE: Duration = Duration::from_mins(1);

/// A18: whoever rotates without knowing the services' settings makes no key that is weaker than
/// theirs, unless it is asked for.
#[tokio::test]
async fn a_new_key_is_as_large_as_the_one_before() {
    let node = large_keys().await;
    node.advance(MINUTE);
    let stranger = operator(&node, with_defaults);
    let Ok(KeyRotation::Made(_)) = stranger.rotate_signing_key().await else {
        panic!("not made");
    };
    assert_eq!(sizes(&stranger).await, [3072, 3072]);

    node.advance(MINUTE);
    let informed = operator(&node, |config| config.rsa_key_size(Bits4096));
    let Ok(KeyRotation::Made(_)) = informed.rotate_signing_key().await else {
        panic!("not made");
    };
    assert_eq!(sizes(&stranger).await, [4096, 3072, 3072]);

    node.advance(MINUTE);
    let Ok(KeyRotation::Made(_)) = stranger.rotate_signing_key_to(Bits2048).await else {
        panic!("not made");
    };
    assert_eq!(sizes(&stranger).await, [2048, 4096, 3072, 3072]);
}

/// A18: where no key tells how large the next one has to be, none is made until somebody says so.
#[tokio::test]
async fn without_a_size_to_go_by_no_key_is_made() {
    let node = large_keys().await;
    node.advance(MINUTE);
    let unreadable = KeyRecord {
        id: KeyId::try_from("d-unreadable").unwrap(),
        material: b"no key".to_vec().into(),
        created_at_ms: node.now_ms(),
        ..keys(&node, KeyPurpose::AccessDynamic).await.remove(0)
    };
    let inserted = node.store.inner().insert_key(&unreadable, i64::MAX).await;
    assert_eq!(inserted.unwrap(), KeyInserted::Inserted);
    node.advance(MINUTE);
    let stranger = operator(&node, with_defaults);
    assert_size_unknown(stranger.rotate_signing_key().await);
    for key in keys(&node, KeyPurpose::AccessDynamic).await {
        assert!(stranger.remove_key(&key.id).await.unwrap());
    }
    assert_size_unknown(stranger.rotate_signing_key().await);
    assert_eq!(keys(&node, KeyPurpose::AccessDynamic).await.len(), 0);

    let Ok(KeyRotation::Made(_)) = stranger.rotate_signing_key_to(Bits3072).await else {
        panic!("not made");
    };
    assert_eq!(sizes(&stranger).await, [3072]);
}

/// A node whose keys have 3072 bits.
async fn large_keys() -> Node {
    let clock = Arc::new(ManualClock::default());
    let large = Node::bare(FaultyStore::new(), clock, |builder| {
        builder.config(|config| config.rsa_key_size(Bits3072))
    });
    large.await.unwrap()
}

/// Of the signing keys, newest first.
async fn sizes(operator: &Administration) -> Vec<usize> {
    let keys = operator.keys().await.unwrap();
    keys.iter().filter_map(StoredKey::bits).collect()
}

fn assert_size_unknown(outcome: Result<KeyRotation, SessionError>) {
    let Err(SessionError::Unavailable(BackendError::Keys(KeyError::SizeUnknown))) = outcome else {
        panic!("{outcome:?}");
    };
}

/// G14: what an operator ends is remembered for as long as tokens live by the operator's settings.
#[tokio::test]
async fn a_revocation_is_remembered_by_the_settings_of_who_revokes() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let day = Duration::from_hours(24);
    let operator = operator(&node, |config| {
        config.access_token_lifetime(day).revocation_skew(MINUTE)
    });
    let handle = issued.session().handle();
    operator.revoke(SessionScope::from(handle)).await.unwrap();
    let store = node.store.inner();
    let page = store.revocations_since(RevocationCursor::default(), 0, 10);
    let end_ms = page.await.unwrap().revoked[0].expires_at_ms;
    let day_and_minute_ms = (24 * 60 + 1) * 60 * 1_000;
    assert_eq!(end_ms, node.now_ms() + day_and_minute_ms);
}

/// A store that others share tells services of what an operator ends. One of this process alone tells
/// nobody: only routes that ask the store refuse it.
#[tokio::test(start_paused = true)]
async fn a_service_hears_of_an_operator_if_the_store_tells_others() {
    let alone = Node::new().await;
    let (shared, _other) = two_nodes().await;
    for (node, hears) in [(&alone, false), (&shared, true)] {
        let issued = node.log_in("ann").await;
        let handle = issued.session().handle();
        let scope = SessionScope::from(handle);
        let ended = operator(node, with_defaults).revoke(scope).await.unwrap();
        assert_eq!(ended, std::slice::from_ref(handle));
        assert_unauthorised(node.verify(&issued, &check_database()).await);
        node.pass(Duration::from_secs(1)).await;
        let verified = node.verify(&issued, &check_blacklist()).await;
        if hears {
            assert_unauthorised(verified);
        } else {
            assert!(verified.is_ok());
        }
    }
}
