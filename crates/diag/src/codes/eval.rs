//! `E08xx`: running rules.

use super::codes;

codes! {
    EVAL_UNSUPPORTED = "E0801", "the evaluator cannot run this construct",
        why: "The construct needs the outside world, or the rule IR keeps it as text only",
        example: "T | evaluate python(typeof(*), 'result = df')",
        fix: "Leave it out of the test, or run the rule where it is supported";
    EVAL_NO_TABLE = "E0802", "a table that the rule reads was not given",
        why: "Events of every table, watchlist and external data that a rule reads must be given",
        example: "ruleferry run rule.kql --data SigninLogs=signins.jsonl, for a rule that also reads AuditLogs",
        fix: "Give it with `--data NAME=FILE`; an empty file stands for an empty table";
    EVAL_LIMIT = "E0803", "a step makes too many rows",
        why: "A join or an expansion makes more rows than fit into memory",
        example: "A | join kind=inner B on Constant",
        fix: "Filter before the step, or use `--engine embedded`";
    EVAL_REGEX = "E0804", "a regular expression is not valid",
        why: "The pattern is not valid in RE2 syntax, which has no look-around and no back references",
        example: "T | where Name matches regex @'(?<=a)b'",
        fix: "Write the pattern in RE2 syntax";
    EVAL_ARGUMENT = "E0805", "an argument is outside of what the function takes",
        why: "The value of an argument makes the call meaningless",
        example: "range(1, 10, 0)",
        fix: "See the documentation of the function";
}
