//! `VerifyOptions`: what a route asks of a session.

use std::{fmt, sync::Arc, time::Duration};

use crate::{claims::ClaimValidator, config::Check};

/// What a route asks of a session.
///
/// Whatever is not set here follows the configuration, so `VerifyOptions::new()` asks for what
/// [`SessionConfig`](crate::SessionConfig) says every route should ask for.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use session_core::VerifyOptions;
///
/// // Before a long upload: the session must be live, and its token good for two more minutes.
/// let upload = VerifyOptions::new()
///     .check_database(true)
///     .min_remaining(Duration::from_secs(120));
/// # let _ = upload;
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct VerifyOptions {
    optional: bool,
    anti_csrf_check: Option<bool>,
    check_blacklist: Option<bool>,
    check_database: Option<bool>,
    max_staleness: Option<Duration>,
    min_remaining: Option<Duration>,
    validators: Validators,
}

/// Which claim validators run.
#[derive(Clone)]
struct Validators {
    globals: bool,
    own: Arc<[Arc<dyn ClaimValidator>]>,
}

impl Default for Validators {
    fn default() -> Self {
        Self {
            globals: true,
            own: Arc::default(),
        }
    }
}

impl VerifyOptions {
    /// Asks for what the configuration says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a request without a session is refused. Default: `true`.
    ///
    /// With `false`, a request without a token, or with one that is not a session's at all, goes
    /// on without a session; an expired, forged or revoked one is still refused, so that the
    /// client refreshes (wire cases 45 to 47).
    pub fn session_required(mut self, required: bool) -> Self {
        self.optional = !required;
        self
    }

    /// Whether the anti-CSRF check is made. Default: for every method but GET.
    ///
    /// Sessions that travel in headers need none and get none. What is checked is a setting of
    /// [`SessionConfig`](crate::SessionConfig).
    pub fn anti_csrf_check(mut self, check: bool) -> Self {
        self.anti_csrf_check = Some(check);
        self
    }

    /// Whether the session is looked up in the in-memory set of revoked sessions. Default: as
    /// configured.
    ///
    /// A revoked session is then refused within [`max_staleness`](Self::max_staleness) of the
    /// revocation being acknowledged, on every node, at the price of a memory look-up. While the
    /// set is older than that, the database is asked instead.
    pub fn check_blacklist(mut self, check: bool) -> Self {
        self.check_blacklist = Some(check);
        self
    }

    /// Whether the session is looked up in the database. Default: as configured.
    ///
    /// A revoked session is then refused from the moment that the revocation was acknowledged, on
    /// every node, at the price of one indexed read. Includes all that
    /// [`check_blacklist`](Self::check_blacklist) promises.
    pub fn check_database(mut self, check: bool) -> Self {
        self.check_database = Some(check);
        self
    }

    /// How old the set of revoked sessions may be for this route. Default: as configured; a longer
    /// time than configured has no effect.
    pub fn max_staleness(mut self, age: Duration) -> Self {
        self.max_staleness = Some(age);
        self
    }

    /// How long the access token must still be valid. Default: any time at all.
    ///
    /// With less left the answer is `try refresh token`, so that a long request does not begin
    /// with a token that is about to expire.
    pub fn min_remaining(mut self, remaining: Duration) -> Self {
        self.min_remaining = Some(remaining);
        self
    }

    /// Replaces the global claim validators with these.
    pub fn claim_validators(
        mut self,
        validators: impl IntoIterator<Item = Arc<dyn ClaimValidator>>,
    ) -> Self {
        self.validators = Validators {
            globals: false,
            own: validators.into_iter().collect(),
        };
        self
    }

    /// Runs these claim validators after the global ones.
    pub fn and_claim_validators(
        mut self,
        validators: impl IntoIterator<Item = Arc<dyn ClaimValidator>>,
    ) -> Self {
        self.validators.own = self
            .validators
            .own
            .iter()
            .cloned()
            .chain(validators)
            .collect();
        self
    }

    pub(crate) fn is_session_required(&self) -> bool {
        !self.optional
    }

    pub(crate) fn anti_csrf(&self) -> Option<bool> {
        self.anti_csrf_check
    }

    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.min_remaining
    }

    /// Where to look, given what the configuration says.
    pub(crate) fn lookups(&self, default: Check, configured_staleness: Duration) -> Lookups {
        let database = self.check_database.unwrap_or(default == Check::Database);
        let blacklist = self.check_blacklist.unwrap_or(default != Check::Stateless);
        if database {
            return Lookups::Database;
        }
        if blacklist {
            let max_staleness = self
                .max_staleness
                .map_or(configured_staleness, |age| age.min(configured_staleness));
            return Lookups::Blacklist { max_staleness };
        }
        Lookups::None
    }

    pub(crate) fn validators<'a>(
        &'a self,
        globals: &'a [Arc<dyn ClaimValidator>],
    ) -> impl Iterator<Item = &'a Arc<dyn ClaimValidator>> {
        let globals = if self.validators.globals {
            globals
        } else {
            &[]
        };
        globals.iter().chain(self.validators.own.iter())
    }
}

impl fmt::Debug for VerifyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own: Vec<&str> = self
            .validators
            .own
            .iter()
            .map(|validator| validator.id())
            .collect();
        f.debug_struct("VerifyOptions")
            .field("session_required", &!self.optional)
            .field("anti_csrf_check", &self.anti_csrf_check)
            .field("check_blacklist", &self.check_blacklist)
            .field("check_database", &self.check_database)
            .field("max_staleness", &self.max_staleness)
            .field("min_remaining", &self.min_remaining)
            .field("global_claim_validators", &self.validators.globals)
            .field("claim_validators", &own)
            .finish()
    }
}

/// Where the pipeline looks beyond the token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookups {
    /// Nowhere.
    None,
    /// In the set of revoked sessions, no older than this.
    Blacklist { max_staleness: Duration },
    /// In the database.
    Database,
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALENESS: Duration = Duration::from_secs(5);

    /// G12: what is not said follows the configuration, what is said wins over it.
    #[test]
    fn a_route_asks_for_what_it_says_and_else_for_what_is_configured() {
        let blacklist = Lookups::Blacklist {
            max_staleness: STALENESS,
        };
        let cases = [
            (VerifyOptions::new(), Check::Stateless, Lookups::None),
            (VerifyOptions::new(), Check::Blacklist, blacklist),
            (VerifyOptions::new(), Check::Database, Lookups::Database),
            (
                VerifyOptions::new().check_blacklist(true),
                Check::Stateless,
                blacklist,
            ),
            (
                VerifyOptions::new().check_blacklist(false),
                Check::Blacklist,
                Lookups::None,
            ),
            (
                VerifyOptions::new().check_database(true),
                Check::Stateless,
                Lookups::Database,
            ),
            (
                VerifyOptions::new().check_database(false),
                Check::Blacklist,
                blacklist,
            ),
            (
                VerifyOptions::new().check_database(false),
                Check::Database,
                blacklist,
            ),
            (
                VerifyOptions::new().check_blacklist(true),
                Check::Database,
                Lookups::Database,
            ),
        ];
        for (options, default, expected) in cases {
            assert_eq!(
                options.lookups(default, STALENESS),
                expected,
                "{options:?} {default:?}"
            );
        }
    }

    #[test]
    fn a_route_can_tighten_the_staleness_but_not_loosen_it() {
        for (asked, got) in [(1, 1), (5, 5), (60, 5)] {
            let options = VerifyOptions::new()
                .check_blacklist(true)
                .max_staleness(Duration::from_secs(asked));
            assert_eq!(
                options.lookups(Check::Stateless, STALENESS),
                Lookups::Blacklist {
                    max_staleness: Duration::from_secs(got)
                }
            );
        }
    }
}
