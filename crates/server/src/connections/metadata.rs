//! What certificates and metadata documents among the options say: where the identity provider is, and whose the
//! certificate is. Documents are read as they were sent; nothing is fetched.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};
use serde_json::Value;
use tenantry_jose::credential::{Description, describe, describe_pem};
use tenantry_types::{Object, time};

const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
/// Elements and attributes of a document that are looked at; a real one has a few hundred.
const NODES: u32 = 20_000;

/// Adds what follows from certificates and documents, where it was not sent.
pub(super) fn complete(connection: &mut Object) {
    let strategy = connection.get("strategy").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(Value::Object(options)) = connection.get_mut("options") else { return };
    match strategy.as_str() {
        "adfs" => adfs(options),
        "samlp" | "pingfederate" => saml(options),
        _ => {}
    }
}

fn text(options: &Object, name: &str) -> Option<String> {
    options.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn set(options: &mut Object, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value
        && options.get(name).is_none_or(Value::is_null)
    {
        options.insert(name.into(), value.into());
    }
}

fn parse(xml: &str) -> Option<Document<'_>> {
    // Document type definitions are refused: they are what attacks on parsers are made of.
    let options = roxmltree::ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..Default::default() };
    Document::parse_with_options(xml, options).ok()
}

fn elements<'a>(document: &'a Document<'a>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    document.descendants().filter(move |node| node.is_element() && node.tag_name().name() == name)
}

/// The certificates that an identity provider signs with, in DER.
fn certificates(document: &Document<'_>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for key in elements(document, "KeyDescriptor").filter(|key| key.attribute("use") != Some("encryption")) {
        let certificates = key.descendants().filter(|node| node.tag_name().name() == "X509Certificate");
        for certificate in certificates.filter_map(|node| node.text()) {
            let base64: String = certificate.chars().filter(|c| !c.is_whitespace()).collect();
            if let Ok(der) = STANDARD.decode(base64)
                && !found.contains(&der)
            {
                found.push(der);
            }
        }
    }
    found
}

fn adfs(options: &mut Object) {
    let Some(xml) = text(options, "fedMetadataXml") else { return };
    let Some(document) = parse(&xml) else { return };
    let address = elements(&document, "PassiveRequestorEndpoint")
        .flat_map(|endpoint| endpoint.descendants())
        .find(|node| node.tag_name().name() == "Address")
        .and_then(|node| node.text());
    set(options, "signInEndpoint", address.map(str::trim));
    let thumbprints: Vec<_> = certificates(&document)
        .iter()
        .filter_map(|der| describe(der))
        .map(|description| description.thumbprint_sha1)
        .collect();
    if !thumbprints.is_empty() {
        options.insert("thumbprints".into(), thumbprints.into());
    }
}

fn saml(options: &mut Object) {
    if let Some(xml) = text(options, "metadataXml")
        && let Some(document) = parse(&xml)
    {
        set(options, "signInEndpoint", location(&document, "SingleSignOnService"));
        set(options, "signOutEndpoint", location(&document, "SingleLogoutService"));
        if let Some(der) = certificates(&document).first() {
            let certificate = pem::encode(&pem::Pem::new("CERTIFICATE", der.as_slice()));
            set(options, "signingCert", Some(certificate));
        }
    }
    if let Some(pem) = text(options, "signingCert").map(|certificate| as_pem(&certificate))
        && let Some(Description { thumbprint_sha1, not_after, subject }) = describe_pem(&pem)
    {
        let subject: Object = subject.into_iter().map(|(name, value)| (name, value.into())).collect();
        // These belong to the certificate, whatever was sent with it.
        options.insert("expires".into(), time::print(not_after.saturating_mul(1_000)).into());
        options.insert("subject".into(), subject.into());
        options.insert("thumbprints".into(), vec![thumbprint_sha1].into());
        options.insert("cert".into(), pem.into());
    }
}

/// Where a service is, by redirect if it can be reached so.
fn location(document: &Document<'_>, service: &str) -> Option<String> {
    let all = || elements(document, service);
    all()
        .find(|node| node.attribute("Binding") == Some(REDIRECT))
        .or_else(|| all().next())
        .and_then(|node| node.attribute("Location"))
        .map(str::to_owned)
}

/// Tools send certificates as PEM, or PEM in base64.
fn as_pem(certificate: &str) -> String {
    if certificate.trim_start().starts_with("-----BEGIN") {
        return certificate.to_owned();
    }
    let decoded = STANDARD.decode(certificate.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| certificate.to_owned())
}
