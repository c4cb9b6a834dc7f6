//! Runs SQL on DuckDB.
//!
//! In: a script as the SQL printer writes it (macros, then one SELECT), tables made with `CREATE TABLE`.
//! Out: a [`Table`] of typed [`Value`]s, or the engine's own message with its phase and class.
//!
//! The engine is not linked: `libduckdb` is loaded when [`Engine::open`] is called, so a build without DuckDB
//! costs nothing and a machine without it gets [`Error::LibraryMissing`]. The search order is in [`library`].
//! Everything unsafe is in `ffi`.

mod engine;
mod error;
mod ffi;
pub mod library;
mod value;

pub use engine::{Engine, Interrupter, Options};
pub use error::{Error, ErrorClass, Phase, Result, SqlError};
pub use value::{Column, Table, Value};
