//! How much of the table to measure, and how well.

use std::time::Duration;

/// How well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every measurement knows both")]
pub enum Extent {
    /// For the book.
    Whole,
    /// To see roughly, in minutes.
    Quick,
}

impl Extent {
    /// One or the other.
    pub fn either<T>(self, whole: T, quick: T) -> T {
        match self {
            Self::Whole => whole,
            Self::Quick => quick,
        }
    }

    /// How many pairs of rounds there are of what is measured inside this process.
    pub fn rounds(self) -> usize {
        self.either(101, 25)
    }

    /// How long such a round takes: far above what the clock resolves, and short enough for both
    /// sides of a pair to find the machine in the same state.
    pub fn round(self) -> Duration {
        self.either(Duration::from_millis(20), Duration::from_millis(8))
    }
}

/// Which rows: all, or those whose names begin alike.
#[derive(Debug, Clone, Default)]
pub struct Only(Option<String>);

impl Only {
    /// The rows whose names begin with this.
    pub fn beginning_with(prefix: impl Into<String>) -> Self {
        Self(Some(prefix.into()))
    }

    /// Whether all rows are wanted.
    pub fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this row is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|prefix| name.starts_with(&**prefix))
    }

    /// Whether any row is wanted of those whose names begin with `beginning`: whether what they have
    /// in common is worth preparing.
    pub fn wants_any(&self, beginning: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|prefix| prefix.starts_with(beginning) || beginning.starts_with(&**prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A prefix stands for all rows that it begins, and a group is prepared for any of its rows.
    #[test]
    fn a_prefix_chooses_rows_and_their_groups() {
        let only = Only::beginning_with("requests-new");
        assert!(only.wants("requests-new-express") && !only.wants("requests-seen-express"));
        assert!(only.wants_any("requests") && only.wants_any("requests-new-fastify"));
        assert!(!only.wants_any("verify"));
        assert!(Only::default().wants("verify-new") && Only::default().wants_any("verify"));
    }
}
