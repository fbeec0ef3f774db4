//! A text as it lies there: names and strings are those of the text, and what is within a member is
//! judged and not kept.

use std::borrow::Cow;

use serde_json::Number;

use super::{DuplicateName, Form, Scalar};

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
