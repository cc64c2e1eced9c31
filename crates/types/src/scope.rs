//! Permissions of the Management API (`read:clients`, …).

use std::fmt;
use std::str::FromStr;

/// A permission of the Management API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(u16);

macro_rules! scopes {
    ($($name:ident = $value:literal,)*) => {
        /// Every permission, in the order in which the system API lists them.
        const VALUES: &[&str] = &[$($value),*];

        #[expect(non_camel_case_types, reason = "variants share the constants' names")]
        enum Index { $($name),* }

        #[expect(missing_docs, reason = "each constant is named after its value")]
        impl Scope {
            $(pub const $name: Self = Self(Index::$name as u16);)*
        }
    };
}

scopes! {
    READ_ACTIONS = "read:actions",
    CREATE_ACTIONS = "create:actions",
    UPDATE_ACTIONS = "update:actions",
    DELETE_ACTIONS = "delete:actions",
    READ_ANOMALY_BLOCKS = "read:anomaly_blocks",
    DELETE_ANOMALY_BLOCKS = "delete:anomaly_blocks",
    READ_ATTACK_PROTECTION = "read:attack_protection",
    UPDATE_ATTACK_PROTECTION = "update:attack_protection",
    READ_AUTHENTICATION_METHODS = "read:authentication_methods",
    CREATE_AUTHENTICATION_METHODS = "create:authentication_methods",
    UPDATE_AUTHENTICATION_METHODS = "update:authentication_methods",
    DELETE_AUTHENTICATION_METHODS = "delete:authentication_methods",
    READ_BRANDING = "read:branding",
    UPDATE_BRANDING = "update:branding",
    DELETE_BRANDING = "delete:branding",
    READ_CLIENT_CREDENTIALS = "read:client_credentials",
    CREATE_CLIENT_CREDENTIALS = "create:client_credentials",
    UPDATE_CLIENT_CREDENTIALS = "update:client_credentials",
    DELETE_CLIENT_CREDENTIALS = "delete:client_credentials",
    READ_CLIENT_GRANTS = "read:client_grants",
    CREATE_CLIENT_GRANTS = "create:client_grants",
    UPDATE_CLIENT_GRANTS = "update:client_grants",
    DELETE_CLIENT_GRANTS = "delete:client_grants",
    READ_CLIENT_KEYS = "read:client_keys",
    CREATE_CLIENT_KEYS = "create:client_keys",
    UPDATE_CLIENT_KEYS = "update:client_keys",
    DELETE_CLIENT_KEYS = "delete:client_keys",
    READ_CLIENT_SUMMARY = "read:client_summary",
    UPDATE_CLIENT_TOKEN_VAULT_PRIVILEGED_ACCESS = "update:client_token_vault_privileged_access",
    READ_CLIENTS = "read:clients",
    CREATE_CLIENTS = "create:clients",
    UPDATE_CLIENTS = "update:clients",
    DELETE_CLIENTS = "delete:clients",
    READ_CONNECTION_PROFILES = "read:connection_profiles",
    CREATE_CONNECTION_PROFILES = "create:connection_profiles",
    UPDATE_CONNECTION_PROFILES = "update:connection_profiles",
    DELETE_CONNECTION_PROFILES = "delete:connection_profiles",
    READ_CONNECTIONS = "read:connections",
    CREATE_CONNECTIONS = "create:connections",
    UPDATE_CONNECTIONS = "update:connections",
    DELETE_CONNECTIONS = "delete:connections",
    READ_CONNECTIONS_KEYS = "read:connections_keys",
    CREATE_CONNECTIONS_KEYS = "create:connections_keys",
    UPDATE_CONNECTIONS_KEYS = "update:connections_keys",
    READ_CONNECTIONS_OPTIONS = "read:connections_options",
    UPDATE_CONNECTIONS_OPTIONS = "update:connections_options",
    READ_CURRENT_USER = "read:current_user",
    DELETE_CURRENT_USER = "delete:current_user",
    CREATE_CURRENT_USER_DEVICE_CREDENTIALS = "create:current_user_device_credentials",
    DELETE_CURRENT_USER_DEVICE_CREDENTIALS = "delete:current_user_device_credentials",
    UPDATE_CURRENT_USER_IDENTITIES = "update:current_user_identities",
    UPDATE_CURRENT_USER_METADATA = "update:current_user_metadata",
    READ_CUSTOM_DOMAINS = "read:custom_domains",
    CREATE_CUSTOM_DOMAINS = "create:custom_domains",
    UPDATE_CUSTOM_DOMAINS = "update:custom_domains",
    DELETE_CUSTOM_DOMAINS = "delete:custom_domains",
    READ_CUSTOM_SIGNING_KEYS = "read:custom_signing_keys",
    CREATE_CUSTOM_SIGNING_KEYS = "create:custom_signing_keys",
    UPDATE_CUSTOM_SIGNING_KEYS = "update:custom_signing_keys",
    DELETE_CUSTOM_SIGNING_KEYS = "delete:custom_signing_keys",
    READ_DEVICE_CREDENTIALS = "read:device_credentials",
    CREATE_DEVICE_CREDENTIALS = "create:device_credentials",
    UPDATE_DEVICE_CREDENTIALS = "update:device_credentials",
    DELETE_DEVICE_CREDENTIALS = "delete:device_credentials",
    READ_DIRECTORY_PROVISIONINGS = "read:directory_provisionings",
    CREATE_DIRECTORY_PROVISIONINGS = "create:directory_provisionings",
    UPDATE_DIRECTORY_PROVISIONINGS = "update:directory_provisionings",
    DELETE_DIRECTORY_PROVISIONINGS = "delete:directory_provisionings",
    READ_EMAIL_PROVIDER = "read:email_provider",
    CREATE_EMAIL_PROVIDER = "create:email_provider",
    UPDATE_EMAIL_PROVIDER = "update:email_provider",
    DELETE_EMAIL_PROVIDER = "delete:email_provider",
    READ_EMAIL_TEMPLATES = "read:email_templates",
    CREATE_EMAIL_TEMPLATES = "create:email_templates",
    UPDATE_EMAIL_TEMPLATES = "update:email_templates",
    READ_ENCRYPTION_KEYS = "read:encryption_keys",
    CREATE_ENCRYPTION_KEYS = "create:encryption_keys",
    UPDATE_ENCRYPTION_KEYS = "update:encryption_keys",
    DELETE_ENCRYPTION_KEYS = "delete:encryption_keys",
    READ_ENTITLEMENTS = "read:entitlements",
    READ_EVENT_DELIVERIES = "read:event_deliveries",
    UPDATE_EVENT_DELIVERIES = "update:event_deliveries",
    READ_EVENT_STREAMS = "read:event_streams",
    CREATE_EVENT_STREAMS = "create:event_streams",
    UPDATE_EVENT_STREAMS = "update:event_streams",
    DELETE_EVENT_STREAMS = "delete:event_streams",
    READ_EVENTS = "read:events",
    READ_EXPERIMENTATION = "read:experimentation",
    CREATE_EXPERIMENTATION = "create:experimentation",
    UPDATE_EXPERIMENTATION = "update:experimentation",
    DELETE_EXPERIMENTATION = "delete:experimentation",
    READ_FEDERATED_CONNECTIONS_TOKENS = "read:federated_connections_tokens",
    DELETE_FEDERATED_CONNECTIONS_TOKENS = "delete:federated_connections_tokens",
    READ_FLOWS = "read:flows",
    CREATE_FLOWS = "create:flows",
    UPDATE_FLOWS = "update:flows",
    DELETE_FLOWS = "delete:flows",
    READ_FLOWS_EXECUTIONS = "read:flows_executions",
    DELETE_FLOWS_EXECUTIONS = "delete:flows_executions",
    READ_FLOWS_VAULT = "read:flows_vault",
    READ_FLOWS_VAULT_CONNECTIONS = "read:flows_vault_connections",
    CREATE_FLOWS_VAULT_CONNECTIONS = "create:flows_vault_connections",
    UPDATE_FLOWS_VAULT_CONNECTIONS = "update:flows_vault_connections",
    DELETE_FLOWS_VAULT_CONNECTIONS = "delete:flows_vault_connections",
    READ_FORMS = "read:forms",
    CREATE_FORMS = "create:forms",
    UPDATE_FORMS = "update:forms",
    DELETE_FORMS = "delete:forms",
    READ_GRANTS = "read:grants",
    DELETE_GRANTS = "delete:grants",
    READ_GROUP_MEMBERS = "read:group_members",
    READ_GROUP_ROLES = "read:group_roles",
    CREATE_GROUP_ROLES = "create:group_roles",
    DELETE_GROUP_ROLES = "delete:group_roles",
    READ_GROUPS = "read:groups",
    CREATE_GROUPS = "create:groups",
    UPDATE_GROUPS = "update:groups",
    DELETE_GROUPS = "delete:groups",
    CREATE_GUARDIAN_ENROLLMENT_TICKETS = "create:guardian_enrollment_tickets",
    READ_GUARDIAN_ENROLLMENTS = "read:guardian_enrollments",
    DELETE_GUARDIAN_ENROLLMENTS = "delete:guardian_enrollments",
    READ_GUARDIAN_FACTORS = "read:guardian_factors",
    UPDATE_GUARDIAN_FACTORS = "update:guardian_factors",
    READ_HOOKS = "read:hooks",
    CREATE_HOOKS = "create:hooks",
    UPDATE_HOOKS = "update:hooks",
    DELETE_HOOKS = "delete:hooks",
    READ_INSIGHTS = "read:insights",
    READ_LIMITS = "read:limits",
    UPDATE_LIMITS = "update:limits",
    READ_LOG_STREAMS = "read:log_streams",
    CREATE_LOG_STREAMS = "create:log_streams",
    UPDATE_LOG_STREAMS = "update:log_streams",
    DELETE_LOG_STREAMS = "delete:log_streams",
    READ_LOGS = "read:logs",
    READ_LOGS_USERS = "read:logs_users",
    READ_MFA_POLICIES = "read:mfa_policies",
    UPDATE_MFA_POLICIES = "update:mfa_policies",
    READ_NETWORK_ACL_KEYS = "read:network_acl_keys",
    CREATE_NETWORK_ACL_KEYS = "create:network_acl_keys",
    UPDATE_NETWORK_ACL_KEYS = "update:network_acl_keys",
    DELETE_NETWORK_ACL_KEYS = "delete:network_acl_keys",
    READ_NETWORK_ACLS = "read:network_acls",
    CREATE_NETWORK_ACLS = "create:network_acls",
    UPDATE_NETWORK_ACLS = "update:network_acls",
    DELETE_NETWORK_ACLS = "delete:network_acls",
    READ_ORGANIZATION_CLIENT_GRANTS = "read:organization_client_grants",
    CREATE_ORGANIZATION_CLIENT_GRANTS = "create:organization_client_grants",
    DELETE_ORGANIZATION_CLIENT_GRANTS = "delete:organization_client_grants",
    READ_ORGANIZATION_CLIENTS = "read:organization_clients",
    CREATE_ORGANIZATION_CLIENTS = "create:organization_clients",
    UPDATE_ORGANIZATION_CLIENTS = "update:organization_clients",
    DELETE_ORGANIZATION_CLIENTS = "delete:organization_clients",
    READ_ORGANIZATION_CONNECTIONS = "read:organization_connections",
    CREATE_ORGANIZATION_CONNECTIONS = "create:organization_connections",
    UPDATE_ORGANIZATION_CONNECTIONS = "update:organization_connections",
    DELETE_ORGANIZATION_CONNECTIONS = "delete:organization_connections",
    READ_ORGANIZATION_DISCOVERY_DOMAINS = "read:organization_discovery_domains",
    CREATE_ORGANIZATION_DISCOVERY_DOMAINS = "create:organization_discovery_domains",
    UPDATE_ORGANIZATION_DISCOVERY_DOMAINS = "update:organization_discovery_domains",
    DELETE_ORGANIZATION_DISCOVERY_DOMAINS = "delete:organization_discovery_domains",
    READ_ORGANIZATION_GROUP_ROLES = "read:organization_group_roles",
    CREATE_ORGANIZATION_GROUP_ROLES = "create:organization_group_roles",
    DELETE_ORGANIZATION_GROUP_ROLES = "delete:organization_group_roles",
    READ_ORGANIZATION_GROUPS = "read:organization_groups",
    CREATE_ORGANIZATION_GROUPS = "create:organization_groups",
    DELETE_ORGANIZATION_GROUPS = "delete:organization_groups",
    READ_ORGANIZATION_INVITATIONS = "read:organization_invitations",
    CREATE_ORGANIZATION_INVITATIONS = "create:organization_invitations",
    DELETE_ORGANIZATION_INVITATIONS = "delete:organization_invitations",
    READ_ORGANIZATION_MEMBER_EFFECTIVE_ROLES = "read:organization_member_effective_roles",
    READ_ORGANIZATION_MEMBER_ROLE_SOURCE_GROUPS = "read:organization_member_role_source_groups",
    READ_ORGANIZATION_MEMBER_ROLES = "read:organization_member_roles",
    CREATE_ORGANIZATION_MEMBER_ROLES = "create:organization_member_roles",
    DELETE_ORGANIZATION_MEMBER_ROLES = "delete:organization_member_roles",
    READ_ORGANIZATION_MEMBERS = "read:organization_members",
    CREATE_ORGANIZATION_MEMBERS = "create:organization_members",
    DELETE_ORGANIZATION_MEMBERS = "delete:organization_members",
    READ_ORGANIZATIONS = "read:organizations",
    CREATE_ORGANIZATIONS = "create:organizations",
    UPDATE_ORGANIZATIONS = "update:organizations",
    DELETE_ORGANIZATIONS = "delete:organizations",
    READ_ORGANIZATIONS_SUMMARY = "read:organizations_summary",
    CREATE_PASSWORDS_CHECKING_JOB = "create:passwords_checking_job",
    DELETE_PASSWORDS_CHECKING_JOB = "delete:passwords_checking_job",
    READ_PHONE_PROVIDERS = "read:phone_providers",
    CREATE_PHONE_PROVIDERS = "create:phone_providers",
    UPDATE_PHONE_PROVIDERS = "update:phone_providers",
    DELETE_PHONE_PROVIDERS = "delete:phone_providers",
    READ_PHONE_TEMPLATES = "read:phone_templates",
    CREATE_PHONE_TEMPLATES = "create:phone_templates",
    UPDATE_PHONE_TEMPLATES = "update:phone_templates",
    DELETE_PHONE_TEMPLATES = "delete:phone_templates",
    READ_PORTALS = "read:portals",
    CREATE_PORTALS = "create:portals",
    UPDATE_PORTALS = "update:portals",
    DELETE_PORTALS = "delete:portals",
    READ_PROMPTS = "read:prompts",
    UPDATE_PROMPTS = "update:prompts",
    READ_RATE_LIMIT_POLICIES = "read:rate_limit_policies",
    CREATE_RATE_LIMIT_POLICIES = "create:rate_limit_policies",
    UPDATE_RATE_LIMIT_POLICIES = "update:rate_limit_policies",
    DELETE_RATE_LIMIT_POLICIES = "delete:rate_limit_policies",
    READ_REFRESH_TOKENS = "read:refresh_tokens",
    UPDATE_REFRESH_TOKENS = "update:refresh_tokens",
    DELETE_REFRESH_TOKENS = "delete:refresh_tokens",
    READ_RESOURCE_SERVERS = "read:resource_servers",
    CREATE_RESOURCE_SERVERS = "create:resource_servers",
    UPDATE_RESOURCE_SERVERS = "update:resource_servers",
    DELETE_RESOURCE_SERVERS = "delete:resource_servers",
    READ_ROLE_MEMBERS = "read:role_members",
    CREATE_ROLE_MEMBERS = "create:role_members",
    DELETE_ROLE_MEMBERS = "delete:role_members",
    READ_ROLES = "read:roles",
    CREATE_ROLES = "create:roles",
    UPDATE_ROLES = "update:roles",
    DELETE_ROLES = "delete:roles",
    READ_RULES = "read:rules",
    CREATE_RULES = "create:rules",
    UPDATE_RULES = "update:rules",
    DELETE_RULES = "delete:rules",
    READ_RULES_CONFIGS = "read:rules_configs",
    UPDATE_RULES_CONFIGS = "update:rules_configs",
    DELETE_RULES_CONFIGS = "delete:rules_configs",
    READ_SCIM_CONFIG = "read:scim_config",
    CREATE_SCIM_CONFIG = "create:scim_config",
    UPDATE_SCIM_CONFIG = "update:scim_config",
    DELETE_SCIM_CONFIG = "delete:scim_config",
    READ_SCIM_TOKEN = "read:scim_token",
    CREATE_SCIM_TOKEN = "create:scim_token",
    DELETE_SCIM_TOKEN = "delete:scim_token",
    READ_SECURITY_METRICS = "read:security_metrics",
    READ_SELF_SERVICE_PROFILE_CUSTOM_TEXTS = "read:self_service_profile_custom_texts",
    UPDATE_SELF_SERVICE_PROFILE_CUSTOM_TEXTS = "update:self_service_profile_custom_texts",
    READ_SELF_SERVICE_PROFILES = "read:self_service_profiles",
    CREATE_SELF_SERVICE_PROFILES = "create:self_service_profiles",
    UPDATE_SELF_SERVICE_PROFILES = "update:self_service_profiles",
    DELETE_SELF_SERVICE_PROFILES = "delete:self_service_profiles",
    READ_SESSIONS = "read:sessions",
    UPDATE_SESSIONS = "update:sessions",
    DELETE_SESSIONS = "delete:sessions",
    READ_SHIELDS = "read:shields",
    CREATE_SHIELDS = "create:shields",
    UPDATE_SHIELDS = "update:shields",
    DELETE_SHIELDS = "delete:shields",
    READ_SIGNING_KEYS = "read:signing_keys",
    CREATE_SIGNING_KEYS = "create:signing_keys",
    UPDATE_SIGNING_KEYS = "update:signing_keys",
    CREATE_SSO_ACCESS_TICKETS = "create:sso_access_tickets",
    DELETE_SSO_ACCESS_TICKETS = "delete:sso_access_tickets",
    READ_STATS = "read:stats",
    READ_TENANT_SETTINGS = "read:tenant_settings",
    UPDATE_TENANT_SETTINGS = "update:tenant_settings",
    READ_TOKEN_EXCHANGE_PROFILES = "read:token_exchange_profiles",
    CREATE_TOKEN_EXCHANGE_PROFILES = "create:token_exchange_profiles",
    UPDATE_TOKEN_EXCHANGE_PROFILES = "update:token_exchange_profiles",
    DELETE_TOKEN_EXCHANGE_PROFILES = "delete:token_exchange_profiles",
    BLACKLIST_TOKENS = "blacklist:tokens",
    READ_TRIGGERS = "read:triggers",
    UPDATE_TRIGGERS = "update:triggers",
    READ_USER_ATTRIBUTE_PROFILES = "read:user_attribute_profiles",
    CREATE_USER_ATTRIBUTE_PROFILES = "create:user_attribute_profiles",
    UPDATE_USER_ATTRIBUTE_PROFILES = "update:user_attribute_profiles",
    DELETE_USER_ATTRIBUTE_PROFILES = "delete:user_attribute_profiles",
    READ_USER_CUSTOM_BLOCKS = "read:user_custom_blocks",
    CREATE_USER_CUSTOM_BLOCKS = "create:user_custom_blocks",
    DELETE_USER_CUSTOM_BLOCKS = "delete:user_custom_blocks",
    READ_USER_EFFECTIVE_PERMISSIONS = "read:user_effective_permissions",
    READ_USER_EFFECTIVE_ROLES = "read:user_effective_roles",
    READ_USER_IDP_TOKENS = "read:user_idp_tokens",
    READ_USER_PERMISSION_SOURCE_ROLES = "read:user_permission_source_roles",
    READ_USER_ROLE_SOURCE_GROUPS = "read:user_role_source_groups",
    CREATE_USER_TICKETS = "create:user_tickets",
    READ_USERS = "read:users",
    CREATE_USERS = "create:users",
    UPDATE_USERS = "update:users",
    DELETE_USERS = "delete:users",
    READ_USERS_APP_METADATA = "read:users_app_metadata",
    CREATE_USERS_APP_METADATA = "create:users_app_metadata",
    UPDATE_USERS_APP_METADATA = "update:users_app_metadata",
    DELETE_USERS_APP_METADATA = "delete:users_app_metadata",
    READ_VDCS_TEMPLATES = "read:vdcs_templates",
    CREATE_VDCS_TEMPLATES = "create:vdcs_templates",
    UPDATE_VDCS_TEMPLATES = "update:vdcs_templates",
    DELETE_VDCS_TEMPLATES = "delete:vdcs_templates",
}

impl Scope {
    /// Every permission.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..VALUES.len()).map(|index| Self(u16::try_from(index).expect("far fewer than 65,536 scopes")))
    }

    /// The permission as it stands in a token.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        VALUES[usize::from(self.0)]
    }

    /// What the permission allows, in words: `read:client_grants` → `Read Client Grants`.
    #[must_use]
    pub fn description(self) -> String {
        let words = self.as_str().split([':', '_']).map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a permission of the Management API.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::all().find(|scope| scope.as_str() == text).ok_or(UnknownScope)
    }
}

const WORDS: usize = VALUES.len().div_ceil(64);

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ScopeSet([u64; WORDS]);

impl ScopeSet {
    /// No permission.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// A set of the given permissions.
    #[must_use]
    pub const fn of(scopes: &[Scope]) -> Self {
        let mut set = Self::EMPTY;
        let mut i = 0;
        while i < scopes.len() {
            let index = scopes[i].0 as usize;
            set.0[index / 64] |= 1 << (index % 64);
            i += 1;
        }
        set
    }

    /// Reads a space separated list; what is not a permission of this API is passed over.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        list.split_ascii_whitespace().filter_map(|scope| scope.parse().ok()).collect()
    }

    /// Whether the set holds `scope`.
    #[must_use]
    pub const fn contains(&self, scope: Scope) -> bool {
        let index = scope.0 as usize;
        self.0[index / 64] & (1 << (index % 64)) != 0
    }

    /// Whether the set holds one of `scopes`.
    #[must_use]
    pub fn contains_any(&self, scopes: &[Scope]) -> bool {
        scopes.iter().any(|scope| self.contains(*scope))
    }

    /// The permissions in the set.
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        let set = *self;
        Scope::all().filter(move |scope| set.contains(*scope))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut set = Self::EMPTY;
        for scope in scopes {
            let index = usize::from(scope.0);
            set.0[index / 64] |= 1 << (index % 64);
        }
        set
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_distinct_and_round_trip() {
        for scope in Scope::all() {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        assert_eq!("read:nothing".parse::<Scope>(), Err(UnknownScope));
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        for scope in Scope::all() {
            let set = ScopeSet::of(&[scope]);
            assert_eq!(set.iter().collect::<Vec<_>>(), [scope]);
        }
        assert_eq!(ScopeSet::parse("read:clients  openid delete:clients").iter().count(), 2);
    }

    #[test]
    fn descriptions_are_words() {
        assert_eq!(Scope::READ_CLIENT_GRANTS.description(), "Read Client Grants");
    }
}
