//! Templates by the head of their tree, parsed when an expression comes that one of them could be.
//!
//! In: the templates of a dialect, as text. Out: for the head of an expression ([`unify::shape`]) the patterns with that head, those that
//! say most first. A glance at the text tells which templates to parse: a script parses a few of many hundreds.

use super::unify;
use ruleferry_targets::sql::{SqlDialect, Template};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use sqlparser::ast;
use std::cell::RefCell;
use std::rc::Rc;

/// A template as a tree with holes.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Its number in the table that it comes from.
    pub at: usize,
    pub tree: ast::Expr,
    head: SmolStr,
    size: usize,
}

/// A table of templates, by the head of their trees.
#[derive(Default)]
pub(super) struct Heads {
    texts: Vec<&'static str>,
    /// Which trees are templates for this table.
    wanted: Option<fn(&ast::Expr) -> bool>,
    /// The trees are brought into plain forms, as queries are.
    plain: bool,
    /// Templates that are one call, by the function's name.
    calls: FxHashMap<SmolStr, Vec<usize>>,
    /// All others, with the operators in them that stand in no parentheses.
    others: Vec<(usize, Vec<&'static str>)>,
    /// What was parsed; `None` inside: a template that is read in another way.
    parsed: FxHashMap<usize, Option<Rc<Pattern>>>,
    found: FxHashMap<SmolStr, Rc<[Rc<Pattern>]>>,
}

/// The templates of a dialect of what is emitted.
#[derive(Default)]
struct Index {
    functions: Heads,
    aggregates: Heads,
}

thread_local! {
    static INDEX: RefCell<FxHashMap<&'static str, Index>> = RefCell::new(FxHashMap::default());
}

/// Patterns of scalar functions with this head, each with its template.
pub(super) fn functions(data: &'static SqlDialect, head: &str) -> Vec<(Rc<Pattern>, &'static Template)> {
    with_index(data, |index| index.functions.with_head(head))
        .iter()
        .filter_map(|p| Some((Rc::clone(p), data.all_functions().get(p.at)?)))
        .collect()
}

/// Patterns of aggregates with this head, each with its template.
pub(super) fn aggregates(data: &'static SqlDialect, head: &str) -> Vec<(Rc<Pattern>, &'static Template)> {
    with_index(data, |index| index.aggregates.with_head(head))
        .iter()
        .filter_map(|p| Some((Rc::clone(p), data.all_aggregates().get(p.at)?)))
        .collect()
}

fn with_index<T>(data: &'static SqlDialect, f: impl FnOnce(&mut Index) -> T) -> T {
    INDEX.with_borrow_mut(|known| {
        f(known.entry(data.name).or_insert_with(|| Index {
            functions: Heads::emitted(data.all_functions(), Some(unify::says_something)),
            aggregates: Heads::emitted(data.all_aggregates(), None),
        }))
    })
}

/// A DECIMAL of the catalogue is a DOUBLE in the data: what is read is the DOUBLE.
fn told(template: &'static Template) -> &'static str {
    if template.name == "cast.decimal" { "" } else { template.sql }
}

impl Heads {
    fn emitted(templates: &'static [Template], wanted: Option<fn(&ast::Expr) -> bool>) -> Self {
        Self { plain: true, ..Self::new(templates.iter().map(told), wanted) }
    }

    pub fn new(texts: impl Iterator<Item = &'static str>, wanted: Option<fn(&ast::Expr) -> bool>) -> Self {
        let mut heads = Self { texts: texts.collect(), wanted, ..Self::default() };
        for (at, text) in heads.texts.iter().enumerate() {
            match glance(text) {
                Glance::Call(name) => heads.calls.entry(name).or_default().push(at),
                Glance::Other(operators) => heads.others.push((at, operators)),
            }
        }
        heads
    }

    pub fn with_head(&mut self, head: &str) -> Rc<[Rc<Pattern>]> {
        if let Some(known) = self.found.get(head) {
            return Rc::clone(known);
        }
        let candidates: Vec<usize> = match (head.strip_prefix("call:"), head.strip_prefix("op:")) {
            (Some(call), _) => {
                let name = call.split(':').next().unwrap_or_default();
                self.calls.get(name).cloned().unwrap_or_default()
            }
            (None, Some(op)) => {
                self.others.iter().filter(|(_, ops)| ops.contains(&op)).map(|(at, _)| *at).collect()
            }
            (None, None) => self.others.iter().map(|(at, _)| *at).collect(),
        };
        let mut patterns: Vec<Rc<Pattern>> = Vec::new();
        for at in candidates {
            let (texts, wanted, plain) = (&self.texts, self.wanted, self.plain);
            let parsed = self.parsed.entry(at).or_insert_with(|| {
                texts.get(at).and_then(|text| pattern(at, text, wanted, plain)).map(Rc::new)
            });
            patterns.extend(parsed.iter().filter(|p| p.head == head).cloned());
        }
        patterns.sort_by_key(|p| std::cmp::Reverse(p.size));
        let patterns: Rc<[Rc<Pattern>]> = patterns.into();
        // Names and texts of scripts make heads without end: only those that lead somewhere are kept.
        if !patterns.is_empty() {
            self.found.insert(SmolStr::new(head), Rc::clone(&patterns));
        }
        patterns
    }
}

fn pattern(at: usize, text: &str, wanted: Option<fn(&ast::Expr) -> bool>, plain: bool) -> Option<Pattern> {
    let mut tree = parse_plain(text)?;
    if plain {
        super::plain::plain_template(&mut tree);
    }
    let (head, _) = unify::shape(&tree)?;
    if unify::hole(&tree).is_some() || wanted.is_some_and(|wanted| !wanted(&tree)) {
        return None;
    }
    Some(Pattern { at, head, size: unify::size(&tree), tree })
}

/// A template as a tree in plain forms.
pub(super) fn parse_plain(text: &str) -> Option<ast::Expr> {
    let mut tree = parse(text)?;
    super::plain::plain_forms(&mut tree);
    Some(tree)
}

/// A template as a tree.
fn parse(text: &str) -> Option<ast::Expr> {
    let plain = text.replace("$...", "$rest");
    let dialect = sqlparser::dialect::DuckDbDialect {};
    sqlparser::parser::Parser::new(&dialect).try_with_sql(&plain).and_then(|mut p| p.parse_expr()).ok()
}

enum Glance {
    /// A call of this function, in lower case, as a whole.
    Call(SmolStr),
    /// The operators in no parentheses.
    Other(Vec<&'static str>),
}

/// Operators that may be the head of a template, as the parser prints them, longest first.
const OPERATORS: [&str; 24] = [
    "->>", "||", "->", "<=", ">=", "<>", "!=", "//", "<<", ">>", "::", "&&", "^@", "==", "=", "<", ">", "+",
    "-", "*", "/", "%", "&", "|",
];

/// What a template is by its text alone. A template counts for more heads than it has, never for fewer.
fn glance(text: &'static str) -> Glance {
    let mut text = text.trim();
    while let Some(inner) = wrapped(text) {
        text = inner.trim();
    }
    let name_end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(name_end).unwrap_or((text, ""));
    let cast = ["cast", "try_cast", "case", "not", "interval"].iter().any(|w| name.eq_ignore_ascii_case(w));
    if let (false, false, Some(end)) = (name.is_empty(), cast, closing(rest)) {
        let behind = rest.get(end..).unwrap_or_default().trim_start();
        let clause = behind.get(..6).is_some_and(|w| w.eq_ignore_ascii_case("filter"));
        if behind.is_empty() || clause {
            return Glance::Call(name.to_ascii_lowercase().into());
        }
    }
    let mut operators: Vec<&'static str> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(end) = closing(rest) {
            rest = rest.get(end..).unwrap_or_default();
            continue;
        }
        let operator = OPERATORS.iter().find(|op| rest.starts_with(**op));
        if let Some(op) = operator {
            operators.push(op);
            // As the parser prints them.
            operators.extend(match *op {
                "!=" => Some("<>"),
                "==" => Some("="),
                _ => None,
            });
        }
        let step = operator.map_or(c.len_utf8(), |op| op.len());
        let word = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        match rest.get(..word).unwrap_or_default().to_ascii_uppercase().as_str() {
            "AND" => operators.push("AND"),
            "OR" => operators.push("OR"),
            _ => {}
        }
        rest = rest.get(step.max(word)..).unwrap_or_default();
    }
    Glance::Other(operators)
}

/// What stands in parentheses around the whole text.
fn wrapped(text: &str) -> Option<&str> {
    (text.starts_with('(') && closing(text)? == text.len()).then(|| text.get(1..text.len() - 1)).flatten()
}

/// Where a bracket or a quoted text that begins here ends.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => {
                quote = None;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + c.len_utf8());
                }
            }
            (None, _) if depth == 0 => return None,
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;
    use rustc_hash::FxHashSet;

    /// Every template that has a pattern is found under its head.
    #[test]
    fn no_template_is_missed() {
        let data = ruleferry_targets::sql::dialect("duckdb").unwrap();
        let functions: Vec<_> = data.all_functions().iter().map(told).collect();
        let aggregates: Vec<_> = data.all_aggregates().iter().map(told).collect();
        let something: fn(&ast::Expr) -> bool = unify::says_something;
        for (texts, wanted) in [(functions, Some(something)), (aggregates, None)] {
            let mut seen = FxHashSet::default();
            for (at, text) in texts.iter().enumerate() {
                let Some(p) = pattern(at, text, wanted, true) else { continue };
                // A fresh index: nothing was parsed for another head.
                let mut heads = Heads { plain: true, ..Heads::new(texts.iter().copied(), wanted) };
                let found = heads.with_head(&p.head);
                assert!(found.iter().any(|f| f.at == at), "{} {text}", p.head);
                if seen.insert(p.head.clone()) {
                    assert!(found.is_sorted_by_key(|f| std::cmp::Reverse(f.size)));
                }
            }
            assert!(seen.len() > 10);
        }
    }

    #[test]
    fn a_glance_tells_calls() {
        let call = |t| matches!(glance(t), Glance::Call(_));
        assert!(call("lower($1)"));
        assert!(call("(count(*) FILTER (WHERE $1))"));
        assert!(!call("f($1) + g($2)"));
        assert!(!call("CAST($1 AS JSON)"));
        assert!(!call("f($1)[1]"));
    }
}
