use super::codes;

codes! {
    LIFT_ERROR_NODE = "E0301", "the query has syntax errors",
        why: "Only a query that was read whole can be given a meaning; a part that was skipped could be the condition of the alert.",
        example: "DeviceEvents | where | take 5",
        fix: "Correct the syntax errors that are reported with it.";
    UNKNOWN_NAME = "E0302", "unknown name",
        why: "No column of the rows at this place and no `let` has this name. Kusto refuses such a query, too.",
        example: "DeviceEvents | project Timestamp | where DeviceName == \"x\"",
        fix: "Correct the name, or keep the column in the `project` or `summarize` before.";
    COLUMN_NOT_IN_SCHEMA = "E0303", "column not in the schema data",
        why: "The table is known, this column of it is not: the query is older or newer than the schema data, or the name is misspelt. The column is taken to exist.",
        example: "DeviceProcessEvents | where FileNam == \"a.exe\"",
        fix: "Check the name. If the column is right, nothing needs to be done.";
    TABLE_AS_VALUE = "E0304", "a table where a value is needed",
        why: "A table cannot stand in a scalar expression.",
        example: "let T = SigninLogs; AuditLogs | where Id == T",
        fix: "Take one value with `toscalar(…)`, or compare with `in (…)`.";
    VALUE_AS_TABLE = "E0305", "a value where a table is needed",
        why: "The source of a query must be a table.",
        example: "let n = 5; n | where x == 1",
        fix: "Start from a table, or use `print` to make a row of a value.";
    LIFT_TOO_DEEP = "E0306", "nested too deeply",
        why: "Expressions, sub-queries and function calls are limited in depth, so that no input can exhaust the stack.",
        example: "a function that calls a function that calls … a few hundred times",
        fix: "Flatten the query: put parts into `let` statements.";
    LIFT_TOO_LARGE = "E0307", "the query grows too large",
        why: "Functions are expanded where they are called; functions that call each other twice double the query each time.",
        example: "let f = () { union g(), g() };",
        fix: "Call the functions less often, or put their results into `let` tables.";
    RECURSIVE_FUNCTION = "E0308", "function calls itself",
        why: "Functions of a query cannot be recursive in Kusto.",
        example: "let f = (x:long) { f(x - 1) };",
        fix: "Rewrite the function without calling itself.";
    WRONG_ARGUMENTS = "E0309", "wrong arguments",
        why: "The call does not fit the parameters of the function or operator.",
        example: "let f = (x:long) { x }; print f()",
        fix: "Give the arguments that the function asks for.";
    NO_QUERY = "E0310", "no query",
        why: "The text holds only `let` or other statements; nothing in it returns rows.",
        example: "let x = 5;",
        fix: "Add the query after the last `;`.";
    SEVERAL_QUERIES = "E0311", "several queries in one text",
        why: "Only the last query of a text is the rule; the others are left out.",
        example: "SigninLogs | take 5; AuditLogs | take 5",
        fix: "Put each query into a file of its own.";
    BAD_JOIN_CONDITION = "E0312", "join condition not understood",
        why: "Kusto joins on columns that both sides have, or on `$left.a == $right.b`; other conditions are refused.",
        example: "A | join B on a == b",
        fix: "Write `on $left.a == $right.b`.";
    STATEMENT_IGNORED = "E0313", "statement without effect on the rule",
        why: "The statement sets up the session, not the rows that the rule returns.",
        example: "restrict access to (T);",
        fix: "Nothing, if the statement was not meant to filter rows.";
    NOT_IN_IR = "E0314", "construct without a neutral form",
        why: "The construct is kept as it is: the same language can print it back, another one cannot.",
        example: "T | fork (count) (take 5)",
        fix: "Rewrite it with other operators if the rule is to be converted to another language.";
}
