//! Functions that the IR has nodes for: conditions, conversions, the clock, columns by their name.

use super::{Cx, Lifter};
use crate::lift::Scope;
use crate::syntax::tree;
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::functions::{FunctionDef, FunctionKind, common_type, find};
use ruleferry_ir::{self as ir, ArithmeticOp, ColId, ExprKind, Type};

/// The conversions, by function.
const CONVERSIONS: &[(&str, Type)] = &[
    ("tobool", Type::Bool),
    ("todatetime", Type::Datetime),
    ("todecimal", Type::Decimal),
    ("toguid", Type::Guid),
    ("toint", Type::Int),
    ("tolong", Type::Long),
    ("toreal", Type::Real),
    ("tostring", Type::String),
    ("totimespan", Type::Timespan),
];

impl<'t> Lifter<'t> {
    /// `None` for a function that is called like any other.
    pub(super) fn special(
        &mut self,
        call: &'t tree::Call,
        def: &'static FunctionDef,
        span: Span,
        cx: Cx<'_>,
    ) -> Option<ir::Expr> {
        if let Some((_, ty)) = CONVERSIONS.iter().find(|(name, _)| *name == def.name) {
            let e = self.expr_in(argument(call.args.first()?), cx);
            let cast = ir::Cast { expr: e, to: *ty, implicit: false };
            return Some(ir::Expr::new(ExprKind::Cast(Box::new(cast)), *ty, span));
        }
        Some(match def.name {
            "not" => self.condition(argument(call.args.first()?), cx).negated(span),
            "iff" | "case" => self.case(&call.args, span, cx),
            "isnull" => self.is_null(argument(call.args.first()?), false, span, cx),
            "isnotnull" => self.is_null(argument(call.args.first()?), true, span, cx),
            "isempty" => self.is_empty(argument(call.args.first()?), span, cx),
            "isnotempty" => self.is_empty(argument(call.args.first()?), span, cx).negated(span),
            "now" => match call.args.first() {
                None => now(span),
                Some(offset) => self.offset_now(ArithmeticOp::Add, argument(offset), span, cx),
            },
            "ago" => self.offset_now(ArithmeticOp::Sub, argument(call.args.first()?), span, cx),
            "ingestion_time" => self.ingestion_time(span, cx),
            "column_ifexists" => self.column_if_exists(call, span, cx),
            "pack_all" => self.pack_all(call, span, cx),
            "column_names_of" => self.column_names(argument(call.args.first()?), span, cx),
            "bag_pack_columns" => self.packed_columns(call, span, cx),
            "bin" => self.binned(call, def, span, cx),
            "bin_auto" => self.binned_auto(argument(call.args.first()?), span, cx),
            _ => return None,
        })
    }

    /// `case(condition, value, …, else)`, `iff(condition, value, else)`
    fn case(&mut self, args: &'t [tree::Expr], span: Span, cx: Cx<'_>) -> ir::Expr {
        let (pairs, [otherwise]) = args.as_chunks::<2>() else {
            let message = "`case` takes pairs of a condition and a value, and one value for the rest";
            return self.faulty(codes::WRONG_ARGUMENTS, span, message, Type::Unknown);
        };
        let mut branches = Vec::with_capacity(pairs.len());
        for [condition, value] in pairs {
            let condition = self.condition(argument(condition), cx);
            branches.push((condition, self.expr_in(argument(value), cx)));
        }
        let otherwise = self.expr_in(argument(otherwise), cx);
        let types = || branches.iter().map(|(_, v)| v.ty).chain([otherwise.ty]);
        let mut ty = common_type(types(), true);
        if ty == Type::Unknown {
            // What is known tells what the learned columns are; `common_type` waits for wider numbers.
            ty = common_type(types().filter(|t| *t != Type::Unknown), true);
        }
        let branches = branches.into_iter().map(|(c, v)| (c, self.coerce(v, ty))).collect();
        let otherwise = self.coerce(otherwise, ty);
        ir::Expr::new(ExprKind::Case(branches, Box::new(otherwise)), ty, span)
    }

    fn is_null(&mut self, arg: &'t tree::Expr, negated: bool, span: Span, cx: Cx<'_>) -> ir::Expr {
        let e = self.expr_in(arg, cx);
        if e.ty == Type::String {
            let (name, always, instead) =
                if negated { ("isnotnull", "true", "isnotempty") } else { ("isnull", "false", "isempty") };
            let message = format!("`{name}` of a string is always {always}: strings are never null");
            let warning = Diagnostic::warning(codes::NULL_TEST_OF_STRING, span, message);
            self.diagnose(warning.with_help(format!("`{instead}` tests for the empty string")));
            return ir::Expr::bool(negated, span);
        }
        let test = ir::Expr::new(ExprKind::IsNull(Box::new(e)), Type::Bool, span);
        if negated { test.negated(span) } else { test }
    }

    fn is_empty(&mut self, arg: &'t tree::Expr, span: Span, cx: Cx<'_>) -> ir::Expr {
        let e = self.expr_in(arg, cx);
        self.empty_test(e, span)
    }

    fn empty_test(&mut self, e: ir::Expr, span: Span) -> ir::Expr {
        let kind = match e.ty {
            Type::Dynamic => ExprKind::IsEmpty(Box::new(self.coerce(e, Type::String))),
            Type::String | Type::Unknown => ExprKind::IsEmpty(Box::new(e)),
            // What is no text is empty where it is null.
            Type::Bool
            | Type::Int
            | Type::Long
            | Type::Real
            | Type::Decimal
            | Type::Datetime
            | Type::Timespan
            | Type::Guid => ExprKind::IsNull(Box::new(e)),
        };
        ir::Expr::new(kind, Type::Bool, span)
    }

    fn offset_now(&mut self, op: ArithmeticOp, offset: &'t tree::Expr, span: Span, cx: Cx<'_>) -> ir::Expr {
        let offset = self.expr_in(offset, cx);
        let offset = if offset.ty == Type::Dynamic {
            self.coerce(offset, Type::Timespan)
        } else {
            self.coerce_loudly(offset, Type::Timespan)
        };
        ir::Expr::arithmetic(op, now(span), offset, Type::Datetime, span)
    }

    fn ingestion_time(&mut self, span: Span, cx: Cx<'_>) -> ir::Expr {
        let Some(id) = self.time_column(cx.scope) else {
            return self.opaque("the rows have no column for the time of an event", Type::Datetime, span);
        };
        self.assume(format!("`ingestion_time()` is read as `{}`", self.columns.name(id)));
        self.column_expr(id, span)
    }

    fn column_if_exists(&mut self, call: &'t tree::Call, span: Span, cx: Cx<'_>) -> ir::Expr {
        let [name, default] = call.args.as_slice() else { return self.placeholder(Type::Unknown, span) };
        let name_span = name.span.0;
        let name = self.expr_in(argument(name), cx);
        let default = self.expr_in(argument(default), cx);
        let Some(name) = self.constant_text(&name).map(str::to_owned) else {
            let message = "the name of the column must be a constant";
            return self.faulty(codes::WRONG_ARGUMENTS, name_span, message, default.ty);
        };
        let Some(id) = self.learn_or_find(cx.scope, &name, span, default.ty) else { return default };
        self.column_expr(id, span)
    }

    /// `pack_all()`; with `true`, members that are null or empty are taken out again.
    fn pack_all(&mut self, call: &'t tree::Call, span: Span, cx: Cx<'_>) -> ir::Expr {
        let columns = cx.scope.columns();
        let flag = call.args.first().map(|flag| self.condition(argument(flag), cx));
        let bag = self.packed(columns, span);
        let no_empty = flag.is_some_and(|f| self.constant(&f) == Some(&ir::Value::Bool(true)));
        let functions =
            (find("bag_remove_keys", FunctionKind::Scalar), find("pack_array", FunctionKind::Scalar));
        let (true, false, (Some(remove), Some(array))) = (no_empty, columns.is_empty(), functions) else {
            return bag;
        };
        let mut keys = Vec::with_capacity(columns.len());
        for id in columns {
            let column = self.column_expr(*id, span);
            let empty = self.empty_test(column, span);
            let name = ir::Expr::string(self.columns.name(*id), span);
            let none = Box::new(ir::Expr::string("", span));
            keys.push(ir::Expr::new(ExprKind::Case(vec![(empty, name)], none), Type::String, span));
        }
        let keys = ir::Expr::new(ExprKind::Call(array, keys), Type::Dynamic, span);
        ir::Expr::new(ExprKind::Call(remove, vec![bag, keys]), Type::Dynamic, span)
    }

    /// `column_names_of(T)`: known where the columns of the table are.
    fn column_names(&mut self, table: &'t tree::Expr, span: Span, cx: Cx<'_>) -> ir::Expr {
        let rel = self.table(table, cx.scope.env);
        if !rel.origins.is_empty() {
            return self.opaque("not all columns of this table are known", Type::Dynamic, span);
        }
        let names = rel.plan.output.iter().map(|id| ir::Json::String(self.columns.name(*id).into()));
        ir::Expr::literal(ir::Value::Dynamic(ir::Json::Array(names.collect())), span)
    }

    /// `{"name": column, …}`
    fn packed(&mut self, columns: &[ColId], span: Span) -> ir::Expr {
        let mut args = Vec::with_capacity(columns.len() * 2);
        for id in columns {
            args.push(ir::Expr::string(self.columns.name(*id), span));
            args.push(self.column_expr(*id, span));
        }
        self.packed_pairs(args, span)
    }

    fn packed_columns(&mut self, call: &'t tree::Call, span: Span, cx: Cx<'_>) -> ir::Expr {
        let mut args = Vec::with_capacity(call.args.len() * 2);
        for arg in &call.args {
            let name = self.default_name(arg, cx.scope).unwrap_or_default();
            args.push(ir::Expr::string(name, arg.span.0));
            args.push(self.expr_in(argument(arg), cx));
        }
        self.packed_pairs(args, span)
    }

    fn packed_pairs(&mut self, args: Vec<ir::Expr>, span: Span) -> ir::Expr {
        match find("bag_pack", FunctionKind::Scalar) {
            Some(def) if !args.is_empty() => ir::Expr::new(ExprKind::Call(def, args), Type::Dynamic, span),
            _ => ir::Expr::literal(ir::Value::Dynamic(ir::Json::Object(indexmap::IndexMap::new())), span),
        }
    }

    /// `bin_auto(value)`: `bin_at` with the size and the start that `set` statements give.
    fn binned_auto(&mut self, value: &'t tree::Expr, span: Span, cx: Cx<'_>) -> ir::Expr {
        let value = self.expr_in(value, cx);
        let [Some(size), start] = self.bin_auto else {
            return self.opaque(
                "`bin_auto` goes by `set query_bin_auto_size`, which is not there",
                value.ty,
                span,
            );
        };
        let bare = Scope::bare(cx.scope.env);
        let mut args = vec![value, self.expr(size, &bare)];
        args.extend(start.map(|start| self.expr(start, &bare)));
        let name = if args.len() == 3 { "bin_at" } else { "bin" };
        match find(name, FunctionKind::Scalar) {
            Some(def) => self.call_of(def, args, span),
            None => self.placeholder(Type::Unknown, span),
        }
    }

    /// `bin(value, size)`: the size tells what a dynamic or learned value is.
    fn binned(
        &mut self,
        call: &'t tree::Call,
        def: &'static FunctionDef,
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        let [value, size] = call.args.as_slice() else { return self.placeholder(Type::Unknown, span) };
        let value = self.expr_in(argument(value), cx);
        let size = self.expr_in(argument(size), cx);
        let value = match (value.ty, size.ty) {
            (Type::Unknown | Type::Dynamic, Type::Timespan) => self.coerce(value, Type::Datetime),
            (Type::Unknown, ty) if ty.is_numeric() => self.coerce(value, ty),
            (Type::Dynamic, ty) if ty.is_numeric() => self.coerce(value, Type::Real),
            (Type::String, Type::Timespan) => self.coerce_loudly(value, Type::Datetime),
            (Type::String, ty) if ty.is_numeric() => self.coerce_loudly(value, Type::Real),
            _ => value,
        };
        self.call_of(def, vec![value, size], span)
    }
}

/// An argument without the name that the grammar lets it have.
pub(super) fn argument(e: &tree::Expr) -> &tree::Expr {
    if let tree::ExprKind::Named(named) = &e.kind { &named.value } else { e }
}

fn now(span: Span) -> ir::Expr {
    ir::Expr::new(ExprKind::Now, Type::Datetime, span)
}
