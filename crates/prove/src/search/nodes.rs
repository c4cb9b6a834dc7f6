//! Where the value of an expression comes from: the node of the store that it is read from, up to a conversion.
//!
//! In: an expression. Out: a node, made where it was not there: a column of a row, a member or an element of it, a part of a text.

use super::maker::{BRANCH, Def, Inst, Maker, key};
use super::store::{NodeId, Piece, Shape};
use super::wish::{Needle, Test, Wish};
use ruleferry_eval::Value;
use ruleferry_ir::{AggregateCall, AggregateItem, ColId, Expr, ExprKind, MatchKind, Plan, Type};
use smol_str::{SmolStr, format_smolstr};

impl<'q> Maker<'q, '_, '_> {
    pub fn node_of_column(&mut self, inst: Inst, id: ColId) -> Option<NodeId> {
        match self.def(inst, id)? {
            Def::Column(template, name, ty) => Some(self.store.column(template, &name, ty)),
            Def::Node(node) => Some(node),
            Def::Expr(e, i, 0) => self.node_of(e, i),
            Def::Each(e, i) => self.node_each(e, i),
            Def::Made(group, item, part) => {
                let (e, world) = self.passed(item, part)?;
                let _ = world;
                let inst = self.groups.get(group)?.worlds.first()?.inst;
                self.node_of(e, inst)
            }
            Def::Expr(..) | Def::Const(_) | Def::Same(..) => None,
        }
    }

    /// The argument whose value an aggregate gives on.
    pub fn passed(&self, item: &'q AggregateItem, part: usize) -> Option<(&'q Expr, usize)> {
        match &item.call {
            AggregateCall::Function(f, args) => match f.name {
                "count"
                | "countif"
                | "dcount"
                | "dcountif"
                | "count_distinct"
                | "count_distinctif"
                | "hll"
                | "hll_if"
                | "hll_merge"
                | "tdigest"
                | "tdigest_merge"
                | "binary_all_or"
                | "binary_all_and"
                | "binary_all_xor"
                | "make_bag"
                | "make_bag_if"
                | "buildschema"
                | "make_list"
                | "make_set"
                | "make_list_if"
                | "make_set_if"
                | "make_list_with_nulls"
                | "stdev"
                | "stdevif"
                | "stdevp"
                | "variance"
                | "varianceif"
                | "variancep"
                | "covariance"
                | "covariancep" => None,
                _ => args.first().map(|a| (a, part)),
            },
            AggregateCall::ArgExtreme { by, returned, .. } => {
                let extra = usize::from(item.ids.len() > returned.len());
                if extra == 1 && part == 0 {
                    Some((by, 0))
                } else {
                    returned.get(part - extra).map(|e| (e, 0))
                }
            }
            AggregateCall::TakeAny { returned, .. } => returned.get(part).map(|e| (e, 0)),
            AggregateCall::Composed { .. } => None,
        }
    }

    /// The node whose value an expression has, up to a conversion.
    pub fn node_of(&mut self, e: &'q Expr, inst: Inst) -> Option<NodeId> {
        if self.budget == 0 || self.node_depth > 200 {
            return None;
        }
        self.budget -= 1;
        // A column may be defined by itself (a cast that keeps the id).
        self.node_depth += 1;
        let node = self.node_within(e, inst);
        self.node_depth -= 1;
        node
    }

    pub(super) fn node_within(&mut self, e: &'q Expr, inst: Inst) -> Option<NodeId> {
        match &e.kind {
            ExprKind::Column(id) => self.node_of_column(inst, *id),
            ExprKind::Let(id) => self.binding(*id).and_then(|e| self.node_of(e, inst)),
            ExprKind::Cast(c) => self.node_of(&c.expr, inst),
            ExprKind::Member(base, name) => match &base.kind {
                ExprKind::Call(f, args) => self.member_of_call(f.name, args, name, inst),
                ExprKind::Column(_) | ExprKind::Let(_) => match self.called(base, inst) {
                    Some((f, args, i)) => self.member_of_call(f, args, name, i).or_else(|| {
                        let base = self.node_of(base, inst)?;
                        Some(self.store.member(base, name))
                    }),
                    None => {
                        let base = self.node_of(base, inst)?;
                        Some(self.store.member(base, name))
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
                | ExprKind::Cast(_)
                | ExprKind::Member(..)
                | ExprKind::Index(..)
                | ExprKind::Case(..)
                | ExprKind::Subquery(_)
                | ExprKind::Opaque(_) => {
                    let base = self.node_of(base, inst)?;
                    Some(self.store.member(base, name))
                }
            },
            ExprKind::Index(base, index) => {
                let index = self.constant(index);
                if let (Some((name, args, i)), Some(at)) = (self.called(base, inst), index.as_ref()) {
                    match (name, args) {
                        ("split", [text, by, ..]) => {
                            let n = at.as_long()?;
                            return self.split_part(text, by, i, usize::try_from(n.max(0)).ok()?);
                        }
                        ("parse_command_line", [text, ..]) => {
                            let n = usize::try_from(at.as_long()?).ok()?;
                            let text = self.node_of(text, i)?;
                            let parts = self.split_of(text, " ", n + 1);
                            self.store.shape_split(text, " ", &parts);
                            return parts.get(n).copied();
                        }
                        ("pack_array" | "pack_dictionary", _) => {
                            let n = usize::try_from(at.as_long()?).ok()?;
                            return args.get(n).and_then(|a| self.node_of(a, i));
                        }
                        ("extract_all", _) => {}
                        _ => {
                            if let Value::String(s) = at {
                                return self.member_of_call(name, args, s, i);
                            }
                        }
                    }
                }
                if let Some(Value::String(s)) = &index {
                    let base = self.node_of(base, inst)?;
                    return Some(self.store.member(base, s));
                }
                let at = index.and_then(|v| v.as_long()).map_or(0, |n| usize::try_from(n).unwrap_or(0));
                if at == 0 {
                    return self.node_each(base, inst);
                }
                let base = self.node_of(base, inst)?;
                Some(self.store.element(base, at.min(60)))
            }
            ExprKind::Call(f, args) => self.node_of_call(f.name, args, inst),
            ExprKind::Case(branches, otherwise) => {
                // Any branch that gives a value on.
                let at = self.choose(key(e, inst, BRANCH), branches.len() + 1);
                let order: Vec<usize> =
                    (0..=branches.len()).map(|n| (n + at) % (branches.len() + 1)).collect();
                for n in order {
                    let value = branches.get(n).map_or(&**otherwise, |(_, v)| v);
                    if self.constant(value).is_some() {
                        continue;
                    }
                    if let Some(node) = self.node_of(value, inst) {
                        self.take_branch(branches, n, inst);
                        return Some(node);
                    }
                }
                None
            }
            ExprKind::Subquery(plan) => {
                let inner = self.subquery(plan)?;
                self.node_of_column(inner, *plan.output.first()?)
            }
            ExprKind::Negate(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Literal(_)
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
            | ExprKind::Opaque(_) => None,
        }
    }

    pub(super) fn take_branch(&mut self, branches: &'q [(Expr, Expr)], at: usize, inst: Inst) {
        for (n, (condition, _)) in branches.iter().enumerate().take(at + 1) {
            self.goal(condition, inst, n == at);
        }
    }

    pub(super) fn subquery(&mut self, plan: &'q Plan) -> Option<Inst> {
        let at = (u32::MAX, *plan.output.first()?);
        if let Some(Def::Same(inst, _)) = self.defs.get(&at) {
            return Some(*inst);
        }
        let inner = self.fresh();
        let share = std::mem::replace(&mut self.share, false);
        self.plan(plan, inner);
        self.share = share;
        self.defs.insert(at, Def::Same(inner, at.1));
        Some(inner)
    }

    /// The call that an expression is, through columns.
    pub(super) fn called(&mut self, e: &'q Expr, inst: Inst) -> Option<(&'static str, &'q [Expr], Inst)> {
        match &e.kind {
            ExprKind::Call(f, args) => match (f.name, args.as_slice()) {
                ("parse_json" | "todynamic", [inner]) => {
                    let found = self.called(inner, inst);
                    found.or(Some((f.name, args, inst)))
                }
                _ => Some((f.name, args, inst)),
            },
            ExprKind::Cast(c) => self.called(&c.expr, inst),
            ExprKind::Let(id) => self.binding(*id).and_then(|e| self.called(e, inst)),
            ExprKind::Column(id) => match self.def(inst, *id) {
                Some(Def::Expr(e, i, 0)) => self.called(e, i),
                _ => None,
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
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => None,
        }
    }

    pub(super) fn member_of_call(
        &mut self,
        name: &str,
        args: &'q [Expr],
        member: &str,
        inst: Inst,
    ) -> Option<NodeId> {
        match (name, args) {
            ("bag_pack" | "pack_dictionary" | "pack", _) => {
                let at = args.chunks(2).find(|pair| {
                    pair.first()
                        .and_then(|k| self.constant(k))
                        .is_some_and(|k| super::wish::text_of(&k) == member)
                })?;
                at.get(1).and_then(|v| self.node_of(v, inst))
            }
            ("parse_url", [url]) => {
                let url = self.node_of(url, inst)?;
                let parts = self.split_of(url, "url", 4);
                let at = match member {
                    "Scheme" => 0,
                    "Host" => 1,
                    "Path" => 2,
                    _ => 3,
                };
                if !self.store.is_asked(url) {
                    let text = |t: &'static str| Piece::Text(SmolStr::new_static(t));
                    let hole = |n: usize| Piece::Hole(parts.get(n).copied().unwrap_or(url));
                    let pieces = vec![text("https://"), hole(1), text("/"), hole(2), text("?"), hole(3)];
                    self.store.shape(url, Shape { pieces, first: true });
                }
                parts.get(at).copied()
            }
            _ => {
                let base = self.node_of_call(name, args, inst)?;
                Some(self.store.member(base, member))
            }
        }
    }

    pub(super) fn split_of(&mut self, text: NodeId, by: &str, count: usize) -> Vec<NodeId> {
        let root = self.store.root(text);
        let at = (root, SmolStr::new(by));
        let mut parts = self.store.splits.get(&at).cloned().unwrap_or_default();
        while parts.len() < count.min(60) {
            let part = self.store.node("", Type::String);
            parts.push(part);
        }
        self.store.splits.insert(at, parts.clone());
        parts
    }

    /// A part of a text that is split.
    pub(super) fn split_part(
        &mut self,
        text: &'q Expr,
        by: &'q Expr,
        inst: Inst,
        at: usize,
    ) -> Option<NodeId> {
        let by = super::wish::text_of(&self.constant(by)?);
        let text = self.node_of(text, inst)?;
        let parts = self.split_of(text, &by, at + 1);
        self.store.shape_split(text, &by, &parts);
        parts.get(at).copied()
    }

    pub(super) fn node_of_call(&mut self, name: &str, args: &'q [Expr], inst: Inst) -> Option<NodeId> {
        match (name, args) {
            ("extract", [pattern, group, text, ..]) => {
                let pattern = super::wish::text_of(&self.constant(pattern)?);
                let group = self.constant(group)?.as_long()?;
                let text = self.node_of(text, inst)?;
                self.captured(text, &pattern, u32::try_from(group).ok()?)
            }
            ("extract_all", _) => None,
            ("extract_json" | "extractjson", [path, json, ..]) => {
                let path = super::wish::text_of(&self.constant(path)?);
                let mut node = self.node_of(json, inst)?;
                for step in
                    path.trim_start_matches('$').split(['.', '[', ']', '\'', '"']).filter(|s| !s.is_empty())
                {
                    node = match step.parse::<usize>() {
                        Ok(n) => self.store.element(node, n.min(60)),
                        Err(_) => self.store.member(node, step),
                    };
                }
                Some(node)
            }
            ("trim" | "trim_start" | "trim_end", [_, text]) => self.node_of(text, inst),
            ("split", [text, by, at]) => {
                let n = self.constant(at)?.as_long()?;
                self.split_part(text, by, inst, usize::try_from(n.max(0)).ok()?)
            }
            ("strcat", _) if args.iter().filter(|a| self.constant(a).is_none()).count() == 1 => None,
            ("substring", [text, start, ..]) => match self.constant(start)?.as_long()? {
                0 => self.node_of(text, inst),
                n => {
                    let text = self.node_of(text, inst)?;
                    let hole = self.store.node("", Type::String);
                    let before: String =
                        "abcdefgh".chars().cycle().take(usize::try_from(n).unwrap_or(0).min(200)).collect();
                    let pieces = vec![Piece::Text(before.into()), Piece::Hole(hole)];
                    self.store.shape(text, Shape { pieces, first: true });
                    Some(hole)
                }
            },
            (
                "parse_json"
                | "todynamic"
                | "tolower"
                | "toupper"
                | "coalesce"
                | "parse_xml"
                | "column_ifexists"
                | "bin"
                | "bin_at"
                | "floor"
                | "ceiling"
                | "round"
                | "abs"
                | "startofday"
                | "startofhour"
                | "url_decode"
                | "replace_string"
                | "replace_strings"
                | "dynamic_to_json"
                | "array_sort_asc"
                | "array_sort_desc"
                | "set_union"
                | "array_concat"
                | "set_difference"
                | "array_slice"
                | "bag_merge"
                | "parse_ipv4"
                | "ingestion_time"
                | "materialize"
                | "startofweek"
                | "startofmonth"
                | "toscalar"
                | "zip"
                | "bag_remove_keys"
                | "array_reverse"
                | "unicode_codepoints_from_string"
                | "strrep"
                | "parse_urlquery"
                | "gettype"
                | "make_string"
                | "set_intersect"
                | "todatetime"
                | "url_encode"
                | "datetime_utc_to_local"
                | "parse_command_line"
                | "punycode_to_string"
                | "punycode_domain_to_string"
                | "endofday"
                | "parse_path"
                | "parse_version"
                | "parse_user_agent",
                [first, ..],
            ) if !matches!(
                name,
                "gettype" | "unicode_codepoints_from_string" | "make_string" | "parse_ipv4" | "parse_version"
            ) =>
            {
                let found = self.node_of(first, inst);
                match (found, name) {
                    (None, "coalesce" | "set_union" | "array_concat" | "bag_merge") => {
                        args.iter().skip(1).find_map(|a| self.node_of(a, inst))
                    }
                    (found, _) => found,
                }
            }
            ("replace_regex", [text, ..]) => self.node_of(text, inst),
            ("case" | "iff" | "iif", _) => None,
            ("pack_array", [first, ..]) => self.node_of(first, inst),
            _ => None,
        }
    }

    /// The value of a group of a pattern in a text.
    pub(super) fn captured(&mut self, text: NodeId, pattern: &str, group: u32) -> Option<NodeId> {
        let at = (self.store.root(text), format_smolstr!("\u{0}{group}{pattern}"));
        if let Some(known) = self.store.splits.get(&at).and_then(|p| p.first()) {
            return Some(*known);
        }
        let around = super::sample::around(pattern, group)?;
        let hole = self.store.node("", Type::String);
        let whole: SmolStr = format_smolstr!("^(?:{})$", around.group);
        self.store.wish(
            hole,
            Wish::new(
                Test::Text {
                    kind: MatchKind::Regex,
                    case: ruleferry_ir::Case::Sensitive,
                    needles: [Needle::Text(whole)].into(),
                    chosen: 0,
                },
                Type::String,
            ),
        );
        let pieces =
            vec![Piece::Text(around.before.into()), Piece::Hole(hole), Piece::Text(around.after.into())];
        self.store.shape(text, Shape { pieces, first: pattern.starts_with('^') });
        self.store.splits.insert(at, vec![hole]);
        Some(hole)
    }

    /// An element of an array.
    pub fn node_each(&mut self, e: &'q Expr, inst: Inst) -> Option<NodeId> {
        if self.budget == 0 {
            return None;
        }
        self.budget -= 1;
        match &e.kind {
            ExprKind::Column(id) => match self.def(inst, *id) {
                Some(Def::Expr(inner, i, 0)) => self.node_each(inner, i),
                Some(Def::Made(group, item, _)) => {
                    let inst = self.groups.get(group)?.worlds.first()?.inst;
                    match &item.call {
                        AggregateCall::Function(f, args) if f.name.starts_with("make_") => {
                            self.node_of(args.first()?, inst)
                        }
                        AggregateCall::Function(..)
                        | AggregateCall::ArgExtreme { .. }
                        | AggregateCall::TakeAny { .. }
                        | AggregateCall::Composed { .. } => {
                            let node = self.node_of(e, inst)?;
                            Some(self.store.element(node, 0))
                        }
                    }
                }
                _ => {
                    let node = self.node_of(e, inst)?;
                    Some(self.store.element(node, 0))
                }
            },
            ExprKind::Let(id) => self.binding(*id).and_then(|e| self.node_each(e, inst)),
            ExprKind::Cast(c) => self.node_each(&c.expr, inst),
            ExprKind::Subquery(plan) => {
                let inner = self.subquery(plan)?;
                let id = *plan.output.first()?;
                match self.def(inner, id)? {
                    Def::Made(group, item, _) => {
                        let inst = self.groups.get(group)?.worlds.first()?.inst;
                        match &item.call {
                            AggregateCall::Function(f, args) if f.name.starts_with("make_") => {
                                self.node_of(args.first()?, inst)
                            }
                            AggregateCall::Function(..)
                            | AggregateCall::ArgExtreme { .. }
                            | AggregateCall::TakeAny { .. }
                            | AggregateCall::Composed { .. } => None,
                        }
                    }
                    Def::Expr(e, i, 0) => self.node_each(e, i),
                    Def::Column(..)
                    | Def::Node(_)
                    | Def::Expr(..)
                    | Def::Same(..)
                    | Def::Const(_)
                    | Def::Each(..) => {
                        let node = self.node_of_column(inner, id)?;
                        Some(self.store.element(node, 0))
                    }
                }
            }
            ExprKind::Call(f, args) => match (f.name, args.as_slice()) {
                ("split", [text, by, ..]) => self.split_part(text, by, inst, 0),
                ("pack_array", _) => {
                    let at = self.choose(key(e, inst, BRANCH), args.len());
                    args.get(at).and_then(|a| self.node_of(a, inst))
                }
                ("extract_all", [pattern, .., text]) => {
                    let pattern = super::wish::text_of(&self.constant(pattern)?);
                    let text = self.node_of(text, inst)?;
                    self.captured(text, &pattern, 1)
                }
                (
                    "parse_json" | "todynamic" | "array_sort_asc" | "array_sort_desc" | "array_slice"
                    | "set_difference" | "set_union" | "array_concat" | "coalesce" | "array_reverse",
                    [first, ..],
                ) => self.node_each(first, inst),
                ("bag_keys", _) => None,
                _ => {
                    let node = self.node_of(e, inst)?;
                    Some(self.store.element(node, 0))
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
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Opaque(_) => {
                let node = self.node_of(e, inst)?;
                Some(self.store.element(node, 0))
            }
        }
    }

    /// The nodes that an expression reads.
    pub fn parts(&mut self, e: &'q Expr, inst: Inst) -> Vec<NodeId> {
        if let Some(node) = self.node_of(e, inst) {
            return vec![node];
        }
        if let ExprKind::Column(id) = &e.kind
            && let Some(Def::Expr(inner, i, _)) = self.def(inst, *id)
        {
            return self.parts(inner, i);
        }
        if let ExprKind::Let(id) = &e.kind {
            return self.binding(*id).map_or_else(Vec::new, |e| self.parts(e, inst));
        }
        let mut inner: Vec<&'q Expr> = Vec::new();
        e.operands(&mut inner);
        let mut out = Vec::new();
        for x in inner {
            if self.budget == 0 {
                break;
            }
            for node in self.parts(x, inst) {
                if !out.contains(&node) {
                    out.push(node);
                }
            }
        }
        out
    }
}
