//! One small route on each framework, `GET /session`, which answers who the user is: bare, and
//! with sessions. The programs `peer` and `adds` measure nothing else.
//!
//! A module per framework; what they have in common is in [`answer`], and the sessions themselves
//! are in [`service`].

#![expect(
    clippy::missing_errors_doc,
    reason = "what does not work is an error for a person, whatever it is"
)]

pub mod answer;
pub mod launching;
pub mod listening;
pub mod on_actix;
pub mod on_axum;
pub mod on_poem;
pub mod on_rocket;
pub mod on_tower;
pub mod on_warp;
pub mod service;

/// What did not work, for a person.
pub type Problem = Box<dyn std::error::Error + Send + Sync>;
