//! Schemas as JSON Schema (2020-12, as `OpenAPI` 3.1 has it), for whoever reads the API's description.

use super::{Kind, Member, Schema, StringRules};
use crate::Object;
use serde_json::{Value, json};

impl Member {
    /// Whether it must be sent.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// What it looks like.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

impl Schema {
    /// The same as JSON Schema. Formats are those of [`Format`](crate::format::Format), by their names in messages.
    #[must_use]
    pub fn to_json_schema(&self) -> Value {
        let mut schema = Object::new();
        let kind = match &self.kind {
            Kind::Any => None,
            Kind::Boolean => Some("boolean"),
            Kind::Integer { min, max } => {
                bound(&mut schema, "minimum", *min);
                bound(&mut schema, "maximum", *max);
                Some("integer")
            }
            Kind::Number { min, max } => {
                bound(&mut schema, "minimum", *min);
                bound(&mut schema, "maximum", *max);
                Some("number")
            }
            Kind::String(rules) => {
                rules.describe(&mut schema, self.nullable);
                Some("string")
            }
            Kind::Array { items, min, max, unique } => {
                schema.insert("items".into(), items.to_json_schema());
                size(&mut schema, ["minItems", "maxItems"], *min, *max);
                if *unique {
                    schema.insert("uniqueItems".into(), true.into());
                }
                Some("array")
            }
            Kind::Object { members, open, min, max } => {
                let properties = members.iter().map(|one| (one.name.to_owned(), one.schema.to_json_schema()));
                schema.insert("properties".into(), Value::Object(properties.collect()));
                let required: Vec<_> = members.iter().filter(|one| one.required).map(Member::name).collect();
                if !required.is_empty() {
                    schema.insert("required".into(), json!(required));
                }
                let open = open.as_ref().map_or(Value::Bool(false), |open| open.to_json_schema());
                schema.insert("additionalProperties".into(), open);
                size(&mut schema, ["minProperties", "maxProperties"], *min, *max);
                Some("object")
            }
            Kind::AnyOf(schemas) => {
                let mut any: Vec<_> = schemas.iter().map(Self::to_json_schema).collect();
                if self.nullable {
                    any.push(json!({"type": "null"}));
                }
                schema.insert("anyOf".into(), any.into());
                None
            }
        };
        if let Some(kind) = kind {
            let kind = if self.nullable { json!([kind, "null"]) } else { kind.into() };
            schema.insert("type".into(), kind);
        }
        if !self.description.is_empty() {
            schema.insert("description".into(), self.description.into());
        }
        Value::Object(schema)
    }
}

impl StringRules {
    fn describe(&self, schema: &mut Object, nullable: bool) {
        size(schema, ["minLength", "maxLength"], self.min, self.max.unwrap_or(usize::MAX));
        if let Some(pattern) = &self.pattern {
            schema.insert("pattern".into(), pattern.source.into());
        }
        if let Some(format) = self.format {
            schema.insert("format".into(), format.to_string().into());
        }
        if !self.one_of.is_empty() {
            let mut words: Vec<_> = self.one_of.iter().map(|word| Value::from(*word)).collect();
            if nullable {
                words.push(Value::Null);
            }
            schema.insert("enum".into(), words.into());
        }
    }
}

fn bound(schema: &mut Object, name: &str, bound: Option<i64>) {
    if let Some(bound) = bound {
        schema.insert(name.into(), bound.into());
    }
}

fn size(schema: &mut Object, [least, most]: [&str; 2], min: usize, max: usize) {
    if min > 0 {
        schema.insert(least.into(), min.into());
    }
    if max < usize::MAX {
        schema.insert(most.into(), max.into());
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::{any, any_of, array, boolean, integer, object, one_of, optional, required, string};
    use serde_json::json;

    #[test]
    fn every_kind_of_value_is_described() {
        let schema = object([
            required("name", string().min(1).max(9).pattern("^a").describe("Its name")),
            optional("kind", one_of(&["a", "b"]).nullable()),
            optional("count", integer().min(1).max(3)),
            optional("list", array(boolean()).min(1).max(2).unique()),
            optional("either", any_of([boolean(), string()]).nullable()),
            optional("open", object([]).open_with(any()).nullable()),
        ]);
        let described = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a", "description": "Its name"},
                "kind": {"type": ["string", "null"], "enum": ["a", "b", null]},
                "count": {"type": "integer", "minimum": 1, "maximum": 3},
                "list": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2,
                    "uniqueItems": true},
                "either": {"anyOf": [{"type": "boolean"}, {"type": "string"}, {"type": "null"}]},
                "open": {"type": ["object", "null"], "properties": {}, "additionalProperties": {}},
            },
            "required": ["name"],
            "additionalProperties": false,
        });
        assert_eq!(schema.to_json_schema(), described);
    }
}
