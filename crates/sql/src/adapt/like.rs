//! `LIKE` and `ILIKE`: patterns of the lowering, in which a backslash means nothing unless an ESCAPE clause names it, in the
//! spelling of the dialect.

use super::{Adapt, Flow, mark, negated, refuse, take};
use crate::build;
use crate::dialect::LikeEscape;
use ruleferry_targets::Capability;
use sqlparser::ast::{Expr, Value, ValueWithSpan};
use std::ops::ControlFlow;

/// One step of a pattern.
enum Step {
    Many,
    One,
    Char(char),
}

fn steps(pattern: &str, escape: Option<char>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        steps.push(match c {
            c if Some(c) == escape => Step::Char(chars.next().unwrap_or(c)),
            '%' => Step::Many,
            '_' => Step::One,
            c => Step::Char(c),
        });
    }
    steps
}

/// The text of a literal of the tree, whose quotes are doubled.
fn literal(e: &Expr) -> Option<String> {
    match e {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(s), .. }) => Some(s.replace("''", "'")),
        _ => None,
    }
}

impl Adapt {
    pub(super) fn like(&mut self, e: &mut Expr) -> Flow {
        let insensitive = matches!(e, Expr::ILike { .. });
        let (Expr::ILike { negated: not, expr, pattern, escape_char, .. }
        | Expr::Like { negated: not, expr, pattern, escape_char, .. }) = e
        else {
            return ControlFlow::Continue(());
        };
        let Some(text) = literal(pattern) else {
            // A pattern of the target's own data.
            return ControlFlow::Continue(());
        };
        let escape = escape_char.as_deref().and_then(literal).and_then(|s| s.chars().next());
        let steps = steps(&text, escape);
        let (not, subject) = (*not, take(expr));
        if self.dialect.can(Capability::LikeFoldsAscii) {
            if insensitive && !text.is_ascii() {
                return refuse("a search that ignores the case of letters beyond ASCII");
            }
            if !insensitive {
                let mut form = build::call("glob", vec![build::string(&glob(&steps)), subject]);
                mark(&mut form);
                *e = negated(form, not);
                return self.marked(e);
            }
        }
        let fold = insensitive
            && !self.dialect.can(Capability::Ilike)
            && !self.dialect.can(Capability::LikeFoldsAscii);
        let subject = if fold { build::call("lower", vec![bare(subject)]) } else { subject };
        let (pattern, escape) = self.pattern(&steps, fold && text.is_ascii());
        let mut pattern = build::string(&pattern);
        if fold && !text.is_ascii() {
            pattern = build::call("lower", vec![pattern]);
        }
        let (expr, pattern) = (Box::new(subject), Box::new(pattern));
        let escape_char = escape.map(|c| Box::new(build::string(&c.to_string())));
        let keyword = insensitive && self.dialect.can(Capability::Ilike);
        *e = if keyword {
            Expr::ILike { negated: not, any: false, expr, pattern, escape_char }
        } else {
            Expr::Like { negated: not, any: false, expr, pattern, escape_char }
        };
        ControlFlow::Continue(())
    }

    /// A form that was put in this place is visited by its parts alone.
    fn marked(&mut self, e: &mut Expr) -> Flow {
        if let Expr::Function(f) = e {
            f.uses_odbc_syntax = false;
            super::settle(&mut f.name);
        }
        ControlFlow::Continue(())
    }

    fn pattern(&self, steps: &[Step], lower: bool) -> (String, Option<char>) {
        let special = |c: char| c == '%' || c == '_';
        let needed = steps.iter().any(|s| matches!(s, Step::Char(c) if special(*c)));
        let held = |c: char| steps.iter().any(|s| matches!(s, Step::Char(x) if *x == c));
        let backslash = self.dialect.like_escape != LikeEscape::Named;
        let (escape, named) = match self.dialect.like_escape {
            LikeEscape::Fixed => ('\\', false),
            // Another character reads better where the text holds backslashes.
            LikeEscape::Named | LikeEscape::Backslash if needed || backslash && held('\\') => {
                let free = ['!', '^', '~', '#', '$', '@', '|'].into_iter().find(|c| !held(*c));
                (free.unwrap_or('!'), true)
            }
            LikeEscape::Named | LikeEscape::Backslash => ('!', false),
        };
        let mut out = String::new();
        for step in steps {
            match step {
                Step::Many => out.push('%'),
                Step::One => out.push('_'),
                Step::Char(c) => {
                    if special(*c) || *c == escape && (named || backslash) {
                        out.push(escape);
                    }
                    out.push(if lower { c.to_ascii_lowercase() } else { *c });
                }
            }
        }
        (out, named.then_some(escape))
    }
}

fn bare(e: Expr) -> Expr {
    match e {
        Expr::Nested(e) => *e,
        e => e,
    }
}

/// The pattern in the spelling of GLOB, which tells letters by their case.
fn glob(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Many => out.push('*'),
            Step::One => out.push('?'),
            Step::Char(c @ ('*' | '?' | '[')) => {
                out.push('[');
                out.push(*c);
                out.push(']');
            }
            Step::Char(c) => out.push(*c),
        }
    }
    out
}
