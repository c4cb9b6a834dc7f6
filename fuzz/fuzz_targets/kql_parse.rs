//! Any bytes are read without a panic; what was read without a fault prints and reads back as the same tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruleferry_kql::syntax::{parse, print, print_with_comments};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let parsed = parse(&text);
    for d in &parsed.diagnostics {
        assert!(d.span.start <= d.span.end && d.span.end as usize <= text.len(), "{d:?}");
    }
    let printed = print(&parsed.query);
    if parsed.has_errors() {
        return;
    }
    let again = parse(&printed);
    assert!(again.query == parsed.query, "{printed}");
    let commented = print_with_comments(&parsed.query, &parsed.comments);
    let again = parse(&commented);
    assert!(again.query == parsed.query, "{commented}");
    assert_eq!(again.comments.len(), parsed.comments.len(), "{commented}");
});
