//! Text of a condition to its tree: recursive descent over words and signs.

use super::{Aggregation, AggregationFunction, Comparison, Expr, Pipe, Quantifier, Target};
use crate::syntax::{Loc, Name};
use ruleferry_diag::{Diagnostic, Span, SpanMap, codes};
use ruleferry_doc::Style;
use smol_str::SmolStr;

/// Deepest nesting of parentheses and `not`.
const MAX_DEPTH: usize = 128;

/// Reads a condition; `map` takes offsets in its text to the file.
pub(crate) fn parse(text: &str, map: &SpanMap) -> Result<(Expr, Option<Pipe>), Diagnostic> {
    let mut parser = Parser { text, map, at: 0, depth: 0, token: Token::End, token_start: 0, last_end: 0 };
    parser.advance();
    if parser.token == Token::End {
        let help = "name a search, or combine several: `selection and not filter`";
        return Err(parser.fault("the condition is empty").with_help(help));
    }
    let expr = parser.or()?;
    let pipe = if parser.token == Token::Sign("|") {
        parser.advance();
        Some(parser.pipe()?)
    } else {
        None
    };
    if parser.token != Token::End {
        return Err(parser.unexpected("`and`, `or` or the end of the condition"));
    }
    Ok((expr, pipe))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Sign(&'t str),
    End,
}

struct Parser<'t, 'm> {
    text: &'t str,
    map: &'m SpanMap,
    /// Where the next token is looked for.
    at: usize,
    depth: usize,
    token: Token<'t>,
    token_start: usize,
    /// The end of the token before this one.
    last_end: usize,
}

const SIGNS: [&str; 9] = ["(", ")", "|", ",", "<=", ">=", "<", ">", "=="];

impl<'t> Parser<'t, '_> {
    fn advance(&mut self) {
        self.last_end = self.at;
        let rest = self.text.get(self.at..).unwrap_or("");
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        self.token_start = self.at;
        let sign = SIGNS.iter().chain(&["="]).find(|s| trimmed.starts_with(**s));
        self.token = match sign {
            Some(sign) => Token::Sign(if *sign == "=" { "==" } else { sign }),
            None => {
                let ends = |c: char| c.is_whitespace() || "()|,<>=".contains(c);
                let length = trimmed.find(ends).unwrap_or(trimmed.len());
                match trimmed.get(..length) {
                    Some(word) if !word.is_empty() => Token::Word(word),
                    _ => Token::End,
                }
            }
        };
        self.at += match self.token {
            Token::Word(word) => word.len(),
            Token::Sign(_) => sign.map_or(0, |s| s.len()),
            Token::End => 0,
        };
    }

    fn span_from(&self, start: usize) -> Loc {
        Loc(self.map.span(Span::from_usize(start, self.last_end)))
    }

    fn token_span(&self) -> Span {
        self.map.span(Span::from_usize(self.token_start, self.at))
    }

    fn fault(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(codes::SIGMA_CONDITION, self.token_span(), message)
    }

    fn unexpected(&self, wanted: &str) -> Diagnostic {
        let found = match self.token {
            Token::Word(word) => format!("`{word}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".to_owned(),
        };
        self.fault(format!("{wanted} is expected, not {found}"))
            .with_help("conditions combine names of searches with `and`, `or`, `not`, `1 of name*`, `all of name*` and parentheses")
    }

    fn keyword(&self) -> Option<&'static str> {
        let Token::Word(word) = self.token else { return None };
        ["and", "or", "not", "of"].into_iter().find(|k| word.eq_ignore_ascii_case(k))
    }

    fn enter(&mut self) -> Result<(), Diagnostic> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(format!("the condition is nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    fn or(&mut self) -> Result<Expr, Diagnostic> {
        self.joined("or", Self::and, Expr::Or)
    }

    fn and(&mut self) -> Result<Expr, Diagnostic> {
        self.joined("and", Self::not, Expr::And)
    }

    fn joined(
        &mut self,
        word: &str,
        operand: fn(&mut Self) -> Result<Expr, Diagnostic>,
        join: fn(Vec<Expr>, Loc) -> Expr,
    ) -> Result<Expr, Diagnostic> {
        let start = self.token_start;
        let first = operand(self)?;
        if self.keyword() != Some(word) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.keyword() == Some(word) {
            self.advance();
            operands.push(operand(self)?);
        }
        Ok(join(operands, self.span_from(start)))
    }

    fn not(&mut self) -> Result<Expr, Diagnostic> {
        if self.keyword() != Some("not") {
            return self.atom();
        }
        let start = self.token_start;
        self.enter()?;
        self.advance();
        let inner = self.not()?;
        self.depth -= 1;
        Ok(Expr::Not(Box::new(inner), self.span_from(start)))
    }

    fn atom(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.token_start;
        if self.token == Token::Sign("(") {
            self.enter()?;
            self.advance();
            let inner = self.or()?;
            if self.token != Token::Sign(")") {
                let open = self.map.span(Span::from_usize(start, start + 1));
                let fault = Diagnostic::error(codes::SIGMA_CONDITION, open, "the parenthesis is not closed");
                return Err(fault.with_help("close it with `)`"));
            }
            self.advance();
            self.depth -= 1;
            return Ok(Expr::Group(Box::new(inner), self.span_from(start)));
        }
        let Token::Word(word) = self.token else { return Err(self.unexpected("the name of a search")) };
        if self.keyword().is_some() {
            return Err(self.unexpected("the name of a search"));
        }
        self.advance();
        if self.keyword() == Some("of") {
            return self.of(word, start);
        }
        Ok(Expr::Search(Name { text: SmolStr::new(word), span: self.span_from(start), style: Style::Plain }))
    }

    fn of(&mut self, quantifier: &str, start: usize) -> Result<Expr, Diagnostic> {
        let quantifier = match quantifier.parse::<u32>() {
            Ok(1) => Quantifier::One,
            Ok(n) if n > 1 => Quantifier::AtLeast(n),
            _ if quantifier.eq_ignore_ascii_case("all") => Quantifier::All,
            _ if quantifier.eq_ignore_ascii_case("any") => Quantifier::One,
            _ => {
                let span = *self.span_from(start);
                let message = format!("`{quantifier}` cannot stand before `of`");
                return Err(Diagnostic::error(codes::SIGMA_CONDITION, span, message)
                    .with_help("write a number, `all` or `any`"));
            }
        };
        self.advance();
        let target_start = self.token_start;
        let Token::Word(target) = self.token else {
            return Err(self.unexpected("`them` or a pattern of names"));
        };
        if self.keyword().is_some() {
            return Err(self.unexpected("`them` or a pattern of names"));
        }
        self.advance();
        let target = if target.eq_ignore_ascii_case("them") {
            Target::Them
        } else {
            let span = self.span_from(target_start);
            Target::Pattern(Name { text: SmolStr::new(target), span, style: Style::Plain })
        };
        Ok(Expr::Of { quantifier, target, span: self.span_from(start) })
    }

    fn pipe(&mut self) -> Result<Pipe, Diagnostic> {
        let start = self.token_start;
        let Token::Word(word) = self.token else { return Err(self.unexpected("an aggregation")) };
        if word.eq_ignore_ascii_case("near") {
            self.advance();
            let expr = self.or()?;
            return Ok(Pipe::Near(expr, self.span_from(start)));
        }
        let function = AggregationFunction::ALL.into_iter().find(|f| word.eq_ignore_ascii_case(f.name()));
        let Some(function) = function else {
            return Err(self.unexpected("`count`, `min`, `max`, `avg`, `sum` or `near`"));
        };
        self.advance();
        self.sign("(")?;
        let field = if self.token == Token::Sign(")") { None } else { Some(self.name()?) };
        self.sign(")")?;
        let mut by = Vec::new();
        if matches!(self.token, Token::Word(word) if word.eq_ignore_ascii_case("by")) {
            self.advance();
            by.push(self.name()?);
            while self.token == Token::Sign(",") {
                self.advance();
                by.push(self.name()?);
            }
        }
        let compare = Comparison::ALL.into_iter().find(|c| self.token == Token::Sign(c.sign()));
        let Some(compare) = compare else { return Err(self.unexpected("a comparison such as `> 10`")) };
        self.advance();
        let threshold = match self.token {
            Token::Word(word) if word.parse::<f64>().is_ok() => SmolStr::new(word),
            Token::Word(_) | Token::Sign(_) | Token::End => return Err(self.unexpected("a number")),
        };
        self.advance();
        Ok(Pipe::Aggregation(Aggregation {
            function,
            field,
            by,
            compare,
            threshold,
            span: self.span_from(start),
        }))
    }

    fn sign(&mut self, sign: &'static str) -> Result<(), Diagnostic> {
        if self.token != Token::Sign(sign) {
            return Err(self.unexpected(&format!("`{sign}`")));
        }
        self.advance();
        Ok(())
    }

    fn name(&mut self) -> Result<Name, Diagnostic> {
        let start = self.token_start;
        let Token::Word(word) = self.token else { return Err(self.unexpected("the name of a field")) };
        self.advance();
        Ok(Name { text: SmolStr::new(word), span: self.span_from(start), style: Style::Plain })
    }
}
