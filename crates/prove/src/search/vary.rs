//! Tables that are nearly those given: one value changed, one row more or less.
//!
//! In: tables. Out: others, the most telling first.

use super::random::Random;
use super::wish::{shifted, text_of};
use ruleferry_eval::{MemoryTables, Row, Value, cast};
use ruleferry_ir::{Json, TICKS_PER_SECOND, Type};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// Values near to one: the same in another case, a character more or less, one more, a tick later, none, empty.
pub(super) fn near(value: &Value, ty: Type) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    match value {
        Value::Null => return out,
        Value::Dynamic(json) => match &**json {
            Json::String(s) => out.extend(texts(s).into_iter().map(|s| Value::dynamic(Json::String(s)))),
            Json::Object(map) => {
                for (name, inner) in map {
                    let mut less = map.clone();
                    less.shift_remove(name);
                    out.push(Value::dynamic(Json::Object(less)));
                    for other in near(&Value::of_json(inner), Type::Dynamic).into_iter().take(9) {
                        let mut changed = map.clone();
                        changed.insert(name.clone(), other.to_json());
                        out.push(Value::dynamic(Json::Object(changed)));
                    }
                }
                out.truncate(40);
            }
            Json::Array(items) => {
                out.push(Value::array(Vec::new()));
                if let Some(first) = items.first() {
                    for other in near(&Value::of_json(first), Type::Dynamic).into_iter().take(16) {
                        let mut changed = items.clone();
                        if let Some(slot) = changed.first_mut() {
                            *slot = other.to_json();
                        }
                        out.push(Value::array(changed));
                    }
                    let mut longer = items.clone();
                    longer.push(first.clone());
                    out.push(Value::array(longer.clone()));
                    // Two elements that are not the same.
                    if let Some(other) = near(&Value::of_json(first), Type::Dynamic).first()
                        && let Some(last) = longer.last_mut()
                    {
                        *last = other.to_json();
                        out.push(Value::array(longer));
                    }
                }
            }
            Json::Long(n) => out.extend([n + 1, n - 1, 0, -n].map(|n| Value::dynamic(Json::Long(n)))),
            Json::Real(x) => out.extend([x + 1.0, x - 1.0, 0.0].map(|x| Value::dynamic(Json::Real(x)))),
            Json::Bool(b) => out.push(Value::dynamic(Json::Bool(!b))),
            Json::Null | Json::Datetime(_) | Json::Timespan(_) => {}
        },
        Value::String(s) => {
            out.extend(texts(s).into_iter().map(Value::String));
            // JSON in a text: its members.
            if s.starts_with(['{', '['])
                && let Some(json) = ruleferry_eval::parse_json(s)
            {
                for other in near(&Value::dynamic(json), Type::Dynamic).into_iter().take(20) {
                    if let Value::Dynamic(json) = other {
                        out.push(Value::String(ruleferry_eval::json_text(&json)));
                    }
                }
            }
        }
        Value::Bool(b) => out.push(Value::Bool(!b)),
        Value::Datetime(_) | Value::Timespan(_) => {
            let day = 86_400 * TICKS_PER_SECOND;
            let steps = [
                1,
                -1,
                TICKS_PER_SECOND,
                -TICKS_PER_SECOND,
                3600 * TICKS_PER_SECOND,
                -3600 * TICKS_PER_SECOND,
                day,
                -day,
                -30 * day,
            ];
            out.extend(steps.into_iter().filter_map(|s| shifted(value, s)));
        }
        Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_) => {
            out.extend([1, -1, 2, -2, 100].into_iter().filter_map(|s| shifted(value, s)));
            out.push(cast(&Value::Long(0), ty));
        }
        Value::Guid(g) => out.push(Value::Guid(g ^ 1)),
    }
    out.push(Value::Null);
    if ty == Type::String && !text_of(value).is_empty() {
        out.push(Value::EMPTY);
    }
    out
}

fn texts(text: &str) -> Vec<SmolStr> {
    let swapped: String = text
        .chars()
        .map(|c| {
            if c.is_lowercase() {
                c.to_uppercase().next().unwrap_or(c)
            } else {
                c.to_lowercase().next().unwrap_or(c)
            }
        })
        .collect();
    let mut chars = text.chars();
    chars.next();
    let headless = chars.as_str().to_owned();
    let mut chars = text.chars();
    chars.next_back();
    let tailless = chars.as_str().to_owned();
    let middle = text.chars().count() / 2;
    let without: String = text.chars().enumerate().filter(|(i, _)| *i != middle).map(|(_, c)| c).collect();
    let doubled: String = text
        .chars()
        .enumerate()
        .flat_map(|(i, c)| [Some(c), (i == middle).then_some('q')])
        .flatten()
        .collect();
    let all = [
        swapped,
        text.to_uppercase(),
        text.to_lowercase(),
        format!("x{text}"),
        format!("{text}x"),
        headless,
        tailless,
        format!("a {text} b"),
        format!("a{text}b"),
        format!("/{text}/"),
        without,
        doubled,
        format!("{text} "),
        format!("-{text}"),
        format!("{text}-"),
        format!("{text}\n"),
        text.replace(' ', "  "),
        text.replace(['\\', '/'], ""),
    ];
    // An IPv4 address written as one of IPv6.
    let mapped = text.parse::<std::net::Ipv4Addr>().is_ok().then(|| format!("::ffff:{text}"));
    let mut out: Vec<SmolStr> = Vec::new();
    for t in mapped.into_iter().chain(all) {
        if t != text && !out.iter().any(|o| *o == t) {
            out.push(t.into());
        }
    }
    out
}

pub(super) fn changed(row: &Row, at: usize, value: Value) -> Row {
    let mut values = row.to_vec();
    if let Some(slot) = values.get_mut(at) {
        *slot = value;
    }
    values.into()
}

/// Columns of a table that have a value in some row, those with tests first.
fn used(tables: &MemoryTables, name: &str) -> Vec<usize> {
    let Some(table) = tables.tables.get(name) else { return Vec::new() };
    (0..table.columns.len())
        .filter(|i| table.rows.iter().any(|r| r.get(*i).is_some_and(|v| !v.is_null())))
        .collect()
}

/// Rows that differ from a row in one value.
pub(super) fn rows_near(row: &Row, types: &[Type]) -> Vec<Row> {
    let mut out = Vec::new();
    for (at, ty) in types.iter().enumerate() {
        if let Some(value) = row.get(at) {
            out.extend(near(value, *ty).into_iter().map(|v| changed(row, at, v)));
        }
    }
    out
}

fn rows_of<'t>(tables: &'t mut MemoryTables, name: &str) -> Option<&'t mut Vec<Row>> {
    tables.tables.get_mut(name).map(|t| &mut t.rows)
}

/// Two values of a type that no test asks for.
fn plain(ty: Type) -> Option<(Value, Value)> {
    let pair = |ty| Some((cast(&Value::Long(3), ty), cast(&Value::Long(8), ty)));
    match ty {
        Type::String => Some((Value::string("one"), Value::string("two"))),
        Type::Bool => Some((Value::TRUE, Value::FALSE)),
        Type::Int | Type::Long | Type::Real | Type::Decimal => pair(ty),
        Type::Guid => Some((Value::Guid(1), Value::Guid(2))),
        Type::Datetime | Type::Timespan | Type::Dynamic | Type::Unknown => None,
    }
}

/// Tables with constants, and values beside them, in the columns of their type; for a timespan times that far apart.
pub(super) fn with_constants(
    tables: &MemoryTables,
    constants: &[Value],
    mentioned: &FxHashSet<SmolStr>,
) -> Vec<MemoryTables> {
    let mut out: Vec<MemoryTables> = Vec::new();
    for (name, table) in &tables.tables {
        if table.rows.is_empty() {
            continue;
        }
        for (at, (column, ty)) in table.columns.iter().enumerate() {
            if !mentioned.contains(column) {
                continue;
            }
            for constant in constants {
                let mut edited = |edit: &dyn Fn(&mut Vec<Row>)| {
                    let mut next = tables.clone();
                    if let Some(rows) = rows_of(&mut next, name) {
                        edit(rows);
                    }
                    out.push(next);
                };
                match (constant, ty) {
                    (Value::Timespan(span), Type::Datetime) => {
                        let second = TICKS_PER_SECOND;
                        for by in [*span, span - second, span + second] {
                            edited(&|rows| {
                                let mut more: Vec<Row> = Vec::new();
                                for row in rows.iter().take(20) {
                                    for step in [by, by.saturating_mul(2)] {
                                        let value = row.get(at).and_then(|v| shifted(v, -step));
                                        more.extend(value.map(|v| changed(row, at, v)));
                                    }
                                }
                                rows.extend(more);
                            });
                            edited(&|rows| {
                                for row in rows.iter_mut() {
                                    if let Some(v) = row.get(at).and_then(|v| shifted(v, -by)) {
                                        *row = changed(row, at, v);
                                    }
                                }
                            });
                        }
                    }
                    (Value::String(_), Type::String)
                    | (
                        Value::Int(_) | Value::Long(_) | Value::Real(_),
                        Type::Int | Type::Long | Type::Real | Type::Decimal,
                    )
                    | (Value::Datetime(_), Type::Datetime)
                    | (Value::Timespan(_), Type::Timespan) => {
                        for value in std::iter::once(constant.clone()).chain(near(constant, *ty)).take(4) {
                            let value = cast(&value, *ty);
                            edited(&|rows| {
                                rows.iter_mut().for_each(|r| *r = changed(r, at, value.clone()));
                            });
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    out.truncate(400);
    out
}

/// Tables with rows added, doubled, left out, or with another value in one column. `mentioned`: names of columns that the
/// rules read; those that no test has filled get values, too, as they may tell groups apart.
pub(super) fn tables_near(tables: &MemoryTables, mentioned: &FxHashSet<SmolStr>) -> Vec<MemoryTables> {
    let mut out: Vec<MemoryTables> = Vec::new();
    let names: Vec<SmolStr> =
        tables.tables.iter().filter(|(_, t)| !t.rows.is_empty()).map(|(n, _)| n.clone()).collect();
    let edited = |name: &SmolStr, edit: &dyn Fn(&mut Vec<Row>)| {
        let mut next = tables.clone();
        if let Some(rows) = rows_of(&mut next, name) {
            edit(rows);
        }
        next
    };
    for name in &names {
        out.push(edited(name, &Vec::clear));
        out.push(edited(name, &|rows| {
            rows.pop();
        }));
        out.push(edited(name, &|rows| {
            if let Some(first) = rows.first().cloned() {
                rows.push(first);
            }
        }));
        out.push(edited(name, &|rows| {
            let copy = rows.clone();
            rows.extend(copy);
        }));
    }
    for name in &names {
        let Some(table) = tables.tables.get(name) else { continue };
        let used = used(tables, name);
        for (at, (column, ty)) in table.columns.iter().enumerate() {
            let Some((one, two)) = plain(*ty).filter(|_| mentioned.contains(column) && !used.contains(&at))
            else {
                continue;
            };
            out.push(edited(name, &|rows| {
                let copies: Vec<Row> = rows.iter().take(50).map(|r| changed(r, at, two.clone())).collect();
                rows.iter_mut().for_each(|r| *r = changed(r, at, one.clone()));
                rows.extend(copies);
            }));
        }
        for at in used {
            let ty = table.columns.get(at).map_or(Type::Unknown, |c| c.1);
            let Some(value) = table.rows.iter().filter_map(|r| r.get(at)).find(|v| !v.is_null()).cloned()
            else {
                continue;
            };
            let all = near(&value, ty);
            // A copy of the rows beside them that is another one in this column only.
            for other in all.iter().filter(|v| !v.is_null()).take(2).chain([&Value::Null]) {
                out.push(edited(name, &|rows| {
                    let copies: Vec<Row> =
                        rows.iter().take(50).map(|r| changed(r, at, other.clone())).collect();
                    rows.extend(copies);
                }));
                out.push(edited(name, &|rows| {
                    if let Some(first) = rows.first().map(|r| changed(r, at, other.clone())) {
                        rows.push(first);
                    }
                }));
            }
            for other in all {
                out.push(edited(name, &|rows| {
                    for row in rows.iter_mut().filter(|r| r.get(at).is_some_and(|v| !v.is_null())) {
                        *row = changed(row, at, other.clone());
                    }
                }));
            }
            // One of several rows alone, and each another value.
            if table.rows.len() > 1 {
                let some = near(&value, ty);
                for other in some.into_iter().take(6) {
                    out.push(edited(name, &|rows| {
                        if let Some(last) = rows.last_mut() {
                            *last = changed(last, at, other.clone());
                        }
                    }));
                }
                out.push(edited(name, &|rows| {
                    for (n, row) in rows.iter_mut().enumerate() {
                        let n = i64::try_from(n).unwrap_or(0);
                        let new = match row.get(at) {
                            Some(Value::String(s)) => Some(Value::string(format!("{s}{n}"))),
                            Some(v @ Value::Datetime(_)) => shifted(v, -n * 7 * TICKS_PER_SECOND),
                            Some(v) => shifted(v, n),
                            None => None,
                        };
                        if let Some(v) = new {
                            *row = changed(row, at, v);
                        }
                    }
                }));
                out.push(edited(name, &|rows| {
                    for row in rows.iter_mut() {
                        *row = changed(row, at, value.clone());
                    }
                }));
            }
        }
    }
    out
}

/// Tables with all rows that are near to the first one, in one table and in all of them.
pub(super) fn coverage(tables: &MemoryTables) -> Vec<MemoryTables> {
    let mut out: Vec<MemoryTables> = Vec::new();
    let mut all = tables.clone();
    for (name, table) in &tables.tables {
        let Some(first) = table.rows.first() else { continue };
        let types: Vec<Type> = table.columns.iter().map(|c| c.1).collect();
        let mut near = rows_near(first, &types);
        near.truncate(300);
        let mut one = tables.clone();
        for target in [&mut one, &mut all] {
            if let Some(rows) = rows_of(target, name) {
                rows.extend(near.iter().cloned());
            }
        }
        out.push(one);
    }
    out.push(all);
    out
}

/// Rows of several tables put together, some changed.
pub(super) fn mixed(pool: &[MemoryTables], random: &mut Random) -> Option<MemoryTables> {
    let mut out = pool.get(random.below(pool.len()))?.clone();
    for _ in 0..=random.below(3) {
        let other = pool.get(random.below(pool.len()))?;
        for (name, table) in &other.tables {
            if let Some(rows) = rows_of(&mut out, name)
                && rows.len() < 300
            {
                rows.extend(table.rows.iter().cloned());
            }
        }
    }
    for _ in 0..random.below(4) {
        let names: Vec<SmolStr> = out.tables.keys().cloned().collect();
        let Some(name) = names.get(random.below(names.len())) else { break };
        let columns = used(&out, name);
        let Some(table) = out.tables.get_mut(name) else { break };
        let Some(at) = columns.get(random.below(columns.len())).copied() else { continue };
        let ty = table.columns.get(at).map_or(Type::Unknown, |c| c.1);
        let place = random.below(table.rows.len());
        let Some(row) = table.rows.get(place).cloned() else { continue };
        let Some(value) = row.get(at) else { continue };
        let mut options = near(value, ty);
        // Or the value of another row.
        let donor = random.below(table.rows.len());
        options.extend(table.rows.get(donor).and_then(|r| r.get(at)).cloned());
        let take = random.below(options.len());
        if let Some(new) = options.into_iter().nth(take)
            && let Some(slot) = table.rows.get_mut(place)
        {
            *slot = changed(&row, at, new);
        }
        if random.percent(10) && table.rows.len() > 1 {
            let gone = random.below(table.rows.len());
            table.rows.remove(gone);
        }
    }
    Some(out)
}
