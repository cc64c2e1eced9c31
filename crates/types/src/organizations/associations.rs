//! What belongs to an organization: clients, client grants, discovery domains.

use crate::Object;
use crate::format::Format;
use crate::json::in_order;
use crate::schema::{Schema, Violation, array, boolean, format, object, one_of, optional, required, string};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The most clients that one request may add or remove.
const MAX_CLIENTS_AT_ONCE: u32 = 10;
/// The most clients that an organization may have.
pub const MAX_CLIENTS: i64 = 100;

fn client_id() -> Schema {
    string().min(1).describe("Id of the client")
}

fn use_for_member_access() -> Schema {
    boolean().describe("Whether members may log in to the client")
}

/// The body of `POST /organizations/{id}/clients`.
pub static ADD_CLIENTS: LazyLock<Schema> = LazyLock::new(|| {
    let client = object([
        required("client_id", client_id()),
        optional("use_for_member_access", use_for_member_access()),
    ]);
    object([required("clients", array(client).min(1).max(MAX_CLIENTS_AT_ONCE).describe("Clients to add"))])
});

/// The body of `DELETE /organizations/{id}/clients`.
pub static REMOVE_CLIENTS: LazyLock<Schema> = LazyLock::new(|| {
    let clients = array(client_id()).min(1).max(MAX_CLIENTS_AT_ONCE).describe("Clients to remove, by id");
    object([required("clients", clients)])
});

/// The body of `PATCH /organizations/{id}/clients/{client_id}`.
pub static PATCH_CLIENT: LazyLock<Schema> =
    LazyLock::new(|| object([optional("use_for_member_access", use_for_member_access())]).min(1));

/// The body of `POST /organizations/{id}/client-grants`.
pub static ADD_GRANT: LazyLock<Schema> = LazyLock::new(|| {
    let grant_id = format(Format::ClientGrantId).describe("A Client Grant ID to add to the organization");
    object([required("grant_id", grant_id)])
});

const DOMAIN_PATTERN: &str = r"^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])$";

fn domain_settings() -> Schema {
    object([
        optional(
            "status",
            one_of(&["pending", "verified"]).describe("The verification status of the discovery domain"),
        ),
        optional(
            "use_for_organization_discovery",
            boolean().describe("Whether users find the organization by this domain"),
        ),
    ])
}

/// The body of `POST /organizations/{id}/discovery-domains`.
pub static CREATE_DOMAIN: LazyLock<Schema> = LazyLock::new(|| {
    let domain = string().min(3).max(255).pattern(DOMAIN_PATTERN).describe("The domain of the organization");
    domain_settings().with([required("domain", domain)])
});

/// The body of `PATCH /organizations/{id}/discovery-domains/{discovery_domain_id}`.
pub static PATCH_DOMAIN: LazyLock<Schema> = LazyLock::new(domain_settings);

/// Checks the body of `POST /organizations/{id}/clients`.
///
/// # Errors
/// The first violation.
pub fn check_add_clients_body(body: &Value) -> Result<&Object, Violation> {
    ADD_CLIENTS.check_body(body)
}

/// Checks the body of `DELETE /organizations/{id}/clients`.
///
/// # Errors
/// The first violation.
pub fn check_remove_clients_body(body: &Value) -> Result<&Object, Violation> {
    REMOVE_CLIENTS.check_body(body)
}

/// Checks the body of `PATCH /organizations/{id}/clients/{client_id}`.
///
/// # Errors
/// The first violation.
pub fn check_client_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH_CLIENT.check_body(body)
}

/// Checks the body of `POST /organizations/{id}/client-grants`.
///
/// # Errors
/// The first violation.
pub fn check_add_grant_body(body: &Value) -> Result<&Object, Violation> {
    ADD_GRANT.check_body(body)
}

/// Checks the body of `POST /organizations/{id}/discovery-domains`.
///
/// # Errors
/// The first violation.
pub fn check_create_domain_body(body: &Value) -> Result<&Object, Violation> {
    CREATE_DOMAIN.check_body(body)
}

/// Checks the body of `PATCH /organizations/{id}/discovery-domains/{id}`.
///
/// # Errors
/// The first violation.
pub fn check_domain_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH_DOMAIN.check_body(body)
}

/// A client of an organization, from the client's own members.
#[must_use]
pub fn client(client: &Object, use_for_member_access: bool) -> Object {
    const SHOWN: &[&str] = &["name", "is_first_party", "grant_types", "organization_usage"];
    let shown: Object =
        SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), client.get(*name)?.clone()))).collect();
    let mut answer = Object::new();
    answer.insert("client_id".into(), client.get("client_id").cloned().unwrap_or_default());
    answer.insert("use_for_member_access".into(), use_for_member_access.into());
    answer.insert("client".into(), shown.into());
    answer
}

/// The answer to `POST /organizations/{id}/client-grants`. Its id has another name there than everywhere else.
#[must_use]
pub fn added_grant(mut grant: Object) -> Object {
    const SHOWN: &[&str] =
        &["grant_id", "client_id", "audience", "scope", "organization_usage", "allow_any_organization"];
    if let Some(id) = grant.shift_remove("id") {
        grant.insert("grant_id".into(), id);
    }
    grant.retain(|name, _| SHOWN.contains(&name.as_str()));
    in_order(grant, SHOWN)
}

const DOMAIN_ORDER: &[&str] =
    &["id", "domain", "status", "verification_host", "verification_txt", "use_for_organization_discovery"];

/// The discovery domain that a checked create body describes.
#[must_use]
pub fn create_domain(body: &Object, organization: &str, id: &str, verification_txt: &str) -> Object {
    let domain = body.get("domain").and_then(Value::as_str).unwrap_or_default();
    let defaults = json!({
        "id": id,
        "status": "pending",
        "verification_host": format!("_ss-verification.{organization}.{domain}"),
        "verification_txt": verification_txt,
        "use_for_organization_discovery": true,
    });
    let Value::Object(defaults) = defaults else { unreachable!("written as an object") };
    patch_domain(&defaults, body)
}

/// The discovery domain after a checked `PATCH` body.
#[must_use]
pub fn patch_domain(domain: &Object, body: &Object) -> Object {
    let mut after = domain.clone();
    after.extend(body.clone());
    in_order(after, DOMAIN_ORDER)
}
