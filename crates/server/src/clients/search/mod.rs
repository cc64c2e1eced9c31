//! Search for clients. Which clients a search means is `tenantry_types::clients::search`'s business; here is how they
//! are found quickly among a million: [`index`] keeps the terms of every client beside it, [`plan`] decides under which
//! of them to look, and [`run`] looks there and checks what it finds.
//!
//! A request does a bounded amount of work. If that does not suffice, its page is shorter and `next` goes on.

pub(crate) mod index;
mod plan;
mod routes;
mod run;
mod statement;

pub(super) use routes::{QUERY, search_clients};

#[cfg(test)]
pub(crate) mod tests;
