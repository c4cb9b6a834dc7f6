//! `make-series`.

use super::{Outputs, param};
use crate::lift::Lifter;
use crate::lift::scope::{Env, Rel, Scope};
use crate::syntax::tree::{self, SeriesRange};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{ColId, Item, MakeSeries, Op, SeriesItem, Type};

impl<'t> Lifter<'t> {
    pub(super) fn make_series(
        &mut self,
        input: Rel,
        series: &'t tree::MakeSeries,
        span: Span,
        env: Env,
    ) -> Rel {
        let scope = Scope::over(env, &input);
        let bare = Scope::bare(env);
        let mut out = Outputs::default();
        let keys: Vec<Item> = series.by.iter().map(|k| self.projected(k, &scope, &mut out)).collect();
        let key_columns: Vec<ColId> = keys.iter().filter_map(|k| k.expr.as_column()).collect();
        let grouped = scope.with_keys(&key_columns);
        let mut aggregates = Vec::with_capacity(series.series.len());
        for one in &series.series {
            let aggregate = self.aggregate_item(&one.value, &grouped, &mut out);
            let element = aggregate.ids.first().map_or(Type::Unknown, |id| self.columns.ty(*id));
            let default = one.default.as_ref().map(|d| self.expr_as(d, element, &bare));
            for id in &aggregate.ids {
                // The output is an array of the aggregate's values.
                if let Some(column) = self.columns.get_mut(*id) {
                    column.ty = Type::Dynamic;
                }
            }
            aggregates.push(SeriesItem { aggregate, default });
        }
        let axis_value = self.value(&series.on.value, &scope);
        let name = Self::given_name(&series.on).cloned().or(axis_value.name);
        let axis_out = self.push_column(&mut out, name.as_deref(), Type::Dynamic, series.on.value.span.0);
        let axis = axis_value.expr;
        if axis.ty == Type::Unknown {
            self.hint(&axis, Type::Datetime);
        }
        let (from, to, step, in_range) = match &series.range {
            SeriesRange::FromToStep { from, to, step } => {
                let from = from.as_ref().map(|e| self.expr(e, &bare));
                let to = to.as_ref().map(|e| self.expr(e, &bare));
                (from, to, self.expr(step, &bare), false)
            }
            SeriesRange::InRange(bounds) => {
                let mut bounds = bounds.iter().map(|e| self.expr(e, &bare)).collect::<Vec<_>>().into_iter();
                let (from, to, step) = (bounds.next(), bounds.next(), bounds.next());
                let Some(step) = step else {
                    self.error(codes::WRONG_ARGUMENTS, span, "`in range` takes a start, an end and a step");
                    return self.nothing(span);
                };
                (from, to, step, true)
            }
        };
        let nonempty = param(&series.params, "kind").is_some_and(|p| self.param_text(p) == "nonempty");
        let make = |input| {
            Op::MakeSeries(MakeSeries {
                input,
                aggregates,
                axis,
                axis_out,
                from,
                to,
                step,
                in_range,
                keys,
                nonempty,
            })
        };
        input.then(make, out.ids, span).closed().unordered()
    }
}
