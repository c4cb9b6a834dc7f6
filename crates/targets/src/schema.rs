//! Tables and columns, by the product that holds them.
//!
//! In: names as a query writes them (case-sensitive, as Kusto). Out: types. The data is `targets/<set>/schema/*.toml`; the
//! build script lays it out as sorted names and four-byte columns, so a look-up is a binary search.

use ruleferry_ir::Type;
use ruleferry_ir::functions::closest;

include!(concat!(env!("OUT_DIR"), "/tables.rs"));
include!(concat!(env!("OUT_DIR"), "/table_functions.rs"));

static NAMES: &str = include_str!(concat!(env!("OUT_DIR"), "/names.txt"));
/// Where each name of the pool starts, and one more: four bytes each, little-endian.
static NAME_OFFSETS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/name_offsets.bin"));
/// Each column of each table: the number of its name times 16 plus the number of its type.
static COLUMNS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/columns.bin"));

/// Where tables live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaSet {
    /// Azure Monitor and Microsoft Sentinel workspaces.
    LogAnalytics,
    /// Advanced hunting.
    DefenderXdr,
    /// What `arg("").X` reads.
    ResourceGraph,
}

impl SchemaSet {
    pub const ALL: [Self; 3] = [Self::LogAnalytics, Self::DefenderXdr, Self::ResourceGraph];

    /// The folder under `targets/`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LogAnalytics => "log-analytics",
            Self::DefenderXdr => "defender-xdr",
            Self::ResourceGraph => "azure-resource-graph",
        }
    }

    const fn data(self) -> &'static [TableData] {
        match self {
            Self::LogAnalytics => &LOG_ANALYTICS,
            Self::DefenderXdr => &DEFENDER_XDR,
            Self::ResourceGraph => &RESOURCE_GRAPH,
        }
    }
}

#[derive(Debug)]
struct TableData {
    name: &'static str,
    open: bool,
    first: usize,
    count: usize,
    declared: usize,
    time: Option<&'static str>,
}

/// A table of a set.
#[derive(Clone, Copy, Debug)]
pub struct TableRef {
    pub set: SchemaSet,
    pub name: &'static str,
    /// More columns exist than are listed: an unknown one is no error.
    pub open: bool,
    /// When a row was made: `TimeGenerated`, `Timestamp`.
    pub time_column: Option<&'static str>,
    data: &'static TableData,
}

impl PartialEq for TableRef {
    fn eq(&self, other: &Self) -> bool {
        self.set == other.set && self.name == other.name
    }
}

impl Eq for TableRef {}

impl TableRef {
    const fn new(set: SchemaSet, data: &'static TableData) -> Self {
        Self { set, name: data.name, open: data.open, time_column: data.time, data }
    }

    /// All columns in their order, the standard columns of a workspace table last.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&'static str, Type)> + Clone + use<> {
        let data = self.data;
        (data.first..data.first + data.count).map(|i| {
            let (name, ty) = column_at(i);
            (name_at(name), ty)
        })
    }

    /// The columns that the table's own schema lists, without the standard columns that every workspace table has.
    pub fn declared_columns(&self) -> impl ExactSizeIterator<Item = (&'static str, Type)> + Clone + use<> {
        self.columns().take(self.data.declared)
    }

    pub fn column(&self, name: &str) -> Option<Type> {
        let number = find_name(name)?;
        let bytes = COLUMNS.get(self.data.first * 4..(self.data.first + self.data.count) * 4)?;
        let columns = bytes.as_chunks::<4>().0.iter().map(|b| unpack(u32::from_le_bytes(*b)));
        columns.into_iter().find(|(n, _)| *n == number).map(|(_, ty)| ty)
    }

    /// The column most like this name, for "did you mean".
    pub fn similar_column(&self, name: &str) -> Option<&'static str> {
        closest(name, self.columns().map(|(column, _)| column))
    }
}

fn read_u32(bytes: &[u8], index: usize) -> u32 {
    let slot = bytes.get(index * 4..).and_then(|rest| rest.first_chunk::<4>());
    slot.map_or(0, |b| u32::from_le_bytes(*b))
}

fn column_at(index: usize) -> (usize, Type) {
    unpack(read_u32(COLUMNS, index))
}

/// The number of a column's name, and its type.
fn unpack(column: u32) -> (usize, Type) {
    ((column >> 4) as usize, Type::ALL.get((column & 15) as usize).copied().unwrap_or(Type::Unknown))
}

fn name_at(number: usize) -> &'static str {
    let (start, end) = (read_u32(NAME_OFFSETS, number) as usize, read_u32(NAME_OFFSETS, number + 1) as usize);
    NAMES.get(start..end).unwrap_or_default()
}

fn find_name(name: &str) -> Option<usize> {
    let (mut low, mut high) = (0, NAME_OFFSETS.len() / 4 - 1);
    while low < high {
        let middle = low.midpoint(high);
        match name_at(middle).cmp(name) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Some(middle),
        }
    }
    None
}

/// The table of a set with this name; Resource Graph ignores case.
pub fn find_table(set: SchemaSet, name: &str) -> Option<TableRef> {
    let data = set.data();
    let exact = data.binary_search_by(|t| t.name.cmp(name)).ok().and_then(|i| data.get(i));
    let found = match set {
        SchemaSet::ResourceGraph => exact.or_else(|| data.iter().find(|t| t.name.eq_ignore_ascii_case(name))),
        SchemaSet::LogAnalytics | SchemaSet::DefenderXdr => exact,
    };
    found.map(|t| TableRef::new(set, t))
}

/// All tables of a set, sorted by name.
pub fn tables(set: SchemaSet) -> impl ExactSizeIterator<Item = TableRef> {
    set.data().iter().map(move |t| TableRef::new(set, t))
}

/// The table that a query means by a name. One that both products have is read with the Defender schema if the query uses
/// `Timestamp` and never `TimeGenerated`, else with the Log Analytics one.
pub fn choose_table(name: &str, uses_timestamp: bool, uses_time_generated: bool) -> Option<TableRef> {
    let workspace = find_table(SchemaSet::LogAnalytics, name);
    let defender = find_table(SchemaSet::DefenderXdr, name);
    if uses_timestamp && !uses_time_generated { defender.or(workspace) } else { workspace.or(defender) }
}

/// The table name of any of these sets most like this one, for "did you mean".
pub fn similar_table(sets: &[SchemaSet], name: &str) -> Option<&'static str> {
    closest(name, sets.iter().flat_map(|set| set.data()).map(|t| t.name))
}

/// A column that every workspace table has besides its own.
pub fn is_standard_column(name: &str) -> bool {
    STANDARD.binary_search(&name).is_ok()
}

/// How a function that gives a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFunctionForm {
    /// `T | invoke F(…)`.
    Invoke,
    /// `F(…)`.
    Call,
    /// `F(…).Table`, with the tables of this set.
    Tables(SchemaSet),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFunctionParam {
    pub name: &'static str,
    /// `None` where a column is named.
    pub ty: Option<Type>,
    /// As it would be written in KQL.
    pub default: Option<&'static str>,
}

/// A function of the product, not of the language, that gives or widens a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFunction {
    pub name: &'static str,
    pub form: TableFunctionForm,
    /// The columns of the input stay.
    pub keeps_input: bool,
    /// It gives more columns than are listed.
    pub open: bool,
    pub params: &'static [TableFunctionParam],
    pub columns: &'static [(&'static str, Type)],
}

pub fn table_function(name: &str) -> Option<&'static TableFunction> {
    TABLE_FUNCTIONS.binary_search_by(|f| f.name.cmp(name)).ok().and_then(|i| TABLE_FUNCTIONS.get(i))
}

pub fn table_functions() -> &'static [TableFunction] {
    &TABLE_FUNCTIONS
}
