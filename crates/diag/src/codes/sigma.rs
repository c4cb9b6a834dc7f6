//! Sigma: rules, detections, conditions.
use super::codes;

codes! {
    SIGMA_NOT_A_RULE = "E0201", "the document is no Sigma rule",
        why: "a Sigma document is a mapping with `detection`, `correlation` or `filter`",
        example: "a list, or a mapping with other keys only",
        fix: "add `logsource` and `detection`, or name the language of the file with --from";
    SIGMA_MISSING_KEY = "E0202", "a key that Sigma requires is missing",
        why: "without it the rule cannot be named, or does not say what to look for where",
        example: "a rule without `logsource`, a detection without `condition`",
        fix: "add the key";
    SIGMA_WRONG_TYPE = "E0203", "a value has the wrong type for its key",
        why: "the specification says for each key whether it holds text, a list or a mapping",
        example: "`tags: attack.t1059` in place of a list; a list inside a list of values",
        fix: "write the value in the shape that the help names";
    SIGMA_UNKNOWN_MODIFIER = "E0204", "a modifier that Sigma does not have",
        why: "passing over it would change what the rule finds",
        example: "`CommandLine|contians: x`",
        fix: "correct the name; `help` names the nearest one";
    SIGMA_MODIFIERS_CONFLICT = "E0205", "modifiers that do not go together",
        why: "each modifier changes what the next one gets; some combinations have no meaning",
        example: "`Field|startswith|endswith: x`, `Field|base64|wide: x`",
        fix: "split the field into two search items, or put the modifiers in order";
    SIGMA_VALUE = "E0206", "a value does not fit the modifiers of its field",
        why: "the comparison would have no meaning",
        example: "`Port|gt: high`, `Ip|cidr: 10.0.0`, `Field|exists: 1`",
        fix: "write a value of the kind that the modifier takes";
    SIGMA_CONDITION = "E0207", "the condition cannot be read",
        why: "it does not follow the grammar of conditions",
        example: "`selection and`, `1 of`, `(a or b`",
        fix: "combine names of searches with `and`, `or`, `not`, `1 of x*`, `all of x*` and parentheses";
    SIGMA_UNKNOWN_SEARCH = "E0208", "the condition names a search that is not there",
        why: "the rule could never be evaluated as its author meant",
        example: "`condition: selecton` beside a search `selection`",
        fix: "correct the name, or add the search";
    SIGMA_UNUSED_SEARCH = "E0209", "no condition uses this search",
        why: "an exclusion that is not used excludes nothing",
        example: "a search `filter_main` beside `condition: selection`",
        fix: "use it in the condition, or remove it";
    SIGMA_METADATA = "E0210", "metadata that the specification does not know",
        why: "other tools pass over it or refuse it",
        example: "`level: severe`, `id: 17`, `date: yesterday`",
        fix: "write one of the values that the help names";
    SIGMA_EMPTY = "E0211", "nothing is looked for",
        why: "an empty search matches everything or nothing, depending on the tool",
        example: "`selection: {}`, `Image: []`",
        fix: "add what to look for, or remove it";
    SIGMA_LEGACY = "E0212", "what Sigma had before correlations",
        why: "aggregations in conditions were taken out of the language; their meaning differed between tools",
        example: "`condition: selection | count() by User > 10`",
        fix: "write a correlation rule of type `event_count`, `value_count` or `temporal`";
    SIGMA_ACTION = "E0213", "an action that does not exist or has nothing to act on",
        why: "`action` is `global`, `repeat` or `reset`, in files of several documents",
        example: "`action: repeat` in the first document",
        fix: "correct or remove it";
    SIGMA_CORRELATION = "E0214", "a correlation that the specification does not know",
        why: "a correlation without its type, rules, timespan or condition cannot be evaluated",
        example: "`type: count`; `timespan: 5 minutes`",
        fix: "write the key as the help says";
    SIGMA_UNKNOWN_KEY = "E0215", "a key that looks like a slip",
        why: "own keys are allowed and kept, but a key one letter away from Sigma's is seldom meant",
        example: "`falsepositive:` in place of `falsepositives:`",
        fix: "correct the key";
    SIGMA_PLACEHOLDER = "E0220", "a placeholder has no values",
        why: "what the rule looks for is known only where it runs",
        example: "`ComputerName|expand: '%Workstations%'`",
        fix: "give the values: `--values FILE`";
    SIGMA_REGEX = "E0221", "a regular expression that cannot be converted",
        why: "look-around, back references and possessive quantifiers are in no engine that is converted to, and a pattern without them would find something else",
        example: "`CommandLine|re: '(?<!a)b'`",
        fix: "write the condition without them";
    SIGMA_FILTER_ALONE = "E0222", "a filter without the rules that it narrows",
        why: "a filter makes no alert: it takes some from the rules that it names",
        example: "a file with nothing but `filter: {rules: [...], ...}`",
        fix: "convert the filter and its rules together: one file, or one folder";
    SIGMA_TOO_LARGE = "E0223", "the rule grows too large",
        why: "placeholders, dashes and `3 of x*` stand for every combination of their values",
        example: "`CommandLine|windash: '-a -b -c -d -e -f -g -h'`",
        fix: "split the value, or name fewer searches";
    SIGMA_UNSUPPORTED = "E0224", "the rule says of itself that it is not supported",
        why: "its authors mark with `status: unsupported` what Sigma's language cannot say: the detection alone would find something else, or never anything",
        example: "`status: unsupported` over searches that are meant to be correlated",
        fix: "write what is meant as a correlation, or change the status";
    SIGMA_REFERENCE = "E0225", "a rule that a correlation refers to is not there",
        why: "without it nobody can say what the correlation counts",
        example: "`rules: [failed_login]`, and no document with that `id` or `name`",
        fix: "put the rule into the same file, or convert the folder that holds both";
    SIGMA_CORRELATION_MEANING = "E0226", "a correlation whose meaning is not settled",
        why: "the specification does not say what it means, or says it of other types only; a guess could lose alerts",
        example: "`type: temporal_ordered` with the condition `a or b`; a correlation that refers to itself",
        fix: "write it as the help says";
    SIGMA_FILTER_KEEPS = "E0227", "a filter that keeps what it describes, or does not apply",
        why: "a filter's condition is added by `and`, as Sigma's documentation has it: `condition: selection` drops every other event",
        example: "`filter: {selection: {User: admin}, condition: selection}`",
        fix: "to take events away write `condition: not selection`";
}
