//! What the log calls the operations of the Management API.

use http::Method;

/// Operations whose path does not say what they do, or says it badly.
const NAMES: &[(Method, &str, &str)] = &[
    (Method::POST, "/oidc/register", "Dynamic client registration"),
    (Method::POST, "/api/v2/clients/{id}/rotate-secret", "Rotate a client secret"),
    (Method::DELETE, "/api/v2/clients/{id}/secrets/{secret_id}", "Delete a client secret"),
    (Method::POST, "/api/v2/clients/cimd/preview", "Preview the metadata document of a client"),
    (Method::POST, "/api/v2/clients/cimd/register", "Register a client by its metadata document"),
    (Method::PATCH, "/api/v2/connections/{id}/clients", "Update the enabled clients of a connection"),
    (Method::POST, "/api/v2/organizations/{id}/clients", "Add clients to an organization"),
    (Method::DELETE, "/api/v2/organizations/{id}/clients", "Remove clients from an organization"),
    (Method::POST, "/api/v2/keys/signing/rotate", "Rotate the signing key"),
    (Method::PUT, "/api/v2/keys/signing/{kid}/revoke", "Revoke a signing key"),
];

/// Collections, and what one of their objects is.
const THINGS: &[(&str, &str)] = &[
    ("/api/v2/clients", "a client"),
    ("/api/v2/clients/{client_id}/credentials", "a client credential"),
    ("/api/v2/client-grants", "a client grant"),
    ("/api/v2/resource-servers", "a resource server"),
    ("/api/v2/connections", "a connection"),
    ("/api/v2/connection-profiles", "a connection profile"),
    ("/api/v2/user-attribute-profiles", "a user attribute profile"),
    ("/api/v2/organizations", "an organization"),
    ("/api/v2/organizations/{id}/client-grants", "a client grant of an organization"),
    ("/api/v2/organizations/{id}/clients", "a client of an organization"),
    ("/api/v2/organizations/{id}/connections", "a connection of an organization"),
    ("/api/v2/organizations/{id}/enabled_connections", "an enabled connection of an organization"),
    ("/api/v2/organizations/{id}/discovery-domains", "a discovery domain of an organization"),
    ("/api/v2/branding/themes", "a branding theme"),
    ("/api/v2/branding/phone/providers", "a phone provider"),
    ("/api/v2/branding/phone/templates", "a phone template"),
    ("/api/v2/email-templates", "an email template"),
    ("/api/v2/emails/provider", "the email provider"),
    ("/api/v2/tenants/settings", "tenant settings"),
];

/// The name of an operation.
pub(super) fn of(method: &Method, route: &str) -> String {
    if let Some((.., name)) = NAMES.iter().find(|(m, path, _)| m == method && *path == route) {
        return (*name).to_owned();
    }
    let verb = match *method {
        Method::POST => "Create",
        Method::PATCH => "Update",
        Method::PUT => "Set",
        Method::DELETE => "Delete",
        _ => "Read",
    };
    let collection = route.rsplit_once("/{").map_or(route, |(collection, _)| collection);
    if let Some((_, thing)) = THINGS.iter().find(|(path, _)| *path == route || *path == collection) {
        return format!("{verb} {thing}");
    }
    let words: Vec<_> = route
        .trim_start_matches("/api/v2/")
        .split('/')
        .filter(|part| !part.starts_with('{'))
        .map(|part| part.replace(['-', '_'], " "))
        .collect();
    format!("{verb} {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_names() {
        let name = |method: &Method, route| of(method, route);
        assert_eq!(name(&Method::POST, "/api/v2/clients"), "Create a client");
        assert_eq!(name(&Method::DELETE, "/api/v2/clients/{id}"), "Delete a client");
        assert_eq!(
            name(&Method::PATCH, "/api/v2/clients/{client_id}/credentials/{credential_id}"),
            "Update a client credential"
        );
        assert_eq!(
            name(&Method::PATCH, "/api/v2/attack-protection/bot-detection"),
            "Update attack protection bot detection"
        );
    }
}
