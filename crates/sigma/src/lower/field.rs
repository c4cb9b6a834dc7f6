//! What the columns of a plan are called in the events.

use ruleferry_ir::{ColId, Expr, ExprKind, Type, Value};
use rustc_hash::FxHashMap;

/// Where a column comes from.
#[derive(Clone, Copy)]
enum Origin<'q> {
    /// A field of the event.
    Field(&'q str),
    /// Another column under a new id.
    Column(ColId),
    Computed(&'q Expr),
}

#[derive(Default)]
pub(super) struct Fields<'q>(FxHashMap<ColId, Origin<'q>>);

/// Longer chains of columns and members are no names that a person wrote.
const MAX_STEPS: u32 = 64;

impl<'q> Fields<'q> {
    pub(super) fn named(&mut self, id: ColId, name: &'q str) {
        self.0.insert(id, Origin::Field(name));
    }

    pub(super) fn same(&mut self, id: ColId, of: ColId) {
        if id != of {
            self.0.insert(id, Origin::Column(of));
        }
    }

    pub(super) fn computed(&mut self, id: ColId, e: &'q Expr) {
        if e.as_column() != Some(id) {
            self.0.insert(id, Origin::Computed(e));
        }
    }

    pub(super) fn of_column(&self, id: ColId) -> Option<String> {
        self.column(id, MAX_STEPS)
    }

    /// What a column was computed by, through any number of columns.
    pub(super) fn behind(&self, e: &'q Expr) -> &'q Expr {
        let mut e = e;
        let mut steps = MAX_STEPS;
        while let ExprKind::Column(mut id) = e.kind
            && steps > 0
        {
            steps -= 1;
            while let Some(Origin::Column(of)) = self.0.get(&id)
                && steps > 0
            {
                id = *of;
                steps -= 1;
            }
            match self.0.get(&id) {
                Some(Origin::Computed(inner)) => e = inner,
                Some(Origin::Field(_) | Origin::Column(_)) | None => break,
            }
        }
        e
    }

    /// The field of the event that an expression reads, if it does no more than that.
    pub(super) fn name(&self, e: &Expr) -> Option<String> {
        // A `|` would begin a modifier.
        self.path(e, MAX_STEPS).filter(|name| !name.is_empty() && !name.contains('|'))
    }

    fn column(&self, id: ColId, steps: u32) -> Option<String> {
        let steps = steps.checked_sub(1)?;
        match self.0.get(&id)? {
            Origin::Field(name) => Some((*name).to_owned()),
            Origin::Column(of) => self.column(*of, steps),
            Origin::Computed(e) => self.path(e, steps),
        }
    }

    fn path(&self, e: &Expr, steps: u32) -> Option<String> {
        let steps = steps.checked_sub(1)?;
        match &e.kind {
            ExprKind::Column(id) => self.column(*id, steps),
            ExprKind::Member(base, name) => Some(format!("{}.{name}", self.path(base, steps)?)),
            ExprKind::Index(base, index) => {
                let base = self.path(base, steps)?;
                match index.as_literal()? {
                    Value::String(name) => Some(format!("{base}.{name}")),
                    Value::Long(n) => Some(format!("{base}[{n}]")),
                    Value::Int(n) => Some(format!("{base}[{n}]")),
                    Value::Null(_)
                    | Value::Bool(_)
                    | Value::Real(_)
                    | Value::Decimal(_)
                    | Value::Datetime(_)
                    | Value::Timespan(_)
                    | Value::Guid(_)
                    | Value::Dynamic(_) => None,
                }
            }
            ExprKind::Cast(cast) => {
                let plain = cast.implicit || keeps_text(cast.expr.ty, cast.to);
                if plain { self.path(&cast.expr, steps) } else { None }
            }
            // The members of a text that holds JSON are fields like any other.
            ExprKind::Call(f, args) if matches!(f.name, "parse_json" | "todynamic") => {
                match args.as_slice() {
                    [text] => self.path(text, steps),
                    _ => None,
                }
            }
            ExprKind::Literal(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => None,
        }
    }
}

/// Whether a conversion leaves what a person reads in the event.
const fn keeps_text(from: Type, to: Type) -> bool {
    match to {
        Type::String => !matches!(from, Type::Datetime | Type::Timespan),
        Type::Dynamic => true,
        Type::Int | Type::Long | Type::Real | Type::Decimal => {
            matches!(from, Type::Int | Type::Long | Type::Real | Type::Decimal | Type::Dynamic)
        }
        Type::Bool => matches!(from, Type::Bool | Type::Dynamic),
        Type::Guid => matches!(from, Type::Guid | Type::Dynamic),
        Type::Datetime | Type::Timespan | Type::Unknown => false,
    }
}
