//! What is asked of an expression, followed back to what it reads.
//!
//! In: a wish at the value of an expression (arithmetic, a call, a choice). Out: wishes at the nodes that it is computed from, or
//! `false` where that cannot be said.

use super::maker::{BRANCH, COPIES, Def, Inst, Late, Maker, key};
use super::store::{NodeId, Piece, Shape};
use super::wish::{Needle, Test, Wish, holds};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ruleferry_eval::Value;
use ruleferry_ir::{
    AggregateCall, ArithmeticOp, CompareOp, Expr, ExprKind, MatchKind, Missing, TICKS_PER_SECOND, Type,
};
use smol_str::{SmolStr, format_smolstr};

impl<'q> Maker<'q, '_, '_> {
    pub(super) fn wish_each(&mut self, e: &'q Expr, inst: Inst, wish: Wish) -> bool {
        match self.node_each(e, inst) {
            Some(node) => {
                self.store.wish(node, wish);
                true
            }
            None => false,
        }
    }

    /// A value that meets a wish, where any such will do.
    pub(super) fn target(&self, wish: &Wish, ty: Type) -> Option<Value> {
        let about = super::wish::About {
            ty,
            wishes: std::slice::from_ref(wish),
            name: "",
            number: 0,
            shapes: &[],
            now: self.store.now,
            patterns: self.store.patterns,
        };
        let (found, good) = super::wish::candidates(&about);
        found.into_iter().find(|v| good && !v.is_null())
    }

    /// The least number from 0 on that meets a wish.
    pub(super) fn count_for(&self, wish: &Wish) -> Option<usize> {
        let meets = |n: i64| holds(&Value::Long(n), wish, self.store.patterns);
        let mut tries: Vec<i64> = (1..=12).collect();
        match &wish.test {
            Test::Order(_, v) => {
                tries.extend(v.as_real().map(|x| x as i64).into_iter().flat_map(|n| [n - 1, n, n + 1]))
            }
            Test::Equal(values, _) => {
                tries.extend(values.iter().filter_map(Value::as_real).flat_map(|x| [x as i64, x as i64 + 1]));
            }
            Test::Present | Test::Null | Test::Empty | Test::Text { .. } | Test::Length(..) => {}
        }
        tries.push(0);
        tries.into_iter().find(|n| *n >= 0 && meets(*n)).and_then(|n| usize::try_from(n).ok())
    }

    /// Asks something of the value of an expression. Whether that was possible.
    pub fn wish(&mut self, e: &'q Expr, inst: Inst, wish: Wish) -> bool {
        if self.budget == 0 {
            return true;
        }
        self.budget -= 1;
        if let Some(value) = self.constant(e) {
            let met = holds(&value, &wish, self.store.patterns);
            self.store.conflicts += u32::from(!met);
            return true;
        }
        match &e.kind {
            ExprKind::Column(id) => match self.def(inst, *id) {
                Some(Def::Expr(inner, i, 0)) => self.wish(inner, i, wish),
                Some(Def::Const(value)) => {
                    let met = holds(&value, &wish, self.store.patterns);
                    self.store.conflicts += u32::from(!met);
                    true
                }
                Some(Def::Made(group, item, part)) => self.wish_made(group, item, part, &wish),
                _ => self.wish_node(e, inst, wish),
            },
            ExprKind::Let(id) => match self.binding(*id) {
                Some(inner) => self.wish(inner, inst, wish),
                None => false,
            },
            ExprKind::Cast(c) => self.wish(&c.expr, inst, wish),
            ExprKind::Negate(inner) => {
                let zero = if inner.ty == Type::Timespan { Value::Timespan(0) } else { Value::Long(0) };
                match self.mapped(&wish, inner.ty, true, |this, v| {
                    this.compute(ArithmeticOp::Sub, &zero, v, inner.ty)
                }) {
                    Some(w) => self.wish(inner, inst, w),
                    None => false,
                }
            }
            ExprKind::Arithmetic(a) => self.wish_arithmetic(e, a, inst, &wish),
            ExprKind::Case(branches, otherwise) => {
                let count = branches.len() + 1;
                let first = self.choose(key(e, inst, BRANCH), count);
                for n in 0..count {
                    let at = (first + n) % count;
                    let value = branches.get(at).map_or(&**otherwise, |(_, v)| v);
                    let fits = self.constant(value).is_none_or(|v| holds(&v, &wish, self.store.patterns));
                    if fits {
                        self.take_branch(branches, at, inst);
                        return self.wish(value, inst, wish);
                    }
                }
                self.store.conflicts += 1;
                true
            }
            ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_) => {
                let truth =
                    [true, false].into_iter().find(|b| holds(&Value::Bool(*b), &wish, self.store.patterns));
                if let Some(b) = truth {
                    self.goal(e, inst, b);
                }
                truth.is_some()
            }
            ExprKind::Subquery(plan) => {
                let (Some(inner), Some(id)) = (self.subquery(plan), plan.output.first()) else {
                    return false;
                };
                match self.def(inner, *id) {
                    Some(Def::Made(group, item, part)) => self.wish_made(group, item, part, &wish),
                    Some(Def::Expr(x, i, 0)) => self.wish(x, i, wish),
                    _ => match self.node_of_column(inner, *id) {
                        Some(node) => {
                            self.store.wish(node, wish);
                            true
                        }
                        None => false,
                    },
                }
            }
            ExprKind::Call(f, args) => self.wish_call(e, f.name, args, inst, wish),
            ExprKind::Member(..) | ExprKind::Index(..) => self.wish_node(e, inst, wish),
            ExprKind::Literal(_) | ExprKind::Now | ExprKind::Opaque(_) => false,
        }
    }

    pub(super) fn wish_node(&mut self, e: &'q Expr, inst: Inst, wish: Wish) -> bool {
        match self.node_of(e, inst) {
            Some(node) => {
                self.store.wish(node, wish);
                true
            }
            None => false,
        }
    }

    /// The wish for `x` where it is known for `f(x)`; `flip`: `f` turns the order around.
    pub(super) fn mapped(
        &self,
        wish: &Wish,
        ty: Type,
        flip: bool,
        back: impl Fn(&Self, &Value) -> Option<Value>,
    ) -> Option<Wish> {
        let test = match &wish.test {
            Test::Order(op, v) => Test::Order(if flip { op.flipped() } else { *op }, back(self, v)?),
            Test::Equal(values, at) => {
                let values: Vec<Value> = values.iter().filter_map(|v| back(self, v)).collect();
                if values.is_empty() {
                    return None;
                }
                let at = (*at).min(values.len() - 1);
                Test::Equal(values.into(), at)
            }
            Test::Null | Test::Present | Test::Empty => wish.test.clone(),
            Test::Text { .. } | Test::Length(..) => return None,
        };
        Some(Wish { test, not: wish.not, ty, missing: wish.missing })
    }

    pub(super) fn wish_arithmetic(
        &mut self,
        e: &'q Expr,
        a: &'q ruleferry_ir::Arithmetic,
        inst: Inst,
        wish: &Wish,
    ) -> bool {
        use ArithmeticOp::{Add, Div, Mod, Mul, Sub};
        let (left, right) = (self.constant(&a.left), self.constant(&a.right));
        let one = |this: &mut Self, x: &'q Expr, flip: bool, op: ArithmeticOp, k: &Value, turned: bool| {
            let mapped = this.mapped(wish, x.ty, flip, |this, v| {
                if turned { this.compute(op, k, v, x.ty) } else { this.compute(op, v, k, x.ty) }
            });
            match mapped {
                Some(w) => this.wish(x, inst, w),
                None => false,
            }
        };
        let negative =
            |k: &Value| k.as_real().or_else(|| k.as_ticks().map(|t| t as f64)).is_some_and(|x| x < 0.0);
        match (a.op, left, right) {
            (Add, None, Some(k)) => one(self, &a.left, false, Sub, &k, false),
            (Add, Some(k), None) => one(self, &a.right, false, Sub, &k, false),
            (Sub, None, Some(k)) => one(self, &a.left, false, Add, &k, false),
            (Sub, Some(k), None) => one(self, &a.right, true, Sub, &k, true),
            (Mul, None, Some(k)) => one(self, &a.left, negative(&k), Div, &k, false),
            (Mul, Some(k), None) => one(self, &a.right, negative(&k), Div, &k, false),
            (Div, None, Some(k)) => one(self, &a.left, negative(&k), Mul, &k, false),
            (Div, Some(k), None) => one(self, &a.right, true, Div, &k, true),
            (Mod, None, Some(_)) => self.wish(&a.left, inst, Wish { ty: a.left.ty, ..wish.clone() }),
            (Sub, None, None) => {
                let (x, y) = (self.node_of(&a.left, inst), self.node_of(&a.right, inst));
                let d = self.difference((&a.left, x), (&a.right, y), inst, e.ty);
                self.store.wish(d, wish.clone());
                true
            }
            (Add | Mul | Div | Mod, None, None) | (Mod, Some(_), None) => {
                // Large numbers on the left and a small one on the right, or the other way: what is asked tells.
                self.share_out(a, inst, wish)
            }
            (Add | Sub | Mul | Div | Mod, Some(_), Some(_)) => false,
        }
    }

    /// The node of `a - b`.
    pub(super) fn difference(
        &mut self,
        a: (&'q Expr, Option<NodeId>),
        b: (&'q Expr, Option<NodeId>),
        inst: Inst,
        ty: Type,
    ) -> NodeId {
        let name = |this: &Self, x: (&'q Expr, Option<NodeId>)| match x.1 {
            Some(n) => format_smolstr!("n{}", this.store.root(n)),
            None => format_smolstr!("e{}", std::ptr::from_ref(x.0).addr()),
        };
        let at = (usize::MAX, format_smolstr!("{}-{}", name(self, a), name(self, b)));
        if let Some(known) = self.store.splits.get(&at).and_then(|p| p.first()) {
            return *known;
        }
        let d = self.store.node("", ty);
        self.store.splits.insert(at, vec![d]);
        self.late.push(Late::Offset { a: (a.0, inst), b: (b.0, inst), d, unit: 1 });
        d
    }

    pub(super) fn share_out(&mut self, a: &'q ruleferry_ir::Arithmetic, inst: Inst, wish: &Wish) -> bool {
        let number = |v: f64, ty: Type| match ty {
            Type::Real => Value::Real(v),
            Type::Timespan => Value::Timespan((v * TICKS_PER_SECOND as f64) as i64),
            _ => Value::Long(v as i64),
        };
        let Some(wanted) = self.target(wish, Type::Real).and_then(|v| v.as_real()) else { return false };
        let (x, y) = match a.op {
            ArithmeticOp::Add => (wanted.max(0.0), 0.0),
            ArithmeticOp::Sub => (wanted.max(0.0), 0.0),
            ArithmeticOp::Mul => (wanted, 1.0),
            ArithmeticOp::Div if wanted.abs() < 1.0 && wanted != 0.0 => ((wanted * 1000.0).round(), 1000.0),
            ArithmeticOp::Div => (wanted, 1.0),
            ArithmeticOp::Mod => (wanted, wanted + 1.0),
        };
        let strip = |e: &'q Expr| -> Type { e.ty };
        let first = self.wish(&a.left, inst, Wish::equals(number(x, strip(&a.left)), a.left.ty));
        let second = self.wish(&a.right, inst, Wish::equals(number(y, strip(&a.right)), a.right.ty));
        first && second
    }

    pub(super) fn wish_call(
        &mut self,
        e: &'q Expr,
        name: &str,
        args: &'q [Expr],
        inst: Inst,
        wish: Wish,
    ) -> bool {
        match (name, args) {
            ("strlen" | "string_size", [text]) => {
                let Some(n) = self.count_for(&wish) else { return false };
                let test = match &wish.test {
                    Test::Order(op, v) => Test::Length(*op, v.as_real().map_or(0, |x| x as i64)),
                    _ => Test::Length(CompareOp::Eq, i64::try_from(n).unwrap_or(0)),
                };
                let not = wish.not && matches!(wish.test, Test::Order(..));
                self.wish(text, inst, Wish::new(test, Type::String).negated(not))
            }
            ("array_length", [array]) => {
                let Some(n) = self.count_for(&wish) else { return false };
                self.elements(array, inst, n, e)
            }
            ("datetime_diff", [unit, a, b]) => {
                let Some(unit) = self.constant(unit) else { return false };
                let ticks = unit_ticks(&super::wish::text_of(&unit));
                let (left, right) = (self.fixed(a, inst), self.fixed(b, inst));
                if left.is_none() && right.is_none() {
                    self.node_of(a, inst);
                    self.node_of(b, inst);
                    let d = self.store.node("", Type::Long);
                    self.store.wish(d, wish);
                    self.late.push(Late::Offset { a: (a, inst), b: (b, inst), d, unit: ticks });
                    return true;
                }
                let Some(n) = self.target(&wish, Type::Long).and_then(|v| v.as_long()) else { return false };
                let d = Value::Timespan(n.saturating_mul(ticks));
                match (left, right) {
                    (Some(k), None) => match self.compute(ArithmeticOp::Sub, &k, &d, Type::Datetime) {
                        Some(v) => self.wish(b, inst, Wish::equals(v, Type::Datetime)),
                        None => false,
                    },
                    (None, Some(k)) => match self.compute(ArithmeticOp::Add, &k, &d, Type::Datetime) {
                        Some(v) => self.wish(a, inst, Wish::equals(v, Type::Datetime)),
                        None => false,
                    },
                    _ => false,
                }
            }
            ("datetime_add", [unit, count, from]) => {
                let (Some(unit), Some(n)) =
                    (self.constant(unit), self.constant(count).and_then(|v| v.as_long()))
                else {
                    return false;
                };
                let d = Value::Timespan(n.saturating_mul(unit_ticks(&super::wish::text_of(&unit))));
                match self.mapped(&wish, Type::Datetime, false, |this, v| {
                    this.compute(ArithmeticOp::Sub, v, &d, Type::Datetime)
                }) {
                    Some(w) => self.wish(from, inst, w),
                    None => false,
                }
            }
            ("indexof" | "indexof_regex", [text, what, ..]) => {
                let Some(what) = self.constant(what) else { return false };
                let found = !holds(&Value::Long(-1), &wish, self.store.patterns);
                let kind = if name == "indexof" { MatchKind::Contains } else { MatchKind::Regex };
                let test = Test::Text {
                    kind,
                    case: ruleferry_ir::Case::Sensitive,
                    needles: [Needle::Text(super::wish::text_of(&what))].into(),
                    chosen: 0,
                };
                self.wish(text, inst, Wish::new(test, Type::String).negated(!found).missing(Missing::Empty))
            }
            ("countof", [text, what, ..]) => {
                let (Some(what), Some(n)) = (self.constant(what), self.count_for(&wish)) else {
                    return false;
                };
                let what = super::wish::text_of(&what);
                let one = match args.get(2).and_then(|k| self.constant(k)) {
                    Some(k) if super::wish::text_of(&k) == "regex" => {
                        super::sample::sample(&what, 0).unwrap_or_default()
                    }
                    _ => what.to_string(),
                };
                let Some(node) = self.node_of(text, inst) else { return false };
                let pieces = vec![Piece::Text(vec![one; n.min(400)].join(" ").into())];
                self.store.shape(node, Shape { pieces, first: false });
                true
            }
            ("strcat" | "strcat_delim", _) => self.wish_joined(name, args, inst, &wish),
            ("coalesce", [first, ..]) => {
                if self.wish(first, inst, wish.clone()) {
                    return true;
                }
                args.iter().skip(1).any(|a| self.wish(a, inst, wish.clone()))
            }
            ("array_index_of", [array, value, ..]) => {
                let found = !holds(&Value::Long(-1), &wish, self.store.patterns);
                match self.constant(value) {
                    Some(v) if found => self.wish_each(array, inst, Wish::equals(v, value.ty)),
                    Some(_) => true,
                    None => false,
                }
            }
            ("base64_decode_tostring", [text]) => {
                let Some(Value::String(plain)) = self.target(&wish, Type::String) else { return false };
                // Longer texts where the coded text has to be long.
                let more = " alpha bravo carol delta echo foxtrot golf hotel";
                let coded: Vec<Value> = ["", more]
                    .into_iter()
                    .flat_map(|tail| {
                        let plain = format!("{plain}{tail}");
                        let long = format!("{plain}{more}{more}{more}");
                        [plain, long].map(|p| Value::string(STANDARD.encode(p)))
                    })
                    .collect();
                self.wish(text, inst, Wish::new(Test::Equal(coded.into(), 0), Type::String))
            }
            ("gettype" | "hash_sha256" | "hash_md5" | "hash_sha1" | "hash", _) => false,
            ("row_cumsum", [value, ..]) => self.wish(value, inst, wish),
            ("bin" | "bin_at" | "floor", [value, ..]) => self.wish(value, inst, wish),
            _ => self.wish_node(e, inst, wish),
        }
    }

    /// The parts of a text that is joined from several.
    pub(super) fn wish_joined(&mut self, name: &str, args: &'q [Expr], inst: Inst, wish: &Wish) -> bool {
        let (delimiter, parts) = match (name, args.split_first()) {
            ("strcat_delim", Some((first, rest))) => {
                (self.constant(first).map(|v| super::wish::text_of(&v)).unwrap_or_default(), rest)
            }
            _ => (SmolStr::default(), args),
        };
        if wish.not {
            return true;
        }
        let open: Vec<&'q Expr> = parts.iter().filter(|a| self.constant(a).is_none()).collect();
        if let (Test::Equal(values, at), true) = (&wish.test, delimiter.is_empty()) {
            // Cut along the constants.
            let Some(value) = values.get(*at) else { return false };
            let text = super::wish::text_of(value);
            let mut rest = text.as_str();
            let mut waiting: Option<&'q Expr> = None;
            let mut cuts: Vec<(&'q Expr, SmolStr)> = Vec::new();
            for part in parts {
                match self.constant(part).map(|v| super::wish::text_of(&v)) {
                    Some(fixed) => match waiting.take() {
                        Some(e) => {
                            let Some((head, tail)) = rest.split_once(fixed.as_str()) else { return false };
                            cuts.push((e, head.into()));
                            rest = tail;
                        }
                        None => match rest.strip_prefix(fixed.as_str()) {
                            Some(tail) => rest = tail,
                            None => return false,
                        },
                    },
                    None => {
                        if let Some(e) = waiting.replace(part) {
                            cuts.push((e, SmolStr::default()));
                        }
                    }
                }
            }
            if let Some(e) = waiting {
                cuts.push((e, rest.into()));
            }
            let mut done = true;
            for (e, text) in cuts {
                done &= self.wish(e, inst, Wish::equals(Value::String(text), Type::String));
            }
            return done;
        }
        let wanted = match &wish.test {
            Test::Text { kind: MatchKind::EndsWith, .. } => open.last().copied(),
            _ => open.first().copied(),
        };
        match wanted {
            Some(e) => self.wish(e, inst, wish.clone()),
            None => false,
        }
    }

    /// So many elements in an array.
    pub(super) fn elements(&mut self, array: &'q Expr, inst: Inst, count: usize, at: &'q Expr) -> bool {
        let count = count.min(200);
        if let Some((name, args, i)) = self.called(array, inst)
            && let ("split", [text, by, ..]) = (name, args)
        {
            return count == 0 || self.split_part(text, by, i, count - 1).is_some();
        }
        match &array.kind {
            ExprKind::Column(id) => match self.def(inst, *id) {
                Some(Def::Expr(inner, i, 0)) => return self.elements(inner, i, count, at),
                Some(Def::Made(group, item, _)) => {
                    if let AggregateCall::Function(f, args) = &item.call
                        && f.name.starts_with("make_")
                        && let Some(arg) = args.first()
                    {
                        return self.vary(group, 0, arg, count, key(at, inst, COPIES));
                    }
                }
                _ => {}
            },
            ExprKind::Cast(c) => return self.elements(&c.expr, inst, count, at),
            ExprKind::Literal(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => {}
        }
        let Some(node) = self.node_of(array, inst) else { return false };
        if count > 0 {
            self.store.element(node, count - 1);
        }
        true
    }
}

fn unit_ticks(unit: &str) -> i64 {
    let second = TICKS_PER_SECOND;
    match unit.to_lowercase().as_str() {
        "year" => 365 * 86_400 * second,
        "quarter" => 91 * 86_400 * second,
        "month" => 30 * 86_400 * second,
        "week" => 7 * 86_400 * second,
        "day" | "dayofyear" => 86_400 * second,
        "hour" => 3600 * second,
        "minute" => 60 * second,
        "millisecond" => second / 1000,
        "microsecond" => second / 1_000_000,
        "nanosecond" => 1,
        _ => second,
    }
}
