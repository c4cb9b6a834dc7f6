//! Tables: scans of the data source, inputs from outside of the query, references to `let` tables.

use super::{refuse_column, refuse_operator};
use crate::build;
use crate::lower::block::{Block, Keep, Relation, SourceColumn};
use crate::lower::walk::Uses;
use crate::lower::{Lowerer, Need, Refusal, Result, Scope, TableInfo, table_columns};
use ruleferry_diag::Span;
use ruleferry_diag::codes;
use ruleferry_ir::{
    Arithmetic, ArithmeticOp, BindingId, BindingValue, ColId, CompareOp, Expr, ExprKind, Input, InputKind,
    JoinKind, Missing, Plan, Scan, Source, Type, Value,
};
use smol_str::SmolStr;
use sqlparser::ast::{self, Join, JoinConstraint, JoinOperator};

impl Lowerer<'_> {
    pub(super) fn scan(&mut self, plan: &Plan, scan: &Scan) -> Result<Block> {
        match &scan.source {
            Source::Table(table) => {
                if !table.qualifiers.is_empty() {
                    let path: Vec<String> =
                        table.qualifiers.iter().map(|(f, a)| format!("{f}({a})")).collect();
                    self.assume(format!(
                        "`{}` of {} is read as the table `{}`",
                        table.name,
                        path.join("."),
                        table.name
                    ));
                }
                let relation = self.table(&table.name, &plan.output, scan.open);
                let block = Block::over(relation);
                match scan.time {
                    Some(time) => self.look_back(block, time, plan.span),
                    None => Ok(block),
                }
            }
            Source::Glob(glob) => Err(Refusal::new(
                codes::SQL_OPEN_COLUMNS,
                plan.span,
                format!("which tables `{glob}` names is not known"),
            )
            .help("name the tables")),
            Source::Input(input) => self.input(plan, scan, input),
        }
    }

    /// A table by its name, with columns named as in the plan.
    fn table(&mut self, name: &str, output: &[ColId], open: bool) -> Relation {
        let columns = table_columns(self.query, output)
            .map(|(id, name)| SourceColumn { id: Some(id), name, present: false })
            .collect();
        Relation { factor: build::table(name), columns, open, order: Vec::new(), around: Vec::new() }
    }

    fn input(&mut self, plan: &Plan, scan: &Scan, input: &Input) -> Result<Block> {
        if let Some(over) = &input.over {
            return self.invoked(plan, input, over);
        }
        let relation = self.table(&input.name, &plan.output, scan.open);
        self.need(input.kind, &input.name, &plan.output);
        Ok(Block::over(relation))
    }

    fn need(&mut self, kind: InputKind, name: &SmolStr, output: &[ColId]) {
        let columns: Vec<(SmolStr, Type)> =
            table_columns(self.query, output).map(|(id, name)| (name, self.ty(id))).collect();
        match self.needs.iter_mut().find(|n| n.name == *name) {
            Some(need) => {
                for column in columns {
                    if !need.columns.iter().any(|(n, _)| *n == column.0) {
                        need.columns.push(column);
                    }
                }
            }
            None => self.needs.push(Need { kind, name: name.clone(), columns }),
        }
    }

    /// `T | invoke FileProfile(SHA1)`: the rows beside what the input table has for their key.
    fn invoked(&mut self, plan: &Plan, input: &Input, over: &Plan) -> Result<Block> {
        let left = self.block(over)?;
        let key = input.args.iter().find_map(Expr::as_column);
        let Some(key) =
            key.or_else(|| over.output.iter().copied().find(|id| self.column_name(*id) == "SHA1"))
        else {
            return Err(refuse_operator(plan.span, &format!("`invoke {}` without a key column", input.name))
                .help("give the column that the function looks up"));
        };
        if left.out(key).is_none() {
            return Err(refuse_column(plan.span));
        }
        let added: Vec<ColId> = plan.output.iter().copied().filter(|id| left.out(*id).is_none()).collect();
        let key_name = SmolStr::new(self.column_name(key));
        let mut right = self.table(&input.name, &added, false);
        // The key stands on the left already.
        right.columns.push(SourceColumn { id: None, name: key_name.clone(), present: false });
        self.need(input.kind, &input.name, &added);
        if let Some(need) = self.needs.iter_mut().find(|n| n.name == input.name)
            && !need.columns.iter().any(|(n, _)| *n == key_name)
        {
            need.columns.insert(0, (key_name.clone(), self.query.columns.ty(key)));
        }
        self.assume(format!(
            "`{}` is read from a table of that name, one row for each `{key_name}`",
            input.name
        ));
        let left = self.close(left)?;
        let (l, r) = self.sides(&left, &right);
        let on = build::eq(
            build::qualified(&l, left.column(key).map_or(key_name.as_str(), |c| &c.name)),
            build::qualified(&r, &key_name),
        );
        let mut block = join_of(left, &l, right, &r, JoinKind::LeftOuter, on);
        for i in 0..block.outs.len() {
            if let Some(out) = block.outs.get(i)
                && added.contains(&out.id)
                && self.maybe_missing(out)
            {
                let filled = super::fill_string(out);
                block.set_out(Some(i), filled);
            }
        }
        super::sort_outs(&mut block, &plan.output);
        block.hint = "profiled";
        Ok(block)
    }

    /// Short names for the two sides of a join that no column has.
    pub(super) fn sides(&self, left: &Relation, right: &Relation) -> (SmolStr, SmolStr) {
        let taken =
            |name: &str| left.columns.iter().chain(&right.columns).any(|c| c.name.eq_ignore_ascii_case(name));
        if taken("l") || taken("r") { ("lhs".into(), "rhs".into()) } else { ("l".into(), "r".into()) }
    }

    /// A reference to a `let` table: its CTE, made at the first reference.
    pub(super) fn reference(&mut self, plan: &Plan, id: BindingId) -> Result<Block> {
        let info = self.binding_table(id, plan.span)?;
        if let Some(BindingValue::Table { plan: bound, .. }) = self.binding(id).map(|b| &b.value) {
            for (from, to) in bound.output.iter().zip(plan.output.iter()) {
                if let Some(weight) = self.weights.get(from).copied() {
                    self.weights.insert(*to, weight);
                }
            }
        }
        let columns = plan
            .output
            .iter()
            .zip(&info.columns)
            .map(|(id, c)| SourceColumn { id: Some(*id), name: c.name.clone(), present: c.present })
            .collect();
        Ok(Block::over(Relation {
            factor: build::table(&info.name),
            columns,
            open: info.open,
            order: Vec::new(),
            around: Vec::new(),
        }))
    }

    fn binding_table(&mut self, id: BindingId, span: Span) -> Result<TableInfo> {
        if let Some(info) = self.tables.get(&id) {
            return Ok(info.clone());
        }
        let Some(binding) = self.binding(id) else { return Err(refuse_column(span)) };
        let BindingValue::Table { plan, materialized } = &binding.value else {
            return Err(refuse_operator(span, "a value in the place of a table"));
        };
        self.table_of(id, &binding.name, plan, *materialized)
    }

    /// The CTE of a binding.
    fn table_of(&mut self, id: BindingId, name: &str, plan: &Plan, materialized: bool) -> Result<TableInfo> {
        // A body that reads a row around it may still refer to tables of the query: those stand outside of it.
        let lateral = std::mem::take(&mut self.lateral);
        let (outer, outer_name) = (std::mem::take(&mut self.row), self.prefix.replace(name.into()));
        let outer_rows = std::mem::take(&mut self.rows_block);
        let name = self.fresh(name);
        let result = self.block(plan).and_then(|block| {
            let open = block.is_trivial_or_star();
            let heavy = self.settles(&block.outs);
            let columns: Vec<SourceColumn> = plan
                .output
                .iter()
                .filter_map(|id| block.out(*id))
                .map(|o| SourceColumn { id: None, name: o.name.clone(), present: o.present })
                .collect();
            if columns.len() != plan.output.len() {
                return Err(refuse_column(plan.span));
            }
            let query = self.finish(block, false)?;
            Ok((columns, open, query, heavy))
        });
        self.lateral = lateral;
        self.row = outer;
        self.rows_block = outer_rows;
        self.prefix = outer_name;
        let (columns, open, query, heavy) = result?;
        self.add_cte(name.clone(), query, materialized || heavy);
        self.kept.insert(build::ident(&name).value);
        let info = TableInfo { name, columns, open };
        self.tables.insert(id, info.clone());
        Ok(info)
    }

    /// A `let` of one value from a query: a CTE of its name, and the query that reads it.
    pub(crate) fn scalar_table(&mut self, id: BindingId, plan: &Plan) -> Result<ast::Query> {
        let info = match self.tables.get(&id) {
            Some(info) => info.clone(),
            None => {
                let name = self.binding(id).map(|b| b.name.clone()).unwrap_or_default();
                self.table_of(id, &name, plan, false)?
            }
        };
        let column = info.columns.first().map(|c| c.name.clone()).unwrap_or_default();
        Ok(build::select_query(ast::Select {
            projection: vec![ast::SelectItem::UnnamedExpr(build::column(&column))],
            from: vec![build::from(build::table(&info.name))],
            ..build::empty_select()
        }))
    }

    /// The rule's look-back as a filter on the time column, unless the query bounds it at least as tightly.
    fn look_back(&mut self, block: Block, time: ColId, span: Span) -> Result<Block> {
        let Some(ticks) = self.options.look_back else { return Ok(block) };
        if self.bounds.iter().any(|(id, bound)| *id == time && *bound <= ticks) {
            return Ok(block);
        }
        let start = Expr::arithmetic(
            ArithmeticOp::Sub,
            Expr::new(ExprKind::Now, Type::Datetime, span),
            Expr::literal(Value::Timespan(ticks), span),
            Type::Datetime,
            span,
        );
        let test = Expr::compare(
            CompareOp::Ge,
            Expr::column(time, Type::Datetime, span),
            start,
            Missing::Null,
            span,
        );
        let mut block = block;
        let scope: Scope = block.scope(self, Keep::All, &Uses::of([&test]));
        let sql = self.predicate(&test, &scope)?;
        block.filters.push(sql);
        block.hint = "recent";
        Ok(block)
    }
}

/// How far back from now a conjunct `time > ago(x)` reaches, in ticks.
pub(crate) fn time_bound(e: &Expr, literal: &dyn Fn(&Expr) -> Option<i64>) -> Option<(ColId, i64)> {
    let back = |e: &Expr| match &e.kind {
        ExprKind::Arithmetic(a) => {
            let Arithmetic { op: ArithmeticOp::Sub, left, right } = &**a else { return None };
            matches!(left.kind, ExprKind::Now).then(|| literal(right)).flatten()
        }
        _ => None,
    };
    match &e.kind {
        ExprKind::Compare(c) => match c.op {
            CompareOp::Gt | CompareOp::Ge => Some((c.left.as_column()?, back(&c.right)?)),
            CompareOp::Lt | CompareOp::Le => Some((c.right.as_column()?, back(&c.left)?)),
            CompareOp::Eq | CompareOp::Ne => None,
        },
        ExprKind::Between(b) => Some((b.subject.as_column()?, back(&b.low)?)),
        _ => None,
    }
}

/// `left AS l JOIN right AS r ON …`, all columns of both.
pub(super) fn join_of(
    left: Relation,
    l: &SmolStr,
    right: Relation,
    r: &SmolStr,
    kind: JoinKind,
    on: ast::Expr,
) -> Block {
    let constraint = JoinConstraint::On(on);
    let join_operator = match kind {
        JoinKind::Inner | JoinKind::InnerUnique => JoinOperator::Join(constraint),
        JoinKind::LeftOuter => JoinOperator::Left(constraint),
        JoinKind::RightOuter => JoinOperator::Right(constraint),
        JoinKind::FullOuter => JoinOperator::FullOuter(constraint),
        JoinKind::LeftSemi | JoinKind::RightSemi => JoinOperator::Semi(constraint),
        JoinKind::LeftAnti | JoinKind::RightAnti => JoinOperator::Anti(constraint),
    };
    let semi = matches!(join_operator, JoinOperator::Semi(_) | JoinOperator::Anti(_));
    let mut block = Block { hint: "joined", ..Block::default() };
    let mut from = build::from(build::aliased(left.factor, l, &[]));
    from.joins.push(Join { relation: build::aliased(right.factor, r, &[]), global: false, join_operator });
    block.from.push(from);
    // After a semi join only the left side's names are there, so they need no qualifier; one does no harm.
    block.add_source(Some(l.clone()), left.columns, left.open);
    if !semi {
        block.add_source(Some(r.clone()), right.columns, right.open);
    }
    block
}
