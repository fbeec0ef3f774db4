//! A text as it lies there: names and strings are those of the text, and what is within a member is
//! judged and not kept.

use std::borrow::Cow;

use serde_json::Number;

use super::{DuplicateName, Form, Scalar, outline, place_in};

/// Whether `part` is, byte for byte, the text of what is left of the object `text` without some of its
/// members: then both say the same, and nobody need make values of them to learn it.
///
/// When it is not, nothing is known: the same may be written otherwise.
pub(crate) fn is_what_is_left(text: &str, part: &str, is_left_out: impl Fn(&str) -> bool) -> bool {
    let compared = || {
        let object = outline(text).ok()?;
        let mut rest = part.strip_prefix('{')?;
        let mut is_first = true;
        let mut members = object.0.iter().peekable();
        while let Some((name, _)) = members.next() {
            // From its name's quote to the comma before the next one's, or the brace at the end. The
            // members are in the order of their names, so where the text has another order one of
            // these ends before it begins.
            let start = place_in(text, name)?.start.checked_sub(1)?;
            let (end, delimiter) = match members.peek() {
                Some((next, _)) => (place_in(text, next)?.start.checked_sub(2)?, ","),
                None => (text.len().checked_sub(1)?, "}"),
            };
            let member = text.get(start..end)?;
            if !text.get(end..)?.starts_with(delimiter) {
                return None;
            }
            if !is_left_out(name) {
                if !is_first {
                    rest = rest.strip_prefix(',')?;
                }
                rest = rest.strip_prefix(member)?;
                is_first = false;
            }
        }
        (rest == "}").then_some(())
    };
    compared().is_some()
}

/// The members of an object.
#[derive(Debug, Default)]
pub(crate) struct Outline<'t>(Vec<(Cow<'t, str>, Member<'t>)>);

/// What a member is.
#[derive(Debug)]
pub(crate) enum Member<'t> {
    Text(Cow<'t, str>),
    Number(Number),
    Object(Outline<'t>),
    /// `null`, a boolean or an array.
    Other,
}

impl<'t> Outline<'t> {
    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Member<'t>> {
        // Their lengths tell most names apart, so this is faster than to search among sorted ones.
        let mut members = self.0.iter();
        let found = members.find(|(other, _)| **other == *name);
        found.map(|(_, member)| member)
    }

    /// The member of this name, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Member::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl Member<'_> {
    /// The number, if it is an integer of 64 bits.
    pub(crate) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            Self::Text(_) | Self::Object(_) | Self::Other => None,
        }
    }

    /// The number, if it is one.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            Self::Text(_) | Self::Object(_) | Self::Other => None,
        }
    }
}

impl<'t> Form<'t> for Outline<'t> {
    type Value = Member<'t>;
    type Items = ();
    type Members = Vec<(Cow<'t, str>, Member<'t>)>;

    fn outermost() -> Self::Members {
        Vec::with_capacity(MEMBERS_OF_A_USUAL_TOKEN)
    }

    fn scalar(scalar: Scalar<'t>) -> Member<'t> {
        match scalar {
            Scalar::Null | Scalar::Bool(_) => Member::Other,
            Scalar::Number(number) => Member::Number(number),
            Scalar::Text(text) => Member::Text(text),
        }
    }

    fn add_item((): &mut (), _: Member<'t>) {}

    fn array((): ()) -> Member<'t> {
        Member::Other
    }

    fn add_member(
        members: &mut Self::Members,
        name: Cow<'t, str>,
        value: Member<'t>,
    ) -> Result<(), DuplicateName> {
        members.push((name, value));
        Ok(())
    }

    /// Sorts, so that whoever sends very many names pays no more than anybody; those that we write
    /// are sorted already.
    fn object(mut members: Self::Members) -> Result<Member<'t>, DuplicateName> {
        if !members.is_sorted_by(|(one, _), (next, _)| one < next) {
            members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            if !members.is_sorted_by(|(one, _), (next, _)| one < next) {
                return Err(DuplicateName);
            }
        }
        Ok(Member::Object(Outline(members)))
    }
}

/// Our own ten, and some of the application's.
const MEMBERS_OF_A_USUAL_TOKEN: usize = 16;
