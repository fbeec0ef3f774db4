//! The pages of the book, and the README, as documentation tests: an example that does not compile is no example.
//!
//! `cargo xtask test` fails for a page that is not listed here.

macro_rules! pages {
    ($($page:ident: $text:expr,)*) => {
        $(#[doc = $text] mod $page {})*
    };
}

pages! {
    readme: include_str!("../README.md"),
    introduction: include_str!("src/introduction.md"),
    guide: include_str!("src/guide.md"),
    axum: include_str!("src/axum.md"),
    tower: include_str!("src/tower.md"),
    lambda: include_str!("src/lambda.md"),
    fleet: include_str!("src/fleet.md"),
    actix: include_str!("src/actix.md"),
    rocket: include_str!("src/rocket.md"),
    warp: include_str!("src/warp.md"),
    poem: include_str!("src/poem.md"),
    frameworks: include_str!("src/frameworks.md"),
    front_ends: include_str!("src/front-ends.md"),
    web: include_str!("src/web.md"),
    choosing_a_store: include_str!("src/choosing-a-store.md"),
    revocation: include_str!("src/revocation.md"),
    operations: include_str!("src/operations.md"),
    sessionctl: include_str!("src/sessionctl.md"),
    configuration: include_str!("src/configuration.md"),
    http_contract: include_str!("src/http-contract.md"),
    curl: include_str!("src/curl.md"),
    verifying_elsewhere: include_str!("src/verifying-elsewhere.md"),
    security: include_str!("src/security.md"),
    attacks: include_str!("src/attacks.md"),
    performance: include_str!("src/performance.md"),
    figures: include_str!("src/figures.md"),
    statements: include_str!("src/statements.md"),
    conformance: include_str!("src/conformance.md"),
    writing_an_adapter: include_str!("src/writing-an-adapter.md"),
    writing_a_store: include_str!("src/writing-a-store.md"),
}
