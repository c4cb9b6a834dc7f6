//! Tests: an expression of the engine's three truth values in, one of the IR's out, for a [`Place`].
//!
//! Of `Keep` the test is true where SQL's is; of `Drop` it is false where SQL's is; of `Exact` all three answers are the same.

use super::block::Block;
use super::nulls::{is_empty, is_null, null_where};
use super::unify::{bare, function_name, plain_args};
use super::{Lifter, Place, Result, Val, literal};
use ruleferry_diag::Span;
use ruleferry_ir::{
    Between, Case, Compare, CompareOp, Expr, ExprKind, MatchKind, MatchValue, MatchValues, Missing,
    Quantifier, StringMatch, Subject, Type, Value,
};
use sqlparser::ast::{self, BinaryOperator, UnaryOperator};

/// Functions whose value is a truth value and that are read here.
pub(super) const TESTS: [&str; 12] = [
    "contains",
    "ends_with",
    "has_term",
    "has_term_cs",
    "has_term_prefix",
    "has_term_prefix_cs",
    "has_term_suffix",
    "has_term_suffix_cs",
    "regexp_full_match",
    "regexp_matches",
    "similar_to",
    "starts_with",
];

impl<'q> Lifter<'q> {
    pub(super) fn test(&mut self, block: &mut Block<'q>, e: &'q ast::Expr, place: Place) -> Result<Expr> {
        self.deeper(|l| l.test_inner(block, bare(e), place))
    }

    fn test_inner(&mut self, block: &mut Block<'q>, e: &'q ast::Expr, place: Place) -> Result<Expr> {
        if let Some(val) = self.known_value(e).filter(|v| v.e.ty == Type::Bool) {
            return Ok(val.e);
        }
        match e {
            ast::Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
                let mut operands = Vec::new();
                chain(e, op, &mut operands);
                let mut tests = Vec::with_capacity(operands.len());
                for operand in operands {
                    tests.push(self.test(block, operand, place)?);
                }
                Ok(match op {
                    BinaryOperator::And => Expr::and(tests, Span::default()),
                    _ => Expr::or(merged(tests), Span::default()),
                })
            }
            ast::Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                Ok(not(self.test(block, expr, place.negated())?))
            }
            ast::Expr::IsTrue(inner) => Ok(two_valued_keep(self.test(block, inner, Place::Keep)?)),
            ast::Expr::IsNotTrue(inner) => Ok(not(two_valued_keep(self.test(block, inner, Place::Keep)?))),
            ast::Expr::IsNotFalse(inner) => Ok(two_valued_drop(self.test(block, inner, Place::Drop)?)),
            ast::Expr::IsFalse(inner) => Ok(not(two_valued_drop(self.test(block, inner, Place::Drop)?))),
            ast::Expr::BinaryOp { left, op, right } => match comparison(op) {
                Some(op) => self.comparison(block, left, op, right, place, e),
                None => self.other(block, e, place),
            },
            ast::Expr::IsNull(inner) => self.null_test(block, inner, e),
            ast::Expr::IsNotNull(inner) => Ok(not(self.null_test(block, inner, e)?)),
            ast::Expr::IsDistinctFrom(l, r) => self.distinct(block, l, r, true, place, e),
            ast::Expr::IsNotDistinctFrom(l, r) => self.distinct(block, l, r, false, place, e),
            ast::Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                let place = if *negated { place.negated() } else { place };
                let test =
                    self.like(block, expr, pattern, escape_char.as_deref(), Case::Sensitive, place, e)?;
                Ok(if *negated { not(test) } else { test })
            }
            ast::Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                let place = if *negated { place.negated() } else { place };
                let test =
                    self.like(block, expr, pattern, escape_char.as_deref(), Case::Insensitive, place, e)?;
                Ok(if *negated { not(test) } else { test })
            }
            ast::Expr::InList { expr, list, negated } => {
                let place = if *negated { place.negated() } else { place };
                let test = self.in_list(block, expr, list, place, e)?;
                Ok(if *negated { not(test) } else { test })
            }
            ast::Expr::InSubquery { expr, subquery, negated } => {
                let place = if *negated { place.negated() } else { place };
                let test = self.in_query(block, expr, subquery, place, e)?;
                Ok(if *negated { not(test) } else { test })
            }
            ast::Expr::Between { expr, negated, low, high } => {
                let mut subject = self.value(block, expr)?;
                let (mut low, mut high) = (self.value(block, low)?, self.value(block, high)?);
                self.agree(&mut subject, &mut low);
                self.agree(&mut subject, &mut high);
                if subject.e.ty == Type::String && low.e.ty == Type::String && high.e.ty == Type::String {
                    return self.between_texts(subject, low, high, *negated, place, e);
                }
                let types = [subject.e.ty, low.e.ty, high.e.ty];
                if !types.iter().all(|t| comparable(*t, subject.e.ty)) || subject.e.ty == Type::String {
                    return Err(self.types(e, format!("BETWEEN of `{}`", subject.e.ty)));
                }
                let test = Between { subject: subject.e, low: low.e, high: high.e };
                let test = Expr::new(ExprKind::Between(Box::new(test)), Type::Bool, self.span(e));
                Ok(if *negated { not(test) } else { test })
            }
            ast::Expr::Function(f) => self.function_test(block, f, e, place),
            ast::Expr::Exists { subquery, negated } => {
                let test = self.exists(block, subquery, e)?;
                Ok(if *negated { not(test) } else { test })
            }
            ast::Expr::Value(v) if v.value == ast::Value::Null => Ok(match place {
                Place::Keep => Expr::bool(false, Span::default()),
                Place::Drop => Expr::bool(true, Span::default()),
                Place::Exact => Expr::literal(Value::Null(Type::Bool), Span::default()),
            }),
            _ => self.other(block, e, place),
        }
    }

    /// A truth value that is no test by its form.
    fn other(&mut self, block: &mut Block<'q>, e: &'q ast::Expr, place: Place) -> Result<Expr> {
        if super::expr::is_test(e) {
            return Err(self.function(e, format!("`{}`", super::expr::short(e))));
        }
        let mut val = self.value(block, e)?;
        self.settle(&mut val, Type::Bool);
        if val.e.ty.is_integer() {
            let zero = Expr::literal(Value::Long(0), Span::default());
            let missing = if place == Place::Keep { Missing::False } else { Missing::Null };
            return Ok(not(Expr::compare(CompareOp::Eq, val.e, zero, missing, self.span(e))));
        }
        if val.e.ty != Type::Bool {
            return Err(self.types(e, format!("`{}` as a test", val.e.ty)));
        }
        Ok(place_guard(val.e, place))
    }

    fn function_test(
        &mut self,
        block: &mut Block<'q>,
        f: &'q ast::Function,
        e: &'q ast::Expr,
        place: Place,
    ) -> Result<Expr> {
        if let Some(test) = self.row_test(block, e)? {
            return Ok(test);
        }
        if let Some(test) = self.template_match(block, e, place)? {
            return Ok(test);
        }
        let name = function_name(f).unwrap_or_default();
        let args = plain_args(f).unwrap_or_default();
        let kind = match (name.as_str(), args.as_slice()) {
            ("contains", [_, _]) => MatchKind::Contains,
            ("starts_with", [_, _]) => MatchKind::StartsWith,
            ("ends_with", [_, _]) => MatchKind::EndsWith,
            ("similar_to", [subject, pattern]) => {
                let text = literal::constant_text(pattern);
                let Some(pattern) = text.and_then(super::like::similar) else {
                    return Err(self.function(e, "SIMILAR TO with this pattern"));
                };
                let (subject, pattern) = (self.value(block, subject)?, literal::text_literal(&pattern));
                return self.text_match(subject, MatchKind::Regex, Case::Sensitive, vec![pattern], place, e);
            }
            ("regexp_full_match", [subject, pattern]) => {
                let Some(pattern) = literal::constant_text(pattern) else {
                    return Err(self.function(e, "a pattern that is computed"));
                };
                let pattern = literal::text_literal(&format!("^(?:{pattern})$"));
                let subject = self.value(block, subject)?;
                return self.text_match(subject, MatchKind::Regex, Case::Sensitive, vec![pattern], place, e);
            }
            ("regexp_matches", [subject, pattern]) => {
                return self.regex(block, subject, pattern, Case::Sensitive, place, e);
            }
            ("regexp_matches", [subject, pattern, flags])
                if matches!(literal::constant_text(flags), Some("i" | "is" | "si")) =>
            {
                return self.regex(block, subject, pattern, Case::Insensitive, place, e);
            }
            ("coalesce", [inner, default])
                if let Some((name, args)) = super::select::named_call(inner)
                    && let ("list_bool_or" | "list_bool_and", [list]) = (name.as_str(), args.as_slice()) =>
            {
                return self.quantified(block, &name, list, default, e);
            }
            ("coalesce", [inner, default]) => {
                // A test that is false, or true, where it is not known.
                if let ast::Expr::Value(v) = bare(default)
                    && let ast::Value::Boolean(b) = v.value
                {
                    return Ok(if b {
                        two_valued_drop(self.test(block, inner, Place::Drop)?)
                    } else {
                        two_valued_keep(self.test(block, inner, Place::Keep)?)
                    });
                }
                // Where truth values are numbers.
                match literal::constant_number(default).filter(|_| super::expr::is_test(inner)) {
                    Some(0) => return Ok(two_valued_keep(self.test(block, inner, Place::Keep)?)),
                    Some(1) => return Ok(two_valued_drop(self.test(block, inner, Place::Drop)?)),
                    _ => return self.other(block, e, place),
                }
            }
            _ => return self.other(block, e, place),
        };
        let [subject, value] = args.as_slice() else { return self.other(block, e, place) };
        // Both sides folded: in any case.
        if let (Some(s), Some(v)) = (lowered(subject), folded(value)) {
            let subject = self.value(block, s)?;
            let value = self.folded_value(block, v)?;
            return self.text_match(subject, kind, Case::Insensitive, vec![value], place, e);
        }
        let (subject, value) = (self.value(block, subject)?, self.value(block, value)?);
        self.text_match(subject, kind, Case::Sensitive, vec![value], place, e)
    }

    /// Folded text, or a constant that is folded as it stands.
    pub(super) fn folded_value(&mut self, block: &mut Block<'q>, e: Folded<'q>) -> Result<Val> {
        match e {
            Folded::Call(inner) => self.value(block, inner),
            Folded::Text(text) => Ok(literal::text_literal(text)),
        }
    }

    /// One text against others. Guards stand only where the answer would differ.
    pub(super) fn text_match(
        &mut self,
        subject: Val,
        kind: MatchKind,
        case: Case,
        values: Vec<Val>,
        place: Place,
        node: &ast::Expr,
    ) -> Result<Expr> {
        if let Some(odd) =
            std::iter::once(&subject).chain(&values).find(|v| v.e.ty != Type::String && v.e.ty != Type::Guid)
        {
            return Err(self.types(node, format!("a test of text on `{}`", odd.e.ty)));
        }
        let event = self.is_event(&subject.e);
        let empty_value = |v: &Val| v.e.as_literal().and_then(Value::as_str).is_none_or(str::is_empty);
        let may_match_empty = match kind {
            MatchKind::Regex => {
                values.iter().any(|v| finds_in_empty(v.e.as_literal().and_then(Value::as_str)))
            }
            _ => values.iter().any(empty_value),
        };
        let span = self.span(node);
        let build = |missing: Missing, values: &[Val], subject: &Expr| {
            let values = values.iter().map(|v| MatchValue::Expr(v.e.clone())).collect();
            let test = StringMatch {
                subject: if event { Subject::Event } else { Subject::Expr(subject.clone()) },
                kind,
                case,
                values: MatchValues::List(values),
                quantifier: Quantifier::Any,
                missing,
            };
            Expr::matches(test, span)
        };
        let constant = values.iter().all(|v| !v.nulls.sql && v.nulls.exact);
        if constant {
            let missing = match (subject.nulls.sql, subject.nulls.exact, place) {
                (false, _, _) => Some(Missing::Empty),
                (true, true, Place::Keep) => Some(Missing::False),
                (true, true, Place::Drop | Place::Exact) => Some(Missing::Null),
                // NULL is no match, and neither is "".
                (true, false, Place::Keep) if !may_match_empty => Some(Missing::False),
                (true, false, _) => None,
            };
            if let Some(missing) = missing {
                return Ok(build(missing, &values, &subject.e));
            }
        } else if values.len() == 1 && values.iter().chain([&subject]).all(|v| v.nulls.exact) {
            // NULL on any side is no answer: so it is in the IR where the subject is null, and where a value is.
            let missing = if place == Place::Keep { Missing::False } else { Missing::Null };
            return Ok(build(missing, &values, &subject.e));
        }
        if values.len() > 1 && values.iter().any(|v| v.nulls.sql) {
            // A NULL among them is equal to nothing, and makes null of what is not found.
            if place == Place::Keep && values.iter().chain([&subject]).all(|v| v.nulls.exact) {
                return Ok(build(Missing::False, &values, &subject.e));
            }
            return Err(self.null(node, "a value of a list"));
        }
        let mut unknown = Vec::new();
        for val in values.iter().chain([&subject]) {
            match self.cond(val) {
                Ok(c) => unknown.extend(c),
                Err(()) => return Err(self.null(node, "a text")),
            }
        }
        Ok(guarded(build(Missing::Empty, &values, &subject.e), unknown, place))
    }

    /// The column of all values of an event.
    fn is_event(&self, e: &Expr) -> bool {
        e.as_column().is_some_and(|id| self.columns.name(id) == "_raw")
    }

    fn regex(
        &mut self,
        block: &mut Block<'q>,
        subject: &'q ast::Expr,
        pattern: &'q ast::Expr,
        case: Case,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        let (subject, pattern) = (self.value(block, subject)?, self.value(block, pattern)?);
        self.text_match(subject, MatchKind::Regex, case, vec![pattern], place, node)
    }

    fn comparison(
        &mut self,
        block: &mut Block<'q>,
        left: &'q ast::Expr,
        op: CompareOp,
        right: &'q ast::Expr,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        if matches!(op, CompareOp::Eq | CompareOp::Ne)
            && lowered(left).is_none()
            && lowered(right).is_none()
            && let Some(test) = self.template_test(block, node, place)?
        {
            return Ok(test);
        }
        if op == CompareOp::Ne {
            return Ok(not(self.comparison_of(block, left, CompareOp::Eq, right, place.negated(), node)?));
        }
        self.comparison_of(block, left, op, right, place, node)
    }

    pub(super) fn comparison_of(
        &mut self,
        block: &mut Block<'q>,
        left: &'q ast::Expr,
        op: CompareOp,
        right: &'q ast::Expr,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        if op == CompareOp::Eq {
            for (subject, value) in [(left, right), (right, left)] {
                if let (Some(s), Some(v)) = (lowered(subject), folded(value)) {
                    let subject = self.value(block, s)?;
                    let value = self.folded_value(block, v)?;
                    return self.text_match(
                        subject,
                        MatchKind::Equals,
                        Case::Insensitive,
                        vec![value],
                        place,
                        node,
                    );
                }
            }
        }
        if let (ast::Expr::Tuple(a), ast::Expr::Tuple(b)) = (bare(left), bare(right))
            && op == CompareOp::Eq
            && a.len() == b.len()
        {
            let mut all = Vec::with_capacity(a.len());
            for (a, b) in a.iter().zip(b) {
                all.push(self.comparison_of(block, a, op, b, place, node)?);
            }
            return Ok(Expr::and(all, Span::default()));
        }
        let (mut left, mut right) = (self.value(block, left)?, self.value(block, right)?);
        self.agree(&mut left, &mut right);
        let text = |t: Type| matches!(t, Type::String | Type::Guid);
        if text(left.e.ty) && text(right.e.ty) && op == CompareOp::Eq {
            let swap = left.e.as_literal().is_some() && right.e.as_literal().is_none();
            let (subject, value) = if swap { (right, left) } else { (left, right) };
            if value.e.as_literal().and_then(Value::as_str) == Some("") {
                return self.empty_test(subject, place, node);
            }
            return self.text_match(subject, MatchKind::Equals, Case::Sensitive, vec![value], place, node);
        }
        if !comparable(left.e.ty, right.e.ty) {
            let message = format!("`{}` is compared with `{}`", left.e.ty, right.e.ty);
            return Err(self.types(node, message));
        }
        let span = self.span(node);
        if text(left.e.ty) {
            let mut unknown = Vec::new();
            for val in [&left, &right] {
                match self.cond(val) {
                    Ok(c) => unknown.extend(c),
                    Err(()) => return Err(self.null(node, "a text")),
                }
            }
            let test = Expr::compare(op, left.e, right.e, Missing::Empty, span);
            return Ok(guarded(test, unknown, place));
        }
        let missing = if place == Place::Keep { Missing::False } else { Missing::Null };
        Ok(Expr::compare(op, left.e, right.e, missing, span))
    }

    /// `x = ''`
    fn empty_test(&mut self, subject: Val, place: Place, node: &ast::Expr) -> Result<Expr> {
        let mut test = is_empty(subject.e.clone());
        test.span = self.span(node);
        // False only where there is a text, whatever NULL is.
        if place == Place::Drop {
            return Ok(test);
        }
        match self.cond(&subject) {
            Ok(None) => Ok(test),
            Ok(Some(unknown)) => Ok(guarded(test, vec![unknown], place)),
            Err(()) => Err(self.null(node, "a text")),
        }
    }

    /// A template of a test, as `isempty` of a dynamic value is.
    fn template_test(
        &mut self,
        block: &mut Block<'q>,
        node: &'q ast::Expr,
        place: Place,
    ) -> Result<Option<Expr>> {
        let val = self.template_value(block, node)?;
        Ok(val.filter(|v| v.e.ty == Type::Bool).map(|v| place_guard(v.e, place)))
    }

    fn null_test(
        &mut self,
        block: &mut Block<'q>,
        inner: &'q ast::Expr,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        let val = self.value(block, inner)?;
        if val.e.ty == Type::Dynamic {
            return Err(self.null(node, "a dynamic value, which may be JSON's null,"));
        }
        match self.cond(&val) {
            Ok(None) => Ok(Expr::bool(false, Span::default())),
            Ok(Some(mut test)) => {
                test.span = self.span(node);
                Ok(test)
            }
            Err(()) => Err(self.null(node, "a text")),
        }
    }

    /// `a IS [NOT] DISTINCT FROM b`: never null.
    fn distinct(
        &mut self,
        block: &mut Block<'q>,
        left: &'q ast::Expr,
        right: &'q ast::Expr,
        distinct: bool,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        for (one, other) in [(left, right), (right, left)] {
            if matches!(bare(one), ast::Expr::Value(v) if v.value == ast::Value::Null) {
                let test = self.null_test(block, other, node)?;
                return Ok(if distinct { not(test) } else { test });
            }
        }
        let (mut l, mut r) = (self.value(block, left)?, self.value(block, right)?);
        self.agree(&mut l, &mut r);
        if l.e.ty == Type::String && r.e.ty == Type::String {
            return self.distinct_texts(l, r, distinct, node);
        }
        if !comparable(l.e.ty, r.e.ty) {
            return Err(self.types(node, format!("`{}` distinct from `{}`", l.e.ty, r.e.ty)));
        }
        let both = l.nulls.sql && r.nulls.sql;
        let op = if distinct { CompareOp::Ne } else { CompareOp::Eq };
        let unknown =
            both.then(|| Expr::and(vec![is_null(l.e.clone()), is_null(r.e.clone())], Span::default()));
        let test = Expr::compare(op, l.e, r.e, Missing::Distinct, self.span(node));
        // Null against null is null in the IR: not distinct.
        Ok(match (unknown, distinct, place) {
            (None, _, _) | (Some(_), true, Place::Keep) | (Some(_), false, Place::Drop) => test,
            (Some(_), true, Place::Drop | Place::Exact) => two_valued_keep(test),
            (Some(both), false, Place::Keep | Place::Exact) => {
                Expr::or(vec![two_valued_keep(test), both], Span::default())
            }
        })
    }

    /// Two texts that are distinct: NULL is like NULL here.
    fn distinct_texts(&mut self, l: Val, r: Val, distinct: bool, node: &ast::Expr) -> Result<Expr> {
        let (Ok(a), Ok(b)) = (self.cond(&l), self.cond(&r)) else { return Err(self.null(node, "a text")) };
        let none = || Expr::bool(false, Span::default());
        let (a, b) = (a.unwrap_or_else(none), b.unwrap_or_else(none));
        let both = Expr::and(vec![a.clone(), b.clone()], Span::default());
        let neither = not(Expr::or(vec![a, b], Span::default()));
        let equal = Expr::compare(CompareOp::Eq, l.e, r.e, Missing::Empty, self.span(node));
        let same = Expr::or(vec![both, Expr::and(vec![neither, equal], Span::default())], Span::default());
        Ok(if distinct { not(same) } else { same })
    }

    /// `x BETWEEN 'a' AND 'b'`
    fn between_texts(
        &mut self,
        subject: Val,
        low: Val,
        high: Val,
        negated: bool,
        place: Place,
        node: &ast::Expr,
    ) -> Result<Expr> {
        let place = if negated { place.negated() } else { place };
        let mut unknown = Vec::new();
        for val in [&subject, &low, &high] {
            match self.cond(val) {
                Ok(c) => unknown.extend(c),
                Err(()) => return Err(self.null(node, "a text")),
            }
        }
        let span = self.span(node);
        let test = Expr::and(
            vec![
                Expr::compare(CompareOp::Ge, subject.e.clone(), low.e, Missing::Empty, span),
                Expr::compare(CompareOp::Le, subject.e, high.e, Missing::Empty, span),
            ],
            span,
        );
        // Where one bound is NULL and the other one decides, the answer is known: that is not said here.
        if low.nulls.sql || high.nulls.sql {
            return Err(self.null(node, "a bound"));
        }
        let test = guarded(test, unknown, place);
        Ok(if negated { not(test) } else { test })
    }
}

/// Whether a pattern may be found in `""`.
fn finds_in_empty(pattern: Option<&str>) -> bool {
    let parsed = pattern.and_then(|p| regex_syntax::parse(p).ok());
    parsed.and_then(|hir| hir.properties().minimum_len()).is_none_or(|n| n == 0)
}

/// What stands in `lower(…)`.
pub(super) fn lowered(e: &ast::Expr) -> Option<&ast::Expr> {
    let ast::Expr::Function(f) = bare(e) else { return None };
    if function_name(f)? != "lower" {
        return None;
    }
    match plain_args(f)?.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// A value that is folded: by a call, or as it stands.
pub(super) enum Folded<'e> {
    Call(&'e ast::Expr),
    Text(&'e str),
}

pub(super) fn folded(e: &ast::Expr) -> Option<Folded<'_>> {
    match literal::constant_text(e) {
        // Outside of ASCII the engine's folding is not asked.
        Some(text) if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_uppercase()) => {
            Some(Folded::Text(text))
        }
        Some(_) => None,
        None => lowered(e).map(Folded::Call),
    }
}

/// The operands of a chain of one operator, without recursion along it.
fn chain<'e>(e: &'e ast::Expr, wanted: &BinaryOperator, out: &mut Vec<&'e ast::Expr>) {
    let mut todo = vec![e];
    while let Some(e) = todo.pop() {
        match bare(e) {
            ast::Expr::BinaryOp { left, op, right } if op == wanted => {
                todo.push(right);
                todo.push(left);
            }
            other => out.push(other),
        }
    }
}

fn comparison(op: &BinaryOperator) -> Option<CompareOp> {
    Some(match op {
        BinaryOperator::Eq => CompareOp::Eq,
        BinaryOperator::NotEq => CompareOp::Ne,
        BinaryOperator::Lt => CompareOp::Lt,
        BinaryOperator::LtEq => CompareOp::Le,
        BinaryOperator::Gt => CompareOp::Gt,
        BinaryOperator::GtEq => CompareOp::Ge,
        _ => return None,
    })
}

/// Types whose values the engine compares as the IR does.
pub(super) fn comparable(a: Type, b: Type) -> bool {
    let text = |t: Type| matches!(t, Type::String | Type::Guid);
    a.is_numeric() && b.is_numeric()
        || text(a) && text(b)
        || a == b && matches!(a, Type::Bool | Type::Datetime | Type::Timespan)
}

pub(super) fn not(e: Expr) -> Expr {
    match e.kind {
        ExprKind::Not(inner) => *inner,
        ExprKind::Literal(Value::Bool(b)) => Expr::bool(!b, e.span),
        _ => {
            let span = e.span;
            e.negated(span)
        }
    }
}

/// A test that is not known where one of the conditions holds.
pub(super) fn guarded(test: Expr, unknown: Vec<Expr>, place: Place) -> Expr {
    if unknown.is_empty() {
        return test;
    }
    let unknown = Expr::or(unknown, Span::default());
    match place {
        Place::Keep => Expr::and(vec![not(unknown), test], Span::default()),
        Place::Drop => Expr::or(vec![unknown, test], Span::default()),
        Place::Exact => null_where(unknown, test),
    }
}

/// What a value that is null under a condition is at a place.
fn place_guard(e: Expr, place: Place) -> Expr {
    if place == Place::Exact {
        return e;
    }
    match e.kind {
        ExprKind::Case(branches, otherwise) => {
            let null = |(_, v): &(Expr, Expr)| matches!(v.as_literal(), Some(Value::Null(_)));
            match branches.as_slice() {
                [one] if null(one) => {
                    // A list that is none holds nothing.
                    let needless = place == Place::Keep && matches!(otherwise.kind, ExprKind::In(_));
                    if needless {
                        return *otherwise;
                    }
                    let condition = one.0.clone();
                    guarded(*otherwise, vec![condition], place)
                }
                _ => Expr::new(ExprKind::Case(branches, otherwise), e.ty, e.span),
            }
        }
        kind => Expr::new(kind, e.ty, e.span),
    }
}

/// False where a test is null.
pub(super) fn two_valued_keep(e: Expr) -> Expr {
    if two_valued(&e) {
        return e;
    }
    let span = e.span;
    let otherwise = Expr::bool(false, span);
    Expr::new(ExprKind::Case(vec![(e, Expr::bool(true, span))], Box::new(otherwise)), Type::Bool, span)
}

/// True where a test is null.
pub(super) fn two_valued_drop(e: Expr) -> Expr {
    if two_valued(&e) {
        return e;
    }
    not(two_valued_keep(not(e)))
}

/// Whether a test is never null.
pub(super) fn two_valued(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::And(es) | ExprKind::Or(es) => es.iter().all(two_valued),
        ExprKind::Not(inner) => two_valued(inner),
        ExprKind::Match(m) => matches!(m.missing, Missing::Empty | Missing::False | Missing::Distinct),
        ExprKind::Compare(c) => compares_two_valued(c),
        ExprKind::In(i) => i.missing != Missing::Null,
        ExprKind::InQuery(i) => i.missing != Missing::Null,
        ExprKind::IsNull(_) | ExprKind::IsEmpty(_) => true,
        ExprKind::Literal(v) => matches!(v, Value::Bool(_)),
        ExprKind::Case(branches, otherwise) => {
            branches.iter().all(|(_, v)| two_valued(v)) && two_valued(otherwise)
        }
        ExprKind::Column(_)
        | ExprKind::Let(_)
        | ExprKind::Now
        | ExprKind::Between(_)
        | ExprKind::Arithmetic(_)
        | ExprKind::Negate(_)
        | ExprKind::Call(..)
        | ExprKind::Cast(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Subquery(_)
        | ExprKind::Opaque(_) => false,
    }
}

fn compares_two_valued(c: &Compare) -> bool {
    let literal = |e: &Expr| matches!(e.as_literal(), Some(v) if !matches!(v, Value::Null(_)));
    match c.missing {
        Missing::False => true,
        Missing::Empty => c.left.ty == Type::String && c.right.ty == Type::String,
        Missing::Null => false,
        Missing::Distinct => {
            matches!(c.op, CompareOp::Eq | CompareOp::Ne) && (literal(&c.left) || literal(&c.right))
        }
    }
}

/// Tests of one subject that differ in the value alone, as one test of several.
fn merged(tests: Vec<Expr>) -> Vec<Expr> {
    let mut out: Vec<Expr> = Vec::with_capacity(tests.len());
    for test in tests {
        let joins = match (out.last_mut().map(|e| &mut e.kind), &test.kind) {
            (Some(ExprKind::Match(a)), ExprKind::Match(b)) => match (&mut a.values, &b.values) {
                (MatchValues::List(all), MatchValues::List(more))
                    if a.kind == b.kind
                        && a.case == b.case
                        && a.missing == b.missing
                        && a.quantifier == Quantifier::Any
                        && b.quantifier == Quantifier::Any
                        && same_subject(&a.subject, &b.subject)
                        && more.iter().all(constant)
                        && all.first().is_some_and(constant) =>
                {
                    all.extend(more.iter().cloned());
                    true
                }
                _ => false,
            },
            _ => false,
        };
        if !joins {
            out.push(test);
        }
    }
    out
}

fn constant(value: &MatchValue) -> bool {
    match value {
        MatchValue::Expr(e) => e.as_literal().is_some(),
        MatchValue::Glob(_) => true,
    }
}

fn same_subject(a: &Subject, b: &Subject) -> bool {
    match (a, b) {
        (Subject::Expr(a), Subject::Expr(b)) => a.as_column().is_some() && a.as_column() == b.as_column(),
        (Subject::Event, Subject::Event) => true,
        (Subject::Expr(_) | Subject::AnyColumn | Subject::Event, _) => false,
    }
}

/// The parser's tree must be the engine's: its arrows bind looser than all other operators, so that a bare one is not read.
pub(super) fn bare_arrow(e: &ast::Expr) -> bool {
    let arrow = |e: &ast::Expr| {
        matches!(e, ast::Expr::BinaryOp { op: BinaryOperator::Arrow | BinaryOperator::LongArrow, .. })
            || matches!(e, ast::Expr::Lambda(l) if l.syntax == ast::LambdaSyntax::Arrow)
    };
    match e {
        ast::Expr::BinaryOp { left, op, right } => {
            let own = matches!(op, BinaryOperator::Arrow | BinaryOperator::LongArrow);
            let plain_right = matches!(&**right, ast::Expr::Value(_));
            (!own && (arrow(left) || arrow(right)))
                || (own
                    && !plain_right
                    && !matches!(&**right, ast::Expr::Nested(_) | ast::Expr::Identifier(_)))
        }
        ast::Expr::UnaryOp { expr, .. }
        | ast::Expr::IsNull(expr)
        | ast::Expr::IsNotNull(expr)
        | ast::Expr::IsTrue(expr)
        | ast::Expr::IsNotTrue(expr)
        | ast::Expr::IsFalse(expr)
        | ast::Expr::IsNotFalse(expr)
        | ast::Expr::InList { expr, .. }
        | ast::Expr::InSubquery { expr, .. }
        | ast::Expr::Between { expr, .. } => arrow(expr),
        ast::Expr::IsDistinctFrom(a, b) | ast::Expr::IsNotDistinctFrom(a, b) => arrow(a) || arrow(b),
        ast::Expr::Like { expr, pattern, .. } | ast::Expr::ILike { expr, pattern, .. } => {
            arrow(expr) || arrow(pattern)
        }
        ast::Expr::Cast { kind: ast::CastKind::DoubleColon, expr, .. } => arrow(expr),
        _ => false,
    }
}
