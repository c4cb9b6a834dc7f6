//! Where rows come from: tables, inputs from outside the query, literal rows.

use super::{Lowerer, build};
use crate::syntax::literal::{Literal, StringLiteral};
use crate::syntax::tree::{
    Call, ColumnDecl, Datatable, Expr, ExprKind, ExternalData, Loc, Operator, OperatorKind, Range, UnaryOp,
};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, ColId, Input, InputKind, Plan, Scan, Source, TableName, Type};
use smol_str::SmolStr;

/// The start of a pipeline: a source, or an operator that needs none.
pub(super) struct Start {
    pub source: Option<Expr>,
    pub operators: Vec<Operator>,
}

impl Start {
    pub(super) fn rows(source: Expr) -> Self {
        Self { source: Some(source), operators: Vec::new() }
    }

    pub(super) fn operator(kind: OperatorKind) -> Self {
        Self { source: None, operators: vec![build::operator(kind)] }
    }
}

impl Lowerer<'_> {
    pub(super) fn scan(&mut self, scan: &Scan, plan: &Plan) -> Start {
        let mut start = match &scan.source {
            Source::Table(table) => Start::rows(table_name(table)),
            Source::Glob(pattern) => {
                let tables = vec![build::expr(ExprKind::Wildcard(pattern.clone()))];
                Start::operator(OperatorKind::Union { params: Vec::new(), tables })
            }
            Source::Input(input) => self.input(input, plan),
        };
        self.look_back(scan, plan.span, &mut start.operators);
        start
    }

    /// The filter that the rule's look-back is.
    fn look_back(&mut self, scan: &Scan, span: Span, operators: &mut Vec<Operator>) {
        let Some(ticks) = self.options.look_back else { return };
        let Some(time) = scan.time else {
            let detail =
                "the query does not say how far the rule looks back: the table's time column is not known";
            return self.lose(codes::LOOK_BACK_NOT_SAID, ir::Effect::Widens, span, detail);
        };
        let length = super::literal::timespan(ticks);
        let since = match self.options.now {
            Some(now) => super::literal::datetime(now.saturating_sub(ticks)),
            None => build::call("ago", vec![length]),
        };
        let time = build::named(self.column_name(time));
        let predicate = build::binary(crate::syntax::tree::BinaryOp::Ge, time, since);
        operators.push(build::operator(OperatorKind::Where { params: Vec::new(), predicate }));
    }

    fn input(&mut self, input: &Input, plan: &Plan) -> Start {
        match input.kind {
            InputKind::Table => Start::rows(build::named(input.name.clone())),
            InputKind::Watchlist => {
                let args = vec![build::string(input.name.clone())];
                Start::rows(build::call("_GetWatchlist", args))
            }
            InputKind::ExternalData => Start::rows(self.external_data(input, plan)),
            InputKind::Function => {
                let args = input.args.iter().map(|a| self.value(a)).collect();
                let call = build::call(input.name.clone(), args);
                let Some(over) = &input.over else { return Start::rows(call) };
                let pipeline = self.pipeline(over);
                let mut start = Start { source: pipeline.source, operators: pipeline.operators };
                start.operators.push(build::operator(OperatorKind::Invoke { params: Vec::new(), call }));
                start
            }
        }
    }

    fn external_data(&mut self, input: &Input, plan: &Plan) -> Expr {
        let columns = self.declarations(&plan.output, plan.span);
        let uris = input.args.iter().map(|a| self.value(a)).collect();
        let property = |(name, value): &(SmolStr, SmolStr)| match value.as_str() {
            "true" | "false" => build::param(name, build::bool(value == "true")),
            _ => build::param(name, build::string(unquoted(value))),
        };
        let properties = input.properties.iter().map(property).collect();
        build::expr(ExprKind::ExternalData(Box::new(ExternalData {
            params: Vec::new(),
            columns,
            uris,
            properties,
        })))
    }

    /// `name: type` of columns.
    pub(super) fn declarations(&mut self, ids: &[ColId], span: Span) -> Vec<ColumnDecl> {
        let mut out = Vec::with_capacity(ids.len());
        for id in ids {
            let ty = self.query.columns.ty(*id);
            let Some(ty) = build::scalar_type(ty) else {
                let message = format!("the type of column `{}` is not known", self.column_name(*id));
                self.refuse(codes::KQL_OUT_VALUE, span, message);
                continue;
            };
            let name = build::name(self.column_name(*id));
            out.push(ColumnDecl { name, ty, default: None, span: Loc::default() });
        }
        out
    }

    pub(super) fn literal_rows(&mut self, values: &ir::Values, plan: &Plan) -> Start {
        if let ([row], true) = (values.rows.as_slice(), values.print) {
            let items = row.iter().zip(plan.output.iter());
            let items = items.map(|(e, id)| {
                let value = self.value(e);
                build::assign(self.column_name(*id), value)
            });
            let items = items.collect();
            return Start::operator(OperatorKind::Print(items));
        }
        let columns = self.declarations(&plan.output, plan.span);
        let mut cells = Vec::new();
        for cell in values.rows.iter().flatten() {
            let value = self.value(cell);
            if !is_constant(&value) {
                self.refuse(
                    codes::KQL_OUT_VALUE,
                    cell.span,
                    "a literal row holds a value that is not a constant",
                );
            }
            cells.push(value);
        }
        let table = Datatable { params: Vec::new(), columns, values: cells, context: None };
        Start::rows(build::expr(ExprKind::Datatable(Box::new(table))))
    }

    pub(super) fn range(&mut self, range: &ir::Range, plan: &Plan) -> Start {
        let name = plan.output.first().map(|id| SmolStr::new(self.column_name(*id))).unwrap_or_default();
        let (from, to, step) = (self.value(&range.from), self.value(&range.to), self.value(&range.step));
        Start::operator(OperatorKind::Range(Box::new(Range { name: build::name(name), from, to, step })))
    }

    pub(super) fn union(&mut self, union: &ir::Union, plan: &Plan) -> Start {
        let mut params = Vec::new();
        if union.inner {
            params.push(build::word("kind", "inner"));
        }
        if let Some(id) = union.source {
            params.push(build::word("withsource", self.column_name(id)));
        }
        if union.fuzzy {
            params.push(build::param("isfuzzy", build::bool(true)));
        }
        // Kusto matches the columns by name (and splits those whose types differ): that must be what the plan says.
        let named = plan.output.iter().filter(|id| Some(**id) != union.source);
        for (id, sources) in named.zip(&union.columns) {
            let wanted = self.column_name(*id);
            let other = sources.iter().flatten().find(|s| {
                let (name, ty) = (self.column_name(**s), self.query.columns.ty(**s));
                name != wanted && wanted != format!("{name}_{}", type_suffix(ty))
            });
            if let Some(other) = other {
                let message = format!(
                    "the branches join columns of different names: `{}` and `{wanted}`",
                    self.column_name(*other)
                );
                self.refuse(codes::KQL_OUT_COLUMNS, plan.span, message);
            }
        }
        let tables = union.inputs.iter().map(|p| build::tabular(self.pipeline(p))).collect();
        Start::operator(OperatorKind::Union { params, tables })
    }
}

/// How Kusto names a column of a union whose types differ.
const fn type_suffix(ty: Type) -> &'static str {
    ty.name()
}

fn unquoted(text: &str) -> &str {
    let quoted = |q: char| text.strip_prefix(q).and_then(|t| t.strip_suffix(q));
    quoted('\'').or_else(|| quoted('"')).unwrap_or(text)
}

fn table_name(table: &TableName) -> Expr {
    let mut qualified: Option<Expr> = None;
    for (function, argument) in &table.qualifiers {
        let literal = build::expr(ExprKind::Literal(Literal::String(StringLiteral::new(argument.clone()))));
        let call = Call { name: build::name(function.clone()), args: vec![literal] };
        qualified = Some(match qualified {
            None => build::expr(ExprKind::Call(Box::new(call))),
            Some(base) => build::expr(ExprKind::MethodCall { base: Box::new(base), call: Box::new(call) }),
        });
    }
    match qualified {
        None => build::named(table.name.clone()),
        Some(base) => {
            let name = build::name(table.name.clone());
            build::expr(ExprKind::Path { base: Box::new(base), name })
        }
    }
}

/// What may stand in a `datatable`.
fn is_constant(e: &Expr) -> bool {
    if let ExprKind::Unary { op: UnaryOp::Minus | UnaryOp::Plus, operand } = &e.kind {
        return is_constant(operand);
    }
    matches!(e.kind, ExprKind::Literal(_) | ExprKind::Dynamic(_))
}
