//! The framework-neutral half of every adapter: reading a request, deciding, and building what goes
//! into the response. An adapter only moves it between its framework and this.

mod builtin;
mod cookies;
mod effects;
mod exchange;
mod limits;
mod names;
mod refusal;
mod request;
mod response_head;
mod routes;
mod set_cookie;
mod transfer;

pub use exchange::Exchange;
pub use names::{CORS_REQUEST_HEADERS, CORS_RESPONSE_HEADERS};
pub use refusal::Refusal;
pub use request::RequestView;
pub use transfer::TransferMethod;

#[cfg(feature = "fuzzing")]
pub(crate) use cookies::SessionCookies;
pub(crate) use effects::{ClearTokens, Effects};
pub(crate) use limits::{ensure_fits, ensure_fits_any};

#[cfg(test)]
mod tests;
