//! Any bytes are read and lifted without a panic; what is read without a fault prints as text of the same tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruleferry_yaral::{lift::lift, syntax};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let parsed = syntax::parse(&text);
    let printed = syntax::print_with_comments(&parsed.file, &parsed.comments);
    if parsed.has_errors() {
        return;
    }
    let again = syntax::parse(&printed);
    assert!(again.file == parsed.file, "{printed}");
    assert_eq!(again.comments.len(), parsed.comments.len(), "{printed}");
    assert_eq!(syntax::print_with_comments(&again.file, &again.comments), printed);
    for rule in &parsed.file.rules {
        let _ = lift(rule);
    }
});
