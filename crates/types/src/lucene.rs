//! The part of Lucene's language that makes sense here: `name:auth* AND app_type:(spa OR native) NOT is_first_party:true`,
//! ranges of time, `_exists_:`, and words without a field. What a field is and what may be asked of it is for a
//! [`Vocabulary`] to say.

use jiff::civil::Date;

/// How deeply a search may nest; no search with a few conditions needs more.
pub(crate) const MAX_NESTING: usize = 16;

pub(crate) type Parsed<T> = Result<T, String>;

/// What is compared, before it is known with what kind of field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Is(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Word(String),
    IsPresent,
    Before { value: String, or_at: bool },
    After { value: String, or_at: bool },
}

impl Ask {
    /// The text that is looked for.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Is(text)
            | Self::StartsWith(text)
            | Self::EndsWith(text)
            | Self::Contains(text)
            | Self::Word(text) => Some(text),
            Self::IsPresent | Self::Before { .. } | Self::After { .. } => None,
        }
    }
}

/// The fields of a search.
pub(crate) trait Vocabulary {
    /// What a condition looks at.
    type Field;
    /// A condition.
    type Leaf;

    /// The field of that name.
    fn field(&self, name: &str) -> Parsed<Self::Field>;
    /// What is asked of a field.
    fn condition(&self, field: &Self::Field, ask: Ask) -> Parsed<Self::Leaf>;
    /// That a field lies between two ends, of which one may be open.
    fn between(&self, field: &Self::Field, from: Option<Ask>, to: Option<Ask>) -> Parsed<Self::Leaf>;
    /// A word or phrase without a field.
    fn word(&self, ask: Ask) -> Parsed<Tree<Self::Leaf>>;
}

/// A search as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree<L> {
    Leaf(L),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// Reads a search; an error says why it is none.
pub(crate) fn parse<V: Vocabulary>(vocabulary: &V, text: &str) -> Parsed<Tree<V::Leaf>> {
    let mut parser = Parser { vocabulary, rest: text.trim_start(), depth: 0 };
    let tree = parser.any(None)?;
    if parser.rest.is_empty() { Ok(tree) } else { Err(format!("`{}` was not expected", shown(parser.rest))) }
}

/// A part of a search, short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

/// A point in time, or a day, in milliseconds since 1970: its start and its end.
pub(crate) fn time(text: &str) -> Parsed<(i64, i64)> {
    const DAY_MS: i64 = 86_400_000;
    if let Some(millis) = crate::time::parse(text) {
        return Ok((millis, millis.saturating_add(1)));
    }
    let day = Some(text).filter(|text| text.len() == 10).and_then(|text| text.parse::<Date>().ok());
    let start = day.and_then(|_| crate::time::parse(&format!("{text}T00:00:00Z")));
    start.map(|start| (start, start + DAY_MS)).ok_or_else(|| format!("`{}` is no date", shown(text)))
}

/// The time that `ask` leaves, in milliseconds since 1970; the end is not part of it. `None` if it asks something else.
pub(crate) fn within(ask: &Ask) -> Parsed<Option<(Option<i64>, Option<i64>)>> {
    Ok(Some(match ask {
        Ask::Is(text) | Ask::Word(text) => {
            let (start, end) = time(text)?;
            (Some(start), Some(end))
        }
        Ask::Before { value, or_at } => {
            let (start, end) = time(value)?;
            (None, Some(if *or_at { end } else { start }))
        }
        Ask::After { value, or_at } => {
            let (start, end) = time(value)?;
            (Some(if *or_at { start } else { end }), None)
        }
        _ => return Ok(None),
    }))
}

/// Whether a word stands in a text, with no letter or digit beside it.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, found)| {
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + found.len()..].chars().next())
    })
}

struct Parser<'a, V> {
    vocabulary: &'a V,
    rest: &'a str,
    depth: usize,
}

/// A word or phrase, and at which of its ends an asterisk stood.
struct Term {
    text: String,
    is_quoted: bool,
    is_open_before: bool,
    is_open_behind: bool,
}

impl Term {
    fn ask(self) -> Ask {
        let text = self.text;
        match (self.is_open_before, self.is_open_behind) {
            (_, true) if text.is_empty() => Ask::IsPresent,
            (true, true) => Ask::Contains(text),
            (true, false) => Ask::EndsWith(text),
            (false, true) => Ask::StartsWith(text),
            (false, false) if self.is_quoted => Ask::Is(text),
            (false, false) => Ask::Word(text),
        }
    }
}

/// Characters that end a word.
const ENDS: &str = "()\"[]{}";

impl<V: Vocabulary> Parser<'_, V> {
    fn takes(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    /// Goes on if the next word is this one.
    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = self
            .rest
            .strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c == '('));
        is_next && self.takes(word)
    }

    /// Alternatives; `field` is given inside `field:(…)`.
    fn any(&mut self, field: Option<&V::Field>) -> Parsed<Tree<V::Leaf>> {
        let mut parts = vec![self.all(field)?];
        while self.takes_word("OR") || self.takes("||") {
            parts.push(self.all(field)?);
        }
        Ok(Tree::Any(parts))
    }

    /// What stands side by side has to hold together, with or without `AND`.
    fn all(&mut self, field: Option<&V::Field>) -> Parsed<Tree<V::Leaf>> {
        let mut parts = vec![self.one(field)?];
        loop {
            let is_joined = self.takes_word("AND") || self.takes("&&");
            let is_over = self.rest.is_empty() || self.rest.starts_with([')']) || self.rest.starts_with("||");
            let is_next_alternative = {
                let mut ahead = Parser { vocabulary: self.vocabulary, rest: self.rest, depth: 0 };
                ahead.takes_word("OR")
            };
            if !is_joined && (is_over || is_next_alternative) {
                return Ok(Tree::All(parts));
            }
            parts.push(self.one(field)?);
        }
    }

    fn one(&mut self, within: Option<&V::Field>) -> Parsed<Tree<V::Leaf>> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err("nested too deeply".into());
        }
        let expression = if self.takes_word("NOT") || self.takes("!") || self.takes("-") {
            Tree::Not(Box::new(self.one(within)?))
        } else if self.takes("+") {
            self.one(within)?
        } else if self.takes("(") {
            self.group(within)?
        } else if let Some(field) = within {
            self.value(field)?
        } else {
            self.clause()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn group(&mut self, field: Option<&V::Field>) -> Parsed<Tree<V::Leaf>> {
        let inner = self.any(field)?;
        if self.takes(")") { Ok(inner) } else { Err("a parenthesis is not closed".into()) }
    }

    fn clause(&mut self) -> Parsed<Tree<V::Leaf>> {
        let before = self.rest;
        if !self.rest.starts_with('"') {
            let name = self.word(true)?;
            if let Some(rest) = self.rest.strip_prefix(':') {
                self.rest = rest.trim_start();
                if name.text == "_exists_" {
                    let field = self.vocabulary.field(&self.term()?.text)?;
                    return Ok(Tree::Leaf(self.vocabulary.condition(&field, Ask::IsPresent)?));
                }
                let field = self.vocabulary.field(&name.text)?;
                return if self.takes("(") { self.group(Some(&field)) } else { self.value(&field) };
            }
            self.rest = before;
        }
        let term = self.term()?;
        self.vocabulary.word(term.ask())
    }

    fn value(&mut self, field: &V::Field) -> Parsed<Tree<V::Leaf>> {
        let vocabulary = self.vocabulary;
        let condition = |ask| Ok(Tree::Leaf(vocabulary.condition(field, ask)?));
        for (sign, is_after, or_at) in
            [(">=", true, true), ("<=", false, true), (">", true, false), ("<", false, false)]
        {
            if self.takes(sign) {
                let value = self.term()?.text;
                return condition(if is_after {
                    Ask::After { value, or_at }
                } else {
                    Ask::Before { value, or_at }
                });
            }
        }
        if self.rest.starts_with(['[', '{']) {
            return self.range(field);
        }
        let term = self.term()?;
        condition(term.ask())
    }

    /// `[from TO to]`, `{from TO to}` without the ends themselves, `*` for an open end.
    fn range(&mut self, field: &V::Field) -> Parsed<Tree<V::Leaf>> {
        let from_at = self.takes("[") || !self.takes("{");
        let from = self.term()?;
        if !self.takes_word("TO") {
            return Err("a range is written [from TO to]".into());
        }
        let to = self.term()?;
        let to_at = self.takes("]");
        if !to_at && !self.takes("}") {
            return Err("a range is not closed".into());
        }
        let is_open = |term: &Term| term.text.is_empty() && term.is_open_behind;
        let from = (!is_open(&from)).then_some(Ask::After { value: from.text, or_at: from_at });
        let to = (!is_open(&to)).then_some(Ask::Before { value: to.text, or_at: to_at });
        Ok(Tree::Leaf(self.vocabulary.between(field, from, to)?))
    }

    fn term(&mut self) -> Parsed<Term> {
        let term = if let Some(rest) = self.rest.strip_prefix('"') {
            self.rest = rest;
            self.phrase()?
        } else {
            self.word(false)?
        };
        self.rest = self.rest.trim_start();
        Ok(term)
    }

    fn phrase(&mut self) -> Parsed<Term> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Term { text, is_quoted: true, is_open_before: false, is_open_behind: false });
                }
                '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
                c => text.push(c),
            }
        }
        Err("a text between quotes is not closed".into())
    }

    /// A word up to white space or a sign; `:` ends the name of a field, but is an ordinary part of a value.
    fn word(&mut self, is_name: bool) -> Parsed<Term> {
        let (mut text, mut end) = (String::new(), self.rest.len());
        let (mut stars, mut count) = (Vec::new(), 0);
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
                '*' => stars.push(count),
                '?' => return Err("`?` is not supported; use * at the ends of a word".into()),
                c if c.is_whitespace() || ENDS.contains(c) || (is_name && c == ':') => {
                    end = at;
                    break;
                }
                c => text.push(c),
            }
            count += 1;
        }
        if end == 0 {
            return Err(match self.rest.chars().next() {
                Some(sign) => format!("`{sign}` was not expected"),
                None => "something is missing at the end".into(),
            });
        }
        if matches!(&self.rest[..end], "AND" | "OR" | "NOT") {
            return Err(format!(
                "`{}` was not expected; as a word it stands between quotes",
                &self.rest[..end]
            ));
        }
        self.rest = &self.rest[end..];
        let is_open_before = stars.contains(&0);
        let is_open_behind = stars.contains(&(count - 1));
        if stars.iter().any(|at| *at != 0 && *at != count - 1) {
            return Err("* is supported at the ends of a word only".into());
        }
        Ok(Term { text, is_quoted: false, is_open_before, is_open_behind })
    }
}
