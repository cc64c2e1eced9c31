//! The terms under which a client is indexed. A term is a letter for its kind and some text; terms of one kind never
//! look like those of another.

use super::{Condition, Field, Test, folded, hosts, metadata, text};
use crate::Object;
use std::collections::BTreeSet;

/// How much of a name is indexed and searched, in characters.
pub(super) const MAX_NAME: usize = 128;
/// The longest value in `client_metadata` that can be searched, in characters (documented).
pub(super) const MAX_METADATA_VALUE: usize = 64;
/// The longest host of a callback that is indexed and searched, in bytes: no name in the DNS is longer (RFC 1035).
pub(super) const MAX_HOST: usize = 253;
/// How many hosts of callbacks are indexed and searched.
pub(super) const MAX_HOSTS: usize = 32;
/// How much of a name lists by name are sorted by, in characters; the rest of the order is that of creation.
const MAX_NAME_KEY: usize = 64;

/// Stand before and behind a name, so that three characters also say "starts with" and "ends with".
const START: char = '\u{2}';
const END: char = '\u{3}';
/// Characters in one term of a name.
const GRAM: usize = 3;

const NAME: u8 = b'n';
const HAS_METADATA: u8 = b'k';
const METADATA: u8 = b'm';
const HOST: u8 = b'h';
const DOMAIN: u8 = b'd';

/// The term of clients with a grant for any organization. Not in [`terms`]: no client says so itself.
pub const ANY_ORGANIZATION: &[u8] = b"g";

fn term(kind: u8, text: &str) -> Vec<u8> {
    let mut term = Vec::with_capacity(1 + text.len());
    term.push(kind);
    term.extend_from_slice(text.as_bytes());
    term
}

fn grams(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let chars: Vec<char> = text.chars().collect();
    let grams: Vec<_> =
        chars.windows(GRAM).map(|gram| term(NAME, &gram.iter().collect::<String>())).collect();
    grams.into_iter()
}

/// What lists by name are sorted by, byte by byte.
#[must_use]
pub fn name_key(document: &Object) -> Vec<u8> {
    let name = folded(text(document, "name").unwrap_or_default());
    name.chars().take(MAX_NAME_KEY).collect::<String>().into_bytes()
}

/// All terms of a client.
#[must_use]
pub fn terms(document: &Object) -> BTreeSet<Vec<u8>> {
    let name: String = folded(text(document, "name").unwrap_or_default()).chars().take(MAX_NAME).collect();
    let mut terms: BTreeSet<_> = grams(&format!("{START}{name}{END}")).collect();
    for (key, value) in metadata(document) {
        terms.insert(term(HAS_METADATA, key));
        if let Some(value) = value {
            terms.insert(metadata_term(key, &value));
        }
    }
    for host in hosts(document) {
        for (at, _) in host.match_indices('.') {
            terms.insert(term(DOMAIN, &host[at..]));
        }
        terms.insert(term(HOST, &host));
    }
    terms
}

fn metadata_term(key: &str, value: &str) -> Vec<u8> {
    term(METADATA, &format!("{key}\0{value}"))
}

/// Where the clients are found for which a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover {
    /// Under each of these terms.
    Terms(Vec<Vec<u8>>),
    /// Under one of the terms from the first on, up to but without the second.
    Range(Vec<u8>, Vec<u8>),
    /// Terms do not say.
    Unknown,
}

impl Condition {
    /// Where the clients are found for which this holds. Not all that are found there match.
    #[must_use]
    pub fn cover(&self) -> Cover {
        if !self.holds {
            return Cover::Unknown;
        }
        let of_name = |text: String| match grams(&text).collect::<BTreeSet<_>>() {
            grams if grams.is_empty() => Cover::Unknown,
            grams => Cover::Terms(grams.into_iter().collect()),
        };
        match (&self.field, &self.test) {
            (Field::Name, Test::Is(name)) => {
                let name: String = name.chars().take(MAX_NAME).collect();
                of_name(format!("{START}{name}{END}"))
            }
            (Field::Name, Test::StartsWith(start)) => of_name(format!("{START}{start}")),
            (Field::Name, Test::EndsWith(end)) => of_name(format!("{end}{END}")),
            (Field::Name, Test::Contains(part) | Test::Word(part)) => of_name(part.clone()),
            (Field::Metadata(key), Test::IsPresent) => Cover::Terms(vec![term(HAS_METADATA, key)]),
            (Field::Metadata(key), Test::Is(value)) => Cover::Terms(vec![metadata_term(key, value)]),
            (Field::Metadata(key), Test::StartsWith(start)) => {
                let from = metadata_term(key, start);
                let mut to = from.clone();
                // No byte of UTF-8 is 0xff, so this is behind all that start alike.
                to.push(0xff);
                Cover::Range(from, to)
            }
            (Field::GrantAnyOrganization, Test::IsTrue(true)) => {
                Cover::Terms(vec![ANY_ORGANIZATION.to_vec()])
            }
            (Field::CallbackHost, Test::Is(host)) => Cover::Terms(vec![term(HOST, host)]),
            (Field::CallbackHost, Test::EndsWith(end)) => Cover::Terms(vec![term(DOMAIN, end)]),
            _ => Cover::Unknown,
        }
    }
}
