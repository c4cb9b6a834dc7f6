//! Signatures: which arguments a function takes and what type a call of it has.

use super::binary::{common_type, promote, widest};
use super::{FunctionDef, FunctionKind, ResultName};
use crate::Type;

/// What an argument's type must be; the classes are those of Kusto's parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// Exactly this type (an `int` also passes for `long` and `real`, a `long` for `real`).
    Is(Type),
    /// Any scalar.
    Scalar,
    /// int, long.
    Integer,
    /// int, long, real, decimal.
    Number,
    NumberOrBool,
    /// A number, datetime or timespan.
    Summable,
    /// Everything but dynamic and guid.
    Orderable,
    NotDynamic,
    NotRealOrBool,
    StringOrDynamic,
    /// A dynamic value that is an array.
    Array,
    /// A dynamic value that is a property bag.
    Bag,
    StringOrArray,
    IntegerOrArray,
    /// All arguments of such parameters share one type.
    Common,
    CommonOrderable,
    CommonOrDynamic,
    /// `typeof(…)`.
    TypeLiteral,
    Table,
}

/// What an argument must be besides its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Expression,
    /// Known without reading rows.
    Constant,
    Column,
    /// `*` may stand for all columns.
    StarAllowed,
    Star,
    /// An expression over the elements of the first argument (`all`, `any`, `map` of graph queries).
    Element,
    Aggregate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    pub ty: ParamType,
    pub form: Form,
    /// How often it may stand; neighbours that both repeat do so as a group (`bag_pack(key, value, key, value)`).
    pub min: usize,
    pub max: usize,
}

/// How the type of a call follows from its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    Fixed(Type),
    /// The type of argument n.
    SameAs(usize),
    /// The type of argument n, int widened to long.
    Promoted(usize),
    /// The widest type of the arguments, int widened to long.
    Widest,
    /// The type that all arguments share.
    Common,
    /// The type that the branches of `iff`, `case` share: arguments 1, 3, 5 … and the last.
    Branches,
    /// The type named by `typeof(…)` in argument n.
    ByLiteral(usize),
    /// A value of argument 0: integers as long, decimal as real.
    Percentile,
    /// A column for each argument, of its type (`arg_max`, `take_any`).
    EachArgument,
    /// These columns, by the ends of their names.
    Columns(&'static [(&'static str, Type)]),
    Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    pub params: &'static [Param],
    pub min_args: usize,
    pub max_args: usize,
    pub returns: Returns,
}

impl Signature {
    pub const fn takes(&self, count: usize) -> bool {
        self.min_args <= count && count <= self.max_args
    }

    /// The parameter that argument `index` of `count` falls on.
    pub fn param(&self, index: usize, count: usize) -> Option<&'static Param> {
        let repeats = |p: &&Param| p.max > 1;
        let Some(first) = self.params.iter().position(|p| repeats(&p)) else { return self.params.get(index) };
        let group = self.params.iter().skip(first).take_while(repeats).count();
        let after = self.params.len() - first - group;
        // An optional parameter behind a repeated one (`array_sort_asc(a, b, true)`) is told apart by its type: see `accepts`.
        let required_after = self.params.iter().skip(first + group).filter(|p| p.min > 0).count().min(after);
        if index < first {
            self.params.get(index)
        } else if required_after > 0 && index + required_after >= count {
            self.params.get(self.params.len() - (count - index))
        } else {
            self.params.get(first + (index - first) % group.max(1))
        }
    }

    fn accepts(&self, args: &[Type], fit: fn(ParamType, Type) -> bool) -> bool {
        let count = args.len();
        let fits = |param: Option<&Param>, arg: Type| param.is_some_and(|p| fit(p.ty, arg));
        let trailing = || self.params.last().filter(|p| p.min == 0);
        self.takes(count)
            && args
                .iter()
                .enumerate()
                .all(|(i, t)| fits(self.param(i, count), *t) || (i + 1 == count && fits(trailing(), *t)))
    }
}

/// A parameter for each type class; the tables are written in these.
pub(super) mod shorthand {
    use super::{Form, Param, ParamType, Returns, Signature};
    use crate::Type;
    use crate::functions::{Flags, FunctionDef, FunctionKind, ResultName};

    const fn p(ty: ParamType) -> Param {
        Param { ty, form: Form::Expression, min: 1, max: 1 }
    }

    pub const BOOL: Param = p(ParamType::Is(Type::Bool));
    pub const INT: Param = p(ParamType::Is(Type::Int));
    pub const LONG: Param = p(ParamType::Is(Type::Long));
    pub const REAL: Param = p(ParamType::Is(Type::Real));
    pub const DECIMAL: Param = p(ParamType::Is(Type::Decimal));
    pub const STRING: Param = p(ParamType::Is(Type::String));
    pub const DATETIME: Param = p(ParamType::Is(Type::Datetime));
    pub const TIMESPAN: Param = p(ParamType::Is(Type::Timespan));
    pub const GUID: Param = p(ParamType::Is(Type::Guid));
    pub const SCALAR: Param = p(ParamType::Scalar);
    pub const INTEGER: Param = p(ParamType::Integer);
    pub const NUMBER: Param = p(ParamType::Number);
    pub const NUMBER_OR_BOOL: Param = p(ParamType::NumberOrBool);
    pub const SUMMABLE: Param = p(ParamType::Summable);
    pub const ORDERABLE: Param = p(ParamType::Orderable);
    pub const NOT_DYNAMIC: Param = p(ParamType::NotDynamic);
    pub const NOT_REAL_OR_BOOL: Param = p(ParamType::NotRealOrBool);
    pub const STRING_OR_DYNAMIC: Param = p(ParamType::StringOrDynamic);
    pub const ARRAY: Param = p(ParamType::Array);
    pub const BAG: Param = p(ParamType::Bag);
    pub const STRING_OR_ARRAY: Param = p(ParamType::StringOrArray);
    pub const INTEGER_OR_ARRAY: Param = p(ParamType::IntegerOrArray);
    pub const COMMON: Param = p(ParamType::Common);
    pub const COMMON_ORDERABLE: Param = p(ParamType::CommonOrderable);
    pub const COMMON_OR_DYNAMIC: Param = p(ParamType::CommonOrDynamic);
    pub const TYPE_LITERAL: Param = p(ParamType::TypeLiteral);
    pub const TABLE: Param = p(ParamType::Table);

    pub const TO_BOOL: Returns = Returns::Fixed(Type::Bool);
    pub const TO_INT: Returns = Returns::Fixed(Type::Int);
    pub const TO_LONG: Returns = Returns::Fixed(Type::Long);
    pub const TO_REAL: Returns = Returns::Fixed(Type::Real);
    pub const TO_DECIMAL: Returns = Returns::Fixed(Type::Decimal);
    pub const TO_STRING: Returns = Returns::Fixed(Type::String);
    pub const TO_DATETIME: Returns = Returns::Fixed(Type::Datetime);
    pub const TO_TIMESPAN: Returns = Returns::Fixed(Type::Timespan);
    pub const TO_GUID: Returns = Returns::Fixed(Type::Guid);
    pub const TO_DYNAMIC: Returns = Returns::Fixed(Type::Dynamic);

    impl Param {
        pub const fn opt(self) -> Self {
            Self { min: 0, ..self }
        }

        pub const fn many(self, min: usize, max: usize) -> Self {
            Self { min, max, ..self }
        }

        pub const fn form(self, form: Form) -> Self {
            Self { form, ..self }
        }

        pub const fn constant(self) -> Self {
            self.form(Form::Constant)
        }

        pub const fn column(self) -> Self {
            self.form(Form::Column)
        }
    }

    pub const fn sig(
        params: &'static [Param],
        min_args: usize,
        max_args: usize,
        returns: Returns,
    ) -> Signature {
        Signature { params, min_args, max_args, returns }
    }

    pub const fn def(
        name: &'static str,
        kind: FunctionKind,
        signatures: &'static [Signature],
        result_name: ResultName,
        flags: Flags,
    ) -> FunctionDef {
        let (mut min_args, mut max_args) = (usize::MAX, 0);
        let mut rest = signatures;
        while let [first, tail @ ..] = rest {
            if first.min_args < min_args {
                min_args = first.min_args;
            }
            if first.max_args > max_args {
                max_args = first.max_args;
            }
            rest = tail;
        }
        FunctionDef { name, kind, min_args, max_args, signatures, result_name, flags }
    }
}

fn fits_exactly(param: ParamType, arg: Type) -> bool {
    let scalar = arg != Type::Unknown;
    match param {
        ParamType::Is(ty) => ty == arg,
        ParamType::Scalar | ParamType::Common | ParamType::CommonOrDynamic | ParamType::TypeLiteral => scalar,
        ParamType::Integer => arg.is_integer(),
        ParamType::Number => arg.is_numeric(),
        ParamType::NumberOrBool => arg.is_numeric() || arg == Type::Bool,
        ParamType::Summable => arg.is_numeric() || matches!(arg, Type::Datetime | Type::Timespan),
        ParamType::Orderable | ParamType::CommonOrderable => {
            scalar && !matches!(arg, Type::Dynamic | Type::Guid)
        }
        ParamType::NotDynamic => scalar && arg != Type::Dynamic,
        ParamType::NotRealOrBool => scalar && !matches!(arg, Type::Real | Type::Decimal | Type::Bool),
        ParamType::StringOrDynamic | ParamType::StringOrArray => matches!(arg, Type::String | Type::Dynamic),
        ParamType::Array | ParamType::Bag => arg == Type::Dynamic,
        ParamType::IntegerOrArray => arg.is_integer() || arg == Type::Dynamic,
        ParamType::Table => false,
    }
}

fn fits_widened(param: ParamType, arg: Type) -> bool {
    fits_exactly(param, arg)
        || match param {
            ParamType::Is(Type::Long) => arg == Type::Int,
            ParamType::Is(Type::Real) => arg.is_numeric(),
            ParamType::Is(Type::Decimal) => arg.is_numeric(),
            _ => false,
        }
}

/// A dynamic value may hold anything and an unknown one may be anything.
fn fits_loosely(param: ParamType, arg: Type) -> bool {
    matches!(arg, Type::Unknown | Type::Dynamic) || fits_widened(param, arg)
}

pub(super) fn select(signatures: &'static [Signature], args: &[Type]) -> Option<&'static Signature> {
    [fits_exactly as fn(ParamType, Type) -> bool, fits_widened, fits_loosely]
        .into_iter()
        .find_map(|fit| signatures.iter().find(|s| s.accepts(args, fit)))
}

pub(super) fn return_type(signatures: &'static [Signature], args: &[Type], literal: Option<Type>) -> Type {
    let result = |s: &Signature| s.returns.of(args, literal);
    if args.contains(&Type::Unknown) {
        // Several overloads may fit: the answer counts only if they agree.
        let mut fitting = signatures.iter().filter(|s| s.accepts(args, fits_loosely)).map(result);
        let Some(first) = fitting.next() else { return Type::Unknown };
        return if fitting.all(|t| t == first) { first } else { Type::Unknown };
    }
    // A call that no signature takes still has the type of the one with as many arguments.
    let by_count = || signatures.iter().find(|s| s.takes(args.len())).or(signatures.first());
    select(signatures, args).or_else(by_count).map_or(Type::Unknown, result)
}

pub(super) fn column_types(def: &FunctionDef, args: &[Type]) -> Vec<Type> {
    let Some(signature) = select(def.signatures, args) else { return vec![def.return_type(args)] };
    match signature.returns {
        Returns::Columns(columns) => columns.iter().map(|(_, t)| *t).collect(),
        Returns::EachArgument if def.result_name == ResultName::Sorted => {
            args.iter().copied().filter(|t| *t != Type::Bool).collect()
        }
        Returns::EachArgument => args.to_vec(),
        // `percentiles(x, 50, 95)`: a column for each percentage; the weighted form has a weight between.
        Returns::Percentile if def.kind == FunctionKind::Aggregate => {
            let percentages = args.len()
                - signature.params.iter().filter(|p| p.max == 1 && p.ty != ParamType::Number).count();
            vec![signature.returns.of(args, None); percentages.max(1)]
        }
        returns => vec![returns.of(args, None)],
    }
}

impl Returns {
    fn of(self, args: &[Type], literal: Option<Type>) -> Type {
        let arg = |n: usize| args.get(n).copied().unwrap_or(Type::Unknown);
        match self {
            Self::Fixed(ty) => ty,
            Self::SameAs(n) => arg(n),
            Self::EachArgument => arg(0),
            Self::Promoted(n) => promote(arg(n)),
            Self::Widest => widest(args),
            Self::Common => common_type(args.iter().copied(), false),
            Self::Branches => {
                let last = args.len().saturating_sub(1);
                let branch = |(i, t): (usize, &Type)| (i % 2 == 1 || i == last).then_some(*t);
                common_type(args.iter().enumerate().filter_map(branch), true)
            }
            Self::ByLiteral(_) => literal.unwrap_or(Type::Unknown),
            Self::Percentile => match arg(0) {
                Type::Int => Type::Long,
                Type::Decimal => Type::Real,
                other => other,
            },
            Self::Columns(columns) => columns.first().map_or(Type::Unknown, |(_, t)| *t),
            Self::Table => Type::Unknown,
        }
    }
}
