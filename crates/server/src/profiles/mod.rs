//! Connection profiles and user attribute profiles: their APIs. The two differ in what they may hold, which is
//! `tenantry_types`' business; which clients refer to them is the clients'.

mod routes;
pub(crate) mod store;

pub(crate) use routes::routes;

use crate::clock::Random;
use crate::http::Failure;
use crate::ids;
use serde_json::Value;
use std::sync::LazyLock;
use tenantry_types::schema::{Schema, Violation, integer, object, optional, string};
use tenantry_types::{ErrorCode, Object, Scope, connection_profiles, user_attribute_profiles};

/// A kind of profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Connection,
    UserAttribute,
}

impl Kind {
    /// The word in the database, and in the names of members that hold an id.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection_profile",
            Self::UserAttribute => "user_attribute_profile",
        }
    }

    /// The answer where there is no such profile.
    pub(crate) fn not_found(self) -> Failure {
        match self {
            Self::Connection => Failure::not_found(
                "The connection profile does not exist",
                ErrorCode::InexistentConnectionProfile,
            ),
            Self::UserAttribute => Failure::not_found(
                "The user attribute profile does not exist",
                ErrorCode::InexistentUserAttributeProfile,
            ),
        }
    }

    fn conflict(self) -> Failure {
        match self {
            Self::Connection => Failure::conflict(
                "A connection profile with the same name already exists",
                ErrorCode::ConnectionProfileConflict,
            ),
            Self::UserAttribute => Failure::conflict(
                "A user attribute profile with the same name already exists",
                ErrorCode::UserAttributeProfileConflict,
            ),
        }
    }
}

/// What the API of a kind of profile is made of.
trait Profile: Send + Sync + 'static {
    const KIND: Kind;
    const COLLECTION: &'static str;
    const ITEM: &'static str;
    const TEMPLATES: &'static str;
    const TEMPLATE: &'static str;
    const READ: &'static [Scope];
    const CREATE: &'static [Scope];
    const UPDATE: &'static [Scope];
    const DELETE: &'static [Scope];
    /// The bodies of its requests.
    const CREATE_BODY: &'static LazyLock<Schema>;
    const PATCH_BODY: &'static LazyLock<Schema>;
    const LIST_QUERY: &'static LazyLock<Schema>;

    fn new_id(random: &Random) -> String;
    fn check_create_body(body: &Value) -> Result<&Object, Violation>;
    fn check_patch_body(body: &Value) -> Result<&Object, Violation>;
    fn create(body: &Object, id: &str) -> Object;
    fn patch(profile: &Object, body: &Object) -> Object;
    fn templates() -> Vec<Value>;
}

fn list_query(max_take: u32) -> Schema {
    object([optional("from", string().max(1_000)), optional("take", integer().min(1).max(max_take))])
}

macro_rules! profile {
    ($name:ident, $kind:ident, $types:ident, $path:literal, $max_take:literal, $new_id:path,
     $read:ident, $create:ident, $update:ident, $delete:ident) => {
        struct $name;

        impl Profile for $name {
            const KIND: Kind = Kind::$kind;
            const COLLECTION: &'static str = concat!("/api/v2/", $path);
            const ITEM: &'static str = concat!("/api/v2/", $path, "/{id}");
            const TEMPLATES: &'static str = concat!("/api/v2/", $path, "/templates");
            const TEMPLATE: &'static str = concat!("/api/v2/", $path, "/templates/{id}");
            const READ: &'static [Scope] = &[Scope::$read];
            const CREATE: &'static [Scope] = &[Scope::$create];
            const UPDATE: &'static [Scope] = &[Scope::$update];
            const DELETE: &'static [Scope] = &[Scope::$delete];
            const CREATE_BODY: &'static LazyLock<Schema> = &$types::CREATE;
            const PATCH_BODY: &'static LazyLock<Schema> = &$types::PATCH;
            const LIST_QUERY: &'static LazyLock<Schema> = {
                static QUERY: LazyLock<Schema> = LazyLock::new(|| list_query($max_take));
                &QUERY
            };

            fn new_id(random: &Random) -> String {
                $new_id(random)
            }

            fn check_create_body(body: &Value) -> Result<&Object, Violation> {
                $types::check_create_body(body)
            }

            fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
                $types::check_patch_body(body)
            }

            fn create(body: &Object, id: &str) -> Object {
                $types::create(body, id)
            }

            fn patch(profile: &Object, body: &Object) -> Object {
                $types::patch(profile, body)
            }

            fn templates() -> Vec<Value> {
                $types::templates()
            }
        }
    };
}

profile!(
    ConnectionProfile,
    Connection,
    connection_profiles,
    "connection-profiles",
    10,
    ids::connection_profile_id,
    READ_CONNECTION_PROFILES,
    CREATE_CONNECTION_PROFILES,
    UPDATE_CONNECTION_PROFILES,
    DELETE_CONNECTION_PROFILES
);
profile!(
    UserAttributeProfile,
    UserAttribute,
    user_attribute_profiles,
    "user-attribute-profiles",
    100,
    ids::user_attribute_profile_id,
    READ_USER_ATTRIBUTE_PROFILES,
    CREATE_USER_ATTRIBUTE_PROFILES,
    UPDATE_USER_ATTRIBUTE_PROFILES,
    DELETE_USER_ATTRIBUTE_PROFILES
);
