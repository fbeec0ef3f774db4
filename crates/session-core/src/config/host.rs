//! A host: a name in its ASCII form or an address, and the site that it belongs to.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

/// Why a host has no form that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHost {
    /// A name of one label that is not `localhost`: it belongs to no site.
    #[error("its host has no dot and is not localhost")]
    NoDot,
    /// A name that is no list of labels of letters, digits, `-` and `_`, 1 to 63 characters each,
    /// 253 together (RFC 1035 §2.3.4).
    #[error("its host is not made of labels of letters, digits and hyphens")]
    Labels,
}

/// A host in the form in which browsers compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// Lower-case ASCII.
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// The site that a host belongs to; two hosts are same-site when these are equal and the schemes
/// are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Site {
    /// This machine or an address: all of them count as one site (wire §9.1).
    Local,
    Registrable(String),
}

impl Host {
    /// Whether this is `localhost`, a name below it (RFC 6761 §6.3) or an address.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Self::V4(_) | Self::V6(_) => true,
        }
    }

    /// The site by the public suffix list with its private section; `None` for a public suffix
    /// itself.
    pub(crate) fn site(&self) -> Option<Site> {
        let name = match self {
            Self::Name(name) if !self.is_local() => name,
            _ => return Some(Site::Local),
        };
        let whole = name.rsplit('.').next() == Some("local")
            || (name.ends_with(".amazonaws.com") && self.is_public_suffix());
        let site = if whole {
            Some(name.as_str())
        } else {
            psl::domain_str(name)
        };
        site.map(|site| Site::Registrable(site.to_owned()))
    }

    /// Whether anybody may register a name below this one, so that a cookie for it would reach
    /// strangers.
    pub(crate) fn is_public_suffix(&self) -> bool {
        match self {
            Self::Name(name) => !self.is_local() && psl::suffix_str(name) == Some(name),
            Self::V4(_) | Self::V6(_) => false,
        }
    }

    /// Whether a cookie for the domain `of` is sent to this host (RFC 6265 §5.1.3).
    pub(crate) fn domain_matches(&self, of: &Self) -> bool {
        match (self, of) {
            (Self::Name(host), Self::Name(domain)) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            _ => self == of,
        }
    }
}

impl TryFrom<url::Host<&str>> for Host {
    type Error = InvalidHost;

    fn try_from(host: url::Host<&str>) -> Result<Self, InvalidHost> {
        match host {
            url::Host::Ipv4(address) => Ok(Self::V4(address)),
            url::Host::Ipv6(address) => Ok(Self::V6(address)),
            url::Host::Domain(name) => {
                if !(name.len() <= 253 && name.split('.').all(is_label)) {
                    Err(InvalidHost::Labels)
                } else if !name.contains('.') && name != "localhost" {
                    Err(InvalidHost::NoDot)
                } else {
                    Ok(Self::Name(name.to_owned()))
                }
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Host {
        Host::Name(text.to_owned())
    }

    fn registrable(text: &str) -> Site {
        Site::Registrable(text.to_owned())
    }

    /// Wire §9.1: registrable domains by the public suffix list, private suffixes included.
    #[test]
    fn the_site_is_the_registrable_domain() {
        assert_eq!(name("api.x.io").site(), Some(registrable("x.io")));
        assert_eq!(
            name("a.b.example.co.uk").site(),
            Some(registrable("example.co.uk"))
        );
        assert_eq!(
            name("ann.github.io").site(),
            Some(registrable("ann.github.io"))
        );
        assert_eq!(
            name("api.xn--55qx5d.cn").site(),
            Some(registrable("api.xn--55qx5d.cn"))
        );
        assert_eq!(
            name("api.corp.internal").site(),
            Some(registrable("corp.internal"))
        );
        assert_eq!(name("github.io").site(), None);
        assert_eq!(name("co.uk").site(), None);
    }

    /// Wire §9.1: the hosts that are taken whole, and those that all count as this machine.
    #[test]
    fn local_hosts_share_one_site_and_some_hosts_are_their_own() {
        assert_eq!(name("localhost").site(), Some(Site::Local));
        assert_eq!(name("api.localhost").site(), Some(Site::Local));
        assert_eq!(Host::V4(Ipv4Addr::LOCALHOST).site(), Some(Site::Local));
        assert_eq!(Host::V6(Ipv6Addr::LOCALHOST).site(), Some(Site::Local));
        assert_eq!(
            name("api.box.local").site(),
            Some(registrable("api.box.local"))
        );
        let bucket = "s3.eu-west-1.amazonaws.com";
        assert!(name(bucket).is_public_suffix());
        assert_eq!(name(bucket).site(), Some(registrable(bucket)));
    }

    /// E11: a name that merely begins or ends like another one is somebody else's.
    #[test]
    fn similar_names_are_not_the_same_host() {
        assert!(!name("localhost.example.com").is_local());
        assert!(!name("notlocalhost").is_local());
        assert!(!name("evilexample.com").domain_matches(&name("example.com")));
        assert!(!name("example.com").domain_matches(&name("api.example.com")));
        assert!(name("api.example.com").domain_matches(&name("example.com")));
        assert!(name("example.com").domain_matches(&name("example.com")));
    }
}
