//! The words that the language reserves, in one table: the lexer looks identifiers up in it, the parser asks
//! which of them may be names, the printer which names need brackets.
//!
//! Source of the facts: Microsoft's `@kusto/language-service-next` 12.4.1 (see reference/kql-edge-probes.md).

/// May stand where any name may.
const ID: u8 = 1;
/// May be the name of a column that is being declared (`extend where = 1`), not one that is read.
const DECL: u8 = 2;
/// May be read as a column, but not declared (`kind`).
const READ: u8 = 4;
/// Neither.
const NO: u8 = 0;

/// A reserved word with the flags that say where it may be a name.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    pub text: &'static str,
    pub kw: Kw,
    flags: u8,
}

macro_rules! keywords {
    ($($kw:ident: $($text:literal $flags:ident)+;)*) => {
        /// A word that means something to the grammar; spellings with one meaning share a variant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kw { $($kw),* }

        static WORDS: &[Word] = &[$($(Word { text: $text, kw: Kw::$kw, flags: $flags },)+)*];
    };
}

keywords! {
    Access: "access" ID;
    Alias: "alias" ID;
    And: "and" NO;
    As: "as" DECL;
    Asc: "asc" NO;
    AssertSchema: "assert-schema" NO;
    Between: "between" NO;
    Bin: "bin" ID;
    By: "by" DECL;
    Consume: "consume" ID;
    Contains: "contains" DECL;
    ContainsCs: "contains_cs" NO "containscs" NO;
    ContextDatatable: "__contextual_datatable" NO;
    Count: "count" ID;
    Database: "database" ID;
    DataScope: "datascope" NO;
    Datatable: "datatable" DECL;
    Declare: "declare" ID;
    Default: "default" ID;
    Desc: "desc" NO;
    Distinct: "distinct" ID;
    Dynamic: "dynamic" NO;
    Edges: "edges" ID;
    EndsWith: "endswith" NO;
    EndsWithCs: "endswith_cs" NO;
    EntityGroup: "entity_group" ID;
    Evaluate: "evaluate" ID;
    ExecuteAndCache: "__executeAndCache" NO;
    Extend: "extend" ID;
    ExternalData: "externaldata" DECL "external_data" NO;
    Facet: "facet" ID;
    False: "false" NO "False" NO "FALSE" NO;
    Find: "find" DECL;
    First: "first" NO;
    Fork: "fork" ID;
    From: "from" ID;
    GetSchema: "getschema" ID;
    GrannyAsc: "granny-asc" NO;
    GrannyDesc: "granny-desc" NO;
    GraphMarkComponents: "graph-mark-components" NO;
    GraphMatch: "graph-match" NO;
    GraphShortestPaths: "graph-shortest-paths" NO;
    GraphToTable: "graph-to-table" NO;
    GraphWhereEdges: "graph-where-edges" NO;
    GraphWhereNodes: "graph-where-nodes" NO;
    Has: "has" DECL;
    HasAll: "has_all" NO;
    HasAny: "has_any" NO;
    HasCs: "has_cs" NO;
    HasPrefix: "hasprefix" NO;
    HasPrefixCs: "hasprefix_cs" NO;
    HasSuffix: "hassuffix" NO;
    HasSuffixCs: "hassuffix_cs" NO;
    Id: "id" ID;
    In: "in" DECL;
    InCi: "in~" NO;
    InlineExternalTable: "inline_external_table" ID;
    Invoke: "invoke" DECL;
    Join: "join" ID;
    Kind: "kind" READ;
    Last: "last" NO;
    Let: "let" ID;
    Like: "like" NO;
    LikeCs: "likecs" NO;
    Lookup: "lookup" ID;
    MacroExpand: "macro-expand" NO;
    MakeGraph: "make-graph" NO;
    MakeSeries: "make-series" NO;
    MatchesRegex: "matches regex" NO;
    Materialize: "materialize" DECL;
    MvApply: "mv-apply" NO "mvapply" ID;
    MvExpand: "mv-expand" NO "mvexpand" ID;
    Nodes: "nodes" ID;
    NotBetween: "!between" NO;
    NotContains: "!contains" NO "notcontains" NO;
    NotContainsCs: "!contains_cs" NO "notcontainscs" NO;
    NotEndsWith: "!endswith" NO;
    NotEndsWithCs: "!endswith_cs" NO;
    NotHas: "!has" NO;
    NotHasCs: "!has_cs" NO;
    NotHasPrefix: "!hasprefix" NO;
    NotHasPrefixCs: "!hasprefix_cs" NO;
    NotHasSuffix: "!hassuffix" NO;
    NotHasSuffixCs: "!hassuffix_cs" NO;
    NotIn: "!in" NO;
    NotInCi: "!in~" NO;
    NotLike: "notlike" NO;
    NotLikeCs: "notlikecs" NO;
    NotStartsWith: "!startswith" NO;
    NotStartsWithCs: "!startswith_cs" NO;
    Null: "null" ID;
    Nulls: "nulls" ID;
    Of: "of" DECL;
    On: "on" ID;
    Optional: "optional" ID;
    Or: "or" NO;
    Others: "others" NO;
    Output: "output" ID;
    Pack: "pack" ID;
    Parse: "parse" ID;
    ParseKv: "parse-kv" NO;
    ParseWhere: "parse-where" NO;
    Partition: "partition" ID;
    PartitionBy: "__partitionby" ID;
    PartitionedBy: "partitioned-by" NO;
    Pattern: "pattern" ID;
    Print: "print" DECL;
    Project: "project" NO;
    ProjectAway: "project-away" NO;
    ProjectAwayFind: "__projectAway" NO;
    ProjectByNames: "project-by-names" NO;
    ProjectKeep: "project-keep" NO;
    ProjectRename: "project-rename" NO;
    ProjectReorder: "project-reorder" NO;
    ProjectSmart: "project-smart" NO;
    QueryParameters: "query_parameters" ID;
    Range: "range" ID;
    Reduce: "reduce" ID;
    Render: "render" ID;
    Restrict: "restrict" ID;
    Sample: "sample" DECL;
    SampleDistinct: "sample-distinct" DECL;
    Scan: "scan" ID;
    Search: "search" DECL;
    Serialize: "serialize" ID;
    Set: "set" DECL;
    Sort: "sort" ID "order" ID;
    StartsWith: "startswith" NO;
    StartsWithCs: "startswith_cs" NO;
    Step: "step" ID;
    Summarize: "summarize" ID;
    Take: "take" ID "limit" ID;
    To: "to" DECL;
    ToScalar: "toscalar" DECL;
    ToTable: "totable" DECL;
    Top: "top" ID;
    TopHitters: "top-hitters" DECL;
    TopNested: "top-nested" DECL;
    True: "true" NO "True" NO "TRUE" NO;
    TypeOf: "typeof" ID;
    Union: "union" NO;
    View: "view" ID;
    Where: "where" DECL "filter" ID;
    With: "with" ID;
    WithNodeId: "with_node_id" ID;
    WithSource: "withsource" READ "with_source" READ;
    // Types; `literal_type` knows those that take a literal in parentheses.
    Type: "bool" ID "guid" ID "boolean" NO "byte" NO "char" NO "date" NO "datetime" NO "decimal" NO "double" NO
        "float" NO "int" NO "int16" NO "int32" NO "int64" NO "int8" NO "long" NO "real" NO "string" NO "time" NO
        "timespan" NO "uint" NO "uint16" NO "uint32" NO "uint64" NO "uint8" NO "ulong" NO "uniqueid" NO;
    // Words that the grammar of queries has no use for, and names of parameters.
    Reserved: "3Dchart" NO "__crossCluster" NO "__crossDB" NO "__id" NO "__isFuzzy" NO "__noWithSource" NO
        "__packedColumn" NO "__sourceColumnIndex" NO "accumulate" DECL "anomalychart" NO "areachart" NO
        "bagexpansion" NO "barchart" NO "bin_legacy" NO "cachingpolicy" NO "callout" NO "cancel" NO "card" NO
        "columnchart" NO "commands-and-queries" NO "cycles" NO "dataexport" NO "decodeblocks" NO "earliest" DECL
        "encodingpolicy" NO "expandoutput" NO "extent_tags_retention" NO "flags" NO "force_remote" NO
        "harddelete" NO "hardretention" NO "hint.concurrency" NO "hint.distribution" NO "hint.materialized" NO
        "hint.num_partitions" NO "hint.progressive_top" NO "hint.remote" NO "hint.shufflekey" NO "hint.spread" NO
        "hint.strategy" NO "hotcache" NO "isfuzzy" NO "journal" NO "ladderchart" NO "latest" DECL "linechart" NO
        "materialized-view-combine" NO "materialized-views" NO "mdm" DECL "missing" NO "nooptimization" NO
        "pathformat" NO "piechart" NO "pivotchart" NO "queries" NO "query_results" NO "relaxed" NO
        "restricted_view_access" NO "row_level_security" NO "rowstore" NO "rowstore_references" NO
        "rowstore_sealinfo" NO "rowstorepolicy" NO "rowstores" NO "scatterchart" NO "seal" NO "seals" NO
        "set-or-append" NO "set-or-replace" NO "shards" NO "simple" NO "softdelete" NO "softretention" NO "sql" DECL
        "stackedareachart" NO "statistics" NO "storedqueryresultcontainers" NO "tablepurge" NO "timechart" NO
        "timeline" NO "timepivot" NO "title" DECL "treemap" NO "unrestrictedviewers" NO "verbose" DECL "viewers" DECL
        "views" NO "with_itemindex" NO "with_match_id" NO "with_step_name" NO "writeaheadlog" NO;
}

const SLOTS: usize = 1024;
/// Index into [`WORDS`] plus one, by hash; collisions go to the next slot.
static SLOT: [u16; SLOTS] = slots();

const fn hash(bytes: &[u8]) -> usize {
    let (len, first) = match bytes.split_first() {
        Some((first, _)) => (bytes.len(), *first as usize),
        None => return 0,
    };
    let last = match bytes.split_last() {
        Some((last, _)) => *last as usize,
        None => 0,
    };
    let mid = match bytes.split_at_checked(len / 2) {
        Some((_, right)) => match right.first() {
            Some(b) => *b as usize,
            None => 0,
        },
        None => 0,
    };
    first
        .wrapping_mul(31)
        .wrapping_add(last.wrapping_mul(401))
        .wrapping_add(mid.wrapping_mul(97))
        .wrapping_add(len * 53)
        & (SLOTS - 1)
}

#[expect(clippy::indexing_slicing, reason = "runs when compiled")]
const fn slots() -> [u16; SLOTS] {
    let mut table = [0u16; SLOTS];
    let mut i = 0;
    while i < WORDS.len() {
        let mut slot = hash(WORDS[i].text.as_bytes());
        while table[slot] != 0 {
            slot = (slot + 1) & (SLOTS - 1);
        }
        table[slot] = i as u16 + 1;
        i += 1;
    }
    table
}

/// The reserved word with this text.
pub fn word(text: &str) -> Option<&'static Word> {
    let mut slot = hash(text.as_bytes());
    loop {
        let index = usize::from(SLOT.get(slot).copied().unwrap_or(0)).checked_sub(1)?;
        let found = WORDS.get(index)?;
        if found.text == text {
            return Some(found);
        }
        slot = (slot + 1) & (SLOTS - 1);
    }
}

impl Word {
    /// May be read as a column or function, and be declared.
    pub fn is_name(&self) -> bool {
        self.flags & ID != 0
    }

    /// May be declared: the left side of `=` in `extend` and the like.
    pub fn is_declarable(&self) -> bool {
        self.flags & (ID | DECL) != 0
    }

    /// May be read as a column.
    pub fn is_readable(&self) -> bool {
        self.flags & (ID | READ) != 0
    }
}

/// The types whose keyword directly before `(` starts a literal that reaches to the next `)`.
pub fn takes_literal(text: &str) -> bool {
    matches!(
        text,
        "long"
            | "int64"
            | "int"
            | "int32"
            | "real"
            | "double"
            | "decimal"
            | "bool"
            | "datetime"
            | "date"
            | "time"
            | "timespan"
            | "guid"
    )
}

/// Words that a dash may follow inside of one keyword, with the keywords that they begin.
pub fn dashed(first: &str) -> &'static [&'static str] {
    match first {
        "project" => &[
            "project-by-names",
            "project-reorder",
            "project-rename",
            "project-smart",
            "project-away",
            "project-keep",
        ],
        "mv" => &["mv-expand", "mv-apply"],
        "make" => &["make-series", "make-graph"],
        "parse" => &["parse-where", "parse-kv"],
        "sample" => &["sample-distinct"],
        "top" => &["top-hitters", "top-nested"],
        "graph" => &[
            "graph-mark-components",
            "graph-shortest-paths",
            "graph-where-nodes",
            "graph-where-edges",
            "graph-to-table",
            "graph-match",
        ],
        "macro" => &["macro-expand"],
        "assert" => &["assert-schema"],
        "granny" => &["granny-asc", "granny-desc"],
        "partitioned" => &["partitioned-by"],
        _ => &[],
    }
}

/// Names of operators, for suggestions.
pub const OPERATORS: &[&str] = &[
    "as",
    "assert-schema",
    "consume",
    "count",
    "distinct",
    "evaluate",
    "extend",
    "facet",
    "filter",
    "find",
    "fork",
    "getschema",
    "graph-mark-components",
    "graph-match",
    "graph-shortest-paths",
    "graph-to-table",
    "graph-where-edges",
    "graph-where-nodes",
    "invoke",
    "join",
    "limit",
    "lookup",
    "macro-expand",
    "make-graph",
    "make-series",
    "mv-apply",
    "mv-expand",
    "order",
    "parse",
    "parse-kv",
    "parse-where",
    "partition",
    "print",
    "project",
    "project-away",
    "project-by-names",
    "project-keep",
    "project-rename",
    "project-reorder",
    "range",
    "reduce",
    "render",
    "sample",
    "sample-distinct",
    "scan",
    "search",
    "serialize",
    "sort",
    "summarize",
    "take",
    "top",
    "top-hitters",
    "top-nested",
    "union",
    "where",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found() {
        for w in WORDS {
            let found = word(w.text).unwrap();
            assert_eq!((found.kw, found.text), (w.kw, w.text));
        }
        assert!(word("Where").is_none());
        assert!(word("").is_none());
    }

    #[test]
    fn every_dashed_word_is_a_word() {
        for first in ["project", "mv", "make", "parse", "sample", "top", "graph", "macro", "assert", "granny"]
        {
            for text in dashed(first) {
                assert!(text.starts_with(first) && word(text).is_some(), "{text}");
            }
        }
        for text in OPERATORS {
            assert!(word(text).is_some(), "{text}");
        }
    }
}
