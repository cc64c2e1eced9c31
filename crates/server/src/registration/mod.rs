//! Clients that describe themselves: dynamic registration (RFC 7591), and Client ID Metadata Documents.
//!
//! What they may say is `tenantry_types::registration`'s business; how documents are fetched is [`crate::http`]'s. Here
//! is who may register how often, and what becomes of it. The keys of a document are stored as the client's credentials,
//! so that [`crate::clients`] authenticates such clients as any other.

mod cimd;
mod dynamic;
pub(crate) mod keys;
mod limits;

pub(crate) use cimd::routes;
pub(crate) use dynamic::routes as protocol_routes;
pub(crate) use limits::RegistrationLimits;
