//! The end of a block: it becomes a CTE (or the query itself), and a new block may stand over it.

use super::block::{Block, Keep, Origin, Out, Relation, SourceColumn};
use super::walk::Uses;
use super::{Lowerer, MAX_WEIGHT, Result, Scope};
use crate::build;
use ruleferry_ir::{ColId, Expr as IrExpr, SortKey, Type};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Cte, CteAsMaterialized, Expr, OrderByExpr, Query, TableAlias, TableFactor, TableWithJoins, Visit,
    Visitor, With,
};
use std::ops::ControlFlow;

impl Lowerer<'_> {
    /// Ends a block: a relation of its columns.
    pub(crate) fn close(&mut self, block: Block) -> Result<Relation> {
        let mut order = block.order.clone();
        if block.is_trivial() {
            let around = block.outs.iter().filter(|o| o.origin == Origin::Outer).cloned().collect();
            let Block { mut from, mut sources, .. } = block;
            if let (Some(from), Some(source)) = (from.pop(), sources.pop())
                && from.joins.is_empty()
            {
                return Ok(Relation {
                    factor: from.relation,
                    columns: source.columns,
                    open: source.open,
                    order,
                    around,
                });
            }
            return Err(super::Refusal::new(
                ruleferry_diag::codes::SQL_OPERATOR,
                ruleferry_diag::Span::default(),
                "an empty FROM",
            ));
        }
        let mut block = block;
        self.carry_order_keys(&mut block, &mut order);
        let around: Vec<Out> = block.outs.iter().filter(|o| o.origin == Origin::Outer).cloned().collect();
        block.outs.retain(|o| o.origin != Origin::Outer);
        let columns = block
            .outs
            .iter()
            .map(|o| SourceColumn { id: Some(o.id), name: o.name.clone(), present: o.present })
            .collect();
        let open = block.sources.iter().any(|s| s.open) && !block.explicit && block.group_by.is_none();
        let hint = block.hint;
        if block.limit.is_some() {
            block.reveal_order();
        }
        let heavy = self.lateral == 0 && self.settles(&block.outs);
        let query = block.into_query(self, false)?;
        Ok(Relation { factor: self.define(hint, query, heavy), columns, open, order, around })
    }

    /// Whether a step with these columns is to be computed and kept; if so, its columns are plain ones for what follows.
    pub(crate) fn settles(&mut self, outs: &[Out]) -> bool {
        if self.weights.is_empty() {
            return false;
        }
        let heavy = outs.iter().any(|o| self.weights.get(&o.id).is_some_and(|w| *w > MAX_WEIGHT));
        if heavy {
            outs.iter().for_each(|o| {
                self.weights.remove(&o.id);
            });
        }
        heavy
    }

    /// Columns that the order needs but the SELECT list does not have: the order ends before the first such key.
    fn carry_order_keys(&self, block: &mut Block, order: &mut Vec<SortKey>) {
        let gone = |key: &SortKey| Uses::of([&key.expr]).columns.iter().any(|c| block.out(*c).is_none());
        if let Some(at) = order.iter().position(gone) {
            order.truncate(at);
        }
    }

    /// Closes the block and opens a new one over it.
    pub(crate) fn reopen(&mut self, block: Block) -> Result<Block> {
        let partition = block.partition().to_vec();
        let relation = self.close(block)?;
        let mut block = Block::over(relation);
        block.set_partition(partition);
        Ok(block)
    }

    /// A relation for a query: a CTE, or a sub-select where the query reads a row around it.
    pub(crate) fn define(&mut self, hint: &str, query: Query, materialized: bool) -> TableFactor {
        if self.lateral > 0 {
            return build::derived(query, false);
        }
        let name = self.fresh_step(hint);
        self.add_cte(name.clone(), query, materialized);
        build::table(&name)
    }

    pub(crate) fn add_cte(&mut self, name: SmolStr, query: Query, materialized: bool) {
        self.ctes.push(Cte {
            alias: TableAlias { explicit: false, name: build::ident(&name), columns: Vec::new(), at: None },
            query: Box::new(query),
            from: None,
            materialized: materialized.then_some(CteAsMaterialized::Materialized),
            closing_paren_token: AttachedToken::empty(),
        });
    }

    /// Ends a block as a query of its own; ordered if the rows are.
    pub(crate) fn finish(&mut self, block: Block, ordered: bool) -> Result<Query> {
        let mut block = block;
        if ordered || block.limit.is_some() {
            block.reveal_order();
        }
        // `SELECT * FROM step` over the CTE just made says nothing: that CTE's query is the answer.
        if block.is_trivial()
            && (block.order.is_empty() || !ordered)
            && let Some(TableWithJoins { relation, .. }) = block.from.first()
        {
            if let TableFactor::Table { name, args: None, .. } = relation
                && self.ctes.last().is_some_and(|c| {
                    !self.kept.contains(c.alias.name.value.as_str()) && single(name, &c.alias.name)
                })
                && let Some(cte) = self.ctes.pop()
            {
                return Ok(*cte.query);
            }
            if let TableFactor::Derived { lateral: false, subquery, alias: None, .. } = relation {
                return Ok((**subquery).clone());
            }
        }
        block.into_query(self, ordered)
    }

    /// `WITH` the CTEs so far, in front of a query.
    pub(crate) fn with_ctes(&mut self, mut query: Query) -> Query {
        let cte_tables = std::mem::take(&mut self.ctes);
        if !cte_tables.is_empty() {
            query.with =
                Some(With { with_token: AttachedToken::empty(), recursive: self.recursive, cte_tables });
        }
        query
    }

    /// A key of ORDER BY from its SQL. A missing string is the empty one: NULL stands beside it, and where a further key decides
    /// between them the two are made one value. NaN stands beside NULL, where DuckDB has it above all numbers: that takes a
    /// second key where there may be both.
    pub(crate) fn sort_key(&self, key: &SortKey, expr: Expr, last: bool, scope: &Scope) -> Vec<OrderByExpr> {
        let text = key.expr.ty == Type::String;
        let expr = if text && self.dialect().can(ruleferry_targets::Capability::Collates) {
            Expr::Collate {
                expr: Box::new(match expr {
                    e @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Function(_)) => e,
                    e => Expr::Nested(Box::new(e)),
                }),
                collation: build::object_name("C"),
            }
        } else {
            expr
        };
        let nullable = self.nullable(&key.expr, scope);
        if key.nulls_first != key.descending && self.may_be_nan(&key.expr) {
            let mut keys =
                vec![build::order_key(self.without_nan(expr.clone()), key.descending, key.nulls_first)];
            if nullable {
                keys.push(build::order_key(expr, key.descending, key.nulls_first));
            }
            return keys;
        }
        if !nullable {
            return vec![build::order_key(expr, key.descending, false)];
        }
        if text && !last {
            let filled = build::coalesce(expr, build::string(""));
            return vec![build::order_key(filled, key.descending, false)];
        }
        vec![build::order_key(expr, key.descending, if text { !key.descending } else { key.nulls_first })]
    }

    /// A new column of a block from an expression in its scope.
    pub(crate) fn computed(
        &mut self,
        block: &Block,
        id: ColId,
        name: SmolStr,
        expr: &IrExpr,
        keep: Keep<'_>,
    ) -> Result<Out> {
        let uses = Uses::of([expr]);
        let mut scope = block.scope(self, keep, &uses);
        if uses.window {
            scope.order = block.window_order(self, &scope)?;
        }
        let sql = self.expr(expr, &scope)?;
        let weight = |id: &ColId| self.weights.get(id).copied().unwrap_or(1);
        let weight = uses.columns.iter().map(weight).fold(0, u32::saturating_add);
        // Most columns are read from one other: only what grows is kept in mind.
        if weight > 1 {
            self.weights.insert(id, weight);
        }
        let used = block.outs.among(&uses.columns);
        let depth = used
            .iter()
            .map(|o| if let Origin::Computed { depth, .. } = o.origin { depth + 1 } else { 0 })
            .max()
            .unwrap_or(0);
        let present = !self.nullable(expr, &scope);
        let mut aliases = block.aliases_of(self, &uses, keep);
        if uses.window {
            let order = Uses::of(block.order.iter().map(|k| &k.expr));
            aliases.extend(block.aliases_of(self, &order, keep));
        }
        // A conversion that says nothing leaves the column as it was.
        if let Some(old) =
            used.into_iter().find(|o| matches!(o.origin, Origin::Source(..)) && o.expr.is(&sql))
        {
            return Ok(Out { id, name, ..old.clone() });
        }
        // Engines do not take an alias for a subquery everywhere.
        let fixed = uses.window || uses.volatile || uses.subquery || self.holds_query(&sql);
        let origin = Origin::Computed { fixed, volatile: uses.volatile, depth };
        Ok(Out { id, name, expr: sql.into(), origin, present, aliases })
    }
}

/// Looks for a word in the macros that an expression calls, and for queries if the word is that of a query.
struct Finder<'a> {
    dialect: &'a str,
    macros: &'a std::collections::BTreeSet<SmolStr>,
    word: &'static str,
    known: &'a mut FxHashMap<(SmolStr, &'static str), bool>,
}

impl Visitor for Finder<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        if self.word == "SELECT" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn pre_visit_expr(&mut self, e: &Expr) -> ControlFlow<()> {
        if self.word == "lambda" && matches!(e, Expr::Lambda(_)) {
            return ControlFlow::Break(());
        }
        let Expr::Function(f) = e else { return ControlFlow::Continue(()) };
        let [sqlparser::ast::ObjectNamePart::Identifier(name)] = f.name.0.as_slice() else {
            return ControlFlow::Continue(());
        };
        if self.word.strip_suffix('(').is_some_and(|w| name.value.eq_ignore_ascii_case(w)) {
            return ControlFlow::Break(());
        }
        if !self.macros.contains(name.value.as_str()) {
            return ControlFlow::Continue(());
        }
        let (dialect, word) = (self.dialect, self.word);
        let holds = self.known.entry((SmolStr::new(&name.value), word)).or_insert_with(|| {
            let closure = ruleferry_targets::sql::macro_closure(dialect, [name.value.as_str()]);
            closure.iter().any(|m| m.text.contains(word))
        });
        if *holds { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Lowerer<'_> {
    fn finds(&mut self, expr: &Expr, word: &'static str) -> bool {
        let (dialect, macros, known) = (self.options.dialect.name, &self.macros, &mut self.macro_words);
        expr.visit(&mut Finder { dialect, macros, word, known }).is_break()
    }

    /// A query stands in the expression, or in a macro that it calls.
    pub(crate) fn holds_query(&mut self, expr: &Expr) -> bool {
        self.finds(expr, "SELECT")
    }

    /// DuckDB 1.5 fails on a HAVING whose alias stands for an expression with a lambda.
    pub(crate) fn holds_lambda(&mut self, expr: &Expr) -> bool {
        self.finds(expr, "lambda")
    }

    /// Aliases of the same SELECT are not seen everywhere: not inside of `TRY(…)`.
    pub(crate) fn hides_aliases(&mut self, expr: &Expr) -> bool {
        self.finds(expr, "TRY(")
    }
}

fn single(name: &sqlparser::ast::ObjectName, ident: &sqlparser::ast::Ident) -> bool {
    matches!(name.0.as_slice(), [sqlparser::ast::ObjectNamePart::Identifier(i)] if i == ident)
}
