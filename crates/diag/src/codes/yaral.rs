use super::codes;

codes! {
    YARAL_SYNTAX = "E1001", "YARA-L text that does not fit the grammar",
        why: "The parser expected something else at this place. What it did understand is kept, and it goes on at the next predicate or section, so that other faults of the text show in the same run.",
        example: "$e.metadata.event_type == \"USER_LOGIN\"",
        fix: "Look at what stands directly before the underlined text: most often an operator, a comma or a closing parenthesis is wrong or missing there.";
    YARAL_UNTERMINATED = "E1002", "string, regular expression or comment without its end",
        why: "The text ends (or, for a regular expression, the line ends) before the closing mark.",
        example: "$e.target.url = /evil",
        fix: "Close it. A slash in a regular expression is written `\\/`.";
    YARAL_BAD_CHARACTER = "E1003", "character that the language does not use",
        why: "The character is not part of the language outside of strings and comments. Text from documents and chats often carries curly quotes.",
        example: "$e.principal.hostname = \u{201c}x\u{201d}",
        fix: "Replace the character: straight quotes for curly ones, `and` for `&&`, and so on.";
    YARAL_BAD_ESCAPE = "E1004", "unknown escape in a string",
        why: "In a string in double quotes a backslash begins an escape, and this is none that the language knows. It is taken as it stands.",
        example: "re.regex($e.target.url, \"\\d+\")",
        fix: "Double the backslash, or write the string in backquotes.";
    YARAL_BAD_LITERAL = "E1005", "faulty literal",
        why: "The text looks like a number or a duration and is none.",
        example: "$user over 5x",
        fix: "Write a whole number with `m`, `h` or `d`.";
    YARAL_TOO_DEEP = "E1006", "expression nested too deep",
        why: "The depth of expressions is limited, so that no input can exhaust memory.",
        example: "((((…))))",
        fix: "Flatten the expression; no rule written by people comes near the limit.";
    YARAL_TOO_LARGE = "E1007", "text too large",
        why: "Places in a text are counted in 32 bits.",
        example: "a file of more than 4 GiB",
        fix: "Split the text.";
    YARAL_EMPTY = "E1008", "no rule",
        why: "The text holds nothing but blanks and comments.",
        example: "// nothing here",
        fix: "Give a rule: `rule name { events: … condition: … }`.";
    YARAL_SECTION = "E1009", "section missing, twice or out of order",
        why: "A rule has the sections meta, setup, events, match, outcome, condition, options and export, each at most once and in this order; events and condition are required.",
        example: "rule r { condition: $e events: $e.metadata.id != \"\" }",
        fix: "Put the sections in order.";
    YARAL_RULE = "E1101", "rule that breaks a rule of the language",
        why: "The text fits the grammar, and the service would not accept it: a variable that is bound to nothing, events that are not joined, a field with many values where one is needed.",
        example: "rule r { events: $a.metadata.id != \"\" $b.metadata.id != \"\" condition: $a and $b }",
        fix: "Follow the help; the documentation of YARA-L says what each section may hold.";
    YARAL_UNKNOWN_FIELD = "E1102", "field or value that UDM does not have",
        why: "Paths and names of enumerations are looked up in the public schema of UDM. An unknown field is taken for a text, an unknown name for one that no event holds.",
        example: "$e.principal.hostnme = \"x\"",
        fix: "Correct the name. The service knows some fields that the public schema does not list.";
    YARAL_FIELD_USE = "E1103", "index or key where none can stand",
        why: "`[0]` stands behind a repeated field, `[\"key\"]` behind a map or labels.",
        example: "$e.principal.hostname[0] = \"x\"",
        fix: "Leave it out.";
    YARAL_TYPES = "E1104", "values of different types are compared",
        why: "The service refuses such a rule. Both sides are compared as text.",
        example: "$e.target.port = \"443\"",
        fix: "Write a number for a number and a text for a text.";
    YARAL_PATTERN = "E1105", "regular expression that is not valid",
        why: "Patterns are in the syntax of RE2, which has no look-around and no back references.",
        example: "$e.target.url = /(?=x)/",
        fix: "Correct the pattern.";
    YARAL_NOT_LIFTED = "E1106", "valid YARA-L that is not converted",
        why: "The section has an effect that no other language has a word for.",
        example: "setup: graph_exclude($g.graph.entity.hostname = \"x\")",
        fix: "Take it out to convert the rest; to YARA-L it is printed back.";
    YARAL_OUT_OPERATOR = "E1201", "an operator is more than a YARA-L rule can say",
        why: "a YARA-L rule filters events, joins them on equal values within a window, and counts them once; leaving a step out would find something else",
        example: "`make-series`, `mv-expand`, `top 10 by n`, `sort by n | take 5`",
        fix: "convert to KQL or SQL, or keep what a rule can say";
    YARAL_OUT_STAGES = "E1202", "several stages of aggregation",
        why: "a YARA-L rule groups events once: what was counted cannot be counted or joined again",
        example: "`summarize n = count() by User, Host | summarize max(n) by User`",
        fix: "write the rule with one `summarize`, or as two rules of which one reads the detections of the other";
    YARAL_OUT_CONDITION = "E1203", "a condition is more than YARA-L can say",
        why: "YARA-L has no form with this meaning, and a near miss would lose alerts silently",
        example: "`where Computer in (split(Names, \",\"))`",
        fix: "write the condition with comparisons, text tests and the functions that YARA-L has";
    YARAL_OUT_FUNCTION = "E1204", "a function has no YARA-L form",
        why: "YARA-L has no function with the documented behaviour",
        example: "`parse_xml(x)`",
        fix: "write the value with other functions";
    YARAL_OUT_KEYWORD = "E1205", "a search in every field",
        why: "YARA-L compares named fields; it has no search through all values of an event",
        example: "a Sigma rule of keywords, `* has \"mimikatz\"`",
        fix: "name the fields to look at";
    YARAL_OUT_PATTERN = "E1206", "a pattern has no YARA-L form",
        why: "YARA-L takes constant regular expressions of RE2, with one group at most where a part is cut out",
        example: "`extract(pattern, 2, x)`, a pattern that is computed",
        fix: "write the condition without it";
    YARAL_OUT_SOURCE = "E1207", "not events of a table",
        why: "a YARA-L rule looks at events; other rows have no form in it",
        example: "`datatable(…)`, `range`, `workspace(\"w\").T`",
        fix: "read a table by its name";
    YARAL_OUT_WINDOW = "E1208", "no window of YARA-L fits",
        why: "events are grouped and joined within a window of whole minutes, from one minute to 48 hours",
        example: "`where TimeGenerated > ago(14d) | summarize count() by User`",
        fix: "look back 48 hours at most";
    YARAL_OUT_LIMIT = "E1209", "the rule would be too large for YARA-L",
        why: "conditions and their depth are limited, so that hostile input cannot exhaust the memory",
        example: "a list of half a million values",
        fix: "put the values into a reference list, or split the rule";
    YARAL_OUT_NOTHING = "E1210", "there is nothing to look for",
        why: "the query keeps no row, whatever the events are",
        example: "`where 1 == 2`",
        fix: "look at the conditions: they exclude each other";
    YARAL_OUT_TIME = "E1211", "a comparison of times that YARA-L has not",
        why: "only the time of an event is a time in YARA-L; a rule is run on events as they come, so that it has no `now()`",
        example: "`where CreatedTime < datetime(2024-01-01)`",
        fix: "compare the table's own time column";
}
