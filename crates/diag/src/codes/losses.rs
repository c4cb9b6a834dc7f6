use super::codes;

codes! {
    EMPTY_IS_MISSING = "L0101", "absent and empty text are the same in the output",
        why: "Kusto's text columns have no null: an absent field is stored as empty text, so a test for one of the two is a test for both",
        example: "`ParentImage: null` becomes `isempty(ParentImage)`",
        fix: "nothing, if the events have no fields with empty text";
    LOOK_BACK_NOT_SAID = "L0102", "the output does not say how far it looks back",
        why: "the table's time column is not known, so the query reads all events that are given to it",
        example: "`x-lookback: 7d` over a table without a schema",
        fix: "set the period where the rule is scheduled";
    ORDER_LOST = "L0103", "the output does not sort what it finds",
        why: "the target has no order of results",
        example: "`sort by TimeGenerated` to Sigma",
        fix: "nothing: the same events are found";
    LIMIT_LOST = "L0104", "the output does not limit what it finds",
        why: "the target has no limit of results",
        example: "`take 100` to Sigma",
        fix: "nothing, if the limit was only for reading";
    COLUMN_LOST = "L0105", "a computed column is not shown",
        why: "the target shows fields of the event alone",
        example: "`project Path = strcat(Folder, Name)` to Sigma",
        fix: "nothing: the same events are found";
    TRIGGER_LOST = "L0106", "the number of results that makes an alert is not said",
        why: "in the target every event that matches makes an alert",
        example: "`triggerThreshold: 10` to Sigma",
        fix: "write a correlation that counts";
    OUTPUT_MISSES = "L0107", "the output misses what the source finds",
        why: "the output was read back and compared with its source: an event shows the difference",
        example: "a test that the target can only say for one spelling",
        fix: "look at the event, write the condition otherwise, or take the blind spot with --max-loss any";
    OUTPUT_FINDS_MORE = "L0108", "the output finds more than the source",
        why: "the output was read back and compared with its source: an event shows the difference",
        example: "an exclusion that the target can only say in part",
        fix: "look at the event, and write the condition otherwise";
    WINDOW_SLIDES = "L0109", "windows of time are wider in the output",
        why: "a correlation of Sigma looks at every span of its length; the source at fewer of them, so all that the source finds is found, and more",
        example: "`summarize count() by User, bin(TimeGenerated, 1h) | where count_ > 10` to Sigma",
        fix: "nothing, if a burst over the edge of an hour should alert, too";
    GROUPS_LOST = "L0110", "the output makes an alert of each event",
        why: "the source makes one row of a group of events and asks for no number of them, so that it alerts where there is one event",
        example: "`summarize FirstSeen = min(TimeGenerated) by User` to Sigma",
        fix: "nothing: group the alerts where they are shown";
    WINDOWS_OVERLAP = "L0121", "the output looks at every window, not only at that of a run",
        why: "the source is run from time to time and looks back a fixed period; YARA-L looks at overlapping windows of that length, so that it finds what falls between two runs, too",
        example: "`where TimeGenerated > ago(1h) | summarize n = count() by User | where n > 10` becomes `$User over 1h`",
        fix: "nothing: a group of events that one run sees is in one window";
    WINDOW_ASSUMED = "L0122", "the source names no period, and the output needs one",
        why: "YARA-L groups and joins events within a window of 48 hours at most, and the source looks at all events that it is given",
        example: "`SigninLogs | summarize n = count() by User | where n > 10`",
        fix: "say how far the rule looks back: `where TimeGenerated > ago(1d)`, or the period of the rule's file";
    DUPLICATES_SHOWN = "L0123", "what is found once in the source may be shown several times",
        why: "the target has no form that drops repeated rows here",
        example: "`T | where … | distinct User` without a period becomes one detection an event",
        fix: "nothing: the same is found";
    LIST_CUT = "L0124", "a list is cut",
        why: "YARA-L keeps 25 values of a list",
        example: "`make_set(IPAddress)`",
        fix: "nothing: the same is found, with fewer values shown";
}
