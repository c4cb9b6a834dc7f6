//! Expressions: on one line if they fit, else broken at their operators, lists and branches.

use super::flat::Line;
use super::{MAX_DEPTH, Printer, short};
use sqlparser::ast::{
    BinaryOperator, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};

impl Printer {
    /// A filter: the parts of an AND (or OR) one a line, if they do not fit on one.
    pub(super) fn condition(&mut self, e: &Expr) {
        let Some(op) = chain_operator(e) else { return self.expr(e) };
        if !matches!(op, BinaryOperator::And) && self.fits(&Line(e), 0)
            || self.room() > 60 && short(&Line(e), 60) && self.fits(&Line(e), 0)
        {
            return;
        }
        self.indented(|p| p.chain(e, op));
    }

    /// The parts of an AND or OR, one a line.
    fn chain(&mut self, e: &Expr, op: &BinaryOperator) {
        let word = if matches!(op, BinaryOperator::And) { "AND " } else { "OR " };
        for (i, part) in operands(e, op).into_iter().enumerate() {
            if i > 0 {
                self.line();
                self.write(word);
            }
            self.expr(part);
        }
    }

    pub(super) fn expr(&mut self, e: &Expr) {
        if self.depth > MAX_DEPTH || self.fits(&Line(e), 1) {
            if self.depth > MAX_DEPTH {
                self.flat(e);
            }
            return;
        }
        self.depth += 1;
        self.long_expr(e);
        self.depth -= 1;
    }

    fn long_expr(&mut self, e: &Expr) {
        match e {
            Expr::Nested(inner) => {
                self.write("(");
                self.indented(|p| {
                    p.line();
                    match chain_operator(inner) {
                        Some(op) => p.chain(inner, op),
                        None => p.expr(inner),
                    }
                });
                self.line();
                self.write(")");
            }
            Expr::BinaryOp { left, op, right } => {
                if chain_operator(e).is_some() {
                    return self.condition(e);
                }
                self.expr(left);
                self.write(" ");
                self.flat(op);
                self.write(" ");
                self.expr(right);
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                self.write("NOT ");
                self.expr(expr);
            }
            Expr::IsNull(x) => self.postfix(x, " IS NULL"),
            Expr::IsNotNull(x) => self.postfix(x, " IS NOT NULL"),
            Expr::IsTrue(x) => self.postfix(x, " IS TRUE"),
            Expr::IsNotTrue(x) => self.postfix(x, " IS NOT TRUE"),
            Expr::IsFalse(x) => self.postfix(x, " IS FALSE"),
            Expr::IsNotFalse(x) => self.postfix(x, " IS NOT FALSE"),
            Expr::IsDistinctFrom(a, b) => self.between(a, " IS DISTINCT FROM ", b),
            Expr::IsNotDistinctFrom(a, b) => self.between(a, " IS NOT DISTINCT FROM ", b),
            Expr::InList { expr, list, negated } => {
                self.expr(expr);
                self.write(if *negated { " NOT IN (" } else { " IN (" });
                self.list(list, Self::expr);
                self.write(")");
            }
            Expr::InSubquery { expr, subquery, negated } => {
                self.expr(expr);
                self.write(if *negated { " NOT IN " } else { " IN " });
                self.parenthesised(subquery);
            }
            Expr::Subquery(query) => self.parenthesised(query),
            Expr::Exists { subquery, negated } => {
                self.write(if *negated { "NOT EXISTS " } else { "EXISTS " });
                self.parenthesised(subquery);
            }
            Expr::Function(f) => self.function(f),
            Expr::Case { operand: None, conditions, else_result, .. } => {
                self.write("CASE");
                self.indented(|p| {
                    for branch in conditions {
                        p.line();
                        p.write("WHEN ");
                        p.expr(&branch.condition);
                        p.write(" THEN ");
                        p.expr(&branch.result);
                    }
                    if let Some(other) = else_result {
                        p.line();
                        p.write("ELSE ");
                        p.expr(other);
                    }
                });
                self.line();
                self.write("END");
            }
            Expr::Cast { kind: CastKind::TryCast, expr, data_type, .. } => {
                self.write("TRY_CAST(");
                self.expr(expr);
                self.write(" AS ");
                self.flat(data_type);
                self.write(")");
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, .. } => {
                self.write("CAST(");
                self.expr(expr);
                self.write(" AS ");
                self.flat(data_type);
                self.write(")");
            }
            Expr::Cast { kind: CastKind::DoubleColon, expr, data_type, .. } => {
                self.expr(expr);
                self.write("::");
                self.flat(data_type);
            }
            Expr::Array(array) if !array.named => {
                self.write("[");
                self.list(&array.elem, Self::expr);
                self.write("]");
            }
            other => self.flat(other),
        }
    }

    fn postfix(&mut self, e: &Expr, word: &str) {
        self.expr(e);
        self.write(word);
    }

    fn between(&mut self, a: &Expr, word: &str, b: &Expr) {
        self.expr(a);
        self.write(word);
        self.expr(b);
    }

    fn function(&mut self, f: &Function) {
        let FunctionArguments::List(list) = &f.args else { return self.flat(f) };
        if !list.clauses.is_empty()
            || list.duplicate_treatment.is_some()
            || f.over.is_some()
            || !f.within_group.is_empty()
        {
            return self.flat(f);
        }
        if f.null_treatment.is_some()
            || f.uses_odbc_syntax
            || !matches!(f.parameters, FunctionArguments::None)
        {
            return self.flat(f);
        }
        self.flat(&f.name);
        self.write("(");
        self.list(&list.args, |p, a| match a {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => p.expr(e),
            other => p.flat(other),
        });
        self.write(")");
        if let Some(filter) = &f.filter {
            self.write(" FILTER (WHERE ");
            self.expr(filter);
            self.write(")");
        }
    }
}

fn chain_operator(e: &Expr) -> Option<&BinaryOperator> {
    match e {
        Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => Some(op),
        _ => None,
    }
}

/// The operands of a chain of one operator, without recursion along it.
fn operands<'e>(e: &'e Expr, op: &BinaryOperator) -> Vec<&'e Expr> {
    let mut todo = vec![e];
    let mut out = Vec::new();
    while let Some(e) = todo.pop() {
        match e {
            Expr::BinaryOp { left, op: own, right } if own == op => {
                todo.push(right);
                todo.push(left);
            }
            other => out.push(other),
        }
    }
    out
}
