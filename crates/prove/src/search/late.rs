//! Values of expressions over rows that are being made, and tests that can be met only when other values are known.

use super::goal::spread;
use super::maker::{Def, Inst, Late, Maker};
use super::store::NodeId;
use super::wish::{About, Test, Wish, candidates};
use super::{closed_value, value_type};
use ruleferry_diag::Span;
use ruleferry_eval::{Value, to_ir};
use ruleferry_ir::{
    AggregateCall, ArithmeticOp, Between, Cast, Compare, CompareOp, Expr, ExprKind, InList, InValues, Json,
    MatchValue, MatchValues, StringMatch, Subject, TICKS_PER_SECOND, Type,
};

fn literal(value: &Value, ty: Type) -> Expr {
    let known = if value.is_null() { ty } else { value_type(value) };
    let mut e = Expr::literal(to_ir(value, known), Span::default());
    e.ty = ty;
    e
}

impl<'q> Maker<'q, '_, '_> {
    /// The value of an expression that reads no row.
    pub fn constant(&self, e: &Expr) -> Option<Value> {
        if let ExprKind::Literal(v) = &e.kind {
            return Some(Value::of_ir(v));
        }
        if matches!(e.kind, ExprKind::Column(_)) {
            return None;
        }
        let at = std::ptr::from_ref(e).addr();
        if let Some(known) = self.known.constants.borrow().get(&at) {
            return known.clone();
        }
        let value = self.is_constant(e, 0).then(|| self.closed(e, None, 0)).flatten();
        let value = value.and_then(|e| closed_value(&e, self.store.now));
        self.known.constants.borrow_mut().insert(at, value.clone());
        value
    }

    /// As [`Self::constant`], also of a column that a rule gives a constant.
    pub fn fixed(&mut self, e: &'q Expr, inst: Inst) -> Option<Value> {
        if let Some(v) = self.constant(e) {
            return Some(v);
        }
        let mut at = (e, inst);
        for _ in 0..20 {
            match &at.0.kind {
                ExprKind::Cast(c) => at = (&c.expr, at.1),
                ExprKind::Let(id) => at = (self.binding(*id)?, at.1),
                ExprKind::Column(id) => match self.def(at.1, *id)? {
                    Def::Expr(inner, i, 0) => match self.constant(inner) {
                        Some(v) => return Some(v),
                        None => at = (inner, i),
                    },
                    Def::Const(v) => return Some(v),
                    // An element of a constant array.
                    Def::Each(array, i) => {
                        let items = spread(self.fixed(array, i)?);
                        let chosen =
                            self.choose(super::maker::key(array, i, super::maker::NEEDLE), items.len());
                        return items.into_iter().nth(chosen);
                    }
                    Def::Column(..) | Def::Node(_) | Def::Expr(..) | Def::Same(..) | Def::Made(..) => {
                        return None;
                    }
                },
                ExprKind::Literal(_)
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
                | ExprKind::Opaque(_) => return None,
            }
        }
        None
    }

    fn is_constant(&self, e: &Expr, depth: usize) -> bool {
        if depth > 100 {
            return false;
        }
        match &e.kind {
            ExprKind::Column(_) | ExprKind::Subquery(_) | ExprKind::InQuery(_) | ExprKind::Opaque(_) => false,
            ExprKind::Let(id) => self.binding(*id).is_some_and(|e| self.is_constant(e, depth + 1)),
            ExprKind::Match(m)
                if matches!(m.values, MatchValues::Query(_)) || !matches!(m.subject, Subject::Expr(_)) =>
            {
                false
            }
            ExprKind::Call(f, _)
                if f.has(ruleferry_ir::functions::Flags::VOLATILE)
                    || f.has(ruleferry_ir::functions::Flags::WINDOW) =>
            {
                false
            }
            ExprKind::Literal(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..) => {
                let mut inner = Vec::new();
                e.operands(&mut inner);
                inner.into_iter().all(|e| self.is_constant(e, depth + 1))
            }
        }
    }

    /// The value of an expression of a row; the values that it reads are chosen now if they were not.
    pub fn eval(&mut self, e: &'q Expr, inst: Inst, part: usize) -> Option<Value> {
        if let Some(value) = self.constant(e)
            && part == 0
        {
            return Some(value);
        }
        self.store.work += 200;
        let values = self.read(e, inst, 0)?;
        let closed = self.closed(e, Some(&values), 0)?;
        // A pattern is compiled at each run.
        let pattern = closed.any(&mut |e| {
            matches!(&e.kind, ExprKind::Call(f, _) if f.name.contains("extract") || f.name.contains("regex"))
                || matches!(&e.kind, ExprKind::Match(m) if m.kind == ruleferry_ir::MatchKind::Regex)
        });
        self.store.work += if pattern { 10_000 } else { 0 };
        let value = closed_value(&closed, self.store.now)?;
        if part > 0 {
            return value.as_array().and_then(|items| items.get(part - 1)).map(Value::of_json);
        }
        Some(value)
    }

    /// The values of the columns that an expression names, by the address of the naming expression.
    fn read(&mut self, e: &'q Expr, inst: Inst, depth: usize) -> Option<rustc_hash::FxHashMap<usize, Value>> {
        let mut out = rustc_hash::FxHashMap::default();
        self.read_into(e, inst, depth, &mut out)?;
        Some(out)
    }

    fn read_into(
        &mut self,
        e: &'q Expr,
        inst: Inst,
        depth: usize,
        out: &mut rustc_hash::FxHashMap<usize, Value>,
    ) -> Option<()> {
        if depth > 60 || self.budget == 0 {
            return None;
        }
        self.budget -= 1;
        match &e.kind {
            ExprKind::Column(id) => {
                let value = self.column_value(inst, *id, depth)?;
                out.insert(std::ptr::from_ref(e).addr(), value);
                Some(())
            }
            ExprKind::Let(id) => {
                if self.constant(e).is_some() {
                    return Some(());
                }
                let inner = self.binding(*id)?;
                let values = self.read(inner, inst, depth + 1)?;
                let closed = self.closed(inner, Some(&values), 0)?;
                out.insert(std::ptr::from_ref(e).addr(), closed_value(&closed, self.store.now)?);
                Some(())
            }
            ExprKind::Subquery(plan) => {
                let node = self.node_of(e, inst)?;
                let _ = plan;
                out.insert(std::ptr::from_ref(e).addr(), self.store.value(node));
                Some(())
            }
            ExprKind::Literal(_)
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
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Opaque(_) => {
                let mut inner = Vec::new();
                e.operands(&mut inner);
                for x in inner {
                    self.read_into(x, inst, depth + 1, out)?;
                }
                Some(())
            }
        }
    }

    fn column_value(&mut self, inst: Inst, id: ruleferry_ir::ColId, depth: usize) -> Option<Value> {
        let ty = self.ty(id);
        let typed = |v: Value| {
            if v.is_null() || matches!(ty, Type::Unknown) { v } else { super::store::stored(&v, ty) }
        };
        match self.def(inst, id)? {
            Def::Column(..) | Def::Node(_) => {
                let node = self.node_of_column(inst, id)?;
                Some(typed(self.store.value(node)))
            }
            Def::Const(v) => Some(v),
            Def::Expr(inner, i, part) => {
                let values = self.read(inner, i, depth + 1)?;
                let closed = self.closed(inner, Some(&values), 0)?;
                let value = closed_value(&closed, self.store.now)?;
                if part > 0 {
                    return value.as_array().and_then(|a| a.get(part - 1)).map(Value::of_json);
                }
                Some(value)
            }
            Def::Each(..) => {
                let node = self.node_of_column(inst, id)?;
                Some(typed(self.store.value(node)))
            }
            Def::Made(group, item, part) => {
                if let Some((e, _)) = self.passed(item, part) {
                    let inst = self.groups.get(group)?.worlds.first()?.inst;
                    return self.eval(e, inst, 0);
                }
                let AggregateCall::Function(f, args) = &item.call else { return None };
                let inst = self.groups.get(group)?.worlds.first()?.inst;
                match f.name {
                    "count" | "countif" | "dcount" | "dcountif" => {
                        let world = self.groups.get(group)?.worlds.first()?.clone();
                        let count =
                            world.repeat.and_then(|r| self.store.repeats.get(r)).map_or(1, |r| r.count);
                        Some(Value::Long(i64::try_from(count).unwrap_or(1)))
                    }
                    "make_set" | "make_list" => {
                        let value = self.eval(args.first()?, inst, 0)?;
                        Some(Value::array(vec![value.to_json()]))
                    }
                    _ => None,
                }
            }
            Def::Same(..) => None,
        }
    }

    /// The expression without columns and `let`s.
    fn closed(
        &self,
        e: &Expr,
        values: Option<&rustc_hash::FxHashMap<usize, Value>>,
        depth: usize,
    ) -> Option<Expr> {
        if depth > 100 {
            return None;
        }
        let known = values.and_then(|v| v.get(&std::ptr::from_ref(e).addr()));
        if let Some(v) = known {
            return Some(literal(v, e.ty));
        }
        let go = |e: &Expr| self.closed(e, values, depth + 1);
        let all = |es: &[Expr]| es.iter().map(go).collect::<Option<Vec<_>>>();
        let kind = match &e.kind {
            ExprKind::Literal(_) | ExprKind::Now => return Some(e.clone()),
            ExprKind::Column(_) | ExprKind::Subquery(_) | ExprKind::InQuery(_) | ExprKind::Opaque(_) => {
                return None;
            }
            ExprKind::Let(id) => {
                let mut inner = self.closed(self.binding(*id)?, None, depth + 1)?;
                inner.ty = e.ty;
                return Some(inner);
            }
            ExprKind::And(es) => ExprKind::And(all(es)?),
            ExprKind::Or(es) => ExprKind::Or(all(es)?),
            ExprKind::Not(e) => ExprKind::Not(Box::new(go(e)?)),
            ExprKind::Compare(c) => ExprKind::Compare(Box::new(Compare {
                op: c.op,
                left: go(&c.left)?,
                right: go(&c.right)?,
                missing: c.missing,
            })),
            ExprKind::Match(m) => {
                let Subject::Expr(subject) = &m.subject else { return None };
                let values = match &m.values {
                    MatchValues::List(list) => MatchValues::List(
                        list.iter()
                            .map(|v| {
                                Some(match v {
                                    MatchValue::Expr(e) => MatchValue::Expr(go(e)?),
                                    MatchValue::Glob(parts) => MatchValue::Glob(parts.clone()),
                                })
                            })
                            .collect::<Option<Vec<_>>>()?,
                    ),
                    MatchValues::Dynamic(e) => MatchValues::Dynamic(go(e)?),
                    MatchValues::Query(_) => return None,
                };
                ExprKind::Match(Box::new(StringMatch {
                    subject: Subject::Expr(go(subject)?),
                    values,
                    kind: m.kind,
                    case: m.case,
                    quantifier: m.quantifier,
                    missing: m.missing,
                }))
            }
            ExprKind::In(i) => ExprKind::In(Box::new(InList {
                subject: go(&i.subject)?,
                values: match &i.values {
                    InValues::List(es) => InValues::List(all(es)?),
                    InValues::Dynamic(e) => InValues::Dynamic(go(e)?),
                },
                missing: i.missing,
            })),
            ExprKind::Between(b) => ExprKind::Between(Box::new(Between {
                subject: go(&b.subject)?,
                low: go(&b.low)?,
                high: go(&b.high)?,
            })),
            ExprKind::IsNull(e) => ExprKind::IsNull(Box::new(go(e)?)),
            ExprKind::IsEmpty(e) => ExprKind::IsEmpty(Box::new(go(e)?)),
            ExprKind::Arithmetic(a) => ExprKind::Arithmetic(Box::new(ruleferry_ir::Arithmetic {
                op: a.op,
                left: go(&a.left)?,
                right: go(&a.right)?,
            })),
            ExprKind::Negate(e) => ExprKind::Negate(Box::new(go(e)?)),
            ExprKind::Call(f, args) => ExprKind::Call(f, all(args)?),
            ExprKind::Cast(c) => {
                ExprKind::Cast(Box::new(Cast { expr: go(&c.expr)?, to: c.to, implicit: c.implicit }))
            }
            ExprKind::Member(e, name) => ExprKind::Member(Box::new(go(e)?), name.clone()),
            ExprKind::Index(a, b) => ExprKind::Index(Box::new(go(a)?), Box::new(go(b)?)),
            ExprKind::Case(branches, otherwise) => ExprKind::Case(
                branches.iter().map(|(c, v)| Some((go(c)?, go(v)?))).collect::<Option<Vec<_>>>()?,
                Box::new(go(otherwise)?),
            ),
        };
        Some(Expr::new(kind, e.ty, e.span))
    }

    /// Meets what was left for later.
    pub fn settle(&mut self) {
        let mut opaque: Vec<(&'q Expr, Inst, bool)> = Vec::new();
        let mut rounds = 0;
        while !self.late.is_empty() && rounds < 20 {
            rounds += 1;
            for late in std::mem::take(&mut self.late) {
                match late {
                    Late::Compare { op, left, right, not } => self.pair(op, left, right, not),
                    Late::Offset { a, b, d, unit } => {
                        let d = match self.store.value(d) {
                            Value::Long(n) if unit > 1 => Value::Timespan(n.saturating_mul(unit)),
                            other => other,
                        };
                        self.offset(a, b, &d);
                    }
                    Late::Opaque { e, inst, want } => opaque.push((e, inst, want)),
                }
            }
        }
        for (e, inst, want) in opaque {
            self.guess(e, inst, want);
        }
    }

    fn is_open(&mut self, at: (&'q Expr, Inst)) -> Option<NodeId> {
        self.node_of(at.0, at.1).filter(|n| !self.store.is_fixed(*n))
    }

    fn pair(&mut self, op: CompareOp, left: (&'q Expr, Inst), right: (&'q Expr, Inst), not: bool) {
        let wish = |op: CompareOp, value: Value, ty: Type| {
            let ty = if matches!(ty, Type::Dynamic | Type::Unknown) { value_type(&value) } else { ty };
            let (test, negative) = match op {
                CompareOp::Eq => (Test::Equal([value].into(), 0), false),
                CompareOp::Ne => (Test::Equal([value].into(), 0), true),
                CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                    (Test::Order(op, value), false)
                }
            };
            Wish::new(test, ty).negated(negative).negated(not).missing(ruleferry_ir::Missing::Distinct)
        };
        // What nothing was asked of gives way.
        let (a, b) = (self.is_open(left), self.is_open(right));
        let first = match (a, b) {
            (Some(a), Some(b)) => !self.store.is_asked(a) || self.store.is_asked(b),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            // Two counts: the larger one.
            (None, None) => matches!(op, CompareOp::Gt | CompareOp::Ge) != not,
        };
        if first {
            if let Some(value) = self.eval(right.0, right.1, 0).filter(|v| !v.is_null()) {
                self.wish(left.0, left.1, wish(op, value, left.0.ty));
            }
        } else if let Some(value) = self.eval(left.0, left.1, 0).filter(|v| !v.is_null()) {
            self.wish(right.0, right.1, wish(op.flipped(), value, right.0.ty));
        }
    }

    fn offset(&mut self, a: (&'q Expr, Inst), b: (&'q Expr, Inst), d: &Value) {
        let (x, y) = (self.is_open(a), self.is_open(b));
        let first = match (x, y) {
            (Some(x), Some(y)) => !self.store.is_asked(x) || self.store.is_asked(y),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let (known, other, op) = if first { (b, a, ArithmeticOp::Add) } else { (a, b, ArithmeticOp::Sub) };
        let Some(value) = self.eval(known.0, known.1, 0) else { return };
        let ty =
            if matches!(other.0.ty, Type::Dynamic | Type::Unknown) { value_type(&value) } else { other.0.ty };
        if let Some(value) = self.compute(op, &value, d, ty) {
            self.wish(other.0, other.1, Wish::equals(value, ty));
        }
    }

    /// Tries values until a test that could not be followed back is met.
    fn guess(&mut self, e: &'q Expr, inst: Inst, want: bool) {
        let nodes: Vec<NodeId> = {
            let all = self.parts(e, inst);
            let mut open: Vec<NodeId> = Vec::new();
            for node in all {
                let root = self.store.root(node);
                if !self.store.is_fixed(root) && !open.contains(&root) {
                    open.push(root);
                }
            }
            open
        };
        let meets =
            |this: &mut Self| this.eval(e, inst, 0).is_some_and(|v| (v.as_bool() == Some(true)) == want);
        let budget = self.budget;
        self.budget = budget.max(4000);
        if nodes.is_empty() {
            let met = meets(self);
            self.store.conflicts += u32::from(!met);
            return;
        }
        let mut harvest: Vec<Value> = Vec::new();
        self.harvest(e, inst, &mut harvest, 0);
        let mut done = false;
        'nodes: for node in nodes.iter().take(4) {
            let mut values = self.store.options(*node, &harvest);
            values.truncate(90);
            for value in values {
                let saved = self.store.save();
                self.store.fix(*node, value);
                self.budget = self.budget.max(2000);
                if meets(self) {
                    done = true;
                    break 'nodes;
                }
                self.store.restore(saved);
            }
        }
        self.store.conflicts += u32::from(!done);
        self.budget = budget.saturating_sub(500);
    }

    /// Constants in an expression, and values that are made of them.
    fn harvest(&mut self, e: &'q Expr, inst: Inst, out: &mut Vec<Value>, depth: usize) {
        if depth > 12 || out.len() > 60 {
            return;
        }
        if let Some(value) = self.constant(e) {
            for value in spread(value).into_iter().take(12) {
                if let Value::String(s) = &value {
                    if let Some((address, _)) = s.split_once('/') {
                        out.push(Value::string(address));
                    }
                    if s.contains(['(', '[', '\\', '+', '|']) {
                        out.extend(super::sample::sample(s, 0).map(Value::string));
                    }
                }
                out.push(value);
            }
            return;
        }
        if let ExprKind::Column(id) = &e.kind {
            match self.def(inst, *id) {
                Some(Def::Expr(inner, i, _)) => self.harvest(inner, i, out, depth + 1),
                Some(_) => {
                    if let Some(node) = self.node_of_column(inst, *id)
                        && self.store.is_fixed(node)
                    {
                        out.push(self.store.value(node));
                    }
                }
                None => {}
            }
            return;
        }
        let mut inner = Vec::new();
        e.operands(&mut inner);
        for x in inner {
            self.harvest(x, inst, out, depth + 1);
        }
    }
}

/// Values of many kinds, for tests of which nothing is known.
pub(super) fn pool(ty: Type, now: i64) -> Vec<Value> {
    let hour = 3600 * TICKS_PER_SECOND;
    match ty {
        Type::Datetime => {
            let hours = (0..24).map(|h| now - h * hour);
            let days = (1..8).flat_map(|d| [now - d * 24 * hour, now - d * 24 * hour - 7 * hour]);
            hours.chain(days).map(Value::Datetime).collect()
        }
        Type::Bool => vec![Value::TRUE, Value::FALSE],
        Type::Int | Type::Long | Type::Real | Type::Decimal => {
            [0, 1, 2, 3, 5, 10, 16, 32, 64, 100, 443, 1000, 4096, 65_536, 1_000_000, -1]
                .map(Value::Long)
                .to_vec()
        }
        Type::Timespan => [0, 1, 60, 3600, 86_400].map(|s| Value::Timespan(s * TICKS_PER_SECOND)).to_vec(),
        Type::Guid => Vec::new(),
        Type::String | Type::Dynamic | Type::Unknown => {
            let texts = [
                "10.0.0.5",
                "203.0.113.7",
                "8.8.8.8",
                "192.168.1.10",
                "2001:db8::1",
                "alpha",
                "alpha bravo",
                "a",
                "1",
                "12",
                "https://www.example.com/a/b?x=1",
                "www.example.com",
                "ann@example.com",
                "C:\\Windows\\System32\\cmd.exe",
                "cmd.exe /c whoami",
                "YWxwaGEgYnJhdm8=",
                "true",
                "abcdefghijklmnopqrstuvwxyz0123456789",
                "/a/b/c",
                "a,b,c",
                "a;b;c",
                "2026-01-10T00:00:00Z",
            ];
            let mut out: Vec<Value> = texts.map(Value::string).to_vec();
            if ty == Type::Dynamic {
                let list =
                    |items: &[&str]| Value::array(items.iter().map(|s| Json::String((*s).into())).collect());
                out.push(list(&["alpha"]));
                out.push(list(&["alpha", "bravo", "carol"]));
                out.push(Value::dynamic(Json::Object(
                    [("alpha".into(), Json::String("bravo".into()))].into_iter().collect(),
                )));
            }
            out
        }
    }
}

/// Values that are near to a given one.
pub(super) fn options(about: &About<'_>, harvest: &[Value], patterns: &super::wish::Patterns) -> Vec<Value> {
    let own = candidates(about).0;
    let ty = about.ty;
    let read = |v: &Value| if ty == Type::Unknown { v.clone() } else { ruleferry_eval::cast(v, ty) };
    let mut all: Vec<Value> = own.first().cloned().into_iter().collect();
    all.extend(harvest.iter().map(read));
    for value in harvest {
        if let Value::String(s) = value {
            for text in [
                format!("alpha{s}bravo"),
                format!("alpha{s}bravo{s}carol"),
                format!("{s}alpha"),
                format!("alpha {s} bravo"),
            ] {
                all.push(read(&Value::string(text)));
            }
        }
        for step in [1, -1, TICKS_PER_SECOND] {
            all.extend(super::wish::shifted(value, step).map(|v| read(&v)));
        }
    }
    all.extend(own.into_iter().skip(1));
    all.extend(pool(ty, about.now).iter().map(read));
    let mut out: Vec<Value> = Vec::new();
    for value in all {
        if !value.is_null()
            && about.wishes.iter().all(|w| super::wish::holds(&value, w, patterns))
            && out.len() < 120
        {
            out.push(value);
        }
    }
    out
}
