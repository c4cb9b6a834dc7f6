//! Any bytes are read as YAML and as JSON without a panic; a YAML file without a fault prints and reads back as the same tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruleferry_doc::{Options, Parsed, parse_json, parse_yaml, print_all};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let json = parse_json(&text);
    let yaml = parse_yaml(&text);
    for d in json.diagnostics.iter().chain(&yaml.diagnostics) {
        assert!(d.span.end as usize <= text.len() + 1, "{d:?}");
    }
    if !yaml.diagnostics.is_empty() {
        return;
    }
    let roots = |parsed: Parsed| parsed.documents.into_iter().map(|d| d.root).collect::<Vec<_>>();
    let comments = yaml.comments.clone();
    let before = roots(yaml);
    let printed = print_all(&before, &comments, Options::default());
    assert!(roots(parse_yaml(&printed)) == before, "{printed}");
});
