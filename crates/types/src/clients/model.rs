//! Clients as types: what a create request holds, what an update changes, and what answers show.
//!
//! Every nested object keeps the members that this version does not know. Answers keep `null` there too: the field is
//! `None`, and `other` holds the `null`.

mod authentication;
mod cimd;
mod connections;
mod search;
mod settings;

use crate::wire::{ClientId, Secret, Unprinted, keeps_nulls};
use crate::{Object, Patch};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use authentication::*;
pub use cimd::*;
pub use connections::*;
pub use search::*;
pub use settings::*;

/// One list of fields makes the three forms of a client: what a create sends, what an update changes, what answers show.
macro_rules! client_forms {
    (
        both { $($(#[$both_doc:meta])* $both:ident: $both_type:ty,)* }
        both_nullable { $($(#[$nullable_doc:meta])* $nullable:ident: $nullable_type:ty,)* }
        create { $($(#[$create_doc:meta])* $create:ident: $create_type:ty,)* }
        update { $($(#[$update_doc:meta])* $update:ident: $update_type:ty,)* }
        answer { $($(#[$answer_doc:meta])* $answer:ident: $answer_type:ty,)* }
    ) => {
        /// The body of `POST /clients`. What is `None` or absent is not sent, and gets its default.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct NewClient {
            /// The name shown to people.
            pub name: String,
            $($(#[$both_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $both: Option<$both_type>,)*
            $($(#[$nullable_doc])* #[serde(default, skip_serializing_if = "Patch::is_absent")] pub $nullable: Patch<$nullable_type>,)*
            $($(#[$create_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $create: Option<$create_type>,)*
            /// Members that this version does not know.
            #[serde(flatten)]
            pub other: Object,
        }

        /// The body of `PATCH /clients/{id}`: absent keeps, `null` removes, a value sets.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct ClientPatch {
            /// The name shown to people.
            #[serde(default, skip_serializing_if = "Patch::is_absent")]
            pub name: Patch<String>,
            $($(#[$both_doc])* #[serde(default, skip_serializing_if = "Patch::is_absent")] pub $both: Patch<$both_type>,)*
            $($(#[$nullable_doc])* #[serde(default, skip_serializing_if = "Patch::is_absent")] pub $nullable: Patch<$nullable_type>,)*
            $($(#[$update_doc])* #[serde(default, skip_serializing_if = "Patch::is_absent")] pub $update: Patch<$update_type>,)*
            /// Members that this version does not know.
            #[serde(flatten)]
            pub other: Object,
        }

        impl NewClient {
            /// The members that this version knows.
            pub const MEMBERS: &'static [&'static str] =
                &["name", $(stringify!($both),)* $(stringify!($nullable),)* $(stringify!($create),)*];
        }

        impl ClientPatch {
            /// The members that this version knows.
            pub const MEMBERS: &'static [&'static str] =
                &["name", $(stringify!($both),)* $(stringify!($nullable),)* $(stringify!($update),)*];
        }

        impl Client {
            /// The members that this version knows.
            pub const MEMBERS: &'static [&'static str] =
                &["name", $(stringify!($both),)* $(stringify!($nullable),)* $(stringify!($answer),)*];
        }

        /// A client as answers show it. What the caller may not read, did not ask for, or was never set is `None`.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(remote = "Self")]
        #[non_exhaustive]
        pub struct Client {
            /// The name shown to people.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub name: Option<String>,
            $($(#[$both_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $both: Option<$both_type>,)*
            $($(#[$nullable_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $nullable: Option<$nullable_type>,)*
            $($(#[$answer_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $answer: Option<$answer_type>,)*
            /// Members that this version does not know.
            #[serde(flatten)]
            pub other: Object,
        }
    };
}

client_forms! {
    both {
        /// Free text, 140 characters at most.
        description: String,
        /// A picture of 150 by 150 pixels.
        logo_uri: String,
        /// Where users may be sent after they logged in.
        callbacks: Vec<String>,
        /// Where users may be sent after they logged out.
        allowed_logout_urls: Vec<String>,
        /// Origins of scripts that may call.
        allowed_origins: Vec<String>,
        /// Origins of web messages.
        web_origins: Vec<String>,
        /// Other names of the client.
        client_aliases: Vec<String>,
        /// Clients that may delegate to this one.
        allowed_clients: Vec<String>,
        /// How tokens may be got.
        grant_types: Vec<GrantType>,
        /// How the secret is sent.
        token_endpoint_auth_method: TokenEndpointAuthMethod,
        /// Whether `auth0-forwarded-for` is believed at the token endpoint.
        is_token_endpoint_ip_header_trusted: bool,
        /// What kind of application it is.
        app_type: AppType,
        /// Whether the tenant's owner runs it.
        is_first_party: bool,
        /// Whether it keeps to OpenID Connect strictly.
        oidc_conformant: bool,
        /// How its tokens are made.
        jwt_configuration: JwtConfiguration,
        /// Whether single sign-on is on.
        sso: bool,
        /// Whether single sign-on is off.
        sso_disabled: bool,
        /// Whether users may log in from other origins.
        cross_origin_authentication: bool,
        /// Where that falls back to.
        cross_origin_loc: String,
        /// Whether the custom login page is shown.
        custom_login_page_on: bool,
        /// The custom login page.
        custom_login_page: String,
        /// The same, for previews.
        custom_login_page_preview: String,
        /// The form of WS-Federation.
        form_template: String,
        /// Settings of add-ons; never printed, because some hold secrets.
        addons: Unprinted<Value>,
        /// Ten entries of 255 characters at most.
        client_metadata: Object,
        /// Native apps.
        mobile: Value,
        /// Where login starts.
        initiate_login_uri: String,
        /// Native social login.
        native_social_login: Value,
        /// FedCM.
        fedcm_login: Value,
        /// Whether users log in to an organization.
        organization_usage: OrganizationUsage,
        /// How they choose it.
        organization_require_behavior: OrganizationRequireBehavior,
        /// How it is found.
        organization_discovery_methods: Vec<OrganizationDiscoveryMethod>,
        /// Whether authorization requests must be pushed.
        require_pushed_authorization_requests: bool,
        /// Whether tokens must be bound to a key.
        require_proof_of_possession: bool,
        /// Whether users are not asked about callbacks that nobody can verify.
        skip_non_verifiable_callback_uri_confirmation_prompt: bool,
        /// Token exchange.
        token_exchange: Value,
        /// How many tokens it may get.
        token_quota: TokenQuota,
        /// How it learns that its user logged out.
        oidc_logout: OidcLogout,
        /// The same under its older name.
        oidc_backchannel_logout: OidcLogout,
        /// Express configuration.
        express_configuration: Value,
        /// The My Organization API.
        my_organization_configuration: Value,
        /// How users are asked for approval.
        async_approval_notification_channels: Vec<String>,
        /// Identity assertion grants.
        identity_assertion_authorization_grant: Value,
        /// How a third-party client is held to the newer rules.
        third_party_security_mode: SecurityMode,
        /// Whether errors are sent to the callback.
        redirection_policy: RedirectionPolicy,
    }
    both_nullable {
        /// Native to web sign-on.
        session_transfer: Value,
        /// The key for WS-Federation.
        encryption_key: Value,
        /// How long refresh tokens live.
        refresh_token: RefreshTokenSettings,
        /// The organization of requests that name none.
        default_organization: DefaultOrganization,
        /// Which security profile it follows.
        compliance_level: ComplianceLevel,
        /// Seconds that a pushed request is good for.
        par_request_expiry: i64,
    }
    create {
        /// How it proves itself by keys or certificates.
        client_authentication_methods: NewAuthenticationMethods,
        /// Whether its authorization requests are signed.
        signed_request_object: Value,
        /// Access to the Token Vault.
        token_vault_privileged_access: Value,
        /// The API that it is the client of.
        resource_server_identifier: String,
    }
    update {
        /// A secret of one's own.
        client_secret: Secret,
        /// How it proves itself by keys or certificates.
        client_authentication_methods: AuthenticationMethods,
        /// Whether its authorization requests are signed.
        signed_request_object: SignedRequestObject,
        /// Access to the Token Vault.
        token_vault_privileged_access: Value,
    }
    answer {
        /// Its id.
        client_id: ClientId,
        /// Its secret.
        client_secret: Secret,
        /// The tenant's name.
        tenant: String,
        /// Whether it stands for all applications.
        global: bool,
        /// How it proves itself by keys or certificates.
        client_authentication_methods: AuthenticationMethods,
        /// Whether its authorization requests are signed.
        signed_request_object: SignedRequestObject,
        /// Access to the Token Vault.
        token_vault_privileged_access: Value,
        /// The API that it is the client of.
        resource_server_identifier: String,
        /// The tenant's certificate.
        signing_keys: Vec<SigningKey>,
        /// Where its metadata document is.
        external_client_id: String,
        /// What kind of document that is.
        external_metadata_type: String,
        /// Who registered it.
        external_metadata_created_by: String,
        /// Where its keys are.
        jwks_uri: String,
        /// When it was made (RFC 3339); a search tells.
        created_at: String,
        /// When it was changed last; a search tells.
        updated_at: String,
    }
}

keeps_nulls!(Client);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::FIELDS;
    use serde_json::json;

    #[test]
    fn every_field_of_the_table_is_a_field_of_the_forms() {
        let legacy = ["cross_origin_auth", "callback_url_template", "owners", "encrypted"];
        for field in FIELDS.iter().filter(|field| !legacy.contains(&field.name)) {
            assert!(Client::MEMBERS.contains(&field.name), "Client has no {}", field.name);
            let (in_create, in_patch) =
                (NewClient::MEMBERS.contains(&field.name), ClientPatch::MEMBERS.contains(&field.name));
            assert_eq!(in_create, field.in_create(), "NewClient and {}", field.name);
            assert_eq!(in_patch, field.in_patch(), "ClientPatch and {}", field.name);
        }
    }

    #[test]
    fn a_patch_tells_absent_null_and_value_apart() {
        let patch = ClientPatch {
            description: Patch::Value("d".into()),
            token_endpoint_auth_method: Patch::Null,
            ..ClientPatch::default()
        };
        let wire = serde_json::to_value(&patch).unwrap();
        assert_eq!(wire, json!({"description": "d", "token_endpoint_auth_method": null}));
        assert_eq!(serde_json::from_value::<ClientPatch>(wire).unwrap(), patch);
    }

    #[test]
    fn what_is_not_known_survives() {
        let wire = json!({"client_id": "c", "app_type": "toaster", "new": {"a": 1}, "refresh_token": {"shiny": true}});
        let client: Client = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(client.app_type, Some(AppType::Other("toaster".into())));
        assert_eq!(serde_json::to_value(&client).unwrap(), wire);
    }

    #[test]
    fn null_survives_in_answers_and_is_told_from_absent_in_requests() {
        let wire = json!({
            "name": "n", "callbacks": null, "refresh_token": {"policies": null, "leeway": null}, "shiny": null,
            "oidc_logout": {"backchannel_logout_session_metadata": null},
        });
        let client: Client = serde_json::from_value(wire.clone()).unwrap();
        assert!(client.callbacks.is_none() && client.other.contains_key("callbacks"));
        assert_eq!(serde_json::to_value(&client).unwrap(), wire);
        let wire = json!({"name": "n", "refresh_token": null, "par_request_expiry": 5});
        let new: NewClient = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!((&new.refresh_token, &new.compliance_level), (&Patch::Null, &Patch::Absent));
        assert_eq!(serde_json::to_value(&new).unwrap(), wire);
    }

    #[test]
    fn credentials_are_tagged_by_their_type() {
        let wire = json!({"credential_type": "public_key", "pem": "p", "alg": "PS256"});
        let credential: NewCredential = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(&credential).unwrap(), wire);
    }

    #[test]
    fn secrets_of_a_client_are_not_printed() {
        let wire =
            json!({"client_secret": "s3cr3t", "addons": {"azure_blob": {"storageAccessKey": "s3cr3t"}}});
        let client: Client = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(&client).unwrap(), wire);
        assert!(!format!("{client:?}").contains("s3cr3t"));
    }
}
