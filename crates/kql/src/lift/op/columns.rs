//! Operators on columns: `extend`, `project` and its kind, `serialize`, `print`.

use super::{Outputs, column_names, fits_wildcard};
use crate::lift::Lifter;
use crate::lift::scope::{Env, Rel, Scope};
use crate::syntax::tree::{ColumnNames, Expr, NamePattern, NamedExpr, ReorderDirection, ReorderKey};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, ColId, Item, Op, Plan, SelectItem, SelectKind, Type};
use smol_str::SmolStr;

impl<'t> Lifter<'t> {
    pub(super) fn extend(&mut self, input: Rel, items: &'t [NamedExpr], span: Span, env: Env) -> Rel {
        let (items, output) = self.extended_items(&input, items, env);
        if items.is_empty() {
            return input;
        }
        input.then(|input| Op::Extend { input, items }, output, span)
    }

    pub(super) fn serialize(&mut self, input: Rel, items: &'t [NamedExpr], span: Span, env: Env) -> Rel {
        let input = input.in_order();
        let (items, output) = self.extended_items(&input, items, env);
        input.then(|input| Op::Serialize { input, items }, output, span)
    }

    /// All items see the rows before the operator, not each other.
    fn extended_items(&mut self, input: &Rel, items: &'t [NamedExpr], env: Env) -> (Vec<Item>, Vec<ColId>) {
        let scope = Scope::over(env, input);
        let mut out = Outputs { row: input.plan.output.len(), ids: input.plan.output.to_vec(), unnamed: 0 };
        let items = items.iter().filter_map(|item| self.extended(item, &scope, &mut out)).collect();
        (items, out.ids)
    }

    pub(super) fn project(&mut self, input: Rel, items: &'t [NamedExpr], span: Span, env: Env) -> Rel {
        let scope = Scope::over(env, &input);
        let mut out = Outputs::default();
        let items: Vec<Item> = items.iter().map(|item| self.projected(item, &scope, &mut out)).collect();
        input.then(|input| Op::Project { input, items }, out.ids, span).closed()
    }

    pub(super) fn print(&mut self, items: &'t [NamedExpr], span: Span, env: Env) -> Rel {
        let scope = Scope::bare(env);
        let mut out = Outputs::default();
        let mut made = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let value = self.value(&item.value, &scope);
            let default = Some(SmolStr::from(format!("print_{i}")));
            let names = column_names(&item.names, default, value.expr.ty, &value.tuple);
            let at = item.value.span.0;
            let ids = names.iter().map(|(n, ty)| self.push_column(&mut out, n.as_deref(), *ty, at)).collect();
            let named = !matches!(item.names, ColumnNames::Default);
            made.push(Item { ids, expr: value.expr, named });
        }
        if made.iter().all(|item| item.ids.len() == 1) {
            let row = made.into_iter().map(|item| item.expr).collect();
            return Rel::source(Plan::new(
                Op::Values(ir::Values { rows: vec![row], print: true }),
                out.ids,
                span,
            ));
        }
        // A call that makes several columns needs an operator of its own, over one row without columns.
        let row = Plan::new(Op::Values(ir::Values { rows: vec![Vec::new()], print: true }), Vec::new(), span);
        Rel::source(Plan::new(Op::Project { input: row, items: made }, out.ids, span))
    }

    /// The columns that names with wildcards pick, each once, in the order of the patterns. A plain name must be there.
    fn picked(&mut self, input: &Rel, names: &'t [NamePattern]) -> Vec<ColId> {
        let mut picked: Vec<ColId> = Vec::new();
        for name in names {
            if name.text.contains('*') {
                let fitting =
                    input.plan.output.iter().filter(|id| fits_wildcard(&name.text, self.columns.name(**id)));
                let new: Vec<ColId> = fitting.copied().filter(|id| !picked.contains(id)).collect();
                picked.extend(new);
            } else if let Some(id) = self.column_of(input, &name.text, name.span.0)
                && !picked.contains(&id)
            {
                picked.push(id);
            }
        }
        picked
    }

    pub(super) fn project_away(&mut self, input: Rel, names: &'t [NamePattern], span: Span) -> Rel {
        // A column that no schema knows is away already; it needs not be learned.
        let known = |n: &&'t NamePattern| {
            n.text.contains('*') || self.find_column(&input.plan.output, &n.text).is_some()
        };
        let missing = names.iter().filter(|n| !known(n)).count();
        let gone = if missing > 0 && !input.origins.is_empty() {
            let mut gone = Vec::new();
            for name in names.iter().filter(known).collect::<Vec<_>>() {
                gone.extend(self.picked(&input, std::slice::from_ref(name)));
            }
            gone
        } else {
            self.picked(&input, names)
        };
        let kept: Vec<ColId> = input.plan.output.iter().copied().filter(|id| !gone.contains(id)).collect();
        self.select(input, SelectKind::Away, kept, span)
    }

    pub(super) fn project_keep(&mut self, input: Rel, names: &'t [NamePattern], span: Span) -> Rel {
        let picked = self.picked(&input, names);
        // They stay in the order of the input.
        let known = input.plan.output.iter().copied().filter(|id| picked.contains(id));
        let learned = picked.iter().copied().filter(|id| !input.plan.output.contains(id));
        let kept: Vec<ColId> = known.chain(learned).collect();
        self.select(input, SelectKind::Keep, kept, span).closed()
    }

    /// `project-by-names`: names, patterns and arrays of them, in their order. A name that no column has is passed over; where
    /// the columns are not all known, it is taken for one of those.
    ///
    /// Source: "project-by-names operator" (Kusto).
    pub(super) fn project_by_names(&mut self, input: Rel, names: &'t [Expr], span: Span, env: Env) -> Rel {
        let mut patterns: Vec<(SmolStr, Span)> = Vec::new();
        for e in names {
            let value = self.expr(e, &Scope::bare(env));
            match self.constant(&value) {
                Some(ir::Value::String(name)) => patterns.push((name.clone(), e.span.0)),
                Some(ir::Value::Dynamic(ir::Json::Array(items))) => {
                    let texts = items.iter().filter_map(|i| match i {
                        ir::Json::String(name) => Some((name.clone(), e.span.0)),
                        _ => None,
                    });
                    patterns.extend(texts);
                }
                _ => {
                    let reason = "`project-by-names` takes its columns from values that are not known";
                    return self.opaque_plan(Some(input), reason, span);
                }
            }
        }
        let mut picked: Vec<ColId> = Vec::new();
        for (pattern, at) in patterns {
            let fitting: Vec<ColId> = if pattern.contains('*') {
                let all = input.plan.output.iter().copied();
                all.filter(|id| fits_wildcard(&pattern, self.columns.name(*id))).collect()
            } else if let Some(id) = self.find_column(&input.plan.output, &pattern) {
                vec![id]
            } else if input.origins.is_empty() {
                Vec::new()
            } else {
                self.column_of(&input, &pattern, at).into_iter().collect()
            };
            picked.extend(fitting.into_iter().filter(|id| !picked.contains(id)).collect::<Vec<_>>());
        }
        self.select(input, SelectKind::Keep, picked, span).closed()
    }

    fn select(&mut self, input: Rel, kind: SelectKind, output: Vec<ColId>, span: Span) -> Rel {
        let items = output.iter().map(|id| SelectItem { from: *id, to: *id }).collect();
        input.then(|input| Op::Select { input, kind, items }, output, span)
    }

    pub(super) fn project_rename(&mut self, input: Rel, items: &'t [NamedExpr], span: Span) -> Rel {
        let mut output = input.plan.output.to_vec();
        let mut renamed = Vec::new();
        for item in items {
            let (ColumnNames::One(new), Some(old)) = (&item.names, name_of(item)) else {
                self.error(
                    codes::WRONG_ARGUMENTS,
                    item.value.span.0,
                    "`project-rename` takes `new = old` pairs",
                );
                continue;
            };
            let Some(from) = self.column_of(&input, old, item.value.span.0) else { continue };
            // A column that has the new name already gives way, as in the service.
            if let Some(taken) = self.find_column(&output, &new.text).filter(|id| *id != from) {
                output.retain(|id| *id != taken);
            }
            let to = self.add_column(new.text.clone(), self.columns.ty(from), new.span.0);
            self.same_origin(to, from);
            match output.iter_mut().find(|id| **id == from) {
                Some(place) => *place = to,
                None => output.push(to),
            }
            renamed.push(SelectItem { from, to });
        }
        let items = output
            .iter()
            .map(|id| {
                renamed.iter().find(|r| r.to == *id).copied().unwrap_or(SelectItem { from: *id, to: *id })
            })
            .collect();
        input.then(|input| Op::Select { input, kind: SelectKind::Rename, items }, output, span)
    }

    pub(super) fn project_reorder(&mut self, input: Rel, keys: &'t [ReorderKey], span: Span) -> Rel {
        let mut output: Vec<ColId> = Vec::with_capacity(input.plan.output.len());
        for key in keys {
            let mut picked = self.picked(&input, std::slice::from_ref(&key.name));
            match key.direction {
                Some(ReorderDirection::Asc) => self.sort_by_name(&mut picked, false),
                Some(ReorderDirection::Desc) => self.sort_by_name(&mut picked, true),
                Some(ReorderDirection::GrannyAsc) => self.sort_granny(&mut picked, false),
                Some(ReorderDirection::GrannyDesc) => self.sort_granny(&mut picked, true),
                None => {}
            }
            let new: Vec<ColId> = picked.into_iter().filter(|id| !output.contains(id)).collect();
            output.extend(new);
        }
        let rest: Vec<ColId> = input.plan.output.iter().copied().filter(|id| !output.contains(id)).collect();
        output.extend(rest);
        self.select(input, SelectKind::Reorder, output, span)
    }

    fn sort_by_name(&self, ids: &mut [ColId], descending: bool) {
        ids.sort_by(|a, b| self.columns.name(*a).cmp(self.columns.name(*b)));
        if descending {
            ids.reverse();
        }
    }

    /// Names with their numbers compared as numbers: `a2` before `a10`.
    fn sort_granny(&self, ids: &mut [ColId], descending: bool) {
        ids.sort_by_key(|id| granny_key(self.columns.name(*id)));
        if descending {
            ids.reverse();
        }
    }

    /// The type of a declared column, or string.
    pub(super) fn declared_type(ty: Option<&crate::syntax::literal::ScalarType>) -> Type {
        ty.map_or(Type::String, crate::lift::expr::scalar_type)
    }
}

fn name_of(item: &NamedExpr) -> Option<&str> {
    match &item.value.kind {
        crate::syntax::tree::ExprKind::Name(name) => Some(name),
        _ => None,
    }
}

/// Pieces of text and numbers, in turn.
fn granny_key(name: &str) -> Vec<(String, u64)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, after) = rest.split_at(text_end);
        let number_end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(number_end);
        key.push((text.to_owned(), number.parse().unwrap_or(0)));
        rest = after;
    }
    key
}
