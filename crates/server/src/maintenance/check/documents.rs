//! Every document is one, and says of itself what the columns beside it say.

use super::Findings;
use crate::db::schema::{self, Holds};
use crate::db::{DbResult, Snapshot};
use serde_json::Value;
use tenantry_types::Object;

/// Columns that repeat a member of the document, by whose name they are called.
const REPEATED: &[&str] =
    &["id", "client_id", "audience", "identifier", "name", "display_name", "strategy", "connection_id"];
/// Documents in which members of these names mean something else.
const FREE: &[&str] = &["configuration", "tenant_settings"];

pub(super) fn parse(snapshot: &mut Snapshot, found: &mut Findings) -> DbResult<()> {
    for table in schema::tables()? {
        let has = |name: &str| table.columns.iter().any(|column| column.name == name);
        if !has("document") {
            let count = snapshot.rows(&format!("SELECT COUNT(*) FROM {}", table.name), |row| row.size(0))?;
            found.checked.rows += count.first().copied().unwrap_or_default() as u64;
            continue;
        }
        let mut columns = vec!["document"];
        if !FREE.contains(&table.name.as_str()) {
            let texts = table.columns.iter().filter(|column| column.holds == Holds::Text);
            columns.extend(texts.map(|column| column.name.as_str()).filter(|name| REPEATED.contains(name)));
        }
        let sql = format!("SELECT {} FROM {}", columns.join(", "), table.name);
        snapshot.each(&sql, |row| {
            found.row();
            let named = columns.iter().enumerate().skip(1);
            let name = || {
                let keys = named.clone().filter_map(|(index, _)| row.opt_text(index).ok().flatten());
                format!("{} {}", table.name, keys.take(2).collect::<Vec<_>>().join(" "))
            };
            let document = match read(&table.name, row.text(0)?) {
                Ok(document) => document,
                Err(error) => {
                    found.problem("a document cannot be read", || format!("{}: {error}", name()));
                    return Ok(());
                }
            };
            for (index, column) in named.clone() {
                // A null character is another one where columns cannot hold it.
                let is_same =
                    |said: &str, column: &str| said == column || said.replace('\0', "\u{fffd}") == column;
                if let (Some(Value::String(said)), Some(column)) =
                    (document.get(*column), row.opt_text(index)?)
                    && !is_same(said, column)
                {
                    found.problem("a row contradicts its document", || {
                        format!("{}: `{said}` in the document, `{column}` in the row", name())
                    });
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The members of a document. Some settings are lists, which have none.
fn read(table: &str, text: &str) -> serde_json::Result<Object> {
    match serde_json::from_str(text)? {
        Value::Array(_) if table == "configuration" => Ok(Object::new()),
        document => serde_json::from_value(document),
    }
}
