//! Client grants as types.

use crate::clients::model::OrganizationUsage;
use crate::wire::{ClientGrantId, ClientId, OrganizationId, keeps_nulls, wire_enum};
use crate::{Object, Patch};
use serde::{Deserialize, Serialize};

wire_enum! {
    /// For whom a client calls an API.
    SubjectType {
        /// For itself.
        Client = "client",
        /// For a user.
        User = "user",
    }
}

/// The body of `POST /client-grants`: for one client, or for a class of clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewClientGrant {
    /// The client; this or `default_for`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The identifier of the API.
    pub audience: String,
    /// The scopes that are granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// `third_party_clients`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_for: Option<String>,
    /// For whom the client calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<SubjectType>,
    /// Whether tokens are for an organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_usage: Option<OrganizationUsage>,
    /// Whether every organization will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_any_organization: Option<bool>,
    /// Types of authorization details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details_types: Option<Vec<String>>,
    /// Whether every scope of the API is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_all_scopes: Option<bool>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// The body of `PATCH /client-grants/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientGrantPatch {
    /// The scopes that are granted.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub scope: Patch<Vec<String>>,
    /// Whether tokens are for an organization.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub organization_usage: Patch<OrganizationUsage>,
    /// Whether every organization will do.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub allow_any_organization: Patch<bool>,
    /// Types of authorization details.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub authorization_details_types: Patch<Vec<String>>,
    /// Whether every scope of the API is granted.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub allow_all_scopes: Patch<bool>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// A client grant as answers show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct ClientGrant {
    /// Its id.
    pub id: ClientGrantId,
    /// The grant itself.
    #[serde(flatten)]
    pub grant: NewClientGrant,
}

keeps_nulls!(ClientGrant in grant.other);

/// An organization as `GET /client-grants/{id}/organizations` shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct GrantedOrganization {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<OrganizationId>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Ten entries of 255 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Object>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

keeps_nulls!(GrantedOrganization);
