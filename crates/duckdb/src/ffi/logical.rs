//! Logical types: their name as DuckDB writes it, and the layout of their vectors.

use super::api::{self, Api};

/// The integers that an `i128` holds.
#[derive(Clone, Copy, Debug)]
pub enum Integer {
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
}

/// How a vector of the type is laid out.
#[derive(Clone, Debug)]
pub enum Layout {
    Bool,
    Integer(Integer),
    U128,
    F32,
    F64,
    Decimal {
        scale: u8,
        stored: Integer,
    },
    Text,
    Json,
    Blob,
    /// Ticks since 1970 and the nanoseconds of a tick.
    Timestamp {
        nanos: i128,
    },
    Date,
    /// Ticks since midnight and how many a second has.
    Time {
        a_second: i64,
    },
    Interval,
    Uuid,
    Enum {
        values: Vec<String>,
        stored: Integer,
    },
    List(Box<LogicalType>),
    Array(Box<LogicalType>, u64),
    Struct(Vec<(String, LogicalType)>),
    Map(Box<LogicalType>, Box<LogicalType>),
    Union(Vec<(String, LogicalType)>),
    Null,
    /// A type without a reading here; the name says which.
    Unreadable,
}

#[derive(Clone, Debug)]
pub struct LogicalType {
    pub name: String,
    pub layout: Layout,
}

/// The types that need no further question, by their number in `duckdb.h`.
fn simple(id: u32) -> Option<(&'static str, Layout)> {
    Some(match id {
        1 => ("BOOLEAN", Layout::Bool),
        2 => ("TINYINT", Layout::Integer(Integer::I8)),
        3 => ("SMALLINT", Layout::Integer(Integer::I16)),
        4 => ("INTEGER", Layout::Integer(Integer::I32)),
        5 => ("BIGINT", Layout::Integer(Integer::I64)),
        6 => ("UTINYINT", Layout::Integer(Integer::U8)),
        7 => ("USMALLINT", Layout::Integer(Integer::U16)),
        8 => ("UINTEGER", Layout::Integer(Integer::U32)),
        9 => ("UBIGINT", Layout::Integer(Integer::U64)),
        10 => ("FLOAT", Layout::F32),
        11 => ("DOUBLE", Layout::F64),
        12 => ("TIMESTAMP", Layout::Timestamp { nanos: 1_000 }),
        13 => ("DATE", Layout::Date),
        14 => ("TIME", Layout::Time { a_second: 1_000_000 }),
        15 => ("INTERVAL", Layout::Interval),
        16 => ("HUGEINT", Layout::Integer(Integer::I128)),
        17 => ("VARCHAR", Layout::Text),
        18 => ("BLOB", Layout::Blob),
        20 => ("TIMESTAMP_S", Layout::Timestamp { nanos: 1_000_000_000 }),
        21 => ("TIMESTAMP_MS", Layout::Timestamp { nanos: 1_000_000 }),
        22 => ("TIMESTAMP_NS", Layout::Timestamp { nanos: 1 }),
        27 => ("UUID", Layout::Uuid),
        29 => ("BIT", Layout::Unreadable),
        30 => ("TIME WITH TIME ZONE", Layout::Unreadable),
        31 => ("TIMESTAMP WITH TIME ZONE", Layout::Timestamp { nanos: 1_000 }),
        32 => ("UHUGEINT", Layout::U128),
        35 => ("BIGNUM", Layout::Unreadable),
        36 => ("NULL", Layout::Null),
        39 => ("TIME_NS", Layout::Time { a_second: 1_000_000_000 }),
        40 => ("GEOMETRY", Layout::Unreadable),
        41 => ("VARIANT", Layout::Unreadable),
        _ => return None,
    })
}

/// The integer that stores a decimal or an enum.
fn integer(id: u32) -> Option<Integer> {
    match simple(id) {
        Some((_, Layout::Integer(integer))) => Some(integer),
        _ => None,
    }
}

const DECIMAL: u32 = 19;
const ENUM: u32 = 23;
const LIST: u32 = 24;
const STRUCT: u32 = 25;
const MAP: u32 = 26;
const UNION: u32 = 28;
const ARRAY: u32 = 33;

impl LogicalType {
    /// Reads a type and destroys its handle.
    pub fn read(api: &'static Api, raw: api::Logical) -> Self {
        let handle = Handle { api, raw };
        let mut read = handle.describe();
        // SAFETY: the handle is live; the string is ours.
        if let Some(alias) = api.owned(unsafe { (api.logical_type_get_alias)(raw) }) {
            if alias == "JSON" {
                read.layout = Layout::Json;
            }
            read.name = alias;
        }
        read
    }
}

struct Handle {
    api: &'static Api,
    raw: api::Logical,
}

impl Handle {
    fn describe(&self) -> LogicalType {
        let (api, raw) = (self.api, self.raw);
        // SAFETY (all calls below): the handle is live, each question is put to a type of its kind only, indexes are
        // below the counts, and returned types and strings are ours.
        let id = unsafe { (api.get_type_id)(raw) };
        if let Some((name, layout)) = simple(id) {
            return LogicalType { name: name.to_owned(), layout };
        }
        match id {
            DECIMAL => self.decimal(),
            ENUM => self.enumeration(),
            LIST => {
                let item = LogicalType::read(api, unsafe { (api.list_type_child_type)(raw) });
                LogicalType { name: format!("{}[]", item.name), layout: Layout::List(Box::new(item)) }
            }
            ARRAY => {
                let item = LogicalType::read(api, unsafe { (api.array_type_child_type)(raw) });
                let size = unsafe { (api.array_type_array_size)(raw) };
                LogicalType {
                    name: format!("{}[{size}]", item.name),
                    layout: Layout::Array(Box::new(item), size),
                }
            }
            MAP => {
                let key = LogicalType::read(api, unsafe { (api.map_type_key_type)(raw) });
                let value = LogicalType::read(api, unsafe { (api.map_type_value_type)(raw) });
                let name = format!("MAP({}, {})", key.name, value.name);
                LogicalType { name, layout: Layout::Map(Box::new(key), Box::new(value)) }
            }
            STRUCT => {
                let count = unsafe { (api.struct_type_child_count)(raw) };
                let fields = self.members(count, api.struct_type_child_name, api.struct_type_child_type);
                LogicalType {
                    name: format!("STRUCT({})", member_list(&fields)),
                    layout: Layout::Struct(fields),
                }
            }
            UNION => {
                let count = unsafe { (api.union_type_member_count)(raw) };
                let members = self.members(count, api.union_type_member_name, api.union_type_member_type);
                LogicalType {
                    name: format!("UNION({})", member_list(&members)),
                    layout: Layout::Union(members),
                }
            }
            other => LogicalType { name: format!("type number {other}"), layout: Layout::Unreadable },
        }
    }

    fn members(
        &self,
        count: u64,
        name: unsafe extern "C" fn(api::Logical, u64) -> *mut std::ffi::c_char,
        member: unsafe extern "C" fn(api::Logical, u64) -> api::Logical,
    ) -> Vec<(String, LogicalType)> {
        let one = |i| {
            // SAFETY: the caller pairs the functions with a type of their kind, and `i` is below its count.
            let (name, member) = unsafe { (name(self.raw, i), member(self.raw, i)) };
            (self.api.owned(name).unwrap_or_default(), LogicalType::read(self.api, member))
        };
        (0..count).map(one).collect()
    }

    fn decimal(&self) -> LogicalType {
        let (api, raw) = (self.api, self.raw);
        // SAFETY: the handle is live and is a DECIMAL.
        let (width, scale, stored) =
            unsafe { ((api.decimal_width)(raw), (api.decimal_scale)(raw), (api.decimal_internal_type)(raw)) };
        let layout = integer(stored).map_or(Layout::Unreadable, |stored| Layout::Decimal { scale, stored });
        LogicalType { name: format!("DECIMAL({width},{scale})"), layout }
    }

    fn enumeration(&self) -> LogicalType {
        let (api, raw) = (self.api, self.raw);
        // SAFETY: the handle is live and is an ENUM.
        let stored = unsafe { (api.enum_internal_type)(raw) };
        // SAFETY: as above.
        let size = u64::from(unsafe { (api.enum_dictionary_size)(raw) });
        // SAFETY: as above; `i` is below the size; the string is ours.
        let value = |i| api.owned(unsafe { (api.enum_dictionary_value)(raw, i) }).unwrap_or_default();
        let values = (0..size).map(value).collect();
        let layout = integer(stored).map_or(Layout::Unreadable, |stored| Layout::Enum { values, stored });
        LogicalType { name: "ENUM".to_owned(), layout }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is destroyed once.
        unsafe { (self.api.destroy_logical_type)(&raw mut self.raw) };
    }
}

fn member_list(members: &[(String, LogicalType)]) -> String {
    members.iter().map(|(name, member)| format!("{name} {}", member.name)).collect::<Vec<_>>().join(", ")
}
