//! Quotas of machine-to-machine tokens, as clients, organizations and the tenant's defaults have them.

use crate::schema::{Schema, boolean, integer, object, optional, required};
use serde_json::Value;

/// The largest quota: what 32 bits with a sign hold.
const MAX: u32 = 2_147_483_647;

/// How many tokens may be issued in an hour and in a day, both in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenQuota {
    /// Whether more are refused, and not only counted.
    pub enforce: bool,
    /// In an hour.
    pub per_hour: Option<i64>,
    /// In a day.
    pub per_day: Option<i64>,
}

impl TokenQuota {
    /// Reads a stored `{"client_credentials": {…}}`. Quotas are enforced unless they say otherwise.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        let quota = value.get("client_credentials")?;
        Some(Self {
            enforce: quota.get("enforce").and_then(Value::as_bool).unwrap_or(true),
            per_hour: quota.get("per_hour").and_then(Value::as_i64),
            per_day: quota.get("per_day").and_then(Value::as_i64),
        })
    }
}

/// A quota, as every holder has it.
#[must_use]
pub fn schema() -> Schema {
    let tokens = || integer().min(1).max(MAX);
    object([required(
        "client_credentials",
        object([
            optional(
                "enforce",
                boolean().describe("Whether requests beyond the quota are refused and not only logged"),
            ),
            optional("per_day", tokens().describe("Tokens that may be issued in a day")),
            optional("per_hour", tokens().describe("Tokens that may be issued in an hour")),
        ])
        .min(1)
        .describe("Quota of machine-to-machine tokens"),
    )])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_quota_is_enforced_unless_it_says_otherwise() {
        let read = |quota: Value| TokenQuota::of(&json!({"client_credentials": quota})).unwrap();
        let quota = read(json!({"per_day": 5}));
        assert_eq!(quota, TokenQuota { enforce: true, per_hour: None, per_day: Some(5) });
        assert!(!read(json!({"enforce": false, "per_hour": 1})).enforce);
        assert_eq!(TokenQuota::of(&json!({})), None);
    }
}
