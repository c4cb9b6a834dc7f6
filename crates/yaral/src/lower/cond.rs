//! Conditions: IR to YARA-L, where every condition is true or false.
//!
//! A filter keeps the rows whose condition is true. So the question is when a condition is true, and under a negation when it
//! is false; [`Lowerer::inverted`] says which of them the surrounding text asks. Each atom knows what it gives for an absent
//! field in the source and here, and tells where these are not the same.

use super::columns::Origin;
use super::text::{in_network, length_pattern, texts};
use super::{At, Lowerer};
use crate::syntax::tree::{self, Expr as Tree};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    Between, Case, Compare, CompareOp, Effect, ExprKind, InList, InValues, Missing, Type, Value,
};
use smol_str::SmolStr;
use std::cmp::Ordering;

/// A condition; constants are no predicates of YARA-L.
#[derive(Clone, Debug)]
pub(super) enum Cond {
    Const(bool),
    Is(Tree),
}

impl Cond {
    pub(super) fn all(conds: Vec<Self>) -> Self {
        let mut kept = Vec::with_capacity(conds.len());
        for cond in conds {
            match cond {
                Self::Const(true) => {}
                Self::Const(false) => return cond,
                Self::Is(e) => kept.push(e),
            }
        }
        if kept.is_empty() { Self::Const(true) } else { Self::Is(Tree::all_of(kept)) }
    }

    pub(super) fn any(conds: Vec<Self>) -> Self {
        let mut kept = Vec::with_capacity(conds.len());
        for cond in conds {
            match cond {
                Self::Const(false) => {}
                Self::Const(true) => return cond,
                Self::Is(e) => kept.push(e),
            }
        }
        if kept.is_empty() { Self::Const(false) } else { Self::Is(Tree::any_of(kept)) }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Const(value) => Self::Const(!value),
            Self::Is(e) => Self::Is(opposite(e)),
        }
    }

    pub(super) fn negated_if(self, negated: bool) -> Self {
        if negated { self.negated() } else { self }
    }
}

/// `not x`, in the words that the language has for it.
fn opposite(e: Tree) -> Tree {
    match e.kind {
        tree::ExprKind::Compare(mut c)
            if matches!(c.op, tree::CompareOp::Eq | tree::CompareOp::Ne)
                && !matches!(c.right.kind, tree::ExprKind::Regex(_)) =>
        {
            c.op = if c.op == tree::CompareOp::Eq { tree::CompareOp::Ne } else { tree::CompareOp::Eq };
            Tree::new(tree::ExprKind::Compare(c))
        }
        kind => Tree { kind, span: e.span }.negated(),
    }
}

pub(super) const fn comparison(op: CompareOp) -> tree::CompareOp {
    match op {
        CompareOp::Eq => tree::CompareOp::Eq,
        CompareOp::Ne => tree::CompareOp::Ne,
        CompareOp::Lt => tree::CompareOp::Lt,
        CompareOp::Le => tree::CompareOp::Le,
        CompareOp::Gt => tree::CompareOp::Gt,
        CompareOp::Ge => tree::CompareOp::Ge,
    }
}

/// The comparison that holds where this one does not.
pub(super) const fn complement(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

/// Branches of a `case` that a comparison is written out for.
const MAX_BRANCHES: usize = 8;

const PRIVATE_NETWORKS: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

impl<'q> Lowerer<'q> {
    /// Whether the text around asks for the opposite of what is written.
    pub(super) const fn inverted(&self) -> bool {
        self.inverted
    }

    /// Tells of a difference for absent fields. `widens`: more rows pass here than in the source.
    pub(super) fn tell(&mut self, widens: bool, span: Span, detail: &str) {
        let effect = if widens ^ self.flipped { Effect::Widens } else { Effect::Narrows };
        self.lose(codes::EMPTY_IS_MISSING, effect, span, detail);
    }

    /// The same for an atom that gives `zero` here and `missing` in the source where the field is absent.
    pub(super) fn tell_zero(
        &mut self,
        zero: bool,
        missing: Option<bool>,
        negated: bool,
        span: Span,
        detail: &str,
    ) {
        // Groups have all their values.
        if self.place.of_groups() {
            return;
        }
        let asked = !(self.inverted ^ negated);
        let (here, there) = (zero == asked, missing == Some(asked));
        if here != there {
            self.tell(here, span, detail);
        }
    }

    /// When a condition is true, or when it is false.
    pub(super) fn when(&mut self, at: At<'q>, negated: bool) -> Cond {
        self.deeper(at.e.span, Cond::Const(true), |l| l.when_inside(at, negated))
    }

    fn when_inside(&mut self, at: At<'q>, negated: bool) -> Cond {
        let at = self.behind(at);
        let span = at.e.span;
        let inner = |e| At { e, ..at };
        if self.place == super::Place::Condition && !is_counting(&at.e.kind) {
            return self.check(at, negated);
        }
        match &at.e.kind {
            ExprKind::And(es) | ExprKind::Or(es) => {
                self.inverted ^= negated;
                let conds = es.iter().map(|e| self.when(inner(e), false)).collect();
                self.inverted ^= negated;
                let joined =
                    if matches!(at.e.kind, ExprKind::And(_)) { Cond::all(conds) } else { Cond::any(conds) };
                joined.negated_if(negated)
            }
            ExprKind::Not(e) => self.when(inner(e), !negated),
            ExprKind::Literal(Value::Bool(value)) => Cond::Const(*value != negated),
            // Unknown is neither true nor false.
            ExprKind::Literal(Value::Null(_)) => Cond::Const(self.inverted),
            ExprKind::Match(m) => self.string_match(m, at, negated),
            ExprKind::Compare(c) => self.compare(c, at, negated),
            ExprKind::Between(b) => self.between(b, at, negated),
            ExprKind::In(i) => self.in_values(i, at, negated),
            ExprKind::InQuery(i) => match self.list_of(&i.plan) {
                Some(list) => {
                    let subject = self.value(inner(&i.subject));
                    let test = self.in_list(subject, list);
                    Cond::Is(if i.case == Case::Insensitive { test.nocase() } else { test })
                        .negated_if(negated)
                }
                None => Cond::Is(self.cannot(span, "a query inside of this condition")),
            },
            ExprKind::IsNull(e) => self.is_null(inner(e), negated),
            ExprKind::IsEmpty(e) => self.is_empty(inner(e), negated),
            ExprKind::Column(_) | ExprKind::Member(..) | ExprKind::Index(..) => self.truth(at, negated),
            ExprKind::Cast(cast) if cast.to == Type::Bool => self.truth(at, negated),
            ExprKind::Call(f, args) => self.bool_call(f.name, args, at, negated),
            ExprKind::Case(branches, otherwise) if branches.len() <= MAX_BRANCHES => {
                self.cases(branches, otherwise, at, negated, &mut |l, value| l.when(value, false))
            }
            ExprKind::Opaque(opaque) => {
                let message = format!("`{}` has no YARA-L form: {}", opaque.text, opaque.reason);
                Cond::Is(self.refuse(codes::YARAL_OUT_CONDITION, span, message, ""))
            }
            ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Literal(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Cast(_) => Cond::Is(self.cannot(span, "this condition")),
        }
    }

    /// The value that holds where the branches before it do not, each tested on its own.
    fn cases(
        &mut self,
        branches: &'q [(ruleferry_ir::Expr, ruleferry_ir::Expr)],
        otherwise: &'q ruleferry_ir::Expr,
        at: At<'q>,
        negated: bool,
        test: &mut dyn FnMut(&mut Self, At<'q>) -> Cond,
    ) -> Cond {
        self.inverted ^= negated;
        let mut before: Vec<Cond> = Vec::new();
        let mut out = Vec::new();
        for (condition, value) in branches {
            let holds = self.when(At { e: condition, ..at }, false);
            let value = test(self, At { e: value, ..at });
            let mut all: Vec<Cond> = before.iter().cloned().map(Cond::negated).collect();
            all.push(holds.clone());
            all.push(value);
            out.push(Cond::all(all));
            before.push(holds);
        }
        let mut all: Vec<Cond> = before.into_iter().map(Cond::negated).collect();
        all.push(test(self, At { e: otherwise, ..at }));
        out.push(Cond::all(all));
        self.inverted ^= negated;
        Cond::any(out).negated_if(negated)
    }

    /// A text that a `case` chooses, compared with a constant.
    pub(super) fn equals_choice(
        &mut self,
        subject: At<'q>,
        text: SmolStr,
        case: Case,
        negated: bool,
    ) -> Option<Cond> {
        let subject = self.behind(subject);
        let ExprKind::Case(branches, otherwise) = &subject.e.kind else { return None };
        if branches.len() > MAX_BRANCHES || self.place.of_groups() {
            return None;
        }
        let mut test = |l: &mut Self, value: At<'q>| match l.constant_text(value) {
            Some(t) => Cond::Const(match case {
                Case::Sensitive => t == text,
                Case::Insensitive => t.to_lowercase() == text.to_lowercase(),
            }),
            None => {
                let value = l.value(value);
                let test = value.eq(Tree::text(text.clone()));
                Cond::Is(if case == Case::Insensitive { test.nocase() } else { test })
            }
        };
        Some(self.cases(branches, otherwise, subject, negated, &mut test))
    }

    /// A field that is true or false; neither where it is absent.
    fn truth(&mut self, at: At<'q>, negated: bool) -> Cond {
        self.tell_zero(false, None, negated, at.e.span, "an absent truth value reads as false in YARA-L");
        let field = self.value(at);
        Cond::Is(field.eq(Tree::bool(!negated)))
    }

    fn is_null(&mut self, at: At<'q>, negated: bool) -> Cond {
        let span = at.e.span;
        if let Some(Origin::Time { .. }) = self.column_origin(at) {
            return Cond::Const(negated);
        }
        let zero = match at.e.ty {
            Type::String | Type::Dynamic | Type::Guid | Type::Unknown => Tree::text(""),
            Type::Int | Type::Long | Type::Real | Type::Decimal => Tree::int(0),
            Type::Bool => {
                return Cond::Is(self.cannot(span, "whether a truth value is there: an absent one is false"));
            }
            Type::Datetime | Type::Timespan => {
                return Cond::Is(self.cannot(span, "whether a time is there"));
            }
        };
        let widens = !(self.inverted ^ negated);
        let what = if matches!(zero.kind, tree::ExprKind::Text(_)) { "empty text" } else { "0" };
        let detail =
            format!("an absent field reads as {what} in YARA-L: a field with {what} counts as absent");
        self.tell(widens, span, &detail);
        Cond::Is(self.value(at).eq(zero)).negated_if(negated)
    }

    fn is_empty(&mut self, at: At<'q>, negated: bool) -> Cond {
        match at.e.ty {
            Type::String | Type::Guid | Type::Dynamic | Type::Unknown => {
                Cond::Is(self.value(at).eq(Tree::text(""))).negated_if(negated)
            }
            Type::Bool
            | Type::Int
            | Type::Long
            | Type::Real
            | Type::Decimal
            | Type::Datetime
            | Type::Timespan => self.is_null(at, negated),
        }
    }

    fn in_values(&mut self, i: &'q InList, at: At<'q>, negated: bool) -> Cond {
        let span = at.e.span;
        let values: Option<Vec<Value>> = match &i.values {
            InValues::List(es) => es.iter().map(|e| self.constant(At { e, ..at })).collect(),
            InValues::Dynamic(e) => self.constant_list(At { e, ..at }),
        };
        let Some(values) = values else { return Cond::Is(self.cannot(span, "a comparison with this list")) };
        let subject = At { e: &i.subject, ..at };
        let zero = values.iter().any(is_zero);
        let missing = if i.missing == Missing::Null { None } else { Some(false) };
        self.tell_zero(zero, missing, negated, span, "an absent value reads as 0 in YARA-L");
        let subject = self.value(subject);
        let mut tests = Vec::with_capacity(values.len());
        for value in &values {
            match self.literal(value, span) {
                Some(value) => tests.push(Cond::Is(subject.clone().eq(value))),
                None => return Cond::Is(self.cannot(span, "a comparison with this constant")),
            }
        }
        Cond::any(tests).negated_if(negated)
    }

    fn between(&mut self, b: &'q Between, at: At<'q>, negated: bool) -> Cond {
        let inner = |e| At { e, ..at };
        let (subject, low, high) = (inner(&b.subject), inner(&b.low), inner(&b.high));
        let low = self.comparison(CompareOp::Ge, subject, low, Missing::Null, at, negated);
        let high = self.comparison(CompareOp::Le, subject, high, Missing::Null, at, negated);
        if negated { Cond::any(vec![low, high]) } else { Cond::all(vec![low, high]) }
    }

    fn compare(&mut self, c: &'q Compare, at: At<'q>, negated: bool) -> Cond {
        let (left, right) = (At { e: &c.left, ..at }, At { e: &c.right, ..at });
        // The constant stands at the right.
        if self.constant(left).is_some() && self.constant(right).is_none() {
            return self.comparison(c.op.flipped(), right, left, c.missing, at, negated);
        }
        self.comparison(c.op, left, right, c.missing, at, negated)
    }

    fn comparison(
        &mut self,
        op: CompareOp,
        left: At<'q>,
        right: At<'q>,
        missing: Missing,
        at: At<'q>,
        negated: bool,
    ) -> Cond {
        let span = at.e.span;
        let is_time = |e: &ruleferry_ir::Expr| matches!(e.ty, Type::Datetime | Type::Timespan);
        if is_time(left.e) || is_time(right.e) {
            return self.compare_times(op, left, right, span, negated);
        }
        let Some(constant) = self.constant(right) else {
            return self.compare_values(op, left, right, missing, span, negated);
        };
        if let Some(constant_left) = self.constant(left) {
            return match ordering(&constant_left, &constant) {
                Some(order) => Cond::Const(op.holds(Some(order)) != negated),
                None => Cond::Is(self.cannot(span, "a comparison of these constants")),
            };
        }
        if let Value::Bool(wanted) = constant
            && matches!(op, CompareOp::Eq | CompareOp::Ne)
        {
            let wanted = wanted == (op == CompareOp::Eq);
            let there = match missing {
                Missing::Distinct => Some(op == CompareOp::Ne),
                Missing::False => Some(false),
                Missing::Null | Missing::Empty => None,
            };
            self.tell_zero(!wanted, there, negated, span, "an absent truth value reads as false in YARA-L");
            if self.is_test(left) {
                return self.when(left, wanted == negated);
            }
            let value = self.value(left);
            return Cond::Is(value.eq(Tree::bool(wanted != negated)));
        }
        let text = constant.as_str().is_some();
        let ordered = !matches!(op, CompareOp::Eq | CompareOp::Ne);
        if text && ordered {
            return Cond::Is(self.cannot(span, "which of two texts comes first"));
        }
        if let Some(cond) = self.compare_length(op, left, &constant, negated) {
            return cond;
        }
        if let Some(cond) = self.compare_choice(op, left, &constant, span, negated) {
            return cond;
        }
        if let Some(cond) = self.compare_count(op, left, &constant, span, negated) {
            return cond;
        }
        let zero = if text {
            op.holds(Some(constant.as_str().map_or(Ordering::Equal, |t| "".cmp(t))))
        } else {
            op.holds(ordering(&Value::Long(0), &constant))
        };
        let there = match missing {
            Missing::Empty if text => Some(zero),
            Missing::Empty | Missing::Null => None,
            Missing::False => Some(false),
            Missing::Distinct => Some(op == CompareOp::Ne),
        };
        if self.place == super::Place::Events {
            let what =
                if text { "an absent text reads as empty text" } else { "an absent number reads as 0" };
            self.tell_zero(zero, there, negated, span, &format!("{what} in YARA-L"));
        }
        let Some(literal) = self.literal(&constant, span) else {
            return Cond::Is(self.cannot(span, "a comparison with this constant"));
        };
        let value = self.value(left);
        Cond::Is(ordered_compare(value, if negated { complement(op) } else { op }, literal))
    }

    /// Whether an expression is a condition rather than a value.
    fn is_test(&self, at: At<'q>) -> bool {
        let at = self.behind(at);
        match &at.e.kind {
            ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Call(..) => at.e.ty == Type::Bool,
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => false,
        }
    }

    /// Two values, neither of them constant.
    fn compare_values(
        &mut self,
        op: CompareOp,
        left: At<'q>,
        right: At<'q>,
        missing: Missing,
        span: Span,
        negated: bool,
    ) -> Cond {
        let text = left.e.ty == Type::String || right.e.ty == Type::String;
        if text && !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Cond::Is(self.cannot(span, "which of two texts comes first"));
        }
        let zero = op.holds(Some(Ordering::Equal));
        let there = match missing {
            Missing::Empty => Some(zero),
            Missing::Null | Missing::Distinct => None,
            Missing::False => Some(false),
        };
        let detail = "absent values read as empty text or 0 in YARA-L: two that are absent count as equal";
        self.tell_zero(zero, there, negated, span, detail);
        if self.place == super::Place::Condition {
            // Outcomes are compared with constants alone.
            return match self.between_outcomes(op, left, right) {
                Some(cond) => cond.negated_if(negated),
                None => Cond::Is(self.cannot(span, "a comparison of two counts")),
            };
        }
        let (left, right) = (self.value(left), self.value(right));
        Cond::Is(ordered_compare(left, if negated { complement(op) } else { op }, right))
    }

    /// `a > b` of two outcomes, as an outcome that is 1 where it holds.
    fn between_outcomes(&mut self, op: CompareOp, left: At<'q>, right: At<'q>) -> Option<Cond> {
        self.place = super::Place::Outcome;
        let (left, right) = (self.value(left), self.value(right));
        self.place = super::Place::Condition;
        let test = ordered_compare(left, op, right);
        Some(self.holds(test))
    }

    /// `strlen(x) > 5` as a pattern.
    fn compare_length(
        &mut self,
        op: CompareOp,
        subject: At<'q>,
        constant: &Value,
        negated: bool,
    ) -> Option<Cond> {
        let subject = self.behind(subject);
        let ExprKind::Call(f, args) = &subject.e.kind else { return None };
        let ([text], "strlen") = (args.as_slice(), f.name) else { return None };
        let n = match constant {
            Value::Long(n) => u32::try_from(*n).ok()?,
            Value::Int(n) => u32::try_from(*n).ok()?,
            _ => return None,
        };
        let (least, most) = match op {
            CompareOp::Eq | CompareOp::Ne => (n, Some(n)),
            CompareOp::Gt => (n.checked_add(1)?, None),
            CompareOp::Ge => (n, None),
            CompareOp::Lt => (0, Some(n.checked_sub(1)?)),
            CompareOp::Le => (0, Some(n)),
        };
        let pattern = length_pattern(least, most)?;
        let text = self.value(At { e: text, ..subject });
        let test = Cond::Is(Tree::call("re.regex", [text, Tree::raw_text(pattern)]));
        Some(test.negated_if(negated ^ (op == CompareOp::Ne)))
    }

    /// A number that a `case` chooses, compared with a constant.
    fn compare_choice(
        &mut self,
        op: CompareOp,
        subject: At<'q>,
        constant: &Value,
        span: Span,
        negated: bool,
    ) -> Option<Cond> {
        let subject = self.behind(subject);
        let ExprKind::Case(branches, otherwise) = &subject.e.kind else { return None };
        if branches.len() > MAX_BRANCHES || self.place.of_groups() {
            return None;
        }
        let literal = self.literal(constant, span)?;
        let mut test = |l: &mut Self, value: At<'q>| match l.constant(value) {
            Some(v) => Cond::Const(op.holds(ordering(&v, constant))),
            None => {
                let value = l.value(value);
                Cond::Is(ordered_compare(value, op, literal.clone()))
            }
        };
        Some(self.cases(branches, otherwise, subject, negated, &mut test))
    }

    fn bool_call(
        &mut self,
        name: &'static str,
        args: &'q [ruleferry_ir::Expr],
        at: At<'q>,
        negated: bool,
    ) -> Cond {
        let span = at.e.span;
        let (six, networks): (bool, Option<Vec<SmolStr>>) = match (name, args) {
            ("ipv4_is_private", [_]) => (false, Some(PRIVATE_NETWORKS.map(SmolStr::new_static).to_vec())),
            ("ipv4_is_in_range" | "ipv6_is_in_range", [_, network]) => {
                let network = self.constant_text(At { e: network, ..at });
                (name.starts_with("ipv6"), network.map(|n| vec![n]))
            }
            ("ipv4_is_in_any_range" | "ipv6_is_in_any_range", [_, networks @ ..]) => {
                let mut all = Some(Vec::new());
                for network in networks {
                    let list = self.constant_list(At { e: network, ..at }).and_then(|l| texts(&l));
                    all = all.zip(list).map(|(mut all, list)| {
                        all.extend(list);
                        all
                    });
                }
                (name.starts_with("ipv6"), all)
            }
            _ => {
                let message = format!("YARA-L has no function for `{name}(…)`");
                let help = "write the condition with other functions";
                return Cond::Is(self.refuse(codes::YARAL_OUT_FUNCTION, span, message, help));
            }
        };
        let (Some(subject), Some(networks)) = (args.first(), networks) else {
            return Cond::Is(self.cannot(span, &format!("`{name}(…)` with these arguments")));
        };
        let subject = self.value(At { e: subject, ..at });
        let within = |networks: Vec<SmolStr>| {
            Cond::any(networks.into_iter().map(|n| Cond::Is(in_network(&subject, n))).collect())
        };
        let test = within(networks);
        // What is no address is neither inside nor outside.
        let mut anywhere = vec![SmolStr::new_static("0.0.0.0/0")];
        if six {
            anywhere.push(SmolStr::new_static("::/0"));
        }
        // An address with the length of its network is one in the source.
        let slash = Cond::Is(Tree::call("strings.contains", [subject.clone(), Tree::text("/")]));
        let address = Cond::any(vec![within(anywhere), slash]);
        match (negated, self.inverted) {
            (false, false) => test,
            (true, false) => Cond::all(vec![address, test.negated()]),
            // `not` stands around it: it must hold where there is no address.
            (false, true) => Cond::any(vec![address.negated(), test]),
            (true, true) => test.negated(),
        }
    }
}

/// Whether the condition section can say it: comparisons of outcomes with constants, and what joins them.
const fn is_counting(kind: &ExprKind) -> bool {
    match kind {
        ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Not(_)
        | ExprKind::Compare(_)
        | ExprKind::Between(_)
        | ExprKind::Literal(_) => true,
        ExprKind::Column(_)
        | ExprKind::Let(_)
        | ExprKind::Now
        | ExprKind::Match(_)
        | ExprKind::In(_)
        | ExprKind::InQuery(_)
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
        | ExprKind::Opaque(_) => false,
    }
}

/// A comparison whose text does not begin with a parenthesis, which the platform does not read.
pub(super) fn ordered_compare(left: Tree, op: CompareOp, right: Tree) -> Tree {
    let begins = |e: &Tree| match &e.kind {
        tree::ExprKind::Arith { first, .. } => matches!(first.kind, tree::ExprKind::Arith { .. }),
        _ => false,
    };
    if begins(&left) {
        right.compare(comparison(op.flipped()), left)
    } else {
        left.compare(comparison(op), right)
    }
}

fn is_zero(value: &Value) -> bool {
    ordering(value, &Value::Long(0)) == Some(Ordering::Equal)
}

/// How two constants of comparable types stand.
pub(super) fn ordering(left: &Value, right: &Value) -> Option<Ordering> {
    #[allow(clippy::cast_precision_loss, reason = "only the order of small constants is asked")]
    let number = |v: &Value| match v {
        Value::Int(n) => Some(f64::from(*n)),
        Value::Long(n) => Some(*n as f64),
        Value::Real(x) => Some(*x),
        Value::Decimal(digits) => digits.parse().ok(),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Null(_)
        | Value::String(_)
        | Value::Datetime(_)
        | Value::Timespan(_)
        | Value::Guid(_)
        | Value::Dynamic(_) => None,
    };
    match (left, right) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Long(a), Value::Long(b)) => Some(a.cmp(b)),
        (Value::Datetime(a), Value::Datetime(b)) | (Value::Timespan(a), Value::Timespan(b)) => Some(a.cmp(b)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}
