//! Rows that a rule found against those that a test expects, as bags.

use super::read::Row as ExpectedRow;
use crate::execute::{Found, value_json};
use ruleferry_eval::{Definedness, Value};
use ruleferry_events::{Field, typed};
use ruleferry_ir::{Json, Type};
use serde_json::Value as Out;
use smol_str::SmolStr;

/// What differs; both empty: nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Difference {
    /// Rows that were expected and did not come: the first of them, and how many there are.
    pub missing: Vec<Out>,
    pub missing_count: usize,
    /// Rows that came and were not expected, likewise: the columns that the test speaks of.
    pub unexpected: Vec<Out>,
    pub unexpected_count: usize,
}

/// Rows of each side that are kept for showing.
const KEPT: usize = 200;

impl Difference {
    pub const fn is_empty(&self) -> bool {
        self.missing_count == 0 && self.unexpected_count == 0
    }
}

/// A column that is compared.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    pub name: SmolStr,
    pub ty: Type,
    /// Place in a found row.
    pub at: usize,
    pub definedness: Definedness,
}

/// An expected value in the type of its column; `None` in a row that does not speak of it.
pub(super) type Wanted = Vec<Option<Value>>;

/// Takes an expected row to the types of the columns. The places of values that do not fit come back as the error.
pub(super) fn wanted(row: &ExpectedRow, columns: &[Compared], all: bool) -> Wanted {
    columns
        .iter()
        .map(|c| match row.fields.iter().find(|(n, ..)| *n == c.name) {
            Some((_, field, _)) => Some(value(field, c.ty)),
            None if all => Some(Value::Null),
            None => None,
        })
        .collect()
}

fn value(field: &Field, ty: Type) -> Value {
    typed(field, ty).unwrap_or(Value::Null)
}

/// Compares the rows found with those that are wanted.
pub(super) fn difference(found: &Found, wanted: &[Wanted], columns: &[Compared]) -> Difference {
    let fits = |row: &ruleferry_eval::Row, want: &Wanted| {
        columns.iter().zip(want).all(|(c, want)| match want {
            None => true,
            Some(want) => row.get(c.at).is_some_and(|got| equal(got, want, c, found.text_is_never_null)),
        })
    };
    // Rows that speak of few columns may fit several: a matching decides, by augmenting paths.
    let mut owner: Vec<Option<usize>> = vec![None; found.rows.len()];
    let fitting: Vec<Vec<usize>> = wanted
        .iter()
        .map(|want| {
            found.rows.iter().enumerate().filter(|(_, row)| fits(row, want)).map(|(i, _)| i).collect()
        })
        .collect();
    let mut difference = Difference::default();
    for (n, want) in wanted.iter().enumerate() {
        let mut seen = vec![false; found.rows.len()];
        if !assign(n, &fitting, &mut owner, &mut seen) {
            difference.missing_count += 1;
            if difference.missing.len() < KEPT {
                difference.missing.push(shown_wanted(want, columns, found.text_is_never_null));
            }
        }
    }
    for (row, _) in found.rows.iter().zip(&owner).filter(|(_, o)| o.is_none()) {
        difference.unexpected_count += 1;
        if difference.unexpected.len() < KEPT {
            difference.unexpected.push(shown(row, columns, found));
        }
    }
    difference
}

/// Finds a row for the expected row `n`, moving others to rows of theirs that are free. Iterative, for long chains.
fn assign(n: usize, fitting: &[Vec<usize>], owner: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    // Each entry: an expected row, and how many of its fitting rows were tried; the row it would take is the last tried.
    let mut path: Vec<(usize, usize)> = vec![(n, 0)];
    while let Some((want, tried)) = path.last_mut() {
        let Some(row) = fitting.get(*want).and_then(|f| f.get(*tried)).copied() else {
            path.pop();
            continue;
        };
        *tried += 1;
        if seen.get(row).copied().unwrap_or(true) {
            continue;
        }
        if let Some(mark) = seen.get_mut(row) {
            *mark = true;
        }
        match owner.get(row).copied().flatten() {
            Some(other) => path.push((other, 0)),
            None => {
                for (want, tried) in path {
                    let row = tried.checked_sub(1).and_then(|i| fitting.get(want)?.get(i));
                    if let Some(slot) = row.and_then(|row| owner.get_mut(*row)) {
                        *slot = Some(want);
                    }
                }
                return true;
            }
        }
    }
    false
}

fn equal(got: &Value, want: &Value, column: &Compared, text_is_never_null: bool) -> bool {
    match (got, want) {
        (Value::Null, Value::Null) => true,
        (Value::Null, Value::String(s)) | (Value::String(s), Value::Null) => {
            s.is_empty() && text_is_never_null && column.ty == Type::String
        }
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::Dynamic(a), Value::Dynamic(b)) => {
            same_json(a, b, column.definedness == Definedness::ArrayOrder)
        }
        (Value::Real(a), Value::Real(b)) => near(*a, *b),
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Long(a), Value::Long(b)) => a == b,
        (Value::Decimal(a), Value::Decimal(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Datetime(a), Value::Datetime(b)) | (Value::Timespan(a), Value::Timespan(b)) => a == b,
        (Value::Guid(a), Value::Guid(b)) => a == b,
        // A value of another type than its column has: by what is shown.
        (a, b) => value_json(a) == value_json(b),
    }
}

/// Reals are computed, in an order that is not defined: the last digits are not compared.
fn near(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn same_json(a: &Json, b: &Json, any_order: bool) -> bool {
    match (a, b) {
        (Json::Array(a), Json::Array(b)) if any_order => {
            let mut left: Vec<&Json> = b.iter().collect();
            a.len() == b.len()
                && a.iter().all(|x| {
                    let at = left.iter().position(|y| same_json(x, y, true));
                    at.map(|at| left.swap_remove(at)).is_some()
                })
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same_json(x, y, any_order))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, x)| b.get(k).is_some_and(|y| same_json(x, y, any_order)))
        }
        (Json::Long(a), Json::Real(b)) | (Json::Real(b), Json::Long(a)) => near(*a as f64, *b),
        (Json::Real(a), Json::Real(b)) => near(*a, *b),
        // Times have no form of their own in YAML.
        (Json::Datetime(t), Json::String(s)) | (Json::String(s), Json::Datetime(t)) => {
            crate::time_of(s) == Some(*t)
        }
        (a @ Json::Timespan(_), b @ Json::String(_)) | (a @ Json::String(_), b @ Json::Timespan(_)) => {
            Field::of_json(a).shown() == Field::of_json(b).shown()
        }
        (a, b) => a == b,
    }
}

fn shown(row: &[Value], columns: &[Compared], found: &Found) -> Out {
    // Where the test names no column, all that hold something are shown.
    if columns.is_empty() {
        let named = row.iter().zip(&found.columns);
        let some = named.filter(|(v, _)| !v.is_null() && v.text() != Some(""));
        return Out::Object(some.map(|(v, (n, _))| (n.to_string(), value_json(v))).collect());
    }
    let values = columns.iter().filter_map(|c| {
        let value = row.get(c.at)?;
        Some((c.name.to_string(), value_json(&found.value(value, c.ty))))
    });
    Out::Object(values.collect())
}

fn shown_wanted(want: &Wanted, columns: &[Compared], text_is_never_null: bool) -> Out {
    let values = columns.iter().zip(want).filter_map(|(c, want)| {
        let want = want.as_ref()?;
        let empty = want.is_null() && c.ty == Type::String && text_is_never_null;
        Some((c.name.to_string(), if empty { Out::from("") } else { value_json(want) }))
    });
    Out::Object(values.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_matching_is_found_where_greed_fails() {
        // The first could take both rows, the second only one of them.
        let fitting = [vec![0, 1], vec![0], vec![1, 2]];
        let mut owner = vec![None; 3];
        for n in 0..3 {
            assert!(assign(n, &fitting, &mut owner, &mut [false; 3]));
        }
        assert_eq!(owner, [Some(1), Some(0), Some(2)]);
    }
}
