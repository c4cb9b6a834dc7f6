//! Any text through the whole pipeline: no panic; a rule has either output, or an error that says why there is none. Output in a
//! language that we read has no fault there. The first byte chooses the source and the target, the rest is the rule.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruleferry_engine::{ConvertOptions, Input, Language, MaxLoss, Status, convert_text, targets};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let (from, name) = match choice & 3 {
        0 => (Language::Kql, "rule.kql"),
        1 => (Language::Sigma, "rule.yml"),
        2 => (Language::SQL, "rule.sql"),
        _ => (Language::Yaral, "rule.yaral"),
    };
    let writers: Vec<_> = targets::target::all().iter().filter(|t| t.writes).collect();
    let Some(to) = writers.get(usize::from(choice >> 2) % writers.len()) else { return };
    let options = ConvertOptions {
        from: Some(from),
        to,
        now: None,
        sigma: Default::default(),
        max_loss: MaxLoss::Any,
        require_proof: false,
        validate: true,
        executor: None,
    };
    let input = Input { path: name.into(), shown: name.into(), relative: name.into(), walked: false };
    let text = String::from_utf8_lossy(bytes).into_owned();
    for record in convert_text(&input, text, Path::new("rule"), &options).records {
        match record.status {
            Status::Converted | Status::Lossy | Status::Unproved => {
                assert_eq!(record.files.len(), 1, "{record:?}");
                let output = &record.files[0].text;
                match to.language {
                    targets::target::Language::Kql => {
                        assert!(!ruleferry_kql::syntax::parse(output).has_errors(), "{output}");
                    }
                    targets::target::Language::Sigma => {
                        let parsed = ruleferry_sigma::syntax::parse(output);
                        assert!(!parsed.diagnostics.iter().any(|d| d.is_error()), "{output}");
                    }
                    targets::target::Language::Yaral => {
                        assert!(!ruleferry_yaral::syntax::parse(output).has_errors(), "{output}");
                    }
                    // DuckDB reads it in `crates/duckdb/tests`.
                    targets::target::Language::Sql => assert!(!output.is_empty()),
                }
            }
            Status::Refused | Status::Invalid => {
                assert!(record.files.is_empty(), "{record:?}");
                assert!(!record.diagnostics.is_empty(), "{record:?}");
            }
        }
    }
});
