//! The text of a script, parsed by sqlparser: the only place that calls its parser on text from outside.
//!
//! In: a script of macro and view definitions and one SELECT. Out: the macros as text, and the tree of the query, with the views as its
//! CTEs. Knows nothing of the IR.

mod dialect;
mod lines;

pub use dialect::ReadDialect;
pub(crate) use dialect::{NullOrder, Traits};
pub use lines::Lines;
use ruleferry_diag::Span;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    CreateView, Cte, CteAsMaterialized, Ident, ObjectNamePart, Query, Statement, TableAlias,
    TableAliasColumnDef, With,
};
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

/// Nesting that the parser follows; far above what is emitted.
const MAX_DEPTH: usize = 300;

/// Parses a script.
pub fn parse(script: &str, dialect: ReadDialect) -> Result<Script, Fault> {
    let mut macros = Vec::new();
    let mut query = None;
    let mut views: Vec<Cte> = Vec::new();
    let lines = Lines::new(script);
    for (start, end) in statements(script, dialect.backslash()) {
        let Some(text) = script.get(start..end) else { continue };
        let span = Span::from_usize(start, end);
        if query.is_some() {
            let message = if macro_name(text).is_some() {
                "a macro is defined behind the query"
            } else {
                "the script has more than one query"
            };
            return Err(Fault { message: message.into(), span });
        }
        if let Some(name) = macro_name(text) {
            macros.push(MacroText { name, text: text.to_owned(), span });
            continue;
        }
        let before = script.get(..start).unwrap_or_default();
        match parse_statement(text, before, dialect, &lines, span)? {
            Statement::Query(found) => query = Some(*found),
            Statement::CreateView(view) => views.push(cte_of(view, span)?),
            _ => return Err(Fault { message: "the statement is no SELECT".into(), span }),
        }
    }
    let Some(mut query) = query else {
        return Err(Fault { message: "the script has no query".into(), span: Span::default() });
    };
    if !views.is_empty() {
        let with = query.with.get_or_insert_with(|| With {
            with_token: AttachedToken::empty(),
            recursive: false,
            cte_tables: Vec::new(),
        });
        views.append(&mut with.cte_tables);
        with.cte_tables = views;
    }
    Ok(Script { macros, query, lines })
}

/// A view is a CTE for the query behind it.
fn cte_of(view: CreateView, span: Span) -> Result<Cte, Fault> {
    let name = match view.name.0.last() {
        Some(ObjectNamePart::Identifier(name)) => name.clone(),
        Some(ObjectNamePart::Function(_)) | None => Ident::new(""),
    };
    if view.materialized || view.to.is_some() {
        return Err(Fault { message: "a materialized view is not read".into(), span });
    }
    let columns =
        view.columns.into_iter().map(|c| TableAliasColumnDef { name: c.name, data_type: None }).collect();
    Ok(Cte {
        alias: TableAlias { explicit: true, name, columns, at: None },
        query: view.query,
        from: None,
        materialized: None,
        closing_paren_token: AttachedToken::empty(),
    })
}

fn parse_statement(
    text: &str,
    before: &str,
    dialect: ReadDialect,
    lines: &Lines,
    span: Span,
) -> Result<Statement, Fault> {
    let parser = dialect.parser();
    let tokens = Tokenizer::new(parser, text).with_unescape(true).tokenize_with_location();
    let place = Place::behind(before);
    let mut tokens = tokens.map_err(|e| {
        let at = lines.offset(place.shifted(e.location)).unwrap_or(span.start as usize);
        Fault { message: e.message, span: Span::from_usize(at, at) }
    })?;
    for token in &mut tokens {
        token.span.start = place.shifted(token.span.start);
        token.span.end = place.shifted(token.span.end);
    }
    let (tokens, materialized) = without_materialized(tokens);
    let mut parser = Parser::new(parser).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let mut statement = parser.parse_statement().map_err(|e| parser_fault(&e.to_string(), lines, span))?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let at = lines.range(rest.span);
        let span = if at.is_empty() { span } else { at };
        return Err(Fault { message: format!("`{}` stands behind the query", rest.token), span });
    }
    if let Statement::Query(query) = &mut statement {
        for cte in query.with.iter_mut().flat_map(|w| &mut w.cte_tables) {
            if materialized.contains(&cte.alias.name.value) {
                cte.materialized = Some(CteAsMaterialized::Materialized);
            }
        }
    }
    Ok(statement)
}

/// Where a statement starts among the lines of its script.
struct Place {
    lines: u64,
    columns: u64,
}

impl Place {
    fn behind(before: &str) -> Self {
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self { lines: before.matches('\n').count() as u64, columns: line.chars().count() as u64 }
    }

    fn shifted(&self, at: Location) -> Location {
        // The parser has no place there.
        if at.line == 0 {
            return at;
        }
        let column = if at.line == 1 { at.column + self.columns } else { at.column };
        Location { line: at.line + self.lines, column }
    }
}

/// The parser says in its message where it stopped.
fn parser_fault(message: &str, lines: &Lines, span: Span) -> Fault {
    let message = message.strip_prefix("sql parser error: ").unwrap_or(message);
    let Some((text, place)) = message.rsplit_once(" at Line: ") else {
        return Fault { message: message.to_owned(), span };
    };
    let at = place.split_once(", Column: ").and_then(|(line, column)| {
        let location = Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? };
        lines.offset(location)
    });
    Fault { message: text.to_owned(), span: at.map_or(span, |at| Span::from_usize(at, at)) }
}

/// A macro of the script's own, as its parameters and its expression; `None` where it is none of that form.
pub fn macro_expression(text: &str, dialect: ReadDialect) -> Option<(Vec<String>, sqlparser::ast::Expr)> {
    let parser = dialect.parser();
    let mut parser = Parser::new(parser).with_recursion_limit(MAX_DEPTH).try_with_sql(text).ok()?;
    let Statement::CreateMacro { args, definition, .. } = parser.parse_statement().ok()? else { return None };
    if parser.peek_token().token != Token::EOF {
        return None;
    }
    let sqlparser::ast::MacroDefinition::Expr(body) = definition else { return None };
    let mut names = Vec::new();
    for arg in args.unwrap_or_default() {
        if arg.default_expr.is_some() {
            return None;
        }
        names.push(arg.name.value);
    }
    Some((names, body))
}

/// The parser does not know `AS MATERIALIZED` of this dialect: the tokens without it, and the names that it stands behind.
fn without_materialized(tokens: Vec<TokenWithSpan>) -> (Vec<TokenWithSpan>, Vec<String>) {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut names = Vec::new();
    let word = |t: &TokenWithSpan| match &t.token {
        Token::Word(w) => Some(w.value.clone()),
        _ => None,
    };
    let said = |t: &TokenWithSpan, wanted: &str| matches!(&t.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(wanted));
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

/// The name that a `CREATE [OR REPLACE] [TEMP] MACRO` statement defines.
fn macro_name(text: &str) -> Option<String> {
    let mut words = text.split_whitespace().peekable();
    let mut word = |wanted: &[&str]| {
        words.next_if(|w| wanted.iter().any(|wanted| w.eq_ignore_ascii_case(wanted))).is_some()
    };
    if !word(&["CREATE"]) {
        return None;
    }
    if word(&["OR"]) && !word(&["REPLACE"]) {
        return None;
    }
    word(&["TEMP", "TEMPORARY"]);
    if !word(&["MACRO"]) {
        return None;
    }
    let rest = words.next()?;
    rest.split('(').next().map(str::to_owned)
}

/// Statements without the comments before them; ends of strings, quoted names and comments are known.
fn statements(script: &str, backslash: bool) -> Vec<(usize, usize)> {
    let bytes = script.as_bytes();
    let mut found = Vec::new();
    let mut start = None;
    let mut at = if script.starts_with('\u{feff}') { 3 } else { 0 };
    while let Some(&b) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let end = match (b, next) {
            (b'-', Some(b'-')) => skip(bytes, at + 2, |rest| rest.first() == Some(&b'\n')),
            (b'/', Some(b'*')) => skip(bytes, at + 2, |rest| rest.starts_with(b"*/")) + 2,
            (b'\'' | b'"' | b'`', _) => {
                start.get_or_insert(at);
                quoted(bytes, at + 1, b, backslash && b != b'`')
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

/// Where a quoted text ends.
fn quoted(bytes: &[u8], from: usize, quote: u8, backslash: bool) -> usize {
    let mut at = from;
    while let Some(&b) = bytes.get(at) {
        at += match b {
            b'\\' if backslash => 2,
            b if b == quote => return at + 1,
            _ => 1,
        };
    }
    at
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
        let script = parse(text, ReadDialect::DuckDb).unwrap();
        assert_eq!(script.macros.len(), 1);
        assert_eq!(script.macros[0].name, "f");
        assert!(same_text("SELECT  1 -- x", "SELECT 1;"));
        assert!(!same_text("SELECT 1", "SELECT 2"));
    }

    #[test]
    fn what_is_no_script_is_told() {
        for text in ["", "SELECT", "SELECT 1; SELECT 2;", "DROP TABLE t", "SELECT 1; DROP TABLE t;"] {
            assert!(parse(text, ReadDialect::DuckDb).is_err(), "{text}");
        }
    }
}
