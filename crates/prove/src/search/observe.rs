//! One run of both rules over the same tables: does one alert on what the other does not?
//!
//! In: two rules, and tables. Out: [`Seen`]. A difference counts only if it is there whatever permitted choices are taken, and
//! not in columns that a choice decides.

use ruleferry_eval::{
    Answer, Choice, Definedness, Fault, Key, MemoryTables, Options, Prepared, Value, cast, undefined_columns,
};
use ruleferry_ir::{self as ir, Json, Trigger, Type};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// Rows that any one operator may make in a search.
const MAX_ROWS: usize = 20_000;
/// Choices that are tried where more than one answer is right.
const CHOICES: u64 = 5;

/// One rule, with what is known of its answers.
struct Side<'r> {
    rule: &'r ir::Rule,
    query: Prepared<'r>,
    defined: FxHashMap<SmolStr, Definedness>,
    rows_open: bool,
    silent: bool,
}

pub(super) struct Observer<'r> {
    a: Side<'r>,
    b: Side<'r>,
    now: i64,
}

/// What was seen on one set of tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub only_a: bool,
    pub only_b: bool,
    /// Rows that each returned.
    pub rows: (usize, usize),
    pub fault: Option<String>,
    /// What the runs have cost.
    pub work: u64,
}

/// What a run costs that ends in a fault: most often it made too many rows.
pub(super) const FAULT: u64 = MAX_ROWS as u64;

/// A column that both return: where, in which type it is compared, and whether arrays in it have an order.
struct Shared {
    name: SmolStr,
    a: usize,
    b: usize,
    ty: Type,
    set: bool,
}

impl<'r> Side<'r> {
    fn new(rule: &'r ir::Rule, other: &ir::Rule) -> Self {
        let (defined, rows_open) = undefined_columns(&rule.query);
        let names = rule.query.plan.output.iter().map(|id| SmolStr::new(rule.query.columns.name(*id)));
        let off = |r: &ir::Rule| r.envelope.enabled == Some(false);
        let query = Prepared::new(&rule.query);
        Self {
            rule,
            query,
            defined: names.zip(defined).collect(),
            rows_open,
            silent: off(rule) && !off(other),
        }
    }

    fn run(&self, tables: &MemoryTables, now: i64, choice: u64) -> Result<Answer, Fault> {
        let options =
            Options { now, look_back: self.rule.envelope.schedule.look_back, max_rows: MAX_ROWS, choice };
        self.query.run(tables, options)
    }

    /// Whether so many rows make an alert.
    fn alerts(&self, rows: usize) -> bool {
        if self.silent {
            return false;
        }
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        match &self.rule.envelope.trigger {
            None => rows > 0,
            Some(Trigger { operator, threshold }) => match operator.as_str() {
                "lt" => rows < *threshold,
                "eq" => rows == *threshold,
                "ne" => rows != *threshold,
                _ => rows > *threshold,
            },
        }
    }

    fn is(&self, name: &str, what: Definedness) -> bool {
        self.defined.get(name) == Some(&what)
    }
}

impl<'r> Observer<'r> {
    pub fn new(a: &'r ir::Rule, b: &'r ir::Rule, now: i64) -> Self {
        Self { a: Side::new(a, b), b: Side::new(b, a), now }
    }

    /// Rows of one of the rules alone, and what the run has cost.
    pub fn fires(&self, b: bool, tables: &MemoryTables) -> Result<(usize, u64), String> {
        let side = if b { &self.b } else { &self.a };
        side.run(tables, self.now, 0).map(|a| (a.rows.len(), a.work)).map_err(|f| f.to_string())
    }

    pub fn see(&self, tables: &MemoryTables) -> Seen {
        let run = |side: &Side<'_>, choice| side.run(tables, self.now, choice).map_err(|f| f.to_string());
        let (a, b) = match (run(&self.a, 0), run(&self.b, 0)) {
            (Ok(a), Ok(b)) => (a, b),
            (Err(fault), _) | (_, Err(fault)) => {
                return Seen { fault: Some(fault), work: FAULT, ..Seen::default() };
            }
        };
        let rows = (a.rows.len(), b.rows.len());
        let mut work = a.work + b.work;
        let shared = self.shared(&a, &b);
        let mut open: Vec<bool> = shared.iter().map(|c| self.is_open(c, (&a.choices, &b.choices))).collect();
        let first = self.differ(&a, &b, &shared, &open);
        if first == (false, false) {
            return Seen { rows, work, ..Seen::default() };
        }
        let chosen = !a.choices.is_empty() || !b.choices.is_empty() || self.a.rows_open || self.b.rows_open;
        if !chosen {
            return Seen { only_a: first.0, only_b: first.1, rows, fault: None, work };
        }
        work *= 1 + CHOICES;
        let more = |side: &Side<'_>, zero: Answer| -> Option<Vec<Answer>> {
            let mut all = vec![zero];
            for choice in 1..=CHOICES {
                all.push(side.run(tables, self.now, choice).ok()?);
            }
            Some(all)
        };
        let (Some(all_a), Some(all_b)) = (more(&self.a, a), more(&self.b, b)) else {
            return Seen { rows, work, ..Seen::default() };
        };
        // A column that a choice changes is one of which any value is right.
        for (at, column) in shared.iter().enumerate() {
            let varies = |all: &[Answer], place: usize| {
                let mut bags = all.iter().map(|answer| {
                    let mut keys: Vec<Key> =
                        answer.rows.iter().map(|r| key_of(r.get(place), column)).collect();
                    keys.sort();
                    keys
                });
                let zero = bags.next();
                bags.any(|b| Some(b) != zero)
            };
            if let Some(open) = open.get_mut(at) {
                *open |= varies(&all_a, column.a) || varies(&all_b, column.b);
            }
        }
        let (mut only_a, mut only_b) = (true, true);
        for a in &all_a {
            for b in &all_b {
                let (x, y) = self.differ(a, b, &shared, &open);
                only_a &= x;
                only_b &= y;
                if !only_a && !only_b {
                    return Seen { rows, work, ..Seen::default() };
                }
            }
        }
        Seen { only_a, only_b, rows, fault: None, work }
    }

    /// Whether another one's answer is one of those that are right over these tables.
    pub fn agrees(&self, tables: &MemoryTables, theirs: &Answer) -> Result<bool, String> {
        for choice in 0..=CHOICES {
            let own = self.a.run(tables, self.now, choice).map_err(|f| f.to_string())?;
            if self.a.rows_open && !own.rows.is_empty() {
                return Ok(true);
            }
            let shared = self.shared(&own, theirs);
            // Where a choice was made, what it decides is not compared.
            let chosen = !own.choices.is_empty();
            let open: Vec<bool> = shared
                .iter()
                .map(|c| {
                    chosen && !self.a.is(&c.name, Definedness::Exact) || self.is_open(c, (&own.choices, &[]))
                })
                .collect();
            if own.rows.len() == theirs.rows.len()
                && self.differ(&own, theirs, &shared, &open) == (false, false)
            {
                return Ok(true);
            }
            if !chosen {
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn is_open(&self, c: &Shared, choices: (&[Choice], &[Choice])) -> bool {
        let side = |side: &Side<'_>, choices: &[Choice]| {
            side.is(&c.name, Definedness::Open)
                || side.is(&c.name, Definedness::DataDependent) && !choices.is_empty()
        };
        side(&self.a, choices.0) || side(&self.b, choices.1)
    }

    /// The columns that both return: by name, else by name without its case.
    fn shared(&self, a: &Answer, b: &Answer) -> Vec<Shared> {
        let mut shared: Vec<Shared> = Vec::new();
        for (at, (name, ty)) in a.columns.iter().enumerate() {
            let exact = b.columns.iter().position(|(n, _)| n == name);
            let near = || {
                let own = a.columns.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).count();
                let mut found =
                    b.columns.iter().enumerate().filter(|(_, (n, _))| n.eq_ignore_ascii_case(name));
                match (found.next(), found.next(), own) {
                    (Some((i, _)), None, 1) => Some(i),
                    _ => None,
                }
            };
            let Some(other) = exact.or_else(near) else { continue };
            let of = b.columns.get(other).map_or(Type::Unknown, |c| c.1);
            let loose = |side: &Side<'_>, name: &str| {
                side.is(name, Definedness::ArrayOrder)
                    || side.is(name, Definedness::DataDependent)
                    || side.is(name, Definedness::Open)
            };
            let b_name = b.columns.get(other).map_or("", |c| c.0.as_str());
            shared.push(Shared {
                name: name.clone(),
                a: at,
                b: other,
                ty: common(*ty, of),
                set: loose(&self.a, name) || loose(&self.b, b_name),
            });
        }
        shared
    }

    /// Whether `a` returns what `b` does not, and the other way round.
    fn differ(&self, a: &Answer, b: &Answer, shared: &[Shared], open: &[bool]) -> (bool, bool) {
        let fires = (self.a.alerts(a.rows.len()), self.b.alerts(b.rows.len()));
        if !fires.0 || !fires.1 {
            return (fires.0 && !fires.1, fires.1 && !fires.0);
        }
        if shared.is_empty() {
            return (b.rows.is_empty() && !a.rows.is_empty(), a.rows.is_empty() && !b.rows.is_empty());
        }
        let wanted: Vec<&Shared> =
            shared.iter().zip(open).filter(|(_, open)| !**open).map(|(c, _)| c).collect();
        let mut counts: FxHashMap<Vec<Key>, i64> = FxHashMap::default();
        for row in &a.rows {
            *counts.entry(wanted.iter().map(|c| key_of(row.get(c.a), c)).collect()).or_default() += 1;
        }
        for row in &b.rows {
            *counts.entry(wanted.iter().map(|c| key_of(row.get(c.b), c)).collect()).or_default() -= 1;
        }
        let rest = |sign: i64| -> Vec<(&Vec<Key>, i64)> {
            let mut rest: Vec<_> =
                counts.iter().filter(|(_, n)| **n * sign > 0).map(|(k, n)| (k, n.abs())).collect();
            rest.sort();
            rest
        };
        let (more_a, more_b) = (rest(1), rest(-1));
        if more_a.is_empty() && more_b.is_empty() {
            return (false, false);
        }
        let reals = counts.keys().flatten().any(|k| matches!(k, Key::Real(_) | Key::Dynamic(_)));
        if reals { close_pairs(more_a, more_b) } else { (!more_a.is_empty(), !more_b.is_empty()) }
    }
}

/// Pairs rows that differ in the last digits of a real only: sums in another order. What is left over on each side.
fn close_pairs(a: Vec<(&Vec<Key>, i64)>, b: Vec<(&Vec<Key>, i64)>) -> (bool, bool) {
    let mut b = b;
    let mut left_a = false;
    for (row, mut count) in a {
        for (other, free) in &mut b {
            if count == 0 {
                break;
            }
            if *free > 0 && row.len() == other.len() && row.iter().zip(other.iter()).all(|(x, y)| close(x, y))
            {
                let taken = count.min(*free);
                count -= taken;
                *free -= taken;
            }
        }
        left_a |= count > 0;
    }
    (left_a, b.iter().any(|(_, free)| *free > 0))
}

fn close(a: &Key, b: &Key) -> bool {
    match (a, b) {
        (Key::Real(x), Key::Real(y)) => near(f64::from_bits(*x), f64::from_bits(*y)),
        (Key::Dynamic(x), Key::Dynamic(y)) => {
            x == y
                || match (ruleferry_eval::parse_json(x), ruleferry_eval::parse_json(y)) {
                    (Some(x), Some(y)) => close_json(&x, &y),
                    _ => false,
                }
        }
        _ => a == b,
    }
}

fn near(x: f64, y: f64) -> bool {
    x == y || x.is_nan() && y.is_nan() || (x - y).abs() <= 1e-9 * x.abs().max(y.abs())
}

fn close_json(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Real(x), Json::Real(y)) => near(*x, *y),
        (Json::Array(x), Json::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| close_json(x, y))
        }
        (Json::Object(x), Json::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| close_json(v, w)))
        }
        _ => a == b,
    }
}

/// The type in which values of two types are compared.
fn common(a: Type, b: Type) -> Type {
    if a == b {
        return a;
    }
    match (a, b) {
        (Type::Int | Type::Long, Type::Int | Type::Long) => Type::Long,
        (
            Type::Int | Type::Long | Type::Real | Type::Decimal,
            Type::Int | Type::Long | Type::Real | Type::Decimal,
        ) => Type::Real,
        (Type::Unknown, other) | (other, Type::Unknown) => other,
        _ => Type::String,
    }
}

fn key_of(value: Option<&Value>, column: &Shared) -> Key {
    let Some(value) = value else { return Key::Null };
    let value = match (value, column.ty) {
        (Value::Null, _) | (_, Type::Dynamic | Type::Unknown) => value.clone(),
        (value, ty) => cast(value, ty),
    };
    if column.set
        && let Value::Dynamic(json) = &value
    {
        return Key::new(&Value::dynamic(sorted(json)), column.ty);
    }
    Key::new(&value, column.ty)
}

/// Arrays without their order.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(ruleferry_eval::json_text);
            Json::Array(items)
        }
        Json::Object(map) => Json::Object(map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect()),
        Json::Null
        | Json::Bool(_)
        | Json::Long(_)
        | Json::Real(_)
        | Json::String(_)
        | Json::Datetime(_)
        | Json::Timespan(_) => json.clone(),
    }
}
