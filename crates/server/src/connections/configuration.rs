//! `options.configuration`: values for the scripts of a custom database. Nobody ever reads them back: answers show them
//! sealed.

use crate::seal::{MasterKey, SealError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tenantry_types::Object;

/// Where a value is sealed.
pub(crate) fn seal_context(tenant: &str, id: &str, name: &str) -> String {
    format!("connection_configuration/{tenant}/{id}/{name}")
}

/// Seals the values of `connection`. One that is sent back as it was shown stays what it is.
pub(super) fn seal(
    connection: &mut Object,
    before: Option<&Object>,
    tenant: &str,
    master: &MasterKey,
) -> Result<(), SealError> {
    let shown = before
        .and_then(|before| before.get("options")?.get("configuration")?.as_object())
        .cloned()
        .unwrap_or_default();
    let id = connection.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let configuration = connection.get_mut("options").and_then(|options| options.get_mut("configuration"));
    let Some(Value::Object(configuration)) = configuration else { return Ok(()) };
    for (name, value) in configuration {
        if let Value::String(plain) = &*value
            && shown.get(name) != Some(&*value)
        {
            let context = seal_context(tenant, &id, name);
            *value = STANDARD.encode(master.seal(&context, plain.as_bytes())?).into();
        }
    }
    Ok(())
}
