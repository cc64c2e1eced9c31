//! The part of Lucene's language that makes sense here: `name:auth* AND app_type:(spa OR native) NOT is_first_party:true`,
//! ranges of time, `_exists_:`, and words without a field, which are looked for in names.

use super::{Ask, Expression, Field, MAX_NESTING, Parsed, field, shown, test};

pub(super) fn parse(text: &str) -> Parsed<Expression> {
    let mut parser = Parser { rest: text.trim_start(), depth: 0 };
    let expression = parser.any(None)?;
    if parser.rest.is_empty() {
        Ok(expression)
    } else {
        Err(format!("`{}` was not expected", shown(parser.rest)))
    }
}

struct Parser<'a> {
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

/// Characters that end a word.
const ENDS: &str = "()\"[]{}";

impl Parser<'_> {
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
    fn any(&mut self, field: Option<&Field>) -> Parsed<Expression> {
        let mut parts = vec![self.all(field)?];
        while self.takes_word("OR") || self.takes("||") {
            parts.push(self.all(field)?);
        }
        Ok(Expression::Any(parts))
    }

    /// What stands side by side has to hold together, with or without `AND`.
    fn all(&mut self, field: Option<&Field>) -> Parsed<Expression> {
        let mut parts = vec![self.one(field)?];
        loop {
            let is_joined = self.takes_word("AND") || self.takes("&&");
            let is_over = self.rest.is_empty() || self.rest.starts_with([')']) || self.rest.starts_with("||");
            let is_next_alternative = {
                let mut ahead = Parser { rest: self.rest, depth: 0 };
                ahead.takes_word("OR")
            };
            if !is_joined && (is_over || is_next_alternative) {
                return Ok(Expression::All(parts));
            }
            parts.push(self.one(field)?);
        }
    }

    fn one(&mut self, within: Option<&Field>) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err("nested too deeply".into());
        }
        let expression = if self.takes_word("NOT") || self.takes("!") || self.takes("-") {
            Expression::Not(Box::new(self.one(within)?))
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

    fn group(&mut self, field: Option<&Field>) -> Parsed<Expression> {
        let inner = self.any(field)?;
        if self.takes(")") { Ok(inner) } else { Err("a parenthesis is not closed".into()) }
    }

    fn clause(&mut self) -> Parsed<Expression> {
        let before = self.rest;
        if !self.rest.starts_with('"') {
            let name = self.word(true)?;
            if let Some(rest) = self.rest.strip_prefix(':') {
                self.rest = rest.trim_start();
                if name.text == "_exists_" {
                    let field = field(&self.term()?.text)?;
                    return Ok(Expression::Condition(field, super::Test::IsPresent));
                }
                let field = field(&name.text)?;
                return if self.takes("(") { self.group(Some(&field)) } else { self.value(&field) };
            }
            self.rest = before;
        }
        // A word of its own: part of a name.
        let term = self.term()?;
        let test = test(&Field::Name, Ask::Contains(term.text))?;
        Ok(Expression::Condition(Field::Name, test))
    }

    fn value(&mut self, field: &Field) -> Parsed<Expression> {
        let condition = |ask| Ok(Expression::Condition(field.clone(), test(field, ask)?));
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
        let text = term.text;
        condition(match (term.is_open_before, term.is_open_behind) {
            (_, true) if text.is_empty() => Ask::IsPresent,
            (true, true) => Ask::Contains(text),
            (true, false) => Ask::EndsWith(text),
            (false, true) => Ask::StartsWith(text),
            (false, false) if term.is_quoted => Ask::Is(text),
            (false, false) => Ask::Word(text),
        })
    }

    /// `[from TO to]`, `{from TO to}` without the ends themselves, `*` for an open end.
    fn range(&mut self, field: &Field) -> Parsed<Expression> {
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
        let from = (!is_open(&from)).then(|| test(field, Ask::After { value: from.text, or_at: from_at }));
        let to = (!is_open(&to)).then(|| test(field, Ask::Before { value: to.text, or_at: to_at }));
        let test = match (from.transpose()?, to.transpose()?) {
            (Some(super::Test::Within(from, _)), Some(super::Test::Within(_, to))) => {
                super::Test::Within(from, to)
            }
            (Some(end), None) | (None, Some(end)) => end,
            _ => super::Test::IsPresent,
        };
        Ok(Expression::Condition(field.clone(), test))
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
