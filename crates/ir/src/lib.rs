//! The vendor-neutral rule IR.
//!
//! In: what a front end lifts from a language tree. Out: what a back end lowers to another one. A [`Rule`] is an
//! [`Envelope`] around one relational [`Plan`]; the IR never names a vendor, and its meaning is fixed in the docs of its nodes.

pub mod attack;
mod column;
mod expr;
pub mod functions;
mod loss;
mod plan;
mod relocate;
mod rule;
mod text;
pub mod time;
mod types;
mod value;
mod visit;
pub mod window;

pub use column::{ColId, Column, Columns};
pub use expr::*;
pub use loss::{Effect, Loss};
pub use plan::*;
pub use rule::*;
pub use text::text;
pub use types::Type;
pub use value::{Json, TICKS_PER_SECOND, Value};
pub use visit::Child;
