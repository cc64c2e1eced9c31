//! What the log says of the token endpoint.

use super::attempt::{text, user_agent};
use super::{Chain, Event, tame};
use crate::app::App;
use crate::clients::Client;
use crate::http::{Refused, Source};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use std::net::IpAddr;
use std::sync::Arc;
use tenantry_jose::{base64url, sha256};
use tenantry_types::logs::types;

/// The id under which the log knows a token: its own, or a digest of its signature where its dialect has none.
pub(crate) fn token_id(jti: Option<&str>, token: &str) -> String {
    jti.map_or_else(
        || {
            let signature = token.rsplit_once('.').map_or(token, |(_, signature)| signature);
            base64url(&sha256(signature.as_bytes())[..16])
        },
        tame,
    )
}

/// Who sent a token request, as far as that is known without a proof.
pub(crate) struct Requester {
    ip: IpAddr,
    user_agent: Option<HeaderValue>,
}

impl Requester {
    pub(crate) fn of(source: Source, headers: &HeaderMap) -> Self {
        Self { ip: source.0, user_agent: user_agent(headers) }
    }
}

/// A token that was issued.
pub(crate) struct Issued {
    pub(crate) audience: String,
    pub(crate) scope: String,
    pub(crate) organization_id: Option<String>,
    pub(crate) token_id: String,
}

/// A token that was not.
pub(crate) struct Denied {
    /// Auth0's code, by what was asked for.
    pub(crate) grant_type: Option<String>,
    /// The client that the request named.
    pub(crate) client_id: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) refused: Refused,
}

/// One token request.
pub(super) struct TokenRequest {
    date: i64,
    requester: Requester,
    client: Option<Arc<Client>>,
    outcome: Outcome,
}

enum Outcome {
    Issued(Issued),
    Denied(Denied),
}

impl TokenRequest {
    pub(super) fn issued(date: i64, requester: Requester, client: Arc<Client>, issued: Issued) -> Self {
        Self { date, requester, client: Some(client), outcome: Outcome::Issued(issued) }
    }

    pub(super) fn denied(
        date: i64,
        requester: Requester,
        client: Option<Arc<Client>>,
        denied: Denied,
    ) -> Self {
        Self { date, requester, client, outcome: Outcome::Denied(denied) }
    }

    /// The client that it says to be.
    pub(super) fn client_id(&self) -> Option<&str> {
        match (&self.client, &self.outcome) {
            (Some(client), _) => Some(&client.client_id),
            (None, Outcome::Denied(denied)) => denied.client_id.as_deref(),
            (None, Outcome::Issued(_)) => None,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match &self.outcome {
            Outcome::Issued(_) => types::TOKEN,
            Outcome::Denied(denied) => denied.kind(),
        }
    }

    pub(super) fn into_event(self, app: &App) -> Event {
        let client_id = self.client_id().map(tame);
        let client_name = self.client.as_ref().map_or("", |client| &client.name);
        let mut document = Document {
            description: "Client Credentials for Access Token",
            connection_id: "",
            client_name,
            ip: self.requester.ip.to_string(),
            user_agent: text(self.requester.user_agent.as_ref()),
            hostname: &app.domain,
            user_id: "",
            user_name: "",
            audience: "",
            scope: None,
            organization_id: None,
            details: Details { token_id: None, error: None, reason: None },
        };
        let document = match &self.outcome {
            Outcome::Issued(issued) => {
                document.audience = &issued.audience;
                document.scope = Some(tame(&issued.scope));
                document.organization_id = issued.organization_id.as_deref();
                document.details.token_id = Some(&issued.token_id);
                serde_json::to_string(&document)
            }
            Outcome::Denied(denied) => {
                let (description, audience) =
                    (tame(&denied.refused.message), tame(denied.audience.as_deref().unwrap_or_default()));
                document.description = &description;
                document.audience = &audience;
                document.details.error = denied.refused.code;
                document.details.reason = denied.refused.hint.as_deref().map(tame);
                serde_json::to_string(&document)
            }
        };
        Event {
            tenant: app.tenant.clone(),
            chain: Chain::Attempts,
            date: self.date,
            kind: self.kind(),
            client_id,
            document: document.expect("texts are JSON"),
        }
    }
}

impl Denied {
    fn kind(&self) -> &'static str {
        match self.grant_type.as_deref() {
            Some("authorization_code") => "feacft",
            Some("refresh_token") => "fertft",
            Some("password" | "http://auth0.com/oauth/grant-type/password-realm") => "fepft",
            Some("urn:ietf:params:oauth:grant-type:device_code") => "fede",
            _ => types::NO_TOKEN,
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    description: &'a str,
    connection_id: &'static str,
    client_name: &'a str,
    ip: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_agent: String,
    hostname: &'a str,
    user_id: &'static str,
    user_name: &'static str,
    audience: &'a str,
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    details: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}
