//! The strategies, one line each: what is added to the options that were sent, and what else is special.

use super::scopes::{self, ScopeRule};

/// What a strategy does to a connection. Defaults are JSON objects, laid under the options that were sent.
#[derive(Clone, Copy, Debug)]
pub struct Strategy {
    /// The word on the wire.
    pub name: &'static str,
    /// Options of a new connection.
    pub(super) on_create: &'static str,
    /// Options that come back whenever an update leaves them out.
    pub(super) on_update: &'static str,
    /// Options that an update keeps when it leaves them out; any other option goes.
    pub(super) kept: &'static [&'static str],
    /// How `options.scope` follows from the other options.
    pub(super) scope: ScopeRule,
    /// Whether the connection has `show_as_button`.
    pub(super) is_enterprise: bool,
    /// Whether `display_name` is the name, unless it is sent.
    pub(super) has_display_name: bool,
    /// Whether a new connection says what it is for: `authentication` and `connected_accounts`.
    pub(super) has_purposes: bool,
    /// How long the ticket is by which an administrator elsewhere sets up the other side; 0 when there is none.
    pub(super) ticket: usize,
    /// How the rest of the options is derived.
    pub(super) family: Family,
}

/// Strategies whose options follow rules of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// None.
    Plain,
    /// A database of users.
    Database,
    /// `OpenID` Connect.
    OpenId,
}

impl Strategy {
    /// The strategy of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        STRATEGIES.iter().find(|strategy| strategy.name == name)
    }

    const fn named(name: &'static str) -> Self {
        Self {
            name,
            on_create: "{}",
            on_update: "{}",
            kept: &[],
            scope: ScopeRule::None,
            is_enterprise: false,
            has_display_name: false,
            has_purposes: true,
            ticket: 0,
            family: Family::Plain,
        }
    }

    /// Options of a new connection, which updates bring back too.
    const fn always(self, defaults: &'static str) -> Self {
        Self { on_create: defaults, on_update: defaults, ..self }
    }

    const fn on_create(self, defaults: &'static str) -> Self {
        Self { on_create: defaults, ..self }
    }

    const fn on_update(self, defaults: &'static str) -> Self {
        Self { on_update: defaults, ..self }
    }

    const fn kept(self, kept: &'static [&'static str]) -> Self {
        Self { kept, ..self }
    }

    const fn scope(self, scope: ScopeRule) -> Self {
        Self { scope, ..self }
    }

    const fn enterprise(self) -> Self {
        Self { is_enterprise: true, ..self }
    }

    const fn display_name(self) -> Self {
        Self { has_display_name: true, ..self }
    }

    const fn no_purposes(self) -> Self {
        Self { has_purposes: false, ..self }
    }

    const fn ticket(self, length: usize) -> Self {
        Self { ticket: length, ..self }
    }

    const fn family(self, family: Family) -> Self {
        Self { family, ..self }
    }
}

const fn named(name: &'static str) -> Strategy {
    Strategy::named(name)
}

const DATABASE: &str = r#"{"mfa":{"active":true,"return_enroll_settings":true},"strategy_version":2,
    "authentication_methods":{"password":{"enabled":true,"api_behavior":"required","signup_behavior":"allow"},
    "passkey":{"enabled":false}},
    "passkey_options":{"challenge_ui":"both","progressive_enrollment_enabled":true,"local_enrollment_enabled":true},
    "brute_force_protection":true}"#;

const WAAD: &str = r#"{"identity_api":"microsoft-identity-platform-v2.0","useCommonEndpoint":false,
    "should_trust_email_verified_connection":"never_set_emails_as_verified","waad_common_endpoint":false,
    "use_wsfed":false,"waad_protocol":"openid-connect"}"#;

/// Every strategy.
pub const STRATEGIES: &[Strategy] = &[
    named("ad").no_purposes()
        .always(r#"{"ips":null}"#)
        .on_create(r#"{"ips":null,"brute_force_protection":true}"#)
        .enterprise()
        .ticket(32),
    named("adfs").no_purposes()
        .always(
            r#"{"thumbprints":[],"should_trust_email_verified_connection":"always_set_emails_as_verified"}"#,
        )
        .enterprise()
        .ticket(8),
    named("amazon"),
    named("apple").no_purposes(),
    named("auth0")
        .on_create(DATABASE)
        .on_update(r#"{"brute_force_protection":true}"#)
        .kept(&["authentication_methods", "passkey_options", "brute_force_protection"])
        .family(Family::Database),
    named("auth0-oidc").enterprise(),
    named("baidu"),
    named("bitbucket"),
    named("bitly"),
    named("box"),
    named("custom"),
    named("daccount"),
    named("dropbox"),
    named("dwolla"),
    named("email").no_purposes().on_create(r#"{"brute_force_protection":true}"#),
    named("evernote"),
    named("evernote-sandbox"),
    named("exact"),
    named("facebook").no_purposes().scope(ScopeRule::Joined),
    named("fitbit"),
    named("github").no_purposes().scope(ScopeRule::Listed(&[], scopes::GITHUB)),
    named("google-apps").no_purposes()
        .always(r#"{"map_user_id_to_id":false,"email":true,"profile":true,"handle_login_from_social":true}"#)
        .scope(ScopeRule::Listed(&[], scopes::EMAIL_AND_PROFILE))
        .enterprise()
        .ticket(8),
    named("google-oauth2").no_purposes()
        .always(r#"{"email":true,"profile":true}"#)
        .scope(ScopeRule::Listed(&[], scopes::GOOGLE)),
    named("instagram"),
    named("ip").enterprise(),
    named("line")
        .always(r#"{"profile":true}"#)
        .scope(ScopeRule::Listed(&["openid"], scopes::EMAIL_AND_PROFILE)),
    named("linkedin").no_purposes().always(r#"{"profile":true}"#).scope(ScopeRule::LinkedIn),
    named("oauth1").no_purposes(),
    named("oauth2"),
    named("office365").enterprise(),
    named("oidc")
        .always(r#"{"schema_version":"oidc-V4","type":"front_channel","attribute_map":{"mapping_mode":"bind_all"}}"#)
        .enterprise()
        .display_name()
        .family(Family::OpenId),
    named("okta")
        .always(r#"{"schema_version":"oidc-V4","type":"back_channel","attribute_map":{"mapping_mode":"basic_profile"}}"#)
        .enterprise()
        .display_name()
        .family(Family::OpenId),
    named("paypal"),
    named("paypal-sandbox"),
    named("pingfederate").enterprise().ticket(8),
    named("planningcenter"),
    named("salesforce").no_purposes().scope(ScopeRule::Listed(&[], &[])),
    named("salesforce-community").no_purposes().scope(ScopeRule::Listed(&[], &[])),
    named("salesforce-sandbox").scope(ScopeRule::Listed(&[], &[])),
    named("samlp").no_purposes().enterprise().ticket(8),
    named("sharepoint").enterprise(),
    named("shop"),
    named("shopify"),
    named("sms").no_purposes().on_create(r#"{"brute_force_protection":true}"#),
    named("soundcloud"),
    named("thirtysevensignals"),
    named("twitter"),
    named("untappd"),
    named("vkontakte"),
    named("waad").no_purposes().always(WAAD).enterprise().display_name().ticket(8),
    named("weibo"),
    named("windowslive").no_purposes().always(r#"{"signin":true}"#).scope(ScopeRule::Listed(&[], scopes::MICROSOFT)),
    named("wordpress").no_purposes().always(r#"{"profile":true}"#).scope(ScopeRule::Listed(&[], scopes::PROFILE)),
    named("yahoo"),
    named("yandex"),
];

/// The names of all strategies.
pub const NAMES: &[&str] = &names();

const fn names() -> [&'static str; STRATEGIES.len()] {
    let mut names = [""; STRATEGIES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = STRATEGIES[i].name;
        i += 1;
    }
    names
}
