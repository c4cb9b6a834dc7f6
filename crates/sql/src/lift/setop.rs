//! UNION, INTERSECT and EXCEPT.

use super::block::{Block, Col, Source, same_name};
use super::nulls::Nulls;
use super::{Lifter, Result, Val};
use ruleferry_diag::Span;
use ruleferry_ir::functions::{self, FunctionKind};
use ruleferry_ir::{
    Aggregate, AggregateCall, AggregateItem, ColId, CompareOp, Expr, Item, Missing, Op, Plan, Type, Union,
    Value,
};
use smol_str::SmolStr;
use sqlparser::ast;

/// How rows of two queries are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Name,
    Place,
}

impl<'q> Lifter<'q> {
    /// The rows of several queries.
    pub(super) fn union(&mut self, body: &'q ast::SetExpr) -> Result<Block<'q>> {
        let ast::SetExpr::SetOperation { left, op, set_quantifier, right } = body else {
            return self.branch(body);
        };
        let (by, distinct) = match set_quantifier {
            ast::SetQuantifier::All => (By::Place, false),
            ast::SetQuantifier::Distinct | ast::SetQuantifier::None => (By::Place, true),
            ast::SetQuantifier::AllByName => (By::Name, false),
            ast::SetQuantifier::ByName | ast::SetQuantifier::DistinctByName => (By::Name, true),
        };
        match op {
            ast::SetOperator::Union => {
                let mut branches = Vec::new();
                branches_of(body, *set_quantifier, &mut branches);
                let mut blocks = Vec::with_capacity(branches.len());
                for branch in branches {
                    blocks.push(self.deeper(|l| l.union(branch))?);
                }
                let block = self.united(blocks, by, body)?;
                if distinct { self.distinct_rows(block, body) } else { Ok(block) }
            }
            ast::SetOperator::Intersect | ast::SetOperator::Except | ast::SetOperator::Minus
                if distinct && by == By::Place =>
            {
                let (a, b) = (self.deeper(|l| l.union(left))?, self.deeper(|l| l.union(right))?);
                self.matched(a, b, *op == ast::SetOperator::Intersect, body)
            }
            _ => Err(self.clause(body, "this combination of queries")),
        }
    }

    fn branch(&mut self, body: &'q ast::SetExpr) -> Result<Block<'q>> {
        match body {
            ast::SetExpr::Select(select) => self.deeper(|l| l.select(select, &[], false, false)),
            ast::SetExpr::Query(query) => self.deeper(|l| l.query(query, false)),
            _ => Err(self.clause(body, "this branch of a combination")),
        }
    }

    fn united(&mut self, mut blocks: Vec<Block<'q>>, by: By, body: &'q ast::SetExpr) -> Result<Block<'q>> {
        let mut cols: Vec<Col> = Vec::new();
        let mut columns: Vec<Vec<Option<ColId>>> = Vec::new();
        let count = blocks.len();
        for n in 0..count {
            let Some(block) = blocks.get(n) else { continue };
            let own: Vec<Col> = block.cols().cloned().collect();
            if by == By::Place && n > 0 && own.len() != cols.len() {
                return Err(self.types(body, "the branches have not the same number of columns"));
            }
            for (place, col) in own.iter().enumerate() {
                if col.fields.is_some() {
                    return Err(self.clause(body, "a struct in a UNION"));
                }
                let ty = self.columns.ty(col.id);
                let found = match by {
                    By::Name => cols.iter().position(|c| same_name(&c.name, &col.name)),
                    By::Place => (n > 0).then_some(place),
                };
                let at = match found {
                    Some(at) => at,
                    None => {
                        let id = self.add(&col.name, ty);
                        let nulls = Nulls { never_empty: true, ..Nulls::PRESENT };
                        cols.push(Col { name: col.name.clone(), id, nulls, fields: None });
                        columns.push(vec![None; count]);
                        cols.len() - 1
                    }
                };
                let (Some(out), Some(sources)) = (cols.get_mut(at), columns.get_mut(at)) else { continue };
                let known = self.columns.ty(out.id);
                if known != ty {
                    let wider = functions::common_type([known, ty], false);
                    if !(known.is_numeric() && ty.is_numeric()) {
                        let (name, out) = (&col.name, out.id);
                        let mut val = Val::exact(self.column(col.id));
                        if self.settle(&mut val, known) {
                            self.columns.get_mut(out);
                        } else {
                            let message =
                                format!("`{name}` is `{known}` in one branch and `{ty}` in another");
                            return Err(self.types(body, message));
                        }
                    } else if let Some(column) = self.columns.get_mut(out.id) {
                        column.ty = wider;
                    }
                }
                out.nulls = out.nulls.or(&col.nulls);
                if let Some(slot) = sources.get_mut(n) {
                    *slot = Some(col.id);
                }
            }
        }
        self.flagged_union(&mut blocks, &mut cols, &mut columns, std::ptr::from_ref(body).addr());
        // Numbers of several widths come as the widest.
        for (out, sources) in cols.iter_mut().zip(&mut columns) {
            let ty = self.columns.ty(out.id);
            for (slot, block) in sources.iter_mut().zip(&mut blocks) {
                if let Some(id) = slot
                    && self.columns.ty(*id) != ty
                {
                    let value = self.column(*id).cast(ty, true);
                    let new = self.add(&out.name, ty);
                    block.extend(new, value);
                    *slot = Some(new);
                }
            }
            if sources.iter().any(Option::is_none) {
                out.nulls = out.nulls.padded();
            }
        }
        let mut output: Vec<ColId> = cols.iter().map(|c| c.id).collect();
        output.extend(cols.iter().filter_map(|c| c.nulls.known));
        let union = Union {
            inputs: blocks.into_iter().map(|b| b.plan).collect(),
            columns,
            inner: false,
            fuzzy: false,
            source: None,
            labels: Vec::new(),
        };
        let plan = Plan::new(Op::Union(union), output, self.span(body));
        Ok(Block::new(plan, vec![Source { qualifier: None, cols, open: None }]))
    }

    /// Texts of which the branches know in several ways where they are NULL: a column says so, where someone asked.
    fn flagged_union(
        &mut self,
        blocks: &mut [Block<'q>],
        cols: &mut [Col],
        columns: &mut Vec<Vec<Option<ColId>>>,
        key: usize,
    ) {
        for (at, out) in cols.iter_mut().enumerate() {
            let text = self.columns.ty(out.id) == Type::String;
            if !text || !out.nulls.sql || out.nulls.exact || out.nulls.never_empty {
                continue;
            }
            let key = key.wrapping_add(at).wrapping_mul(31);
            let Some(sources) = columns.get(at).cloned() else { continue };
            let mut conditions = Vec::with_capacity(blocks.len());
            for (id, block) in sources.iter().zip(blocks.iter()) {
                let col = block.cols().find(|c| Some(c.id) == *id);
                conditions.push(match col {
                    None => Ok(Expr::bool(false, Span::default())),
                    Some(col) => {
                        let val = Val::new(self.column(col.id), col.nulls.clone());
                        val.nulls
                            .condition(&val.e)
                            .map(|c| {
                                c.map_or(Expr::bool(true, Span::default()), |c| c.negated(Span::default()))
                            })
                            .map_err(|()| val)
                    }
                });
            }
            if !self.wanted.borrow().contains(&key) {
                // It can be had, if each branch has it or can have it.
                let can = conditions.iter().all(|c| match c {
                    Ok(_) => true,
                    Err(val) => val.nulls.pending.is_some(),
                });
                out.nulls.pending = can.then_some(key);
                continue;
            }
            let mut flags = Vec::with_capacity(blocks.len());
            for (condition, block) in conditions.into_iter().zip(blocks.iter_mut()) {
                let condition = match condition {
                    Ok(c) => c,
                    Err(val) => {
                        // Asks the branch for it.
                        let _ = self.cond(&val);
                        continue;
                    }
                };
                let id = self.add("known_", Type::Bool);
                block.extend(id, condition);
                self.flags.insert(id);
                flags.push(Some(id));
            }
            if flags.len() == blocks.len() {
                let id = self.add("known_", Type::Bool);
                self.flags.insert(id);
                out.nulls.known = Some(id);
                columns.push(flags);
            }
        }
    }

    /// Rows without doubles. A missing text and the empty one are two values.
    pub(super) fn distinct_rows(
        &mut self,
        mut block: Block<'q>,
        node: &impl sqlparser::ast::Spanned,
    ) -> Result<Block<'q>> {
        let cols: Vec<Col> = block.cols().cloned().collect();
        for col in cols {
            if col.fields.is_some() || self.columns.ty(col.id) != Type::String {
                continue;
            }
            let told = !col.nulls.sql || col.nulls.never_empty || col.nulls.known.is_some();
            if told {
                continue;
            }
            let val = Val::new(self.column(col.id), col.nulls.clone());
            match self.is_there(&val) {
                Ok(None) => {}
                Ok(Some(there)) => {
                    let id = self.add("known_", Type::Bool);
                    block.extend(id, there);
                    self.flags.insert(id);
                }
                Err(()) => {
                    let what = format!("the text `{}` of DISTINCT rows", col.name);
                    return Err(self.null(node, &what));
                }
            }
        }
        let output = block.plan.output.clone();
        block.wrap(output, |input| Op::Distinct { input });
        Ok(block)
    }

    /// Rows of the first query that the second one has, or has not; none twice. NULL is like NULL here.
    fn matched(
        &mut self,
        mut a: Block<'q>,
        mut b: Block<'q>,
        both: bool,
        body: &'q ast::SetExpr,
    ) -> Result<Block<'q>> {
        let side = |l: &mut Self, block: &mut Block<'q>, n: i64| {
            let id = l.add("side_", Type::Long);
            block.extend(id, Expr::literal(Value::Long(n), Span::default()));
            let col = Col { name: SmolStr::new_static("side_"), id, nulls: Nulls::PRESENT, fields: None };
            block.sources.push(Source { qualifier: None, cols: vec![col], open: None });
        };
        side(self, &mut a, 1);
        side(self, &mut b, 2);
        let mut block = self.united(vec![a, b], By::Place, body)?;
        let mut cols: Vec<Col> = block.cols().cloned().collect();
        let Some(side) = cols.pop() else { return Ok(block) };
        let mut keys: Vec<Item> = Vec::new();
        for col in &mut cols {
            let value = self.column(col.id);
            let val = Val::new(value.clone(), col.nulls.clone());
            keys.push(Item { ids: vec![col.id], expr: value, named: true });
            if self.columns.ty(col.id) != Type::String || !col.nulls.sql || col.nulls.never_empty {
                continue;
            }
            let Ok(there) = self.is_there(&val) else {
                return Err(self.null(body, &format!("the text `{}` of rows that are compared", col.name)));
            };
            let Some(there) = there else { continue };
            let id = self.add("known_", Type::Bool);
            self.flags.insert(id);
            keys.push(Item { ids: vec![id], expr: there, named: true });
            col.nulls = Nulls { known: Some(id), ..Nulls::OPEN };
        }
        let mut aggregates = Vec::new();
        let mut tests = Vec::new();
        for n in [1, 2] {
            let Some(countif) = functions::find("countif", FunctionKind::Aggregate) else { continue };
            let own = Expr::compare(
                CompareOp::Eq,
                self.column(side.id),
                Expr::literal(Value::Long(n), Span::default()),
                Missing::False,
                Span::default(),
            );
            let id = self.add("side_", Type::Long);
            let call = AggregateCall::Function(countif, vec![own]);
            aggregates.push(AggregateItem { ids: vec![id], call, named: true });
            let op = if n == 1 || both { CompareOp::Gt } else { CompareOp::Eq };
            let zero = Expr::literal(Value::Long(0), Span::default());
            tests.push(Expr::compare(op, self.column(id), zero, Missing::False, Span::default()));
        }
        let mut output: Vec<ColId> = keys.iter().flat_map(|k| k.ids.clone()).collect();
        output.extend(aggregates.iter().flat_map(|i| i.ids.clone()));
        block.wrap(output.into(), |input| Op::Aggregate(Aggregate { input, keys, aggregates }));
        block.filter(Expr::and(tests, Span::default()));
        block.sources.clear();
        Ok(self.projected(block, cols))
    }
}

/// The branches of a chain of one operator.
fn branches_of<'q>(body: &'q ast::SetExpr, wanted: ast::SetQuantifier, out: &mut Vec<&'q ast::SetExpr>) {
    let mut todo = vec![body];
    while let Some(body) = todo.pop() {
        match body {
            ast::SetExpr::SetOperation { left, op: ast::SetOperator::Union, set_quantifier, right }
                if *set_quantifier == wanted =>
            {
                todo.push(right);
                todo.push(left);
            }
            other => out.push(other),
        }
    }
}
