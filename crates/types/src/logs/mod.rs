//! The log of a tenant as the Management API shows it: what its entries are called, and searches in it.

mod search;

pub use search::{Bounds, Entry, Search};

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

/// The types of entries that there are, by Auth0's codes.
pub mod types {
    /// A change through the Management API.
    pub const CHANGED: &str = "sapi";
    /// A request of the Management API that was refused.
    pub const REFUSED: &str = "fapi";
    /// A token for a client's own access.
    pub const TOKEN: &str = "seccft";
    /// Such a token that was refused.
    pub const NO_TOKEN: &str = "feccft";
    /// A limit on requests was reached.
    pub const LIMIT: &str = "api_limit";
    /// Something that whoever reads the log should know about it.
    pub const WARNING: &str = "w";
    /// Entries that are gone because they were old.
    pub const CLEANUP: &str = "resource_cleanup";
}

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// Digits of an id: `900`, the time to the microsecond, and the number of the entry.
const ID: usize = 56;
const PREFIX: &str = "900";
const NUMBER: usize = 33;

/// The id of an entry. Ids of one tenant grow with time, and always with the number.
///
/// ```
/// let id = tenantry_types::logs::log_id(1_690_000_000_123, 42);
/// assert_eq!(id, "90020230722042640123000000000000000000000000000000000042");
/// assert_eq!(tenantry_types::logs::number(&id), Some(42));
/// ```
#[must_use]
pub fn log_id(millis: i64, number: i64) -> String {
    let time = EPOCH.saturating_add(SignedDuration::from_millis(millis));
    format!("{PREFIX}{}000{number:033}", time.strftime("%Y%m%d%H%M%S%3f"))
}

/// The number of the entry of that id.
#[must_use]
pub fn number(id: &str) -> Option<i64> {
    let is_one = id.len() == ID && id.starts_with(PREFIX) && id.bytes().all(|digit| digit.is_ascii_digit());
    is_one.then(|| id[ID - NUMBER..].parse().ok())?
}

/// The time that the beginning of an id names, in milliseconds since 1970: `9002026`, `90020261123`. Programs make such
/// ids up to read a log from a day on.
///
/// ```
/// assert_eq!(tenantry_types::logs::time_of_prefix("9001970010200"), Some(86_400_000));
/// ```
#[must_use]
pub fn time_of_prefix(id: &str) -> Option<i64> {
    const EARLIEST: &str = "00000101000000000";
    let digits = id.strip_prefix(PREFIX)?;
    if digits.len() < 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = &digits[..digits.len().min(EARLIEST.len())];
    let all = format!("{digits}{}", &EARLIEST[digits.len()..]);
    let (day, time) = all.split_at(8);
    let text = format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        &day[..4],
        &day[4..6],
        &day[6..],
        &time[..2],
        &time[2..4],
        &time[4..6],
        &time[6..]
    );
    crate::time::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_are_read_and_grow(millis in 0_i64..4_102_444_800_000, number in 0_i64..i64::MAX) {
            let id = log_id(millis, number);
            prop_assert_eq!(id.len(), ID);
            prop_assert_eq!(super::number(&id), Some(number));
            prop_assert_eq!(time_of_prefix(&id), Some(millis));
            prop_assert!(id < log_id(millis + 1, 0));
        }

        #[test]
        fn reading_never_panics(text in "(900)?[0-9x]{0,60}") {
            let _ = (number(&text), time_of_prefix(&text));
        }
    }
}
