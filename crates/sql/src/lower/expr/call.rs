//! Function calls: special forms, window functions, and the templates of the target for all others.

use super::{Lowerer, Refusal, Result, Scope};
use crate::build::{call, coalesce, column, string};
use crate::dialect::Regex;
use crate::lower::TICKS_CUT;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::functions::FunctionDef;
use ruleferry_ir::{Expr as IrExpr, Type, Value};
use ruleferry_targets::sql::{ArgType, Nulls, Template};
use sqlparser::ast::{
    Expr, OrderByExpr, OrderBySort, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};

impl Lowerer<'_> {
    pub(super) fn call(
        &mut self,
        function: &'static FunctionDef,
        args: &[IrExpr],
        span: Span,
        scope: &Scope,
    ) -> Result<Expr> {
        if function.name == "bag_pack" && args.iter().step_by(2).any(is_empty_text) {
            // A member without a name is left out.
            let pairs = args.chunks(2).filter(|pair| !pair.first().is_some_and(is_empty_text));
            let named: Vec<IrExpr> = pairs.flatten().cloned().collect();
            return self.call(function, &named, span, scope);
        }
        match function.name {
            "coalesce" => return self.coalesce_call(args, scope),
            // NaN only where there is no number; DuckDB has it above all of them.
            "max_of" if args.iter().any(|a| self.may_be_nan(a)) => return self.greatest(args, scope),
            "prev" | "next" | "row_number" | "row_cumsum" | "row_rank_dense" | "row_rank_min" => {
                return self.window(function, args, span, scope);
            }
            // Steps that the engine's times do not have: there is nothing to round.
            "bin" if matches!(args, [of, step] if of.ty == Type::Datetime && matches!(step.as_literal(), Some(Value::Timespan(1..=9)))) =>
            {
                self.assume(TICKS_CUT);
                if let Some(time) = args.first() {
                    return self.expr(time, scope);
                }
            }
            "datetime_part" | "datetime_diff"
                if args.first().and_then(|a| self.constant_text(a)).is_some_and(|p| p == "nanosecond") =>
            {
                self.assume(TICKS_CUT);
            }
            "datetime_add"
                if !self.dialect().generic
                    && !self.has_template("inline.add_months", &[Type::Datetime, Type::Long]) =>
            {
                let unit = args.first().and_then(|a| self.constant_text(a)).map(|u| u.to_ascii_lowercase());
                if unit.is_none_or(|u| matches!(u.as_str(), "year" | "quarter" | "month")) {
                    let message = format!("`datetime_add` of months has no form in {}", self.dialect().title);
                    return Err(Refusal::new(codes::SQL_FUNCTION, span, message));
                }
            }
            "extract_json" => {
                if let Some(path) = args.first().and_then(|a| self.constant_text(a)) {
                    return self.extract_json(&path, args, span, scope);
                }
            }
            _ => {}
        }
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        // So is one whose name comes out empty.
        let computed = function.name == "bag_pack"
            && args.iter().step_by(2).any(|name| self.constant_text(name).is_none());
        let computed = if computed && !self.dialect().generic {
            self.assume("no member of a `bag_pack` has an empty name");
            false
        } else {
            computed
        };
        let name = if computed { "bag_pack.computed" } else { function.name };
        let Some(template) = self.find_template(name, &types) else {
            let values = args.iter().map(|_| column("x")).collect();
            return self.template(name, &types, values, span);
        };
        let mut values = Vec::with_capacity(args.len());
        for (i, arg) in args.iter().enumerate() {
            // A missing string is "": a function that answers NULL for NULL would not give what it gives for "".
            let part = builds_dynamic(function.name) && template.nulls != Nulls::Strict;
            let text_guard =
                arg.ty == Type::String && (part || template.nulls == Nulls::Strict && text_matters(function));
            let value = match self.own_argument(function.name, i, arg, span)? {
                Some(own) => own,
                None => self.expr(arg, scope)?,
            };
            let value =
                if text_guard && self.nullable(arg, scope) { coalesce(value, string("")) } else { value };
            // Names of members stay texts.
            let name = function.name == "bag_pack" && i % 2 == 0 && !self.dialect().generic;
            values.push(if name { value } else { self.element(template, i, arg, value, span)? });
        }
        if function.name == "sign"
            && let ([arg], [value]) = (args, values.as_slice())
            && self.may_be_nan(arg)
        {
            let is_nan = call("isnan", vec![value.clone()]);
            let sign = self.fill(template, values, span)?;
            return Ok(crate::build::case(vec![(is_nan, self.nan())], Some(sign)));
        }
        self.fill(template, values, span)
    }

    /// An argument that is a pattern, in the flavour of the dialect, or what replaces what a pattern finds.
    fn own_argument(&mut self, function: &str, at: usize, arg: &IrExpr, span: Span) -> Result<Option<Expr>> {
        let (pattern, replacement, groups) = match function {
            "extract" | "extract_all" => (0, usize::MAX, true),
            "indexof_regex" => (1, usize::MAX, false),
            "trim" | "trim_start" | "trim_end" => (0, usize::MAX, false),
            "replace_regex" => (1, 2, true),
            _ => return Ok(None),
        };
        let flavour = self.dialect().regex;
        if self.dialect().generic || flavour == Regex::None || at != pattern && at != replacement {
            return Ok(None);
        }
        let refuse = |what: &str| {
            Refusal::new(codes::SQL_PATTERN, span, format!("{what} has no form in {}", self.dialect().title))
        };
        let Some(text) = self.constant_text(arg) else {
            return Err(refuse("a pattern that is known only when run"));
        };
        if at == replacement {
            return Ok((flavour == Regex::Java).then(|| string(&java_replacement(&text))));
        }
        let own = self.own_pattern(&text, false, span)?;
        if flavour != Regex::Posix {
            return Ok(Some(string(&own)));
        }
        if own.starts_with("(?i)") && !groups {
            return Err(refuse("a pattern with flags"));
        }
        match crate::adapt::posix_groups(&own) {
            Some(own) => Ok(Some(string(&own))),
            None => Err(refuse("a pattern with quantifiers that take as little as they can")),
        }
    }

    /// A time or NaN that becomes part of a dynamic value: JSON has none, it is the text that Kusto prints.
    pub(super) fn element(
        &mut self,
        template: &'static Template,
        at: usize,
        arg: &IrExpr,
        value: Expr,
        span: Span,
    ) -> Result<Expr> {
        let wanted = template.args.map(|args| match args.get(at).or(args.last()) {
            Some(ArgType::Repeat) => args.iter().rev().nth(1).copied(),
            other => other.copied(),
        });
        let any = !matches!(wanted, Some(Some(ArgType::Is(_))));
        let ty = arg.ty;
        if any && builds_dynamic(template.name) && self.has_template("value.element", &[ty]) {
            return self.template("value.element", &[ty], vec![value], span);
        }
        if any && matches!(ty, Type::Datetime | Type::Timespan) && builds_dynamic(template.name) {
            return self.template("value.dynamic", &[ty], vec![value], span);
        }
        if any && builds_dynamic(template.name) && self.nans.may_be_infinite(self.query, arg) {
            return self.template("value.dynamic_wild", &[ty], vec![value], span);
        }
        Ok(value)
    }

    /// `extract_json("$.a['b'][0]", x)`: the path in the spelling of the dialect.
    fn extract_json(&mut self, path: &str, args: &[IrExpr], span: Span, scope: &Scope) -> Result<Expr> {
        let Some(path) = super::json::path(path) else {
            return Err(Refusal::new(
                codes::SQL_FUNCTION,
                span,
                format!("the JSON path `{path}` has no SQL form"),
            ));
        };
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let mut values = vec![string(&path)];
        for arg in args.iter().skip(1) {
            values.push(self.expr(arg, scope)?);
        }
        self.template("extract_json", &types, values, span)
    }

    pub(super) fn call_nullable(&self, function: &FunctionDef, args: &[IrExpr], scope: &Scope) -> bool {
        if function.name == "coalesce" {
            return args.iter().all(|a| self.nullable(a, scope) && a.ty != Type::String);
        }
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        match self.find_template(function.name, &types).map(|t| t.nulls) {
            Some(Nulls::Never) => false,
            Some(Nulls::Strict | Nulls::Custom) | None => true,
        }
    }

    fn greatest(&mut self, args: &[IrExpr], scope: &Scope) -> Result<Expr> {
        let all = args.iter().map(|a| self.expr(a, scope)).collect::<Result<Vec<_>>>()?;
        let numbers = args
            .iter()
            .zip(&all)
            .map(|(a, sql)| if self.may_be_nan(a) { self.without_nan(sql.clone()) } else { sql.clone() });
        let numbers = call("greatest", numbers.collect());
        Ok(call("coalesce", vec![numbers, call("greatest", all)]))
    }

    /// The first value that is not null; for strings, that is not empty.
    fn coalesce_call(&mut self, args: &[IrExpr], scope: &Scope) -> Result<Expr> {
        let mut values = Vec::with_capacity(args.len());
        let last = args.len().saturating_sub(1);
        for (i, arg) in args.iter().enumerate() {
            let value = self.expr(arg, scope)?;
            let literal = matches!(arg.as_literal(), Some(Value::String(s)) if !s.is_empty());
            values.push(if arg.ty == Type::String && i < last && !literal {
                call("nullif", vec![value, string("")])
            } else {
                value
            });
        }
        if args.last().is_some_and(|a| a.ty == Type::String && self.nullable(a, scope)) {
            values.push(string(""));
        }
        Ok(call("coalesce", values))
    }

    /// Functions over neighbouring rows: the order is that of the last `sort`, or of `serialize`.
    fn window(&mut self, function: &FunctionDef, args: &[IrExpr], span: Span, scope: &Scope) -> Result<Expr> {
        let mut values = args.iter().map(|a| self.expr(a, scope)).collect::<Result<Vec<_>>>()?;
        if let (Some(value), Some(default), Some(sql)) = (args.first(), args.get(2), values.get_mut(2))
            && matches!(function.name, "prev" | "next")
            && value.ty != default.ty
            && !(value.ty.is_numeric() && default.ty.is_numeric())
        {
            *sql = self.cast(default, value.ty, span, scope)?;
        }
        let restart_is_constant_false =
            |i: usize| args.get(i).is_none_or(|a| matches!(a.as_literal(), Some(Value::Bool(false))));
        let (name, values, frame) = match function.name {
            "prev" => ("lag", values, false),
            "next" => ("lead", values, false),
            "row_number" if restart_is_constant_false(1) => {
                let falling = |k: &OrderByExpr| k.options.sort == Some(OrderBySort::Desc);
                let number = if scope.order.iter().all(falling) {
                    let order = crate::build::rank_order(&scope.order);
                    let ranked = Scope { order, ..scope.clone() };
                    self.over(crate::build::function("row_number", Vec::new()), false, &ranked)
                } else {
                    self.over(crate::build::function("row_number", Vec::new()), false, scope)
                };
                return Ok(match values.into_iter().next() {
                    Some(start)
                        if !matches!(args.first().and_then(IrExpr::as_literal), Some(Value::Long(1))) =>
                    {
                        let offset = crate::build::binary(
                            start,
                            sqlparser::ast::BinaryOperator::Minus,
                            crate::build::number(1),
                        );
                        crate::build::binary(number, sqlparser::ast::BinaryOperator::Plus, offset)
                    }
                    _ => number,
                });
            }
            "row_cumsum" if restart_is_constant_false(1) => {
                ("sum", values.into_iter().take(1).collect(), true)
            }
            _ => {
                return Err(Refusal::new(
                    codes::SQL_FUNCTION,
                    span,
                    format!("`{}` with a restart condition has no SQL form", function.name),
                ));
            }
        };
        let text = args.first().is_some_and(|a| a.ty == Type::String);
        let windowed = self.over(crate::build::function(name, values), frame, scope);
        // A sum of no values yet is 0.
        let number = args.first().is_some_and(|a| a.ty.is_numeric() && self.nullable(a, scope));
        Ok(match (text, name) {
            (true, _) => coalesce(windowed, string("")),
            (false, "sum") if number => coalesce(windowed, crate::build::integer(0)),
            (false, _) => windowed,
        })
    }

    fn over(&self, mut function: sqlparser::ast::Function, running: bool, scope: &Scope) -> Expr {
        function.over = Some(WindowType::WindowSpec(WindowSpec {
            window_name: None,
            partition_by: scope.partition.clone(),
            order_by: scope.order.clone(),
            window_frame: running.then_some(WindowFrame {
                units: WindowFrameUnits::Rows,
                start_bound: WindowFrameBound::Preceding(None),
                end_bound: Some(WindowFrameBound::CurrentRow),
            }),
        }));
        Expr::Function(function)
    }
}

/// `\\1` as `$1`, and a dollar as itself.
fn java_replacement(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' => out.push_str("\\$"),
            '\\' => match chars.next() {
                Some(d) if d.is_ascii_digit() => {
                    out.push('$');
                    out.push(d);
                }
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push_str("\\\\"),
            },
            c => out.push(c),
        }
    }
    out
}

/// Functions of a string whose answer for "" is not what NULL stands for. Those from string to string give "" for "",
/// which NULL stands for; conversions give null for both.
fn text_matters(function: &FunctionDef) -> bool {
    function.name.starts_with("hash") || !matches!(function.return_type(&[Type::String]), Type::String)
}

/// Functions and aggregates that put values of any type into a dynamic one.
fn builds_dynamic(name: &str) -> bool {
    const BUILDERS: [&str; 16] = [
        "array_iff",
        "array_index_of",
        "bag_pack",
        "bag_set_key",
        "make_bag",
        "make_bag_if",
        "make_list",
        "make_list_if",
        "make_list_with_nulls",
        "make_set",
        "make_set_if",
        "pack_array",
        "repeat",
        "set_has_element",
        "treepath",
        "zip",
    ];
    BUILDERS.binary_search(&name).is_ok()
}

fn is_empty_text(e: &IrExpr) -> bool {
    matches!(e.as_literal(), Some(Value::String(s)) if s.is_empty())
}
