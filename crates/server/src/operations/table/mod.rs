//! The operations by subject: method, path, the scopes of which one is needed, and the answer where no slice has one.

mod applications;
mod flows;
mod people;
mod protection;
mod tenant;

use super::Operation;

pub(super) static ALL: &[&[Operation]] = &[
    applications::OPERATIONS,
    flows::OPERATIONS,
    people::OPERATIONS,
    protection::OPERATIONS,
    tenant::OPERATIONS,
];

/// The points at which actions run. No action can be made, so none is bound to them.
const TRIGGERS: &str = include_str!("../triggers.json");
