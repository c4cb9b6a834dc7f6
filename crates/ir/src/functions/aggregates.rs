//! The aggregates, sorted by name.

use super::ResultName::{ArgExtreme, FirstArgument, PrefixAndFirstArgument};
use super::Returns::{EachArgument, Percentile, Promoted, SameAs};
use super::signature::shorthand::{
    ARRAY, BAG, BOOL, DATETIME, DECIMAL, INTEGER, NOT_DYNAMIC, NOT_REAL_OR_BOOL, NUMBER, ORDERABLE, REAL,
    SCALAR, SUMMABLE, TIMESPAN, TO_DATETIME, TO_DECIMAL, TO_DYNAMIC, TO_LONG, TO_REAL, TO_TIMESPAN, def, sig,
};
use super::{Flags, Form, FunctionDef, FunctionKind, ResultName, Signature};

const NONE: Flags = Flags::NONE;
const HIDDEN: Flags = Flags::HIDDEN;
const UNDEFINED_CHOICE: Flags = Flags::UNDEFINED_CHOICE;
/// No limit, as far as a query can be written.
const MANY: usize = usize::MAX;
const PERCENTILE: ResultName = ResultName::Percentile { from: 1 };
const WEIGHTED_PERCENTILE: ResultName = ResultName::Percentile { from: 2 };

const fn aggregate(
    name: &'static str,
    signatures: &'static [Signature],
    result_name: ResultName,
    flags: Flags,
) -> FunctionDef {
    def(name, FunctionKind::Aggregate, signatures, result_name, flags)
}

// One row, one function.
#[rustfmt::skip]
pub(super) static AGGREGATES: &[FunctionDef] = &[
    aggregate("arg_max", &[sig(&[ORDERABLE, SCALAR.form(Form::StarAllowed).many(0, MANY)], 1, MANY, EachArgument)], ArgExtreme("max"), UNDEFINED_CHOICE),
    aggregate("arg_min", &[sig(&[ORDERABLE, SCALAR.form(Form::StarAllowed).many(0, MANY)], 1, MANY, EachArgument)], ArgExtreme("min"), UNDEFINED_CHOICE),
    aggregate("avg", &[sig(&[INTEGER], 1, 1, TO_REAL), sig(&[REAL], 1, 1, TO_REAL), sig(&[DECIMAL], 1, 1, TO_DECIMAL), sig(&[TIMESPAN], 1, 1, TO_TIMESPAN), sig(&[DATETIME], 1, 1, TO_DATETIME)], PrefixAndFirstArgument("avg"), NONE),
    aggregate("avgif", &[sig(&[INTEGER, BOOL], 2, 2, TO_REAL), sig(&[REAL, BOOL], 2, 2, TO_REAL), sig(&[DECIMAL, BOOL], 2, 2, TO_DECIMAL), sig(&[TIMESPAN, BOOL], 2, 2, TO_TIMESPAN), sig(&[DATETIME, BOOL], 2, 2, TO_DATETIME)], PrefixAndFirstArgument("avgif"), NONE),
    aggregate("binary_all_and", &[sig(&[SUMMABLE], 1, 1, SameAs(0))], FirstArgument, NONE),
    aggregate("binary_all_or", &[sig(&[SUMMABLE], 1, 1, SameAs(0))], FirstArgument, NONE),
    aggregate("binary_all_xor", &[sig(&[SUMMABLE], 1, 1, SameAs(0))], FirstArgument, NONE),
    aggregate("buildschema", &[sig(&[BAG], 1, 1, TO_DYNAMIC)], PrefixAndFirstArgument("schema"), UNDEFINED_CHOICE),
    aggregate("count", &[sig(&[], 0, 0, TO_LONG), sig(&[BOOL], 1, 1, TO_LONG)], PrefixAndFirstArgument("count"), NONE),
    aggregate("count_distinct", &[sig(&[NOT_DYNAMIC], 1, 1, TO_LONG)], PrefixAndFirstArgument("count_distinct"), NONE),
    aggregate("count_distinctif", &[sig(&[NOT_DYNAMIC, BOOL], 2, 2, TO_LONG)], PrefixAndFirstArgument("count_distinctif"), NONE),
    aggregate("countif", &[sig(&[BOOL], 1, 1, TO_LONG)], PrefixAndFirstArgument("countif"), NONE),
    aggregate("covariance", &[sig(&[SUMMABLE, SUMMABLE], 2, 2, TO_REAL)], PrefixAndFirstArgument("covariance"), NONE),
    aggregate("covarianceif", &[sig(&[SUMMABLE, SUMMABLE, BOOL], 3, 3, TO_REAL)], PrefixAndFirstArgument("covarianceif"), NONE),
    aggregate("covariancep", &[sig(&[SUMMABLE, SUMMABLE], 2, 2, TO_REAL)], PrefixAndFirstArgument("covariancep"), NONE),
    aggregate("covariancepif", &[sig(&[SUMMABLE, SUMMABLE, BOOL], 3, 3, TO_REAL)], PrefixAndFirstArgument("covariancepif"), NONE),
    aggregate("dcount", &[sig(&[SCALAR, NOT_DYNAMIC.opt()], 1, 2, TO_LONG)], PrefixAndFirstArgument("dcount"), UNDEFINED_CHOICE),
    aggregate("dcountif", &[sig(&[SCALAR, BOOL, NOT_DYNAMIC.opt()], 2, 3, TO_LONG)], PrefixAndFirstArgument("dcountif"), UNDEFINED_CHOICE),
    aggregate("hll", &[sig(&[NOT_REAL_OR_BOOL, INTEGER.opt()], 1, 2, TO_DYNAMIC)], PrefixAndFirstArgument("hll"), UNDEFINED_CHOICE),
    aggregate("hll_if", &[sig(&[NOT_REAL_OR_BOOL, BOOL, INTEGER.opt()], 2, 3, TO_DYNAMIC)], PrefixAndFirstArgument("hll_if"), UNDEFINED_CHOICE),
    aggregate("hll_merge", &[sig(&[ARRAY], 1, 1, TO_DYNAMIC)], PrefixAndFirstArgument("hll_merge"), UNDEFINED_CHOICE),
    aggregate("make_bag", &[sig(&[BAG, INTEGER.opt()], 1, 2, TO_DYNAMIC)], PrefixAndFirstArgument("bag"), UNDEFINED_CHOICE),
    aggregate("make_bag_if", &[sig(&[BAG, BOOL, INTEGER.opt()], 2, 3, TO_DYNAMIC)], PrefixAndFirstArgument("bag"), UNDEFINED_CHOICE),
    aggregate("make_list", &[sig(&[SCALAR, INTEGER.opt()], 1, 2, TO_DYNAMIC)], PrefixAndFirstArgument("list"), UNDEFINED_CHOICE),
    aggregate("make_list_if", &[sig(&[SCALAR, BOOL, INTEGER.opt()], 2, 3, TO_DYNAMIC)], PrefixAndFirstArgument("list"), UNDEFINED_CHOICE),
    aggregate("make_list_with_nulls", &[sig(&[SCALAR], 1, 1, TO_DYNAMIC)], PrefixAndFirstArgument("list"), UNDEFINED_CHOICE),
    aggregate("make_set", &[sig(&[SCALAR, INTEGER.opt()], 1, 2, TO_DYNAMIC)], PrefixAndFirstArgument("set"), UNDEFINED_CHOICE),
    aggregate("make_set_if", &[sig(&[SCALAR, BOOL, INTEGER.opt()], 2, 3, TO_DYNAMIC)], PrefixAndFirstArgument("set"), UNDEFINED_CHOICE),
    aggregate("max", &[sig(&[ORDERABLE], 1, 1, SameAs(0))], PrefixAndFirstArgument("max"), NONE),
    aggregate("maxif", &[sig(&[ORDERABLE, BOOL], 2, 2, SameAs(0))], PrefixAndFirstArgument("maxif"), NONE),
    aggregate("min", &[sig(&[ORDERABLE], 1, 1, SameAs(0))], PrefixAndFirstArgument("min"), NONE),
    aggregate("minif", &[sig(&[ORDERABLE, BOOL], 2, 2, SameAs(0))], PrefixAndFirstArgument("minif"), NONE),
    aggregate("passthrough", &[sig(&[SCALAR], 1, 1, SameAs(0))], FirstArgument, HIDDEN),
    aggregate("percentile", &[sig(&[SCALAR, NUMBER], 2, 2, Percentile)], PERCENTILE, UNDEFINED_CHOICE),
    aggregate("percentiles", &[sig(&[SCALAR, NUMBER.many(1, MANY)], 2, MANY, Percentile)], PERCENTILE, UNDEFINED_CHOICE),
    aggregate("percentiles_array", &[sig(&[SCALAR, NUMBER.many(1, MANY)], 2, MANY, TO_DYNAMIC), sig(&[SCALAR, ARRAY], 2, 2, TO_DYNAMIC)], PrefixAndFirstArgument("percentiles"), UNDEFINED_CHOICE),
    aggregate("percentilesw", &[sig(&[SCALAR, INTEGER, NUMBER.many(1, MANY)], 3, MANY, Percentile)], WEIGHTED_PERCENTILE, UNDEFINED_CHOICE),
    aggregate("percentilesw_array", &[sig(&[SCALAR, INTEGER, NUMBER.many(1, MANY)], 3, MANY, TO_DYNAMIC), sig(&[SCALAR, INTEGER, ARRAY], 3, 3, TO_DYNAMIC)], PrefixAndFirstArgument("percentiles"), UNDEFINED_CHOICE),
    aggregate("percentilew", &[sig(&[SCALAR, INTEGER, NUMBER], 3, 3, Percentile)], WEIGHTED_PERCENTILE, UNDEFINED_CHOICE),
    aggregate("stdev", &[sig(&[SUMMABLE], 1, 1, TO_REAL)], PrefixAndFirstArgument("stdev"), NONE),
    aggregate("stdevif", &[sig(&[SUMMABLE, BOOL], 2, 2, TO_REAL)], PrefixAndFirstArgument("stdevif"), NONE),
    aggregate("stdevp", &[sig(&[SUMMABLE], 1, 1, TO_REAL)], PrefixAndFirstArgument("stdevp"), NONE),
    aggregate("sum", &[sig(&[SUMMABLE], 1, 1, Promoted(0))], PrefixAndFirstArgument("sum"), NONE),
    aggregate("sumif", &[sig(&[SUMMABLE, BOOL], 2, 2, Promoted(0))], PrefixAndFirstArgument("sumif"), NONE),
    aggregate("take_any", &[sig(&[SCALAR.form(Form::StarAllowed).many(1, MANY)], 1, MANY, EachArgument)], ResultName::EachArgument, UNDEFINED_CHOICE),
    aggregate("take_anyif", &[sig(&[SCALAR, BOOL], 2, 2, SameAs(0))], FirstArgument, UNDEFINED_CHOICE),
    aggregate("tdigest", &[sig(&[SUMMABLE, INTEGER.opt()], 1, 2, TO_DYNAMIC)], PrefixAndFirstArgument("tdigest"), UNDEFINED_CHOICE),
    aggregate("tdigest_merge", &[sig(&[ARRAY], 1, 1, TO_DYNAMIC)], PrefixAndFirstArgument("merge_tdigests"), UNDEFINED_CHOICE),
    aggregate("variance", &[sig(&[SUMMABLE], 1, 1, TO_REAL)], PrefixAndFirstArgument("variance"), NONE),
    aggregate("varianceif", &[sig(&[SUMMABLE, BOOL], 2, 2, TO_REAL)], PrefixAndFirstArgument("varianceif"), NONE),
    aggregate("variancep", &[sig(&[SUMMABLE], 1, 1, TO_REAL)], PrefixAndFirstArgument("variancep"), NONE),
    aggregate("variancepif", &[sig(&[SUMMABLE, BOOL], 2, 2, TO_REAL)], PrefixAndFirstArgument("variancepif"), NONE),
];
