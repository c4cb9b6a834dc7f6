//! Where rows come from: tables, named inputs, literal rows, ranges.

use super::Evaluator;
use super::project::pick;
use crate::compare::{Key, compare};
use crate::fault::{Fault, Result};
use crate::rows::{EVENT, Row, Rows, Slots};
use crate::tables::Request;
use crate::{Value, number};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{ArithmeticOp, ColId, Expr, Input, InputKind, Plan, Range, Scan, Source, Type, Values};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::cmp::Ordering;

impl Evaluator<'_> {
    pub(super) fn scan(&self, plan: &Plan, scan: &Scan) -> Result<Rows> {
        match &scan.source {
            Source::Table(table) => {
                let rows = self.table(&table.name, InputKind::Table, plan)?;
                self.look_back(rows, scan.time)
            }
            Source::Glob(glob) => self.glob(plan, scan, glob),
            Source::Input(input) => match &input.over {
                Some(over) => self.invoked(plan, input, over),
                None => self.table(&input.name, input.kind, plan),
            },
        }
    }

    fn request(&self, name: &str, columns: &[ColId]) -> Result<Option<Rows>> {
        let asked: Vec<(SmolStr, Type)> =
            columns.iter().map(|id| (self.name(*id).into(), self.ty(*id))).collect();
        let event = self.wants_event;
        let rows = self.tables().scan(&Request { table: name, columns: &asked, event })?;
        let mut columns = columns.to_vec();
        if event {
            columns.push(EVENT);
        }
        Ok(rows.map(|rows| Rows { columns: columns.into(), rows }))
    }

    fn table(&self, name: &str, kind: InputKind, plan: &Plan) -> Result<Rows> {
        self.request(name, &plan.output)
            .map_err(|f| f.at(plan.span))?
            .ok_or_else(|| no_table(name, kind, plan.span))
    }

    /// Rows of the rule's look-back.
    fn look_back(&self, mut rows: Rows, time: Option<ColId>) -> Result<Rows> {
        let (Some(length), Some(time)) = (self.options().look_back, time) else { return Ok(rows) };
        let Some(place) = Slots::new(&rows.columns).get(time) else { return Ok(rows) };
        let from = self.options().now.saturating_sub(length);
        rows.rows.retain(|row| row.get(place).and_then(Value::as_ticks).is_some_and(|t| t >= from));
        Ok(rows)
    }

    /// Every table whose name fits: the columns that the query knows.
    fn glob(&self, plan: &Plan, scan: &Scan, glob: &str) -> Result<Rows> {
        let pattern = glob.split('*').map(::regex::escape).collect::<Vec<_>>().join(".*");
        let regex = self.regexes().get(&format!("^(?:{pattern})$"), true, plan.span)?;
        let mut all = Rows { columns: plan.output.clone(), rows: Vec::new() };
        for name in self.tables().names() {
            if regex.is_match(&name)
                && let Some(rows) = self.request(&name, &plan.output)?
            {
                let rows = self.look_back(rows, scan.time)?;
                all.columns = rows.columns;
                all.rows.extend(rows.rows);
            }
        }
        Ok(all)
    }

    /// `T | invoke FileProfile(SHA1)`: each row beside what the input has for its key.
    fn invoked(&self, plan: &Plan, input: &Input, over: &Plan) -> Result<Rows> {
        let left = self.rows(over)?;
        let slots = Slots::new(&left.columns);
        let key = input.args.iter().find_map(Expr::as_column);
        let key = key.or_else(|| over.output.iter().copied().find(|id| self.name(*id) == "SHA1"));
        let Some((key, place)) = key.and_then(|k| Some((k, slots.get(k)?))) else {
            let message = format!("`invoke {}` without a key column", input.name);
            return Err(Fault::new(codes::EVAL_UNSUPPORTED, plan.span, message)
                .help("give the column that the function looks up"));
        };
        let added: Vec<ColId> = plan.output.iter().copied().filter(|id| slots.get(*id).is_none()).collect();
        // The input names its key as the rows do.
        let wanted: Vec<ColId> = [key].into_iter().chain(added.iter().copied()).collect();
        let right = self.request(&input.name, &wanted)?;
        let right = right.ok_or_else(|| no_table(&input.name, input.kind, plan.span))?;
        let ty = self.ty(key);
        let mut by_key: FxHashMap<Key, &Row> = FxHashMap::default();
        for row in &right.rows {
            if let Some(value) = row.first() {
                by_key.entry(Key::new(value, ty)).or_insert(row);
            }
        }
        let all: Vec<ColId> = left.columns.iter().chain(&added).copied().collect();
        let slots = Slots::new(&all);
        let places: Vec<Option<usize>> = plan.output.iter().map(|id| slots.get(*id)).collect();
        let rows = left.rows.iter().map(|row| {
            let found = row.get(place).and_then(|v| by_key.get(&Key::new(v, ty)));
            let mut wide: Vec<Value> = row.to_vec();
            match found {
                Some(right) => wide.extend(right.iter().skip(1).take(added.len()).cloned()),
                None => wide.resize(all.len(), Value::Null),
            }
            pick(&wide, &places)
        });
        Ok(Rows { rows: rows.collect(), columns: plan.output.clone() })
    }

    /// `datatable`, `print`
    pub(super) fn values(&self, plan: &Plan, values: &Values) -> Result<Rows> {
        let mut rows: Vec<Row> = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let mut made: Vec<Value> = Vec::with_capacity(row.len());
            for e in row {
                let value = self.constant(e)?;
                // A call that makes several columns stands for all of them.
                if row.len() == 1 && plan.output.len() > 1 {
                    let parts = value.as_array().unwrap_or_default();
                    made.extend(plan.output.iter().enumerate().map(|(i, id)| {
                        let part = parts.get(i).map_or(Value::Null, Value::of_json);
                        if part.is_null() { part } else { crate::cast(&part, self.ty(*id)) }
                    }));
                } else {
                    made.push(value);
                }
            }
            rows.push(made.into());
        }
        Ok(Rows { columns: plan.output.clone(), rows })
    }

    /// `range x from a to b step s`: no rows where a bound is null or the step leads away.
    pub(super) fn range(&self, plan: &Plan, range: &Range) -> Result<Rows> {
        let (mut at, to) = (self.constant(&range.from)?, self.constant(&range.to)?);
        let step = self.constant(&range.step)?;
        let ty = plan.output.first().map_or(Type::Unknown, |id| self.ty(*id));
        if matches!(ty, Type::Int | Type::Long | Type::Real | Type::Decimal) {
            at = crate::cast(&at, ty);
        }
        let zero = match step {
            Value::Timespan(_) => Value::Timespan(0),
            _ => Value::Long(0),
        };
        let mut rows: Vec<Row> = Vec::new();
        let past = match compare(&step, &zero) {
            Some(Ordering::Greater) => Ordering::Greater,
            Some(Ordering::Less) => Ordering::Less,
            Some(Ordering::Equal) => {
                return Err(Fault::new(codes::EVAL_ARGUMENT, range.step.span, "the step of a range is zero"));
            }
            None => return Ok(Rows { columns: plan.output.clone(), rows }),
        };
        while let Some(order) = compare(&at, &to) {
            if order == past {
                break;
            }
            let next = number::arithmetic(ArithmeticOp::Add, &at, &step, ty);
            rows.push([at.clone()].into());
            self.check_size(rows.len(), plan.span)?;
            // At the edge of its type a number wraps: the range ends there.
            if compare(&next, &at) != Some(past) {
                break;
            }
            at = next;
        }
        Ok(Rows { columns: plan.output.clone(), rows })
    }
}

fn no_table(name: &str, kind: InputKind, span: Span) -> Fault {
    let what = match kind {
        InputKind::Table => "table",
        InputKind::Watchlist => "watchlist",
        InputKind::ExternalData => "external data",
        InputKind::Function => "function",
    };
    Fault::new(codes::EVAL_NO_TABLE, span, format!("no events are given for the {what} `{name}`"))
        .help(format!("give them with `--data {name}=FILE`; an empty file stands for an empty table"))
}
