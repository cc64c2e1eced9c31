//! What a command sends: a file, standard input, and single members.

use super::output::plain;
use crate::Failure;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

/// The members of a body.
#[derive(Debug, clap::Args)]
pub(crate) struct Body {
    /// JSON file with the members; - is standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<String>,
    /// Sets a member: name=n, jwt_configuration.alg=RS256, callbacks='["https://a.b"]', addons=null
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(Vec<String>, Value)>,
}

/// Reads `a.b=value`. The value is JSON if it can be read as such, else text.
fn assignment(text: &str) -> Result<(Vec<String>, Value), String> {
    let (path, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    let path: Vec<_> = path.split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return Err("a part of the key is empty".into());
    }
    Ok((path, serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))))
}

fn put(object: &mut Map<String, Value>, path: &[String], value: Value) -> Result<(), Failure> {
    match path {
        [] => Ok(()),
        [name] => {
            object.insert(name.clone(), value);
            Ok(())
        }
        [name, rest @ ..] => {
            let inner = object.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if inner.is_null() {
                *inner = Value::Object(Map::new());
            }
            let inner = inner.as_object_mut().ok_or_else(|| format!("`{name}` is no object"))?;
            put(inner, rest, value)
        }
    }
}

impl Body {
    /// The members, as the type that the call takes.
    ///
    /// The file counts least, `--set` most; `options` are members that have options of their own.
    pub(crate) fn read<T: DeserializeOwned>(self, options: Vec<(&str, Option<Value>)>) -> Result<T, Failure> {
        let mut object = match self.file.as_deref() {
            None => Map::new(),
            Some(file) => {
                match serde_json::from_str(&read_text(file)?).map_err(|error| format!("{file}: {error}"))? {
                    Value::Object(object) => object,
                    _ => return Err(format!("{file}: expected a JSON object").into()),
                }
            }
        };
        for (name, value) in options {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        }
        for (path, value) in self.set {
            put(&mut object, &path, value)?;
        }
        if object.is_empty() {
            return Err(
                "nothing to send\nhint: name members with --set or --file; --help shows examples".into()
            );
        }
        serde_json::from_value(Value::Object(object)).map_err(|error| misfit(&error.to_string()))
    }
}

/// Why members are not what a call takes, and what to write instead.
fn misfit(error: &str) -> Failure {
    let hint = if error.contains("expected a sequence") {
        "\nhint: lists are written as JSON: --set 'callbacks=[\"https://a.example/cb\"]'"
    } else if error.contains("missing field `name`") {
        "\nhint: give it a name with --name"
    } else if error.contains("missing field `identifier`") {
        "\nhint: give it an identifier with --identifier"
    } else if error.contains("missing field `audience`") {
        "\nhint: say which API with --api"
    } else if error.contains("missing field `pem`") {
        "\nhint: name the file with --pem"
    } else if error.contains("expected a string") {
        "\nhint: a text that looks like JSON needs quotes of its own: --set 'name=\"123\"'"
    } else {
        ""
    };
    format!("the members do not fit: {error}{hint}").into()
}

/// The text of a file; `-` is standard input.
pub(crate) fn read_text(file: &str) -> Result<String, Failure> {
    if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    Ok(std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?)
}

/// Asks before what cannot be undone.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(format!("{question} There is nobody to ask\nhint: --yes does it without asking").into());
    }
    eprint!("{} [y/N] ", plain(question));
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err("not done".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(sets: &[&str]) -> Result<Value, Failure> {
        let set = sets.iter().map(|text| assignment(text).unwrap()).collect();
        Body { file: None, set }.read::<Value>(vec![("name", Some("n".into())), ("absent", None)])
    }

    #[test]
    fn members_are_set_by_path_as_json_or_text() {
        let body =
            read(&["description=two words", "callbacks=[\"a\"]", "a.b.c=1", "a.b.d=null", "x=true", "y=a=b"]);
        assert_eq!(
            body.unwrap(),
            json!({"name": "n", "description": "two words", "callbacks": ["a"], "a": {"b": {"c": 1, "d": null}}, "x": true, "y": "a=b"})
        );
        assert!(read(&["name.x=1"]).is_err());
        for bad in ["novalue", "=x", "a..b=1"] {
            assert!(assignment(bad).is_err(), "{bad}");
        }
    }
}
