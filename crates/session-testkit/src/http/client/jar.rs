//! `Jar`: the cookies of one host, as a browser keeps them.

use super::SetCookie;

/// The cookies of one host. Which of several domains a cookie was set for tells it from others of
/// its name and keeps it from nobody.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jar(Vec<SetCookie>);

impl Jar {
    /// Keeps what an answer sets, and drops what it takes away (RFC 6265bis §5.7).
    pub(crate) fn absorb(&mut self, cookies: &[SetCookie], now_s: i64) {
        for cookie in cookies {
            self.0.retain(|kept| !is_same(kept, cookie));
            if cookie.expires_at_s().is_none_or(|expires| expires > now_s) {
                self.0.push(cookie.clone());
            }
        }
    }

    /// The name and value of each cookie that a request for `path` carries.
    pub(crate) fn cookies_for(&self, path: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(move |cookie| covers(cookie.attribute("Path").unwrap_or("/"), path))
            .map(|cookie| (cookie.name.as_str(), cookie.value.as_str()))
    }

    /// The value of the cookie of a name, whatever its path.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let cookie = self.0.iter().find(|cookie| cookie.name == name)?;
        Some(&cookie.value)
    }
}

fn is_same(one: &SetCookie, other: &SetCookie) -> bool {
    one.name == other.name
        && ["Domain", "Path"]
            .iter()
            .all(|attribute| one.attribute(attribute) == other.attribute(attribute))
}

/// Whether a cookie of `cookie_path` goes with a request for `path` (RFC 6265bis §5.1.4).
fn covers(cookie_path: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}
