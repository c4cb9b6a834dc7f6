//! What is known of NULL in a value.
//!
//! In SQL a text is NULL, `''` or something else; in the IR null, `""` or something else, and most operators there take null for `""`.
//! A value that is not text has null in the IR exactly where SQL has NULL.

use ruleferry_diag::Span;
use ruleferry_ir::{ColId, Compare, CompareOp, Expr, ExprKind, Missing, Type, Value};

#[derive(Clone, Debug)]
pub(crate) struct Nulls {
    /// SQL may have NULL.
    pub sql: bool,
    /// SQL has NULL in exactly the rows where the IR has null. Without, the IR may have null or `""` for SQL's `''` or NULL.
    pub exact: bool,
    /// Where not exact: the condition of NULL, if it is known. Never null itself.
    pub when: Option<Box<Expr>>,
    /// Never `''` (it may be NULL).
    pub never_empty: bool,
    /// Where not exact: a column that is true in the rows in which SQL has a value.
    pub known: Option<ColId>,
    /// Where not exact: such a column can be had, under this key.
    pub pending: Option<usize>,
}

impl Nulls {
    pub const EXACT: Self =
        Self { sql: true, exact: true, when: None, never_empty: false, known: None, pending: None };
    pub const PRESENT: Self = Self { sql: false, ..Self::EXACT };
    /// `coalesce(x, '')`: never NULL; where the IR has null, SQL has `''`.
    pub const FILLED: Self = Self { sql: false, exact: false, ..Self::EXACT };
    /// NULL or `''` wherever the IR has null or `""`: which is not known.
    pub const OPEN: Self = Self { exact: false, ..Self::EXACT };

    pub fn when(condition: Option<Expr>) -> Self {
        match condition {
            Some(c) => Self { when: Some(Box::new(c)), ..Self::OPEN },
            None => Self::PRESENT,
        }
    }

    /// Of a value that is one of several.
    pub fn or(&self, other: &Self) -> Self {
        Self {
            sql: self.sql || other.sql,
            exact: self.exact && other.exact,
            never_empty: self.never_empty && other.never_empty,
            ..Self::EXACT
        }
    }

    /// As a column: what was known by a condition over other columns is known no more.
    pub fn as_column(&self) -> Self {
        Self { when: None, ..self.clone() }
    }

    /// Beside rows of an outer join that have no partner.
    pub fn padded(&self) -> Self {
        // The column that says so is null in such a row.
        Self { sql: true, when: None, ..self.clone() }
    }

    /// The condition under which SQL has NULL: `Ok(None)` never, `Err` not known.
    pub(super) fn condition(&self, value: &Expr) -> Result<Option<Expr>, ()> {
        if let (true, false, None, Some(known)) = (self.sql, self.exact, &self.when, self.known) {
            return Ok(Some(is_true(known).negated(Span::default())));
        }
        match (self.sql, self.exact, &self.when) {
            (false, _, _) => Ok(None),
            (true, true, _) => Ok(Some(is_null(value.clone()))),
            (true, false, Some(when)) => Ok(Some((**when).clone())),
            // What is never '' and yet empty is NULL.
            (true, false, None) if self.never_empty => Ok(Some(is_empty(value.clone()))),
            (true, false, None) => Err(()),
        }
    }
}

/// Whether a column is true; not null itself.
pub(super) fn is_true(id: ColId) -> Expr {
    let compare = Compare {
        op: CompareOp::Eq,
        left: Expr::column(id, Type::Bool, Span::default()),
        right: Expr::bool(true, Span::default()),
        missing: Missing::False,
    };
    Expr::new(ExprKind::Compare(Box::new(compare)), Type::Bool, Span::default())
}

pub(super) fn is_null(value: Expr) -> Expr {
    let span = value.span;
    Expr::new(ExprKind::IsNull(Box::new(value)), Type::Bool, span)
}

pub(super) fn is_empty(value: Expr) -> Expr {
    let span = value.span;
    Expr::new(ExprKind::IsEmpty(Box::new(value)), Type::Bool, span)
}

/// A text, but `""` where a condition holds: so a missing one is in the IR.
pub(super) fn blank_where(condition: Expr, value: Expr) -> Expr {
    let blank = Expr::string("", Span::default());
    let span = value.span;
    Expr::new(ExprKind::Case(vec![(condition, blank)], Box::new(value)), Type::String, span)
}

/// `value`, but null where a condition holds.
pub(super) fn null_where(condition: Expr, value: Expr) -> Expr {
    let ty = value.ty;
    let null = Expr::literal(Value::Null(ty), Span::default());
    Expr::new(ExprKind::Case(vec![(condition, null)], Box::new(value)), ty, Span::default())
}
