//! Shapes of the identifiers and secrets that the server makes.

use crate::clock::{Clock, Random};
use parking_lot::Mutex;

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Letters and digits that can't be mistaken for each other.
const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const HEX: &[u8] = b"0123456789abcdef";

/// A client's id: 32 letters and digits, of which one at least is a digit.
pub(crate) fn client_id(random: &Random) -> String {
    loop {
        let id = random.text(BASE62, 32);
        if id.bytes().any(|b| b.is_ascii_digit()) {
            return id;
        }
    }
}

/// The id of a strict third-party client.
pub(crate) fn third_party_client_id(random: &Random) -> String {
    format!("tpc_{}", random.text(BASE58, 22))
}

/// A client's secret: 64 characters, 384 bits.
pub(crate) fn client_secret(random: &Random) -> String {
    random.text(BASE64URL, 64)
}

/// The secret that signs an API's HS256 tokens: 32 letters and digits, 190 bits.
pub(crate) fn signing_secret(random: &Random) -> String {
    random.text(BASE62, 32)
}

/// The id of a token.
pub(crate) fn token_id(random: &Random) -> String {
    random.text(BASE62, 22)
}

/// The id of a credential.
pub(crate) fn credential_id(random: &Random) -> String {
    format!("cred_{}", random.text(BASE58, 22))
}

/// The id of one of a client's secrets.
pub(crate) fn secret_id(random: &Random) -> String {
    format!("csec_{}", random.text(BASE58, 22))
}

/// The id of a client grant.
pub(crate) fn client_grant_id(random: &Random) -> String {
    format!("cgr_{}", random.text(BASE62, 16))
}

/// The id of a connection.
pub(crate) fn connection_id(random: &Random) -> String {
    format!("con_{}", random.text(BASE62, 16))
}

/// A ticket: 32 letters and digits, 190 bits.
pub(crate) fn ticket(random: &Random) -> String {
    random.text(BASE62, 32)
}

/// The id of an organization.
pub(crate) fn organization_id(random: &Random) -> String {
    format!("org_{}", random.text(BASE62, 16))
}

/// The id of a discovery domain of an organization.
pub(crate) fn discovery_domain_id(random: &Random) -> String {
    format!("ord_{}", random.text(BASE58, 22))
}

/// What the owner of a domain publishes to prove it: 128 bits in hex.
pub(crate) fn domain_verification(random: &Random) -> String {
    random.text(HEX, 32)
}

/// The id of a connection profile.
pub(crate) fn connection_profile_id(random: &Random) -> String {
    format!("cop_{}", random.text(BASE58, 22))
}

/// The id of a user attribute profile.
pub(crate) fn user_attribute_profile_id(random: &Random) -> String {
    format!("uap_{}", random.text(BASE58, 22))
}

/// The id of a stored setting of which there are several.
pub(crate) fn configuration_id(random: &Random, prefix: &str) -> String {
    let length = if prefix.is_empty() { 32 } else { 22 };
    format!("{prefix}{}", random.text(BASE58, length))
}

/// The id of an API: its time of creation in seconds, and 64 random bits, in hex.
pub(crate) fn resource_server_id(random: &Random, clock: &Clock) -> String {
    format!("{:08x}{}", clock.now_secs() & 0xffff_ffff, random.text(HEX, 16))
}

/// Numbers that grow with time, to keep lists in the order of creation. Each server on a database has its own share of
/// every millisecond; they agree on the order up to their clocks.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    last: Mutex<i64>,
    server: i64,
}

impl Sequence {
    /// Bits for milliseconds since 1970 lie above; they last until the year 6429.
    const MILLISECOND: u32 = 16;
    /// Bits for the count within the share of a millisecond; when it is used up, the next millisecond begins early.
    const COUNT: u32 = 4;

    /// Goes on behind `last`, whatever the clock says.
    pub(crate) fn behind(last: i64, random: &Random) -> Self {
        let mut bytes = [0; 2];
        random.fill(&mut bytes);
        let server = i64::from(u16::from_le_bytes(bytes) >> Self::COUNT);
        // The last number may be of another server's share: all of its millisecond is taken.
        Self { last: Mutex::new(last | ((1 << Self::MILLISECOND) - 1)), server }
    }

    /// The next number.
    pub(crate) fn next(&self, clock: &Clock) -> i64 {
        let share = |ms: i64| (ms << Self::MILLISECOND) | (self.server << Self::COUNT);
        let mut last = self.last.lock();
        let ms = *last >> Self::MILLISECOND;
        let within = *last >= share(ms) && *last < share(ms) | ((1 << Self::COUNT) - 1);
        let after = if within { *last + 1 } else { share(ms + 1) };
        *last = after.max(share(clock.now_ms()));
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_grow_even_when_the_clock_stands_still_or_goes_back() {
        let sequence = Sequence::default();
        let clock = Clock::manual(jiff::Timestamp::from_second(1_800_000_000).unwrap());
        let first = sequence.next(&clock);
        let second = sequence.next(&clock);
        let earlier = Clock::manual(jiff::Timestamp::from_second(1_700_000_000).unwrap());
        assert!(first < second && second < sequence.next(&earlier));
    }

    #[test]
    fn servers_on_one_database_never_meet() {
        let clock = Clock::manual(jiff::Timestamp::from_second(1_800_000_000).unwrap());
        let start = Sequence::default().next(&clock);
        let [one, other] = [1, 2].map(|seed| Sequence::behind(start, &Random::seeded(seed)));
        let numbers: Vec<i64> = (0..100).flat_map(|_| [one.next(&clock), other.next(&clock)]).collect();
        assert!(numbers.iter().all(|number| *number > start));
        assert!(numbers.iter().step_by(2).is_sorted() && numbers.iter().skip(1).step_by(2).is_sorted());
        assert_eq!(numbers.iter().collect::<std::collections::HashSet<_>>().len(), numbers.len());
    }
}
