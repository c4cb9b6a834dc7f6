//! XML as a dynamic value.
//!
//! In: a document. Out: its root element as `{name: value}`, or none where it is not well-formed. An element is null, its text,
//! or an object of its attributes (`@name`), its text (`#text`) and its elements; what has the same name becomes an array.
//! Values stay strings. Comments, instructions and the document type are passed over.
//!
//! Source: "parse_xml()" (Kusto); "Extensible Markup Language (XML) 1.0", W3C.

use crate::json::MAX_DEPTH;
use indexmap::IndexMap;
use ruleferry_ir::Json;
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// An element that is open, with what was found in it so far.
struct Element {
    name: SmolStr,
    members: Vec<(SmolStr, Json)>,
}

pub(super) fn parse(text: &str) -> Option<Json> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<(SmolStr, Json)> = None;
    while !rest.is_empty() {
        let Some(markup) = rest.strip_prefix('<') else {
            let (piece, tail) = rest.split_at_checked(rest.find('<').unwrap_or(rest.len()))?;
            rest = tail;
            let piece = piece.trim_matches(is_blank);
            if !piece.is_empty() {
                let content = Json::String(unescaped(piece)?.into());
                open.last_mut()?.members.push(("#text".into(), content));
            }
            continue;
        };
        if let Some(comment) = markup.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
        } else if let Some(data) = markup.strip_prefix("![CDATA[") {
            let (data, tail) = data.split_once("]]>")?;
            rest = tail;
            open.last_mut()?.members.push(("#text".into(), Json::String(data.into())));
        } else if let Some(instruction) = markup.strip_prefix('?') {
            rest = instruction.split_once("?>")?.1;
        } else if markup.starts_with('!') {
            rest = after_document_type(markup)?;
        } else if let Some(end) = markup.strip_prefix('/') {
            let (name, tail) = end.split_once('>')?;
            rest = tail;
            let element = open.pop()?;
            if element.name != name.trim_end_matches(is_blank) {
                return None;
            }
            close(element, &mut open, &mut root)?;
        } else {
            let (element, empty, tail) = start(markup)?;
            rest = tail;
            if empty {
                close(element, &mut open, &mut root)?;
            } else {
                open.push(element);
            }
            if open.len() >= MAX_DEPTH {
                return None;
            }
        }
    }
    let (name, value) = root.filter(|_| open.is_empty())?;
    Some(Json::Object([(name, value)].into_iter().collect()))
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Hands an element to the one around it; only one may be the root.
fn close(element: Element, open: &mut [Element], root: &mut Option<(SmolStr, Json)>) -> Option<()> {
    let value = value_of(element.members);
    match open.last_mut() {
        Some(outer) => outer.members.push((element.name, value)),
        None if root.is_none() => *root = Some((element.name, value)),
        None => return None,
    }
    Some(())
}

fn value_of(members: Vec<(SmolStr, Json)>) -> Json {
    if members.is_empty() {
        return Json::Null;
    }
    if let [(name, text)] = members.as_slice()
        && name == "#text"
    {
        return text.clone();
    }
    let mut groups: IndexMap<SmolStr, Vec<Json>> = IndexMap::new();
    for (name, value) in members {
        groups.entry(name).or_default().push(value);
    }
    let one_or_all = |mut values: Vec<Json>| match (values.len(), values.pop()) {
        (1, Some(one)) => one,
        (_, last) => {
            values.extend(last);
            Json::Array(values)
        }
    };
    Json::Object(groups.into_iter().map(|(name, values)| (name, one_or_all(values))).collect())
}

/// A start tag after its `<`: the element with its attributes, whether it ends at once, and what follows.
fn start(markup: &str) -> Option<(Element, bool, &str)> {
    let (name, mut rest) = name(markup)?;
    let mut members: Vec<(SmolStr, Json)> = Vec::new();
    let mut attributes: FxHashSet<&str> = FxHashSet::default();
    loop {
        let trimmed = rest.trim_start_matches(is_blank);
        if let Some(tail) = trimmed.strip_prefix("/>") {
            return Some((Element { name: name.into(), members }, true, tail));
        }
        if let Some(tail) = trimmed.strip_prefix('>') {
            return Some((Element { name: name.into(), members }, false, tail));
        }
        // A blank stands before each attribute.
        if trimmed.len() == rest.len() {
            return None;
        }
        let (attribute, tail) = self::name(trimmed)?;
        let tail = tail.trim_start_matches(is_blank).strip_prefix('=')?.trim_start_matches(is_blank);
        let quote = tail.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, tail) = tail.strip_prefix(quote)?.split_once(quote)?;
        rest = tail;
        if !attributes.insert(attribute) {
            return None;
        }
        let key = SmolStr::from(format!("@{attribute}"));
        members.push((key, Json::String(unescaped(value)?.into())));
    }
}

/// A name at the start of a text, and what follows.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| is_blank(c) || matches!(c, '/' | '>' | '=' | '<' | '"' | '\''))
        .unwrap_or(text.len());
    let starts = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':'));
    if starts { text.split_at_checked(end) } else { None }
}

/// What follows `<!DOCTYPE …>`, whose declarations may stand in brackets.
fn after_document_type(markup: &str) -> Option<&str> {
    let bracket = markup.find('[');
    let end = markup.find('>')?;
    match bracket {
        Some(at) if at < end => {
            let (_, tail) = markup.get(at..)?.split_once(']')?;
            Some(tail.split_once('>')?.1)
        }
        _ => markup.get(end + 1..),
    }
}

/// Text with its references put in; none where one is not known.
fn unescaped(text: &str) -> Option<String> {
    let mut pieces = text.split('&');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (reference, tail) = piece.split_once(';')?;
        out.push(match reference {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            other => {
                let code = match other.strip_prefix("#x") {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => other.strip_prefix('#')?.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        out.push_str(tail);
    }
    Some(out)
}
