//! String matches: one node of the IR as the KQL operators that read best, negated where the source negates.

use super::glob::{self, Glob};
use super::{Cx, Lowerer, build};
use crate::syntax::tree::{BinaryOp, Expr, ExprKind, ListOp};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    self as ir, Case, MatchKind, MatchValue, MatchValues, Missing, Quantifier, StringMatch, Subject, Value,
};

/// One test of a subject, before it is written positive or negated.
enum Atom {
    Binary(BinaryOp, Expr, Expr),
    List(ListOp, Expr, Vec<Expr>),
    Other(Expr),
}

/// What a value is tested for, with globs resolved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    Kind(MatchKind),
    NotEmpty,
}

struct Wanted {
    test: Test,
    value: Expr,
    /// The text, if it is known.
    text: Option<smol_str::SmolStr>,
}

/// The operators of a kind: any case, case-sensitive.
const OPERATORS: &[(MatchKind, BinaryOp, BinaryOp)] = &[
    (MatchKind::Equals, BinaryOp::EqCi, BinaryOp::Eq),
    (MatchKind::Contains, BinaryOp::Contains, BinaryOp::ContainsCs),
    (MatchKind::StartsWith, BinaryOp::StartsWith, BinaryOp::StartsWithCs),
    (MatchKind::EndsWith, BinaryOp::EndsWith, BinaryOp::EndsWithCs),
    (MatchKind::Term, BinaryOp::Has, BinaryOp::HasCs),
    (MatchKind::TermPrefix, BinaryOp::HasPrefix, BinaryOp::HasPrefixCs),
    (MatchKind::TermSuffix, BinaryOp::HasSuffix, BinaryOp::HasSuffixCs),
];

const NEGATED: &[(BinaryOp, BinaryOp)] = &[
    (BinaryOp::Eq, BinaryOp::Ne),
    (BinaryOp::EqCi, BinaryOp::NeCi),
    (BinaryOp::Contains, BinaryOp::NotContains),
    (BinaryOp::ContainsCs, BinaryOp::NotContainsCs),
    (BinaryOp::StartsWith, BinaryOp::NotStartsWith),
    (BinaryOp::StartsWithCs, BinaryOp::NotStartsWithCs),
    (BinaryOp::EndsWith, BinaryOp::NotEndsWith),
    (BinaryOp::EndsWithCs, BinaryOp::NotEndsWithCs),
    (BinaryOp::Has, BinaryOp::NotHas),
    (BinaryOp::HasCs, BinaryOp::NotHasCs),
    (BinaryOp::HasPrefix, BinaryOp::NotHasPrefix),
    (BinaryOp::HasPrefixCs, BinaryOp::NotHasPrefixCs),
    (BinaryOp::HasSuffix, BinaryOp::NotHasSuffix),
    (BinaryOp::HasSuffixCs, BinaryOp::NotHasSuffixCs),
];

const NEGATED_LISTS: &[(ListOp, ListOp)] = &[(ListOp::In, ListOp::NotIn), (ListOp::InCi, ListOp::NotInCi)];

impl Lowerer<'_> {
    /// `cx` is that of the match itself: the caller has turned it around for a negation.
    pub(super) fn string_match(&mut self, m: &StringMatch, negated: bool, span: Span, cx: Cx) -> Expr {
        if m.missing == Missing::Null && cx.exact && matches!(m.subject, Subject::Expr(_)) {
            let message =
                "a missing text would have to make the condition unknown; in Kusto it is empty text";
            return self.refuse(codes::KQL_OUT_VALUE, span, message);
        }
        let subject = match &m.subject {
            Subject::Expr(e) => self.expr(e, Cx::VALUE),
            Subject::AnyColumn | Subject::Event => build::expr(ExprKind::Star),
        };
        let atoms = match &m.values {
            MatchValues::List(values) => self.list_atoms(m, values, &subject, span, cx),
            MatchValues::Dynamic(e) => {
                let items = vec![self.expr(e, Cx::VALUE)];
                self.set_atom(m, subject, items, span)
            }
            MatchValues::Query(plan) => {
                let items = vec![build::tabular(self.pipeline(plan))];
                self.set_atom(m, subject, items, span)
            }
        };
        write(atoms, m.quantifier, negated)
    }

    /// Values that only the run knows: `in` and `has_any` take them.
    fn set_atom(&mut self, m: &StringMatch, subject: Expr, items: Vec<Expr>, span: Span) -> Vec<Atom> {
        let op = match (m.kind, m.case, m.quantifier) {
            (MatchKind::Equals, Case::Sensitive, Quantifier::Any) => ListOp::In,
            (MatchKind::Equals, Case::Insensitive, Quantifier::Any) => ListOp::InCi,
            (MatchKind::Term, Case::Insensitive, Quantifier::Any) => ListOp::HasAny,
            (MatchKind::Term, Case::Insensitive, Quantifier::All) => ListOp::HasAll,
            _ => {
                let message =
                    "KQL has no operator that matches text in this way against a list that is computed";
                return vec![Atom::Other(self.refuse(codes::KQL_OUT_OPERATOR, span, message))];
            }
        };
        vec![Atom::List(op, subject, items)]
    }

    fn list_atoms(
        &mut self,
        m: &StringMatch,
        values: &[MatchValue],
        subject: &Expr,
        span: Span,
        cx: Cx,
    ) -> Vec<Atom> {
        let wanted: Vec<Wanted> = values.iter().map(|v| self.wanted(v, m)).collect();
        if m.missing == Missing::False
            && let Subject::Expr(subject) = &m.subject
        {
            wanted.iter().for_each(|w| self.note_empty(w, subject, span, cx));
        }
        // Values of one test go together, at the place of the first.
        let star = subject.kind == ExprKind::Star;
        let mut groups: Vec<(Test, Vec<Wanted>)> = Vec::with_capacity(wanted.len());
        let mut joined: Vec<(Test, usize)> = Vec::new();
        for wanted in wanted {
            let test = wanted.test;
            // A field that another is compared with stands alone: see `field_reference`.
            let joins = !star && may_join(test, m) && (m.missing != Missing::False || wanted.text.is_some());
            let place =
                joined.iter().find(|(t, _)| joins && *t == test).and_then(|(_, i)| groups.get_mut(*i));
            if let Some((_, group)) = place {
                group.push(wanted);
                continue;
            }
            if joins {
                joined.push((test, groups.len()));
            }
            groups.push((test, vec![wanted]));
        }
        groups.into_iter().map(|(test, group)| self.atom(test, m, subject, group, span, cx)).collect()
    }

    fn wanted(&mut self, value: &MatchValue, m: &StringMatch) -> Wanted {
        match value {
            MatchValue::Expr(e) => {
                let text = e.as_literal().and_then(Value::as_str).map(Into::into);
                Wanted { test: Test::Kind(m.kind), value: self.expr(e, Cx::VALUE), text }
            }
            MatchValue::Glob(parts) => {
                let (test, text) = match glob::plainest(parts, m.case) {
                    Glob::Equals(text) => (Test::Kind(MatchKind::Equals), text),
                    Glob::StartsWith(text) => (Test::Kind(MatchKind::StartsWith), text),
                    Glob::EndsWith(text) => (Test::Kind(MatchKind::EndsWith), text),
                    Glob::Contains(text) => (Test::Kind(MatchKind::Contains), text),
                    Glob::Regex(text) => (Test::Kind(MatchKind::Glob), text.into()),
                    Glob::Anything => (Test::NotEmpty, "".into()),
                };
                Wanted { test, value: build::string(text.clone()), text: Some(text) }
            }
        }
    }

    fn atom(
        &mut self,
        test: Test,
        m: &StringMatch,
        subject: &Expr,
        group: Vec<Wanted>,
        span: Span,
        cx: Cx,
    ) -> Atom {
        let star = subject.kind == ExprKind::Star;
        let Test::Kind(kind) = test else {
            let any = if star { build::bool(true) } else { build::call("isnotempty", vec![subject.clone()]) };
            return Atom::Other(any);
        };
        // Text without letters is the same in any case; `==` says so more plainly.
        let caseless = group.iter().all(|w| w.text.as_ref().is_some_and(|t| !glob::has_case(t)));
        let sensitive = m.case == Case::Sensitive || caseless;
        match kind {
            MatchKind::Equals if !star && group.iter().all(|w| w.text.as_deref() == Some("")) => {
                Atom::Other(build::call("isempty", vec![subject.clone()]))
            }
            MatchKind::Equals if group.len() > 1 => {
                let op = if sensitive { ListOp::In } else { ListOp::InCi };
                Atom::List(op, subject.clone(), values(group))
            }
            MatchKind::Term if group.len() > 1 => {
                let any = m.quantifier == Quantifier::Any;
                Atom::List(if any { ListOp::HasAny } else { ListOp::HasAll }, subject.clone(), values(group))
            }
            MatchKind::Regex => {
                let value = group.into_iter().next();
                let value = value.map(|w| self.regex_value(w, m.case, span));
                Atom::Binary(
                    BinaryOp::MatchesRegex,
                    subject.clone(),
                    value.unwrap_or_else(|| build::string("")),
                )
            }
            // A glob that only a regular expression says; its flags are in it.
            MatchKind::Glob => Atom::Binary(BinaryOp::MatchesRegex, subject.clone(), first(group)),
            MatchKind::Cidr => Atom::Other(self.cidr(subject, group, span, cx)),
            MatchKind::Equals
            | MatchKind::Contains
            | MatchKind::StartsWith
            | MatchKind::EndsWith
            | MatchKind::Term
            | MatchKind::TermPrefix
            | MatchKind::TermSuffix => {
                let plain_equals = kind == MatchKind::Equals && sensitive;
                let cs = plain_equals || m.case == Case::Sensitive;
                let (_, any_case, same_case) = OPERATORS
                    .iter()
                    .find(|(k, ..)| *k == kind)
                    .copied()
                    .unwrap_or((kind, BinaryOp::EqCi, BinaryOp::Eq));
                let guarded = self.field_reference(&group, m, cx);
                let wanted = first(group);
                // Every text holds the empty one: for these it is the value that must be there.
                let asked = if kind == MatchKind::Equals { subject.clone() } else { wanted.clone() };
                let test = build::binary(if cs { same_case } else { any_case }, subject.clone(), wanted);
                if guarded {
                    let present = build::call("isnotempty", vec![asked]);
                    return Atom::Other(build::and(vec![present, test]));
                }
                match test.kind {
                    ExprKind::Binary(b) => Atom::Binary(b.op, b.left, b.right),
                    kind => Atom::Other(build::expr(kind)),
                }
            }
        }
    }

    /// Two fields that are both absent are not equal; in Kusto both are empty. Under a negation the test asks for text, so
    /// that no row is lost; else the rows without either are alerts too many, and the loss says so.
    fn field_reference(&self, group: &[Wanted], m: &StringMatch, cx: Cx) -> bool {
        let computed = group.iter().any(|w| w.text.is_none());
        // Every text holds the empty one, so that a part of another field is always asked for.
        let part = m.kind != MatchKind::Equals;
        computed && m.missing == Missing::False && (part || cx.widened == ir::Effect::Narrows)
    }

    /// A regular expression; case folding is a flag inside it.
    fn regex_value(&mut self, wanted: Wanted, case: Case, span: Span) -> Expr {
        match (case, wanted.text) {
            (Case::Sensitive, _) => wanted.value,
            (Case::Insensitive, Some(text)) => build::string(format!("(?i){text}")),
            (Case::Insensitive, None) => {
                let message = "a regular expression that is computed cannot be made to ignore case";
                self.refuse(codes::KQL_OUT_PATTERN, span, message)
            }
        }
    }

    fn cidr(&mut self, subject: &Expr, group: Vec<Wanted>, span: Span, cx: Cx) -> Expr {
        if group.iter().any(|w| w.text.is_none()) {
            return self.refuse(codes::KQL_OUT_VALUE, span, "a network must be a constant");
        }
        let (six, four): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|w| w.text.as_ref().is_some_and(|t| t.contains(':')));
        let mut tests = Vec::new();
        for (one, any, group) in [
            ("ipv4_is_in_range", "ipv4_is_in_any_range", four),
            ("ipv6_is_in_range", "ipv6_is_in_any_range", six),
        ] {
            if group.is_empty() {
                continue;
            }
            let function = if group.len() == 1 { one } else { any };
            let mut args = vec![subject.clone()];
            args.extend(values(group));
            tests.push(build::call(function, args));
        }
        let test = build::or(tests);
        // Null for what is no address.
        if cx.exact { false_for_null(test) } else { test }
    }

    /// Records what is lost where a test holds for the empty string, which Kusto cannot tell from an absent field.
    fn note_empty(&mut self, wanted: &Wanted, subject: &ir::Expr, span: Span, cx: Cx) {
        if subject.ty != ir::Type::String {
            return;
        }
        let (effect, what) = match (wanted.test, wanted.text.as_deref()) {
            (Test::NotEmpty, _) => {
                (cx.widened.flipped(), "a field that is present with empty text does not match")
            }
            (Test::Kind(MatchKind::Cidr), _) => return,
            (Test::Kind(MatchKind::Regex | MatchKind::Glob), Some(pattern)) if !finds_empty(pattern) => {
                return;
            }
            (Test::Kind(MatchKind::Regex | MatchKind::Glob), _) => {
                (cx.widened, "the pattern fits empty text, and so an absent field")
            }
            (Test::Kind(_), Some("")) => (cx.widened, "empty text matches an absent field, too"),
            (Test::Kind(_), Some(_)) => return,
            (Test::Kind(kind), None) if kind != MatchKind::Equals => {
                (cx.widened.flipped(), "a field that is present with empty text is part of no other")
            }
            (Test::Kind(_), None) if cx.widened == ir::Effect::Narrows => {
                // See `field_reference`: the test asks for text.
                (ir::Effect::Widens, "two fields with empty text do not count as equal")
            }
            (Test::Kind(_), None) => (cx.widened, "two absent fields count as equal"),
        };
        let detail = format!("Kusto stores an absent text field as empty text: {what}");
        self.lose(codes::EMPTY_IS_MISSING, effect, span, detail);
    }
}

/// Whether a regular expression is found in the empty text; also true where that is not known.
fn finds_empty(pattern: &str) -> bool {
    regex_syntax::parse(pattern).is_ok_and(|hir| hir.properties().minimum_len() == Some(0))
}

pub(super) fn false_for_null(test: Expr) -> Expr {
    build::call("coalesce", vec![test, build::bool(false)])
}

/// Whether several values of this test can stand in one operator.
fn may_join(test: Test, m: &StringMatch) -> bool {
    let any = m.quantifier == Quantifier::Any;
    match test {
        Test::NotEmpty => true,
        Test::Kind(MatchKind::Equals | MatchKind::Cidr) => any,
        Test::Kind(MatchKind::Term) => m.case == Case::Insensitive,
        Test::Kind(
            MatchKind::Contains
            | MatchKind::StartsWith
            | MatchKind::EndsWith
            | MatchKind::TermPrefix
            | MatchKind::TermSuffix
            | MatchKind::Regex
            | MatchKind::Glob,
        ) => false,
    }
}

fn values(group: Vec<Wanted>) -> Vec<Expr> {
    group.into_iter().map(|w| w.value).collect()
}

fn first(group: Vec<Wanted>) -> Expr {
    group.into_iter().next().map_or_else(|| build::string(""), |w| w.value)
}

fn write(atoms: Vec<Atom>, quantifier: Quantifier, negated: bool) -> Expr {
    let alone = atoms.len() == 1;
    let written = atoms.into_iter().map(|a| a.write(negated && alone)).collect();
    let joined = match quantifier {
        Quantifier::Any => build::or(written),
        Quantifier::All => build::and(written),
    };
    if negated && !alone { build::not(joined) } else { joined }
}

impl Atom {
    fn write(self, negated: bool) -> Expr {
        match self {
            Self::Binary(op, left, right) => match NEGATED.iter().find(|(o, _)| *o == op) {
                // `* !contains x` asks for a column without it, not for none with it.
                Some((_, not)) if negated && left.kind != ExprKind::Star => build::binary(*not, left, right),
                _ => negate_if(negated, build::binary(op, left, right)),
            },
            Self::List(op, left, items) => match NEGATED_LISTS.iter().find(|(o, _)| *o == op) {
                Some((_, not)) if negated => build::list(*not, left, items),
                _ => negate_if(negated, build::list(op, left, items)),
            },
            Self::Other(e) => match e.kind {
                ExprKind::Call(c) if negated && c.name.text == "isempty" => build::call("isnotempty", c.args),
                ExprKind::Call(c) if negated && c.name.text == "isnotempty" => build::call("isempty", c.args),
                kind => negate_if(negated, build::expr(kind)),
            },
        }
    }
}

fn negate_if(negated: bool, e: Expr) -> Expr {
    if negated { build::not(e) } else { e }
}
