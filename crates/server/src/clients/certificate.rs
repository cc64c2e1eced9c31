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
/// commas, in either order. A value that could be mistaken for several never matches.
pub(crate) fn is_subject(stored: &str, certificate: &CertificateInfo) -> bool {
    let parts: Vec<&str> = certificate.subject_dn.split('\n').collect();
    if parts.iter().any(|part| !part.contains('=')) || certificate.subject_dn.is_empty() {
        return false;
    }
    if stored == certificate.subject_dn {
        return true;
    }
    if certificate.subject_dn.contains(',') {
        return false;
    }
    let reversed: Vec<&str> = parts.iter().rev().copied().collect();
    [", ", ","].iter().any(|comma| stored == parts.join(comma) || stored == reversed.join(comma))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(subject_dn: &str) -> CertificateInfo {
        CertificateInfo { thumbprint_sha256: String::new(), subject_dn: subject_dn.into(), not_after: 0 }
    }

    #[test]
    fn subjects_are_compared_in_their_usual_forms() {
        let plain = certificate("C=es\nO=Acme\nCN=client");
        for stored in ["C=es\nO=Acme\nCN=client", "C=es, O=Acme, CN=client", "CN=client,O=Acme,C=es"] {
            assert!(is_subject(stored, &plain), "{stored}");
        }
        for stored in ["", "C=es", "CN=client", "C=es\nO=Acme\nCN=client2", "O=Acme\nC=es\nCN=client"] {
            assert!(!is_subject(stored, &plain), "{stored}");
        }
    }

    #[test]
    fn a_value_that_looks_like_several_never_matches() {
        assert!(!is_subject("CN=a, O=b", &certificate("CN=a, O=b, C=c")));
        assert!(!is_subject("O=Acme, CN=client", &certificate("CN=client, O=Acme")));
        assert!(!is_subject("CN=x\ny", &certificate("CN=x\ny")));
        assert!(!is_subject("", &certificate("")));
    }
}
