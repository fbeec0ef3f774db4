//! Claims: values about a user that travel in the access token, with the time when they were fetched
//! (wire §8).
//!
//! An application implements [`SessionClaim`] and registers it with the service
//! ([`SessionsBuilder::claim`](crate::SessionsBuilder::claim)); a route asks for
//! what it needs with a validator such as `Roles::includes("admin")`
//! ([`PrimitiveClaim`], [`BooleanClaim`], [`ArrayClaim`], or a [`ClaimValidator`] of its own).
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use session_core::{
//!     async_trait,
//!     claims::{ArrayClaim, BoxError, ClaimContext, ClaimValidator, SessionClaim},
//! };
//!
//! struct Roles;
//!
//! #[async_trait]
//! impl SessionClaim for Roles {
//!     type Value = Vec<String>;
//!     const KEY: &'static str = "st-role";
//!
//!     async fn fetch(&self, context: &ClaimContext<'_>) -> Result<Option<Vec<String>>, BoxError> {
//!         let role = if context.user().as_str() == "admin" { "admin" } else { "member" };
//!         Ok(Some(vec![role.to_owned()]))
//!     }
//! }
//!
//! let admins_only = Roles::includes("admin").max_age(Duration::from_mins(5));
//! assert_eq!(admins_only.claim_key(), Some("st-role"));
//! ```

mod claim;
mod registered;
mod standard;
mod stored;
mod validation;
mod validator;

pub use claim::{BoxError, ClaimContext, ClaimFetchError, SessionClaim};
pub use registered::ClaimRegistrationError;
pub use standard::{ArrayClaim, BooleanClaim, PrimitiveClaim, StandardValidator};
pub use stored::{age, value};
pub use validator::{ClaimError, ClaimFailure, ClaimValidator};

pub(crate) use registered::{FetchFor, RegisteredClaims, RegisteredClaimsBuilder};
pub(crate) use stored::update;
pub(crate) use validation::validate;
