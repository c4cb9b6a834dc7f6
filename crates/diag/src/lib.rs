//! Source text, spans and diagnostics.
//!
//! In: byte ranges and messages from every other crate. Out: [`Diagnostic`]s and their renderings.
//! Every code that a diagnostic or a loss carries is declared once, in [`codes`].

pub mod codes;
mod diagnostic;
pub mod render;
mod span;

pub use diagnostic::{Code, Diagnostic, Edit, Event, Fix, Severity};
pub use span::{LineIndex, Position, Span, SpanMap};
