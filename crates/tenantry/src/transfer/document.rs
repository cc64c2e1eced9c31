//! The document: what a tenant has, or should have. Its sections and members are auth0-deploy-cli's, and what a client's
//! credentials are stands with the client, under `credentials`.

use super::keywords::Keywords;
use crate::Failure;
use crate::manage::input::read_text;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tenantry_types::Object;

/// What a document says; a section that is `None` is not spoken of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Document {
    pub(crate) apis: Option<Vec<Object>>,
    pub(crate) clients: Option<Vec<Object>>,
    pub(crate) grants: Option<Vec<Object>>,
    /// Sections that are not ours to manage.
    pub(crate) others: Vec<String>,
}

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Yaml,
    Json,
}

impl Format {
    /// The format that the name of a file speaks of.
    pub(crate) fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            Self::Json
        } else {
            Self::Yaml
        }
    }
}

const APIS: &str = "resourceServers";
const CLIENTS: &str = "clients";
const GRANTS: &str = "clientGrants";

/// Where auth0-deploy-cli keeps one object a file, and the section that it is part of.
const FOLDERS: &[(&str, &str)] = &[("resource-servers", APIS), ("clients", CLIENTS), ("grants", GRANTS)];

impl Document {
    /// Reads a document: a file, `-` for standard input, or a directory of auth0-deploy-cli.
    pub(crate) fn read(file: &str, keywords: &Keywords) -> Result<Self, Failure> {
        let path = Path::new(file);
        if file != "-" && path.is_dir() {
            return Self::read_directory(path, keywords);
        }
        let text = keywords.replace(&read_text(file)?).map_err(|error| format!("{file}: {error}"))?;
        let format =
            if file == "-" && text.trim_start().starts_with('{') { Format::Json } else { Format::of(path) };
        let value = parse(&text, format).map_err(|error| format!("{file}: {error}"))?;
        let mut document = Self::from_value(value).map_err(|error| format!("{file}: {error}"))?;
        let folder = path.parent().unwrap_or(Path::new("")).join(CLIENTS);
        document.load_pages(&folder, keywords)?;
        Ok(document)
    }

    fn read_directory(path: &Path, keywords: &Keywords) -> Result<Self, Failure> {
        let mut sections = Object::new();
        for (folder, section) in FOLDERS {
            let folder = path.join(folder);
            if !folder.is_dir() {
                continue;
            }
            let mut files = std::fs::read_dir(&folder)?
                .map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<Vec<PathBuf>>>()?;
            files.retain(|file| Format::of(file) == Format::Json);
            files.sort();
            let read = |file: &PathBuf| -> Result<Value, Failure> {
                let at = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
                let text = std::fs::read_to_string(file).map_err(|error| at(&error))?;
                let text = keywords.replace(&text).map_err(|error| at(&error))?;
                Ok(parse(&text, Format::Json).map_err(|error| at(&error))?)
            };
            let objects = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            sections.insert((*section).to_owned(), objects.into());
        }
        let at = |error: Failure| format!("{}: {error}", path.display());
        let mut document = Self::from_value(sections.into()).map_err(at)?;
        document.load_pages(&path.join(CLIENTS), keywords)?;
        Ok(document)
    }

    /// auth0-deploy-cli keeps custom login pages in files of their own.
    fn load_pages(&mut self, folder: &Path, keywords: &Keywords) -> Result<(), Failure> {
        for client in self.clients.iter_mut().flatten() {
            let Some(Value::String(page)) = client.get_mut("custom_login_page") else { continue };
            let file = folder.join(&page);
            // A page itself is no name of a file.
            if !page.contains('<') && file.is_file() {
                let text = std::fs::read_to_string(&file)?;
                *page = keywords.replace(&text).map_err(|error| format!("{}: {error}", file.display()))?;
            }
        }
        Ok(())
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        let Value::Object(sections) = value else {
            return Err("expected an object with sections".into());
        };
        let mut document = Self::default();
        for (name, section) in sections {
            let place = match name.as_str() {
                APIS => &mut document.apis,
                CLIENTS => &mut document.clients,
                GRANTS => &mut document.grants,
                _ => {
                    document.others.push(name);
                    continue;
                }
            };
            *place = objects(&name, section)?;
        }
        if document.apis.is_none() && document.clients.is_none() && document.grants.is_none() {
            return Err(format!("there is none of the sections {APIS}, {CLIENTS} and {GRANTS}").into());
        }
        Ok(document)
    }

    /// The document as text.
    pub(crate) fn print(&self, format: Format) -> Result<String, Failure> {
        let mut sections = Object::new();
        for (name, section) in [(APIS, &self.apis), (CLIENTS, &self.clients), (GRANTS, &self.grants)] {
            if let Some(section) = section {
                sections.insert(name.into(), section.iter().cloned().map(Value::Object).collect());
            }
        }
        let sections = Value::Object(sections);
        Ok(match format {
            Format::Json => serde_json::to_string_pretty(&sections)? + "\n",
            Format::Yaml => serde_saphyr::to_string(&sections)?,
        })
    }
}

fn objects(name: &str, section: Value) -> Result<Option<Vec<Object>>, Failure> {
    let items = match section {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        _ => return Err(format!("`{name}` is no list").into()),
    };
    let object = |item| match item {
        Value::Object(object) => Ok(object),
        _ => Err(format!("`{name}` has an entry that is no object")),
    };
    Ok(Some(items.into_iter().map(object).collect::<Result<_, _>>()?))
}

fn parse(text: &str, format: Format) -> Result<Value, String> {
    match format {
        Format::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        Format::Yaml => {
            // As YAML 1.2 has it, which is what auth0-deploy-cli reads. The file is the caller's own, so nothing
            // guards against its size; and errors do not show what may be a secret.
            let options = serde_saphyr::options! {
                budget: None,
                strict_booleans: true,
                leading_zero_numbers_as_strings: true,
                underscored_numbers_as_strings: true,
                with_snippet: false,
            };
            serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn values() -> impl Strategy<Value = Value> {
        let words = prop_oneof![
            any::<String>(),
            "[ -~\n]{0,30}",
            prop::sample::select(vec![
                "yes",
                "no",
                "on",
                "~",
                "null",
                "true",
                "1e3",
                "0755",
                "1_000",
                "0x1f",
                "2020-01-01",
                "- a",
                "a: b",
                "#",
                " x ",
                "##A##",
                "@@A@@",
                "\n",
                "a\n",
                "a\n\n",
                "<<",
                "=",
                "%",
                "`",
                "é\u{85}",
            ])
            .prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            words.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((words.clone(), inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(value in values()) {
            let client = json!({"name": "n", "client_metadata": value}).as_object().unwrap().clone();
            let document = Document { clients: Some(vec![client]), ..Document::default() };
            for format in [Format::Json, Format::Yaml] {
                let text = document.print(format).unwrap();
                let again = Document::from_value(parse(&text, format).unwrap()).unwrap();
                prop_assert_eq!(&again, &document, "{}", text);
            }
        }
    }

    #[test]
    fn words_are_words_and_not_what_they_were_in_older_yaml() {
        let text = "clients:\n- name: no\n  description: 0755\n  logo_uri: 1_000\n";
        let read = Document::from_value(parse(text, Format::Yaml).unwrap()).unwrap();
        let client = &read.clients.unwrap()[0];
        assert_eq!(
            Value::Object(client.clone()),
            json!({"name": "no", "description": "0755", "logo_uri": "1_000"})
        );
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for bad in [
            "",
            "[]",
            "a: 1",
            "clients: 1",
            "clients: [1]",
            "clients: null",
            "clients: [{a: 1, a: 2}]",
            "clients: [",
        ] {
            assert!(
                parse(bad, Format::Yaml).map_err(Failure::from).and_then(Document::from_value).is_err(),
                "{bad}"
            );
        }
    }
}
