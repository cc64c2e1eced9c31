//! JSON values as the API treats them: objects keep the order in which members were sent, a member that is
//! sent twice keeps its first place and its last value, and numbers follow JavaScript.

use serde_json::{Map, Number, Value};

/// A JSON object whose members keep their order.
pub type Object = Map<String, Value>;

/// How deeply a request may nest; deeper bodies are refused as malformed.
pub const MAX_DEPTH: usize = 64;

/// Parses a request body.
///
/// Integral numbers written with a fraction or an exponent (`1.0`, `1e3`) become integers, because the API's own
/// stack knows one kind of number only and prints them back as `1` and `1000`.
///
/// # Errors
/// The body is not JSON, or nests deeper than [`MAX_DEPTH`].
pub fn parse(body: &[u8]) -> Result<Value, Malformed> {
    let mut value: Value = serde_json::from_slice(body).map_err(|_| Malformed)?;
    normalize(&mut value, MAX_DEPTH)?;
    Ok(value)
}

/// The body was not acceptable JSON.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

fn normalize(value: &mut Value, depth: usize) -> Result<(), Malformed> {
    let Some(depth) = depth.checked_sub(1) else { return Err(Malformed) };
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| normalize(item, depth)),
        Value::Object(members) => members.values_mut().try_for_each(|member| normalize(member, depth)),
        Value::Number(number) => {
            if let Some(integer) = integral(number) {
                *number = integer;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The largest integer that every JavaScript number below it can be told from its neighbours.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

fn integral(number: &Number) -> Option<Number> {
    if number.is_i64() || number.is_u64() {
        return None;
    }
    let float = number.as_f64()?;
    if float.fract() != 0.0 || float.abs() > MAX_SAFE_INTEGER {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "integral and within the safe range, checked above")]
    Some(Number::from(float as i64))
}

/// The name that JSON Schema gives to the type of a value.
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_i64() || n.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The members of `object` in a fixed order; those that the order does not name come last, in their own.
#[must_use]
pub fn in_order(mut object: Object, order: &[&str]) -> Object {
    let mut ordered = Object::with_capacity(object.len());
    for name in order {
        if let Some((name, value)) = object.shift_remove_entry(*name) {
            ordered.insert(name, value);
        }
    }
    ordered.extend(object);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_of_duplicate_members_wins_in_the_first_place() {
        let value = parse(br#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(value.to_string(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn integral_floats_are_integers() {
        let value = parse(b"[1.0, 1e3, -0.0, 1.5, 1e300]").unwrap();
        assert_eq!(value.to_string(), "[1,1000,0,1.5,1e+300]");
    }

    #[test]
    fn deep_nesting_is_refused() {
        let fine = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert!(parse(fine.as_bytes()).is_ok());
        let deep = format!("{}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
        assert_eq!(parse(deep.as_bytes()), Err(Malformed));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body);
        }
    }
}
