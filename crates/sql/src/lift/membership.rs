//! `IN`: a value that is one of a list, or one of a query's rows.

use super::block::Block;
use super::test::{Folded, comparable, folded, lowered, not};
use super::unify::bare;
use super::{Lifter, Place, Result, Val};
use ruleferry_diag::Span;
use ruleferry_ir::{
    Case, CompareOp, Expr, ExprKind, InList, InQuery, InValues, MatchKind, MatchValues, Missing, Quantifier,
    StringMatch, Subject, Type, Value,
};
use sqlparser::ast;

impl<'q> Lifter<'q> {
    pub(super) fn in_list(
        &mut self,
        block: &mut Block<'q>,
        subject: &'q ast::Expr,
        list: &'q [ast::Expr],
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        if let Some(inner) = lowered(subject) {
            let values: Option<Vec<Folded<'q>>> = list.iter().map(folded).collect();
            if let Some(values) = values {
                let subject = self.value(block, inner)?;
                let values =
                    values.into_iter().map(|v| self.folded_value(block, v)).collect::<Result<Vec<_>>>()?;
                return self.text_match(subject, MatchKind::Equals, Case::Insensitive, values, place, node);
            }
        }
        if let ast::Expr::Tuple(_) = bare(subject) {
            // Rows: equal to one of them in all parts. Engines do not agree on what NULL makes of it.
            if place != Place::Keep {
                return Err(self.null(node, "a row of several values"));
            }
            let mut any = Vec::with_capacity(list.len());
            for row in list {
                any.push(self.comparison_of(block, subject, CompareOp::Eq, row, place, node)?);
            }
            return Ok(Expr::or(any, self.span(node)));
        }
        let mut subject = self.value(block, subject)?;
        let mut values = Vec::with_capacity(list.len());
        let mut missing = false;
        for e in list {
            if matches!(bare(e), ast::Expr::Value(v) if v.value == ast::Value::Null) {
                missing = true;
                continue;
            }
            let mut val = self.value(block, e)?;
            self.agree(&mut subject, &mut val);
            values.push(val);
        }
        for val in &mut values {
            self.agree(&mut subject, val);
        }
        if missing {
            // NULL among them is equal to nothing: what is not found is not known.
            return match place {
                Place::Drop => Ok(Expr::bool(true, Span::default())),
                Place::Keep if values.is_empty() => Ok(Expr::bool(false, Span::default())),
                Place::Keep => self.in_values(subject, values, place, node),
                Place::Exact => {
                    let found = self.in_values(subject, values, Place::Keep, node)?;
                    let null = Expr::literal(Value::Null(Type::Bool), Span::default());
                    let yes = Expr::bool(true, Span::default());
                    let e = ExprKind::Case(vec![(found, yes)], Box::new(null));
                    Ok(Expr::new(e, Type::Bool, self.span(node)))
                }
            };
        }
        self.in_values(subject, values, place, node)
    }

    /// A value that is one of several.
    pub(super) fn in_values(
        &mut self,
        subject: Val,
        values: Vec<Val>,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        if matches!(subject.e.ty, Type::String | Type::Guid) {
            return self.text_match(subject, MatchKind::Equals, Case::Sensitive, values, place, node);
        }
        if let Some(odd) = values.iter().find(|v| !comparable(v.e.ty, subject.e.ty)) {
            let message = format!("`{}` in a list of `{}`", subject.e.ty, odd.e.ty);
            return Err(self.types(node, message));
        }
        // A NULL in the list makes null of what is not found; the IR passes over it.
        if place != Place::Keep && values.iter().any(|v| v.nulls.sql) {
            return Err(self.null(node, "a value of a list"));
        }
        let missing = if place == Place::Keep { Missing::False } else { Missing::Null };
        let values = InValues::List(values.into_iter().map(|v| v.e).collect());
        let test = InList { subject: subject.e, values, missing };
        Ok(Expr::new(ExprKind::In(Box::new(test)), Type::Bool, self.span(node)))
    }

    pub(super) fn in_query(
        &mut self,
        block: &mut Block<'q>,
        subject: &'q ast::Expr,
        query: &'q ast::Query,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        let (subject, folds) = match lowered(subject) {
            Some(inner) if self.folds_rows(query) => (inner, true),
            _ => (subject, false),
        };
        let mut subject = self.value(block, subject)?;
        let rel = self.query_with(query, false, folds)?;
        let cols: Vec<_> = rel.cols().cloned().collect();
        let [col] = cols.as_slice() else {
            return Err(self.clause(node, "IN over a query of several columns"));
        };
        let mut own = Val::new(self.column(col.id), col.nulls.clone());
        self.agree(&mut subject, &mut own);
        let ty = self.columns.ty(col.id);
        if col.fields.is_some() || !comparable(ty, subject.e.ty) {
            return Err(self.types(node, format!("`{}` in a query of `{ty}`", subject.e.ty)));
        }
        let (id, nulls) = (col.id, col.nulls.clone());
        let span = self.span(node);
        let value = Val::new(self.column(id), nulls.clone());
        if place == Place::Keep && (ty != Type::String || !nulls.sql || subject.nulls.never_empty) {
            // NULL on any side finds nothing. A NULL among the values is no '', which the IR would take it for.
            let plan = super::expr::only(rel.plan.clone(), id, self.column(id));
            if ty != Type::String {
                let test =
                    InQuery { subject: subject.e, plan, case: Case::Sensitive, missing: Missing::False };
                return Ok(Expr::new(ExprKind::InQuery(Box::new(test)), Type::Bool, span));
            }
            match (subject.nulls.sql, subject.nulls.exact) {
                (false, _) => return Ok(matches_query(subject.e, plan, folds, Missing::Empty, span)),
                (true, true) => return Ok(matches_query(subject.e, plan, folds, Missing::False, span)),
                (true, false) => {}
            }
        }
        if !nulls.sql && !subject.nulls.sql {
            let plan = super::expr::only(rel.plan.clone(), id, self.column(id));
            return Ok(match ty {
                Type::String => matches_query(subject.e, plan, folds, Missing::Empty, span),
                _ => {
                    let test =
                        InQuery { subject: subject.e, plan, case: Case::Sensitive, missing: Missing::False };
                    Expr::new(ExprKind::InQuery(Box::new(test)), Type::Bool, span)
                }
            });
        }
        // All three answers, spelled out: of no rows false; found is true; else null, where the value or one of the rows is.
        let (Ok(no_subject), Ok(no_value)) = (self.cond(&subject), self.cond(&value)) else {
            return Err(self.null(node, "a value of a query"));
        };
        let mut there = rel.clone();
        if let Some(null) = &no_value {
            there.filter(not(null.clone()));
        }
        let plan = super::expr::only(there.plan, id, self.column(id));
        let found = match ty {
            Type::String => matches_query(subject.e, plan, folds, Missing::Empty, span),
            _ => {
                let test =
                    InQuery { subject: subject.e, plan, case: Case::Sensitive, missing: Missing::False };
                Expr::new(ExprKind::InQuery(Box::new(test)), Type::Bool, span)
            }
        };
        let found = match &no_subject {
            Some(null) => Expr::and(vec![not(null.clone()), found], span),
            None => found,
        };
        if place == Place::Keep {
            return Ok(found);
        }
        let mut unknown = Vec::new();
        if let Some(null) = no_value {
            let mut nulls = rel.clone();
            nulls.filter(null);
            unknown.push(self.has_rows(nulls.plan, node)?);
        }
        if let Some(null) = no_subject {
            let rows = self.has_rows(rel.plan, node)?;
            unknown.push(Expr::and(vec![null, rows], span));
        }
        let unknown = Expr::or(unknown, span);
        Ok(match place {
            Place::Drop => Expr::or(vec![found, unknown], span),
            Place::Keep | Place::Exact => {
                let (yes, no) = (Expr::bool(true, span), Expr::bool(false, span));
                let null = Expr::literal(Value::Null(Type::Bool), span);
                let e = ExprKind::Case(vec![(found, yes), (unknown, null)], Box::new(no));
                Expr::new(e, Type::Bool, span)
            }
        })
    }

    /// Whether a query gives rows.
    pub(super) fn has_rows(&mut self, plan: ruleferry_ir::Plan, node: &ast::Expr) -> Result<Expr> {
        use ruleferry_ir::functions::{FunctionKind, find};
        let Some(count) = find("count", FunctionKind::Aggregate) else {
            return Err(self.function(node, "a query as a test"));
        };
        let id = self.add("count_", Type::Long);
        let call = ruleferry_ir::AggregateCall::Function(count, Vec::new());
        let item = ruleferry_ir::AggregateItem { ids: vec![id], call, named: true };
        let aggregate = ruleferry_ir::Aggregate { input: plan, keys: Vec::new(), aggregates: vec![item] };
        let plan = ruleferry_ir::Plan::new(ruleferry_ir::Op::Aggregate(aggregate), vec![id], Span::default());
        let rows = Expr::new(ExprKind::Subquery(Box::new(plan)), Type::Long, self.span(node));
        let zero = Expr::literal(Value::Long(0), Span::default());
        Ok(Expr::compare(CompareOp::Gt, rows, zero, Missing::False, self.span(node)))
    }

    /// Whether the one column of a query is `lower(…)`.
    pub(super) fn folds_rows(&self, query: &ast::Query) -> bool {
        let ast::SetExpr::Select(select) = &*query.body else { return false };
        match select.projection.as_slice() {
            [ast::SelectItem::UnnamedExpr(e)] => lowered(e).is_some() && select.distinct.is_none(),
            _ => false,
        }
    }
}

/// A text that is one of a query's.
fn matches_query(subject: Expr, plan: ruleferry_ir::Plan, folds: bool, missing: Missing, span: Span) -> Expr {
    let test = StringMatch {
        subject: Subject::Expr(subject),
        kind: MatchKind::Equals,
        case: if folds { Case::Insensitive } else { Case::Sensitive },
        values: MatchValues::Query(Box::new(plan)),
        quantifier: Quantifier::Any,
        missing,
    };
    Expr::matches(test, span)
}
