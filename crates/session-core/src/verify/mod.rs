//! What a route asks of a session, as a value ([`VerifyOptions`]) or as a type ([`Policy`]), and
//! the pipeline that answers it.

mod options;
mod pipeline;
mod policy;
mod verified_tokens;

pub use options::VerifyOptions;
pub use pipeline::PresentedAntiCsrf;
pub use policy::{CheckBlacklist, CheckDatabase, Configured, Policy, Stateless};

pub(crate) use options::Lookups;
pub(crate) use pipeline::{CandidateToken, Facts};
pub(crate) use verified_tokens::VerifiedTokens;
