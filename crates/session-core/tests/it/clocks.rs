//! Clocks that differ, jump or show what no clock should.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use session_core::{
    IssuedSession, NewSession, VerifyOptions, clock::ManualClock, store::KeyPurpose,
    token::TokenRejection,
};

use crate::{
    faulty_store::{FaultyStore, Op},
    node::{
        Node, assert_rejected, assert_unauthorised, check_database, keys, refresh_token, settle,
        stateless, user_id,
    },
};

const SECOND: Duration = Duration::from_secs(1);

/// A node whose clock is off by so much.
async fn skewed(node: &Node, off_by: Duration, is_ahead: bool) -> Node {
    let shown = if is_ahead {
        node.now() + off_by
    } else {
        node.now() - off_by
    };
    let clock = Arc::new(ManualClock::new(shown));
    Node::bare(node.store.clone(), clock, |builder| builder)
        .await
        .unwrap()
}

/// B3, B5: tokens of a node whose clock is ahead are taken within the leeway and not beyond; those
/// of a node that is behind expire earlier, by as much as it is behind.
#[tokio::test]
async fn nodes_whose_clocks_differ_agree_within_the_leeway() {
    let node = Node::new().await;
    for (ahead_by, is_taken) in [(30, true), (31, false), (600, false)] {
        let ahead = skewed(&node, Duration::from_secs(ahead_by), true).await;
        let issued = ahead.log_in("ann").await;
        let outcome = node.verify(&issued, &stateless()).await;
        if is_taken {
            assert!(outcome.is_ok(), "{outcome:?}");
        } else {
            assert_rejected(outcome, TokenRejection::IssuedInFuture);
        }
        assert!(
            node.refresh(&refresh_token(&issued)).await.is_ok(),
            "{ahead_by}"
        );
    }
    for behind_by in [30, 600] {
        let behind_by = Duration::from_secs(behind_by);
        let behind = skewed(&node, behind_by, false).await;
        let issued = behind.log_in("ann").await;
        assert!(node.verify(&issued, &stateless()).await.is_ok());
        let at_issue = node.now();
        node.clock
            .set_wall_clock(at_issue + Duration::from_hours(1) - behind_by);
        assert_rejected(
            node.verify(&issued, &stateless()).await,
            TokenRejection::Expired,
        );
        node.clock.set_wall_clock(at_issue);
    }
}

/// B5: a user-wide revocation on one node catches the tokens of another whose clock is off, and a
/// tab that refreshes on it inside the window is no thief: a negative time counts as none.
#[tokio::test]
async fn a_node_with_another_clock_neither_spares_nor_blames() {
    let node = Node::new().await;
    for is_ahead in [false, true] {
        let other = skewed(&node, Duration::from_secs(25), is_ahead).await;
        let issued = other.log_in("ann").await;
        let refreshed = other.refresh(&refresh_token(&issued)).await.unwrap();
        let replayed = node.refresh(&refresh_token(&issued)).await.unwrap();
        assert_eq!(
            refresh_token(&replayed).expose(),
            refresh_token(&refreshed).expose()
        );
        let ended = node
            .sessions
            .revoke_all_of_user(&user_id("ann"), None)
            .await;
        assert_eq!(ended.unwrap().len(), 1);
        assert_unauthorised(other.verify(&refreshed, &check_database()).await);
        assert_unauthorised(other.refresh(&refresh_token(&refreshed)).await);
    }
}

/// B6: a clock that jumps back an hour brings no used-up refresh token back to life for longer than
/// it jumps, keeps the lineage and keeps the keys in order.
#[tokio::test]
async fn a_clock_that_jumps_back_keeps_the_lineage() {
    let node = Node::new().await;
    let first = node.log_in("ann").await;
    let second = node.refresh(&refresh_token(&first)).await.unwrap();
    let shown = node.now();
    node.clock.set_wall_clock(shown - Duration::from_hours(1));
    let replay = node.refresh(&refresh_token(&first)).await.unwrap();
    assert_eq!(
        refresh_token(&replay).expose(),
        refresh_token(&second).expose()
    );
    assert!(replay.tokens().access_token_expires_at() <= second.tokens().access_token_expires_at());
    let third = node.refresh(&refresh_token(&second)).await.unwrap();
    node.sessions.rotate_signing_key().await.unwrap();
    node.sessions.rotate_refresh_key().await.unwrap();
    for purpose in [KeyPurpose::AccessDynamic, KeyPurpose::Refresh] {
        let mut made: Vec<i64> = keys(&node, purpose)
            .await
            .iter()
            .map(|key| key.created_at_ms)
            .collect();
        assert_eq!(made.len(), 2);
        made.dedup();
        assert_eq!(made.len(), 2, "newer is later, whatever the clock says");
    }
    node.clock.set_wall_clock(shown + Duration::from_mins(10));
    let fourth = node.refresh(&refresh_token(&third)).await.unwrap();
    assert!(node.verify(&fourth, &check_database()).await.is_ok());
}

/// B8: clocks far outside the usual range are errors or answers, never a panic.
#[tokio::test]
async fn a_clock_far_outside_the_usual_range_panics_nowhere() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let epoch = SystemTime::UNIX_EPOCH;
    let year = Duration::from_hours(24 * 365);
    for shown in [
        epoch,
        epoch - SECOND,
        epoch - year * 100,
        epoch + year * 8_100,
        epoch + year * 9_000,
    ] {
        node.clock.set_wall_clock(shown);
        let _created = node.sessions.create(NewSession::new(user_id("ann"))).await;
        let _refreshed = node.refresh(&refresh_token(&issued)).await;
        let _verified = node.verify(&issued, &VerifyOptions::new()).await;
        let _health = node.sessions.health().await;
        let _jwks = node.sessions.jwks();
    }
}

/// Design §5: a node whose clock is over thirty seconds from the database's is not ready.
#[tokio::test]
async fn a_node_whose_clock_is_far_from_the_databases_is_not_ready() {
    let node = Node::new().await;
    for (off_by, is_ready) in [(0, true), (30_000, true), (30_001, false), (-30_001, false)] {
        node.store.set_clock(node.now_ms() + off_by);
        let health = node.sessions.health().await;
        assert_eq!(health.is_ready(), is_ready, "{off_by}");
        assert_eq!(
            health.clock_offset,
            Some(Duration::from_millis(i64::unsigned_abs(off_by)))
        );
    }
}

/// B2: a token is good until the millisecond before it expires.
#[tokio::test]
async fn a_token_is_good_until_just_before_it_expires() {
    let node = Node::new().await;
    let issued: IssuedSession = node.log_in("ann").await;
    node.advance(Duration::from_hours(1) - Duration::from_millis(1));
    assert!(node.verify(&issued, &stateless()).await.is_ok());
    let soon = stateless().min_remaining(Duration::from_millis(2));
    assert_rejected(
        node.verify(&issued, &soon).await,
        TokenRejection::ExpiresTooSoon,
    );
    node.advance(Duration::from_millis(1));
    assert_rejected(
        node.verify(&issued, &stateless()).await,
        TokenRejection::Expired,
    );
}

/// B7: a node that starts while its clock is wrong deletes nothing, and neither does one whose clock is
/// set while it runs: it measures before it deletes.
#[tokio::test(start_paused = true)]
async fn a_node_with_a_wrong_clock_purges_nothing() {
    let store = FaultyStore::shared(Duration::from_secs(1));
    let hour = Duration::from_hours(1);
    let node = Node::with(store, |builder| {
        builder.config(|config| config.purge_interval(hour))
    })
    .await;
    node.store.set_clock(node.now_ms());
    settle().await;
    let purges = node.store.calls(Op::Purge);
    assert!(purges > 0);
    let starting = node.store.clone();
    starting.set_clock(node.now_ms() - 31_000);
    let _starting = Node::bare(starting, node.clock.clone(), |builder| builder)
        .await
        .unwrap();
    settle().await;
    assert_eq!(node.store.calls(Op::Purge), purges);
    node.store.set_clock(node.now_ms());
    node.pass(hour).await;
    assert_eq!(node.store.calls(Op::Purge), purges);
}
