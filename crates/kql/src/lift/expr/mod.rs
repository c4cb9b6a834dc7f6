//! Scalar expressions and aggregates of the syntax tree → the IR, with a type on every node.
//!
//! In: an expression and the [`Scope`] that it stands in. Out: an [`ir::Expr`] whose implicit conversions are `Cast` nodes
//! and whose comparisons say what they do with missing values. Faults become diagnostics; what the IR lacks becomes opaque.
//!
//! `literal`, `datetime`: constants. `convert`: implicit conversions. `compare`: `==`, `<`, `between`. `strings`: `has` and its
//! kind. `list`: `in`, `has_any`. `arith`: `+` and its kind. `path`: `a.b[0]`. `call`, `special`: functions. `aggregate`:
//! aggregates. `names`: names that Kusto generates.

mod aggregate;
mod arith;
mod call;
mod compare;
mod convert;
mod datetime;
mod list;
mod literal;
mod names;
mod path;
mod special;
mod strings;

use super::{Lifter, Scope};
use crate::syntax::literal::Literal;
use crate::syntax::tree;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, AggregateItem, Case, Type};
use smol_str::SmolStr;
use std::cell::RefCell;

pub(crate) use literal::scalar_type;

/// An expression that becomes a column, or several.
pub(crate) struct Value {
    pub expr: ir::Expr,
    /// The generated name; none means `ColumnN`.
    pub name: Option<SmolStr>,
    /// All columns where the call makes several (`series_stats`); otherwise empty.
    pub tuple: Vec<(Option<SmolStr>, Type)>,
}

/// An aggregate, or an expression over aggregates.
pub(crate) struct Aggregated {
    pub call: ir::AggregateCall,
    /// All output columns in order: generated name (none means `ColumnN`) and type.
    pub columns: Vec<(Option<SmolStr>, Type)>,
}

/// What an expression is lifted in.
#[derive(Clone, Copy)]
struct Cx<'c> {
    scope: &'c Scope<'c>,
    /// Over groups of rows: aggregates may stand, and are gathered here; columns may not.
    parts: Option<&'c RefCell<Vec<AggregateItem>>>,
    /// The predicate of `search`: a bare text is looked for in all columns.
    search: Option<Case>,
}

impl<'c> Cx<'c> {
    const fn plain(scope: &'c Scope<'c>) -> Self {
        Self { scope, parts: None, search: None }
    }
}

impl<'t> Lifter<'t> {
    /// A scalar expression. Always gives one; faults are reported as diagnostics.
    pub(crate) fn expr(&mut self, e: &'t tree::Expr, scope: &Scope<'_>) -> ir::Expr {
        self.expr_in(e, Cx::plain(scope))
    }

    /// A condition.
    pub(crate) fn predicate(&mut self, e: &'t tree::Expr, scope: &Scope<'_>) -> ir::Expr {
        self.condition(e, Cx::plain(scope))
    }

    /// The condition of `search`: bare texts are terms to find in any column.
    pub(crate) fn search_predicate(&mut self, e: &'t tree::Expr, scope: &Scope<'_>, case: Case) -> ir::Expr {
        self.condition(e, Cx { scope, parts: None, search: Some(case) })
    }

    /// An expression of a certain type, converted as Kusto does by itself.
    pub(crate) fn expr_as(&mut self, e: &'t tree::Expr, ty: Type, scope: &Scope<'_>) -> ir::Expr {
        let e = self.expr(e, scope);
        self.coerce(e, ty)
    }

    /// An expression that becomes a column.
    pub(crate) fn value(&mut self, e: &'t tree::Expr, scope: &Scope<'_>) -> Value {
        let expr = self.expr(e, scope);
        let name = self.default_name(e, scope);
        let mut tuple = Vec::new();
        if let ir::ExprKind::Call(def, args) = &expr.kind {
            let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
            let columns = def.column_types(&types);
            if columns.len() > 1 {
                let mut names = self.tuple_names(e, scope).into_iter();
                tuple = columns.into_iter().map(|ty| (names.next().flatten(), ty)).collect();
            }
        }
        Value { expr, name, tuple }
    }

    fn condition(&mut self, e: &'t tree::Expr, cx: Cx<'_>) -> ir::Expr {
        let e = self.expr_in(e, cx);
        self.as_bool(e)
    }

    fn expr_in(&mut self, e: &'t tree::Expr, cx: Cx<'_>) -> ir::Expr {
        if !self.enter(e.span.0) {
            return self.placeholder(Type::Unknown, e.span.0);
        }
        let lifted = self.expr_inner(e, cx);
        self.leave();
        lifted
    }

    fn expr_inner(&mut self, e: &'t tree::Expr, cx: Cx<'_>) -> ir::Expr {
        let span = e.span.0;
        match &e.kind {
            tree::ExprKind::Name(name) => self.name(name, span, cx),
            tree::ExprKind::Literal(literal) => self.literal(literal, span, cx),
            tree::ExprKind::Dynamic(dynamic) => match literal::json(dynamic) {
                Ok(ir::Json::Null) => ir::Expr::literal(ir::Value::Null(Type::Dynamic), span),
                Ok(json) => ir::Expr::literal(ir::Value::Dynamic(json), span),
                Err(message) => self.faulty(codes::BAD_LITERAL, span, message, Type::Dynamic),
            },
            tree::ExprKind::Path { base, name } => self.path(base, name, span, cx),
            tree::ExprKind::Index { base, index } => self.index(base, index, span, cx),
            tree::ExprKind::Call(call) => self.call(call, span, cx),
            tree::ExprKind::Unary { op, operand } => self.unary(*op, operand, span, cx),
            tree::ExprKind::Binary(binary) => self.binary(binary, span, cx),
            tree::ExprKind::And(operands) => {
                let operands = operands.iter().map(|o| self.condition(o, cx)).collect();
                ir::Expr::and(operands, span)
            }
            tree::ExprKind::Or(operands) => {
                let operands = operands.iter().map(|o| self.condition(o, cx)).collect();
                ir::Expr::or(operands, span)
            }
            tree::ExprKind::List(list) => self.list_test(list, span, cx),
            tree::ExprKind::Between(between) => self.between(between, span, cx),
            tree::ExprKind::Wrapped(wrapped) => self.wrapped(wrapped, span, cx),
            tree::ExprKind::Pipeline(_)
            | tree::ExprKind::Datatable(_)
            | tree::ExprKind::ExternalData(_)
            | tree::ExprKind::DataScope { .. } => {
                let message = "a table stands where a value is needed";
                self.faulty(codes::TABLE_AS_VALUE, span, message, Type::Unknown)
            }
            tree::ExprKind::Named(_) => {
                let message = format!("`{}` names a value where no name can stand", self.text(span));
                self.faulty(codes::MISPLACED, span, message, Type::Unknown)
            }
            tree::ExprKind::Star | tree::ExprKind::Wildcard(_) | tree::ExprKind::TypeOf(_) => {
                let message = format!("`{}` cannot stand here", self.text(span));
                self.faulty(codes::MISPLACED, span, message, Type::Unknown)
            }
            tree::ExprKind::MethodCall { .. }
            | tree::ExprKind::EntityGroup(_)
            | tree::ExprKind::ClientParameter(_) => {
                self.opaque("it has no meaning outside of its own service", Type::Dynamic, span)
            }
            // The parser has reported it.
            tree::ExprKind::Error => self.faulty(
                codes::LIFT_ERROR_NODE,
                span,
                "this part of the query was not understood",
                Type::Unknown,
            ),
        }
    }

    fn name(&mut self, name: &str, span: Span, cx: Cx<'_>) -> ir::Expr {
        let e = self.resolve(name, span, cx.scope);
        if cx.parts.is_some()
            && let ir::ExprKind::Column(id) = e.kind
            && !cx.scope.keys.contains(&id)
        {
            let message =
                format!("`{name}` is a column of single rows, and a value for each group is needed here");
            let help = format!("put it into an aggregate, such as `take_any({name})`, or group by it");
            self.diagnose(
                ruleferry_diag::Diagnostic::error(codes::NOT_AGGREGATED, span, message).with_help(help),
            );
        }
        e
    }

    fn literal(&mut self, literal: &Literal, span: Span, cx: Cx<'_>) -> ir::Expr {
        if let (Some(case), Literal::String(text)) = (cx.search, literal) {
            return self.search_term(ir::Subject::AnyColumn, &text.value, case, span);
        }
        match literal::constant(literal) {
            Ok(value) => ir::Expr::literal(value, span),
            Err(message) => self.faulty(codes::BAD_LITERAL, span, message, Type::Unknown),
        }
    }

    fn binary(&mut self, binary: &'t tree::Binary, span: Span, cx: Cx<'_>) -> ir::Expr {
        use tree::BinaryOp as Op;
        match binary.op {
            Op::Add => self.arithmetic(ir::ArithmeticOp::Add, binary, span, cx),
            Op::Sub => self.arithmetic(ir::ArithmeticOp::Sub, binary, span, cx),
            Op::Mul => self.arithmetic(ir::ArithmeticOp::Mul, binary, span, cx),
            Op::Div => self.arithmetic(ir::ArithmeticOp::Div, binary, span, cx),
            Op::Mod => self.arithmetic(ir::ArithmeticOp::Mod, binary, span, cx),
            Op::Eq => self.equality(binary, false, span, cx),
            Op::Ne => self.equality(binary, true, span, cx),
            Op::Lt => self.ordering(ir::CompareOp::Lt, binary, span, cx),
            Op::Le => self.ordering(ir::CompareOp::Le, binary, span, cx),
            Op::Gt => self.ordering(ir::CompareOp::Gt, binary, span, cx),
            Op::Ge => self.ordering(ir::CompareOp::Ge, binary, span, cx),
            Op::EqCi
            | Op::NeCi
            | Op::Has
            | Op::NotHas
            | Op::HasCs
            | Op::NotHasCs
            | Op::HasPrefix
            | Op::NotHasPrefix
            | Op::HasPrefixCs
            | Op::NotHasPrefixCs
            | Op::HasSuffix
            | Op::NotHasSuffix
            | Op::HasSuffixCs
            | Op::NotHasSuffixCs
            | Op::Contains
            | Op::NotContains
            | Op::ContainsCs
            | Op::NotContainsCs
            | Op::StartsWith
            | Op::NotStartsWith
            | Op::StartsWithCs
            | Op::NotStartsWithCs
            | Op::EndsWith
            | Op::NotEndsWith
            | Op::EndsWithCs
            | Op::NotEndsWithCs
            | Op::Like
            | Op::NotLike
            | Op::LikeCs
            | Op::NotLikeCs
            | Op::MatchesRegex
            | Op::Colon => self.string_test(binary, span, cx),
        }
    }

    fn wrapped(&mut self, wrapped: &'t tree::Wrapped, span: Span, cx: Cx<'_>) -> ir::Expr {
        match wrapped.kind {
            tree::WrapKind::ToScalar => {
                if !self.is_tabular(&wrapped.value, cx.scope.env) {
                    // `toscalar(1)`: a scalar already.
                    return self.expr(&wrapped.value, &Scope::bare(cx.scope.env));
                }
                let plan = self.table(&wrapped.value, cx.scope.env).plan;
                let ty = plan.output.first().map_or(Type::Unknown, |id| self.columns.ty(*id));
                ir::Expr::new(ir::ExprKind::Subquery(Box::new(plan)), ty, span)
            }
            // Of a scalar: the value itself, computed once.
            tree::WrapKind::Materialize if !self.is_tabular(&wrapped.value, cx.scope.env) => {
                self.expr_in(&wrapped.value, cx)
            }
            tree::WrapKind::Materialize | tree::WrapKind::ToTable => {
                let message = format!("`{}` is a table, and a value is needed here", self.text(span));
                self.faulty(codes::TABLE_AS_VALUE, span, message, Type::Unknown)
            }
        }
    }

    /// Reports an error and gives something to go on with.
    fn faulty(
        &mut self,
        code: ruleferry_diag::Code,
        span: Span,
        message: impl Into<String>,
        ty: Type,
    ) -> ir::Expr {
        self.error(code, span, message);
        self.placeholder(ty, span)
    }

    fn warn(&mut self, code: ruleferry_diag::Code, span: Span, message: impl Into<String>) {
        self.diagnose(ruleferry_diag::Diagnostic::warning(code, span, message));
    }
}
