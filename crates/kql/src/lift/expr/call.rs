//! Calls of functions: `let` functions first, then special forms, then the catalogue with its conversions.

use super::special::argument;
use super::{Cx, Lifter};
use crate::syntax::tree::{self, TypeOf};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::functions::{
    Flags, FunctionDef, FunctionKind, Note, Param, ParamType, Resolved, Signature, common_type, resolve,
    similar,
};
use ruleferry_ir::{self as ir, ExprKind, Type};

/// Functions whose arguments of no particular type are read as texts.
const TEXT_FUNCTIONS: &[&str] = &[
    "indexof",
    "indexof_regex",
    "isascii",
    "isutf8",
    "parse_command_line",
    "regex_quote",
    "reverse",
    "split",
    "strcat",
    "strcat_array",
    "strcat_delim",
    "strcmp",
    "strrep",
    "substring",
    "tolower",
    "toupper",
    "unicode_codepoints_from_string",
];

impl<'t> Lifter<'t> {
    pub(super) fn call(&mut self, call: &'t tree::Call, span: Span, cx: Cx<'_>) -> ir::Expr {
        let cx = Cx { search: None, ..cx };
        let name = call.name.text.as_str();
        if let Some(function) = self.function(cx.scope, name) {
            return self.call_scalar(function, &call.args, span, cx.scope);
        }
        if cx.parts.is_some()
            && let Some(resolved) = resolve(name, FunctionKind::Aggregate)
        {
            return self.aggregate_part(call, resolved, span, cx);
        }
        let Some(resolved) = resolve(name, FunctionKind::Scalar) else {
            return self.unknown_call(call, span, cx);
        };
        if !resolved.def.takes(call.args.len()) {
            return self.wrong_count(call, resolved.def, span);
        }
        if let Some(special) = self.special(call, resolved.def, span, cx) {
            return special;
        }
        if resolved.def.has(Flags::WINDOW) && !cx.scope.windows() {
            let message = format!("`{name}` reads other rows, and the rows are in no order here");
            let warning = Diagnostic::warning(codes::UNORDERED_ROWS, span, message);
            self.diagnose(warning.with_help("sort the rows or put `serialize` before"));
        }
        self.catalogue_call(call, resolved, span, cx)
    }

    fn wrong_count(&mut self, call: &'t tree::Call, def: &FunctionDef, span: Span) -> ir::Expr {
        let count = call.args.len();
        let wanted = match (def.min_args, def.max_args) {
            (min, max) if min == max => format!("{min}"),
            (min, usize::MAX) => format!("at least {min}"),
            (min, max) => format!("{min} to {max}"),
        };
        let message = format!("`{}` takes {wanted} arguments, and {count} are given", call.name.text);
        self.faulty(codes::WRONG_ARGUMENTS, span, message, Type::Unknown)
    }

    fn unknown_call(&mut self, call: &'t tree::Call, span: Span, cx: Cx<'_>) -> ir::Expr {
        let name = call.name.text.as_str();
        if resolve(name, FunctionKind::Aggregate).is_some() {
            let message = format!("`{name}` is an aggregate, and no rows are grouped here");
            let error = Diagnostic::error(codes::NOT_AGGREGATED, span, message);
            self.diagnose(error.with_help("aggregates stand in `summarize` and `make-series`"));
            return self.placeholder(Type::Unknown, span);
        }
        // Their columns are learned, whatever the function does with them.
        for arg in &call.args {
            if !matches!(arg.kind, tree::ExprKind::Star) && !self.is_tabular(arg, cx.scope.env) {
                self.expr_in(arg, cx);
            }
        }
        let message = format!("no function `{name}` is known");
        let mut warning = Diagnostic::warning(codes::UNKNOWN_FUNCTION, call.name.span.0, message);
        if let Some(near) = similar(name, FunctionKind::Scalar) {
            warning = warning.with_help(format!("did you mean `{near}`?"));
        }
        self.diagnose(warning);
        self.opaque(format!("no function `{name}` is known"), Type::Dynamic, span)
    }

    /// A call of a function of the catalogue, with its arguments converted.
    fn catalogue_call(
        &mut self,
        call: &'t tree::Call,
        resolved: Resolved,
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        let mut args = Vec::with_capacity(call.args.len());
        let mut typed = None;
        for arg in &call.args {
            if let tree::ExprKind::TypeOf(of) = &arg.kind {
                typed = self.named_type(of, arg.span.0);
            } else if matches!(arg.kind, tree::ExprKind::Star) {
                args.extend(cx.scope.columns().iter().map(|id| self.column_expr(*id, arg.span.0)));
            } else {
                args.push(self.expr_in(argument(arg), cx));
            }
        }
        if let Some(Note::ArgumentOrder(order)) = resolved.note {
            args = order.iter().filter_map(|i| args.get(*i).cloned()).collect();
        }
        let called = self.call_of(resolved.def, args, span);
        match typed {
            // `extract(…, typeof(long))` is the conversion of what is found.
            Some(ty) => called.cast(ty, false),
            None => called,
        }
    }

    fn named_type(&mut self, of: &TypeOf, span: Span) -> Option<Type> {
        let ty = match of {
            TypeOf::Scalar(ty) => Some(super::scalar_type(ty)),
            TypeOf::Table { .. } => None,
        };
        if ty.is_none() {
            let message = format!("`{}` names no scalar type", self.text(span));
            self.error(codes::MISPLACED, span, message);
        }
        ty
    }

    /// A call with these arguments, converted as the signature asks for.
    pub(super) fn call_of(&mut self, def: &'static FunctionDef, args: Vec<ir::Expr>, span: Span) -> ir::Expr {
        let args = self.converted(def, args);
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let mut ty = def.return_type(&types);
        if ty == Type::Unknown && !types.contains(&Type::Unknown) {
            ty = Type::Dynamic;
        }
        ir::Expr::new(ExprKind::Call(def, args), ty, span)
    }

    /// The arguments in the types that the function works on.
    pub(super) fn converted(&mut self, def: &'static FunctionDef, args: Vec<ir::Expr>) -> Vec<ir::Expr> {
        let count = args.len();
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let by_count = || def.signatures.iter().find(|s| s.takes(count));
        let Some(signature) = def.signature(&types).or_else(by_count) else { return args };
        let params: Vec<Option<&Param>> =
            types.iter().enumerate().map(|(i, ty)| param_of(signature, i, count, *ty)).collect();
        let shared = shared_type(&types, &params);
        let text = def.kind == FunctionKind::Scalar && TEXT_FUNCTIONS.binary_search(&def.name).is_ok();
        let mut out = Vec::with_capacity(count);
        for (arg, param) in args.into_iter().zip(params) {
            out.push(match param {
                Some(param) => self.argument(def, arg, param.ty, shared, text),
                None => arg,
            });
        }
        out
    }

    fn argument(
        &mut self,
        def: &FunctionDef,
        arg: ir::Expr,
        param: ParamType,
        shared: Type,
        text: bool,
    ) -> ir::Expr {
        match param {
            ParamType::Is(ty) => self.argument_as(arg, ty),
            ParamType::Scalar if text => self.coerce(arg, Type::String),
            ParamType::Integer if arg.ty.is_integer() => arg,
            ParamType::Integer => self.argument_as(arg, Type::Long),
            ParamType::NumberOrBool if arg.ty == Type::Bool => arg,
            ParamType::Summable if matches!(arg.ty, Type::Datetime | Type::Timespan) => arg,
            ParamType::Number | ParamType::NumberOrBool | ParamType::Summable if arg.ty.is_numeric() => arg,
            ParamType::Number | ParamType::NumberOrBool | ParamType::Summable => {
                let ty = if arg.ty == Type::Unknown { Type::Long } else { Type::Real };
                self.argument_as(arg, ty)
            }
            // `parse_json` of a dynamic value is that value; the others read its text.
            ParamType::StringOrDynamic if def.name == "parse_json" && arg.ty == Type::Dynamic => arg,
            ParamType::StringOrDynamic => self.argument_as(arg, Type::String),
            ParamType::Array | ParamType::Bag if arg.ty == Type::String => self.as_dynamic(arg),
            ParamType::Array | ParamType::Bag => self.argument_as(arg, Type::Dynamic),
            ParamType::Common | ParamType::CommonOrderable | ParamType::CommonOrDynamic => {
                self.coerce(arg, shared)
            }
            ParamType::Scalar
            | ParamType::Orderable
            | ParamType::NotDynamic
            | ParamType::NotRealOrBool
            | ParamType::StringOrArray
            | ParamType::IntegerOrArray
            | ParamType::TypeLiteral
            | ParamType::Table => arg,
        }
    }

    /// Numbers widen and dynamic values convert by themselves; other conversions are made with a warning.
    fn argument_as(&mut self, arg: ir::Expr, ty: Type) -> ir::Expr {
        let quiet = match arg.ty {
            Type::Dynamic | Type::Unknown => true,
            Type::Int => matches!(ty, Type::Long | Type::Real | Type::Decimal),
            Type::Long => matches!(ty, Type::Int | Type::Real | Type::Decimal),
            Type::Real => ty == Type::Decimal,
            Type::Decimal => ty == Type::Real,
            Type::Bool | Type::String | Type::Datetime | Type::Timespan | Type::Guid => false,
        };
        if quiet { self.coerce(arg, ty) } else { self.coerce_loudly(arg, ty) }
    }
}

/// The parameter of an argument; a trailing optional flag behind repeated arrays is told by its type.
fn param_of(signature: &'static Signature, index: usize, count: usize, ty: Type) -> Option<&'static Param> {
    let param = signature.param(index, count)?;
    let flag = ty == Type::Bool && param.ty == ParamType::Array && index + 1 == count;
    if flag { signature.params.last() } else { Some(param) }
}

/// The type that the arguments of `Common…` parameters share; `Unknown` where none has to.
fn shared_type(types: &[Type], params: &[Option<&Param>]) -> Type {
    let common = |p: &Option<&Param>| {
        p.is_some_and(|p| {
            matches!(p.ty, ParamType::Common | ParamType::CommonOrderable | ParamType::CommonOrDynamic)
        })
    };
    let shared: Vec<Type> = types.iter().zip(params).filter(|(_, p)| common(p)).map(|(t, _)| *t).collect();
    match common_type(shared.iter().copied(), true) {
        // What is known tells what the learned columns are; `common_type` waits for wider numbers.
        Type::Unknown => common_type(shared.into_iter().filter(|t| *t != Type::Unknown), true),
        ty => ty,
    }
}
