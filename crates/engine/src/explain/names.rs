//! What the text of a query names: values, tables, functions.
//!
//! In: the text of a KQL query, or a plan of another language. Out: [`Names`].

use super::{Binding, Parameter};
use ruleferry_diag::Span;
use ruleferry_ir::functions::FunctionKind;
use ruleferry_ir::{self as ir, BindingValue, Query};
use ruleferry_kql::syntax::lexer::lex;
use ruleferry_kql::syntax::parse;
use ruleferry_kql::syntax::token::{Token, TokenKind};
use ruleferry_kql::syntax::tree::{ExprKind, LetValue, Statement, StatementKind};
use smol_str::SmolStr;

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub parameters: Vec<Parameter>,
    pub bindings: Vec<Binding>,
    pub functions: Vec<SmolStr>,
}

/// Longer values are cut: a list of thousands is read in the rule.
const LONGEST: usize = 2_000;

pub(super) fn of_kql(text: &str) -> Names {
    let parsed = parse(text);
    let tokens = lex(text).tokens;
    let mut names = Names::default();
    let mut known: Vec<SmolStr> = Vec::new();
    for statement in &parsed.query.statements {
        let Statement { kind: StatementKind::Let { name, value }, span } = statement else { continue };
        let within =
            |t: &&Token| t.start >= span.0.start && t.end <= span.0.end && t.start > name.span.0.start;
        let mut derived_from: Vec<SmolStr> = Vec::new();
        for token in tokens.iter().filter(within).filter(|t| t.is_word()) {
            let word = token.span().text(text);
            if known.iter().any(|k| k == word) && !derived_from.iter().any(|d| d == word) {
                derived_from.push(word.into());
            }
        }
        let kind = match value {
            LetValue::Function(_) => Some("function"),
            LetValue::Expr(e) => match &e.kind {
                ExprKind::Pipeline(_) | ExprKind::Datatable(_) | ExprKind::ExternalData(_) => Some("table"),
                ExprKind::Wrapped(w) => match w.kind {
                    ruleferry_kql::syntax::tree::WrapKind::ToScalar => None,
                    ruleferry_kql::syntax::tree::WrapKind::ToTable
                    | ruleferry_kql::syntax::tree::WrapKind::Materialize => Some("table"),
                },
                // Another name for a table.
                ExprKind::Name(other)
                    if names.bindings.iter().any(|b| b.name == *other) || is_table(other) =>
                {
                    Some("table")
                }
                _ => None,
            },
        };
        match kind {
            Some(kind) => names.bindings.push(Binding { name: name.text.clone(), kind, derived_from }),
            None => {
                let value = match value {
                    LetValue::Expr(e) => e.span.0.text(text),
                    LetValue::Function(_) => "",
                };
                let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
                let value = value.chars().take(LONGEST).collect();
                names.parameters.push(Parameter { name: name.text.clone(), value, derived_from });
            }
        }
        known.push(name.text.clone());
    }
    for pair in tokens.windows(2) {
        let [word, bracket] = pair else { continue };
        let called = word.is_word() && bracket.kind == TokenKind::LParen;
        let name = word.span().text(text);
        let is_function = || {
            ir::functions::find_any(name).is_some()
                || KINDS.into_iter().any(|k| ir::functions::resolve_alias(name, k).is_some())
                || SPECIAL.contains(&name)
                || names.bindings.iter().any(|b| b.kind == "function" && b.name == name)
        };
        if called && !names.functions.iter().any(|f| f == name) && is_function() {
            names.functions.push(name.into());
        }
    }
    names
}

/// The operators of each pipeline of the text, in order: what stands between one `|` and the next.
pub(super) fn pipelines(text: &str) -> Vec<Vec<Span>> {
    let mut done: Vec<Vec<Span>> = Vec::new();
    // For each bracket that is open the operators in it, and where the last one begins.
    let mut open: Vec<(Vec<Span>, Option<u32>)> = vec![(Vec::new(), None)];
    let mut end = 0;
    let close = |(operators, start): &mut (Vec<Span>, Option<u32>), end: u32| {
        if let Some(start) = start.take() {
            operators.push(Span::new(start, end));
        }
    };
    let tokens = lex(text).tokens;
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map_or(token.end, |t| t.start);
        match token.kind {
            TokenKind::LParen | TokenKind::LBrace | TokenKind::LBracket => open.push((Vec::new(), None)),
            TokenKind::RParen | TokenKind::RBrace | TokenKind::RBracket if open.len() > 1 => {
                if let Some(mut group) = open.pop() {
                    close(&mut group, end);
                    done.push(group.0);
                }
            }
            TokenKind::Bar | TokenKind::Semicolon => {
                if let Some(group) = open.last_mut() {
                    close(group, end);
                    if token.kind == TokenKind::Bar {
                        group.1 = Some(next);
                    } else {
                        done.push(std::mem::take(&mut group.0));
                    }
                }
            }
            _ => {}
        }
        end = token.end;
    }
    for mut group in open {
        close(&mut group, end);
        done.push(group.0);
    }
    done.retain(|operators| !operators.is_empty());
    done
}

/// Functions that the catalogue has in another form: they are expressions of their own.
const SPECIAL: &[&str] = &[
    "ago",
    "now",
    "iff",
    "iif",
    "case",
    "isempty",
    "isnotempty",
    "isnull",
    "isnotnull",
    "not",
    "tostring",
    "toint",
    "tolong",
    "todouble",
    "toreal",
    "tobool",
    "todatetime",
    "totimespan",
    "todynamic",
    "parse_json",
    "toguid",
    "todecimal",
    "arg_max",
    "arg_min",
    "take_any",
    "any",
    "anyif",
    "take_anyif",
    "column_ifexists",
    "columnifexists",
    "toscalar",
    "materialize",
    "_GetWatchlist",
    "coalesce",
    "ipv4_is_in_range",
    "ipv4_is_match",
    "has_any_index",
    "series_decompose_anomalies",
];

const KINDS: [FunctionKind; 4] = FunctionKind::ALL;

fn is_table(name: &str) -> bool {
    crate::same_types::has_schema(name)
}

/// The names that a plan has kept: of SQL, its common tables.
pub(super) fn of_plan(query: &Query) -> Names {
    let mut names = Names::default();
    for binding in &query.bindings {
        let mut derived_from: Vec<SmolStr> = Vec::new();
        let mut refer = |id: ir::BindingId| {
            let name = query.bindings.get(id.0 as usize).map(|b| b.name.clone());
            derived_from.extend(name.filter(|n| !derived_from.contains(n)));
        };
        match &binding.value {
            BindingValue::Table { plan, .. } => {
                plan.for_each_plan(&mut |p| {
                    if let ir::Op::Ref(id) = &*p.op {
                        refer(*id);
                    }
                });
                let name = binding.name.clone();
                names.bindings.push(Binding { name, kind: "table", derived_from });
            }
            BindingValue::Scalar(e) => {
                let shared = rustc_hash::FxHashSet::default();
                let value = crate::diff::render::Renderer::new(query, &shared).expr(e);
                names.parameters.push(Parameter { name: binding.name.clone(), value, derived_from });
            }
        }
    }
    let mut add = |name: &str| {
        if !names.functions.iter().any(|f| f == name) {
            names.functions.push(name.into());
        }
    };
    query.any_expr(&mut |e| {
        if let ir::ExprKind::Call(f, _) = &e.kind {
            add(f.name);
        }
        false
    });
    query.for_each_plan(&mut |plan| {
        if let ir::Op::Aggregate(a) = &*plan.op {
            for item in &a.aggregates {
                if let ir::AggregateCall::Function(f, _) = &item.call {
                    add(f.name);
                }
            }
        }
    });
    names
}
