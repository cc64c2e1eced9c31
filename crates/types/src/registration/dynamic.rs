//! Dynamic client registration (RFC 7591): what anybody may ask for, and which client comes of it.

use crate::Object;
use crate::clients::ThirdPartySecurityMode;
use crate::format::Format;
use serde_json::{Value, json};

/// Why a registration is refused (RFC 7591 section 3.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `invalid_redirect_uri` or `invalid_client_metadata`.
    pub error: &'static str,
    /// What is wrong, for people.
    pub description: String,
}

impl Refusal {
    /// A value is not acceptable.
    pub fn metadata(description: impl Into<String>) -> Self {
        Self { error: "invalid_client_metadata", description: description.into() }
    }

    /// A redirect URI is not acceptable.
    pub fn redirect_uri(description: impl Into<String>) -> Self {
        Self { error: "invalid_redirect_uri", description: description.into() }
    }
}

/// What a client asks for. Members that are not known are ignored, as the RFC demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    mode: ThirdPartySecurityMode,
    name: String,
    redirect_uris: Vec<String>,
    method: &'static str,
    grant_types: Option<Vec<String>>,
}

/// Everyone may register; what they may store is bounded.
const MAX_REDIRECT_URIS: usize = 50;
const MAX_NAME: usize = 255;
const MAX_LIST: usize = 50;
/// The name of a client that gives none.
const UNNAMED: &str = "Dynamically registered application";
const METHODS: [&str; 3] = ["none", "client_secret_post", "client_secret_basic"];
const STRICT_GRANT_TYPES: &[&str] = &["authorization_code", "refresh_token"];
/// `client_credentials` is for clients that the tenant's owner trusts.
const PERMISSIVE_GRANT_TYPES: &[&str] =
    &["authorization_code", "implicit", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];

impl Registration {
    /// Reads a request to a tenant whose clients register themselves in this mode.
    ///
    /// # Errors
    /// It is not acceptable.
    pub fn parse(body: &Value, mode: ThirdPartySecurityMode) -> Result<Self, Refusal> {
        let Value::Object(body) = body else {
            return Err(Refusal::metadata("The request must be a JSON object"));
        };
        let redirect_uris = match body.get("redirect_uris") {
            Some(list) => texts("redirect_uris", list, MAX_REDIRECT_URIS)
                .map_err(|refusal| Refusal::redirect_uri(refusal.description))?,
            None => return Err(Refusal::redirect_uri("redirect_uris is required")),
        };
        if redirect_uris.is_empty() {
            return Err(Refusal::redirect_uri("redirect_uris must name one URI at least"));
        }
        let has_placeholder = |uri: &str| uri.contains(['*', '{']);
        let is_bad = |uri: &&String| {
            !Format::CallbackUrl.accepts(uri)
                || uri.contains('#')
                || (mode == ThirdPartySecurityMode::Strict && has_placeholder(uri))
        };
        if let Some(bad) = redirect_uris.iter().find(is_bad) {
            let bad: String = bad.chars().take(128).collect();
            return Err(Refusal::redirect_uri(format!("redirect_uris: {bad} is no acceptable URI")));
        }
        let name = text(body, "client_name")?.unwrap_or(UNNAMED).to_owned();
        if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(['<', '>']) {
            return Err(Refusal::metadata(format!(
                "client_name must have 1 to {MAX_NAME} characters, none of them < or >"
            )));
        }
        let asked = text(body, "token_endpoint_auth_method")?.unwrap_or("client_secret_post");
        let method = METHODS.iter().find(|method| **method == asked).ok_or_else(|| {
            Refusal::metadata(format!("token_endpoint_auth_method must be one of {}", METHODS.join(", ")))
        })?;
        let list = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(list) => texts(name, list, MAX_LIST).map(Some),
        };
        list("response_types")?;
        Ok(Self { mode, name, redirect_uris, method, grant_types: list("grant_types")? })
    }

    /// The body of the create request that this stands for.
    #[must_use]
    pub fn client(&self) -> Object {
        let body = json!({
            "name": self.name,
            "callbacks": self.redirect_uris,
            "grant_types": self.grant_types(),
            "token_endpoint_auth_method": self.method,
            "is_first_party": false,
            "third_party_security_mode": self.mode.as_str(),
        });
        let Value::Object(body) = body else { unreachable!("written as an object") };
        body
    }

    /// What is asked for and may be had; where that is nothing, the code flow.
    fn grant_types(&self) -> Vec<&str> {
        let allowed = match self.mode {
            ThirdPartySecurityMode::Strict => STRICT_GRANT_TYPES,
            ThirdPartySecurityMode::Permissive => PERMISSIVE_GRANT_TYPES,
        };
        let mut granted: Vec<&str> = Vec::new();
        for asked in self.grant_types.iter().flatten() {
            if allowed.contains(&asked.as_str()) && !granted.contains(&asked.as_str()) {
                granted.push(asked);
            }
        }
        if granted.is_empty() { vec!["authorization_code"] } else { granted }
    }

    /// The answer to the request.
    #[must_use]
    pub fn answer(&self, client_id: &str, client_secret: &str) -> Value {
        let mut answer = Object::new();
        answer.insert("client_name".into(), self.name.as_str().into());
        answer.insert("client_id".into(), client_id.into());
        if self.method != "none" {
            answer.insert("client_secret".into(), client_secret.into());
        }
        answer.insert("redirect_uris".into(), json!(self.redirect_uris));
        answer.insert("client_secret_expires_at".into(), 0.into());
        answer.insert("grant_types".into(), json!(self.grant_types()));
        answer.insert("token_endpoint_auth_method".into(), self.method.into());
        Value::Object(answer)
    }
}

fn text<'a>(body: &'a Object, name: &str) -> Result<Option<&'a str>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::metadata(format!("{name} must be a string"))),
    }
}

fn texts(name: &str, value: &Value, most: usize) -> Result<Vec<String>, Refusal> {
    let texts = value.as_array().filter(|list| list.len() <= most).and_then(|list| {
        list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    texts.ok_or_else(|| Refusal::metadata(format!("{name} must be a list of {most} strings at most")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ThirdPartySecurityMode::{Permissive, Strict};

    fn parse(body: &Value, mode: ThirdPartySecurityMode) -> Result<Registration, &'static str> {
        Registration::parse(body, mode).map_err(|refusal| refusal.error)
    }

    #[test]
    fn what_is_not_supported_is_left_out() {
        let body = json!({"redirect_uris": ["https://a.example/cb"], "unknown": {"x": 1},
            "grant_types": ["client_credentials", "refresh_token", "implicit", "refresh_token"]});
        let registration = parse(&body, Permissive).unwrap();
        assert_eq!(registration.client()["grant_types"], json!(["refresh_token", "implicit"]));
        let registration = parse(&body, Strict).unwrap();
        assert_eq!(registration.client()["grant_types"], json!(["refresh_token"]));
        let names: Vec<_> = registration.answer("id", "s").as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            names,
            [
                "client_name",
                "client_id",
                "client_secret",
                "redirect_uris",
                "client_secret_expires_at",
                "grant_types",
                "token_endpoint_auth_method"
            ]
        );
    }

    #[test]
    fn nothing_asked_is_the_code_flow_with_a_secret() {
        let registration = parse(&json!({"redirect_uris": ["com.example:/cb"]}), Strict).unwrap();
        let client = registration.client();
        assert_eq!(client["grant_types"], json!(["authorization_code"]));
        assert_eq!(client["token_endpoint_auth_method"], "client_secret_post");
        let public = json!({"redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": "none"});
        assert!(parse(&public, Strict).unwrap().answer("id", "s").get("client_secret").is_none());
    }

    #[test]
    fn bad_requests_say_which_part_is_bad() {
        let uris = json!(["https://a.example/cb"]);
        for (body, error) in [
            (json!([]), "invalid_client_metadata"),
            (json!({}), "invalid_redirect_uri"),
            (json!({"redirect_uris": []}), "invalid_redirect_uri"),
            (json!({"redirect_uris": "https://a.example"}), "invalid_redirect_uri"),
            (json!({"redirect_uris": [1]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": ["javascript:x"]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": ["https://a.example/#x"]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": ["https://*.a.example/"]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": vec!["https://a.example/"; 51]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": uris, "client_name": "<b>"}), "invalid_client_metadata"),
            (json!({"redirect_uris": uris, "client_name": 1}), "invalid_client_metadata"),
            (json!({"redirect_uris": uris, "client_name": "x".repeat(256)}), "invalid_client_metadata"),
            (json!({"redirect_uris": uris, "token_endpoint_auth_method": "tls"}), "invalid_client_metadata"),
            (json!({"redirect_uris": uris, "grant_types": "x"}), "invalid_client_metadata"),
            (json!({"redirect_uris": uris, "response_types": [{}]}), "invalid_client_metadata"),
        ] {
            assert_eq!(parse(&body, Strict).unwrap_err(), error, "{body}");
        }
    }
}
