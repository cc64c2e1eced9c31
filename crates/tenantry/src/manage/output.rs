//! Tables for people, JSON for programs; secrets only when asked for.

use crate::Failure;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;
use std::borrow::Cow;
use std::io::Write as _;
use tenantry_types::json::in_order;
use tenantry_types::redaction;

/// How answers are printed.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print secrets too
    #[arg(long, global = true)]
    reveal_secrets: bool,
}

/// Which members are printed.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Fields {
    /// Only these fields, separated by commas
    #[arg(long = "fields", value_name = "FIELDS", value_delimiter = ',')]
    names: Vec<String>,
}

impl Fields {
    /// These ones.
    pub(crate) fn of(names: &[&str]) -> Self {
        Self { names: names.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// As the API's `fields` parameter.
    pub(crate) fn query(&self) -> Option<String> {
        (!self.names.is_empty()).then(|| self.names.join(","))
    }

    /// Leaves only these members, in the order in which they were asked for.
    fn select(&self, item: &mut Value) {
        if let Value::Object(members) = item
            && !self.names.is_empty()
        {
            let of = |name: &String| members.remove_entry(name);
            *item = Value::Object(self.names.iter().filter_map(of).collect());
        }
    }
}

const SECRETS: &[&str] = &["client_secret", "signing_secret", "token"];
/// What a person looks for first.
const FIRST: &[&str] = &["id", "client_id", "name", "client_secret", "identifier"];
const HIDDEN: &str = "[hidden]";

/// Settings of other programs, among them their secrets.
const ADDONS: &str = "addons";

fn hide(value: &mut Value) {
    hide_named(value, |name| SECRETS.contains(&name));
}

/// Hides texts whose names say that they are secret.
fn hide_named(value: &mut Value, is_secret: fn(&str) -> bool) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if is_secret(name) && (member.is_string() || is_text_list(member)) {
                    *member = HIDDEN.into();
                } else {
                    let in_addons = |name: &str| SECRETS.contains(&name) || redaction::is_secret(name);
                    hide_named(member, if name == ADDONS { in_addons } else { is_secret });
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_named(item, is_secret)),
        _ => {}
    }
}

fn is_text_list(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(Value::is_string))
}

/// A value in a cell: text as it is, lists by comma, the rest as JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => plain(text).into_owned(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let all: Vec<_> = items.iter().filter_map(Value::as_str).map(plain).collect();
            all.join(", ")
        }
        other => plain(&other.to_string()).into_owned(),
    }
}

/// The longest text in a row of a list; `get` and `--json` show all of it.
const ROW_TEXT: usize = 60;

/// A value in a row among others.
fn short(value: &Value) -> String {
    let whole = cell(value);
    match whole.char_indices().nth(ROW_TEXT) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}

impl Output {
    /// Whether programs read along, so that nothing but the answer is printed.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Says how to see the secret of a client that was just printed without.
    pub(crate) fn hint_at_secret(self, id: &str) {
        if !self.reveal_secrets {
            eprintln!("hint: tenantry clients get {id} --fields client_secret --reveal-secrets");
        }
    }

    /// Prints objects as rows of these columns, unless others are asked for.
    pub(crate) fn list(
        self,
        mut items: Vec<Value>,
        fields: &Fields,
        columns: &[&str],
    ) -> Result<(), Failure> {
        for item in &mut items {
            fields.select(item);
        }
        if !self.reveal_secrets {
            items.iter_mut().for_each(hide);
        }
        if self.json {
            return print(&serde_json::to_string_pretty(&items)?);
        }
        let named: Vec<_> = fields.names.iter().map(String::as_str).collect();
        let columns = if named.is_empty() { columns } else { &named };
        let mut table = Table::new();
        table.load_preset(NOTHING).set_header(columns.iter().map(|name| name.to_uppercase()));
        for item in &items {
            table.add_row(columns.iter().map(|name| short(item.get(name).unwrap_or(&Value::Null))));
        }
        print(&table.trim_fmt())
    }

    /// Prints an object, a member a line.
    pub(crate) fn one(self, mut item: Value, fields: &Fields) -> Result<(), Failure> {
        fields.select(&mut item);
        if !self.reveal_secrets {
            hide(&mut item);
        }
        if self.json {
            return print(&serde_json::to_string_pretty(&item)?);
        }
        let Value::Object(members) = item else { return print(&item.to_string()) };
        let members = if fields.names.is_empty() { in_order(members, FIRST) } else { members };
        let mut table = Table::new();
        table.load_preset(NOTHING);
        for (name, value) in &members {
            if name != "signing_keys" || fields.names.contains(name) {
                table.add_row([plain(name).into_owned(), cell(value)]);
            }
        }
        print(&table.trim_fmt())
    }
}

/// A text from elsewhere as a terminal may show it: what would move the cursor, color, erase or turn around what stands
/// there is spelled out.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let spelled = |c: char| if is_harmful(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(spelled).collect())
}

/// A reader that goes away (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_moves_the_cursor_is_spelled_out() {
        assert_eq!(plain("a\u{1b}[2K\r\u{202e}b\n"), "a\\u{1b}[2K\\u{d}\\u{202e}b\n");
        assert_eq!(cell(&json!(["\u{1b}", "é"])), "\\u{1b}, é");
        assert!(matches!(plain("plain, ünïcode"), Cow::Borrowed(_)));
    }

    #[test]
    fn secrets_of_addons_are_hidden_by_their_names() {
        let mut client = json!({
            "client_secret": "s", "encryption_key": {"pub": "p"}, "jwt_configuration": {"alg": "RS256"},
            "addons": {"azure_sb": {"sasKey": "s", "sasKeyName": "n"}, "sap_api": {"servicePassword": "s"}},
        });
        hide(&mut client);
        let hidden = json!({
            "client_secret": HIDDEN, "encryption_key": {"pub": "p"}, "jwt_configuration": {"alg": "RS256"},
            "addons": {"azure_sb": {"sasKey": HIDDEN, "sasKeyName": "n"}, "sap_api": {"servicePassword": HIDDEN}},
        });
        assert_eq!(client, hidden);
    }
}
