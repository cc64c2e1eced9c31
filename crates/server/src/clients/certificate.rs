//! The certificate that a caller presented, on its connection or through a trusted proxy.

use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use std::net::IpAddr;
use std::sync::Arc;
use tenantry_jose::credential::{CertificateInfo, parse_certificate, parse_pem};

/// A certificate whose holder proved to have its key.
#[derive(Clone, Debug)]
pub(crate) struct ClientCertificate {
    pub(crate) info: Arc<CertificateInfo>,
    /// Whether an authority that the operator trusts issued it.
    pub(crate) is_trusted: bool,
}

impl ClientCertificate {
    /// Reads the certificate of a TLS connection.
    pub(crate) fn from_der(der: &[u8], is_trusted: bool) -> Option<Self> {
        let material = parse_certificate(der).ok()?;
        Some(Self { info: Arc::new(material.certificate().ok()?.clone()), is_trusted })
    }
}

/// Proxies that end TLS for us and say which certificate they saw.
#[derive(Clone, Debug)]
pub(crate) struct TrustedProxies {
    /// Where they are.
    pub(crate) networks: Vec<IpNet>,
    /// The header with the certificate as percent-encoded PEM.
    pub(crate) certificate: HeaderName,
    /// The header that says `SUCCESS` when the proxy verified the certificate's issuer.
    pub(crate) verified: HeaderName,
}

impl TrustedProxies {
    /// Whether the peer is one of them.
    fn contain(&self, peer: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&peer.to_canonical()))
    }

    /// Who is behind a proxy: of the addresses in `X-Forwarded-For`, the last that is not a proxy's. Each proxy adds
    /// the one that it saw; what stands before may be made up.
    pub(crate) fn source(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contain(peer) {
            return peer;
        }
        let lists: Vec<_> =
            headers.get_all("x-forwarded-for").iter().map(|list| list.to_str().unwrap_or("")).collect();
        let mut source = peer;
        for address in lists.iter().flat_map(|list| list.split(',')).rev().map(str::trim) {
            let Ok(address) = address.parse() else { break };
            source = address;
            if !self.contain(address) {
                break;
            }
        }
        source
    }

    /// The certificate that a proxy forwarded. The header of anybody else means nothing.
    pub(crate) fn certificate(&self, peer: IpAddr, headers: &HeaderMap) -> Option<ClientCertificate> {
        if !self.contain(peer) {
            return None;
        }
        let text = only(headers, &self.certificate)?.to_str().ok()?;
        let text = percent_decode_str(text).decode_utf8().ok()?;
        let info = parse_pem(&text).ok()?.certificate().ok()?.clone();
        let is_trusted = only(headers, &self.verified).is_some_and(|said| said.as_bytes() == b"SUCCESS");
        Some(ClientCertificate { info: Arc::new(info), is_trusted })
    }
}

/// The value of a header that is there once. Of two, one is not the proxy's.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Whether a stored subject is the certificate's: as the API prints it (one `KEY=value` a line), or on one line with
/// commas (RFC 4514), in either order. Names are compared, not texts: a value that looks like several names is one.
pub(crate) fn is_subject(stored: &str, certificate: &CertificateInfo) -> bool {
    let Some(subject) = certificate.subject.as_deref().filter(|subject| !subject.is_empty()) else {
        return false;
    };
    let is_same =
        |(key, value): &(&str, String), (k, v): &(String, String)| key.eq_ignore_ascii_case(k) && value == v;
    let are_same = |names: &[(&str, String)]| {
        names.len() == subject.len() && names.iter().zip(subject).all(|(one, other)| is_same(one, other))
    };
    if stored.contains('\n') {
        return lines(stored).is_some_and(|names| are_same(&names));
    }
    match one_line(stored) {
        Some(mut names) => {
            are_same(&names) || {
                names.reverse();
                are_same(&names)
            }
        }
        // A single name whose value has a comma, unless it could be meant as several.
        None => lines(stored).is_some_and(|names| !names[0].1.contains('=') && are_same(&names)),
    }
}

/// Names as the API prints them, values as they are.
fn lines(text: &str) -> Option<Vec<(&str, String)>> {
    text.split('\n').map(|line| line.split_once('=').map(|(key, value)| (key, value.to_owned()))).collect()
}

/// Names on one line as RFC 4514 writes them, with or without spaces behind the commas. Those of several values (`+`) and
/// of values in hexadecimal (`#`) are not understood.
fn one_line(text: &str) -> Option<Vec<(&str, String)>> {
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let (key, from) = rest.split_once('=')?;
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
            return None;
        }
        let (value, behind) = value(from)?;
        names.push((key, value));
        match behind {
            Some(behind) => rest = behind,
            None => return Some(names),
        }
    }
}

/// The value that a text begins with, and what stands behind the comma after it.
fn value(text: &str) -> Option<(String, Option<&str>)> {
    let text = text.trim_start();
    let mut bytes = Vec::new();
    // As far as spaces count: those at the end do where they are escaped.
    let mut counted = 0;
    let mut chars = text.char_indices();
    let mut behind = None;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                let (_, escaped) = chars.next()?;
                if escaped.is_ascii_hexdigit() {
                    let (_, second) = chars.next()?;
                    bytes.push(u8::from_str_radix(&format!("{escaped}{second}"), 16).ok()?);
                } else if " \"#+,;<=>\\".contains(escaped) {
                    bytes.push(u8::try_from(escaped).ok()?);
                } else {
                    return None;
                }
                counted = bytes.len();
            }
            ',' => {
                behind = Some(&text[at + 1..]);
                break;
            }
            '+' | ';' | '<' | '>' | '"' => return None,
            '#' if bytes.is_empty() => return None,
            _ => {
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                if c != ' ' {
                    counted = bytes.len();
                }
            }
        }
    }
    bytes.truncate(counted);
    Some((String::from_utf8(bytes).ok()?, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(subject: &[(&str, &str)]) -> CertificateInfo {
        let subject = subject.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        CertificateInfo {
            thumbprint_sha256: String::new(),
            subject_dn: String::new(),
            subject: Some(subject),
            not_after: 0,
        }
    }

    #[test]
    fn subjects_are_compared_in_their_usual_forms() {
        let plain = certificate(&[("C", "es"), ("O", "Acme"), ("CN", "client")]);
        for stored in [
            "C=es\nO=Acme\nCN=client",
            "C=es, O=Acme, CN=client",
            "CN=client,O=Acme,C=es",
            "cn=client,o=Acme,c=es",
            "CN=clie\\6Et,O=Acme,C=es",
        ] {
            assert!(is_subject(stored, &plain), "{stored}");
        }
        for stored in [
            "",
            "C=es",
            "CN=client",
            "C=es\nO=Acme\nCN=client2",
            "O=Acme\nC=es\nCN=client",
            "C=es+O=Acme,CN=client",
            "C=es,O=Acme,CN=client,",
            "C=es,O=Acme,CN=Client",
        ] {
            assert!(!is_subject(stored, &plain), "{stored}");
        }
        let company = certificate(&[("O", "Acme, Inc."), ("CN", "a=b\\c ")]);
        for stored in ["O=Acme, Inc.\nCN=a=b\\c ", r"CN=a=b\\c\ ,O=Acme\, Inc."] {
            assert!(is_subject(stored, &company), "{stored}");
        }
        assert!(is_subject("CN=Acme, Inc.", &certificate(&[("CN", "Acme, Inc.")])));
    }

    #[test]
    fn a_value_that_looks_like_several_names_is_one() {
        for (stored, subject) in [
            ("CN=robot one,O=Okta,C=ES", [("CN", "robot one,O=Okta,C=ES")].as_slice()),
            ("C=ES\nO=Okta\nCN=robot one", &[("C", "ES"), ("O", "Okta\nCN=robot one")]),
            ("CN=client, O=Acme, Inc., C=es", &[("CN", "client, O=Acme, Inc., C=es")]),
            ("CN=a, O=b", &[("CN", "a, O=b"), ("C", "c")]),
            ("O=Acme, CN=client", &[("CN", "client, O=Acme")]),
            ("", &[]),
        ] {
            assert!(!is_subject(stored, &certificate(subject)), "{stored}");
        }
        assert!(!is_subject("CN=a", &CertificateInfo { subject: None, ..certificate(&[("CN", "a")]) }));
    }
}
