//! `HeaderLines`: the headers of a message, read where the framework keeps them.

use std::fmt;

use http::{HeaderMap, HeaderName, header::COOKIE};

/// The header lines of a request or response, in whatever type a framework keeps them.
///
/// A [`HeaderMap`] of this version of `http` has them already. An adapter of a framework with a type
/// of its own implements this for it, so that nothing is copied to be read.
pub trait HeaderLines: Sync {
    /// Shows the value of each line of this name, in the order in which they came. `name` is in
    /// lower case; header names are compared without case.
    fn each<'a>(&'a self, name: &HeaderName, see: &mut dyn FnMut(&'a [u8]));
}

impl HeaderLines for HeaderMap {
    fn each<'a>(&'a self, name: &HeaderName, see: &mut dyn FnMut(&'a [u8])) {
        for value in self.get_all(name) {
            see(value.as_bytes());
        }
    }
}

/// The header lines of a request whose framework knows its cookies, too.
///
/// A client that a framework makes for tests may hand over cookies without a header. Where there is a
/// `Cookie` line, the request has its cookies there alone: what the framework made of them may have
/// lost some.
///
/// # Examples
///
/// ```
/// use http::{HeaderMap, header::COOKIE};
/// use session_core::http::{HeaderLines as _, WithCookies};
///
/// let headers = HeaderMap::new();
/// let lines = WithCookies::new(&headers, ["a=b", "c=d"]);
/// lines.each(&COOKIE, &mut |line| assert_eq!(line, b"a=b; c=d"));
/// ```
pub struct WithCookies<'l> {
    lines: &'l dyn HeaderLines,
    cookies: Option<String>,
}

impl<'l> WithCookies<'l> {
    /// These lines, and these cookies as pairs of a `Cookie` line: `name=value`.
    pub fn new(
        lines: &'l dyn HeaderLines,
        cookies: impl IntoIterator<Item = impl fmt::Display>,
    ) -> Self {
        let mut has_line = false;
        lines.each(&COOKIE, &mut |_| has_line = true);
        let pairs = (!has_line).then(|| cookies.into_iter().map(|pair| pair.to_string()));
        let cookies = pairs.and_then(|pairs| pairs.reduce(|line, pair| line + "; " + &pair));
        Self { lines, cookies }
    }
}

impl HeaderLines for WithCookies<'_> {
    fn each<'a>(&'a self, name: &HeaderName, see: &mut dyn FnMut(&'a [u8])) {
        self.lines.each(name, see);
        if let Some(cookies) = self.cookies.as_ref().filter(|_| name == COOKIE) {
            see(cookies.as_bytes());
        }
    }
}

/// Without what the lines say.
impl fmt::Debug for WithCookies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithCookies").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn cookie_lines(lines: &dyn HeaderLines) -> Vec<&[u8]> {
        let mut seen = Vec::new();
        lines.each(&COOKIE, &mut |line| seen.push(line));
        seen
    }

    /// E2: what a framework has made of the cookies is no second source beside the header.
    #[test]
    fn cookies_come_from_the_header_where_there_is_one() {
        let mut headers = HeaderMap::new();
        let none: [&str; 0] = [];
        assert!(cookie_lines(&WithCookies::new(&headers, none)).is_empty());
        let beside = WithCookies::new(&headers, ["a=b", "c=d"]);
        assert_eq!(cookie_lines(&beside), [b"a=b; c=d"]);
        let debugged = format!("{beside:?}");
        assert!(!debugged.contains("a=b"), "{debugged}");

        headers.append(COOKIE, HeaderValue::from_static("a=1"));
        headers.append(COOKIE, HeaderValue::from_static("a=2"));
        let beside = WithCookies::new(&headers, ["a=b"]);
        assert_eq!(cookie_lines(&beside), [b"a=1", b"a=2"]);
    }

    #[test]
    fn all_other_lines_are_the_headers() {
        let name = HeaderName::from_static("rid");
        let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("a"))]);
        let mut seen = Vec::new();
        WithCookies::new(&headers, ["rid=b"]).each(&name, &mut |line| seen.push(line.to_vec()));
        assert_eq!(seen, [b"a"]);
    }
}
