//! Version floors: no locked dependency is older than the release that fixed a known advisory.
//!
//! Not every advisory is in the `RustSec` database (CVE-2026-25537 is not), and the database cannot
//! be had everywhere, so the floors that matter to this workspace stand here.

use std::path::Path;

use semver::{Version, VersionReq};

/// A package that an advisory was written about.
struct Floor {
    package: &'static str,
    /// Ranges with the fix, any of them; none when the package must not be used at all.
    fixed: &'static [&'static str],
    advisories: &'static str,
}

const fn floor(
    package: &'static str,
    fixed: &'static [&'static str],
    advisories: &'static str,
) -> Floor {
    Floor {
        package,
        fixed,
        advisories,
    }
}

const FLOORS: &[Floor] = &[
    // The private key signs in process, and a timing leak there has no complete fix on record.
    floor("rsa", &[], "RUSTSEC-2023-0071, CVE-2026-21895"),
    floor(
        "openssl",
        &[],
        "one cryptographic library, statically linked",
    ),
    floor(
        "openssl-sys",
        &[],
        "one cryptographic library, statically linked",
    ),
    floor("jsonwebtoken", &[">=10.3.0"], "CVE-2026-25537"),
    floor("sqlx", &[">=0.8.1"], "RUSTSEC-2024-0363"),
    floor("sqlx-core", &[">=0.8.1"], "RUSTSEC-2024-0363"),
    // The 0.3 line never got the fix for empty DATA frames.
    floor(
        "h2",
        &[">=0.4.16"],
        "RUSTSEC-2023-0034, -2024-0003, -2024-0332, -2026-0258",
    ),
    floor("hyper", &[">=0.14.10"], "RUSTSEC-2021-0078"),
    floor("axum-core", &[">=0.3.0"], "RUSTSEC-2022-0055"),
    floor("actix-http", &[">=3.0.0"], "RUSTSEC-2021-0081"),
    floor("rocket", &[">=0.5.0"], "RUSTSEC-2021-0044"),
    floor("warp", &[">=0.3.3"], "RUSTSEC-2022-0082"),
    floor("cookie", &[">=0.16.0"], "RUSTSEC-2017-0005"),
    floor("time", &[">=0.3.47"], "RUSTSEC-2020-0071, -2026-0009"),
    floor("bytes", &[">=1.11.1"], "RUSTSEC-2026-0007"),
    floor("tracing-subscriber", &[">=0.3.20"], "RUSTSEC-2025-0055"),
    floor("tokio", &[">=1.44.2"], "RUSTSEC-2025-0023"),
    floor("crossbeam-channel", &[">=0.5.15"], "RUSTSEC-2025-0024"),
    floor("slab", &[">=0.4.11"], "RUSTSEC-2025-0047"),
    floor(
        "event-listener",
        &["<5.0.0", ">=5.4.2"],
        "RUSTSEC-2026-0221",
    ),
    floor("scc", &[">=3.8.8"], "RUSTSEC-2026-0205"),
    floor("lru", &[">=0.18.2"], "RUSTSEC-2026-0002, -2026-0253"),
    floor(
        "rand",
        &[">=0.8.6, <0.9.0", ">=0.9.3, <0.10.0", ">=0.10.1"],
        "RUSTSEC-2026-0097",
    ),
    floor("anyhow", &[">=1.0.103"], "RUSTSEC-2026-0190"),
    floor("aws-lc-sys", &[">=0.39.0"], "RUSTSEC-2026-0044 to -0048"),
    floor("ring", &[">=0.17.12"], "RUSTSEC-2025-0009"),
    floor(
        "rustls-webpki",
        &[">=0.103.13"],
        "RUSTSEC-2026-0049, -0098, -0099, -0104",
    ),
    floor("libsqlite3-sys", &[">=0.25.1"], "RUSTSEC-2022-0090"),
];

/// Holds the workspace's lock file to the floors.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let path = root.join("Cargo.lock");
    let lock = std::fs::read_to_string(&path).map_err(|error| format!("Cargo.lock: {error}"))?;
    let problems = below_the_floors(&lock)?;
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

/// Every locked package that is older than its floor, with the advisories it is exposed to.
fn below_the_floors(lock: &str) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let mut locked = 0_usize;
    let mut name = "";
    for line in lock.lines() {
        if let Some(value) = quoted(line, "name") {
            name = value;
        } else if let Some(value) = quoted(line, "version") {
            locked += 1;
            let version = parse::<Version>(value)?;
            for floor in FLOORS.iter().filter(|floor| floor.package == name) {
                if !floor.admits(&version)? {
                    problems.push(floor.complaint(&version));
                }
            }
        }
    }
    // A lock file in a form that is not understood must not pass for a clean one.
    if locked == 0 {
        Err("Cargo.lock lists no package".to_owned())
    } else {
        Ok(problems)
    }
}

impl Floor {
    fn admits(&self, version: &Version) -> Result<bool, String> {
        for range in self.fixed {
            if parse::<VersionReq>(range)?.matches(version) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn complaint(&self, version: &Version) -> String {
        let Self {
            package,
            advisories,
            ..
        } = self;
        if self.fixed.is_empty() {
            return format!("{package} {version} must not be used ({advisories})");
        }
        format!(
            "{package} {version}: needs {} ({advisories})",
            self.fixed.join(" or ")
        )
    }
}

fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?
        .strip_prefix(" = \"")?
        .strip_suffix('"')
}

fn parse<T: std::str::FromStr<Err = semver::Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(packages: &[(&str, &str)]) -> Vec<String> {
        let entries: Vec<String> = packages
            .iter()
            .map(|(name, version)| format!("name = \"{name}\"\nversion = \"{version}\""))
            .collect();
        let lock = entries.join("\n\n[[package]]\n");
        below_the_floors(&lock).unwrap()
    }

    /// L9: an advisory that `RustSec` does not list is noticed all the same.
    #[test]
    fn a_version_below_a_floor_is_named_with_its_advisory() {
        let found = complaints(&[("jsonwebtoken", "10.2.0"), ("serde", "1.0.0")]);
        assert_eq!(
            found,
            ["jsonwebtoken 10.2.0: needs >=10.3.0 (CVE-2026-25537)"]
        );
        assert!(complaints(&[("jsonwebtoken", "10.3.0")]).is_empty());
    }

    /// L9, K5: the private key is never in the hands of a library whose timing leaks.
    #[test]
    fn a_banned_crate_is_refused_at_every_version() {
        assert_eq!(
            complaints(&[("rsa", "0.10.0"), ("openssl", "0.10.80")]).len(),
            2
        );
    }

    /// L9: several major versions of a crate are each held to the fix of their own line.
    #[test]
    fn each_line_of_releases_has_its_own_floor() {
        assert!(complaints(&[("rand", "0.8.6"), ("rand", "0.9.3"), ("rand", "0.10.4")]).is_empty());
        assert_eq!(
            complaints(&[("rand", "0.8.5"), ("rand", "0.9.2"), ("rand", "0.10.0")]).len(),
            3
        );
        assert_eq!(complaints(&[("h2", "0.3.27")]).len(), 1);
    }

    /// L9: every range in the table is one that Cargo understands.
    #[test]
    fn every_floor_can_be_read() {
        for floor in FLOORS {
            assert!(
                floor.admits(&Version::new(0, 0, 1)).is_ok(),
                "{}",
                floor.package
            );
        }
        assert!(below_the_floors("").is_err());
    }
}
