//! From SQL back to the IR: the reading of what this crate emits, by the meaning of SQL and not by the memory of what was lowered.
//!
//! In: a script as [`crate::print()`] writes it (macros, then one SELECT). Out: [`Lifted`]: a query whose rows are those that the
//! engine would return, or why it could not be read. What is not known to be exact is refused, with its place; nothing is guessed.
//!
//! NULL is the heart of it. A column of text keeps the NULLs of its table; other operators of the IR take a missing text for `""`.
//! So each text carries what is known of it ([`nulls::Nulls`]): whether SQL may have NULL there, and whether the IR has null in the
//! same rows. A test stands at a place ([`Place`]) that says what null may be taken for.

mod aggregate;
mod block;
mod coerce;
mod collect;
mod exists;
mod expr;
mod from;
mod heads;
mod json;
mod like;
mod literal;
mod membership;
mod nulls;
mod plain;
mod quantified;
mod recipe;
mod select;
mod setop;
mod structs;
mod template;
mod test;
mod unify;
mod unnest;
mod window;

use crate::syntax::{self, Lines, Traits};
use nulls::Nulls;
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir::{self as ir, Binding, BindingId, BindingValue, ColId, Columns, Query, Type};
use ruleferry_targets::sql::{self, SqlDialect};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use sqlparser::ast::{self, Spanned};
use std::cell::{Cell, RefCell};

/// What the caller knows of the tables that the script reads.
pub trait SqlTables: Sync {
    /// The columns of a table, in order, with their types; names as the data has them. `None`: the shipped schemas are asked, and
    /// then the use.
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>>;
}

/// No table is known.
#[derive(Clone, Copy, Debug)]
pub struct NoTables;

impl SqlTables for NoTables {
    fn columns(&self, _: &str) -> Option<Vec<(SmolStr, Type)>> {
        None
    }
}

/// The tables that another query reads, with the columns and types that it knows: those of a rule whose output is read back.
#[derive(Clone, Debug, Default)]
pub struct QueryTables(indexmap::IndexMap<SmolStr, indexmap::IndexMap<SmolStr, Type>>);

impl QueryTables {
    pub fn of(query: &Query, needs: &[crate::Need]) -> Self {
        Self(crate::ddl::tables_for(query, needs))
    }
}

impl SqlTables for QueryTables {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        let found = self.0.get(table);
        let found = found.or_else(|| {
            let near = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(table));
            near.map(|(_, columns)| columns)
        });
        found.map(|columns| columns.iter().map(|(name, ty)| (name.clone(), *ty)).collect())
    }
}

/// What the caller chooses.
#[derive(Clone, Copy)]
pub struct LiftOptions<'o> {
    pub dialect: crate::ReadDialect,
    pub tables: &'o dyn SqlTables,
}

/// What a script means.
#[derive(Clone, Debug)]
pub struct Lifted {
    /// `None` where something could not be read; the diagnostics say what.
    pub query: Option<Query>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Why something was not read.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Diagnostic>);

pub(crate) type Result<T> = std::result::Result<T, Refusal>;

/// Where a test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Only whether it is true is looked at: null is as good as false.
    Keep,
    /// Only whether it is false is looked at: null is as good as true.
    Drop,
    /// All three answers count.
    Exact,
}

impl Place {
    const fn negated(self) -> Self {
        match self {
            Self::Keep => Self::Drop,
            Self::Drop => Self::Keep,
            Self::Exact => Self::Exact,
        }
    }
}

/// A scalar: what it is in the IR, and what is known of NULL.
#[derive(Clone, Debug)]
pub(crate) struct Val {
    pub e: ir::Expr,
    pub nulls: Nulls,
}

/// A CTE of the script.
struct Cte<'q> {
    cte: &'q ast::Cte,
    /// How often FROM names it.
    uses: usize,
    /// Where it is used several times.
    bound: Option<(BindingId, Vec<block::Col>)>,
    /// Being read: it must not name itself.
    open: bool,
}

/// Columns that queries ask of tables without a schema, by the table's name in lower case, with the type that their use tells.
type Learned = FxHashMap<String, Vec<(SmolStr, Option<Type>)>>;

/// The state of one reading.
pub(crate) struct Lifter<'q> {
    tables: &'q dyn SqlTables,
    data: &'static SqlDialect,
    lines: &'q Lines,
    /// Names of the macros that the script defines, each as shipped.
    macros: FxHashSet<SmolStr>,
    columns: Columns,
    bindings: Vec<Binding>,
    ctes: FxHashMap<String, Cte<'q>>,
    /// How often a name stands in FROM.
    uses: FxHashMap<String, usize>,
    learned: &'q mut Learned,
    /// Something was learned in this pass.
    dirty: Cell<bool>,
    /// Columns of those whose type nothing told yet: their table and name.
    guessed: FxHashMap<ColId, (String, SmolStr)>,
    /// Texts of which it must be known where they are NULL.
    wanted: &'q RefCell<FxHashSet<usize>>,
    /// The columns that say so.
    flags: FxHashSet<ColId>,
    dialect: crate::ReadDialect,
    traits: Traits,
    /// The script names such columns.
    times: (bool, bool),
    assumptions: Vec<String>,
    depth: u32,
    /// Expressions read so far: templates are tried one after the other.
    work: u32,
    /// Names bound by lambdas around this place.
    params: Vec<(String, Val)>,
    /// What trees stand for that were read already (aggregates, elements), by their address.
    known: FxHashMap<usize, Val>,
    /// Group keys above an aggregation, by their tree.
    keyed: Vec<(&'q ast::Expr, Val)>,
    /// No group of the aggregation being read is empty.
    groups_have_rows: bool,
}

/// The dialect whose functions are known in full, which all others are read by.
const EMITTED: &str = "duckdb";

const MAX_DEPTH: u32 = 250;
const MAX_WORK: u32 = 2_000_000;
/// Passes until all columns of tables without a schema are known.
const MAX_PASSES: usize = 64;
const STACK: usize = 256 * 1024 * 1024;

/// Reads a script.
pub fn lift(script: &str, options: &LiftOptions<'_>) -> Lifted {
    on_a_stack(script, || lift_here(script, options)).unwrap_or_else(|| {
        let message = "the SQL is too large to be read";
        refused(Diagnostic::error(codes::SQL_READ_TOO_LARGE, Span::default(), message))
    })
}

/// The tables and CTEs that a script names, each once; none of a text that is no script.
pub fn table_names(script: &str, dialect: crate::ReadDialect) -> Vec<SmolStr> {
    let mut names: Vec<SmolStr> = Vec::new();
    on_a_stack(script, || {
        if let Ok(script) = syntax::parse(script, dialect) {
            let _ = ast::visit_relations(&script.query, |name| {
                let name = SmolStr::new(name_of(name));
                if !names.contains(&name) {
                    names.push(name);
                }
                std::ops::ControlFlow::<()>::Continue(())
            });
        }
    });
    names
}

/// Runs `f` where long chains of tests, which nest in the parser's tree, find room.
fn on_a_stack<T: Send>(script: &str, f: impl FnOnce() -> T + Send) -> Option<T> {
    let deep = script.len() > 6000 || script.matches('(').count() > 200;
    if !deep {
        return Some(f());
    }
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, f).ok()?;
        worker.join().ok()
    })
}

fn refused(diagnostic: Diagnostic) -> Lifted {
    Lifted { query: None, diagnostics: vec![diagnostic] }
}

fn lift_here(script: &str, options: &LiftOptions<'_>) -> Lifted {
    let mut script = match syntax::parse(script, options.dialect) {
        Ok(script) => script,
        Err(fault) => return refused(Diagnostic::error(codes::SQL_READ_SYNTAX, fault.span, fault.message)),
    };
    let Some(data) = sql::dialect(EMITTED) else {
        return refused(Diagnostic::error(
            codes::SQL_READ_FUNCTION,
            Span::default(),
            "there is no data for the dialect",
        ));
    };
    // Arrows bind looser than all else in this dialect, and not in the parser.
    let checks = options.dialect == crate::ReadDialect::DuckDb;
    let mut odd = None;
    let _ = ast::visit_expressions(&script.query, |e| {
        if checks && odd.is_none() && test::bare_arrow(e) {
            odd = Some(script.lines.span(e));
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    if let Some(span) = odd {
        let message = "an arrow without parentheses beside another operator: the engine reads it otherwise";
        return refused(Diagnostic::error(codes::SQL_READ_SYNTAX, span, message));
    }
    let (macros, own) = match known_macros(&script, data, options.dialect) {
        Ok(macros) => macros,
        Err(diagnostic) => return refused(diagnostic),
    };
    if let Err(plain::TooLarge) = plain::plain(&mut script.query, options.dialect, &own) {
        let message = "the SQL is too large once its macros are written out";
        return refused(Diagnostic::error(codes::SQL_READ_TOO_LARGE, Span::default(), message));
    }
    let times = times_of(&script.query);
    let mut learned = FxHashMap::default();
    let wanted = RefCell::default();
    for _ in 0..MAX_PASSES {
        let mut lifter = Lifter {
            tables: options.tables,
            data,
            lines: &script.lines,
            macros: macros.clone(),
            columns: Columns::default(),
            bindings: Vec::new(),
            ctes: FxHashMap::default(),
            uses: FxHashMap::default(),
            learned: &mut learned,
            dirty: Cell::new(false),
            guessed: FxHashMap::default(),
            wanted: &wanted,
            flags: FxHashSet::default(),
            dialect: options.dialect,
            traits: options.dialect.traits(),
            times,
            assumptions: Vec::new(),
            depth: 0,
            work: 0,
            params: Vec::new(),
            known: FxHashMap::default(),
            keyed: Vec::new(),
            groups_have_rows: false,
        };
        let result = lifter.script(&script.query);
        if lifter.dirty.get() {
            continue;
        }
        return match result {
            Ok(plan) => Lifted {
                query: Some(Query {
                    columns: lifter.columns,
                    bindings: lifter.bindings,
                    plan,
                    assumptions: lifter.assumptions,
                }),
                diagnostics: Vec::new(),
            },
            Err(refusal) => refused(*refusal.0),
        };
    }
    refused(Diagnostic::error(codes::SQL_READ_NAME, Span::default(), "the columns of a table cannot be told"))
}

/// The macros of a script: names of shipped ones, each with the shipped text, and its own, which are expressions.
fn known_macros(
    script: &syntax::Script,
    data: &'static SqlDialect,
    dialect: crate::ReadDialect,
) -> std::result::Result<(FxHashSet<SmolStr>, Vec<plain::OwnMacro>), Diagnostic> {
    let mut known = FxHashSet::default();
    let mut own: Vec<plain::OwnMacro> = Vec::new();
    for m in &script.macros {
        let shipped = data.macro_def(&m.name);
        // The shipped text starts with its comments.
        let same = shipped.is_some_and(|s| s.text.trim().trim_end_matches(';').ends_with(m.text.trim()))
            || shipped.is_some_and(|s| syntax::same_text(s.text, &m.text));
        let whole = m.text.trim_start().get(..6).is_some_and(|w| w.eq_ignore_ascii_case("CREATE"));
        if same && whole {
            known.insert(SmolStr::new(&m.name));
            continue;
        }
        let fault = match shipped {
            Some(_) => format!("the macro `{}` is not the one that is shipped", m.name),
            None => match plain::own_macro(&m.name, &m.text, dialect, &own) {
                Some(found) => {
                    own.push(found);
                    continue;
                }
                None => format!("the macro `{}` is neither a shipped one nor an expression", m.name),
            },
        };
        return Err(Diagnostic::error(codes::SQL_READ_MACRO, m.span, fault)
            .with_help("take the macro from `ruleferry convert`, or write the expression out"));
    }
    Ok((known, own))
}

/// Whether the query names the time columns by which a table of two products is told.
fn times_of(query: &ast::Query) -> (bool, bool) {
    let (mut timestamp, mut generated) = (false, false);
    let _ = ast::visit_expressions(query, |e| {
        let name = match e {
            ast::Expr::Identifier(i) => Some(&i.value),
            ast::Expr::CompoundIdentifier(parts) => parts.last().map(|i| &i.value),
            _ => None,
        };
        timestamp |= name.is_some_and(|n| n == "Timestamp");
        generated |= name.is_some_and(|n| n == "TimeGenerated");
        std::ops::ControlFlow::<()>::Continue(())
    });
    (timestamp, generated)
}

impl<'q> Lifter<'q> {
    fn script(&mut self, query: &'q ast::Query) -> Result<ir::Plan> {
        let mut uses: FxHashMap<String, usize> = FxHashMap::default();
        let _ = ast::visit_relations(query, |name| {
            *uses.entry(name_of(name).to_lowercase()).or_default() += 1;
            std::ops::ControlFlow::<()>::Continue(())
        });
        self.uses = uses;
        if let Some(with) = &query.with {
            self.with(query, with)?;
        }
        self.rows_of(query)
    }

    /// The CTEs of a query.
    fn with(&mut self, query: &'q ast::Query, with: &'q ast::With) -> Result<()> {
        {
            if with.recursive {
                return Err(self.clause(query, "a recursive CTE"));
            }
            for cte in &with.cte_tables {
                let name = cte.alias.name.value.to_lowercase();
                if cte.from.is_some() {
                    return Err(self.clause(cte, "a CTE of this form"));
                }
                let uses = self.uses.get(&name).copied().unwrap_or(0);
                // A query may be read twice.
                if self.ctes.get(&name).is_some_and(|known| std::ptr::eq(known.cte, cte)) {
                    continue;
                }
                if self.ctes.insert(name, Cte { cte, uses, bound: None, open: false }).is_some() {
                    return Err(self.clause(cte, "two CTEs of one name"));
                }
            }
        }
        Ok(())
    }

    fn rows_of(&mut self, query: &'q ast::Query) -> Result<ir::Plan> {
        let mut rel = self.query(query, true)?;
        // What is known of NULL is of no use outside.
        if rel.plan.output.iter().any(|id| self.flags.contains(id)) {
            let shown = rel.plan.output.iter().copied().filter(|id| !self.flags.contains(id));
            let shown: Vec<ColId> = shown.collect();
            let item = |id: &ColId| ir::Item { ids: vec![*id], expr: self.column(*id), named: true };
            let items = shown.iter().map(item).collect();
            rel.wrap(shown.into(), |input| ir::Op::Project { input, items });
        }
        Ok(rel.plan)
    }

    /// A CTE as a table binding, made at its first use.
    fn binding(&mut self, name: &str) -> Result<(BindingId, Vec<block::Col>)> {
        let Some(cte) = self.ctes.get_mut(name) else {
            return Err(Refusal::new(codes::SQL_READ_NAME, Span::default(), format!("no CTE `{name}`")));
        };
        if let Some(bound) = &cte.bound {
            return Ok(bound.clone());
        }
        let node = cte.cte;
        let rel = self.cte_body(name)?;
        let id = BindingId(u32::try_from(self.bindings.len()).unwrap_or(u32::MAX));
        let materialized = matches!(node.materialized, Some(ast::CteAsMaterialized::Materialized));
        let columns = rel.sources.into_iter().flat_map(|s| s.cols).collect::<Vec<_>>();
        self.bindings.push(Binding {
            name: SmolStr::new(&node.alias.name.value),
            value: BindingValue::Table { plan: rel.plan, materialized },
            span: Span::default(),
        });
        let bound = (id, columns);
        if let Some(cte) = self.ctes.get_mut(name) {
            cte.bound = Some(bound.clone());
        }
        Ok(bound)
    }

    /// The rows of a CTE's query.
    fn cte_body(&mut self, name: &str) -> Result<block::Block<'q>> {
        let Some(cte) = self.ctes.get_mut(name) else {
            return Err(Refusal::new(codes::SQL_READ_NAME, Span::default(), format!("no CTE `{name}`")));
        };
        let node = cte.cte;
        if std::mem::replace(&mut cte.open, true) {
            return Err(self.clause(node, "a CTE that names itself"));
        }
        let rel = self.deeper(|l| {
            let mut rel = l.query(&node.query, false)?;
            from::renamed(&mut rel, &node.alias.columns);
            Ok(rel)
        });
        if let Some(cte) = self.ctes.get_mut(name) {
            cte.open = false;
        }
        rel
    }

    /// Runs `f` one level deeper, or refuses what nests too deep.
    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.work += 1;
        if self.depth >= MAX_DEPTH || self.work > MAX_WORK {
            let message = "the SQL is too large or nested too deep to be read back";
            return Err(Refusal::new(codes::SQL_READ_TOO_LARGE, Span::default(), message));
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    fn span(&self, node: &impl Spanned) -> Span {
        self.lines.span(node)
    }

    fn clause(&self, node: &impl Spanned, what: &str) -> Refusal {
        Refusal::new(codes::SQL_READ_CLAUSE, self.span(node), format!("{what} is not read"))
    }

    fn function(&self, node: &impl Spanned, what: impl std::fmt::Display) -> Refusal {
        Refusal::new(codes::SQL_READ_FUNCTION, self.span(node), format!("{what} is not read"))
    }

    fn null(&self, node: &impl Spanned, what: &str) -> Refusal {
        Refusal::new(codes::SQL_READ_NULL, self.span(node), format!("NULL of {what} has no neutral form"))
    }

    fn types(&self, node: &impl Spanned, message: impl Into<String>) -> Refusal {
        Refusal::new(codes::SQL_READ_TYPE, self.span(node), message)
    }

    fn add(&mut self, name: &str, ty: Type) -> ColId {
        self.columns.add(SmolStr::new(name), ty, Span::default())
    }

    fn column(&self, id: ColId) -> ir::Expr {
        ir::Expr::column(id, self.columns.ty(id), Span::default())
    }
}

impl Refusal {
    fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self(Box::new(Diagnostic::error(code, span, message)))
    }
}

/// The last part of a name.
fn name_of(name: &ast::ObjectName) -> &str {
    match name.0.last() {
        Some(ast::ObjectNamePart::Identifier(i)) => &i.value,
        Some(ast::ObjectNamePart::Function(_)) | None => "",
    }
}

impl Val {
    fn new(e: ir::Expr, nulls: Nulls) -> Self {
        Self { e, nulls }
    }

    /// A value whose null in the IR is NULL in SQL.
    fn exact(e: ir::Expr) -> Self {
        Self { e, nulls: Nulls::EXACT }
    }

    /// A value that is never NULL, and never null in the IR.
    fn present(e: ir::Expr) -> Self {
        Self { e, nulls: Nulls::PRESENT }
    }
}
