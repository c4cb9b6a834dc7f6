//! The aggregates of the catalogue.
//!
//! In: the values of each argument, one for each row of a group. Out: the value of each column that the aggregate makes.
//! Nulls do not count, and a missing string is the empty one, which does. What no values at all give is the table on Kusto's
//! page "summarize operator": 0 for counts, sums and variances, an empty array for lists and sets, else null.

mod counts;
mod lists;
mod numbers;
mod percentiles;
mod schema;

use crate::Value;
use crate::choice::Chooser;
use crate::fault::Result;
use crate::functions::Call;
use ruleferry_ir::Type;

/// One group of rows.
pub(crate) struct Group<'g> {
    /// Types and places of the arguments; `call.ty` is the type of the first column.
    pub call: Call<'g>,
    /// The values of each argument, one for each row.
    pub args: &'g [Vec<Value>],
    /// Rows in the group (also where there are no arguments).
    pub count: usize,
    pub chooser: &'g Chooser,
    /// How many columns are wanted.
    pub columns: usize,
}

/// An aggregate: one value for each of its columns.
pub(crate) type AggregateFn = fn(&Group<'_>) -> Result<Vec<Value>>;

/// One family of aggregates: names as in the IR's catalogue.
type Table = &'static [(&'static str, AggregateFn)];

static TABLES: &[Table] = &[counts::TABLE, lists::TABLE, numbers::TABLE, percentiles::TABLE, schema::TABLE];

/// Aggregates that the IR has nodes for: `plan::aggregate` computes them.
const NODES: [&str; 4] = ["arg_max", "arg_min", "take_any", "take_anyif"];

pub(crate) fn find(name: &str) -> Option<AggregateFn> {
    TABLES.iter().flat_map(|t| t.iter()).find(|(n, _)| *n == name).map(|(_, f)| *f)
}

pub(crate) fn is_implemented(name: &str) -> bool {
    NODES.contains(&name) || find(name).is_some()
}

/// What an estimate is exact for: up to so many values no engine is far off, above it answers may differ.
const EXACT_VALUES: usize = 100;

static NO_TEXT: Value = Value::EMPTY;
static NOTHING: Value = Value::Null;

impl Group<'_> {
    /// The place of the condition of an `…if` aggregate.
    fn condition(&self) -> Option<usize> {
        let name = self.call.name;
        if !name.ends_with("if") {
            return None;
        }
        Some(match name {
            "countif" => 0,
            "covarianceif" | "covariancepif" => 2,
            _ => 1,
        })
    }

    /// The numbers of the rows that count: those of which the condition, if there is one, is true.
    fn kept(&self) -> impl Iterator<Item = usize> {
        let condition = self.condition().map(|place| self.column(place));
        (0..self.count).filter(move |i| {
            condition.is_none_or(|values| values.get(*i).and_then(Value::as_bool) == Some(true))
        })
    }

    fn column(&self, place: usize) -> &[Value] {
        self.args.get(place).map_or(&[], Vec::as_slice)
    }

    /// The values of the first argument in rows that count, nulls among them.
    fn all_values(&self) -> impl Iterator<Item = &Value> {
        let values = self.column(0);
        let missing = if self.call.arg_type(0) == Type::String { &NO_TEXT } else { &NOTHING };
        self.kept().map(move |i| values.get(i).filter(|v| !v.is_null()).unwrap_or(missing))
    }

    /// The values of the first argument that count.
    fn values(&self) -> impl Iterator<Item = &Value> {
        self.all_values().filter(|v| !v.is_null())
    }

    /// A constant argument; none of no rows.
    fn constant(&self, place: usize) -> Option<&Value> {
        self.column(place).first()
    }

    /// The optional constant behind the value and the condition.
    fn option(&self) -> Option<&Value> {
        self.constant(self.condition().map_or(1, |place| place + 1))
    }
}

fn one(value: Value) -> Result<Vec<Value>> {
    Ok(vec![value])
}
