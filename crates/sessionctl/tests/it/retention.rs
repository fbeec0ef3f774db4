//! How long the tool's revocations are remembered.

use std::time::Duration;

use session_core::{
    clock::{Clock as _, SystemClock, unix_ms},
    store::{RevocationCursor, SessionStore as _},
};
use session_sqlx::SqlxStore;

use crate::place::{HOUR, Place};

/// G14: a restored database does not know of the last access tokens, so what is ended is remembered
/// for as long as any could live that a service may give, or those of the services here.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_outlives_every_access_token_of_the_services() {
    for (lifetime, extra) in [
        (24 * 30 * HOUR, &[][..]),
        (24 * HOUR, &["--access-token-lifetime", "86400"]),
        (Duration::from_mins(1), &["--access-token-lifetime", "60"]),
    ] {
        let place = Place::file();
        let issued = place.with_one("ann").await;
        let handle = issued.session().handle();
        let before = SystemClock.now();
        let mut arguments = vec!["revoke", handle.as_str()];
        arguments.extend(extra);
        place.json(&arguments).await;
        let store = SqlxStore::connect(place.url().await).await.unwrap();
        let page = store.revocations_since(RevocationCursor::default(), 0, 10);
        let revoked = page.await.unwrap().revoked;
        assert_eq!(&revoked[0].handle, handle);
        // It has to be there for as long as a token that was made just before, and not for ever.
        let earliest_ms = unix_ms(before.checked_add(lifetime).unwrap());
        let latest_ms = unix_ms(SystemClock.now().checked_add(lifetime + HOUR).unwrap());
        let end_ms = revoked[0].expires_at_ms;
        assert!(
            (earliest_ms..=latest_ms).contains(&end_ms),
            "{end_ms}: {earliest_ms} to {latest_ms}"
        );
    }
}
