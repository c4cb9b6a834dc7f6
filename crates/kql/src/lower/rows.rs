//! Operators with a grammar of their own: `parse-kv`, `scan`, `search`, `top-nested`.

use super::source::Start;
use super::{Cx, Lowerer, build};
use crate::syntax::tree::{
    self, ColumnDecl, Direction, Expr, ExprKind, Loc, OperatorKind, ScanStep, SortKey, TopNested,
};
use ruleferry_diag::Span;
use ruleferry_ir::{self as ir, AggregateItem};
use smol_str::SmolStr;

impl Lowerer<'_> {
    pub(super) fn search(&mut self, search: &ir::Search, span: Span) -> Start {
        if search.find {
            return self.no_start("`find`", span);
        }
        let tables = search.inputs.iter().map(|p| build::tabular(self.pipeline(p))).collect();
        let predicate = match search.predicate.as_literal() {
            Some(ir::Value::Bool(true)) => build::expr(ExprKind::Star),
            _ => self.expr(&search.predicate, Cx::FILTER),
        };
        Start::operator(OperatorKind::Search(Box::new(tree::Search {
            params: Vec::new(),
            tables,
            predicate,
        })))
    }

    pub(super) fn parse_kv(&mut self, p: &ir::ParseKv, span: Span) -> OperatorKind {
        let subject = self.value(&p.subject);
        let columns = self.declarations(&p.columns, span);
        let quotes = p.quotes.as_ref().map(|(open, close)| {
            SmolStr::from(if open == close { open.to_string() } else { format!("{open}{close}") })
        });
        let mut properties = Vec::new();
        for (name, text) in [
            ("pair_delimiter", &p.pair_delimiter),
            ("kv_delimiter", &p.kv_delimiter),
            ("quote", &quotes),
            ("escape", &p.escape),
            ("regex", &p.regex),
        ] {
            properties.extend(text.as_ref().map(|t| build::param(name, build::string(t.clone()))));
        }
        if p.greedy {
            properties.push(build::param("greedy", build::bool(true)));
        }
        OperatorKind::ParseKv(Box::new(tree::ParseKv { subject, columns, properties }))
    }

    pub(super) fn top_nested(&mut self, top: &ir::TopNested) -> OperatorKind {
        let mut levels = Vec::with_capacity(top.levels.len());
        for level in &top.levels {
            let count = level.count.as_ref().map(|e| self.value(e));
            let of = self.item(&level.key);
            let others = level.others.as_ref().map(|e| self.value(e));
            let value = self.ranking(&level.by);
            let direction = Some(if level.descending { Direction::Desc } else { Direction::Asc });
            levels.push(TopNested { count, of, others, by: SortKey { value, direction, nulls: None } });
        }
        OperatorKind::TopNested(levels)
    }

    /// The aggregate that a level is ranked by; a generated name is Kusto's own.
    fn ranking(&mut self, by: &AggregateItem) -> tree::NamedExpr {
        let value = self.aggregate_item(by);
        if by.named { value } else { build::unnamed(value.value) }
    }

    pub(super) fn scan_steps(&mut self, s: &ir::Sequence, span: Span) -> OperatorKind {
        let params = s.match_id.map(|id| build::word("with_match_id", self.column_name(id)));
        let mut declare: Vec<ColumnDecl> = Vec::with_capacity(s.declared.len());
        for (id, default) in &s.declared {
            let default = default.as_ref().map(|e| self.value(e));
            declare.extend(
                self.declarations(&[*id], span)
                    .into_iter()
                    .map(|d| ColumnDecl { default: default.clone(), ..d }),
            );
        }
        let mut steps = Vec::with_capacity(s.steps.len());
        for step in &s.steps {
            // What an earlier step had is written `step.column`.
            for (of, column, id) in &step.states {
                let base = Box::new(build::named(of.clone()));
                let name = build::name(self.column_name(*column));
                self.parts.insert(*id, build::expr(ExprKind::Path { base, name }));
            }
            let condition = self.expr(&step.condition, Cx::FILTER);
            let assignments = step.assignments.iter().map(|(id, e)| {
                let value = self.value(e);
                build::assign(self.column_name(*id), value)
            });
            let assignments = assignments.collect();
            steps.push(ScanStep {
                name: build::name(step.name.clone()),
                optional: step.optional,
                output: step.output.clone().map(build::name),
                condition,
                assignments,
                span: Loc::default(),
            });
        }
        OperatorKind::Scan(Box::new(tree::Scan {
            params: params.into_iter().collect(),
            order_by: Vec::new(),
            partition_by: Vec::new(),
            declare,
            steps,
        }))
    }

    /// A hint how to show the rows, as it was written.
    pub(super) fn render(&mut self, text: &str) -> Option<OperatorKind> {
        // Text of another language, or none that can be read, is left out: it changes no row.
        let parsed =
            crate::syntax::parse(&format!("T | render {}", text.trim_start_matches("render ").trim()));
        if parsed.has_errors() {
            return None;
        }
        let [statement] = parsed.query.statements.as_slice() else { return None };
        let tree::StatementKind::Query(Expr { kind: ExprKind::Pipeline(pipeline), .. }) = &statement.kind
        else {
            return None;
        };
        match pipeline.operators.as_slice() {
            [tree::Operator { kind: kind @ OperatorKind::Render(_), .. }] => Some(kind.clone()),
            _ => None,
        }
    }
}
