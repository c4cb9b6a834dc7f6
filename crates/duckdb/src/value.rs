//! Rows as the engine returned them, and their form in JSON.
//!
//! Nothing is rounded or truncated on the way: integers are 128 bits wide, times count nanoseconds, decimals keep
//! their scale.

use serde::Serialize;
use serde_json::{Map, Number, Value as Json};
use std::fmt;

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    pub name: String,
    /// As DuckDB writes it: `BIGINT`, `VARCHAR`, `JSON`, `STRUCT(a INTEGER, b VARCHAR[])`.
    #[serde(rename = "type")]
    pub type_name: String,
}

/// A result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// The values of the first column with this name.
    pub fn column<'t>(&'t self, name: &str) -> Option<impl Iterator<Item = &'t Value> + use<'t>> {
        let index = self.columns.iter().position(|c| c.name == name)?;
        Some(self.rows.iter().filter_map(move |row| row.get(index)))
    }

    /// `{"columns": [{"name", "type"}], "rows": [[…]]}`.
    pub fn to_json(&self) -> Json {
        let columns = self.columns.iter().map(|c| {
            Json::Object(Map::from_iter([
                ("name".to_owned(), Json::from(c.name.as_str())),
                ("type".to_owned(), Json::from(c.type_name.as_str())),
            ]))
        });
        let rows = self.rows.iter().map(|row| row.iter().map(Value::to_json).collect::<Json>());
        Json::Object(Map::from_iter([
            ("columns".to_owned(), columns.collect::<Json>()),
            ("rows".to_owned(), rows.collect::<Json>()),
        ]))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Real(f64),
    Decimal {
        unscaled: i128,
        scale: u8,
    },
    /// Also the types that have only a textual form here: UUID, ENUM, TIME.
    Text(String),
    /// A text of the type JSON.
    Json(String),
    Blob(Vec<u8>),
    /// Nanoseconds since 1970-01-01 UTC; TIMESTAMP of every precision, with and without a time zone.
    Timestamp(i128),
    /// Days since 1970-01-01.
    Date(i32),
    Interval {
        months: i32,
        days: i32,
        micros: i64,
    },
    List(Vec<Value>),
    Struct(Vec<(String, Value)>),
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// Numbers that JSON cannot hold (not finite, wider than 64 bits, decimals) become strings; a JSON text becomes
    /// what it says; a map becomes an object, its keys as text.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Int(n) => json_integer(*n),
            Self::Real(r) => Number::from_f64(*r).map_or_else(|| Json::from(self.to_string()), Json::Number),
            Self::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text.as_str())),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Struct(fields) => {
                Json::Object(fields.iter().map(|(n, v)| (n.clone(), v.to_json())).collect())
            }
            Self::Map(entries) => {
                Json::Object(entries.iter().map(|(k, v)| (k.to_string(), v.to_json())).collect())
            }
            Self::Decimal { .. }
            | Self::Text(_)
            | Self::Blob(_)
            | Self::Timestamp(_)
            | Self::Date(_)
            | Self::Interval { .. } => Json::from(self.to_string()),
        }
    }
}

fn json_integer(n: i128) -> Json {
    match (i64::try_from(n), u64::try_from(n)) {
        (Ok(n), _) => Json::from(n),
        (_, Ok(n)) => Json::from(n),
        _ => Json::from(n.to_string()),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Real(r) => write!(f, "{r}"),
            Self::Decimal { unscaled, scale } => f.write_str(&decimal(*unscaled, *scale)),
            Self::Text(s) | Self::Json(s) => f.write_str(s),
            Self::Blob(bytes) => bytes.iter().try_for_each(|b| write!(f, "\\x{b:02X}")),
            Self::Timestamp(nanos) => timestamp(f, *nanos),
            Self::Date(days) => {
                let (year, month, day) = civil(i128::from(*days));
                write!(f, "{year:04}-{month:02}-{day:02}")
            }
            Self::Interval { months, days, micros } => interval(f, *months, *days, *micros),
            Self::List(_) | Self::Struct(_) | Self::Map(_) => write!(f, "{}", self.to_json()),
        }
    }
}

fn decimal(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// RFC 3339 in UTC with seven fractional digits (a tick of 100 ns), nine where the value needs them.
fn timestamp(f: &mut fmt::Formatter<'_>, nanos: i128) -> fmt::Result {
    const NANOS_A_DAY: i128 = 86_400_000_000_000;
    let (year, month, day) = civil(nanos.div_euclid(NANOS_A_DAY));
    let in_day = nanos.rem_euclid(NANOS_A_DAY);
    let (seconds, fraction) = (in_day / 1_000_000_000, in_day % 1_000_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.")?;
    if fraction % 100 == 0 { write!(f, "{:07}Z", fraction / 100) } else { write!(f, "{fraction:09}Z") }
}

/// Days since 1970-01-01 to the proleptic Gregorian calendar, by counting 400-year eras from 1 March of year 0, so
/// that the leap day is the last of its year.
fn civil(days: i128) -> (i128, i128, i128) {
    const DAYS_AN_ERA: i128 = 146_097;
    const MARCH_OF_YEAR_0: i128 = 719_468;
    let shifted = days + MARCH_OF_YEAR_0;
    let (era, day_of_era) = (shifted.div_euclid(DAYS_AN_ERA), shifted.rem_euclid(DAYS_AN_ERA));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i128::from(month <= 2);
    (year, month, day)
}

/// A timespan, `[-][d.]hh:mm:ss[.fffffff]`; months, which have no fixed length, stand before it as DuckDB writes them.
fn interval(f: &mut fmt::Formatter<'_>, months: i32, days: i32, micros: i64) -> fmt::Result {
    const MICROS_A_DAY: i128 = 86_400_000_000;
    if months != 0 {
        write!(f, "{months} months ")?;
    }
    let total = i128::from(days) * MICROS_A_DAY + i128::from(micros);
    if total < 0 {
        f.write_str("-")?;
    }
    let total = total.abs();
    let (days, in_day) = (total / MICROS_A_DAY, total % MICROS_A_DAY);
    if days != 0 {
        write!(f, "{days}.")?;
    }
    let (seconds, fraction) = (in_day / 1_000_000, in_day % 1_000_000);
    write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
    if fraction == 0 { Ok(()) } else { write!(f, ".{:07}", fraction * 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_decimals_read_as_people_write_them() {
        let cases = [
            (Value::Timestamp(0), "1970-01-01T00:00:00.0000000Z"),
            (Value::Timestamp(-1), "1969-12-31T23:59:59.999999999Z"),
            (Value::Timestamp(1_709_210_096_123_456_700), "2024-02-29T12:34:56.1234567Z"),
            (Value::Date(19_782), "2024-02-29"),
            (Value::Date(-719_468), "0000-03-01"),
            (Value::Interval { months: 0, days: 1, micros: 1_500_000 }, "1.00:00:01.5000000"),
            (Value::Interval { months: 0, days: 0, micros: -1_000_000 }, "-00:00:01"),
            (Value::Interval { months: 2, days: 0, micros: 0 }, "2 months 00:00:00"),
            (Value::Decimal { unscaled: -5, scale: 2 }, "-0.05"),
            (Value::Decimal { unscaled: 12345, scale: 0 }, "12345"),
        ];
        for (value, text) in cases {
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn json_loses_no_number() {
        assert_eq!(Value::Int(i128::from(u64::MAX)).to_json().to_string(), "18446744073709551615");
        assert_eq!(Value::Int(i128::MAX).to_json(), Json::from(i128::MAX.to_string()));
        assert_eq!(Value::Real(f64::NAN).to_json(), Json::from("NaN"));
        assert_eq!(Value::Json("{\"a\":[1,null]}".into()).to_json().to_string(), "{\"a\":[1,null]}");
    }
}
