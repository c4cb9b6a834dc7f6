//! `has`, `contains`, `startswith`, `=~`, `matches regex` and the rest: tests of one text against another.

use super::{Cx, Lifter};
use crate::syntax::tree::{self, BinaryOp};
use ruleferry_diag::Span;
use ruleferry_ir::{
    self as ir, Case, MatchKind, MatchValue, MatchValues, Missing, Quantifier, StringMatch, Subject, Type,
};

struct Test {
    kind: MatchKind,
    case: Case,
    negated: bool,
}

const fn test(kind: MatchKind, case: Case, negated: bool) -> Option<Test> {
    Some(Test { kind, case, negated })
}

/// What an operator tests; `None` for those that are no tests of texts or have no documented meaning.
const fn test_of(op: BinaryOp) -> Option<Test> {
    use BinaryOp as Op;
    use Case::{Insensitive, Sensitive};
    match op {
        Op::Eq => test(MatchKind::Equals, Sensitive, false),
        Op::Ne => test(MatchKind::Equals, Sensitive, true),
        Op::EqCi => test(MatchKind::Equals, Insensitive, false),
        Op::NeCi => test(MatchKind::Equals, Insensitive, true),
        Op::Has | Op::Colon => test(MatchKind::Term, Insensitive, false),
        Op::NotHas => test(MatchKind::Term, Insensitive, true),
        Op::HasCs => test(MatchKind::Term, Sensitive, false),
        Op::NotHasCs => test(MatchKind::Term, Sensitive, true),
        Op::HasPrefix => test(MatchKind::TermPrefix, Insensitive, false),
        Op::NotHasPrefix => test(MatchKind::TermPrefix, Insensitive, true),
        Op::HasPrefixCs => test(MatchKind::TermPrefix, Sensitive, false),
        Op::NotHasPrefixCs => test(MatchKind::TermPrefix, Sensitive, true),
        Op::HasSuffix => test(MatchKind::TermSuffix, Insensitive, false),
        Op::NotHasSuffix => test(MatchKind::TermSuffix, Insensitive, true),
        Op::HasSuffixCs => test(MatchKind::TermSuffix, Sensitive, false),
        Op::NotHasSuffixCs => test(MatchKind::TermSuffix, Sensitive, true),
        Op::Contains => test(MatchKind::Contains, Insensitive, false),
        Op::NotContains => test(MatchKind::Contains, Insensitive, true),
        Op::ContainsCs => test(MatchKind::Contains, Sensitive, false),
        Op::NotContainsCs => test(MatchKind::Contains, Sensitive, true),
        Op::StartsWith => test(MatchKind::StartsWith, Insensitive, false),
        Op::NotStartsWith => test(MatchKind::StartsWith, Insensitive, true),
        Op::StartsWithCs => test(MatchKind::StartsWith, Sensitive, false),
        Op::NotStartsWithCs => test(MatchKind::StartsWith, Sensitive, true),
        Op::EndsWith => test(MatchKind::EndsWith, Insensitive, false),
        Op::NotEndsWith => test(MatchKind::EndsWith, Insensitive, true),
        Op::EndsWithCs => test(MatchKind::EndsWith, Sensitive, false),
        Op::NotEndsWithCs => test(MatchKind::EndsWith, Sensitive, true),
        Op::MatchesRegex => test(MatchKind::Regex, Sensitive, false),
        // `like` is accepted by the service and documented nowhere.
        Op::Like | Op::NotLike | Op::LikeCs | Op::NotLikeCs => None,
        Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Mod => None,
    }
}

impl<'t> Lifter<'t> {
    pub(super) fn string_test(&mut self, binary: &'t tree::Binary, span: Span, cx: Cx<'_>) -> ir::Expr {
        let inner = Cx { search: None, ..cx };
        let any_column = matches!(binary.left.kind, tree::ExprKind::Star);
        let subject = if any_column {
            Subject::AnyColumn
        } else {
            let left = self.expr_in(&binary.left, inner);
            Subject::Expr(self.as_text(left))
        };
        let Some(test) = test_of(binary.op) else {
            return self.opaque("the operator has no documented meaning", Type::Bool, span);
        };
        if binary.op == BinaryOp::Colon
            && let tree::ExprKind::Literal(crate::syntax::literal::Literal::String(text)) = &binary.right.kind
        {
            return self.search_term(subject, &text.value, cx.search.unwrap_or(Case::Insensitive), span);
        }
        let value = self.expr_in(&binary.right, inner);
        let value = if any_column { self.coerce(value, Type::String) } else { self.as_text(value) };
        let (subject, value) = match subject {
            // Equality is the same both ways; the constant is what is looked for.
            Subject::Expr(s)
                if test.kind == MatchKind::Equals
                    && s.as_literal().is_some()
                    && value.as_literal().is_none() =>
            {
                (Subject::Expr(value), s)
            }
            other => (other, value),
        };
        let found = self.string_match(subject, test.kind, test.case, value, span);
        if test.negated { found.negated(span) } else { found }
    }

    /// One match with one value; both are texts.
    pub(super) fn string_match(
        &self,
        subject: Subject,
        kind: MatchKind,
        case: Case,
        value: ir::Expr,
        span: Span,
    ) -> ir::Expr {
        let values = MatchValues::List(vec![MatchValue::Expr(value)]);
        let quantifier = Quantifier::Any;
        ir::Expr::matches(
            StringMatch { subject, kind, case, values, quantifier, missing: Missing::Empty },
            span,
        )
    }

    /// The operand of a text operator: dynamic values become texts by themselves.
    pub(super) fn as_text(&mut self, e: ir::Expr) -> ir::Expr {
        if matches!(e.ty, Type::Dynamic | Type::String | Type::Unknown) {
            self.coerce(e, Type::String)
        } else {
            self.coerce_loudly(e, Type::String)
        }
    }

    /// A term of `search`, with `*` at its ends or inside.
    pub(super) fn search_term(&mut self, subject: Subject, text: &str, case: Case, span: Span) -> ir::Expr {
        if !text.is_empty() && text.chars().all(|c| c == '*') {
            return ir::Expr::bool(true, span);
        }
        let starts = text.starts_with('*');
        let ends = text.ends_with('*');
        let inner = text.trim_matches('*');
        let (kind, value) = match (starts, ends) {
            _ if inner.contains('*') => (MatchKind::Regex, wildcard_regex(text, case)),
            (true, true) => (MatchKind::Contains, inner.to_owned()),
            (true, false) => (MatchKind::TermSuffix, inner.to_owned()),
            (false, true) => (MatchKind::TermPrefix, inner.to_owned()),
            (false, false) => (MatchKind::Term, inner.to_owned()),
        };
        // The pattern of a regex says itself that case is ignored.
        let case = if kind == MatchKind::Regex { Case::Sensitive } else { case };
        self.string_match(subject, kind, case, ir::Expr::string(value, span), span)
    }
}

/// `a*b` as a term: the ends stand at term boundaries unless there is a star.
fn wildcard_regex(text: &str, case: Case) -> String {
    let mut regex = String::from(if case == Case::Insensitive { "(?is)" } else { "(?s)" });
    if !text.starts_with('*') {
        regex.push_str("\\b");
    }
    let mut first = true;
    for piece in text.trim_matches('*').split('*').filter(|p| !p.is_empty()) {
        if !first {
            regex.push_str(".*");
        }
        first = false;
        for c in piece.chars() {
            if !c.is_alphanumeric() && c.is_ascii() {
                regex.push('\\');
            }
            regex.push(c);
        }
    }
    if !text.ends_with('*') {
        regex.push_str("\\b");
    }
    regex
}
