//! Tests of a text against several, and of several texts at once, as they are emitted.

use super::block::Block;
use super::test::{two_valued, two_valued_keep};
use super::unify::{bare, function_name};
use super::{Lifter, Place, Result, Val, literal};
use ruleferry_ir::{Case, Expr, ExprKind, MatchKind, MatchValue, MatchValues, Quantifier, Subject, Type};
use sqlparser::ast;

impl<'q> Lifter<'q> {
    /// `coalesce(list_bool_or(list_transform(values, lambda v : test)), false)`: whether any, or all, of the values pass.
    pub(super) fn quantified(
        &mut self,
        block: &mut Block<'q>,
        name: &str,
        list: &'q ast::Expr,
        default: &'q ast::Expr,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        let odd = |l: &Self| Err(l.function(node, format!("`{}`", super::expr::short(node))));
        let any = name == "list_bool_or";
        let wanted = ast::Value::Boolean(!any);
        let right_default = matches!(bare(default), ast::Expr::Value(v) if v.value == wanted);
        let Some((called, parts)) = super::select::named_call(list) else { return odd(self) };
        let ([values, ast::Expr::Lambda(lambda)], true) =
            (parts.as_slice(), called == "list_transform" && right_default)
        else {
            return odd(self);
        };
        let ast::OneOrManyWithParens::One(param) = &lambda.params else { return odd(self) };
        // A query among the values is bound outside of the lambda.
        let before = self.params.len();
        let values = match super::select::named_call(values) {
            Some((n, args)) if n == "list_extract" => match args.as_slice() {
                [list, one] if literal::constant_number(one) == Some(1) => match self.bind(block, list)? {
                    Some((_, body)) => body,
                    None => return odd(self),
                },
                _ => return odd(self),
            },
            _ => values,
        };
        let (values, never_null) = match bare(values) {
            ast::Expr::Function(f) if function_name(f).as_deref() == Some("array") => {
                let ast::FunctionArguments::Subquery(query) = &f.args else { return odd(self) };
                let rel = self.query(query, false)?;
                let mut cols = rel.cols();
                let (Some(col), None) = (cols.next(), cols.next()) else { return odd(self) };
                if col.fields.is_some() || self.columns.ty(col.id) != Type::String {
                    return Err(self.types(node, "a list of values that are no texts"));
                }
                let plan = super::expr::only(rel.plan.clone(), col.id, self.column(col.id));
                (MatchValues::Query(Box::new(plan)), !col.nulls.sql)
            }
            other => match super::select::named_call(other) {
                Some((n, args)) if n == "json_texts" && self.macros.contains("json_texts") => {
                    let [value] = args.as_slice() else { return odd(self) };
                    let value = self.value(block, value)?;
                    if value.e.ty != Type::Dynamic {
                        return Err(self.types(node, "a list of values that is no dynamic one"));
                    }
                    (MatchValues::Dynamic(value.e), true)
                }
                _ => return odd(self),
            },
        };
        self.params.truncate(before);
        if !never_null {
            return Err(self.null(node, "a value of a query"));
        }
        let id = self.add(&param.name.value, Type::String);
        let element = Val::present(self.column(id));
        self.params.push((param.name.value.clone(), element));
        // Where a test is not known it does not count.
        let place = if any { Place::Keep } else { Place::Exact };
        let test = self.test(block, &lambda.body, place);
        self.params.pop();
        let test = test?;
        if !two_valued(&test) {
            return Err(self.null(node, "the subject of a list of tests"));
        }
        let ExprKind::Match(mut m) = test.kind else { return odd(self) };
        let own = |v: &MatchValue| matches!(v, MatchValue::Expr(e) if e.as_column() == Some(id));
        let single =
            matches!(&m.values, MatchValues::List(list) if matches!(list.as_slice(), [one] if own(one)));
        let free = match &m.subject {
            Subject::Expr(e) => !crate::lower::walk::Uses::of([e]).columns.contains(&id),
            Subject::AnyColumn | Subject::Event => true,
        };
        if !(single && free) {
            return odd(self);
        }
        m.values = values;
        m.quantifier = if any { Quantifier::Any } else { Quantifier::All };
        Ok(Expr::new(ExprKind::Match(m), Type::Bool, self.span(node)))
    }

    /// A test on `concat_ws('\n', a, b, …)` for a text without line feeds: on each of the values. It is never null.
    pub(super) fn row_test(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Option<Expr>> {
        let Some((name, args)) = super::select::named_call(e) else { return Ok(None) };
        let (kind, case) = match name.as_str() {
            "has_term" => (MatchKind::Term, Case::Insensitive),
            "has_term_cs" => (MatchKind::Term, Case::Sensitive),
            "has_term_prefix" => (MatchKind::TermPrefix, Case::Insensitive),
            "has_term_suffix" => (MatchKind::TermSuffix, Case::Insensitive),
            _ => return Ok(None),
        };
        let [row, value] = args.as_slice() else { return Ok(None) };
        let (Some((joins, parts)), Some(text)) =
            (super::select::named_call(row), literal::constant_text(value))
        else {
            return Ok(None);
        };
        let macro_known = self.macros.contains(name.as_str());
        let Some((separator, parts)) = parts.split_first() else { return Ok(None) };
        let fits = joins == "concat_ws"
            && literal::constant_text(separator) == Some("\n")
            && !text.is_empty()
            && !text.contains('\n')
            && macro_known;
        if !fits {
            return Ok(None);
        }
        let mut tests = Vec::with_capacity(parts.len());
        for part in parts {
            let subject = self.value(block, part)?;
            tests.push(self.text_match(
                subject,
                kind,
                case,
                vec![literal::text_literal(text)],
                Place::Keep,
                e,
            )?);
        }
        Ok(Some(two_valued_keep(Expr::or(tests, self.span(e)))))
    }

    pub(super) fn term_match(
        &mut self,
        block: &mut Block<'q>,
        (kind, case): (MatchKind, Case),
        subject: &'q ast::Expr,
        value: &'q ast::Expr,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        let (subject, value) = (self.value(block, subject)?, self.value(block, value)?);
        // The macro takes a NULL subject for ''; of a NULL term it makes a pattern of its own.
        if value.nulls.sql {
            return Err(self.null(node, "the term that is looked for"));
        }
        let subject = Val { nulls: super::nulls::Nulls::FILLED, ..subject };
        self.text_match(subject, kind, case, vec![value], place, node)
    }
}
