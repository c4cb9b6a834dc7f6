//! Messages for people, and how the parser goes on after a fault.

use ruleferry_diag::{Diagnostic, Span, codes};
use smol_str::SmolStr;

use super::super::keyword::{self, Kw, OPERATORS};
use super::super::token::{Token, TokenKind};
use super::super::tree::Name;
use super::{Fault, Parser, Read};

/// The longest piece of the user's text in a message.
const SHOWN: usize = 40;

impl Parser<'_> {
    /// How the current token is called in a message.
    fn shown(&self, token: Token) -> String {
        let text = self.text_of(token);
        match token.kind {
            TokenKind::Eof => "the end of the text".to_owned(),
            TokenKind::Str => "a string".to_owned(),
            _ => {
                let mut short: String = text.chars().take(SHOWN).collect();
                if short.len() < text.len() {
                    short.push('…');
                }
                format!("`{short}`")
            }
        }
    }

    /// Reports that something else was expected here.
    pub(super) fn expected(&mut self, what: &str) -> Fault {
        let token = self.token();
        if token.kind == TokenKind::Bad || self.is_mute() {
            return Fault; // The lexer has said it.
        }
        let message = format!("expected {what}, found {}", self.shown(token));
        // Behind the last thing that was read, not on the empty line that a file ends with.
        let span = match self.previous() {
            Some(p) if token.kind == TokenKind::Eof => Span::new(p.span().end, p.span().end),
            _ => token.span(),
        };
        let mut diagnostic = Diagnostic::error(codes::KQL_SYNTAX, span, message);
        if let Some(help) = self.help_here() {
            diagnostic = diagnostic.with_help(help);
        }
        self.report(diagnostic);
        Fault
    }

    /// What people often mean by the text at the current token.
    fn help_here(&self) -> Option<String> {
        let token = self.token();
        let text = self.text_of(token);
        let previous = self.previous();
        let before = previous.map_or("", |p| self.text_of(p));
        match token.kind {
            TokenKind::Star if before == "/" => {
                Some("there are no `/* … */` comments; `//` begins a comment".to_owned())
            }
            TokenKind::Assign if matches!(before, "=" | "==" | "!=") => {
                Some("`==` compares two values".to_owned())
            }
            TokenKind::Question => Some("write `iff(condition, a, b)`".to_owned()),
            TokenKind::Kw(Kw::And | Kw::Or) if matches!(before, "and" | "or") => {
                Some(format!("one of `{before}` and `{text}` is too much"))
            }
            TokenKind::Slash if matches!(before, "and" | "or") => {
                Some("write one of `and` and `or`".to_owned())
            }
            TokenKind::RParen | TokenKind::Bar | TokenKind::RBracket | TokenKind::RBrace if before == "," => {
                Some("remove the last comma".to_owned())
            }
            TokenKind::Minus | TokenKind::Plus if before == text => {
                Some("a value takes one sign; put the inner one in parentheses".to_owned())
            }
            TokenKind::Kw(_) if !token.is_declarable() || !token.is_name() => {
                Some(format!("if `{text}` is meant as a name, write `['{text}']`"))
            }
            _ => None,
        }
    }

    /// A keyword where only a name can stand: says so and takes it as the name, so that reading goes on.
    pub(super) fn keyword_as_name(&mut self, what: &str) -> Read<Name> {
        let token = self.token();
        if !matches!(token.kind, TokenKind::Kw(_)) {
            return Err(self.expected(what));
        }
        Ok(self.bracketless(token))
    }

    /// Reports a keyword used as a name and gives the name.
    pub(super) fn bracketless(&mut self, token: Token) -> Name {
        let text = self.text_of(token);
        let message = format!("`{text}` is a keyword and cannot be a name here");
        let help = format!("write `['{text}']`");
        self.report(Diagnostic::error(codes::KQL_NAME_NEEDS_BRACKETS, token.span(), message).with_help(help));
        self.advance();
        Name { text: SmolStr::new(text), span: token.span().into() }
    }

    pub(super) fn unclosed(&mut self, opened: ruleferry_diag::Span, open: &str, close: &str) -> Fault {
        let token = self.token();
        if token.kind == TokenKind::Bad || self.is_mute() {
            return Fault;
        }
        let message = format!("expected {close}, found {}", self.shown(token));
        let line = self.text.get(..opened.start as usize).map_or(1, |t| t.matches('\n').count() + 1);
        let help = format!("{open} is opened in line {line} of the query and not closed");
        let diagnostic = Diagnostic::error(codes::KQL_SYNTAX, token.span(), message);
        self.report(diagnostic.with_help(help));
        Fault
    }

    /// After `|`: no operator that the language knows.
    pub(super) fn unknown_operator(&mut self) -> Fault {
        let token = self.token();
        if token.kind == TokenKind::Bad || self.is_mute() {
            return Fault;
        }
        if !token.is_word() {
            let message = format!("expected an operator, found {}", self.shown(token));
            let help = match token.kind {
                TokenKind::Bar => "one of the two `|` is too much",
                _ => "after `|` stands an operator: where, extend, project, summarize, …",
            };
            self.report(
                Diagnostic::error(codes::KQL_UNKNOWN_OPERATOR, token.span(), message).with_help(help),
            );
            return Fault;
        }
        // `project-awya` and the like are several tokens.
        let mut span = token.span();
        let mut n = 1;
        while self.kind_ahead(n) == TokenKind::Minus
            && self.adjacent(n)
            && self.adjacent(n + 1)
            && self.ahead(n + 1).is_word()
        {
            span = span.to(self.ahead(n + 1).span());
            n += 2;
        }
        let text = span.text(self.text);
        let message = format!("unknown operator `{text}`");
        let mut diagnostic = Diagnostic::error(codes::KQL_UNKNOWN_OPERATOR, span, message);
        if let Some(meant) = suggest(text, OPERATORS) {
            diagnostic = diagnostic.with_help(format!("did you mean `{meant}`?"));
        }
        self.report(diagnostic);
        Fault
    }

    /// What stands behind a complete operator or expression does not belong there.
    pub(super) fn unexpected_after(&mut self) {
        let token = self.token();
        if token.kind == TokenKind::Bad || self.is_mute() {
            return;
        }
        let text = self.text_of(token);
        let shown = self.shown(token);
        let lower = text.to_ascii_lowercase();
        let before = self.previous().map_or("", |p| self.text_of(p));
        let is_operator = token.is_word() && OPERATORS.contains(&lower.as_str());
        let (code, message, help) = if matches!(token.kind, TokenKind::Kw(Kw::Let | Kw::Set | Kw::Declare)) {
            let message = format!("expected `;` before {shown}");
            (codes::KQL_MISSING_SEPARATOR, message, "end the statement before it with `;`".to_owned())
        } else if before == "not" {
            let message = format!("expected `(` after `not`, found {shown}");
            (codes::KQL_SYNTAX, message, "`not` is a function: `not(…)`".to_owned())
        } else if is_operator {
            let message = format!("expected `|` before the operator {shown}");
            (codes::KQL_MISSING_SEPARATOR, message, format!("write `| {lower}`"))
        } else if token.is_word() && lower != text && keyword::word(&lower).is_some() {
            let message = format!("unexpected {shown}");
            (codes::KQL_SYNTAX, message, format!("keywords are written in lower case: `{lower}`"))
        } else {
            let (message, help) = self.unexpected_symbol(token, &shown);
            (codes::KQL_SYNTAX, message, help)
        };
        self.report(Diagnostic::error(code, token.span(), message).with_help(help));
    }

    fn unexpected_symbol(&self, token: Token, shown: &str) -> (String, String) {
        let message = format!("unexpected {shown}");
        let help = match token.kind {
            TokenKind::Assign => {
                "the left side of `=` is a plain name, with brackets where it is none: ['a.b']; `==` compares"
            }
            TokenKind::EqEq
            | TokenKind::BangEq
            | TokenKind::Lt
            | TokenKind::Le
            | TokenKind::Gt
            | TokenKind::Ge => "comparisons do not chain; put one of them in parentheses",
            TokenKind::Kw(
                Kw::In | Kw::NotIn | Kw::InCi | Kw::NotInCi | Kw::HasAny | Kw::HasAll | Kw::Between,
            ) => "tests do not chain; join them with `and` or put one in parentheses",
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace => {
                "there is no opening bracket for it"
            }
            TokenKind::Comma => "a list cannot stand here",
            TokenKind::Question => "write `iff(condition, a, b)`",
            TokenKind::Str => "an operator, a comma or `|` is missing before it",
            TokenKind::At => "names that begin with @ stand in brackets: ['@timestamp']",
            TokenKind::Ident if matches!(self.text_of(token), "notin" | "not_in") => "the operator is `!in`",
            _ => "an operator, a comma, `|` or `;` is missing before it",
        };
        (message, help.to_owned())
    }

    /// Whether the current token can follow a complete pipeline or operator.
    pub(super) fn at_pipeline_end(&self) -> bool {
        match self.kind() {
            TokenKind::Bar | TokenKind::Semicolon | TokenKind::Eof => true,
            TokenKind::RParen | TokenKind::RBrace => self.enclosures > 0,
            _ => false,
        }
    }

    /// Goes on to where an operator or statement can begin or end: the next `|` or `;` or closing bracket on
    /// the level of the construct that began at `start`. A `|` that begins a line counts on any level, because
    /// an unclosed parenthesis would hide the rest of the text.
    pub(super) fn synchronize(&mut self, start: usize) {
        let mut level = 0i32;
        let mut pos = start;
        loop {
            let kind = self.tokens.get(pos).map_or(TokenKind::Eof, |t| t.kind);
            let here = pos >= self.pos;
            match kind {
                TokenKind::Eof => break,
                TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace => level += 1,
                TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace => {
                    if level == 0 && here && self.enclosures > 0 && kind != TokenKind::RBracket {
                        break;
                    }
                    level = (level - 1).max(0);
                }
                TokenKind::Semicolon if here => break,
                TokenKind::Bar if here && (level == 0 || self.at_line_start(pos)) => break,
                TokenKind::Kw(Kw::Let) if here && pos > start && self.begins_let(pos) => break,
                _ => {}
            }
            pos += 1;
        }
        self.pos = pos;
    }

    /// `let name =` at the beginning of a line.
    pub(super) fn begins_let(&self, pos: usize) -> bool {
        let kind = |n: usize| self.tokens.get(pos + n).map_or(TokenKind::Eof, |t| t.kind);
        self.at_line_start(pos) && kind(0) == TokenKind::Kw(Kw::Let) && kind(2) == TokenKind::Assign
    }
}

/// The candidate that is meant, if one is near.
pub(super) fn suggest<'c>(text: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let lower = text.to_ascii_lowercase();
    let dashed = lower.replace('_', "-");
    if let Some(same) = candidates.iter().find(|c| **c == lower || **c == dashed) {
        return Some(same);
    }
    if text.len() > 2 * SHOWN {
        return None;
    }
    let limit = if lower.len() < 5 { 1 } else { 2 };
    let near = candidates.iter().map(|c| (distance(&lower, c), *c)).min_by_key(|(d, _)| *d)?;
    (near.0 <= limit).then_some(near.1)
}

/// Edits between two short words, where swapping two neighbours is one edit.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut older: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, ca) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut before = None;
        for (j, cb) in b.iter().enumerate() {
            let at = |r: &[usize], k: usize| r.get(k).copied().unwrap_or(usize::MAX - 1);
            let mut cost =
                (at(&row, j) + usize::from(ca != *cb)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if before == Some(ca) && last == Some(*cb) {
                cost = cost.min(at(&older, j.wrapping_sub(1)).saturating_add(1));
            }
            next.push(cost);
            before = Some(*cb);
        }
        older = std::mem::replace(&mut row, next);
        last = Some(ca);
    }
    row.last().copied().unwrap_or(0)
}
