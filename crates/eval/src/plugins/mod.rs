//! What stands behind `evaluate`.
//!
//! In: the rows before it and the arguments of the call. Out: rows with the columns of the plan. `bag_unpack` and `pivot`
//! find columns in the data: those that the plan does not know come behind its own, and the evaluator knows their names.

mod activity;
mod lookup;
mod neighbours;
mod pivot;
mod unpack;

use crate::Value;
use crate::fault::{Fault, Result};
use crate::plan::Evaluator;
use crate::rows::{Rows, Slots};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{AggregateItem, ColId, Expr, Plan, Plugin, PluginArg, Type};

/// A plugin over the rows before it.
type PluginFn = fn(&Call<'_, '_>, Rows) -> Result<Rows>;

/// Sorted by name.
static TABLE: &[(&str, PluginFn)] = &[
    ("active_users_count", activity::active_users),
    ("activity_counts_metrics", activity::counts),
    ("bag_unpack", unpack::bag_unpack),
    ("dcount_intersect", neighbours::dcount_intersect),
    ("estimate_rows_count", neighbours::rows_count),
    ("identity", neighbours::identity),
    ("ipv4_lookup", lookup::ip_lookup),
    ("ipv6_lookup", lookup::ip_lookup),
    ("narrow", unpack::narrow),
    ("pivot", pivot::pivot),
    ("rolling_percentile", neighbours::rolling_percentile),
    ("rows_near", neighbours::rows_near),
    ("sliding_window_counts", activity::sliding_window),
];

fn find(name: &str) -> Option<PluginFn> {
    TABLE.binary_search_by(|(n, _)| (*n).cmp(name)).ok().and_then(|i| TABLE.get(i)).map(|(_, f)| *f)
}

pub(crate) fn is_implemented(name: &str) -> bool {
    find(name).is_some()
}

/// Runs a plugin. `input` is what it stands behind; its columns come out in the order of `plan.output`.
pub(crate) fn run(
    evaluator: &Evaluator<'_>,
    plan: &Plan,
    plugin: &Plugin,
    input: Option<Rows>,
) -> Result<Rows> {
    let name = plugin.function.name;
    let Some(f) = find(name) else {
        return Err(Fault::new(
            codes::EVAL_UNSUPPORTED,
            plan.span,
            format!("the evaluator has no plugin `{name}`"),
        ));
    };
    let input = input.unwrap_or_else(|| Rows { columns: [].into(), rows: Vec::new() });
    let rows = f(&Call { evaluator, plan, plugin }, input)?;
    evaluator.check_size(rows.rows.len(), plan.span)?;
    Ok(rows)
}

/// One call of a plugin.
struct Call<'c, 'q> {
    evaluator: &'c Evaluator<'q>,
    plan: &'c Plan,
    plugin: &'c Plugin,
}

impl<'c> Call<'c, '_> {
    fn name(&self) -> &'static str {
        self.plugin.function.name
    }

    fn span(&self) -> Span {
        self.plan.span
    }

    /// The argument at a place, if it is an expression.
    fn expr(&self, place: usize) -> Option<&'c Expr> {
        match self.plugin.args.get(place) {
            Some(PluginArg::Expr(e)) => Some(e),
            Some(PluginArg::Aggregate(_) | PluginArg::Table(_)) | None => None,
        }
    }

    /// The columns that arguments from a place on name.
    fn columns_from(&self, place: usize) -> Vec<ColId> {
        (place..self.plugin.args.len()).filter_map(|i| self.expr(i).and_then(Expr::as_column)).collect()
    }

    fn aggregate(&self) -> Option<&'c AggregateItem> {
        self.plugin.args.iter().find_map(|arg| match arg {
            PluginArg::Aggregate(item) => Some(item),
            PluginArg::Expr(_) | PluginArg::Table(_) => None,
        })
    }

    fn table(&self) -> Option<&'c Plan> {
        self.plugin.args.iter().find_map(|arg| match arg {
            PluginArg::Table(plan) => Some(plan),
            PluginArg::Expr(_) | PluginArg::Aggregate(_) => None,
        })
    }

    /// The value of an argument that is about no row; null where it is not given.
    fn constant(&self, place: usize) -> Result<Value> {
        self.expr(place).map_or(Ok(Value::Null), |e| self.evaluator.constant(e))
    }

    fn fault(&self, place: usize, message: &str) -> Fault {
        let span = self.expr(place).map_or(self.span(), |e| e.span);
        Fault::new(codes::EVAL_ARGUMENT, span, format!("{}: {message}", self.name()))
    }

    /// Where the column that an argument names is.
    fn place_of(&self, place: usize, slots: &Slots) -> Result<usize> {
        let id = self.expr(place).and_then(Expr::as_column);
        id.and_then(|id| slots.get(id)).ok_or_else(|| self.fault(place, "the name of a column is expected"))
    }

    fn ty(&self, id: ColId) -> Type {
        self.evaluator.ty(id)
    }
}
