//! Organizations of a client, and what they may do to it.

use crate::format::Format;
use crate::schema::{Schema, array, boolean, format, object, one_of, optional, required, string};

pub(in crate::clients) fn default_organization() -> Schema {
    object([
        required("organization_id", format(Format::OrganizationId).describe("Id of the organization")),
        required(
            "flows",
            array(one_of(&["client_credentials"])).describe("Flows in which the organization is assumed"),
        ),
    ])
    .nullable()
    .describe("The organization that is assumed when a request names none")
}

pub(in crate::clients) fn organization_usage() -> Schema {
    one_of(&["deny", "allow", "require"])
        .describe("Whether users log in to an organization: deny (default), allow, require")
}

pub(in crate::clients) fn organization_require_behavior() -> Schema {
    one_of(&["no_prompt", "pre_login_prompt", "post_login_prompt"])
        .describe("When users are asked for a required organization, `no_prompt` by default")
}

pub(in crate::clients) fn organization_discovery_methods() -> Schema {
    array(
        one_of(&["email", "organization_name"])
            .describe("By domain of the `email`, or by `organization_name`"),
    )
    .min(1)
    .describe("How users find their organization in `pre_login_prompt`")
}

pub(in crate::clients) fn express_configuration() -> Schema {
    let linked =
        object([required("client_id", format(Format::ClientId).describe("Id of the linked client"))]);
    object([
        required(
            "initiate_login_uri_template",
            format(Format::EcInitiateLoginUriTemplateUrl)
                .describe("Bookmark for login, with organization_name, organization_id and connection_name"),
        ),
        required(
            "user_attribute_profile_id",
            format(Format::UserAttributeProfileId)
                .describe("User attribute profile of the application, by id"),
        ),
        required(
            "connection_profile_id",
            format(Format::ConnectionProfileId).describe("Connection profile of the application, by id"),
        ),
        required("enable_client", boolean().describe("Whether new connections are enabled for the client")),
        required(
            "enable_organization",
            boolean().describe("Whether new connections are enabled for their organization"),
        ),
        optional(
            "linked_clients",
            array(linked.describe("A linked client"))
                .describe("Other clients of the application, web or mobile"),
        ),
        required(
            "okta_oin_client_id",
            format(Format::ClientId)
                .describe("Id of the client through which Okta configures the application"),
        ),
        required(
            "admin_login_domain",
            string().min(1).describe("Domain on which administrators log in, the tenant's or a custom one"),
        ),
        optional(
            "oin_submission_id",
            string().min(1).max(200).describe("Id of the application as published by Okta"),
        ),
    ])
    .describe("Set-up through Okta's Express Configuration")
}

pub(in crate::clients) fn my_organization_configuration() -> Schema {
    let strategy = one_of(&["pingfederate", "adfs", "waad", "google-apps", "okta", "oidc", "samlp"]);
    object([
        optional(
            "connection_profile_id",
            format(Format::ConnectionProfileId).describe("Id of the connection profile to check against"),
        ),
        optional(
            "user_attribute_profile_id",
            format(Format::UserAttributeProfileId)
                .describe("Id of the user attribute profile to check against"),
        ),
        required(
            "allowed_strategies",
            array(strategy.describe("A kind of connection"))
                .describe("Kinds of connections that may be made"),
        ),
        required(
            "connection_deletion_behavior",
            one_of(&["allow", "allow_if_empty"]).describe("Which connections may be deleted"),
        ),
        optional(
            "invitation_landing_client_id",
            format(Format::ClientId).describe("Id of the client that invitations lead to"),
        ),
    ])
    .describe("What organizations may manage themselves through the client")
}
