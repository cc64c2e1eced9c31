//! Named formats of strings, as they are printed in validation messages.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::Url;

/// A format that a string may have to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `""` or an absolute URI.
    AbsoluteUriOrEmpty,
    /// `""` or an absolute `https:` URI.
    AbsoluteHttpsUriOrEmpty,
    /// As before, with `{organization_name}`-like placeholders and `*` in the host.
    AbsoluteHttpsUriWithPlaceholdersOrEmpty,
    /// A redirect URI: any scheme but script ones, placeholders and `*` in the host.
    CallbackUrl,
    /// An origin or URL with an authority, placeholders and `*` in the host.
    UrlWithPlaceholders,
    /// An absolute URL.
    Url,
    /// The same, for members that also take `null`.
    UrlOrNull,
    /// A template of an initiate-login URI with `{organization_name}`, `{organization_id}`, `{connection_name}`.
    EcInitiateLoginUriTemplateUrl,
    /// `""` or an e-mail address.
    EmailOrEmpty,
    /// A class of authentication contexts: a URI or a word.
    Acr,
    /// The id of a client.
    ClientId,
    /// `org_` and 16 letters and digits.
    OrganizationId,
    /// The name of an organization: lower-case letters, digits, `-` and `_`, a letter or digit first.
    OrganizationName,
    /// `cgr_` and 16 letters and digits.
    ClientGrantId,
    /// `con_` and 16 letters and digits.
    ConnectionId,
    /// `cred_` and 22 base58 characters.
    CredentialId,
    /// `cop_` and 22 base58 characters.
    ConnectionProfileId,
    /// `uap_` and 22 base58 characters.
    UserAttributeProfileId,
    /// An absolute `https:` URI, for members that also take `null`.
    StrictHttpsUriOrNull,
    /// A color as HTML writes it, `#` and three or six hexadecimal digits.
    HtmlColor,
    /// An RFC 3339 date and time.
    DateTime,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An IPv4 network in CIDR notation.
    Cidr,
    /// An IPv6 network in CIDR notation.
    Ipv6Cidr,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AbsoluteUriOrEmpty => "absolute-uri-or-empty",
            Self::AbsoluteHttpsUriOrEmpty => "absolute-https-uri-or-empty",
            Self::AbsoluteHttpsUriWithPlaceholdersOrEmpty => "absolute-https-uri-with-placeholders-or-empty",
            Self::CallbackUrl => "callback-url",
            Self::UrlWithPlaceholders => "url-with-placeholders",
            Self::Url => "url",
            Self::UrlOrNull => "url-or-null",
            Self::EcInitiateLoginUriTemplateUrl => "ec-initiate-login-uri-template-url",
            Self::EmailOrEmpty => "email-or-empty",
            Self::Acr => "acr",
            Self::ClientId => "client-id",
            Self::OrganizationId => "organization-id",
            Self::OrganizationName => "organization-name",
            Self::ClientGrantId => "client-grant-id",
            Self::ConnectionId => "connection-id",
            Self::CredentialId => "credential-id",
            Self::ConnectionProfileId => "connection-profile-id",
            Self::UserAttributeProfileId => "user-attribute-profile-id",
            Self::StrictHttpsUriOrNull => "strict-https-uri-or-null",
            Self::HtmlColor => "html-color",
            Self::DateTime => "date-time",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Cidr => "cidr",
            Self::Ipv6Cidr => "ipv6_cidr",
        })
    }
}

/// URLs longer than this are refused, whatever their format.
pub const MAX_URL: usize = 2_048;

impl Format {
    /// Whether `text` follows the format.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::AbsoluteUriOrEmpty => text.is_empty() || absolute(text).is_some(),
            Self::AbsoluteHttpsUriOrEmpty => {
                text.is_empty() || absolute(text).is_some_and(|url| is_https(&url))
            }
            Self::AbsoluteHttpsUriWithPlaceholdersOrEmpty => {
                text.is_empty() || with_placeholders(text).is_some_and(|url| is_https(&url))
            }
            Self::CallbackUrl => with_placeholders(text).is_some_and(|url| is_safe_scheme(&url)),
            Self::UrlWithPlaceholders => {
                with_placeholders(text).is_some_and(|url| is_safe_scheme(&url) && url.has_host())
            }
            Self::Url | Self::UrlOrNull => absolute(text).is_some_and(|url| url.has_host()),
            Self::EcInitiateLoginUriTemplateUrl => {
                const KNOWN: [&str; 3] = ["{organization_name}", "{organization_id}", "{connection_name}"];
                let filled = KNOWN.iter().fold(text.to_owned(), |text, name| text.replace(name, "x"));
                !filled.contains(['{', '}']) && absolute(&filled).is_some_and(|url| is_https(&url))
            }
            Self::EmailOrEmpty => text.is_empty() || is_email(text),
            Self::Acr => {
                (1..=MAX_URL).contains(&text.len())
                    && !text.contains(|c: char| c.is_whitespace() || c.is_control())
            }
            Self::ClientId => {
                (1..=64).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            }
            Self::OrganizationId => is_prefixed(text, "org_", 16, is_alphanumeric),
            Self::OrganizationName => {
                text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
                    && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            }
            Self::ClientGrantId => is_prefixed(text, "cgr_", 16, is_alphanumeric),
            Self::ConnectionId => is_prefixed(text, "con_", 16, is_alphanumeric),
            Self::CredentialId => is_prefixed(text, "cred_", 22, is_base58),
            Self::ConnectionProfileId => is_prefixed(text, "cop_", 22, is_base58),
            Self::UserAttributeProfileId => is_prefixed(text, "uap_", 22, is_base58),
            Self::StrictHttpsUriOrNull => absolute(text).is_some_and(|url| is_https(&url)),
            Self::HtmlColor => text.strip_prefix('#').is_some_and(|digits| {
                matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
            }),
            Self::DateTime => crate::time::parse(text).is_some(),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Cidr => is_network(text, 32, std::net::IpAddr::is_ipv4),
            Self::Ipv6Cidr => is_network(text, 128, std::net::IpAddr::is_ipv6),
        }
    }
}

/// An address as people have one: a local part and a domain, no longer than RFC 5321 section 4.5.3.1 allows.
fn is_email(text: &str) -> bool {
    let strange = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c);
    text.len() <= 254
        && !text.contains(strange)
        && text.rsplit_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.len())
                && !local.contains('@')
                && domain.split('.').count() > 1
                && domain.split('.').all(|label| !label.is_empty())
        })
}

fn is_base58(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte)
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_prefixed(text: &str, prefix: &str, length: usize, accepts: fn(u8) -> bool) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| rest.len() == length && rest.bytes().all(accepts))
}

fn is_network(text: &str, bits: u8, family: fn(&IpAddr) -> bool) -> bool {
    text.split_once('/').is_some_and(|(address, prefix)| {
        address.parse().is_ok_and(|ip| family(&ip))
            && prefix.bytes().all(|b| b.is_ascii_digit())
            && prefix.parse::<u8>().is_ok_and(|prefix| prefix <= bits)
    })
}

fn is_https(url: &Url) -> bool {
    url.scheme() == "https"
}

/// A browser runs what these schemes carry instead of going somewhere.
fn is_safe_scheme(url: &Url) -> bool {
    !matches!(url.scheme(), "javascript" | "data" | "vbscript" | "about" | "blob")
}

/// An absolute URL without white space, control characters, or a comma that separates it from another one (several
/// URLs pasted into one field are the commonest mistake here).
fn absolute(text: &str) -> Option<Url> {
    if text.len() > MAX_URL || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return None;
    }
    if text.ends_with(',') || text.split(',').skip(1).any(|rest| rest.contains("://")) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    if url.host_str().is_some_and(|host| host.contains(',')) {
        return None;
    }
    // The parser repairs what it can ("https:example.com"); a stored URL is compared as it was written.
    let special = matches!(url.scheme(), "http" | "https" | "ws" | "wss" | "ftp");
    let rest = &text[text.find(':')? + 1..];
    (!special || (rest.starts_with("//") && !rest.starts_with("///")))
        .then_some(url)
        .filter(|url| !url.cannot_be_a_base() || !rest.is_empty())
}

/// Reads a URL whose host may hold `*` as its first label, and which may hold `{placeholders}`.
fn with_placeholders(text: &str) -> Option<Url> {
    if text.len() > MAX_URL {
        return None;
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        let end = from.find('}')?;
        let name = &from[1..end];
        if name.is_empty()
            || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        {
            return None;
        }
        filled.push_str(before);
        filled.push('x');
        rest = &from[end + 1..];
    }
    if rest.contains('}') {
        return None;
    }
    filled.push_str(rest);
    if let Some(host) = filled.find("://").map(|at| at + 3)
        && filled[host..].starts_with('*')
    {
        // `https://*.example.com`, and `app-*.example.com` is not a thing: only a whole leading label.
        if !filled[host..].starts_with("*.") {
            return None;
        }
        filled.replace_range(host..=host, "x");
    }
    let authority_end = filled
        .find("://")
        .map_or(0, |at| filled[at + 3..].find(['/', '?', '#']).map_or(filled.len(), |end| at + 3 + end));
    if filled[..authority_end].contains('*') {
        return None;
    }
    absolute(&filled)
}

#[cfg(test)]
mod tests {
    use super::Format::*;
    use super::*;
    use proptest::prelude::*;

    fn check(format: Format, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(format.accepts(text), "{format} should accept {text:?}");
        }
        for text in bad {
            assert!(!format.accepts(text), "{format} should refuse {text:?}");
        }
    }

    #[test]
    fn callback_urls() {
        let long = format!("myapp://{{{}}}", "a.".repeat(MAX_URL / 2));
        check(
            CallbackUrl,
            &[
                "https://example.com/callback",
                "http://localhost:3000",
                "http://127.0.0.1:8080/cb?x=1,2",
                "https://*.example.com/cb",
                "https://{organization_name}.example.com/cb",
                "com.example.app://tenant.example.com/ios/com.example.app/callback",
                "myapp:/callback",
                "myapp:callback",
                "https://system-admin.okta.com/admin/app/generic/oauth20redirect",
            ],
            &[
                "",
                "example.com",
                "/relative",
                "https://",
                "https:example.com",
                "https:///example.com",
                &long,
                "https://a.com,https://b.com",
                "https://a.com,",
                "http://a,b",
                "https://a.com https://b.com",
                "https://a*.example.com",
                "https://foo.*.example.com",
                "https://{}.example.com",
                "https://{a b}.example.com",
                "https://{open.example.com",
                "https://close}.example.com",
                "javascript:alert(1)",
                "JaVaScRiPt:alert(1)",
                "data:text/html,x",
                "https://exa\nmple.com",
                "https://example.com\\@evil.com",
                "myapp:",
            ],
        );
    }

    #[test]
    fn origins_and_logout_urls() {
        check(
            UrlWithPlaceholders,
            &[
                "https://example.com",
                "http://localhost:4040",
                "https://*.example.com:8080",
                "capacitor://localhost",
                "app.test://x/logout",
            ],
            &["", "example.com", "*", "https://*", "javascript://x", "mailto:a@b.c"],
        );
    }

    #[test]
    fn login_uris() {
        check(
            AbsoluteHttpsUriWithPlaceholdersOrEmpty,
            &["", "https://example.com/login", "https://{organization_name}.example.com/login"],
            &["http://localhost:3000/login", "example.com", " "],
        );
        check(
            EcInitiateLoginUriTemplateUrl,
            &[
                "https://example.com/{organization_name}/{connection_name}",
                "https://x.example.com?o={organization_id}",
            ],
            &["", "https://example.com/{other}", "http://example.com"],
        );
        check(AbsoluteHttpsUriOrEmpty, &["", "https://a.b"], &["http://localhost:3000/login"]);
        check(
            AbsoluteUriOrEmpty,
            &["", "http://a.b/c.png", "data:image/png;base64,AA=="],
            &["a.png", "//a.b/c"],
        );
        check(Url, &["https://a.b/c"], &["", "a"]);
        check(StrictHttpsUriOrNull, &["https://a.b/logo.png"], &["", "http://a.b/logo.png", "a.png"]);
    }

    #[test]
    fn identifiers() {
        check(
            OrganizationId,
            &["org_z5YvxlXPO0NspoIa"],
            &["org_z5YvxlXPO0NspoI", "z5YvxlXPO0NspoIa", "org_z5YvxlXPO0Nspo-a"],
        );
        check(OrganizationName, &["acme", "a", "4-u_2"], &["", "Acme", "-acme", "_acme", "a b", "acmé"]);
        check(ConnectionId, &["con_PmFe8KxCsPJvZRrj"], &["con_", "org_PmFe8KxCsPJvZRrj"]);
        check(HtmlColor, &["#fff", "#00FF7f"], &["", "fff", "#ffff", "#00ff7g", "red"]);
        check(CredentialId, &["cred_u48ffSJiNu39cUu2jAxjY2"], &["cred_u48ffSJiNu39cUu2jAxjY0", "cred_"]);
        check(
            ClientId,
            &["pZQmotfQIQPrLH5Yz3bgnkvqqrOkokoi", "tpc_vbc2Y77hGZfbhkSi7y3gTh"],
            &["", "a b", "é"],
        );
    }

    #[test]
    fn people_and_contexts() {
        check(
            EmailOrEmpty,
            &["", "a@b.c", "first.last+tag@mail.example.com"],
            &["a", "a@b", "@b.c", "a@b..c", "a b@c.d", "a@b@c.d", "a@b.c\n", "<a@b.c>"],
        );
        check(Acr, &["foo", "urn:mace:incommon:iap:silver"], &["", "a b", "a\n"]);
    }

    #[test]
    fn addresses_and_times() {
        check(Cidr, &["10.0.0.0/8", "1.2.3.4/32"], &["10.0.0.0", "10.0.0.0/33", "10.0.0.0/+8", "::/0"]);
        check(Ipv6Cidr, &["2001:db8::/32"], &["2001:db8::/129", "10.0.0.0/8"]);
        check(Ipv4, &["1.2.3.4"], &["1.2.3", "::1"]);
        check(Ipv6, &["::1"], &["1.2.3.4"]);
        check(
            DateTime,
            &["2095-05-13T09:33:13Z", "2095-05-13T09:33:13.000Z", "2025-01-01T00:00:00+01:00"],
            &["2095-05-13", "tomorrow"],
        );
    }

    const ALL: [Format; 25] = [
        EmailOrEmpty,
        Acr,
        AbsoluteUriOrEmpty,
        AbsoluteHttpsUriOrEmpty,
        AbsoluteHttpsUriWithPlaceholdersOrEmpty,
        CallbackUrl,
        UrlWithPlaceholders,
        Url,
        UrlOrNull,
        EcInitiateLoginUriTemplateUrl,
        ClientId,
        OrganizationId,
        OrganizationName,
        ClientGrantId,
        ConnectionId,
        CredentialId,
        ConnectionProfileId,
        UserAttributeProfileId,
        StrictHttpsUriOrNull,
        HtmlColor,
        DateTime,
        Ipv4,
        Ipv6,
        Cidr,
        Ipv6Cidr,
    ];

    proptest! {
        #[test]
        fn no_text_makes_a_format_panic(text in r"(https?://|[a-z]{1,5}:)?[\PC{}*,/.:?#\[\]@]{0,40}") {
            for format in ALL {
                let _ = format.accepts(&text);
            }
        }

        #[test]
        fn an_accepted_callback_never_runs_script(text in r"\s?[jJ]a[vV]ascript:[ -~]{0,20}") {
            prop_assert!(!CallbackUrl.accepts(&text));
        }

        #[test]
        fn plain_https_urls_are_accepted(host in "[a-z]{1,10}(\\.[a-z]{2,5}){1,2}", path in "(/[a-z0-9]{0,8}){0,3}") {
            let url = format!("https://{host}{path}");
            for format in [CallbackUrl, UrlWithPlaceholders, Url, AbsoluteHttpsUriOrEmpty, AbsoluteUriOrEmpty] {
                prop_assert!(format.accepts(&url));
            }
        }
    }
}
