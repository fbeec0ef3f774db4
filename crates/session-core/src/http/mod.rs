//! The framework-neutral half of every adapter: reading a request, deciding, and building what goes
//! into the response. An adapter only moves it between its framework and this.

mod adapter_types;
mod binding;
mod builtin;
mod cookies;
mod credentials;
mod effects;
mod exchange;
mod header_lines;
mod limits;
mod names;
mod presented;
mod presented_token;
mod refusal;
mod request_headers;
mod response_head;
mod routes;
mod set_cookie;
mod transfer;

pub use exchange::{Exchange, HeadChanges};
pub use header_lines::{HeaderLines, WithCookies};
pub use names::{CORS_REQUEST_HEADERS, CORS_RESPONSE_HEADERS};
pub use refusal::Refusal;
pub use transfer::TransferMethod;

pub(crate) use binding::Binding;
#[cfg(feature = "fuzzing")]
pub(crate) use cookies::SessionCookies;
pub(crate) use limits::{ensure_fits, ensure_fits_any};

#[cfg(test)]
mod tests;
