//! Keys that are encrypted in the database.

use session_core::{
    BuildError, KeyId,
    config::SessionConfigBuilder,
    keys::KeyError,
    store::{KeyPurpose, SessionStore as _},
};

use crate::{
    faulty_store::FaultyStore,
    node::{Node, keys, refresh_token, stateless},
};

fn with_secrets(
    primary: &'static str,
    older: &'static [&'static str],
) -> impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder {
    move |config| {
        let bytes = |name: &str| name.repeat(32);
        let config = config.encryption_secret(primary, bytes(primary).into_bytes());
        older.iter().fold(config, |config, name| {
            config.older_encryption_secret(*name, bytes(name).into_bytes())
        })
    }
}

/// K10: what the database has of a key is encrypted, under a secret that it does not have; the
/// secret can be changed without losing a session, and the old one is not needed any more after
/// one start.
#[tokio::test]
async fn the_at_rest_secret_can_be_changed_without_losing_a_session() {
    let plain = Node::new().await;
    let in_the_clear = plain.store.inner().load_keys().await.unwrap();
    assert!(in_the_clear.iter().all(|key| key.sealed_under.is_none()));
    let issued = plain.log_in("ann").await;
    plain.sessions.shutdown().await;

    let mut token = refresh_token(&issued);
    let steps: [(&'static str, &'static [&'static str]); 4] = [
        ("2025", &[]),
        ("2026", &["2025"]),
        ("2026", &[]),
        ("2027", &["2025", "2026"]),
    ];
    for (primary, older) in steps {
        let node = plain.beside(with_secrets(primary, older)).await;
        for key in node.store.inner().load_keys().await.unwrap() {
            assert_eq!(key.sealed_under.as_deref(), Some(primary));
            let was = in_the_clear
                .iter()
                .find(|plain| plain.id == key.id)
                .unwrap();
            let shows_some = key
                .material
                .windows(16)
                .any(|bytes| was.material.windows(16).any(|plain| plain == bytes));
            assert!(!shows_some, "{primary}");
        }
        token = refresh_token(&node.refresh(&token).await.unwrap());
        assert!(node.verify(&issued, &stateless()).await.is_ok());
        node.sessions.shutdown().await;
    }
}

/// K10: a node that lacks the secret does not start: keys made in place of those that it cannot
/// read would end all sessions.
#[tokio::test]
async fn a_node_without_the_secret_does_not_start_and_makes_no_keys() {
    let sealed = Node::with(FaultyStore::new(), |builder| {
        builder.config(with_secrets("2026", &[]))
    })
    .await;
    let known: Vec<KeyId> = ids(&sealed).await;
    for change in [None, Some("2027")] {
        let outcome = Node::bare(
            sealed.store.clone(),
            sealed.clock.clone(),
            |builder| match change {
                None => builder,
                Some(secret) => builder.config(with_secrets(secret, &[])),
            },
        )
        .await
        .map(|node| node.sessions);
        assert!(
            matches!(&outcome, Err(BuildError::Keys(KeyError::Sealed { secret, .. })) if secret == "2026"),
            "{outcome:?}"
        );
    }
    assert_eq!(ids(&sealed).await, known);
}

async fn ids(node: &Node) -> Vec<KeyId> {
    let keys = node.store.inner().load_keys().await.unwrap();
    keys.into_iter().map(|key| key.id).collect()
}

/// K10: a sealed key that was moved to another row, or changed, is not used.
#[tokio::test]
async fn a_sealed_key_under_another_name_is_not_used() {
    let node = Node::with(FaultyStore::new(), |builder| {
        builder.config(with_secrets("2026", &[]))
    })
    .await;
    let mut moved = keys(&node, KeyPurpose::AccessDynamic).await.remove(0);
    moved.id = KeyId::try_from("d-1600000000000").unwrap();
    moved.created_at_ms += 1;
    let _inserted = node
        .store
        .inner()
        .insert_key(&moved, i64::MAX)
        .await
        .unwrap();
    let outcome = Node::bare(node.store.clone(), node.clock.clone(), |builder| {
        builder.config(with_secrets("2026", &[]))
    })
    .await
    .map(|node| node.sessions);
    assert!(
        matches!(outcome, Err(BuildError::Keys(KeyError::Sealed { key, .. })) if key == moved.id)
    );
}
