//! Tests of text: one node of the IR as equalities, text functions and regular expressions.
//!
//! A regular expression of YARA-L looks at the first line alone unless `(?s)` is set, so that it is set wherever a later line
//! could count. What is constant and ignores case becomes one pattern with `nocase`.

use super::cond::Cond;
use super::constant::as_text;
use super::{At, Lowerer};
use crate::syntax::tree::{self, ListKind};
use regex_syntax::ast::{self, Ast};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    Case, GlobPart, MatchKind, MatchValue, MatchValues, Missing, Quantifier, StringMatch, Subject, Value,
};
use smol_str::SmolStr;

/// The longest pattern that values are put together into.
const MAX_PATTERN: usize = 4000;

/// More equalities than this become a pattern.
const MAX_EQUALITIES: usize = 25;

/// One value that is looked for.
enum Wanted {
    Equals(SmolStr),
    Contains(SmolStr),
    StartsWith(SmolStr),
    EndsWith(SmolStr),
    /// A pattern of ours, in which `.` is any character; flags stand outside.
    Pattern(String),
    /// A pattern of the rule's author.
    Regex(String),
    /// Any text at all.
    Anything,
    Network(SmolStr),
    Computed(MatchKind, tree::Expr),
}

impl<'q> Lowerer<'q> {
    pub(super) fn string_match(&mut self, m: &'q StringMatch, at: At<'q>, negated: bool) -> Cond {
        let span = at.e.span;
        let subject = match &m.subject {
            Subject::Expr(e) => At { e, ..at },
            Subject::AnyColumn | Subject::Event => {
                let message = "YARA-L has no search through all fields of an event";
                let help = "name the fields to look at, as in `CommandLine|contains`";
                return Cond::Is(self.refuse(codes::YARAL_OUT_KEYWORD, span, message, help));
            }
        };
        if let MatchValues::Query(plan) = &m.values {
            let plain = m.kind == MatchKind::Equals && m.quantifier == Quantifier::Any;
            let Some(list) = self.list_of(plan).filter(|_| plain) else {
                return Cond::Is(self.cannot(span, "a query inside of this condition"));
            };
            let subject = self.value(subject);
            let test = self.in_list(subject, list);
            let test = if m.case == Case::Insensitive { test.nocase() } else { test };
            return Cond::Is(test).negated_if(negated);
        }
        let Some(wanted) = self.all_wanted(m, at) else {
            return Cond::Is(self.cannot(span, "a comparison with this list"));
        };
        if let [Wanted::Equals(text)] = wanted.as_slice()
            && let Some(cond) = self.equals_choice(subject, text.clone(), m.case, negated)
        {
            return cond;
        }
        self.tell_missing(m, &wanted, span, negated);
        if self.is_list(subject) {
            return Cond::Is(self.cannot(span, "a test of the texts of a list"));
        }
        let subject = self.value(subject);
        let joined = self.tests(m, subject, wanted, span);
        let nullable = m.missing == Missing::Null && m.kind == MatchKind::Cidr && negated;
        if nullable { self.refuse_null(span) } else { joined.negated_if(negated) }
    }

    fn refuse_null(&mut self, span: Span) -> Cond {
        Cond::Is(self.cannot(span, "a test of an address that is unknown for other text"))
    }

    pub(super) fn in_list(&mut self, subject: tree::Expr, list: (SmolStr, Option<SmolStr>)) -> tree::Expr {
        let name = super::envelope::identifier(&list.0, "list");
        let column = list.1.as_deref().map(|c| super::envelope::identifier(c, "column"));
        if !self.lists.contains(&(name.clone(), column.clone())) {
            self.lists.push((name.clone(), column.clone()));
        }
        subject.in_list(ListKind::Text, name, column)
    }

    fn all_wanted(&mut self, m: &'q StringMatch, at: At<'q>) -> Option<Vec<Wanted>> {
        let mut out = Vec::new();
        match &m.values {
            MatchValues::List(values) => {
                for value in values {
                    match value {
                        MatchValue::Glob(parts) => out.push(of_glob(parts)),
                        MatchValue::Expr(e) => match self.constant_list(At { e, ..at }) {
                            Some(texts) => {
                                for text in texts {
                                    out.push(constant(m.kind, as_text(&text)?)?);
                                }
                            }
                            None => out.push(Wanted::Computed(m.kind, self.value(At { e, ..at }))),
                        },
                    }
                }
            }
            MatchValues::Dynamic(e) => {
                for value in self.constant_list(At { e, ..at })? {
                    out.push(constant(m.kind, as_text(&value)?)?);
                }
            }
            MatchValues::Query(_) => return None,
        }
        Some(out)
    }

    fn tests(&mut self, m: &StringMatch, subject: tree::Expr, wanted: Vec<Wanted>, span: Span) -> Cond {
        let any = m.quantifier == Quantifier::Any;
        let insensitive = m.case == Case::Insensitive;
        let equalities = wanted.iter().filter(|w| matches!(w, Wanted::Equals(_))).count();
        let mut conds = Vec::with_capacity(wanted.len());
        let mut pieces: Vec<String> = Vec::new();
        for wanted in wanted {
            match wanted {
                Wanted::Equals(text) if any && equalities > MAX_EQUALITIES => {
                    pieces.push(format!("^{}$", escaped(&text)));
                }
                Wanted::Equals(text) => {
                    let cased = has_case(&text);
                    let test = subject.clone().eq(tree::Expr::text(text));
                    conds.push(Cond::Is(if insensitive && cased { test.nocase() } else { test }));
                }
                Wanted::Contains(t) | Wanted::StartsWith(t) | Wanted::EndsWith(t) if t.is_empty() => {
                    conds.push(self.anything(m, &subject));
                }
                Wanted::Contains(text) if !insensitive || !has_case(&text) => {
                    conds.push(Cond::Is(text_call("strings.contains", &subject, text)));
                }
                Wanted::EndsWith(text) if !insensitive || !has_case(&text) => {
                    conds.push(Cond::Is(text_call("strings.ends_with", &subject, text)));
                }
                Wanted::StartsWith(text) if !insensitive || !has_case(&text) => {
                    conds.push(Cond::Is(text_call("strings.starts_with", &subject, text)));
                }
                Wanted::Contains(text) => pieces.push(escaped(&text)),
                Wanted::StartsWith(text) => pieces.push(format!("^{}", escaped(&text))),
                Wanted::EndsWith(text) => pieces.push(format!("{}$", escaped(&text))),
                Wanted::Pattern(pattern) => pieces.push(pattern),
                Wanted::Regex(pattern) => match author_pattern(&pattern) {
                    Ok(pattern) => conds.push(Cond::Is(regex(&subject, &pattern, insensitive))),
                    Err(reason) => {
                        let message = format!("the regular expression has no YARA-L form: {reason}");
                        let help = "write it in the syntax of RE2";
                        conds.push(Cond::Is(self.refuse(codes::YARAL_OUT_PATTERN, span, message, help)));
                    }
                },
                Wanted::Anything => conds.push(self.anything(m, &subject)),
                Wanted::Network(network) => conds.push(Cond::Is(in_network(&subject, network))),
                Wanted::Computed(kind, value) => {
                    conds.push(self.with_computed(kind, m, &subject, value, span));
                }
            }
            if !any {
                conds.extend(pieces.drain(..).map(|p| Cond::Is(our_regex(&subject, &[p], insensitive))));
            }
        }
        let mut start = 0;
        while start < pieces.len() {
            let mut length = 0;
            let rest = pieces.get(start..).unwrap_or_default();
            let fits = rest.iter().take_while(|p| {
                length += p.len() + 1;
                length <= MAX_PATTERN
            });
            let count = fits.count().max(1);
            let group = rest.get(..count).unwrap_or_default();
            conds.push(Cond::Is(our_regex(&subject, group, insensitive)));
            start += count;
        }
        if any { Cond::any(conds) } else { Cond::all(conds) }
    }

    /// Text that is there: in Kusto even an absent one is, in Sigma an absent one is not.
    fn anything(&mut self, m: &StringMatch, subject: &tree::Expr) -> Cond {
        match m.missing {
            Missing::Empty => Cond::Const(true),
            Missing::False | Missing::Null | Missing::Distinct => {
                Cond::Is(subject.clone().ne(tree::Expr::text("")))
            }
        }
    }

    fn with_computed(
        &mut self,
        kind: MatchKind,
        m: &StringMatch,
        subject: &tree::Expr,
        value: tree::Expr,
        span: Span,
    ) -> Cond {
        let insensitive = m.case == Case::Insensitive;
        let call = match kind {
            MatchKind::Equals => {
                let test = subject.clone().eq(value);
                return Cond::Is(if insensitive { test.nocase() } else { test });
            }
            MatchKind::Contains => "strings.contains",
            MatchKind::StartsWith => "strings.starts_with",
            MatchKind::EndsWith => "strings.ends_with",
            MatchKind::Term
            | MatchKind::TermPrefix
            | MatchKind::TermSuffix
            | MatchKind::Regex
            | MatchKind::Glob
            | MatchKind::Cidr => {
                let message = "a term, pattern or network that is computed has no YARA-L form";
                return Cond::Is(self.refuse(codes::YARAL_OUT_PATTERN, span, message, "write a constant"));
            }
        };
        let fold = |e: tree::Expr| if insensitive { tree::Expr::call("strings.to_lower", [e]) } else { e };
        let test = tree::Expr::call(call, [fold(subject.clone()), fold(value.clone())]);
        let empty = tree::Expr::text("");
        match m.missing {
            // Every text holds the empty one; the function for ends says otherwise.
            Missing::Empty if kind == MatchKind::EndsWith => {
                Cond::any(vec![Cond::Is(value.eq(empty)), Cond::Is(test)])
            }
            Missing::Empty => Cond::Is(test),
            Missing::False | Missing::Null | Missing::Distinct => {
                Cond::all(vec![Cond::Is(value.ne(empty)), Cond::Is(test)])
            }
        }
    }

    /// Tells where an absent field, which reads as empty text, is found otherwise than in the source.
    fn tell_missing(&mut self, m: &StringMatch, wanted: &[Wanted], span: Span, negated: bool) {
        let missing = match m.missing {
            Missing::Empty => return,
            Missing::False | Missing::Distinct => Some(false),
            Missing::Null => None,
        };
        let present = |w: &Wanted| {
            matches!(w, Wanted::Anything | Wanted::Contains(_) | Wanted::StartsWith(_) | Wanted::EndsWith(_))
        };
        let mut zero = wanted.iter().map(finds_empty);
        let zero = match m.quantifier {
            Quantifier::Any => zero.any(|z| z),
            Quantifier::All => zero.all(|z| z),
        };
        // `x: *` is written as `!= ""`: what is there and empty is taken for absent.
        if wanted.iter().any(|w| present(w) && finds_empty(w)) {
            let narrows = !(self.inverted() ^ negated);
            let detail = "an absent text reads as empty text in YARA-L: a field that is present with empty text does not match";
            self.tell(!narrows, span, detail);
            return;
        }
        let what = if wanted.iter().any(|w| matches!(w, Wanted::Computed(..))) {
            "two absent fields count as equal"
        } else if zero {
            "the test holds for empty text, and so for an absent field"
        } else {
            "an absent field counts as text that does not match"
        };
        self.tell_zero(
            zero,
            missing,
            negated,
            span,
            &format!("an absent text reads as empty text in YARA-L: {what}"),
        );
    }
}

fn constant(kind: MatchKind, text: SmolStr) -> Option<Wanted> {
    Some(match kind {
        MatchKind::Equals => Wanted::Equals(text),
        MatchKind::Contains => Wanted::Contains(text),
        MatchKind::StartsWith => Wanted::StartsWith(text),
        MatchKind::EndsWith => Wanted::EndsWith(text),
        MatchKind::Term => Wanted::Pattern(term(&text, true, true)),
        MatchKind::TermPrefix => Wanted::Pattern(term(&text, true, false)),
        MatchKind::TermSuffix => Wanted::Pattern(term(&text, false, true)),
        MatchKind::Regex => Wanted::Regex(text.into()),
        MatchKind::Cidr => Wanted::Network(text),
        MatchKind::Glob => return None,
    })
}

/// The plainest test that means the same as a pattern which the whole text must fit.
fn of_glob(parts: &[GlobPart]) -> Wanted {
    match parts {
        [] => Wanted::Equals(SmolStr::default()),
        [GlobPart::Text(text)] => Wanted::Equals(text.clone()),
        [GlobPart::Text(text), GlobPart::Many] => Wanted::StartsWith(text.clone()),
        [GlobPart::Many, GlobPart::Text(text)] => Wanted::EndsWith(text.clone()),
        [GlobPart::Many, GlobPart::Text(text), GlobPart::Many] => Wanted::Contains(text.clone()),
        _ if parts.iter().all(|p| *p == GlobPart::Many) => Wanted::Anything,
        _ => Wanted::Pattern(glob_pattern(parts)),
    }
}

/// Anchored unless the pattern begins or ends with `*`.
fn glob_pattern(parts: &[GlobPart]) -> String {
    let many = |p: &&GlobPart| **p == GlobPart::Many;
    let leading = parts.iter().take_while(many).count();
    let trailing = parts.iter().rev().take_while(many).count();
    let inner = parts.get(leading..parts.len().saturating_sub(trailing)).unwrap_or_default();
    let mut out = String::new();
    if leading == 0 {
        out.push('^');
    }
    let mut last_many = false;
    for part in inner {
        match part {
            GlobPart::Text(text) => out.push_str(&escaped(text)),
            GlobPart::Many if last_many => {}
            GlobPart::Many => out.push_str(".*"),
            GlobPart::One => out.push('.'),
        }
        last_many = *part == GlobPart::Many;
    }
    if trailing == 0 {
        out.push('$');
    }
    out
}

/// A whole term, or its start or end: a border stands only beside a letter or digit of what is looked for.
fn term(text: &str, left: bool, right: bool) -> String {
    let mut out = String::new();
    if left && text.chars().next().is_some_and(char::is_alphanumeric) {
        out.push_str(r"(?:^|[^\p{L}\p{N}])");
    }
    out.push_str(&escaped(text));
    if right && text.chars().next_back().is_some_and(char::is_alphanumeric) {
        out.push_str(r"(?:$|[^\p{L}\p{N}])");
    }
    out
}

/// Text as a regular expression that finds just it.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        match c {
            '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // What cannot be seen, and what would end a string between backquotes.
            '`' => out.push_str("\\x60"),
            c if c.is_control() => out.push_str(&format!("\\x{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Whether the text has a letter, so that case matters.
fn has_case(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

fn text_call(name: &str, subject: &tree::Expr, text: SmolStr) -> tree::Expr {
    tree::Expr::call(name, [subject.clone(), tree::Expr::text(text)])
}

pub(super) fn in_network(subject: &tree::Expr, network: SmolStr) -> tree::Expr {
    // A network without its length is one address.
    let network = if network.contains('/') {
        network
    } else {
        format!("{network}/{}", if network.contains(':') { 128 } else { 32 }).into()
    };
    text_call("net.ip_in_range_cidr", subject, network)
}

/// A call with a pattern in which flags stand.
fn regex(subject: &tree::Expr, pattern: &str, insensitive: bool) -> tree::Expr {
    let call = tree::Expr::call("re.regex", [subject.clone(), tree::Expr::raw_text(pattern)]);
    if insensitive { call.nocase() } else { call }
}

/// One pattern of several of ours. One that only looks at how the text begins needs no further line.
fn our_regex(subject: &tree::Expr, pieces: &[String], insensitive: bool) -> tree::Expr {
    let first_line = pieces.iter().all(|p| p.starts_with('^') && stays_in_line(p));
    let joined = pieces.join("|");
    let cased = insensitive && has_letters(&joined);
    let pattern = if first_line { joined } else { format!("(?s){joined}") };
    regex(subject, &pattern, cased)
}

/// Whether a pattern of ours looks no further than the first line: no wildcard, no end, no line feed.
fn stays_in_line(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '.' | '$' => return false,
            '\\' if chars.next() == Some('n') => return false,
            _ => {}
        }
    }
    true
}

/// Whether a pattern of ours has letters beyond those of its own signs.
fn has_letters(pattern: &str) -> bool {
    let plain = pattern.replace(r"[^\p{L}\p{N}]", "");
    let mut chars = plain.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c.is_alphabetic() {
            return true;
        }
    }
    false
}

/// Whether what is looked for is found in empty text; also true where that is not known.
fn finds_empty(wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Equals(text) | Wanted::Contains(text) | Wanted::StartsWith(text) | Wanted::EndsWith(text) => {
            text.is_empty()
        }
        Wanted::Pattern(pattern) | Wanted::Regex(pattern) => {
            regex_syntax::parse(pattern).is_ok_and(|hir| hir.properties().minimum_len() == Some(0))
        }
        Wanted::Anything | Wanted::Computed(MatchKind::Equals, _) => true,
        Wanted::Network(_) | Wanted::Computed(..) => false,
    }
}

/// A pattern of the rule's author with the flag that makes all lines count, or why RE2 does not have it.
pub(super) fn author_pattern(pattern: &str) -> Result<String, String> {
    let ast = ast::parse::Parser::new().parse(pattern).map_err(|e| e.kind().to_string())?;
    let check = ast::visit(&ast, Check::default())?;
    Ok(if check.dot { format!("(?s)(?-s:{pattern})") } else { format!("(?s){pattern}") })
}

/// The groups of a pattern that keep what they find.
pub(super) fn groups(pattern: &str) -> Option<usize> {
    let ast = ast::parse::Parser::new().parse(pattern).ok()?;
    ast::visit(&ast, Check::default()).ok().map(|c| c.groups)
}

/// RE2 repeats no more often than this.
const MAX_REPEAT: u32 = 1000;

#[derive(Default)]
struct Check {
    dot: bool,
    groups: usize,
}

impl ast::Visitor for Check {
    type Output = Self;
    type Err = String;

    fn finish(self) -> Result<Self, String> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), String> {
        let flags = match ast {
            Ast::Dot(_) => {
                self.dot = true;
                None
            }
            Ast::Flags(set) => Some(&set.flags),
            Ast::Group(group) => match &group.kind {
                ast::GroupKind::NonCapturing(flags) => Some(flags),
                ast::GroupKind::CaptureIndex(_) | ast::GroupKind::CaptureName { .. } => {
                    self.groups += 1;
                    None
                }
            },
            Ast::Repetition(r) => {
                let most = match &r.op.kind {
                    ast::RepetitionKind::Range(
                        ast::RepetitionRange::Exactly(n)
                        | ast::RepetitionRange::AtLeast(n)
                        | ast::RepetitionRange::Bounded(_, n),
                    ) => *n,
                    ast::RepetitionKind::ZeroOrOne
                    | ast::RepetitionKind::ZeroOrMore
                    | ast::RepetitionKind::OneOrMore => 0,
                };
                if most > MAX_REPEAT {
                    return Err(format!("it repeats more than {MAX_REPEAT} times, which RE2 does not"));
                }
                None
            }
            _ => None,
        };
        for item in flags.iter().flat_map(|f| &f.items) {
            if let ast::FlagsItemKind::Flag(
                ast::Flag::Unicode | ast::Flag::CRLF | ast::Flag::IgnoreWhitespace,
            ) = item.kind
            {
                return Err("it sets a flag that RE2 has not".to_owned());
            }
        }
        Ok(())
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ast::ClassSetBinaryOp) -> Result<(), String> {
        Err("it has an operator on classes, which RE2 has not".to_owned())
    }
}

/// A pattern that texts of these lengths fit.
pub(super) fn length_pattern(least: u32, most: Option<u32>) -> Option<String> {
    if least > MAX_REPEAT || most.is_some_and(|m| m > MAX_REPEAT) {
        return None;
    }
    Some(match most {
        Some(most) => format!("(?s)^.{{{least},{most}}}$"),
        None => format!("(?s)^.{{{least},}}"),
    })
}

/// A constant that a value is replaced by, in the words of `re.replace`.
pub(super) fn replacement(text: &str) -> String {
    text.replace('\\', "\\\\")
}

/// Values of a list as texts.
pub(super) fn texts(values: &[Value]) -> Option<Vec<SmolStr>> {
    values.iter().map(as_text).collect()
}
