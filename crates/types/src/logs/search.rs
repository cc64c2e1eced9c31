//! Searches in the log (`q`), in the part of Lucene's language that Auth0 documents for it, and the older `search`.

use crate::lucene::{self, Ask, Parsed, Tree, Vocabulary, has_word, shown, within};
use crate::{ApiError, Object};
use serde_json::Value;

/// Conditions of one search; each is looked at for each entry.
const MAX_CONDITIONS: usize = 20;

/// What a condition looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Date,
    Type,
    ClientId,
    LogId,
    /// A member of the entry: its name, and whether words count or only all of it.
    Member(&'static str, bool),
}

/// The members that can be searched, and whether by words.
const MEMBERS: &[(&str, bool)] = &[
    ("client_name", true),
    ("connection", false),
    ("connection_id", false),
    ("description", true),
    ("hostname", false),
    ("ip", false),
    ("organization_id", false),
    ("user_id", false),
    ("user_name", true),
    ("user_agent", true),
    ("strategy", false),
    ("strategy_type", false),
    ("audience", false),
    ("scope", true),
];

/// Where words without a field are looked for.
const BARE: &[&str] = &["client_name", "connection", "description", "ip", "user_name"];
/// The same for `search`.
const BARE_IN_SEARCH: &[&str] = &["client_name", "connection", "user_name"];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Text(Ask),
    /// Starts with a text, or is it, in whatever case.
    Folded(Ask),
    Within(Option<i64>, Option<i64>),
}

type Leaf = (Field, Test);

/// A search.
#[derive(Clone, Debug)]
pub struct Search(Tree<Leaf>);

/// An entry as searches see it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// When, in milliseconds since 1970.
    pub date: i64,
    /// What kind of entry.
    pub kind: &'a str,
    /// Whose.
    pub client_id: Option<&'a str>,
    /// Its id.
    pub log_id: &'a str,
    /// The rest.
    pub members: &'a Object,
}

/// What every entry that a search finds has in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// It is of one of these types; of any if there are none.
    pub types: Vec<String>,
    /// It is of this client.
    pub client_id: Option<String>,
    /// It is this one.
    pub log_id: Option<String>,
    /// It is not older, in milliseconds since 1970.
    pub from: Option<i64>,
    /// It is older.
    pub to: Option<i64>,
    /// Whether every entry that is so is found: nothing else is asked.
    pub is_all: bool,
}

/// `q`, or `search`.
#[derive(Clone, Copy)]
enum Language {
    Query,
    Search,
}

impl Vocabulary for Language {
    type Field = Field;
    type Leaf = Leaf;

    fn field(&self, name: &str) -> Parsed<Field> {
        Ok(match name {
            "date" => Field::Date,
            "type" => Field::Type,
            "client_id" => Field::ClientId,
            "log_id" | "_id" => Field::LogId,
            "user" => Field::Member("user_name", true),
            "application" => Field::Member("client_name", true),
            _ => match MEMBERS.iter().find(|(member, _)| *member == name) {
                Some((member, by_word)) => Field::Member(member, *by_word),
                None => return Err(format!("`{}` cannot be searched", shown(name))),
            },
        })
    }

    fn condition(&self, field: &Field, ask: Ask) -> Parsed<Leaf> {
        let not_so = || Err(format!("{field:?} cannot be compared this way"));
        let test = match (field, self) {
            (Field::Date, _) if ask == Ask::IsPresent => Test::Within(None, None),
            (Field::Date, _) => match within(&ask)? {
                Some((from, to)) => Test::Within(from, to),
                None => return not_so(),
            },
            _ if matches!(ask, Ask::Before { .. } | Ask::After { .. }) => return not_so(),
            (_, Self::Query) => Test::Text(ask),
            (_, Self::Search) => Test::Folded(ask),
        };
        Ok((*field, test))
    }

    fn between(&self, field: &Field, from: Option<Ask>, to: Option<Ask>) -> Parsed<Leaf> {
        if *field != Field::Date {
            return Err("only date has ranges".into());
        }
        let (mut start, mut end) = (None, None);
        for (_, test) in [from, to]
            .into_iter()
            .flatten()
            .map(|ask| self.condition(field, ask))
            .collect::<Parsed<Vec<_>>>()?
        {
            if let Test::Within(from, to) = test {
                (start, end) = (from.or(start), to.or(end));
            }
        }
        Ok((*field, Test::Within(start, end)))
    }

    fn word(&self, ask: Ask) -> Parsed<Tree<Leaf>> {
        let names = match self {
            Self::Query => BARE,
            Self::Search => BARE_IN_SEARCH,
        };
        let any = names.iter().map(|name| {
            let field = self.field(name)?;
            Ok(Tree::Leaf(self.condition(&field, ask.clone())?))
        });
        Ok(Tree::Any(any.collect::<Parsed<_>>()?))
    }
}

impl Search {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self(Tree::All(Vec::new()))
    }

    /// Reads `q` and `search`; what both ask has to hold.
    ///
    /// # Errors
    /// 400: one is not written in its language, or asks what cannot be asked.
    pub fn parse(q: Option<&str>, search: Option<&str>) -> Result<Self, ApiError> {
        let mut parts = Vec::new();
        for (name, language, text) in [("q", Language::Query, q), ("search", Language::Search, search)] {
            let Some(text) = text.filter(|text| !text.trim().is_empty()) else { continue };
            let tree = lucene::parse(&language, text)
                .map_err(|reason| ApiError::invalid_query(format!("{name}: {reason}")))?;
            if count(&tree) > MAX_CONDITIONS * BARE.len() {
                return Err(ApiError::invalid_query(format!(
                    "{name}: more than {MAX_CONDITIONS} conditions"
                )));
            }
            parts.push(tree);
        }
        Ok(Self(Tree::All(parts)))
    }

    /// What the entries that it finds have in common.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let mut bounds = Bounds { is_all: true, ..Bounds::default() };
        bounds.narrow(&self.0);
        bounds
    }

    /// Whether it finds an entry.
    #[must_use]
    pub fn matches(&self, entry: Entry<'_>) -> bool {
        matches(&self.0, entry)
    }
}

fn count(tree: &Tree<Leaf>) -> usize {
    match tree {
        Tree::Leaf(_) => 1,
        Tree::Not(inner) => count(inner),
        Tree::All(parts) | Tree::Any(parts) => parts.iter().map(count).sum(),
    }
}

/// The text that a condition wants a field to be.
fn exact(condition: &Test) -> Option<&str> {
    match condition {
        Test::Text(Ask::Is(text) | Ask::Word(text)) => Some(text),
        _ => None,
    }
}

impl Bounds {
    fn narrow(&mut self, tree: &Tree<Leaf>) {
        match tree {
            Tree::All(parts) => parts.iter().for_each(|part| self.narrow(part)),
            Tree::Any(parts) => match parts.as_slice() {
                [only] => self.narrow(only),
                parts => match parts.iter().map(type_of).collect::<Option<Vec<_>>>() {
                    Some(types) => self.types(types),
                    None => self.is_all = false,
                },
            },
            Tree::Leaf((Field::Date, Test::Within(from, to))) => {
                self.from = self.from.max(*from);
                self.to = [self.to, *to].into_iter().flatten().min();
            }
            Tree::Leaf((field @ (Field::Type | Field::ClientId | Field::LogId), test)) => {
                match (field, exact(test)) {
                    (Field::Type, Some(kind)) => self.types(vec![kind.to_owned()]),
                    (Field::ClientId, Some(id)) if self.client_id.is_none() => {
                        self.client_id = Some(id.to_owned());
                    }
                    (Field::LogId, Some(id)) if self.log_id.is_none() => {
                        self.log_id = Some(id.to_owned());
                        self.is_all = false;
                    }
                    _ => self.is_all = false,
                }
            }
            Tree::Leaf(_) | Tree::Not(_) => self.is_all = false,
        }
    }

    fn types(&mut self, mut types: Vec<String>) {
        types.sort_unstable();
        types.dedup();
        if self.types.is_empty() {
            self.types = types;
        } else {
            self.is_all = false;
        }
    }
}

/// The type that a condition wants an entry to be of, if it wants nothing else.
fn type_of(tree: &Tree<Leaf>) -> Option<String> {
    match tree {
        Tree::Leaf((Field::Type, test)) => exact(test).map(str::to_owned),
        Tree::All(parts) | Tree::Any(parts) if parts.len() == 1 => type_of(&parts[0]),
        _ => None,
    }
}

fn matches(tree: &Tree<Leaf>, entry: Entry<'_>) -> bool {
    match tree {
        Tree::Leaf((field, test)) => holds(*field, test, entry),
        Tree::Not(inner) => !matches(inner, entry),
        Tree::All(parts) => parts.iter().all(|part| matches(part, entry)),
        Tree::Any(parts) => parts.iter().any(|part| matches(part, entry)),
    }
}

fn holds(field: Field, test: &Test, entry: Entry<'_>) -> bool {
    let (value, by_word) = match field {
        Field::Date => (None, false),
        Field::Type => (Some(entry.kind), false),
        Field::ClientId => (entry.client_id, false),
        Field::LogId => (Some(entry.log_id), false),
        Field::Member(name, by_word) => (entry.members.get(name).and_then(Value::as_str), by_word),
    };
    match test {
        Test::Within(from, to) => {
            from.is_none_or(|from| entry.date >= from) && to.is_none_or(|to| entry.date < to)
        }
        Test::Text(ask) => value.is_some_and(|value| is_so(value, ask, by_word)),
        Test::Folded(ask) => value.is_some_and(|value| {
            let (value, asked) = (value.to_lowercase(), ask.text().unwrap_or_default().to_lowercase());
            if matches!(ask, Ask::Is(_)) { value == asked } else { value.starts_with(&asked) }
        }),
    }
}

fn is_so(value: &str, ask: &Ask, by_word: bool) -> bool {
    match ask {
        Ask::Is(text) | Ask::Word(text) if by_word => value == text || has_word(value, text),
        Ask::Is(text) | Ask::Word(text) => value == text,
        Ask::StartsWith(text) if by_word => {
            value.starts_with(text.as_str())
                || value.split_whitespace().any(|word| word.starts_with(text.as_str()))
        }
        Ask::StartsWith(text) => value.starts_with(text.as_str()),
        Ask::EndsWith(text) => value.ends_with(text.as_str()),
        Ask::Contains(text) => value.contains(text.as_str()),
        Ask::IsPresent => !value.is_empty(),
        Ask::Before { .. } | Ask::After { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn finds(q: &str) -> bool {
        let Value::Object(members) =
            json!({"description": "Create a client", "client_name": "My App", "ip": "10.0.0.1"})
        else {
            unreachable!()
        };
        let entry = Entry {
            date: crate::time::parse("2026-11-23T12:00:00Z").unwrap(),
            kind: "sapi",
            client_id: Some("abc"),
            log_id: "900",
            members: &members,
        };
        Search::parse(Some(q), None).unwrap_or_else(|error| panic!("{q}: {error}")).matches(entry)
    }

    #[test]
    fn searches_find_what_they_say() {
        for q in [
            "type:sapi",
            "type:\"sapi\" AND client_id:abc",
            "type:(sapi OR fapi)",
            "NOT type:fapi",
            "type:s*",
            "date:[2026-11-23 TO 2026-11-24]",
            "date:2026-11-23",
            "date:{2026-11-22 TO *]",
            "date:>=2026-11-23",
            "ip:10.0.0.1",
            "ip:10.*",
            "description:\"Create a client\"",
            "description:client",
            "description:*client",
            "client_name:\"My App\"",
            "App",
            "\"My App\"",
            "_exists_:ip",
            "log_id:900",
            "type:fapi OR ip:10.0.0.1",
        ] {
            assert!(finds(q), "{q}");
        }
        for q in [
            "type:fapi",
            "type:sapi AND client_id:x",
            "NOT type:sapi",
            "date:[2026-11-24 TO *]",
            "date:<2026-11-23",
            "description:create",
            "client_name:\"My\\ Ap\"",
            "_exists_:user_id",
            "nothing",
            "type:Sapi",
        ] {
            assert!(!finds(q), "{q}");
        }
    }

    #[test]
    fn what_cannot_be_searched_is_refused() {
        for (q, reason) in [
            ("details.request.path:x", "q: `details.request.path` cannot be searched"),
            ("type:(sapi", "q: a parenthesis is not closed"),
            ("ip:[1 TO 2]", "q: only date has ranges"),
            ("date:yesterday", "q: `yesterday` is no date"),
        ] {
            let error = Search::parse(Some(q), None).unwrap_err();
            assert!(error.message.contains(reason), "{q}: {}", error.message);
        }
    }

    #[test]
    fn bounds_are_what_every_entry_has() {
        let bounds = |q| Search::parse(Some(q), None).unwrap().bounds();
        let both = bounds("type:(sapi OR fapi) AND client_id:\"a\" AND date:[1970-01-02 TO *]");
        assert_eq!(both.types, ["fapi", "sapi"]);
        assert_eq!(
            (both.client_id.as_deref(), both.from, both.to, both.is_all),
            (Some("a"), Some(86_400_000), None, true)
        );
        assert!(!bounds("type:sapi AND ip:1").is_all);
        assert_eq!(bounds("type:sapi OR ip:1").types, Vec::<String>::new());
        assert_eq!(bounds("NOT type:sapi").types, Vec::<String>::new());
    }

    #[test]
    fn the_older_search_looks_at_beginnings_in_whatever_case() {
        let Value::Object(members) = json!({"client_name": "My App"}) else { unreachable!() };
        let entry = Entry { date: 0, kind: "sapi", client_id: None, log_id: "", members: &members };
        let finds = |search| Search::parse(None, Some(search)).unwrap().matches(entry);
        assert!(
            finds("my") && finds("application:MY") && finds("client_name:\"my app\"") && finds("type:SA")
        );
        assert!(!finds("app") && !finds("client_name:\"my\""));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(q in "[a-z:\"()\\[\\]{}*?~^ ORANDT<>=.0-9-]{0,40}") {
            let _ = Search::parse(Some(&q), Some(&q));
        }
    }
}
