//! Client ID Metadata Documents: which URLs may hold one, and which client a document describes.

use crate::Object;
use crate::format::Format;
use crate::schema::{Schema, Violation, format, object, required};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::LazyLock;
use url::{Host, Url};

/// The longest URL of a document, in bytes.
pub const MAX_URL: usize = 120;
/// The largest document, in bytes.
pub const MAX_DOCUMENT: usize = 5 << 10;
/// The largest key set, in bytes.
pub const MAX_KEY_SET: usize = 12 << 10;
/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 140;
/// Texts of others that a message quotes, in characters.
const MAX_SHOWN: usize = 64;

const SUPPORTED: &[&str] = &[
    "client_id",
    "client_name",
    "redirect_uris",
    "grant_types",
    "application_type",
    "token_endpoint_auth_method",
    "jwks_uri",
    "logo_uri",
    "description",
    "response_types",
];
const GRANT_TYPES: [&str; 2] = ["authorization_code", "refresh_token"];

/// The body of `POST /clients/cimd/preview` and `POST /clients/cimd/register`.
pub static BODY: LazyLock<Schema> = LazyLock::new(|| {
    object([required(
        "external_client_id",
        format(Format::AbsoluteHttpsUriOrEmpty)
            .min(1)
            .max(120)
            .describe("URL to the Client ID Metadata Document"),
    )])
});

/// Checks the body of `POST /clients/cimd/preview` and `POST /clients/cimd/register`; returns the URL in it.
///
/// # Errors
/// The first violation.
pub fn check_body(body: &Value) -> Result<&str, Violation> {
    let body = BODY.check_body(body)?;
    Ok(body.get("external_client_id").and_then(Value::as_str).unwrap_or_default())
}

/// Checks that a URL may hold a document. Clients are known by the URL as it is written, so it has to be written in the
/// one way that nobody reads differently.
///
/// # Errors
/// Why it may not.
pub fn check_url(text: &str) -> Result<Url, String> {
    let refused = |why: &str| Err(format!("external_client_id {why}"));
    if text.len() > MAX_URL {
        return refused(&format!("must not be longer than {MAX_URL} bytes"));
    }
    let Ok(url) = Url::parse(text) else { return refused("must be a URL") };
    if url.scheme() != "https" {
        return refused("must be an https URL");
    }
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return refused("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refused("must not have a query or a fragment");
    }
    if url.port() == Some(0) {
        return refused("must not have port 0");
    }
    if url.path() == "/" {
        return refused("must have a path beyond /");
    }
    match url.host() {
        Some(Host::Domain(host)) if !is_local(host) => {}
        _ => return refused("must name a public host"),
    }
    if !has_whole_escapes(text) {
        return refused("must have two hexadecimal digits behind each %");
    }
    // The parser repairs dot segments, backslashes, capitals and more.
    if url.as_str() != text || has_dot_segment(text) {
        return refused(&format!("must be in its normal form: {url}"));
    }
    Ok(url)
}

fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.is_empty() || host == "localhost" || host.ends_with(".localhost")
}

fn has_whole_escapes(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

fn has_dot_segment(text: &str) -> bool {
    let path = text.to_ascii_lowercase().replace("%2e", ".");
    path.split('/').any(|segment| segment == "." || segment == "..")
}

/// What a document describes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapped {
    /// The settings that it stands for.
    pub fields: Object,
    /// Where its keys are, if it authenticates by them.
    pub jwks_uri: Option<Url>,
    /// Why it cannot be used.
    pub violations: Vec<String>,
    /// What is odd, but does no harm.
    pub warnings: Vec<String>,
}

impl Mapped {
    /// `validation` of answers.
    #[must_use]
    pub fn validation(&self) -> Value {
        json!({
            "valid": self.violations.is_empty(),
            "violations": self.violations,
            "warnings": self.warnings,
        })
    }

    /// The settings as members of a create or update request.
    #[must_use]
    pub fn settings(&self) -> Object {
        let mut settings = self.fields.clone();
        settings.retain(|name, _| {
            !matches!(name.as_str(), "external_client_id" | "jwks_uri" | "client_authentication_methods")
        });
        if self.jwks_uri.is_some() {
            settings.shift_remove("token_endpoint_auth_method");
        }
        settings
    }

    fn violation(&mut self, text: impl Into<String>) {
        self.violations.push(text.into());
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.into(), value.into());
    }
}

/// Reads the document that was found at `url`.
#[must_use]
pub fn map(url: &Url, document: &Value) -> Mapped {
    let mut mapped = Mapped::default();
    mapped.set("external_client_id", url.as_str());
    let Value::Object(document) = document else {
        mapped.violation("The document must be a JSON object");
        return mapped;
    };
    let document = &Document(document);
    match document.text("client_id", &mut mapped) {
        Some(client_id) if client_id == url.as_str() => {}
        _ => mapped.violation("client_id must be the URL of the document"),
    }
    match document.text("client_name", &mut mapped) {
        Some(name) if !name.trim().is_empty() && !name.contains(['<', '>']) => mapped.set("name", name),
        _ => mapped.violation("client_name must be a text without < and >"),
    }
    let is_native = match document.text("application_type", &mut mapped) {
        None | Some("web") => false,
        Some("native") => true,
        Some(other) => {
            mapped.violation(format!("Application type not supported: '{}'", shown(other)));
            false
        }
    };
    let grant_types = grant_types(document, &mut mapped);
    redirect_uris(document, &grant_types, is_native, &mut mapped);
    texts(document, &mut mapped);
    mapped.set("grant_types", grant_types);
    mapped.set("app_type", if is_native { "native" } else { "regular_web" });
    authentication(document, url, &mut mapped);
    let unsupported: Vec<_> =
        document.0.keys().filter(|name| !SUPPORTED.contains(&name.as_str()) && *name != "jwks").collect();
    if !unsupported.is_empty() {
        let names: Vec<_> = unsupported.iter().take(20).map(|name| shown(name)).collect();
        mapped.warnings.push(format!(
            "Ignoring unsupported properties: {}. These properties are not validated or mapped to the Auth0 client \
             configuration.",
            names.join(", ")
        ));
    }
    mapped
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect()
}

struct Document<'a>(&'a Object);

impl<'a> Document<'a> {
    fn text(&self, name: &str, mapped: &mut Mapped) -> Option<&'a str> {
        match self.0.get(name) {
            None => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                mapped.violation(format!("{name} must be a string"));
                None
            }
        }
    }

    fn texts(&self, name: &str, mapped: &mut Mapped) -> Option<Vec<&'a str>> {
        let list = self.0.get(name)?;
        let texts = list.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
        if texts.is_none() {
            mapped.violation(format!("{name} must be a list of strings"));
        }
        texts
    }
}

fn grant_types<'a>(document: &Document<'a>, mapped: &mut Mapped) -> Vec<&'a str> {
    let mut supported = Vec::new();
    for asked in document.texts("grant_types", mapped).unwrap_or_default() {
        if !GRANT_TYPES.contains(&asked) {
            mapped.warnings.push(format!("Grant type not supported: '{}'", shown(asked)));
        } else if !supported.contains(&asked) {
            supported.push(asked);
        }
    }
    if supported.is_empty() {
        mapped.violation("grant_types must name authorization_code or refresh_token");
    }
    let response_types = document.texts("response_types", mapped).unwrap_or_default();
    if response_types.contains(&"code") && !supported.contains(&"authorization_code") {
        mapped.warnings.push("response_types has code, but grant_types has no authorization_code".into());
    }
    supported
}

fn redirect_uris(document: &Document<'_>, grant_types: &[&str], is_native: bool, mapped: &mut Mapped) {
    let Some(uris) = document.texts("redirect_uris", mapped) else {
        if grant_types.contains(&"authorization_code") && !document.0.contains_key("redirect_uris") {
            mapped.violation("redirect_uris is required for the grant type authorization_code");
        }
        return;
    };
    if uris.is_empty() && grant_types.contains(&"authorization_code") {
        mapped.violation("redirect_uris must name one URI at least");
    }
    let mut seen = HashSet::new();
    for uri in &uris {
        if !seen.insert(*uri) {
            mapped.violation(format!("redirect_uris names {} twice", shown(uri)));
        } else if !is_redirect_uri(uri, is_native) {
            mapped.violation(format!("redirect_uris: {} must be an https URL", shown(uri)));
        }
    }
    mapped.set("callbacks", uris);
}

/// An exact `https` URL; for native applications also one of the device itself (RFC 8252 section 7.3).
fn is_redirect_uri(uri: &str, is_native: bool) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Domain(host)) => host == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    Format::CallbackUrl.accepts(uri)
        && !uri.contains(['*', '{', '#', '@'])
        && (url.scheme() == "https" || (is_native && is_loopback && url.scheme() == "http"))
}

fn texts(document: &Document<'_>, mapped: &mut Mapped) {
    if let Some(logo) = document.text("logo_uri", mapped) {
        let is_web = Url::parse(logo).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if is_web && Format::AbsoluteUriOrEmpty.accepts(logo) {
            mapped.set("logo_uri", logo);
        } else {
            mapped.violation("logo_uri must be an http or https URL");
        }
    }
    if let Some(description) = document.text("description", mapped) {
        if description.chars().count() > MAX_DESCRIPTION {
            mapped.violation(format!("description must not be longer than {MAX_DESCRIPTION} characters"));
        } else {
            mapped.set("description", description);
        }
    }
}

fn authentication(document: &Document<'_>, url: &Url, mapped: &mut Mapped) {
    if document.0.contains_key("jwks") {
        mapped.violation("invalid_client_metadata: jwks is not supported, use jwks_uri");
    }
    let jwks_uri = document.text("jwks_uri", mapped);
    match document.text("token_endpoint_auth_method", mapped) {
        None | Some("none") => {
            mapped.set("token_endpoint_auth_method", "none");
            if jwks_uri.is_some() {
                mapped.warnings.push("jwks_uri has no effect without private_key_jwt".into());
            }
        }
        Some("private_key_jwt") => {
            mapped.set("token_endpoint_auth_method", "private_key_jwt");
            match jwks_uri {
                None => mapped.violation("jwks_uri is required for private_key_jwt"),
                Some(text) => match check_jwks_uri(url, text) {
                    Ok(jwks_uri) => {
                        mapped.set("jwks_uri", text);
                        mapped.jwks_uri = Some(jwks_uri);
                    }
                    Err(violation) => mapped.violation(violation),
                },
            }
        }
        Some(other) => mapped.violation(format!(
            "token_endpoint_auth_method not supported: '{}'; use none or private_key_jwt",
            shown(other)
        )),
    }
}

/// Keys come from where the document comes from.
fn check_jwks_uri(url: &Url, text: &str) -> Result<Url, String> {
    let jwks_uri = Url::parse(text).ok().filter(|jwks_uri| jwks_uri.as_str() == text);
    let jwks_uri = jwks_uri.filter(|jwks_uri| {
        text.len() <= crate::format::MAX_URL
            && jwks_uri.origin() == url.origin()
            && jwks_uri.username().is_empty()
            && jwks_uri.password().is_none()
            && jwks_uri.fragment().is_none()
    });
    jwks_uri.ok_or_else(|| "jwks_uri must be an https URL of the same origin as the document".into())
}

#[cfg(test)]
mod tests;
