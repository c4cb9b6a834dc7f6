//! What a file is: rules of a language, no rules at all, or unreadable.

use crate::input::Input;
use crate::language::{Language, Layout, detect, layout};
use ruleferry_diag::{Diagnostic, Span, codes};

#[derive(Debug)]
pub(crate) enum Identified {
    Rules(Language, Layout),
    /// A readable file that holds no rule and that nobody named: it only lay in a folder among rules.
    NoRules,
    Unknown(Vec<Diagnostic>),
}

/// Tells what a file is; `from` overrides what its name and content say.
pub(crate) fn identify(input: &Input, text: &str, from: Option<Language>) -> Identified {
    if let Some(language) = from {
        let layout = match language {
            Language::Sigma => Layout::Yaml,
            Language::Yaral => Layout::Text,
            Language::Kql | Language::Sql(_) => layout(&input.path),
        };
        return Identified::Rules(language, layout);
    }
    match detect(&input.path, text) {
        // A JSON file is a rule if it has a query; exports of other kinds lie beside them.
        Some((Language::Kql, Layout::Json)) if input.walked && !text.contains("\"query") => {
            no_rules(input, text, Layout::Json)
        }
        Some((language, layout)) => Identified::Rules(language, layout),
        None => no_rules(input, text, layout(&input.path)),
    }
}

/// A file without the marks of a rule. One that cannot be read may have lost them: it is told, not passed over.
fn no_rules(input: &Input, text: &str, layout: Layout) -> Identified {
    let parsed = match layout {
        Layout::Yaml => Some(ruleferry_doc::parse_yaml(text)),
        Layout::Json => Some(ruleferry_doc::parse_json(text)),
        Layout::Text => None,
    };
    if let Some(parsed) = parsed
        && parsed.diagnostics.iter().any(Diagnostic::is_error)
    {
        return Identified::Unknown(parsed.diagnostics);
    }
    if input.walked { Identified::NoRules } else { Identified::Unknown(vec![unknown_language()]) }
}

fn unknown_language() -> Diagnostic {
    let message = "the rule language of the file cannot be told";
    Diagnostic::error(codes::UNKNOWN_LANGUAGE, Span::default(), message)
        .with_help("name it with --from, such as --from kql")
}
