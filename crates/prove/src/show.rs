//! The canonical form for people: blocks with their inputs indented, formulas and terms on one line.
//!
//! In: nodes of an [`Arena`]. Out: text. Used by `diff` for predicates, keys and values, and by those who work on the prover.

use crate::Arena;
use crate::block::{BlockId, ScanKind, Source};
use crate::canon::Canonical;
use crate::formula::{Atom, Folding, Formula, FormulaId, Language};
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::{ArithmeticOp, Case, CompareOp, GlobPart, MatchKind, time};
use std::fmt::{self, Display, Formatter};

/// Something of an arena as text.
#[derive(Clone, Copy)]
pub struct Shown<'a, T> {
    arena: &'a Arena,
    what: T,
}

impl Arena {
    /// A term, formula or block as text.
    pub const fn show<T>(&self, what: T) -> Shown<'_, T> {
        Shown { arena: self, what }
    }
}

impl<'a, T> Shown<'a, T> {
    const fn of<U>(&self, what: U) -> Shown<'a, U> {
        Shown { arena: self.arena, what }
    }
}

/// A whole query.
pub fn query(arena: &Arena, canonical: &Canonical) -> String {
    let mut text = String::new();
    lines(arena, canonical.block, 0, &mut text);
    for (name, term, ty) in &canonical.columns {
        text.push_str(&format!("{name}: {ty} = {}\n", arena.show(*term)));
    }
    if canonical.open {
        text.push_str("... and the columns that are not known\n");
    }
    for what in &canonical.outside {
        text.push_str(&format!("! {what}\n"));
    }
    text
}

fn lines(arena: &Arena, id: BlockId, depth: usize, out: &mut String) {
    let Some(block) = arena.get_block(id) else { return };
    let indent = "  ".repeat(depth);
    let list =
        |terms: &[TermId]| terms.iter().map(|t| arena.show(*t).to_string()).collect::<Vec<_>>().join(", ");
    let mut inputs: Vec<BlockId> = Vec::new();
    let head = match &block.source {
        Source::Unit => "one row".into(),
        Source::Scan { name, kind, qualifiers, args, over } => {
            inputs.extend(over);
            let kind = match kind {
                ScanKind::Table => "table",
                ScanKind::Glob => "tables",
                ScanKind::Input => "input",
                ScanKind::Rows => "rows",
                ScanKind::Range => "range",
            };
            let mut head = format!("{kind} {name}");
            for (key, value) in qualifiers {
                head.push_str(&format!(" {key}={value}"));
            }
            if !args.is_empty() {
                head.push_str(&format!("({})", list(args)));
            }
            head
        }
        Source::Values(rows) => {
            let rows: Vec<String> = rows.iter().map(|row| format!("({})", list(row))).collect();
            format!("values {}", rows.join(", "))
        }
        Source::Join { kind, left, right, on } => {
            inputs.extend([left, right]);
            let on: Vec<String> =
                on.iter().map(|(l, r)| format!("{} = {}", arena.show(*l), arena.show(*r))).collect();
            format!("join {kind:?} on {}", on.join(", "))
        }
        Source::Aggregate { input, keys, scalar } => {
            inputs.push(*input);
            if *scalar { "one group".into() } else { format!("groups by {}", list(keys)) }
        }
        Source::Distinct { input, columns } => {
            inputs.push(*input);
            format!("distinct {}", list(columns))
        }
        Source::Union { inputs: all } => {
            inputs.extend(all);
            "union".into()
        }
        Source::Top { input, count, keys, what } => {
            inputs.push(*input);
            let keys: Vec<String> = keys
                .iter()
                .map(|(t, desc, nulls)| {
                    let way = if *desc { "desc" } else { "asc" };
                    let nulls = if *nulls { "nulls first" } else { "nulls last" };
                    format!("{} {way} {nulls}", arena.show(*t))
                })
                .collect();
            format!("{what} {} by {}", arena.show(*count), keys.join(", "))
        }
        Source::Other { what, inputs: all, args, conditions, texts } => {
            inputs.extend(all);
            let mut head = format!("{what}({})", list(args));
            for condition in conditions {
                head.push_str(&format!(" if {}", arena.show(*condition)));
            }
            if !texts.is_empty() {
                head.push_str(&format!(" [{}]", texts.join("; ")));
            }
            head
        }
    };
    out.push_str(&format!("{indent}{head}\n"));
    for input in inputs {
        lines(arena, input, depth + 1, out);
    }
    if !matches!(arena.get_formula(block.filter), Formula::True) {
        out.push_str(&format!("{indent}where {}\n", arena.show(block.filter)));
    }
}

impl Display for Shown<'_, BlockId> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        lines(self.arena, self.what, 0, &mut text);
        f.write_str(&text)
    }
}

impl Display for Constant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null(ty) => write!(f, "{ty}(null)"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Long(n) => write!(f, "{n}"),
            Self::Real(bits) => write!(f, "{:?}", f64::from_bits(*bits)),
            Self::Decimal(text) => write!(f, "decimal({text})"),
            Self::String(text) => write!(f, "{text:?}"),
            Self::Datetime(ticks) => write!(f, "datetime({})", time::datetime_text(*ticks)),
            Self::Timespan(ticks) => write!(f, "time({})", time::timespan_text(*ticks)),
            Self::Guid(text) => write!(f, "guid({text})"),
            Self::Dynamic(text) => write!(f, "dynamic({text})"),
        }
    }
}

impl Display for Shown<'_, TermId> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let list = |terms: &[TermId], f: &mut Formatter<'_>| {
            for (n, term) in terms.iter().enumerate() {
                let comma = if n > 0 { ", " } else { "" };
                write!(f, "{comma}{}", self.of(*term))?;
            }
            Ok(())
        };
        match self.arena.get(self.what) {
            Term::Constant(c) => write!(f, "{c}"),
            Term::Column { name, ty: _ } => f.write_str(name),
            Term::Event => f.write_str("*"),
            Term::Now => f.write_str("now()"),
            Term::Input(side, inner) => {
                write!(f, "{}", ["", "right."].get(*side as usize).copied().unwrap_or("other."))
                    .and_then(|()| write!(f, "{}", self.of(*inner)))
            }
            Term::Call(name, args, _) => {
                write!(f, "{name}(")?;
                list(args, f)?;
                f.write_str(")")
            }
            Term::Arithmetic(op, left, right, _) => {
                let sign = match op {
                    ArithmeticOp::Add => "+",
                    ArithmeticOp::Sub => "-",
                    ArithmeticOp::Mul => "*",
                    ArithmeticOp::Div => "/",
                    ArithmeticOp::Mod => "%",
                };
                write!(f, "({} {sign} {})", self.of(*left), self.of(*right))
            }
            Term::Negate(inner) => write!(f, "-{}", self.of(*inner)),
            Term::Cast(inner, ty) => write!(f, "to{ty}({})", self.of(*inner)),
            Term::Member(base, name) => write!(f, "{}.{name}", self.of(*base)),
            Term::Index(base, index) => write!(f, "{}[{}]", self.of(*base), self.of(*index)),
            Term::Case(branches, otherwise) => {
                f.write_str("case(")?;
                for (condition, value) in branches {
                    write!(f, "{}, {}, ", self.of(*condition), self.of(*value))?;
                }
                write!(f, "{})", self.of(*otherwise))
            }
            Term::Truth { holds, fails: _ } => write!(f, "({})", self.of(*holds)),
            Term::Made { what, args, conditions, part, ty: _ } => {
                write!(f, "{what}(")?;
                list(args, f)?;
                for condition in conditions {
                    write!(f, " if {}", self.of(*condition))?;
                }
                if *part > 0 { write!(f, ")#{part}") } else { f.write_str(")") }
            }
            Term::Merged(parts, _) => {
                f.write_str("<")?;
                for (n, part) in parts.iter().enumerate() {
                    let bar = if n > 0 { " | " } else { "" };
                    f.write_str(bar)?;
                    match part {
                        Some(part) => write!(f, "{}", self.of(*part))?,
                        None => f.write_str("-")?,
                    }
                }
                f.write_str(">")
            }
            Term::Scalar(block, value) => {
                write!(f, "first({} of {{{}}})", self.of(*value), one_line(self.of(*block)))
            }
            Term::List(block, value) => {
                write!(f, "all({} of {{{}}})", self.of(*value), one_line(self.of(*block)))
            }
            Term::Opaque { text, .. } => write!(f, "`{text}`"),
        }
    }
}

fn one_line(block: Shown<'_, BlockId>) -> String {
    block.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Display for Shown<'_, FormulaId> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self.arena.get_formula(self.what) {
            Formula::True => return f.write_str("true"),
            Formula::False => return f.write_str("false"),
            Formula::Literal { atom, negated } => {
                if *negated {
                    f.write_str("not ")?;
                }
                return write!(f, "{}", self.of(atom));
            }
            Formula::And(parts) => (parts, " and "),
            Formula::Or(parts) => (parts, " or "),
        };
        f.write_str("(")?;
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                f.write_str(word)?;
            }
            write!(f, "{}", self.of(*part))?;
        }
        f.write_str(")")
    }
}

const fn sign(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

impl Display for Shown<'_, &Atom> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.what {
            Atom::Missing(term) => write!(f, "missing({})", self.of(*term)),
            Atom::Text(term, language) => write!(f, "{} {language}", self.of(*term)),
            Atom::Value(term, op, c) => write!(f, "{} {} {c}", self.of(*term), sign(*op)),
            Atom::Pair(op, left, right) => write!(f, "{} {} {}", self.of(*left), sign(*op), self.of(*right)),
            Atom::TextPair(left, relation, right) => {
                write!(f, "{} {} {}", self.of(*left), kind(relation.kind, relation.case), self.of(*right))
            }
            Atom::InBlock(pairs, block, case) => {
                let fold = if *case == Case::Insensitive { " ignoring case" } else { "" };
                let here: Vec<String> = pairs.iter().map(|p| self.of(p.0).to_string()).collect();
                let there: Vec<String> = pairs.iter().map(|p| self.of(p.1).to_string()).collect();
                let rows = one_line(self.of(*block));
                write!(f, "({}) in ({} of {{{rows}}}){fold}", here.join(", "), there.join(", "))
            }
            Atom::True(term) => write!(f, "{}", self.of(*term)),
        }
    }
}

fn kind(kind: MatchKind, case: Case) -> String {
    let name = match kind {
        MatchKind::Equals | MatchKind::Glob => "equals",
        MatchKind::Contains => "contains",
        MatchKind::StartsWith => "startswith",
        MatchKind::EndsWith => "endswith",
        MatchKind::Term => "has",
        MatchKind::TermPrefix => "hasprefix",
        MatchKind::TermSuffix => "hassuffix",
        MatchKind::Regex => "matches",
        MatchKind::Cidr => "in range",
    };
    if case == Case::Insensitive { format!("{name}~") } else { name.into() }
}

impl Display for Language {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, text, folding) = match self {
            Self::Equals(t, d) => ("equals", format!("{t:?}"), d),
            Self::Contains(t, d) => ("contains", format!("{t:?}"), d),
            Self::StartsWith(t, d) => ("startswith", format!("{t:?}"), d),
            Self::EndsWith(t, d) => ("endswith", format!("{t:?}"), d),
            Self::Term(t, d) => ("has", format!("{t:?}"), d),
            Self::TermPrefix(t, d) => ("hasprefix", format!("{t:?}"), d),
            Self::TermSuffix(t, d) => ("hassuffix", format!("{t:?}"), d),
            Self::Regex(t, d) => ("matches", format!("/{t}/"), d),
            Self::Cidr(t) => ("in range", t.to_string(), &Folding::Exact),
            Self::Glob(parts, d) => {
                let text = parts.iter().map(|p| match p {
                    GlobPart::Text(t) => t.as_str(),
                    GlobPart::Many => "*",
                    GlobPart::One => "?",
                });
                ("like", format!("{:?}", text.collect::<String>()), d)
            }
        };
        let fold = match folding {
            Folding::Exact => "",
            Folding::Simple => "~",
            Folding::Lower => "~~",
        };
        write!(f, "{name}{fold} {text}")
    }
}
