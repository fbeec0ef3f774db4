//! When sessions and their tokens end by themselves.

use std::time::Duration;

use proptest::prelude::*;
use session_core::{clock::unix_ms, store::SessionStore as _};

use crate::node::{Node, assert_unauthorised, check_database, refresh_token};

const MILLISECOND: Duration = Duration::from_millis(1);

/// F9, wire case 24: an expired session is over; its row is not brought back.
#[tokio::test]
async fn an_expired_session_cannot_be_refreshed() {
    let node = Node::configured(|config| {
        config
            .access_token_lifetime(Duration::from_mins(5))
            .refresh_token_lifetime(Duration::from_hours(12))
    })
    .await;
    let first = node.log_in("ann").await;
    node.advance(Duration::from_hours(12) - MILLISECOND);
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    let row = node.row(first.session().handle()).await.unwrap();
    node.advance(Duration::from_hours(12));
    assert_unauthorised(node.refresh(&refresh_token(&second)).await);
    assert_unauthorised(node.refresh(&refresh_token(&first)).await);
    assert_eq!(node.row(first.session().handle()).await, Some(row));
    node.store
        .inner()
        .purge_expired(node.now_ms(), 10)
        .await
        .unwrap();
    assert_unauthorised(node.refresh(&refresh_token(&second)).await);
    assert_eq!(node.row(first.session().handle()).await, None);
}

/// REQ-50: nothing moves the absolute end, neither of the session nor of its access tokens.
#[tokio::test]
async fn the_absolute_lifetime_ends_a_session_however_often_it_is_refreshed() {
    let node = Node::configured(session_core::config::SessionConfigBuilder::strict).await;
    let began = node.now();
    let end = began + Duration::from_hours(24);
    let mut issued = node.log_in("ann").await;
    for _ in 0..23 {
        node.advance(Duration::from_hours(1));
        issued = node.refresh(&refresh_token(&issued)).await.unwrap();
        let tokens = issued.tokens();
        assert!(tokens.access_token_expires_at() <= end);
        assert!(tokens.refresh_token_expires_at().unwrap() <= end);
    }
    node.advance(Duration::from_mins(58));
    let last = node.refresh(&refresh_token(&issued)).await.unwrap();
    assert_eq!(
        unix_ms(last.tokens().access_token_expires_at()),
        unix_ms(end)
    );
    node.advance(Duration::from_mins(2));
    assert_unauthorised(node.refresh(&refresh_token(&last)).await);
}

/// REQ-50: tokens count whole seconds, so in the last part of a second there is no token left to
/// give; that is the end of the session and no fault of ours.
#[tokio::test]
async fn the_last_fraction_of_a_second_of_a_session_is_its_end() {
    let node = Node::configured(|config| {
        config
            .access_token_lifetime(Duration::from_mins(5))
            .absolute_lifetime(Duration::from_hours(1))
    })
    .await;
    node.advance(Duration::from_millis(700));
    let issued = node.log_in("ann").await;
    node.advance(Duration::from_hours(1) - Duration::from_millis(1_700));
    let next_to_last = node.refresh(&refresh_token(&issued)).await.unwrap();
    node.advance(Duration::from_secs(1));
    assert_unauthorised(node.refresh(&refresh_token(&next_to_last)).await);
}

/// F2: a window that ends within a second of the shortest access token's life still answers with a
/// token that can be used.
#[tokio::test]
async fn a_replay_at_the_end_of_the_longest_window_gets_tokens_that_work() {
    let grace = Duration::from_millis(59_900);
    let node = Node::configured(|config| {
        config
            .access_token_lifetime(Duration::from_mins(1))
            .rotation_grace(grace)
    })
    .await;
    node.advance(Duration::from_millis(900));
    let first = node.log_in("ann").await;
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    node.advance(Duration::from_millis(59_500));
    let replay = node.refresh(&refresh_token(&first)).await.unwrap();
    assert!(node.verify(&replay, &check_database()).await.is_ok());
    let owner = node.refresh(&refresh_token(&second)).await.unwrap();
    assert_eq!(
        refresh_token(&owner).expose(),
        refresh_token(&replay).expose()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// B9, G14: whatever the time, the lifetimes and the jitter, no access token outlives what the
    /// row and a revocation record say of it, and `iat` is never after `exp`.
    #[test]
    fn no_access_token_outlives_its_revocation_record(
        offset_ms in 0_u64..10_000_000,
        access_ms in 60_000_u64..7_200_000,
        jitter in 0.0_f64..0.25,
        wait_ms in 0_u64..100_000_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let node = Node::configured(|config| {
                config.access_token_lifetime(Duration::from_millis(access_ms)).expiry_jitter(jitter)
            })
            .await;
            node.advance(Duration::from_millis(offset_ms));
            let mut issued = node.log_in("ann").await;
            let mut latest_ms = 0;
            for _ in 0..3 {
                let claims = issued.session().access_token_payload();
                let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
                assert!(iat < exp);
                assert!(exp - iat <= i64::try_from(access_ms / 1_000).unwrap());
                assert_eq!(unix_ms(issued.tokens().access_token_expires_at()), exp * 1_000);
                latest_ms = latest_ms.max(exp * 1_000);
                let row = node.row(issued.session().handle()).await.unwrap();
                assert!(row.access_expires_at_ms >= latest_ms);
                node.advance(Duration::from_millis(wait_ms));
                issued = node.refresh(&refresh_token(&issued)).await.unwrap();
            }
            node.sessions.revoke(issued.session().handle()).await.unwrap();
            let revocations = node.store.inner()
                .revocations_since(session_core::store::RevocationCursor::default(), 0, 10)
                .await
                .unwrap();
            let skew_ms = 60_000;
            assert!(revocations.revoked[0].expires_at_ms >= latest_ms + skew_ms);
        });
    }
}
