//! Function templates: `concat($1, $...)` from the target's data, arguments put in the holes of its tree.
//!
//! A template is parsed by sqlparser when it is first used and kept for the thread; the data was checked when built.

use super::{Lowerer, Refusal, Result};
use crate::Dialect;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::Type;
use ruleferry_targets::sql::{self, Template};
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value, ValueWithSpan,
    Visit, VisitMut, Visitor, VisitorMut,
};
use std::cell::RefCell;
use std::ops::ControlFlow;

thread_local! {
    static PARSED: RefCell<Vec<Option<Parsed>>> = const { RefCell::new(Vec::new()) };
}

/// The tree of a template.
#[derive(Clone, Debug)]
struct Parsed {
    expr: Expr,
    /// How often `$1`, `$2` … stand in it.
    places: Vec<usize>,
    /// How often `$...` does.
    rests: usize,
}

impl Lowerer<'_> {
    pub(super) fn find_template(&self, name: &str, types: &[Type]) -> Option<&'static Template> {
        sql::select(sql::functions(self.dialect().name, name), types)
    }

    pub(super) fn has_template(&self, name: &str, types: &[Type]) -> bool {
        self.find_template(name, types).is_some()
    }

    /// The function `name` on arguments of these types.
    pub(crate) fn template(
        &mut self,
        name: &str,
        types: &[Type],
        args: Vec<Expr>,
        span: Span,
    ) -> Result<Expr> {
        let Some(template) = self.find_template(name, types) else {
            let shown = types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
            return Err(Refusal::new(
                codes::SQL_FUNCTION,
                span,
                format!("`{name}({shown})` has no form in {}", self.dialect().name),
            ));
        };
        self.fill(template, args, span)
    }

    pub(super) fn fill(&mut self, template: &'static Template, args: Vec<Expr>, span: Span) -> Result<Expr> {
        for name in template.macros {
            self.use_macro(name);
        }
        let mut args = args;
        let outside = self.queries_outside(template, &mut args);
        if let Some(text) = template.assumes {
            self.assume(text);
        }
        let parsed = parse(self.dialect(), template).ok_or_else(|| {
            let title = self.dialect().title;
            Refusal::new(codes::SQL_FUNCTION, span, format!("`{}` has no form in {title}", template.name))
        })?;
        let filled = substitute(parsed, args);
        let filled = match outside {
            Some((name, queries)) => {
                let over = crate::build::call(
                    "list_transform",
                    vec![crate::build::list(vec![queries]), super::form::lambda(&[name], filled)],
                );
                crate::build::call("list_extract", vec![over, crate::build::integer(1)])
            }
            None => filled,
        };
        Ok(match filled {
            // DuckDB's arrows bind looser than what may stand around them.
            e @ Expr::BinaryOp { op: BinaryOperator::Arrow | BinaryOperator::LongArrow, .. } => {
                Expr::Nested(Box::new(e))
            }
            e => e,
        })
    }
}

impl Lowerer<'_> {
    /// An engine takes no query inside of a lambda, and a macro may put its argument into one: such an argument is bound outside.
    /// Gives the name that stands for it (several are fields of a struct) and what the name is bound to.
    fn queries_outside(&self, template: &Template, args: &mut [Expr]) -> Option<(&'static str, Expr)> {
        let queries = |e: &Expr| Visit::visit(e, &mut QueryFinder).is_break();
        if template.macros.is_empty() {
            return None;
        }
        let count = args.iter().filter(|a| queries(a)).count();
        if count == 0 {
            return None;
        }
        let closure = sql::macro_closure(self.dialect().name, template.macros.iter().copied());
        if !closure.iter().any(|m| m.text.contains("lambda")) {
            return None;
        }
        if count == 1 {
            let arg = args.iter_mut().find(|a| queries(a))?;
            let query = std::mem::replace(arg, crate::build::column("value_"));
            return Some(("value_", query));
        }
        let mut fields = Vec::with_capacity(count);
        for (i, arg) in args.iter_mut().enumerate() {
            if queries(arg) {
                let name = format!("v{}", i + 1);
                let query = std::mem::replace(arg, crate::build::qualified("values_", &name));
                fields.push(sqlparser::ast::DictionaryField {
                    key: crate::build::string_ident(&name),
                    value: Box::new(query),
                });
            }
        }
        Some(("values_", Expr::Dictionary(fields)))
    }
}

struct QueryFinder;

impl Visitor for QueryFinder {
    type Break = ();

    fn pre_visit_query(&mut self, _: &sqlparser::ast::Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

/// Templates of a dialect that are not read, or name a part that it does not say: for tests of the data.
pub fn unread_templates(dialect: &'static Dialect) -> Vec<String> {
    let Some(data) = sql::dialect(dialect.name) else {
        return vec![format!("{}: no functions", dialect.name)];
    };
    let all = data.all_functions().iter().chain(data.all_aggregates());
    all.filter(|t| parse(dialect, t).is_none())
        .map(|t| format!("{}: {}: {}", dialect.name, t.name, t.sql))
        .collect()
}

/// The form that the dialect's data has for a name, filled.
pub(crate) fn instantiate(
    dialect: &'static Dialect,
    name: &str,
    types: &[Type],
    args: Vec<Expr>,
) -> Option<Expr> {
    let template = sql::select(sql::functions(dialect.name, name), types)?;
    Some(substitute(parse(dialect, template)?, args))
}

/// The tree of a template, with its holes.
fn parse(dialect: &'static Dialect, template: &Template) -> Option<Parsed> {
    let known = PARSED.with_borrow_mut(|cache| {
        if cache.is_empty() {
            cache.resize(sql::template_count(), None);
        }
        cache.get(template.id).cloned().flatten()
    });
    if known.is_some() {
        return known;
    }
    // `$...` is no placeholder to sqlparser's tokenizer.
    let plain = template.sql.replace("$...", "$rest");
    let reader = sqlparser::dialect::dialect_from_str(dialect.parser)?;
    let mut parser = sqlparser::parser::Parser::new(&*reader).try_with_sql(&plain).ok()?;
    let mut expr = parser.parse_expr().ok()?;
    // What is no expression may pass for a name with something behind it.
    if parser.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return None;
    }
    if !dialect.generic {
        if VisitMut::visit(&mut expr, &mut Inline(dialect)).is_break() {
            return None;
        }
        crate::adapt::mark(&mut expr);
    }
    let parsed = count_holes(expr);
    PARSED.with_borrow_mut(|cache| {
        if let Some(slot) = cache.get_mut(template.id) {
            *slot = Some(parsed.clone());
        }
    });
    Some(parsed)
}

/// Writes out the parts that a dialect names once (`_micros($1)` is what `inline.micros` says).
struct Inline(&'static Dialect);

impl VisitorMut for Inline {
    type Break = ();

    fn post_visit_expr(&mut self, e: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(f) = e
            && let [sqlparser::ast::ObjectNamePart::Identifier(name)] = f.name.0.as_slice()
            && let Some(part) = name.value.strip_prefix('_')
            && let FunctionArguments::List(list) = &f.args
        {
            let args: Vec<Expr> = list
                .args
                .iter()
                .filter_map(|a| match a {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e.clone()),
                    _ => None,
                })
                .collect();
            let types = vec![Type::Unknown; args.len()];
            match instantiate(self.0, &format!("inline.{part}"), &types, args) {
                Some(form) => *e = safe(form),
                None => return ControlFlow::Break(()),
            }
        }
        ControlFlow::Continue(())
    }
}

fn count_holes(expr: Expr) -> Parsed {
    let (mut places, mut rests) = (Vec::new(), 0);
    let _ = sqlparser::ast::visit_expressions(&expr, |node| {
        match hole(node) {
            Some("rest") => rests += 1,
            Some(n) => {
                let n: usize = n.parse().unwrap_or(0);
                if n > places.len() {
                    places.resize(n, 0);
                }
                if let Some(count) = n.checked_sub(1).and_then(|i| places.get_mut(i)) {
                    *count += 1;
                }
            }
            None => {}
        }
        ControlFlow::<()>::Continue(())
    });
    Parsed { expr, places, rests }
}

/// Arguments on their way into a template: each is moved to the last place that it has there.
struct Fill {
    args: Vec<Expr>,
    /// How often each hole is still to be filled; the arguments behind those are the rest.
    places: Vec<usize>,
    rests: usize,
}

fn hole(e: &Expr) -> Option<&str> {
    match e {
        Expr::Value(ValueWithSpan { value: Value::Placeholder(name), .. }) => name.strip_prefix('$'),
        _ => None,
    }
}

/// An argument in parentheses where it is not a plain value, name or call, so that the operators of a template cannot take it apart.
fn safe(e: Expr) -> Expr {
    match e {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Value(_)
        | Expr::Function(_)
        | Expr::Nested(_)
        | Expr::TypedString(_)
        | Expr::Interval(_)
        | Expr::Case { .. }
        | Expr::Subquery(_)
        | Expr::Array(_) => e,
        other => Expr::Nested(Box::new(other)),
    }
}

impl VisitorMut for Fill {
    type Break = ();

    fn pre_visit_expr(&mut self, e: &mut Expr) -> ControlFlow<()> {
        match e {
            Expr::Function(f) => self.fill_function(f),
            Expr::Array(array) if array.elem.iter().any(|item| hole(item) == Some("rest")) => {
                let mut filled = Vec::with_capacity(array.elem.len() + self.args.len());
                for item in array.elem.drain(..) {
                    match hole(&item) {
                        Some("rest") => filled.extend(self.rest()),
                        _ => filled.push(item),
                    }
                }
                array.elem = filled;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, e: &mut Expr) -> ControlFlow<()> {
        if let Some(name) = hole(e)
            && let Some(arg) = name.parse::<usize>().ok().and_then(|n| self.place(n.wrapping_sub(1)))
        {
            *e = safe(arg);
        }
        bare_operands(e);
        // `coalesce(coalesce(x, ''), '')`: the template guards an argument that is guarded.
        if let Expr::Function(f) = e
            && crate::build::is_named(&f.name, "coalesce")
            && let FunctionArguments::List(list) = &mut f.args
            && let [
                FunctionArg::Unnamed(FunctionArgExpr::Expr(first)),
                FunctionArg::Unnamed(FunctionArgExpr::Expr(default)),
            ] = list.args.as_mut_slice()
        {
            let take = |e: &mut Expr| std::mem::replace(e, crate::build::null());
            let (first, default) = (take(first), take(default));
            *e = crate::build::coalesce(first, default);
        }
        ControlFlow::Continue(())
    }
}

/// Inside of the parentheses of a call, a cast or CASE no operand needs its own.
fn bare_operands(e: &mut Expr) {
    let bare = |e: &mut Expr| {
        if let Expr::Nested(inner) = e {
            *e = std::mem::replace(&mut **inner, crate::build::null());
        }
    };
    match e {
        Expr::Function(f) => {
            if let FunctionArguments::List(list) = &mut f.args {
                for arg in &mut list.args {
                    if let FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) = arg {
                        bare(e);
                    }
                }
            }
            if let Some(filter) = &mut f.filter {
                bare(filter);
            }
        }
        Expr::Cast {
            kind: sqlparser::ast::CastKind::Cast | sqlparser::ast::CastKind::TryCast, expr, ..
        } => bare(expr),
        Expr::Case { operand: None, conditions, else_result, .. } => {
            for branch in conditions {
                bare(&mut branch.condition);
                bare(&mut branch.result);
            }
            if let Some(e) = else_result {
                bare(e);
            }
        }
        _ => {}
    }
}

impl Fill {
    /// The argument for a hole: itself for the last one, a copy for those before.
    fn place(&mut self, at: usize) -> Option<Expr> {
        let arg = self.args.get_mut(at)?;
        match self.places.get_mut(at) {
            Some(left) if *left <= 1 => Some(std::mem::replace(arg, crate::build::null())),
            Some(left) => {
                *left -= 1;
                Some(arg.clone())
            }
            None => Some(arg.clone()),
        }
    }

    /// The arguments behind those that have a place.
    fn rest(&mut self) -> Vec<Expr> {
        let first = self.places.len().min(self.args.len());
        self.rests = self.rests.saturating_sub(1);
        match self.rests {
            0 => self.args.split_off(first),
            _ => self.args.get(first..).unwrap_or_default().to_vec(),
        }
    }

    /// Arguments of a call stand bare, and `$rest` spreads.
    fn fill_function(&mut self, f: &mut Function) {
        let FunctionArguments::List(list) = &mut f.args else { return };
        let rest = |arg: &FunctionArg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) if hole(e) == Some("rest"));
        if !list.args.iter().any(rest) {
            return;
        }
        let mut filled = Vec::with_capacity(list.args.len() + self.args.len());
        for arg in list.args.drain(..) {
            if rest(&arg) {
                filled
                    .extend(self.rest().into_iter().map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr(e))));
            } else {
                filled.push(arg);
            }
        }
        list.args = filled;
    }
}

fn substitute(template: Parsed, args: Vec<Expr>) -> Expr {
    let Parsed { expr: mut e, places, rests } = template;
    let mut fill = Fill { args, places, rests };
    let _ = VisitMut::visit(&mut e, &mut fill);
    e
}
