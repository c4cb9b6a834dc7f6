//! What is asked of one value, whether a value meets it, and values that may.
//!
//! In: tests gathered from a rule's predicates. Out: candidates, the plainest first. What is decided here is a guess at best:
//! the evaluator has the last word.

use super::random::Random;
use super::sample::{anchors, sample};
use regex_automata::meta::Regex;
use ruleferry_eval::{Key, Value, cast};
use ruleferry_ir::{Case, CompareOp, GlobPart, MatchKind, Missing, TICKS_PER_SECOND, Type};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::{SmolStr, format_smolstr};
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

/// What a text is compared with.
#[derive(Clone, Debug)]
pub(super) enum Needle {
    Text(SmolStr),
    Glob(Rc<[GlobPart]>),
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    /// There is a value, and no empty text.
    Present,
    Null,
    /// Null or the empty text.
    Empty,
    /// Not `Eq`, not `Ne`.
    Order(CompareOp, Value),
    /// One of the values; the chosen one is tried first.
    Equal(Rc<[Value]>, usize),
    /// One of the needles is found.
    Text {
        kind: MatchKind,
        case: Case,
        needles: Rc<[Needle]>,
        chosen: usize,
    },
    /// The number of characters compares so.
    Length(CompareOp, i64),
}

#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub test: Test,
    pub not: bool,
    /// The type in which the value is looked at.
    pub ty: Type,
    pub missing: Missing,
}

impl Wish {
    pub const fn new(test: Test, ty: Type) -> Self {
        Self { test, not: false, ty, missing: Missing::Null }
    }

    pub fn equals(value: Value, ty: Type) -> Self {
        Self::new(Test::Equal([value].into(), 0), ty)
    }

    pub const fn present() -> Self {
        Self::new(Test::Present, Type::Unknown)
    }

    #[must_use]
    pub const fn negated(mut self, not: bool) -> Self {
        self.not = self.not != not;
        self
    }

    #[must_use]
    pub const fn missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }
}

/// Compiled patterns of one search, and texts that they match.
#[derive(Default, Debug)]
pub(super) struct Patterns {
    compiled: RefCell<Compiled>,
    sampled: RefCell<FxHashMap<SmolStr, Rc<Sampled>>>,
    /// What the tests of values have cost since it was last asked.
    work: Cell<u64>,
}

/// Texts that a pattern matches, the plainest first, and whether a match begins, ends the text.
#[derive(Debug)]
struct Sampled {
    texts: Vec<String>,
    anchored: (bool, bool),
}

/// By pattern and whether case is folded; none where it does not compile.
type Compiled = FxHashMap<(SmolStr, bool), Option<Rc<Regex>>>;

impl Patterns {
    pub fn spend(&self, work: usize) {
        self.work.set(self.work.get().saturating_add(work as u64));
    }

    /// Steps spent since the last time.
    pub fn spent(&self) -> u64 {
        self.work.take()
    }

    fn sampled(&self, pattern: &SmolStr) -> Rc<Sampled> {
        let mut known = self.sampled.borrow_mut();
        let made = known.entry(pattern.clone()).or_insert_with(|| {
            let texts = (0..6).map_while(|variant| sample(pattern, variant)).collect();
            Rc::new(Sampled { texts, anchored: anchors(pattern) })
        });
        Rc::clone(made)
    }

    fn get(&self, pattern: &str, case: Case) -> Option<Rc<Regex>> {
        let key = (SmolStr::new(pattern), case == Case::Insensitive);
        let mut known = self.compiled.borrow_mut();
        known
            .entry(key)
            .or_insert_with(|| {
                let syntax = regex_automata::util::syntax::Config::new()
                    .case_insensitive(case == Case::Insensitive)
                    .nest_limit(200);
                Regex::builder()
                    .syntax(syntax)
                    .configure(Regex::config().nfa_size_limit(Some(1 << 21)))
                    .build(pattern)
                    .ok()
                    .map(Rc::new)
            })
            .clone()
    }
}

pub(super) fn text_of(value: &Value) -> SmolStr {
    match value {
        Value::String(s) => s.clone(),
        other => match cast(other, Type::String) {
            Value::String(s) => s,
            _ => SmolStr::default(),
        },
    }
}

fn fold(text: &str, case: Case) -> String {
    if case == Case::Insensitive { text.to_lowercase() } else { text.to_owned() }
}

/// Whether a value meets a wish.
pub(super) fn holds(value: &Value, wish: &Wish, patterns: &Patterns) -> bool {
    match wish.test {
        Test::Null => return (value.is_null() || is_empty(value) && wish.ty == Type::String) != wish.not,
        Test::Present => return (!value.is_null() && !is_empty(value)) != wish.not,
        Test::Empty => return (value.is_null() || is_empty(value)) != wish.not,
        Test::Order(..) | Test::Equal(..) | Test::Text { .. } | Test::Length(..) => {}
    }
    let read = match (value, wish.ty) {
        (Value::Null, _) => Value::Null,
        (_, Type::Unknown | Type::Dynamic) => value.clone(),
        (_, ty) => cast(value, ty),
    };
    let read = match (&read, wish.missing) {
        (Value::Null, Missing::Empty) => Value::EMPTY,
        (Value::Null, Missing::False | Missing::Distinct) => return wish.not,
        (Value::Null, Missing::Null) => return false,
        _ => read,
    };
    let found = match &wish.test {
        Test::Order(op, bound) => ordered(*op, compared(&read, bound)),
        Test::Equal(values, _) => {
            patterns.spend(values.len() / 8);
            values.iter().any(|v| compared(&read, v) == Some(Ordering::Equal))
        }
        Test::Text { kind, case, needles, .. } => {
            let text = text_of(&read);
            let each = if *kind == MatchKind::Regex { 4 + text.len() / 16 } else { 1 + text.len() / 64 };
            patterns.spend(needles.len() * each);
            needles.iter().any(|n| found(&text, *kind, *case, n, patterns))
        }
        Test::Length(op, n) => {
            let length = i64::try_from(text_of(&read).chars().count()).unwrap_or(i64::MAX);
            ordered(*op, Some(length.cmp(n)))
        }
        Test::Null | Test::Present | Test::Empty => false,
    };
    found != wish.not
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::String(s) if s.is_empty())
}

/// The order of two values, numbers and times of different types too.
fn compared(a: &Value, b: &Value) -> Option<Ordering> {
    if a.is_null() || b.is_null() {
        return None;
    }
    match (a, b) {
        (Value::String(_), Value::String(_)) | (Value::Guid(_), Value::Guid(_)) => {}
        (Value::String(s), other) => {
            return (s.as_str() == text_of(other).as_str()).then_some(Ordering::Equal);
        }
        (other, Value::String(s)) => {
            return (s.as_str() == text_of(other).as_str()).then_some(Ordering::Equal);
        }
        _ => {}
    }
    if let (Value::Real(x), _) | (_, Value::Real(x)) = (a, b)
        && x.is_nan()
    {
        return None;
    }
    Some(ruleferry_eval::order(a, b))
}

pub(super) const fn ordered(op: CompareOp, order: Option<Ordering>) -> bool {
    match (op, order) {
        (CompareOp::Ne, None) => true,
        (_, None) => false,
        (CompareOp::Eq, Some(o)) => matches!(o, Ordering::Equal),
        (CompareOp::Ne, Some(o)) => !matches!(o, Ordering::Equal),
        (CompareOp::Lt, Some(o)) => matches!(o, Ordering::Less),
        (CompareOp::Le, Some(o)) => matches!(o, Ordering::Less | Ordering::Equal),
        (CompareOp::Gt, Some(o)) => matches!(o, Ordering::Greater),
        (CompareOp::Ge, Some(o)) => matches!(o, Ordering::Greater | Ordering::Equal),
    }
}

fn found(text: &str, kind: MatchKind, case: Case, needle: &Needle, patterns: &Patterns) -> bool {
    let needle = match needle {
        Needle::Glob(parts) => {
            let pattern = glob_pattern(parts);
            return patterns.get(&pattern, case).is_some_and(|r| r.is_match(text));
        }
        Needle::Text(t) => t,
    };
    match kind {
        MatchKind::Regex => return patterns.get(needle, case).is_some_and(|r| r.is_match(text)),
        MatchKind::Cidr => return ruleferry_eval::text::in_cidr(text, needle),
        MatchKind::Equals
        | MatchKind::Contains
        | MatchKind::StartsWith
        | MatchKind::EndsWith
        | MatchKind::Term
        | MatchKind::TermPrefix
        | MatchKind::TermSuffix
        | MatchKind::Glob => {}
    }
    let (text, needle) = (fold(text, case), fold(needle, case));
    match kind {
        MatchKind::Equals | MatchKind::Glob => text == needle,
        MatchKind::Contains => text.contains(&needle),
        MatchKind::StartsWith => text.starts_with(&needle),
        MatchKind::EndsWith => text.ends_with(&needle),
        MatchKind::Term => term(&text, &needle, true, true),
        MatchKind::TermPrefix => term(&text, &needle, true, false),
        MatchKind::TermSuffix => term(&text, &needle, false, true),
        MatchKind::Regex | MatchKind::Cidr => false,
    }
}

fn term(text: &str, term: &str, left: bool, right: bool) -> bool {
    let left = left && term.chars().next().is_some_and(char::is_alphanumeric);
    let right = right && term.chars().next_back().is_some_and(char::is_alphanumeric);
    text.match_indices(term).any(|(start, _)| {
        let before = text.get(..start).and_then(|t| t.chars().next_back());
        let after = text.get(start + term.len()..).and_then(|t| t.chars().next());
        let free = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
        (!left || free(before)) && (!right || free(after))
    })
}

fn glob_pattern(parts: &[GlobPart]) -> String {
    let inner: String = parts
        .iter()
        .map(|p| match p {
            GlobPart::Text(t) => regex_syntax::escape(t),
            GlobPart::Many => ".*".to_owned(),
            GlobPart::One => ".".to_owned(),
        })
        .collect();
    format!("(?s)^(?:{inner})$")
}

/// A text that fits: wildcards filled with nothing, or with something.
pub(super) fn glob_sample(parts: &[GlobPart], fill: &str) -> String {
    parts
        .iter()
        .map(|p| match p {
            GlobPart::Text(t) => t.as_str(),
            GlobPart::Many => fill,
            GlobPart::One => "q",
        })
        .collect()
}

fn cidr_sample(range: &str) -> Option<String> {
    let (address, bits) = range.split_once('/').unwrap_or((range, "32"));
    if address.contains(':') {
        return Some(address.to_owned());
    }
    let mut parts: Vec<&str> = address.split('.').filter(|p| !p.is_empty()).collect();
    parts.resize(4, "0");
    let last = parts.last_mut()?;
    if *last == "0" && bits != "32" {
        *last = "7";
    }
    Some(parts.join("."))
}

const WORDS: [&str; 8] = ["alpha", "bravo", "carol", "delta", "echo", "foxtrot", "golf", "hotel"];

/// Values that columns of such names hold, by a part of the name in lower case.
const BY_NAME: [(&str, &[&str]); 17] = [
    ("ipaddress", &["203.0.113.7", "10.0.0.5"]),
    ("clientip", &["203.0.113.7", "10.0.0.5"]),
    ("sourceip", &["203.0.113.8", "10.0.0.6"]),
    ("callerip", &["203.0.113.8", "10.0.0.6"]),
    ("remoteip", &["203.0.113.9", "10.0.0.7"]),
    ("destinationip", &["203.0.113.10", "10.0.0.8"]),
    ("url", &["https://www.example.com/alpha"]),
    ("domain", &["example.com"]),
    ("userprincipalname", &["ann@example.com"]),
    ("upn", &["ann@example.com"]),
    ("senderfrom", &["bob@example.org"]),
    ("recipientemail", &["ann@example.com"]),
    ("email", &["ann@example.com"]),
    ("sha1", &["0123456789abcdef0123456789abcdef01234567"]),
    ("sha256", &["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]),
    ("resourceid", &["/subscriptions/s1/resourceGroups/g1/providers/p/t/n1"]),
    ("location", &["SE"]),
];

/// What the candidates are made for.
pub(super) struct About<'a> {
    pub ty: Type,
    pub wishes: &'a [Wish],
    /// The column's name.
    pub name: &'a str,
    /// A number of the value among all: other columns get other words.
    pub number: usize,
    /// Texts that must stand in it, in this order (`parse`, `extract`).
    pub shapes: &'a [(String, bool)],
    pub now: i64,
    pub patterns: &'a Patterns,
}

/// Candidates, the plainest first; the ones that meet all wishes if there are such.
pub(super) fn candidates(about: &About<'_>) -> (Vec<Value>, bool) {
    let mut all: Vec<Value> = Vec::new();
    let wants_null = about.wishes.iter().any(|w| match w.test {
        Test::Null | Test::Empty => !w.not,
        Test::Present => w.not,
        _ => false,
    });
    if wants_null {
        all.push(Value::Null);
        all.push(Value::EMPTY);
    }
    for wish in about.wishes {
        if let (Test::Equal(values, chosen), false) = (&wish.test, wish.not) {
            all.extend(values.get(*chosen).cloned());
        }
    }
    texts(about, &mut all);
    ordered_values(about, &mut all);
    for wish in about.wishes {
        if let (Test::Equal(values, _), false) = (&wish.test, wish.not) {
            all.extend(values.iter().take(40).cloned());
        }
    }
    defaults(about, &mut all);
    all.push(Value::Null);
    let mut good: Vec<Value> = Vec::new();
    let mut best = (0, Value::Null);
    for value in all {
        let value = if value.is_null() || about.ty == Type::Unknown { value } else { cast(&value, about.ty) };
        let met = about.wishes.iter().filter(|w| holds(&value, w, about.patterns)).count();
        if met == about.wishes.len() {
            if good.len() < 24 {
                good.push(value);
            }
        } else if met > best.0 {
            best = (met, value);
        }
    }
    if good.is_empty() { (vec![best.1], false) } else { (good, true) }
}

/// Texts put together from what is looked for.
fn texts(about: &About<'_>, all: &mut Vec<Value>) {
    let mut starts: Vec<String> = Vec::new();
    let mut ends: Vec<String> = Vec::new();
    let mut inside: Vec<String> =
        about.shapes.iter().filter(|(_, first)| !first).map(|(t, _)| t.clone()).collect();
    starts.extend(about.shapes.iter().filter(|(_, first)| *first).map(|(t, _)| t.clone()));
    let mut whole: Vec<String> = Vec::new();
    let mut long = 0_usize;
    for wish in about.wishes {
        if let (Test::Length(op, n), false) = (&wish.test, wish.not) {
            let n = usize::try_from((*n).clamp(0, 5000)).unwrap_or(0);
            long = long.max(match op {
                CompareOp::Gt | CompareOp::Ne => n + 1,
                CompareOp::Ge | CompareOp::Eq => n,
                CompareOp::Lt | CompareOp::Le => 0,
            });
        }
        let Test::Text { kind, needles, chosen, case } = &wish.test else { continue };
        if wish.not {
            continue;
        }
        let Some(needle) = needles.get(*chosen) else { continue };
        match (kind, needle) {
            (MatchKind::Equals, Needle::Text(t)) => whole.push(t.to_string()),
            (MatchKind::StartsWith, Needle::Text(t)) => starts.push(t.to_string()),
            (MatchKind::EndsWith, Needle::Text(t)) => ends.push(t.to_string()),
            (
                MatchKind::Contains | MatchKind::Term | MatchKind::TermPrefix | MatchKind::TermSuffix,
                Needle::Text(t),
            ) => inside.push(t.to_string()),
            (MatchKind::Cidr, Needle::Text(t)) => whole.extend(cidr_sample(t)),
            (MatchKind::Regex, Needle::Text(t)) => {
                let sampled = about.patterns.sampled(t);
                for (variant, text) in sampled.texts.iter().cloned().enumerate() {
                    match sampled.anchored {
                        (true, true) => whole.push(text),
                        (true, false) if variant == 0 => {
                            starts.push(text.clone());
                            whole.push(text);
                        }
                        (false, true) if variant == 0 => {
                            ends.push(text.clone());
                            whole.push(text);
                        }
                        (false, false) if variant == 0 => inside.push(text),
                        _ => whole.push(text),
                    }
                }
                let _ = case;
            }
            (MatchKind::Glob, Needle::Glob(parts)) | (_, Needle::Glob(parts)) => {
                glob_parts(parts, &mut starts, &mut ends, &mut inside, &mut whole);
            }
            (MatchKind::Glob, Needle::Text(t)) => whole.push(t.to_string()),
        }
    }
    all.extend(whole.iter().map(Value::string));
    if starts.is_empty() && ends.is_empty() && inside.is_empty() && long == 0 {
        return;
    }
    // The longest of several starts and ends holds the others, if it can be met at all.
    starts.sort_by_key(|t| std::cmp::Reverse(t.len()));
    ends.sort_by_key(|t| std::cmp::Reverse(t.len()));
    let start = starts.first().cloned().unwrap_or_default();
    let end = ends.first().cloned().unwrap_or_default();
    let has = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
    for separator in [" ", "", "x", "\\", "/", ".", " a "] {
        for order in 0..2 {
            let mut text = start.clone();
            let mut add = |part: &str| {
                if !has(&text, part) && !has(&end, part) {
                    if !text.is_empty() {
                        text.push_str(separator);
                    }
                    text.push_str(part);
                }
            };
            if order == 0 {
                inside.iter().for_each(|p| add(p));
            } else {
                inside.iter().rev().for_each(|p| add(p));
            }
            if !end.is_empty() && !text.to_lowercase().ends_with(&end.to_lowercase()) {
                let joined = overlap(&text, &end);
                if joined == 0 && !text.is_empty() {
                    text.push_str(separator);
                }
                text.push_str(end.get(joined..).unwrap_or(&end));
            }
            if long > 0 {
                let missing = long.saturating_sub(text.chars().count());
                let padding = "abcdefgh ".chars().cycle().take(missing);
                text = if end.is_empty() {
                    text.chars().chain(padding).collect()
                } else {
                    start.chars().chain(padding).chain(text.chars().skip(start.chars().count())).collect()
                };
            }
            all.push(Value::string(text));
            if inside.len() < 2 {
                break;
            }
        }
    }
    // What must be inside may stand in front of what need not start the text.
    if starts.is_empty() && !inside.is_empty() {
        for (before, after) in [("C:\\", ".tmp"), ("a ", " b"), ("(", ")"), ("\"", "\"")] {
            all.push(Value::string(format!("{before}{}{after}{end}", inside.join(" "))));
        }
    }
}

/// How many bytes at the end of `text` are the start of `end`.
fn overlap(text: &str, end: &str) -> usize {
    let (text, end) = (text.to_ascii_lowercase(), end.to_ascii_lowercase());
    end.char_indices()
        .map(|(i, c)| i + c.len_utf8())
        .filter(|n| end.get(..*n).is_some_and(|head| text.ends_with(head)))
        .max()
        .unwrap_or(0)
}

fn glob_parts(
    parts: &[GlobPart],
    starts: &mut Vec<String>,
    ends: &mut Vec<String>,
    inside: &mut Vec<String>,
    whole: &mut Vec<String>,
) {
    let open_left = matches!(parts.first(), Some(GlobPart::Many));
    let open_right = matches!(parts.last(), Some(GlobPart::Many));
    let inner: Vec<GlobPart> = parts
        .iter()
        .skip(usize::from(open_left))
        .take(parts.len().saturating_sub(usize::from(open_left) + usize::from(open_right)))
        .cloned()
        .collect();
    let text = glob_sample(&inner, "mid");
    match (open_left, open_right) {
        (false, false) => {
            whole.push(text);
            whole.push(glob_sample(parts, ""));
        }
        (true, true) => inside.push(text),
        (true, false) => ends.push(text),
        (false, true) => starts.push(text),
    }
}

/// Numbers and times at and beside the bounds.
fn ordered_values(about: &About<'_>, all: &mut Vec<Value>) {
    let mut found: Vec<Value> = Vec::new();
    for wish in about.wishes {
        let (bounds, exact): (Vec<&Value>, bool) = match &wish.test {
            Test::Order(_, v) => (vec![v], false),
            Test::Equal(values, _) => (values.iter().take(20).collect(), !wish.not),
            _ => continue,
        };
        for bound in bounds {
            let near = |step: i64| shifted(bound, step);
            if exact {
                found.push(bound.clone());
            } else {
                let (second, hour) = match bound {
                    Value::Datetime(_) | Value::Timespan(_) => (TICKS_PER_SECOND, 3600 * TICKS_PER_SECOND),
                    _ => (1, 10),
                };
                let steps = [
                    hour,
                    -hour,
                    second * 60,
                    -second * 60,
                    second,
                    -second,
                    0,
                    1,
                    -1,
                    100 * hour,
                    -100 * hour,
                ];
                found.extend(steps.into_iter().filter_map(near));
            }
        }
    }
    // Between two bounds.
    let ticks: Vec<i64> = found.iter().filter_map(Value::as_ticks).collect();
    if let (Some(low), Some(high)) = (ticks.iter().min(), ticks.iter().max())
        && low < high
    {
        let middle = low + (high - low) / 2;
        match found.first() {
            Some(Value::Datetime(_)) => found.push(Value::Datetime(middle)),
            Some(Value::Timespan(_)) => found.push(Value::Timespan(middle)),
            _ => {}
        }
    }
    all.extend(found);
}

/// A value a little further on.
pub(super) fn shifted(value: &Value, step: i64) -> Option<Value> {
    Some(match value {
        Value::Int(n) => Value::Int(n.checked_add(i32::try_from(step).ok()?)?),
        Value::Long(n) => Value::Long(n.checked_add(step)?),
        Value::Real(x) => Value::Real(x + step as f64),
        Value::Decimal(d) => Value::Decimal(d.checked_add(step.into())?),
        Value::Datetime(t) => Value::Datetime(t.checked_add(step).filter(|t| *t >= 0)?),
        Value::Timespan(t) => Value::Timespan(t.checked_add(step)?),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Guid(_) | Value::Dynamic(_) => return None,
    })
}

/// What a column holds that nothing is asked of.
fn defaults(about: &About<'_>, all: &mut Vec<Value>) {
    const MINUTE: i64 = 60 * TICKS_PER_SECOND;
    match about.ty {
        Type::Bool => all.extend([Value::TRUE, Value::FALSE]),
        Type::Int | Type::Long | Type::Decimal => {
            let first = i64::try_from(about.number % 5).unwrap_or(0) + 2;
            all.extend([first, 1, 0, 443, 4624, 50_000, -1, 1_000_000_000].map(Value::Long));
        }
        Type::Real => {
            let first = about.number as f64 % 5.0 + 1.5;
            all.extend([first, 0.0, 100.25, -3.5, 1e6, 0.99].map(Value::Real));
        }
        Type::Datetime => {
            let ages = [10, 11, 45, 90, 300, 1000, 2000, 10_000, 20_000, 40_000, 1];
            all.extend(ages.map(|age| Value::Datetime(about.now - age * MINUTE)));
        }
        Type::Timespan => all.extend([5 * MINUTE, MINUTE, 3600 * MINUTE, 0].map(Value::Timespan)),
        Type::Guid => {
            let first = 0x1111_2222_3333_4444_5555_6666_7777_8880 + about.number as u128;
            all.extend([Value::Guid(first), Value::Guid(first + 64)]);
        }
        Type::String | Type::Dynamic | Type::Unknown => {
            let name = about.name.to_lowercase();
            let named = BY_NAME.iter().filter(|(part, _)| name.contains(part));
            all.extend(named.flat_map(|(_, values)| values.iter()).map(|v| Value::string(*v)));
            if name.ends_with("ip") || name.ends_with("addr") {
                all.push(Value::string("203.0.113.7"));
            }
            let first = WORDS.get(about.number % WORDS.len()).copied().unwrap_or("alpha");
            all.push(Value::string(first));
            if about.number >= WORDS.len() {
                all.push(Value::String(format_smolstr!("{first}{}", about.number)));
            }
            // Where plain words are ruled out.
            let others = [
                "Quartz-77",
                "7",
                "zz",
                "10.9.8.7",
                "x@example.net",
                "C:\\Temp\\q.bin",
                "0",
                "true",
                "https://q.example/z",
            ];
            all.extend(others.map(Value::string));
        }
    }
}

/// `count` values that differ from each other and meet the wishes, the given one first; fewer where there are no more.
pub(super) fn alternatives(base: &Value, count: usize, step: i64, about: &About<'_>) -> Vec<Value> {
    let mut out = vec![base.clone()];
    let mut tries = 0_i64;
    let listed: Vec<Value> = about
        .wishes
        .iter()
        .filter(|w| !w.not)
        .flat_map(|w| match &w.test {
            Test::Equal(values, _) if values.len() > 1 => values.to_vec(),
            Test::Text { needles, .. } if needles.len() > 1 => {
                let plain = needles.iter().filter_map(|n| match n {
                    Needle::Text(t) => Some(Value::String(t.clone())),
                    Needle::Glob(_) => None,
                });
                plain.collect()
            }
            _ => Vec::new(),
        })
        .collect();
    let text = text_of(base);
    let mut random = Random::new(7);
    let limit = i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(3).saturating_add(40);
    let mut seen: FxHashSet<Key> = FxHashSet::default();
    seen.insert(Key::new(base, about.ty));
    while out.len() < count && tries < limit {
        tries += 1;
        about.patterns.spend(8);
        let mut made: Vec<Value> = Vec::new();
        made.extend(usize::try_from(tries - 1).ok().and_then(|i| listed.get(i)).cloned());
        match base {
            Value::Datetime(t) => {
                made.push(Value::Datetime(t - tries * step));
                made.push(Value::Datetime(t + tries * step));
            }
            Value::String(_) | Value::Dynamic(_) | Value::Null | Value::Bool(_) => {
                match text.rsplit_once('.') {
                    Some((head, tail)) if tail.bytes().all(|b| b.is_ascii_digit()) && head.contains('.') => {
                        made.push(Value::String(format_smolstr!("{head}.{}", 1 + tries % 250)));
                    }
                    Some((head, tail)) if tail.len() < 5 => {
                        made.push(Value::String(format_smolstr!("{head}{tries}.{tail}")));
                    }
                    _ => {}
                }
                made.push(Value::String(format_smolstr!("{text}{tries}")));
                made.push(Value::String(format_smolstr!("{tries}{text}")));
                made.push(Value::String(format_smolstr!("{text} {tries}")));
                made.push(Value::String(format_smolstr!("{tries} {text}")));
                // Inside, for texts whose ends are given.
                let at = text.char_indices().map(|(i, _)| i).nth(random.below(text.len()));
                if let Some((a, b)) = at.and_then(|i| Some((text.get(..i)?, text.get(i..)?))) {
                    made.push(Value::String(format_smolstr!("{a}{tries}{b}")));
                }
                for wish in about.wishes.iter().filter(|w| !w.not) {
                    if let Test::Text { kind: MatchKind::Regex, needles, chosen, .. } = &wish.test
                        && let Some(Needle::Text(t)) = needles.get(*chosen)
                    {
                        made.extend(sample(t, tries.unsigned_abs() + 1).map(Value::string));
                    }
                }
            }
            Value::Guid(g) => made.push(Value::Guid(g + tries.unsigned_abs() as u128)),
            other => {
                made.extend(shifted(other, tries * step));
                made.extend(shifted(other, -tries * step));
            }
        }
        for value in made {
            let value = if about.ty == Type::Unknown { value } else { cast(&value, about.ty) };
            let new = !value.is_null() && !seen.contains(&Key::new(&value, about.ty));
            if new && about.wishes.iter().all(|w| holds(&value, w, about.patterns)) {
                seen.insert(Key::new(&value, about.ty));
                out.push(value);
                break;
            }
        }
    }
    out
}
