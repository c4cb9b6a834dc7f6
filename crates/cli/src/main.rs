//! The binary `ruleferry`: arguments, exit codes, rendering; no logic.
fn main() {}
