//! Rates that imitate Auth0's plans, as its documentation publishes them (Rate Limit Configurations: Free; Essentials and
//! Professional; Enterprise, in production). What this server does not serve is left out.

use super::bucket::Rate;

/// A plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Nothing is limited but what own numbers say.
    #[default]
    Off,
    /// Free.
    Free,
    /// Essentials and Professional.
    Essentials,
    /// Enterprise, in production.
    Enterprise,
}

impl std::str::FromStr for Profile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            "free" => Ok(Self::Free),
            "essentials" => Ok(Self::Essentials),
            "enterprise" => Ok(Self::Enterprise),
            _ => Err("must be off, free, essentials or enterprise"),
        }
    }
}

/// The rates of a plan.
pub(super) struct Rates {
    pub(super) management: Option<Rate>,
    pub(super) authentication: Option<Rate>,
    pub(super) endpoints: &'static [Endpoint],
    /// Whether requests to an endpoint with a limit of its own leave the one of the Management API alone.
    pub(super) endpoints_stand_apart: bool,
}

/// A limit of some operations together.
pub(super) struct Endpoint {
    pub(super) methods: &'static [&'static str],
    pub(super) routes: &'static [&'static str],
    pub(super) rate: Rate,
    /// Only for requests with this parameter in their query.
    pub(super) parameter: Option<&'static str>,
}

const fn endpoint(methods: &'static [&'static str], routes: &'static [&'static str], rate: Rate) -> Endpoint {
    Endpoint { methods, routes, rate, parameter: None }
}

const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];
const WRITE: &[&str] = &["POST", "PUT", "PATCH", "DELETE"];

const CLIENTS: &[&str] = &["/api/v2/clients"];
const ORGANIZATIONS: &[&str] = &["/api/v2/organizations"];
const ORGANIZATION: &[&str] = &["/api/v2/organizations/{id}"];
const ALL_ORGANIZATIONS: &[&str] = &["/api/v2/organizations", "/api/v2/organizations/{id}"];
const ORGANIZATION_BY_NAME: &[&str] = &["/api/v2/organizations/name/{name}"];
const ORGANIZATION_CONNECTIONS: &[&str] = &[
    "/api/v2/organizations/{id}/enabled_connections",
    "/api/v2/organizations/{id}/enabled_connections/{connection_id}",
    "/api/v2/organizations/{id}/connections",
    "/api/v2/organizations/{id}/connections/{connection_id}",
];
const ORGANIZATION_GRANTS: &[&str] = &["/api/v2/organizations/{id}/client-grants"];
const CONNECTIONS: &[&str] = &["/api/v2/connections"];
const CONNECTION_STATUS: &[&str] = &["/api/v2/connections/{id}/status"];
const ROTATE: &[&str] = &["/api/v2/keys/signing/rotate"];
const LOGS: &[&str] = &["/api/v2/logs"];
const EMAIL_TEMPLATES: &[&str] = &["/api/v2/email-templates", "/api/v2/email-templates/{templateName}"];
const EMAIL_PROVIDER: &[&str] = &["/api/v2/emails/provider"];
const REGISTER: Endpoint = endpoint(POST, &["/oidc/register"], Rate::per_second(5, 5));
const STATUS: Endpoint = endpoint(GET, CONNECTION_STATUS, Rate::per_second(15, 100));
const ROTATION: Endpoint = endpoint(POST, ROTATE, Rate::per_day(5, 5));

const FREE: &[Endpoint] = &[
    endpoint(POST, &["/oauth/token"], Rate::per_second(30, 30)),
    endpoint(GET, &["/.well-known/jwks.json"], Rate::per_second(20, 20)),
    REGISTER,
    STATUS,
    ROTATION,
    endpoint(WRITE, EMAIL_TEMPLATES, Rate::per_minute(25, 5)),
    endpoint(GET, EMAIL_TEMPLATES, Rate::per_minute(50, 10)),
    endpoint(WRITE, EMAIL_PROVIDER, Rate::per_minute(25, 5)),
    endpoint(GET, EMAIL_PROVIDER, Rate::per_minute(25, 5)),
];

const ESSENTIALS: &[Endpoint] = &[
    REGISTER,
    endpoint(GET, ORGANIZATIONS, Rate::per_minute(50, 5)),
    endpoint(GET, ORGANIZATION, Rate::per_minute(200, 20)),
    endpoint(GET, ORGANIZATION_BY_NAME, Rate::per_minute(100, 10)),
    endpoint(WRITE, ALL_ORGANIZATIONS, Rate::per_minute(25, 5)),
    endpoint(GET, ORGANIZATION_CONNECTIONS, Rate::per_minute(50, 5)),
    endpoint(WRITE, ORGANIZATION_CONNECTIONS, Rate::per_minute(25, 5)),
    endpoint(GET, ORGANIZATION_GRANTS, Rate::per_minute(100, 10)),
    endpoint(POST, ORGANIZATION_GRANTS, Rate::per_minute(150, 5)),
    endpoint(GET, CLIENTS, Rate::per_minute(100, 5)),
    endpoint(GET, CONNECTIONS, Rate::per_minute(50, 5)),
    endpoint(GET, LOGS, Rate::per_minute(100, 10)),
    STATUS,
    ROTATION,
    endpoint(WRITE, EMAIL_TEMPLATES, Rate::per_minute(25, 5)),
    endpoint(GET, EMAIL_TEMPLATES, Rate::per_minute(50, 10)),
    endpoint(WRITE, EMAIL_PROVIDER, Rate::per_minute(25, 5)),
    endpoint(GET, EMAIL_PROVIDER, Rate::per_minute(25, 5)),
];

const ENTERPRISE: &[Endpoint] = &[
    REGISTER,
    endpoint(GET, ORGANIZATION_BY_NAME, Rate::per_minute(200, 20)),
    endpoint(WRITE, ALL_ORGANIZATIONS, Rate::per_minute(150, 5)),
    endpoint(GET, ORGANIZATION_CONNECTIONS, Rate::per_minute(100, 10)),
    endpoint(WRITE, ORGANIZATION_CONNECTIONS, Rate::per_minute(150, 5)),
    endpoint(GET, ORGANIZATION_GRANTS, Rate::per_minute(100, 10)),
    endpoint(POST, ORGANIZATION_GRANTS, Rate::per_minute(150, 5)),
    Endpoint { parameter: Some("q"), ..endpoint(GET, CLIENTS, Rate::per_minute(150, 5)) },
    STATUS,
    ROTATION,
    endpoint(WRITE, EMAIL_TEMPLATES, Rate::per_minute(100, 10)),
    endpoint(GET, EMAIL_TEMPLATES, Rate::per_minute(150, 15)),
    endpoint(WRITE, EMAIL_PROVIDER, Rate::per_minute(100, 10)),
    endpoint(GET, EMAIL_PROVIDER, Rate::per_minute(150, 15)),
];

impl Profile {
    pub(super) fn rates(self) -> Rates {
        let (management, authentication, endpoints) = match self {
            Self::Off => (None, None, &[][..]),
            Self::Free => (Some(Rate::per_second(2, 2)), Some(Rate::per_minute(300, 300)), FREE),
            Self::Essentials => (Some(Rate::per_minute(150, 10)), Some(Rate::per_second(25, 25)), ESSENTIALS),
            Self::Enterprise => {
                (Some(Rate::per_second(16, 50)), Some(Rate::per_second(100, 100)), ENTERPRISE)
            }
        };
        Rates { management, authentication, endpoints, endpoints_stand_apart: self == Self::Essentials }
    }
}
