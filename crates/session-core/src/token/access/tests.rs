//! Access tokens against the attack catalogue.

use crate::{
    fixtures::{HEADER, claims, verify},
    token::TokenRejection,
};

mod claims;
mod minting;
mod signature;
mod structure;
mod vectors;

fn payload() -> String {
    serde_json::to_string(&claims()).unwrap()
}

fn header_with(member: &str) -> String {
    format!("{},{member}}}", HEADER.strip_suffix('}').unwrap())
}

fn assert_malformed(token: &str) {
    let answer = verify(token);
    assert!(
        matches!(answer, Err(TokenRejection::Malformed(_))),
        "{token} got {answer:?}"
    );
}
