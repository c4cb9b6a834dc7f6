//! The plugins of `evaluate` and the functions that name tables elsewhere, sorted by name.

use super::signature::shorthand::{
    ARRAY, BAG, BOOL, INTEGER, LONG, NOT_DYNAMIC, NUMBER, REAL, SCALAR, STRING, SUMMABLE, TABLE, TIMESPAN,
    TYPE_LITERAL, def, sig,
};
use super::{Flags, Form, FunctionDef, FunctionKind, ResultName, Returns, Signature};

const NONE: Flags = Flags::NONE;
const HIDDEN: Flags = Flags::HIDDEN;
/// No limit, as far as a query can be written.
const MANY: usize = usize::MAX;

const fn plugin(
    name: &'static str,
    signatures: &'static [Signature],
    result_name: ResultName,
    flags: Flags,
) -> FunctionDef {
    def(name, FunctionKind::Plugin, signatures, result_name, flags)
}

const fn tabular(
    name: &'static str,
    signatures: &'static [Signature],
    result_name: ResultName,
    flags: Flags,
) -> FunctionDef {
    def(name, FunctionKind::Tabular, signatures, result_name, flags)
}

// One row, one function.
#[rustfmt::skip]
pub(super) static PLUGINS: &[FunctionDef] = &[
    plugin("active_users_count", &[sig(&[NOT_DYNAMIC.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), NOT_DYNAMIC.column().many(0, MANY)], 8, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("activity_counts_metrics", &[sig(&[NOT_DYNAMIC.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), NOT_DYNAMIC.column().many(0, MANY)], 5, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("activity_engagement", &[sig(&[NOT_DYNAMIC.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant()], 4, 4, Returns::Table), sig(&[NOT_DYNAMIC.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), NOT_DYNAMIC.column().many(0, MANY)], 6, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("activity_metrics", &[sig(&[SCALAR.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), NOT_DYNAMIC.column().many(0, MANY)], 5, MANY, Returns::Table), sig(&[SCALAR.column(), SUMMABLE.column(), SUMMABLE.constant().opt(), SUMMABLE.constant().opt()], 2, 4, Returns::Table)], ResultName::None, NONE),
    plugin("ai_chat_completion", &[sig(&[ARRAY, STRING, BAG.opt(), BOOL.opt()], 2, 4, Returns::Table)], ResultName::None, NONE),
    plugin("ai_chat_completion_prompt", &[sig(&[STRING, STRING, BAG.opt(), BOOL.opt()], 2, 4, Returns::Table)], ResultName::None, NONE),
    plugin("ai_embed_text", &[sig(&[SCALAR, STRING, BAG.opt(), BOOL.opt()], 2, 4, Returns::Table)], ResultName::None, HIDDEN),
    plugin("ai_embeddings", &[sig(&[SCALAR, STRING, BAG.opt(), BOOL.opt()], 2, 4, Returns::Table)], ResultName::None, NONE),
    plugin("autocluster", &[sig(&[REAL.opt(), SCALAR.column().opt(), INTEGER.opt(), SCALAR.many(0, MANY)], 0, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("azure_digital_twins_query_request", &[sig(&[STRING, STRING], 2, 2, Returns::Table)], ResultName::None, NONE),
    plugin("bag_unpack", &[sig(&[SCALAR.column(), STRING.constant().opt()], 1, 2, Returns::Table)], ResultName::None, NONE),
    plugin("basket", &[sig(&[REAL.opt(), SCALAR.column().opt(), INTEGER.opt(), SCALAR.many(0, MANY)], 0, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("cosmosdb_sql_request", &[sig(&[STRING, STRING, BAG.opt(), BAG.opt()], 2, 4, Returns::Table)], ResultName::None, NONE),
    plugin("csharp", &[sig(&[TYPE_LITERAL, STRING, BAG.opt()], 2, 3, Returns::Table)], ResultName::None, NONE),
    plugin("dax_request", &[sig(&[STRING, STRING, BAG.opt(), BAG.opt()], 2, 4, Returns::Table)], ResultName::None, HIDDEN),
    plugin("dcount_intersect", &[sig(&[ARRAY.many(2, MANY)], 2, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("diffpatterns", &[sig(&[SCALAR.column(), STRING, STRING, SCALAR.column().opt(), REAL.opt(), INTEGER.opt(), SCALAR.many(0, MANY)], 3, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("estimate_rows_count", &[sig(&[], 0, 0, Returns::Table)], ResultName::None, NONE),
    plugin("execute_query", &[sig(&[STRING, STRING], 2, 2, Returns::Table)], ResultName::None, NONE),
    plugin("execute_show_command", &[sig(&[STRING, STRING], 2, 2, Returns::Table)], ResultName::None, NONE),
    plugin("external_datatable", &[sig(&[], 0, 0, Returns::Table)], ResultName::None, NONE),
    plugin("funnel_sequence", &[sig(&[NOT_DYNAMIC.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), NOT_DYNAMIC.column(), ARRAY.constant()], 8, 8, Returns::Table)], ResultName::None, NONE),
    plugin("funnel_sequence_completion", &[sig(&[NOT_DYNAMIC.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), NOT_DYNAMIC.column(), ARRAY.constant(), ARRAY.constant()], 8, 8, Returns::Table)], ResultName::None, NONE),
    plugin("geo_line_lookup", &[sig(&[TABLE, BAG.column(), SCALAR.column(), SCALAR.column(), REAL.constant(), BOOL.constant().opt(), REAL.constant().opt(), BOOL.constant().opt()], 5, 8, Returns::Table)], ResultName::None, NONE),
    plugin("geo_polygon_lookup", &[sig(&[TABLE, BAG.column(), SCALAR.column(), SCALAR.column(), REAL.constant().opt(), BOOL.constant().opt(), REAL.constant().opt(), BOOL.constant().opt()], 4, 8, Returns::Table)], ResultName::None, NONE),
    plugin("http_request", &[sig(&[STRING.constant(), BAG.opt(), BAG.opt()], 1, 3, Returns::Table)], ResultName::None, NONE),
    plugin("http_request_post", &[sig(&[STRING.constant(), BAG.opt(), BAG.opt(), STRING.constant().opt()], 1, 4, Returns::Table)], ResultName::None, NONE),
    plugin("identity", &[sig(&[], 0, 0, Returns::Table)], ResultName::None, NONE),
    plugin("identity_v3", &[sig(&[STRING.constant(), STRING.constant()], 2, 2, Returns::Table)], ResultName::None, NONE),
    plugin("infer_storage_schema", &[sig(&[BAG], 1, 1, Returns::Table)], ResultName::None, NONE),
    plugin("infer_storage_schema_with_suggestions", &[sig(&[BAG], 1, 1, Returns::Table)], ResultName::None, NONE),
    plugin("ipv4_lookup", &[sig(&[TABLE, SCALAR.column(), SCALAR.column(), SCALAR.column().many(0, MANY), BOOL.constant().opt()], 3, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("ipv6_lookup", &[sig(&[TABLE, SCALAR.column(), SCALAR.column(), BOOL.constant().opt()], 3, 4, Returns::Table)], ResultName::None, NONE),
    plugin("mysql_request", &[sig(&[STRING, STRING, BAG.opt(), BAG.opt()], 2, 4, Returns::Table)], ResultName::None, NONE),
    plugin("narrow", &[sig(&[], 0, 0, Returns::Table)], ResultName::None, NONE),
    plugin("new_activity_metrics", &[sig(&[NOT_DYNAMIC.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), SCALAR, SCALAR.constant().opt(), NOT_DYNAMIC.column().many(0, MANY), TABLE.opt()], 5, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("pivot", &[sig(&[NOT_DYNAMIC.column(), SCALAR.form(Form::Aggregate).opt(), SCALAR.column().many(0, MANY)], 1, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("postgresql_request", &[sig(&[STRING, STRING, BAG.opt(), BAG.opt()], 2, 4, Returns::Table)], ResultName::None, HIDDEN),
    plugin("preview", &[sig(&[INTEGER], 1, 1, Returns::Table)], ResultName::None, NONE),
    plugin("python", &[sig(&[TYPE_LITERAL, STRING, BAG.opt(), BAG.opt()], 2, 4, Returns::Table)], ResultName::None, NONE),
    plugin("r", &[sig(&[TYPE_LITERAL, STRING, BAG.opt()], 2, 3, Returns::Table)], ResultName::None, NONE),
    plugin("rolling_percentile", &[sig(&[SUMMABLE.column(), NUMBER.constant(), SUMMABLE.column(), SUMMABLE, INTEGER.constant(), NOT_DYNAMIC.column().many(0, MANY)], 5, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("rows_near", &[sig(&[BOOL, INTEGER.constant(), INTEGER.constant().opt()], 2, 3, Returns::Table)], ResultName::None, NONE),
    plugin("sequence_detect", &[sig(&[SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), BOOL.many(1, MANY), NOT_DYNAMIC.column().many(0, MANY)], 4, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("session_count", &[sig(&[NOT_DYNAMIC.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), NOT_DYNAMIC.column().many(0, MANY)], 6, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("sliding_window_counts", &[sig(&[NOT_DYNAMIC.column(), SUMMABLE.column(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), SUMMABLE.constant(), NOT_DYNAMIC.column().many(0, MANY)], 6, MANY, Returns::Table)], ResultName::None, NONE),
    plugin("sql_request", &[sig(&[STRING, STRING, BAG.opt(), BAG.opt()], 2, 4, Returns::Table)], ResultName::None, NONE),
];

#[rustfmt::skip]
pub(super) static TABULAR: &[FunctionDef] = &[
    tabular("cluster", &[sig(&[STRING], 1, 1, Returns::Table)], ResultName::None, NONE),
    tabular("database", &[sig(&[STRING.opt()], 0, 1, Returns::Table)], ResultName::None, NONE),
    tabular("entity_group", &[sig(&[STRING], 1, 1, Returns::Table)], ResultName::None, NONE),
    tabular("external_table", &[sig(&[STRING, STRING.opt()], 1, 2, Returns::Table), sig(&[STRING, TIMESPAN], 2, 2, Returns::Table)], ResultName::None, NONE),
    tabular("materialized_view", &[sig(&[STRING, TIMESPAN.opt()], 1, 2, Returns::Table)], ResultName::None, NONE),
    tabular("stored_query_result", &[sig(&[STRING], 1, 1, Returns::Table), sig(&[STRING, LONG], 2, 2, Returns::Table), sig(&[STRING, STRING], 2, 2, Returns::Table)], ResultName::None, NONE),
    tabular("table", &[sig(&[STRING, STRING.opt()], 1, 2, Returns::Table)], ResultName::None, NONE),
];
