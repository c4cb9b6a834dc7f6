//! Filters: conditions of other documents that a rule must fulfil, too.
//!
//! The specification's example and Sigma's documentation differ: the one excludes what `condition: selection` finds, the
//! other (and pySigma) adds the condition by `and`, so that exclusions say `not selection`. Here it is added by `and`; a
//! condition that excludes nothing is told.

use super::Lifter;
use super::set::Member;
use crate::syntax::{Expr as Tree, LogSource, SigmaDocument};
use ruleferry_diag::{Diagnostic, codes};
use ruleferry_ir::Expr;

impl Lifter<'_> {
    /// The predicate with the filters of the run that name this rule.
    pub(super) fn filtered(&mut self, predicate: Expr) -> Expr {
        if self.set.is_alone() {
            return predicate;
        }
        let span = predicate.span;
        let mut operands = vec![predicate];
        let filters: Vec<Member<'_>> = self.set.filters(self.document).collect();
        for member in filters {
            operands.extend(self.filter(member));
        }
        Expr::and(operands, span)
    }

    fn filter(&mut self, Member { document, path }: Member<'_>) -> Option<Expr> {
        let place = if path.is_some() { *self.document.span } else { *document.span };
        let called = title(document);
        let told = |message: String| Diagnostic::warning(codes::SIGMA_FILTER_KEEPS, place, message);
        if !covers(document.logsource(), self.document.logsource()) {
            let message = format!("the filter `{called}` is for another log source and is not applied");
            let help = "leave only those parts in its `logsource` that the rule has, too";
            self.warnings.push(told(message).with_help(help));
            return None;
        }
        let detection = document.filter()?;
        let [condition] = detection.conditions() else {
            let message = format!("the filter `{called}` needs one condition");
            let help = "join its conditions by `and` or `or`";
            self.fault(codes::SIGMA_CONDITION, place, message, help);
            return None;
        };
        if condition.expr().is_some_and(|e| !negates(e)) {
            let message = format!("the filter `{called}` keeps only what its condition finds");
            let help = "to take these events away write `not` before it";
            self.warnings.push(told(message).with_help(help));
        }
        let (faults, warnings) = (self.faults.len(), self.warnings.len());
        let mut added = self.condition_of(detection);
        if let Some(path) = path {
            added.set_spans(place);
            let elsewhere = self.faults.iter_mut().skip(faults);
            for d in elsewhere.chain(self.warnings.iter_mut().skip(warnings)) {
                d.span = place;
                d.message = format!("in the filter `{called}` of {path}: {}", d.message);
            }
        }
        Some(added)
    }
}

fn title(document: &SigmaDocument) -> &str {
    ["title", "name", "id"].into_iter().find_map(|key| document.text(key)).unwrap_or("without a title")
}

/// Each part that the filter names is the rule's.
fn covers(filter: Option<&LogSource>, rule: Option<&LogSource>) -> bool {
    let Some(filter) = filter else { return true };
    let parts = |s: &LogSource| [s.category(), s.product(), s.service()].map(|p| p.map(str::to_owned));
    let rule = rule.map_or([None, None, None], parts);
    parts(filter).into_iter().zip(rule).all(|(wanted, has)| wanted.is_none() || wanted == has)
}

fn negates(e: &Tree) -> bool {
    match e {
        Tree::Not(..) => true,
        Tree::Search(_) | Tree::Of { .. } => false,
        Tree::And(operands, _) | Tree::Or(operands, _) => operands.iter().any(negates),
        Tree::Group(inner, _) => negates(inner),
    }
}
