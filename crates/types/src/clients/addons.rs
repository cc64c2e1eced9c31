//! What the member `addons` of a client must look like: a closed object of add-ons, each with its settings.
//!
//! Settings that are not listed are kept unchecked, except for `oag`, which has none.

use super::schema::{flag, text};
use crate::format::Format;
use crate::schema::{Member, Schema, any_of, array, format, integer, object, optional, required, string};

pub(super) fn addons() -> Schema {
    object([
        aws(),
        azure_blob(),
        azure_sb(),
        addon(
            "rms",
            "Active Directory Rights Management",
            [required("url", format(Format::Url).describe("Rights management server, as users reach it"))],
        ),
        addon(
            "mscrm",
            "Microsoft Dynamics CRM",
            [required("url", format(Format::Url).describe("Where the application is"))],
        ),
        addon("slack", "Slack", [required("team", string().describe("Team, as in its Slack URL"))]),
        addon(
            "sentry",
            "Sentry",
            [
                text("org_slug", "Organization, as in its Sentry URL"),
                text("base_url", "Where Sentry is if you host it, empty otherwise"),
            ],
        ),
        addon("box", "Box, has no settings", []),
        addon("cloudbees", "CloudBees, has no settings", []),
        addon("concur", "Concur, has no settings", []),
        addon("dropbox", "Dropbox, has no settings", []),
        addon("echosign", "Adobe EchoSign", [text("domain", "Your own part of the EchoSign URL")]),
        addon("egnyte", "Egnyte", [text("domain", "Your own part of the Egnyte URL")]),
        firebase(),
        addon("newrelic", "New Relic", [text("account", "Account id, follows `/accounts/` in the URL")]),
        addon(
            "office365",
            "Microsoft Office 365",
            [
                text("domain", "Your Office 365 domain, like `example.com`"),
                text("connection", "Database connection to try an existing set-up with"),
            ],
        ),
        addon(
            "salesforce",
            "Salesforce",
            [optional(
                "entity_id",
                format(Format::Url).describe("URL that stands for the Salesforce resource"),
            )],
        ),
        salesforce_api("salesforce_api", "Tokens for the Salesforce API"),
        salesforce_api("salesforce_sandbox_api", "Tokens for the Salesforce sandbox API"),
        samlp(),
        layer(),
        sap_api(),
        sharepoint(),
        addon("springcm", "SpringCM", [text("acsurl", "Where SpringCM takes SAML responses")]),
        addon("wams", "Windows Azure Mobile Services", [text("masterkey", "Your master key")]),
        addon("wsfed", "WS-Federation, set up by `callback` and `client_aliases` of the client", []),
        addon("zendesk", "Zendesk", [text("accountName", "Account, as in its Zendesk URL")]),
        addon("zoom", "Zoom", [text("account", "Account, as in its Zoom URL")]),
        addon(
            "sso_integration",
            "Single sign-on integration",
            [
                text("name", "Name of the integration"),
                text("version", "Installed version of the integration"),
            ],
        ),
        optional("oag", object([]).nullable().describe("Okta Access Gateway, has no settings")),
    ])
    .describe("Add-ons that the client uses, with their settings")
}

fn addon<const N: usize>(name: &'static str, description: &'static str, settings: [Member; N]) -> Member {
    optional(name, object(settings).open().describe(description))
}

fn aws() -> Member {
    addon(
        "aws",
        "Amazon Web Services",
        [
            text("principal", "ARN of the SAML provider"),
            text("role", "ARN of the role to take on"),
            optional(
                "lifetime_in_seconds",
                integer().min(900).max(43_200).describe("Seconds until tokens expire"),
            ),
        ],
    )
}

fn azure_blob() -> Member {
    let matching =
        |name, pattern, description| optional(name, string().pattern(pattern).describe(description));
    addon(
        "azure_blob",
        "Azure Blob Storage",
        [
            matching("accountName", "^([a-z0-9]){3,24}$", "Storage account, as in its URL"),
            matching("storageAccessKey", "^([A-Za-z0-9+/]){86}==$", "Access key of the storage account"),
            matching("containerName", "^([a-z0-9]){1}([a-z0-9-]){2,62}$", "Container that tokens are for"),
            matching(
                "blobName",
                "^(.){1,1024}$",
                "Blob that tokens are for, the whole container if left out",
            ),
            optional("expiration", integer().min(0).describe("Minutes until tokens expire, 5 if left out")),
            text("signedIdentifier", "Access policy that the storage account defines"),
            flag("blob_read", "Whether tokens may read the blob and its properties"),
            flag("blob_write", "Whether tokens may create or change the blob"),
            flag("blob_delete", "Whether tokens may delete the blob"),
            flag("container_read", "Whether tokens may read every blob of the container"),
            flag("container_write", "Whether tokens may create or change every blob of the container"),
            flag("container_delete", "Whether tokens may delete every blob of the container"),
            flag("container_list", "Whether tokens may list the container's blobs"),
        ],
    )
}

fn azure_sb() -> Member {
    addon(
        "azure_sb",
        "Azure Service Bus",
        [
            text("namespace", "Namespace, as in its Service Bus URL"),
            text("sasKeyName", "Name of the shared access policy"),
            text("sasKey", "Primary key of the shared access policy"),
            text("entityPath", "Queue or topic that tokens are for"),
            optional("expiration", integer().describe("Minutes until tokens expire, 5 if left out")),
        ],
    )
}

fn firebase() -> Member {
    addon(
        "firebase",
        "Google Firebase",
        [
            text("secret", "Secret, for SDK 2 only"),
            text("private_key_id", "Key id to put into tokens, for SDK 3 and later"),
            text("private_key", "Key that signs tokens, for SDK 3 and later"),
            text("client_email", "Service account by its email, for SDK 3 and later"),
            optional(
                "lifetime_in_seconds",
                integer().describe("Seconds until tokens expire, by default 3600, for SDK 3 and later"),
            ),
        ],
    )
}

fn salesforce_api(name: &'static str, description: &'static str) -> Member {
    addon(
        name,
        description,
        [
            text("clientid", "Consumer key of the connected app"),
            text("principal", "Member of the user that holds the Salesforce name, like `email`"),
            text("communityName", "Name of the community"),
            text("community_url_section", "The community's part of the URL"),
        ],
    )
}

fn samlp() -> Member {
    let text = |name| text(name, "");
    let flag = |name| flag(name, "");
    addon(
        "samlp",
        "SAML 2.0, works without settings",
        [
            optional("mappings", object([]).open()),
            text("audience"),
            text("recipient"),
            flag("createUpnClaim"),
            flag("mapUnknownClaimsAsIs"),
            flag("passthroughClaimsWithNoMapping"),
            flag("mapIdentities"),
            text("signatureAlgorithm"),
            text("digestAlgorithm"),
            text("issuer"),
            text("destination"),
            optional("lifetimeInSeconds", integer()),
            flag("signResponse"),
            text("nameIdentifierFormat"),
            optional("nameIdentifierProbes", array(string().min(1))),
            text("authnContextClassRef"),
        ],
    )
}

fn layer() -> Member {
    addon(
        "layer",
        "Layer",
        [
            required("providerId", string().describe("Provider id of your account")),
            required("keyId", string().describe("Id of the key that signs tokens")),
            required("privateKey", string().describe("Key that signs tokens")),
            text("principal", "Member of the user that identifies them, `user_id` if left out"),
            optional("expiration", integer().min(0).describe("Minutes until tokens expire, 5 if left out")),
        ],
    )
}

fn sap_api() -> Member {
    addon(
        "sap_api",
        "Tokens for the SAP API",
        [
            text("clientid", "Client of SAP's own OAuth set-up, `client_id` in SAML and requests"),
            text("usernameAttribute", "Member of the user that holds the SAP name, like `email`"),
            optional(
                "tokenEndpointUrl",
                format(Format::Url).describe("Token endpoint of the SAP OData server"),
            ),
            text("scope", "Scope to ask SAP for"),
            text("servicePassword", "Password of the service account at the token endpoint"),
            text("nameIdentifierFormat", "Format of the SAML NameID, unspecified if left out"),
        ],
    )
}

fn sharepoint() -> Member {
    addon(
        "sharepoint",
        "SharePoint",
        [
            text("url", "Where SharePoint is on the inside"),
            optional(
                "external_url",
                any_of([array(string()), string()])
                    .describe("Where SharePoint is on the outside, if anywhere"),
            ),
        ],
    )
}
