//! Operators: a plan is a pipeline, its first input the source, every operator above it one `|`.

use super::source::Start;
use super::{Cx, Lowerer, build};
use crate::syntax::literal::StringLiteral;
use crate::syntax::tree::{
    self, BinaryOp, Direction, ExprKind, JoinCondition, Loc, MvApply, MvColumn, MvExpand, NamePattern, Nulls,
    Operator, OperatorKind, ParsePart, Pipeline, ReorderKey,
};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    self as ir, ColId, ExpandKind, JoinKind, LimitKind, Op, ParseMode, ParsePiece, Plan, SelectItem,
    SelectKind,
};
use smol_str::SmolStr;

impl Lowerer<'_> {
    pub(super) fn pipeline(&mut self, plan: &Plan) -> Pipeline {
        self.deeper(plan.span, build::pipeline(None, Vec::new()), |l| l.pipeline_inside(plan))
    }

    fn pipeline_inside(&mut self, plan: &Plan) -> Pipeline {
        let mut chain = vec![plan];
        while let Some(input) = chain.last().and_then(|p| p.input()) {
            chain.push(input);
        }
        let mut start = match chain.pop() {
            Some(source) => self.start(source),
            None => Start { source: None, operators: Vec::new() },
        };
        for plan in chain.into_iter().rev() {
            self.operator(plan, &mut start.operators);
        }
        build::pipeline(start.source, start.operators)
    }

    fn start(&mut self, plan: &Plan) -> Start {
        match &*plan.op {
            Op::Scan(scan) => self.scan(scan, plan),
            Op::Ref(id) => Start::rows(self.binding_name(*id)),
            Op::Values(values) => self.literal_rows(values, plan),
            Op::Range(range) => self.range(range, plan),
            Op::Rows => Start { source: None, operators: Vec::new() },
            Op::Union(union) => self.union(union, plan),
            Op::Search(search) => self.search(search, plan.span),
            Op::Plugin(plugin) => {
                let kind = self.plugin(plugin, plan);
                Start::operator(kind)
            }
            Op::Opaque { input: _, opaque } => {
                let message = format!("`{}` has no KQL form: {}", opaque.text, opaque.reason);
                self.refuse(codes::KQL_OUT_OPAQUE, plan.span, message);
                Start { source: None, operators: Vec::new() }
            }
            // These have an input, so they never start a pipeline.
            Op::Filter { .. }
            | Op::Extend { .. }
            | Op::Project { .. }
            | Op::Select { .. }
            | Op::Aggregate(_)
            | Op::Distinct { .. }
            | Op::Join(_)
            | Op::Sort { .. }
            | Op::Limit { .. }
            | Op::Top { .. }
            | Op::Expand(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Parse(_)
            | Op::ParseKv(_)
            | Op::Serialize { .. }
            | Op::Partition { .. }
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::GetSchema { .. }
            | Op::Render { .. } => self.no_start("an operator without input", plan.span),
        }
    }

    pub(super) fn no_start(&mut self, what: &str, span: Span) -> Start {
        self.refuse(codes::KQL_OUT_OPERATOR, span, format!("{what} cannot be written as KQL yet"));
        Start { source: None, operators: Vec::new() }
    }

    /// Adds the operator at the top of the plan.
    fn operator(&mut self, plan: &Plan, operators: &mut Vec<Operator>) {
        let kind = match &*plan.op {
            Op::Filter { input: _, predicate } => {
                let predicate = self.expr(predicate, Cx::FILTER);
                OperatorKind::Where { params: Vec::new(), predicate }
            }
            Op::Extend { input: _, items } => OperatorKind::Extend(self.items(items)),
            Op::Project { input: _, items } => OperatorKind::Project(self.items(items)),
            Op::Serialize { input: _, items } => {
                OperatorKind::Serialize { params: Vec::new(), columns: self.items(items) }
            }
            Op::Select { input, kind, items } => match self.select(*kind, items, input, plan) {
                Some(kind) => kind,
                None => return,
            },
            Op::Aggregate(a) => self.summarize(a),
            Op::Distinct { input } => self.distinct(input, operators),
            Op::Join(join) => self.join(join, plan),
            Op::Sort { input: _, keys } => {
                let keys = keys.iter().map(|k| self.sort_key(k)).collect();
                OperatorKind::Sort { params: Vec::new(), keys }
            }
            Op::Limit { input, count, kind } => self.limit(input, count, *kind),
            Op::Top { input: _, count, keys } => {
                let keys: Vec<_> = keys.iter().map(|k| self.sort_key(k)).collect();
                let count = self.value(count);
                match <[tree::SortKey; 1]>::try_from(keys) {
                    Ok([by]) => OperatorKind::Top { params: Vec::new(), count, by },
                    Err(keys) => {
                        operators.push(build::operator(OperatorKind::Sort { params: Vec::new(), keys }));
                        OperatorKind::Take { params: Vec::new(), count }
                    }
                }
            }
            Op::Expand(e) => self.expand(e),
            Op::Apply(a) => {
                let columns = a.items.iter().map(|i| self.expand_item(i)).collect();
                let params = a.index.map(|id| build::word("with_itemindex", self.column_name(id)));
                let limit = a.limit.as_ref().map(|e| self.value(e));
                let body = self.pipeline(&a.body);
                let params = params.into_iter().collect();
                OperatorKind::MvApply(Box::new(MvApply { params, columns, limit, context: None, body }))
            }
            Op::MakeSeries(m) => self.make_series(m),
            Op::Parse(p) => self.parse(p),
            Op::Partition { input: _, key, body } => {
                let body = tree::PartitionBody::Operators(self.pipeline(body));
                let by = build::named(self.column_name(*key));
                let partition = tree::Partition { params: Vec::new(), by, scope: None, body };
                OperatorKind::Partition(Box::new(partition))
            }
            Op::Plugin(plugin) => self.plugin(plugin, plan),
            Op::GetSchema { input: _ } => OperatorKind::GetSchema { kind: None },
            Op::ParseKv(p) => self.parse_kv(p, plan.span),
            Op::Sequence(s) => self.scan_steps(s, plan.span),
            Op::TopNested(t) => self.top_nested(t),
            // A hint for people that changes no row.
            Op::Render { input: _, text } => match self.render(text) {
                Some(kind) => kind,
                None => return,
            },
            Op::Opaque { input: _, opaque } => {
                let message = format!("`{}` has no KQL form: {}", opaque.text, opaque.reason);
                self.refuse(codes::KQL_OUT_OPAQUE, plan.span, message);
                return;
            }
            // These have no input, so they only start a pipeline.
            Op::Scan(_)
            | Op::Ref(_)
            | Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Union(_)
            | Op::Search(_) => return,
        };
        operators.push(build::operator(kind));
    }

    fn items(&mut self, items: &[ir::Item]) -> Vec<tree::NamedExpr> {
        items.iter().map(|i| self.item(i)).collect()
    }

    fn pattern(&self, id: ColId) -> NamePattern {
        NamePattern { text: SmolStr::new(self.column_name(id)), span: Loc::default() }
    }

    fn select(
        &self,
        kind: SelectKind,
        items: &[SelectItem],
        input: &Plan,
        plan: &Plan,
    ) -> Option<OperatorKind> {
        Some(match kind {
            SelectKind::Away => {
                let kept = |id: &ColId| items.iter().any(|i| i.from == *id);
                let gone: Vec<_> =
                    input.output.iter().filter(|id| !kept(id)).map(|id| self.pattern(*id)).collect();
                if gone.is_empty() {
                    return None;
                }
                OperatorKind::ProjectAway(gone)
            }
            SelectKind::Keep => {
                OperatorKind::ProjectKeep(plan.output.iter().map(|id| self.pattern(*id)).collect())
            }
            SelectKind::Rename => {
                let renamed = items.iter().filter(|i| self.column_name(i.from) != self.column_name(i.to));
                let renamed: Vec<_> = renamed
                    .map(|i| build::assign(self.column_name(i.to), build::named(self.column_name(i.from))))
                    .collect();
                if renamed.is_empty() {
                    return None;
                }
                OperatorKind::ProjectRename(renamed)
            }
            SelectKind::Reorder => {
                // Only the columns up to where the rest keeps its order.
                let order: Vec<_> = items.iter().map(|i| i.from).collect();
                let in_order = |first: usize| {
                    let moved = order.get(..first).unwrap_or(&[]);
                    let rest = input.output.iter().filter(|id| !moved.contains(id));
                    rest.eq(order.get(first..).unwrap_or(&[]))
                };
                let first = (0..order.len()).find(|n| in_order(*n)).unwrap_or(order.len());
                let keys: Vec<_> = order
                    .iter()
                    .take(first)
                    .map(|id| ReorderKey { name: self.pattern(*id), direction: None })
                    .collect();
                if keys.is_empty() {
                    return None;
                }
                OperatorKind::ProjectReorder(keys)
            }
        })
    }

    /// `project a, b | distinct *` is `distinct a, b`.
    fn distinct(&self, input: &Plan, operators: &mut Vec<Operator>) -> OperatorKind {
        let mut columns = vec![build::expr(ExprKind::Star)];
        if let Op::Project { input: _, items } = &*input.op
            && items.iter().all(|i| self.passes_on(i))
            && let Some(Operator { kind: OperatorKind::Project(items), .. }) = operators.last()
        {
            columns = items.iter().map(|i| i.value.clone()).collect();
            operators.pop();
        }
        OperatorKind::Distinct { params: Vec::new(), columns }
    }

    fn passes_on(&self, item: &ir::Item) -> bool {
        let [id] = item.ids.as_slice() else { return false };
        item.expr.as_column().is_some_and(|from| self.column_name(from) == self.column_name(*id))
    }

    fn sort_key(&mut self, key: &ir::SortKey) -> tree::SortKey {
        let value = build::unnamed(self.value(&key.expr));
        let direction = Some(if key.descending { Direction::Desc } else { Direction::Asc });
        // Nulls come first in ascending order by themselves.
        let nulls = (key.nulls_first == key.descending).then_some(if key.nulls_first {
            Nulls::First
        } else {
            Nulls::Last
        });
        tree::SortKey { value, direction, nulls }
    }

    fn limit(&mut self, input: &Plan, count: &ir::Expr, kind: LimitKind) -> OperatorKind {
        let count = self.value(count);
        let params = Vec::new();
        match kind {
            LimitKind::Take => OperatorKind::Take { params, count },
            LimitKind::Sample => OperatorKind::Sample { params, count },
            LimitKind::SampleDistinct => {
                let of =
                    input.output.first().map(|id| SmolStr::new(self.column_name(*id))).unwrap_or_default();
                OperatorKind::SampleDistinct { params, count, of: build::named(of) }
            }
        }
    }

    fn expand_item(&mut self, item: &ir::ExpandItem) -> MvColumn {
        let value = self.value(&item.expr);
        let value = self.assigned(item.id, &item.expr, value);
        MvColumn { value, to: item.to.and_then(build::scalar_type) }
    }

    fn expand(&mut self, e: &ir::Expand) -> OperatorKind {
        let mut params = Vec::new();
        match e.kind {
            ExpandKind::Bag => {}
            ExpandKind::Array => params.push(build::word("kind", "array")),
        }
        params.extend(e.index.map(|id| build::word("with_itemindex", self.column_name(id))));
        let columns = e.items.iter().map(|i| self.expand_item(i)).collect();
        let limit = e.limit.as_ref().map(|l| self.value(l));
        OperatorKind::MvExpand(Box::new(MvExpand { params, columns, limit }))
    }

    fn parse(&mut self, p: &ir::Parse) -> OperatorKind {
        let mut params = Vec::new();
        match p.mode {
            ParseMode::Simple => {}
            ParseMode::Regex => params.push(build::word("kind", "regex")),
            ParseMode::Relaxed => params.push(build::word("kind", "relaxed")),
        }
        if !p.flags.is_empty() {
            params.push(build::word("flags", &p.flags));
        }
        let subject = self.value(&p.subject);
        let part = |piece: &ParsePiece| match piece {
            ParsePiece::Star => ParsePart::Star,
            ParsePiece::Text(text) => ParsePart::Text(StringLiteral::new(text.clone())),
            ParsePiece::Column(id) => ParsePart::Column {
                name: build::name(self.column_name(*id)),
                ty: build::scalar_type(self.query.columns.ty(*id)),
            },
        };
        let pattern = p.pieces.iter().map(part).collect();
        OperatorKind::Parse(Box::new(tree::Parse { filter: p.filter, params, subject, pattern }))
    }

    fn plugin(&mut self, plugin: &ir::Plugin, plan: &Plan) -> OperatorKind {
        let mut args = Vec::with_capacity(plugin.args.len());
        for arg in &plugin.args {
            args.push(match arg {
                ir::PluginArg::Expr(e) => self.value(e),
                ir::PluginArg::Aggregate(a) => self.aggregate_item(a).value,
                ir::PluginArg::Table(p) => build::tabular(self.pipeline(p)),
            });
        }
        let call = build::call(plugin.function.name, args);
        // Where Kusto finds the columns only when it runs, the plan's own are declared.
        let columns = if plugin.open { Vec::new() } else { self.declarations(&plan.output, plan.span) };
        let schema = (!columns.is_empty()).then_some(tree::EvaluateSchema { star: false, columns });
        OperatorKind::Evaluate(Box::new(tree::Evaluate { params: Vec::new(), call, schema }))
    }

    fn join(&mut self, join: &ir::Join, plan: &Plan) -> OperatorKind {
        self.check_join_names(join, plan);
        let kind = match join.kind {
            JoinKind::Inner => "inner",
            JoinKind::InnerUnique => "innerunique",
            JoinKind::LeftOuter => "leftouter",
            JoinKind::RightOuter => "rightouter",
            JoinKind::FullOuter => "fullouter",
            JoinKind::LeftSemi => "leftsemi",
            JoinKind::RightSemi => "rightsemi",
            JoinKind::LeftAnti => "leftanti",
            JoinKind::RightAnti => "rightanti",
        };
        // A bare `join` drops rows without saying so: the kind is always written.
        let mut params = vec![build::word("kind", kind)];
        params.extend(join.hints.iter().map(|(name, value)| build::word(name, value)));
        let side = |side: &str, column: &str| {
            let base = Box::new(build::named(side));
            build::expr(ExprKind::Path { base, name: build::name(column) })
        };
        let mut on = Vec::with_capacity(join.on.len());
        for key in &join.on {
            let (left, right) = (self.column_name(key.left), self.column_name(key.right));
            on.push(if left == right {
                build::named(left)
            } else {
                build::binary(BinaryOp::Eq, side("$left", left), side("$right", right))
            });
        }
        let right = build::tabular(self.pipeline(&join.right));
        let join_node = Box::new(tree::Join { params, right, condition: JoinCondition::On(on) });
        if join.lookup { OperatorKind::Lookup(join_node) } else { OperatorKind::Join(join_node) }
    }

    /// Kusto names the columns of the right side that the left has, too, by a number: that must be what the plan says.
    fn check_join_names(&mut self, join: &ir::Join, plan: &Plan) {
        // These return the right side alone.
        let right_alone = matches!(join.kind, JoinKind::RightSemi | JoinKind::RightAnti);
        let left: &[ColId] = if right_alone { &[] } else { &join.left.output };
        let mut taken: Vec<&str> = left.iter().map(|id| self.column_name(*id)).collect();
        for item in &join.right_output {
            let own = self.column_name(item.from);
            let name = self.column_name(item.to);
            let numbered = name.strip_prefix(own).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
            if !numbered || (taken.contains(&own) == (name == own)) {
                let message =
                    format!("the right side's column `{own}` would not be named `{name}` after the join");
                self.refuse(codes::KQL_OUT_COLUMNS, plan.span, message);
                return;
            }
            taken.push(name);
        }
    }
}
