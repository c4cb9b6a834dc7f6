//! Event files as typed tables.
//!
//! In: files of events ([`EventFile`]: JSON in any layout, JSON lines, CSV). Out: what columns they have and of which types
//! ([`Survey`]), and rows of the columns that a query asks for, each value in the type of its column ([`EventFile::load`]).
//! Files are read as a stream, one event at a time. What does not fit is a [`Warning`] with file and line, and the rest
//! still counts.
//!
//! An event is a list of [`Field`]s by name. The JSON of Windows events is flattened to the fields that Sigma rules name.

mod csv_file;
mod field;
mod file;
mod infer;
mod json;
mod load;
mod report;
mod split;
mod time;
mod windows;

pub use field::{Field, typed};
pub use file::{EventFile, FileFault, Format, in_folder};
pub use infer::Inference;
pub use load::{Loaded, Survey, Wanted, event_text};
pub use report::{Report, Warning};
pub use time::parse_time;

/// Columns of one table; far beyond what a service takes.
pub const MAX_COLUMNS: usize = 10_000;

/// Arrays and objects inside of each other in one event.
pub const MAX_DEPTH: usize = 128;

/// Bytes of one event.
pub const MAX_EVENT: usize = 16 * 1024 * 1024;
