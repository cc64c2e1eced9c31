//! Search for clients. Which clients a search means is `tenantry_types::clients::search`'s business; here is how they
//! are found quickly among a million: [`index`] keeps the terms of every client beside it, [`plan`] decides under which
//! of them to look, and [`run`] looks there, and at the clients that [`indexer`] has not come to yet, and checks what it
//! finds.
//!
//! A request does a bounded amount of work. If that does not suffice, its page is shorter and `next` goes on.

pub(crate) mod index;
pub(crate) mod indexer;
mod plan;
mod routes;
mod run;
mod statement;

pub(super) use routes::{QUERY, search_clients};

#[cfg(test)]
pub(crate) mod tests;
