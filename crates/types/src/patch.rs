//! What a `PATCH` says about one member.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A member of a `PATCH` body: absent keeps what is stored, `null` removes it, a value replaces it.
///
/// ```
/// use tenantry_types::Patch;
/// assert_eq!(Patch::Absent.apply(Some(1)), Some(1));
/// assert_eq!(Patch::Null.apply(Some(1)), None);
/// assert_eq!(Patch::Value(2).apply(Some(1)), Some(2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// Not sent: what is stored stays.
    #[default]
    Absent,
    /// Sent as `null`: what is stored goes.
    Null,
    /// Sent: takes the place of what is stored.
    Value(T),
}

impl<T> Patch<T> {
    /// What is stored after this patch.
    #[must_use]
    pub fn apply(self, stored: Option<T>) -> Option<T> {
        match self {
            Self::Absent => stored,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// The one patch that does what `self` and then `later` do.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        match later {
            Self::Absent => self,
            decided => decided,
        }
    }

    /// Whether the member was not sent; for `skip_serializing_if`.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Changes the value, if there is one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(f(value)),
        }
    }
}

impl<'a> Patch<&'a serde_json::Value> {
    /// Reads the member `name` of a body.
    #[must_use]
    pub fn of(body: &'a crate::Object, name: &str) -> Self {
        match body.get(name) {
            None => Self::Absent,
            Some(serde_json::Value::Null) => Self::Null,
            Some(value) => Self::Value(value),
        }
    }
}

impl<T> From<Option<T>> for Patch<T> {
    /// `None` removes, `Some` sets.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => serializer.serialize_some(value),
            Self::Absent | Self::Null => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patches() -> impl Strategy<Value = Patch<u8>> {
        prop_oneof![Just(Patch::Absent), Just(Patch::Null), any::<u8>().prop_map(Patch::Value)]
    }

    proptest! {
        #[test]
        fn absent_is_neutral(p in patches()) {
            prop_assert_eq!(p.then(Patch::Absent), p);
            prop_assert_eq!(Patch::Absent.then(p), p);
        }

        #[test]
        fn applying_one_after_the_other_is_applying_both(p in patches(), q in patches(), s: Option<u8>) {
            prop_assert_eq!(q.apply(p.apply(s)), p.then(q).apply(s));
        }

        #[test]
        fn applying_twice_is_applying_once(p in patches(), s: Option<u8>) {
            prop_assert_eq!(p.apply(p.apply(s)), p.apply(s));
        }

        #[test]
        fn the_wire_form_round_trips(p in patches()) {
            #[derive(Debug, PartialEq, Serialize, Deserialize)]
            struct Body {
                #[serde(default, skip_serializing_if = "Patch::is_absent")]
                member: Patch<u8>,
            }
            let text = serde_json::to_string(&Body { member: p }).unwrap();
            prop_assert_eq!(serde_json::from_str::<Body>(&text).unwrap(), Body { member: p });
        }
    }
}
