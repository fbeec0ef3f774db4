//! What operations cost, in RSA operations and calls to the store: speed that no clock can measure
//! reliably in a test.

use session_core::{VerifyOptions, http::Exchange, store::SessionStore as _};

use crate::{
    metrics::{Recorded, recorded},
    node::{Node, check_blacklist, check_database, naming_another_key, refresh_token, stateless},
};

/// What was done so far.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Done {
    verified: u64,
    made: u64,
    calls: u64,
}

impl Done {
    fn by(recorded: &Recorded) -> Self {
        Self {
            verified: recorded.count("session_signatures_total{operation=verified}"),
            made: recorded.count("session_signatures_total{operation=made}"),
            calls: recorded.sum("session_store_call_seconds"),
        }
    }

    fn since(self, before: Self) -> (u64, u64, u64) {
        (
            self.verified - before.verified,
            self.made - before.made,
            self.calls - before.calls,
        )
    }
}

/// Verifications, signatures and calls to the store that the work did.
async fn cost_of<T>(recorded: &Recorded, work: impl Future<Output = T>) -> (u64, u64, u64) {
    let before = Done::by(recorded);
    let _outcome = work.await;
    Done::by(recorded).since(before)
}

#[tokio::test]
async fn a_check_costs_one_rsa_operation_and_what_it_asks_for() {
    let (recorded, _recording) = recorded();
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    for (options, calls) in [
        (stateless(), 0),
        (check_blacklist(), 0),
        (check_database(), 1),
    ] {
        let cost = cost_of(recorded, node.verify(&issued, &options)).await;
        assert_eq!(cost, (1, 0, calls), "{options:?}");
    }
}

/// One token, one verification, however many parts of a request ask.
#[tokio::test]
async fn a_request_is_verified_once() {
    let (recorded, _recording) = recorded();
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let bearer = format!("Bearer {}", issued.tokens().access_token().expose());
    let request = http::Request::builder()
        .header("authorization", bearer)
        .body(())
        .unwrap();
    let exchange = Exchange::new(&node.sessions, request.method(), "/", request.headers());
    let work = async {
        for _ in 0..3 {
            exchange.guard(&VerifyOptions::new()).await.unwrap();
            exchange.verify(&check_database()).await.unwrap();
        }
    };
    assert_eq!(cost_of(recorded, work).await, (1, 0, 1));
}

#[tokio::test]
async fn a_token_seen_before_costs_no_rsa_operation() {
    let (recorded, _recording) = recorded();
    let node = Node::configured(|config| config.verified_tokens(10)).await;
    let issued = node.log_in("ann").await;
    for (options, cost) in [
        (stateless(), (1, 0, 0)),
        (stateless(), (0, 0, 0)),
        (check_blacklist(), (0, 0, 0)),
        (check_database(), (0, 0, 1)),
    ] {
        assert_eq!(
            cost_of(recorded, node.verify(&issued, &options)).await,
            cost,
            "{options:?}"
        );
    }
}

/// A21: once its session has ended, a token is as if nobody had seen it.
#[tokio::test]
async fn a_token_of_an_ended_session_is_verified_anew() {
    let (recorded, _recording) = recorded();
    let node = Node::configured(|config| config.verified_tokens(10)).await;
    let issued = node.log_in("ann").await;
    node.verify(&issued, &stateless()).await.unwrap();
    node.sessions
        .revoke(issued.session().handle())
        .await
        .unwrap();
    for _ in 0..2 {
        let cost = cost_of(recorded, node.verify(&issued, &stateless())).await;
        assert_eq!(cost, (1, 0, 0));
    }
}

/// J1, D2: what cannot be a token of ours is refused before any cryptography.
#[tokio::test]
async fn what_is_malformed_costs_no_rsa_operation() {
    let (recorded, _recording) = recorded();
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let options = stateless();
    let good = issued.tokens().access_token().expose();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for bad in [
        String::new(),
        "x".repeat(9_000),
        signed.to_owned(),
        format!("{signed}.{signature}="),
        format!("{signed}.{}.{signature}", "e30"),
        naming_another_key(&issued, "d-unknown"),
        format!("e30.{good}"),
    ] {
        let verified = node.verify_text(&bad, &options);
        let (verified, made, _) = cost_of(recorded, verified).await;
        assert_eq!((verified, made), (0, 0), "{bad}");
    }
}

#[tokio::test]
async fn logins_refreshes_and_revocations_cost_what_is_promised() {
    let (recorded, _recording) = recorded();
    let node = Node::new().await;
    assert_eq!(cost_of(recorded, node.log_in("ann")).await, (0, 1, 1));
    let issued = node.log_in("ann").await;
    let first = refresh_token(&issued);
    // One read and one conditional update.
    assert_eq!(cost_of(recorded, node.refresh(&first)).await, (0, 1, 2));
    // A replay within the window writes nothing.
    assert_eq!(cost_of(recorded, node.refresh(&first)).await, (0, 1, 1));
    let end = node.sessions.revoke(issued.session().handle());
    assert_eq!(cost_of(recorded, end).await, (0, 0, 1));
    assert!(
        node.store
            .inner()
            .get(issued.session().handle())
            .await
            .unwrap()
            .is_none()
    );
}
