//! What it takes to make an access token.

use bench::{
    extent::{Extent, Only},
    rounds,
    row::{Row, Target, Unit},
};
use session_core::{
    Payload,
    clock::{Clock, SystemClock, unix_ms},
    token::measuring::Minting,
};

use crate::{
    service::{Apart, Service, claims, user},
    verify::waiting,
};

/// A token, beside the bare signature.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    if !only.wants("mint") {
        return Vec::new();
    }
    let key = waiting(async { Service::in_memory().await.key });
    let handle = bench::records::handle("m", 0);
    let payload = Payload::try_from(claims()).unwrap();
    let now_s = unix_ms(SystemClock.now()) / 1_000;
    let minting = Minting::new(&key.record, user(0), handle, payload, now_s).unwrap();
    let mint = || minting.mint("https://api.example.com/auth").unwrap();
    let token = mint();
    let same = Apart::of(token.expose());
    let mut signature = vec![0; key.signature_length()];
    let pairs = rounds::in_turn(
        extent,
        |_| drop(std::hint::black_box(mint())),
        |_| key.sign(&same.signed, &mut signature),
    );
    let what = format!("making an access token of {} bytes", token.expose().len());
    let against = "`aws-lc-rs` signing the same bytes with a parsed key";
    vec![Row::compared(
        "mint",
        [&what, against],
        Unit::Nanoseconds,
        pairs,
        Target::RatioAtMost(1.1),
    )]
}
