//! Access tokens: what it takes to verify one, and to refuse one.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use bench::{
    extent::{Extent, Only},
    rounds::{self, at},
    row::{Row, Target, Unit},
};
use session_core::{
    AccessToken, MemoryStore, Sessions, VerifyOptions, config::RsaKeySize,
    verify::PresentedAntiCsrf::NotChecked,
};
use tokio::runtime;

use crate::service::{Apart, Service};

/// Tokens that were never seen before, beside the bare verification of their signatures.
pub(crate) fn of_new_tokens(extent: Extent, only: &Only) -> Vec<Row> {
    let sizes = [
        (
            "verify-new",
            RsaKeySize::Bits2048,
            Target::RatioAtMost(1.15),
        ),
        ("verify-new-3072", RsaKeySize::Bits3072, Target::Shown),
        ("verify-new-4096", RsaKeySize::Bits4096, Target::Shown),
    ];
    let mut rows = Vec::new();
    for (name, size, target) in sizes {
        if only.wants(name) {
            rows.push(waiting(of_new_tokens_under(extent, name, size, target)));
        }
    }
    rows
}

async fn of_new_tokens_under(extent: Extent, name: &str, size: RsaKeySize, target: Target) -> Row {
    let store = MemoryStore::default();
    let service = Service::on(store, |config| config.rsa_key_size(size)).await;
    let tokens = service.tokens(0..TOKENS).await;
    let apart = Apart::all(&tokens);
    let options = VerifyOptions::new();
    let pairs = rounds::in_turn_waiting(
        extent,
        async |call| accept(&service.sessions, at(&tokens, call), &options).await,
        async |call| service.key.verify(at(&apart, call)),
    );
    let pairs = pairs.await;
    let length = tokens.first().map_or(0, String::len);
    let what =
        format!("`Sessions::verify` of {TOKENS} tokens of {length} bytes in turn, none remembered");
    let against = "`aws-lc-rs` verifying the signatures of the same bytes with a parsed key";
    Row::compared(name, [&what, against], Unit::Nanoseconds, pairs, target)
}

/// Tokens that are refused before any cryptography, each kind by itself.
pub(crate) fn of_malformed_tokens(extent: Extent, only: &Only) -> Vec<Row> {
    if !only.wants_any("refuse-malformed") {
        return Vec::new();
    }
    waiting(async {
        let service = Service::in_memory().await;
        let token = service.tokens(0..1).await.remove(0);
        let options = VerifyOptions::new();
        let mut rows = Vec::new();
        for (kind, what, malformed) in malformed_of(&token) {
            let name = format!("refuse-malformed-{kind}");
            if !only.wants(&name) {
                continue;
            }
            let figures = rounds::alone_waiting(extent, async |_| {
                let refused = service.sessions.verify(&malformed, NotChecked, &options);
                refused.await.unwrap_err();
            });
            let what = format!("`Sessions::verify` of {what}, {} bytes", malformed.len());
            let target = Target::AtMost(2_000.0);
            rows.push(Row::alone(
                name,
                what,
                Unit::Nanoseconds,
                figures.await,
                target,
            ));
        }
        rows
    })
}

/// Verifies a token that is good.
pub(crate) async fn accept(sessions: &Sessions, token: impl AsRef<str>, options: &VerifyOptions) {
    let verified = sessions.verify(token.as_ref(), NotChecked, options).await;
    std::hint::black_box(verified.unwrap());
}

/// Runs what waits for nobody, or for its own tasks alone, on this thread.
pub(crate) fn waiting<T>(work: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(work)
}

/// A good token made bad, in ways that are found out later and later.
fn malformed_of(token: &str) -> Vec<(&'static str, &'static str, String)> {
    let encoded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let mut segments = token.split('.');
    let mut next = || segments.next().unwrap();
    let [header, payload, signature] = [next(), next(), next()];
    let with_header = |header: &str| format!("{}.{payload}.{signature}", encoded(header));
    let most = AccessToken::MAX_BYTES;
    let room = most - header.len() - signature.len() - 2;
    let unfinished = format!("{{\"sub\":\"{}", "a".repeat(room / 4 * 3 - 8));
    vec![
        (
            "too-long",
            "a token beyond the length cap",
            format!("{token}{}", "a".repeat(most)),
        ),
        (
            "no-dots",
            "a text that is no token",
            "a".repeat(token.len()),
        ),
        (
            "base64",
            "a payload that is no base64url",
            token.replacen('.', ".!", 1),
        ),
        (
            "json",
            "a header that is no JSON",
            with_header(r#"{"alg":"RS256","#),
        ),
        (
            "algorithm",
            "a header that says HS256",
            with_header(r#"{"alg":"HS256","typ":"JWT"}"#),
        ),
        (
            "none",
            "a header that says `none`, unsigned",
            format!("{}.{payload}.", encoded(r#"{"alg":"none","typ":"JWT"}"#)),
        ),
        (
            "kid",
            "a key's name that is none",
            with_header(
                r#"{"alg":"RS256","typ":"JWT","version":"5","kid":"../../etc/passwd\u0000"}"#,
            ),
        ),
        ("junk", "junk as long as a token may be", {
            let third = "A".repeat((most - 2) / 3 / 4 * 4);
            format!("{third}.{third}.{third}")
        }),
        (
            "unfinished",
            "a payload that ends too early, as long as a token may be",
            format!("{header}.{}.{signature}", encoded(&unfinished)),
        ),
    ]
}

/// So many that the processor's caches hold little of one when it comes again.
const TOKENS: usize = 512;
