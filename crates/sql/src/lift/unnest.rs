//! `unnest(…)` in the SELECT list: lists that are expanded side by side.

use super::block::Block;
use super::nulls::Nulls;
use super::select::{Out, What, named_call};
use super::unify::bare;
use super::{Lifter, Result, Val};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, ColId, Expand, ExpandItem, ExpandKind, Expr, Op, Type, Value};
use smol_str::SmolStr;
use sqlparser::ast;

impl<'q> Lifter<'q> {
    /// `unnest(…)` in the SELECT list: one row for each element.
    pub(super) fn expand(&mut self, block: &mut Block<'q>, items: &[Out<'q>]) -> Result<()> {
        let Some(found) = self.expansion(block, items)? else { return Ok(()) };
        let mut output = block.plan.output.to_vec();
        output.extend(found.index);
        output.extend(found.items.iter().map(|i| i.id));
        block.wrap(output.into(), |input| {
            Op::Expand(Expand {
                input,
                items: found.items,
                kind: found.kind,
                index: found.index,
                limit: found.limit,
            })
        });
        if let Some(id) = found.series {
            // Of bounds that are null there is no series; the IR expands null to one null.
            let null = super::nulls::is_null(self.column(id));
            block.filter(null.negated(Span::default()));
        }
        Ok(())
    }

    /// The lists that a SELECT list expands; each call of `unnest` is known as its column from here on.
    pub(super) fn expansion(
        &mut self,
        block: &mut Block<'q>,
        items: &[Out<'q>],
    ) -> Result<Option<Expansion>> {
        let mut calls: Vec<(&'q ast::Expr, &'q ast::Expr, SmolStr)> = Vec::new();
        for item in items {
            let What::Expr(e) = item.what else { continue };
            find_unnest(e, &mut |call, arg| calls.push((call, arg, item.name.clone())));
        }
        if calls.is_empty() {
            return Ok(None);
        }
        let mut expanded: Vec<ExpandItem> = Vec::new();
        let mut index: Option<(ColId, &'q ast::Expr)> = None;
        let mut kind = None;
        let mut limit: Option<Expr> = None;
        let mut series: Vec<ColId> = Vec::new();
        for (call, list, name) in calls {
            if is_index(list) {
                if index.is_some() {
                    return Err(self.clause(call, "two indices of elements"));
                }
                index = Some((self.add(&name, Type::Long), call));
                continue;
            }
            let (list, cut) = match named_call(list) {
                Some((n, args)) if n == "list_slice" => match args.as_slice() {
                    [inner, one, n] => {
                        let one = self.value(block, one)?.e;
                        if one.as_literal() != Some(&Value::Long(1)) {
                            return Err(self.clause(call, "this slice"));
                        }
                        (*inner, Some(self.value(block, n)?.e))
                    }
                    _ => return Err(self.clause(call, "this slice")),
                },
                _ => (list, None),
            };
            if let Some((n, args)) = named_call(list)
                && n == "generate_series"
                && let [from, to, step] = args.as_slice()
            {
                let value = self.series_list(block, [from, to, step], call)?;
                let ty = value.1;
                let id = self.add(&name, ty);
                self.known.insert(std::ptr::from_ref(call).addr(), Val::present(self.column(id)));
                series.push(id);
                kind = Some(ExpandKind::Bag);
                expanded.push(ExpandItem { id, expr: value.0, to: Some(ty), named: true });
                continue;
            }
            let (own, inner) = match named_call(list) {
                Some((n, args)) if n == "expand_items" && self.macros.contains("expand_items") => {
                    (ExpandKind::Bag, args)
                }
                Some((n, args)) if n == "expand_pairs" && self.macros.contains("expand_pairs") => {
                    (ExpandKind::Array, args)
                }
                _ if expanded.is_empty() && limit.is_none() => {
                    let mut value = self.value(block, list)?;
                    self.settle(&mut value, Type::Dynamic);
                    if value.e.ty != Type::Dynamic {
                        return Err(self.types(call, format!("`unnest` of `{}`", value.e.ty)));
                    }
                    let Some(length) =
                        ir::functions::find("array_length", ir::functions::FunctionKind::Scalar)
                    else {
                        return Err(self.clause(call, "`unnest` of this list"));
                    };
                    // Of a list without elements the IR makes a row with null.
                    let count = ir::ExprKind::Call(length, vec![value.e.clone()]);
                    let count = Expr::new(count, Type::Long, Span::default());
                    let zero = Expr::literal(Value::Long(0), Span::default());
                    let some =
                        Expr::compare(ir::CompareOp::Gt, count, zero, ir::Missing::False, Span::default());
                    block.filter(some);
                    self.assume(
                        "the elements of a list that is expanded are texts or numbers, not lists or objects",
                    );
                    let id = self.add(&name, Type::Dynamic);
                    let null = super::nulls::is_null(self.column(id));
                    let text = self.column(id).cast(Type::String, false);
                    self.known
                        .insert(std::ptr::from_ref(call).addr(), Val::new(text, Nulls::when(Some(null))));
                    kind = Some(ExpandKind::Bag);
                    expanded.push(ExpandItem { id, expr: value.e, to: None, named: true });
                    continue;
                }
                _ => return Err(self.clause(call, "`unnest` of this list")),
            };
            let [value] = inner.as_slice() else { return Err(self.clause(call, "`unnest` of this list")) };
            let same_limit = expanded.is_empty()
                || match (&limit, &cut) {
                    (None, None) => true,
                    (Some(a), Some(b)) => a.as_literal().is_some() && a.as_literal() == b.as_literal(),
                    _ => false,
                };
            if kind.is_some_and(|k| k != own) || !same_limit {
                return Err(self.clause(call, "lists that are expanded in two ways"));
            }
            kind = Some(own);
            limit = cut;
            let value = self.value(block, value)?;
            if value.e.ty != Type::Dynamic {
                return Err(self.types(call, format!("`unnest` of `{}`", value.e.ty)));
            }
            let id = self.add(&name, Type::Dynamic);
            let element = Val::exact(self.column(id));
            self.known.insert(std::ptr::from_ref(call).addr(), element);
            expanded.push(ExpandItem { id, expr: value.e, to: None, named: true });
        }
        let Some(kind) = kind else { return Ok(None) };
        if let Some((id, call)) = index {
            self.known.insert(std::ptr::from_ref(call).addr(), Val::present(self.column(id)));
        }
        let index = index.map(|(id, _)| id);
        if !series.is_empty() && (expanded.len() > 1 || index.is_some()) {
            return Err(super::Refusal::new(
                codes::SQL_READ_CLAUSE,
                Span::default(),
                "a series beside other elements is not read back",
            ));
        }
        Ok(Some(Expansion { items: expanded, kind, index, limit, series: series.pop() }))
    }

    /// `generate_series(from, to, step)` as the array of its values, and their type.
    pub(super) fn series_list(
        &mut self,
        block: &mut Block<'q>,
        bounds: [&'q ast::Expr; 3],
        node: &'q ast::Expr,
    ) -> Result<(Expr, Type)> {
        let mut args = Vec::with_capacity(3);
        for bound in bounds {
            args.push(self.value(block, bound)?.e);
        }
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let ty = match types.as_slice() {
            [Type::Datetime, Type::Datetime, Type::Timespan] => Type::Datetime,
            [a, b, c] if a.is_integer() && b.is_integer() && c.is_integer() => Type::Long,
            _ => return Err(self.types(node, "a series of these types")),
        };
        match ir::functions::find("range", ir::functions::FunctionKind::Scalar) {
            Some(def) => {
                let call = ir::ExprKind::Call(def, args);
                Ok((Expr::new(call, Type::Dynamic, self.span(node)), ty))
            }
            None => Err(self.function(node, "a series")),
        }
    }
}

/// Lists that are expanded side by side.
pub(super) struct Expansion {
    pub items: Vec<ExpandItem>,
    pub kind: ExpandKind,
    pub index: Option<ColId>,
    pub limit: Option<Expr>,
    /// The values of a series: none are null.
    pub series: Option<ColId>,
}

/// `range(len(…))`, `range(greatest(len(…), …))`: the index of an element.
fn is_index(list: &ast::Expr) -> bool {
    let length = |e: &ast::Expr| named_call(e).is_some_and(|(n, a)| n == "len" && a.len() == 1);
    match named_call(list) {
        Some((name, args)) if name == "range" => match args.as_slice() {
            [one] => {
                length(one)
                    || named_call(one)
                        .is_some_and(|(n, args)| n == "greatest" && args.iter().all(|a| length(a)))
            }
            _ => false,
        },
        _ => false,
    }
}

/// Calls of `unnest` in an expression.
fn find_unnest<'q>(e: &'q ast::Expr, found: &mut dyn FnMut(&'q ast::Expr, &'q ast::Expr)) {
    let e = bare(e);
    if let Some((name, args)) = named_call(e)
        && name == "unnest"
        && let [list] = args.as_slice()
    {
        found(e, list);
        return;
    }
    if let Some((_, parts)) = super::unify::shape(e) {
        for part in parts {
            find_unnest(part, found);
        }
    }
}
