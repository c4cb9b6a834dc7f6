//! Types that SQL brings together by itself, and types that only the use of a column tells.

use super::nulls::{Nulls, is_null};
use super::{Lifter, Val, literal};
use ruleferry_diag::Span;
use ruleferry_ir::{Expr, Type, Value};

impl Lifter<'_> {
    /// The condition under which SQL has NULL: `Ok(None)` never, `Err` not known (in this pass).
    pub(super) fn cond(&self, val: &Val) -> Result<Option<Expr>, ()> {
        let found = val.nulls.condition(&val.e);
        if let (Err(()), Some(key)) = (&found, val.nulls.pending)
            && !self.dirty.get()
        {
            self.wanted.borrow_mut().insert(key);
            self.dirty.set(true);
        }
        found
    }

    /// Takes a column of a table without a schema for this type, if nothing told its type yet.
    pub(super) fn settle(&mut self, val: &mut Val, ty: Type) -> bool {
        let Some(id) = val.e.as_column() else { return false };
        if ty == Type::String || ty == Type::Unknown {
            return false;
        }
        let Some((table, name)) = self.guessed.remove(&id) else { return false };
        if let Some(columns) = self.learned.get_mut(&table)
            && let Some((_, known)) = columns.iter_mut().find(|(n, _)| *n == name)
        {
            *known = Some(ty);
        }
        if let Some(column) = self.columns.get_mut(id) {
            column.ty = ty;
        }
        val.e.ty = ty;
        val.nulls = Nulls::EXACT;
        self.dirty.set(true);
        true
    }

    /// Two values that are compared, in the types that the engine brings them to.
    pub(super) fn agree(&mut self, left: &mut Val, right: &mut Val) {
        if super::test::comparable(left.e.ty, right.e.ty) {
            return;
        }
        let (l, r) = (left.e.ty, right.e.ty);
        if l == Type::String && self.settle(left, r) || r == Type::String && self.settle(right, l) {
            return;
        }
        let _ = self.constant_of(left, right.e.ty)
            || self.constant_of(right, left.e.ty)
            || self.brought(left, right)
            || self.brought(right, left);
    }

    /// A constant text is of the type of the other side.
    fn constant_of(&self, one: &mut Val, ty: Type) -> bool {
        let Some(text) = one.e.as_literal().and_then(Value::as_str) else { return false };
        let value = match ty {
            Type::Datetime => literal::timestamp(text).map(Value::Datetime),
            Type::Timespan => literal::spelled(text).map(Value::Timespan),
            Type::Int | Type::Long => text.trim().parse().ok().map(Value::Long),
            Type::Real => text.trim().parse().ok().filter(|x: &f64| x.is_finite()).map(Value::Real),
            Type::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "t" => Some(Value::Bool(true)),
                "false" | "f" => Some(Value::Bool(false)),
                _ => None,
            },
            Type::Decimal | Type::String | Type::Guid | Type::Dynamic | Type::Unknown => None,
        };
        let Some(value) = value else { return false };
        let span = one.e.span;
        *one = Val::present(Expr::literal(value, span));
        true
    }

    /// A text beside a number, a truth value beside a number.
    fn brought(&mut self, one: &mut Val, other: &mut Val) -> bool {
        match (one.e.ty, other.e.ty) {
            (Type::String, Type::Int | Type::Long) if self.traits.number_as_text => {
                // The text that the number has.
                *other = self.cast_to_text(other.clone());
                true
            }
            (Type::String, b) if b.is_numeric() => {
                self.assume("texts that are compared with numbers are written as plain numbers");
                let to = if b.is_integer() { Type::Long } else { Type::Real };
                *one = Val::exact(one.e.clone().cast(to, true));
                true
            }
            (Type::Bool, Type::Int | Type::Long) => {
                *one = Val { e: one.e.clone().cast(Type::Long, true), nulls: one.nulls.clone() };
                true
            }
            _ => false,
        }
    }

    /// A value as its text, which is NULL where the value is.
    pub(super) fn cast_to_text(&mut self, val: Val) -> Val {
        let span = val.e.span;
        let text = match val.e.as_literal() {
            Some(Value::Long(n)) => Some(n.to_string()),
            Some(Value::Int(n)) => Some(n.to_string()),
            Some(Value::Bool(b)) => Some(b.to_string()),
            _ => None,
        };
        if let Some(text) = text {
            return literal::text_literal(&text);
        }
        let null = val.nulls.sql.then(|| is_null(val.e.clone()));
        let mut e = val.e.cast(Type::String, false);
        e.span = span;
        Val::new(e, Nulls { never_empty: true, ..Nulls::when(null) })
    }

    /// The condition that a value is there, never null itself.
    pub(super) fn is_there(&self, val: &Val) -> Result<Option<Expr>, ()> {
        Ok(self.cond(val)?.map(|null| null.negated(Span::default())))
    }
}
