//! Rows out of nothing: `datatable`, `print`, `range`.

use crate::build;
use crate::lower::block::{Block, Origin, Out, Relation, SourceColumn};
use crate::lower::{Lowerer, Result, Scope};
use ruleferry_ir::{ColId, Plan, Range, Type, Values};
use smol_str::SmolStr;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{self, BinaryOperator, Expr, Parens, SetExpr};

impl Lowerer<'_> {
    pub(super) fn values(&mut self, plan: &Plan, values: &Values) -> Result<Block> {
        let scope = Scope::default();
        if let [row] = values.rows.as_slice()
            && values.print
        {
            let mut block = Block { hint: "printed", explicit: true, ..Block::default() };
            for (id, expr) in plan.output.iter().zip(row) {
                let sql = self.expr(expr, &scope)?;
                let name = Block::name_for(&block.outs, self.query.columns.name(*id), None);
                let present = !self.nullable(expr, &scope);
                block.outs.push(Out {
                    id: *id,
                    name,
                    expr: self.typed(sql, self.ty(*id)).into(),
                    origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
                    present,
                    aliases: Vec::new(),
                });
            }
            return Ok(block);
        }
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let mut cells = Vec::with_capacity(row.len());
            for cell in row {
                cells.push(self.expr(cell, &scope)?);
            }
            rows.push(cells);
        }
        self.literal_rows(&plan.output, rows)
    }

    /// A whole number alone is an INTEGER to the engine, which would overflow where a long does not.
    fn typed(&self, expr: Expr, ty: Type) -> Expr {
        let number = |e: &Expr| matches!(e, Expr::Value(v) if matches!(v.value, ast::Value::Number(..)));
        let bare = match &expr {
            Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => number(expr),
            e => number(e),
        };
        if bare && ty == Type::Long { build::cast(expr, build::data_type(self.dialect(), ty)) } else { expr }
    }

    /// `(VALUES …) AS rows(columns…)`
    pub(super) fn literal_rows(&mut self, output: &[ColId], mut rows: Vec<Vec<Expr>>) -> Result<Block> {
        let empty = rows.is_empty();
        if empty {
            let nulls = output.iter().map(|_| build::null()).collect();
            rows.push(nulls);
        }
        if let Some(first) = rows.first_mut() {
            for (cell, id) in first.iter_mut().zip(output) {
                let old = std::mem::replace(cell, build::null());
                let null = matches!(&old, Expr::Value(v) if v.value == ast::Value::Null);
                *cell = if null {
                    build::cast(old, build::data_type(self.dialect(), self.query.columns.ty(*id)))
                } else {
                    self.typed(old, self.query.columns.ty(*id))
                };
            }
        }
        let mut columns: Vec<SourceColumn> = Vec::new();
        for id in output {
            let wanted = self.query.columns.name(*id);
            let mut name = SmolStr::new(if wanted.is_empty() { "_" } else { wanted });
            let mut n = 1;
            while columns.iter().any(|c| c.name.eq_ignore_ascii_case(&name)) {
                n += 1;
                name = SmolStr::new(format!("{wanted}__{n}"));
            }
            columns.push(SourceColumn { id: Some(*id), name, present: false });
        }
        let values = ast::Values {
            explicit_row: false,
            value_keyword: false,
            rows: rows
                .into_iter()
                .map(|content| Parens {
                    opening_token: AttachedToken::empty(),
                    content,
                    closing_token: AttachedToken::empty(),
                })
                .collect(),
        };
        let names: Vec<SmolStr> = columns.iter().map(|c| c.name.clone()).collect();
        let derived = build::derived(build::query(SetExpr::Values(values)), false);
        let factor = build::aliased(derived, "data", &names);
        let mut block =
            Block::over(Relation { factor, columns, open: false, order: Vec::new(), around: Vec::new() });
        if empty {
            block.filters.push(build::boolean(false));
        }
        block.hint = "data";
        Ok(block)
    }

    pub(super) fn range(&mut self, plan: &Plan, range: &Range) -> Result<Block> {
        let scope = Scope::default();
        let whole = |e: &ruleferry_ir::Expr| e.ty.is_integer();
        if !(self.dialect().generic || whole(&range.from) && whole(&range.to) && whole(&range.step)) {
            return Err(super::refuse_operator(plan.span, "`range` over what are no whole numbers"));
        }
        let id = plan.output.first().copied().unwrap_or(ColId(u32::MAX));
        let ty = self.ty(id);
        let (from, to, step) =
            (self.expr(&range.from, &scope)?, self.expr(&range.to, &scope)?, self.expr(&range.step, &scope)?);
        let name = SmolStr::new(self.query.columns.name(id));
        let plain =
            matches!(ty, Type::Int | Type::Long) && range.step.ty.is_integer() || ty == Type::Datetime;
        if plain {
            let factor = build::aliased(
                build::table_call("generate_series", vec![from, to, step]),
                "series",
                std::slice::from_ref(&name),
            );
            let columns = vec![SourceColumn { id: Some(id), name, present: true }];
            let mut block =
                Block::over(Relation { factor, columns, open: false, order: Vec::new(), around: Vec::new() });
            block.hint = "series";
            return Ok(block);
        }
        // Numbers with a fraction and time spans: count the steps.
        let seconds = |e: Expr| if ty == Type::Timespan { build::call("epoch", vec![e]) } else { e };
        let distance = build::binary(to, BinaryOperator::Minus, from.clone());
        let count = build::binary(seconds(distance), BinaryOperator::Divide, seconds(step.clone()));
        let count =
            build::cast(build::call("floor", vec![count]), build::data_type(self.dialect(), Type::Long));
        let step_name = SmolStr::new("step");
        let factor = build::aliased(
            build::table_call("generate_series", vec![build::integer(0), count]),
            "series",
            std::slice::from_ref(&step_name),
        );
        let columns = vec![SourceColumn { id: None, name: step_name.clone(), present: true }];
        let mut block =
            Block::over(Relation { factor, columns, open: false, order: Vec::new(), around: Vec::new() });
        let steps = build::binary(build::column(&step_name), BinaryOperator::Multiply, step);
        let value = build::binary(from, BinaryOperator::Plus, steps);
        let name = if name == "step" { SmolStr::new("step__2") } else { name };
        block.outs.push(Out {
            id,
            name,
            expr: value.into(),
            origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
            present: true,
            aliases: Vec::new(),
        });
        block.explicit = true;
        block.hint = "series";
        Ok(block)
    }
}
