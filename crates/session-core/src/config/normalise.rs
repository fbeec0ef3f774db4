//! Domains and paths as people write them, brought into the one form that is compared and sent
//! (wire §9.1). What does not come out clean is refused: nothing that leaves here can end a header
//! or begin a second cookie attribute (security E11).

use std::fmt;

use url::Url;

use super::host::{Host, InvalidHost};

/// Why a text is no domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDomain {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It has a character that has no place in a domain and might end a header or an attribute.
    #[error("it contains the character {0:?}")]
    Character(char),
    /// Its scheme is neither `http` nor `https`.
    #[error("its scheme is neither http nor https")]
    Scheme,
    /// It carries a user name or a password.
    #[error("it carries a user name or password")]
    Credentials,
    /// It cannot be read as a URL.
    #[error("it is not a URL or a host")]
    Unreadable,
    /// Its host has a form that we do not know.
    #[error(transparent)]
    Host(#[from] InvalidHost),
}

/// Why a text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPath {
    /// It has a character that would end a header or a cookie attribute.
    #[error("it contains the character {0:?}")]
    Character(char),
    /// It has two slashes with nothing between them, so no request would be sent there.
    #[error("it contains an empty segment")]
    EmptySegment,
    /// It has to begin with a slash.
    #[error("it does not begin with a slash")]
    NotAbsolute,
    /// It is too long for the `Path` of a cookie.
    #[error("it has {length} bytes, more than the {limit} that a cookie's path may have")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that it may have.
        limit: usize,
    },
    /// It cannot be read as the path of a URL.
    #[error("it cannot be read as the path of a URL")]
    Unreadable,
}

/// How a site is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A scheme, a host and a port other than the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Scheme,
    host: Host,
    port: Option<u16>,
}

impl Origin {
    /// Reads a domain setting. Everything after the host and port is dropped; without a scheme,
    /// `localhost` and addresses get `http` and all others `https`.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidDomain> {
        let text = cleaned(text)?;
        match scheme_and_rest(&text)? {
            (Some(scheme), rest) => Self::parse_as(scheme, rest),
            (None, rest) if rest.starts_with('/') => Err(InvalidDomain::Unreadable),
            (None, rest) => {
                let origin = Self::parse_as(Scheme::Https, rest)?;
                if origin.host.is_local() {
                    // Parsed again because the port that goes without saying is another one.
                    Self::parse_as(Scheme::Http, rest)
                } else {
                    Ok(origin)
                }
            }
        }
    }

    fn parse_as(scheme: Scheme, rest: &str) -> Result<Self, InvalidDomain> {
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        let bracketed = rest
            .parse::<std::net::Ipv6Addr>()
            .map(|address| format!("[{address}]"));
        let rest = bracketed.as_deref().unwrap_or(rest);
        let url = Url::parse(&format!("{}://{rest}", scheme.as_str()))
            .map_err(|_| InvalidDomain::Unreadable)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidDomain::Credentials);
        }
        let host = url.host().ok_or(InvalidDomain::Unreadable)?;
        Ok(Self {
            scheme,
            host: Host::try_from(host)?,
            port: url.port(),
        })
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// The `Domain` of a cookie: a host, and whether it was written with a leading dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CookieDomain {
    dotted: bool,
    host: Host,
}

impl CookieDomain {
    /// Reads a cookie domain. A scheme, a port and a path are dropped; a leading dot is kept, but
    /// never before `localhost` or an address.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidDomain> {
        let text = cleaned(text)?;
        let dotted = text.starts_with('.');
        let (_, rest) = scheme_and_rest(&text)?;
        let host = Origin::parse_as(Scheme::Http, rest)?.host;
        Ok(Self {
            dotted: dotted && !host.is_local(),
            host,
        })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }
}

impl fmt::Display for CookieDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = if self.dotted { "." } else { "" };
        write!(f, "{dot}{}", self.host)
    }
}

/// Reads a path setting: `""` for the root, otherwise with a leading and without a trailing slash.
/// A whole URL, or a host followed by a path, is reduced to its path; case and percent-encoding
/// stay.
pub(crate) fn path(text: &str) -> Result<String, InvalidPath> {
    if let Some(character) = text.chars().find(|&c| c.is_control() || c == ';') {
        return Err(InvalidPath::Character(character));
    }
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let url = if lower.starts_with("http://") || lower.starts_with("https://") {
        Url::parse(text)
    } else if begins_with_a_host(text) {
        Url::parse(&format!("http://{text}"))
    } else {
        let relative = text.strip_prefix('/').unwrap_or(text);
        Url::parse(&format!("http://localhost/{relative}"))
    };
    let url = url.map_err(|_| InvalidPath::Unreadable)?;
    let path = url.path();
    if path.contains("//") {
        return Err(InvalidPath::EmptySegment);
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    Ok(path.to_owned())
}

/// Whether a relative path such as `example.com/auth` names a host first: it has a dot, or it is
/// `localhost`.
fn begins_with_a_host(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    if !first.contains('.') && !first.starts_with("localhost") {
        // A number alone would be read as an address.
        return false;
    }
    let Ok(url) = Url::parse(&format!("http://{text}")) else {
        return false;
    };
    url.host_str()
        .is_some_and(|host| host.contains('.') || host == "localhost")
}

/// Trims and lower-cases, after refusing what a URL parser would quietly drop or turn into
/// something else.
fn cleaned(text: &str) -> Result<String, InvalidDomain> {
    if let Some(character) = text.chars().find(|&c| c.is_control()) {
        return Err(InvalidDomain::Character(character));
    }
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return Err(InvalidDomain::Empty);
    }
    let misplaced = |c: char| c.is_whitespace() || ";,\\\"'<>*".contains(c);
    match text.chars().find(|&c| misplaced(c)) {
        Some(character) => Err(InvalidDomain::Character(character)),
        None => Ok(text),
    }
}

fn scheme_and_rest(text: &str) -> Result<(Option<Scheme>, &str), InvalidDomain> {
    if let Some(rest) = text.strip_prefix("http://") {
        Ok((Some(Scheme::Http), rest))
    } else if let Some(rest) = text.strip_prefix("https://") {
        Ok((Some(Scheme::Https), rest))
    } else if text.contains("://") {
        Err(InvalidDomain::Scheme)
    } else {
        Ok((None, text))
    }
}

#[cfg(test)]
mod tests;
