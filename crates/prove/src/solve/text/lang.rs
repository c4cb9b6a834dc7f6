//! Languages in one form each: what a test means, whichever way it is written.
//!
//! In: a [`Language`] of a formula. Out: a [`Lang`], `Always` or `Never`. `*a*` is *contains*, a pattern without operators is
//! a plain text, and where nothing folds to a needle but itself the case mode does not matter.

use super::chars::{Set, is_uncased};
use super::nfa::regex_hir;
use crate::formula::{Folding, Language};
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use ruleferry_eval::text::{Network, fold, fold_char};
use ruleferry_ir::{Case, GlobPart};
use smol_str::SmolStr;
use std::sync::LazyLock;

/// A language; `true` where the text is folded first (the needle is folded already).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lang {
    Equals(SmolStr, bool),
    Contains(SmolStr, bool),
    Starts(SmolStr, bool),
    Ends(SmolStr, bool),
    Term {
        needle: SmolStr,
        left: bool,
        right: bool,
        folded: bool,
    },
    Glob(Box<[GlobPart]>, bool),
    Regex(SmolStr, Folding),
    Cidr(SmolStr),
    /// In the order of code points before a text, or it too.
    Before(SmolStr, bool),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Normal {
    Always,
    Never,
    Lang(Lang),
}

/// The parts of a language that every text in it has: what it starts and ends with, what it contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces<'l> {
    pub start: Option<&'l str>,
    pub end: Option<&'l str>,
    /// In their order, not overlapping, without start and end.
    pub inner: Vec<&'l str>,
}

fn uncased(text: &str) -> bool {
    text.chars().all(is_uncased)
}

/// The needle as the test sees it. (One that stands against `tolower(x)` is seen as written.)
fn seen(needle: &SmolStr, folding: Folding) -> SmolStr {
    match folding {
        Folding::Simple if !is_folded(needle) => fold(needle).into(),
        Folding::Simple | Folding::Exact | Folding::Lower => needle.clone(),
    }
}

/// Whether a text can be what a folded text holds.
fn is_folded(text: &str) -> bool {
    text.chars().all(|c| fold_char(c) == c)
}

/// Letters that simple folding (regular expressions) and lower case (other tests) fold in different ways.
pub(super) const ODD: [char; 3] = ['ſ', '\u{212A}', 'İ'];

impl Normal {
    pub fn of(language: &Language) -> Self {
        Self::read(language, &mut None)
    }

    /// The same where no text holds a letter of [`ODD`], and whether that mattered.
    pub fn without_odd_letters(language: &Language) -> (Self, bool) {
        let mut rests = Some(false);
        let normal = Self::read(language, &mut rests);
        (normal, rests == Some(true))
    }

    /// `rests`: set where the form rests on texts without [`ODD`]; `None` where it must not.
    fn read(language: &Language, rests: &mut Option<bool>) -> Self {
        let plain = |make: fn(SmolStr, bool) -> Lang, needle: &SmolStr, folding: Folding| {
            Self::plain(make, &seen(needle, folding), folding != Folding::Exact)
        };
        match language {
            Language::Equals(n, f) => plain(Lang::Equals, n, *f),
            Language::Contains(n, f) => plain(Lang::Contains, n, *f),
            Language::StartsWith(n, f) => plain(Lang::Starts, n, *f),
            Language::EndsWith(n, f) => plain(Lang::Ends, n, *f),
            Language::Term(n, f) => Self::term(&seen(n, *f), *f, true, true),
            Language::TermPrefix(n, f) => Self::term(&seen(n, *f), *f, true, false),
            Language::TermSuffix(n, f) => Self::term(&seen(n, *f), *f, false, true),
            Language::Glob(parts, f) => {
                let parts: Vec<GlobPart> = parts
                    .iter()
                    .map(|part| match part {
                        GlobPart::Text(t) => GlobPart::Text(seen(t, *f)),
                        GlobPart::Many => GlobPart::Many,
                        GlobPart::One => GlobPart::One,
                    })
                    .collect();
                Self::glob(&parts, *f != Folding::Exact)
            }
            Language::Regex(pattern, f) => Self::regex(pattern, *f, rests),
            Language::Cidr(range) => match Network::parse(range) {
                Some(_) => Self::Lang(Lang::Cidr(range.clone())),
                None => Self::Never,
            },
        }
    }

    fn plain(make: fn(SmolStr, bool) -> Lang, needle: &SmolStr, folded: bool) -> Self {
        let folded = folded && !uncased(needle);
        if folded && !is_folded(needle) {
            return Self::Never;
        }
        let lang = make(needle.clone(), folded);
        if needle.is_empty() && !matches!(lang, Lang::Equals(..)) { Self::Always } else { Self::Lang(lang) }
    }

    fn term(needle: &SmolStr, folding: Folding, left: bool, right: bool) -> Self {
        let left = left && needle.chars().next().is_some_and(char::is_alphanumeric);
        let right = right && needle.chars().next_back().is_some_and(char::is_alphanumeric);
        let folded = folding != Folding::Exact;
        if !left && !right {
            return Self::plain(Lang::Contains, needle, folded);
        }
        let folded = folded && !uncased(needle);
        if folded && !is_folded(needle) {
            return Self::Never;
        }
        Self::Lang(Lang::Term { needle: needle.clone(), left, right, folded })
    }

    fn glob(parts: &[GlobPart], folded: bool) -> Self {
        // One text where two stand side by side, one `*`, and each `?` before the `*` beside it.
        let mut out: Vec<GlobPart> = Vec::with_capacity(parts.len());
        for part in parts {
            match (out.last_mut(), part) {
                (_, GlobPart::Text(t)) if t.is_empty() => {}
                (Some(GlobPart::Text(before)), GlobPart::Text(t)) => *before = format!("{before}{t}").into(),
                (Some(GlobPart::Many), GlobPart::Many) => {}
                (Some(GlobPart::Many), GlobPart::One) => {
                    let at = out.len() - 1;
                    out.insert(at, GlobPart::One);
                }
                (_, part) => out.push(part.clone()),
            }
        }
        let folded = folded
            && out.iter().any(|p| match p {
                GlobPart::Text(t) => !uncased(t),
                GlobPart::Many | GlobPart::One => false,
            });
        if folded && out.iter().any(|p| matches!(p, GlobPart::Text(t) if !is_folded(t))) {
            return Self::Never;
        }
        match out.as_slice() {
            [] => Self::plain(Lang::Equals, &SmolStr::default(), folded),
            [GlobPart::Many] => Self::Always,
            [GlobPart::Text(t)] => Self::plain(Lang::Equals, t, folded),
            [GlobPart::Text(t), GlobPart::Many] => Self::plain(Lang::Starts, t, folded),
            [GlobPart::Many, GlobPart::Text(t)] => Self::plain(Lang::Ends, t, folded),
            [GlobPart::Many, GlobPart::Text(t), GlobPart::Many] => Self::plain(Lang::Contains, t, folded),
            _ => Self::Lang(Lang::Glob(out.into(), folded)),
        }
    }

    fn regex(pattern: &SmolStr, folding: Folding, rests: &mut Option<bool>) -> Self {
        let same = || Self::Lang(Lang::Regex(pattern.clone(), folding));
        let Ok(hir) = regex_hir(pattern, folding == Folding::Simple) else { return same() };
        let lower = folding == Folding::Lower;
        let mut parts: &[Hir] = match bare(&hir).kind() {
            HirKind::Concat(parts) => parts,
            _ => std::slice::from_ref(bare(&hir)),
        };
        // What a search takes for granted on both sides: `.*`, `\A(?s).*`.
        let (mut starts, mut ends) = (false, false);
        loop {
            match parts {
                [first, rest @ ..] if !starts && is_optional(first) => parts = rest,
                [first, rest @ ..] if !starts && is_look(first, Look::Start) => {
                    starts = true;
                    parts = rest;
                }
                [first, rest @ ..] if starts && is_any_text(first) => {
                    starts = false;
                    parts = rest;
                }
                _ => break,
            }
        }
        loop {
            match parts {
                [rest @ .., last] if !ends && is_optional(last) => parts = rest,
                [rest @ .., last] if !ends && is_look(last, Look::End) => {
                    ends = true;
                    parts = rest;
                }
                [rest @ .., last] if ends && is_any_text(last) => {
                    ends = false;
                    parts = rest;
                }
                _ => break,
            }
        }
        let mut used = rests.map(|_| false);
        // A term as the languages without an operator for it say it: a border is the end of the text, or no letter and no
        // digit. Rust's letters hold some marks beyond those of the pattern: what rests on texts without odd letters may say so.
        let (bordered, left, right) = without_borders(parts);
        if (left || right) && !starts && !ends && rests.is_some() {
            let Some((pattern, folded)) = pattern_of(bordered, &mut used) else { return same() };
            let [GlobPart::Text(needle)] = pattern.as_slice() else { return same() };
            let edge = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let fits = (!left || edge(needle.chars().next())) && (!right || edge(needle.chars().next_back()));
            if !fits || lower && folded {
                return same();
            }
            *rests = Some(true);
            let folding = if folded || lower { Folding::Simple } else { Folding::Exact };
            return Self::term(needle, folding, left, right);
        }
        let Some((pattern, folded)) = pattern_of(parts, &mut used) else { return same() };
        if lower && folded {
            return same();
        }
        if used == Some(true) {
            *rests = used;
        }
        let many = |open: bool| open.then_some(GlobPart::Many);
        let parts: Vec<GlobPart> = many(!starts).into_iter().chain(pattern).chain(many(!ends)).collect();
        Self::glob(&parts, folded || lower)
    }
}

/// Without the groups around it.
fn bare(hir: &Hir) -> &Hir {
    let mut at = hir;
    while let HirKind::Capture(capture) = at.kind() {
        at = &capture.sub;
    }
    at
}

fn is_look(hir: &Hir, look: Look) -> bool {
    matches!(bare(hir).kind(), HirKind::Look(l) if *l == look)
}

/// What stands between `(?:^|[^\p{L}\p{N}])` and `(?:$|[^\p{L}\p{N}])`, and which of the two are there.
fn without_borders(parts: &[Hir]) -> (&[Hir], bool, bool) {
    let (mut parts, mut left, mut right) = (parts, false, false);
    if let [first, rest @ ..] = parts
        && is_border(first, Look::Start)
    {
        (parts, left) = (rest, true);
    }
    if let [rest @ .., last] = parts
        && is_border(last, Look::End)
    {
        (parts, right) = (rest, true);
    }
    (parts, left, right)
}

fn is_border(hir: &Hir, end: Look) -> bool {
    let HirKind::Alternation(either) = bare(hir).kind() else { return false };
    let [look, class] = either.as_slice() else { return false };
    is_look(look, end) && NO_LETTER.iter().flatten().any(|wanted| bare(class).kind() == wanted.kind())
}

/// Neither letter nor digit, as it stands and in any case.
static NO_LETTER: LazyLock<[Option<Hir>; 2]> =
    LazyLock::new(|| [false, true].map(|folds| regex_hir(r"[^\p{L}\p{N}]", folds).ok()));

/// May match nothing, so that a search finds the rest anyway.
fn is_optional(hir: &Hir) -> bool {
    matches!(bare(hir).kind(), HirKind::Repetition(r) if r.min == 0)
        || matches!(bare(hir).kind(), HirKind::Empty)
}

/// `(?s).*`
fn is_any_text(hir: &Hir) -> bool {
    match bare(hir).kind() {
        HirKind::Repetition(r) if r.min == 0 && r.max.is_none() => match bare(&r.sub).kind() {
            HirKind::Class(class) => set_of(class) == Some(Set::all()),
            _ => false,
        },
        _ => false,
    }
}

/// All scalar values as a range includes the surrogates, which are none: the class without the gap is the same set.
fn set_of(class: &Class) -> Option<Set> {
    match class {
        Class::Unicode(class) => {
            let joined = |c: u32| if c == 0xD7FF { 0xDFFF } else { c };
            Some(Set::of(class.ranges().iter().map(|r| (r.start() as u32, joined(r.end() as u32)))))
        }
        Class::Bytes(_) => None,
    }
}

/// Repetitions of `.` that are written out.
const MAX_ONES: u32 = 64;

/// A pattern of literals, of classes that are all the cases of one letter, of `.` and `.*`; and whether letters fold in it.
fn pattern_of(parts: &[Hir], rests: &mut Option<bool>) -> Option<(Vec<GlobPart>, bool)> {
    let mut pattern = Vec::new();
    let mut text = String::new();
    let mut folded = false;
    let mut exact = false;
    for part in parts {
        let signs = match bare(part).kind() {
            HirKind::Literal(literal) => {
                let literal = std::str::from_utf8(&literal.0).ok()?;
                exact |= !uncased(literal);
                text.push_str(literal);
                continue;
            }
            HirKind::Class(class) => {
                let set = set_of(class)?;
                if set == Set::all() {
                    vec![GlobPart::One]
                } else {
                    let first = set.ranges().first().and_then(|(c, _)| char::from_u32(*c))?;
                    let c = fold_char(first);
                    let cases = Set::one(c).unfolded();
                    if cases != set {
                        // Equal but for those that no text holds.
                        let with_odd = |set: &Set| {
                            let odd = ODD.iter().map(|c| (*c as u32, *c as u32));
                            Set::of(set.ranges().iter().copied().chain(odd))
                        };
                        if rests.is_none() || with_odd(&cases) != with_odd(&set) {
                            return None;
                        }
                        *rests = Some(true);
                    }
                    folded = true;
                    text.push(c);
                    continue;
                }
            }
            HirKind::Repetition(r) => {
                let any = match bare(&r.sub).kind() {
                    HirKind::Class(class) => set_of(class)? == Set::all(),
                    _ => false,
                };
                if !any || r.min > MAX_ONES || r.max.is_some_and(|max| max != r.min) {
                    return None;
                }
                let ones = (0..r.min).map(|_| GlobPart::One);
                ones.chain(r.max.is_none().then_some(GlobPart::Many)).collect()
            }
            HirKind::Empty => continue,
            HirKind::Look(_) | HirKind::Capture(_) | HirKind::Concat(_) | HirKind::Alternation(_) => {
                return None;
            }
        };
        pattern.push(GlobPart::Text(std::mem::take(&mut text).into()));
        pattern.extend(signs);
    }
    pattern.push(GlobPart::Text(text.into()));
    // Letters of both kinds side by side are neither.
    (!(folded && exact)).then_some((pattern, folded))
}

impl Lang {
    pub fn folded(&self) -> bool {
        match self {
            Self::Equals(_, f)
            | Self::Contains(_, f)
            | Self::Starts(_, f)
            | Self::Ends(_, f)
            | Self::Term { folded: f, .. }
            | Self::Glob(_, f) => *f,
            Self::Regex(..) | Self::Cidr(_) | Self::Before(..) => false,
        }
    }

    /// Whether a text is in it; `None` for regular expressions, which their automaton knows.
    pub fn holds(&self, text: &Subject<'_>) -> Option<bool> {
        let seen = if self.folded() { text.folded() } else { text.exact };
        Some(match self {
            Self::Equals(n, _) => seen == n,
            Self::Contains(n, _) => seen.contains(n.as_str()),
            Self::Starts(n, _) => seen.starts_with(n.as_str()),
            Self::Ends(n, _) => seen.ends_with(n.as_str()),
            Self::Term { needle, left, right, .. } => ruleferry_eval::text::term(seen, needle, *left, *right),
            Self::Glob(parts, _) => ruleferry_eval::text::glob(seen, parts, Case::Sensitive),
            Self::Regex(..) => return None,
            Self::Cidr(range) => ruleferry_eval::text::in_cidr(text.exact, range),
            Self::Before(than, inclusive) => {
                text.exact < than.as_str() || (*inclusive && text.exact == than.as_str())
            }
        })
    }

    /// The one text that it looks for somewhere.
    pub(super) fn needle(&self) -> Option<&str> {
        match self {
            Self::Contains(n, _) | Self::Starts(n, _) | Self::Ends(n, _) => Some(n),
            Self::Term { needle, .. } => Some(needle),
            Self::Equals(..) | Self::Glob(..) | Self::Regex(..) | Self::Cidr(_) | Self::Before(..) => None,
        }
    }

    pub(super) fn pieces(&self) -> Pieces<'_> {
        match self {
            Self::Equals(n, _) => Pieces { start: Some(n), end: Some(n), inner: Vec::new() },
            Self::Contains(n, _) => Pieces { inner: vec![n], ..Pieces::default() },
            Self::Starts(n, _) => Pieces { start: Some(n), ..Pieces::default() },
            Self::Ends(n, _) => Pieces { end: Some(n), ..Pieces::default() },
            Self::Term { needle, .. } => Pieces { inner: vec![needle], ..Pieces::default() },
            Self::Glob(parts, _) => {
                let mut pieces = Pieces::default();
                let last = parts.len().saturating_sub(1);
                for (i, part) in parts.iter().enumerate() {
                    match part {
                        GlobPart::Text(t) if i == 0 => pieces.start = Some(t),
                        GlobPart::Text(t) if i == last => pieces.end = Some(t),
                        GlobPart::Text(t) => pieces.inner.push(t),
                        GlobPart::Many | GlobPart::One => {}
                    }
                }
                pieces
            }
            Self::Regex(..) | Self::Cidr(_) | Self::Before(..) => Pieces::default(),
        }
    }
}

/// A text, with its folded form when first asked for.
pub(crate) struct Subject<'t> {
    pub exact: &'t str,
    folded: std::cell::OnceCell<String>,
}

impl<'t> Subject<'t> {
    pub fn new(exact: &'t str) -> Self {
        Self { exact, folded: std::cell::OnceCell::new() }
    }

    pub fn folded(&self) -> &str {
        self.folded.get_or_init(|| fold(self.exact))
    }
}
