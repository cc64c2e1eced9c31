//! A client as it is stored, and the order of its members in answers.

use super::defaults::{Kind, session_transfer};
use super::fields::TAIL;
use super::{ThirdPartySecurityMode, merge, rules};
use crate::{ApiError, Object};
use serde_json::{Value, json};

/// A client without what lives elsewhere: its secret (sealed, in a table of its own) and the tenant's `signing_keys`.
///
/// Answers hold the members in this order: `tenant`, `global`, `is_token_endpoint_ip_header_trusted`; then what was
/// set, in the order in which it was set; then `signing_keys`; then the [tail](super::fields::TAIL), in its own order.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientDocument {
    members: Object,
}

/// The text of a client, and where the two members belong that live elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredClient {
    /// A JSON object.
    pub json: String,
    /// Where `"signing_keys":…,` belongs.
    pub signing_keys_at: usize,
    /// Where `,"client_secret":…` belongs.
    pub client_secret_at: usize,
}

impl From<Object> for ClientDocument {
    /// Members of another client, some of them replaced for an answer.
    fn from(members: Object) -> Self {
        Self { members }
    }
}

impl ClientDocument {
    /// The client that a checked `POST /clients` body describes. `new_id` makes its id; strict third-party clients
    /// have ids of another shape.
    ///
    /// # Errors
    /// A rule that looks at more than one member is broken.
    pub fn create(
        body: &Object,
        tenant: &str,
        default_mode: ThirdPartySecurityMode,
        new_id: impl FnOnce(ThirdPartySecurityMode) -> String,
    ) -> Result<Self, ApiError> {
        let mut sent = body.clone();
        sent.retain(|_, value| !value.is_null());
        let kind = Kind::of(&sent, default_mode);
        let mut members = Object::with_capacity(32);
        members.insert("tenant".into(), tenant.into());
        members.insert("global".into(), false.into());
        members.insert("is_token_endpoint_ip_header_trusted".into(), false.into());
        for (name, value) in &sent {
            match (name.as_str(), value) {
                ("oidc_logout" | "oidc_backchannel_logout", Value::Object(settings)) => {
                    let settings = sent.get("oidc_logout").and_then(Value::as_object).unwrap_or(settings);
                    merge::set_oidc_logout(&mut members, settings);
                }
                ("session_transfer", Value::Object(settings)) => {
                    members.insert(name.clone(), session_transfer(None, settings));
                }
                ("client_metadata" | "mobile", Value::Object(object)) => {
                    let mut object = object.clone();
                    object.retain(|_, value| !value.is_null());
                    members.insert(name.clone(), object.into());
                }
                ("cross_origin_auth" | "cross_origin_authentication", value) => {
                    let value = sent.get("cross_origin_authentication").unwrap_or(value);
                    members.insert("cross_origin_auth".into(), value.clone());
                    members.insert("cross_origin_authentication".into(), value.clone());
                }
                ("initiate_login_uri", Value::String(text)) if text.is_empty() => {}
                _ => {
                    members.insert(name.clone(), value.clone());
                }
            }
        }
        kind.complete(&mut members);
        let mode = kind.third_party.filter(|_| kind.is_strict()).unwrap_or_default();
        members.insert("client_id".into(), new_id(mode).into());
        let client = Self { members };
        rules::check_created(&client, &sent)?;
        Ok(client)
    }

    /// The client that stands for all applications of a tenant.
    #[must_use]
    pub fn global(tenant: &str, client_id: &str) -> Self {
        let members = json!({
            "tenant": tenant,
            "global": true,
            "is_token_endpoint_ip_header_trusted": false,
            "callbacks": [],
            "is_first_party": true,
            "name": "All Applications",
            "oidc_conformant": true,
            "refresh_token": Kind { app_type: None, method: None, third_party: None }.refresh_token(),
            "sso": false,
            "sso_disabled": false,
            "cross_origin_auth": false,
            "cross_origin_authentication": false,
            "client_id": client_id,
            "jwt_configuration": {"alg": "RS256"},
            "custom_login_page_on": true,
        });
        let Value::Object(members) = members else { unreachable!("written as an object") };
        Self { members }
    }

    /// The client after a checked `PATCH /clients/{id}` body.
    ///
    /// # Errors
    /// A rule that looks at more than one member, or at what was stored, is broken.
    pub fn patched(&self, body: &Object) -> Result<Self, ApiError> {
        let after = self.refreshed(body)?;
        rules::check_owned_by_document(self, &after, body)?;
        Ok(after)
    }

    /// The client after its metadata document was read again, whose settings `body` holds.
    ///
    /// # Errors
    /// A rule that looks at more than one member, or at what was stored, is broken.
    pub fn refreshed(&self, body: &Object) -> Result<Self, ApiError> {
        let mut after = self.clone();
        let mut about = self.members.clone();
        if let Some(method) = body.get("token_endpoint_auth_method") {
            about.insert("token_endpoint_auth_method".into(), method.clone());
        }
        let kind = Kind::of(&about, ThirdPartySecurityMode::Permissive);
        merge::apply(&mut after.members, body, kind);
        rules::check_patched(self, &after, body)?;
        Ok(after)
    }

    /// Reads a stored client.
    ///
    /// # Errors
    /// The text is not a JSON object.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(|members| Self { members })
    }

    /// The text to store.
    ///
    /// # Panics
    /// Never: a client always has an id.
    #[must_use]
    pub fn to_stored(&self) -> StoredClient {
        let mut json = Vec::with_capacity(2_048);
        json.push(b'{');
        for (name, value) in self.members.iter().filter(|(name, _)| !TAIL.contains(&name.as_str())) {
            push_member(&mut json, name, value);
        }
        let signing_keys_at = json.len();
        let mut client_secret_at = signing_keys_at;
        for name in TAIL {
            if let Some(value) = self.members.get(*name) {
                push_member(&mut json, name, value);
            }
            if *name == "callback_url_template" {
                client_secret_at = json.len() - 1;
            }
        }
        json.pop();
        json.push(b'}');
        let json = String::from_utf8(json).expect("JSON is text");
        StoredClient { json, signing_keys_at, client_secret_at }
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// The text of the member of that name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Whether the member of that name is `true`.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }

    /// The texts of the list of that name.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Sets a member that no request sets.
    pub fn set(&mut self, name: &str, value: Value) {
        self.members.insert(name.into(), value);
    }

    /// Removes a member.
    pub fn remove(&mut self, name: &str) {
        self.members.shift_remove(name);
    }

    /// All members.
    #[must_use]
    pub fn members(&self) -> &Object {
        &self.members
    }

    /// The client's id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.text("client_id").unwrap_or_default()
    }

    /// The organization that the client assumes when a request names none.
    #[must_use]
    pub fn default_organization(&self) -> Option<&str> {
        self.get("default_organization")?.get("organization_id")?.as_str()
    }

    /// Whether this is the client that stands for all.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.flag("global")
    }

    /// Whether the tenant's owner runs the application.
    #[must_use]
    pub fn is_first_party(&self) -> bool {
        self.get("is_first_party") != Some(&Value::Bool(false))
    }

    /// The mode of a third-party client.
    #[must_use]
    pub fn third_party_security_mode(&self) -> Option<ThirdPartySecurityMode> {
        (!self.is_first_party()).then(|| match self.text("third_party_security_mode") {
            Some("strict") => ThirdPartySecurityMode::Strict,
            _ => ThirdPartySecurityMode::Permissive,
        })
    }

    /// Whether the client authenticates by key or certificate, which hides its secret.
    #[must_use]
    pub fn has_key_authentication(&self) -> bool {
        self.members.contains_key("client_authentication_methods")
    }
}

fn push_member(mut json: &mut Vec<u8>, name: &str, value: &Value) {
    serde_json::to_writer(&mut json, name).expect("texts are JSON");
    json.push(b':');
    serde_json::to_writer(&mut json, value).expect("values are JSON");
    json.push(b',');
}
