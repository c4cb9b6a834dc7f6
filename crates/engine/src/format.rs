//! `fmt`: the canonical layout of a file, comments kept.

use crate::identify::{Identified, identify};
use crate::input::Input;
use crate::language::{Language, Layout};
use crate::run::guarded;
use ruleferry_diag::Diagnostic;
use ruleferry_doc::{Kind, Node};
use ruleferry_kql as kql;
use ruleferry_sigma as sigma;
use ruleferry_yaral as yaral;

/// What formatting gave for one file.
#[derive(Debug)]
pub struct Formatted {
    /// The file as it is.
    pub before: String,
    /// As it should be; `None` where the file cannot be read.
    pub after: Option<String>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Formats a file; `from` overrides what its name and content say.
pub fn format_file(input: &Input, from: Option<Language>) -> Formatted {
    let formatted = guarded(|| input.read().map(|text| format_text(input, text, from)));
    formatted.flatten().unwrap_or_else(|d| Formatted {
        before: String::new(),
        after: None,
        diagnostics: vec![d],
    })
}

fn format_text(input: &Input, before: String, from: Option<Language>) -> Formatted {
    let result = match identify(input, &before, from) {
        Identified::Unknown(found) => Err(found),
        Identified::NoRules => Ok(before.clone()),
        Identified::Rules(Language::Sigma, _) => format_sigma(&before),
        Identified::Rules(Language::Yaral, _) => format_yaral(&before),
        Identified::Rules(Language::Kql, Layout::Text) => format_query(&before),
        Identified::Rules(Language::Kql, Layout::Yaml) => format_yaml(&before),
        // JSON exports are written by tools: they have no layout of ours.
        Identified::Rules(Language::Kql, Layout::Json) => Ok(before.clone()),
        // What is written here has its layout already.
        Identified::Rules(Language::Sql(_), _) => Ok(before.clone()),
    };
    match result {
        Ok(after) => Formatted { before, after: Some(after), diagnostics: Vec::new() },
        Err(diagnostics) => Formatted { before, after: None, diagnostics },
    }
}

fn format_query(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = kql::syntax::parse(text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    Ok(kql::syntax::print_with_comments(&parsed.query, &parsed.comments))
}

fn format_sigma(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = sigma::syntax::parse(text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    Ok(sigma::syntax::print(&parsed.documents, &parsed.comments))
}

fn format_yaral(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = yaral::syntax::parse(text);
    if parsed.has_errors() {
        return Err(parsed.diagnostics);
    }
    Ok(yaral::syntax::print_with_comments(&parsed.file, &parsed.comments))
}

/// A Sentinel rule: the document as it is, with its query in canonical layout.
fn format_yaml(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = ruleferry_doc::parse_yaml(text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    let mut documents = parsed.documents;
    let mut faults = Vec::new();
    for document in &mut documents {
        let Kind::Mapping(pairs) = &mut document.root.kind else { continue };
        for pair in pairs.iter_mut().filter(|p| p.key.as_text() == Some("query")) {
            let Some(query) = pair.value.as_text() else { continue };
            match format_query(query) {
                Ok(formatted) => {
                    let span = pair.value.span;
                    pair.value = Node::scalar(formatted, ruleferry_doc::Style::Literal).at(span);
                }
                Err(found) => {
                    let map = pair.value.span_map(text);
                    faults.extend(found.into_iter().map(|mut d| {
                        d.span = map.span(d.span);
                        d
                    }));
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let roots: Vec<Node> = documents.into_iter().map(|d| d.root).collect();
    Ok(ruleferry_doc::print_all(&roots, &parsed.comments, ruleferry_doc::Options::default()))
}
