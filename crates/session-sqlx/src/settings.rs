//! `Settings`: what a database says of itself, by name.

use std::{collections::BTreeMap, fmt::Display};

#[cfg(any(feature = "postgres", feature = "mysql"))]
use session_core::finding::{Finding, Severity};
use session_core::store::StoreError;

use crate::{connections::Connections, dialect::Dialect};

/// Settings and their values, as the database writes them.
#[derive(Debug, Default)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Asks with a statement whose rows each have a `setting` and its `value`.
    pub(crate) async fn ask<D: Dialect>(
        connections: &Connections<D>,
        statement: &'static str,
    ) -> Result<Self, StoreError> {
        let rows = connections.read(statement, &[]).await?;
        let mut settings = BTreeMap::new();
        for row in &rows {
            let text = |column| D::text(row, column).map_err(|_| StoreError::Corrupt("setting"));
            if let (Some(setting), Some(value)) = (text("setting")?, text("value")?) {
                settings.insert(setting, value);
            }
        }
        Ok(Self(settings))
    }

    /// The value of a setting; empty when there is none.
    pub(crate) fn get(&self, setting: &str) -> &str {
        self.0.get(setting).map_or("", String::as_str)
    }

    /// A finding when a setting has another value than the one it should have. One that the database
    /// does not have, in the version at hand, cannot be wrong.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn unless(
        &self,
        severity: Severity,
        setting: &'static str,
        wanted: &'static str,
        consequence: &'static str,
    ) -> Option<Finding> {
        let value = self.0.get(setting)?;
        (!value.eq_ignore_ascii_case(wanted)).then(|| {
            Finding::new(severity, setting, consequence)
                .with_value(value)
                .with_remedy(["set it to", wanted].join(" "))
        })
    }
}

impl<N: Display, V: Display> FromIterator<(N, V)> for Settings {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(settings: I) -> Self {
        let as_text = |(name, value): (N, V)| (name.to_string(), value.to_string());
        Self(settings.into_iter().map(as_text).collect())
    }
}
