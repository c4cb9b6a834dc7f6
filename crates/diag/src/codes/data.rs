//! `E081x`: event files and unit tests of rules.

use super::codes;

codes! {
    DATA_UNREADABLE = "E0810", "an event file cannot be read",
        why: "The file is not there, may not be opened, or is in a format that is not known",
        example: "ruleferry run rule.kql --data SigninLogs=signins.evtx",
        fix: "Check the path; give JSON, JSON lines, CSV or Parquet";
    DATA_BAD_EVENT = "E0811", "an event cannot be read and is left out",
        why: "A line is cut short, is no JSON object, is not UTF-8, or is nested too deep; the other events still count",
        example: "{\"UserPrincipalName\": \"ana@corp.exa",
        fix: "Mend the line, or export the events again";
    DATA_BAD_VALUE = "E0812", "a value does not have the type of its column",
        why: "The schema gives the column another type, and the value does not convert; it counts as missing",
        example: "{\"TimeGenerated\": \"yesterday\"}",
        fix: "Write the value in the type of the column; points in time as 2026-01-31T10:20:30Z";
    DATA_MIXED_TYPES = "E0813", "a column holds values of several types",
        why: "No schema gives the column a type, and its values do not agree on one; it is read as text, or as dynamic where some are nested",
        example: "{\"Port\": 443} on one line, {\"Port\": \"https\"} on another",
        fix: "Write all values in one type, or compare the column as text";
    DATA_NO_COLUMN = "E0814", "no event has a column that the rule reads",
        why: "The table has no schema but its events, and none of them has the column, so it is missing throughout",
        example: "T | where Usre == \"ana\", over events with the field `User`",
        fix: "Check the name of the column, in the rule and in the events";
    TEST_INVALID = "E0815", "a unit test is not well formed",
        why: "A test file has a key that is not known, lacks one, or holds something else than is expected there",
        example: "cases: [{name: a, row: []}]",
        fix: "See `ruleferry schema test` for the form of a test file";
    TEST_UNKNOWN_COLUMN = "E0816", "a unit test names a table or column that is not there",
        why: "A misspelt name would make the test pass or fail for the wrong reason",
        example: "rows: [{UserPrincipalNam: ana}]",
        fix: "Correct the name, or remove it";
    TEST_NO_RULE = "E0817", "there is no rule for a unit test",
        why: "The tests of `<rule>.kql`, `<rule>.yaml` … stand beside it in `<rule>.test.yaml`",
        example: "a.test.yaml without a.kql, a.yaml or another rule named a",
        fix: "Rename the test file after its rule, or put the rule beside it";
    RUN_NOT_ONE_RULE = "E0818", "the file does not hold exactly one rule",
        why: "Events are run through one rule at a time",
        example: "an export that holds many rules",
        fix: "Put the rule in a file of its own";
    RUN_ENGINE = "E0819", "the embedded engine cannot run the rule",
        why: "The library of DuckDB is not found, or it refused what was emitted for it",
        example: "ruleferry run rule.kql --data T=t.parquet, without libduckdb",
        fix: "Set RULEFERRY_DUCKDB_LIB to the path of libduckdb 1.5, or use `--engine reference`";
}
