use super::codes;

codes! {
    SQL_OPERATOR = "E0401", "an operator has no SQL form",
        why: "the operator's meaning cannot be kept in the target's SQL, and a near miss would lose alerts silently",
        example: "`evaluate autocluster()`",
        fix: "write that step with other operators, or run it outside of the rule";
    SQL_FUNCTION = "E0402", "a function has no SQL form",
        why: "the target's data has no form with the function's documented behaviour",
        example: "`geo_polygon_simplify(x)`",
        fix: "write the value with other functions";
    SQL_TOO_DEEP = "E0403", "the query is nested too deep for SQL",
        why: "nesting is limited so that hostile input cannot exhaust the stack",
        example: "ten thousand parentheses",
        fix: "split the query into several `let` statements";
    SQL_OPAQUE = "E0404", "a construct is outside of what can be converted",
        why: "its meaning is not known here, so no SQL can be right",
        example: "an unknown function",
        fix: "replace the construct, or give it as an input table";
    SQL_PATTERN = "E0405", "a pattern has no SQL form",
        why: "the engine's regular expressions do not have what the pattern uses",
        example: "a look-ahead in a regular expression",
        fix: "write the condition without it";
    SQL_OPEN_COLUMNS = "E0406", "the columns are known only when the query runs",
        why: "a SQL statement has fixed columns",
        example: "`evaluate pivot(x)` without a schema, `union *`",
        fix: "name the columns: `evaluate pivot(x) : (a: long, b: long)`, or `project` them";
    SQL_VALUE = "E0407", "a value must be a constant here",
        why: "the SQL clause takes only a constant",
        example: "`take toint(x)`",
        fix: "write the number";
    SQL_TOO_LARGE = "E0408", "the query is too large for SQL",
        why: "values and conditions are limited far above what people write, so that hostile input cannot exhaust the memory",
        example: "a list of half a million values",
        fix: "put the values into a table and look them up there";
    KQL_OUT_OPERATOR = "E0501", "an operator has no KQL form",
        why: "KQL has no operator with this meaning, and a near miss would lose alerts silently",
        example: "a case-insensitive prefix test against a list that is computed",
        fix: "write that step with other operators";
    KQL_OUT_OPAQUE = "E0502", "a construct of another language has no KQL form",
        why: "its meaning is not known here, so no KQL can be right",
        example: "a function that only the source's engine has",
        fix: "replace the construct";
    KQL_OUT_TOO_DEEP = "E0503", "the query is nested too deep for KQL",
        why: "nesting is limited so that hostile input cannot exhaust the stack",
        example: "ten thousand parentheses",
        fix: "split the query";
    KQL_OUT_COLUMNS = "E0504", "columns would get other names in KQL",
        why: "Kusto names the columns of joins and unions by itself; here it would name them otherwise than the source",
        example: "a union whose branches call the same column by two names",
        fix: "rename the columns before they are joined";
    KQL_OUT_VALUE = "E0505", "a value has no KQL form",
        why: "KQL has no such constant, or takes only a constant in this place",
        example: "a text that may be unknown (SQL's NULL) under a negation",
        fix: "write the condition without it";
    KQL_OUT_PATTERN = "E0506", "a pattern has no KQL form",
        why: "Kusto's regular expressions do not have what the pattern uses",
        example: "a computed pattern that ignores case",
        fix: "write the condition without it";
    SIGMA_OUT_OPERATOR = "E0601", "an operator is more than a Sigma rule can say",
        why: "a Sigma rule filters the events of one log source; leaving a step out would find something else",
        example: "`summarize count() by User`, `join`, `union`",
        fix: "convert to KQL or SQL, or keep only the filter";
    SIGMA_OUT_CONDITION = "E0602", "a condition is more than Sigma can say",
        why: "Sigma compares fields of one event with constants",
        example: "`where Size > Limit * 2`, `where split(Path, \"/\")[0] == \"a\"`",
        fix: "compare the field itself";
    SIGMA_OUT_TIME = "E0603", "Sigma cannot compare times",
        why: "only a look-back can be said, as the custom key `x-lookback`",
        example: "`where CreatedTime < datetime(2024-01-01)`",
        fix: "filter on the table's time column with `> ago(…)`";
    SIGMA_OUT_NO_CONDITION = "E0604", "there is nothing to look for",
        why: "a Sigma rule has at least one search",
        example: "`SigninLogs | take 10`",
        fix: "filter the rows";
    SIGMA_OUT_SOURCE = "E0605", "not the events of one log source",
        why: "a Sigma rule names one log source",
        example: "`union Device*`, `workspace(\"w\").SigninLogs`",
        fix: "read one table by its name";
    SIGMA_OUT_TOO_LARGE = "E0606", "the condition is too large for a Sigma rule",
        why: "columns that are computed from columns are written out where they are used, which can double at each step",
        example: "`extend b = a and a | extend c = b and b | …`",
        fix: "write a shorter condition";
}
