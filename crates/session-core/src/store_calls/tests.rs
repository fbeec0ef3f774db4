//! Security F1, G11, H9, J10: calls that run to their end, bounded in number and in time.

use std::sync::Arc;

use super::*;
use crate::{
    fixtures::faulty_store::{Fault, FaultyStore},
    store::KeyRecord,
};

fn calls(store: &FaultyStore, max_concurrent: usize) -> StoreCalls {
    StoreCalls::new(
        Arc::new(store.clone()),
        max_concurrent,
        Duration::from_secs(2),
    )
}

async fn load(calls: &StoreCalls) -> Result<Vec<KeyRecord>, StoreError> {
    calls
        .call("load_keys", |store| async move { store.load_keys().await })
        .await
}

fn assert_unavailable<T>(answer: Result<T, StoreError>, reason: &str) {
    let Err(StoreError::Unavailable(source)) = answer else {
        panic!("an error was expected")
    };
    assert_eq!(source.to_string(), reason);
}

#[tokio::test]
async fn an_answer_is_passed_on() {
    let store = FaultyStore::default();
    assert!(load(&calls(&store, 1)).await.unwrap().is_empty());
    store.set(Fault::Unavailable);
    assert_unavailable(load(&calls(&store, 1)).await, "told to fail");
}

/// F1, G11: whoever asked may go away; the call does not notice.
#[tokio::test]
async fn a_call_whose_caller_is_gone_runs_to_its_end() {
    let (store, gate) = (FaultyStore::default(), Arc::new(Semaphore::new(0)));
    store.set(Fault::Wait(Arc::clone(&gate)));
    let calls = calls(&store, 1);
    tokio::select! {
        biased;
        answer = load(&calls) => panic!("{answer:?} through a closed gate"),
        () = async { while store.asked() == 0 { tokio::task::yield_now().await } } => {}
    }
    assert_eq!(store.answered(), 0);
    gate.add_permits(1);
    calls.close().await;
    assert_eq!(store.answered(), 1);
}

/// H9: a store that hangs gets as many calls as are allowed and no more, and nobody waits for it
/// longer than the timeout.
#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_not_buried_under_calls() {
    let (store, gate) = (FaultyStore::default(), Arc::new(Semaphore::new(0)));
    store.set(Fault::Wait(Arc::clone(&gate)));
    let calls = calls(&store, 3);
    let began = tokio::time::Instant::now();
    let answers = futures_util::future::join_all((0..50).map(|_| load(&calls))).await;
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_eq!(store.asked(), 3);
    for answer in answers {
        assert_unavailable(answer, "timed out");
    }

    gate.add_permits(Semaphore::MAX_PERMITS);
    load(&calls).await.unwrap();
    assert_eq!(store.answered(), 4);
}

/// J8: a panic in a store is that call's error, and its place is free again; what it said is not
/// repeated.
#[tokio::test]
async fn a_panic_in_a_store_is_an_error_of_that_call() {
    let store = FaultyStore::default();
    let calls = calls(&store, 1);
    store.set(Fault::Panic);
    for _ in 0..3 {
        assert_unavailable(load(&calls).await, "the store panicked");
    }
    store.set(Fault::None);
    load(&calls).await.unwrap();
}

/// L3: after closing, nothing new begins.
#[tokio::test]
async fn nothing_begins_after_closing() {
    let store = FaultyStore::default();
    let calls = calls(&store, 1);
    calls.close().await;
    assert_unavailable(load(&calls).await, "the service is shutting down");
    assert_eq!(store.asked(), 0);
}
