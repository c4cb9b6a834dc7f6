//! Files and documents.
use super::codes;

codes! {
    NOT_UTF8 = "E0001", "the file is not UTF-8 text",
        why: "rules are read as UTF-8; guessing an encoding could change a literal",
        example: "a file saved as UTF-16 or Latin-1",
        fix: "save the file as UTF-8";
    TOO_LARGE = "E0002", "the file is too large to be a rule",
        why: "a bound on the size of inputs keeps memory bounded",
        example: "a log file in the rules folder",
        fix: "move the file away, or split it";
    UNKNOWN_LANGUAGE = "E0003", "the rule language cannot be told",
        why: "neither the name nor the content of the file fits one language",
        example: "a file `rule.yml` without `detection` and without `query`",
        fix: "name the language with --from";
    CANNOT_READ = "E0004", "the file cannot be read",
        why: "the operating system refused",
        example: "missing permission",
        fix: "check the path and its permissions";
    INTERNAL = "E0005", "internal error",
        why: "a bug in Ruleferry; it is kept to the one file that brings it up, and the others are done as usual",
        example: "any file, if we made a mistake",
        fix: "report it with the file; nothing is wrong with the rule";
    YAML_SYNTAX = "E0010", "the YAML is malformed",
        why: "the document cannot be read as YAML",
        example: "a tab as indentation, an unclosed quote",
        fix: "mend the line that is underlined";
    YAML_DUPLICATE_KEY = "E0011", "a key stands twice in one mapping",
        why: "readers differ in which of the two they keep, so one of the values would be lost silently",
        example: "two `selection:` in one `detection:`",
        fix: "merge the two or rename one";
    YAML_LIMIT = "E0012", "the document is nested too deep or expands too far",
        why: "aliases and nesting are limited so that hostile input cannot exhaust memory",
        example: "an alias bomb",
        fix: "write the values out";
    LOSS_BEYOND_POLICY = "E0701", "the conversion would lose more than the policy allows",
        why: "by default noise may be emitted, marked, but never a blind spot",
        example: "an exclusion that the target cannot say, with --max-loss none",
        fix: "allow the loss with --max-loss, or change the rule";
    NOT_PROVED = "E0702", "the output is not proved equivalent to the rule",
        why: "--require-proof emits nothing whose meaning is not known to be that of the source",
        example: "a conversion to SQL, which nothing proves yet",
        fix: "leave --require-proof away and test the output on events, or keep the source";
}
