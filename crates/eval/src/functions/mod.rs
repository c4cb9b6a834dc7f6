//! The scalar functions of the catalogue, in tables by family.
//!
//! In: the values of the arguments. Out: a value, null where Kusto's documentation says so. A function sees no row and no
//! clock. Functions that look at other rows are in `window`, conversions in `cast`.

mod array;
mod bag;
mod binary;
mod bucket;
mod datetime;
mod encode;
mod geo;
mod hash;
mod ip;
mod math;
mod parse;
mod regex;
mod sequence;
mod series;
mod set;
mod sketch;
mod special;
mod strings;
mod units;
mod url;
mod xml;

pub use self::ip::{Network, in_cidr};
pub use self::regex::as_in_re2;
pub(crate) use self::regex::{Regexes, is_fixed};

use crate::Value;
use crate::fault::{Fault, Result};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{Expr, Type};
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// What a function knows besides the values of its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Call<'c> {
    pub name: &'static str,
    /// The type of the result.
    pub ty: Type,
    /// The arguments as written, for their types and places.
    pub args: &'c [Expr],
    pub span: Span,
    pub regexes: &'c Regexes,
}

impl Call<'_> {
    /// The type of an argument, which its value does not say where it is null.
    pub fn arg_type(&self, index: usize) -> Type {
        self.args.get(index).map_or(Type::Unknown, |e| e.ty)
    }

    /// A fault of an argument (or of the call, if there is no such argument).
    pub fn fault(&self, index: usize, message: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
        let span = self.args.get(index).map_or(self.span, |e| e.span);
        Fault::new(codes::EVAL_ARGUMENT, span, message)
    }
}

/// A scalar function. Missing optional arguments are not in the slice.
pub(crate) type Scalar = fn(&Call<'_>, &[Value]) -> Result<Value>;

/// One family of functions: names as in the IR's catalogue.
type Table = &'static [(&'static str, Scalar)];

static TABLES: &[Table] = &[
    array::TABLE,
    bag::TABLE,
    binary::TABLE,
    bucket::TABLE,
    datetime::TABLE,
    encode::TABLE,
    geo::TABLE,
    hash::TABLE,
    ip::TABLE,
    math::TABLE,
    parse::TABLE,
    regex::TABLE,
    sequence::TABLE,
    series::TABLE,
    set::TABLE,
    sketch::TABLE,
    special::TABLE,
    strings::TABLE,
    units::TABLE,
    url::TABLE,
];

static BY_NAME: LazyLock<FxHashMap<&'static str, Scalar>> =
    LazyLock::new(|| TABLES.iter().flat_map(|t| t.iter().copied()).collect());

pub(crate) fn find(name: &str) -> Option<Scalar> {
    BY_NAME.get(name).copied()
}

/// Whether the evaluator has a scalar function or aggregate of the catalogue.
pub fn is_implemented(function: &ruleferry_ir::functions::FunctionDef) -> bool {
    use ruleferry_ir::functions::FunctionKind;
    match function.kind {
        FunctionKind::Scalar => {
            BY_NAME.contains_key(function.name)
                || crate::window::is_window(function.name)
                || crate::outside::input_of(function.name).is_some()
                || crate::expr::VOLATILE.contains(&function.name)
        }
        FunctionKind::Aggregate => crate::aggregates::is_implemented(function.name),
        FunctionKind::Plugin => crate::plugins::is_implemented(function.name),
        FunctionKind::Tabular => false,
    }
}

// Shorthands for the families.

/// The text of argument `index`; `""` where it is missing or null.
fn text(args: &[Value], index: usize) -> &str {
    args.get(index).and_then(Value::text).unwrap_or_default()
}

fn long(args: &[Value], index: usize) -> Option<i64> {
    args.get(index).and_then(|v| match v {
        Value::Dynamic(json) => match **json {
            ruleferry_ir::Json::Long(n) => Some(n),
            _ => None,
        },
        v => v.as_long(),
    })
}

fn real(args: &[Value], index: usize) -> Option<f64> {
    args.get(index).and_then(Value::as_real)
}

/// An address of either version as a number of IPv6 (IPv4 as `::ffff:a.b.c.d`).
pub(crate) fn ip_number(text: &str) -> Option<u128> {
    ip::number(text)
}
