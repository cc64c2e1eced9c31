//! Words and ids on the wire, as types.

use zeroize::Zeroize as _;

/// An enumeration of the wire. Words that this version does not know survive in `Other`, because an API adds some now
/// and then.
macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that this version does not know.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Ok(Self::from(&*word))
            }
        }
    };
}
pub(crate) use wire_enum;

/// Makes answers keep members that are `null`: in `other`, since a field that is `None` is not written. For structs with
/// `#[serde(remote = "Self")]`, which leaves the traits to us.
macro_rules! keeps_nulls {
    ($($name:ident),+) => { $($crate::wire::keeps_nulls!($name in other);)+ };
    ($name:ident in $($other:ident).+) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut members = <$crate::Object as serde::Deserialize>::deserialize(deserializer)?;
                let nulls = $crate::wire::take_nulls(&mut members);
                let mut this =
                    Self::deserialize(serde_json::Value::Object(members)).map_err(serde::de::Error::custom)?;
                this.$($other).+.extend(nulls);
                Ok(this)
            }
        }
    };
}
pub(crate) use keeps_nulls;

pub(crate) fn take_nulls(members: &mut crate::Object) -> crate::Object {
    let is_null = |name: &String, members: &crate::Object| members[name].is_null();
    let names: Vec<_> = members.keys().filter(|name| is_null(name, members)).cloned().collect();
    for name in &names {
        members.shift_remove(name);
    }
    names.into_iter().map(|name| (name, serde_json::Value::Null)).collect()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(id: T) -> Self {
                Self(id.into())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id! {
    /// The id of a client: 32 letters and digits, or `tpc_…` for strict third-party clients.
    ClientId
}
id! {
    /// The id of a credential: `cred_…`.
    CredentialId
}
id! {
    /// The id of a client grant: `cgr_…`.
    ClientGrantId
}
id! {
    /// The id of an API: 24 hexadecimal digits.
    ResourceServerId
}
id! {
    /// The id of an organization: `org_…`.
    OrganizationId
}

id! {
    /// The id of a connection: `con_…`.
    ConnectionId
}

/// A value that may hold secrets, so that `{:?}` does not show it.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Unprinted<T>(pub T);

impl<T> std::fmt::Debug for Unprinted<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unprinted")
    }
}

/// A secret. Never printed, and wiped from memory when dropped; [`Secret::reveal`] shows it.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Secret {
    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(secret: T) -> Self {
        Self(secret.into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_survive() {
        use crate::clients::model::AppType;
        for word in ["spa", "toaster"] {
            let kind: AppType = serde_json::from_str(&format!("\"{word}\"")).unwrap();
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{word}\""));
            assert_eq!(kind.to_string(), word);
        }
        assert_eq!(AppType::from("spa"), AppType::Spa);
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", Secret::from("s3cr3t")), "Secret");
    }
}
