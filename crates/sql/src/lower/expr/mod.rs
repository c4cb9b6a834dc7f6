//! Scalar expressions: an IR expression in, sqlparser's tree out.
//!
//! SQL has one NULL and three truth values; the IR says on each node what a missing value does. [`Use`] carries where a
//! test stands, so that guards (`coalesce`, `IS DISTINCT FROM`, `IS NOT TRUE`) appear only where the answer would differ.

mod aggregate;
mod call;
mod form;
mod json;
mod literal;
mod matching;
mod template;

use self::form::{is_not_true, opposite};
pub(crate) use template::instantiate;
pub use template::unread_templates;

use super::{Lowerer, Refusal, Result, Scope, TICKS_CUT};
use crate::build::{
    and, between, binary, boolean, call, case, coalesce, in_list, in_subquery, is_distinct, is_not_distinct,
    is_null, negative, or, string,
};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::time::TICKS_PER_MICROSECOND;
use ruleferry_ir::{
    Arithmetic, ArithmeticOp, BindingId, BindingValue, Case, Compare, CompareOp, Expr as IrExpr, ExprKind,
    InValues, Json, MatchValue, MatchValues, Missing, Op, Plan, StringMatch, Subject, Type, Value,
};
use sqlparser::ast::{self, BinaryOperator, Expr};

/// What a test is for, which says what NULL may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Its truth keeps a row: NULL is as good as false.
    Where,
    /// Under a negation that keeps a row: NULL is as good as true.
    WhereNot,
    /// Its value is looked at: exact.
    Exact,
}

/// A side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Use {
    const fn negated(self) -> Self {
        match self {
            Self::Where => Self::WhereNot,
            Self::WhereNot => Self::Where,
            Self::Exact => Self::Exact,
        }
    }
}

impl<'q> Lowerer<'q> {
    /// The scalar `let` that a name stands for.
    pub(super) fn binding_expr(&self, id: BindingId) -> Option<&'q IrExpr> {
        match &self.binding(id)?.value {
            BindingValue::Scalar(e) => Some(e),
            BindingValue::Table { .. } => None,
        }
    }
}

impl Lowerer<'_> {
    /// A value.
    pub(crate) fn expr(&mut self, e: &IrExpr, scope: &Scope) -> Result<Expr> {
        self.deeper(e.span, |l| l.value(e, scope))
    }

    /// A test that keeps rows: NULL drops the row as false does.
    pub(crate) fn predicate(&mut self, e: &IrExpr, scope: &Scope) -> Result<Expr> {
        self.test(e, scope, Use::Where)
    }

    fn value(&mut self, e: &IrExpr, scope: &Scope) -> Result<Expr> {
        match &e.kind {
            ExprKind::Literal(v) => {
                if matches!(v, Value::Datetime(t) | Value::Timespan(t) if t % TICKS_PER_MICROSECOND != 0) {
                    self.assume(TICKS_CUT);
                }
                Ok(literal::literal(self.dialect(), v))
            }
            ExprKind::Column(id) => scope.get(*id).cloned().ok_or_else(|| {
                Refusal::new(codes::SQL_OPAQUE, e.span, "a column is used where SQL cannot see it")
            }),
            ExprKind::Let(id) => self.let_value(*id, e, scope),
            ExprKind::Now => self.now(e.span),
            ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_) => self.test(e, scope, Use::Exact),
            ExprKind::Arithmetic(a) => self.arithmetic(a, e.ty, e.span, scope),
            ExprKind::Negate(inner) => {
                let value = self.expr(inner, scope)?;
                if inner.ty == Type::Timespan {
                    let zero = literal::literal(self.dialect(), &Value::Timespan(0));
                    return Ok(binary(zero, BinaryOperator::Minus, value));
                }
                Ok(negative(match value {
                    v @ (Expr::Value(_) | Expr::Identifier(_) | Expr::Function(_)) => v,
                    other => Expr::Nested(Box::new(other)),
                }))
            }
            ExprKind::Call(function, args) => self.call(function, args, e.span, scope),
            ExprKind::Cast(c) => self.cast(&c.expr, c.to, e.span, scope),
            ExprKind::Member(..) | ExprKind::Index(..) => self.json_path(e, scope),
            ExprKind::Case(branches, otherwise) => {
                let mut whens = Vec::with_capacity(branches.len());
                for (condition, value) in branches {
                    whens.push((self.predicate(condition, scope)?, self.expr(value, scope)?));
                }
                let otherwise = self.expr(otherwise, scope)?;
                Ok(case(whens, Some(otherwise)))
            }
            ExprKind::Subquery(plan) => {
                let query = self.value_query(plan, scope, &mut |v| v)?;
                let scalar = crate::build::subquery(first_row(plan, query));
                Ok(if e.ty == Type::String { coalesce(scalar, string("")) } else { scalar })
            }
            ExprKind::Opaque(o) => {
                Err(Refusal::new(codes::SQL_OPAQUE, e.span, format!("{} has no SQL form", o.reason)))
            }
        }
    }

    fn let_value(&mut self, id: BindingId, e: &IrExpr, scope: &Scope) -> Result<Expr> {
        let Some(value) = self.binding(id).and_then(|b| match &b.value {
            BindingValue::Scalar(value) => Some(value),
            BindingValue::Table { .. } => None,
        }) else {
            return Err(Refusal::new(codes::SQL_OPAQUE, e.span, "a table stands where a value is expected"));
        };
        // `let x = toscalar(…)` keeps its name.
        if let ExprKind::Subquery(plan) = &value.kind {
            let scalar = crate::build::subquery(first_row(plan, self.scalar_table(id, plan)?));
            return Ok(if e.ty == Type::String { coalesce(scalar, string("")) } else { scalar });
        }
        self.expr(value, scope)
    }

    fn now(&mut self, span: Span) -> Result<Expr> {
        match self.options.now {
            Some(ticks) => Ok(literal::literal(self.dialect(), &Value::Datetime(ticks))),
            None if !self.dialect().generic => self.template("now", &[], Vec::new(), span),
            None => {
                self.use_macro("utc_now");
                Ok(call("utc_now", Vec::new()))
            }
        }
    }

    /// A test for a place.
    fn test(&mut self, e: &IrExpr, scope: &Scope, place: Use) -> Result<Expr> {
        self.deeper(e.span, |l| l.test_inner(e, scope, place))
    }

    fn tests_of(&mut self, es: &[IrExpr], scope: &Scope, place: Use) -> Result<Vec<Expr>> {
        es.iter().map(|e| self.test(e, scope, place)).collect()
    }

    fn test_inner(&mut self, e: &IrExpr, scope: &Scope, place: Use) -> Result<Expr> {
        match &e.kind {
            ExprKind::And(es) => Ok(and(self.tests_of(es, scope, place)?)),
            ExprKind::Or(es) => Ok(or(self.tests_of(es, scope, place)?)),
            ExprKind::Not(inner) => self.negation(inner, scope, place),
            ExprKind::Compare(c) => self.compare(c, scope, place),
            ExprKind::Match(m) => self.string_match(m, e.span, scope, place),
            ExprKind::In(i) => {
                let nullable = self.nullable(&i.subject, scope);
                let subject = self.expr(&i.subject, scope)?;
                let mut among = false;
                let test = match &i.values {
                    InValues::List(values) => {
                        among = values.iter().any(|v| self.nullable(v, scope));
                        let values =
                            values.iter().map(|v| self.expr(v, scope)).collect::<Result<Vec<_>>>()?;
                        in_list(subject, values)
                    }
                    InValues::Dynamic(list) => match self.constant_items(list, i.subject.ty) {
                        Some(values) if !values.is_empty() => in_list(subject, values),
                        _ => {
                            let list = self.expr(list, scope)?;
                            self.template(
                                "dynamic.has",
                                &[Type::Dynamic, i.subject.ty],
                                vec![list, subject],
                                e.span,
                            )?
                        }
                    },
                };
                // A NULL among the values makes every miss NULL.
                let guard = match i.missing {
                    Missing::Null => among && !nullable,
                    Missing::Empty | Missing::False | Missing::Distinct => among || nullable,
                };
                Ok(if guard && place != Use::Where { coalesce(test, boolean(false)) } else { test })
            }
            ExprKind::InQuery(i) => {
                let text = i.subject.ty == Type::String;
                let nullable = self.nullable(&i.subject, scope);
                let mut subject = self.expr(&i.subject, scope)?;
                if text && nullable && i.missing == Missing::Empty {
                    subject = coalesce(subject, string(""));
                }
                let fold = text && i.case == Case::Insensitive;
                if fold {
                    subject = call("lower", vec![subject]);
                }
                let query = self.value_query(&i.plan, scope, &mut |v| {
                    let v = if text { coalesce(v, string("")) } else { v };
                    if fold { call("lower", vec![v]) } else { v }
                })?;
                let test = in_subquery(subject, query);
                // A NULL among the values makes every miss NULL.
                Ok(if place == Use::Where { test } else { coalesce(test, boolean(false)) })
            }
            ExprKind::Between(b) => {
                let subject = self.expr(&b.subject, scope)?;
                let (low, mut high) = (self.expr(&b.low, scope)?, self.expr(&b.high, scope)?);
                // NaN is no bound, and is above all numbers in DuckDB.
                let guard = self.may_be_nan(&b.high).then(|| high.clone());
                if place == Use::Where && guard.is_some() {
                    high = self.without_nan(high);
                }
                let test = between(subject, low, high);
                Ok(match guard.filter(|_| place != Use::Where) {
                    Some(high) => and(vec![test, crate::build::not(call("isnan", vec![high]))]),
                    None => test,
                })
            }
            ExprKind::IsNull(inner) => {
                let value = self.expr(inner, scope)?;
                if inner.ty == Type::Dynamic {
                    return self.template("isnull", &[Type::Dynamic], vec![value], e.span);
                }
                Ok(is_null(value))
            }
            ExprKind::IsEmpty(inner) => {
                let nullable = self.nullable(inner, scope);
                let value = self.expr(inner, scope)?;
                Ok(match inner.ty {
                    Type::String | Type::Guid | Type::Unknown => {
                        let value = if nullable && place != Use::WhereNot {
                            coalesce(value, string(""))
                        } else if nullable {
                            return Ok(is_empty_under_not(value));
                        } else {
                            value
                        };
                        binary(value, BinaryOperator::Eq, string(""))
                    }
                    Type::Dynamic => self.template("isempty", &[Type::Dynamic], vec![value], e.span)?,
                    Type::Bool
                    | Type::Int
                    | Type::Long
                    | Type::Real
                    | Type::Decimal
                    | Type::Datetime
                    | Type::Timespan => is_null(value),
                })
            }
            ExprKind::Let(id) => match self.binding_expr(*id) {
                Some(value) => self.test(value, scope, place),
                None => self.value(e, scope),
            },
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Now
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => self.value(e, scope),
        }
    }

    fn negation(&mut self, inner: &IrExpr, scope: &Scope, place: Use) -> Result<Expr> {
        match &inner.kind {
            // `isnotempty(x)` where it keeps rows: NULL is dropped by `<>` itself.
            ExprKind::IsEmpty(subject)
                if place == Use::Where && matches!(subject.ty, Type::String | Type::Guid | Type::Unknown) =>
            {
                let value = self.expr(subject, scope)?;
                Ok(binary(value, BinaryOperator::NotEq, string("")))
            }
            ExprKind::And(_) | ExprKind::Or(_) if two_valued(inner) => {
                Ok(is_not_true(self.test(inner, scope, Use::Where)?))
            }
            ExprKind::Match(m) if m.missing == Missing::False => {
                let nullable = match &m.subject {
                    Subject::Expr(e) => self.nullable(e, scope) || self.compares_with_null(m, scope),
                    Subject::AnyColumn | Subject::Event => true,
                };
                let test = self.test(inner, scope, Use::Where)?;
                Ok(if nullable { is_not_true(test) } else { opposite(test) })
            }
            _ => Ok(opposite(self.test(inner, scope, place.negated())?)),
        }
    }

    /// Whether one of the values that are looked for may be NULL.
    fn compares_with_null(&self, m: &StringMatch, scope: &Scope) -> bool {
        match &m.values {
            MatchValues::List(values) => {
                values.iter().any(|v| matches!(v, MatchValue::Expr(e) if self.nullable(e, scope)))
            }
            MatchValues::Dynamic(_) | MatchValues::Query(_) => false,
        }
    }

    fn compare(&mut self, c: &Compare, scope: &Scope, place: Use) -> Result<Expr> {
        let (left_null, right_null) = (self.nullable(&c.left, scope), self.nullable(&c.right, scope));
        let (mut left, mut right) = (self.expr(&c.left, scope)?, self.expr(&c.right, scope)?);
        if c.missing == Missing::Empty {
            if left_null {
                left = coalesce(left, string(""));
            }
            if right_null {
                right = coalesce(right, string(""));
            }
        }
        let op = match c.op {
            CompareOp::Eq => BinaryOperator::Eq,
            CompareOp::Ne => BinaryOperator::NotEq,
            CompareOp::Lt => BinaryOperator::Lt,
            CompareOp::Le => BinaryOperator::LtEq,
            CompareOp::Gt => BinaryOperator::Gt,
            CompareOp::Ge => BinaryOperator::GtEq,
        };
        if let Some(nan) = self.nan_above(c) {
            let above = if nan == Side::Left { &mut left } else { &mut right };
            if place == Use::Where && c.op != CompareOp::Ne {
                *above = self.without_nan(above.clone());
            } else {
                let is_nan = call("isnan", vec![above.clone()]);
                let test = Self::comparison(c, op, left, right, (left_null, right_null), Use::Exact);
                return Ok(match c.op {
                    CompareOp::Ne => or(vec![test, is_nan]),
                    CompareOp::Eq | CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                        and(vec![test, crate::build::not(is_nan)])
                    }
                });
            }
        }
        Ok(Self::comparison(c, op, left, right, (left_null, right_null), place))
    }

    fn comparison(
        c: &Compare,
        op: BinaryOperator,
        left: Expr,
        right: Expr,
        (left_null, right_null): (bool, bool),
        place: Use,
    ) -> Expr {
        let never_null = !left_null && !right_null;
        match c.missing {
            Missing::Empty | Missing::Null => binary(left, op, right),
            Missing::False => {
                let test = binary(left, op, right);
                if place == Use::Where || never_null { test } else { coalesce(test, boolean(false)) }
            }
            Missing::Distinct if never_null => binary(left, op, right),
            Missing::Distinct => {
                let both = left_null && right_null;
                match (c.op, place) {
                    (CompareOp::Eq, Use::Where) => binary(left, op, right),
                    (CompareOp::Eq, Use::WhereNot) => is_not_distinct(left, right),
                    (CompareOp::Ne, Use::WhereNot) if both => {
                        is_not_true(binary(left, BinaryOperator::Eq, right))
                    }
                    (CompareOp::Ne, Use::Where | Use::WhereNot) => is_distinct(left, right),
                    (CompareOp::Eq | CompareOp::Ne, Use::Exact) => {
                        let test = if c.op == CompareOp::Eq {
                            is_not_distinct(left.clone(), right.clone())
                        } else {
                            is_distinct(left.clone(), right.clone())
                        };
                        if both {
                            // Null against null is null.
                            let neither = crate::build::is_not_null(coalesce(left, right));
                            case(vec![(neither, test)], None)
                        } else {
                            test
                        }
                    }
                    (CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge, _) => {
                        binary(left, op, right)
                    }
                }
            }
        }
    }

    /// The side of a comparison on which NaN would give another answer than Kusto's.
    fn nan_above(&self, c: &Compare) -> Option<Side> {
        let (left, right) = (self.may_be_nan(&c.left), self.may_be_nan(&c.right));
        match c.op {
            CompareOp::Gt | CompareOp::Ge => left.then_some(Side::Left),
            CompareOp::Lt | CompareOp::Le => right.then_some(Side::Right),
            CompareOp::Eq | CompareOp::Ne => (left && right).then_some(Side::Left),
        }
    }

    pub(crate) fn may_be_nan(&self, e: &IrExpr) -> bool {
        self.nans.may_be(self.query, e)
    }

    /// NULL in place of NaN.
    pub(crate) fn without_nan(&self, e: Expr) -> Expr {
        if !self.dialect().generic {
            return case(vec![(crate::build::not(call("isnan", vec![e.clone()])), e)], None);
        }
        call("nullif", vec![e, self.nan()])
    }

    pub(crate) fn nan(&self) -> Expr {
        literal::literal(self.dialect(), &Value::Real(f64::NAN))
    }

    fn arithmetic(&mut self, a: &Arithmetic, ty: Type, span: Span, scope: &Scope) -> Result<Expr> {
        let (lt, rt) = (a.left.ty, a.right.ty);
        let (mut left, right) = (self.expr(&a.left, scope)?, self.expr(&a.right, scope)?);
        // Literals are INTEGER in DuckDB, where they fit: what is a long in Kusto must not overflow at 32 bits.
        let narrow = |e: &IrExpr| e.ty == Type::Int || e.ty.is_integer() && e.as_literal().is_some();
        if ty == Type::Long && narrow(&a.left) && narrow(&a.right) {
            left = crate::build::cast(left, crate::build::data_type(self.dialect(), Type::Long));
        }
        let key = match a.op {
            ArithmeticOp::Add => "arith.add",
            ArithmeticOp::Sub => "arith.sub",
            ArithmeticOp::Mul => "arith.mul",
            ArithmeticOp::Div => "arith.div",
            ArithmeticOp::Mod => "arith.mod",
        };
        let plain = a.op == ArithmeticOp::Div && matches!(a.right.as_literal(), Some(v) if is_nonzero(v));
        if plain && self.has_template("arith.div.plain", &[lt, rt]) {
            return self.template("arith.div.plain", &[lt, rt], vec![left, right], span);
        }
        let positive = matches!(a.right.as_literal(), Some(Value::Int(1..) | Value::Long(1..)));
        if self.has_template(key, &[lt, rt]) && !(a.op == ArithmeticOp::Mod && positive) {
            return self.template(key, &[lt, rt], vec![left, right], span);
        }
        // Products and quotients of two DECIMALs overflow its digits.
        let mut right = right;
        if matches!(a.op, ArithmeticOp::Mul | ArithmeticOp::Div) && lt.is_numeric() && rt.is_numeric() {
            let double = crate::build::data_type(self.dialect(), Type::Real);
            for (operand, ty) in [(&mut left, lt), (&mut right, rt)] {
                if ty == Type::Decimal {
                    *operand = crate::build::cast(operand.clone(), double.clone());
                }
            }
        }
        let simple = |op| Ok(binary(left.clone(), op, right.clone()));
        let spans = lt == Type::Timespan || rt == Type::Timespan;
        let numbers = lt.is_numeric() && rt.is_numeric();
        let times = |t: Type| matches!(t, Type::Datetime | Type::Timespan);
        let sum = matches!(a.op, ArithmeticOp::Add | ArithmeticOp::Sub) && times(lt) && times(rt);
        if !numbers && !sum && !(spans && (lt.is_numeric() || rt.is_numeric() || lt == rt)) {
            return Err(Refusal::new(
                codes::SQL_FUNCTION,
                span,
                format!("no SQL form for this operation on `{lt}` and `{rt}`"),
            ));
        }
        match a.op {
            ArithmeticOp::Add => simple(BinaryOperator::Plus),
            ArithmeticOp::Sub => simple(BinaryOperator::Minus),
            ArithmeticOp::Mul if !spans => simple(BinaryOperator::Multiply),
            ArithmeticOp::Mul if lt.is_integer() || rt.is_integer() => simple(BinaryOperator::Multiply),
            ArithmeticOp::Div if ty.is_integer() => simple(BinaryOperator::DuckIntegerDivide),
            ArithmeticOp::Div if !spans => simple(BinaryOperator::Divide),
            ArithmeticOp::Div if lt == rt => {
                Ok(binary(call("epoch", vec![left]), BinaryOperator::Divide, call("epoch", vec![right])))
            }
            ArithmeticOp::Mod if !spans => {
                // Kusto's remainder is never negative; SQL's has the sign of the dividend.
                let size = match &a.right.kind {
                    ExprKind::Literal(Value::Int(1..) | Value::Long(1..)) => right.clone(),
                    _ => call("abs", vec![right.clone()]),
                };
                let once = binary(left, BinaryOperator::Modulo, right);
                Ok(binary(binary(once, BinaryOperator::Plus, size.clone()), BinaryOperator::Modulo, size))
            }
            ArithmeticOp::Mul | ArithmeticOp::Div | ArithmeticOp::Mod => Err(Refusal::new(
                codes::SQL_FUNCTION,
                span,
                format!("no SQL form for this operation on `{lt}` and `{rt}`"),
            )),
        }
    }

    /// Whether SQL may give NULL for it.
    pub(crate) fn nullable(&self, e: &IrExpr, scope: &Scope) -> bool {
        match &e.kind {
            ExprKind::Literal(v) => matches!(v, Value::Null(ty) if *ty != Type::String),
            ExprKind::Now => false,
            ExprKind::Let(id) => self.binding_expr(*id).is_none_or(|b| self.nullable(b, scope)),
            ExprKind::Case(branches, otherwise) => {
                branches.iter().any(|(_, v)| self.nullable(v, scope)) || self.nullable(otherwise, scope)
            }
            ExprKind::Arithmetic(a) => {
                matches!(a.op, ArithmeticOp::Div | ArithmeticOp::Mod)
                    || self.nullable(&a.left, scope)
                    || self.nullable(&a.right, scope)
            }
            ExprKind::Call(f, args) => self.call_nullable(f, args, scope),
            ExprKind::Cast(c) if c.to == Type::String => self.nullable(&c.expr, scope),
            ExprKind::Subquery(_) => e.ty != Type::String,
            ExprKind::IsNull(_) | ExprKind::IsEmpty(_) => false,
            ExprKind::Column(id) => !scope.is_present(*id),
            ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::Negate(_)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Opaque(_) => true,
        }
    }

    /// A string that is never NULL.
    pub(crate) fn non_null_string(&mut self, e: &IrExpr, scope: &Scope) -> Result<Expr> {
        let nullable = self.nullable(e, scope);
        let value = self.expr(e, scope)?;
        Ok(if nullable { coalesce(value, string("")) } else { value })
    }

    /// The items of a constant list, as SQL values of the subject's type.
    fn constant_items(&self, e: &IrExpr, ty: Type) -> Option<Vec<Expr>> {
        match &e.kind {
            ExprKind::Let(id) => self.constant_items(self.binding_expr(*id)?, ty),
            ExprKind::Cast(c) => self.constant_items(&c.expr, ty),
            ExprKind::Literal(Value::Dynamic(Json::Array(items))) => items
                .iter()
                .map(|item| {
                    let value = match (item, ty) {
                        (Json::Long(n), Type::Int | Type::Long | Type::Real | Type::Decimal) => {
                            Value::Long(*n)
                        }
                        (Json::Real(r), Type::Int | Type::Long | Type::Real | Type::Decimal) => {
                            Value::Real(*r)
                        }
                        (Json::Bool(b), Type::Bool) => Value::Bool(*b),
                        (Json::Datetime(t), Type::Datetime) => Value::Datetime(*t),
                        (Json::Timespan(t), Type::Timespan) => Value::Timespan(*t),
                        (Json::String(s), Type::Guid) => Value::Guid(s.to_lowercase().into()),
                        (Json::String(s), Type::String) => Value::String(s.clone()),
                        _ => return None,
                    };
                    Some(literal::literal(self.dialect(), &value))
                })
                .collect(),
            _ => None,
        }
    }

    /// The text of the whole event: `_raw`, all values of the event, one a line.
    fn event_text(&mut self, scope: &Scope, span: Span) -> Result<Expr> {
        let raw = scope.row().iter().find(|id| self.query.columns.name(**id) == "_raw");
        raw.and_then(|id| scope.get(*id)).cloned().ok_or_else(|| {
            Refusal::new(
                codes::SQL_OPEN_COLUMNS,
                span,
                "a search over the whole event stands after an operator that computes columns",
            )
        })
    }

    /// The columns of the row as text.
    fn row_texts(&mut self, scope: &Scope, span: Span) -> Result<Vec<Expr>> {
        let mut texts = Vec::new();
        for id in scope.row() {
            let Some(column) = scope.get(*id).cloned() else { continue };
            let ty = self.ty(*id);
            texts.push(if ty == Type::String || ty == Type::Guid {
                column
            } else {
                self.template("cast.string", &[ty], vec![column], span)?
            });
        }
        if texts.is_empty() {
            return Err(Refusal::new(codes::SQL_OPEN_COLUMNS, span, "the columns to search are not known"));
        }
        Ok(texts)
    }

    /// A query of one column: the first of `plan`, changed by `f`.
    fn value_query(
        &mut self,
        plan: &Plan,
        _scope: &Scope,
        f: &mut dyn FnMut(Expr) -> Expr,
    ) -> Result<ast::Query> {
        let mut query = self.subquery(plan)?;
        if plan.output.len() <= 1
            && let ast::SetExpr::Select(select) = &mut *query.body
            && let [item] = select.projection.as_mut_slice()
        {
            match item {
                ast::SelectItem::UnnamedExpr(e) => {
                    *item = ast::SelectItem::UnnamedExpr(f(e.clone()));
                    return Ok(query);
                }
                ast::SelectItem::ExprWithAlias { expr, .. } => {
                    *item = ast::SelectItem::UnnamedExpr(f(expr.clone()));
                    return Ok(query);
                }
                ast::SelectItem::ExprWithAliases { .. }
                | ast::SelectItem::QualifiedWildcard(..)
                | ast::SelectItem::Wildcard(_) => {}
            }
        }
        let Some(first) = plan.output.first() else {
            return Err(Refusal::new(codes::SQL_OPAQUE, plan.span, "the query gives no column"));
        };
        let value = f(crate::build::column(self.column_name(*first)));
        form::select_from(value, query)
            .ok_or_else(|| Refusal::new(codes::SQL_OPAQUE, plan.span, "the query has no form as a value"))
    }

    pub(super) fn refuse_glob(&self, span: Span) -> Refusal {
        Refusal::new(codes::SQL_PATTERN, span, "a wildcard pattern stands where a plain text is expected")
    }
}

fn is_nonzero(value: &Value) -> bool {
    match value {
        Value::Int(n) => *n != 0,
        Value::Long(n) => *n != 0,
        Value::Real(x) => *x != 0.0,
        _ => false,
    }
}

/// `isempty(x)` under a negation: NULL must be true, and NULL itself is as good as true.
fn is_empty_under_not(value: Expr) -> Expr {
    binary(value, BinaryOperator::Eq, string(""))
}

/// The first row of a query that may have several: SQL takes more than one for an error.
fn first_row(plan: &Plan, mut query: ast::Query) -> ast::Query {
    if query.limit_clause.is_none() && !has_one_row(plan) {
        query.limit_clause = Some(ast::LimitClause::LimitOffset {
            limit: Some(crate::build::number(1)),
            offset: None,
            limit_by: Vec::new(),
        });
    }
    query
}

/// Whether a plan gives one row whatever it reads.
fn has_one_row(plan: &Plan) -> bool {
    match &*plan.op {
        Op::Aggregate(a) => a.keys.is_empty(),
        Op::Values(v) => v.rows.len() == 1,
        Op::Extend { input, .. } | Op::Project { input, .. } | Op::Select { input, .. } => has_one_row(input),
        _ => false,
    }
}

/// Every atom inside is false, never null, where a value is missing: the negation is true wherever the test is not.
fn two_valued(e: &IrExpr) -> bool {
    match &e.kind {
        ExprKind::And(es) | ExprKind::Or(es) => es.iter().all(two_valued),
        ExprKind::Not(inner) => two_valued(inner),
        ExprKind::Match(m) => matches!(m.missing, Missing::Empty | Missing::False),
        ExprKind::Compare(c) => matches!(c.missing, Missing::False),
        ExprKind::In(i) => matches!(i.missing, Missing::False | Missing::Distinct),
        ExprKind::IsNull(_) | ExprKind::IsEmpty(_) => true,
        ExprKind::InQuery(_) => true,
        ExprKind::Literal(v) => matches!(v, Value::Bool(_)),
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
        | ExprKind::Case(..)
        | ExprKind::Subquery(_)
        | ExprKind::Opaque(_) => false,
    }
}
