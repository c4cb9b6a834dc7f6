//! `search` and `find`: rows that hold something, over tables that the query lists or not.

use super::param;
use super::union::union_origins;
use crate::lift::Lifter;
use crate::lift::learn::SourceName;
use crate::lift::scope::{Env, Origins, Rel, Scope};
use crate::syntax::tree::{self, FindColumn, FindProject};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::{self as ir, Case, ColId, Op, Plan, Search, Type};
use smol_str::SmolStr;

impl<'t> Lifter<'t> {
    pub(super) fn search(
        &mut self,
        input: Option<Rel>,
        search: &'t tree::Search,
        span: Span,
        env: Env,
    ) -> Rel {
        let (inputs, labels) = self.searched(input, &search.tables, span, env);
        let rows = self.searched_rows("search", &inputs, span);
        let case = match param(&search.params, "kind").map(|p| self.param_text(p)).as_deref() {
            Some("case_sensitive") => Case::Sensitive,
            Some(_) | None => Case::Insensitive,
        };
        let predicate = if matches!(search.predicate.kind, tree::ExprKind::Star) {
            ir::Expr::bool(true, search.predicate.span.0)
        } else {
            self.search_predicate(&search.predicate, &Scope::over(env, &rows.rel), case)
        };
        let source = self.add_column(SmolStr::new_static("$table"), Type::String, span);
        self.finish_search(inputs, labels, rows, predicate, source, false, span)
    }

    pub(super) fn find(&mut self, find: &'t tree::Find, span: Span, env: Env) -> Rel {
        let (inputs, labels) = self.searched(None, &find.tables, span, env);
        let rows = self.searched_rows("find", &inputs, span);
        let predicate =
            self.search_predicate(&find.predicate, &Scope::over(env, &rows.rel), Case::Insensitive);
        let name =
            param(&find.params, "withsource").map_or(SmolStr::new_static("source_"), |p| self.param_text(p));
        let source = self.add_column(name, Type::String, span);
        let rel = self.finish_search(inputs, labels, rows, predicate, source, true, span);
        self.find_project(rel, source, &find.project, span)
    }

    fn find_project(&mut self, rel: Rel, source: ColId, project: &'t FindProject, span: Span) -> Rel {
        let picked: Vec<ColId> = match project {
            // The service shows the columns that are common or mentioned and packs the rest; all are kept here.
            FindProject::None | FindProject::Smart => return rel,
            FindProject::Columns(columns) => {
                let mut picked = vec![source];
                for column in columns {
                    match column {
                        FindColumn::Column { name, ty } => {
                            if let Some(id) = self.column_of(&rel, &name.text, name.span.0) {
                                let ty = ty.as_ref().map(crate::lift::expr::scalar_type);
                                if let Some(ty) = ty {
                                    let e = self.column_expr(id, name.span.0);
                                    self.hint(&e, ty);
                                }
                                picked.push(id);
                            }
                        }
                        FindColumn::Star | FindColumn::PackAll => {
                            let message = "`find … project` with all columns packed is not supported; they are left out";
                            self.diagnose(Diagnostic::warning(codes::NOT_IN_IR, span, message));
                        }
                    }
                }
                picked
            }
            FindProject::Away(names) => return self.project_away(rel, names, span),
        };
        let items = picked.iter().map(|id| ir::SelectItem { from: *id, to: *id }).collect();
        let select = |input| Op::Select { input, kind: ir::SelectKind::Keep, items };
        rel.then(select, picked, span).closed()
    }

    fn searched(
        &mut self,
        input: Option<Rel>,
        tables: &'t [tree::Expr],
        span: Span,
        env: Env,
    ) -> (Vec<Rel>, Vec<SmolStr>) {
        let (mut inputs, mut labels) = (Vec::new(), Vec::new());
        if let Some(input) = input {
            labels.push(super::union::label(&input, 0));
            inputs.push(input);
        }
        for table in tables {
            self.union_inputs(table, env, &mut inputs, &mut labels);
        }
        if inputs.is_empty() && self.data.is_some() {
            // Where the caller has tables, all are these and the views of the query.
            for name in self.given_tables("*") {
                inputs.push(self.table_by_name(&name, span));
                labels.push(name);
            }
            for name in self.frames.views(env) {
                inputs.push(self.named_table(&name, span, env));
                labels.push(name);
            }
        }
        (inputs, labels)
    }

    /// The rows that the predicate sees: the columns of all inputs, or those that the query speaks of.
    fn searched_rows(&mut self, operator: &'static str, inputs: &[Rel], span: Span) -> SearchedRows {
        let merged = self.merge_columns(inputs, false);
        let plan = Plan::new(Op::Rows, merged.output, span);
        let (mut origins, depth) = union_origins(inputs, false);
        if inputs.is_empty() {
            let key = self.knowledge.key(SourceName::Operator(operator, span));
            origins = Origins { open: vec![key], ..Origins::default() };
            let time = self.add_column(SmolStr::new_static("TimeGenerated"), Type::Datetime, Span::default());
            let mut rel = Rel { plan: Plan::new(Op::Rows, vec![time], span), origins, ordered: false, depth };
            self.append_learned(&mut rel, key);
            self.assume(format!("`{operator}` without a list of tables looks at all of them"));
            let columns = vec![Vec::new(); rel.plan.output.len()];
            return SearchedRows { rel, columns };
        }
        SearchedRows { rel: Rel { plan, origins, ordered: false, depth }, columns: merged.columns }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one node, put together in one place")]
    fn finish_search(
        &mut self,
        inputs: Vec<Rel>,
        labels: Vec<SmolStr>,
        rows: SearchedRows,
        predicate: ir::Expr,
        source: ColId,
        find: bool,
        span: Span,
    ) -> Rel {
        let SearchedRows { rel, columns } = rows;
        let mut output = vec![source];
        output.extend(rel.plan.output.iter());
        let inputs = inputs.into_iter().map(|r| r.plan).collect();
        let search = Search { inputs, predicate, source: Some(source), columns, labels, find };
        Rel { plan: Plan::new(Op::Search(search), output, span), ..rel }
    }
}

struct SearchedRows {
    rel: Rel,
    columns: Vec<Vec<Option<ColId>>>,
}
