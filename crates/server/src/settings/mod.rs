//! Settings that an export reads and an import writes back: branding, prompts, protection against attacks, factors,
//! e-mail, phones. They are kept as they were sent and given back; nothing else reads them, because what they govern
//! is not served. The documents mark their routes as `echo`.
//!
//! What they look like is in [`tenantry_types::settings`]. This folder owns their table and their routes, which are
//! made from that list.

mod collections;
mod guardian;
mod rendering;
mod routes;
mod store;

pub(crate) use rendering::forget;
pub(crate) use routes::routes;
pub(crate) use store::seal_context;
