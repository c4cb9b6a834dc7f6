//! Statements: `let`s, parameters of the query, functions and their calls, and the query itself.

use super::scope::{Def, Env, FunctionRef, Rel, Scope, TableLet};
use super::{Lifter, MAX_EXPANSIONS, codes};
use crate::syntax::tree::{self, ExprKind, LetValue, ParamType, StatementKind, WrapKind};
use ruleferry_diag::{Diagnostic, Span};
use ruleferry_ir::{self as ir, BindingValue, ColId, Op, Plan, Type};
use smol_str::SmolStr;
use std::sync::Arc;

use super::expr::scalar_type;

impl<'t> Lifter<'t> {
    /// All statements; the last query among them is the rule.
    pub(super) fn query(&mut self, query: &'t tree::Query) -> Option<Plan> {
        let last = query.statements.iter().rposition(|s| matches!(s.kind, StatementKind::Query(_)));
        let mut env = self.root();
        let mut plan = None;
        for (i, statement) in query.statements.iter().enumerate() {
            match &statement.kind {
                StatementKind::Query(e) if Some(i) == last => plan = Some(self.answer(e, env).plan),
                _ => env = self.statement(statement, env),
            }
            if self.exhausted {
                return None;
            }
        }
        if plan.is_none() && !self.diagnostics.iter().any(Diagnostic::is_error) {
            self.error(
                codes::NO_QUERY,
                query.span.0,
                "the text has no query, only statements that prepare one",
            );
        }
        plan
    }

    /// A statement other than the query proper; the environment after it.
    fn statement(&mut self, statement: &'t tree::Statement, env: Env) -> Env {
        let span = statement.span.0;
        match &statement.kind {
            StatementKind::Let { name, value } => self.let_statement(name, value, env),
            StatementKind::Query(_) => {
                let message = "only the last query of the text is taken as the rule; this one is left out";
                self.diagnose(Diagnostic::warning(codes::SEVERAL_QUERIES, span, message));
                env
            }
            StatementKind::Set { name, value: Some(value) } if name.text == "query_bin_auto_size" => {
                self.bin_auto = [Some(value), self.bin_auto[1]];
                env
            }
            StatementKind::Set { name, value: Some(value) } if name.text == "query_bin_auto_at" => {
                self.bin_auto = [self.bin_auto[0], Some(value)];
                env
            }
            // Options of the service: limits and caches.
            StatementKind::Set { .. } | StatementKind::AliasDatabase { .. } => env,
            StatementKind::QueryParameters(params) => {
                params.iter().fold(env, |env, p| self.query_parameter(p, env))
            }
            StatementKind::Pattern(pattern) => self.frames.define(env, &pattern.name.text, Def::Pattern),
            StatementKind::RestrictAccess { .. } => {
                let message =
                    "`restrict access` does not change what the rule itself returns; it is left out";
                self.diagnose(Diagnostic::warning(codes::STATEMENT_IGNORED, span, message));
                env
            }
            StatementKind::Error => {
                self.error(codes::LIFT_ERROR_NODE, span, "this statement was not understood");
                env
            }
        }
    }

    fn query_parameter(&mut self, param: &'t tree::FunctionParam, env: Env) -> Env {
        let ParamType::Scalar(ty) = &param.ty else {
            self.error(codes::WRONG_ARGUMENTS, param.span.0, "a parameter of a query must be a scalar");
            return env;
        };
        let ty = scalar_type(ty);
        let value = match &param.default {
            Some(default) => self.expr_as(default, ty, &Scope::bare(env)),
            None => {
                let message = format!("the query parameter `{}` has no default value", param.name.text);
                let help = "give it one: `name: type = value`";
                self.diagnose(
                    Diagnostic::error(codes::WRONG_ARGUMENTS, param.span.0, message).with_help(help),
                );
                self.placeholder(ty, param.span.0)
            }
        };
        self.define_scalar(&param.name, value, env)
    }

    fn define_scalar(&mut self, name: &'t tree::Name, value: ir::Expr, env: Env) -> Env {
        let ty = value.ty;
        let def = if self.inlining > 0 || self.correlated > 0 {
            // The value can hold columns of the row that the function is called on.
            Def::Inline(Arc::new(value), 1)
        } else {
            let id = self.bind(&name.text, BindingValue::Scalar(value), name.span.0);
            Def::Scalar(id, ty)
        };
        self.frames.define(env, &name.text, def)
    }

    fn let_statement(&mut self, name: &'t tree::Name, value: &'t LetValue, env: Env) -> Env {
        match value {
            LetValue::Function(function) => {
                let tabular = self.function_is_tabular(function, env);
                let def = Def::Function(FunctionRef { function, env, name: &name.text, tabular });
                self.frames.define(env, &name.text, def)
            }
            LetValue::Expr(e) if self.is_table_let(e, env) => self.table_let(name, e, env),
            LetValue::Expr(e) => {
                if !self.enter(name.span.0) {
                    return env;
                }
                let before = self.nodes;
                let value = self.expr(e, &Scope::bare(env));
                self.leave();
                let size = self.nodes - before;
                if let ExprKind::Name(other) = &e.kind
                    && let Some(def @ Def::Function(_)) = self.frames.find(env, other).cloned()
                {
                    return self.frames.define(env, &name.text, def);
                }
                let after = self.define_scalar(name, value, env);
                if let Some(Def::Inline(e, _)) = self.frames.find(after, &name.text).cloned() {
                    return self.frames.define(after, &name.text, Def::Inline(e, size));
                }
                after
            }
        }
    }

    fn table_let(&mut self, name: &'t tree::Name, e: &'t tree::Expr, env: Env) -> Env {
        match &e.kind {
            // Another name of the same thing, or an input that gets this name.
            ExprKind::Name(other) if self.frames.find(env, other).is_some() => {
                if let Some(def) = self.frames.find(env, other).cloned() {
                    return self.frames.define(env, &name.text, def);
                }
                env
            }
            ExprKind::ExternalData(external) => {
                self.name_external(external, e.span.0, &name.text);
                self.frames.define(env, &name.text, Def::Lazy(e, env))
            }
            _ => {
                let (e, materialized) = match &e.kind {
                    ExprKind::Wrapped(w) if w.kind == WrapKind::Materialize => (&w.value, true),
                    _ => (e, false),
                };
                let rel = self.table(e, env);
                let def = self.bind_table(&name.text, rel, materialized, name.span.0);
                self.frames.define(env, &name.text, def)
            }
        }
    }

    /// Makes a relation a binding of the query, to be referred to any number of times.
    pub(super) fn bind_table(&mut self, name: &str, rel: Rel, materialized: bool, span: Span) -> Def<'t> {
        if self.correlated > 0 {
            // Rows of the place cannot be named at the top of the query.
            return Def::Rows(Box::new(rel));
        }
        let Rel { plan, origins, .. } = rel;
        let output = Arc::clone(&plan.output);
        let binding = self.bind(name, BindingValue::Table { plan, materialized }, span);
        Def::Table(TableLet { binding, output, origins })
    }

    /// A reference to a table `let`: new ids for all its columns.
    pub(super) fn reference(&mut self, table: &TableLet, span: Span) -> Rel {
        let mut output = Vec::with_capacity(table.output.len());
        for id in table.output.iter() {
            output.push(self.copy_column(*id));
        }
        let plan = Plan::new(Op::Ref(table.binding), output, span);
        Rel { plan, origins: table.origins.clone(), ordered: false, depth: 1 }
    }

    /// A new column of the same name and type, that learns what the old one learns.
    pub(super) fn copy_column(&mut self, id: ColId) -> ColId {
        let (name, ty) =
            self.columns.get(id).map_or((SmolStr::default(), Type::Unknown), |c| (c.name.clone(), c.ty));
        let new = self.add_column(name, ty, Span::default());
        self.same_origin(new, id);
        new
    }

    /// Whether a `let` makes a table. A name or call that nothing knows is one: values of no known kind do not exist.
    fn is_table_let(&self, e: &tree::Expr, env: Env) -> bool {
        self.tabular(e, env, true)
    }

    /// Whether an expression gives a table, by its form and by what its names stand for.
    pub(crate) fn is_tabular(&self, e: &tree::Expr, env: Env) -> bool {
        self.tabular(e, env, false)
    }

    fn tabular(&self, e: &tree::Expr, env: Env, unknown: bool) -> bool {
        match &e.kind {
            ExprKind::Name(name) => match self.frames.find(env, name) {
                Some(Def::Scalar(..) | Def::Inline(..)) => false,
                Some(Def::Table(_) | Def::Lazy(..) | Def::Rows(_) | Def::Pattern) => true,
                Some(Def::Function(f)) => f.tabular,
                Some(Def::Unbound { tabular }) => *tabular,
                None => unknown || self.as_names.contains_key(name) || self.is_known_table(name),
            },
            ExprKind::Call(call) => match self.frames.find(env, &call.name.text) {
                Some(Def::Function(f)) => f.tabular,
                Some(Def::Pattern) => true,
                _ => self.call_is_tabular(&call.name.text, unknown),
            },
            ExprKind::Path { base, .. } => self.is_qualifier(base),
            ExprKind::MethodCall { .. }
            | ExprKind::Pipeline(_)
            | ExprKind::Datatable(_)
            | ExprKind::ExternalData(_)
            | ExprKind::DataScope { .. } => true,
            ExprKind::Wrapped(w) => match w.kind {
                WrapKind::ToScalar => false,
                WrapKind::ToTable => true,
                WrapKind::Materialize => self.tabular(&w.value, env, unknown),
            },
            ExprKind::Wildcard(_)
            | ExprKind::Star
            | ExprKind::ClientParameter(_)
            | ExprKind::Literal(_)
            | ExprKind::Dynamic(_)
            | ExprKind::TypeOf(_)
            | ExprKind::Index { .. }
            | ExprKind::Unary { .. }
            | ExprKind::Binary(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::List(_)
            | ExprKind::Between(_)
            | ExprKind::Named(_)
            | ExprKind::EntityGroup(_)
            | ExprKind::Error => false,
        }
    }

    /// Looks at the last expression of a function's body, without lifting it.
    fn function_is_tabular(&mut self, function: &'t tree::Function, env: Env) -> bool {
        if !self.enter(function.span.0) {
            return false;
        }
        let mut inner = self.frames.child(env);
        for param in &function.params {
            let tabular = !matches!(param.ty, ParamType::Scalar(_));
            inner = self.frames.define(inner, &param.name.text, Def::Unbound { tabular });
        }
        let mut tabular = false;
        for statement in &function.body {
            match &statement.kind {
                StatementKind::Let { name, value } => {
                    let def = match value {
                        LetValue::Expr(e) => Def::Unbound { tabular: self.is_table_let(e, inner) },
                        LetValue::Function(f) => {
                            let tabular = self.function_is_tabular(f, inner);
                            Def::Function(FunctionRef { function: f, env: inner, name: &name.text, tabular })
                        }
                    };
                    inner = self.frames.define(inner, &name.text, def);
                }
                StatementKind::Query(e) => tabular = self.is_table_let(e, inner),
                StatementKind::Set { .. }
                | StatementKind::QueryParameters(_)
                | StatementKind::Pattern(_)
                | StatementKind::AliasDatabase { .. }
                | StatementKind::RestrictAccess { .. }
                | StatementKind::Error => {}
            }
        }
        self.leave();
        tabular
    }

    /// The query proper: a table, or a value, which makes a table of one cell.
    fn answer(&mut self, e: &'t tree::Expr, env: Env) -> Rel {
        if self.is_table_let(e, env) {
            return self.table(e, env);
        }
        let span = e.span.0;
        let value = self.expr(e, &Scope::bare(env));
        let id = self.add_column(SmolStr::new_static("print_0"), value.ty, span);
        let values = ir::Values { rows: vec![vec![value]], print: true };
        Rel::source(Plan::new(Op::Values(values), vec![id], span))
    }

    /// Puts a scalar function's body in place of its call.
    pub(crate) fn call_scalar(
        &mut self,
        f: FunctionRef<'t>,
        args: &'t [tree::Expr],
        span: Span,
        scope: &Scope<'_>,
    ) -> ir::Expr {
        if f.tabular {
            let message = format!("`{}` gives a table, and a value is needed here", f.name);
            self.error(codes::TABLE_AS_VALUE, span, message);
            return self.placeholder(Type::Unknown, span);
        }
        if !self.begin_call(f, span) {
            return self.placeholder(Type::Unknown, span);
        }
        self.inlining += 1;
        let env = self.bind_arguments(f, None, args, span, scope);
        let (env, last) = self.body(&f.function.body, env);
        let value = last.map(|e| self.expr(e, &Scope::bare(env)));
        self.inlining -= 1;
        self.end_call();
        value.unwrap_or_else(|| {
            self.error(codes::WRONG_ARGUMENTS, span, format!("the function `{}` gives nothing", f.name));
            self.placeholder(Type::Unknown, span)
        })
    }

    /// Puts a tabular function's body in place of its call; `input` is what `invoke` gives as first argument.
    pub(super) fn call_table(
        &mut self,
        f: FunctionRef<'t>,
        input: Option<Rel>,
        args: &'t [tree::Expr],
        span: Span,
        env: Env,
    ) -> Rel {
        if !f.tabular {
            self.error(
                codes::VALUE_AS_TABLE,
                span,
                format!("`{}` gives a value, and a table is needed here", f.name),
            );
            return self.nothing(span);
        }
        if !self.begin_call(f, span) {
            return self.nothing(span);
        }
        // A tabular function is not called on a row; its `let`s are bindings even inside of a scalar function.
        let inlining = std::mem::take(&mut self.inlining);
        let env = self.bind_arguments(f, input, args, span, &Scope::bare(env));
        let (env, last) = self.body(&f.function.body, env);
        let rel = last.map(|e| self.table(e, env));
        self.inlining = inlining;
        self.end_call();
        rel.unwrap_or_else(|| self.nothing(span))
    }

    fn begin_call(&mut self, f: FunctionRef<'t>, span: Span) -> bool {
        if self.calling.iter().any(|c| std::ptr::eq(*c, f.function)) {
            self.error(codes::RECURSIVE_FUNCTION, span, format!("the function `{}` calls itself", f.name));
            return false;
        }
        self.expansions += 1;
        if self.expansions > MAX_EXPANSIONS {
            let message = format!("more than {MAX_EXPANSIONS} calls of functions are to be expanded");
            self.exhaust(codes::LIFT_TOO_LARGE, span, message);
        }
        if !self.enter(span) {
            return false;
        }
        self.calling.push(f.function);
        true
    }

    fn end_call(&mut self) {
        self.calling.pop();
        self.leave();
    }

    /// The statements of a body: the environment after its `let`s, and its last expression.
    fn body(&mut self, body: &'t [tree::Statement], mut env: Env) -> (Env, Option<&'t tree::Expr>) {
        let mut last = None;
        for statement in body {
            match &statement.kind {
                StatementKind::Query(e) => last = Some(e),
                StatementKind::Let { .. }
                | StatementKind::Set { .. }
                | StatementKind::QueryParameters(_)
                | StatementKind::Pattern(_)
                | StatementKind::AliasDatabase { .. }
                | StatementKind::RestrictAccess { .. }
                | StatementKind::Error => env = self.statement(statement, env),
            }
        }
        (env, last)
    }

    /// An environment in which the parameters of a function stand for the arguments of a call.
    fn bind_arguments(
        &mut self,
        f: FunctionRef<'t>,
        mut input: Option<Rel>,
        args: &'t [tree::Expr],
        span: Span,
        scope: &Scope<'_>,
    ) -> Env {
        let named = |e: &'t tree::Expr| match &e.kind {
            ExprKind::Named(n) => match &n.names {
                tree::ColumnNames::One(name) => Some((name.text.as_str(), &n.value)),
                tree::ColumnNames::Default | tree::ColumnNames::Many(_) => None,
            },
            _ => None,
        };
        let mut env = self.frames.child(f.env);
        let mut positional = args.iter().filter(|a| named(a).is_none());
        for param in &f.function.params {
            let by_name = args.iter().filter_map(named).find(|(n, _)| *n == param.name.text).map(|(_, e)| e);
            let arg = if by_name.is_some() { by_name } else { None };
            let def = match &param.ty {
                ParamType::Table(_) | ParamType::AnyTable => match input.take() {
                    Some(rel) => Some(self.bind_table(&param.name.text, rel, false, param.span.0)),
                    None => {
                        arg.or_else(|| positional.next()).map(|e| self.table_argument(param, e, scope.env))
                    }
                },
                ParamType::Scalar(ty) => {
                    let ty = scalar_type(ty);
                    match arg.or_else(|| positional.next()) {
                        Some(e) => Some(self.scalar_argument(e, ty, scope)),
                        None => {
                            param.default.as_ref().map(|e| self.scalar_argument(e, ty, &Scope::bare(f.env)))
                        }
                    }
                }
            };
            let Some(def) = def else {
                let message = format!(
                    "the call of `{}` gives no value for the parameter `{}`",
                    f.name, param.name.text
                );
                self.error(codes::WRONG_ARGUMENTS, span, message);
                // One fault, one message: the body finds the name.
                let value = self.placeholder(Type::Unknown, span);
                env = self.frames.define(env, &param.name.text, Def::Inline(Arc::new(value), 1));
                continue;
            };
            env = self.frames.define(env, &param.name.text, def);
        }
        if let Some(extra) = positional.next() {
            let count = f.function.params.len();
            let message = format!("`{}` takes {count} argument(s), and more are given", f.name);
            self.error(codes::WRONG_ARGUMENTS, extra.span.0, message);
        }
        env
    }

    fn scalar_argument(&mut self, e: &'t tree::Expr, ty: Type, scope: &Scope<'_>) -> Def<'t> {
        let before = self.nodes;
        let value = self.expr_as(e, ty, scope);
        Def::Inline(Arc::new(value), self.nodes - before)
    }

    fn table_argument(&mut self, param: &'t tree::FunctionParam, e: &'t tree::Expr, env: Env) -> Def<'t> {
        if let ExprKind::Name(name) = &e.kind {
            return match self.frames.find(env, name) {
                Some(def @ (Def::Table(_) | Def::Lazy(..) | Def::Rows(_) | Def::Function(_))) => def.clone(),
                _ => Def::Lazy(e, env),
            };
        }
        let rel = self.table(e, env);
        self.bind_table(&param.name.text, rel, false, param.span.0)
    }
}
