//! What the server answers to the statements of a page.

use crate::dialect::Value;

/// The answer to `MISSING` with these parameters, of these numbers in ascending order.
pub(super) fn missing(values: &[Value<'static>], list: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let numbers = numbers(values);
    let (limit, ranges) = numbers.split_last().unwrap();
    let is_asked_for = |number: &u64| {
        let mut ranges = ranges.chunks_exact(2);
        ranges.any(|range| range.iter().is_sorted() && (range[0]..=range[1]).contains(number))
    };
    let limit = usize::try_from(*limit).unwrap();
    list.into_iter().filter(is_asked_for).take(limit).collect()
}

/// The answer to `AFTER`.
pub(super) fn after(values: &[Value<'static>], list: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let numbers = numbers(values);
    let limit = usize::try_from(numbers[1]).unwrap();
    let is_asked_for = |number: &u64| *number >= numbers[0];
    list.into_iter().filter(is_asked_for).take(limit).collect()
}

fn numbers(values: &[Value<'static>]) -> Vec<u64> {
    let number = |value: &Value<'static>| match value {
        Value::Number(Some(number)) => u64::try_from(*number).unwrap(),
        _ => panic!("a parameter is no number"),
    };
    values.iter().map(number).collect()
}
