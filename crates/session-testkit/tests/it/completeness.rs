//! Every case is listed, or it would never run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use session_testkit::http::coverage::{CASES, Coverage};

#[test]
fn every_case_of_the_store_suite_is_listed() {
    let cases = listed_cases("store", "(database: &dyn TestDatabase)");
    assert!(cases.len() > 50, "only {} cases were found", cases.len());
}

#[test]
fn every_case_of_the_http_suite_is_listed() {
    let cases = listed_cases("http", "(app: &TestApp)");
    assert!(cases.len() > 150, "only {} cases were found", cases.len());
}

/// The table of wire cases and the doc lines of the cases say the same.
#[test]
fn the_coverage_table_names_the_cases_that_cite_each_wire_case() {
    let mut cited: BTreeMap<u8, BTreeSet<String>> = BTreeMap::new();
    for (name, doc) in listed_cases("http", "(app: &TestApp)") {
        for number in cited_wire_cases(&doc) {
            cited.entry(number).or_default().insert(name.clone());
        }
    }
    for case in &CASES {
        let expected = cited.remove(&case.number).unwrap_or_default();
        let named = match case.coverage {
            Coverage::Held(names) => names.iter().map(|&name| name.to_owned()).collect(),
            Coverage::DoesNotApply(_) => BTreeSet::new(),
        };
        assert_eq!(named, expected, "wire case {}", case.number);
    }
    assert!(cited.is_empty(), "no such wire case: {cited:?}");
}

/// The cases of a suite by name, each with its first doc line; each is in the suite's list once.
fn listed_cases(suite: &str, arguments: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(suite);
    let list = fs::read_to_string(folder.join("suite.rs")).unwrap();
    let mut cases = BTreeMap::new();
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let mut doc: Option<String> = None;
        for line in fs::read_to_string(path).unwrap().lines() {
            if let Some(text) = line.strip_prefix("///") {
                doc.get_or_insert_with(|| text.to_owned());
                continue;
            }
            let doc = doc.take().unwrap_or_default();
            let Some((name, _)) =
                (line.strip_prefix("pub async fn ")).and_then(|rest| rest.split_once(arguments))
            else {
                continue;
            };
            let listed = list.lines().filter(|line| line.trim() == name).count();
            assert_eq!(listed, 1, "{name} is listed {listed} times");
            cases.insert(name.to_owned(), doc);
        }
    }
    cases
}

/// The numbers in `Wire cases 1, 2 (a remark): …`.
fn cited_wire_cases(doc: &str) -> Vec<u8> {
    let citation = doc.split(':').next().unwrap_or_default();
    let citation = citation.split('(').next().unwrap_or_default();
    let Some((_, numbers)) = citation.split_once("ire case") else {
        return Vec::new();
    };
    numbers
        .split([' ', ','])
        .filter_map(|word| word.parse().ok())
        .collect()
}
