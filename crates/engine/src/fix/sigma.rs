//! Edits of Sigma: values of lists, items of maps, and patterns that are plain texts.

use super::{Candidate, removed};
use ruleferry_diag::{Edit, Span};
use ruleferry_ir::{Case, MatchKind};
use ruleferry_prove::{Finding, PlainTest, Repair};
use ruleferry_sigma::syntax::{Group, Section};
use ruleferry_sigma::syntax::{GroupKind, Item, Modifier, Part, SigmaString, ValueKind, Values, parse};

pub(super) fn candidates(file: &str, finding: &Finding, repair: &Repair) -> Vec<Candidate> {
    let parsed = parse(file);
    let items = parsed.documents.iter().flat_map(|document| {
        document.entries.iter().filter_map(|e| match &e.section {
            Section::Detection(d) | Section::Filter(d) => Some(d),
            Section::LogSource(_) | Section::Correlation(_) | Section::Other(_) => None,
        })
    });
    let mut found = Vec::new();
    for search in items.flat_map(|d| &d.searches) {
        each_item(&search.body, &mut |siblings, item| match repair {
            Repair::Remove => found.extend(
                value_of(file, item, finding.span).or_else(|| whole(file, siblings, item, finding.span)),
            ),
            Repair::Plain(plain) => found.extend(plain_of(file, item, finding.span, plain)),
            Repair::StateKind => {}
        });
    }
    found
}

/// Calls `f` with every item and how many stand beside it.
fn each_item<'g>(group: &'g Group, f: &mut dyn FnMut(usize, &'g Item)) {
    match &group.kind {
        GroupKind::Map(items) => items.iter().for_each(|i| f(items.len(), i)),
        GroupKind::List(groups) => groups.iter().for_each(|g| each_item(g, f)),
        GroupKind::Keyword(_) => {}
    }
}

/// One value of a list.
fn value_of(file: &str, item: &Item, span: Span) -> Option<Candidate> {
    let Values::List(values, _) = &item.values else { return None };
    if values.len() < 2 {
        return None;
    }
    let value = values.iter().find(|v| *v.span == span)?;
    let edits = vec![element(file, *value.span)?];
    Some(Candidate { title: removed(value.span.text(file)), edits })
}

/// A whole `field: values` of a map.
fn whole(file: &str, siblings: usize, item: &Item, span: Span) -> Option<Candidate> {
    if siblings < 2 || *item.key != span {
        return None;
    }
    let end = match &item.values {
        Values::One(v) => v.span.end,
        Values::List(_, list) => list.end,
    };
    let place = Span::new(item.key.start, end.max(item.key.end));
    // A comment between the values would go with them.
    if place.text(file).contains('#') {
        return None;
    }
    let edit = lines(file, place)?;
    Some(Candidate { title: removed(item.key.text(file)), edits: vec![edit] })
}

/// An element of a list in block style with its line, or one between commas.
fn element(file: &str, span: Span) -> Option<Edit> {
    let before = file.get(..span.start as usize)?;
    let after = file.get(span.end as usize..)?;
    let line = before.rsplit('\n').next()?;
    if line.trim_start_matches([' ', '\t']).trim_end_matches([' ', '\t']) == "-" {
        let dash = line.find('-')?;
        let start = span.start as usize - line.len() + dash;
        return lines(file, Span::from_usize(start, span.end as usize));
    }
    let blanks = |t: &str| t.len() - t.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let behind = blanks(after);
    if after.get(behind..)?.starts_with(',') {
        let rest = after.get(behind + 1..)?;
        let end = span.end as usize + behind + 1 + blanks(rest);
        return Some(cut(span.start as usize, end));
    }
    let trimmed = before.trim_end_matches([' ', '\t', '\r', '\n']);
    trimmed.ends_with(',').then(|| cut(trimmed.len() - 1, span.end as usize))
}

fn cut(start: usize, end: usize) -> Edit {
    Edit { span: Span::from_usize(start, end), text: String::new() }
}

/// The lines of a node that has them for itself; a comment behind it stays, in its place.
fn lines(file: &str, span: Span) -> Option<Edit> {
    let before = file.get(..span.start as usize)?;
    let after = file.get(span.end as usize..)?;
    let indent = before.len() - before.trim_end_matches([' ', '\t']).len();
    if !before.get(..before.len() - indent)?.ends_with('\n') {
        return None;
    }
    let line = after.split('\n').next()?;
    let blanks = line.len() - line.trim_start_matches([' ', '\t', '\r']).len();
    match line.get(blanks..)? {
        "" => Some(cut(span.start as usize - indent, span.end as usize + (line.len() + 1).min(after.len()))),
        rest if rest.starts_with('#') => Some(cut(span.start as usize, span.end as usize + blanks)),
        _ => None,
    }
}

/// `field|re: pattern` as a test of the plain text.
fn plain_of(file: &str, item: &Item, span: Span, plain: &PlainTest) -> Option<Candidate> {
    let Values::One(value) = &item.values else { return None };
    if *value.span != span && *item.key != span {
        return None;
    }
    if !matches!(value.kind, ValueKind::Verbatim(_)) {
        return None;
    }
    let re = item.modifiers.iter().position(|m| m.kind == Modifier::Re)?;
    // `re` with its flags is what goes; what else stands there stays.
    let flags = item
        .modifiers
        .iter()
        .skip(re + 1)
        .take_while(|m| matches!(m.kind, Modifier::IgnoreCase | Modifier::Multiline | Modifier::DotAll));
    let last = flags.last().or_else(|| item.modifiers.get(re))?;
    let mut names: Vec<&str> = match plain.kind {
        MatchKind::Equals => Vec::new(),
        MatchKind::Contains => vec!["contains"],
        MatchKind::StartsWith => vec!["startswith"],
        MatchKind::EndsWith => vec!["endswith"],
        MatchKind::Term
        | MatchKind::TermPrefix
        | MatchKind::TermSuffix
        | MatchKind::Regex
        | MatchKind::Glob
        | MatchKind::Cidr => return None,
    };
    if plain.case == Case::Sensitive {
        names.push("cased");
    }
    let modifiers: String = names.iter().map(|n| format!("|{n}")).collect();
    // The `|` before `re` goes with it.
    let start = item.modifiers.get(re)?.span.start.checked_sub(1)?;
    if file.get(start as usize..)?.starts_with('|') && !plain.text.chars().any(char::is_control) {
        let raw = SigmaString::from_parts([Part::Literal(plain.text.as_str().into())]).raw;
        let written = format!("'{}'", raw.replace('\'', "''"));
        let edits = vec![
            Edit { span: Span::new(start, last.span.end), text: modifiers.clone() },
            Edit { span: *value.span, text: written.clone() },
        ];
        let title = format!("write `{}{modifiers}: {written}` in the place of the pattern", item.field.text);
        return Some(Candidate { title, edits });
    }
    None
}
