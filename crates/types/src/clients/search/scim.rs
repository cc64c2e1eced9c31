//! Filters of RFC 7644 section 3.4.2.2: `name sw "auth" and (app_type eq "spa" or not (is_first_party eq true))`.

use super::{Ask, Expression, MAX_NESTING, Parsed, field, shown, test};

pub(super) fn parse(text: &str) -> Parsed<Expression> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let expression = parser.any()?;
    match parser.next() {
        None => Ok(expression),
        Some(token) => Err(format!("`{}` was not expected", shown(&token.text))),
    }
}

#[derive(Clone, Debug)]
struct Token {
    text: String,
    is_quoted: bool,
}

fn tokens(text: &str) -> Parsed<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, behind) = match first {
            '(' | ')' => (Token { text: first.into(), is_quoted: false }, &rest[1..]),
            '"' => {
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                let Some(Ok(text)) = values.next() else {
                    return Err("a text between quotes is not closed, or not one".into());
                };
                (Token { text, is_quoted: true }, &rest[values.byte_offset()..])
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "()\"".contains(c)).unwrap_or(rest.len());
                (Token { text: rest[..end].to_owned(), is_quoted: false }, &rest[end..])
            }
        };
        tokens.push(token);
        rest = behind.trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    /// Goes on if the next token is this word.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = self
            .tokens
            .get(self.at)
            .is_some_and(|next| !next.is_quoted && next.text.eq_ignore_ascii_case(word));
        self.at += usize::from(is_next);
        is_next
    }

    fn any(&mut self) -> Parsed<Expression> {
        let mut parts = vec![self.all()?];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Ok(Expression::Any(parts))
    }

    fn all(&mut self) -> Parsed<Expression> {
        let mut parts = vec![self.one()?];
        while self.takes("and") {
            parts.push(self.one()?);
        }
        Ok(Expression::All(parts))
    }

    fn one(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err("nested too deeply".into());
        }
        let expression = if self.takes("not") {
            Expression::Not(Box::new(self.one()?))
        } else if self.takes("(") {
            let inner = self.any()?;
            if !self.takes(")") {
                return Err("a parenthesis is not closed".into());
            }
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn condition(&mut self) -> Parsed<Expression> {
        let mut word = |what: &str| {
            self.next().filter(|token| !token.is_quoted).ok_or_else(|| format!("{what} was expected"))
        };
        let field = field(&word("an attribute")?.text)?;
        let operator = word("an operator")?.text.to_ascii_lowercase();
        if operator == "pr" {
            let test = test(&field, Ask::IsPresent)?;
            return Ok(Expression::Condition(field, test));
        }
        let is_known =
            matches!(operator.as_str(), "eq" | "ne" | "sw" | "ew" | "co" | "gt" | "ge" | "lt" | "le");
        if !is_known {
            return Err(format!("`{}` is no operator", shown(&operator)));
        }
        let value = self.next().ok_or("a value was expected")?;
        let is_value = value.is_quoted
            || matches!(value.text.as_str(), "true" | "false")
            || value.text.parse::<f64>().is_ok();
        if !is_value {
            return Err(format!("`{}` is no value; texts stand between quotes", shown(&value.text)));
        }
        let value = value.text;
        let ask = match operator.as_str() {
            "sw" => Ask::StartsWith(value),
            "ew" => Ask::EndsWith(value),
            "co" => Ask::Contains(value),
            "lt" | "le" => Ask::Before { value, or_at: operator == "le" },
            "gt" | "ge" => Ask::After { value, or_at: operator == "ge" },
            _ => Ask::Is(value),
        };
        let test = test(&field, ask)?;
        Ok(if operator == "ne" { Expression::Other(field, test) } else { Expression::Condition(field, test) })
    }
}
