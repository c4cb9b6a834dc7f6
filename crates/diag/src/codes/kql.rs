use super::codes;

codes! {
    KQL_SYNTAX = "E0101", "KQL text that does not fit the grammar",
        why: "The parser expected something else at this place. What it did understand is kept, and it goes on at the next `|` or `;`, so that other faults of the text show in the same run.",
        example: "T | project a, | take 5",
        fix: "Look at what stands directly before the underlined text: most often a name, a comma or a closing parenthesis is missing there.";
    KQL_UNKNOWN_OPERATOR = "E0102", "unknown tabular operator",
        why: "After `|` stands a word that is no operator of the language. Operators are written in lower case.",
        example: "T | WHERE a == 1",
        fix: "Use the operator that the help suggests.";
    KQL_UNTERMINATED_STRING = "E0103", "string without its closing quote",
        why: "Strings in quotes end on the line where they begin; only strings in three backticks or tildes may span lines.",
        example: "T | where a == \"abc",
        fix: "Close the string, or use a multi-line string.";
    KQL_BAD_ESCAPE = "E0104", "unknown escape in a string",
        why: "In a plain string a backslash begins an escape, and this is none that the language knows.",
        example: "T | where path has \"C:\\Windows\"",
        fix: "Double the backslash, or write the string verbatim: @\"C:\\Windows\".";
    KQL_BAD_CHARACTER = "E0105", "character that the language does not use",
        why: "The character is not part of the language outside of strings and comments. Text from documents and chats often carries curly quotes or special dashes.",
        example: "T | where a == \u{201c}x\u{201d}",
        fix: "Replace the character: straight quotes for curly ones, `and` for `&&`, and so on.";
    KQL_NAME_NEEDS_BRACKETS = "E0106", "keyword used as a name",
        why: "The word is reserved here and can be a name only in brackets.",
        example: "T | where by == 1",
        fix: "Write the name in brackets and quotes: ['by'].";
    KQL_TOO_DEEP = "E0107", "expression nested too deep",
        why: "The depth of expressions is limited, so that no input can exhaust memory. The text is not read further.",
        example: "T | where ((((…))))",
        fix: "Flatten the expression; no rule written by people comes near the limit.";
    KQL_MISSING_SEPARATOR = "E0108", "statement or operator without separator",
        why: "Operators follow each other with `|` and statements with `;`, and neither stands here.",
        example: "T where a == 1",
        fix: "Put in the `|` or the `;`.";
    KQL_EMPTY = "E0109", "no query",
        why: "The text holds nothing but blanks and comments.",
        example: "// nothing here",
        fix: "Give the query itself.";
    KQL_COMMAND = "E0110", "management command",
        why: "Texts that begin with a dot are commands to the service, not queries, and no rule.",
        example: ".show tables",
        fix: "Give the query alone.";
    KQL_BAD_LITERAL = "E0111", "faulty literal",
        why: "The text looks like a literal and is none: a guid outside of guid(…), a value that dynamic(…) does not allow, a literal without its closing parenthesis.",
        example: "T | where g == 74be27de-1e4e-49d9-b579-fe0b331d3642",
        fix: "Write the literal in the form that the help names.";
    KQL_UNKNOWN_TYPE = "E0112", "unknown type",
        why: "A column or parameter is declared with a word that is no type of the language.",
        example: "datatable (a:text) []",
        fix: "Use one of bool, datetime, decimal, dynamic, guid, int, long, real, string, timespan.";
    KQL_TOO_LARGE = "E0113", "query text too large",
        why: "Places in a text are counted in 32 bits.",
        example: "a query of more than 4 GiB",
        fix: "Split the text.";
    KQL_NOT_READ = "E0114", "valid KQL that Ruleferry does not read",
        why: "The construct belongs to the administration of a service (external tables, materialized views) and has no place in a rule.",
        example: "materialized-view-combine(…)",
        fix: "Replace it with an ordinary table.";
}
