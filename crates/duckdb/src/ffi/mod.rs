//! The C API of DuckDB behind safe handles: the only unsafe code of the workspace.
//!
//! [`api`] loads the library and its symbols, [`connection`] owns databases, connections, statements and results,
//! [`logical`] reads types, [`vector`] reads values. Each owner destroys its handle once, and holds the owners of what its
//! handle points into.

#![expect(unsafe_code, reason = "DuckDB is reached through its C API")]

mod api;
mod connection;
mod logical;
mod vector;

pub(crate) use connection::{Connection, Database, Prepared, Statements};
