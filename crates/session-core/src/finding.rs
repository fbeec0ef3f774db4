//! `Finding`: what keeps a database, its keys or its clock from keeping the promises made on them.

use std::{borrow::Cow, fmt};

/// Something that an operator should know or change.
///
/// # Examples
///
/// ```
/// use session_core::finding::{Finding, Severity};
///
/// let finding = Finding::new(
///     Severity::Danger,
///     "fsync",
///     "a crash may lose revocations that were acknowledged",
/// )
/// .with_value("off")
/// .with_remedy("set it to on");
/// assert_eq!(
///     finding.to_string(),
///     "fsync = off: a crash may lose revocations that were acknowledged; set it to on"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Finding {
    severity: Severity,
    subject: Cow<'static, str>,
    value: Option<String>,
    consequence: Cow<'static, str>,
    remedy: Option<Cow<'static, str>>,
}

/// How bad a [`Finding`] is; the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing; what is promised holds all the same.
    Notice,
    /// What is promised is weakened, or nothing can be known about it.
    Warning,
    /// What was acknowledged can be lost or undone by something that is bound to happen: a crash, a
    /// full memory, a wrong clock.
    Danger,
}

impl Severity {
    /// The name: `notice`, `warning` or `danger`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Finding {
    /// About `subject`, a setting by the name that the database has for it or a noun, and what
    /// follows from how it is.
    pub fn new(
        severity: Severity,
        subject: impl Into<Cow<'static, str>>,
        consequence: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            severity,
            subject: subject.into(),
            value: None,
            consequence: consequence.into(),
            remedy: None,
        }
    }

    /// How the subject is now. Never a secret.
    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// What to do about it.
    pub fn with_remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What it is about.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// How that is now, where it has a value.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What follows from it.
    pub fn consequence(&self) -> &str {
        &self.consequence
    }

    /// What to do about it, where there is something.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        write!(f, ": {}", self.consequence)?;
        if let Some(remedy) = &self.remedy {
            write!(f, "; {remedy}")?;
        }
        Ok(())
    }
}
