//! Tests: an expression of the engine's three truth values in, one of the IR's out, for a [`Place`].
//!
//! Of `Keep` the test is true where SQL's is; of `Drop` it is false where SQL's is; of `Exact` all three answers are the same.

use super::block::Block;
use super::nulls::{is_empty, is_null, null_where};
use super::unify::{bare, function_name, plain_args};
use super::{Lifter, Place, Result, Val, literal};
use ruleferry_diag::Span;
use ruleferry_ir::{
    Between, Case, Compare, CompareOp, Expr, ExprKind, InList, InQuery, InValues, MatchKind, MatchValue,
    MatchValues, Missing, Quantifier, StringMatch, Subject, Type, Value,
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
                return self.other(block, e, place);
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

    /// `coalesce(list_bool_or(list_transform(values, lambda v : test)), false)`: whether any, or all, of the values pass.
    fn quantified(
        &mut self,
        block: &mut Block<'q>,
        name: &str,
        list: &'q ast::Expr,
        default: &'q ast::Expr,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        let odd = |l: &Self| Err(l.function(node, format!("`{}`", super::expr::short(node))));
        let any = name == "list_bool_or";
        let wanted = ast::Value::Boolean(!any);
        let right_default = matches!(bare(default), ast::Expr::Value(v) if v.value == wanted);
        let Some((called, parts)) = super::select::named_call(list) else { return odd(self) };
        let ([values, ast::Expr::Lambda(lambda)], true) =
            (parts.as_slice(), called == "list_transform" && right_default)
        else {
            return odd(self);
        };
        let ast::OneOrManyWithParens::One(param) = &lambda.params else { return odd(self) };
        // A query among the values is bound outside of the lambda.
        let before = self.params.len();
        let values = match super::select::named_call(values) {
            Some((n, args)) if n == "list_extract" => match args.as_slice() {
                [list, one] if literal::constant_number(one) == Some(1) => match self.bind(block, list)? {
                    Some((_, body)) => body,
                    None => return odd(self),
                },
                _ => return odd(self),
            },
            _ => values,
        };
        let (values, never_null) = match bare(values) {
            ast::Expr::Function(f) if function_name(f).as_deref() == Some("array") => {
                let ast::FunctionArguments::Subquery(query) = &f.args else { return odd(self) };
                let rel = self.query(query, false)?;
                let mut cols = rel.cols();
                let (Some(col), None) = (cols.next(), cols.next()) else { return odd(self) };
                if col.fields.is_some() || self.columns.ty(col.id) != Type::String {
                    return Err(self.types(node, "a list of values that are no texts"));
                }
                let plan = super::expr::only(rel.plan.clone(), col.id, self.column(col.id));
                (MatchValues::Query(Box::new(plan)), !col.nulls.sql)
            }
            other => match super::select::named_call(other) {
                Some((n, args)) if n == "json_texts" && self.macros.contains("json_texts") => {
                    let [value] = args.as_slice() else { return odd(self) };
                    let value = self.value(block, value)?;
                    if value.e.ty != Type::Dynamic {
                        return Err(self.types(node, "a list of values that is no dynamic one"));
                    }
                    (MatchValues::Dynamic(value.e), true)
                }
                _ => return odd(self),
            },
        };
        self.params.truncate(before);
        if !never_null {
            return Err(self.null(node, "a value of a query"));
        }
        let id = self.add(&param.name.value, Type::String);
        let element = Val::present(self.column(id));
        self.params.push((param.name.value.clone(), element));
        // Where a test is not known it does not count.
        let place = if any { Place::Keep } else { Place::Exact };
        let test = self.test(block, &lambda.body, place);
        self.params.pop();
        let test = test?;
        if !two_valued(&test) {
            return Err(self.null(node, "the subject of a list of tests"));
        }
        let ExprKind::Match(mut m) = test.kind else { return odd(self) };
        let own = |v: &MatchValue| matches!(v, MatchValue::Expr(e) if e.as_column() == Some(id));
        let single =
            matches!(&m.values, MatchValues::List(list) if matches!(list.as_slice(), [one] if own(one)));
        let free = match &m.subject {
            Subject::Expr(e) => !crate::lower::walk::Uses::of([e]).columns.contains(&id),
            Subject::AnyColumn | Subject::Event => true,
        };
        if !(single && free) {
            return odd(self);
        }
        m.values = values;
        m.quantifier = if any { Quantifier::Any } else { Quantifier::All };
        Ok(Expr::new(ExprKind::Match(m), Type::Bool, self.span(node)))
    }

    /// A test on `concat_ws('\n', a, b, …)` for a text without line feeds: on each of the values. It is never null.
    fn row_test(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Option<Expr>> {
        let Some((name, args)) = super::select::named_call(e) else { return Ok(None) };
        let (kind, case) = match name.as_str() {
            "has_term" => (MatchKind::Term, Case::Insensitive),
            "has_term_cs" => (MatchKind::Term, Case::Sensitive),
            "has_term_prefix" => (MatchKind::TermPrefix, Case::Insensitive),
            "has_term_suffix" => (MatchKind::TermSuffix, Case::Insensitive),
            _ => return Ok(None),
        };
        let [row, value] = args.as_slice() else { return Ok(None) };
        let (Some((joins, parts)), Some(text)) =
            (super::select::named_call(row), literal::constant_text(value))
        else {
            return Ok(None);
        };
        let macro_known = self.macros.contains(name.as_str());
        let Some((separator, parts)) = parts.split_first() else { return Ok(None) };
        let fits = joins == "concat_ws"
            && literal::constant_text(separator) == Some("\n")
            && !text.is_empty()
            && !text.contains('\n')
            && macro_known;
        if !fits {
            return Ok(None);
        }
        let mut tests = Vec::with_capacity(parts.len());
        for part in parts {
            let subject = self.value(block, part)?;
            tests.push(self.text_match(
                subject,
                kind,
                case,
                vec![literal::text_literal(text)],
                Place::Keep,
                e,
            )?);
        }
        Ok(Some(two_valued_keep(Expr::or(tests, self.span(e)))))
    }

    pub(super) fn term_match(
        &mut self,
        block: &mut Block<'q>,
        (kind, case): (MatchKind, Case),
        subject: &'q ast::Expr,
        value: &'q ast::Expr,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        let (subject, value) = (self.value(block, subject)?, self.value(block, value)?);
        // The macro takes a NULL subject for ''; of a NULL term it makes a pattern of its own.
        if value.nulls.sql {
            return Err(self.null(node, "the term that is looked for"));
        }
        let subject = Val { nulls: super::nulls::Nulls::FILLED, ..subject };
        self.text_match(subject, kind, case, vec![value], place, node)
    }

    /// Folded text, or a constant that is folded as it stands.
    fn folded_value(&mut self, block: &mut Block<'q>, e: Folded<'q>) -> Result<Val> {
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
            match self.cond(&val) {
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

    fn comparison_of(
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
                match self.cond(&val) {
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

    fn in_list(
        &mut self,
        block: &mut Block<'q>,
        subject: &'q ast::Expr,
        list: &'q [ast::Expr],
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        if let Some(inner) = lowered(subject) {
            let values: Option<Vec<Folded<'q>>> = list.iter().map(folded).collect();
            if let Some(values) = values {
                let subject = self.value(block, inner)?;
                let values =
                    values.into_iter().map(|v| self.folded_value(block, v)).collect::<Result<Vec<_>>>()?;
                return self.text_match(subject, MatchKind::Equals, Case::Insensitive, values, place, node);
            }
        }
        if let ast::Expr::Tuple(_) = bare(subject) {
            // Rows: equal to one of them in all parts. Engines do not agree on what NULL makes of it.
            if place != Place::Keep {
                return Err(self.null(node, "a row of several values"));
            }
            let mut any = Vec::with_capacity(list.len());
            for row in list {
                any.push(self.comparison_of(block, subject, CompareOp::Eq, row, place, node)?);
            }
            return Ok(Expr::or(any, self.span(node)));
        }
        let mut subject = self.value(block, subject)?;
        let mut values = Vec::with_capacity(list.len());
        let mut missing = false;
        for e in list {
            if matches!(bare(e), ast::Expr::Value(v) if v.value == ast::Value::Null) {
                missing = true;
                continue;
            }
            let mut val = self.value(block, e)?;
            self.agree(&mut subject, &mut val);
            values.push(val);
        }
        for val in &mut values {
            self.agree(&mut subject, val);
        }
        if missing {
            // NULL among them is equal to nothing: what is not found is not known.
            return match place {
                Place::Drop => Ok(Expr::bool(true, Span::default())),
                Place::Keep if values.is_empty() => Ok(Expr::bool(false, Span::default())),
                Place::Keep => self.in_values(subject, values, place, node),
                Place::Exact => {
                    let found = self.in_values(subject, values, Place::Keep, node)?;
                    let null = Expr::literal(Value::Null(Type::Bool), Span::default());
                    let yes = Expr::bool(true, Span::default());
                    let e = ExprKind::Case(vec![(found, yes)], Box::new(null));
                    Ok(Expr::new(e, Type::Bool, self.span(node)))
                }
            };
        }
        self.in_values(subject, values, place, node)
    }

    /// A value that is one of several.
    fn in_values(
        &mut self,
        subject: Val,
        values: Vec<Val>,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        if matches!(subject.e.ty, Type::String | Type::Guid) {
            return self.text_match(subject, MatchKind::Equals, Case::Sensitive, values, place, node);
        }
        if let Some(odd) = values.iter().find(|v| !comparable(v.e.ty, subject.e.ty)) {
            let message = format!("`{}` in a list of `{}`", subject.e.ty, odd.e.ty);
            return Err(self.types(node, message));
        }
        // A NULL in the list makes null of what is not found; the IR passes over it.
        if place != Place::Keep && values.iter().any(|v| v.nulls.sql) {
            return Err(self.null(node, "a value of a list"));
        }
        let missing = if place == Place::Keep { Missing::False } else { Missing::Null };
        let values = InValues::List(values.into_iter().map(|v| v.e).collect());
        let test = InList { subject: subject.e, values, missing };
        Ok(Expr::new(ExprKind::In(Box::new(test)), Type::Bool, self.span(node)))
    }

    fn in_query(
        &mut self,
        block: &mut Block<'q>,
        subject: &'q ast::Expr,
        query: &'q ast::Query,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        let (subject, folds) = match lowered(subject) {
            Some(inner) if self.folds_rows(query) => (inner, true),
            _ => (subject, false),
        };
        let mut subject = self.value(block, subject)?;
        let rel = self.query_with(query, false, folds)?;
        let cols: Vec<_> = rel.cols().cloned().collect();
        let [col] = cols.as_slice() else {
            return Err(self.clause(node, "IN over a query of several columns"));
        };
        let mut own = Val::new(self.column(col.id), col.nulls.clone());
        self.agree(&mut subject, &mut own);
        let ty = self.columns.ty(col.id);
        if col.fields.is_some() || !comparable(ty, subject.e.ty) {
            return Err(self.types(node, format!("`{}` in a query of `{ty}`", subject.e.ty)));
        }
        let (id, nulls) = (col.id, col.nulls.clone());
        let span = self.span(node);
        let value = Val::new(self.column(id), nulls.clone());
        if place == Place::Keep && (ty != Type::String || !nulls.sql || subject.nulls.never_empty) {
            // NULL on any side finds nothing. A NULL among the values is no '', which the IR would take it for.
            let plan = super::expr::only(rel.plan.clone(), id, self.column(id));
            if ty != Type::String {
                let test =
                    InQuery { subject: subject.e, plan, case: Case::Sensitive, missing: Missing::False };
                return Ok(Expr::new(ExprKind::InQuery(Box::new(test)), Type::Bool, span));
            }
            match (subject.nulls.sql, subject.nulls.exact) {
                (false, _) => return Ok(matches_query(subject.e, plan, folds, Missing::Empty, span)),
                (true, true) => return Ok(matches_query(subject.e, plan, folds, Missing::False, span)),
                (true, false) => {}
            }
        }
        if !nulls.sql && !subject.nulls.sql {
            let plan = super::expr::only(rel.plan.clone(), id, self.column(id));
            return Ok(match ty {
                Type::String => matches_query(subject.e, plan, folds, Missing::Empty, span),
                _ => {
                    let test =
                        InQuery { subject: subject.e, plan, case: Case::Sensitive, missing: Missing::False };
                    Expr::new(ExprKind::InQuery(Box::new(test)), Type::Bool, span)
                }
            });
        }
        // All three answers, spelled out: of no rows false; found is true; else null, where the value or one of the rows is.
        let (Ok(no_subject), Ok(no_value)) = (self.cond(&subject), self.cond(&value)) else {
            return Err(self.null(node, "a value of a query"));
        };
        let mut there = rel.clone();
        if let Some(null) = &no_value {
            there.filter(not(null.clone()));
        }
        let plan = super::expr::only(there.plan, id, self.column(id));
        let found = match ty {
            Type::String => matches_query(subject.e, plan, folds, Missing::Empty, span),
            _ => {
                let test =
                    InQuery { subject: subject.e, plan, case: Case::Sensitive, missing: Missing::False };
                Expr::new(ExprKind::InQuery(Box::new(test)), Type::Bool, span)
            }
        };
        let found = match &no_subject {
            Some(null) => Expr::and(vec![not(null.clone()), found], span),
            None => found,
        };
        if place == Place::Keep {
            return Ok(found);
        }
        let mut unknown = Vec::new();
        if let Some(null) = no_value {
            let mut nulls = rel.clone();
            nulls.filter(null);
            unknown.push(self.has_rows(nulls.plan, node)?);
        }
        if let Some(null) = no_subject {
            let rows = self.has_rows(rel.plan, node)?;
            unknown.push(Expr::and(vec![null, rows], span));
        }
        let unknown = Expr::or(unknown, span);
        Ok(match place {
            Place::Drop => Expr::or(vec![found, unknown], span),
            Place::Keep | Place::Exact => {
                let (yes, no) = (Expr::bool(true, span), Expr::bool(false, span));
                let null = Expr::literal(Value::Null(Type::Bool), span);
                let e = ExprKind::Case(vec![(found, yes), (unknown, null)], Box::new(no));
                Expr::new(e, Type::Bool, span)
            }
        })
    }

    /// Whether a query gives rows.
    pub(super) fn has_rows(&mut self, plan: ruleferry_ir::Plan, node: &ast::Expr) -> Result<Expr> {
        use ruleferry_ir::functions::{FunctionKind, find};
        let Some(count) = find("count", FunctionKind::Aggregate) else {
            return Err(self.function(node, "a query as a test"));
        };
        let id = self.add("count_", Type::Long);
        let call = ruleferry_ir::AggregateCall::Function(count, Vec::new());
        let item = ruleferry_ir::AggregateItem { ids: vec![id], call, named: true };
        let aggregate = ruleferry_ir::Aggregate { input: plan, keys: Vec::new(), aggregates: vec![item] };
        let plan = ruleferry_ir::Plan::new(ruleferry_ir::Op::Aggregate(aggregate), vec![id], Span::default());
        let rows = Expr::new(ExprKind::Subquery(Box::new(plan)), Type::Long, self.span(node));
        let zero = Expr::literal(Value::Long(0), Span::default());
        Ok(Expr::compare(CompareOp::Gt, rows, zero, Missing::False, self.span(node)))
    }

    /// Whether the one column of a query is `lower(…)`.
    fn folds_rows(&self, query: &ast::Query) -> bool {
        let ast::SetExpr::Select(select) = &*query.body else { return false };
        match select.projection.as_slice() {
            [ast::SelectItem::UnnamedExpr(e)] => lowered(e).is_some() && select.distinct.is_none(),
            _ => false,
        }
    }
}

/// A text that is one of a query's.
fn matches_query(subject: Expr, plan: ruleferry_ir::Plan, folds: bool, missing: Missing, span: Span) -> Expr {
    let test = StringMatch {
        subject: Subject::Expr(subject),
        kind: MatchKind::Equals,
        case: if folds { Case::Insensitive } else { Case::Sensitive },
        values: MatchValues::Query(Box::new(plan)),
        quantifier: Quantifier::Any,
        missing,
    };
    Expr::matches(test, span)
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
enum Folded<'e> {
    Call(&'e ast::Expr),
    Text(&'e str),
}

fn folded(e: &ast::Expr) -> Option<Folded<'_>> {
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
