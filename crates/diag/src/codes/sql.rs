use super::codes;

codes! {
    SQL_READ_SYNTAX = "E0421", "the SQL cannot be parsed",
        why: "only a text that was read whole can be given a meaning",
        example: "`SELECT FROM WHERE`",
        fix: "correct the text, or take it as `ruleferry convert` printed it";
    SQL_READ_MACRO = "E0422", "a macro is not the one that is shipped",
        why: "calls of a macro are read by what the shipped macro of that name does; another body may do something else",
        example: "`CREATE OR REPLACE TEMP MACRO has_term(text_, term_) AS true`",
        fix: "take the macro from `ruleferry convert`, or write the expression out";
    SQL_READ_NAME = "E0423", "a name in the SQL is not known",
        why: "no table, column or macro in sight has the name, or several have it",
        example: "`SELECT y FROM t` where `t` has no column `y`",
        fix: "correct the name, or qualify it";
    SQL_READ_CLAUSE = "E0424", "a clause of the SQL is not read back",
        why: "its meaning has no form in the neutral plan, or was not built yet; it is never guessed",
        example: "`TABLESAMPLE 10%`",
        fix: "write the query without it";
    SQL_READ_FUNCTION = "E0425", "an expression of the SQL is not read back",
        why: "no function of the catalogue is written this way in the dialect",
        example: "`soundex(x)`",
        fix: "use what `ruleferry convert` would write";
    SQL_READ_NULL = "E0426", "what NULL gives here has no neutral form",
        why: "a missing text and the empty one are the same to some operators of the neutral plan; where SQL tells them apart, the reading would be wrong",
        example: "`GROUP BY x` where `x` is text that may be NULL",
        fix: "write `coalesce(x, '')`";
    SQL_READ_TYPE = "E0427", "the types of an expression of the SQL do not fit",
        why: "the reading rests on the types; these are not those that the engine would take as they are",
        example: "`x = 5` where `x` is text",
        fix: "cast one of the sides";
    SQL_READ_TOO_LARGE = "E0428", "the SQL is too large or nested too deep to be read back",
        why: "size and depth are limited so that hostile input cannot exhaust memory or stack",
        example: "ten thousand parentheses",
        fix: "split the query";
}
