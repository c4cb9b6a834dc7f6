//! The text of a script, parsed by sqlparser: the only place that calls its parser on text from outside.
//!
//! In: a script of macro definitions and one SELECT. Out: the definitions as text, and the tree of the query. Knows nothing of the IR.

use ruleferry_diag::Span;
use sqlparser::ast::{CteAsMaterialized, Query, Spanned, Statement};
use sqlparser::dialect::DuckDbDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// A script in parts.
#[derive(Debug)]
pub struct Script {
    pub macros: Vec<MacroText>,
    pub query: Query,
    pub lines: Lines,
}

/// A macro definition as it stands in the script.
#[derive(Clone, Debug)]
pub struct MacroText {
    pub name: String,
    /// The statement without comments around it and without the semicolon.
    pub text: String,
    pub span: Span,
}

/// Why a text is no script.
#[derive(Clone, Debug)]
pub struct Fault {
    pub message: String,
    pub span: Span,
}

/// Where the lines of the script start, to tell places of the parser as byte offsets.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    text: String,
    starts: Vec<usize>,
    /// The script's offset of the text.
    base: usize,
}

/// Nesting that the parser follows; far above what is emitted.
const MAX_DEPTH: usize = 300;

impl Lines {
    fn new(text: &str, base: usize) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { text: text.to_owned(), starts, base }
    }

    fn offset(&self, at: Location) -> Option<usize> {
        let line = usize::try_from(at.line).ok()?.checked_sub(1)?;
        let start = *self.starts.get(line)?;
        let column = usize::try_from(at.column).ok()?.saturating_sub(1);
        let rest = self.text.get(start..)?;
        let within = rest.char_indices().nth(column).map_or(rest.len(), |(i, _)| i);
        Some(self.base + start + within)
    }

    /// The place of a node; empty where the parser does not know it.
    pub fn span(&self, node: &impl Spanned) -> Span {
        self.range(node.span())
    }

    /// A range of the parser.
    pub fn range(&self, span: sqlparser::tokenizer::Span) -> Span {
        match (self.offset(span.start), self.offset(span.end)) {
            (Some(start), Some(end)) if start <= end => Span::from_usize(start, end),
            _ => Span::default(),
        }
    }
}

/// Parses a script.
pub fn parse(script: &str) -> Result<Script, Fault> {
    let mut macros = Vec::new();
    let mut query = None;
    for (start, end) in statements(script) {
        let Some(text) = script.get(start..end) else { continue };
        let span = Span::from_usize(start, end);
        if let Some(name) = macro_name(text) {
            if query.is_some() {
                return Err(Fault { message: "a macro is defined behind the query".into(), span });
            }
            macros.push(MacroText { name, text: text.to_owned(), span });
            continue;
        }
        if query.is_some() {
            return Err(Fault { message: "the script has more than one query".into(), span });
        }
        let lines = Lines::new(text, start);
        query = Some((parse_query(text, &lines, span)?, lines));
    }
    match query {
        Some((query, lines)) => Ok(Script { macros, query, lines }),
        None => Err(Fault { message: "the script has no query".into(), span: Span::default() }),
    }
}

fn parse_query(text: &str, lines: &Lines, span: Span) -> Result<Query, Fault> {
    let dialect = DuckDbDialect {};
    let fault = |message: String| Fault { message, span };
    let tokens = Tokenizer::new(&dialect, text).with_unescape(true).tokenize_with_location();
    let tokens = tokens.map_err(|e| {
        let at = lines.offset(e.location).unwrap_or(span.start as usize);
        Fault { message: e.message, span: Span::from_usize(at, at) }
    })?;
    let (tokens, materialized) = without_materialized(tokens);
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let statement = parser.parse_statement().map_err(|e| fault(e.to_string()))?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        return Err(fault(format!("`{}` stands behind the query", rest.token)));
    }
    match statement {
        Statement::Query(mut query) => {
            for cte in query.with.iter_mut().flat_map(|w| &mut w.cte_tables) {
                if materialized.contains(&cte.alias.name.value) {
                    cte.materialized = Some(CteAsMaterialized::Materialized);
                }
            }
            Ok(*query)
        }
        _ => Err(fault("the statement is no SELECT".into())),
    }
}

/// The parser does not know `AS MATERIALIZED` of this dialect: the tokens without it, and the names that it stands behind.
fn without_materialized(tokens: Vec<TokenWithSpan>) -> (Vec<TokenWithSpan>, Vec<String>) {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut names = Vec::new();
    let word = |t: &TokenWithSpan| match &t.token {
        Token::Word(w) => Some(w.value.clone()),
        _ => None,
    };
    let said = |t: &TokenWithSpan, wanted: &str| {
        matches!(&t.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(wanted))
    };
    for token in tokens {
        if said(&token, "MATERIALIZED") {
            let mut before = kept.iter().rev().filter(|t| !matches!(t.token, Token::Whitespace(_)));
            if before.next().is_some_and(|t| said(t, "AS"))
                && let Some(name) = before.next().and_then(word)
            {
                names.push(name);
                continue;
            }
        }
        kept.push(token);
    }
    (kept, names)
}

/// The name that a `CREATE OR REPLACE TEMP MACRO` statement defines.
fn macro_name(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let mut word = |wanted: &str| words.next().is_some_and(|w| w.eq_ignore_ascii_case(wanted));
    if !(word("CREATE") && word("OR") && word("REPLACE") && word("TEMP") && word("MACRO")) {
        return None;
    }
    let rest = words.next()?;
    rest.split('(').next().map(str::to_owned)
}

/// Statements without the comments before them; ends of strings, quoted names and comments are known.
fn statements(script: &str) -> Vec<(usize, usize)> {
    let bytes = script.as_bytes();
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let end = match (b, next) {
            (b'-', Some(b'-')) => skip(bytes, at + 2, |rest| rest.first() == Some(&b'\n')),
            (b'/', Some(b'*')) => skip(bytes, at + 2, |rest| rest.starts_with(b"*/")) + 2,
            (b'\'' | b'"', _) => {
                start.get_or_insert(at);
                skip(bytes, at + 1, |rest| rest.first() == Some(&b)) + 1
            }
            (b';', _) => {
                if let Some(from) = start.take() {
                    found.push((from, at));
                }
                at + 1
            }
            _ => {
                if !b.is_ascii_whitespace() {
                    start.get_or_insert(at);
                }
                at + 1
            }
        };
        at = end;
    }
    if let Some(from) = start {
        found.push((from, script.len()));
    }
    found
}

fn skip(bytes: &[u8], from: usize, ends: impl Fn(&[u8]) -> bool) -> usize {
    let mut at = from;
    while bytes.get(at..).is_some_and(|rest| !rest.is_empty() && !ends(rest)) {
        at += 1;
    }
    at
}

/// The words and signs of a text, without white space and comments, to compare two texts of one statement.
pub fn same_text(a: &str, b: &str) -> bool {
    let words = |text: &str| -> Option<Vec<Token>> {
        let tokens = Tokenizer::new(&DuckDbDialect {}, text).tokenize().ok()?;
        Some(tokens.into_iter().filter(|t| !matches!(t, Token::Whitespace(_) | Token::SemiColon)).collect())
    };
    a.trim() == b.trim() || words(a).is_some_and(|a| Some(a) == words(b))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]
    use super::*;

    #[test]
    fn scripts_are_cut_at_semicolons_outside_of_texts() {
        let text = "-- a; b\nCREATE OR REPLACE TEMP MACRO f(x) AS (x || ';');\n\nSELECT 'it''s; so' -- ; no\nFROM t;\n";
        let script = parse(text).unwrap();
        assert_eq!(script.macros.len(), 1);
        assert_eq!(script.macros[0].name, "f");
        assert!(same_text("SELECT  1 -- x", "SELECT 1;"));
        assert!(!same_text("SELECT 1", "SELECT 2"));
    }

    #[test]
    fn what_is_no_script_is_told() {
        for text in ["", "SELECT", "SELECT 1; SELECT 2;", "DROP TABLE t", "SELECT 1; DROP TABLE t;"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
