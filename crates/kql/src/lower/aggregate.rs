//! Aggregates: `summarize` and `make-series`.

use super::{Lowerer, build};
use crate::syntax::tree::{
    ColumnNames, Expr, ExprKind, MakeSeries, NamedExpr, OperatorKind, Series, SeriesRange, Summarize,
};
use ruleferry_diag::codes;
use ruleferry_ir::{self as ir, Aggregate, AggregateCall, AggregateItem, ColId, ExprKind as Ir, Item};

impl Lowerer<'_> {
    pub(super) fn summarize(&mut self, a: &Aggregate) -> OperatorKind {
        let aggregates = a.aggregates.iter().map(|i| self.aggregate_item(i)).collect();
        let by = a.keys.iter().map(|k| self.item(k)).collect();
        OperatorKind::Summarize(Box::new(Summarize { params: Vec::new(), aggregates, by, bin: None }))
    }

    pub(super) fn make_series(&mut self, m: &ir::MakeSeries) -> OperatorKind {
        let mut series = Vec::with_capacity(m.aggregates.len());
        for item in &m.aggregates {
            let value = self.aggregate_item(&item.aggregate);
            let default = item.default.as_ref().map(|d| self.value(d));
            series.push(Series { value, default });
        }
        let axis = self.value(&m.axis);
        let on = self.assigned(m.axis_out, &m.axis, axis);
        let step = self.value(&m.step);
        let from = m.from.as_ref().map(|e| self.value(e));
        let to = m.to.as_ref().map(|e| self.value(e));
        let range = match (m.in_range, from, to) {
            (true, Some(from), Some(to)) => SeriesRange::InRange(vec![from, to, step]),
            (_, from, to) => SeriesRange::FromToStep { from, to, step },
        };
        let by = m.keys.iter().map(|k| self.item(k)).collect();
        let params = if m.nonempty { vec![build::word("kind", "nonempty")] } else { Vec::new() };
        OperatorKind::MakeSeries(Box::new(MakeSeries { params, series, on, range, by }))
    }

    /// An aggregate with its name, where Kusto would not make the same one.
    pub(super) fn aggregate_item(&mut self, item: &AggregateItem) -> NamedExpr {
        let value = self.aggregate(&item.call);
        let generated = match &item.call {
            AggregateCall::Function(f, args) => {
                let own = item.ids.first().map(|id| self.column_name(*id)).unwrap_or_default();
                let subject = args.first().and_then(ir::Expr::as_column).map(|id| self.column_name(id));
                !item.named
                    && (own.strip_suffix('_') == Some(f.name)
                        || subject.is_some_and(|s| ends_with_column(own, s)))
            }
            AggregateCall::ArgExtreme { max: _, by, returned, star } => {
                let by = std::iter::once(by);
                self.names_are_plain(&item.ids, by.chain(returned), *star)
            }
            AggregateCall::TakeAny { returned, star, condition: _ } => {
                self.names_are_plain(&item.ids, returned.iter(), *star)
            }
            AggregateCall::Composed { .. } => false,
        };
        if generated {
            return build::unnamed(value);
        }
        if stars(&item.call) {
            // Kusto names the columns behind `*` by itself, as the source's did; only the first can be named.
            return match (&item.call, item.ids.first()) {
                (AggregateCall::ArgExtreme { by, .. }, Some(id)) => self.assigned(*id, by, value),
                _ => build::unnamed(value),
            };
        }
        let names: Vec<_> = item.ids.iter().map(|id| build::name(self.column_name(*id))).collect();
        let names = match names.as_slice() {
            [one] => ColumnNames::One(one.clone()),
            _ => ColumnNames::Many(names),
        };
        NamedExpr { names, value }
    }

    /// Whether the columns have the names of those they are taken from, as Kusto names them by itself.
    fn names_are_plain<'e>(
        &self,
        ids: &[ColId],
        from: impl Iterator<Item = &'e ir::Expr>,
        star: bool,
    ) -> bool {
        let mut from = from.map(|e| e.as_column().map(|id| self.column_name(id)));
        let listed = ids.iter().zip(from.by_ref()).all(|(id, name)| name == Some(self.column_name(*id)));
        listed && (star || from.next().is_none())
    }

    fn aggregate(&mut self, call: &AggregateCall) -> Expr {
        match call {
            AggregateCall::Function(f, args) => {
                let args = args.iter().map(|a| self.value(a)).collect();
                build::call(f.name, args)
            }
            AggregateCall::ArgExtreme { max, by, returned, star } => {
                let mut args = vec![self.value(by)];
                args.extend(self.returned(returned, *star));
                build::call(if *max { "arg_max" } else { "arg_min" }, args)
            }
            AggregateCall::TakeAny { returned, star, condition } => {
                let mut args = self.returned(returned, *star);
                let Some(condition) = condition else { return build::call("take_any", args) };
                args.push(self.value(condition));
                build::call("take_anyif", args)
            }
            AggregateCall::Composed { parts, expr } => {
                for part in parts {
                    let [id] = part.ids.as_slice() else {
                        let message =
                            "an aggregate that makes several columns stands inside of an expression";
                        return self.refuse(codes::KQL_OUT_COLUMNS, expr.span, message);
                    };
                    let value = self.aggregate(&part.call);
                    self.parts.insert(*id, value);
                }
                self.value(expr)
            }
        }
    }

    fn returned(&mut self, returned: &[ir::Expr], star: bool) -> Vec<Expr> {
        if star {
            return vec![build::expr(ExprKind::Star)];
        }
        returned.iter().map(|e| self.value(e)).collect()
    }

    /// A computed column: without a name where it keeps the name it would get anyway.
    pub(super) fn item(&mut self, item: &Item) -> NamedExpr {
        let value = self.value(&item.expr);
        match item.ids.as_slice() {
            [id] => self.assigned(*id, &item.expr, value),
            ids => {
                let names = ids.iter().map(|id| build::name(self.column_name(*id))).collect();
                NamedExpr { names: ColumnNames::Many(names), value }
            }
        }
    }

    pub(super) fn assigned(&self, id: ColId, e: &ir::Expr, value: Expr) -> NamedExpr {
        let name = self.column_name(id);
        // A conversion that Kusto makes by itself leaves the name of the column.
        let source = match (&e.kind, &value.kind) {
            // `bin(x, 1h)` is named `x`.
            (Ir::Call(f, args), _) if f.name == "bin" => {
                args.first().and_then(ir::Expr::as_column).map(|id| self.column_name(id))
            }
            (Ir::Column(id), ExprKind::Call(_)) => Some(self.column_name(*id)),
            (_, ExprKind::Name(own)) => Some(own.as_str()),
            _ => None,
        };
        if source == Some(name) { build::unnamed(value) } else { build::assign(name, value) }
    }
}

const fn stars(call: &AggregateCall) -> bool {
    match call {
        AggregateCall::ArgExtreme { star, .. } | AggregateCall::TakeAny { star, .. } => *star,
        AggregateCall::Function(..) | AggregateCall::Composed { .. } => false,
    }
}

/// `max_Size` for the column `Size`.
fn ends_with_column(name: &str, column: &str) -> bool {
    name.strip_suffix(column).is_some_and(|prefix| prefix.ends_with('_'))
}
