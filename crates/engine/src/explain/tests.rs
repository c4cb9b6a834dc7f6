//! Conditions taken apart: what is looked for, and what is left out.
//!
//! In: the predicate of a filter. Out: [`Indicator`]s and [`Exclusion`]s. A conjunction under `not` is one exclusion of a
//! combination; each alternative under `not` is an exclusion of its own.

use super::{Exclusion, Indicator};
use crate::diff::render::{Renderer, glob_text, value_text};
use ruleferry_ir::{
    CompareOp, Expr, ExprKind, InValues, Json, MatchKind, MatchValue, MatchValues, Quantifier, StringMatch,
    Subject, Value,
};
use smol_str::SmolStr;

/// How expressions are shown: as they are written where the text is known, else in one form for all languages.
pub(super) struct Shown<'q> {
    pub renderer: Renderer<'q>,
    pub text: &'q str,
    /// Spans cover what they stand for.
    pub whole: bool,
}

/// Characters of one expression.
const LONGEST: usize = 2_000;

impl<'q> Shown<'q> {
    pub fn expr(&mut self, e: &'q Expr) -> String {
        let written = if self.whole { e.span.text(self.text) } else { "" };
        if written.is_empty() {
            return self.renderer.expr(e);
        }
        one_line(written)
    }

    /// The values that an expression stands for, its `let`s looked up.
    fn values(&mut self, e: &'q Expr, out: &mut Vec<String>) {
        match &self.renderer.resolved(e).kind {
            ExprKind::Literal(Value::String(text)) => out.push(text.to_string()),
            ExprKind::Literal(Value::Dynamic(json)) => match json {
                Json::Array(items) => out.extend(items.iter().map(json_value)),
                other => out.push(json_value(other)),
            },
            ExprKind::Literal(value) => out.push(value_text(value)),
            ExprKind::Cast(c) if c.implicit => self.values(&c.expr, out),
            _ => out.push(self.expr(e)),
        }
    }

    pub fn of_match(&mut self, m: &'q StringMatch) -> Vec<String> {
        let mut out = Vec::new();
        match &m.values {
            MatchValues::List(values) => {
                for value in values {
                    match value {
                        MatchValue::Expr(e) => self.values(e, &mut out),
                        MatchValue::Glob(parts) => {
                            let text = glob_text(parts);
                            out.push(text.trim_matches('"').to_owned());
                        }
                    }
                }
            }
            MatchValues::Dynamic(e) => self.values(e, &mut out),
            MatchValues::Query(plan) => out.push(format!("({})", one_line(plan.span.text(self.text)))),
        }
        out
    }

    pub fn of_in(&mut self, values: &'q InValues) -> Vec<String> {
        let mut out = Vec::new();
        match values {
            InValues::List(es) => es.iter().for_each(|e| self.values(e, &mut out)),
            InValues::Dynamic(e) => self.values(e, &mut out),
        }
        out
    }

    pub fn subject(&mut self, subject: &'q Subject) -> String {
        match subject {
            Subject::Expr(e) => self.expr(e),
            Subject::AnyColumn | Subject::Event => "*".to_owned(),
        }
    }

    /// Whether it is a time counted from that of the run.
    fn counts_from_now(&self, e: &'q Expr) -> bool {
        self.renderer.resolved(e).any(&mut |e| {
            matches!(e.kind, ExprKind::Now) || matches!(self.renderer.resolved(e).kind, ExprKind::Now)
        })
    }

    /// What one test looks for; a window of time is none.
    fn test(&mut self, e: &'q Expr, out: &mut Vec<Indicator>) {
        let mut push = |field: String, kind: &str, values: Vec<String>| {
            out.push(Indicator { field, kind: SmolStr::new(kind), values });
        };
        match &e.kind {
            ExprKind::Match(m) => {
                let values = self.of_match(m);
                let mut kind = match_kind(m.kind, values.len()).to_owned();
                if m.quantifier == Quantifier::All && values.len() > 1 {
                    kind.push_str("_all");
                }
                push(self.subject(&m.subject), &kind, values);
            }
            ExprKind::Compare(c) => {
                let fixed = |e: &'q Expr| matches!(self.renderer.resolved(e).kind, ExprKind::Literal(_));
                let (subject, value, op) = if fixed(&c.left) && !fixed(&c.right) {
                    (&c.right, &c.left, c.op.flipped())
                } else {
                    (&c.left, &c.right, c.op)
                };
                if self.counts_from_now(value) || self.counts_from_now(subject) {
                    return;
                }
                let mut values = Vec::new();
                self.values(value, &mut values);
                push(self.expr(subject), compare_kind(op), values);
            }
            ExprKind::In(list) => {
                let values = self.of_in(&list.values);
                let kind = if values.len() == 1 { "eq" } else { "in" };
                push(self.expr(&list.subject), kind, values);
            }
            ExprKind::InQuery(q) => {
                let values = vec![format!("({})", one_line(q.plan.span.text(self.text)))];
                push(self.expr(&q.subject), "in", values);
            }
            ExprKind::Between(b) => {
                if self.counts_from_now(&b.low) || self.counts_from_now(&b.high) {
                    return;
                }
                let field = self.expr(&b.subject);
                let (mut low, mut high) = (Vec::new(), Vec::new());
                self.values(&b.low, &mut low);
                self.values(&b.high, &mut high);
                push(field.clone(), "ge", low);
                push(field, "le", high);
            }
            ExprKind::IsNull(inner) | ExprKind::IsEmpty(inner) => {
                push(self.expr(inner), "is_null", Vec::new());
            }
            ExprKind::Column(_) => push(self.expr(e), "eq", vec!["true".to_owned()]),
            ExprKind::Literal(_) => {}
            ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => push(self.expr(e), "condition", Vec::new()),
        }
    }

    /// Takes a condition that must hold apart.
    pub fn collect(&mut self, e: &'q Expr, found: &mut Vec<Indicator>, left_out: &mut Vec<Exclusion>) {
        match &e.kind {
            ExprKind::And(parts) => parts.iter().for_each(|p| self.collect(p, found, left_out)),
            ExprKind::Or(parts) => {
                let mut all = Vec::new();
                // What is left out of one alternative is not left out.
                parts.iter().for_each(|p| self.collect(p, &mut all, &mut Vec::new()));
                found.extend(merged(all));
            }
            ExprKind::Not(inner) => match &inner.kind {
                ExprKind::Not(twice) => self.collect(twice, found, left_out),
                ExprKind::IsNull(subject) | ExprKind::IsEmpty(subject) => found.push(Indicator {
                    field: self.expr(subject),
                    kind: SmolStr::new_static("is_not_null"),
                    values: Vec::new(),
                }),
                // `!=` and its like: one value that it is not.
                ExprKind::Match(m) if m.kind == MatchKind::Equals && self.whole && e.span == inner.span => {
                    let values = self.of_match(m);
                    if values.len() == 1 {
                        let field = self.subject(&m.subject);
                        found.push(Indicator { field, kind: SmolStr::new_static("ne"), values });
                    } else {
                        self.left_out(inner, left_out);
                    }
                }
                _ => self.left_out(inner, left_out),
            },
            _ => self.test(e, found),
        }
    }

    /// A condition under `not`.
    fn left_out(&mut self, e: &'q Expr, out: &mut Vec<Exclusion>) {
        match &e.kind {
            ExprKind::Or(parts) => parts.iter().for_each(|p| self.left_out(p, out)),
            _ => {
                let mut all = Vec::new();
                self.combination(e, &mut all);
                if !all.is_empty() && !out.iter().any(|x| x.all == all) {
                    out.push(Exclusion { all });
                }
            }
        }
    }

    fn combination(&mut self, e: &'q Expr, all: &mut Vec<Indicator>) {
        match &e.kind {
            ExprKind::And(parts) => parts.iter().for_each(|p| self.combination(p, all)),
            ExprKind::Or(parts) => {
                let mut any = Vec::new();
                parts.iter().for_each(|p| self.combination(p, &mut any));
                let any = merged(any);
                // Alternatives over several fields have no form as tests side by side.
                if any.len() == 1 {
                    all.extend(any);
                } else {
                    let field = self.expr(e);
                    all.push(Indicator { field, kind: SmolStr::new_static("condition"), values: Vec::new() });
                }
            }
            ExprKind::Not(inner) => match &inner.kind {
                ExprKind::IsNull(subject) | ExprKind::IsEmpty(subject) => {
                    let field = self.expr(subject);
                    all.push(Indicator {
                        field,
                        kind: SmolStr::new_static("is_not_null"),
                        values: Vec::new(),
                    });
                }
                _ => {
                    let field = self.expr(e);
                    all.push(Indicator { field, kind: SmolStr::new_static("condition"), values: Vec::new() });
                }
            },
            _ => self.test(e, all),
        }
    }
}

/// Alternatives that ask the same of one field as one.
fn merged(all: Vec<Indicator>) -> Vec<Indicator> {
    let mut out: Vec<Indicator> = Vec::new();
    for next in all {
        let same =
            out.iter_mut().find(|o| o.field == next.field && o.kind == next.kind && !next.values.is_empty());
        match same {
            Some(one) => {
                for value in next.values {
                    if !one.values.contains(&value) {
                        one.values.push(value);
                    }
                }
            }
            None => out.push(next),
        }
    }
    out
}

fn json_value(json: &Json) -> String {
    match json {
        Json::String(text) => text.to_string(),
        other => ruleferry_eval::json_text(other).to_string(),
    }
}

pub(super) fn one_line(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.chars().count() > LONGEST {
        out = out.chars().take(LONGEST - 1).collect::<String>() + "…";
    }
    out
}

const fn match_kind(kind: MatchKind, values: usize) -> &'static str {
    match kind {
        MatchKind::Equals => {
            if values == 1 {
                "eq"
            } else {
                "in"
            }
        }
        MatchKind::Contains => "contains",
        MatchKind::StartsWith => "startswith",
        MatchKind::EndsWith => "endswith",
        MatchKind::Term => "has",
        MatchKind::TermPrefix => "hasprefix",
        MatchKind::TermSuffix => "hassuffix",
        MatchKind::Regex => "regex",
        MatchKind::Glob => "like",
        MatchKind::Cidr => "cidr",
    }
}

const fn compare_kind(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "eq",
        CompareOp::Ne => "ne",
        CompareOp::Lt => "lt",
        CompareOp::Le => "le",
        CompareOp::Gt => "gt",
        CompareOp::Ge => "ge",
    }
}

/// Fields that say what kind of event a row is.
const EVENT_FIELDS: &[&str] = &[
    "EventID",
    "EventId",
    "ActionType",
    "OperationName",
    "OperationNameValue",
    "Operation",
    "EventName",
    "EventType",
    "eventName",
    "eventSource",
    "ResourceProviderValue",
    "RecordType",
    "EventCode",
];

pub(super) fn names_events(indicator: &Indicator) -> bool {
    matches!(indicator.kind.as_str(), "eq" | "in") && EVENT_FIELDS.contains(&indicator.field.as_str())
}
