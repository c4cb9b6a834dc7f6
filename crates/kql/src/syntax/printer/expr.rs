//! Expressions: parentheses from the levels of the operators, one line if it fits.

use super::super::literal::{Literal, StringForm};
use super::super::tree::{
    Between, Binary, BinaryOp, Call, ColumnNames, Datatable, Expr, ExprKind, ExternalData, ListTest,
    NamedExpr, Pipeline, TypeOf, UnaryOp, WrapKind, Wrapped,
};
use super::comment::{span_of_named, start_of};
use super::{Printer, text};

/// Strings up to this length are put several on a line.
pub(super) const SMALL: usize = 12;

/// Levels, loosest first; an operand of a lower level than its place needs parentheses.
const OR: u8 = 1;
const AND: u8 = 2;
const EQUALITY: u8 = 3;
const RELATION: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const STRING: u8 = 7;
const SIGN: u8 = 8;
const PATH: u8 = 9;

fn binary_level(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Eq | BinaryOp::Ne => EQUALITY,
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => RELATION,
        BinaryOp::Add | BinaryOp::Sub => SUM,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => PRODUCT,
        BinaryOp::EqCi
        | BinaryOp::NeCi
        | BinaryOp::Has
        | BinaryOp::NotHas
        | BinaryOp::HasCs
        | BinaryOp::NotHasCs
        | BinaryOp::HasPrefix
        | BinaryOp::NotHasPrefix
        | BinaryOp::HasPrefixCs
        | BinaryOp::NotHasPrefixCs
        | BinaryOp::HasSuffix
        | BinaryOp::NotHasSuffix
        | BinaryOp::HasSuffixCs
        | BinaryOp::NotHasSuffixCs
        | BinaryOp::Contains
        | BinaryOp::NotContains
        | BinaryOp::ContainsCs
        | BinaryOp::NotContainsCs
        | BinaryOp::StartsWith
        | BinaryOp::NotStartsWith
        | BinaryOp::StartsWithCs
        | BinaryOp::NotStartsWithCs
        | BinaryOp::EndsWith
        | BinaryOp::NotEndsWith
        | BinaryOp::EndsWithCs
        | BinaryOp::NotEndsWithCs
        | BinaryOp::Like
        | BinaryOp::NotLike
        | BinaryOp::LikeCs
        | BinaryOp::NotLikeCs
        | BinaryOp::MatchesRegex
        | BinaryOp::Colon => STRING,
    }
}

fn level(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Or(items) if items.len() > 1 => OR,
        ExprKind::And(items) if items.len() > 1 => AND,
        ExprKind::Or(items) | ExprKind::And(items) => items.first().map_or(PATH, level),
        ExprKind::List(_) | ExprKind::Between(_) => EQUALITY,
        ExprKind::Binary(binary) => binary_level(binary.op),
        ExprKind::Unary { .. } => SIGN,
        // `a = b` and pipelines stand in parentheses wherever an operand is wanted.
        ExprKind::Named(_) | ExprKind::Pipeline(_) => 0,
        ExprKind::Wrapped(wrapped) => match wrapped.kind {
            WrapKind::ToTable => SIGN,
            WrapKind::ToScalar | WrapKind::Materialize => PATH,
        },
        ExprKind::Name(_)
        | ExprKind::Wildcard(_)
        | ExprKind::Star
        | ExprKind::ClientParameter(_)
        | ExprKind::Literal(_)
        | ExprKind::Dynamic(_)
        | ExprKind::TypeOf(_)
        | ExprKind::Path { .. }
        | ExprKind::Index { .. }
        | ExprKind::Call(_)
        | ExprKind::MethodCall { .. }
        | ExprKind::Datatable(_)
        | ExprKind::ExternalData(_)
        | ExprKind::DataScope { .. }
        | ExprKind::EntityGroup(_)
        | ExprKind::Error => PATH,
    }
}

/// Whether an operand of `and` or `or` is the other of them: parentheses make it plain which goes first.
fn is_mixed(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::And(i) | ExprKind::Or(i) if i.len() > 1)
}

fn junction_word(expr: &Expr) -> &'static str {
    if matches!(expr.kind, ExprKind::And(_)) { "and" } else { "or" }
}

impl Printer<'_> {
    /// An expression where the grammar takes any without `|`.
    pub(super) fn expr(&mut self, expr: &Expr) {
        self.operand(expr, OR);
    }

    /// An expression or a pipeline.
    pub(super) fn pipe(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Pipeline(pipeline) => self.pipeline(pipeline),
            _ => self.named_or_expr(expr),
        }
    }

    /// An expression that may be named: an argument, the predicate of `where`.
    pub(super) fn named_or_expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Named(named) => self.named(named),
            _ => self.expr(expr),
        }
    }

    pub(super) fn named(&mut self, named: &NamedExpr) {
        if self.overflow {
            return;
        }
        match &named.names {
            ColumnNames::Default => {}
            ColumnNames::One(name) => {
                self.leaf(|o| text::declared(o, &name.text));
                self.put(" = ");
            }
            ColumnNames::Many(names) => {
                self.put("(");
                self.inline(names, |p, n| p.leaf(|o| text::declared(o, &n.text)));
                self.put(") = ");
            }
        }
        self.expr(&named.value);
    }

    /// An operand at a place that takes the level `min` and tighter.
    fn operand(&mut self, expr: &Expr, min: u8) {
        if level(expr) < min { self.grouped(expr) } else { self.bare(expr) }
    }

    /// `( expression )`
    fn grouped(&mut self, expr: &Expr) {
        let one_line = |p: &mut Self| {
            p.put("(");
            p.pipe(expr);
            p.put(")");
        };
        if self.try_flat(expr.span, one_line) {
            return;
        }
        self.block(expr);
    }

    /// `(`, the expression on lines of its own, `)`.
    pub(super) fn block(&mut self, expr: &Expr) {
        self.put("(");
        self.indented(|p| {
            p.comments_before(expr.span.0.start);
            p.newline();
            p.aligned(expr);
            p.comments_before(expr.span.0.end);
        });
        self.newline();
        self.put(")");
    }

    /// An expression at the beginning of a line: what it breaks into stands below its beginning.
    fn aligned(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::And(items) | ExprKind::Or(items) if items.len() > 1 => {
                let word = junction_word(expr);
                if !self.try_flat(expr.span, |p| p.junction(items, word)) {
                    self.junction(items, word);
                }
            }
            _ => self.pipe(expr),
        }
    }

    fn bare(&mut self, expr: &Expr) {
        if self.overflow || self.try_flat(expr.span, |p| p.write(expr)) {
            return;
        }
        self.write(expr);
    }

    /// Writes the expression; breaks it if not flat.
    fn write(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.leaf(|o| text::read(o, name)),
            ExprKind::Wildcard(name) => self.leaf(|o| text::pattern(o, name)),
            ExprKind::Star => self.put("*"),
            ExprKind::ClientParameter(name) => {
                self.put("{");
                self.put(name);
                self.put("}");
            }
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Dynamic(value) => self.dynamic_expr(value, expr.span),
            ExprKind::TypeOf(of) => self.type_of(of),
            ExprKind::Path { base, name } => {
                self.base(base);
                self.put(".");
                self.leaf(|o| text::read(o, &name.text));
            }
            ExprKind::Index { base, index } => {
                self.base(base);
                self.put("[");
                self.expr(index);
                self.put("]");
            }
            ExprKind::Call(call) => self.call(call, expr),
            ExprKind::MethodCall { base, call } => {
                self.base(base);
                self.put(".");
                self.call(call, expr);
            }
            ExprKind::Unary { op, operand } => {
                self.put(match op {
                    UnaryOp::Minus => "-",
                    UnaryOp::Plus => "+",
                });
                self.operand(operand, PATH);
            }
            ExprKind::Binary(binary) => self.binary(binary),
            ExprKind::And(items) | ExprKind::Or(items) => {
                self.depth += 1;
                self.junction(items, junction_word(expr));
                self.depth -= 1;
            }
            ExprKind::List(test) => self.list_test(test, expr),
            ExprKind::Between(between) => self.between(between),
            ExprKind::Named(named) => self.named(named),
            ExprKind::Pipeline(_) => self.block(expr),
            ExprKind::Wrapped(wrapped) => self.wrapped(wrapped),
            ExprKind::Datatable(table) => self.datatable(table),
            ExprKind::ExternalData(data) => self.external_data(data),
            ExprKind::DataScope { entity, scope } => {
                self.base(entity);
                self.put(" datascope=");
                self.leaf(|o| text::word(o, scope));
            }
            ExprKind::EntityGroup(items) => {
                self.put("entity_group [");
                self.inline(items, Self::expr);
                self.put("]");
            }
            ExprKind::Error => {}
        }
    }

    /// What stands before `.` or `[`.
    fn base(&mut self, base: &Expr) {
        // `1.a` would read as a number.
        let number = matches!(
            &base.kind,
            ExprKind::Literal(Literal::Long(_) | Literal::Real(_) | Literal::Timespan(_))
        );
        let scoped = matches!(&base.kind, ExprKind::DataScope { .. } | ExprKind::ExternalData(_));
        if number || scoped { self.grouped(base) } else { self.operand(base, PATH) }
    }

    pub(super) fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::String(string) => self.leaf(|o| text::string(o, string)),
            Literal::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Literal::Long(number) | Literal::Real(number) | Literal::Timespan(number) => self.put(number),
            Literal::Typed(typed) => self.leaf(|o| text::typed(o, typed)),
            Literal::Null => self.put("null"),
        }
    }

    fn type_of(&mut self, of: &TypeOf) {
        self.put("typeof(");
        match of {
            TypeOf::Scalar(ty) => self.put(ty.name()),
            TypeOf::Table { star, columns } => {
                if *star {
                    self.put(if columns.is_empty() { "*" } else { "*, " });
                }
                self.inline(columns, Self::column_decl);
            }
        }
        self.put(")");
    }

    fn call(&mut self, call: &Call, expr: &Expr) {
        self.leaf(|o| text::declared(o, &call.name.text));
        self.put("(");
        self.arguments(&call.args, expr.span);
        self.put(")");
    }

    /// What stands between the parentheses of a call.
    fn arguments(&mut self, args: &[Expr], span: super::super::tree::Loc) {
        if self.flat || args.is_empty() {
            return self.inline(args, Self::named_or_expr);
        }
        if let [only] = args
            && hugs(only)
        {
            return self.named_or_expr(only);
        }
        if let [only] = args
            && is_mixed(only)
        {
            self.indented(|p| p.stacked(args, start_of, Self::aligned));
        } else {
            self.indented(|p| p.stacked(args, start_of, Self::named_or_expr));
        }
        self.comments_before(span.0.end);
        self.newline();
    }

    fn binary(&mut self, binary: &Binary) {
        let own = binary_level(binary.op);
        if matches!(own, SUM | PRODUCT) {
            return self.chain(binary, own);
        }
        self.operand(&binary.left, own + 1);
        self.put(" ");
        self.put(binary.op.text());
        self.put(" ");
        self.operand(&binary.right, own + 1);
    }

    /// `a + b - c`: the operators of one level, leftmost first.
    fn chain(&mut self, binary: &Binary, own: u8) {
        let mut links = vec![(binary.op, &binary.right)];
        let mut first = &binary.left;
        while let ExprKind::Binary(left) = &first.kind
            && binary_level(left.op) == own
        {
            links.push((left.op, &left.right));
            first = &left.left;
        }
        self.operand(first, own);
        let broken = !self.flat;
        self.depth += 1;
        for (op, right) in links.into_iter().rev() {
            if broken {
                self.comments_before(start_of(right));
                self.newline();
            } else {
                self.put(" ");
            }
            self.put(op.text());
            self.put(" ");
            self.operand(right, own + 1);
        }
        self.depth -= 1;
    }

    /// Operands joined by `and` or `or`, broken before the words.
    fn junction(&mut self, items: &[Expr], word: &str) {
        let broken = !self.flat;
        for (i, item) in items.iter().enumerate() {
            if self.overflow {
                return;
            }
            if i > 0 {
                if broken {
                    self.comments_before(start_of(item));
                    self.newline();
                } else {
                    self.put(" ");
                }
                self.put(word);
                self.put(" ");
            }
            if items.len() > 1 && is_mixed(item) { self.grouped(item) } else { self.operand(item, EQUALITY) }
        }
    }

    fn list_test(&mut self, test: &ListTest, expr: &Expr) {
        self.operand(&test.left, RELATION);
        self.put(" ");
        self.put(test.op.text());
        self.put(" (");
        match test.items.as_slice() {
            [only] if matches!(only.kind, ExprKind::Pipeline(_)) => {
                if !self.try_flat(only.span, |p| p.pipe(only)) {
                    self.indented(|p| {
                        p.comments_before(only.span.0.start);
                        p.newline();
                        p.pipe(only);
                    });
                    self.comments_before(expr.span.0.end);
                    self.newline();
                }
            }
            items if self.flat => self.inline(items, Self::expr),
            [only] if hugs(only) => self.expr(only),
            items => {
                self.indented(|p| p.wrapped_list(items));
                self.comments_before(expr.span.0.end);
                self.newline();
            }
        }
        self.put(")");
    }

    /// Items below each other; small literals several on a line.
    fn wrapped_list(&mut self, items: &[Expr]) {
        let small = items.iter().all(|i| match &i.kind {
            ExprKind::Literal(Literal::String(s)) => {
                s.value.len() <= SMALL && s.form != StringForm::Multiline
            }
            ExprKind::Literal(_) => true,
            _ => false,
        });
        if small && items.len() > 4 {
            self.filled(items, start_of, Self::expr);
        } else {
            self.stacked(items, start_of, Self::expr);
        }
    }

    fn between(&mut self, between: &Between) {
        self.operand(&between.subject, RELATION);
        self.put(if between.negated { " !between (" } else { " between (" });
        self.expr(&between.low);
        self.put(" .. ");
        self.expr(&between.high);
        self.put(")");
    }

    fn wrapped(&mut self, wrapped: &Wrapped) {
        self.put(match wrapped.kind {
            WrapKind::ToScalar => "toscalar",
            WrapKind::ToTable => "totable",
            WrapKind::Materialize => "materialize",
        });
        for param in &wrapped.params {
            self.put(" ");
            self.param(param);
        }
        if !wrapped.params.is_empty() {
            self.put(" ");
        }
        self.grouped(&wrapped.value);
    }

    fn datatable(&mut self, table: &Datatable) {
        self.put(if table.context.is_some() { "__contextual_datatable" } else { "datatable" });
        if let Some(context) = &table.context {
            self.put(" ");
            self.expr(context);
            self.put(" ");
        }
        self.params(&table.params);
        if !table.params.is_empty() {
            self.put(" ");
        }
        self.columns(&table.columns);
        if table.context.is_some() {
            return;
        }
        self.put(" [");
        let width = table.columns.len().max(1);
        if self.flat && table.values.len() > width {
            self.overflow = true; // One row a line.
            return;
        }
        if self.flat || table.values.is_empty() {
            self.inline(&table.values, Self::expr);
        } else {
            self.indented(|p| {
                let rows = table.values.chunks(width);
                let last = rows.len();
                for (i, row) in rows.enumerate() {
                    p.comments_before(row.first().map_or(0, start_of));
                    p.newline();
                    p.inline(row, Self::expr);
                    if i + 1 < last {
                        p.put(",");
                    }
                }
            });
            self.newline();
        }
        self.put("]");
    }

    /// `(a: string, b: long)`
    pub(super) fn columns(&mut self, columns: &[super::super::tree::ColumnDecl]) {
        self.put("(");
        if !self.try_flat(super::super::tree::Loc::default(), |p| p.inline(columns, Self::column_decl)) {
            self.indented(|p| p.stacked(columns, |c| c.span.0.start, Self::column_decl));
            self.newline();
        }
        self.put(")");
    }

    fn external_data(&mut self, data: &ExternalData) {
        self.put("externaldata");
        self.params(&data.params);
        if !data.params.is_empty() {
            self.put(" ");
        }
        self.columns(&data.columns);
        self.put(" [");
        if self.flat {
            self.inline(&data.uris, Self::list_item);
        } else {
            self.indented(|p| p.stacked(&data.uris, start_of, Self::list_item));
            self.newline();
        }
        self.put("]");
        self.with_properties(&data.properties);
    }

    fn list_item(&mut self, expr: &Expr) {
        self.operand(expr, OR);
    }

    /// A table of `union` and the like: a path, or a query in parentheses.
    pub(super) fn entity(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Path { base, name } if name.text.contains('*') => {
                self.base(base);
                self.put(".");
                self.leaf(|o| text::pattern(o, &name.text));
            }
            ExprKind::Name(_)
            | ExprKind::Wildcard(_)
            | ExprKind::Star
            | ExprKind::Call(_)
            | ExprKind::MethodCall { .. }
            | ExprKind::Path { .. }
            | ExprKind::Index { .. } => self.expr(expr),
            _ => self.grouped(expr),
        }
    }

    /// The source and operators of a pipeline, from the current place on.
    pub(super) fn pipeline(&mut self, pipeline: &Pipeline) {
        if self.flat && pipeline.operators.len() > 2 {
            self.overflow = true; // Too much for one line, however short.
            return;
        }
        let mut operators = pipeline.operators.iter();
        match &pipeline.source {
            Some(source) => {
                if matches!(source.kind, ExprKind::Pipeline(_)) {
                    self.grouped(source);
                } else {
                    self.expr(source);
                }
            }
            None => {
                if let Some(first) = operators.next() {
                    self.comments_before(first.span.0.start);
                    self.operator(first);
                }
            }
        }
        for operator in operators {
            if self.overflow {
                return;
            }
            if self.flat {
                self.put(" ");
            } else {
                // The comment may stand before or behind the `|`.
                self.comments_before(operator.span.0.start);
                self.newline();
            }
            self.put("| ");
            self.operator(operator);
        }
    }

    /// A named expression in a list, with its comments in mind.
    pub(super) fn named_item(&mut self, named: &NamedExpr) {
        if !self.try_flat(span_of_named(named), |p| p.named(named)) {
            self.named(named);
        }
    }
}

/// Whether an only argument brings its own brackets, which then take the place of those of the call.
fn hugs(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Dynamic(_)
            | ExprKind::Call(_)
            | ExprKind::Wrapped(_)
            | ExprKind::Pipeline(_)
            | ExprKind::MethodCall { .. }
    )
}
