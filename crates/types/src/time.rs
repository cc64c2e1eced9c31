//! Instants on the wire: RFC 3339 in UTC with milliseconds, up to the year 9999 (the end of certificates that never
//! end is beyond what time libraries take for an instant).

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use jiff::fmt::temporal::Pieces;

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// Prints milliseconds since 1970.
///
/// ```
/// assert_eq!(tenantry_types::time::print(253_402_300_799_000), "9999-12-31T23:59:59.000Z");
/// ```
#[must_use]
pub fn print(millis: i64) -> String {
    let time = EPOCH.saturating_add(SignedDuration::from_millis(millis));
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Reads an RFC 3339 date and time; milliseconds since 1970, what is finer cut off.
///
/// ```
/// assert_eq!(tenantry_types::time::parse("1970-01-01T02:00:01.5679+02:00"), Some(1567));
/// assert_eq!(tenantry_types::time::parse("tomorrow"), None);
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let pieces = Pieces::parse(text).ok()?;
    let offset = pieces.to_numeric_offset()?;
    let local = pieces.date().to_datetime(pieces.time()?);
    let since = local.duration_since(EPOCH).as_millis();
    i64::try_from(since).ok()?.checked_sub(i64::from(offset.seconds()) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_times_are_read() {
        assert_eq!(parse("9999-12-31T23:59:59Z"), Some(253_402_300_799_000));
        assert_eq!(
            parse("2023-05-16T11:07:30.535694+02:00").map(print).as_deref(),
            Some("2023-05-16T09:07:30.535Z")
        );
        for bad in ["", "2023-05-16", "2023-05-16T11:07:30", "11:07:30Z", "2023-13-01T00:00:00Z"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(millis in -62_135_596_800_000_i64..=253_402_300_799_999) {
            prop_assert_eq!(parse(&print(millis)), Some(millis));
        }

        #[test]
        fn reading_never_panics(text in "[0-9TZ:.+-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
