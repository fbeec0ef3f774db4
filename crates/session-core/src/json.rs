//! Strict JSON: what a token or a payload may consist of, and how it is written.
//!
//! Reading and writing give the same results whatever features of `serde_json` are enabled elsewhere
//! in an application's dependency tree.

use std::{cell::Cell, fmt, io};

use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, ser::Formatter};

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
    let numbers_in_text = scan(text)?;

    let numbers_read = Cell::new(0);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = StrictValue {
        numbers: &numbers_read,
    }
    .deserialize(&mut deserializer)
    .map_err(|_| JsonError::Syntax)?;
    deserializer.end().map_err(|_| JsonError::Syntax)?;

    // With `arbitrary_precision` a number reaches a visitor as an object with one reserved name, and
    // an object of the text that has this name looks the same: then there are more numbers read than
    // written.
    if numbers_read.get() != numbers_in_text {
        return Err(JsonError::Syntax);
    }
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(JsonError::Syntax),
    }
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

/// Measures the nesting before anything recurses (security A15), and counts the numbers.
fn scan(text: &str) -> Result<usize, JsonError> {
    let (mut depth, mut numbers) = (0_usize, 0_usize);
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
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(JsonError::Depth);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(numbers)
}

/// Builds a [`Value`] and refuses what `Value`'s own implementation lets pass.
#[derive(Clone, Copy)]
struct StrictValue<'a> {
    numbers: &'a Cell<usize>,
}

impl StrictValue<'_> {
    fn number<E: serde::de::Error>(self, number: Number) -> Result<Value, E> {
        self.numbers.set(self.numbers.get() + 1);
        if is_double(&number) {
            Ok(Value::Number(number))
        } else {
            Err(E::custom("number out of range"))
        }
    }
}

impl<'de> DeserializeSeed<'de> for StrictValue<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictValue<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.number(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.number(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        self.number(number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER_IN_DISGUISE {
                let digits: String = members.next_value()?;
                let number = number_of(&digits);
                return self.number(number.ok_or_else(|| A::Error::custom("number out of range"))?);
            }
            let value = members.next_value_seed(self)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate member name"));
            }
        }
        Ok(Value::Object(object))
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
