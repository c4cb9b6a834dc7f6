//! Target data: schemas, functions, capabilities, embedded and checked when built.
//!
//! In: the files of the repository's `targets/` folder, read and checked by the build script (`build/main.rs`), which turns
//! them into static tables. Out: look-ups over those tables; nothing is parsed and nothing allocated when a program starts.
//!
//! - [`schema`]: tables and columns of Log Analytics, Defender XDR and Azure Resource Graph; functions that give tables.
//! - [`dialect`]: how each dialect of SQL is spelled.
//! - [`reads`]: what functions of each dialect mean, for reading it.
//! - [`sql`]: how IR functions are written in each dialect of SQL, and the macros that they need.
//! - [`target`]: what each target is and can do.
//! - [`udm`]: messages, fields and enumerations of the Unified Data Model.
//! - [`yaral`]: the functions of YARA-L.

mod capability;
pub mod dialect;
pub mod reads;
pub mod schema;
pub mod sql;
pub mod target;
pub mod udm;
pub mod yaral;

pub use capability::Capability;
