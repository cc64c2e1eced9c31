//! What a client has when its creator did not say.

use super::ThirdPartySecurityMode;
use crate::Object;
use serde_json::{Value, json};

/// What the defaults depend on, read from the body of a create request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind<'a> {
    pub(super) app_type: Option<&'a str>,
    pub(super) method: Option<&'a str>,
    /// `None` for first-party clients.
    pub(super) third_party: Option<ThirdPartySecurityMode>,
}

impl<'a> Kind<'a> {
    pub(super) fn of(members: &'a Object, default_mode: ThirdPartySecurityMode) -> Self {
        let text = |name| members.get(name).and_then(Value::as_str);
        let third_party = (members.get("is_first_party") == Some(&Value::Bool(false))).then(|| {
            match text("third_party_security_mode") {
                Some("strict") => ThirdPartySecurityMode::Strict,
                Some(_) => ThirdPartySecurityMode::Permissive,
                None => default_mode,
            }
        });
        Self { app_type: text("app_type"), method: text("token_endpoint_auth_method"), third_party }
    }

    pub(super) fn is_strict(self) -> bool {
        self.third_party == Some(ThirdPartySecurityMode::Strict)
    }

    fn is_express(self) -> bool {
        self.app_type == Some("express_configuration")
    }

    fn is_resource_server(self) -> bool {
        self.app_type == Some("resource_server")
    }

    fn is_public(self) -> bool {
        self.method == Some("none")
    }

    fn grant_types(self) -> Value {
        if self.is_resource_server() {
            json!([])
        } else if self.is_express() {
            json!(["authorization_code", "client_credentials"])
        } else if self.is_strict() {
            json!(["authorization_code"])
        } else if self.is_public() {
            json!(["authorization_code", "implicit", "refresh_token"])
        } else {
            json!(["authorization_code", "implicit", "refresh_token", "client_credentials"])
        }
    }

    fn jwt_configuration(self) -> Value {
        if self.is_express() || self.is_resource_server() {
            json!({"alg": "RS256", "secret_encoded": false})
        } else if self.is_strict() {
            json!({"alg": "RS256", "lifetime_in_seconds": 3600, "secret_encoded": false})
        } else {
            json!({"lifetime_in_seconds": 36000, "secret_encoded": false})
        }
    }

    /// Seconds that a refresh token lives at most, and unused.
    fn refresh_token_lifetimes(self) -> (u32, u32) {
        match self.method {
            Some("client_secret_post" | "client_secret_basic") => (31_557_600, 2_592_000),
            _ => (2_592_000, 1_296_000),
        }
    }

    pub(super) fn refresh_token(self) -> Value {
        let (token_lifetime, idle_token_lifetime) = self.refresh_token_lifetimes();
        let (rotation, expiration, infinite, infinite_idle) = match self.third_party {
            Some(_) if self.is_public() => ("rotating", "expiring", false, false),
            Some(ThirdPartySecurityMode::Strict) => ("non-rotating", "expiring", true, false),
            _ => ("non-rotating", "non-expiring", true, true),
        };
        json!({
            "expiration_type": expiration,
            "leeway": 0,
            "infinite_token_lifetime": infinite,
            "infinite_idle_token_lifetime": infinite_idle,
            "token_lifetime": token_lifetime,
            "idle_token_lifetime": idle_token_lifetime,
            "rotation_type": rotation,
        })
    }

    /// Adds what a sent `refresh_token` left out.
    pub(super) fn complete_refresh_token(self, sent: &Object) -> Value {
        let (token_lifetime, idle_token_lifetime) = self.refresh_token_lifetimes();
        let infinite = sent.get("expiration_type").and_then(Value::as_str) == Some("non-expiring");
        let mut whole = sent.clone();
        whole.retain(|_, value| !value.is_null());
        let defaults = [
            ("leeway", json!(0)),
            ("infinite_token_lifetime", json!(infinite)),
            ("infinite_idle_token_lifetime", json!(infinite)),
            ("token_lifetime", json!(token_lifetime)),
            ("idle_token_lifetime", json!(idle_token_lifetime)),
        ];
        for (name, value) in defaults {
            whole.entry(name).or_insert(value);
        }
        whole.into()
    }

    /// Adds every default to the members of a new client.
    pub(super) fn complete(self, members: &mut Object) {
        if let Some(Value::Object(sent)) = members.get("refresh_token") {
            let whole = self.complete_refresh_token(sent);
            members.insert("refresh_token".into(), whole);
        }
        let third_party = self.third_party.is_some();
        let mut default = |name: &str, value: Value| {
            members.entry(name).or_insert(value);
        };
        default("is_first_party", json!(true));
        default("sso_disabled", json!(false));
        default("cross_origin_auth", json!(false));
        default("cross_origin_authentication", json!(false));
        default("oidc_conformant", json!(third_party || self.is_express() || self.is_resource_server()));
        default("refresh_token", self.refresh_token());
        if self.is_express() {
            default("callbacks", json!(["https://system-admin.okta.com/admin/app/generic/oauth20redirect"]));
            default("organization_usage", json!("require"));
            default("organization_require_behavior", json!("pre_login_prompt"));
            default("client_authentication_methods", json!({"private_key_jwt": {"credentials": []}}));
        }
        if let Some(mode) = self.third_party {
            default("third_party_security_mode", json!(mode.as_str()));
            if self.is_strict() {
                default("redirection_policy", json!("open_redirect_protection"));
            }
        }
        default("callback_url_template", json!(false));
        default("jwt_configuration", self.jwt_configuration());
        default("grant_types", self.grant_types());
        default("custom_login_page_on", json!(true));
        if let Some(Value::Object(configuration)) = members.get_mut("jwt_configuration") {
            configuration.entry("secret_encoded").or_insert(json!(false));
        }
    }
}

/// `session_transfer` with every member; `stored` are the ones that were there before.
pub(super) fn session_transfer(stored: Option<&Object>, sent: &Object) -> Value {
    let defaults = [
        ("can_create_session_transfer_token", json!(false)),
        ("allowed_authentication_methods", json!([])),
        ("enforce_device_binding", json!("ip")),
        ("allow_refresh_token", json!(false)),
        ("enforce_online_refresh_tokens", json!(true)),
        ("enforce_cascade_revocation", json!(true)),
    ];
    let known = |name: &str| {
        sent.get(name).map_or_else(
            || stored.and_then(|stored| stored.get(name)),
            |value| if value.is_null() { None } else { Some(value) },
        )
    };
    let mut whole = Object::new();
    for (name, default) in defaults {
        whole.insert(name.into(), known(name).cloned().unwrap_or(default));
    }
    if let Some(Value::Object(delegation)) = known("delegation") {
        let mut delegation = delegation.clone();
        delegation.entry("allow_delegated_access").or_insert(json!(false));
        delegation.entry("enforce_device_binding").or_insert(json!("ip"));
        whole.insert("delegation".into(), delegation.into());
    }
    whole.into()
}
