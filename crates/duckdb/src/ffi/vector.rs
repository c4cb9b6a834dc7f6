//! Values of a vector.

use super::api::{self, Api};
use super::logical::{Integer, Layout, LogicalType};
use crate::Value;
use std::ffi::{c_char, c_void};

/// The name of a type that has no reading here.
pub type Unreadable = String;

/// `duckdb_string_t`: up to 12 bytes inside, else a pointer to them after the length and a prefix of 4.
#[repr(C)]
#[derive(Clone, Copy)]
struct StringCell {
    length: u32,
    prefix: [u8; 4],
    rest: StringRest,
}

#[repr(C)]
#[derive(Clone, Copy)]
union StringRest {
    inlined: [u8; 8],
    pointer: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct ListEntry {
    offset: u64,
    length: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct IntervalCell {
    months: i32,
    days: i32,
    micros: i64,
}

/// `duckdb_hugeint`, whose alignment is that of a u64.
#[repr(C)]
#[derive(Clone, Copy)]
struct Wide<Upper> {
    lower: u64,
    upper: Upper,
}

impl Wide<i64> {
    fn value(self) -> i128 {
        (i128::from(self.upper) << 64) | i128::from(self.lower)
    }
}

impl Wide<u64> {
    fn value(self) -> u128 {
        (u128::from(self.upper) << 64) | u128::from(self.lower)
    }
}

/// A vector with its data and its bitmap of rows that are not null (null itself when none is).
#[derive(Clone, Copy)]
struct Column {
    api: &'static Api,
    vector: api::Vector,
    data: *const c_void,
    validity: *const u64,
}

/// Reads `count` values from row `from`.
///
/// # Safety
///
/// The vector is live, flat, has the layout of `logical` and holds the rows.
pub unsafe fn read(
    api: &'static Api,
    vector: api::Vector,
    logical: &LogicalType,
    from: u64,
    count: u64,
) -> Result<Vec<Value>, Unreadable> {
    // SAFETY: the vector is live.
    let (data, validity) = unsafe { ((api.vector_get_data)(vector), (api.vector_get_validity)(vector)) };
    let column = Column { api, vector, data, validity };
    (from..from.saturating_add(count))
        // SAFETY: the rows are inside the vector, whose layout is `logical`'s.
        .map(|row| unsafe { if column.is_null(row) { Ok(Value::Null) } else { column.value(row, logical) } })
        .collect()
}

impl Column {
    /// # Safety
    ///
    /// `row` is inside the vector.
    unsafe fn is_null(self, row: u64) -> bool {
        if self.validity.is_null() {
            return false;
        }
        // SAFETY: the bitmap has a bit for every row of the vector.
        let word = unsafe { self.validity.add(index(row / 64)).read() };
        word & (1 << (row % 64)) == 0
    }

    /// # Safety
    ///
    /// The data of the vector is an array of `T`, and `row` is inside it.
    unsafe fn cell<T: Copy>(self, row: u64) -> T {
        // SAFETY: by the contract above; unaligned, because the library promises alignment only for some allocations.
        unsafe { self.data.cast::<T>().add(index(row)).read_unaligned() }
    }

    /// # Safety
    ///
    /// The vector has the layout of `logical`; `row` is inside it and not null.
    unsafe fn value(self, row: u64, logical: &LogicalType) -> Result<Value, Unreadable> {
        // SAFETY (the whole match): the layout says what the cells are, and the contract that they are there.
        Ok(unsafe {
            match &logical.layout {
                Layout::Null => Value::Null,
                Layout::Bool => Value::Bool(self.cell::<u8>(row) != 0),
                Layout::F32 => Value::Real(f64::from(self.cell::<f32>(row))),
                Layout::F64 => Value::Real(self.cell(row)),
                Layout::U128 => {
                    let value = self.cell::<Wide<u64>>(row).value();
                    i128::try_from(value).map_or_else(|_| Value::Text(value.to_string()), Value::Int)
                }
                Layout::Integer(integer) => Value::Int(self.integer(row, *integer)),
                Layout::Decimal { scale, stored } => {
                    Value::Decimal { unscaled: self.integer(row, *stored), scale: *scale }
                }
                Layout::Text => Value::Text(self.text(row)),
                Layout::Json => Value::Json(self.text(row)),
                Layout::Blob => Value::Blob(self.bytes(row)),
                Layout::Timestamp { nanos } => timestamp(self.cell(row), *nanos),
                Layout::Date => date(self.cell(row)),
                Layout::Time { a_second } => time(self.cell(row), *a_second),
                Layout::Interval => {
                    let IntervalCell { months, days, micros } = self.cell(row);
                    Value::Interval { months, days, micros }
                }
                Layout::Uuid => uuid(self.cell::<Wide<i64>>(row).value()),
                Layout::Enum { values, stored } => {
                    let position = usize::try_from(self.integer(row, *stored)).ok();
                    let value = position.and_then(|i| values.get(i)).ok_or_else(|| logical.name.clone())?;
                    Value::Text(value.clone())
                }
                Layout::List(item) => Value::List(self.list(row, item)?),
                Layout::Array(item, size) => {
                    let child = (self.api.array_vector_get_child)(self.vector);
                    Value::List(read(self.api, child, item, row * size, *size)?)
                }
                Layout::Struct(fields) => Value::Struct(self.fields(row, fields)?),
                Layout::Map(key, value) => Value::Map(self.map(row, key, value)?),
                Layout::Union(members) => self.union(row, members, &logical.name)?,
                Layout::Unreadable => return Err(logical.name.clone()),
            }
        })
    }

    /// # Safety
    ///
    /// As [`Self::value`]; the cells are of this type.
    unsafe fn integer(self, row: u64, integer: Integer) -> i128 {
        // SAFETY: by the contract above.
        unsafe {
            match integer {
                Integer::I8 => self.cell::<i8>(row).into(),
                Integer::I16 => self.cell::<i16>(row).into(),
                Integer::I32 => self.cell::<i32>(row).into(),
                Integer::I64 => self.cell::<i64>(row).into(),
                Integer::I128 => self.cell::<Wide<i64>>(row).value(),
                Integer::U8 => self.cell::<u8>(row).into(),
                Integer::U16 => self.cell::<u16>(row).into(),
                Integer::U32 => self.cell::<u32>(row).into(),
                Integer::U64 => self.cell::<u64>(row).into(),
            }
        }
    }

    /// # Safety
    ///
    /// As [`Self::value`]; the cells are strings.
    unsafe fn bytes(self, row: u64) -> Vec<u8> {
        // SAFETY: by the contract above.
        let cell: StringCell = unsafe { self.cell(row) };
        let length = cell.length as usize;
        // SAFETY: the length says which member of the union is set, and how many bytes the pointer leads to.
        unsafe {
            if length <= 12 {
                cell.prefix.into_iter().chain(cell.rest.inlined).take(length).collect()
            } else {
                std::slice::from_raw_parts(cell.rest.pointer.cast::<u8>(), length).to_vec()
            }
        }
    }

    /// # Safety
    ///
    /// As [`Self::bytes`].
    unsafe fn text(self, row: u64) -> String {
        // SAFETY: by the contract above.
        let bytes = unsafe { self.bytes(row) };
        // DuckDB keeps texts in UTF-8; were it to break that, replacement characters show it.
        String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    }

    /// # Safety
    ///
    /// As [`Self::value`]; the vector is a LIST or a MAP.
    unsafe fn list(self, row: u64, item: &LogicalType) -> Result<Vec<Value>, Unreadable> {
        // SAFETY: the entry points into the child vector, which the library keeps with its parent.
        unsafe {
            let ListEntry { offset, length } = self.cell(row);
            read(self.api, (self.api.list_vector_get_child)(self.vector), item, offset, length)
        }
    }

    /// # Safety
    ///
    /// As [`Self::value`]; the vector is a STRUCT with these fields.
    unsafe fn fields(
        self,
        row: u64,
        fields: &[(String, LogicalType)],
    ) -> Result<Vec<(String, Value)>, Unreadable> {
        let field = |(i, (name, logical)): (u64, &(String, LogicalType))| {
            // SAFETY: a struct has one child per field, as long as itself.
            let value = unsafe { self.child_value(i, row, logical)? };
            Ok((name.clone(), value))
        };
        (0..).zip(fields).map(field).collect()
    }

    /// # Safety
    ///
    /// As [`Self::value`]; the vector is a struct whose child `i` has the layout of `logical`.
    unsafe fn child_value(self, i: u64, row: u64, logical: &LogicalType) -> Result<Value, Unreadable> {
        // SAFETY: by the contract above.
        let values = unsafe {
            let child = (self.api.struct_vector_get_child)(self.vector, i);
            read(self.api, child, logical, row, 1)?
        };
        Ok(values.into_iter().next().unwrap_or(Value::Null))
    }

    /// # Safety
    ///
    /// As [`Self::value`]; the vector is a MAP: a list of structs of key and value.
    unsafe fn map(
        self,
        row: u64,
        key: &LogicalType,
        value: &LogicalType,
    ) -> Result<Vec<(Value, Value)>, Unreadable> {
        // SAFETY: by the contract above.
        let (keys, values) = unsafe {
            let ListEntry { offset, length } = self.cell(row);
            let pairs = (self.api.list_vector_get_child)(self.vector);
            let child = |i| (self.api.struct_vector_get_child)(pairs, i);
            (read(self.api, child(0), key, offset, length)?, read(self.api, child(1), value, offset, length)?)
        };
        Ok(keys.into_iter().zip(values).collect())
    }

    /// # Safety
    ///
    /// As [`Self::value`]; the vector is a UNION: a struct of the tag and the members.
    unsafe fn union(
        self,
        row: u64,
        members: &[(String, LogicalType)],
        name: &str,
    ) -> Result<Value, Unreadable> {
        // SAFETY: by the contract above; the tag is a UTINYINT.
        let tag = unsafe {
            let tags = (self.api.struct_vector_get_child)(self.vector, 0);
            (self.api.vector_get_data)(tags).cast::<u8>().add(index(row)).read()
        };
        let (_, logical) = members.get(usize::from(tag)).ok_or_else(|| name.to_owned())?;
        // SAFETY: member `tag` stands behind the tag.
        unsafe { self.child_value(u64::from(tag) + 1, row, logical) }
    }
}

/// Rows of a chunk are few; a row past the address space cannot exist.
fn index(row: u64) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

/// The largest and smallest ticks stand for the two infinities.
fn timestamp(ticks: i64, nanos: i128) -> Value {
    match ticks {
        i64::MAX => Value::Text("infinity".to_owned()),
        n if n == -i64::MAX => Value::Text("-infinity".to_owned()),
        n => Value::Timestamp(i128::from(n) * nanos),
    }
}

fn date(days: i32) -> Value {
    match days {
        i32::MAX => Value::Text("infinity".to_owned()),
        n if n == -i32::MAX => Value::Text("-infinity".to_owned()),
        n => Value::Date(n),
    }
}

fn time(ticks: i64, a_second: i64) -> Value {
    let (seconds, fraction) = (ticks / a_second, ticks % a_second);
    let digits = if a_second == 1_000_000 { 6 } else { 9 };
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    Value::Text(if fraction == 0 { text } else { format!("{text}.{fraction:0digits$}") })
}

/// Stored with the top bit flipped, so that signed order is the order of the text.
fn uuid(stored: i128) -> Value {
    let hex = format!("{:032x}", stored.cast_unsigned() ^ (1 << 127));
    let cuts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
    Value::Text(cuts.map(|(from, to)| hex.get(from..to).unwrap_or_default()).join("-"))
}
