//! Columns: `extend`, `project` and its kin.

use super::{MAX_LIST, refuse_column, sort_outs};
use crate::build;
use crate::lower::block::{Block, Keep, Origin, Out};
use crate::lower::outs::{ColSet, Outs, fold};
use crate::lower::walk::Uses;
use crate::lower::{Lowerer, Result};
use ruleferry_ir::{ColId, Expr, Item, Plan, SelectItem, SelectKind};
use smol_str::SmolStr;

impl Lowerer<'_> {
    pub(super) fn extend(&mut self, plan: &Plan, block: Block, items: &[Item]) -> Result<Block> {
        let mut block = block;
        // A replaced column is still the old one for all other items of the operator.
        let uses = Uses::of(items.iter().map(|i| &i.expr));
        let columns = &self.query.columns;
        let read = |o: &Out| matches!(o.origin, Origin::Computed { .. }) && uses.count(o.id) > 0;
        let hidden = items.iter().flat_map(|i| &i.ids).any(|id| {
            let mut named = block.outs.named(columns.name(*id));
            named.any(|(_, o)| read(o) && !plan.output.contains(&o.id))
        });
        if hidden {
            block = self.reopen(block)?;
        }
        for item in items {
            block = self.extend_one(&plan.output, block, item)?;
        }
        // Replaced columns leave only after all items of the operator have seen them.
        if block.outs.len() != plan.output.len() {
            let wanted: ColSet = plan.output.iter().copied().collect();
            block.outs.retain(|o| wanted.contains(o.id));
        }
        sort_outs(&mut block, &plan.output);
        Ok(block)
    }

    /// Adds the column of one item. The column that it replaces (same name, not in the output) leaves.
    fn extend_one(&mut self, output: &[ColId], block: Block, item: &Item) -> Result<Block> {
        if item.ids.len() > 1 {
            return self.extend_tuple(block, item);
        }
        let Some(&id) = item.ids.first() else { return Ok(block) };
        let uses = Uses::of([&item.expr]);
        let name = self.query.columns.name(id);
        // The column whose place it takes, and whether no other has its name.
        let look = |b: &Block| {
            let (mut at, mut others) = (None, 0);
            for (i, o) in b.outs.like(name) {
                if at.is_none() && o.name == name && !output.contains(&o.id) {
                    at = Some(i);
                } else {
                    others += 1;
                }
            }
            (at, others == 0 && !name.is_empty())
        };
        let replaced = |b: &Block| look(b).0;
        let (mut at, mut free) = look(&block);
        let keep = Keep::Except(at.and_then(|i| block.outs.get(i)).map(|o| o.id));
        let block = if block.fits(self, &uses, keep) {
            block
        } else {
            let block = self.reopen(block)?;
            (at, free) = look(&block);
            block
        };
        let unique = if free { SmolStr::new(name) } else { Block::name_for(&block.outs, name, at) };
        let out = self.computed(&block, id, unique.clone(), &item.expr, keep)?;
        let mut block = block;
        let (at, out) = if !out.aliases.is_empty() && self.hides_aliases(&out.expr.get()) {
            block = self.reopen(block)?;
            (replaced(&block), self.computed(&block, id, unique, &item.expr, keep)?)
        } else {
            (at, out)
        };
        block.set_out(at, out);
        if block.hint == "step" {
            block.hint = "extended";
        }
        Ok(block)
    }

    /// `(a, b) = f(x)`: the function gives a struct or list of the columns; a helper column holds it.
    fn extend_tuple(&mut self, block: Block, item: &Item) -> Result<Block> {
        let uses = Uses::of([&item.expr]);
        let mut block = self.fit(block, &uses, Keep::All)?;
        let scope = block.scope(self, Keep::All, &uses);
        let whole = self.expr(&item.expr, &scope)?;
        let helper = Block::name_for(&block.outs, "_tuple", None);
        let relation = {
            let hidden = ColId(u32::MAX);
            block.outs.push(Out {
                id: hidden,
                name: helper.clone(),
                expr: whole.into(),
                origin: Origin::Computed { fixed: true, volatile: false, depth: 0 },
                present: true,
                aliases: Vec::new(),
            });
            let mut relation = self.close(block)?;
            for column in &mut relation.columns {
                if column.id == Some(hidden) {
                    column.id = None;
                }
            }
            relation
        };
        let mut block = Block::over(relation);
        for (i, id) in item.ids.iter().enumerate() {
            let name = Block::name_for(&block.outs, self.query.columns.name(*id), None);
            let position = build::integer(i64::try_from(i + 1).unwrap_or(i64::MAX));
            let value = build::call("struct_extract_at", vec![build::column(&helper), position]);
            block.outs.push(Out {
                id: *id,
                name,
                expr: value.into(),
                origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
                present: false,
                aliases: Vec::new(),
            });
        }
        Ok(block)
    }

    pub(super) fn project(&mut self, block: Block, items: &[Item]) -> Result<Block> {
        let mut block = block;
        if items.iter().any(|i| i.ids.len() > 1) {
            // Tuples first beside the old columns, then all as plain columns.
            for item in items.iter().filter(|i| i.ids.len() > 1) {
                block = self.extend_tuple(block, item)?;
            }
            let mut plain: Vec<Item> = Vec::new();
            for item in items {
                for id in &item.ids {
                    let expr = if item.ids.len() > 1 {
                        Expr::column(*id, self.ty(*id), item.expr.span)
                    } else {
                        item.expr.clone()
                    };
                    plain.push(Item { ids: vec![*id], expr, named: item.named });
                }
            }
            return self.project(block, &plain);
        }
        // Of a grouped or limited block, columns may still be picked and renamed.
        let kept: ColSet = items
            .iter()
            .filter(|i| i.expr.as_column().is_some_and(|c| i.ids == [c]))
            .filter_map(|i| i.ids.first().copied())
            .collect();
        let staying: ColSet = items.iter().filter_map(|i| i.expr.as_column()).collect();
        if block.order_leaves(&staying) || block.expansion_leaves(&staying) {
            block = self.reopen(block)?;
        }
        if !block.is_open()
            && items.iter().all(|i| i.expr.as_column().is_some_and(|c| block.out(c).is_some()))
            && block.distinct.is_none()
            && !renames_used(&block, items)
            && !block.keys_leave(&staying)
        {
            return Ok(self.pick(block, items));
        }
        let uses =
            Uses::of(items.iter().filter(|i| !i.ids.iter().any(|id| kept.contains(*id))).map(|i| &i.expr));
        let block = self.fit(block, &uses, Keep::Only(&kept))?;
        // Renaming a computed column moves its expression; a kept one stands first so that others may name it.
        let mut reserved: Option<Vec<(u32, SmolStr)>> = None;
        let mut outs = Outs::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let Some(&id) = item.ids.first() else { continue };
            match item.expr.as_column() {
                Some(from) if from == id => {
                    // Columns mostly stand where they stood.
                    let here = block.outs.get(i).filter(|o| o.id == id);
                    let Some(old) = here.or_else(|| block.out(id)) else {
                        return Err(refuse_column(item.expr.span));
                    };
                    outs.push(old.clone());
                }
                Some(_) | None => {
                    let reserved = reserved.get_or_insert_with(|| {
                        let kept = block.outs.iter().filter(|o| kept.contains(o.id));
                        kept.map(|o| (fold(&o.name), o.name.clone())).collect()
                    });
                    let taken = |name: &str| {
                        let hash = fold(name);
                        reserved.iter().any(|(h, n)| *h == hash && n.eq_ignore_ascii_case(name))
                    };
                    let name = Block::name_beside(&outs, self.query.columns.name(id), None, taken);
                    let out = self.computed(&block, id, name, &item.expr, Keep::Only(&kept))?;
                    if !out.aliases.is_empty() && self.hides_aliases(&out.expr.get()) {
                        let block = self.reopen(block)?;
                        return self.project(block, items);
                    }
                    outs.push(self.as_source(&block, item, out));
                }
            }
        }
        let mut block = block;
        block.outs = outs;
        block.explicit = block.outs.len() <= MAX_LIST || !block.sources.iter().any(|s| s.open);
        if block.hint == "step" {
            block.hint = "projected";
        }
        Ok(block)
    }

    /// A renamed column of a source stays a plain column.
    fn as_source(&self, block: &Block, item: &Item, out: Out) -> Out {
        match item.expr.as_column().and_then(|c| block.out(c)) {
            Some(old) if matches!(old.origin, Origin::Source(..)) => {
                Out { origin: old.origin, present: old.present, ..out }
            }
            Some(_) | None => out,
        }
    }

    /// Picks and renames columns of a block that is no longer open.
    fn pick(&self, mut block: Block, items: &[Item]) -> Block {
        let mut outs = Outs::with_capacity(items.len());
        for item in items {
            let (Some(&id), Some(from)) = (item.ids.first(), item.expr.as_column()) else { continue };
            let Some(old) = block.out(from) else { continue };
            let name = if id == from { old.name.clone() } else { self.query.columns.name(id).into() };
            let name = Block::name_for(&outs, &name, None);
            outs.push(Out { id, name, ..old.clone() });
        }
        block.outs = outs;
        block.explicit = true;
        block
    }

    pub(super) fn select(
        &mut self,
        plan: &Plan,
        block: Block,
        kind: SelectKind,
        items: &[SelectItem],
    ) -> Result<Block> {
        let as_items: Vec<Item> = items
            .iter()
            .map(|i| Item {
                ids: vec![i.to],
                expr: Expr::column(i.from, self.ty(i.from), plan.span),
                named: true,
            })
            .collect();
        let was_explicit = block.explicit;
        let mut block = self.project(block, &as_items)?;
        block.explicit = match kind {
            SelectKind::Away | SelectKind::Rename => was_explicit,
            SelectKind::Keep => block.outs.len() <= MAX_LIST,
            SelectKind::Reorder => {
                was_explicit || block.outs.len() <= MAX_LIST && !block.sources.iter().any(|s| s.open)
            }
        };
        Ok(block)
    }
}

/// A column that a filter names would be renamed or leave.
fn renames_used(block: &Block, items: &[Item]) -> bool {
    if block.pinned.is_empty() && !block.outs.aliased() {
        return false;
    }
    let stays = |name: &SmolStr| {
        let passed = |o: &Out| items.iter().any(|i| i.ids == [o.id] && i.expr.as_column() == Some(o.id));
        block.outs.named(name).any(|(_, o)| passed(o))
    };
    let aliases = block
        .outs
        .iter()
        .filter(|o| items.iter().any(|i| i.expr.as_column() == Some(o.id)))
        .flat_map(|o| &o.aliases);
    !block.pinned.iter().chain(aliases).all(stays)
}
