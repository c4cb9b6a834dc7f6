//! What is proved of one rule alone.
use super::codes;

codes! {
    RULE_NEVER_MATCHES = "E0921", "a condition can never hold",
        why: "no event meets it together with what stands before it, so that what it guards never makes an alert; proved, not guessed",
        example: "`where EventID == 4624 | where EventID == 4625`; `n > 5 and n < 3`",
        fix: "one of the conditions is not what was meant: look whether an `and` should be an `or`, and at the values";
    ALWAYS_HOLDS = "E0922", "a condition always holds at its place",
        why: "every event that gets there meets it: it filters nothing, and what was meant to be filtered is not",
        example: "`where EventID in (1, 2) | where EventID < 10`; `x != 1 or x != 2`",
        fix: "take it out, or write what was meant (`and` between two `!=`)";
    IMPLIED_CONDITION = "E0923", "a condition says nothing that another one does not say",
        why: "what meets the one meets the other: either it is left over, or one of them is not what was meant",
        example: "`name contains \"cmd\" and name contains \"cmd.exe\"`",
        fix: "take out the one that is implied";
    COVERED_ALTERNATIVE = "E0924", "an alternative finds nothing that another one does not find",
        why: "a value of a list, or a branch of an `or`, that is covered by another adds nothing; often the wider one is wider than was meant",
        example: "`path has_any (\"cmd\", \"cmd.exe\")`",
        fix: "take out the narrower one, or make the wider one as narrow as was meant";
    EXCLUSION_HIDES_ALL = "E0925", "an exclusion hides all of what the rule looks for",
        why: "every event that the conditions select is excluded again: the rule makes no alert",
        example: "`selection: Image|endswith: '\\cmd.exe'` with `filter: Image|contains: 'cmd'`",
        fix: "make the exclusion as narrow as was meant";
    EXCLUSION_HIDES_NONE = "E0926", "an exclusion hides nothing of what the rule looks for",
        why: "no event that the conditions select meets it: false alarms that it was written for still come",
        example: "`where name == \"a\" and not(name startswith \"b\")`",
        fix: "take it out, or look whether field and value are those that were meant";
    UNUSED_LET = "E0927", "a `let` is never used",
        why: "often a condition was to use it, and was forgotten: an allow list that allows nothing",
        example: "`let trusted = dynamic([\"a\"]); T | where x == 1`",
        fix: "use it, or take it out";
    PLAIN_REGEX = "E0928", "a regular expression is a plain text",
        why: "the plain test finds the same, is faster, uses indexes, and cannot be misread",
        example: "`matches regex \"cmd\\\\.exe\"`",
        fix: "write the test that the help names";
    BARE_JOIN = "E0929", "a `join` without kind keeps one left row for each key",
        why: "without `kind` a join is `innerunique`: of left rows with the same key one is kept, which one is not defined, so that alerts may be lost or change from run to run",
        example: "`A | join B on id`",
        fix: "write `kind=inner` for all pairs, or `kind=innerunique` where one row is meant";
    SCHEDULE_GAP = "E0930", "the rule runs less often than it looks back",
        why: "events between the end of one run's window and the start of the next one's are never looked at: a blind spot at every run",
        example: "a rule that runs every day and looks back one hour",
        fix: "look back at least as long as the time between runs";
    THRESHOLD_UNREACHABLE = "E0931", "a threshold can never be reached",
        why: "what is counted cannot be that many, or that few: the rule makes no alert",
        example: "`T | take 5 | summarize n = count() | where n > 10`; `summarize n = count() by k | where n < 1`",
        fix: "set the threshold, or count other rows";
}
