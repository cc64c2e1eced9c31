//! Settings that are kept and given back, and that nothing else reads as long as there is no login: branding, prompts,
//! protection against attacks, factors, e-mail.
//!
//! [`SETTINGS`] lists the single ones, [`COLLECTIONS`] those of which there are several. What goes over the wire is
//! said by schemas; how a request changes what is stored is the same for all of them.

mod attack_protection;
mod branding;
mod email;
mod guardian;
mod prompts;

pub use guardian::{FACTOR_PATH, FACTORS};
pub use prompts::{RENDERING, RENDERING_PATH, bulk_rendering};

use crate::error::ErrorCode;
use crate::schema::{Part, Schema, Violation};
use crate::{ApiError, Object};
use serde_json::Value;

/// A setting, or one for each value of the parameters in its path.
#[derive(Debug)]
pub struct Setting {
    /// Where it is.
    pub path: &'static str,
    /// The values that each parameter of the path takes, in their order.
    pub parameters: &'static [&'static [&'static str]],
    /// What there is before anything was set.
    pub initial: Initial,
    /// The body of `PATCH`, which changes the members that it names.
    pub patch: Option<fn() -> Schema>,
    /// The body of `PUT`, which replaces all of it.
    pub put: Option<fn() -> Schema>,
    /// How it comes to be, if it is absent before.
    pub create: Option<Create>,
    /// Members that no answer shows: paths of names.
    pub secrets: &'static [&'static [&'static str]],
    /// What `null` means in a `PATCH`.
    pub null: Null,
    /// What an object means in a `PATCH`.
    pub nested: Nested,
}

/// What there is before anything was set.
#[derive(Clone, Copy, Debug)]
pub enum Initial {
    /// This, as JSON.
    Json(&'static str),
    /// Nothing.
    Absent(&'static str, ErrorCode),
}

/// What `null` means for a member in a `PATCH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Null {
    /// It is stored.
    Kept,
    /// The member goes back to what it is before anything was set.
    Resets,
}

/// What a member that is an object means in a `PATCH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nested {
    /// Its members are changed one by one; objects within them are replaced.
    Merged,
    /// It is replaced.
    Replaced,
}

impl Nested {
    /// A member after `value` was sent for it.
    fn changed(self, before: Option<Value>, value: &Value) -> Value {
        match (self, before, value) {
            (Self::Merged, Some(Value::Object(mut old)), Value::Object(new)) => {
                old.extend(new.clone());
                Value::Object(old)
            }
            _ => value.clone(),
        }
    }
}

/// `POST`, for a setting that is absent before.
#[derive(Debug)]
pub struct Create {
    /// Where.
    pub path: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// The body.
    pub body: fn() -> Schema,
    /// The member that stands for the parameter of the path.
    pub id: Option<&'static str>,
    /// Why it cannot be created twice; the member of the existing one that the message ends with.
    pub conflict: (&'static str, &'static str, ErrorCode),
    /// Members that have a value when they are not sent, as JSON.
    pub defaults: &'static str,
}

/// Objects with ids.
#[derive(Debug)]
pub struct Collection {
    /// Where.
    pub path: &'static str,
    /// The path of one of them.
    pub item_path: &'static str,
    /// The name of the list, if there is one.
    pub list: Option<&'static str>,
    /// The path of the only one, if there can be no more than one.
    pub only: Option<&'static str>,
    /// The member with the id, and how ids begin.
    pub id: (&'static str, &'static str),
    /// The status of the answer to `POST`.
    pub created: u16,
    /// Whether objects say whose they are and when they changed.
    pub stamped: bool,
    /// Members that no two may share the value of.
    pub unique: Option<&'static str>,
    /// What a second one is told.
    pub conflict: &'static str,
    /// What is told of one that is not there.
    pub missing: (&'static str, Option<ErrorCode>),
    /// The body of `POST`.
    pub create: fn() -> Schema,
    /// The body of `PATCH`.
    pub change: fn() -> Schema,
    /// What an object means in a `PATCH`.
    pub nested: Nested,
    /// Members that are not sent, as JSON.
    pub defaults: &'static str,
    /// The order of members in answers.
    pub order: &'static [&'static str],
    /// Members that no answer shows.
    pub secrets: &'static [&'static [&'static str]],
    /// Members that answers show as `null`, because they hold secrets.
    pub hidden: &'static [&'static str],
}

/// Every single setting.
pub static SETTINGS: &[&[Setting]] = &[
    attack_protection::SETTINGS,
    branding::SETTINGS,
    email::SETTINGS,
    guardian::SETTINGS,
    prompts::SETTINGS,
];

/// Every collection.
pub static COLLECTIONS: &[&Collection] =
    &[&branding::THEMES, &branding::PHONE_PROVIDERS, &branding::PHONE_TEMPLATES];

impl Setting {
    /// The names of the parameters in the path.
    pub fn parameter_names(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Checks the parameters of a path.
    ///
    /// # Errors
    /// One of them is none of the values that it takes.
    pub fn check_parameters(&self, values: &[String]) -> Result<(), Violation> {
        for ((name, allowed), value) in self.parameter_names().zip(self.parameters).zip(values) {
            if !allowed.contains(&value.as_str()) {
                let shown: String = value.chars().take(100).collect();
                return Err(Violation::new(Part::Path, format!("Invalid value \"{shown}\"")).on(name, ""));
            }
        }
        Ok(())
    }

    /// What there is before anything was set.
    ///
    /// # Errors
    /// Nothing is.
    pub fn initial(&self) -> Result<Value, ApiError> {
        match self.initial {
            Initial::Json(text) => Ok(parse(text)),
            Initial::Absent(message, code) => Err(ApiError::new(404, message).with_code(code)),
        }
    }

    /// `before` after a `PATCH`.
    #[must_use]
    pub fn patched(&self, before: Value, body: &Object) -> Value {
        let Value::Object(mut after) = before else { return before };
        let initial = match self.initial {
            Initial::Json(text) => parse(text),
            Initial::Absent(..) => Value::Null,
        };
        for (name, value) in body {
            match (self.null, value) {
                (Null::Resets, Value::Null) => match initial.get(name) {
                    Some(value) => drop(after.insert(name.clone(), value.clone())),
                    None => drop(after.shift_remove(name)),
                },
                (null, value) => {
                    let value = self.nested.changed(after.get_mut(name).map(Value::take), value);
                    let value = if null == Null::Resets { without_nulls(value) } else { value };
                    after.insert(name.clone(), value);
                }
            }
        }
        Value::Object(after)
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        value => value,
    }
}

/// Takes the secrets out of a document; `null` is one that goes.
#[must_use]
pub fn take_secrets(document: &mut Value, secrets: &[&[&str]]) -> Object {
    let mut taken = Object::new();
    for path in secrets {
        let Some((name, parents)) = path.split_last() else { continue };
        let parent = parents.iter().try_fold(&mut *document, |value, part| value.get_mut(*part));
        let secret = parent.and_then(Value::as_object_mut).and_then(|members| members.shift_remove(*name));
        if let Some(secret) = secret {
            taken.insert(path.join("."), secret);
        }
    }
    taken
}

/// JSON that stands in this crate.
fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("constants are JSON, tried by a test")
}

impl Collection {
    /// The members that are not sent.
    #[must_use]
    pub fn defaults(&self) -> Object {
        match parse(self.defaults) {
            Value::Object(members) => members,
            _ => Object::new(),
        }
    }

    /// Changes an object as a `PATCH` says.
    pub fn patch(&self, document: &mut Object, body: &Object) {
        for (name, value) in body {
            let value = self.nested.changed(document.get_mut(name).map(Value::take), value);
            document.insert(name.clone(), value);
        }
    }
}

impl Create {
    /// The object that `body` makes.
    #[must_use]
    pub fn created(&self, body: &Object) -> Value {
        let mut created = parse(self.defaults);
        if let Value::Object(members) = &mut created {
            members.extend(body.clone());
        }
        created
    }
}

#[cfg(test)]
mod tests;
