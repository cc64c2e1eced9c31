//! Secrets among options. Answers show them, as the API does; at rest they are sealed, so they are taken out of the
//! stored document and put back when it is read.

use crate::Object;
use serde_json::Value;

/// What the names of secrets end with, in lower case.
const ENDINGS: &[&str] = &[
    "secret",
    "_token",
    "password",
    "passphrase",
    "private_key",
    "privatekey",
    "api_key",
    "apikey",
    "decryptionkey",
];

/// Members that hold a key pair; the private half is called `key`.
const KEY_PAIRS: &[&str] = &["decryptionKey", "signing_key", "signingKey"];

/// Members all of whose values may be secrets.
const BAGS: &[&str] = &["customHeaders"];

fn is_secret(parents: &[&str], name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    parents.iter().any(|parent| BAGS.contains(parent))
        || ENDINGS.iter().any(|ending| lower.ends_with(ending))
        || (name == "key" && parents.last().is_some_and(|parent| KEY_PAIRS.contains(parent)))
}

/// Takes the secrets out of `options`: where each stood, as a JSON pointer, and what it was. Empty texts stay, there is
/// nothing to hide.
pub fn take(options: &mut Object) -> Object {
    let mut found = Object::new();
    take_from(options, &mut Vec::new(), "", &mut found);
    found
}

fn take_from<'a>(object: &'a mut Object, parents: &mut Vec<&'a str>, at: &str, found: &mut Object) {
    object.retain(|name, value| {
        let Value::String(text) = value else { return true };
        if text.is_empty() || !is_secret(parents, name) {
            return true;
        }
        found.insert(pointer(at, name), std::mem::take(text).into());
        false
    });
    for (name, value) in object.iter_mut() {
        let at = pointer(at, name);
        parents.push(name);
        match value {
            Value::Object(inner) => take_from(inner, parents, &at, found),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::Object(inner) = item {
                        take_from(inner, parents, &format!("{at}/{index}"), found);
                    }
                }
            }
            _ => {}
        }
        parents.pop();
    }
}

fn pointer(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Puts back what [`take`] took.
pub fn put_back(options: &mut Object, secrets: Object) {
    let mut whole = Value::Object(std::mem::take(options));
    for (pointer, secret) in secrets {
        let Some((parent, name)) = pointer.rsplit_once('/') else { continue };
        if let Some(Value::Object(parent)) = whole.pointer_mut(parent) {
            parent.insert(name.replace("~1", "/").replace("~0", "~"), secret);
        }
    }
    if let Value::Object(whole) = whole {
        *options = whole;
    }
}
