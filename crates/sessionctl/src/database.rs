//! `Place`: which database, and what is opened on it.

use std::{env, fs, path::Path, time::Duration};

use session_core::{
    Administration, AppInfo, Sessions,
    config::{SessionConfigBuilder, defaults},
};
use session_redis::RedisStore;
use session_sqlx::{Migrations, SqlxStore};
use url::Url;

use crate::{
    arguments::PlaceArguments,
    certificates,
    failure::Failure,
    secrets::{self, Secret},
};

/// Where the sessions are, and what their keys are encrypted under.
pub(crate) struct Place {
    url: String,
    prefix: Option<String>,
    schema: Option<String>,
    timeout: Duration,
    secrets: Vec<Secret>,
}

impl Place {
    /// Reads what the arguments, the files that they name and the environment say.
    pub(crate) fn find(arguments: PlaceArguments) -> Result<Self, Failure> {
        let url = match (&arguments.database, &arguments.database_file) {
            (Some(url), _) if has_password(url) => return Err(Failure::PasswordInArguments),
            (Some(url), _) => url.clone(),
            (None, Some(file)) => address_in(file)?,
            (None, None) => env::var(VARIABLE)
                .ok()
                .filter(|url| !url.is_empty())
                .ok_or(Failure::NoDatabase)?,
        };
        Ok(Self {
            url,
            prefix: arguments.prefix,
            schema: arguments.schema,
            timeout: Duration::from_secs(arguments.timeout),
            secrets: secrets::find(&arguments.encryption_secrets)?,
        })
    }

    /// What changes sessions and keys. The schema must be there already: a look at a database is
    /// not to change it.
    pub(crate) async fn administration(
        self,
        access_token_lifetime: Option<Duration>,
    ) -> Result<Administration, Failure> {
        // Nothing that is done here is about the application itself.
        let app = AppInfo::new("http://localhost", "http://localhost");
        let builder = if self.is_redis() {
            let store = RedisStore::connect_with(self.redis()?).await?;
            Sessions::builder(app).store(store)
        } else {
            let options = self.sql().migrations(Migrations::Require);
            let store = SqlxStore::connect_with(options).await?;
            Sessions::builder(app).store(store)
        };
        let (timeout, secrets) = (self.timeout, self.secrets);
        let administration = builder
            .config(|config| secrets::configured(config.store_timeout(timeout), secrets))
            .config(|config| match access_token_lifetime {
                Some(lifetime) => reckoning_with(config, lifetime),
                None => config,
            })
            .administration()?;
        Ok(administration)
    }

    pub(crate) fn is_redis(&self) -> bool {
        let (scheme, _) = self.url.split_once(':').unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        ["redis", "rediss", "valkey", "valkeys"].contains(&&*scheme) || scheme.ends_with("unix")
    }

    /// How to open an SQL database.
    pub(crate) fn sql(&self) -> session_sqlx::ConnectOptions {
        let mut options = session_sqlx::ConnectOptions::new(&self.url)
            .connections(1)
            .timeout(self.timeout);
        if let Some(prefix) = &self.prefix {
            options = options.table_prefix(prefix);
        }
        if let Some(schema) = &self.schema {
            options = options.schema(schema);
        }
        options
    }

    fn redis(&self) -> Result<session_redis::ConnectOptions, Failure> {
        if self.schema.is_some() {
            return Err(Failure::NoSchema);
        }
        let options = session_redis::ConnectOptions::new(&self.url).timeout(self.timeout);
        certificates::configured(match &self.prefix {
            Some(prefix) => options.prefix(prefix),
            None => options,
        })
    }
}

/// The settings by which a revocation outlives every access token, of which a database that was
/// restored may not know (security G14).
fn reckoning_with(config: SessionConfigBuilder, lifetime: Duration) -> SessionConfigBuilder {
    config
        .access_token_lifetime(lifetime)
        .revocation_skew(*defaults::REVOCATION_SKEW_RANGE.end())
        // No key signs for less time than a token lives.
        .signing_key_rotation(lifetime.max(defaults::SIGNING_KEY_ROTATION))
}

/// Whether an address has a password in it, in either of the places where there can be one.
fn has_password(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
    })
}

fn address_in(file: &Path) -> Result<String, Failure> {
    let content = fs::read_to_string(file).map_err(|source| Failure::File {
        path: file.to_owned(),
        source,
    })?;
    Ok(content.trim().to_owned())
}

const VARIABLE: &str = "SESSION_DATABASE_URL";

#[cfg(test)]
mod tests {
    use super::*;

    /// Security §4: a password is seen wherever an address can have one.
    #[test]
    fn a_password_in_an_address_is_seen() {
        for url in [
            "postgres://ann:secret@localhost/sessions",
            "redis://:secret@localhost",
            "mysql://localhost/sessions?password=secret",
        ] {
            assert!(has_password(url), "{url}");
        }
        for url in [
            "sqlite://sessions.db",
            "postgres://ann@localhost/sessions",
            "redis://localhost",
        ] {
            assert!(!has_password(url), "{url}");
        }
    }
}
