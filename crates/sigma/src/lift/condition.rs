//! Conditions: which searches must hold.

use super::Lifter;
use crate::syntax::{
    Aggregation, AggregationFunction, Comparison, Condition, ConditionBody, Detection, Expr as Tree, Pipe,
    Quantifier, Target,
};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::Expr;
use std::fmt::Write;

/// `3 of x*` is every choice of three; more choices than this are refused.
const MAX_CHOICES: usize = 2000;

impl Lifter<'_> {
    pub(super) fn condition(&mut self) -> Expr {
        let Some(detection) = self.document.detection() else {
            let help = "write `detection` as a mapping";
            return self.fault(
                codes::SIGMA_MISSING_KEY,
                *self.document.span,
                "the rule has no detection",
                help,
            );
        };
        self.condition_of(detection)
    }

    /// The condition of a detection, or of a filter.
    pub(super) fn condition_of(&mut self, detection: &Detection) -> Expr {
        let span = *detection.span;
        let conditions = detection.conditions();
        if conditions.is_empty() {
            return self.fault(
                codes::SIGMA_MISSING_KEY,
                span,
                "the detection has no condition",
                "add `condition`",
            );
        }
        // Each of several conditions raises the alert by itself.
        let operands = conditions.iter().map(|c| self.one_condition(c, detection)).collect();
        let aggregates =
            conditions.iter().any(|c| matches!(&c.body, ConditionBody::Expr { pipe: Some(_), .. }));
        if let Some((name, _)) = &detection.timeframe
            && !aggregates
        {
            // The author means several events; for one event the condition would seldom or never hold.
            let help = self.correlation("temporal", &[], None, detection);
            let message =
                "`timeframe` relates several events, which conditions can no longer do since Sigma 2";
            self.fault(codes::SIGMA_LEGACY, *name.span, message, &help);
        }
        Expr::or(operands, span)
    }

    fn one_condition(&mut self, condition: &Condition, detection: &Detection) -> Expr {
        match &condition.body {
            ConditionBody::Expr { expr, pipe: None } => self.tree(expr, detection),
            ConditionBody::Expr { expr: _, pipe: Some(Pipe::Aggregation(aggregation)) } => {
                self.refuse_aggregation(aggregation, detection)
            }
            ConditionBody::Expr { expr: _, pipe: Some(Pipe::Near(_, span)) } => {
                self.refuse_near(**span, detection)
            }
            ConditionBody::Unreadable(_) => {
                self.fault(codes::SIGMA_CONDITION, *condition.span, "the condition cannot be read", "")
            }
        }
    }

    fn tree(&mut self, tree: &Tree, detection: &Detection) -> Expr {
        let span = *tree.span();
        match tree {
            Tree::Search(name) => match detection.search(&name.text) {
                Some(search) => self.group(&search.body),
                None => {
                    let message = format!("the detection has no search `{}`", name.text);
                    self.fault(
                        codes::SIGMA_UNKNOWN_SEARCH,
                        span,
                        message,
                        "correct the name, or add the search",
                    )
                }
            },
            Tree::Of { quantifier, target, span: _ } => self.of(*quantifier, target, span, detection),
            Tree::Not(inner, _) => self.tree(inner, detection).negated(span),
            Tree::And(operands, _) => {
                Expr::and(operands.iter().map(|o| self.tree(o, detection)).collect(), span)
            }
            Tree::Or(operands, _) => {
                Expr::or(operands.iter().map(|o| self.tree(o, detection)).collect(), span)
            }
            Tree::Group(inner, _) => self.tree(inner, detection),
        }
    }

    fn of(&mut self, quantifier: Quantifier, target: &Target, span: Span, detection: &Detection) -> Expr {
        let searches: Vec<_> = detection.searches.iter().filter(|s| target.includes(&s.name.text)).collect();
        if searches.is_empty() {
            let message = format!("no search of the detection fits `{target}`");
            return self.fault(
                codes::SIGMA_UNKNOWN_SEARCH,
                span,
                message,
                "correct the pattern, or add a search",
            );
        }
        let before = self.size;
        let operands: Vec<Expr> = searches.iter().map(|s| self.group(&s.body)).collect();
        let size = self.size.saturating_sub(before);
        match quantifier {
            Quantifier::One => Expr::or(operands, span),
            Quantifier::All => Expr::and(operands, span),
            Quantifier::AtLeast(n) => {
                let n = n as usize;
                if choices(operands.len(), n) > MAX_CHOICES {
                    let message = format!("`{n} of` {} searches has too many choices", operands.len());
                    return self.fault(codes::SIGMA_TOO_LARGE, span, message, "name fewer searches");
                }
                // Every choice has a copy of what it chooses.
                if !self.grow(size.saturating_mul(choices(operands.len(), n)), span) {
                    return Expr::bool(false, span);
                }
                let mut chosen = Vec::new();
                choose(&operands, n, &mut Vec::new(), &mut chosen, span);
                Expr::or(chosen, span)
            }
        }
    }

    fn refuse_aggregation(&mut self, a: &Aggregation, detection: &Detection) -> Expr {
        let kind = match (a.function, &a.field) {
            (AggregationFunction::Count, None) => Some("event_count"),
            (AggregationFunction::Count, Some(_)) => Some("value_count"),
            (AggregationFunction::Sum, _) => Some("value_sum"),
            (AggregationFunction::Avg, _) => Some("value_avg"),
            (AggregationFunction::Min | AggregationFunction::Max, _) => None,
        };
        let help = match kind {
            Some(kind) => {
                let compare = match a.compare {
                    Comparison::Less => "lt",
                    Comparison::LessOrEqual => "lte",
                    Comparison::Greater => "gt",
                    Comparison::GreaterOrEqual => "gte",
                    Comparison::Equal => "eq",
                };
                let field = a.field.as_ref().map(|f| format!("field: {}, ", f.text)).unwrap_or_default();
                let condition = format!("{{{field}{compare}: {}}}", a.threshold);
                let by: Vec<&str> = a.by.iter().map(|n| n.text.as_str()).collect();
                self.correlation(kind, &by, Some(&condition), detection)
            }
            None => format!(
                "Sigma's correlations have no `{}`; compare the values with `lt` or `gt` in the search itself",
                a.function.name()
            ),
        };
        let message = format!("`{a}` counts events, which conditions can no longer do since Sigma 2");
        self.fault(codes::SIGMA_LEGACY, *a.span, message, &help)
    }

    fn refuse_near(&mut self, span: Span, detection: &Detection) -> Expr {
        let help = self.correlation("temporal", &[], None, detection);
        let message = "`near` relates events in time, which conditions can no longer do since Sigma 2";
        self.fault(codes::SIGMA_LEGACY, span, message, &help)
    }

    /// The correlation rule that says what an aggregation said.
    fn correlation(&self, kind: &str, by: &[&str], condition: Option<&str>, detection: &Detection) -> String {
        let name = self.document.text("name").or_else(|| self.document.text("id")).unwrap_or("this_rule");
        let rules = if kind == "temporal" { "one rule for each search" } else { name };
        let timespan = detection.timeframe().unwrap_or("5m");
        let mut text =
            format!("keep the search in this rule and write a correlation: {{type: {kind}, rules: [{rules}]");
        if !by.is_empty() {
            let _ = write!(text, ", group-by: [{}]", by.join(", "));
        }
        let _ = write!(text, ", timespan: {timespan}");
        if let Some(condition) = condition {
            let _ = write!(text, ", condition: {condition}");
        }
        text.push('}');
        text
    }
}

/// How many ways there are to choose `n` of `of`, or many more than allowed.
fn choices(of: usize, n: usize) -> usize {
    if n > of {
        return 0;
    }
    let mut count: usize = 1;
    for i in 0..n.min(of - n) {
        count = count.saturating_mul(of - i) / (i + 1);
        if count > MAX_CHOICES {
            break;
        }
    }
    count
}

fn choose(from: &[Expr], n: usize, taken: &mut Vec<Expr>, out: &mut Vec<Expr>, span: Span) {
    if n == 0 {
        out.push(Expr::and(taken.clone(), span));
        return;
    }
    for (i, operand) in from.iter().enumerate() {
        if from.len() - i < n {
            break;
        }
        taken.push(operand.clone());
        choose(from.get(i + 1..).unwrap_or(&[]), n - 1, taken, out, span);
        taken.pop();
    }
}
