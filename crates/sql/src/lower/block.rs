//! One SELECT under construction.
//!
//! A [`Block`] stands over relations (tables, CTEs) and takes in operators as long as one SELECT can say them; then it is closed:
//! it becomes a CTE, and a new block stands over that. Later columns name earlier ones of the same SELECT by their alias, which
//! is right only while no column of FROM has that name: FROM's columns win.

use super::outs::{ColSet, Key, Outs, fold};
use super::walk::Uses;
use super::{Lowerer, Result, Scope};
use crate::build;
use ruleferry_ir::{ColId, SortKey, Type};
use smol_str::SmolStr;
use sqlparser::ast::{Distinct, Expr, GroupByExpr, OrderByExpr, TableFactor, TableWithJoins};
use std::rc::Rc;

/// A column that a FROM item has.
#[derive(Clone, Debug)]
pub(crate) struct SourceColumn {
    /// `None` for a helper column that the IR does not know.
    pub id: Option<ColId>,
    pub name: SmolStr,
    /// It holds no NULL.
    pub present: bool,
}

/// Something to select from.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub factor: TableFactor,
    pub columns: Vec<SourceColumn>,
    /// Further columns may exist.
    pub open: bool,
    /// The order of its rows, if it has one.
    pub order: Vec<SortKey>,
    /// Columns of the row around a body, which stay in sight above it.
    pub around: Vec<Out>,
}

impl Relation {
    pub(crate) fn column(&self, id: ColId) -> Option<&SourceColumn> {
        self.columns.iter().find(|c| c.id == Some(id))
    }
}

/// A FROM item of a block.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Set where several items stand in FROM.
    pub qualifier: Option<SmolStr>,
    pub columns: Vec<SourceColumn>,
    pub open: bool,
    /// Of each column its id and the hash of its name, for look-ups that read no more than that.
    keys: Vec<Key>,
}

/// The id of no column.
const NONE: ColId = ColId(u32::MAX);

impl Source {
    fn by_id(&self, id: ColId) -> Option<&SourceColumn> {
        let at = self.keys.iter().position(|k| k.id == id && id != NONE)?;
        self.columns.get(at)
    }

    fn by_id_mut(&mut self, id: ColId) -> Option<&mut SourceColumn> {
        let at = self.keys.iter().position(|k| k.id == id && id != NONE)?;
        self.columns.get_mut(at)
    }

    pub(crate) fn refer(&self, name: &str) -> Expr {
        match &self.qualifier {
            Some(q) => build::qualified(q, name),
            None => build::column(name),
        }
    }

    pub(crate) fn text(&self, name: &SmolStr) -> Text {
        Text::Column(self.qualifier.clone(), name.clone())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Column `1` of source `0` as it is.
    Source(usize, usize),
    /// A column of the row around a body: it is in sight, and no part of the SELECT list unless a plan above asks for it.
    Outer,
    Computed {
        /// Later columns cannot name it: it reads a window, or differs each time.
        fixed: bool,
        volatile: bool,
        /// How many aliases stand below it.
        depth: u32,
    },
}

/// What stands in the SELECT list. A tree is large and tables are wide: a plain column is kept by its name, a tree is shared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Text {
    /// A column of FROM, with its qualifier.
    Column(Option<SmolStr>, SmolStr),
    Sql(Rc<Expr>),
}

impl Text {
    pub(crate) fn get(&self) -> Expr {
        match self {
            Self::Column(None, name) => build::column(name),
            Self::Column(Some(qualifier), name) => build::qualified(qualifier, name),
            Self::Sql(e) => (**e).clone(),
        }
    }

    /// Whether it is this tree; only a column is looked at closely.
    pub(crate) fn is(&self, e: &Expr) -> bool {
        match self {
            Self::Column(..) => {
                matches!(e, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) && self.get() == *e
            }
            Self::Sql(own) => **own == *e,
        }
    }

    pub(crate) fn cost(&self) -> usize {
        match self {
            Self::Column(..) => 1,
            Self::Sql(e) => cost(e),
        }
    }

    pub(crate) fn is_short_literal(&self) -> bool {
        matches!(self, Self::Sql(e) if short_literal(e))
    }
}

impl From<Expr> for Text {
    fn from(e: Expr) -> Self {
        Self::Sql(Rc::new(e))
    }
}

/// A column of the SELECT list.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    pub id: ColId,
    pub name: SmolStr,
    pub expr: Text,
    pub origin: Origin,
    pub present: bool,
    /// Names of columns of this SELECT that `expr` uses.
    pub aliases: Vec<SmolStr>,
}

/// A SELECT under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    pub from: Vec<TableWithJoins>,
    pub sources: Vec<Source>,
    pub outs: Outs,
    pub filters: Vec<Expr>,
    /// Names of the SELECT list that filters use.
    pub pinned: Vec<SmolStr>,
    /// `Some` after an aggregation: the group keys.
    pub group_by: Option<GroupByExpr>,
    /// The columns of the group keys.
    pub group_keys: Vec<ColId>,
    pub having: Vec<Expr>,
    pub distinct: Option<Distinct>,
    pub limit: Option<Expr>,
    pub qualify: Option<Expr>,
    /// The order of the rows.
    pub order: Vec<SortKey>,
    /// List the columns one by one.
    pub explicit: bool,
    /// What the CTE is called.
    pub hint: &'static str,
    /// Its SELECT list expands elements to rows.
    pub expanded: bool,
    /// The key of the `partition` that the block is inside of.
    pub partition: Vec<ColId>,
}

/// Which columns of the SELECT list stay when an operator is taken in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keep<'k> {
    All,
    Only(&'k ColSet),
    /// All but this one, if it is any.
    Except(Option<ColId>),
}

impl Keep<'_> {
    pub(crate) fn has(self, id: ColId) -> bool {
        match self {
            Self::All => true,
            Self::Only(set) => set.contains(id),
            Self::Except(gone) => gone != Some(id),
        }
    }
}

/// Chains of aliases longer than this go to a block of their own: engines expand them.
const MAX_ALIAS_DEPTH: u32 = 6;

impl Block {
    /// `SELECT * FROM relation`
    pub(crate) fn over(relation: Relation) -> Self {
        let mut block = Self { hint: "step", ..Self::default() };
        block.order.clone_from(&relation.order);
        block.from.push(build::from(relation.factor));
        block.add_source(None, relation.columns, relation.open);
        block.outs.extend(relation.around);
        block
    }

    /// Adds the columns of a FROM item to the SELECT list.
    pub(crate) fn add_source(&mut self, qualifier: Option<SmolStr>, columns: Vec<SourceColumn>, open: bool) {
        let at = self.sources.len();
        let keys = columns.iter().map(|c| Key { id: c.id.unwrap_or(NONE), fold: fold(&c.name) }).collect();
        let source = Source { qualifier, columns, open, keys };
        self.outs.reserve(source.columns.len());
        for (i, (column, key)) in source.columns.iter().zip(&source.keys).enumerate() {
            if let Some(id) = column.id {
                let out = Out {
                    id,
                    name: column.name.clone(),
                    expr: source.text(&column.name),
                    origin: Origin::Source(at, i),
                    present: column.present,
                    aliases: Vec::new(),
                };
                self.outs.push_folded(out, key.fold);
            }
        }
        self.sources.push(source);
    }

    pub(crate) fn out(&self, id: ColId) -> Option<&Out> {
        self.outs.by_id(id)
    }

    /// Nothing was taken in since the block was opened over one relation.
    pub(crate) fn is_trivial(&self) -> bool {
        let mine = || self.outs.iter().filter(|o| o.origin != Origin::Outer);
        let same = |i: usize, o: &Out| {
            let column = self.sources.first().and_then(|s| s.columns.get(i));
            column.is_some_and(|c| c.id == Some(o.id) && c.name == o.name)
        };
        let plain = |(i, o): (usize, &Out)| o.origin == Origin::Source(0, i) && same(i, o);
        self.from.iter().all(|f| f.joins.is_empty())
            && self.from.len() == 1
            && self.sources.len() == 1
            && self.is_open()
            && self.filters.is_empty()
            && self.sources.first().is_some_and(|s| s.columns.len() == mine().count())
            && mine().enumerate().all(plain)
    }

    /// The order needs computed columns that would leave.
    pub(crate) fn order_leaves(&self, keep: &ColSet) -> bool {
        let uses = Uses::of(self.order.iter().map(|k| &k.expr));
        let leaves = |o: &&Out| !keep.contains(o.id) && matches!(o.origin, Origin::Computed { .. });
        self.outs.among(&uses.columns).iter().any(leaves)
    }

    /// Group keys that are known only by their place in the SELECT list would leave.
    pub(crate) fn keys_leave(&self, keep: &ColSet) -> bool {
        matches!(self.group_by, Some(GroupByExpr::All(_)))
            && self.group_keys.iter().any(|k| !keep.contains(*k))
    }

    /// Columns that the plan does not know may pass through it.
    pub(crate) fn is_trivial_or_star(&self) -> bool {
        self.sources.iter().any(|s| s.open) && !self.explicit && self.group_by.is_none()
    }

    /// HAVING may use the column's name: nothing in FROM hides it.
    pub(crate) fn nameable_in_having(&self, l: &Lowerer<'_>, out: &Out) -> bool {
        let volatile = matches!(
            out.origin,
            Origin::Computed { volatile: true, .. } | Origin::Computed { fixed: true, .. }
        );
        l.dialect().alias_reuse
            && !volatile
            && (!self.shadowed(&out.name) || matches!(out.origin, Origin::Source(..)))
    }

    /// The names of an aggregation's SELECT list that an expression with these uses needs.
    pub(crate) fn having_scope(&self, uses: &Uses) -> Scope {
        let mut scope = Scope::default();
        for out in self.outs.among(&uses.columns) {
            let plain = matches!(out.origin, Origin::Source(..));
            scope.push(out.id, if plain { out.expr.get() } else { build::column(&out.name) });
            if out.present {
                scope.set_present(out.id);
            }
        }
        scope
    }

    /// WHERE and the SELECT list can still change.
    pub(crate) fn is_open(&self) -> bool {
        self.group_by.is_none()
            && self.distinct.is_none()
            && self.limit.is_none()
            && self.qualify.is_none()
            && !self.expanded
    }

    /// A FROM item has a column of this name, or is called so itself: either hides an alias.
    pub(crate) fn shadowed(&self, name: &str) -> bool {
        let hash = fold(name);
        self.names_item(name)
            || self.sources.iter().any(|s| {
                let hits = s.keys.iter().zip(&s.columns).filter(|(k, _)| k.fold == hash);
                hits.into_iter().any(|(_, c)| c.name.eq_ignore_ascii_case(name))
            })
    }

    /// A FROM item is called so: DuckDB takes the name for its whole row.
    pub(crate) fn names_item(&self, name: &str) -> bool {
        let called = |factor: &TableFactor| match factor {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. } => alias.name.value.eq_ignore_ascii_case(name),
            TableFactor::Table { name: table, alias: None, .. } => {
                let last = table.0.last().and_then(|part| part.as_ident());
                last.is_some_and(|ident| ident.value.eq_ignore_ascii_case(name))
            }
            _ => false,
        };
        self.from.iter().any(|f| called(&f.relation) || f.joins.iter().any(|j| called(&j.relation)))
    }

    /// The expression reads a column of FROM, or of a row around.
    pub(crate) fn reads_columns(&self, text: &Text) -> bool {
        match text {
            Text::Column(..) => true,
            Text::Sql(e) => {
                // The names inside of a query are its own.
                let query =
                    |e: &Expr| matches!(e, Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. });
                let column = |e: &Expr| match e {
                    Expr::Identifier(name) => self.shadowed(&name.value),
                    Expr::CompoundIdentifier(_) => true,
                    _ => false,
                };
                !build::any_expr(e, query) && build::any_expr(e, column)
            }
        }
    }

    /// The name of a new column that no other column of the SELECT list has. `replaced`: the one whose place it takes.
    pub(crate) fn name_for(outs: &Outs, wanted: &str, replaced: Option<usize>) -> SmolStr {
        Self::name_beside(outs, wanted, replaced, |_| false)
    }

    /// As [`Self::name_for`]; further names may be taken.
    pub(crate) fn name_beside(
        outs: &Outs,
        wanted: &str,
        replaced: Option<usize>,
        taken_too: impl Fn(&str) -> bool,
    ) -> SmolStr {
        let wanted = if wanted.is_empty() { "_" } else { wanted };
        let taken = |name: &str| outs.like(name).any(|(i, _)| Some(i) != replaced) || taken_too(name);
        let mut name = SmolStr::new(wanted);
        let mut n = 1;
        while taken(&name) {
            n += 1;
            name = SmolStr::new(format!("{wanted}__{n}"));
        }
        name
    }

    /// Later expressions of this SELECT may use the column's name.
    pub(crate) fn nameable(&self, l: &Lowerer<'_>, out: &Out) -> bool {
        match out.origin {
            Origin::Source(..) | Origin::Outer => true,
            Origin::Computed { fixed, depth, .. } => {
                l.dialect().alias_reuse
                    && l.lateral == 0
                    && !fixed
                    && depth < MAX_ALIAS_DEPTH
                    && !self.shadowed(&out.name)
            }
        }
    }

    /// The column's expression may stand where the column is used.
    fn inlinable(out: &Out, uses: usize, keep: Keep<'_>, outs: &Outs) -> bool {
        let Origin::Computed { fixed, volatile, .. } = out.origin else { return true };
        let aliases_stay = out.aliases.iter().all(|a| outs.named(a).any(|(_, o)| keep.has(o.id)));
        let kept_too = usize::from(keep.has(out.id));
        !fixed && aliases_stay && (uses + kept_too <= 1 || (!volatile && out.expr.cost() <= 4))
    }

    /// Whether all columns of these uses may be written out where they are used.
    pub(crate) fn inlines(&self, uses: &Uses, keep: Keep<'_>) -> bool {
        self.used(uses).iter().all(|o| Self::inlinable(o, mentions(uses, o), keep, &self.outs))
    }

    /// The columns of the SELECT list that an expression with these uses reads.
    pub(crate) fn used(&self, uses: &Uses) -> Vec<&Out> {
        if uses.whole_row { self.outs.iter().collect() } else { self.outs.among(&uses.columns) }
    }

    /// A column reads neighbouring rows: what takes rows away or adds some must stand in a block above it.
    pub(crate) fn reads_neighbours(&self) -> bool {
        let fixed = |o: &&Out| matches!(o.origin, Origin::Computed { fixed: true, .. });
        self.outs.iter().filter(fixed).any(|o| matches!(&o.expr, Text::Sql(e) if build::has_window(e)))
    }

    /// The order rests on columns that no window can be ordered by where they are computed: windows, values that differ each time.
    pub(crate) fn order_is_fixed(&self) -> bool {
        if self.order.is_empty() {
            return false;
        }
        let uses = Uses::of(self.order.iter().map(|k| &k.expr));
        let fixed = |o: &&Out| {
            matches!(o.origin, Origin::Computed { fixed: true, .. } | Origin::Computed { volatile: true, .. })
        };
        self.outs.among(&uses.columns).iter().any(fixed)
    }

    /// The rows that the block makes of one would not be made without the columns that leave.
    pub(crate) fn expansion_leaves(&self, keep: &ColSet) -> bool {
        let made = |o: &Out| matches!(o.origin, Origin::Computed { fixed: true, .. });
        self.expanded && self.outs.iter().any(|o| made(o) && !keep.contains(o.id))
    }

    /// Whether an operator with these uses can be taken in.
    pub(crate) fn fits(&self, l: &Lowerer<'_>, uses: &Uses, keep: Keep<'_>) -> bool {
        self.is_open()
            && !(uses.window && self.order_is_fixed())
            && self.used(uses).iter().all(|o| {
                (keep.has(o.id) && self.nameable(l, o))
                    || Self::inlinable(o, mentions(uses, o), keep, &self.outs)
            })
            && self.pins_stay(keep)
    }

    /// The columns whose names are used stay in the SELECT list.
    fn pins_stay(&self, keep: Keep<'_>) -> bool {
        if self.pinned.is_empty() && !self.outs.aliased() {
            return true;
        }
        let kept = |name: &SmolStr| self.outs.named(name).any(|(_, o)| keep.has(o.id));
        let needed = self.outs.iter().filter(|o| keep.has(o.id)).flat_map(|o| &o.aliases);
        self.pinned.iter().chain(needed).all(kept)
    }

    /// The names that filters use are still there, with the same columns under them.
    pub(crate) fn pins_hold(&self, outs: &Outs) -> bool {
        let same = |name: &SmolStr| {
            let old = self.outs.named(name).next();
            old.is_some_and(|(_, old)| outs.named(name).any(|(_, o)| o.expr == old.expr))
        };
        self.pinned.iter().chain(outs.iter().flat_map(|o| &o.aliases)).all(same)
    }

    /// What columns are called in an expression of this SELECT: those that `uses` names, and the keys of order and partition.
    pub(crate) fn scope(&self, l: &Lowerer<'_>, keep: Keep<'_>, uses: &Uses) -> Scope {
        let mut wanted: Vec<ColId> = uses.columns.clone();
        wanted.extend(self.partition.iter().copied());
        if !self.order.is_empty() {
            wanted.extend(Uses::of(self.order.iter().map(|k| &k.expr)).columns);
        }
        wanted.sort_unstable();
        wanted.dedup();
        let outs = if uses.whole_row { self.outs.iter().collect() } else { self.outs.among(&wanted) };
        let mut scope = Scope::with_capacity(outs.len());
        for source in &self.sources {
            for id in &wanted {
                let Some(column) = source.by_id(*id) else { continue };
                // What the SELECT list has of the name is seen instead.
                if outs.len() > MANY || !outs.iter().any(|o| o.id == *id) {
                    scope.define(*id, source.refer(&column.name));
                }
                if column.present {
                    scope.set_present(*id);
                }
            }
        }
        for out in outs {
            let by_name = matches!(out.origin, Origin::Computed { .. })
                && keep.has(out.id)
                && self.nameable(l, out)
                && !out.expr.is_short_literal();
            scope.push(out.id, if by_name { build::column(&out.name) } else { out.expr.get() });
            if out.present {
                scope.set_present(out.id);
            }
        }
        for id in &self.partition {
            if let Some(e) = scope.get(*id).cloned() {
                // A missing string and the empty one are the same key.
                let text = l.ty(*id) == Type::String && !scope.is_present(*id);
                scope.partition.push(if text { build::coalesce(e, build::string("")) } else { e });
            }
        }
        scope
    }

    /// The names of the SELECT list that an expression with these uses took from [`Self::scope`].
    pub(crate) fn aliases_of(&self, l: &Lowerer<'_>, uses: &Uses, keep: Keep<'_>) -> Vec<SmolStr> {
        let mut names = Vec::new();
        for out in self.used(uses) {
            if !matches!(out.origin, Origin::Computed { .. }) {
                continue;
            }
            if keep.has(out.id) && self.nameable(l, out) {
                names.push(out.name.clone());
            } else {
                names.extend(out.aliases.iter().cloned());
            }
        }
        names
    }

    /// The row order for window functions, as far as its keys are still there.
    pub(crate) fn window_order(&self, l: &mut Lowerer<'_>, scope: &Scope) -> Result<Vec<OrderByExpr>> {
        let mut keys = Vec::new();
        for key in &self.order {
            if Uses::of([&key.expr]).columns.iter().any(|c| scope.get(*c).is_none()) {
                break;
            }
            // What is the same in every row orders nothing; a number would even name a column by its place.
            let expr = l.expr(&key.expr, scope)?;
            if !build::is_constant(&expr) {
                keys.push((key, expr));
            }
        }
        let count = keys.len();
        let ordered = keys.into_iter().enumerate();
        Ok(ordered.flat_map(|(i, (key, expr))| l.sort_key(key, expr, i + 1 == count, scope)).collect())
    }

    /// What follows does not keep the order; a limit still needs it.
    pub(crate) fn forget_order(&mut self) {
        if self.limit.is_none() {
            self.order.clear();
        }
    }

    pub(crate) fn set_partition(&mut self, ids: Vec<ColId>) {
        self.partition = ids;
    }

    pub(crate) fn partition(&self) -> &[ColId] {
        &self.partition
    }

    /// Adds or replaces a column.
    pub(crate) fn set_out(&mut self, at: Option<usize>, out: Out) {
        self.outs.set(at, out);
    }

    /// The column holds a value in every row.
    pub(crate) fn mark_present(&mut self, id: ColId) {
        if let Some(out) = self.outs.position(id).and_then(|i| self.outs.get_mut(i)) {
            out.present = true;
        }
        for source in &mut self.sources {
            if let Some(column) = source.by_id_mut(id) {
                column.present = true;
            }
        }
    }
}

/// Lists longer than this are not searched for each of their members.
const MANY: usize = 16;

/// How often an expression with these uses mentions a column; a look at the whole row counts for two.
fn mentions(uses: &Uses, out: &Out) -> usize {
    uses.count(out.id) + if uses.whole_row { 2 } else { 0 }
}

/// A literal that may be repeated where it is used.
fn short_literal(e: &Expr) -> bool {
    use sqlparser::ast::Value;
    match e {
        Expr::Value(v) => !matches!(&v.value, Value::SingleQuotedString(s) if s.len() > 40),
        _ => false,
    }
}

/// Roughly how many words an expression takes; stops counting at a handful.
fn cost(expr: &Expr) -> usize {
    let mut todo = vec![expr];
    let mut count = 0;
    while let Some(e) = todo.pop() {
        count += 1;
        if count > 8 {
            return count;
        }
        match e {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::TypedString(_) => {}
            Expr::Nested(x) | Expr::Cast { expr: x, .. } => todo.push(x),
            Expr::BinaryOp { left, right, .. } => todo.extend([&**left, &**right]),
            Expr::Function(f) => {
                let sqlparser::ast::FunctionArguments::List(list) = &f.args else { return usize::MAX };
                for arg in &list.args {
                    let sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(x)) = arg
                    else {
                        return usize::MAX;
                    };
                    todo.push(x);
                }
            }
            _ => return usize::MAX,
        }
    }
    count
}
