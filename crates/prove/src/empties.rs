//! Events in which an absent field and an empty text are one value.
//!
//! In: a rule, and tables. Out: the rule with each test for the empty text as a test for no value, and the tables without
//! empty texts. On such events both readings of the rule say the same, and so do a language that has absent fields (Sigma)
//! and one that has not (KQL). It is an assumption, and the conversion lists it.

use ruleferry_eval::{MemoryTables, Value};
use ruleferry_ir::{
    Expr, ExprKind, MatchKind, MatchValue, MatchValues, Missing, Op, Plan, Quantifier, Rule, StringMatch,
    Subject, Type,
};

/// The rule whose tests for `""` hold where there is no value.
pub(crate) fn rule(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    plan(&mut rule.query.plan);
    rule
}

/// Filters of the main pipeline: Sigma rules have no others.
fn plan(plan: &mut Plan) {
    let mut at = plan;
    while let Op::Filter { input, predicate } = &mut *at.op {
        expr(predicate);
        at = input;
    }
}

fn expr(e: &mut Expr) {
    match &mut e.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter_mut().for_each(expr),
        ExprKind::Not(inner) => expr(inner),
        ExprKind::Match(m) => {
            if let Some(tests) = split(m, e.span) {
                *e = tests;
            }
        }
        ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::Let(_)
        | ExprKind::Now
        | ExprKind::Compare(_)
        | ExprKind::In(_)
        | ExprKind::InQuery(_)
        | ExprKind::Between(_)
        | ExprKind::IsNull(_)
        | ExprKind::IsEmpty(_)
        | ExprKind::Arithmetic(_)
        | ExprKind::Negate(_)
        | ExprKind::Call(..)
        | ExprKind::Cast(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Case(..)
        | ExprKind::Subquery(_)
        | ExprKind::Opaque(_) => {}
    }
}

/// The test for `""` beside those for the other values of a list, where there is one.
fn split(m: &StringMatch, span: ruleferry_diag::Span) -> Option<Expr> {
    let Subject::Expr(subject) = &m.subject else { return None };
    let plain = m.kind == MatchKind::Equals && m.missing == Missing::False && subject.as_column().is_some();
    let MatchValues::List(values) = &m.values else { return None };
    let is_empty = |v: &MatchValue| match v {
        MatchValue::Expr(e) => e.as_literal().and_then(|l| l.as_str()).is_some_and(str::is_empty),
        MatchValue::Glob(_) => false,
    };
    if !plain || !values.iter().any(is_empty) {
        return None;
    }
    let others: Vec<MatchValue> = values.iter().filter(|v| !is_empty(v)).cloned().collect();
    let missing = Expr::new(ExprKind::IsEmpty(Box::new(subject.clone())), Type::Bool, span);
    if others.is_empty() {
        return Some(missing);
    }
    let rest = Expr::matches(StringMatch { values: MatchValues::List(others), ..m.clone() }, span);
    Some(match m.quantifier {
        Quantifier::Any => Expr::or(vec![missing, rest], span),
        Quantifier::All => Expr::and(vec![missing, rest], span),
    })
}

/// The tables with no value in place of each empty text.
pub(crate) fn tables(tables: &mut MemoryTables) {
    for table in tables.tables.values_mut() {
        for row in &mut table.rows {
            let empty = |v: &Value| matches!(v, Value::String(s) if s.is_empty());
            if row.iter().any(empty) {
                *row = row.iter().map(|v| if empty(v) { Value::Null } else { v.clone() }).collect();
            }
        }
    }
}
