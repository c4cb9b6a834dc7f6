//! Functions that make several columns: a struct in SQL.

use super::block::{Block, Col};
use super::nulls::Nulls;
use super::select::named_call;
use super::unify::bare;
use super::{Lifter, Result, Val, literal};
use ruleferry_diag::Span;
use ruleferry_ir::{self as ir, ColId, Expr, Item, Op, Type, Value};
use smol_str::SmolStr;
use sqlparser::ast;

impl<'q> Lifter<'q> {
    /// A function that makes several columns: a struct in SQL.
    pub(super) fn columns_of_call(
        &mut self,
        block: &mut Block<'q>,
        name: &str,
        e: &'q ast::Expr,
    ) -> Result<Option<Col>> {
        if super::expr::is_test(e) || self.known_value(bare(e)).is_some() {
            return Ok(None);
        }
        let Some(val) = self.template_value(block, bare(e))? else { return Ok(None) };
        let ir::ExprKind::Call(def, args) = &val.e.kind else { return Ok(None) };
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let made = def.column_types(&types);
        if made.len() < 2 {
            return Ok(None);
        }
        let mut ids = Vec::with_capacity(made.len());
        let mut fields = Vec::with_capacity(made.len());
        for (i, ty) in made.into_iter().enumerate() {
            let field = SmolStr::new(format!("{name}_{}", i + 1));
            let id = self.add(&field, ty);
            ids.push(id);
            let nulls = if ty == Type::String { Nulls::OPEN } else { Nulls::EXACT };
            fields.push(Col { name: field, id, nulls, fields: None });
        }
        let mut output = block.plan.output.to_vec();
        output.extend(&ids);
        let id = ids.first().copied().unwrap_or(ColId(u32::MAX));
        let items = vec![Item { ids, expr: val.e, named: true }];
        block.wrap(output.into(), |input| Op::Extend { input, items });
        Ok(Some(Col { name: name.into(), id, nulls: Nulls::OPEN, fields: Some(fields) }))
    }

    /// `struct_extract_at(holder, n)`
    pub(super) fn field_at(
        &mut self,
        block: &mut Block<'q>,
        holder: &'q ast::Expr,
        n: i64,
    ) -> Result<Option<Val>> {
        let ast::Expr::Identifier(ident) = bare(holder) else { return Ok(None) };
        let col = match self.find(block, &ident.value, None, ident)? {
            Some(col) => Some(col),
            None => self.alias(block, &ident.value)?,
        };
        let at = usize::try_from(n).ok().and_then(|n| n.checked_sub(1));
        let field = col.and_then(|c| c.fields).zip(at).and_then(|(fields, at)| fields.into_iter().nth(at));
        Ok(field.map(|f| Val::new(self.column(f.id), f.nulls)))
    }

    /// A struct that is not a value but several columns: `regexp_extract(x, p, ['a', 'b'])`.
    pub(super) fn struct_value(
        &mut self,
        block: &mut Block<'q>,
        name: &str,
        e: &'q ast::Expr,
    ) -> Result<Option<Col>> {
        let Some((called, args)) = named_call(e) else { return Ok(None) };
        let (true, [text, pattern, names]) = (called == "regexp_extract", args.as_slice()) else {
            return self.columns_of_call(block, name, e);
        };
        let ast::Expr::Array(names) = bare(names) else { return Ok(None) };
        let text = self.value(block, text)?;
        let pattern = self.value(block, pattern)?;
        let fits = text.e.ty == Type::String && pattern.e.as_literal().is_some();
        let extract = ir::functions::find("extract", ir::functions::FunctionKind::Scalar);
        let (true, Some(extract)) = (fits, extract) else {
            return Err(self.types(e, "`regexp_extract` of these types"));
        };
        // Of NULL a NULL; of '' nothing but ''. Both are "" in the IR.
        let nulls = match self.cond(&text) {
            Ok(condition) => Nulls::when(condition),
            Err(()) => Nulls::OPEN,
        };
        let mut fields = Vec::with_capacity(names.elem.len());
        for (i, field) in names.elem.iter().enumerate() {
            let Some(field) = literal::constant_text(field) else {
                return Err(self.function(e, "names that are computed"));
            };
            let group = Value::Long(i64::try_from(i + 1).unwrap_or(0));
            let args = vec![pattern.e.clone(), Expr::literal(group, Span::default()), text.e.clone()];
            let call = Expr::new(ir::ExprKind::Call(extract, args), Type::String, self.span(e));
            fields.push(self.put(block, field, Val::new(call, nulls.clone())));
        }
        let id = fields.first().map_or(ColId(u32::MAX), |f| f.id);
        Ok(Some(Col { name: name.into(), id, nulls: Nulls::OPEN, fields: Some(fields) }))
    }
}
