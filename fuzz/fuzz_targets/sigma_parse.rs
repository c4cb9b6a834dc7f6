//! Any bytes are read without a panic; where the YAML is whole, printing settles and keeps every comment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruleferry_sigma::syntax::{parse, print};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let parsed = parse(&text);
    let _ = parsed.rules();
    let printed = print(&parsed.documents, &parsed.comments);
    let whole = parsed.diagnostics.iter().all(|d| !d.code.0.starts_with("E001"));
    if !whole {
        return;
    }
    let again = parse(&printed);
    assert_eq!(print(&again.documents, &again.comments), printed);
    assert_eq!(again.comments.iter().count(), parsed.comments.iter().count(), "{printed}");
    if parsed.diagnostics.is_empty() {
        assert!(again.documents == parsed.documents, "{printed}");
    }
});
