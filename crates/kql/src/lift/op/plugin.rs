//! `evaluate` and `invoke`.

use super::Outputs;
use crate::lift::Lifter;
use crate::lift::learn::SourceName;
use crate::lift::scope::{Env, Origins, Rel, Scope};
use crate::syntax::literal::ScalarType;
use crate::syntax::tree::{self, ColumnNames, ExprKind, TypeOf};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::functions::{self, FunctionDef, FunctionKind};
use ruleferry_ir::{self as ir, AggregateCall, ColId, Op, Plan, Plugin, PluginArg, Type};
use smol_str::SmolStr;

/// What a plugin makes of its input's columns.
enum Shape {
    /// The input without the first argument's column, and what the bags hold.
    Unpack,
    /// Columns of the values of one column.
    Pivot,
    /// The input's columns beside those of the table that is the first argument.
    Lookup,
    /// These columns, then the input's.
    Before(&'static [(&'static str, Type)]),
    /// The input's columns only.
    Same,
    /// Only these columns.
    Fixed(&'static [(&'static str, Type)]),
    /// The time column (argument 1), the dimensions (arguments from this one on), and these columns.
    Timeline { dimensions: usize, columns: &'static [(&'static str, Type)] },
    /// What `typeof(…)` says in the first argument.
    Typed,
    /// Columns that only the run tells.
    Open,
    /// The start and end of the window, the dimensions (arguments from this one on), and these columns.
    Window { dimensions: usize, columns: &'static [(&'static str, Type)] },
    /// The bin column (argument 2), the dimensions (from argument 5 on), the percentile of argument 0.
    Rolling,
    /// The input's columns and one count for each argument.
    Counts,
    /// Dimensions, the time of each step, the duration.
    Steps,
}

const SEGMENT: &[(&str, Type)] = &[("SegmentId", Type::Long), ("Count", Type::Long), ("Percent", Type::Real)];
const DIFF: &[(&str, Type)] = &[
    ("SegmentId", Type::Long),
    ("CountA", Type::Long),
    ("CountB", Type::Long),
    ("PercentA", Type::Real),
    ("PercentB", Type::Real),
    ("PercentDiffAB", Type::Real),
];
const NARROW: &[(&str, Type)] = &[("Row", Type::Long), ("Column", Type::String), ("Value", Type::String)];
const HTTP: &[(&str, Type)] = &[("ResponseHeaders", Type::Dynamic), ("ResponseBody", Type::Dynamic)];
const COUNTS: &[(&str, Type)] = &[
    ("count", Type::Long),
    ("dcount", Type::Long),
    ("new_dcount", Type::Long),
    ("aggregated_dcount", Type::Long),
];
const METRICS: &[(&str, Type)] = &[
    ("dcount_values", Type::Long),
    ("dcount_newvalues", Type::Long),
    ("retention_rate", Type::Real),
    ("churn_rate", Type::Real),
];
const NEW_ACTIVITY: &[(&str, Type)] = &[
    ("dcount_new_values", Type::Long),
    ("dcount_retained_values", Type::Long),
    ("dcount_churn_values", Type::Long),
    ("retention_rate", Type::Real),
    ("churn_rate", Type::Real),
];
const ENGAGEMENT: &[(&str, Type)] = &[
    ("dcount_activities_inner", Type::Long),
    ("dcount_activities_outer", Type::Long),
    ("activity_ratio", Type::Real),
];

/// Plugins whose columns are known, sorted by name. Facts: Microsoft's parser, by probing.
const SHAPES: &[(&str, Shape)] = &[
    ("active_users_count", Shape::Timeline { dimensions: 8, columns: &[("dcount", Type::Long)] }),
    ("activity_counts_metrics", Shape::Timeline { dimensions: 5, columns: COUNTS }),
    ("activity_engagement", Shape::Timeline { dimensions: 6, columns: ENGAGEMENT }),
    ("activity_metrics", Shape::Timeline { dimensions: 5, columns: METRICS }),
    ("autocluster", Shape::Before(SEGMENT)),
    ("azure_digital_twins_query_request", Shape::Open),
    ("bag_unpack", Shape::Unpack),
    ("basket", Shape::Before(SEGMENT)),
    ("cosmosdb_sql_request", Shape::Open),
    ("csharp", Shape::Typed),
    ("dax_request", Shape::Open),
    ("dcount_intersect", Shape::Counts),
    ("diffpatterns", Shape::Before(DIFF)),
    ("estimate_rows_count", Shape::Fixed(&[("EstimatedRowsCount", Type::Long)])),
    ("execute_query", Shape::Open),
    ("execute_show_command", Shape::Open),
    ("geo_line_lookup", Shape::Lookup),
    ("geo_polygon_lookup", Shape::Lookup),
    ("http_request", Shape::Fixed(HTTP)),
    ("http_request_post", Shape::Fixed(HTTP)),
    ("identity", Shape::Same),
    ("infer_storage_schema", Shape::Fixed(&[("CslSchema", Type::String)])),
    ("infer_storage_schema_with_suggestions", Shape::Fixed(&[("CslSchema", Type::String)])),
    ("ipv4_lookup", Shape::Lookup),
    ("ipv6_lookup", Shape::Lookup),
    ("mysql_request", Shape::Open),
    ("narrow", Shape::Fixed(NARROW)),
    ("new_activity_metrics", Shape::Window { dimensions: 5, columns: NEW_ACTIVITY }),
    ("pivot", Shape::Pivot),
    ("postgresql_request", Shape::Open),
    ("python", Shape::Typed),
    ("r", Shape::Typed),
    ("rolling_percentile", Shape::Rolling),
    ("rows_near", Shape::Same),
    ("sequence_detect", Shape::Steps),
    ("session_count", Shape::Timeline { dimensions: 6, columns: &[("count_sessions", Type::Long)] }),
    (
        "sliding_window_counts",
        Shape::Timeline { dimensions: 6, columns: &[("Count", Type::Long), ("Dcount", Type::Long)] },
    ),
    ("sql_request", Shape::Open),
];

/// Parameters that are given by name, in their order.
const NAMED_PARAMETERS: &[(&str, &[&str])] = &[
    ("bag_unpack", &["column", "OutputColumnPrefix", "columnsConflict", "ignoredProperties"]),
    ("ipv4_lookup", &["", "", "", "return_unmatched"]),
    ("ipv6_lookup", &["", "", "", "return_unmatched"]),
];

impl<'t> Lifter<'t> {
    pub(super) fn evaluate(
        &mut self,
        input: Option<Rel>,
        evaluate: &'t tree::Evaluate,
        span: Span,
        env: Env,
    ) -> Rel {
        let ExprKind::Call(call) = &evaluate.call.kind else {
            return self.opaque_plan(input, "only plugins can be evaluated", span);
        };
        let name = call.name.text.as_str();
        let known = SHAPES.binary_search_by(|(n, _)| (*n).cmp(name)).ok().and_then(|i| SHAPES.get(i));
        let (Some(function), Some((_, shape))) = (functions::find(name, FunctionKind::Plugin), known) else {
            let rel = self.opaque_plan(input, &format!("the plugin `{name}` has no neutral form"), span);
            return self.declared_output(rel, evaluate);
        };
        let (args, right) = self.plugin_args(function, call, input.as_ref(), env);
        let rel = self.plugin_output(function, shape, input, args, right.as_deref(), call, span);
        self.declared_output(rel, evaluate)
    }

    /// `evaluate f(…) : (*, a:string)` says the columns.
    fn declared_output(&mut self, mut rel: Rel, evaluate: &'t tree::Evaluate) -> Rel {
        let Some(schema) = &evaluate.schema else { return rel };
        let mut output = if schema.star { rel.plan.output.to_vec() } else { Vec::new() };
        for column in &schema.columns {
            let ty = crate::lift::expr::scalar_type(&column.ty);
            match self.find_column(&rel.plan.output, &column.name.text) {
                Some(id) if self.columns.ty(id) == ty => {
                    if !output.contains(&id) {
                        output.push(id);
                    }
                }
                _ => {
                    self.replace_column(&mut output, column.name.text.clone(), ty, column.name.span.0);
                }
            }
        }
        rel.plan.output = output.into();
        // The run finds no further columns.
        if let Op::Plugin(plugin) = &mut *rel.plan.op {
            plugin.open = false;
        }
        rel.closed()
    }

    /// The arguments, and the columns of a table among them.
    fn plugin_args(
        &mut self,
        function: &'static FunctionDef,
        call: &'t tree::Call,
        input: Option<&Rel>,
        env: Env,
    ) -> (Vec<PluginArg>, Option<Vec<ColId>>) {
        let scope = match input {
            Some(rel) => Scope::over(env, rel),
            None => Scope::bare(env),
        };
        let mut args: Vec<PluginArg> = Vec::with_capacity(call.args.len());
        let mut right: Option<Rel> = None;
        let lookup = function.name.ends_with("_lookup");
        for (i, arg) in call.args.iter().enumerate() {
            let value = match &arg.kind {
                ExprKind::Named(named) => {
                    if let ColumnNames::One(name) = &named.names {
                        self.skip_to(function, &name.text, &mut args, arg.span.0);
                    }
                    &named.value
                }
                ExprKind::TypeOf(_) => continue,
                _ => arg,
            };
            if lookup && i == 0 {
                let rel = self.table(value, env);
                args.push(PluginArg::Table(rel.plan.clone()));
                right = Some(rel);
                continue;
            }
            if function.name == "pivot" && i == 1 {
                let made = self.aggregate(value, &scope);
                let (name, ty) = made.columns.into_iter().next().unwrap_or((None, Type::Unknown));
                let id = self.add_column(name.unwrap_or_default(), ty, value.span.0);
                args.push(PluginArg::Aggregate(ir::AggregateItem {
                    ids: vec![id],
                    call: made.call,
                    named: false,
                }));
                continue;
            }
            // The keys of the other table: the second argument of the geographical ones, else those from the third on.
            let of_right = if function.name.starts_with("geo_") { i == 1 } else { i >= 2 };
            if lookup
                && of_right
                && let (Some(rel), ExprKind::Name(name)) = (&right, &value.kind)
                && let Some(id) = self.find_column(&rel.plan.output, name)
            {
                args.push(PluginArg::Expr(self.column_expr(id, value.span.0)));
                continue;
            }
            args.push(PluginArg::Expr(self.expr(value, &scope)));
        }
        (args, right.map(|r| r.plan.output.to_vec()))
    }

    /// Fills the parameters before a named one with their defaults.
    fn skip_to(&self, function: &FunctionDef, name: &str, args: &mut Vec<PluginArg>, span: Span) {
        let named = NAMED_PARAMETERS.iter().find(|(f, _)| *f == function.name);
        let place = named.and_then(|(_, names)| names.iter().position(|n| n.eq_ignore_ascii_case(name)));
        while place.is_some_and(|p| args.len() < p) {
            args.push(PluginArg::Expr(ir::Expr::string("", span)));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one node, put together in one place")]
    fn plugin_output(
        &mut self,
        function: &'static FunctionDef,
        shape: &Shape,
        input: Option<Rel>,
        args: Vec<PluginArg>,
        right: Option<&[ColId]>,
        call: &'t tree::Call,
        span: Span,
    ) -> Rel {
        let before: Vec<ColId> = input.as_ref().map(|r| r.plan.output.to_vec()).unwrap_or_default();
        let mut out = Outputs::default();
        let mut origins = Origins::default();
        let kept = input.as_ref().map(|r| r.origins.clone()).unwrap_or_default();
        let mut open = false;
        match shape {
            Shape::Unpack => {
                let gone = args.first().and_then(column_of_arg);
                if let Some(PluginArg::Expr(e)) = args.first() {
                    self.hint(e, Type::Dynamic);
                }
                out.ids = before.iter().copied().filter(|id| Some(*id) != gone).collect();
                open = true;
            }
            Shape::Pivot => {
                let groups: Vec<ColId> = args.iter().skip(2).filter_map(column_of_arg).collect();
                if groups.is_empty() {
                    let mut used: Vec<ColId> = args.iter().filter_map(column_of_arg).collect();
                    used.extend(args.iter().flat_map(columns_of_aggregate));
                    out.ids = before.iter().copied().filter(|id| !used.contains(id)).collect();
                } else {
                    out.ids = groups;
                }
                open = true;
            }
            Shape::Lookup => {
                out.ids = before;
                for id in right.unwrap_or_default() {
                    let (name, ty) = (SmolStr::new(self.columns.name(*id)), self.columns.ty(*id));
                    let new = self.push_column(&mut out, Some(&name), ty, span);
                    self.same_origin(new, *id);
                }
                origins = kept;
            }
            Shape::Before(columns) => {
                for (name, ty) in *columns {
                    self.push_column(&mut out, Some(name), *ty, span);
                }
                for id in before {
                    let (name, ty) = (SmolStr::new(self.columns.name(id)), self.columns.ty(id));
                    let new = self.push_column(&mut out, Some(&name), ty, span);
                    self.same_origin(new, id);
                }
                origins = kept;
            }
            Shape::Same => {
                out.ids = before;
                origins = kept;
            }
            Shape::Fixed(columns) => {
                for (name, ty) in *columns {
                    self.push_column(&mut out, Some(name), *ty, span);
                }
            }
            Shape::Timeline { dimensions, columns } => {
                out.ids.extend(args.get(1).and_then(column_of_arg));
                out.ids.extend(args.iter().skip(*dimensions).filter_map(column_of_arg));
                for (name, ty) in *columns {
                    self.push_column(&mut out, Some(name), *ty, span);
                }
            }
            Shape::Typed => self.typed_output(call, &before, &mut out),
            Shape::Open => open = true,
            Shape::Window { dimensions, columns } => {
                let time = args.get(1).and_then(column_of_arg).map(|id| SmolStr::new(self.columns.name(id)));
                for end in ["from", "to"] {
                    let name = format!("{end}_{}", time.as_deref().unwrap_or_default());
                    self.push_column(&mut out, Some(&name), Type::Datetime, span);
                }
                out.ids.extend(args.iter().skip(*dimensions).filter_map(column_of_arg));
                for (name, ty) in *columns {
                    self.push_column(&mut out, Some(name), *ty, span);
                }
            }
            Shape::Rolling => {
                out.ids.extend(args.get(2).and_then(column_of_arg));
                out.ids.extend(args.iter().skip(5).filter_map(column_of_arg));
                let of = args.first().and_then(column_of_arg);
                let (name, ty) =
                    of.map_or(("", Type::Unknown), |id| (self.columns.name(id), self.columns.ty(id)));
                let text = |i: usize| call.args.get(i).map_or("", |a| self.text(a.span.0));
                let label = format!("rolling_{}_percentile_{name}_{}", text(4), text(1));
                self.push_column(&mut out, Some(&label), ty, span);
            }
            Shape::Counts => {
                out.ids = before;
                for i in 0..args.len() {
                    self.push_column(&mut out, Some(&format!("s{i}")), Type::Long, span);
                }
            }
            Shape::Steps => {
                let time = args.first().and_then(column_of_arg).map(|id| SmolStr::new(self.columns.name(id)));
                out.ids.extend(args.iter().skip(3).filter_map(column_of_arg));
                for name in call.args.iter().filter_map(|a| given(a)) {
                    let label = format!("{name}_{}", time.as_deref().unwrap_or_default());
                    self.push_column(&mut out, Some(&label), Type::Datetime, span);
                }
                self.push_column(&mut out, Some("Duration"), Type::Timespan, span);
            }
        }
        let depth = input.as_ref().map_or(0, |r| r.depth) + 1;
        let plugin = Plugin { function, input: input.map(|r| r.plan), args, open };
        let mut rel =
            Rel { plan: Plan::new(Op::Plugin(plugin), out.ids, span), origins, ordered: false, depth };
        if open {
            let key = self.knowledge.key(SourceName::Operator(function.name, span));
            rel.origins = Origins { open: vec![key], ..Origins::default() };
            self.append_learned(&mut rel, key);
        }
        rel
    }

    fn typed_output(&mut self, call: &'t tree::Call, before: &[ColId], out: &mut Outputs) {
        let Some(ExprKind::TypeOf(ty)) = call.args.first().map(|a| &a.kind) else { return };
        match &**ty {
            TypeOf::Table { star, columns } => {
                if *star {
                    out.ids = before.to_vec();
                }
                for column in columns {
                    let ty = crate::lift::expr::scalar_type(&column.ty);
                    self.replace_column(&mut out.ids, column.name.text.clone(), ty, column.name.span.0);
                }
            }
            TypeOf::Scalar(ScalarType::Other(_)) => {}
            TypeOf::Scalar(ty) => {
                self.push_column(out, None, crate::lift::expr::scalar_type(ty), call.name.span.0);
            }
        }
    }

    pub(super) fn invoke(&mut self, input: Rel, call: &'t tree::Expr, span: Span, env: Env) -> Rel {
        match &call.kind {
            ExprKind::Call(call) => match self.function(&Scope::bare(env), &call.name.text) {
                Some(f) => self.call_table(f, Some(input), &call.args, span, env),
                None => self.function_input(call, Some(input), span, env),
            },
            ExprKind::MethodCall { call, .. } => self.function_input(call, Some(input), span, env),
            ExprKind::Name(name) => match self.function(&Scope::bare(env), name) {
                Some(f) => self.call_table(f, Some(input), &[], span, env),
                None => self.opaque_plan(Some(input), "the function to invoke is not known", span),
            },
            _ => {
                self.error(codes::WRONG_ARGUMENTS, span, "`invoke` needs a call of a function");
                input
            }
        }
    }
}

/// The name that the query gives to an argument.
fn given(arg: &tree::Expr) -> Option<&SmolStr> {
    match &arg.kind {
        ExprKind::Named(named) => match &named.names {
            ColumnNames::One(name) => Some(&name.text),
            ColumnNames::Default | ColumnNames::Many(_) => None,
        },
        _ => None,
    }
}

fn column_of_arg(arg: &PluginArg) -> Option<ColId> {
    match arg {
        PluginArg::Expr(e) => e.as_column(),
        PluginArg::Aggregate(_) | PluginArg::Table(_) => None,
    }
}

/// Columns that a simple aggregate reads.
fn columns_of_aggregate(arg: &PluginArg) -> Vec<ColId> {
    let PluginArg::Aggregate(item) = arg else { return Vec::new() };
    match &item.call {
        AggregateCall::Function(_, args) => args.iter().filter_map(ir::Expr::as_column).collect(),
        AggregateCall::ArgExtreme { by, returned, .. } => {
            std::iter::once(by).chain(returned).filter_map(ir::Expr::as_column).collect()
        }
        AggregateCall::TakeAny { returned, .. } => returned.iter().filter_map(ir::Expr::as_column).collect(),
        AggregateCall::Composed { .. } => Vec::new(),
    }
}
