//! What can go wrong, by who has to act: the installation, the SQL, or the caller.

use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "the DuckDB library was not found (looked at {}); set `{}` to the path of libduckdb",
        .searched.join(", "),
        crate::library::ENVIRONMENT
    )]
    LibraryMissing { searched: Vec<String> },
    #[error("`{path}` cannot be used as the DuckDB library: {reason}")]
    LibraryUnsuitable { path: String, reason: String },
    #[error("DuckDB cannot be opened: {0}")]
    Open(String),
    #[error("the SQL text holds a NUL character")]
    NulInSql,
    #[error("the SQL text holds no statement")]
    EmptyScript,
    #[error("the SQL text has {0} parameters, for which there are no values")]
    Parameters(u64),
    #[error("the value of an option holds a NUL character")]
    NulInOption,
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error("column `{column}` has the type {type_name}, which cannot be read; cast it to VARCHAR")]
    UnreadableType { column: String, type_name: String },
}

impl Error {
    /// The library is absent, as opposed to present and failing: tests skip on this and on nothing else.
    pub fn is_library_missing(&self) -> bool {
        matches!(self, Self::LibraryMissing { .. })
    }

    /// The engine has shut itself down; every later call on the same database fails.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Sql(e) if matches!(e.class, ErrorClass::Fatal | ErrorClass::Internal))
    }
}

/// The step at which the engine refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The text is not SQL.
    Parse,
    /// Names and types do not resolve.
    Prepare,
    /// It failed on the data.
    Execute,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse => "parse",
            Self::Prepare => "prepare",
            Self::Execute => "execute",
        })
    }
}

/// An error that the engine reported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SqlError {
    pub phase: Phase,
    /// Which statement of the script, from 0; parse errors concern the script as a whole.
    pub statement: u64,
    pub class: ErrorClass,
    /// The engine's message as it is, with its class in front.
    pub message: String,
}

impl SqlError {
    pub(crate) fn new(phase: Phase, statement: u64, message: String) -> Self {
        Self { phase, statement, class: ErrorClass::of(&message), message }
    }
}

/// The engine's classes of errors that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    Parser,
    Binder,
    Catalog,
    Conversion,
    OutOfRange,
    InvalidInput,
    NotImplemented,
    Constraint,
    Permission,
    Io,
    OutOfMemory,
    Interrupt,
    Fatal,
    Internal,
    Other,
}

/// The words that DuckDB puts before `Error:`. The C API gives a number for results only, not for statements
/// that fail to prepare, while every message begins with its class.
const CLASSES: &[(&str, ErrorClass)] = &[
    ("Parser Error:", ErrorClass::Parser),
    ("Syntax Error:", ErrorClass::Parser),
    ("Binder Error:", ErrorClass::Binder),
    ("Catalog Error:", ErrorClass::Catalog),
    ("Conversion Error:", ErrorClass::Conversion),
    ("Out of Range Error:", ErrorClass::OutOfRange),
    ("Invalid Input Error:", ErrorClass::InvalidInput),
    ("Not implemented Error:", ErrorClass::NotImplemented),
    ("Constraint Error:", ErrorClass::Constraint),
    ("Permission Error:", ErrorClass::Permission),
    ("IO Error:", ErrorClass::Io),
    ("Out of Memory Error:", ErrorClass::OutOfMemory),
    ("INTERRUPT Error:", ErrorClass::Interrupt),
    ("FATAL Error:", ErrorClass::Fatal),
    ("INTERNAL Error:", ErrorClass::Internal),
];

impl ErrorClass {
    fn of(message: &str) -> Self {
        CLASSES
            .iter()
            .find(|(prefix, _)| message.starts_with(prefix))
            .map_or(Self::Other, |(_, class)| *class)
    }
}
