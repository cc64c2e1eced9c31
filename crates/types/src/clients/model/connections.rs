//! Connections that a client's users may log in with.

use crate::Object;
use crate::wire::{ConnectionId, Unprinted, keeps_nulls};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A connection as `GET /clients/{id}/connections` shows it. What was not asked for is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct ClientConnection {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ConnectionId>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Which kind of identity provider it is: `auth0`, `google-oauth2`, `samlp` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Settings of that kind; never printed, because they hold secrets of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Unprinted<Object>>,
    /// The realms that it is used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realms: Option<Vec<String>>,
    /// Whether it is for other tenants as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_domain_connection: Option<bool>,
    /// Whether the login page has a button for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_as_button: Option<bool>,
    /// Up to ten entries of 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// Whether users log in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Value>,
    /// Whether users link accounts by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_accounts: Option<Value>,
    /// Access from other applications, as the one that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_app_access_requesting_app: Option<Value>,
    /// The same, as the one that is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_app_access_resource_app: Option<Value>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

keeps_nulls!(ClientConnection);
