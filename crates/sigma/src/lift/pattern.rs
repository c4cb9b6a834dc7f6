//! Text with wildcards as the plainest kind of match that means the same.

use crate::syntax::Part;
use ruleferry_diag::Span;
use ruleferry_ir::{Expr, GlobPart, MatchKind, MatchValue};
use smol_str::SmolStr;

/// Where in the field a value is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Whole,
    Start,
    End,
    Anywhere,
}

/// The kind of match, and its value.
pub(super) fn wanted(parts: &[Part], place: Place, span: Span) -> (MatchKind, MatchValue) {
    let mut glob: Vec<GlobPart> = Vec::with_capacity(parts.len() + 2);
    if matches!(place, Place::End | Place::Anywhere) {
        glob.push(GlobPart::Many);
    }
    for part in parts {
        push(&mut glob, part);
    }
    if matches!(place, Place::Start | Place::Anywhere) && glob.last() != Some(&GlobPart::Many) {
        glob.push(GlobPart::Many);
    }
    let text = |kind, text: &SmolStr| (kind, MatchValue::Expr(Expr::string(text.clone(), span)));
    match glob.as_slice() {
        [] => text(MatchKind::Equals, &SmolStr::default()),
        [GlobPart::Text(t)] => text(MatchKind::Equals, t),
        [GlobPart::Text(t), GlobPart::Many] => text(MatchKind::StartsWith, t),
        [GlobPart::Many, GlobPart::Text(t)] => text(MatchKind::EndsWith, t),
        [GlobPart::Many, GlobPart::Text(t), GlobPart::Many] => text(MatchKind::Contains, t),
        _ => (MatchKind::Glob, MatchValue::Glob(glob)),
    }
}

/// Adds a part; neighbouring texts become one, and `**` is `*`.
fn push(glob: &mut Vec<GlobPart>, part: &Part) {
    match part {
        Part::Any if glob.last() == Some(&GlobPart::Many) => {}
        Part::Any => glob.push(GlobPart::Many),
        Part::One => glob.push(GlobPart::One),
        Part::Literal(text) if text.is_empty() => {}
        // The caller has put in the values of placeholders.
        Part::Literal(text) | Part::Placeholder(text) => match glob.last_mut() {
            Some(GlobPart::Text(before)) => *before = format!("{before}{text}").into(),
            Some(GlobPart::Many | GlobPart::One) | None => glob.push(GlobPart::Text(text.clone())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::SigmaString;

    fn kind(raw: &str, place: Place) -> MatchKind {
        wanted(&SigmaString::new(raw).parts(), place, Span::default()).0
    }

    #[test]
    fn wildcards_at_the_edges_are_plain_matches() {
        assert_eq!(kind("a", Place::Whole), MatchKind::Equals);
        assert_eq!(kind("a*", Place::Whole), MatchKind::StartsWith);
        assert_eq!(kind("*a", Place::Whole), MatchKind::EndsWith);
        assert_eq!(kind("*a*", Place::Whole), MatchKind::Contains);
        assert_eq!(kind("a*", Place::End), MatchKind::Contains);
        assert_eq!(kind("a*b", Place::Anywhere), MatchKind::Glob);
        assert_eq!(kind("*", Place::Whole), MatchKind::Glob);
        assert_eq!(kind(r"a\*", Place::Whole), MatchKind::Equals);
        assert_eq!(kind("a?", Place::Start), MatchKind::Glob);
    }
}
