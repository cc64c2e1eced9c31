//! What a `PATCH` does to a stored client.

use super::defaults::{Kind, session_transfer};
use super::fields::{Merge, field};
use crate::Object;
use serde_json::Value;

/// Applies the members of a `PATCH` body, already checked against the schema. `client_secret` is passed over: it is
/// no part of the document.
pub(super) fn apply(members: &mut Object, body: &Object, kind: Kind<'_>) {
    for (name, value) in body {
        match (name.as_str(), value) {
            ("client_secret", _) => {}
            ("cross_origin_auth" | "cross_origin_authentication", value) => {
                // Twins. The newer name wins when both are sent.
                let value = body.get("cross_origin_authentication").unwrap_or(value);
                members.insert("cross_origin_auth".into(), value.clone());
                members.insert("cross_origin_authentication".into(), value.clone());
            }
            ("initiate_login_uri", Value::String(text)) if text.is_empty() => remove(members, name),
            ("refresh_token", Value::Null) => set(members, name, kind.refresh_token()),
            ("refresh_token", Value::Object(sent)) => set(members, name, kind.complete_refresh_token(sent)),
            ("session_transfer", Value::Object(sent)) => {
                let stored = members.get(name).and_then(Value::as_object);
                let whole = session_transfer(stored, sent);
                set(members, name, whole);
            }
            ("oidc_logout" | "oidc_backchannel_logout", Value::Null) => {
                remove(members, "oidc_logout");
                remove(members, "oidc_backchannel_logout");
            }
            ("oidc_logout" | "oidc_backchannel_logout", Value::Object(sent)) => {
                // One setting under two names; the newer name wins when both are sent.
                let sent = body.get("oidc_logout").and_then(Value::as_object).unwrap_or(sent);
                set_oidc_logout(members, sent);
            }
            (_, Value::Null) => remove(members, name),
            (_, Value::Object(sent)) if field(name).is_some_and(|field| field.merge == Merge::Members) => {
                let stored = members.entry(name.clone()).or_insert_with(|| Object::new().into());
                if let Value::Object(stored) = stored {
                    merge_members(stored, sent);
                }
            }
            (_, value) => set(members, name, value.clone()),
        }
    }
}

/// Sets the logout settings and their view under the older name.
pub(super) fn set_oidc_logout(members: &mut Object, sent: &Object) {
    let mut legacy = Object::new();
    if let Some(urls) = sent.get("backchannel_logout_urls") {
        legacy.insert("backchannel_logout_urls".into(), urls.clone());
    }
    set(members, "oidc_logout", sent.clone().into());
    set(members, "oidc_backchannel_logout", legacy.into());
}

fn set(members: &mut Object, name: &str, value: Value) {
    members.insert(name.into(), value);
}

fn remove(members: &mut Object, name: &str) {
    members.shift_remove(name);
}

/// Each member that is sent takes the place of the stored one; `null` removes it.
pub(super) fn merge_members(stored: &mut Object, sent: &Object) {
    for (name, value) in sent {
        if value.is_null() {
            stored.shift_remove(name);
        } else {
            stored.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn objects() -> impl Strategy<Value = Object> {
        let values = prop_oneof![Just(Value::Null), any::<u8>().prop_map(Value::from)];
        proptest::collection::vec(("[a-d]", values), 0..5).prop_map(|members| members.into_iter().collect())
    }

    fn merged(mut stored: Object, sent: &Object) -> Object {
        merge_members(&mut stored, sent);
        stored
    }

    proptest! {
        #[test]
        fn merging_twice_is_merging_once(stored in objects(), sent in objects()) {
            let once = merged(stored, &sent);
            prop_assert_eq!(merged(once.clone(), &sent), once);
        }

        #[test]
        fn merging_sets_what_was_sent_and_keeps_the_rest(stored in objects(), sent in objects()) {
            let after = merged(stored.clone(), &sent);
            for name in ["a", "b", "c", "d"] {
                let expected = match sent.get(name) {
                    None => stored.get(name),
                    Some(Value::Null) => None,
                    sent => sent,
                };
                prop_assert_eq!(after.get(name), expected);
            }
        }

        #[test]
        fn stored_members_keep_their_place(stored in objects(), sent in objects()) {
            let after = merged(stored.clone(), &sent);
            let before: Vec<_> = stored.keys().filter(|name| after.contains_key(*name)).collect();
            let now: Vec<_> = after.keys().filter(|name| stored.contains_key(*name)).collect();
            prop_assert_eq!(before, now);
        }
    }
}
