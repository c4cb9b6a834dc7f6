//! `scan`: steps over rows in order.

use super::param;
use crate::lift::Lifter;
use crate::lift::scope::{Env, Rel, Scope, States};
use crate::syntax::tree::{self, ColumnNames};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{ColId, Expr, Op, Plan, Sequence, SequenceStep, Type};

impl<'t> Lifter<'t> {
    pub(super) fn sequence(&mut self, input: Rel, scan: &'t tree::Scan, span: Span, env: Env) -> Rel {
        let input =
            if scan.order_by.is_empty() { input } else { self.sort(input, &scan.order_by, span, env) };
        let key = match scan.partition_by.as_slice() {
            [] => return self.steps(input, scan, span, env),
            [tree::Expr { kind: tree::ExprKind::Name(name), span }] => self.column_of(&input, name, span.0),
            _ => return self.opaque_plan(Some(input), "`scan` by several columns or an expression", span),
        };
        let Some(key) = key else { return input };
        let rows = Plan::new(Op::Rows, std::sync::Arc::clone(&input.plan.output), span);
        let host = Rel { plan: rows, origins: input.origins.clone(), ordered: true, depth: input.depth };
        let Rel { plan, origins, depth, .. } = self.steps(host, scan, span, env);
        let output = std::sync::Arc::clone(&plan.output);
        let op = Op::Partition { input: input.plan, key, body: plan };
        Rel { plan: Plan::new(op, output, span), origins, ordered: false, depth: depth + 1 }
    }

    fn steps(&mut self, input: Rel, scan: &'t tree::Scan, span: Span, env: Env) -> Rel {
        let mut output = input.plan.output.to_vec();
        let mut declared: Vec<(ColId, Option<Expr>)> = Vec::with_capacity(scan.declare.len());
        for column in &scan.declare {
            let ty = crate::lift::expr::scalar_type(&column.ty);
            let default = column.default.as_ref().map(|d| self.expr_as(d, ty, &Scope::bare(env)));
            let id = self.replace_column(&mut output, column.name.text.clone(), ty, column.name.span.0);
            declared.push((id, default));
        }
        let match_id = param(&scan.params, "with_match_id").map(|p| self.param_text(p));
        let match_id = match_id.map(|name| self.replace_column(&mut output, name, Type::Long, span));
        let rows = Plan::new(Op::Rows, output.clone(), span);
        let row = Rel { plan: rows, origins: input.origins.clone(), ordered: true, depth: input.depth };
        let names: Vec<_> = scan.steps.iter().map(|s| s.name.text.clone()).collect();
        let mut steps = Vec::with_capacity(scan.steps.len());
        for step in &scan.steps {
            let states = States { steps: names.clone(), ..States::default() };
            let scope = Scope { states: Some(&states), ..Scope::over(env, &row) };
            let condition = self.predicate(&step.condition, &scope);
            let mut assignments = Vec::with_capacity(step.assignments.len());
            for assignment in &step.assignments {
                let ColumnNames::One(name) = &assignment.names else {
                    self.error(
                        codes::WRONG_ARGUMENTS,
                        assignment.value.span.0,
                        "a step assigns `column = value`",
                    );
                    continue;
                };
                let Some(id) = self.find_column(&output, &name.text) else {
                    self.error(codes::UNKNOWN_NAME, name.span.0, format!("`{}` is not declared", name.text));
                    continue;
                };
                let ty = self.columns.ty(id);
                assignments.push((id, self.expr_as(&assignment.value, ty, &scope)));
            }
            steps.push(SequenceStep {
                name: step.name.text.clone(),
                optional: step.optional,
                output: step.output.as_ref().map(|o| o.text.clone()),
                condition,
                assignments,
                states: states.used.into_inner(),
            });
        }
        input.then(|input| Op::Sequence(Sequence { input, match_id, declared, steps }), output, span)
    }
}
