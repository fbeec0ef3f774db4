//! Strict JSON: what a token or a payload may consist of, and how it is written.
//!
//! Reading and writing give the same results whatever features of `serde_json` are enabled elsewhere
//! in an application's dependency tree.

use std::{borrow::Cow, cell::Cell, fmt, io, marker::PhantomData, ops::Range};

use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, ser::Formatter};

mod outline;
mod values;

pub(crate) use outline::{Member, Outline, is_what_is_left};
use values::Values;

/// How many objects and arrays may stand within one another; the outermost counts as one.
pub(crate) const MAX_DEPTH: usize = 64;

/// Why bytes are not the one JSON object that they should be. Names nothing of their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    /// Not UTF-8.
    #[error("the text is not UTF-8")]
    Encoding,
    /// Objects and arrays nested more than [`MAX_DEPTH`] deep.
    #[error("the text is nested too deeply")]
    Depth,
    /// Not one JSON object and nothing else, or an object that has two members of one name.
    #[error("the text is not a JSON object with distinct member names")]
    Syntax,
}

/// Reads exactly one JSON object: UTF-8 without a byte order mark, nothing after it, no member name
/// twice at any depth (RFC 7515 §4; names are compared after unescaping), every number within the
/// range of a double.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    let text = str::from_utf8(bytes).map_err(|_| JsonError::Encoding)?;
    match read::<Values>(text)? {
        Value::Object(object) => Ok(object),
        _ => Err(JsonError::Syntax),
    }
}

/// Reads what [`parse_object`] reads, as strictly, and copies hardly anything of it: for whoever
/// wants a few members of a text that is still at hand.
pub(crate) fn outline(text: &str) -> Result<Outline<'_>, JsonError> {
    match read::<Outline<'_>>(text)? {
        Member::Object(object) => Ok(object),
        _ => Err(JsonError::Syntax),
    }
}

/// Where in a text a part of it stands; `None` when it is none, or a copy.
pub(crate) fn place_in(text: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= text.len()).then_some(start..end)
}

/// Writes an object compactly, its numbers in decimal notation (wire §1.2).
pub(crate) fn to_text(object: &Map<String, Value>) -> String {
    let mut bytes = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, PlainNumbers);
    let written = object.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "a JSON value can be written to memory");
    String::from_utf8(bytes).unwrap_or_default()
}

/// Whether `object` is nested at most `max_depth` deep, itself included, and all its numbers are
/// within the range of a double: whether [`parse_object`] would read back what [`to_text`] writes.
pub(crate) fn is_plain(object: &Map<String, Value>, max_depth: usize) -> bool {
    let Some(depth_left) = max_depth.checked_sub(1) else {
        return false;
    };
    object
        .iter()
        .all(|(name, value)| name != NUMBER_IN_DISGUISE && is_plain_value(value, depth_left))
}

fn is_plain_value(value: &Value, depth_left: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => is_double(number),
        Value::Object(object) => is_plain(object, depth_left),
        Value::Array(items) => depth_left
            .checked_sub(1)
            .is_some_and(|left| items.iter().all(|item| is_plain_value(item, left))),
    }
}

fn is_double(number: &Number) -> bool {
    number.as_f64().is_some_and(f64::is_finite)
}

/// What is made of a text while it is read.
trait Form<'t> {
    /// Of a value.
    type Value;
    /// Of an array, item by item.
    type Items: Default;
    /// Of an object, member by member.
    type Members: Default;

    /// Of the object that is the whole text, when nothing of it has been read.
    fn outermost() -> Self::Members {
        Self::Members::default()
    }

    fn scalar(scalar: Scalar<'t>) -> Self::Value;

    fn add_item(items: &mut Self::Items, item: Self::Value);

    fn array(items: Self::Items) -> Self::Value;

    fn add_member(
        members: &mut Self::Members,
        name: Cow<'t, str>,
        value: Self::Value,
    ) -> Result<(), DuplicateName>;

    fn object(members: Self::Members) -> Result<Self::Value, DuplicateName>;
}

/// A value without parts.
enum Scalar<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'t, str>),
}

/// An object has two members of one name.
struct DuplicateName;

fn read<'t, F: Form<'t>>(text: &'t str) -> Result<F::Value, JsonError> {
    let seen = Seen::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict::<F> {
        depth_left: MAX_DEPTH,
        seen: &seen,
        form: PhantomData,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value));
    if seen.too_deep.get() {
        return Err(JsonError::Depth);
    }
    // With `arbitrary_precision` a number reaches a visitor as an object with one reserved name, and
    // an object of the text that has this name looks the same: then there are more numbers read than
    // written.
    if seen.disguised.get() && seen.numbers.get() != numbers_in(text) {
        return Err(JsonError::Syntax);
    }
    value.map_err(|_| JsonError::Syntax)
}

/// What was met in the text.
#[derive(Default)]
struct Seen {
    numbers: Cell<usize>,
    /// A number that looked like an object, or an object that looked like a number.
    disguised: Cell<bool>,
    too_deep: Cell<bool>,
}

/// How many numbers a text has that is JSON.
fn numbers_in(text: &str) -> usize {
    let mut numbers = 0_usize;
    let (mut in_string, mut in_number, mut escaped) = (false, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        let part_of_number = byte.is_ascii_digit()
            || byte == b'-'
            || (in_number && matches!(byte, b'+' | b'.' | b'e' | b'E'));
        if part_of_number && !in_number {
            numbers += 1;
        }
        in_number = part_of_number;
        in_string = byte == b'"';
    }
    numbers
}

/// Reads a value and refuses what `serde_json` lets pass.
struct Strict<'s, F> {
    /// How many more objects and arrays may be within one another here (security A15).
    depth_left: usize,
    seen: &'s Seen,
    form: PhantomData<F>,
}

impl<F> Clone for Strict<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Strict<'_, F> {}

impl<F> Strict<'_, F> {
    /// For the values within an object or an array.
    fn within<E: serde::de::Error>(self) -> Result<Self, E> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            self.seen.too_deep.set(true);
            return Err(E::custom("nested too deeply"));
        };
        Ok(Self { depth_left, ..self })
    }

    fn number<'t, E: serde::de::Error>(self, number: Number) -> Result<F::Value, E>
    where
        F: Form<'t>,
    {
        self.seen.numbers.set(self.seen.numbers.get() + 1);
        if is_double(&number) {
            Ok(F::scalar(Scalar::Number(number)))
        } else {
            Err(E::custom("number out of range"))
        }
    }
}

impl<'t, F: Form<'t>> DeserializeSeed<'t> for Strict<'_, F> {
    type Value = F::Value;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<F::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t, F: Form<'t>> Visitor<'t> for Strict<'_, F> {
    type Value = F::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<F::Value, E> {
        Ok(F::scalar(Scalar::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<F::Value, E> {
        Ok(F::scalar(Scalar::Bool(value)))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<F::Value, E> {
        self.number(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<F::Value, E> {
        self.number(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<F::Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        self.number(number)
    }

    fn visit_borrowed_str<E>(self, value: &'t str) -> Result<F::Value, E> {
        Ok(F::scalar(Scalar::Text(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<F::Value, E> {
        Ok(F::scalar(Scalar::Text(Cow::Owned(value.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut items: A) -> Result<F::Value, A::Error> {
        let within = self.within()?;
        let mut array = F::Items::default();
        while let Some(item) = items.next_element_seed(within)? {
            F::add_item(&mut array, item);
        }
        Ok(F::array(array))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut members: A) -> Result<F::Value, A::Error> {
        let duplicate = |DuplicateName| A::Error::custom("duplicate member name");
        let mut object = match self.depth_left {
            MAX_DEPTH => F::outermost(),
            _ => F::Members::default(),
        };
        while let Some(name) = members.next_key_seed(Name)? {
            if name == NUMBER_IN_DISGUISE {
                self.seen.disguised.set(true);
                let digits: String = members.next_value()?;
                let number = number_of(&digits);
                return self.number(number.ok_or_else(|| A::Error::custom("number out of range"))?);
            }
            let value = members.next_value_seed(self.within()?)?;
            F::add_member(&mut object, name, value).map_err(duplicate)?;
        }
        self.within::<A::Error>()?;
        F::object(object).map_err(duplicate)
    }
}

/// Reads a member's name.
struct Name;

impl<'t> DeserializeSeed<'t> for Name {
    type Value = Cow<'t, str>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Cow<'t, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Name {
    type Value = Cow<'t, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E>(self, name: &'t str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Writes no number in scientific notation, which some readers of these tokens do not understand,
/// and every number so that it is read back as the same one.
struct PlainNumbers;

impl Formatter for PlainNumbers {
    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, value.into())
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let digits = value.to_string();
        writer.write_all(digits.as_bytes())?;
        // Without a point an integral float would come back as an integer.
        if digits.contains('.') {
            Ok(())
        } else {
            writer.write_all(b".0")
        }
    }

    /// The form in which numbers arrive under `arbitrary_precision`.
    fn write_number_str<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        value: &str,
    ) -> io::Result<()> {
        match number_of(value) {
            Some(number) if number.is_f64() => {
                self.write_f64(writer, number.as_f64().unwrap_or(0.0))
            }
            Some(number) => writer.write_all(number.to_string().as_bytes()),
            None => self.write_null(writer),
        }
    }
}

/// The number that `serde_json` makes of these digits without `arbitrary_precision`: an integer of 64
/// bits or else a double. `None` when it would refuse them.
fn number_of(digits: &str) -> Option<Number> {
    let signed = digits.parse::<i64>().ok().filter(|_| digits != "-0");
    signed
        .map(Number::from)
        .or_else(|| digits.parse::<u64>().ok().map(Number::from))
        .or_else(|| Number::from_f64(digits.parse().ok()?))
}

/// The member name under which `serde_json` hands numbers over when `arbitrary_precision` is on.
const NUMBER_IN_DISGUISE: &str = "$serde_json::private::Number";

#[cfg(test)]
mod tests;
