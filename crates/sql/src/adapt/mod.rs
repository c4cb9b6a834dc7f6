//! From the forms that the lowering writes to those of a dialect.
//!
//! In: a query as [`crate::lower`] makes it, in DuckDB's forms with the functions of the target's data in it. Out: the same query in
//! the dialect's forms, or why there is none. What differs is asked of the [`Dialect`]; the tree is printed as it stands after.
//!
//! Functions out of the target's data carry a mark ([`mark`]): they are the dialect's own and stay. All others were written by the
//! lowering itself: those that every engine has stay, the others are looked up as `call.<name>`, or refused.

mod clause;
mod like;
mod name;
mod regex;

pub(crate) use name::quoted;
pub(crate) use regex::{posix_groups, term, term_glob, translate};

use crate::build;
use crate::dialect::{Dialect, NullOrder};
use crate::lower::instantiate;
use ruleferry_ir::Type;
use ruleferry_targets::Capability;
use sqlparser::ast::{
    CastKind, CteAsMaterialized, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    LambdaSyntax, ObjectName, ObjectNamePart, OrderByExpr, Query, Select, TableFactor, UnaryOperator, Value,
    ValueWithSpan, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// Functions that every engine has under this name, with this meaning.
const PORTABLE: [&str; 15] = [
    "abs",
    "avg",
    "coalesce",
    "count",
    "dense_rank",
    "floor",
    "lag",
    "lead",
    "lower",
    "max",
    "min",
    "nullif",
    "row_number",
    "sum",
    "upper",
];

/// Stands in the place of the quotes of a name that is not to be looked at again.
const SETTLED: char = '\u{1}';
/// The same for a name that stays in quotes.
const QUOTED: char = '\u{2}';

/// What the lowering's own functions are for, where one has no form.
const PURPOSES: [(&str, &str); 15] = [
    ("arg_max_null", "a choice of a row beside other aggregates"),
    ("arg_min_null", "a choice of a row beside other aggregates"),
    ("array", "a search for values of a query that are no whole values"),
    ("expand_items", "the elements of a value as rows"),
    ("expand_pairs", "the members of a value as rows"),
    ("generate_series", "a series of values as rows"),
    ("isnan", "a test for what is no number"),
    ("list", "a list of values"),
    ("list_extract", "an element of a list"),
    ("list_transform", "a test for each element of a list that is known only when run"),
    ("regexp_extract", "parts of a text by a pattern"),
    ("regexp_extract_all", "all parts of a text by a pattern"),
    ("regexp_matches", "a test by a pattern"),
    ("struct_extract_at", "several columns of one function"),
    ("unnest", "the elements of a value as rows"),
];

/// Says that a function is the dialect's own.
pub(crate) fn mark(expr: &mut Expr) {
    struct Mark;
    impl VisitorMut for Mark {
        type Break = ();

        fn pre_visit_expr(&mut self, e: &mut Expr) -> ControlFlow<()> {
            if let Expr::Function(f) = e {
                // No form of ours is written `{fn f(x)}`.
                f.uses_odbc_syntax = true;
            }
            ControlFlow::Continue(())
        }

        fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
            if let TableFactor::Table { name, args: Some(_), .. } = factor {
                settle(name);
            }
            ControlFlow::Continue(())
        }
    }
    let _ = VisitMut::visit(expr, &mut Mark);
}

/// The query in the forms of the dialect, or what of it has none.
pub(crate) fn adapt(dialect: &'static Dialect, mut query: Query) -> Result<Query, String> {
    let mut pass = Adapt { dialect, count: 0 };
    if let ControlFlow::Break(why) = VisitMut::visit(&mut query, &mut pass) {
        return Err(*why);
    }
    if !dialect.settings.is_empty() {
        let setting = |(key, value): &(&str, i64)| sqlparser::ast::Setting {
            key: Ident::new(*key),
            value: build::integer(*value),
        };
        query.settings = Some(dialect.settings.iter().map(setting).collect());
    }
    Ok(query)
}

/// An expression by itself, for a comment.
pub(crate) fn adapt_value(dialect: &'static Dialect, mut value: Expr) -> Option<Expr> {
    VisitMut::visit(&mut value, &mut Adapt { dialect, count: 0 }).is_continue().then_some(value)
}

struct Adapt {
    dialect: &'static Dialect,
    /// How many names were made up.
    count: usize,
}

type Flow = ControlFlow<Box<String>>;

fn refuse(why: impl Into<String>) -> Flow {
    ControlFlow::Break(Box::new(why.into()))
}

impl VisitorMut for Adapt {
    type Break = Box<String>;

    fn pre_visit_query(&mut self, query: &mut Query) -> Flow {
        if let Some(with) = &mut query.with
            && !self.dialect.can(Capability::MaterializedCte)
        {
            for cte in &mut with.cte_tables {
                if cte.materialized == Some(CteAsMaterialized::Materialized) {
                    cte.materialized = None;
                }
            }
        }
        self.order_of_wrapped(query);
        self.set_operation(&mut query.body)
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> Flow {
        self.clauses(select)
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        self.rows_of_values(factor);
        if let TableFactor::Table { name, args: Some(args), .. } = factor {
            let ObjectName(parts) = &*name;
            let Some(ObjectNamePart::Identifier(ident)) = parts.first() else {
                return ControlFlow::Continue(());
            };
            if ident.quote_style == Some(SETTLED) {
                return ControlFlow::Continue(());
            }
            let mut values = Vec::new();
            for arg in std::mem::take(&mut args.args) {
                let FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) = arg else {
                    return refuse("a table function");
                };
                values.push(e);
            }
            match self.own_form(&ident.value, values) {
                Some(Expr::Function(mut f)) => {
                    settle(&mut f.name);
                    let FunctionArguments::List(list) = f.args else { return refuse("a table function") };
                    *name = f.name;
                    args.args = list.args;
                }
                _ => return refuse(purpose(&ident.value)),
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, e: &mut Expr) -> Flow {
        // A form may come out as another one that has to be looked at: one step each.
        if let Expr::Function(f) = e
            && !std::mem::take(&mut f.uses_odbc_syntax)
        {
            self.function(e)?;
        }
        if let Expr::Function(f) = e
            && build::is_named(&f.name, "chain_")
        {
            *e = chain(f);
        }
        if let Expr::Function(f) = e {
            f.uses_odbc_syntax = false;
            settle(&mut f.name);
            clause::order_window(f);
            if f.filter.is_some() && !self.dialect.can(Capability::AggregateFilter) {
                without_filter(f)?;
            }
        }
        match e {
            Expr::ILike { .. } | Expr::Like { .. } => self.like(e)?,
            Expr::Cast { kind: kind @ CastKind::DoubleColon, expr, .. } => {
                *kind = CastKind::Cast;
                if let Expr::Nested(inner) = &mut **expr {
                    **expr = std::mem::replace(&mut **inner, build::null());
                }
            }
            Expr::IsDistinctFrom(a, b) if !self.dialect.can(Capability::DistinctFrom) => {
                *e = Expr::Nested(Box::new(build::not(same(take(a), take(b)))));
            }
            Expr::IsNotDistinctFrom(a, b) if !self.dialect.can(Capability::DistinctFrom) => {
                *e = same(take(a), take(b))
            }
            Expr::IsTrue(x) if !self.dialect.can(Capability::IsTrue) => {
                *e = build::coalesce(take(x), build::boolean(false));
            }
            Expr::IsNotTrue(x) if !self.dialect.can(Capability::IsTrue) => {
                *e = build::not(build::coalesce(take(x), build::boolean(false)));
            }
            Expr::BinaryOp { left, op: sqlparser::ast::BinaryOperator::Modulo, right }
                if !self.dialect.can(Capability::Modulo) =>
            {
                let mut f = build::function("mod", vec![take(left), take(right)]);
                settle(&mut f.name);
                *e = Expr::Function(f);
            }
            Expr::Array(array) => array.named = self.dialect.can(Capability::ArrayKeyword),
            Expr::Collate { collation, .. } => {
                for part in &mut collation.0 {
                    if let ObjectNamePart::Identifier(ident) = part {
                        ident.quote_style = Some(QUOTED);
                    }
                }
            }
            Expr::Dictionary(_) => return refuse("several columns of a chosen row beside other aggregates"),
            Expr::Lambda(lambda) => {
                if !self.dialect.can(Capability::Lambda) {
                    return refuse("a test for each element of a list that is known only when run");
                }
                lambda.syntax = LambdaSyntax::Arrow;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_order_by_expr(&mut self, key: &mut OrderByExpr) -> Flow {
        let falling = key.options.sort == Some(sqlparser::ast::OrderBySort::Desc);
        let first = key.options.nulls_first == Some(true);
        let usual = match self.dialect.null_order {
            NullOrder::Last => false,
            NullOrder::High => falling,
            NullOrder::Low => !falling,
        };
        key.options.nulls_first = (first != usual).then_some(first);
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> Flow {
        if let Value::SingleQuotedString(text) = &mut value.value {
            if text.contains('\0') {
                return refuse("a text with the character U+0000");
            }
            if self.dialect.backslash {
                *text = escaped(text);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_ident(&mut self, ident: &mut Ident) -> Flow {
        if ident.quote_style == Some(SETTLED) {
            ident.quote_style = None;
            return ControlFlow::Continue(());
        }
        if ident.quote_style == Some(QUOTED) {
            ident.quote_style = Some(self.dialect.quote);
            return ControlFlow::Continue(());
        }
        if ident.quote_style == Some('\'') {
            return ControlFlow::Continue(());
        }
        let name = match ident.quote_style {
            Some('"') => ident.value.replace("\"\"", "\""),
            _ => ident.value.clone(),
        };
        if self.dialect.name_length.is_some_and(|max| name.len() > max as usize) {
            return refuse(format!("a name of {} bytes", name.len()));
        }
        *ident = quoted(self.dialect, &name);
        ControlFlow::Continue(())
    }
}

impl Adapt {
    /// The dialect's form of a function that the lowering wrote.
    fn own_form(&self, name: &str, args: Vec<Expr>) -> Option<Expr> {
        let types = vec![Type::Unknown; args.len()];
        instantiate(self.dialect, &format!("call.{name}"), &types, args)
    }

    fn function(&mut self, e: &mut Expr) -> Flow {
        let Expr::Function(f) = e else { return ControlFlow::Continue(()) };
        let [ObjectNamePart::Identifier(ident)] = f.name.0.as_slice() else {
            return ControlFlow::Continue(());
        };
        let name = ident.value.clone();
        let FunctionArguments::List(list) = &mut f.args else { return refuse(purpose(&name)) };
        let has_form = instantiate_exists(self.dialect, &name, list.args.len());
        if !has_form {
            return if PORTABLE.binary_search(&name.as_str()).is_ok() {
                ControlFlow::Continue(())
            } else {
                refuse(purpose(&name))
            };
        }
        let mut values = Vec::with_capacity(list.args.len());
        for arg in std::mem::take(&mut list.args) {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => values.push(e),
                _ => return refuse(purpose(&name)),
            }
        }
        let (over, filter) = (f.over.take(), f.filter.take());
        let clauses = std::mem::take(&mut list.clauses);
        let distinct = list.duplicate_treatment.take();
        let plain = over.is_none() && filter.is_none() && clauses.is_empty() && distinct.is_none();
        let Some(mut form) = self.own_form(&name, values) else { return refuse(purpose(&name)) };
        if !plain {
            let Expr::Function(new) = &mut form else { return refuse(purpose(&name)) };
            let FunctionArguments::List(list) = &mut new.args else { return refuse(purpose(&name)) };
            (new.over, new.filter) = (over, filter);
            list.clauses.extend(clauses);
            list.duplicate_treatment = distinct;
        }
        *e = form;
        ControlFlow::Continue(())
    }

    /// A name that nothing else has.
    fn fresh(&mut self, base: &str) -> String {
        self.count += 1;
        if self.count == 1 { format!("{base}_") } else { format!("{base}_{}", self.count) }
    }
}

/// `chain_(a, b, c)` as `a || b || c`; NULL is no text.
fn chain(f: &mut Function) -> Expr {
    let FunctionArguments::List(list) = &mut f.args else { return build::string("") };
    let texts = std::mem::take(&mut list.args).into_iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(e @ Expr::Value(_))) => Some(e),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(build::coalesce(e, build::string(""))),
        _ => None,
    });
    let concat = sqlparser::ast::BinaryOperator::StringConcat;
    let whole = texts.reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: concat.clone(),
        right: Box::new(right),
    });
    Expr::Nested(Box::new(whole.unwrap_or_else(|| build::string(""))))
}

fn instantiate_exists(dialect: &Dialect, name: &str, count: usize) -> bool {
    let overloads = ruleferry_targets::sql::functions(dialect.name, &format!("call.{name}"));
    ruleferry_targets::sql::select(overloads, &vec![Type::Unknown; count]).is_some()
}

fn purpose(name: &str) -> String {
    match PURPOSES.binary_search_by(|(n, _)| (*n).cmp(name)) {
        Ok(at) => PURPOSES.get(at).map_or_else(String::new, |(_, p)| (*p).to_owned()),
        Err(_) => format!("the function `{name}`"),
    }
}

/// The parts of a function's name are no names of columns.
fn settle(name: &mut ObjectName) {
    for part in &mut name.0 {
        if let ObjectNamePart::Identifier(ident) = part
            && ident.quote_style.is_none()
        {
            ident.quote_style = Some(SETTLED);
        }
    }
}

fn take(e: &mut Box<Expr>) -> Expr {
    std::mem::replace(&mut **e, build::null())
}

/// `a IS NOT DISTINCT FROM b` without the operator: NULL is the same as NULL alone.
fn same(a: Expr, b: Expr) -> Expr {
    let both = build::and(vec![build::is_null(a.clone()), build::is_null(b.clone())]);
    build::call("coalesce", vec![build::eq(a, b), both])
}

/// `f(x) FILTER (WHERE c)` as `f(CASE WHEN c THEN x END)`: aggregates skip NULL.
fn without_filter(f: &mut Function) -> Flow {
    let Some(test) = f.filter.take() else { return ControlFlow::Continue(()) };
    let FunctionArguments::List(list) = &mut f.args else { return refuse("an aggregate of some rows") };
    let Some(first) = list.args.first_mut() else { return refuse("an aggregate of some rows") };
    let value = match first {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Wildcard(_)) | FunctionArgExpr::Wildcard) => {
            build::integer(1)
        }
        FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => std::mem::replace(e, build::null()),
        _ => return refuse("an aggregate of some rows"),
    };
    *first = FunctionArg::Unnamed(FunctionArgExpr::Expr(build::case(vec![(*test, value)], None)));
    ControlFlow::Continue(())
}

/// A text of the tree, whose quotes are doubled, where a backslash escapes.
fn escaped(doubled: &str) -> String {
    let mut out = String::with_capacity(doubled.len() + 8);
    let mut chars = doubled.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                chars.next_if_eq(&'\'');
                out.push_str("\\'");
            }
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out
}

/// `NOT` of what is one already.
pub(crate) fn negated(e: Expr, negated: bool) -> Expr {
    match e {
        e if !negated => e,
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => *expr,
        e => build::not(e),
    }
}
