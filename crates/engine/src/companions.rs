//! The Sigma documents that rules of other files need: those that correlations name, and filters.
//!
//! In: the files of a run. Out: what [`sigma::lift::LiftOptions::companions`] holds. Files are read twice only where some file
//! of the run has a correlation or a filter; of those, only the files that hold a name that is asked for are parsed.

use crate::input::Input;
use crate::language::{Language, detect};
use crate::run::{for_each, guarded};
use ruleferry_sigma as sigma;
use sigma::lift::{Companion, Companions};
use sigma::syntax::DocumentKind;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The documents of a run that others may need.
pub fn companions(inputs: &[Input]) -> Companions {
    let names = |text: &str| ["correlation:", "filter:"].into_iter().any(|key| begins_a_line(text, key));
    let yaml = |i: &&Input| i.path.as_os_str() != "-" && is_yaml(&i.path);
    let files: Vec<&Input> = inputs.iter().filter(yaml).collect();
    let mut any = false;
    let asks = |_, input: &&Input| read(input).is_some_and(|text| names(&text));
    // The first one that asks ends the search.
    let _ = for_each(&files, asks, |_, found| {
        any |= found;
        if found { Err(std::io::Error::other("found")) } else { Ok(()) }
    });
    if !any {
        return Companions::default();
    }
    let mut texts: Vec<(&Input, String)> = files.iter().filter_map(|i| Some((*i, read(i)?))).collect();
    let mut found: Vec<Companion> = Vec::new();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    // Correlations may name correlations: until nobody asks for more.
    loop {
        let asked = |text: &str| names(text) || wanted.iter().any(|w| text.contains(w.as_str()));
        let (now, later): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(_, text)| asked(text));
        texts = later;
        if now.is_empty() {
            return Arc::new(found);
        }
        for (input, text) in now {
            if !matches!(detect(&input.path, &text), Some((Language::Sigma, _))) {
                continue;
            }
            let Ok(parsed) = guarded(|| sigma::syntax::parse(&text)) else { continue };
            if parsed.diagnostics.iter().any(ruleferry_diag::Diagnostic::is_error) {
                // The file itself is told so; what refers to it does not find it.
                continue;
            }
            for document in parsed.rules().iter() {
                if let Some(correlation) = document.correlation() {
                    let references = correlation.rules().chain(correlation.condition_rules());
                    wanted.extend(
                        references.map(str::to_owned).filter(|r| !matches!(&**r, "and" | "or" | "not")),
                    );
                }
                let of_use = matches!(
                    document.kind(),
                    DocumentKind::Rule | DocumentKind::Correlation | DocumentKind::Filter
                );
                if of_use {
                    let path = input.shown.clone();
                    found.push(Companion { path, document: document.clone() });
                }
            }
        }
    }
}

/// The documents of the other files in the folder of a rule, where one rule alone is asked for.
pub fn companions_beside(rule: &Path) -> Companions {
    let Ok(text) = std::fs::read_to_string(rule) else { return Companions::default() };
    if !begins_a_line(&text, "correlation:") {
        return Companions::default();
    }
    let folder = rule.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Companions::default() };
    let mut paths: Vec<_> =
        entries.flatten().map(|e| e.path()).filter(|p| p.is_file() && p != rule).collect();
    paths.sort();
    let input = |path: std::path::PathBuf| Input {
        shown: path.to_string_lossy().replace('\\', "/"),
        relative: path.file_name().map(Into::into).unwrap_or_default(),
        path,
        walked: true,
    };
    let mut inputs: Vec<Input> = paths.into_iter().map(input).collect();
    inputs.push(input(rule.to_path_buf()));
    companions(&inputs)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("yml") || e.eq_ignore_ascii_case("yaml"))
}

fn read(input: &Input) -> Option<String> {
    guarded(|| input.read()).ok()?.ok()
}

fn begins_a_line(text: &str, key: &str) -> bool {
    text.match_indices(key).any(|(at, _)| at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n'))
}
