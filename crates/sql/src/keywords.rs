//! The words that DuckDB does not take as a bare column or table name.

use std::sync::LazyLock;

/// Whether a bare `name` would be read as a keyword. Sorted; DuckDB's reserved words, and those that read differently
/// as a function or type name or that sqlparser takes for the start of a clause.
pub(crate) fn is_reserved(name: &str) -> bool {
    // Most names are longer than any keyword, or no keyword of that length begins as they do; the others fit a buffer.
    let first = name.as_bytes().first().map_or(0, |b| usize::from(b | 0x20));
    if name.len() > LONGEST || LENGTHS.get(first).is_none_or(|lengths| lengths >> name.len() & 1 == 0) {
        return false;
    }
    let mut buffer = [0_u8; LONGEST];
    let Some(folded) = buffer.get_mut(..name.len()) else { return false };
    folded.copy_from_slice(name.as_bytes());
    folded.make_ascii_lowercase();
    RESERVED.binary_search_by(|word| word.as_bytes().cmp(folded)).is_ok()
}

/// For each first letter the lengths of the words, a bit each.
static LENGTHS: LazyLock<[u32; 128]> = LazyLock::new(|| {
    let mut lengths = [0; 128];
    for word in RESERVED {
        let first = word.as_bytes().first().map_or(0, |b| usize::from(*b));
        if let Some(bits) = lengths.get_mut(first) {
            *bits |= 1 << word.len();
        }
    }
    lengths
});

/// Bytes of the longest word.
const LONGEST: usize = 17;

#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "all", "analyse", "analyze", "and", "anti", "any", "array", "as", "asc", "asof", "asymmetric", "at", "authorization", "between", "binary",
    "both", "by", "case", "cast", "check", "cluster", "coalesce", "collate", "collation", "column", "columns", "concurrently", "connect",
    "constraint", "create", "cross", "cube", "current_date", "current_time", "current_timestamp", "current_user", "date", "default",
    "deferrable", "desc", "describe", "distinct", "distribute", "do", "else", "end", "end_frame", "except", "exclude", "exists", "extract",
    "false", "fetch", "filter", "final", "first", "following", "for", "foreign", "format", "freeze", "from", "full", "generated", "glob",
    "global", "grant", "group", "grouping", "grouping_id", "groups", "having", "ilike", "in", "initially", "inner", "intersect", "interval",
    "into", "is", "isnull", "join", "lambda", "last", "lateral", "leading", "left", "like", "limit", "localtime", "localtimestamp", "map",
    "match_condition", "match_recognize", "matches", "minus", "natural", "not", "notnull", "null", "nullif", "nulls", "of", "offset", "on",
    "only", "or", "order", "outer", "over", "overlaps", "overlay", "partition", "pivot", "pivot_longer", "pivot_wider", "placing",
    "position", "positional", "preceding", "prewhere", "primary", "qualify", "range", "recursive", "references", "rename", "replace",
    "returning", "right", "rollup", "row", "rows", "sample", "select", "semi", "session_user", "set", "settings", "show", "similar", "some",
    "sort", "start", "struct", "substring", "summarize", "symmetric", "table", "tablesample", "then", "time", "timestamp", "to", "top",
    "trailing", "treat", "trim", "true", "try_cast", "unbounded", "union", "unique", "unnest", "unpivot", "update", "user", "using",
    "values", "variadic", "verbose", "view", "when", "where", "window", "with", "within", "without",
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::RESERVED.is_sorted());
        assert!(super::RESERVED.iter().all(|w| w.len() <= super::LONGEST));
    }
}
