//! Keywords in documents, as auth0-deploy-cli has them: `##NAME##` stands for a text, `@@NAME@@` for a value in JSON.

use regex::{Captures, Regex};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The keyword for the tenant's own domain. It is replaced when the tenant is known.
pub(crate) const DOMAIN: &str = "##AUTH0_DOMAIN##";
const DOMAIN_NAME: &str = "AUTH0_DOMAIN";
/// The variable with further keywords, as a JSON object; auth0-deploy-cli's.
const MAPPINGS: &str = "AUTH0_KEYWORD_REPLACE_MAPPINGS";

/// A keyword; `@@NAME@@` may stand in quotes, which go with it.
static KEYWORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"'@@(\w+)@@'|"@@(\w+)@@"|@@(\w+)@@|##(\w+)##"#).expect("a constant pattern")
});

/// What keywords stand for.
#[derive(Debug)]
pub(crate) struct Keywords(Option<BTreeMap<String, Value>>);

impl Keywords {
    /// Those of the variable, then those of the environment, then `named`, the last of which count most.
    pub(crate) fn new(named: &[(String, String)]) -> Result<Self, String> {
        let mut values: BTreeMap<String, Value> = match std::env::var(MAPPINGS) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|error| format!("{MAPPINGS} is no JSON object: {error}"))?,
            Err(_) => BTreeMap::new(),
        };
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        values.extend(variables.map(|(name, value)| (name, value.into())));
        values.extend(named.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
        Ok(Self(Some(values)))
    }

    /// Nothing is a keyword, apart from the domain.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// The text with every keyword replaced; one that stands for nothing is an error.
    pub(crate) fn replace(&self, text: &str) -> Result<String, String> {
        let Some(values) = &self.0 else { return Ok(text.to_owned()) };
        let mut unknown = Vec::new();
        let lines: Vec<_> = text
            .split('\n')
            .map(|line| {
                // A comment may speak of keywords.
                let is_comment = line.trim_start().starts_with('#') && !line.trim_start().starts_with("##");
                if is_comment {
                    return line.into();
                }
                KEYWORD.replace_all(line, |found: &Captures<'_>| {
                    let name = (1..=4).find_map(|group| found.get(group)).map_or("", |name| name.as_str());
                    match values.get(name) {
                        _ if name == DOMAIN_NAME => found[0].to_owned(),
                        Some(value) if found.get(4).is_some() => as_text(value),
                        Some(value) => as_json(value),
                        None => {
                            unknown.push(name.to_owned());
                            found[0].to_owned()
                        }
                    }
                })
            })
            .collect();
        if unknown.is_empty() {
            return Ok(lines.join("\n"));
        }
        unknown.sort();
        unknown.dedup();
        Err(format!(
            "nothing says what these keywords stand for: {}\nhint: set variables of these names, or --keyword \
             NAME=VALUE; --no-keywords takes the text as it is",
            unknown.join(", ")
        ))
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A variable can hold no list but as text.
fn as_json(value: &Value) -> String {
    match value.as_str().map(serde_json::from_str::<Value>) {
        Some(Ok(list @ (Value::Array(_) | Value::Object(_)))) => list.to_string(),
        _ => value.to_string(),
    }
}

/// Puts the tenant's domain into every text.
pub(crate) fn set_domain(value: &mut Value, domain: &str) {
    match value {
        Value::String(text) if text.contains(DOMAIN) => *text = text.replace(DOMAIN, domain),
        Value::Array(items) => items.iter_mut().for_each(|item| set_domain(item, domain)),
        Value::Object(members) => members.values_mut().for_each(|member| set_domain(member, domain)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords() -> Keywords {
        let named = [("ENV", "dev"), ("N", "5"), ("URLS", r#"["https://a","https://b"]"#), ("D", "$0 '\"")];
        Keywords::new(&named.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap()
    }

    #[test]
    fn keywords_are_replaced_as_deploy_cli_does() {
        for (text, expected) in [
            ("name: My ##ENV## app", "name: My dev app"),
            ("n: ##N##", "n: 5"),
            ("callbacks: @@URLS@@", r#"callbacks: ["https://a","https://b"]"#),
            (r#"callbacks: "@@URLS@@""#, r#"callbacks: ["https://a","https://b"]"#),
            ("env: '@@ENV@@'", r#"env: "dev""#),
            ("d: ##D##", "d: $0 '\""),
            ("# as in ##NOTHING##\na: 1", "# as in ##NOTHING##\na: 1"),
            ("audience: https://##AUTH0_DOMAIN##/api/v2/", "audience: https://##AUTH0_DOMAIN##/api/v2/"),
        ] {
            assert_eq!(keywords().replace(text).unwrap(), expected);
        }
    }

    #[test]
    fn a_keyword_that_stands_for_nothing_is_named() {
        let said = keywords().replace("a: ##NOTHING_OF_THE_KIND##\nb: @@NOR_THIS@@").unwrap_err();
        assert!(said.contains("NOR_THIS, NOTHING_OF_THE_KIND"), "{said}");
        assert_eq!(Keywords::none().replace("a: ##X##").unwrap(), "a: ##X##");
    }
}
