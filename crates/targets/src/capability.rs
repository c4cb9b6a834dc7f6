//! What a target can do, asked as a question (`target.can(Capability::Qualify)`), never as a test of its name.
//!
//! The build script reads this file too, to check `capabilities` of each `target.toml`.

/// Declares the capabilities with the names that `target.toml` uses.
macro_rules! capabilities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Capability {
            $($(#[$doc])* $variant,)*
        }

        impl Capability {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in `target.toml`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

capabilities! {
    /// More than one table with predicates: joins, aggregation, sub-queries.
    Relational = "relational",
    /// Values of no fixed type: JSON, `dynamic`.
    DynamicValues = "dynamic_values",
    /// An operator of its own for whole terms (`has`).
    TermSearch = "term_search",
    /// A missing text is empty, never null.
    TextNeverNull = "text_never_null",
    /// Comments can be printed in a rule.
    Comments = "comments",
    /// Column names that differ only in case are the same column.
    NamesFoldCase = "names_fold_case",
    /// `IS [NOT] DISTINCT FROM`.
    DistinctFrom = "distinct_from",
    /// `count(*) FILTER (WHERE …)`.
    AggregateFilter = "aggregate_filter",
    /// `QUALIFY`, a filter after window functions.
    Qualify = "qualify",
    /// `LATERAL` joins.
    Lateral = "lateral",
    /// `SEMI JOIN` and `ANTI JOIN` as keywords.
    SemiJoin = "semi_join",
    /// `UNION ALL BY NAME`.
    UnionByName = "union_by_name",
    /// `SELECT * EXCLUDE (…)`, `REPLACE (…)`, `RENAME (…)`.
    StarExclude = "star_exclude",
    /// Functions over list elements: `list_filter(l, lambda x: …)`.
    Lambda = "lambda",
    /// Macros defined before the query.
    Macros = "macros",
    /// `WITH RECURSIVE`.
    RecursiveCte = "recursive_cte",
    /// The forms that the lowering writes are the dialect's own: its trees are printed as they are.
    GenericSql = "generic_sql",
    /// A column of a SELECT may be named in the same SELECT.
    AliasReuse = "alias_reuse",
    /// `ILIKE`.
    Ilike = "ilike",
    /// `LIKE` ignores the case of ASCII letters, and `lower` folds no others; `GLOB` tells them apart.
    LikeFoldsAscii = "like_folds_ascii",
    /// `IS [NOT] TRUE`.
    IsTrue = "is_true",
    /// `DISTINCT ON (…)`.
    DistinctOn = "distinct_on",
    /// `(VALUES …) AS t (a, b)`.
    ValuesList = "values_list",
    /// `WITH x AS MATERIALIZED (…)`.
    MaterializedCte = "materialized_cte",
    /// `x LEFT SEMI JOIN y`, `x LEFT ANTI JOIN y`.
    SidedSemiJoin = "sided_semi_join",
    /// A name in a JSON path that is no plain word is `["name"]`.
    BracketPaths = "bracket_paths",
    /// `a % b`.
    Modulo = "modulo",
    /// `ARRAY[…]`, where `[…]` alone is no list.
    ArrayKeyword = "array_keyword",
    /// Values that are infinite or no numbers.
    NotANumber = "not_a_number",
    /// A query in an expression may name columns of the row around it.
    Correlated = "correlated",
    /// `list(x ORDER BY y)`, in aggregates that make lists.
    OrderedAggregate = "ordered_aggregate",
    /// Texts are compared by the rules of a language unless `COLLATE "C"` says otherwise.
    Collates = "collates",
    /// Functions that give rows may stand in a SELECT list.
    RowFunctions = "row_functions",
    /// Several such functions in one list go side by side.
    ZippedRows = "zipped_rows",
}
