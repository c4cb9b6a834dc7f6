//! Obsolete and second names of functions, sorted by name then kind.
//!
//! Only pairs whose meaning is the same, documented as such, are here. `weekofyear` (not ISO 8601, unlike `week_of_year`) and
//! `array_sum` (null for an array that is not all numbers, unlike `series_sum`) are functions of their own.

use super::ResultName::{ArgExtremePrefixed, PrefixAndEachArgument, PrefixAndFirstArgument};
use super::{FunctionKind, Note, ResultName};

pub(super) struct Alias {
    pub name: &'static str,
    pub kind: FunctionKind,
    /// The function's current name.
    pub current: &'static str,
    /// Where it names its columns differently.
    pub result_name: Option<ResultName>,
    pub note: Option<Note>,
}

const fn alias(
    name: &'static str,
    kind: FunctionKind,
    current: &'static str,
    result_name: Option<ResultName>,
    note: Option<Note>,
) -> Alias {
    Alias { name, kind, current, result_name, note }
}

// One row, one name.
#[rustfmt::skip]
pub(super) static ALIASES: &[Alias] = &[
    alias("any", FunctionKind::Aggregate, "take_any", Some(PrefixAndEachArgument("any")), None),
    alias("anyif", FunctionKind::Aggregate, "take_anyif", Some(PrefixAndFirstArgument("anyif")), None),
    alias("argmax", FunctionKind::Aggregate, "arg_max", Some(ArgExtremePrefixed("max")), None),
    alias("argmin", FunctionKind::Aggregate, "arg_min", Some(ArgExtremePrefixed("min")), None),
    alias("array_iif", FunctionKind::Scalar, "array_iff", None, None),
    alias("array_strcat", FunctionKind::Scalar, "strcat_array", None, None),
    alias("arraylength", FunctionKind::Scalar, "array_length", None, None),
    alias("base64_decodestring", FunctionKind::Scalar, "base64_decode_tostring", None, None),
    alias("base64_encodestring", FunctionKind::Scalar, "base64_encode_tostring", None, None),
    alias("cnt", FunctionKind::Aggregate, "count", Some(PrefixAndFirstArgument("cnt")), None),
    alias("columnifexists", FunctionKind::Scalar, "column_ifexists", None, None),
    alias("current_cursor", FunctionKind::Scalar, "cursor_current", None, None),
    alias("datepart", FunctionKind::Scalar, "datetime_part", None, None),
    alias("extentid", FunctionKind::Scalar, "extent_id", None, None),
    alias("extractall", FunctionKind::Scalar, "extract_all", None, None),
    alias("extractjson", FunctionKind::Scalar, "extract_json", None, None),
    alias("floor", FunctionKind::Scalar, "bin", None, None),
    alias("getmonth", FunctionKind::Scalar, "monthofyear", None, None),
    alias("iif", FunctionKind::Scalar, "iff", None, None),
    alias("make_dictionary", FunctionKind::Aggregate, "make_bag", Some(PrefixAndFirstArgument("dictionary")), None),
    alias("make_string", FunctionKind::Scalar, "unicode_codepoints_to_string", None, None),
    alias("makelist", FunctionKind::Aggregate, "make_list", None, None),
    alias("makeset", FunctionKind::Aggregate, "make_set", None, None),
    alias("merge_tdigest", FunctionKind::Scalar, "tdigest_merge", None, None),
    alias("merge_tdigest", FunctionKind::Aggregate, "tdigest_merge", None, None),
    alias("notempty", FunctionKind::Scalar, "isnotempty", None, None),
    alias("notnull", FunctionKind::Scalar, "isnotnull", None, None),
    alias("pack", FunctionKind::Scalar, "bag_pack", None, None),
    alias("pack_dictionary", FunctionKind::Scalar, "bag_pack", None, None),
    alias("parsejson", FunctionKind::Scalar, "parse_json", None, None),
    alias("parseurl", FunctionKind::Scalar, "parse_url", None, None),
    alias("parseurlquery", FunctionKind::Scalar, "parse_urlquery", None, None),
    alias("replace", FunctionKind::Scalar, "replace_regex", None, Some(Note::ArgumentOrder(&[2, 0, 1]))),
    alias("row_rank", FunctionKind::Scalar, "row_rank_dense", None, None),
    alias("to_utf8", FunctionKind::Scalar, "unicode_codepoints_from_string", None, None),
    alias("toboolean", FunctionKind::Scalar, "tobool", None, None),
    alias("todouble", FunctionKind::Scalar, "toreal", None, None),
    alias("todynamic", FunctionKind::Scalar, "parse_json", None, None),
    alias("toobject", FunctionKind::Scalar, "parse_json", None, None),
    alias("totime", FunctionKind::Scalar, "totimespan", None, None),
];
