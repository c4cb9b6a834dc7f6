//! Rows for the tables of a query, from the constants that it tests their columns with.
//!
//! Half of the rows are made to pass the tests, the others miss them closely: another case, something added or cut off, one
//! more or less, a second before or after; and values that are null, empty, or of the shared pool that makes joins meet.

use crate::hints::{Hint, Hints, Step, Test, Tests};
use crate::random::Random;
use crate::route::NOW;
use crate::text::{TICKS_A_DAY, json_text};
use indexmap::IndexMap;
use ruleferry_eval::{MemoryTable, MemoryTables, Row, Value};
use ruleferry_ir::{CompareOp, Json, Type};
use rust_decimal::Decimal;
use smol_str::SmolStr;

const SECOND: i64 = 10_000_000;
const WORDS: &[&str] = &[
    "alpha",
    "Beta",
    "gamma",
    "10.0.0.5",
    "192.168.1.20",
    "host1",
    "user@example.com",
    "7",
    "alpha beta",
    "Ä-straße",
];
const AGES: &[i64] = &[
    0, 1, 2, 30, 59, 60, 61, 600, 1799, 3599, 3600, 3601, 7200, 18_000, 43_200, 86_399, 86_400, 86_401,
    200_000, 600_000, 604_800, 1_000_000, 1_209_600, 2_500_000,
];

/// Rows for every table of `hints`; `attempt` 0 is the first try, later ones make more rows that hit. `settled`: each join key
/// once in a table, and no time twice, so that little is left open to choice.
pub fn generate(hints: &Hints, seed: &str, attempt: u64, settled: bool) -> MemoryTables {
    let mut random = Random::of(seed, attempt);
    let tests = linked(hints);
    let count = if attempt == 0 { 40 } else { 60 };
    let mut tables = MemoryTables::default();
    for (name, columns) in &hints.tables {
        let makers: Vec<(Type, Node)> = columns
            .iter()
            .map(|(column, ty)| {
                (*ty, Node::new(tests.get(&(name.clone(), column.clone())).map_or(&[], Vec::as_slice)))
            })
            .collect();
        let mut rows: Vec<Row> = Vec::with_capacity(count);
        for n in 0..count {
            // A row like one before it, or a copy: groups of more than one.
            if n > 4 && random.percent(20) {
                let mut row = random.pick(&rows).to_vec();
                if random.percent(70) && !row.is_empty() {
                    let at = random.below(row.len());
                    let (ty, node) = &makers[at];
                    row[at] = node.value(*ty, &mut random, 70);
                }
                rows.push(row.into());
                continue;
            }
            let hit = match (random.below(10), attempt) {
                (0..5, _) => 97,
                (5..8, 0) => 80,
                (5..8, _) => 97,
                _ => 40,
            };
            let row = makers.iter().map(|(ty, node)| {
                let wide = makers.len() > 30 && node.is_free();
                if wide && random.percent(60) { Value::Null } else { node.value(*ty, &mut random, hit) }
            });
            rows.push(row.collect());
        }
        for (_, key) in hints.looked_up.iter().filter(|(t, _)| t == name) {
            if let Some(at) = columns.get_index_of(key) {
                let mut seen: Vec<String> = vec![String::new()];
                rows.retain(|row| {
                    let text = as_text(&row[at]).unwrap_or_default();
                    let new = !row[at].is_null() && !seen.contains(&text);
                    seen.push(text);
                    new
                });
            }
        }
        if settled {
            settle(hints, name, columns, &mut rows);
        }
        let columns = columns.iter().map(|(n, t)| (n.clone(), *t)).collect();
        tables.tables.insert(name.clone(), MemoryTable { columns, rows, events: None });
    }
    tables
}

fn settle(hints: &Hints, table: &SmolStr, columns: &IndexMap<SmolStr, Type>, rows: &mut Vec<Row>) {
    let places =
        hints.links.iter().flat_map(|(a, b)| [a, b]).filter(|p| p.table == *table && p.path.is_empty());
    let keys: Vec<usize> = places.filter_map(|p| columns.get_index_of(&p.column)).collect();
    for key in keys {
        let mut seen: Vec<String> = Vec::new();
        rows.retain(|row| {
            let text = as_text(&row[key]).unwrap_or_default();
            let new = !seen.contains(&text);
            seen.push(text);
            new
        });
    }
    for (n, row) in rows.iter_mut().enumerate() {
        let later = i64::try_from(n).unwrap_or(0) * 10;
        let moved = row.iter().map(|v| match v {
            Value::Datetime(t) => Value::Datetime(t + later),
            other => other.clone(),
        });
        *row = moved.collect();
    }
}

/// The tests with those of the columns that a column is joined with.
fn linked(hints: &Hints) -> Tests {
    let mut tests = hints.tests.clone();
    for _ in 0..2 {
        for (a, b) in &hints.links {
            for (from, to) in [(a, b), (b, a)] {
                let known = tests.get(&(from.table.clone(), from.column.clone()));
                let values: Vec<Value> = known
                    .into_iter()
                    .flatten()
                    .filter(|(path, h)| *path == from.path && !h.negated && h.test == Test::Equals)
                    .flat_map(|(_, h)| h.values.iter().take(6).cloned())
                    .collect();
                let into = tests.entry((to.table.clone(), to.column.clone())).or_default();
                // The path must be there, and its values from the shared pool.
                let hint = Hint { test: Test::Equals, values, negated: false };
                let same = |h: &Hint| h.test == Test::Equals && h.values.len() == hint.values.len();
                if into.len() < 200 && !into.iter().any(|(p, h)| *p == to.path && same(h)) {
                    into.push((to.path.clone(), hint));
                }
            }
        }
    }
    tests
}

/// What is known of a value: its tests, and what is inside of it.
#[derive(Debug, Default)]
struct Node {
    tests: Vec<Hint>,
    members: IndexMap<SmolStr, Node>,
    elements: Option<Box<Node>>,
    length: usize,
}

impl Node {
    fn new(tests: &[(Vec<Step>, Hint)]) -> Self {
        let mut root = Self::default();
        for (path, hint) in tests {
            root.add(path, hint);
        }
        root
    }

    fn add(&mut self, path: &[Step], hint: &Hint) {
        match path.split_first() {
            None => self.tests.push(hint.clone()),
            Some((Step::Name(name), rest)) => self.members.entry(name.clone()).or_default().add(rest, hint),
            Some((Step::At(n), rest)) => {
                self.length = self.length.max(n + 1);
                self.elements.get_or_insert_default().add(rest, hint);
            }
            Some((Step::Each, rest)) => self.elements.get_or_insert_default().add(rest, hint),
        }
    }

    fn is_free(&self) -> bool {
        self.tests.is_empty() && !self.is_nested()
    }

    fn is_nested(&self) -> bool {
        !self.members.is_empty() || self.elements.is_some()
    }

    /// A value of a column; `hit`: how likely it passes the tests, in percent.
    fn value(&self, ty: Type, random: &mut Random, hit: usize) -> Value {
        let nested = self.is_nested();
        if ty == Type::Dynamic {
            if random.percent(5) {
                return Value::Null;
            }
            return Value::dynamic(self.json(random, hit, 0));
        }
        if nested
            && matches!(ty, Type::String | Type::Unknown)
            && (self.tests.is_empty() || random.percent(60))
        {
            return match random.below(20) {
                0 => Value::string("no JSON {"),
                1 => Value::EMPTY,
                _ => Value::string(json_text(&self.json(random, hit, 0))),
            };
        }
        self.scalar(ty, random, hit)
    }

    fn json(&self, random: &mut Random, hit: usize, depth: usize) -> Json {
        if depth > 12 {
            return Json::Null;
        }
        if self.is_nested() && !random.percent(4) {
            // Both an array and an object where both are asked for: one of them.
            if self.elements.is_some() && (self.members.is_empty() || random.percent(50)) {
                let count = if random.percent(8) { 0 } else { self.length.max(1 + random.below(2)) };
                let inner = self.elements.as_deref();
                return Json::Array(
                    (0..count)
                        .map(|_| inner.map_or(Json::Null, |n| n.json(random, hit, depth + 1)))
                        .collect(),
                );
            }
            let members = self.members.iter().filter_map(|(name, node)| {
                if random.percent(if hit > 90 { 2 } else { 12 }) {
                    return None;
                }
                Some((name.clone(), node.json(random, hit, depth + 1)))
            });
            return Json::Object(members.collect());
        }
        if self.tests.iter().all(|t| t.values.is_empty()) {
            return match random.below(8) {
                0 => Json::Null,
                1 => Json::Array(vec![
                    Json::String((*random.pick(WORDS)).into()),
                    Json::String("alpha".into()),
                ]),
                2 => Json::Object(
                    [("alpha".into(), Json::Long(1)), ("b".into(), Json::String("x".into()))]
                        .into_iter()
                        .collect(),
                ),
                3 => Json::Long(random.below(12) as i64),
                _ => Json::String((*random.pick(WORDS)).into()),
            };
        }
        let ty = self.tests.iter().flat_map(|t| &t.values).find_map(type_of).unwrap_or(Type::String);
        match self.scalar(ty, random, hit) {
            Value::Datetime(t) => Json::String(crate::conformance::moment(t).into()),
            value => value.to_json(),
        }
    }

    fn scalar(&self, ty: Type, random: &mut Random, hit: usize) -> Value {
        if random.percent(if hit > 90 { 2 } else { 8 }) {
            return Value::Null;
        }
        let good = random.percent(hit);
        match ty {
            Type::Bool => {
                let wanted = self
                    .tests
                    .iter()
                    .find(|t| !t.negated)
                    .and_then(|t| t.values.first())
                    .and_then(Value::as_bool);
                Value::Bool(if good {
                    wanted.unwrap_or_else(|| random.percent(50))
                } else {
                    random.percent(50)
                })
            }
            Type::Int | Type::Long => {
                let n =
                    self.ordered(random, good, 1, &[0, 1, 2, 3, 5, 7, 10, 80, 443, 3389, 4624, -1], |v| {
                        v.as_long().or_else(|| v.as_real().map(|x| x as i64))
                    });
                if ty == Type::Int {
                    Value::Int(i32::try_from(n).unwrap_or(i32::MAX))
                } else {
                    Value::Long(n)
                }
            }
            Type::Real => {
                // In thousandths, so that bounds are met exactly.
                let n = self.ordered(random, good, 1000, &[0, 500, 1000, 1500, 10_000, -2500, 99_000], |v| {
                    v.as_real().map(|x| (x * 1000.0) as i64)
                });
                Value::Real(n as f64 / 1000.0)
            }
            Type::Decimal => Value::Decimal(Decimal::new(random.below(100_000) as i64, 2)),
            Type::Datetime => {
                let ages: Vec<i64> = AGES.iter().map(|a| NOW - a * SECOND).collect();
                Value::Datetime(self.ordered(random, good, SECOND, &ages, Value::as_ticks))
            }
            Type::Timespan => {
                let spans = [0, SECOND, 60 * SECOND, 3600 * SECOND, TICKS_A_DAY, -SECOND];
                Value::Timespan(self.ordered(random, good, SECOND, &spans, Value::as_ticks))
            }
            Type::Guid => {
                Value::Guid(u128::from(random.number() % 6) + 0x1111_2222_3333_4444_5555_6666_7777_8880)
            }
            Type::Dynamic | Type::String | Type::Unknown => Value::string(self.string(random, good)),
        }
    }

    /// A number or a time: a bound, or near one; if `good`, that of them which passes most tests.
    fn ordered(
        &self,
        random: &mut Random,
        good: bool,
        step: i64,
        pool: &[i64],
        read: impl Fn(&Value) -> Option<i64>,
    ) -> i64 {
        let tests: Vec<(Test, Vec<i64>, bool)> = self
            .tests
            .iter()
            .map(|t| (t.test, t.values.iter().filter_map(&read).collect::<Vec<i64>>(), t.negated))
            .filter(|(_, vs, _)| !vs.is_empty())
            .collect();
        let mut all: Vec<i64> = tests
            .iter()
            .flat_map(|(_, vs, _)| vs.iter())
            .flat_map(|v| [*v, v.saturating_add(step), v.saturating_sub(step)])
            .collect();
        all.extend_from_slice(pool);
        if !good || tests.is_empty() {
            return *random.pick(&all);
        }
        let passes = |n: i64| {
            let holds = |(test, vs, negated): &&(Test, Vec<i64>, bool)| {
                let any = vs.iter().any(|v| match test {
                    Test::Order(CompareOp::Lt) => n < *v,
                    Test::Order(CompareOp::Le) => n <= *v,
                    Test::Order(CompareOp::Gt) => n > *v,
                    Test::Order(CompareOp::Ge) => n >= *v,
                    Test::Order(CompareOp::Ne) => n != *v,
                    _ => n == *v,
                });
                any != *negated
            };
            tests.iter().filter(holds).count()
        };
        let best = all.iter().map(|n| passes(*n)).max().unwrap_or(0);
        let good: Vec<i64> = all.into_iter().filter(|n| passes(*n) == best).collect();
        *random.pick(&good)
    }

    fn string(&self, random: &mut Random, good: bool) -> String {
        let texts = |t: &Hint| -> Vec<String> { t.values.iter().filter_map(as_text).collect() };
        if let Some(patterns) = self.tests.iter().find(|t| t.test == Test::Regex) {
            return random.pick(&texts(patterns)).clone();
        }
        let of = |wanted: &[Test]| -> Vec<Vec<String>> {
            let tests = self.tests.iter().filter(|t| !t.negated && wanted.contains(&t.test));
            tests.map(texts).filter(|v| !v.is_empty()).collect()
        };
        let text = if good {
            let (equals, patterns) = (of(&[Test::Equals]), of(&[Test::Pattern]));
            let (starts, ends, contains) = (of(&[Test::Starts]), of(&[Test::Ends]), of(&[Test::Contains]));
            let parts = starts.len() + ends.len() + contains.len() + patterns.len();
            if !equals.is_empty() && (parts == 0 || random.percent(50)) {
                let group = random.pick(&equals).clone();
                random.pick(&group).clone()
            } else if parts > 0 {
                let mut out = String::new();
                if !starts.is_empty() {
                    let group = random.pick(&starts).clone();
                    out.push_str(random.pick(&group).as_str());
                }
                // Those of one test alone, or of all: an `and` wants them all, an `or` one.
                let all = random.percent(60);
                let inner: Vec<Vec<String>> = contains.into_iter().chain(patterns).collect();
                let one = random.below(inner.len());
                for (i, group) in inner.iter().enumerate().filter(|(i, _)| all || *i == one).take(12) {
                    if i > 0 && !out.is_empty() {
                        out.push(' ');
                    }
                    out.push_str(random.pick(group).as_str());
                }
                if !ends.is_empty() {
                    let group = random.pick(&ends).clone();
                    out.push_str(random.pick(&group).as_str());
                }
                out
            } else {
                (*random.pick(WORDS)).to_owned()
            }
        } else {
            let all: Vec<String> = self.tests.iter().flat_map(texts).collect();
            if all.is_empty() || random.percent(25) {
                (*random.pick(WORDS)).to_owned()
            } else {
                random.pick(&all).clone()
            }
        };
        // DuckDB's texts hold no NUL.
        let text = text.replace('\0', "0");
        if good && random.percent(75) { text } else { near(&text, random) }
    }
}

/// The text, or one that is nearly it.
fn near(text: &str, random: &mut Random) -> String {
    match random.below(12) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        2 => format!("x{text}"),
        3 => format!("{text}x"),
        4 => format!("a {text} b"),
        5 => format!("({text})"),
        6 => format!("{text}1"),
        7 => format!("_{text}_"),
        8 => text.chars().skip(1).collect(),
        9 => text
            .char_indices()
            .map(|(i, c)| if i % 2 == 0 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect(),
        10 => String::new(),
        _ => text.to_owned(),
    }
}

fn type_of(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Null | Value::Dynamic(_) => return None,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) | Value::Long(_) => Type::Long,
        Value::Real(_) | Value::Decimal(_) => Type::Real,
        Value::String(_) | Value::Guid(_) => Type::String,
        Value::Datetime(_) => Type::Datetime,
        Value::Timespan(_) => Type::Timespan,
    })
}

fn as_text(value: &Value) -> Option<String> {
    match ruleferry_eval::cast(value, Type::String) {
        Value::String(s) => Some(s.to_string()),
        _ => None,
    }
}
