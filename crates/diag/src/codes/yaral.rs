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
}
