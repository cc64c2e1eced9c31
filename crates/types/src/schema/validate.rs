//! The validator. Details are worded as the API words them.

use super::{Kind, Schema, StringRules};
use crate::error::{ApiError, ErrorCode};
use crate::json::{Object, type_name};
use serde_json::Value;
use std::fmt;

/// Which part of a request a violation is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The body.
    Payload,
    /// A path parameter.
    Path,
    /// The query string.
    Query,
}

/// Why a value does not fit, in the API's form:
/// `Payload validation error: '<detail>' on property <path> (<description>).`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    part: Part,
    detail: String,
    path: String,
    description: &'static str,
}

impl Violation {
    /// A violation of the whole part.
    pub fn new(part: Part, detail: impl Into<String>) -> Self {
        Self { part, detail: detail.into(), path: String::new(), description: "" }
    }

    /// Says which property is meant.
    #[must_use]
    pub fn on(mut self, path: impl Into<String>, description: &'static str) -> Self {
        self.path = path.into();
        self.description = description;
        self
    }

    /// The property's path (`groups[0].email`), empty at the root.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, detail, path, description } = self;
        write!(f, "{part:?} validation error: '{detail}'")?;
        if !path.is_empty() {
            write!(f, " on property {path}")?;
            if !description.is_empty() {
                write!(f, " ({description})")?;
            }
        }
        write!(f, ".")
    }
}

impl From<Violation> for ApiError {
    fn from(violation: Violation) -> Self {
        let code = match violation.part {
            Part::Payload => ErrorCode::InvalidBody,
            Part::Path => ErrorCode::InvalidUri,
            Part::Query => ErrorCode::InvalidQueryString,
        };
        Self::new(400, violation.to_string()).with_code(code)
    }
}

/// Where we are in the document; rendered only when something is wrong.
#[derive(Clone, Copy)]
enum At<'a> {
    Root,
    Member(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Self::Root, name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// How much of an offending value is quoted; a longer one would make the error as large as the request.
const QUOTED: usize = 512;

fn quote(text: &str) -> &str {
    let end = text.char_indices().nth(QUOTED).map_or(text.len(), |(index, _)| index);
    &text[..end]
}

pub(super) fn check(schema: &Schema, part: Part, value: &Value) -> Result<(), Violation> {
    visit(schema, At::Root, value).map_err(|mut violation| {
        violation.part = part;
        violation
    })
}

fn visit(schema: &Schema, at: At<'_>, value: &Value) -> Result<(), Violation> {
    if schema.nullable && value.is_null() {
        return Ok(());
    }
    let fail =
        |detail: String| Err(Violation::new(Part::Payload, detail).on(at.to_string(), schema.description));
    match (&schema.kind, value) {
        (Kind::Any, _) | (Kind::Boolean, Value::Bool(_)) => Ok(()),
        (Kind::Integer { min, max }, Value::Number(number)) if number.is_i64() || number.is_u64() => {
            match (min, max, number.as_i64()) {
                (Some(min), _, Some(n)) if n < *min => fail(format!("Value {n} is less than minimum {min}")),
                (_, Some(max), Some(n)) if n > *max => {
                    fail(format!("Value {n} is greater than maximum {max}"))
                }
                (_, Some(max), None) => fail(format!("Value {number} is greater than maximum {max}")),
                _ => Ok(()),
            }
        }
        (Kind::Number { min, max }, Value::Number(number)) => {
            #[expect(clippy::cast_precision_loss, reason = "limits are small")]
            let limit = |limit: Option<i64>| limit.map(|limit| limit as f64);
            let n = number.as_f64().unwrap_or(f64::NAN);
            if let Some(min) = limit(*min).filter(|min| n < *min) {
                return fail(format!("Value {number} is less than minimum {min}"));
            }
            if let Some(max) = limit(*max).filter(|max| n > *max) {
                return fail(format!("Value {number} is greater than maximum {max}"));
            }
            Ok(())
        }
        (Kind::String(rules), Value::String(text)) => match string(rules, text) {
            None => Ok(()),
            Some(detail) => fail(detail),
        },
        (Kind::Array { items, min, max, unique }, Value::Array(values)) => {
            let n = values.len();
            if n < *min {
                return fail(format!("Array is too short ({n}), minimum {min}"));
            }
            if n > *max {
                return fail(format!("Array is too long ({n}), maximum {max}"));
            }
            if *unique && let Some((a, b)) = duplicate(values) {
                return fail(format!("Array items are not unique (indexes {a} and {b})"));
            }
            values.iter().enumerate().try_for_each(|(i, value)| visit(items, At::Item(&at, i), value))
        }
        (Kind::Object { .. }, Value::Object(sent)) => object(schema, at, sent),
        (Kind::AnyOf(schemas), value) => {
            if schemas.iter().any(|schema| visit(schema, at, value).is_ok()) {
                Ok(())
            } else {
                fail("None of the valid schemas were met".into())
            }
        }
        (kind, value) => {
            let expected = match kind {
                Kind::Boolean => "boolean",
                Kind::Integer { .. } => "integer",
                Kind::Number { .. } => "number",
                Kind::String(_) => "string",
                Kind::Array { .. } => "array",
                Kind::Object { .. } => "object",
                Kind::Any | Kind::AnyOf(_) => unreachable!("both accept every type here"),
            };
            let or_null = if schema.nullable { ",null" } else { "" };
            fail(format!("Expected type {expected}{or_null} but found type {}", type_name(value)))
        }
    }
}

fn object(schema: &Schema, at: At<'_>, sent: &Object) -> Result<(), Violation> {
    let Kind::Object { members, open, min, max } = &schema.kind else { unreachable!("called for objects") };
    let fail =
        |detail: String| Err(Violation::new(Part::Payload, detail).on(at.to_string(), schema.description));
    let known = |name: &str| members.iter().find(|member| member.name == name);

    if open.is_none() {
        let unknown: Vec<_> =
            sent.keys().rev().filter(|name| known(name).is_none()).map(|n| quote(n)).collect();
        if !unknown.is_empty() {
            return fail(format!("Additional properties not allowed: {}", quote(&unknown.join(","))));
        }
    }
    if sent.len() < *min {
        return fail(format!("Too few properties defined ({}), minimum {min}", sent.len()));
    }
    if sent.len() > *max {
        return fail(format!("Too many properties defined ({}), maximum {max}", sent.len()));
    }
    if let Some(missing) = members.iter().find(|member| member.required && !sent.contains_key(member.name)) {
        return fail(format!("Missing required property: {}", missing.name));
    }
    sent.iter().try_for_each(|(name, value)| {
        let at = At::Member(&at, name);
        match (known(name), open) {
            (Some(member), _) => visit(&member.schema, at, value),
            (None, Some(others)) => visit(others, at, value),
            (None, None) => unreachable!("unknown members were refused above"),
        }
    })
}

fn string(rules: &StringRules, text: &str) -> Option<String> {
    if !rules.one_of.is_empty() {
        return (!rules.one_of.contains(&text)).then(|| format!("No enum match for: {}", quote(text)));
    }
    // A byte is at least a quarter of a character, so most texts need no counting.
    if text.len() < rules.min * 4 || rules.max.is_some_and(|max| text.len() > max) {
        let length = text.chars().count();
        if length < rules.min {
            return Some(format!("String is too short ({length} chars), minimum {}", rules.min));
        }
        if let Some(max) = rules.max.filter(|max| length > *max) {
            return Some(format!("String is too long ({length} chars), maximum {max}"));
        }
    }
    if let Some(pattern) = &rules.pattern
        && !pattern.is_match(text)
    {
        return Some(format!("String does not match pattern {}: {}", pattern.source, quote(text)));
    }
    match rules.format {
        Some(format) if !format.accepts(text) => {
            Some(format!("Object didn't pass validation for format {format}: {}", quote(text)))
        }
        _ => None,
    }
}

fn duplicate(values: &[Value]) -> Option<(usize, usize)> {
    (1..values.len()).find_map(|b| (0..b).find(|a| values[*a] == values[b]).map(|a| (a, b)))
}

#[cfg(test)]
mod tests {
    use super::super::{
        Schema, any_of, array, boolean, format, integer, number, object, one_of, optional, required, string,
    };
    use super::*;
    use crate::format::Format;
    use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
    use serde_json::json;

    fn schema() -> Schema {
        object([
            required("name", string().pattern("^[^<>]+$").describe("Shown to people")),
            optional("size", integer().min(1).max(5)),
            optional("note", string().min(2).max(4).nullable()),
            optional("kind", one_of(&["a", "b"])),
            optional("link", format(Format::AbsoluteHttpsUriOrEmpty)),
            optional("list", array(object([required("id", string())])).min(1).unique()),
            optional("bag", object([optional("x", boolean())]).open_with(string()).max(2)),
            optional("either", any_of([boolean(), string()])),
            optional("weight", number().min(1).max(5)),
        ])
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better at the calls")]
    fn message(body: Value) -> String {
        schema().check(Part::Payload, &body).unwrap_err().to_string()
    }

    #[test]
    fn messages_are_worded_as_recorded() {
        let cases = [
            (json!({"name": "x", "a": 1, "b": 2}), "'Additional properties not allowed: b,a'."),
            (json!({}), "'Missing required property: name'."),
            (
                json!({"name": ""}),
                "'String does not match pattern ^[^<>]+$: ' on property name (Shown to people).",
            ),
            (
                json!({"name": 1}),
                "'Expected type string but found type integer' on property name (Shown to people).",
            ),
            (
                json!({"name": "x", "size": 1.5}),
                "'Expected type integer but found type number' on property size.",
            ),
            (json!({"name": "x", "size": 0}), "'Value 0 is less than minimum 1' on property size."),
            (
                json!({"name": "x", "size": u64::MAX}),
                "'Value 18446744073709551615 is greater than maximum 5' on property size.",
            ),
            (
                json!({"name": "x", "note": 1}),
                "'Expected type string,null but found type integer' on property note.",
            ),
            (
                json!({"name": "x", "note": "ä"}),
                "'String is too short (1 chars), minimum 2' on property note.",
            ),
            (
                json!({"name": "x", "note": "äöüßx"}),
                "'String is too long (5 chars), maximum 4' on property note.",
            ),
            (json!({"name": "x", "kind": "c"}), "'No enum match for: c' on property kind."),
            (
                json!({"name": "x", "link": "http://a"}),
                "'Object didn't pass validation for format absolute-https-uri-or-empty: http://a' on property link.",
            ),
            (json!({"name": "x", "list": []}), "'Array is too short (0), minimum 1' on property list."),
            (
                json!({"name": "x", "list": [{"id": "1"}, {}]}),
                "'Missing required property: id' on property list[1].",
            ),
            (
                json!({"name": "x", "list": [{"id": 1}]}),
                "'Expected type string but found type integer' on property list[0].id.",
            ),
            (
                json!({"name": "x", "list": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}),
                "'Array items are not unique (indexes 0 and 2)' on property list.",
            ),
            (
                json!({"name": "x", "bag": {"x": true, "y": 1}}),
                "'Expected type string but found type integer' on property bag.y.",
            ),
            (
                json!({"name": "x", "bag": {"a": "", "b": "", "c": ""}}),
                "'Too many properties defined (3), maximum 2' on property bag.",
            ),
            (json!({"name": "x", "either": 1}), "'None of the valid schemas were met' on property either."),
            (json!({"name": "x", "weight": 0.5}), "'Value 0.5 is less than minimum 1' on property weight."),
            (
                json!({"name": "x", "weight": 5.5}),
                "'Value 5.5 is greater than maximum 5' on property weight.",
            ),
            (
                json!({"name": "x", "weight": "1"}),
                "'Expected type number but found type string' on property weight.",
            ),
            (json!([]), "'Expected type object but found type array'."),
        ];
        for (body, expected) in cases {
            assert_eq!(message(body.clone()), format!("Payload validation error: {expected}"), "{body}");
        }
    }

    #[test]
    fn the_first_violation_in_the_order_of_the_request_is_told() {
        assert!(message(json!({"size": 9, "kind": "c", "name": "x"})).contains("size"));
        assert!(message(json!({"kind": "c", "size": 9, "name": "x"})).contains("kind"));
    }

    #[test]
    fn good_bodies_pass() {
        let good = json!({"name": "x", "size": 5, "note": null, "kind": "b", "link": "", "list": [{"id": "1"}],
            "bag": {"x": false, "y": "z"}, "either": "s", "weight": 2.5});
        schema().check(Part::Payload, &good).unwrap();
    }

    #[test]
    fn long_values_are_cut_in_messages() {
        assert!(message(json!({"name": format!("<{}", "ä".repeat(10_000))})).len() < 2_000);
    }

    fn json_values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            proptest::arbitrary::any::<bool>().prop_map(Value::from),
            proptest::arbitrary::any::<i64>().prop_map(Value::from),
            proptest::arbitrary::any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec(("[a-z]{1,6}|name|list|bag", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn checking_never_panics(value in json_values()) {
            let _ = schema().check(Part::Payload, &value);
        }
    }
}
