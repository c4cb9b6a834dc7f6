//! The function catalogue: every public scalar function, aggregate and plugin under its current Kusto name.
//!
//! In: a name (obsolete ones too) and the argument types of a call. Out: the function's definition, the type of the call,
//! and the names of the columns that it makes when a query gives none. The IR uses the Kusto names because their documented
//! behaviour is the definition; another language's front end spells its functions in these.
//!
//! The facts (signatures, result types, name rules) are those of Microsoft's parser, `@kusto/language-service-next` 12.4.1
//! (MIT), read off its symbol tables and by binding probe queries. The tables are static and sorted: no start-up cost.

mod aggregates;
mod aliases;
mod binary;
mod naming;
mod plugins;
mod resolve;
mod scalars;
mod signature;
#[cfg(test)]
mod tests;

pub use binary::{ArithOp, binary_result, common_type, negate_result};
pub use naming::{ArgName, ResultName};
pub use resolve::{Note, Resolved, all, closest, find, find_any, resolve, resolve_alias, similar};
pub use signature::{Form, Param, ParamType, Returns, Signature};

use crate::Type;
use std::hash::{Hash, Hasher};

/// Where a function may stand. One name can be of two kinds (`hll_merge`, `any`), so look-ups take the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionKind {
    /// A value from values: `tolower(x)`.
    Scalar,
    /// A value from a group of rows: `count()`.
    Aggregate,
    /// After `evaluate`: `bag_unpack(x)`.
    Plugin,
    /// A table from outside the query: `database("x")`, `table("T")`.
    Tabular,
}

impl FunctionKind {
    pub const ALL: [Self; 4] = [Self::Scalar, Self::Aggregate, Self::Plugin, Self::Tabular];
}

/// What else is known of a function; a set of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    pub const NONE: Self = Self(0);
    /// Of constants it is a constant: same arguments, same value.
    pub const FOLDABLE: Self = Self(1);
    /// Not offered to users, though it works (undocumented or superseded).
    pub const HIDDEN: Self = Self(2);
    /// Reads neighbouring rows: the input must be in order (`prev`, `row_number`).
    pub const WINDOW: Self = Self(4);
    /// May answer differently each time (`rand`, `new_guid`).
    pub const VOLATILE: Self = Self(8);
    /// More than one answer is right (`take_any`, ties of `arg_max`, the order in `make_set`, `dcount`'s estimate).
    pub const UNDEFINED_CHOICE: Self = Self(16);

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A function of the IR. There is one static instance for each, so equality is by name and kind.
#[derive(Debug)]
pub struct FunctionDef {
    pub name: &'static str,
    pub kind: FunctionKind,
    pub min_args: usize,
    /// `usize::MAX` where any number is taken.
    pub max_args: usize,
    /// Tried in order; never empty.
    pub signatures: &'static [Signature],
    pub result_name: ResultName,
    pub flags: Flags,
}

impl FunctionDef {
    pub const fn takes(&self, count: usize) -> bool {
        self.min_args <= count && count <= self.max_args
    }

    pub const fn has(&self, flag: Flags) -> bool {
        self.flags.has(flag)
    }

    /// The type of a call with arguments of these types: of its first column where it makes several, `Unknown` where the
    /// arguments do not say. For `typeof(…)` arguments use [`Self::return_type_with`].
    pub fn return_type(&self, args: &[Type]) -> Type {
        self.return_type_with(args, None)
    }

    /// As [`Self::return_type`]; `literal` is the type that a `typeof(…)` argument of the call names.
    pub fn return_type_with(&self, args: &[Type], literal: Option<Type>) -> Type {
        signature::return_type(self.signatures, args, literal)
    }

    /// The types of all columns that a call makes: one for most functions, several for `series_stats`, `arg_max`, …
    pub fn column_types(&self, args: &[Type]) -> Vec<Type> {
        signature::column_types(self, args)
    }

    /// The first signature that takes these arguments (types `Unknown` and `Dynamic` are taken anywhere as a last resort).
    pub fn signature(&self, args: &[Type]) -> Option<&'static Signature> {
        signature::select(self.signatures, args)
    }
}

impl PartialEq for FunctionDef {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind
    }
}

impl Eq for FunctionDef {}

impl Hash for FunctionDef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.kind.hash(state);
    }
}

impl PartialOrd for FunctionDef {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FunctionDef {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name).then(self.kind.cmp(&other.kind))
    }
}
