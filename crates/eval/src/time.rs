//! Points in time and spans, in ticks of 100 ns: calendar, texts in and out. The core is the IR's.

pub use ruleferry_ir::time::*;
