//! SQL: lowering from the IR over sqlparser's tree, and the printer.
//!
//! In: an [`ruleferry_ir::Query`]. Out: a [`Script`]: the macros that it uses and one `SELECT`, printed by [`print()`].
//! What has no form in the dialect is refused with a diagnostic (`E04xx`) at the place in the source. [`lift()`] is the way back: a script
//! that was printed, and what it means.

mod adapt;
pub(crate) mod build;
mod ddl;
mod dialect;
pub(crate) mod keywords;
mod lift;
mod lower;
mod print;
mod syntax;

pub use ddl::{ddl, ddl_for, tables_for};
pub use dialect::{Dialect, all_dialects};
pub use lift::{LiftOptions, Lifted, NoTables, QueryTables, SqlTables, lift, table_names};
pub use lower::{Lowered, Need, Script, SqlOptions, TICKS_CUT, lower, table_columns, unread_templates};
pub use print::{print, print_query};
pub use syntax::ReadDialect;
