//! What `hll()` and `tdigest()` make: a value from which the number of different values, or percentiles, can be read later,
//! and that can be merged with others.
//!
//! Kusto keeps estimates in a form of its own, which no query should look into. Here they are exact: a set of hashes and a
//! list of values with their weights, in a dynamic array so that they travel as Kusto's do.

use crate::Value;
use crate::compare::{Key, order};
use ruleferry_ir::{Json, Type};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const HLL: &str = "hll";
const DIGEST: &str = "tdigest";

/// Different values, by 64-bit hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hll(BTreeSet<i64>);

impl Hll {
    pub fn add(&mut self, value: &Value, ty: Type) {
        // The name of the kind keeps 1 and "1" apart.
        let mut text = String::new();
        let _ = write!(text, "{:?}", Key::new(value, ty));
        self.0.insert(xxhash_rust::xxh64::xxh64(text.as_bytes(), 0).cast_signed());
    }

    pub fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// The values that are in both.
    pub fn intersect(&mut self, other: &Self) {
        self.0.retain(|hash| other.0.contains(hash));
    }

    pub fn count(&self) -> i64 {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX)
    }

    pub fn to_value(&self) -> Value {
        let hashes = self.0.iter().map(|hash| Json::Long(*hash)).collect();
        Value::array(vec![Json::String(HLL.into()), Json::Array(hashes)])
    }

    /// None of what is no such value.
    pub fn of_value(value: &Value) -> Option<Self> {
        let [Json::String(tag), Json::Array(hashes)] = value.as_array()? else { return None };
        if tag != HLL {
            return None;
        }
        let hash = |json: &Json| if let Json::Long(n) = json { Some(*n) } else { None };
        hashes.iter().map(hash).collect::<Option<_>>().map(Self)
    }
}

/// Values with how often each one counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digest {
    /// After [`Self::sort`]: from low to high, each value once.
    entries: Vec<(Value, i64)>,
}

impl Digest {
    /// Null, NaN and weights that are not above zero do not count.
    pub fn add(&mut self, value: &Value, weight: i64) {
        let counts = !value.is_null() && !matches!(value, Value::Real(x) if x.is_nan()) && weight > 0;
        if counts {
            self.entries.push((value.clone(), weight));
        }
    }

    /// Has to stand between [`Self::add`] and what reads.
    pub fn sort(&mut self) {
        self.entries.sort_by(|a, b| order(&a.0, &b.0));
        self.entries.dedup_by(|next, kept| {
            let same = order(&next.0, &kept.0) == Ordering::Equal;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
    }

    pub fn merge(&mut self, other: &Self) {
        self.entries.extend(other.entries.iter().cloned());
        self.sort();
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many different values there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn total(&self) -> i64 {
        self.entries.iter().fold(0, |sum, (_, weight)| sum.saturating_add(*weight))
    }

    /// The value of the nearest rank: the first one at or below which `percent` of all values lie.
    pub fn percentile(&self, percent: f64) -> Option<&Value> {
        let exact = percent * self.total() as f64 / 100.0;
        // 99.9 % of 1000 is 999, whatever the last bit says.
        let whole = exact.round();
        let rank = if (exact - whole).abs() < 1e-9 * whole.max(1.0) { whole } else { exact.ceil() };
        let mut below = 0i64;
        for (value, weight) in &self.entries {
            below = below.saturating_add(*weight);
            if below as f64 >= rank {
                return Some(value);
            }
        }
        self.entries.last().map(|(value, _)| value)
    }

    /// How many values are not above `value`.
    pub fn rank(&self, value: &Value) -> i64 {
        let below = self.entries.iter().take_while(|(v, _)| order(v, value) != Ordering::Greater);
        below.fold(0, |sum, (_, weight)| sum.saturating_add(*weight))
    }

    pub fn to_value(&self) -> Value {
        let values = self.entries.iter().map(|(value, _)| value.to_json()).collect();
        let weights = self.entries.iter().map(|(_, weight)| Json::Long(*weight)).collect();
        Value::array(vec![Json::String(DIGEST.into()), Json::Array(values), Json::Array(weights)])
    }

    /// None of what is no such value.
    pub fn of_value(value: &Value) -> Option<Self> {
        let [Json::String(tag), Json::Array(values), Json::Array(weights)] = value.as_array()? else {
            return None;
        };
        if tag != DIGEST || values.len() != weights.len() {
            return None;
        }
        let mut digest = Self::default();
        for (value, weight) in values.iter().zip(weights) {
            let Json::Long(weight) = weight else { return None };
            digest.add(&plain(value)?, *weight);
        }
        digest.sort();
        Some(digest)
    }
}

/// The value that a dynamic one holds.
fn plain(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Bool(b) => Value::Bool(*b),
        Json::Long(n) => Value::Long(*n),
        Json::Real(x) => Value::Real(*x),
        Json::String(s) => Value::String(s.clone()),
        Json::Datetime(t) => Value::Datetime(*t),
        Json::Timespan(t) => Value::Timespan(*t),
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    })
}
