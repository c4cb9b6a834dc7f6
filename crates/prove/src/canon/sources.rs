//! Where rows come from: tables, named inputs, `let` tables, literal rows, ranges.
//!
//! In: a source of a plan. Out: its rows, columns named by what they are.

use super::plan::{Order, Rel};
use super::{Canon, Made};
use crate::block::{ScanKind, Source};
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::{self as ir, ArithmeticOp, BindingId, InputKind, Plan, Scan, Type};
use smol_str::SmolStr;

impl Canon<'_, '_> {
    pub(super) fn scan(&mut self, plan: &Plan, scan: &Scan) -> Made<Rel> {
        let (name, kind, qualifiers) = match &scan.source {
            ir::Source::Table(table) => (table.name.clone(), ScanKind::Table, table.qualifiers.clone()),
            ir::Source::Glob(glob) => (glob.clone(), ScanKind::Glob, Vec::new()),
            ir::Source::Input(input) => return self.outside_rows(plan, scan, input),
        };
        let source = Source::Scan { name, kind, qualifiers: qualifiers.into(), args: [].into(), over: None };
        let mut rel = self.table_columns(plan, scan, source);
        if let (Some(length), Some(time)) =
            (self.look_back, scan.time.and_then(|id| rel.columns.get(&id).copied()))
        {
            let back = self.arena.constant(Constant::Timespan(length.saturating_neg()));
            let now = self.now();
            let from = self.arithmetic(ArithmeticOp::Add, now, back, Type::Datetime)?;
            let late = self.strict(ir::CompareOp::Ge, time, from);
            self.push(&mut rel.draft, late)?;
        }
        Ok(rel)
    }

    pub fn table_columns(&mut self, plan: &Plan, scan: &Scan, source: Source) -> Rel {
        let mut rel = self.rel_of(source);
        rel.columns.reserve(plan.output.len());
        for id in plan.output.iter() {
            let name = SmolStr::new(self.query.columns.name(*id));
            let ty = self.query.columns.ty(*id);
            let term = self.arena.term(Term::Column { name, ty });
            rel.columns.insert(*id, term);
        }
        if scan.open {
            rel.events.push(self.arena.term(Term::Event));
        }
        rel
    }

    pub(super) fn outside_rows(&mut self, plan: &Plan, scan: &Scan, input: &ir::Input) -> Made<Rel> {
        let kind = match input.kind {
            InputKind::Table => "table",
            InputKind::Watchlist => "watchlist",
            InputKind::ExternalData => "externaldata",
            InputKind::Function => "function",
        };
        if let Some(over) = &input.over {
            return self.invoked(plan, input, over);
        }
        let scope = self.no_scope();
        let mut args = Vec::with_capacity(input.args.len());
        for arg in &input.args {
            args.push(self.value(arg, &scope)?);
        }
        let mut qualifiers: Vec<(SmolStr, SmolStr)> = vec![("kind".into(), kind.into())];
        qualifiers.extend(input.properties.iter().cloned());
        // External data is what its addresses say, read into the columns that are named.
        let external = input.kind == InputKind::ExternalData && !input.args.is_empty();
        let name = if external { SmolStr::default() } else { input.name.clone() };
        if external {
            let columns = plan
                .output
                .iter()
                .map(|id| format!("{}:{}", self.query.columns.name(*id), self.query.columns.ty(*id)));
            qualifiers.push(("columns".into(), columns.collect::<Vec<_>>().join(",").into()));
        }
        let source = Source::Scan {
            name,
            kind: ScanKind::Input,
            qualifiers: qualifiers.into(),
            args: args.into(),
            over: None,
        };
        Ok(self.table_columns(plan, scan, source))
    }

    pub(super) fn reference(&mut self, plan: &Plan, id: BindingId) -> Made<Rel> {
        self.used("inline-let");
        let Some(size) = self.tables.get(&id).map(|rel| rel.draft.size()) else {
            self.leave_out("a value stands where a table is expected");
            return Ok(self.no_scope());
        };
        self.count(size.saturating_mul(8))?;
        let Some(known) = self.tables.get(&id) else { return Ok(self.no_scope()) };
        let columns = plan.output.iter().zip(known.output.iter());
        let columns = columns.filter_map(|(new, old)| Some((*new, *known.columns.get(old)?))).collect();
        Ok(Rel {
            draft: known.draft.clone(),
            columns,
            output: plan.output.clone(),
            order: known.order.clone(),
            events: known.events.clone(),
            hidden: None,
        })
    }

    pub(super) fn values(&mut self, plan: &Plan, values: &ir::Values) -> Made<Rel> {
        let scope = self.no_scope();
        let mut rows: Vec<Vec<TermId>> = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let mut cells = Vec::with_capacity(plan.output.len());
            for e in row {
                cells.push(self.value(e, &scope)?);
            }
            // A call that makes several columns stands for all of them.
            if let ([call], true) = (cells.as_slice(), plan.output.len() > 1) {
                let call = *call;
                cells.clear();
                for (n, id) in plan.output.iter().enumerate() {
                    cells.push(self.part_of(call, n, *id));
                }
            }
            rows.push(cells);
        }
        let order = Order { keys: Vec::new(), natural: true };
        if let [row] = rows.as_slice() {
            let mut rel = self.no_scope();
            rel.columns = plan.output.iter().copied().zip(row.iter().copied()).collect();
            rel.order = order;
            return Ok(rel);
        }
        let rows = rows.into_iter().map(Box::from).collect();
        let mut rel = self.rel_of(Source::Values(rows));
        for (n, id) in plan.output.iter().enumerate() {
            let (name, ty) = (format!("${n}").into(), self.query.columns.ty(*id));
            let term = self.arena.term(Term::Column { name, ty });
            rel.columns.insert(*id, term);
        }
        rel.order = order;
        Ok(rel)
    }

    pub(super) fn range(&mut self, plan: &Plan, range: &ir::Range) -> Made<Rel> {
        let scope = self.no_scope();
        let args = [
            self.value(&range.from, &scope)?,
            self.value(&range.to, &scope)?,
            self.value(&range.step, &scope)?,
        ];
        let ty = plan.output.first().map_or(Type::Unknown, |id| self.query.columns.ty(*id));
        let qualifiers = [("type".into(), ty.name().into())].into();
        let source = Source::Scan {
            name: SmolStr::default(),
            kind: ScanKind::Range,
            qualifiers,
            args: args.into(),
            over: None,
        };
        let mut rel = self.rel_of(source);
        if let Some(id) = plan.output.first() {
            let term = self.arena.term(Term::Column { name: "$0".into(), ty });
            rel.columns.insert(*id, term);
        }
        rel.order.natural = true;
        Ok(rel)
    }
}
