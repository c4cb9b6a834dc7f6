//! Operators: rows in, rows out.
//!
//! A pipeline is walked from its source downwards without recursion; each operator is one function of this folder. Rows keep
//! the order in which they came, so that an answer is the same each time; where the order decides what comes out though the
//! language leaves it open, the chooser is told.

mod aggregate;
mod expand;
mod join;
mod make_series;
mod parse;
mod parse_kv;
mod project;
mod scan;
mod sequence;
mod sort;
mod top_nested;
mod union;

use crate::answer::Answer;
use crate::choice::{ChoiceKind, Chooser};
use crate::compare::Key;
use crate::expr::{Scope, filled, shown};
use crate::fault::{Fault, Result};
use crate::functions::Regexes;
use crate::matching;
use crate::rows::{EVENT, Row, Rows, Slots};
use crate::tables::Tables;
use crate::window::Windows;
use crate::{Options, Value, plugins};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::functions::Flags;
use ruleferry_ir::{BindingId, BindingValue, ColId, Expr, ExprKind, Op, Plan, Query, Subject, Type};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The plan of a sub-query by its address, the type in which its values are compared, and whether they are folded.
type KeySetId = (*const Op, Type, bool);

/// One run of one query.
pub(crate) struct Evaluator<'q> {
    query: &'q Query,
    tables: &'q dyn Tables,
    options: Options,
    regexes: Rc<Regexes>,
    chooser: Chooser,
    lets: RefCell<FxHashMap<BindingId, Value>>,
    let_tables: RefCell<FxHashMap<BindingId, Rc<Rows>>>,
    /// Sub-queries by the address of their plan: they are about no row, so one answer serves all rows.
    queries: RefCell<FxHashMap<*const Op, Rc<Rows>>>,
    key_sets: RefCell<FxHashMap<KeySetId, Rc<FxHashSet<Key>>>>,
    /// The rows that the body of `mv-apply` or `partition` works on, the innermost last.
    bodies: RefCell<Vec<Rows>>,
    /// Something looks at the rows before or after a row.
    pub(crate) order_counts: bool,
    /// Some filter looks at the text of the whole event.
    wants_event: bool,
    /// Tables of data from outside, by name.
    outside: RefCell<FxHashMap<&'static str, Rc<Vec<Row>>>>,
    random: Cell<u64>,
    /// Rows that were made so far, as in [`Answer`].
    work: Cell<u64>,
    /// Columns that only the run finds (`bag_unpack`, `pivot`): their ids follow those of the query.
    found: RefCell<Vec<(SmolStr, Type)>>,
}

/// A query with what holds for each of its runs: regular expressions are compiled once.
pub struct Prepared<'q> {
    query: &'q Query,
    regexes: Rc<Regexes>,
    order_counts: bool,
    wants_event: bool,
}

impl<'q> Prepared<'q> {
    pub fn new(query: &'q Query) -> Self {
        let (order_counts, wants_event) = (order_counts(query), wants_event(query));
        Self { query, regexes: Rc::default(), order_counts, wants_event }
    }

    /// Runs the query.
    ///
    /// # Errors
    /// Those of [`crate::evaluate`].
    pub fn run(&self, tables: &dyn Tables, options: Options) -> Result<Answer> {
        Evaluator::new(self, tables, options).answer()
    }
}

impl<'q> Evaluator<'q> {
    pub fn new(prepared: &Prepared<'q>, tables: &'q dyn Tables, options: Options) -> Self {
        Self {
            query: prepared.query,
            tables,
            options,
            regexes: Rc::clone(&prepared.regexes),
            chooser: Chooser::new(options.choice),
            lets: RefCell::default(),
            let_tables: RefCell::default(),
            queries: RefCell::default(),
            key_sets: RefCell::default(),
            bodies: RefCell::default(),
            order_counts: prepared.order_counts,
            wants_event: prepared.wants_event,
            outside: RefCell::default(),
            random: Cell::new(options.choice),
            work: Cell::new(0),
            found: RefCell::default(),
        }
    }

    pub fn answer(&self) -> Result<Answer> {
        let Rows { columns, mut rows } = self.rows(&self.query.plan)?;
        let mut wanted: Vec<ColId> = self.query.plan.output.to_vec();
        wanted.extend(columns.iter().filter(|id| **id != EVENT && self.is_found(**id)));
        if columns.as_ref() != wanted {
            let slots = Slots::new(&columns);
            let places: Vec<Option<usize>> = wanted.iter().map(|id| slots.get(*id)).collect();
            rows = rows.iter().map(|row| project::pick(row, &places)).collect();
        }
        Ok(Answer {
            columns: wanted.iter().map(|id| (self.column_name(*id), self.ty(*id))).collect(),
            rows,
            choices: self.chooser.taken(),
            work: self.work.get(),
        })
    }

    /// A new column that only the run knows.
    pub fn find_column(&self, name: SmolStr, ty: Type) -> ColId {
        let mut found = self.found.borrow_mut();
        found.push((name, ty));
        ColId(u32::try_from(self.query.columns.len() + found.len() - 1).unwrap_or(u32::MAX))
    }

    /// Whether a column is none of the query's: found when run, or the text of the event.
    pub fn is_found(&self, id: ColId) -> bool {
        id.0 as usize >= self.query.columns.len()
    }

    fn found_column(&self, id: ColId) -> Option<(SmolStr, Type)> {
        let place = (id.0 as usize).checked_sub(self.query.columns.len())?;
        self.found.borrow().get(place).cloned()
    }

    /// The name of a column of the query or of one that the run found.
    pub fn column_name(&self, id: ColId) -> SmolStr {
        self.found_column(id).map_or_else(|| self.name(id).into(), |(name, _)| name)
    }

    pub fn query(&self) -> &'q Query {
        self.query
    }

    pub fn tables(&self) -> &'q dyn Tables {
        self.tables
    }

    pub const fn options(&self) -> &Options {
        &self.options
    }

    pub fn regexes(&self) -> &Regexes {
        &self.regexes
    }

    pub const fn chooser(&self) -> &Chooser {
        &self.chooser
    }

    /// The type of a column.
    pub fn ty(&self, id: ColId) -> Type {
        self.found_column(id).map_or_else(|| self.query.columns.ty(id), |(_, ty)| ty)
    }

    pub fn name(&self, id: ColId) -> &'q str {
        self.query.columns.name(id)
    }

    pub fn known_let(&self, id: BindingId) -> Option<Value> {
        self.lets.borrow().get(&id).cloned()
    }

    pub fn keep_let(&self, id: BindingId, value: Value) {
        self.lets.borrow_mut().insert(id, value);
    }

    /// A table of data from outside, read once.
    pub fn outside(
        &self,
        table: &'static str,
        read: impl FnOnce() -> Result<Vec<Row>>,
    ) -> Result<Rc<Vec<Row>>> {
        if let Some(rows) = self.outside.borrow().get(table) {
            return Ok(Rc::clone(rows));
        }
        let rows = Rc::new(read()?);
        self.outside.borrow_mut().insert(table, Rc::clone(&rows));
        Ok(rows)
    }

    /// SplitMix64.
    pub fn next_random(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.random.set(state);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Fails where a step makes more rows than the run may hold.
    pub fn check_size(&self, rows: usize, span: Span) -> Result<()> {
        if rows <= self.options.max_rows {
            return Ok(());
        }
        let message = format!("this step makes more than {} rows", self.options.max_rows);
        Err(Fault::new(codes::EVAL_LIMIT, span, message)
            .help("filter before it, or run it with `--engine embedded`"))
    }

    /// The rows of a plan, its columns in the order of `plan.output`, maybe with the text of the event behind them.
    pub fn rows(&self, plan: &Plan) -> Result<Rows> {
        let mut chain = vec![plan];
        while let Some(input) = chain.last().and_then(|p| p.input()) {
            chain.push(input);
        }
        let mut rows: Option<Rows> = None;
        while let Some(step) = chain.pop() {
            let made = self.step(step, rows.take())?;
            self.check_size(made.rows.len(), step.span)?;
            let work = 1 + made.rows.len() as u64 * (1 + made.columns.len() as u64 / 8);
            self.work.set(self.work.get().saturating_add(work));
            rows = Some(made);
        }
        Ok(rows.unwrap_or_else(|| Rows { columns: plan.output.clone(), rows: Vec::new() }))
    }

    fn step(&self, plan: &Plan, input: Option<Rows>) -> Result<Rows> {
        let none = || Rows { columns: [].into(), rows: Vec::new() };
        let input = move || input.unwrap_or_else(none);
        match &*plan.op {
            Op::Scan(scan) => self.scan(plan, scan),
            Op::Ref(id) => self.let_rows(*id, plan),
            Op::Values(values) => self.values(plan, values),
            Op::Range(range) => self.range(plan, range),
            Op::Rows => {
                let bodies = self.bodies.borrow();
                let rows = bodies.last().cloned();
                rows.ok_or_else(|| {
                    Fault::new(codes::EVAL_UNSUPPORTED, plan.span, "a body outside of its operator")
                })
            }
            Op::Filter { input: _, predicate } => self.filter(input(), predicate),
            Op::Extend { input: _, items } | Op::Serialize { input: _, items } => {
                self.computed(plan, input(), items, true)
            }
            Op::Project { input: _, items } => self.computed(plan, input(), items, false),
            Op::Select { input: _, kind: _, items } => self.select(plan, input(), items),
            Op::Aggregate(a) => self.aggregate(plan, input(), a),
            Op::Distinct { input: _ } => Ok(self.distinct(input())),
            Op::Join(j) => self.join(plan, input(), j),
            Op::Union(u) => self.union(plan, u),
            Op::Sort { input: _, keys } => self.sort(plan, input(), keys),
            Op::Limit { input: source, count, kind } => self.limit(plan, input(), source, count, *kind),
            Op::Top { input: _, count, keys } => self.top(plan, input(), count, keys),
            Op::Expand(e) => self.expand(plan, input(), e),
            Op::Apply(a) => self.apply(plan, input(), a),
            Op::MakeSeries(m) => self.make_series(plan, input(), m),
            Op::Parse(p) => self.parse(plan, input(), p),
            Op::ParseKv(p) => self.parse_kv(plan, input(), p),
            Op::Partition { input: _, key, body } => self.partition(plan, input(), *key, body),
            Op::Sequence(s) => self.sequence(plan, input(), s),
            Op::TopNested(t) => self.top_nested(plan, input(), t),
            Op::Plugin(p) => plugins::run(self, plan, p, p.input.is_some().then(input)),
            Op::Search(s) => self.search(plan, s),
            Op::GetSchema { input: source } => Ok(self.schema(plan, source)),
            Op::Render { .. } => Ok(input()),
            Op::Opaque { opaque, .. } => Err(Fault::new(
                codes::EVAL_UNSUPPORTED,
                plan.span,
                format!("cannot run this: {}", opaque.reason),
            )),
        }
    }

    fn let_rows(&self, id: BindingId, plan: &Plan) -> Result<Rows> {
        let known = self.let_tables.borrow().get(&id).cloned();
        let rows = match known {
            Some(rows) => rows,
            None => {
                let binding = self.query.bindings.get(id.0 as usize).map(|b| &b.value);
                let Some(BindingValue::Table { plan: bound, materialized: _ }) = binding else {
                    return Err(Fault::new(
                        codes::EVAL_UNSUPPORTED,
                        plan.span,
                        "a value stands where a table is expected",
                    ));
                };
                let rows = Rc::new(self.rows(bound)?);
                self.let_tables.borrow_mut().insert(id, Rc::clone(&rows));
                rows
            }
        };
        Ok(self.renamed(plan, &rows))
    }

    /// The same rows under the ids of another plan; the text of the event goes with them.
    fn renamed(&self, plan: &Plan, rows: &Rows) -> Rows {
        let mut columns = plan.output.to_vec();
        columns.extend(rows.columns.iter().filter(|id| self.is_found(**id)));
        Rows { columns: columns.into(), rows: rows.rows.clone() }
    }

    /// The rows of a sub-query, which is about no row; computed once, unless it stands in a body over rows of its own.
    pub fn query_rows(&self, plan: &Plan) -> Result<Rc<Rows>> {
        let address = std::ptr::from_ref(&*plan.op);
        if let Some(rows) = self.queries.borrow().get(&address) {
            return Ok(Rc::clone(rows));
        }
        let rows = Rc::new(self.rows(plan)?);
        if !reads_body(plan) {
            self.queries.borrow_mut().insert(address, Rc::clone(&rows));
        }
        Ok(rows)
    }

    /// The values of a sub-query's first column as keys.
    pub fn key_set(&self, plan: &Plan, ty: Type, folded: bool) -> Result<Rc<FxHashSet<Key>>> {
        let address = (std::ptr::from_ref(&*plan.op), ty, folded);
        if let Some(keys) = self.key_sets.borrow().get(&address) {
            return Ok(Rc::clone(keys));
        }
        let rows = self.query_rows(plan)?;
        let has = plan.output.first().map_or(Type::Unknown, |id| self.ty(*id));
        let keys: FxHashSet<Key> = rows
            .rows
            .iter()
            .filter_map(|r| r.first())
            .filter_map(|value| {
                if folded {
                    return Some(Key::String(matching::fold(&shown(value)).into()));
                }
                let value = if ty == Type::String { filled(value.clone()) } else { value.clone() };
                let value = if has == ty || value.is_null() { value } else { crate::cast(&value, ty) };
                // Null equals nothing.
                (!value.is_null()).then(|| Key::new(&value, ty))
            })
            .collect();
        let keys = Rc::new(keys);
        if !reads_body(plan) {
            self.key_sets.borrow_mut().insert(address, Rc::clone(&keys));
        }
        Ok(keys)
    }

    /// Runs a body over rows.
    fn with_body<T>(&self, rows: Rows, run: impl FnOnce() -> Result<T>) -> Result<T> {
        self.bodies.borrow_mut().push(rows);
        let result = run();
        self.bodies.borrow_mut().pop();
        result
    }

    fn filter(&self, input: Rows, predicate: &Expr) -> Result<Rows> {
        let slots = Slots::new(&input.columns);
        let windows = Windows::of(self, &[predicate], &slots, &input.rows)?;
        let mut kept: Vec<Row> = Vec::new();
        for (n, row) in input.rows.iter().enumerate() {
            let scope = Scope { slots: &slots, row, windows: windows.as_ref().map(|w| (w, n)) };
            if self.holds(predicate, &scope)? {
                kept.push(Row::clone(row));
            }
        }
        Ok(Rows { columns: input.columns, rows: kept })
    }

    fn distinct(&self, input: Rows) -> Rows {
        let types: Vec<Type> = input.columns.iter().map(|id| self.ty(*id)).collect();
        let mut seen: FxHashSet<Vec<Key>> = FxHashSet::default();
        let rows = input.rows.into_iter();
        let rows =
            rows.filter(|row| seen.insert(row.iter().zip(&types).map(|(v, t)| Key::new(v, *t)).collect()));
        Rows { rows: rows.collect(), columns: input.columns }
    }

    /// `getschema`
    fn schema(&self, plan: &Plan, source: &Plan) -> Rows {
        let rows = source.output.iter().enumerate().map(|(i, id)| {
            let ty = self.ty(*id);
            let ordinal = i64::try_from(i).unwrap_or(i64::MAX);
            [
                Value::string(self.name(*id)),
                Value::Long(ordinal),
                Value::string(ty.clr_name()),
                Value::string(ty.name()),
            ]
            .into_iter()
            .collect()
        });
        Rows { columns: plan.output.clone(), rows: rows.collect() }
    }

    /// A whole number that an operator is told, `take` and its kind.
    fn count(&self, e: &Expr) -> Result<usize> {
        let value = self.constant(e)?;
        let n = value.as_long().or_else(|| value.as_real().map(|x| x as i64));
        match n {
            Some(n) => Ok(usize::try_from(n).unwrap_or(0)),
            None => Err(Fault::new(codes::EVAL_ARGUMENT, e.span, "a number of rows is expected")),
        }
    }

    /// `take`, `sample`: which rows is open unless the input is sorted.
    fn limit(
        &self,
        plan: &Plan,
        mut input: Rows,
        source: &Plan,
        count: &Expr,
        kind: ruleferry_ir::LimitKind,
    ) -> Result<Rows> {
        use ruleferry_ir::LimitKind;
        let wanted = self.count(count)?;
        match kind {
            LimitKind::SampleDistinct => input = self.distinct(input),
            LimitKind::Take | LimitKind::Sample => {}
        }
        if input.rows.len() > wanted && (kind != LimitKind::Take || !is_sorted(source)) {
            let by = self.chooser.rotation(ChoiceKind::Rows, plan.span, input.rows.len(), wanted);
            input.rows.rotate_left(by);
        }
        input.rows.truncate(wanted);
        Ok(input)
    }
}

/// Whether the order of a plan's rows was asked for.
pub(crate) fn is_sorted(plan: &Plan) -> bool {
    let mut at = Some(plan);
    while let Some(p) = at {
        match &*p.op {
            Op::Sort { .. } | Op::Top { .. } | Op::Range(_) | Op::Serialize { .. } | Op::Values(_) => {
                return true;
            }
            Op::Filter { input, .. }
            | Op::Extend { input, .. }
            | Op::Project { input, .. }
            | Op::Select { input, .. }
            | Op::Limit { input, .. }
            | Op::Render { input, .. } => at = Some(input),
            Op::Parse(p) => at = Some(&p.input),
            Op::ParseKv(p) => at = Some(&p.input),
            Op::Expand(e) => at = Some(&e.input),
            Op::Scan(_)
            | Op::Ref(_)
            | Op::Rows
            | Op::Aggregate(_)
            | Op::Distinct { .. }
            | Op::Join(_)
            | Op::Union(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Partition { .. }
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::Plugin(_)
            | Op::Search(_)
            | Op::GetSchema { .. }
            | Op::Opaque { .. } => return false,
        }
    }
    false
}

/// Whether a plan reads the rows of the body around it.
fn reads_body(plan: &Plan) -> bool {
    let mut found = false;
    plan.for_each_plan(&mut |p| found |= matches!(&*p.op, Op::Rows));
    found
}

/// Whether some test looks at the text of the whole event.
fn wants_event(query: &Query) -> bool {
    query.any_expr(&mut |e| matches!(&e.kind, ExprKind::Match(m) if matches!(m.subject, Subject::Event)))
}

/// Whether a step sees more than one row at a time in their order, so that ties of a sort show.
fn order_counts(query: &Query) -> bool {
    let mut counts = query.any_expr(&mut |e| matches!(&e.kind, ExprKind::Call(f, _) if f.has(Flags::WINDOW)));
    query.for_each_plan(&mut |plan| counts |= matches!(&*plan.op, Op::Sequence(_)));
    counts
}
