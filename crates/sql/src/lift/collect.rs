//! The aggregates of SQL itself: NULLs do not count, and of no values most give NULL, where those of the IR give 0 or an empty list.
//!
//! In: a call. Out: the aggregates of the IR that it takes, and the value over them.

use super::block::Block;
use super::nulls::{Nulls, is_null, null_where};
use super::unify::{bare, function_name};
use super::{Lifter, Place, Result, Val, literal};
use ruleferry_diag::Span;
use ruleferry_ir::functions::{self, FunctionKind};
use ruleferry_ir::{AggregateCall, AggregateItem, ColId, CompareOp, Expr, ExprKind, Missing, Type, Value};
use sqlparser::ast;

/// Aggregates of numbers that give NULL for fewer values than this: name, the IR's, how many.
const SPREADS: [(&str, &str, i64); 6] = [
    ("stddev", "stdev", 2),
    ("stddev_pop", "stdevp", 1),
    ("stddev_samp", "stdev", 2),
    ("var_pop", "variancep", 1),
    ("var_samp", "variance", 2),
    ("variance", "variance", 2),
];

impl<'q> Lifter<'q> {
    /// What a call of an aggregate gives; its parts are added to `calls`.
    pub(super) fn collected(
        &mut self,
        block: &mut Block<'q>,
        e: &'q ast::Expr,
        name: &str,
        calls: &mut Vec<AggregateItem>,
    ) -> Result<Option<Val>> {
        let ast::Expr::Function(f) = bare(e) else { return Ok(None) };
        let Some(called) = function_name(f) else { return Ok(None) };
        let ast::FunctionArguments::List(list) = &f.args else { return Ok(None) };
        if f.null_treatment.is_some() {
            return Ok(None);
        }
        let distinct = list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct);
        let ordered = !list.clauses.is_empty() || !f.within_group.is_empty();
        let mut args: Vec<&'q ast::Expr> = Vec::new();
        for arg in &list.args {
            match arg {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(e)) => args.push(e),
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard) if called == "count" => {}
                _ => return Ok(None),
            }
        }
        let filter = match &f.filter {
            Some(test) => Some(super::test::two_valued_keep(self.test(block, test, Place::Keep)?)),
            None => None,
        };
        let spread = SPREADS.iter().find(|(n, _, _)| *n == called);
        match (called.as_str(), args.as_slice()) {
            ("count", []) => {
                let id = self.counted(name, filter, calls, e)?;
                Ok(Some(Val::present(self.column(id))))
            }
            ("count", [one]) => {
                let val = self.value(block, one)?;
                if val.e.ty == Type::Dynamic {
                    self.assume("JSON's null is not among the values that are counted");
                }
                let there = self.present(&val, filter, e)?;
                if !distinct {
                    let id = self.counted(name, there, calls, e)?;
                    return Ok(Some(Val::present(self.column(id))));
                }
                let id = self.folded_call("count_distinct", vec![val.e], there, name, calls, e)?;
                Ok(Some(Val::present(self.column(id))))
            }
            ("sum", [one]) => {
                let mut val = self.value(block, one)?;
                self.settle(&mut val, Type::Long);
                if distinct || !(val.e.ty.is_numeric() || val.e.ty == Type::Timespan) {
                    return Err(self.types(e, format!("`sum` of `{}`", val.e.ty)));
                }
                let full = self.groups_have_rows && !val.nulls.sql && filter.is_none();
                let there = self.present(&val, filter.clone(), e)?;
                let sum = self.folded_call("sum", vec![val.e], filter, name, calls, e)?;
                if full {
                    return Ok(Some(Val::present(self.column(sum))));
                }
                self.at_least(1, sum, there, calls, e).map(Some)
            }
            ("avg", [one]) => {
                let mut val = self.value(block, one)?;
                self.settle(&mut val, Type::Long);
                if distinct || !(val.e.ty.is_numeric() || val.e.ty == Type::Timespan) {
                    return Err(self.types(e, format!("`avg` of `{}`", val.e.ty)));
                }
                let there = self.present(&val, filter.clone(), e)?;
                let mean = self.folded_call("avg", vec![val.e], filter, name, calls, e)?;
                self.at_least(1, mean, there, calls, e).map(Some)
            }
            ("min" | "max", [one]) => {
                let val = self.value(block, one)?;
                if val.e.ty == Type::Dynamic || val.e.ty == Type::Bool {
                    return Err(self.types(e, format!("`{called}` of `{}`", val.e.ty)));
                }
                let text = val.e.ty == Type::String;
                let full = self.groups_have_rows && !val.nulls.sql && filter.is_none();
                let there = self.present(&val, filter.clone(), e)?;
                let condition = if text { there.clone() } else { filter };
                let id = self.folded_call(&called, vec![val.e], condition, name, calls, e)?;
                if full {
                    return Ok(Some(Val::present(self.column(id))));
                }
                if !text {
                    return Ok(Some(Val::exact(self.column(id))));
                }
                let count = self.counted("count_", there, calls, e)?;
                let none = self.more_than(count, 0).negated(Span::default());
                Ok(Some(Val::new(self.column(id), Nulls::when(Some(none)))))
            }
            (_, [one]) if spread.is_some() => {
                let Some((_, own, least)) = spread else { return Ok(None) };
                let mut val = self.value(block, one)?;
                self.settle(&mut val, Type::Long);
                if distinct || !val.e.ty.is_numeric() {
                    return Err(self.types(e, format!("`{called}` of `{}`", val.e.ty)));
                }
                let there = self.present(&val, filter.clone(), e)?;
                let id = self.folded_call(own, vec![val.e], filter, name, calls, e)?;
                self.at_least(*least, id, there, calls, e).map(Some)
            }
            ("bool_and" | "bool_or", [one]) => {
                // Whether there is one that is false, or true.
                let test = self.value(block, one)?;
                if test.e.ty != Type::Bool {
                    return Err(self.types(e, format!("`{called}` of `{}`", test.e.ty)));
                }
                let there = self.present(&test, filter.clone(), e)?;
                let wanted = called == "bool_or";
                let hit = Expr::compare(
                    CompareOp::Eq,
                    test.e,
                    Expr::bool(wanted, Span::default()),
                    Missing::False,
                    Span::default(),
                );
                let hit = both(filter, Some(hit));
                let hits = self.counted("count_", hit, calls, e)?;
                let any = self.more_than(hits, 0);
                let value = if wanted { any } else { any.negated(Span::default()) };
                let count = self.counted("count_", there, calls, e)?;
                let none = self.more_than(count, 0).negated(Span::default());
                Ok(Some(Val::exact(null_where(none, value))))
            }
            ("approx_count_distinct", [one]) => {
                let val = self.value(block, one)?;
                let there = self.present(&val, filter, e)?;
                let id = self.folded_call("dcount", vec![val.e], there, name, calls, e)?;
                Ok(Some(Val::present(self.column(id))))
            }
            ("list", [one]) => {
                let val = self.value(block, one)?;
                let nullable = val.nulls.sql;
                let element = match (nullable, self.cond(&val)) {
                    (false, _) | (true, Ok(None)) => val.e,
                    (true, Ok(Some(null))) if val.e.ty == Type::String => self.or_null(val.e, null),
                    (true, Ok(Some(_))) => val.e,
                    (true, Err(())) => return Err(self.null(e, "a value of a list")),
                };
                if distinct && nullable {
                    return Err(self.null(e, "a value of a list without doubles"));
                }
                let own = match (distinct, nullable) {
                    (true, _) => "make_set",
                    (false, false) => "make_list",
                    (false, true) => "make_list_with_nulls",
                };
                if nullable && filter.is_some() {
                    return Err(self.null(e, "a value of a list with a filter"));
                }
                let full = self.groups_have_rows && filter.is_none();
                let id = self.folded_call(own, vec![element], filter.clone(), name, calls, e)?;
                if full {
                    return Ok(Some(Val::present(self.column(id))));
                }
                self.at_least(1, id, filter, calls, e).map(Some)
            }
            ("string_agg", [one, separator]) => {
                let val = self.value(block, one)?;
                let separator = literal::constant_text(separator);
                let (Type::String, Some(separator)) = (val.e.ty, separator) else {
                    return Err(self.types(e, format!("`string_agg` of `{}`", val.e.ty)));
                };
                let there = self.present(&val, filter, e)?;
                let own = if distinct { "make_set" } else { "make_list" };
                let full = self.groups_have_rows && there.is_none();
                let id = self.folded_call(own, vec![val.e], there.clone(), name, calls, e)?;
                let Some(def) = functions::find("strcat_array", FunctionKind::Scalar) else {
                    return Err(self.function(e, "`string_agg`"));
                };
                let args = vec![self.column(id), Expr::string(separator, Span::default())];
                let joined = Expr::new(ExprKind::Call(def, args), Type::String, self.span(e));
                if full {
                    return Ok(Some(Val::present(joined)));
                }
                let count = self.counted("count_", there, calls, e)?;
                let none = self.more_than(count, 0).negated(Span::default());
                Ok(Some(Val::new(joined, Nulls::when(Some(none)))))
            }
            ("any_value" | "first", [one]) if !ordered => {
                let val = self.value(block, one)?;
                let there = if called == "first" { filter } else { self.present(&val, filter, e)? };
                if called == "first" && val.nulls.sql {
                    return Err(self.null(e, "the first value of a group"));
                }
                let text = val.e.ty == Type::String;
                let (ty, call) = (
                    val.e.ty,
                    AggregateCall::TakeAny { returned: vec![val.e], star: false, condition: there.clone() },
                );
                let id = self.add(name, ty);
                calls.push(AggregateItem { ids: vec![id], call, named: true });
                if self.groups_have_rows && there.is_none() {
                    return Ok(Some(Val::present(self.column(id))));
                }
                if !text {
                    return Ok(Some(Val::exact(self.column(id))));
                }
                let count = self.counted("count_", there, calls, e)?;
                let none = self.more_than(count, 0).negated(Span::default());
                Ok(Some(Val::new(self.column(id), Nulls::when(Some(none)))))
            }
            ("arg_max" | "arg_min", [value, by]) if filter.is_none() => {
                let (val, mut by) = (self.value(block, value)?, self.value(block, by)?);
                if by.e.ty == Type::String && by.nulls.sql {
                    return Err(self.null(e, "a text that a row is chosen by"));
                }
                // Rows without a value do not count.
                match self.cond(&val) {
                    Ok(Some(null)) => by = Val::exact(null_where(null, by.e)),
                    Ok(None) => {}
                    Err(()) => return Err(self.null(e, "the value of a chosen row")),
                }
                if by.e.ty == Type::String && val.nulls.sql {
                    return Err(self.null(e, "the value of a row that a text chooses"));
                }
                let max = called == "arg_max";
                let by_id = self.add(if max { "max_" } else { "min_" }, by.e.ty);
                let (ty, id) = (val.e.ty, self.add(name, val.e.ty));
                let nullable = by.nulls.sql || !self.groups_have_rows;
                let call = AggregateCall::ArgExtreme { max, by: by.e, returned: vec![val.e], star: false };
                calls.push(AggregateItem { ids: vec![by_id, id], call, named: true });
                if !nullable {
                    return Ok(Some(Val::present(self.column(id))));
                }
                let none = is_null(self.column(by_id));
                Ok(Some(if ty == Type::String {
                    let value = super::nulls::blank_where(none.clone(), self.column(id));
                    Val::new(value, Nulls::when(Some(none)))
                } else {
                    Val::exact(null_where(none, self.column(id)))
                }))
            }
            _ => Ok(None),
        }
    }

    /// The filter of an aggregate together with the condition that the value is there.
    fn present(&self, val: &Val, filter: Option<Expr>, node: &ast::Expr) -> Result<Option<Expr>> {
        match self.is_there(val) {
            Ok(there) => Ok(both(filter, there)),
            Err(()) => Err(self.null(node, "a text in an aggregate")),
        }
    }

    /// How many rows pass.
    fn counted(
        &mut self,
        name: &str,
        condition: Option<Expr>,
        calls: &mut Vec<AggregateItem>,
        node: &ast::Expr,
    ) -> Result<ColId> {
        match condition {
            None => self.folded_call("count", Vec::new(), None, name, calls, node),
            Some(test) => self.folded_call("countif", vec![test], None, name, calls, node),
        }
    }

    /// An aggregate of the IR over the rows that pass.
    fn folded_call(
        &mut self,
        own: &str,
        mut args: Vec<Expr>,
        condition: Option<Expr>,
        name: &str,
        calls: &mut Vec<AggregateItem>,
        node: &ast::Expr,
    ) -> Result<ColId> {
        let own = match condition {
            None => own.to_owned(),
            Some(test) => {
                args.push(test);
                match own {
                    "make_list" | "make_set" => format!("{own}_if"),
                    own => format!("{own}if"),
                }
            }
        };
        let Some(def) = functions::find(&own, FunctionKind::Aggregate) else {
            return Err(self.function(node, format!("`{}` with a filter", super::expr::short(node))));
        };
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let id = self.add(name, def.return_type(&types));
        let call = AggregateCall::Function(def, args);
        calls.push(AggregateItem { ids: vec![id], call, named: true });
        Ok(id)
    }

    /// A value that is NULL of fewer rows than these.
    fn at_least(
        &mut self,
        least: i64,
        value: ColId,
        there: Option<Expr>,
        calls: &mut Vec<AggregateItem>,
        node: &ast::Expr,
    ) -> Result<Val> {
        if least == 1 && there.is_none() && self.groups_have_rows {
            return Ok(Val::present(self.column(value)));
        }
        let count = self.counted("count_", there, calls, node)?;
        let few = self.more_than(count, least - 1).negated(Span::default());
        Ok(Val::exact(null_where(few, self.column(value))))
    }

    fn more_than(&self, count: ColId, least: i64) -> Expr {
        let least = Expr::literal(Value::Long(least), Span::default());
        Expr::compare(CompareOp::Gt, self.column(count), least, Missing::False, Span::default())
    }

    /// A text as a dynamic value that is null under a condition.
    pub(super) fn or_null(&self, text: Expr, null: Expr) -> Expr {
        let Some(array) = functions::find("pack_array", FunctionKind::Scalar) else { return text };
        let one = Expr::new(ExprKind::Call(array, vec![text]), Type::Dynamic, Span::default());
        let first = Expr::literal(Value::Long(0), Span::default());
        let element = ExprKind::Index(Box::new(one), Box::new(first));
        null_where(null, Expr::new(element, Type::Dynamic, Span::default()))
    }
}

fn both(a: Option<Expr>, b: Option<Expr>) -> Option<Expr> {
    match (a, b) {
        (Some(a), Some(b)) => Some(Expr::and(vec![a, b], Span::default())),
        (a, b) => a.or(b),
    }
}
