//! A text as `serde_json`'s own values.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{DuplicateName, Form, Scalar};

/// Makes a [`Value`].
pub(super) struct Values;

impl Form<'_> for Values {
    type Value = Value;
    type Items = Vec<Value>;
    type Members = Map<String, Value>;

    fn scalar(scalar: Scalar<'_>) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Number(number) => Value::Number(number),
            Scalar::Text(text) => Value::String(text.into_owned()),
        }
    }

    fn add_item(items: &mut Vec<Value>, item: Value) {
        items.push(item);
    }

    fn array(items: Vec<Value>) -> Value {
        Value::Array(items)
    }

    fn add_member(
        members: &mut Map<String, Value>,
        name: Cow<'_, str>,
        value: Value,
    ) -> Result<(), DuplicateName> {
        match members.insert(name.into_owned(), value) {
            None => Ok(()),
            Some(_) => Err(DuplicateName),
        }
    }

    fn object(members: Map<String, Value>) -> Result<Value, DuplicateName> {
        Ok(Value::Object(members))
    }
}
