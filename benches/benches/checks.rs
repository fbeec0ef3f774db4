//! What each of the three checks costs: the table of the README.
//!
//! `cargo xtask bench` prints the medians. Only the figures of one run compare with each other.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot start has nothing to measure"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use session_core::{
    AppInfo, NewSession, Sessions, UserId, VerifyOptions, verify::PresentedAntiCsrf,
};
use session_sqlx::SqlxStore;
use tokio::runtime::Runtime;

fn checks(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("sessions.db").display());
    let (sessions, token) = runtime.block_on(async {
        let app = AppInfo::new("https://api.example.com", "https://example.com");
        let store = SqlxStore::connect(&database).await.unwrap();
        let sessions = Sessions::builder(app).store(store).build().await.unwrap();
        let ann = NewSession::new(UserId::try_from("ann").unwrap());
        let issued = sessions.create(ann).await.unwrap();
        (sessions, issued.tokens().access_token().expose().to_owned())
    });
    let mut group = criterion.benchmark_group("verify");
    for (name, options) in [
        ("stateless", VerifyOptions::new()),
        (
            "check_blacklist",
            VerifyOptions::new().check_blacklist(true),
        ),
        (
            "check_database (SQLite)",
            VerifyOptions::new().check_database(true),
        ),
    ] {
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                sessions
                    .verify(&token, PresentedAntiCsrf::NotChecked, &options)
                    .await
                    .unwrap()
            });
        });
    }
    group.finish();
    runtime.block_on(sessions.shutdown());
}

criterion_group!(benches, checks);
criterion_main!(benches);
