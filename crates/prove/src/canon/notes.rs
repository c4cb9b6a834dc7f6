//! What a filter tests, part by part, for findings about one rule.
//!
//! In: the predicate of a filter and the rows that reach it. Out: [`Noted`]: the conditions that those rows meet already, and
//! the predicate as a [`Tree`] whose nodes keep their place in the source and their two formulas.

use super::plan::Rel;
use super::{Canon, Made, Test};
use crate::formula::FormulaId;
use regex_syntax::hir::{Hir, HirKind, Look};
use ruleferry_diag::Span;
use ruleferry_ir::{
    self as ir, Case, Expr, ExprKind, InValues, MatchKind, MatchValue, MatchValues, Quantifier, StringMatch,
    Value,
};

/// One filter at its place.
#[derive(Clone, Debug)]
pub struct Noted {
    /// What is known of the rows that reach it.
    pub context: FormulaId,
    pub tree: Tree,
}

#[derive(Clone, Debug)]
pub struct Tree {
    pub span: Span,
    pub holds: FormulaId,
    pub fails: FormulaId,
    pub kind: Kind,
    /// It names a `let`: what it says now may be a setting.
    pub configured: bool,
}

#[derive(Clone, Debug)]
pub enum Kind {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Test(Shape),
}

/// What kind of test it is, as far as findings care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    Match(MatchKind),
    /// A pattern, and the plain test that may say the same.
    Pattern(Box<Plain>),
    Compare,
    /// Whether there is a value at all; written for people even where another test says it.
    Guard,
    Other,
}

/// A plain test in the place of a regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    pub kind: MatchKind,
    pub case: Case,
    pub text: String,
    pub holds: FormulaId,
    pub fails: FormulaId,
}

/// Longer lists are one test.
const MAX_LIST: usize = 200;

impl Tree {
    /// When it is true, or when it is false.
    pub const fn when(&self, truth: bool) -> FormulaId {
        if truth { self.holds } else { self.fails }
    }
}

impl Canon<'_, '_> {
    /// Keeps what a filter says; the test is composed of what was kept.
    pub(super) fn noted(&mut self, predicate: &Expr, rel: &Rel) -> Made<Test> {
        let tree = self.tree(predicate, rel)?;
        let test = Test { holds: tree.holds, fails: tree.fails };
        if let Some(notes) = &mut self.notes {
            notes.push(Noted { context: rel.draft.filter, tree });
        }
        self.shallow(test)
    }

    fn tree(&mut self, e: &Expr, scope: &Rel) -> Made<Tree> {
        self.deeper(|this| this.tree_inside(e, scope))
    }

    fn tree_inside(&mut self, e: &Expr, scope: &Rel) -> Made<Tree> {
        let configured = e.any(&mut |e| matches!(e.kind, ExprKind::Let(_)));
        match &e.kind {
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                let mut parts = Vec::with_capacity(operands.len());
                for operand in operands {
                    parts.push(self.tree(operand, scope)?);
                }
                Ok(self.joined(matches!(e.kind, ExprKind::And(_)), parts, e.span, configured))
            }
            ExprKind::Not(inner) => {
                let inner = self.tree(inner, scope)?;
                let (holds, fails) = (inner.fails, inner.holds);
                Ok(Tree { span: e.span, holds, fails, kind: Kind::Not(Box::new(inner)), configured })
            }
            ExprKind::Match(m) => self.match_tree(e, m, scope, configured),
            ExprKind::In(list) => match &list.values {
                InValues::List(values) if (2..=MAX_LIST).contains(&values.len()) => {
                    let mut parts = Vec::with_capacity(values.len());
                    for value in values {
                        let mut one = (**list).clone();
                        one.values = InValues::List(vec![value.clone()]);
                        let test = self.in_list(&one, scope)?;
                        parts.push(leaf(value.span, test, Shape::Compare, configured));
                    }
                    Ok(self.joined(false, parts, e.span, configured))
                }
                InValues::List(_) | InValues::Dynamic(_) => {
                    Ok(leaf(e.span, self.in_list(list, scope)?, Shape::Compare, configured))
                }
            },
            ExprKind::IsNull(_) | ExprKind::IsEmpty(_) => {
                Ok(leaf(e.span, self.test(e, scope)?, Shape::Guard, configured))
            }
            ExprKind::Compare(c) => {
                let nothing = |e: &Expr| match e.as_literal() {
                    Some(Value::String(s)) => s.is_empty(),
                    Some(Value::Null(_)) => true,
                    _ => false,
                };
                let shape = if nothing(&c.left) || nothing(&c.right) { Shape::Guard } else { Shape::Compare };
                Ok(leaf(e.span, self.test(e, scope)?, shape, configured))
            }
            ExprKind::Between(_) => Ok(leaf(e.span, self.test(e, scope)?, Shape::Compare, configured)),
            // `where true` is written on purpose.
            ExprKind::Literal(_) => Ok(leaf(e.span, self.test(e, scope)?, Shape::Guard, configured)),
            ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::InQuery(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => Ok(leaf(e.span, self.test(e, scope)?, Shape::Other, configured)),
        }
    }

    fn joined(&mut self, and: bool, parts: Vec<Tree>, span: Span, configured: bool) -> Tree {
        let holds: Vec<FormulaId> = parts.iter().map(|p| p.holds).collect();
        let fails: Vec<FormulaId> = parts.iter().map(|p| p.fails).collect();
        let (holds, fails) = if and {
            (self.arena.and(holds), self.arena.or(fails))
        } else {
            (self.arena.or(holds), self.arena.and(fails))
        };
        let kind = if and { Kind::And(parts) } else { Kind::Or(parts) };
        Tree { span, holds, fails, kind, configured }
    }

    fn match_tree(&mut self, e: &Expr, m: &StringMatch, scope: &Rel, configured: bool) -> Made<Tree> {
        match &m.values {
            MatchValues::List(values) if (2..=MAX_LIST).contains(&values.len()) => {
                // What stands inside of the subject is not looked at again for each value.
                let notes = self.notes.take();
                let mut parts = Vec::with_capacity(values.len());
                for value in values {
                    let mut one = m.clone();
                    one.values = MatchValues::List(vec![value.clone()]);
                    let span = match value {
                        MatchValue::Expr(v) if !v.span.is_empty() => v.span,
                        MatchValue::Expr(_) | MatchValue::Glob(_) => e.span,
                    };
                    match self.one_match(&one, span, scope, configured) {
                        Ok(part) => parts.push(part),
                        Err(reason) => {
                            self.notes = notes;
                            return Err(reason);
                        }
                    }
                }
                self.notes = notes;
                Ok(self.joined(m.quantifier == Quantifier::All, parts, e.span, configured))
            }
            MatchValues::List(_) | MatchValues::Dynamic(_) | MatchValues::Query(_) => {
                self.one_match(m, e.span, scope, configured)
            }
        }
    }

    fn one_match(&mut self, m: &StringMatch, span: Span, scope: &Rel, configured: bool) -> Made<Tree> {
        let test = self.matched(m, scope)?;
        let empty = |v: &MatchValue| match v {
            MatchValue::Expr(e) => matches!(e.as_literal(), Some(Value::String(s)) if s.is_empty()),
            MatchValue::Glob(parts) => {
                parts.iter().all(|p| matches!(p, ir::GlobPart::Many | ir::GlobPart::One))
            }
        };
        let mut shape = Shape::Match(m.kind);
        if let MatchValues::List(values) = &m.values
            && let [value] = values.as_slice()
        {
            if empty(value) {
                shape = Shape::Guard;
            } else if m.kind == MatchKind::Regex
                && let MatchValue::Expr(e) = value
                && let Some(Value::String(pattern)) = e.as_literal()
                && let Some((kind, case, text)) = plain(pattern, m.case)
            {
                let mut other = m.clone();
                (other.kind, other.case) = (kind, case);
                other.values = MatchValues::List(vec![MatchValue::Expr(Expr::string(text.as_str(), e.span))]);
                let other = self.matched(&other, scope)?;
                let plain = Plain { kind, case, text, holds: other.holds, fails: other.fails };
                shape = Shape::Pattern(Box::new(plain));
            }
        }
        Ok(leaf(span, test, shape, configured))
    }
}

const fn leaf(span: Span, test: Test, shape: Shape, configured: bool) -> Tree {
    Tree { span, holds: test.holds, fails: test.fails, kind: Kind::Test(shape), configured }
}

/// The plain test that a pattern seems to be: a text, with or without `^`, `$` and `.*` around it. The solver has the last word.
fn plain(pattern: &str, case: Case) -> Option<(MatchKind, Case, String)> {
    let (pattern, case) = match pattern.strip_prefix("(?i)") {
        Some(rest) => (rest, Case::Insensitive),
        None => (pattern, case),
    };
    let hir = regex_syntax::ParserBuilder::new().nest_limit(50).build().parse(pattern).ok()?;
    let parts: &[Hir] = match hir.kind() {
        HirKind::Concat(parts) => parts,
        _ => std::slice::from_ref(&hir),
    };
    let (mut start, mut end, mut text) = (false, false, String::new());
    let last = parts.len().saturating_sub(1);
    for (i, part) in parts.iter().enumerate() {
        match part.kind() {
            HirKind::Look(Look::Start) if i == 0 => start = true,
            HirKind::Look(Look::End) if i == last => end = true,
            HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
            HirKind::Repetition(r) if (i == 0 || i == last) && r.min == 0 && r.max.is_none() => {
                // Only `.*` may go; anything else makes the two tests differ, which the solver sees.
            }
            _ => return None,
        }
    }
    let kind = match (start, end) {
        (false, false) => MatchKind::Contains,
        (true, false) => MatchKind::StartsWith,
        (false, true) => MatchKind::EndsWith,
        (true, true) => MatchKind::Equals,
    };
    (!text.is_empty()).then_some((kind, case, text))
}
