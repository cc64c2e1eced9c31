//! Documents and requests without their secrets, for logs that people read.
//!
//! What is a secret is told by the names of members: those that the API treats as one, and whatever else is named like
//! one. Rather one text too many is left out than a secret shown.

use crate::Object;
use serde::Serialize;
use serde_json::Value;

/// Stands where a secret was.
pub const REDACTED: &str = "[REDACTED]";

/// What the names of secrets end with: letters and digits, in lower case.
const ENDINGS: &[&str] = &[
    "secret",
    "secrets",
    "token",
    "tokens",
    "password",
    "passwords",
    "pass",
    "passphrase",
    "pwd",
    "key",
    "keys",
    "credential",
    "credentials",
    "pem",
    "p12",
    "pfx",
    "jwk",
    "jwks",
    "cookie",
    "authorization",
    "assertion",
    "otp",
    "pkcs8",
    "privatekeys",
    "ticket",
];

/// Members of which any text may be a secret.
const BAGS: &[&str] = &["customheaders", "headers", "configuration", "authentication"];

/// Objects that are named like secrets and hold settings.
const SETTINGS: &[&str] = &["refresh_token", "client_credentials", "session_cookie", "access_token"];

/// Members that tell which key or credential is meant, and nothing that could be used.
const TELLING: &[&str] = &[
    "id",
    "kid",
    "name",
    "type",
    "alg",
    "credential_type",
    "kty",
    "use",
    "created_at",
    "updated_at",
    "expires_at",
    "thumbprint_sha256",
    "subject_dn",
    "region",
    "provider",
];

/// How the values of a member are treated.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    /// As they are, as far as their names allow.
    All,
    /// Texts only under names that tell nothing secret.
    Telling,
    /// Not at all.
    Nothing,
}

/// The letters and digits at the end of a name, in lower case and as many as any word here has and one more.
struct Tail {
    /// The last ones of these.
    bytes: [u8; 16],
    start: usize,
}

impl Tail {
    fn of(name: &str) -> Self {
        let mut tail = Self { bytes: [0; 16], start: 16 };
        for byte in name.bytes().rev().filter(u8::is_ascii_alphanumeric).take(tail.bytes.len()) {
            tail.start -= 1;
            tail.bytes[tail.start] = byte.to_ascii_lowercase();
        }
        tail
    }

    fn is(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.bytes[self.start..] == *word.as_bytes())
    }

    fn is_secret(&self) -> bool {
        let (tail, last) = (&self.bytes[self.start..], self.bytes[15]);
        ENDINGS
            .iter()
            .map(|ending| ending.as_bytes())
            .any(|ending| ending.ends_with(&[last]) && tail.ends_with(ending))
    }
}

fn shown(name: &str, value: &Value, around: Shown) -> Shown {
    let tail = Tail::of(name);
    let is_secret = tail.is_secret();
    match value {
        Value::Object(_) if SETTINGS.contains(&name) && around == Shown::All => Shown::All,
        Value::Object(_) | Value::Array(_) if is_secret || tail.is(BAGS) => Shown::Telling,
        Value::Object(_) | Value::Array(_) => around,
        _ if is_secret => Shown::Nothing,
        _ if around == Shown::Telling && !TELLING.contains(&name) => Shown::Nothing,
        _ => Shown::All,
    }
}

/// JSON without its secrets.
#[derive(Debug, Default)]
pub struct Redactor {
    out: Vec<u8>,
    /// The secrets that were left out.
    found: Vec<String>,
    keeps: bool,
}

impl Redactor {
    /// Also remembers what it left out, for [`Secrets::scrub`].
    #[must_use]
    pub fn remembering() -> Self {
        Self { keeps: true, ..Self::default() }
    }

    /// A value without its secrets, as JSON.
    #[must_use]
    pub fn value(mut self, value: &Value) -> (String, Secrets) {
        self.write(value, Shown::All);
        (text(self.out), Secrets(self.found))
    }

    fn write(&mut self, value: &Value, mode: Shown) {
        match value {
            Value::Array(items) => {
                self.out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.out.push(b',');
                    }
                    let is_list_of_secrets = mode == Shown::Telling && !item.is_object() && !item.is_array();
                    self.write(item, if is_list_of_secrets { Shown::Nothing } else { mode });
                }
                self.out.push(b']');
            }
            Value::Object(members) => self.object(members.iter(), mode),
            Value::String(_) | Value::Number(_) if mode == Shown::Nothing => self.leave_out(value),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Number(_) => {
                self.json(value);
            }
        }
    }

    fn object<'a>(&mut self, members: impl Iterator<Item = (&'a String, &'a Value)>, mode: Shown) {
        self.out.push(b'{');
        for (i, (name, value)) in members.enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            self.json(name);
            self.out.push(b':');
            self.write(value, shown(name, value, mode));
        }
        self.out.push(b'}');
    }

    fn json(&mut self, value: &(impl Serialize + ?Sized)) {
        serde_json::to_writer(&mut self.out, value).expect("values and texts are JSON");
    }

    fn leave_out(&mut self, value: &Value) {
        self.json(REDACTED);
        if self.keeps {
            self.found.push(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
    }
}

/// An object without its secrets, as JSON.
#[must_use]
pub fn redacted(object: &Object) -> String {
    let mut redactor = Redactor::default();
    redactor.object(object.iter(), Shown::All);
    text(redactor.out)
}

fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).expect("JSON is text")
}

/// What an update changed: the members before and after that are not the same, without secrets, as two JSON objects.
#[must_use]
pub fn difference(before: &Object, after: &Object) -> (String, String) {
    let changed = |this: &Object, other: &Object| {
        let mut redactor = Redactor::default();
        let members = this.iter().filter(|(name, value)| other.get(*name) != Some(*value));
        redactor.object(members, Shown::All);
        text(redactor.out)
    };
    (changed(before, after), changed(after, before))
}

/// Whether a parameter of that name holds a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    Tail::of(name).is_secret()
}

/// Texts that must not be shown. They are wiped when dropped.
#[derive(Default)]
pub struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl Secrets {
    /// A message without the secrets that it quotes.
    #[must_use]
    pub fn scrub(&self, message: &str) -> String {
        // Shorter ones would leave holes in ordinary words, and a message that quotes them says next to nothing.
        const SHORTEST: usize = 3;
        let mut message = message.to_owned();
        for secret in self.0.iter().filter(|secret| secret.len() >= SHORTEST) {
            if message.contains(secret.as_str()) {
                message = message.replace(secret.as_str(), REDACTED);
            }
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn shown(value: Value) -> Value {
        let Value::Object(object) = value else { panic!("an object") };
        serde_json::from_str(&redacted(&object)).unwrap()
    }

    #[test]
    fn secrets_are_left_out_by_name() {
        let document = json!({
            "name": "n",
            "client_secret": "s3cr3t", "clientSecret": 123_456, "api_key": "s3cr3t", "privateKey": "s3cr3t",
            "smtp_pass": "s3cr3t", "server_credentials": "s3cr3t", "passwords": ["s3cr3t", "s3cr3t"],
            "options": {"password": "s3cr3t", "customHeaders": {"X-Any": "s3cr3t"}, "configuration": {"url": "s3cr3t"}},
            "credentials": [{"id": "cred_1", "pem": "s3cr3t", "d": "s3cr3t"}],
        });
        let seen = shown(document);
        assert!(!seen.to_string().contains("s3cr3t") && !seen.to_string().contains("123456"), "{seen}");
        assert_eq!(seen["name"], "n");
        assert_eq!(seen["credentials"][0]["id"], "cred_1");
        assert_eq!(seen["client_secret"], REDACTED);
    }

    #[test]
    fn settings_that_are_named_like_secrets_are_shown() {
        let document = json!({
            "refresh_token": {"rotation_type": "rotating"}, "token_quota": {"client_credentials": {"per_day": 5}},
            "token_endpoint_auth_method": "none", "token_lifetime": 5, "allow_refresh_token": true, "client_secret": null,
        });
        assert_eq!(shown(document.clone()), document);
    }

    #[test]
    fn whatever_is_sealed_among_options_is_left_out() {
        let options = json!({
            "client_secret": "s3cr3t", "twilio_token": "s3cr3t", "password": "s3cr3t", "passphrase": "s3cr3t",
            "private_key": "s3cr3t", "privateKey": "s3cr3t", "api_key": "s3cr3t", "apikey": "s3cr3t",
            "decryptionKey": {"key": "s3cr3t", "cert": "c"}, "signing_key": {"key": "s3cr3t"},
            "gateway_authentication": {"secret": "s3cr3t"}, "customHeaders": {"a": "s3cr3t"},
        });
        let Value::Object(mut options) = options else { unreachable!() };
        let seen = redacted(&options);
        assert!(!seen.contains("s3cr3t"), "{seen}");
        let count = crate::connections::secrets::take(&mut options).len();
        assert_eq!(
            seen.matches(REDACTED).count(),
            count + usize::from(seen.contains("\"cert\":\"[REDACTED]"))
        );
    }

    #[test]
    fn messages_do_not_quote_what_was_left_out() {
        let body = json!({"client_secret": "s3cr3t value"});
        let (_, secrets) = Redactor::remembering().value(&body);
        assert_eq!(secrets.scrub("bad: s3cr3t value."), "bad: [REDACTED].");
    }

    #[test]
    fn an_update_shows_what_changed() {
        let (Value::Object(before), Value::Object(after)) =
            (json!({"a": 1, "b": 2, "secret": "x"}), json!({"a": 1, "b": 3, "c": 4, "secret": "y"}))
        else {
            unreachable!()
        };
        let (before, after) = difference(&before, &after);
        assert_eq!(before, r#"{"b":2,"secret":"[REDACTED]"}"#);
        assert_eq!(after, r#"{"b":3,"c":4,"secret":"[REDACTED]"}"#);
    }

    proptest! {
        #[test]
        fn the_result_is_json(name in ".{0,12}", text in ".{0,12}") {
            let document = Object::from_iter([(name.clone(), json!([{name: text}]))]);
            let seen: Value = serde_json::from_str(&redacted(&document)).unwrap();
            prop_assert!(seen.is_object());
        }
    }
}
