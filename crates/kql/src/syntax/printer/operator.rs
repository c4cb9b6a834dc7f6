//! Tabular operators.

use super::super::tree::{
    ColumnNames, Direction, Evaluate, Expr, ExprKind, Find, FindColumn, FindProject, ForkBranch, Join,
    JoinCondition, Loc, MakeSeries, MvColumn, Name, NamePattern, NamedExpr, Nulls, Operator, OperatorKind,
    Param, ParamValue, Parse, ParsePart, Partition, PartitionBody, Pipeline, Render, ReorderDirection,
    ReorderKey, Scan, ScanStep, Search, SeriesRange, SortKey, Summarize, TopNested,
};
use super::comment::{span_of_list, start_of, start_of_named};
use super::{Printer, text};

impl Printer<'_> {
    pub(super) fn operator(&mut self, operator: &Operator) {
        match &operator.kind {
            OperatorKind::As { params, name } => {
                self.keyword("as", params);
                self.put(" ");
                self.leaf(|o| text::declared(o, &name.text));
            }
            OperatorKind::AssertSchema(columns) => {
                self.put("assert-schema ");
                self.columns(columns);
            }
            OperatorKind::Consume(params) => self.keyword("consume", params),
            OperatorKind::Count { params, name } => {
                self.keyword("count", params);
                if let Some(name) = name {
                    self.put(" as ");
                    self.leaf(|o| text::declared(o, &name.text));
                }
            }
            OperatorKind::Distinct { params, columns } => {
                self.keyword("distinct", params);
                self.expr_list(columns);
            }
            OperatorKind::Evaluate(evaluate) => self.evaluate(evaluate),
            OperatorKind::ExecuteAndCache => self.put("__executeAndCache"),
            OperatorKind::Extend(columns) => {
                self.put("extend");
                self.named_list(columns);
            }
            OperatorKind::Facet { by, with } => {
                self.put("facet by");
                self.expr_list(by);
                if let Some(with) = with {
                    self.put(" with ");
                    self.body(with);
                }
            }
            OperatorKind::Find(find) => self.find(find),
            OperatorKind::Fork(branches) => self.fork(branches),
            OperatorKind::GetSchema { kind } => {
                self.put("getschema");
                if let Some(kind) = kind {
                    self.put(" kind=");
                    self.leaf(|o| text::declared(o, &kind.text));
                }
            }
            OperatorKind::GraphMarkComponents(params) => self.keyword("graph-mark-components", params),
            OperatorKind::GraphMatch(graph) => self.graph_match("graph-match", graph),
            OperatorKind::GraphShortestPaths(graph) => self.graph_match("graph-shortest-paths", graph),
            OperatorKind::GraphToTable(tables) => self.graph_tables(tables),
            OperatorKind::GraphWhereEdges { params, predicate } => {
                self.filter("graph-where-edges", params, predicate)
            }
            OperatorKind::GraphWhereNodes { params, predicate } => {
                self.filter("graph-where-nodes", params, predicate)
            }
            OperatorKind::Invoke { params, call } => {
                self.keyword("invoke", params);
                self.put(" ");
                self.expr(call);
            }
            OperatorKind::Join(join) => self.join("join", join),
            OperatorKind::Lookup(join) => self.join("lookup", join),
            OperatorKind::MacroExpand(expand) => {
                self.keyword("macro-expand", &expand.params);
                self.put(" ");
                self.expr(&expand.group);
                if let Some(scope) = &expand.scope {
                    self.put(" as ");
                    self.leaf(|o| text::declared(o, &scope.text));
                }
                self.put(" (");
                // A block of statements is never tried on one line.
                self.overflow |= self.flat;
                self.indented(|p| p.statements(&expand.body, false));
                self.newline();
                self.put(")");
            }
            OperatorKind::MakeGraph(graph) => self.make_graph(graph),
            OperatorKind::MakeSeries(series) => self.make_series(series, operator.span),
            OperatorKind::MvApply(apply) => {
                self.keyword("mv-apply", &apply.params);
                self.mv_columns(&apply.columns);
                self.limit(apply.limit.as_ref());
                if let Some(context) = &apply.context {
                    self.put(" id ");
                    self.expr(context);
                }
                self.put(" on ");
                self.body(&apply.body);
            }
            OperatorKind::MvExpand(expand) => {
                self.keyword("mv-expand", &expand.params);
                self.mv_columns(&expand.columns);
                self.limit(expand.limit.as_ref());
            }
            OperatorKind::Parse(parse) => self.parse(parse),
            OperatorKind::ParseKv(parse) => {
                self.put("parse-kv ");
                self.expr(&parse.subject);
                self.put(" as ");
                self.columns(&parse.columns);
                self.with_properties(&parse.properties);
            }
            OperatorKind::Partition(partition) => self.partition(partition),
            OperatorKind::Print(columns) => {
                self.put("print");
                self.named_list(columns);
            }
            OperatorKind::Project(columns) => {
                self.put("project");
                self.named_list(columns);
            }
            OperatorKind::ProjectAway(columns) => {
                self.put("project-away");
                self.patterns(columns);
            }
            OperatorKind::ProjectByNames(columns) => {
                self.put("project-by-names");
                self.expr_list(columns);
            }
            OperatorKind::ProjectKeep(columns) => {
                self.put("project-keep");
                self.patterns(columns);
            }
            OperatorKind::ProjectRename(columns) => {
                self.put("project-rename");
                self.named_list(columns);
            }
            OperatorKind::ProjectReorder(columns) => {
                self.put("project-reorder");
                if columns.len() > 6 {
                    return self.list_of_names(columns, |c| c.name.span.0.start, Self::reorder_key);
                }
                self.list(columns, |c| c.name.span.0.start, Self::reorder_key);
            }
            OperatorKind::Range(range) => {
                self.put("range ");
                self.leaf(|o| text::declared(o, &range.name.text));
                self.clause(" from ", &range.from);
                self.clause(" to ", &range.to);
                self.clause(" step ", &range.step);
            }
            OperatorKind::Reduce(reduce) => {
                self.keyword("reduce", &reduce.params);
                self.put(" by ");
                self.named_or_expr(&reduce.by);
                if !reduce.properties.is_empty() {
                    self.put(" with ");
                    self.inline(&reduce.properties, Self::param);
                }
            }
            OperatorKind::Render(render) => self.render(render),
            OperatorKind::Sample { params, count } => self.counted("sample", params, count),
            OperatorKind::SampleDistinct { params, count, of } => {
                self.counted("sample-distinct", params, count);
                self.put(" of ");
                self.named_or_expr(of);
            }
            OperatorKind::Scan(scan) => self.scan(scan),
            OperatorKind::Search(search) => self.search(search),
            OperatorKind::Serialize { params, columns } => {
                self.keyword("serialize", params);
                self.named_list(columns);
            }
            OperatorKind::Sort { params, keys } => {
                self.keyword("sort", params);
                self.put(" by");
                self.list(keys, |k| start_of_named(&k.value), Self::sort_key);
            }
            OperatorKind::Summarize(summarize) => self.summarize(summarize, operator.span),
            OperatorKind::Take { params, count } => self.counted("take", params, count),
            OperatorKind::Top { params, count, by } => {
                self.counted("top", params, count);
                self.put(" by ");
                self.sort_key(by);
            }
            OperatorKind::TopHitters { params, count, of, by } => {
                self.counted("top-hitters", params, count);
                self.put(" of ");
                self.named(of);
                if let Some(by) = by {
                    self.put(" by ");
                    self.named(by);
                }
            }
            OperatorKind::TopNested(clauses) => self.top_nested(clauses),
            OperatorKind::Union { params, tables } => {
                self.keyword("union", params);
                self.tables(tables);
            }
            OperatorKind::Where { params, predicate } => self.filter("where", params, predicate),
            OperatorKind::Error => {}
        }
    }

    fn keyword(&mut self, keyword: &str, params: &[Param]) {
        self.put(keyword);
        self.params(params);
    }

    /// Parameters, each after a blank.
    pub(super) fn params(&mut self, params: &[Param]) {
        for param in params {
            self.put(" ");
            self.param(param);
        }
    }

    pub(super) fn param(&mut self, param: &Param) {
        self.param_name(&param.name);
        self.put("=");
        self.param_value(&param.value);
    }

    fn param_name(&mut self, name: &Name) {
        let plain = name.text.split('.').all(text::is_identifier);
        if plain { self.put(&name.text) } else { self.leaf(|o| text::bracketed(o, &name.text)) }
    }

    fn param_value(&mut self, value: &ParamValue) {
        match value {
            ParamValue::Word(word) => self.leaf(|o| text::word(o, word)),
            ParamValue::Expr(expr) => self.expr(expr),
            ParamValue::Words(names) => self.inline(names, |p, n| p.leaf(|o| text::declared(o, &n.text))),
        }
    }

    /// ` with (name=value, …)`, if there are any.
    pub(super) fn with_properties(&mut self, properties: &[Param]) {
        if properties.is_empty() {
            return;
        }
        self.put(" with (");
        if !self.try_flat(Loc::default(), |p| p.inline(properties, Self::param)) {
            self.indented(|p| p.stacked(properties, |x| x.name.span.0.start, Self::param));
            self.newline();
        }
        self.put(")");
    }

    fn clause(&mut self, keyword: &str, value: &Expr) {
        self.put(keyword);
        self.expr(value);
    }

    fn counted(&mut self, keyword: &str, params: &[Param], count: &Expr) {
        self.keyword(keyword, params);
        self.put(" ");
        self.named_or_expr(count);
    }

    fn limit(&mut self, limit: Option<&Expr>) {
        if let Some(limit) = limit {
            self.clause(" limit ", limit);
        }
    }

    /// A list behind a keyword: on its line if it fits, else one item a line below it.
    fn list<T>(&mut self, items: &[T], start: impl Fn(&T) -> u32, write: impl Fn(&mut Self, &T)) {
        if items.is_empty() {
            return;
        }
        let first = items.first().map_or(0, &start);
        let last = items.last().map_or(0, &start);
        let span = Loc(ruleferry_diag::Span::new(first, last));
        let one_line = |p: &mut Self| {
            p.put(" ");
            p.inline(items, &write);
        };
        if self.try_flat(span, one_line) {
            return;
        }
        if items.len() == 1 {
            self.put(" ");
            items.iter().for_each(|item| write(self, item));
            return;
        }
        self.indented(|p| p.stacked(items, start, &write));
    }

    pub(super) fn named_list(&mut self, items: &[NamedExpr]) {
        let bare = |i: &NamedExpr| matches!(i.names, ColumnNames::Default) && i.value.as_name().is_some();
        if items.len() > 6 && items.iter().all(bare) {
            return self.list_of_names(items, start_of_named, Self::named);
        }
        if self.holds_comment(span_of_list(items)) && items.len() > 1 {
            self.indented(|p| p.stacked(items, start_of_named, Self::named_item));
            return;
        }
        self.list(items, start_of_named, Self::named_item);
    }

    /// As [`Self::list`], for many short items: as many on a line as fit.
    fn list_of_names<T>(&mut self, items: &[T], start: impl Fn(&T) -> u32, write: impl Fn(&mut Self, &T)) {
        let first = items.first().map_or(0, &start);
        let last = items.last().map_or(0, &start);
        let one_line = |p: &mut Self| {
            p.put(" ");
            p.inline(items, &write);
        };
        if !self.try_flat(Loc(ruleferry_diag::Span::new(first, last)), one_line) {
            self.indented(|p| p.filled(items, start, &write));
        }
    }

    fn expr_list(&mut self, items: &[Expr]) {
        if items.len() > 6 && items.iter().all(|i| i.as_name().is_some()) {
            return self.list_of_names(items, start_of, Self::expr);
        }
        self.list(items, start_of, Self::named_or_expr);
    }

    fn patterns(&mut self, items: &[NamePattern]) {
        let write = |p: &mut Self, i: &NamePattern| p.leaf(|o| text::pattern(o, &i.text));
        if items.len() > 6 {
            return self.list_of_names(items, |i| i.span.0.start, write);
        }
        self.list(items, |i| i.span.0.start, write);
    }

    fn reorder_key(&mut self, key: &ReorderKey) {
        self.leaf(|o| text::pattern(o, &key.name.text));
        self.put(match key.direction {
            None => "",
            Some(ReorderDirection::Asc) => " asc",
            Some(ReorderDirection::Desc) => " desc",
            Some(ReorderDirection::GrannyAsc) => " granny-asc",
            Some(ReorderDirection::GrannyDesc) => " granny-desc",
        });
    }

    fn sort_key(&mut self, key: &SortKey) {
        self.named(&key.value);
        self.put(match key.direction {
            None => "",
            Some(Direction::Asc) => " asc",
            Some(Direction::Desc) => " desc",
        });
        self.put(match key.nulls {
            None => "",
            Some(Nulls::First) => " nulls first",
            Some(Nulls::Last) => " nulls last",
        });
    }

    fn filter(&mut self, keyword: &str, params: &[Param], predicate: &Expr) {
        self.keyword(keyword, params);
        self.put(" ");
        self.named_or_expr(predicate);
    }

    fn summarize(&mut self, summarize: &Summarize, span: Loc) {
        let by = |p: &mut Self| {
            if !summarize.by.is_empty() || summarize.bin.is_some() {
                p.put("by");
                p.named_list(&summarize.by);
                if let Some(bin) = &summarize.bin {
                    p.clause(" bin=", bin);
                }
            }
        };
        let one_line = |p: &mut Self| {
            p.keyword("summarize", &summarize.params);
            p.named_list(&summarize.aggregates);
            if !summarize.by.is_empty() {
                p.put(" ");
            }
            by(p);
        };
        if self.try_flat(span, one_line) {
            return;
        }
        self.keyword("summarize", &summarize.params);
        self.indented(|p| {
            p.stacked(&summarize.aggregates, start_of_named, Self::named_item);
            if !summarize.by.is_empty() {
                p.comments_before(summarize.by.first().map_or(0, start_of_named));
                p.newline();
                by(p);
            }
        });
    }

    fn join(&mut self, keyword: &str, join: &Join) {
        self.keyword(keyword, &join.params);
        self.put(" ");
        let one_line = |p: &mut Self| {
            p.entity(&join.right);
            p.join_condition(&join.condition);
        };
        if self.try_flat(join.right.span, one_line) {
            return;
        }
        match &join.right.kind {
            ExprKind::Pipeline(_) => self.block(&join.right),
            _ => self.entity(&join.right),
        }
        self.join_condition(&join.condition);
    }

    fn join_condition(&mut self, condition: &JoinCondition) {
        match condition {
            JoinCondition::None => {}
            JoinCondition::On(keys) => {
                self.put(" on");
                self.expr_list(keys);
            }
            JoinCondition::Where(predicate) => {
                self.put(" where ");
                self.expr(predicate);
            }
        }
    }

    /// The operands of `union`.
    fn tables(&mut self, tables: &[Expr]) {
        let simple = tables.iter().all(|t| !matches!(t.kind, ExprKind::Pipeline(_)));
        if simple || tables.len() == 1 || self.flat {
            return self.list(tables, start_of, Self::entity);
        }
        self.indented(|p| p.stacked(tables, start_of, Self::entity));
    }

    fn mv_columns(&mut self, columns: &[MvColumn]) {
        self.list(
            columns,
            |c| start_of_named(&c.value),
            |p, column| {
                // `id` and `limit` would read as clauses of their own.
                let clause = matches!(&column.value, NamedExpr { names: ColumnNames::Default, value }
                if value.as_name().is_some_and(|n| n == "id"));
                if clause {
                    p.leaf(|o| text::bracketed(o, "id"));
                } else {
                    p.named(&column.value);
                }
                if let Some(ty) = &column.to {
                    p.put(" to typeof(");
                    p.put(ty.name());
                    p.put(")");
                }
            },
        );
    }

    fn make_series(&mut self, make: &MakeSeries, span: Loc) {
        let series = |p: &mut Self, s: &super::super::tree::Series| {
            p.named(&s.value);
            if let Some(default) = &s.default {
                p.put(" default=");
                p.named_or_expr(default);
            }
        };
        let axis = |p: &mut Self| {
            p.put("on ");
            p.named(&make.on);
            match &make.range {
                SeriesRange::FromToStep { from, to, step } => {
                    if let Some(from) = from {
                        p.clause(" from ", from);
                    }
                    if let Some(to) = to {
                        p.clause(" to ", to);
                    }
                    p.clause(" step ", step);
                }
                SeriesRange::InRange(args) => {
                    p.put(" in range(");
                    p.inline(args, Self::named_or_expr);
                    p.put(")");
                }
            }
        };
        let one_line = |p: &mut Self| {
            p.keyword("make-series", &make.params);
            p.put(" ");
            p.inline(&make.series, series);
            p.put(" ");
            axis(p);
            if !make.by.is_empty() {
                p.put(" by");
                p.named_list(&make.by);
            }
        };
        if self.try_flat(span, one_line) {
            return;
        }
        self.keyword("make-series", &make.params);
        self.indented(|p| {
            p.stacked(&make.series, |s| start_of_named(&s.value), series);
            p.comments_before(start_of_named(&make.on));
            p.newline();
            axis(p);
            if !make.by.is_empty() {
                p.comments_before(make.by.first().map_or(0, start_of_named));
                p.newline();
                p.put("by");
                p.named_list(&make.by);
            }
        });
    }

    fn parse(&mut self, parse: &Parse) {
        self.keyword(if parse.filter { "parse-where" } else { "parse" }, &parse.params);
        self.put(" ");
        self.expr(&parse.subject);
        self.put(" with");
        let one_line = |p: &mut Self| {
            for part in &parse.pattern {
                p.put(" ");
                p.parse_part(part);
            }
        };
        if self.try_flat(Loc::default(), one_line) {
            return;
        }
        // Each text with the column behind it.
        self.indented(|p| {
            let mut fresh = true;
            for part in &parse.pattern {
                let text = matches!(part, ParsePart::Text(_));
                if fresh || text {
                    p.newline()
                } else {
                    p.put(" ")
                }
                p.parse_part(part);
                fresh = false;
            }
        });
    }

    fn parse_part(&mut self, part: &ParsePart) {
        match part {
            ParsePart::Star => self.put("*"),
            ParsePart::Text(literal) => self.leaf(|o| text::string(o, literal)),
            ParsePart::Column { name, ty } => {
                self.leaf(|o| text::declared(o, &name.text));
                if let Some(ty) = ty {
                    self.put(":");
                    self.put(ty.name());
                }
            }
        }
    }

    fn evaluate(&mut self, evaluate: &Evaluate) {
        self.keyword("evaluate", &evaluate.params);
        self.put(" ");
        self.expr(&evaluate.call);
        if let Some(schema) = &evaluate.schema {
            self.put(" : (");
            if schema.star {
                self.put(if schema.columns.is_empty() { "*" } else { "*, " });
            }
            self.inline(&schema.columns, Self::column_decl);
            self.put(")");
        }
    }

    fn render(&mut self, render: &Render) {
        self.put("render ");
        self.leaf(|o| text::word(o, &render.chart.text));
        // `by` and a bare `with` are legacy and have no place in `with (…)`.
        let (legacy, modern): (Vec<_>, Vec<_>) =
            render.properties.iter().partition(|p| matches!(p.name.text.as_str(), "by" | "with"));
        for property in &legacy {
            self.put(" ");
            self.put(&property.name.text);
            self.put(" ");
            self.param_value(&property.value);
        }
        let modern: Vec<Param> = modern.into_iter().cloned().collect();
        self.with_properties(&modern);
    }

    fn find(&mut self, find: &Find) {
        self.keyword("find", &find.params);
        self.in_tables(&find.tables);
        self.put(" where ");
        self.expr(&find.predicate);
        match &find.project {
            FindProject::None => {}
            FindProject::Smart => self.put(" project-smart"),
            FindProject::Columns(columns) => {
                self.put(" project ");
                self.inline(columns, Self::find_column);
            }
            FindProject::Away(columns) => {
                self.put(" __projectAway");
                self.patterns(columns);
            }
        }
    }

    fn find_column(&mut self, column: &FindColumn) {
        match column {
            FindColumn::Star => self.put("*"),
            FindColumn::PackAll => self.put("pack(*)"),
            FindColumn::Column { name, ty } => {
                self.leaf(|o| text::declared(o, &name.text));
                if let Some(ty) = ty {
                    self.put(": ");
                    self.put(ty.name());
                }
            }
        }
    }

    /// ` in (tables)`, if there are any.
    fn in_tables(&mut self, tables: &[Expr]) {
        if tables.is_empty() {
            return;
        }
        self.put(" in (");
        let item = |p: &mut Self, table: &Expr| p.pipe(table);
        if !self.try_flat(Loc::default(), |p| p.inline(tables, item)) {
            self.indented(|p| p.stacked(tables, start_of, item));
            self.newline();
        }
        self.put(")");
    }

    fn search(&mut self, search: &Search) {
        self.keyword("search", &search.params);
        self.in_tables(&search.tables);
        self.put(" ");
        self.expr(&search.predicate);
    }

    /// `( operators )`
    pub(super) fn body(&mut self, body: &Pipeline) {
        let one_line = |p: &mut Self| {
            p.put("(");
            p.pipeline(body);
            p.put(")");
        };
        if body.operators.len() <= 1 && self.try_flat(body.span, one_line) {
            return;
        }
        if self.flat {
            return one_line(self);
        }
        self.put("(");
        self.indented(|p| {
            p.comments_before(body.span.0.start);
            p.newline();
            p.pipeline(body);
            p.comments_before(body.span.0.end);
        });
        self.newline();
        self.put(")");
    }

    fn fork(&mut self, branches: &[ForkBranch]) {
        self.put("fork");
        self.indented(|p| {
            for branch in branches {
                p.comments_before(branch.body.span.0.start);
                p.gap();
                if let Some(name) = &branch.name {
                    p.leaf(|o| text::declared(o, &name.text));
                    p.put(" = ");
                }
                p.body(&branch.body);
            }
        });
    }

    fn partition(&mut self, partition: &Partition) {
        let scoped = matches!(partition.body, PartitionBody::Scoped { .. });
        self.keyword(if scoped { "__partitionby" } else { "partition" }, &partition.params);
        self.put(if scoped { " " } else { " by " });
        self.expr(&partition.by);
        if let Some(scope) = &partition.scope {
            self.clause(" in ", scope);
        }
        self.put(" ");
        match &partition.body {
            PartitionBody::Operators(body) => self.body(body),
            PartitionBody::Scoped { context, body } => {
                if let Some(context) = context {
                    self.put("id ");
                    self.expr(context);
                    self.put(" ");
                }
                self.body(body);
            }
            PartitionBody::Query(query) => {
                self.put("{");
                self.indented(|p| {
                    p.gap();
                    p.pipe(query);
                });
                self.gap();
                self.put("}");
            }
        }
    }

    fn scan(&mut self, scan: &Scan) {
        self.keyword("scan", &scan.params);
        if !scan.order_by.is_empty() {
            self.put(" order by ");
            self.inline(&scan.order_by, Self::sort_key);
        }
        if !scan.partition_by.is_empty() {
            self.put(" partition by ");
            self.inline(&scan.partition_by, Self::expr);
        }
        if !scan.declare.is_empty() {
            self.put(" declare ");
            self.columns(&scan.declare);
        }
        self.put(" with (");
        self.indented(|p| {
            for step in &scan.steps {
                p.comments_before(step.span.0.start);
                p.gap();
                p.scan_step(step);
            }
        });
        self.gap();
        self.put(")");
    }

    fn scan_step(&mut self, step: &ScanStep) {
        self.put("step ");
        self.leaf(|o| text::declared(o, &step.name.text));
        if step.optional {
            self.put(" optional");
        }
        if let Some(output) = &step.output {
            self.put(" output=");
            self.leaf(|o| text::word(o, &output.text));
        }
        self.put(": ");
        self.expr(&step.condition);
        if !step.assignments.is_empty() {
            self.put(" =>");
            self.named_list(&step.assignments);
        }
        self.put(";");
    }

    fn top_nested(&mut self, clauses: &[TopNested]) {
        let clause = |p: &mut Self, c: &TopNested| {
            p.put("top-nested ");
            if let Some(count) = &c.count {
                p.named_or_expr(count);
                p.put(" ");
            }
            p.put("of ");
            p.named(&c.of);
            if let Some(others) = &c.others {
                p.clause(" with others=", others);
            }
            p.put(" by ");
            p.sort_key(&c.by);
        };
        for (i, item) in clauses.iter().enumerate() {
            if i > 0 {
                self.put(",");
                self.comments_before(start_of_named(&item.of));
                self.depth += 1;
                self.gap();
                self.depth -= 1;
            }
            clause(self, item);
        }
    }
}
