//! Searches for clients: what `GET /clients/search` understands in either of its two languages, which clients it means,
//! and the terms under which a client is indexed so that they are found without looking at every one.

mod scim;
mod terms;

pub use terms::{ANY_ORGANIZATION, Cover, name_key, terms};

use crate::lucene::{self, Ask, MAX_NESTING, Parsed, Tree, Vocabulary, has_word, shown, within};
use crate::{ApiError, Object};
use serde_json::Value;
use std::collections::BTreeSet;
use terms::{MAX_HOST, MAX_HOSTS, MAX_METADATA_VALUE, MAX_NAME};
use url::Url;

/// The most conditions of one search.
pub const MAX_CONDITIONS: usize = 5;

/// The languages of searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Filters of RFC 7644 section 3.4.2.2.
    Scim,
    /// Lucene's.
    #[default]
    Lucene,
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The id, exactly.
    ClientId,
    /// The URL of the metadata document, exactly.
    ExternalClientId,
    /// The name, in whatever case.
    Name,
    /// The kind of application, exactly.
    AppType,
    /// Whether the tenant's owner runs it.
    IsFirstParty,
    /// When it was changed last.
    UpdatedAt,
    /// An entry of `client_metadata`, by its exact name.
    Metadata(String),
    /// The host of one of its callbacks.
    CallbackHost,
    /// The organization of one of its grants.
    GrantOrganization,
    /// Whether one of its grants is for any organization.
    GrantAnyOrganization,
}

/// What a condition asks of its field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// It is this text.
    Is(String),
    /// It starts with this text.
    StartsWith(String),
    /// It ends with this text.
    EndsWith(String),
    /// This text stands in it.
    Contains(String),
    /// This text stands in it, with no letter or digit beside it.
    Word(String),
    /// It is set.
    IsPresent,
    /// It is so.
    IsTrue(bool),
    /// It lies in this time, in milliseconds since 1970; the end is not part of it.
    Within(Option<i64>, Option<i64>),
}

/// A condition, or the opposite of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// What it looks at.
    pub field: Field,
    /// What it asks.
    pub test: Test,
    /// Whether it is to hold.
    pub holds: bool,
}

/// A search: clients for which all conditions of one of these lists hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(pub Vec<Vec<Condition>>);

impl Search {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![Vec::new()])
    }

    /// Reads a search.
    ///
    /// # Errors
    /// 400: it is not written in that language, or asks what cannot be asked.
    pub fn parse(language: Language, text: &str) -> Result<Self, ApiError> {
        let expression = match language {
            Language::Scim => scim::parse(text),
            Language::Lucene => lucene::parse(&Clients, text).map(Expression::from),
        };
        let expression = expression.map_err(|reason| ApiError::invalid_query(format!("q: {reason}")))?;
        let conditions = expression.count();
        if conditions > MAX_CONDITIONS {
            return Err(ApiError::invalid_query(format!(
                "q: {conditions} conditions, but {MAX_CONDITIONS} at most are supported"
            )));
        }
        Ok(Self(expression.alternatives(true)))
    }
}

/// A search as it is written.
#[derive(Clone, Debug)]
enum Expression {
    Condition(Field, Test),
    /// `ne` of SCIM: set, and to something else.
    Other(Field, Test),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Expression {
    fn count(&self) -> usize {
        match self {
            Self::Condition(..) | Self::Other(..) => 1,
            Self::Not(inner) => inner.count(),
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::count).sum(),
        }
    }

    /// The lists of conditions of which one has to hold. Five conditions make six lists at most.
    fn alternatives(&self, holds: bool) -> Vec<Vec<Condition>> {
        let condition =
            |field: &Field, test: &Test, holds| Condition { field: field.clone(), test: test.clone(), holds };
        match self {
            Self::Condition(field, test) => vec![vec![condition(field, test, holds)]],
            Self::Other(field @ Field::Metadata(_), test) => {
                let is_present = condition(field, &Test::IsPresent, holds);
                if holds {
                    vec![vec![is_present, condition(field, test, false)]]
                } else {
                    vec![vec![is_present], vec![condition(field, test, true)]]
                }
            }
            Self::Other(field, test) => vec![vec![condition(field, test, !holds)]],
            Self::Not(inner) => inner.alternatives(!holds),
            Self::All(parts) | Self::Any(parts) => {
                let lists = parts.iter().map(|part| part.alternatives(holds));
                if matches!(self, Self::Any(_)) == holds {
                    return lists.flatten().collect();
                }
                lists.fold(vec![Vec::new()], |all, lists| {
                    let with = |list: &Vec<Condition>| {
                        let list = list.clone();
                        lists.iter().map(move |more| [list.as_slice(), more.as_slice()].concat())
                    };
                    all.iter().flat_map(with).collect()
                })
            }
        }
    }
}

fn field(name: &str) -> Parsed<Field> {
    Ok(match name {
        "client_id" => Field::ClientId,
        "external_client_id" => Field::ExternalClientId,
        "name" => Field::Name,
        "app_type" => Field::AppType,
        "is_first_party" => Field::IsFirstParty,
        "updated_at" => Field::UpdatedAt,
        "callback_host" => Field::CallbackHost,
        "client_grant.organization_id" => Field::GrantOrganization,
        "client_grant.allow_any_organization" => Field::GrantAnyOrganization,
        _ => match name.strip_prefix("metadata.").or_else(|| name.strip_prefix("client_metadata.")) {
            Some(key) if !key.is_empty() => Field::Metadata(key.to_owned()),
            _ => return Err(format!("`{}` cannot be searched", shown(name))),
        },
    })
}

/// The fields of clients, in Lucene's language.
struct Clients;

impl Vocabulary for Clients {
    type Field = Field;
    type Leaf = (Field, Test);

    fn field(&self, name: &str) -> Parsed<Field> {
        field(name)
    }

    fn condition(&self, field: &Field, ask: Ask) -> Parsed<(Field, Test)> {
        Ok((field.clone(), test(field, ask)?))
    }

    fn between(&self, field: &Field, from: Option<Ask>, to: Option<Ask>) -> Parsed<(Field, Test)> {
        let end = |ask: Option<Ask>| ask.map(|ask| test(field, ask)).transpose();
        let test = match (end(from)?, end(to)?) {
            (Some(Test::Within(from, _)), Some(Test::Within(_, to))) => Test::Within(from, to),
            (Some(end), None) | (None, Some(end)) => end,
            _ => Test::IsPresent,
        };
        Ok((field.clone(), test))
    }

    /// Part of a name.
    fn word(&self, ask: Ask) -> Parsed<Tree<(Field, Test)>> {
        let text = ask.text().unwrap_or_default().to_owned();
        Ok(Tree::Leaf(self.condition(&Field::Name, Ask::Contains(text))?))
    }
}

impl From<Tree<(Field, Test)>> for Expression {
    fn from(tree: Tree<(Field, Test)>) -> Self {
        let all = |parts: Vec<Tree<_>>| parts.into_iter().map(Self::from).collect();
        match tree {
            Tree::Leaf((field, test)) => Self::Condition(field, test),
            Tree::Not(inner) => Self::Not(Box::new(Self::from(*inner))),
            Tree::All(parts) => Self::All(all(parts)),
            Tree::Any(parts) => Self::Any(all(parts)),
        }
    }
}

/// The condition that `ask` is for this field.
fn test(field: &Field, ask: Ask) -> Parsed<Test> {
    // No stored text holds it, and not every database takes it for a text.
    let holds_nul = ask.text().is_some_and(|text| text.contains('\0'));
    if holds_nul {
        return Err("a text cannot hold the character 0".into());
    }
    let not_so = || Err(format!("{field:?} cannot be compared this way"));
    Ok(match (field, ask) {
        (Field::GrantAnyOrganization, Ask::IsPresent) => Test::IsTrue(true),
        (_, Ask::IsPresent) => Test::IsPresent,
        (Field::IsFirstParty | Field::GrantAnyOrganization, Ask::Is(text) | Ask::Word(text)) => {
            match text.as_str() {
                "true" => Test::IsTrue(true),
                "false" => Test::IsTrue(false),
                _ => return Err(format!("`{}` is neither true nor false", shown(&text))),
            }
        }
        (Field::UpdatedAt, ask) => match within(&ask)? {
            Some((from, to)) => Test::Within(from, to),
            None => return not_so(),
        },
        (Field::Name, Ask::Is(text)) => Test::Is(folded(&text)),
        (Field::Name, Ask::StartsWith(text)) => Test::StartsWith(folded(&text)),
        (Field::Name, Ask::EndsWith(text)) => Test::EndsWith(folded(&text)),
        (Field::Name, Ask::Contains(text)) => Test::Contains(folded(&text)),
        (Field::Name, Ask::Word(text)) => Test::Word(folded(&text)),
        (Field::CallbackHost, Ask::Is(text) | Ask::Word(text)) => Test::Is(text.to_lowercase()),
        (Field::CallbackHost, Ask::EndsWith(text)) if text.starts_with('.') => {
            Test::EndsWith(text.to_lowercase())
        }
        (Field::Metadata(_), Ask::StartsWith(text)) => Test::StartsWith(text),
        (Field::IsFirstParty | Field::GrantAnyOrganization, _) => return not_so(),
        (_, Ask::Is(text) | Ask::Word(text)) => Test::Is(text),
        _ => return not_so(),
    })
}

/// In lower case, each character for itself, so that a part of a text folds to a part of the folded text.
fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// What searches look at of a client.
#[derive(Clone, Debug)]
pub struct Searched<'a> {
    document: &'a Object,
    updated_at: i64,
    name: String,
}

impl<'a> Searched<'a> {
    /// Of a client's document, and when it was changed last.
    #[must_use]
    pub fn new(document: &'a Object, updated_at: i64) -> Self {
        let name = text(document, "name").unwrap_or_default();
        let name = folded(name).chars().take(MAX_NAME).collect();
        Self { document, updated_at, name }
    }

    /// Whether a condition holds. What grants say is not known here; it is taken to hold as asked.
    #[must_use]
    pub fn matches(&self, condition: &Condition) -> bool {
        let exactly = |value: Option<&str>| match &condition.test {
            Test::Is(text) => value == Some(text),
            Test::StartsWith(text) => value.is_some_and(|value| value.starts_with(text)),
            Test::IsPresent => value.is_some(),
            _ => false,
        };
        let holds = match &condition.field {
            Field::GrantOrganization | Field::GrantAnyOrganization => return true,
            Field::ClientId => exactly(text(self.document, "client_id")),
            Field::ExternalClientId => exactly(text(self.document, "external_client_id")),
            Field::AppType => exactly(text(self.document, "app_type")),
            Field::IsFirstParty => match condition.test {
                Test::IsTrue(asked) => {
                    asked == (self.document.get("is_first_party") != Some(&Value::Bool(false)))
                }
                _ => true,
            },
            Field::UpdatedAt => match condition.test {
                Test::Within(from, to) => {
                    from.is_none_or(|from| self.updated_at >= from)
                        && to.is_none_or(|to| self.updated_at < to)
                }
                _ => true,
            },
            Field::Metadata(key) => {
                let value = metadata(self.document).find(|(name, _)| *name == key);
                match &condition.test {
                    Test::IsPresent => value.is_some(),
                    _ => exactly(value.as_ref().and_then(|(_, value)| value.as_deref())),
                }
            }
            Field::CallbackHost => {
                let hosts = hosts(self.document);
                match &condition.test {
                    Test::Is(host) => hosts.contains(host),
                    Test::EndsWith(end) => hosts.iter().any(|host| host.ends_with(end.as_str())),
                    _ => !hosts.is_empty(),
                }
            }
            Field::Name => match &condition.test {
                Test::Is(asked) => self.name == asked.chars().take(MAX_NAME).collect::<String>(),
                Test::StartsWith(asked) => self.name.starts_with(asked),
                Test::EndsWith(asked) => self.name.ends_with(asked),
                Test::Contains(asked) => self.name.contains(asked),
                Test::Word(asked) => has_word(&self.name, asked),
                _ => !self.name.is_empty(),
            },
        };
        holds == condition.holds
    }
}

fn text<'a>(document: &'a Object, name: &str) -> Option<&'a str> {
    document.get(name).and_then(Value::as_str)
}

/// Entries of `client_metadata`. Values that are too long are there, but cannot be searched.
fn metadata(document: &Object) -> impl Iterator<Item = (&String, Option<String>)> {
    let entries = document.get("client_metadata").and_then(Value::as_object).into_iter().flatten();
    entries.map(|(key, value)| {
        let text = match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            _ => None,
        };
        (key, text.filter(|text| text.chars().count() <= MAX_METADATA_VALUE))
    })
}

/// Hosts of the callbacks. Names that are too long lead nowhere, and cannot be searched.
fn hosts(document: &Object) -> BTreeSet<String> {
    let callbacks = document.get("callbacks").and_then(Value::as_array).into_iter().flatten();
    let urls = callbacks.filter_map(Value::as_str).filter_map(|url| Url::parse(url).ok());
    let mut hosts = BTreeSet::new();
    for url in urls {
        if let Some(host) = url.host_str().filter(|host| (1..=MAX_HOST).contains(&host.len())) {
            hosts.insert(host.to_lowercase());
        }
        if hosts.len() == MAX_HOSTS {
            break;
        }
    }
    hosts
}

#[cfg(test)]
mod tests;
