//! Tests of the repository itself, under names that the tables of the book can lead to.

use crate::{adapters, advisories, sql, workspace};

/// L9: no locked dependency is below the floor of a known advisory, listed by `RustSec` or not.
#[test]
fn version_floors() {
    advisories::check(&workspace::root()).unwrap();
}

/// H1: no statement is put together from text.
#[test]
fn sql_is_fixed_text() {
    sql::check(&workspace::root()).unwrap();
}

#[test]
fn adapters_decide_nothing() {
    adapters::check(&workspace::root()).unwrap();
}
