//! What a document wants to be otherwise.

use serde_json::Value;
use tenantry_types::{Object, time};

/// A member that is to change. `None` is absent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) member: String,
    pub(crate) from: Option<Value>,
    pub(crate) to: Option<Value>,
    pub(crate) extent: Extent,
}

impl Difference {
    pub(crate) fn new(member: &str, from: Option<Value>, to: Option<Value>) -> Self {
        Self { member: member.to_owned(), from, to, extent: Extent::Whole }
    }
}

/// Members whose lists are sets.
const SETS: &[&str] = &["scope", "scopes", "grant_types", "authorization_details_types"];

/// How far an object has to be as the document says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Member for member.
    Whole,
    /// In the members that the document names; the server adds others.
    Named,
}

/// The members of `want` in which `have` differs. What `want` does not name stays as it is.
pub(crate) fn differences(want: &Object, have: &Object, extent: impl Fn(&str) -> Extent) -> Vec<Difference> {
    let differs = |(name, value): (&String, &Value)| {
        let is_same = match have.get(name) {
            None => value.is_null() || value.as_str() == Some(""),
            Some(now) if SETS.contains(&name.as_str()) => same_set(value, now),
            Some(now) => same(value, now, extent(name)),
        };
        (!is_same).then(|| Difference {
            member: name.clone(),
            from: have.get(name).cloned(),
            to: Some(value.clone()).filter(|value| !value.is_null()),
            extent: extent(name),
        })
    };
    want.iter().filter_map(differs).collect()
}

fn same(want: &Value, have: &Value, extent: Extent) -> bool {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => {
            let named = want.iter().all(|(name, value)| match have.get(name) {
                None => value.is_null(),
                Some(now) => same(value, now, extent),
            });
            named
                && (extent == Extent::Named
                    || have.iter().all(|(name, now)| now.is_null() || want.contains_key(name)))
        }
        (Value::Array(want), Value::Array(have)) => {
            want.len() == have.len() && want.iter().zip(have).all(|(want, have)| same(want, have, extent))
        }
        (Value::Number(want), Value::Number(have)) => want == have || want.as_f64() == have.as_f64(),
        (Value::String(want), Value::String(have)) => want == have || is_same_time(want, have),
        _ => want == have,
    }
}

fn is_same_time(one: &str, other: &str) -> bool {
    matches!((time::parse(one), time::parse(other)), (Some(one), Some(other)) if one == other)
}

fn same_set(want: &Value, have: &Value) -> bool {
    let (Value::Array(want), Value::Array(have)) = (want, have) else { return want == have };
    let within = |one: &Value, list: &[Value]| list.iter().any(|other| same(one, other, Extent::Whole));
    want.iter().all(|one| within(one, have)) && have.iter().all(|one| within(one, want))
}

/// The body of a `PATCH` that makes these differences go. Where it is merged into what is stored, what has to go is
/// named as `null`.
pub(crate) fn patch(differences: &[Difference], is_merged: impl Fn(&str) -> bool) -> Object {
    let value = |difference: &Difference| {
        let mut to = difference.to.clone().unwrap_or_default();
        if is_merged(&difference.member)
            && let (Value::Object(to), Some(Value::Object(from))) = (&mut to, &difference.from)
        {
            for name in from.keys() {
                to.entry(name.clone()).or_insert(Value::Null);
            }
        }
        (difference.member.clone(), to)
    };
    differences.iter().map(value).collect()
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_difference(f, &self.member, self.from.as_ref(), self.to.as_ref(), self.extent)
    }
}

/// Lists and objects one entry a line, so that what stays need not be read.
fn write_difference(
    f: &mut std::fmt::Formatter<'_>,
    path: &str,
    from: Option<&Value>,
    to: Option<&Value>,
    extent: Extent,
) -> std::fmt::Result {
    match (from, to) {
        (Some(Value::Array(from)), Some(Value::Array(to))) => {
            writeln!(f, "    {path}:")?;
            let is_reordered = from.len() == to.len() && to.iter().all(|item| from.contains(item));
            for item in from.iter().filter(|item| is_reordered || !to.contains(item)) {
                writeln!(f, "      - {item}")?;
            }
            for item in to.iter().filter(|item| is_reordered || !from.contains(item)) {
                writeln!(f, "      + {item}")?;
            }
            Ok(())
        }
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            for (name, value) in to {
                if from.get(name) != Some(value) {
                    write_difference(f, &format!("{path}.{name}"), from.get(name), Some(value), extent)?;
                }
            }
            let is_gone = |name: &str| extent == Extent::Whole && !to.contains_key(name);
            for (name, value) in from.iter().filter(|(name, _)| is_gone(name)) {
                write_difference(f, &format!("{path}.{name}"), Some(value), None, extent)?;
            }
            Ok(())
        }
        (from, to) => {
            let shown = |value: Option<&Value>| value.map_or_else(|| "(none)".into(), Value::to_string);
            writeln!(f, "    {path}: {} → {}", shown(from), shown(to))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        serde_json::from_value(value).unwrap()
    }

    fn members(want: Value, have: Value) -> Vec<String> {
        let extent = |name: &str| if name == "settings" { Extent::Named } else { Extent::Whole };
        differences(&object(want), &object(have), extent).into_iter().map(|one| one.member).collect()
    }

    #[test]
    fn only_what_the_document_names_and_what_differs_is_a_difference() {
        let none: Vec<String> = Vec::new();
        assert_eq!(members(json!({"a": 1}), json!({"a": 1.0, "b": 2})), none);
        assert_eq!(members(json!({"a": null, "b": ""}), json!({})), none);
        assert_eq!(members(json!({"a": null}), json!({"a": 1})), ["a"]);
        assert_eq!(members(json!({"scope": ["a", "b"]}), json!({"scope": ["b", "a"]})), none);
        assert_eq!(
            members(json!({"callbacks": ["a", "b"]}), json!({"callbacks": ["b", "a"]})),
            ["callbacks"]
        );
        assert_eq!(members(json!({"map": {"a": 1}}), json!({"map": {"a": 1, "b": 2}})), ["map"]);
        assert_eq!(members(json!({"settings": {"a": 1}}), json!({"settings": {"a": 1, "b": 2}})), none);
        assert_eq!(
            members(json!({"settings": {"a": 2}}), json!({"settings": {"a": 1, "b": 2}})),
            ["settings"]
        );
        assert_eq!(
            members(json!({"at": "2030-01-01T00:00:00Z"}), json!({"at": "2030-01-01T00:00:00.000Z"})),
            none
        );
    }

    #[test]
    fn a_patch_names_what_has_to_go() {
        let want = object(json!({"map": {"a": 1}, "list": [1], "gone": null}));
        let have = object(json!({"map": {"b": 2}, "list": [2], "gone": 3}));
        let found = differences(&want, &have, |_| Extent::Whole);
        assert_eq!(
            Value::Object(patch(&found, |name| name == "map")),
            json!({"map": {"a": 1, "b": null}, "list": [1], "gone": null})
        );
        let text: String = found.iter().map(Difference::to_string).collect();
        assert_eq!(
            text,
            "    map.a: (none) → 1\n    map.b: 2 → (none)\n    list:\n      - 2\n      + 1\n    gone: 3 → (none)\n"
        );
    }
}
