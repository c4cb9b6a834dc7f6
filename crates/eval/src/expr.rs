//! Scalar expressions.
//!
//! In: an expression and the row that it is about. Out: a value. Tests have three answers: true, false, and null, which a
//! filter drops.

use crate::cast::cast;
use crate::compare::{Key, compare};
use crate::fault::{Fault, Result};
use crate::functions::{self, Call};
use crate::plan::Evaluator;
use crate::rows::Slots;
use crate::window::Windows;
use crate::{ChoiceKind, Value, matching, number, outside};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::functions::{Flags, FunctionDef, ResultName};
use ruleferry_ir::{
    Between, BindingId, BindingValue, Compare, CompareOp, Expr, ExprKind, InList, InQuery, InValues, Item,
    Json, Missing, Plan, Type,
};
use smol_str::SmolStr;
use std::cmp::Ordering;

/// Functions that answer differently each time.
pub(crate) const VOLATILE: [&str; 2] = ["rand", "new_guid"];

/// The row that an expression is about.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    pub slots: &'s Slots,
    pub row: &'s [Value],
    /// Results of functions that look at other rows, with the number of this row.
    pub windows: Option<(&'s Windows, usize)>,
}

impl<'s> Scope<'s> {
    pub const fn new(slots: &'s Slots, row: &'s [Value]) -> Self {
        Self { slots, row, windows: None }
    }
}

impl Evaluator<'_> {
    /// An expression that is about no row.
    pub(crate) fn constant(&self, e: &Expr) -> Result<Value> {
        self.expr(e, &Scope::new(&Slots::default(), &[]))
    }

    /// Whether a test keeps a row: null drops it as false does.
    pub(crate) fn holds(&self, e: &Expr, scope: &Scope<'_>) -> Result<bool> {
        Ok(self.expr(e, scope)?.as_bool() == Some(true))
    }

    pub(crate) fn expr(&self, e: &Expr, scope: &Scope<'_>) -> Result<Value> {
        match &e.kind {
            ExprKind::Literal(value) => Ok(Value::of_ir(value)),
            ExprKind::Column(id) => {
                let place = scope.slots.get(*id).and_then(|i| scope.row.get(i));
                place.cloned().ok_or_else(|| {
                    let name = self.query().columns.name(*id);
                    Fault::new(
                        codes::EVAL_UNSUPPORTED,
                        e.span,
                        format!("`{name}` is not a column of the rows here"),
                    )
                })
            }
            ExprKind::Let(id) => self.let_value(*id, e.span),
            ExprKind::Now => Ok(Value::Datetime(self.options().now)),
            ExprKind::And(operands) => self.all(operands, scope),
            ExprKind::Or(operands) => self.any(operands, scope),
            ExprKind::Not(inner) => Ok(match self.expr(inner, scope)?.as_bool() {
                Some(b) => Value::Bool(!b),
                None => Value::Null,
            }),
            ExprKind::Compare(c) => self.compare(c, scope),
            ExprKind::Match(m) => matching::test(self, m, e.span, scope),
            ExprKind::In(list) => self.in_list(list, scope),
            ExprKind::InQuery(query) => self.in_query(query, scope),
            ExprKind::Between(b) => self.between(b, scope),
            ExprKind::IsNull(inner) => Ok(Value::Bool(self.expr(inner, scope)?.is_null())),
            ExprKind::IsEmpty(inner) => {
                let value = self.expr(inner, scope)?;
                Ok(Value::Bool(value.is_null() || value.text() == Some("")))
            }
            ExprKind::Arithmetic(a) => {
                let (left, right) = (self.expr(&a.left, scope)?, self.expr(&a.right, scope)?);
                Ok(number::arithmetic(a.op, &left, &right, e.ty))
            }
            ExprKind::Negate(inner) => Ok(number::negate(&self.expr(inner, scope)?)),
            ExprKind::Call(function, args) => {
                let value = self.call(function, args, e, scope)?;
                Ok(if makes_columns(function) { first_column(&value, e.ty) } else { value })
            }
            ExprKind::Cast(c) => Ok(cast(&self.expr(&c.expr, scope)?, c.to)),
            ExprKind::Member(base, name) => Ok(member(&self.expr(base, scope)?, name)),
            ExprKind::Index(base, index) => {
                let base = match &base.kind {
                    // `array_sort_asc(a, b)[1]` is the second column.
                    ExprKind::Call(function, args) if columns_of(function, args) > 1 => {
                        self.call(function, args, base, scope)?
                    }
                    _ => self.expr(base, scope)?,
                };
                Ok(element(&base, &self.expr(index, scope)?))
            }
            ExprKind::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    if self.holds(condition, scope)? {
                        return self.expr(value, scope);
                    }
                }
                self.expr(otherwise, scope)
            }
            ExprKind::Subquery(plan) => self.first_value(plan, e.ty),
            ExprKind::Opaque(o) => {
                Err(Fault::new(codes::EVAL_UNSUPPORTED, e.span, format!("cannot run this: {}", o.reason)))
            }
        }
    }

    /// False if one is false, else null if one is null.
    fn all(&self, operands: &[Expr], scope: &Scope<'_>) -> Result<Value> {
        let mut answer = Value::TRUE;
        for e in operands {
            match self.expr(e, scope)?.as_bool() {
                Some(false) => return Ok(Value::FALSE),
                Some(true) => {}
                None => answer = Value::Null,
            }
        }
        Ok(answer)
    }

    /// True if one is true, else null if one is null.
    fn any(&self, operands: &[Expr], scope: &Scope<'_>) -> Result<Value> {
        let mut answer = Value::FALSE;
        for e in operands {
            match self.expr(e, scope)?.as_bool() {
                Some(true) => return Ok(Value::TRUE),
                Some(false) => {}
                None => answer = Value::Null,
            }
        }
        Ok(answer)
    }

    fn compare(&self, c: &Compare, scope: &Scope<'_>) -> Result<Value> {
        let (mut left, mut right) = (self.expr(&c.left, scope)?, self.expr(&c.right, scope)?);
        let text = c.left.ty == Type::String || c.right.ty == Type::String;
        if text && matches!(c.missing, Missing::Empty | Missing::Distinct) {
            left = filled(left);
            right = filled(right);
        }
        match (left.is_null(), right.is_null()) {
            (false, false) => {}
            (a, b) => return Ok(missing(c.op, a && b, c.missing)),
        }
        Ok(Value::Bool(c.op.holds(compare(&left, &right))))
    }

    fn between(&self, b: &Between, scope: &Scope<'_>) -> Result<Value> {
        let subject = self.expr(&b.subject, scope)?;
        let (low, high) = (self.expr(&b.low, scope)?, self.expr(&b.high, scope)?);
        let at_least = (!subject.is_null() && !low.is_null())
            .then(|| matches!(compare(&subject, &low), Some(Ordering::Greater | Ordering::Equal)));
        let at_most = (!subject.is_null() && !high.is_null())
            .then(|| matches!(compare(&subject, &high), Some(Ordering::Less | Ordering::Equal)));
        Ok(match (at_least, at_most) {
            (Some(false), _) | (_, Some(false)) => Value::FALSE,
            (Some(true), Some(true)) => Value::TRUE,
            _ => Value::Null,
        })
    }

    fn in_list(&self, list: &InList, scope: &Scope<'_>) -> Result<Value> {
        let subject = self.expr(&list.subject, scope)?;
        if subject.is_null() {
            return Ok(if list.missing == Missing::Null { Value::Null } else { Value::FALSE });
        }
        match &list.values {
            InValues::List(values) => {
                for e in values {
                    if compare(&subject, &self.expr(e, scope)?) == Some(Ordering::Equal) {
                        return Ok(Value::TRUE);
                    }
                }
                Ok(Value::FALSE)
            }
            InValues::Dynamic(e) => {
                let values = self.expr(e, scope)?;
                let found = match values.as_array() {
                    Some(items) => items.iter().any(|item| equals_json(&subject, item, list.subject.ty)),
                    None => values.as_json().is_some_and(|v| equals_json(&subject, v, list.subject.ty)),
                };
                Ok(Value::Bool(found))
            }
        }
    }

    fn in_query(&self, query: &InQuery, scope: &Scope<'_>) -> Result<Value> {
        let ty = query.subject.ty;
        let mut subject = self.expr(&query.subject, scope)?;
        if ty == Type::String && matches!(query.missing, Missing::Empty | Missing::Distinct) {
            subject = filled(subject);
        }
        if subject.is_null() {
            return Ok(if query.missing == Missing::Null { Value::Null } else { Value::FALSE });
        }
        let fold = query.case == ruleferry_ir::Case::Insensitive && ty == Type::String;
        let keys = self.key_set(&query.plan, ty, fold)?;
        let key = if fold {
            Key::String(matching::fold(subject.text().unwrap_or_default()).into())
        } else {
            Key::new(&subject, ty)
        };
        Ok(Value::Bool(keys.contains(&key)))
    }

    /// First row, first column of a query.
    fn first_value(&self, plan: &Plan, ty: Type) -> Result<Value> {
        let rows = self.query_rows(plan)?;
        let value = rows.rows.first().and_then(|r| r.first()).cloned().unwrap_or(Value::Null);
        if ty == Type::String { Ok(filled(value)) } else { Ok(value) }
    }

    fn let_value(&self, id: BindingId, span: Span) -> Result<Value> {
        if let Some(value) = self.known_let(id) {
            return Ok(value);
        }
        let Some(binding) = self.query().bindings.get(id.0 as usize) else {
            return Err(Fault::new(codes::EVAL_UNSUPPORTED, span, "an unknown name"));
        };
        let BindingValue::Scalar(e) = &binding.value else {
            return Err(Fault::new(
                codes::EVAL_UNSUPPORTED,
                span,
                "a table stands where a value is expected",
            ));
        };
        let value = self.constant(e)?;
        self.keep_let(id, value.clone());
        Ok(value)
    }

    fn call(
        &self,
        function: &'static FunctionDef,
        args: &[Expr],
        e: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Value> {
        if function.has(Flags::WINDOW) {
            let known = scope.windows.and_then(|(windows, row)| windows.get(e, row));
            return known.ok_or_else(|| {
                Fault::new(
                    codes::EVAL_UNSUPPORTED,
                    e.span,
                    format!("`{}` cannot be run in this place", function.name),
                )
            });
        }
        if function.has(Flags::VOLATILE) {
            self.chooser().note(ChoiceKind::Random, e.span);
            return self.volatile(function.name, args, e.span, scope);
        }
        let mut values = Vec::with_capacity(args.len());
        for a in args {
            values.push(self.expr(a, scope)?);
        }
        if outside::input_of(function.name).is_some() {
            return outside::call(self, function.name, &values, e.span);
        }
        let Some(f) = functions::find(function.name) else {
            let message = format!("the evaluator has no function `{}`", function.name);
            return Err(Fault::new(codes::EVAL_UNSUPPORTED, e.span, message));
        };
        let call = Call { name: function.name, ty: e.ty, args, span: e.span, regexes: self.regexes() };
        f(&call, &values).map_err(|fault| fault.at(e.span))
    }

    /// The value of an item; of a function that makes several columns all of them, as an array.
    pub(crate) fn item(&self, item: &Item, scope: &Scope<'_>) -> Result<Value> {
        match &item.expr.kind {
            ExprKind::Call(function, args) if item.ids.len() > 1 => {
                self.call(function, args, &item.expr, scope)
            }
            _ => self.expr(&item.expr, scope),
        }
    }

    /// Functions that answer differently each time: here from the counter of the run, so that a run can be repeated.
    fn volatile(&self, name: &str, args: &[Expr], span: Span, scope: &Scope<'_>) -> Result<Value> {
        let mixed = self.next_random();
        match name {
            "rand" => {
                let unit = (mixed >> 11) as f64 / (1u64 << 53) as f64;
                let limit = match args.first() {
                    Some(e) => self.expr(e, scope)?.as_long().filter(|n| *n > 1),
                    None => None,
                };
                Ok(Value::Real(limit.map_or(unit, |n| (unit * n as f64).floor())))
            }
            "new_guid" => {
                let bits = u128::from(mixed) << 64 | u128::from(self.next_random());
                // Version 4, variant 1.
                Ok(Value::Guid(bits & !(0xF << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62))
            }
            _ => Err(Fault::new(
                codes::EVAL_UNSUPPORTED,
                span,
                format!("the evaluator has no function `{name}`"),
            )),
        }
    }
}

/// Whether a scalar function makes several columns (`series_stats`, `array_sort_asc`): its value is an array of them.
fn makes_columns(function: &FunctionDef) -> bool {
    matches!(function.result_name, ResultName::Columns | ResultName::Sorted)
}

fn columns_of(function: &FunctionDef, args: &[Expr]) -> usize {
    if !makes_columns(function) {
        return 1;
    }
    function.column_types(&args.iter().map(|a| a.ty).collect::<Vec<_>>()).len()
}

/// Where one value is wanted of such a function, it is that of its first column.
fn first_column(value: &Value, ty: Type) -> Value {
    let first = value.as_array().and_then(<[Json]>::first).map_or(Value::Null, Value::of_json);
    if first.is_null() || matches!(ty, Type::Dynamic | Type::Unknown) { first } else { cast(&first, ty) }
}

/// A missing string is the empty one.
pub(crate) fn filled(value: Value) -> Value {
    if value.is_null() { Value::EMPTY } else { value }
}

/// What a comparison gives where a side is null.
const fn missing(op: CompareOp, both: bool, rule: Missing) -> Value {
    match rule {
        Missing::False => Value::FALSE,
        Missing::Null | Missing::Empty => Value::Null,
        Missing::Distinct => match op {
            CompareOp::Eq if !both => Value::FALSE,
            CompareOp::Ne if !both => Value::TRUE,
            CompareOp::Eq | CompareOp::Ne | CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                Value::Null
            }
        },
    }
}

/// Whether a value equals an element of a dynamic array, which stands for the text that it has where the value is a string.
pub(crate) fn equals_json(value: &Value, item: &Json, ty: Type) -> bool {
    let item = Value::of_json(item);
    let item = if ty == Type::Dynamic || ty == Type::Unknown { item } else { cast(&item, ty) };
    compare(value, &item) == Some(Ordering::Equal)
}

/// `base.name`
pub(crate) fn member(base: &Value, name: &str) -> Value {
    match base.as_json() {
        Some(Json::Object(map)) => map.get(name).map_or(Value::Null, Value::of_json),
        Some(
            Json::Null
            | Json::Bool(_)
            | Json::Long(_)
            | Json::Real(_)
            | Json::String(_)
            | Json::Datetime(_)
            | Json::Timespan(_)
            | Json::Array(_),
        )
        | None => Value::Null,
    }
}

/// `base[index]`
pub(crate) fn element(base: &Value, index: &Value) -> Value {
    if let Some(n) = index.as_long().or_else(|| match index.as_json() {
        Some(Json::Long(n)) => Some(*n),
        _ => None,
    }) {
        let Some(items) = base.as_array() else { return Value::Null };
        let place = if n < 0 { n + i64::try_from(items.len()).unwrap_or(i64::MAX) } else { n };
        let item = usize::try_from(place).ok().and_then(|i| items.get(i));
        return item.map_or(Value::Null, Value::of_json);
    }
    match index.text() {
        Some(name) if !index.is_null() => member(base, name),
        _ => Value::Null,
    }
}

/// The text that the member of a row shows to a match over all columns.
pub(crate) fn shown(value: &Value) -> SmolStr {
    match cast(value, Type::String) {
        Value::String(s) => s,
        _ => SmolStr::default(),
    }
}
