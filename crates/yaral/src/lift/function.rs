//! Functions of the language, each a row of a table; what has no counterpart in the IR becomes an opaque node.

use super::path::{time_of, unix_seconds};
use super::{Cx, Lifter, make};
use crate::syntax::tree::{self, Call, ExprKind};
use ruleferry_diag::Span;
use ruleferry_ir::{ArithmeticOp, Case, CompareOp, Expr, MatchKind, Missing, Type, Value};

/// How a function is lifted.
enum Form {
    /// A function of the catalogue with the same arguments, in these types.
    Same(&'static str, &'static [Type], Type),
    /// A test of a text: the kind of match.
    Test(MatchKind),
    /// A number or truth value read from a text, zero where it is none.
    Read(Type),
    /// A part of a time, from the function of the catalogue that gives it.
    Time(fn(Expr, Span) -> Expr),
    /// Anything else: arguments lifted.
    Made(fn(&mut Lifter<'_>, &mut Args) -> Option<Expr>),
    /// Repeated fields are taken whole.
    Array(fn(&mut Lifter<'_>, &mut Args) -> Option<Expr>),
    /// No counterpart; why.
    None(&'static str),
}

/// The arguments of a call that is being lifted.
pub struct Args {
    values: Vec<Expr>,
    nocase: bool,
    span: Span,
}

impl Args {
    fn get(&self, at: usize) -> Option<Expr> {
        self.values.get(at).cloned()
    }

    /// A constant text.
    fn constant(&self, at: usize) -> Option<&str> {
        self.values.get(at)?.as_literal()?.as_str()
    }
}

const S: Type = Type::String;
const L: Type = Type::Long;
const R: Type = Type::Real;
const B: Type = Type::Bool;
const D: Type = Type::Dynamic;

const PRECOMPUTED: &str = "it is computed by the service";

/// Sorted by name.
#[rustfmt::skip]
static FUNCTIONS: &[(&str, usize, usize, Form)] = &[
    ("arrays.concat", 2, 2, Form::Array(|_, a| Some(make::call("array_concat", a.values.clone(), D, a.span)))),
    ("arrays.contains", 2, 2, Form::Array(|_, a| Some(make::call("set_has_element", a.values.clone(), B, a.span)))),
    ("arrays.index_to_float", 2, 2, Form::Array(|_, a| item(a, R))),
    ("arrays.index_to_int", 2, 2, Form::Array(|_, a| item(a, L))),
    ("arrays.index_to_str", 2, 2, Form::Array(|_, a| item(a, S))),
    ("arrays.join_string", 1, 2, Form::Array(join_string)),
    ("arrays.length", 1, 1, Form::Array(|_, a| Some(make::filled(make::call("array_length", a.values.clone(), L, a.span))))),
    ("arrays.size", 1, 1, Form::Array(|_, a| Some(make::filled(make::call("array_length", a.values.clone(), L, a.span))))),
    ("bytes.to_base64", 1, 2, Form::None("the IR has no bytes")),
    ("cast.as_bool", 1, 1, Form::Read(B)),
    ("cast.as_float", 1, 1, Form::Read(R)),
    ("cast.as_int", 1, 1, Form::Read(L)),
    ("cast.as_string", 1, 2, Form::Made(|l, a| { let e = a.get(0)?; Some(l.text(e)) })),
    ("hash.sha256", 1, 1, Form::Same("hash_sha256", &[S], S)),
    ("math.abs", 1, 1, Form::Made(|_, a| { let x = a.get(0)?; let ty = x.ty; Some(make::call("abs", vec![make::filled(x)], ty, a.span)) })),
    ("math.ceil", 1, 1, Form::Same("ceiling", &[R], R)),
    ("math.floor", 1, 1, Form::Made(|_, a| Some(make::call("bin", vec![make::filled(a.get(0)?.cast(R, true)), Expr::literal(Value::Real(1.0), a.span)], R, a.span)))),
    ("math.geo_distance", 4, 4, Form::Made(geo_distance)),
    ("math.is_increasing", 3, 3, Form::Made(increasing)),
    ("math.log", 1, 1, Form::Same("log", &[R], R)),
    ("math.pow", 2, 2, Form::Same("pow", &[R, R], R)),
    ("math.random", 0, 0, Form::Same("rand", &[], R)),
    ("math.round", 1, 2, Form::Same("round", &[R, L], R)),
    ("math.sqrt", 1, 1, Form::Made(square_root)),
    ("net.ip_in_range_cidr", 2, 2, Form::Test(MatchKind::Cidr)),
    ("re.capture", 2, 2, Form::Made(capture)),
    ("re.capture_all", 2, 2, Form::Made(capture_all)),
    ("re.regex", 2, 2, Form::Test(MatchKind::Regex)),
    ("re.replace", 3, 3, Form::Made(replace)),
    ("strings.base64_decode", 1, 1, Form::Made(base64)),
    ("strings.coalesce", 1, usize::MAX, Form::Made(|l, a| { let v = l.texts(a); Some(make::call("coalesce", v, S, a.span)) })),
    ("strings.concat", 1, usize::MAX, Form::Made(|l, a| { let v = l.texts(a); Some(make::call("strcat", v, S, a.span)) })),
    ("strings.contains", 2, 2, Form::Test(MatchKind::Contains)),
    ("strings.count_substrings", 2, 2, Form::Made(count_substrings)),
    ("strings.ends_with", 2, 2, Form::Made(ends_with)),
    ("strings.extract_domain", 1, 1, Form::None("registered domains need a list of public suffixes")),
    ("strings.extract_hostname", 1, 1, Form::None("it reads texts that are no whole addresses, too")),
    ("strings.ltrim", 2, 2, Form::Made(|_, a| trim("trim_start", a))),
    ("strings.reverse", 1, 1, Form::Same("reverse", &[S], S)),
    ("strings.rtrim", 2, 2, Form::Made(|_, a| trim("trim_end", a))),
    ("strings.split", 1, 2, Form::Made(split)),
    ("strings.starts_with", 2, 2, Form::Test(MatchKind::StartsWith)),
    ("strings.to_lower", 1, 1, Form::Same("tolower", &[S], S)),
    ("strings.to_upper", 1, 1, Form::Same("toupper", &[S], S)),
    ("strings.trim", 2, 2, Form::Made(|_, a| trim("trim", a))),
    ("strings.url_decode", 1, 1, Form::Same("url_decode", &[S], S)),
    ("timestamp.as_unix_seconds", 1, 2, Form::Made(as_unix_seconds)),
    ("timestamp.current_seconds", 0, 0, Form::Made(|_, a| Some(now(a.span)))),
    ("timestamp.diff", 3, 3, Form::None("its rounding is not documented")),
    ("timestamp.get_date", 1, 2, Form::Time(|t, s| format(t, "yyyy-MM-dd", s))),
    ("timestamp.get_day_of_week", 1, 2, Form::Time(day_of_week)),
    ("timestamp.get_hour", 1, 2, Form::Time(|t, s| part("hour", t, s))),
    ("timestamp.get_minute", 1, 2, Form::Time(|t, s| part("minute", t, s))),
    ("timestamp.get_timestamp", 1, 3, Form::Made(get_timestamp)),
    ("timestamp.get_week", 1, 2, Form::None("weeks that begin on Sunday and count from 0 are no part of a time in the IR")),
    ("timestamp.now", 0, 0, Form::Made(|_, a| Some(now(a.span)))),
];

impl Lifter<'_> {
    pub(super) fn call(&mut self, e: &tree::Expr, call: &Call, nocase: bool, cx: Cx) -> Expr {
        let span = e.span.0;
        if call.name == "if" {
            return self.conditional(call, span, cx);
        }
        if cx == Cx::Grouped
            && let Some(value) = self.aggregate_call(e, call)
        {
            return value;
        }
        if call.name.starts_with("metrics.") {
            return self.opaque(e, PRECOMPUTED, Type::Long);
        }
        let row = FUNCTIONS.binary_search_by(|(name, ..)| (*name).cmp(call.name.as_str()));
        let Some((name, least, most, form)) = row.ok().and_then(|i| FUNCTIONS.get(i)) else {
            return self.opaque(e, "the IR has no such function", expected(&call.name));
        };
        if !(*least..=*most).contains(&call.args.len()) {
            let message = format!("`{name}` is called with {} arguments", call.args.len());
            return self.wrong(span, message, "");
        }
        let whole = matches!(form, Form::Array(_));
        let values =
            call.args.iter().map(|a| if whole { self.array(&a.value, cx) } else { self.value(&a.value, cx) });
        let mut args = Args { values: values.collect(), nocase, span };
        let case = if nocase { Case::Insensitive } else { Case::Sensitive };
        let made = match form {
            Form::Same(function, types, ty) => {
                let converted = args.values.drain(..).zip(*types).map(|(e, ty)| match ty {
                    Type::String => self.text(e),
                    ty => make::filled(if e.ty.is_numeric() { e } else { e.cast(*ty, false) }),
                });
                Some(make::call(function, converted.collect(), *ty, span))
            }
            Form::Test(kind) => self.text_test(*kind, case, &args),
            Form::Read(ty) => args
                .get(0)
                .map(|e| if e.ty == *ty { make::filled(e) } else { make::filled(e.cast(*ty, false)) }),
            Form::Time(part) => self.time(&args).map(|time| part(time, span)),
            Form::Made(make) | Form::Array(make) => make(self, &mut args),
            Form::None(reason) => return self.opaque(e, reason, expected(name)),
        };
        if nocase && !matches!(form, Form::Test(_)) && !matches!(made, Some(Expr { ty: Type::Bool, .. })) {
            return self.wrong(span, "`nocase` stands behind a comparison or a test", "");
        }
        made.unwrap_or_else(|| {
            let ty = match form {
                Form::Same(_, _, ty) | Form::Read(ty) => *ty,
                Form::Test(_) => Type::Bool,
                Form::Time(_) | Form::Made(_) | Form::Array(_) | Form::None(_) => expected(name),
            };
            self.opaque(e, "the IR has no form for these arguments", ty)
        })
    }

    /// `if(condition, a, b)`; without `b` the zero value.
    fn conditional(&mut self, call: &Call, span: Span, cx: Cx) -> Expr {
        let [condition, rest @ ..] = call.args.as_slice() else {
            return self.wrong(span, "`if` needs a condition and a value", "");
        };
        let condition = self.condition(&condition.value, cx);
        let (yes, no) = match rest {
            [yes] => {
                let yes = self.value(&yes.value, cx);
                let zero = make::zero(yes.ty, span);
                (yes, zero)
            }
            [yes, no] => (self.value(&yes.value, cx), self.value(&no.value, cx)),
            _ => return self.wrong(span, "`if` needs a condition and one or two values", ""),
        };
        let (yes, no) = if yes.ty == no.ty || yes.ty.is_numeric() && no.ty.is_numeric() {
            let real = [&yes, &no].iter().any(|e| e.ty == Type::Real);
            let as_one = |e: Expr| if real && e.ty != Type::Real { e.cast(Type::Real, true) } else { e };
            (as_one(yes), as_one(no))
        } else {
            (self.text(yes), self.text(no))
        };
        make::case(condition, yes, no)
    }

    /// An argument of which a repeated field is the whole array.
    fn array(&mut self, e: &tree::Expr, cx: Cx) -> Expr {
        match &e.kind {
            ExprKind::Field(field) if !field.steps.is_empty() => {
                let value = self.walk_whole(field, e.span.0).expr;
                match cx {
                    Cx::Row | Cx::Grouped => value,
                    Cx::Joined => {
                        let name = format!("{}[*]", super::value::written(field));
                        self.export(&field.var, &name, value)
                    }
                }
            }
            _ => self.value(e, cx),
        }
    }

    fn text_test(&mut self, kind: MatchKind, case: Case, args: &Args) -> Option<Expr> {
        let subject = self.text(args.get(0)?);
        let value = match kind {
            MatchKind::Regex => {
                let pattern = args.constant(1)?.to_owned();
                let span = args.values.get(1)?.span;
                self.pattern(&pattern, span).unwrap_or_else(|| Expr::string("", span))
            }
            _ => self.text(args.get(1)?),
        };
        Some(make::text_match(subject, kind, case, vec![value], args.span))
    }

    fn texts(&mut self, args: &mut Args) -> Vec<Expr> {
        args.values.drain(..).map(|e| self.text(e)).collect()
    }

    /// The time of a number of seconds, in the zone that the last argument names.
    fn time(&mut self, args: &Args) -> Option<Expr> {
        let time = moment(&args.get(0)?, args.span);
        let Some(zone) = args.get(1) else { return Some(time) };
        let zone = zone.as_literal()?.as_str()?;
        Some(in_zone(time, zone, args.span))
    }
}

/// The type of what is not lifted.
fn expected(name: &str) -> Type {
    if name == "strings.ends_with" {
        return Type::Bool;
    }
    match name.split('.').next() {
        Some("math" | "timestamp" | "optimization") => Type::Long,
        Some("window" | "metrics") => Type::Real,
        _ => Type::String,
    }
}

/// The time that a number of seconds stands for.
fn moment(seconds: &Expr, span: Span) -> Expr {
    if seconds.ty == Type::Datetime {
        return seconds.clone();
    }
    if let Some(time) = time_of(seconds) {
        return make::filled(time.clone());
    }
    let seconds = make::filled(seconds.clone().cast(Type::Long, true));
    make::call("unixtime_seconds_todatetime", vec![seconds], Type::Datetime, span)
}

fn in_zone(time: Expr, zone: &str, span: Span) -> Expr {
    if ["GMT", "UTC"].contains(&zone) {
        return time;
    }
    make::call("datetime_utc_to_local", vec![time, Expr::string(zone, span)], Type::Datetime, span)
}

fn format(time: Expr, format: &str, span: Span) -> Expr {
    make::call("format_datetime", vec![time, Expr::string(format, span)], S, span)
}

fn part(name: &str, time: Expr, span: Span) -> Expr {
    make::call("datetime_part", vec![Expr::string(name, span), time], L, span)
}

/// 1 for Sunday.
fn day_of_week(time: Expr, span: Span) -> Expr {
    let since_sunday = make::call("dayofweek", vec![time], Type::Timespan, span);
    let day = Expr::literal(Value::Timespan(ruleferry_ir::time::TICKS_PER_DAY), span);
    let days = Expr::arithmetic(ArithmeticOp::Div, since_sunday, day, R, span).cast(L, false);
    Expr::arithmetic(ArithmeticOp::Add, days, make::long(1, span), L, span)
}

fn now(span: Span) -> Expr {
    unix_seconds(Expr::new(ruleferry_ir::ExprKind::Now, Type::Datetime, span), span)
}

fn as_unix_seconds(l: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let time = l.text(args.get(0)?).cast(Type::Datetime, false);
    let time = match args.get(1) {
        Some(zone) => {
            let zone = zone.as_literal()?.as_str()?;
            let utc = ["GMT", "UTC"].contains(&zone);
            let zone = Expr::string(zone, args.span);
            if utc {
                time
            } else {
                make::call("datetime_local_to_utc", vec![time, zone], Type::Datetime, args.span)
            }
        }
        None => time,
    };
    Some(make::filled(unix_seconds(time, args.span)))
}

/// `get_timestamp(seconds, granularity or format, zone)`, of the forms that have fixed texts.
fn get_timestamp(_: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    const FORMATS: &[(&str, &str)] = &[
        ("%F %T", "yyyy-MM-dd HH:mm:ss"),
        ("SECOND", "yyyy-MM-dd HH:mm:ss"),
        ("MINUTE", "yyyy-MM-dd HH:mm"),
        ("HOUR", "yyyy-MM-dd HH"),
        ("DATE", "yyyy-MM-dd"),
        ("MONTH", "yyyy-MM"),
        ("YEAR", "yyyy"),
        ("%F", "yyyy-MM-dd"),
        ("%T", "HH:mm:ss"),
    ];
    let time = moment(&args.get(0)?, args.span);
    let time = match args.get(2) {
        Some(zone) => in_zone(time, zone.as_literal()?.as_str()?, args.span),
        None => time,
    };
    let wanted = match args.values.get(1) {
        Some(_) => args.constant(1)?,
        None => "%F %T",
    };
    let (_, pattern) = FORMATS.iter().find(|(name, _)| *name == wanted)?;
    Some(format(time, pattern, args.span))
}

/// The element of a list; the zero value where there is none.
fn item(args: &Args, ty: Type) -> Option<Expr> {
    let found = make::index(args.get(0)?, args.get(1)?, args.span);
    Some(make::filled(found.cast(ty, false)))
}

fn join_string(_: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let delimiter = args.get(1).unwrap_or_else(|| Expr::string("", args.span));
    Some(make::call("strcat_array", vec![args.get(0)?, delimiter], S, args.span))
}

fn split(l: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let text = l.text(args.get(0)?);
    let delimiter = args.get(1).unwrap_or_else(|| Expr::string(",", args.span));
    Some(make::call("split", vec![text, delimiter], D, args.span))
}

/// A text ends with a part that is not empty.
fn ends_with(l: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    if args.constant(1) == Some("") {
        return Some(Expr::bool(false, args.span));
    }
    let case = if args.nocase { Case::Insensitive } else { Case::Sensitive };
    let constant = args.constant(1).is_some();
    let test = l.text_test(MatchKind::EndsWith, case, args)?;
    if constant {
        return Some(test);
    }
    let part = Expr::new(ruleferry_ir::ExprKind::IsEmpty(Box::new(args.get(1)?)), B, args.span);
    Some(Expr::and(vec![part.negated(args.span), test], args.span))
}

/// Parts that do not overlap.
fn count_substrings(l: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let pattern = regex_syntax::escape(args.constant(1)?);
    let text = l.text(args.get(0)?);
    let (pattern, kind) = (Expr::string(pattern, args.span), Expr::string("regex", args.span));
    Some(make::call("countof", vec![text, pattern, kind], L, args.span))
}

/// Takes away characters of a set, and blanks.
fn trim(function: &str, args: &Args) -> Option<Expr> {
    let set: String = args.constant(1)?.chars().map(|c| format!("\\x{{{:x}}}", u32::from(c))).collect();
    let pattern = Expr::string(format!("[{set}\\s]+"), args.span);
    let text = args.get(0)?;
    (text.ty == S).then(|| make::call(function, vec![pattern, text], S, args.span))
}

/// The text unchanged where it is no base64.
fn base64(l: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let text = l.text(args.get(0)?);
    let decoded = make::call("base64_decode_tostring", vec![text.clone()], S, args.span);
    let nothing = Expr::new(ruleferry_ir::ExprKind::IsEmpty(Box::new(decoded.clone())), B, args.span);
    Some(make::case(nothing, text, decoded))
}

/// The number of groups of a constant pattern, and the pattern.
fn groups(l: &mut Lifter<'_>, args: &Args) -> Option<(usize, String)> {
    let pattern = args.constant(1)?.to_owned();
    let span = args.values.get(1)?.span;
    let pattern = l.pattern(&pattern, span)?.as_literal()?.as_str()?.to_owned();
    let hir = regex_syntax::ParserBuilder::new().utf8(false).build().parse(&pattern).ok()?;
    let count = hir.properties().explicit_captures_len();
    if count > 1 {
        l.wrong(span, "the pattern has more than one group", "make the others `(?:…)`");
    }
    Some((count, pattern))
}

fn capture(l: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let (count, pattern) = groups(l, args)?;
    let text = l.text(args.get(0)?);
    let group = make::long(i64::from(count > 0), args.span);
    Some(make::call("extract", vec![Expr::string(pattern, args.span), group, text], S, args.span))
}

fn capture_all(l: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let (count, pattern) = groups(l, args)?;
    let pattern = if count == 0 { format!("({pattern})") } else { pattern };
    let text = l.text(args.get(0)?);
    Some(make::call("extract_all", vec![Expr::string(pattern, args.span), text], D, args.span))
}

fn replace(l: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let pattern = args.constant(1)?.to_owned();
    let with = args.constant(2)?.to_owned();
    let pattern = l.pattern(&pattern, args.values.get(1)?.span)?;
    let text = l.text(args.get(0)?);
    Some(make::call("replace_regex", vec![text, pattern, Expr::string(with, args.span)], S, args.span))
}

fn square_root(_: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let x = make::filled(args.get(0)?);
    let zero = || Expr::literal(Value::Real(0.0), args.span);
    let negative = Expr::compare(CompareOp::Lt, x.clone(), zero(), Missing::False, args.span);
    Some(make::case(negative, zero(), make::call("sqrt", vec![x], R, args.span)))
}

/// Metres; -1 for what is no place.
fn geo_distance(_: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let values: Vec<Expr> = args.values.drain(..).map(make::filled).collect();
    let distance = make::call("geo_distance_2points", values, R, args.span);
    let none = Expr::literal(Value::Real(-1.0), args.span);
    Some(make::call("coalesce", vec![distance, none], R, args.span))
}

fn increasing(_: &mut Lifter<'_>, args: &mut Args) -> Option<Expr> {
    let less = |a: Expr, b: Expr| {
        Expr::compare(CompareOp::Lt, make::filled(a), make::filled(b), Missing::False, args.span)
    };
    let (a, b, c) = (args.get(0)?, args.get(1)?, args.get(2)?);
    Some(Expr::and(vec![less(a, b.clone()), less(b, c)], args.span))
}

#[cfg(test)]
mod tests {
    use super::FUNCTIONS;

    #[test]
    fn table_is_sorted() {
        assert!(FUNCTIONS.is_sorted_by_key(|(name, ..)| *name));
    }
}
