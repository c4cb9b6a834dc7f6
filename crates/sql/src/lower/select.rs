//! From a block to its SELECT: the list of columns (`*` where most are wanted), the clauses, the order.

use super::block::{Block, Keep, Origin, Out, Source, Text};
use super::walk::Uses;
use super::{Lowerer, Result};
use crate::build;
use sqlparser::ast::{Expr, GroupByExpr, LimitClause, OrderBy, OrderByKind, Query, Select, SelectItem};

impl Block {
    /// ORDER BY reads names of the SELECT list before those of FROM: where one hides a column of FROM that the order
    /// means, FROM gets an alias for it.
    pub(crate) fn reveal_order(&mut self) {
        let uses = Uses::of(self.order.iter().map(|k| &k.expr));
        if uses.columns.is_empty() {
            return;
        }
        let hidden = self.sources.iter().flat_map(|s| &s.columns).any(|c| {
            c.id.is_some_and(|id| uses.count(id) > 0)
                && self
                    .outs
                    .like(&c.name)
                    .any(|(_, o)| Some(o.id) != c.id || !matches!(o.origin, Origin::Source(..)))
        });
        let ([from], [source]) = (self.from.as_mut_slice(), self.sources.as_mut_slice()) else { return };
        if !hidden || source.qualifier.is_some() {
            return;
        }
        let name =
            if source.columns.iter().any(|c| c.name.eq_ignore_ascii_case("t")) { "source_rows" } else { "t" };
        from.relation = build::aliased(from.relation.clone(), name, &[]);
        source.qualifier = Some(name.into());
        let columns: Vec<Text> = source.columns.iter().map(|c| source.text(&c.name)).collect();
        for out in self.outs.iter_mut() {
            if let Origin::Source(0, i) = out.origin
                && let Some(e) = columns.get(i)
            {
                out.expr = e.clone();
            }
        }
    }

    /// The SELECT list.
    fn projection(&self, l: &mut Lowerer<'_>) -> Vec<SelectItem> {
        let mut stars = Vec::new();
        let mut covered = vec![false; self.outs.len()];
        let edit = l.dialect().star_edit;
        // A column that a further SELECT around this one would hide must not hide behind `*`.
        let shown =
            edit || self.qualify.is_none() && !matches!(self.distinct, Some(sqlparser::ast::Distinct::On(_)));
        if !self.explicit && self.group_by.is_none() && shown {
            for (s, source) in self.sources.iter().enumerate() {
                let Some(star) = self.star(s, source, edit, &mut covered) else { continue };
                stars.push(star);
            }
        }
        if !edit
            && stars.is_empty()
            && !self.explicit
            && self.sources.iter().any(|s| s.open)
            && self.group_by.is_none()
        {
            l.assume("columns of a table that the rule does not name are left out of the result");
        }
        let mut items = stars;
        items.reserve(covered.iter().filter(|c| !**c).count());
        for i in self.defined_first() {
            if let Some(out) = self.outs.get(i)
                && covered.get(i) != Some(&true)
                && out.origin != Origin::Outer
            {
                items.push(match out.origin {
                    Origin::Source(..) | Origin::Outer => build::item(out.expr.get(), &out.name),
                    // Others of this SELECT may use the name.
                    Origin::Computed { .. } => {
                        SelectItem::ExprWithAlias { expr: out.expr.get(), alias: build::ident(&out.name) }
                    }
                });
            }
        }
        if items.is_empty() {
            items.push(build::item(build::boolean(true), "_"));
        }
        items
    }

    /// The columns in order, but each behind those that it names: an alias must be defined before it is used.
    fn defined_first(&self) -> Vec<usize> {
        if !self.outs.aliased() || self.outs.iter().all(|o| o.aliases.is_empty()) {
            return (0..self.outs.len()).collect();
        }
        let mut done = Vec::with_capacity(self.outs.len());
        let mut placed = vec![false; self.outs.len()];
        for start in 0..self.outs.len() {
            let mut todo = vec![(start, false)];
            while let Some((i, ready)) = todo.pop() {
                let (Some(out), Some(seen)) = (self.outs.get(i), placed.get_mut(i)) else { continue };
                if ready {
                    done.push(i);
                } else if !*seen {
                    *seen = true;
                    todo.push((i, true));
                    for alias in out.aliases.iter().rev() {
                        if let Some(j) = self.outs.named(alias).next().map(|(j, _)| j) {
                            todo.push((j, false));
                        }
                    }
                }
            }
        }
        done
    }

    /// `*` for a source where most of its columns are wanted.
    fn star(&self, s: usize, source: &Source, edit: bool, covered: &mut [bool]) -> Option<SelectItem> {
        let plain = |c: usize, name: &str, o: &Out| o.origin == Origin::Source(s, c) && o.name == name;
        // Columns mostly stand where they stood.
        let mut next = 0;
        let mut kept = |c: usize, name: &str| {
            let here = self.outs.get(next).is_some_and(|o| plain(c, name, o));
            let at = if here {
                Some(next)
            } else {
                self.outs.named(name).find(|(_, o)| plain(c, name, o)).map(|(i, _)| i)
            };
            next = at.map_or(next, |at| at + 1);
            at
        };
        let mut mine = Vec::with_capacity(source.columns.len());
        let mut exclude = Vec::new();
        let mut replace = Vec::new();
        for (c, column) in source.columns.iter().enumerate() {
            if let Some(i) = kept(c, &column.name) {
                mine.push(i);
                continue;
            }
            let replaces = |o: &Out| matches!(o.origin, Origin::Computed { .. }) && o.aliases.is_empty();
            let replacement = self.outs.named(&column.name).find(|(_, o)| replaces(o)).map(|(i, _)| i);
            match replacement {
                Some(i) if covered.get(i) == Some(&false) && !mine.contains(&i) => {
                    mine.push(i);
                    replace.push((self.outs.get(i)?.expr.get(), column.name.clone()));
                }
                _ => exclude.push(column.name.clone()),
            }
        }
        let few = mine.len() <= replace.len() || exclude.len() > mine.len();
        let empty_open = source.open && source.columns.is_empty();
        if few && !empty_open && !(source.open && exclude.is_empty()) {
            return None;
        }
        // Columns may only be left out or replaced where `*` can be edited.
        if !edit
            && !(exclude.is_empty() && replace.is_empty() && (source.open || source.columns.len() > SHORT))
        {
            return None;
        }
        for i in mine {
            if let Some(slot) = covered.get_mut(i) {
                *slot = true;
            }
        }
        Some(build::star(source.qualifier.as_deref(), &exclude, replace))
    }

    /// The SELECT, with ORDER BY where a LIMIT needs it or the caller asks for it.
    pub(crate) fn into_query(mut self, l: &mut Lowerer<'_>, ordered: bool) -> Result<Query> {
        let mut order = Vec::new();
        if (ordered || self.limit.is_some()) && !self.order.is_empty() {
            let scope = self.scope(l, Keep::All, &Uses::default());
            order = self.window_order(l, &scope)?;
        }
        let projection = self.projection(l);
        let select = Select {
            distinct: self.distinct.take(),
            projection,
            from: std::mem::take(&mut self.from),
            selection: conjunction(std::mem::take(&mut self.filters)),
            group_by: self
                .group_by
                .take()
                .unwrap_or_else(|| GroupByExpr::Expressions(Vec::new(), Vec::new())),
            having: conjunction(std::mem::take(&mut self.having)),
            qualify: self.qualify.take().map(|e| *e),
            ..build::empty_select()
        };
        let mut query = build::select_query(select);
        if !order.is_empty() {
            query.order_by = Some(OrderBy { kind: OrderByKind::Expressions(order), interpolate: None });
        }
        query.limit_clause = self.limit.take().map(|limit| LimitClause::LimitOffset {
            limit: Some(*limit),
            offset: None,
            limit_by: Vec::new(),
        });
        Ok(query)
    }
}

/// Lists up to this many columns are written out where `*` cannot be edited.
const SHORT: usize = 40;

fn conjunction(mut filters: Vec<Expr>) -> Option<Expr> {
    match filters.len() {
        0 | 1 => filters.pop(),
        _ => Some(build::and(filters)),
    }
}
