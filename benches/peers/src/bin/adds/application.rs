//! An application that is asked in this process.

use bytes::Bytes;
use peers::Problem;

/// An application of one framework.
pub(crate) trait Application {
    /// The framework's own type of a request.
    type Request<'a>
    where
        Self: 'a;

    /// `GET /session` with this value of the header `authorization`.
    fn request(&self, authorization: &str) -> Self::Request<'_>;

    /// The status and the body of the answer.
    async fn answer<'a>(&'a self, request: Self::Request<'a>) -> Result<(u16, Bytes), Problem>;
}

/// What clients send as `authorization`.
#[derive(Debug)]
pub(crate) struct Clients {
    /// One of each session.
    pub(crate) good: Vec<String>,
    /// A token with the signature of another.
    pub(crate) forged: String,
}

impl Clients {
    /// From header lines as [`peers::service::log_in`] gives them.
    pub(crate) fn of(lines: &[String]) -> Result<Self, Problem> {
        let values = lines.iter().filter_map(|line| line.split_once(": "));
        let good: Vec<String> = values.map(|(_, value)| value.to_owned()).collect();
        let [one, other, ..] = &*good else {
            return Err("there are two sessions at least".into());
        };
        let of_token = |value: &str| {
            let (signed, signature) = value.rsplit_once('.')?;
            Some((signed.to_owned(), signature.to_owned()))
        };
        let (Some((signed, _)), Some((_, signature))) = (of_token(one), of_token(other)) else {
            return Err("a token has a signature".into());
        };
        let forged = format!("{signed}.{signature}");
        Ok(Self { good, forged })
    }
}
