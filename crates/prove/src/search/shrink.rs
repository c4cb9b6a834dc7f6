//! From tables that show a difference to the fewest rows, columns and characters that still do.
//!
//! In: tables, and a test that runs both rules. Out: smaller tables. Each step is run again.

use ruleferry_eval::{MemoryTables, Row, Value};
use ruleferry_ir::Json;
use smol_str::SmolStr;

pub(super) struct Shrinker<'t> {
    pub shows: &'t mut dyn FnMut(&MemoryTables) -> bool,
    pub runs: u32,
    /// Short texts are made shorter, too.
    pub fine: bool,
}

/// `runs`: how often both rules may be run.
pub(super) fn shrunk(
    tables: MemoryTables,
    runs: u32,
    fine: bool,
    shows: &mut dyn FnMut(&MemoryTables) -> bool,
) -> MemoryTables {
    let mut shrinker = Shrinker { shows, runs, fine };
    let tables = shrinker.rows(tables);
    let tables = shrinker.columns(tables);
    let tables = shrinker.cells(tables);
    // Smaller values may need fewer rows; one row is the least.
    if tables.tables.values().map(|t| t.rows.len()).sum::<usize>() < 2 {
        return tables;
    }
    let tables = shrinker.rows(tables);
    shrinker.columns(tables)
}

impl Shrinker<'_> {
    fn try_on(&mut self, tables: &MemoryTables) -> bool {
        if self.runs == 0 {
            return false;
        }
        self.runs -= 1;
        (self.shows)(tables)
    }

    fn rows(&mut self, mut tables: MemoryTables) -> MemoryTables {
        let names: Vec<SmolStr> = tables.tables.keys().cloned().collect();
        for name in names {
            let count = |t: &MemoryTables| t.tables.get(&name).map_or(0, |t| t.rows.len());
            let mut step = count(&tables);
            while step > 0 {
                let mut at = 0;
                while at < count(&tables) {
                    let mut fewer = tables.clone();
                    if let Some(table) = fewer.tables.get_mut(&name) {
                        let end = (at + step).min(table.rows.len());
                        table.rows.drain(at..end);
                    }
                    if self.try_on(&fewer) {
                        tables = fewer;
                    } else {
                        at += step;
                    }
                }
                step /= 2;
            }
        }
        tables
    }

    /// Columns without values.
    fn columns(&mut self, mut tables: MemoryTables) -> MemoryTables {
        let names: Vec<SmolStr> = tables.tables.keys().cloned().collect();
        for name in names {
            let Some(table) = tables.tables.get(&name) else { continue };
            let used: Vec<usize> = (0..table.columns.len())
                .filter(|i| table.rows.iter().any(|r| r.get(*i).is_some_and(|v| !v.is_null())))
                .collect();
            // All that do not matter at once, most often.
            let mut open = vec![used];
            while let Some(group) = open.pop() {
                let fewer = with(&tables, &name, |row| {
                    row.iter()
                        .enumerate()
                        .map(|(i, v)| if group.contains(&i) { Value::Null } else { v.clone() })
                        .collect()
                });
                if self.try_on(&fewer) {
                    tables = fewer;
                } else if group.len() > 1 {
                    let half = group.len() / 2;
                    open.push(group.iter().skip(half).copied().collect());
                    open.push(group.iter().take(half).copied().collect());
                }
            }
        }
        tables
    }

    /// Single values: none, or a smaller one.
    fn cells(&mut self, mut tables: MemoryTables) -> MemoryTables {
        let mut places: Vec<(SmolStr, usize, usize)> = Vec::new();
        for (name, table) in &tables.tables {
            for (n, row) in table.rows.iter().enumerate().take(6) {
                let used = row.iter().enumerate().filter(|(_, v)| !v.is_null());
                places.extend(used.map(|(i, _)| (name.clone(), n, i)));
            }
        }
        for (name, n, i) in places {
            let value = |t: &MemoryTables| {
                t.tables.get(&name).and_then(|t| t.rows.get(n)).and_then(|r| r.get(i)).cloned()
            };
            let Some(old) = value(&tables) else { continue };
            // Of one row it is known that each value is needed.
            let alone = tables.tables.get(&name).is_some_and(|t| t.rows.len() == 1);
            for new in smaller(&old) {
                if alone && new.is_null() {
                    continue;
                }
                let mut next = tables.clone();
                put(&mut next, &name, n, i, new);
                if self.try_on(&next) {
                    tables = next;
                    break;
                }
            }
            if let Some(Value::String(text)) = value(&tables) {
                tables = self.text(tables, (&name, n, i), &text);
            }
        }
        tables
    }

    /// Leaves out parts of a text.
    fn text(
        &mut self,
        mut tables: MemoryTables,
        (name, n, i): (&SmolStr, usize, usize),
        text: &str,
    ) -> MemoryTables {
        let mut chars: Vec<char> = text.chars().collect();
        let (shortest, least, mut tries) = if self.fine { (8, 2, 40) } else { (16, 4, 24) };
        if chars.len() < shortest {
            return tables;
        }
        let mut step = chars.len() / 2;
        while step >= least && tries > 0 {
            let mut at = 0;
            while at < chars.len() && tries > 0 {
                tries -= 1;
                let shorter: Vec<char> = chars
                    .iter()
                    .enumerate()
                    .filter(|(k, _)| *k < at || *k >= at + step)
                    .map(|(_, c)| *c)
                    .collect();
                let mut next = tables.clone();
                put(&mut next, name, n, i, Value::string(shorter.iter().collect::<String>()));
                if !shorter.is_empty() && self.try_on(&next) {
                    tables = next;
                    chars = shorter;
                } else {
                    at += step;
                }
            }
            step /= 2;
        }
        tables
    }
}

fn smaller(value: &Value) -> Vec<Value> {
    match value {
        Value::Dynamic(json) => match &**json {
            Json::Object(map) => {
                let fewer = map.keys().map(|name| {
                    let mut map = map.clone();
                    map.shift_remove(name);
                    Value::dynamic(Json::Object(map))
                });
                [Value::Null].into_iter().chain(fewer).collect()
            }
            Json::Array(items) if items.len() > 1 => {
                vec![Value::Null, Value::array(items.iter().take(1).cloned().collect())]
            }
            Json::Null
            | Json::Bool(_)
            | Json::Long(_)
            | Json::Real(_)
            | Json::String(_)
            | Json::Datetime(_)
            | Json::Timespan(_)
            | Json::Array(_) => vec![Value::Null],
        },
        Value::Long(n) if *n > 1 => vec![Value::Null, Value::Long(1)],
        Value::String(s) if !s.is_empty() => vec![Value::Null, Value::string("a")],
        Value::Null => Vec::new(),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Long(_)
        | Value::Real(_)
        | Value::Decimal(_)
        | Value::String(_)
        | Value::Datetime(_)
        | Value::Timespan(_)
        | Value::Guid(_) => vec![Value::Null],
    }
}

fn with(tables: &MemoryTables, name: &SmolStr, change: impl Fn(&Row) -> Row) -> MemoryTables {
    let mut out = tables.clone();
    if let Some(table) = out.tables.get_mut(name) {
        table.rows = table.rows.iter().map(change).collect();
    }
    out
}

fn put(tables: &mut MemoryTables, name: &SmolStr, n: usize, i: usize, value: Value) {
    if let Some(row) = tables.tables.get_mut(name).and_then(|t| t.rows.get_mut(n)) {
        let mut values = row.to_vec();
        if let Some(slot) = values.get_mut(i) {
            *slot = value;
        }
        *row = values.into();
    }
}
