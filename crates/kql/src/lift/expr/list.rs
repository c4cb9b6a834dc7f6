//! `in`, `has_any`, `has_all`: a value against a list, a dynamic array or the first column of a table.

use super::convert::element;
use super::{Cx, Lifter};
use crate::syntax::tree::{self, ListOp};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    self as ir, Case, ExprKind, InList, InQuery, InValues, Json, MatchKind, MatchValue, MatchValues, Missing,
    Op, Quantifier, StringMatch, Subject, Type, Value,
};

struct Test {
    kind: MatchKind,
    case: Case,
    quantifier: Quantifier,
    negated: bool,
}

const fn test_of(op: ListOp) -> Test {
    let (kind, case, quantifier, negated) = match op {
        ListOp::In => (MatchKind::Equals, Case::Sensitive, Quantifier::Any, false),
        ListOp::NotIn => (MatchKind::Equals, Case::Sensitive, Quantifier::Any, true),
        ListOp::InCi => (MatchKind::Equals, Case::Insensitive, Quantifier::Any, false),
        ListOp::NotInCi => (MatchKind::Equals, Case::Insensitive, Quantifier::Any, true),
        ListOp::HasAny => (MatchKind::Term, Case::Insensitive, Quantifier::Any, false),
        ListOp::HasAll => (MatchKind::Term, Case::Insensitive, Quantifier::All, false),
    };
    Test { kind, case, quantifier, negated }
}

/// What stands in the list.
#[derive(Default)]
struct Items {
    values: Vec<ir::Expr>,
    /// Dynamic values that are known only when run, or through a `let`.
    arrays: Vec<ir::Expr>,
}

impl<'t> Lifter<'t> {
    pub(super) fn list_test(&mut self, list: &'t tree::ListTest, span: Span, cx: Cx<'_>) -> ir::Expr {
        let cx = Cx { search: None, ..cx };
        let test = test_of(list.op);
        let subject = if matches!(list.left.kind, tree::ExprKind::Star) {
            Subject::AnyColumn
        } else {
            Subject::Expr(self.expr_in(&list.left, cx))
        };
        let found = match list.items.as_slice() {
            [table] if self.is_tabular(table, cx.scope.env) => self.in_table(subject, &test, table, span, cx),
            items => self.in_items(subject, &test, items, span, cx),
        };
        if test.negated { found.negated(span) } else { found }
    }

    fn in_table(
        &mut self,
        subject: Subject,
        test: &Test,
        table: &'t tree::Expr,
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        let mut plan = self.table(table, cx.scope.env).plan;
        let Some(first) = plan.output.first().copied() else {
            return self.faulty(
                codes::TABLE_WITHOUT_COLUMN,
                table.span.0,
                "the table has no column to look in",
                Type::Bool,
            );
        };
        let mut ty = self.columns.ty(first);
        if ty == Type::Dynamic {
            plan = self.elements_of(plan, first);
            ty = Type::Dynamic;
        }
        let text = test.kind != MatchKind::Equals;
        match subject {
            Subject::Expr(subject) if !text => {
                let (subject, to) = self.in_table_types(subject, ty);
                let plan = self.first_column_as(plan, to);
                let missing = if to == Type::String { Missing::Empty } else { Missing::Distinct };
                let test = InQuery { subject, plan, case: test.case, missing };
                ir::Expr::new(ExprKind::InQuery(Box::new(test)), Type::Bool, span)
            }
            subject => {
                let subject = match subject {
                    Subject::Expr(e) => Subject::Expr(self.as_text(e)),
                    other => other,
                };
                let plan = self.first_column_as(plan, Type::String);
                text_match(subject, test, MatchValues::Query(Box::new(plan)), span)
            }
        }
    }

    /// The subject and the type in which it meets a column of this type.
    fn in_table_types(&mut self, subject: ir::Expr, column: Type) -> (ir::Expr, Type) {
        let to = match (subject.ty, column) {
            (Type::Unknown | Type::Dynamic, Type::Unknown | Type::Dynamic) => Type::String,
            (Type::Unknown | Type::Dynamic, ty) => ty,
            (ty, _) => ty,
        };
        (self.coerce(subject, to), to)
    }

    /// The plan with its first column, alone, in this type.
    fn first_column_as(&mut self, plan: ir::Plan, to: Type) -> ir::Plan {
        let Some(id) = plan.output.first().copied() else { return plan };
        let ty = self.columns.ty(id);
        let span = plan.span;
        let column = self.column_expr(id, span);
        if ty == to || ty == Type::Unknown || to == Type::Unknown || (ty.is_numeric() && to.is_numeric()) {
            self.hint(&column, to);
            return plan;
        }
        let name = self.columns.name(id).to_owned();
        let new = self.add_column(name, to, span);
        let items = vec![ir::Item { ids: vec![new], expr: column.cast(to, true), named: true }];
        ir::Plan::new(Op::Project { input: plan, items }, [new], span)
    }

    /// Arrays in a list are flattened, also those of a column.
    fn elements_of(&mut self, plan: ir::Plan, column: ir::ColId) -> ir::Plan {
        let span = plan.span;
        let name = self.columns.name(column).to_owned();
        let id = self.add_column(name, Type::Dynamic, span);
        let expr = self.column_expr(column, span);
        let items = vec![ir::ExpandItem { id, expr, to: None, named: true }];
        let output: Vec<ir::ColId> = plan.output.iter().map(|c| if *c == column { id } else { *c }).collect();
        let expand = ir::Expand { input: plan, items, kind: ir::ExpandKind::Bag, index: None, limit: None };
        ir::Plan::new(Op::Expand(expand), output, span)
    }

    fn in_items(
        &mut self,
        subject: Subject,
        test: &Test,
        items: &'t [tree::Expr],
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        let mut list = Items::default();
        for item in items {
            if self.is_tabular(item, cx.scope.env) {
                let message = "a table in a list must stand alone";
                return self.faulty(codes::TABLE_AS_VALUE, item.span.0, message, Type::Bool);
            }
            let e = self.expr_in(item, cx);
            self.add_item(&mut list, e);
        }
        let equals = test.kind == MatchKind::Equals;
        match subject {
            Subject::Expr(e) if equals => match self.list_type(&e, &list) {
                Type::String => {
                    let e = self.coerce(e, Type::String);
                    self.in_texts(Subject::Expr(e), test, list, span)
                }
                ty => self.in_values(e, ty, list, span),
            },
            Subject::Expr(e) => {
                let e = self.as_text(e);
                self.in_texts(Subject::Expr(e), test, list, span)
            }
            other => self.in_texts(other, test, list, span),
        }
    }

    fn add_item(&mut self, list: &mut Items, e: ir::Expr) {
        if let ExprKind::Literal(Value::Dynamic(json)) = &e.kind {
            flatten(json, e.span, &mut list.values);
        } else if e.ty == Type::Dynamic && e.as_literal().is_none() {
            // A `let` of one text in `dynamic(…)` is that text.
            match self.constant(&e) {
                Some(Value::Dynamic(json)) if !matches!(json, Json::Array(_)) => {
                    let value = ir::Expr::literal(element(json), e.span);
                    list.values.push(value);
                }
                _ => list.arrays.push(e),
            }
        } else {
            list.values.push(e);
        }
    }

    /// The type in which the subject of `in` meets its list.
    fn list_type(&self, subject: &ir::Expr, list: &Items) -> Type {
        let array_elements = |e: &ir::Expr| match self.constant(e) {
            Some(Value::Dynamic(Json::Array(items))) => items.iter().map(|i| element(i).ty()).collect(),
            _ => Vec::new(),
        };
        let mut types: Vec<Type> = list.values.iter().map(|v| v.ty).collect();
        types.extend(list.arrays.iter().flat_map(array_elements));
        let all = |is: fn(Type) -> bool| !types.is_empty() && types.iter().all(|t| is(*t));
        match subject.ty {
            Type::Dynamic | Type::Unknown => {
                let first = types.first().copied().unwrap_or(Type::String);
                if all(|t| matches!(t, Type::Int | Type::Long)) {
                    if subject.ty == Type::Dynamic { Type::Real } else { Type::Long }
                } else if all(Type::is_numeric) {
                    Type::Real
                } else if first != Type::Dynamic && types.iter().all(|t| *t == first) {
                    first
                } else {
                    Type::String
                }
            }
            // An array of texts against a value that is none: the texts decide, as they cannot be converted beforehand.
            ty if ty != Type::String && list.values.is_empty() && all(|t| t == Type::String) => {
                if ty.is_numeric() { Type::String } else { ty }
            }
            ty => ty,
        }
    }

    fn in_texts(&mut self, subject: Subject, test: &Test, list: Items, span: Span) -> ir::Expr {
        let mut tests = Vec::with_capacity(1 + list.arrays.len());
        if !list.values.is_empty() {
            let texts =
                list.values.into_iter().map(|v| MatchValue::Expr(self.coerce(v, Type::String))).collect();
            tests.push(text_match(subject.clone(), test, MatchValues::List(texts), span));
        }
        for array in list.arrays {
            tests.push(text_match(subject.clone(), test, MatchValues::Dynamic(array), span));
        }
        self.joined(tests, test.quantifier, span)
    }

    fn in_values(&mut self, subject: ir::Expr, ty: Type, list: Items, span: Span) -> ir::Expr {
        let numeric = subject.ty.is_numeric() && ty.is_numeric();
        let subject = if numeric { subject } else { self.coerce(subject, ty) };
        let mut tests = Vec::with_capacity(1 + list.arrays.len());
        let mut push = |values: InValues| {
            let test = InList { subject: subject.clone(), values, missing: Missing::Distinct };
            tests.push(ir::Expr::new(ExprKind::In(Box::new(test)), Type::Bool, span));
        };
        if !list.values.is_empty() {
            let as_is = |v: &ir::Expr| v.ty.is_numeric() && ty.is_numeric();
            let values = list.values.into_iter().map(|v| if as_is(&v) { v } else { self.coerce(v, ty) });
            push(InValues::List(values.collect()));
        }
        for array in list.arrays {
            push(InValues::Dynamic(array));
        }
        self.joined(tests, Quantifier::Any, span)
    }

    /// Any or all of the tests; of an empty list none is true.
    fn joined(&self, tests: Vec<ir::Expr>, quantifier: Quantifier, span: Span) -> ir::Expr {
        match quantifier {
            Quantifier::Any => ir::Expr::or(tests, span),
            Quantifier::All => ir::Expr::and(tests, span),
        }
    }
}

/// Nested arrays in a list become one list.
fn flatten(json: &Json, span: Span, out: &mut Vec<ir::Expr>) {
    match json {
        Json::Array(items) => items.iter().for_each(|i| flatten(i, span, out)),
        Json::Null
        | Json::Bool(_)
        | Json::Long(_)
        | Json::Real(_)
        | Json::String(_)
        | Json::Datetime(_)
        | Json::Timespan(_)
        | Json::Object(_) => out.push(ir::Expr::literal(element(json), span)),
    }
}

fn text_match(subject: Subject, test: &Test, values: MatchValues, span: Span) -> ir::Expr {
    let (kind, case, quantifier) = (test.kind, test.case, test.quantifier);
    ir::Expr::matches(StringMatch { subject, kind, case, values, quantifier, missing: Missing::Empty }, span)
}
