//! The dialects of SQL that are read, and what of their meaning is not a function's.

use sqlparser::dialect::{
    BigQueryDialect, ClickHouseDialect, DatabricksDialect, Dialect, DuckDbDialect, GenericDialect,
    PostgreSqlDialect, SQLiteDialect, SnowflakeDialect,
};
use std::any::TypeId;

/// A dialect of SQL to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadDialect {
    #[default]
    DuckDb,
    Postgres,
    ClickHouse,
    Spark,
    Snowflake,
    BigQuery,
    Trino,
    Sqlite,
}

/// Where NULLs come in an order that does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NullOrder {
    Last,
    /// Before all values going up, behind them going down.
    Low,
    /// The other way round.
    High,
}

/// What differs from one dialect to the next beside functions and spelling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    /// `7 / 2` is 3.
    pub whole_division: bool,
    /// `LIKE` does not tell the cases of ASCII letters apart.
    pub like_folds: bool,
    /// The character that takes away the meaning of `%` and `_` where no `ESCAPE` names one.
    pub like_escape: Option<char>,
    pub null_order: NullOrder,
    /// A text compared with a number is compared as text (`'7' = 7`), not as a number.
    pub number_as_text: bool,
    /// Subscripts of arrays count from 0.
    pub from_zero: bool,
}

const PLAIN: Traits = Traits {
    whole_division: false,
    like_folds: false,
    like_escape: None,
    null_order: NullOrder::Last,
    number_as_text: false,
    from_zero: false,
};

impl ReadDialect {
    pub const ALL: [Self; 8] = [
        Self::DuckDb,
        Self::Postgres,
        Self::ClickHouse,
        Self::Spark,
        Self::Snowflake,
        Self::BigQuery,
        Self::Trino,
        Self::Sqlite,
    ];

    /// The name, which is also that of the folder of its data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::Postgres => "postgres",
            Self::ClickHouse => "clickhouse",
            Self::Spark => "spark",
            Self::Snowflake => "snowflake",
            Self::BigQuery => "bigquery",
            Self::Trino => "trino",
            Self::Sqlite => "sqlite",
        }
    }

    /// Names that people have for a dialect.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        Some(match name.as_str() {
            "sql" => Self::DuckDb,
            "postgresql" | "pg" => Self::Postgres,
            "databricks" | "sparksql" | "hive" => Self::Spark,
            "athena" | "presto" => Self::Trino,
            "sqlite3" => Self::Sqlite,
            name => return Self::ALL.into_iter().find(|d| d.name() == name),
        })
    }

    pub(crate) const fn traits(self) -> Traits {
        match self {
            Self::DuckDb => PLAIN,
            Self::Postgres => {
                Traits { whole_division: true, like_escape: Some('\\'), null_order: NullOrder::High, ..PLAIN }
            }
            Self::ClickHouse => Traits { like_escape: Some('\\'), ..PLAIN },
            Self::Spark => {
                Traits { like_escape: Some('\\'), null_order: NullOrder::Low, from_zero: true, ..PLAIN }
            }
            Self::Snowflake => Traits { null_order: NullOrder::High, from_zero: true, ..PLAIN },
            Self::BigQuery => {
                Traits { like_escape: Some('\\'), null_order: NullOrder::Low, from_zero: true, ..PLAIN }
            }
            Self::Trino => Traits { whole_division: true, ..PLAIN },
            Self::Sqlite => Traits {
                whole_division: true,
                like_folds: true,
                null_order: NullOrder::Low,
                number_as_text: true,
                ..PLAIN
            },
        }
    }

    pub(super) fn parser(self) -> &'static dyn Dialect {
        match self {
            Self::DuckDb => &Engine,
            Self::Postgres => &PostgreSqlDialect {},
            Self::ClickHouse => &ClickHouseDialect {},
            Self::Spark => &DatabricksDialect {},
            Self::Snowflake => &SnowflakeDialect {},
            Self::BigQuery => &BigQueryDialect {},
            Self::Trino => &GenericDialect {},
            Self::Sqlite => &SQLiteDialect {},
        }
    }

    /// A backslash in a text takes away the meaning of the quote behind it.
    pub(super) fn backslash(self) -> bool {
        self.parser().supports_string_literal_backslash_escape()
    }
}

/// The parser's dialect, but that `f(x = 1)` is a comparison: it takes that for a named argument, which the engine writes `x := 1`.
#[derive(Debug)]
struct Engine;

impl Dialect for Engine {
    fn dialect(&self) -> TypeId {
        TypeId::of::<DuckDbDialect>()
    }

    fn is_identifier_start(&self, c: char) -> bool {
        DuckDbDialect.is_identifier_start(c)
    }

    fn is_identifier_part(&self, c: char) -> bool {
        DuckDbDialect.is_identifier_part(c)
    }

    fn identifier_quote_style(&self, name: &str) -> Option<char> {
        DuckDbDialect.identifier_quote_style(name)
    }

    fn supports_trailing_commas(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_assignment_operator(&self) -> bool {
        true
    }

    fn supports_dictionary_syntax(&self) -> bool {
        true
    }

    fn support_map_literal_syntax(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn allow_extract_single_quotes(&self) -> bool {
        true
    }

    fn supports_array_typedef_with_brackets(&self) -> bool {
        true
    }

    fn supports_from_first_select(&self) -> bool {
        true
    }

    fn supports_order_by_all(&self) -> bool {
        true
    }

    fn supports_select_wildcard_exclude(&self) -> bool {
        true
    }

    fn supports_notnull_operator(&self) -> bool {
        true
    }

    fn supports_select_wildcard_replace(&self) -> bool {
        true
    }

    fn supports_comma_separated_trim(&self) -> bool {
        true
    }
}
