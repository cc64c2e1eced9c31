//! A small declarative description of request bodies, and a validator over order-keeping JSON.
//!
//! The API answers a bad request with one message, and which message (and how it is worded) depends on the order in
//! which members were sent. Derived deserializers forget that order, so bodies are checked as documents first. The
//! wording follows what real responses show; see [`Violation`].

mod document;
mod validate;

pub use validate::{Part, Violation};

use crate::Object;
use crate::format::Format;
use regex::Regex;
use serde_json::Value;
use std::sync::OnceLock;

/// What a value must look like.
#[derive(Clone, Debug)]
pub struct Schema {
    kind: Kind,
    nullable: bool,
    description: &'static str,
}

#[derive(Clone, Debug)]
enum Kind {
    Any,
    Boolean,
    Integer { min: Option<i64>, max: Option<i64> },
    Number { min: Option<i64>, max: Option<i64> },
    String(StringRules),
    Array { items: Box<Schema>, min: usize, max: usize, unique: bool },
    Object { members: Vec<Member>, open: Option<Box<Schema>>, min: usize, max: usize },
    AnyOf(Vec<Schema>),
}

#[derive(Clone, Debug, Default)]
struct StringRules {
    min: usize,
    max: Option<usize>,
    pattern: Option<Pattern>,
    format: Option<Format>,
    one_of: &'static [&'static str],
}

/// A pattern, compiled when first used.
#[derive(Clone, Debug)]
struct Pattern {
    source: &'static str,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    fn is_match(&self, text: &str) -> bool {
        self.compiled
            .get_or_init(|| Regex::new(self.source).expect("patterns are constants, tried by a test"))
            .is_match(text)
    }
}

/// A named member of an object.
#[derive(Clone, Debug)]
pub struct Member {
    name: &'static str,
    schema: Schema,
    required: bool,
}

impl Member {
    /// The member's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Reads a text (as query strings have it) as this member's type: a number, a truth value, a list of one.
    /// `None` when it stays as it is; whether it fits is for [`Schema::check`] to say.
    #[must_use]
    pub fn read_text(&self, value: &Value) -> Option<Value> {
        let text = value.as_str()?;
        match self.schema.kind {
            Kind::Integer { .. } => text.parse::<i64>().ok().map(Value::from),
            Kind::Boolean => text.parse::<bool>().ok().map(Value::from),
            Kind::Array { .. } => Some(Value::Array(vec![Value::from(text)])),
            _ => None,
        }
    }
}

/// A member that may be left out.
#[must_use]
pub fn optional(name: &'static str, schema: Schema) -> Member {
    Member { name, schema, required: false }
}

/// A member that must be sent.
#[must_use]
pub fn required(name: &'static str, schema: Schema) -> Member {
    Member { name, schema, required: true }
}

/// Any JSON value.
#[must_use]
pub fn any() -> Schema {
    Schema::of(Kind::Any)
}

/// `true` or `false`.
#[must_use]
pub fn boolean() -> Schema {
    Schema::of(Kind::Boolean)
}

/// A whole number.
#[must_use]
pub fn integer() -> Schema {
    Schema::of(Kind::Integer { min: None, max: None })
}

/// A number, whole or not.
#[must_use]
pub fn number() -> Schema {
    Schema::of(Kind::Number { min: None, max: None })
}

/// Text.
#[must_use]
pub fn string() -> Schema {
    Schema::of(Kind::String(StringRules::default()))
}

/// One of the given words.
#[must_use]
pub fn one_of(words: &'static [&'static str]) -> Schema {
    Schema::of(Kind::String(StringRules { one_of: words, ..StringRules::default() }))
}

/// Text in a format.
#[must_use]
pub fn format(format: Format) -> Schema {
    Schema::of(Kind::String(StringRules { format: Some(format), ..StringRules::default() }))
}

/// A list.
#[must_use]
pub fn array(items: Schema) -> Schema {
    Schema::of(Kind::Array { items: Box::new(items), min: 0, max: usize::MAX, unique: false })
}

/// An object that has these members and no others.
#[must_use]
pub fn object<const N: usize>(members: [Member; N]) -> Schema {
    Schema::of(Kind::Object { members: members.into(), open: None, min: 0, max: usize::MAX })
}

/// A value that fits one of several descriptions.
#[must_use]
pub fn any_of<const N: usize>(schemas: [Schema; N]) -> Schema {
    Schema::of(Kind::AnyOf(schemas.into()))
}

impl Schema {
    fn of(kind: Kind) -> Self {
        Self { kind, nullable: false, description: "" }
    }

    /// Says in a few words what the value is for; printed in parentheses behind a violation.
    #[must_use]
    pub fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Accepts `null` too.
    #[must_use]
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The smallest number, length, or count of items or members.
    ///
    /// # Panics
    /// On a kind of value that has no size; schemas are built once, at start.
    #[must_use]
    pub fn min(mut self, least: u32) -> Self {
        match &mut self.kind {
            Kind::Integer { min, .. } | Kind::Number { min, .. } => *min = Some(least.into()),
            Kind::String(rules) => rules.min = least as usize,
            Kind::Array { min, .. } | Kind::Object { min, .. } => *min = least as usize,
            _ => unreachable!("this kind of value has no size"),
        }
        self
    }

    /// The largest number, length, or count of items or members.
    ///
    /// # Panics
    /// On a kind of value that has no size; schemas are built once, at start.
    #[must_use]
    pub fn max(mut self, most: u32) -> Self {
        match &mut self.kind {
            Kind::Integer { max, .. } | Kind::Number { max, .. } => *max = Some(most.into()),
            Kind::String(rules) => rules.max = Some(most as usize),
            Kind::Array { max, .. } | Kind::Object { max, .. } => *max = most as usize,
            _ => unreachable!("this kind of value has no size"),
        }
        self
    }

    /// A regular expression that a text has to match.
    ///
    /// # Panics
    /// On anything but text.
    #[must_use]
    pub fn pattern(mut self, source: &'static str) -> Self {
        let Kind::String(rules) = &mut self.kind else { unreachable!("only text has a pattern") };
        rules.pattern = Some(Pattern { source, compiled: OnceLock::new() });
        self
    }

    /// Refuses a list that holds the same item twice.
    ///
    /// # Panics
    /// On anything but a list.
    #[must_use]
    pub fn unique(mut self) -> Self {
        let Kind::Array { unique, .. } = &mut self.kind else { unreachable!("only a list has unique items") };
        *unique = true;
        self
    }

    /// Adds members to an object.
    ///
    /// # Panics
    /// On anything but an object.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = Member>) -> Self {
        let Kind::Object { members, .. } = &mut self.kind else { unreachable!("only an object has members") };
        members.extend(more);
        self
    }

    /// Lets an object have members that are not listed.
    #[must_use]
    pub fn open(self) -> Self {
        self.open_with(any())
    }

    /// Lets an object have members that are not listed, each fitting `schema`.
    ///
    /// # Panics
    /// On anything but an object.
    #[must_use]
    pub fn open_with(mut self, schema: Schema) -> Self {
        let Kind::Object { open, .. } = &mut self.kind else { unreachable!("only an object can be open") };
        *open = Some(Box::new(schema));
        self
    }

    /// The listed members of an object.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Object { members, .. } => members,
            _ => &[],
        }
    }

    /// Builds an object from a list of members that is known only at run time.
    #[must_use]
    pub fn object_of(members: Vec<Member>) -> Self {
        Self::of(Kind::Object { members, open: None, min: 0, max: usize::MAX })
    }

    /// Checks a body that this schema describes as an object, and returns it as one.
    ///
    /// # Errors
    /// The first violation, in the order of the members as they were sent.
    pub fn check_body<'a>(&self, body: &'a Value) -> Result<&'a Object, Violation> {
        self.check(Part::Payload, body)?;
        Ok(body.as_object().expect("the schema asks for an object"))
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The first violation, in the order of the members as they were sent.
    pub fn check(&self, part: Part, value: &Value) -> Result<(), Violation> {
        validate::check(self, part, value)
    }
}
