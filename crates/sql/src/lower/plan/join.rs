//! `join` and `lookup`.

use super::scan::join_of;
use super::{MAX_LIST, fill_string, refuse_column};
use crate::build;
use crate::lower::block::{Block, Out, Relation};
use crate::lower::outs::{Outs, Unique};
use crate::lower::{Lowerer, Result};
use ruleferry_ir::{ColId, Join, JoinKey, JoinKind, Op, Plan, Type};
use rustc_hash::{FxHashMap, FxHashSet};
use sqlparser::ast::{self, Expr};

impl Lowerer<'_> {
    pub(super) fn join(&mut self, plan: &Plan, input: Block, join: &Join) -> Result<Block> {
        let mut input = input;
        input.forget_order();
        if join.kind == JoinKind::InnerUnique
            && !unique_on(&join.left, &join.on.iter().map(|k| k.left).collect())
        {
            input = self.one_row_a_key(input, &join.on)?;
        }
        let partition = input.partition().to_vec();
        let left = self.close(input)?;
        let mut right = self.deeper(join.right.span, |l| l.block(&join.right))?;
        right.forget_order();
        let right = self.close(right)?;
        let (l, r) = self.sides(&left, &right);
        // `rightsemi` and `rightanti` are the mirrored left ones.
        let mirrored = matches!(join.kind, JoinKind::RightSemi | JoinKind::RightAnti);
        let mut tests = Vec::with_capacity(join.on.len());
        for key in &join.on {
            let (a, b) = (self.key(&left, &l, key.left), self.key(&right, &r, key.right));
            let (Some((a, a_present)), Some((b, b_present))) = (a, b) else {
                return Err(refuse_column(plan.span));
            };
            // A missing string is the empty one, and those match each other: NULL on one side meets "" on the other.
            let empty_meets =
                !self.never_empty(&join.left, key.left) && !self.never_empty(&join.right, key.right);
            let all_present = a_present && b_present;
            let fill = self.ty(key.left) == Type::String && empty_meets && !all_present;
            let filled = |e: Expr, present: bool| {
                if fill && !present { build::coalesce(e, build::string("")) } else { e }
            };
            let (a, b) = (filled(a, a_present), filled(b, b_present));
            tests.push(if mirrored { build::eq(b, a) } else { build::eq(a, b) });
        }
        let on = build::and(tests);
        let semi = matches!(
            join.kind,
            JoinKind::LeftSemi | JoinKind::RightSemi | JoinKind::LeftAnti | JoinKind::RightAnti
        );
        let mut block = if mirrored {
            join_of(right, &r, left, &l, join.kind, on)
        } else {
            join_of(left, &l, right, &r, join.kind, on)
        };
        block.set_partition(partition);
        // Right columns get the ids (and names) of the output.
        let mut outs: Vec<Out> = Vec::with_capacity(plan.output.len());
        let right: FxHashMap<ColId, ColId> = join.right_output.iter().map(|i| (i.to, i.from)).collect();
        for id in plan.output.iter() {
            let from = right.get(id).copied().unwrap_or(*id);
            let Some(old) = block.out(from).or_else(|| block.out(*id)) else {
                return Err(refuse_column(plan.span));
            };
            let name = if from == *id { old.name.clone() } else { self.query.columns.name(*id).into() };
            outs.push(Out { id: *id, name, ..old.clone() });
        }
        unique_names(&mut outs);
        block.outs = outs.into_iter().collect::<Outs>();
        if !semi {
            self.fill_outer(&mut block, join.kind);
        }
        if mirrored || semi {
            block.hint = if matches!(join.kind, JoinKind::LeftAnti | JoinKind::RightAnti) {
                "unmatched"
            } else {
                "matched"
            };
        }
        Ok(block)
    }

    /// A key column of a side, and whether it holds no NULL.
    fn key(&self, side: &Relation, alias: &str, id: ColId) -> Option<(Expr, bool)> {
        let column = side.column(id)?;
        Some((build::qualified(alias, &column.name), column.present))
    }

    /// Rows without a partner have "" in the string columns of the other side.
    fn fill_outer(&self, block: &mut Block, kind: JoinKind) {
        let sides: &[usize] = match kind {
            JoinKind::LeftOuter => &[1],
            JoinKind::RightOuter => &[0],
            JoinKind::FullOuter => &[0, 1],
            JoinKind::Inner
            | JoinKind::InnerUnique
            | JoinKind::LeftSemi
            | JoinKind::RightSemi
            | JoinKind::LeftAnti
            | JoinKind::RightAnti => return,
        };
        for source in sides {
            // The partner may be missing, so nothing of it is sure.
            if let Some(s) = block.sources.get_mut(*source) {
                s.columns.iter_mut().for_each(|c| c.present = false);
            }
        }
        let outer =
            |o: &Out| matches!(o.origin, crate::lower::block::Origin::Source(s, _) if sides.contains(&s));
        let count = block.outs.iter().filter(|o| outer(o)).count();
        for i in 0..block.outs.len() {
            let Some(out) = block.outs.get(i) else { continue };
            if !outer(out) {
                continue;
            }
            let missing = Out { present: false, ..out.clone() };
            // NULL reads as "" in all that follows; for whole tables it is not spelled out.
            let filled = if count <= MAX_LIST && self.ty(out.id) == Type::String {
                fill_string(&missing)
            } else {
                missing
            };
            block.set_out(Some(i), filled);
        }
    }

    /// `innerunique`: one row of the left side for each key; which one is undefined.
    fn one_row_a_key(&mut self, block: Block, on: &[JoinKey]) -> Result<Block> {
        let mut block = if block.is_open() { block } else { self.reopen(block)? };
        let mut keys = Vec::with_capacity(on.len());
        for key in on {
            let Some(out) = block.out(key.left) else {
                return Err(refuse_column(ruleferry_diag::Span::default()));
            };
            let filled = if self.maybe_missing(out) { fill_string(out) } else { out.clone() };
            // A number would be the place of a column.
            keys.push(match filled.expr.get() {
                number @ ast::Expr::Value(_) => {
                    build::cast(number, build::data_type(self.dialect(), self.ty(key.left)))
                }
                key => key,
            });
        }
        block.distinct = Some(ast::Distinct::On(keys));
        block.hint = "one_per_key";
        Ok(block)
    }
}

/// Column names of both sides may differ only in case.
fn unique_names(outs: &mut [Out]) {
    let mut given = Unique::with_capacity(outs.len());
    for out in outs {
        out.name = given.name(&out.name);
    }
}

/// Whether the plan gives at most one row for each combination of these columns.
fn unique_on(plan: &Plan, keys: &FxHashSet<ColId>) -> bool {
    let mut at = plan;
    loop {
        match &*at.op {
            Op::Aggregate(a) => return a.keys.iter().all(|k| k.ids.iter().all(|id| keys.contains(id))),
            Op::Distinct { .. } => return at.output.iter().all(|id| keys.contains(id)),
            Op::Filter { input, .. }
            | Op::Extend { input, .. }
            | Op::Project { input, .. }
            | Op::Sort { input, .. }
            | Op::Limit { input, .. }
            | Op::Top { input, .. }
            | Op::Serialize { input, .. } => at = input,
            Op::Select { input, .. } => at = input,
            Op::Scan(_)
            | Op::Ref(_)
            | Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Join(_)
            | Op::Union(_)
            | Op::Expand(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Parse(_)
            | Op::ParseKv(_)
            | Op::Partition { .. }
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::Plugin(_)
            | Op::Search(_)
            | Op::GetSchema { .. }
            | Op::Render { .. }
            | Op::Opaque { .. } => return false,
        }
    }
}
