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
    NOTHING_COMPARED = "E0315", "`=` where `==` was meant",
        why: "Kusto reads `where x = true` as a name for the value `true`: the condition drops no row.",
        example: "Usage | where IsBillable = true",
        fix: "Write `==`.";
    UNKNOWN_TABLE = "E0316", "table in no schema",
        why: "No schema has the table, and one has a table of a very similar name. It is taken to exist, with the columns that the query uses.",
        example: "SigninLog | where ResultType == 0",
        fix: "Correct the name. If the table is right, nothing needs to be done.";
    BAD_LITERAL = "E0350", "literal without a value",
        why: "The text between the parentheses is not one of the forms that the type has, or the value does not fit into it.",
        example: "T | where Time > datetime(2024-13-01)",
        fix: "Write the literal in a documented form, such as `datetime(2024-12-01T00:00:00Z)`.";
    OPERAND_TYPES = "E0351", "operator not defined for its operands",
        why: "Kusto refuses the operator for values of these types.",
        example: "T | extend Name = First + Last",
        fix: "Convert the operands, or join texts with `strcat(…)`.";
    IMPLICIT_CONVERSION = "E0352", "conversion that the query does not write",
        why: "Kusto refuses these types here. The likely conversion is made, so that the rule can be converted; the source may be read otherwise where it runs.",
        example: "T | where Port has \"44\"",
        fix: "Write the conversion: `tostring(Port) has \"44\"`.";
    UNKNOWN_FUNCTION = "E0353", "unknown function",
        why: "No function of this name is known, so its result cannot be said in another language.",
        example: "T | extend x = MyFunction(a)",
        fix: "Put the definition of the function before the query: `let MyFunction = (…) { … };`.";
    NOT_AGGREGATED = "E0354", "aggregate and single rows mixed",
        why: "An aggregate is a value of a group of rows, a column is a value of each row; one cannot stand where the other is needed.",
        example: "T | where count() > 5",
        fix: "Aggregate with `summarize` first and filter after it.";
    MISPLACED = "E0355", "something that cannot stand here",
        why: "A `*`, a type or a named value stands where the language has no meaning for it.",
        example: "T | where a = 1",
        fix: "For a comparison write `==`.";
    UNORDERED_ROWS = "E0356", "neighbouring rows without an order",
        why: "Functions that read other rows need rows in an order that means something; Kusto refuses them otherwise.",
        example: "T | extend before = prev(x)",
        fix: "Put `sort by …` or `serialize` before.";
    NULL_TEST_OF_STRING = "E0357", "null test of a string",
        why: "Strings are never null in Kusto: a missing one is empty. The test has the same answer for every row.",
        example: "T | where isnotnull(Name)",
        fix: "Use `isempty` or `isnotempty`.";
    TABLE_WITHOUT_COLUMN = "E0358", "table without columns",
        why: "The values to look in are those of the first column, and the table has none.",
        example: "T | where a in ((U | project-away *))",
        fix: "Keep a column in the table.";
}
