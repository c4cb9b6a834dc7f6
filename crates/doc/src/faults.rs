//! The YAML scanner's words for a fault, and ours: what a person wrote, and what to do.

/// How a fault is told.
pub(crate) struct Fault {
    pub message: &'static str,
    pub help: &'static str,
}

/// A part of the scanner's message, our message, our help. The first that fits is taken.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "unknown anchor",
        "`*name` repeats an anchor, and there is no anchor of this name",
        "a value that begins with `*` needs quotes: '*value'",
    ),
    (
        "mapping values are not allowed",
        "`: ` cannot stand here",
        "put quotes around a value that contains `: `; if this is a key, check the indentation and that the line above is complete",
    ),
    ("tab", "a tab cannot indent", "indent with spaces"),
    (
        "invalid indentation in quoted scalar",
        "the quoted text does not end, or its next line is not indented",
        "close the quote; inside single quotes, write `''` for one quote",
    ),
    (
        "unexpected end of stream",
        "the quoted text does not end",
        "close the quote; inside single quotes, write `''` for one quote",
    ),
    (
        "unexpected document indicator",
        "the quoted text does not end before the next document",
        "close the quote",
    ),
    (
        "invalid trailing content after",
        "there is text after the closing quote",
        "inside single quotes, write `''` for one quote; inside double quotes, `\\\"`",
    ),
    (
        "unknown escape character",
        "this is no escape of double-quoted text",
        "use single quotes, in which a backslash is a backslash, or write `\\\\`",
    ),
    (
        "hexadecimal number",
        "the escape needs hexadecimal digits",
        "use single quotes, in which a backslash is a backslash, or write `\\\\`",
    ),
    (
        "Unicode character escape",
        "the escape is no character",
        "`\\u` and `\\U` take the number of a Unicode character",
    ),
    (
        "did not find expected key",
        "a key is expected here",
        "check the indentation: the keys of one mapping begin in the same column, and each is followed by `: `",
    ),
    (
        "simple key expect",
        "a key without `:`",
        "write `key: value`; a value that goes on in the next line is indented deeper than its key",
    ),
    (
        "invalid indentation",
        "the indentation fits nothing above it",
        "lines that belong together begin in the same column",
    ),
    (
        "block sequence entries are not allowed",
        "a list item cannot stand here",
        "begin the list on its own line; put quotes around a value that begins with `- `",
    ),
    (
        "did not find expected '-' indicator",
        "a list item is expected here",
        "the items of one list begin in the same column, each with `- `",
    ),
    ("'-' must be followed", "`-` must be followed by a space", "write `- value`"),
    (
        "wrongly indented line in block scalar",
        "the first lines of the text block are indented deeper than the rest",
        "empty lines at the beginning of a block may not be longer than its indentation",
    ),
    (
        "expected comment or line break",
        "only a comment may follow `|` or `>` on its line",
        "begin the text on the next line; put quotes around a value that begins with `|` or `>`",
    ),
    ("unexpected character", "a value cannot begin with this character", "put quotes around it"),
    (
        "directive",
        "a line that begins with `%` is a directive, and this is none",
        "put quotes around a value that begins with `%`",
    ),
    (
        "expected ',' or",
        "`,` or the closing bracket is expected here",
        "separate the entries with `,` and close the bracket; put quotes around values with brackets or `, `",
    ),
    (
        "misplaced bracket",
        "a closing bracket without an opening one",
        "put quotes around a value that begins with a bracket",
    ),
    (
        "illegal placement of ':'",
        "`:` cannot stand here",
        "close the bracket before the next key; put quotes around a value that contains `:`",
    ),
    (
        "tag",
        "what begins with `!` is a tag, and this is none",
        "put quotes around a value that begins with `!`",
    ),
    (
        "anchor",
        "what begins with `&` or `*` names an anchor, and this does not",
        "put quotes around a value that begins with `&` or `*`",
    ),
    ("byte order mark", "a byte order mark stands inside the document", "remove it"),
    (
        "comment intercepting",
        "a comment stands between the lines of one value",
        "put the comment above the value, or quotes around the value",
    ),
];

/// What to say for a message of the scanner; `None` where its own words are as good.
pub(crate) fn explain(info: &str) -> Option<Fault> {
    let row = FAULTS.iter().find(|(part, _, _)| info.contains(part))?;
    Some(Fault { message: row.1, help: row.2 })
}

/// The scanner's own limit on nesting.
pub(crate) fn is_limit(info: &str) -> bool {
    info.contains("recursion limit")
}
