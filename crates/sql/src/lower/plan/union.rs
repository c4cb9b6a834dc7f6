//! `union`, `search` and `find`: branches under one SELECT list.

use super::refuse_column;
use crate::build;
use crate::lower::block::{Block, Origin, Out, Relation, SourceColumn};
use crate::lower::outs::{Outs, Unique};
use crate::lower::{Lowerer, Refusal, Result};
use ruleferry_diag::codes;
use ruleferry_ir::{ColId, Op, Plan, Search, Source, Type, Union};
use ruleferry_targets::Capability;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use sqlparser::ast::{Query, SetExpr, SetOperator, SetQuantifier};

/// One branch: its block, and the output column that each of its columns becomes.
struct Branch {
    block: Block,
    label: SmolStr,
    /// For each output column, this branch's column.
    columns: Vec<Option<ColId>>,
}

impl Lowerer<'_> {
    pub(super) fn union(&mut self, plan: &Plan, union: &Union) -> Result<Block> {
        if union.fuzzy {
            self.assume(
                "the tables of `union isfuzzy=true` are all there; KQL leaves out those that are not",
            );
        }
        let mut branches = Vec::with_capacity(union.inputs.len());
        for (i, input) in union.inputs.iter().enumerate() {
            if let Op::Scan(scan) = &*input.op
                && let Source::Glob(glob) = &scan.source
            {
                return Err(Refusal::new(
                    codes::SQL_OPEN_COLUMNS,
                    input.span,
                    format!("which tables `{glob}` names is not known"),
                )
                .help("name the tables"));
            }
            let mut block = self.deeper(input.span, |l| l.block(input))?;
            block.forget_order();
            if block.limit.is_some() || block.group_by.is_some() && !block.having.is_empty() {
                block = self.reopen(block)?;
            }
            branches.push(Branch {
                block,
                label: union.labels.get(i).cloned().unwrap_or_default(),
                columns: union.columns.iter().map(|c| c.get(i).copied().flatten()).collect(),
            });
        }
        self.combine(plan, branches, union.source)
    }

    pub(super) fn search(&mut self, plan: &Plan, search: &Search) -> Result<Block> {
        if search.inputs.is_empty() {
            return Err(Refusal::new(
                codes::SQL_OPEN_COLUMNS,
                plan.span,
                "the tables to search are not known",
            )
            .help("name them: `search in (SecurityEvent, Syslog) \"term\"`"));
        }
        let mut branches = Vec::with_capacity(search.inputs.len());
        for (i, input) in search.inputs.iter().enumerate() {
            let block = self.deeper(input.span, |l| l.block(input))?;
            let columns = search.columns.iter().map(|c| c.get(i).copied().flatten()).collect();
            branches.push(Branch {
                block,
                label: search.labels.get(i).cloned().unwrap_or_default(),
                columns,
            });
        }
        // The predicate speaks of the output's columns, of which a table may lack some: it is applied to the combined rows,
        // except that a search over a single table stays in that table's SELECT.
        let block = self.combine(plan, branches, search.source)?;
        self.filter(block, &search.predicate)
    }

    fn combine(&mut self, plan: &Plan, branches: Vec<Branch>, source: Option<ColId>) -> Result<Block> {
        let outputs: Vec<ColId> = plan.output.iter().copied().filter(|id| Some(*id) != source).collect();
        let mut given = Unique::with_capacity(plan.output.len());
        let mut by_id: FxHashMap<ColId, SmolStr> =
            FxHashMap::with_capacity_and_hasher(plan.output.len(), Default::default());
        for id in plan.output.iter() {
            let wanted = self.query.columns.get(*id).map(|c| &c.name);
            by_id.insert(*id, wanted.map_or_else(SmolStr::default, |name| given.name(name)));
        }
        let name_of = |id: ColId| by_id.get(&id).cloned().unwrap_or_default();
        let single = branches.len() == 1;
        let by_place = !self.dialect().can(Capability::UnionByName);
        let mut absent: FxHashSet<ColId> = FxHashSet::default();
        let mut queries: Vec<Query> = Vec::with_capacity(branches.len());
        let mut open = false;
        for branch in branches {
            let mut block = branch.block;
            let mut renamed = false;
            for (out, column) in outputs.iter().zip(&branch.columns) {
                if let Some(id) = column {
                    let name = block.out(*id).map(|o| &o.name);
                    renamed |= name.is_none_or(|n| Some(n) != by_id.get(out));
                }
            }
            let names_used = !block.pinned.is_empty() || block.outs.iter().any(|o| !o.aliases.is_empty());
            if renamed && names_used || (renamed || source.is_some()) && !block.is_open() {
                block = self.reopen(block)?;
            }
            let missing =
                |(out, column): &(&ColId, &Option<ColId>)| column.is_none() && self.ty(**out) == Type::String;
            let lacks = outputs.iter().zip(&branch.columns).filter(missing).count();
            let padded =
                lacks > 0 && lacks <= MAX_FILLED || by_place && branch.columns.iter().any(Option::is_none);
            if padded && !block.is_open() {
                block = self.reopen(block)?;
            }
            let mut outs = Outs::with_capacity(outputs.len() + 1);
            if let Some(id) = source {
                outs.push(label(id, name_of(id), &branch.label));
            }
            for (out, column) in outputs.iter().zip(&branch.columns) {
                let Some(id) = column else {
                    if self.ty(*out) == Type::String && (by_place || lacks <= MAX_FILLED) {
                        outs.push(label(*out, name_of(*out), ""));
                    } else {
                        absent.insert(*out);
                        if by_place {
                            outs.push(self.nothing(*out, name_of(*out)));
                        }
                    }
                    continue;
                };
                let Some(old) = block.out(*id) else {
                    return Err(refuse_column(plan.span));
                };
                if !old.present {
                    absent.insert(*out);
                }
                let name = name_of(*out);
                outs.push(Out { id: *out, name, ..old.clone() });
            }
            if single {
                block.outs = outs;
                block.hint = "combined";
                return Ok(block);
            }
            if !block.pins_hold(&outs) {
                block = self.reopen(block)?;
                for out in outs.iter_mut() {
                    let from = outputs
                        .iter()
                        .position(|o| *o == out.id)
                        .and_then(|i| branch.columns.get(i).copied().flatten());
                    if let Some(old) = from.and_then(|id| block.out(id)) {
                        out.expr = old.expr.clone();
                        out.origin = old.origin;
                        out.aliases.clear();
                    }
                }
            }
            open |= block.is_trivial_or_star();
            block.outs = outs;
            block.explicit |= by_place;
            queries.push(self.finish(block, false)?);
        }
        open &= !by_place;
        let body = stack(queries);
        let query = build::query(body);
        let factor = self.define("combined", query, false);
        let columns = plan
            .output
            .iter()
            .map(|id| SourceColumn { id: Some(*id), name: name_of(*id), present: !absent.contains(id) })
            .collect();
        let mut block =
            Block::over(Relation { factor, columns, open, order: Vec::new(), around: Vec::new() });
        block.hint = "combined";
        Ok(block)
    }
}

/// `a UNION ALL BY NAME b …`: columns that a branch lacks are NULL there, which for a string is the empty one.
fn stack(mut queries: Vec<Query>) -> SetExpr {
    const LONG: usize = 200;
    if queries.len() > LONG {
        let right = queries.split_off(queries.len() / 2);
        return pair(stack(queries), stack(right));
    }
    queries
        .into_iter()
        .map(|q| {
            let bare = q.with.is_none() && q.order_by.is_none() && q.limit_clause.is_none();
            if bare { *q.body } else { SetExpr::Query(Box::new(q)) }
        })
        .reduce(pair)
        .unwrap_or_else(|| SetExpr::Select(Box::new(build::empty_select())))
}

fn pair(left: SetExpr, right: SetExpr) -> SetExpr {
    SetExpr::SetOperation {
        left: Box::new(left),
        op: SetOperator::Union,
        set_quantifier: SetQuantifier::AllByName,
        right: Box::new(right),
    }
}

/// A branch that lacks more string columns than this leaves them NULL, which reads as the empty string.
const MAX_FILLED: usize = 20;

impl Lowerer<'_> {
    /// A column without a value, where a branch has none.
    fn nothing(&self, id: ColId, name: SmolStr) -> Out {
        let null = build::cast(build::null(), build::data_type(self.dialect(), self.ty(id)));
        Out { expr: null.into(), present: false, ..label(id, name, "") }
    }
}

/// A column of one text: the name of the branch, or "" where it has no such column.
fn label(id: ColId, name: SmolStr, text: &str) -> Out {
    Out {
        id,
        name,
        expr: build::string(text).into(),
        origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
        present: true,
        aliases: Vec::new(),
    }
}
