//! The text of a client in answers. A stored document is copied out, not parsed and written anew; only an answer that
//! shows a part of it walks through the text.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use tenantry_types::clients::{READ_SCOPES, ReadGroup, StoredClient, field};
use tenantry_types::{Scope, ScopeSet};

/// Which members of a client an answer shows.
#[derive(Clone, Debug)]
pub(super) struct View {
    summary: bool,
    settings: bool,
    keys: bool,
    hidden: &'static [&'static str],
    fields: Fields,
}

/// What the answer to a change leaves out, as recorded.
const HIDDEN_AFTER_CHANGES: &[&str] =
    &["external_client_id", "external_metadata_type", "external_metadata_created_by", "jwks_uri"];

/// What a search never shows, whoever asks.
const HIDDEN_IN_SEARCHES: &[&str] = &["client_secret", "encryption_key", "signing_keys", "owners", "addons"];

#[derive(Clone, Debug)]
enum Fields {
    All,
    Only(Vec<String>),
    AllBut(Vec<String>),
}

impl View {
    /// Everything.
    pub(super) fn everything() -> Self {
        Self { summary: true, settings: true, keys: true, hidden: &[], fields: Fields::All }
    }

    /// What the holder of `scopes` may read.
    pub(super) fn of(scopes: &ScopeSet) -> Self {
        let may = |group: ReadGroup| scopes.contains_any(group.scopes());
        Self {
            summary: scopes.contains_any(READ_SCOPES),
            settings: may(ReadGroup::Settings),
            keys: may(ReadGroup::Keys),
            hidden: &[],
            fields: Fields::All,
        }
    }

    /// What a search shows to the holder of `scopes`. Those that read keys count for nothing there.
    pub(super) fn of_search(scopes: &ScopeSet) -> Self {
        Self {
            summary: true,
            settings: scopes.contains_any(&[Scope::READ_CLIENTS]),
            keys: false,
            hidden: HIDDEN_IN_SEARCHES,
            fields: Fields::All,
        }
    }

    /// What the answer to a change shows: everything, but keys only to those who may read or set them.
    pub(super) fn after_change(scopes: &ScopeSet) -> Self {
        let keys = [Scope::READ_CLIENT_KEYS, Scope::READ_CLIENT_CREDENTIALS, Scope::UPDATE_CLIENT_KEYS];
        Self { keys: scopes.contains_any(&keys), hidden: HIDDEN_AFTER_CHANGES, ..Self::everything() }
    }

    /// Narrows it down by `fields` and `include_fields`.
    pub(super) fn with_fields(mut self, fields: Option<&str>, include: bool) -> Self {
        let names = |list: &str| {
            list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
        };
        self.fields = match fields {
            Some(list) if include => Fields::Only(names(list)),
            Some(list) => Fields::AllBut(names(list)),
            None => Fields::All,
        };
        self
    }

    fn is_everything(&self) -> bool {
        self.summary
            && self.settings
            && self.keys
            && self.hidden.is_empty()
            && matches!(self.fields, Fields::All)
    }

    fn shows(&self, name: &str) -> bool {
        let Some(field) = field(name) else { return false };
        let allowed = match field.read {
            ReadGroup::Summary => self.summary,
            ReadGroup::Settings => self.settings,
            ReadGroup::Keys => self.keys,
        };
        allowed && !self.hidden.contains(&name) && self.selects(name)
    }

    fn selects(&self, name: &str) -> bool {
        match &self.fields {
            Fields::All => true,
            // The tenant's name comes along whatever is asked for.
            Fields::Only(names) => name == "tenant" || names.iter().any(|asked| asked == name),
            Fields::AllBut(names) => !names.iter().any(|asked| asked == name),
        }
    }

    /// Whether a search shows one of the times that are no part of a client.
    pub(super) fn shows_time(&self, name: &str) -> bool {
        self.settings && self.selects(name)
    }

    /// Whether the secret has to be opened at all.
    pub(super) fn shows_secret(&self) -> bool {
        self.shows("client_secret")
    }
}

/// A stored client, wherever its text is.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) json: &'a [u8],
    pub(super) signing_keys_at: usize,
    pub(super) client_secret_at: usize,
}

impl<'a> From<&'a StoredClient> for Stored<'a> {
    fn from(stored: &'a StoredClient) -> Self {
        let StoredClient { json, signing_keys_at, client_secret_at } = stored;
        Self { json: json.as_bytes(), signing_keys_at: *signing_keys_at, client_secret_at: *client_secret_at }
    }
}

/// What a client's answer is put together from.
pub(super) struct Parts<'a> {
    pub(super) stored: Stored<'a>,
    pub(super) secret: Option<&'a str>,
    /// The member `signing_keys` with its name.
    pub(super) signing_keys: &'a str,
    /// Whether the answer says that keys were made for the client.
    pub(super) is_new: bool,
}

/// Appends the client to `out`.
pub(super) fn client(out: &mut Vec<u8>, parts: &Parts<'_>, view: &View) {
    if view.is_everything() {
        return whole(out, parts);
    }
    let mut text = Vec::with_capacity(parts.stored.json.len() + parts.signing_keys.len() + 128);
    whole(&mut text, parts);
    // Stored texts are texts; an answer without the client is better than none if one is not.
    let text = std::str::from_utf8(&text).unwrap_or("{}");
    out.push(b'{');
    let mut separator = "";
    for (name, value) in members(text) {
        if view.shows(name) {
            out.extend_from_slice(separator.as_bytes());
            out.push(b'"');
            // Names of fields need no escaping: `shows` knows them all.
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            out.extend_from_slice(value.get().as_bytes());
            separator = ",";
        }
    }
    out.push(b'}');
}

/// Appends members to the object at the end of `out`.
pub(super) fn append(out: &mut Vec<u8>, members: impl IntoIterator<Item = String>) {
    out.pop();
    for member in members {
        if !out.ends_with(b"{") {
            out.push(b',');
        }
        out.extend_from_slice(member.as_bytes());
    }
    out.push(b'}');
}

fn whole(out: &mut Vec<u8>, parts: &Parts<'_>) {
    let Stored { json, signing_keys_at, client_secret_at } = parts.stored;
    out.extend_from_slice(&json[..signing_keys_at]);
    if parts.is_new {
        out.extend_from_slice(br#""encrypted":true,"#);
    }
    out.extend_from_slice(parts.signing_keys.as_bytes());
    out.push(b',');
    out.extend_from_slice(&json[signing_keys_at..client_secret_at]);
    if let Some(secret) = parts.secret {
        out.extend_from_slice(br#","client_secret":"#);
        let plain = secret.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\');
        if plain {
            out.push(b'"');
            out.extend_from_slice(secret.as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(serde_json::Value::from(secret).to_string().as_bytes());
        }
    }
    out.extend_from_slice(&json[client_secret_at..]);
}

/// The members of a JSON object, each value as its text.
fn members(json: &str) -> Vec<(&str, &RawValue)> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(&'de str, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::with_capacity(48);
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_str(json).deserialize_map(Members).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantry_types::clients::{ClientDocument, ThirdPartySecurityMode};

    fn rendered(view: &View) -> serde_json::Value {
        let body = serde_json::json!({"name": "N", "callbacks": ["https://a.b/c"], "app_type": "spa"});
        let document =
            ClientDocument::create(body.as_object().unwrap(), "t", ThirdPartySecurityMode::default(), |_| {
                "id".into()
            })
            .unwrap();
        let stored = document.to_stored();
        let parts = Parts {
            stored: (&stored).into(),
            secret: Some("s\"x"),
            signing_keys: r#""signing_keys":[]"#,
            is_new: false,
        };
        let mut out = Vec::new();
        client(&mut out, &parts, view);
        serde_json::from_slice(&out).unwrap()
    }

    fn names(view: &View) -> Vec<String> {
        rendered(view).as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn everything_is_in_the_documented_order() {
        assert_eq!(
            names(&View::everything()),
            [
                "tenant",
                "global",
                "is_token_endpoint_ip_header_trusted",
                "name",
                "callbacks",
                "is_first_party",
                "sso_disabled",
                "cross_origin_auth",
                "cross_origin_authentication",
                "oidc_conformant",
                "refresh_token",
                "signing_keys",
                "client_id",
                "callback_url_template",
                "client_secret",
                "jwt_configuration",
                "app_type",
                "grant_types",
                "custom_login_page_on",
            ]
        );
        assert_eq!(rendered(&View::everything())["client_secret"], "s\"x");
    }

    #[test]
    fn scopes_decide_what_is_shown() {
        let summary = View::of(&ScopeSet::of(&[Scope::READ_CLIENT_SUMMARY]));
        assert_eq!(names(&summary), ["name", "client_id", "app_type"]);
        let settings = names(&View::of(&ScopeSet::of(&[Scope::READ_CLIENTS])));
        assert!(settings.contains(&"callbacks".into()) && !settings.contains(&"client_secret".into()));
        assert!(!settings.contains(&"signing_keys".into()));
        let credentials = names(&View::of(&ScopeSet::of(&[Scope::READ_CLIENT_CREDENTIALS])));
        assert_eq!(credentials, ["name", "signing_keys", "client_id", "client_secret", "app_type"]);
    }

    #[test]
    fn fields_narrow_down_and_never_widen() {
        let all = View::everything();
        assert_eq!(names(&all.clone().with_fields(Some("client_id,nothing"), true)), ["tenant", "client_id"]);
        let without = names(&all.with_fields(Some("callbacks"), false));
        assert!(!without.contains(&"callbacks".into()) && without.contains(&"name".into()));
        let summary = View::of(&ScopeSet::of(&[Scope::READ_CLIENT_SUMMARY]));
        assert_eq!(names(&summary.with_fields(Some("client_secret,name"), true)), ["name"]);
    }
}
