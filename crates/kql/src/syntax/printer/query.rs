//! Statements.

use ruleferry_diag::Span;

use super::super::literal::Dynamic;
use super::super::tree::{
    ColumnDecl, Expr, ExprKind, Function, FunctionParam, LetValue, Loc, ParamType, Pattern, PatternCase,
    Query, Statement, StatementKind,
};
use super::{Printer, text};

impl Printer<'_> {
    pub(super) fn query(&mut self, query: &Query) {
        for directive in &query.directives {
            self.comments_before(directive.span.0.start);
            if !self.out.is_empty() {
                self.newline();
            }
            let line = directive.text.lines().next().unwrap_or("");
            self.put(line);
            self.closed = true;
        }
        self.statements(&query.statements, false);
    }

    /// Statements with `;` between them, each on a new line. Those of several lines stand apart.
    pub(super) fn statements(&mut self, statements: &[Statement], terminated: bool) {
        let mut long_before = false;
        for (i, statement) in statements.iter().enumerate() {
            let first_of_all = self.out.is_empty();
            if i > 0 {
                self.put(";");
            }
            let end = self.out.len();
            let commented = self.comments_before(statement.span.0.start);
            if !(first_of_all && self.out.is_empty()) {
                self.newline();
            }
            let begin = self.out.len();
            self.statement(statement);
            let long = self.out.get(begin..).is_some_and(|t| t.contains('\n'));
            if i > 0 && (long || long_before) {
                self.blank_line_at(end, commented);
            }
            long_before = long;
        }
        let ends_with_let = statements.last().is_some_and(|s| !matches!(s.kind, StatementKind::Query(_)));
        if terminated && ends_with_let
            || statements.last().is_some_and(|s| matches!(s.kind, StatementKind::Let { .. }))
        {
            self.put(";");
        }
    }

    /// Puts an empty line into what has been written, behind `end` and the comment that trails there.
    fn blank_line_at(&mut self, end: usize, commented: bool) {
        let written = self.out.get(end..).unwrap_or("");
        let Some(at) = written.find('\n') else { return };
        let already = written.get(at..).is_some_and(|t| t.starts_with("\n\n"));
        if already || (commented && written.contains("\n\n")) {
            return;
        }
        self.out.insert(end + at, '\n');
        self.line += 1;
    }

    pub(super) fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Let { name, value } => {
                self.put("let ");
                self.leaf(|o| text::declared(o, &name.text));
                self.put(" =");
                match value {
                    LetValue::Expr(expr) => self.let_value(expr),
                    LetValue::Function(function) => {
                        self.put(" ");
                        self.function(function);
                    }
                }
            }
            StatementKind::Query(expr) => self.pipe(expr),
            StatementKind::Set { name, value } => {
                self.put("set ");
                self.leaf(|o| text::declared(o, &name.text));
                if let Some(value) = value {
                    self.put(" = ");
                    self.expr(value);
                }
            }
            StatementKind::QueryParameters(params) => {
                self.put("declare query_parameters(");
                self.inline(params, Self::function_param);
                self.put(")");
            }
            StatementKind::Pattern(pattern) => self.pattern_statement(pattern),
            StatementKind::AliasDatabase { name, value } => {
                self.put("alias database ");
                self.leaf(|o| text::declared(o, &name.text));
                self.put(" = ");
                self.expr(value);
            }
            StatementKind::RestrictAccess { entities, properties } => {
                self.put("restrict access to (");
                self.inline(entities, Self::entity);
                self.put(")");
                self.with_properties(properties);
            }
            StatementKind::Error => {}
        }
    }

    /// The value of a `let` after its `=`: pipelines of several operators go below it.
    fn let_value(&mut self, expr: &Expr) {
        let below = match &expr.kind {
            ExprKind::Pipeline(pipeline) => {
                pipeline.operators.len() + usize::from(pipeline.source.is_some()) > 1
            }
            _ => false,
        };
        if below {
            self.indented(|p| {
                p.comments_before(expr.span.0.start);
                p.newline();
                p.pipe(expr);
            });
        } else {
            self.put(" ");
            self.pipe(expr);
        }
    }

    fn function(&mut self, function: &Function) {
        if function.view {
            self.put("view ");
        }
        self.put("(");
        let ends = (function.params.first(), function.params.last());
        let span =
            if let (Some(first), Some(last)) = ends { first.span.0.to(last.span.0) } else { Span::default() };
        if !self.try_flat(Loc(span), |p| p.inline(&function.params, Self::function_param)) {
            self.indented(|p| p.stacked(&function.params, |f| f.span.0.start, Self::function_param));
            self.newline();
        }
        self.put(") ");
        self.braced(&function.body, function.span);
    }

    /// `{ statements }`
    fn braced(&mut self, body: &[Statement], span: Loc) {
        if body.is_empty() {
            return self.put("{}");
        }
        let short = body.len() == 1
            && body.iter().all(|s| match &s.kind {
                StatementKind::Query(expr) => {
                    !matches!(&expr.kind, ExprKind::Pipeline(p) if p.source.is_some())
                }
                _ => false,
            });
        let one_line = |p: &mut Self| {
            p.put("{ ");
            for statement in body {
                p.statement(statement);
            }
            p.put(" }");
        };
        if short && self.try_flat(span, one_line) {
            return;
        }
        self.put("{");
        self.indented(|p| p.statements(body, true));
        self.comments_before(span.0.end);
        self.newline();
        self.put("}");
    }

    fn function_param(&mut self, param: &FunctionParam) {
        self.leaf(|o| text::declared(o, &param.name.text));
        self.put(": ");
        match &param.ty {
            ParamType::Scalar(ty) => self.put(ty.name()),
            ParamType::AnyTable => self.put("(*)"),
            ParamType::Table(columns) => {
                self.put("(");
                self.inline(columns, Self::column_decl);
                self.put(")");
            }
        }
        self.default_value(param.default.as_ref());
    }

    fn default_value(&mut self, default: Option<&Expr>) {
        if let Some(default) = default {
            self.put(" = ");
            self.expr(default);
        }
    }

    pub(super) fn column_decl(&mut self, column: &ColumnDecl) {
        self.leaf(|o| text::declared(o, &column.name.text));
        self.put(": ");
        self.put(column.ty.name());
        self.default_value(column.default.as_ref());
    }

    fn pattern_statement(&mut self, pattern: &Pattern) {
        self.put("declare pattern ");
        self.leaf(|o| text::declared(o, &pattern.name.text));
        let Some(signature) = &pattern.signature else { return };
        self.put(" = (");
        self.inline(&signature.params, Self::function_param);
        self.put(")");
        if let Some(path) = &signature.path {
            self.put("[");
            self.function_param(path);
            self.put("]");
        }
        self.put(" {");
        self.indented(|p| {
            for case in &signature.cases {
                p.comments_before(case.span.0.start);
                p.newline();
                p.pattern_case(case);
            }
        });
        self.newline();
        self.put("}");
    }

    fn pattern_case(&mut self, case: &PatternCase) {
        self.put("(");
        self.inline(&case.args, Self::expr);
        self.put(")");
        if let Some(path) = &case.path {
            self.put(".[");
            self.expr(path);
            self.put("]");
        }
        self.put(" = ");
        self.braced(&case.body, case.span);
        self.put(";");
    }

    pub(super) fn dynamic_expr(&mut self, value: &Dynamic, span: Loc) {
        self.put("dynamic(");
        if !self.try_flat(span, |p| p.dynamic(value)) {
            self.dynamic(value);
        }
        self.put(")");
    }

    /// A value inside of `dynamic(…)`, broken if not flat.
    fn dynamic(&mut self, value: &Dynamic) {
        match value {
            Dynamic::Null => self.put("null"),
            Dynamic::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Dynamic::Number(number) => self.put(number),
            Dynamic::String(literal) => self.leaf(|o| text::string(o, literal)),
            Dynamic::Literal(literal) => self.literal(literal),
            Dynamic::ClientParameter(name) => {
                self.put("{");
                self.put(name);
                self.put("}");
            }
            Dynamic::Nested(value) => {
                self.put("dynamic(");
                self.dynamic(value);
                self.put(")");
            }
            Dynamic::Array(items) => self.dynamic_array(items),
            Dynamic::Object(pairs) => {
                let pair = |p: &mut Self, (key, value): &(_, Dynamic)| {
                    p.leaf(|o| text::string(o, key));
                    p.put(": ");
                    p.dynamic_or_flat(value);
                };
                self.put("{");
                if self.flat || pairs.is_empty() {
                    self.inline(pairs, pair);
                } else {
                    self.indented(|p| p.stacked(pairs, |_| 0, pair));
                    self.newline();
                }
                self.put("}");
            }
        }
    }

    fn dynamic_or_flat(&mut self, value: &Dynamic) {
        if !self.try_flat(Loc::default(), |p| p.dynamic(value)) {
            self.dynamic(value);
        }
    }

    fn dynamic_array(&mut self, items: &[Dynamic]) {
        self.put("[");
        if self.flat || items.is_empty() {
            self.inline(items, Self::dynamic_or_flat);
        } else {
            let small = items.iter().all(|i| match i {
                Dynamic::Null | Dynamic::Bool(_) | Dynamic::Number(_) => true,
                Dynamic::String(s) => s.value.len() <= super::expr::SMALL,
                Dynamic::Literal(_)
                | Dynamic::Array(_)
                | Dynamic::Object(_)
                | Dynamic::ClientParameter(_)
                | Dynamic::Nested(_) => false,
            });
            self.indented(|p| {
                if small {
                    p.filled(items, |_| 0, Self::dynamic_or_flat);
                } else {
                    p.stacked(items, |_| 0, Self::dynamic_or_flat);
                }
            });
            self.newline();
        }
        self.put("]");
    }
}
