//! Any bytes are read as SQL of any dialect without a panic; what is refused says why, at a place in the text. The first byte chooses
//! the dialect.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruleferry_sql::{LiftOptions, NoTables, ReadDialect, lift};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let dialect = ReadDialect::ALL[usize::from(*choice) % ReadDialect::ALL.len()];
    let lifted = lift(&text, &LiftOptions { dialect, tables: &NoTables });
    assert!(lifted.query.is_some() || !lifted.diagnostics.is_empty());
    for d in &lifted.diagnostics {
        assert!(d.span.start <= d.span.end && d.span.end as usize <= text.len(), "{d:?}");
    }
});
