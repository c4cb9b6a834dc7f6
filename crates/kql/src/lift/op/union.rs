//! `union`, and the merging of columns that `search` and `find` share.

use super::param;
use crate::lift::scope::{Def, Env, Origins, Rel};
use crate::lift::source::GLOB_LIMIT;
use crate::lift::{Lifter, MAX_UNION};
use crate::syntax::tree::{self, ExprKind, Param};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{ColId, Op, Plan, Source, Type, Union};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

/// One column of several inputs: its id, and where each input has it.
pub(super) struct Merged {
    pub output: Vec<ColId>,
    pub columns: Vec<Vec<Option<ColId>>>,
}

impl<'t> Lifter<'t> {
    pub(super) fn union(
        &mut self,
        input: Option<Rel>,
        params: &'t [Param],
        tables: &'t [tree::Expr],
        span: Span,
        env: Env,
    ) -> Rel {
        let mut inputs = Vec::with_capacity(tables.len() + 1);
        let mut labels = Vec::with_capacity(tables.len() + 1);
        if let Some(input) = input {
            labels.push(label(&input, inputs.len()));
            inputs.push(input);
        }
        for table in tables {
            self.union_inputs(table, env, &mut inputs, &mut labels);
        }
        let text = |name: &str| param(params, name).map(|p| self.param_text(p));
        let inner = text("kind").is_some_and(|k| k == "inner");
        let fuzzy = text("isfuzzy").is_some_and(|f| f == "true");
        let source = text("withsource").or_else(|| text("with_source"));
        if source.is_none()
            && let [_] = inputs.as_slice()
            && let Some(only) = inputs.pop()
        {
            return only;
        }
        let merged = self.merge_columns(&inputs, inner);
        let source = source.map(|name| self.add_column(name, Type::String, span));
        let output: Vec<ColId> = source.iter().chain(&merged.output).copied().collect();
        let (origins, depth) = union_origins(&inputs, inner);
        let inputs = inputs.into_iter().map(|r| r.plan).collect();
        let union = Union { inputs, columns: merged.columns, inner, fuzzy, source, labels };
        Rel { plan: Plan::new(Op::Union(union), output, span), origins, ordered: false, depth }
    }

    /// The inputs that one expression stands for: several for a wildcard.
    pub(super) fn union_inputs(
        &mut self,
        table: &'t tree::Expr,
        env: Env,
        inputs: &mut Vec<Rel>,
        labels: &mut Vec<SmolStr>,
    ) {
        let span = table.span.0;
        let pattern = match &table.kind {
            ExprKind::Wildcard(pattern) => Some(pattern.as_str()),
            // All tables are known only where the caller has them.
            ExprKind::Star if self.data.is_some() => Some("*"),
            _ => None,
        };
        if let Some(pattern) = pattern {
            let names = if pattern == "*" { self.given_tables(pattern) } else { self.glob_tables(pattern) };
            if (1..=GLOB_LIMIT).contains(&names.len()) {
                self.assume(format!(
                    "`{pattern}` stands for the {} tables of the schema data that fit",
                    names.len()
                ));
                for name in names {
                    inputs.push(self.table_by_name(&name, span));
                    labels.push(name);
                }
                return;
            }
        }
        let rel = self.table(table, env);
        let name = match &table.kind {
            ExprKind::Name(name) => match self.frames.find(env, name) {
                Some(Def::Lazy(..)) | None => None,
                Some(_) => Some(name.clone()),
            },
            _ => as_name(table),
        };
        labels.push(name.unwrap_or_else(|| label(&rel, inputs.len())));
        inputs.push(rel);
    }

    /// The columns of several inputs by name. The same name with different types makes a column for each type.
    pub(super) fn merge_columns(&mut self, inputs: &[Rel], inner: bool) -> Merged {
        let mut order: Vec<SmolStr> = Vec::new();
        let mut by_name: FxHashMap<SmolStr, Vec<(usize, ColId)>> = FxHashMap::default();
        for (i, rel) in inputs.iter().enumerate() {
            for id in rel.plan.output.iter() {
                let Some(column) = self.columns.get(*id) else { continue };
                let entry = by_name.entry(column.name.clone()).or_insert_with(|| {
                    order.push(column.name.clone());
                    Vec::new()
                });
                entry.push((i, *id));
            }
        }
        let mut merged =
            Merged { output: Vec::with_capacity(order.len()), columns: Vec::with_capacity(order.len()) };
        if order.len() * inputs.len() > MAX_UNION {
            let span = inputs.first().map_or_else(Span::default, |r| r.plan.span);
            self.exhaust(codes::LIFT_TOO_LARGE, span, "a union of too many tables and columns".into());
            return merged;
        }
        let mut suffixed: FxHashSet<SmolStr> = FxHashSet::default();
        for name in &order {
            let Some(places) = by_name.get(name) else { continue };
            if inner && places.len() < inputs.len() {
                continue;
            }
            let types = self.types_of(places);
            for ty in &types {
                let mut label = name.clone();
                if types.len() > 1 {
                    label = SmolStr::from(format!("{name}_{ty}"));
                    let mut n = 1u32;
                    while by_name.contains_key(&label) || suffixed.contains(&label) {
                        label = SmolStr::from(format!("{name}_{ty}{n}"));
                        n += 1;
                    }
                    suffixed.insert(label.clone());
                }
                self.merge_one(label, *ty, places, inputs, &mut merged);
            }
        }
        merged
    }

    /// The types among columns of one name. Learned columns give way: their type was a guess.
    fn types_of(&mut self, places: &[(usize, ColId)]) -> Vec<Type> {
        let mut types: Vec<Type> = Vec::with_capacity(1);
        let learned =
            |s: &Self, id: ColId| s.columns.ty(id) == Type::Unknown || s.learned_ids.contains_key(&id);
        for (_, id) in places {
            let ty = self.columns.ty(*id);
            if !learned(self, *id) && !types.contains(&ty) {
                types.push(ty);
            }
        }
        let Some(known) = types.first().copied() else {
            let first = places.first().map_or(Type::Unknown, |(_, id)| self.columns.ty(*id));
            for (_, id) in places.iter().skip(1) {
                self.retype_learned(*id, first);
            }
            return vec![first];
        };
        for (_, id) in places.iter().filter(|(_, id)| learned(self, *id)).copied().collect::<Vec<_>>() {
            if !types.contains(&self.columns.ty(id)) {
                let e = self.column_expr(id, Span::default());
                self.hint(&e, known);
                self.retype_learned(id, known);
            }
        }
        types
    }

    fn merge_one(
        &mut self,
        name: SmolStr,
        ty: Type,
        places: &[(usize, ColId)],
        inputs: &[Rel],
        merged: &mut Merged,
    ) {
        let id = self.add_column(name, ty, Span::default());
        let mut row = vec![None; inputs.len()];
        for (i, column) in places {
            let fits = self.columns.ty(*column) == ty || self.learned_ids.contains_key(column);
            if fits && let Some(slot) = row.get_mut(*i) {
                *slot = Some(*column);
                self.same_origin(id, *column);
            }
        }
        let mut missing: Vec<_> = Vec::new();
        if places.len() < inputs.len() {
            let has: FxHashSet<usize> = places.iter().map(|(i, _)| *i).collect();
            let lack = inputs.iter().enumerate().filter(|(i, _)| !has.contains(i));
            missing.extend(lack.flat_map(|(_, rel)| rel.origins.open.iter().copied()));
            self.size += missing.len();
        }
        // What one input learns, the schema of the others says: the column is not a guess any more.
        if places.iter().any(|(_, id)| !self.learned_ids.contains_key(id)) {
            self.learned_ids.remove(&id);
        }
        if !missing.is_empty() {
            self.partial.entry(id).or_default().extend(missing);
        }
        merged.output.push(id);
        merged.columns.push(row);
    }
}

pub(super) fn union_origins(inputs: &[Rel], inner: bool) -> (Origins, u32) {
    let mut origins = Origins::default();
    if !inner {
        for rel in inputs {
            origins.open.extend(rel.origins.open.iter().copied());
            origins.closed.extend(rel.origins.closed.iter().copied());
            origins.suffixed.extend(rel.origins.suffixed.iter().copied());
        }
    }
    for keys in [&mut origins.open, &mut origins.closed, &mut origins.suffixed] {
        keys.sort_unstable();
        keys.dedup();
    }
    (origins, inputs.iter().map(|r| r.depth).max().unwrap_or(0) + 1)
}

/// What `withsource` shows for an input without a name of its own.
pub(super) fn label(rel: &Rel, index: usize) -> SmolStr {
    if let Op::Scan(scan) = &*rel.plan.op {
        match &scan.source {
            Source::Table(table) => return table.name.clone(),
            Source::Glob(_) => {}
            Source::Input(input) => return input.name.clone(),
        }
    }
    SmolStr::from(format!("union_arg{index}"))
}

/// The name that `(T | … | as name)` gives.
fn as_name(table: &tree::Expr) -> Option<SmolStr> {
    let ExprKind::Pipeline(pipeline) = &table.kind else { return None };
    match &pipeline.operators.last()?.kind {
        tree::OperatorKind::As { name, .. } => Some(name.text.clone()),
        _ => None,
    }
}
