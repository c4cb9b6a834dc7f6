//! Texts that a regular expression matches, and the shape of a text around one of its groups.
//!
//! In: a pattern. Out: a text, most often a match; for patterns with look-around no promise is made, the evaluator tells.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Which of several matching texts is made: 0 the plainest, other numbers others.
pub(super) fn sample(pattern: &str, variant: u64) -> Option<String> {
    let hir = parse(pattern)?;
    let mut out = String::new();
    let mut walk = Walk { variant, steps: 0, group: None };
    walk.write(&hir, &mut out, &mut |_| {});
    Some(out)
}

/// Whether a match must begin at the start of the text, or end at its end.
pub(super) fn anchors(pattern: &str) -> (bool, bool) {
    let Some(hir) = parse(pattern) else { return (false, false) };
    let set = |looks: regex_syntax::hir::LookSet, look: Look| looks.contains(look);
    let properties = hir.properties();
    (set(properties.look_set_prefix(), Look::Start), set(properties.look_set_suffix(), Look::End))
}

/// A text before a group, the pattern of the group, and a text behind it.
pub(super) struct Around {
    pub before: String,
    pub group: String,
    pub after: String,
}

/// The text around capture group `group`; the group's own sample is left out.
pub(super) fn around(pattern: &str, group: u32) -> Option<Around> {
    let hir = parse(pattern)?;
    if group == 0 {
        return Some(Around { before: String::new(), group: pattern.to_owned(), after: String::new() });
    }
    let mut out = String::new();
    let mut found: Option<(usize, String)> = None;
    let mut walk = Walk { variant: 0, steps: 0, group: Some(group) };
    walk.write(&hir, &mut out, &mut |f| {
        if found.is_none() {
            found = Some(f);
        }
    });
    let (at, group) = found?;
    Some(Around { before: out.get(..at)?.to_owned(), group, after: out.get(at..)?.to_owned() })
}

fn parse(pattern: &str) -> Option<Hir> {
    regex_syntax::ParserBuilder::new().nest_limit(200).build().parse(pattern).ok()
}

struct Walk {
    variant: u64,
    steps: u32,
    group: Option<u32>,
}

/// Characters that read well, tried in this order.
const NICE: [char; 14] = ['a', '7', 'Z', 'e', ' ', '-', '.', '/', '_', ':', '=', '\\', '+', '"'];

impl Walk {
    /// A number below `n`: 0 in the plainest variant.
    fn pick(&mut self, n: usize) -> usize {
        if self.variant == 0 || n < 2 {
            return 0;
        }
        let mixed = (self.variant ^ u64::from(self.steps) << 20).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        usize::try_from((mixed >> 21) % n as u64).unwrap_or(0)
    }

    fn write(&mut self, hir: &Hir, out: &mut String, on: &mut dyn FnMut((usize, String))) {
        self.steps += 1;
        if out.len() > 2000 || self.steps > 6000 {
            return;
        }
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Look(look) => match look {
                // A line, not the text, begins here.
                Look::StartLF | Look::StartCRLF if !out.is_empty() => out.push('\n'),
                // A word may have to end here.
                Look::WordAscii | Look::WordUnicode
                    if out.chars().next_back().is_some_and(char::is_alphanumeric) && self.pick(2) == 1 =>
                {
                    out.push(' ');
                }
                _ => {}
            },
            HirKind::Literal(l) => out.push_str(&String::from_utf8_lossy(&l.0)),
            HirKind::Class(Class::Unicode(c)) => {
                let good = |ch: char| c.ranges().iter().any(|r| (r.start()..=r.end()).contains(&ch));
                let nice: Vec<char> = NICE.into_iter().filter(|ch| good(*ch)).collect();
                let at = self.pick(nice.len());
                out.extend(nice.get(at).copied().or_else(|| c.ranges().first().map(|r| r.start())));
            }
            HirKind::Class(Class::Bytes(c)) => {
                let good = |ch: char| c.ranges().iter().any(|r| (r.start()..=r.end()).contains(&(ch as u8)));
                let nice = NICE.into_iter().find(|ch| good(*ch));
                out.extend(nice.or_else(|| c.ranges().first().map(|r| char::from(r.start()))));
            }
            HirKind::Repetition(r) => {
                let most = r.max.unwrap_or(r.min.saturating_add(3)).min(r.min.saturating_add(3));
                let least = if self.group.is_some() || self.variant == 0 {
                    r.min.max(u32::from(most > 0))
                } else {
                    r.min
                };
                let more = usize::try_from(most.saturating_sub(least)).unwrap_or(0);
                let times = least + u32::try_from(self.pick(more + 1)).unwrap_or(0);
                for _ in 0..times.min(600) {
                    self.write(&r.sub, out, on);
                }
            }
            HirKind::Capture(c) => {
                if self.group == Some(c.index) {
                    on((out.len(), c.sub.to_string()));
                } else {
                    self.write(&c.sub, out, on);
                }
            }
            HirKind::Concat(parts) => parts.iter().for_each(|p| self.write(p, out, on)),
            HirKind::Alternation(parts) => {
                // The branch that holds the group that is looked for.
                let wanted = self.group.and_then(|g| parts.iter().find(|p| holds_group(p, g)));
                let at = self.pick(parts.len());
                if let Some(part) = wanted.or_else(|| parts.get(at)) {
                    self.write(part, out, on);
                }
            }
        }
    }
}

fn holds_group(hir: &Hir, group: u32) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
        HirKind::Repetition(r) => holds_group(&r.sub, group),
        HirKind::Capture(c) => c.index == group || holds_group(&c.sub, group),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(|p| holds_group(p, group)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn samples_match() {
        for pattern in [
            r"^\d{3}-[a-f]+$",
            r"(?i)cmd(\.exe)?\s+/[ck]\b",
            r"a|b(c|d){2,}",
            r"\\Users\\[^\\]+\\x",
            r"[^a-z]{5}\.(exe|dll)$",
        ] {
            let regex = regex_automata::meta::Regex::new(pattern).unwrap();
            for variant in 0..20 {
                let text = sample(pattern, variant).unwrap();
                assert!(regex.is_match(text.as_str()), "{pattern}: {text}");
            }
        }
    }

    #[test]
    fn groups_are_left_out() {
        let a = around(r"User=([^;]+);ip=(\d+)", 2).unwrap();
        assert_eq!((a.before.as_str(), a.after.as_str()), ("User=a;ip=", ""));
        assert!(regex_automata::meta::Regex::new(&a.group).unwrap().is_match("12"));
    }
}
