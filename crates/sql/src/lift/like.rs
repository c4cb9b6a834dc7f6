//! `LIKE` and `ILIKE`: the pattern as the kind of match that it is.

use super::block::Block;
use super::test::guarded;
use super::{Lifter, Place, Result, literal};
use ruleferry_ir::{
    Case, Expr, GlobPart, MatchKind, MatchValue, MatchValues, Missing, Quantifier, StringMatch, Subject, Type,
};
use sqlparser::ast;

impl<'q> Lifter<'q> {
    #[expect(clippy::too_many_arguments, reason = "the parts of the node")]
    pub(super) fn like(
        &mut self,
        block: &mut Block<'q>,
        subject: &'q ast::Expr,
        pattern: &'q ast::Expr,
        escape: Option<&'q ast::Expr>,
        case: Case,
        place: Place,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        let mut subject = self.value(block, subject)?;
        // Numbers are looked at as their texts.
        if subject.e.ty.is_integer() {
            subject = self.cast_to_text(subject);
        }
        let case = if self.traits.like_folds { Case::Insensitive } else { case };
        if !matches!(subject.e.ty, Type::String | Type::Guid) {
            return Err(self.types(node, format!("LIKE on `{}`", subject.e.ty)));
        }
        let text = literal::constant_text(pattern);
        let escape = match escape {
            None => Some(self.traits.like_escape),
            Some(e) if literal::constant_text(e) == Some("") => Some(None),
            Some(e) => literal::constant_text(e).and_then(|e| {
                let mut chars = e.chars();
                chars.next().filter(|_| chars.next().is_none()).map(Some)
            }),
        };
        let (Some(text), Some(escape)) = (text, escape) else {
            return Err(self.function(node, "LIKE with a pattern that is computed"));
        };
        let Some(parts) = parts(text, escape) else {
            return Err(self.function(node, "a pattern that ends in its escape"));
        };
        let (kind, value) = kind_of(parts);
        if let MatchValue::Expr(value) = value {
            let mut val = super::Val::present(value);
            val.nulls.never_empty = true;
            return self.text_match(subject, kind, case, vec![val], place, node);
        }
        let may_match_empty = match &value {
            MatchValue::Glob(parts) => parts.iter().all(|p| matches!(p, GlobPart::Many)),
            MatchValue::Expr(_) => true,
        };
        let event = subject.e.as_column().is_some_and(|id| self.columns.name(id) == "_raw");
        let unknown = self.cond(&subject);
        let (missing, guard) = match (subject.nulls.sql, subject.nulls.exact, place) {
            (false, _, _) => (Missing::Empty, None),
            (true, true, Place::Keep) => (Missing::False, None),
            (true, true, Place::Drop | Place::Exact) => (Missing::Null, None),
            (true, false, Place::Keep) if !may_match_empty => (Missing::False, None),
            (true, false, _) => match unknown {
                Ok(unknown) => (Missing::Empty, unknown),
                Err(()) => return Err(self.null(node, "a text")),
            },
        };
        let test = StringMatch {
            subject: if event { Subject::Event } else { Subject::Expr(subject.e) },
            kind,
            case,
            values: MatchValues::List(vec![value]),
            quantifier: Quantifier::Any,
            missing,
        };
        let test = Expr::matches(test, self.span(node));
        Ok(guarded(test, guard.into_iter().collect(), place))
    }
}

/// The pattern in parts; `None` where its escape stands at the end.
fn parts(pattern: &str, escape: Option<char>) -> Option<Vec<GlobPart>> {
    let mut out: Vec<GlobPart> = Vec::new();
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let wild = match c {
            c if Some(c) == escape => {
                text.push(chars.next()?);
                continue;
            }
            '%' => GlobPart::Many,
            '_' => GlobPart::One,
            c => {
                text.push(c);
                continue;
            }
        };
        if !text.is_empty() {
            out.push(GlobPart::Text(std::mem::take(&mut text).into()));
        }
        // Two are no more than one.
        if !(wild == GlobPart::Many && out.last() == Some(&GlobPart::Many)) {
            out.push(wild);
        }
    }
    if !text.is_empty() {
        out.push(GlobPart::Text(text.into()));
    }
    Some(out)
}

/// A pattern of `SIMILAR TO` as a regular expression over the whole text; `None` where it ends in its escape.
pub(super) fn similar(pattern: &str) -> Option<String> {
    let mut out = String::from("^(?:");
    let mut chars = pattern.chars();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push('\\');
                out.push(chars.next()?);
            }
            c if class => {
                class = c != ']';
                out.push(c);
            }
            '[' => {
                class = true;
                out.push(c);
            }
            '%' => out.push_str("(?s:.)*"),
            '_' => out.push_str("(?s:.)"),
            // These have no meaning of their own here.
            '.' | '^' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push_str(")$");
    Some(out)
}

/// The plainest kind of match that a pattern is.
fn kind_of(parts: Vec<GlobPart>) -> (MatchKind, MatchValue) {
    let value = |text: &smol_str::SmolStr| MatchValue::Expr(Expr::string(text.clone(), Default::default()));
    match parts.as_slice() {
        [] => (MatchKind::Equals, value(&"".into())),
        [GlobPart::Text(t)] => (MatchKind::Equals, value(t)),
        [GlobPart::Many, GlobPart::Text(t), GlobPart::Many] => (MatchKind::Contains, value(t)),
        [GlobPart::Text(t), GlobPart::Many] => (MatchKind::StartsWith, value(t)),
        [GlobPart::Many, GlobPart::Text(t)] => (MatchKind::EndsWith, value(t)),
        _ => (MatchKind::Glob, MatchValue::Glob(parts)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_the_plainest_kind() {
        let kind = |p: &str, e: Option<char>| parts(p, e).map(|p| kind_of(p).0);
        assert_eq!(kind("%a\\b%", None), Some(MatchKind::Contains));
        assert_eq!(kind("a%", None), Some(MatchKind::StartsWith));
        assert_eq!(kind("%a", None), Some(MatchKind::EndsWith));
        assert_eq!(kind("a", None), Some(MatchKind::Equals));
        assert_eq!(kind("a_b", None), Some(MatchKind::Glob));
        assert_eq!(kind("a!_b", Some('!')), Some(MatchKind::Equals));
        assert_eq!(kind("a!", Some('!')), None);
        assert_eq!(kind("%%", None), Some(MatchKind::Glob));
    }
}
