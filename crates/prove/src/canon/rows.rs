//! Operators that keep to no simple form: their whole definition stands in the block, nothing that tells two apart is left out.

use super::aggregate::Group;
use super::draft::Node;
use super::plan::{Rel, order_texts};
use super::{Canon, Made};
use crate::block::{ScanKind, Source};
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::{
    self as ir, Apply, ColId, Expand, ExpandItem, ExpandKind, MakeSeries, Opaque, Parse, ParseKv, ParsePiece,
    Plan, Plugin, PluginArg, Search, Sequence, TopNested, Type,
};
use rustc_hash::FxHashMap;
use smol_str::{SmolStr, format_smolstr};

impl Canon<'_, '_> {
    fn made_part(&mut self, what: impl Into<SmolStr>, args: Vec<TermId>, part: usize, ty: Type) -> TermId {
        let part = u32::try_from(part).unwrap_or(u32::MAX);
        self.arena.term(Term::Made { what: what.into(), args: args.into(), conditions: [].into(), part, ty })
    }

    fn ty_of(&self, id: ColId) -> Type {
        self.query.columns.ty(id)
    }

    fn other(
        &self,
        what: &str,
        args: Vec<TermId>,
        texts: Vec<SmolStr>,
    ) -> impl FnOnce(crate::block::BlockId) -> Source {
        let what = SmolStr::new(what);
        move |block| Source::Other {
            what,
            inputs: [block].into(),
            args: args.into(),
            conditions: [].into(),
            texts: texts.into(),
        }
    }

    // Elements.

    /// The elements of an item; the same value has the same ones.
    fn elements(&mut self, items: &[ExpandItem], scope: &Rel) -> Made<Vec<(ColId, TermId, TermId)>> {
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            let value = self.value(&item.expr, scope)?;
            let what = match item.to {
                Some(ty) => format_smolstr!("element to {ty}"),
                None => "element".into(),
            };
            let ty = self.ty_of(item.id);
            made.push((item.id, value, self.made_part(what, vec![value], 0, ty)));
        }
        Ok(made)
    }

    fn expand_args(
        &mut self,
        elements: &[(ColId, TermId, TermId)],
        limit: Option<&ir::Expr>,
    ) -> Made<Vec<TermId>> {
        let mut args: Vec<TermId> = elements.iter().map(|e| e.1).collect();
        args.sort_unstable();
        args.dedup();
        if let Some(limit) = limit {
            let scope = self.no_scope();
            args.push(self.value(limit, &scope)?);
        }
        Ok(args)
    }

    pub fn expand(&mut self, input: Rel, e: &Expand) -> Made<Rel> {
        let elements = self.elements(&e.items, &input)?;
        let args = self.expand_args(&elements, e.limit.as_ref())?;
        let kind = match e.kind {
            ExpandKind::Bag => "bag",
            ExpandKind::Array => "array",
        };
        let texts = vec![kind.into(), if e.limit.is_some() { "limit" } else { "all" }.into()];
        let draft = input.draft.clone();
        let mut rel = self.read_through(input, 0);
        rel.draft = self.draft(Node::Each { what: "expand".into(), input: Box::new(draft), args, texts });
        for (id, _, element) in elements {
            rel.columns.insert(id, element);
        }
        if let Some(id) = e.index {
            let index = self.made_part("index", Vec::new(), 0, Type::Long);
            rel.columns.insert(id, index);
        }
        Ok(rel)
    }

    pub fn apply(&mut self, plan: &Plan, input: Rel, a: &Apply) -> Made<Rel> {
        let (block, input) = self.sealed(input)?;
        let elements = self.elements(&a.items, &input)?;
        let args = self.expand_args(&elements, a.limit.as_ref())?;
        let mut inside = self.rows_of_body(&input, args.clone());
        for (id, _, element) in &elements {
            inside.columns.insert(*id, *element);
        }
        if let Some(id) = a.index {
            let index = self.made_part("index", Vec::new(), 0, Type::Long);
            inside.columns.insert(id, index);
        }
        let mut output = input.output.to_vec();
        output.extend(a.index);
        output.extend(a.items.iter().map(|i| i.id));
        inside.output = output.into();
        self.bodies.push(inside);
        let body = self.rel(&a.body);
        self.bodies.pop();
        let (body_block, body) = self.sealed(body?)?;
        let texts: Box<[SmolStr]> = [if a.limit.is_some() { "limit" } else { "all" }.into()].into();
        let source = Source::Other {
            what: "apply".into(),
            inputs: [block, body_block].into(),
            args: args.into(),
            conditions: [].into(),
            texts,
        };
        let mut rel = self.rel_of(source);
        for id in plan.output.iter() {
            // A column of the row itself, else one that the body made.
            let term = if input.output.contains(id) {
                let term = self.column(&input, *id)?;
                self.input(0, term)
            } else {
                let term = self.column(&body, *id)?;
                self.arena.term(Term::Input(1, term))
            };
            rel.columns.insert(*id, term);
        }
        Ok(rel)
    }

    /// The rows that a body works on: those of `outer`, in a space of their own.
    fn rows_of_body(&mut self, outer: &Rel, args: Vec<TermId>) -> Rel {
        let source = Source::Scan {
            name: format_smolstr!("{}", self.bodies.len()),
            kind: ScanKind::Rows,
            qualifiers: [].into(),
            args: args.into(),
            over: None,
        };
        let mut rel = self.rel_of(source);
        for id in outer.output.iter() {
            if let Some(term) = outer.columns.get(id) {
                let term = self.input(0, *term);
                rel.columns.insert(*id, term);
            }
        }
        rel
    }

    pub fn partition(&mut self, plan: &Plan, input: Rel, key: ColId, body: &Plan) -> Made<Rel> {
        let (block, input) = self.sealed(input)?;
        let key = self.column(&input, key)?;
        let key = self.unfilled(key);
        let mut inside = self.rows_of_body(&input, vec![key]);
        inside.output = input.output.clone();
        inside.order = input.order.clone();
        for sorted in &mut inside.order.keys {
            sorted.0 = self.input(0, sorted.0);
        }
        let mut texts = order_texts(&input.order);
        let mut args = vec![key];
        args.extend(input.order.keys.iter().map(|k| k.0));
        self.bodies.push(inside);
        let made = self.rel(body);
        self.bodies.pop();
        let (body_block, made) = self.sealed(made?)?;
        texts.push("partition".into());
        let source = Source::Other {
            what: "partition".into(),
            inputs: [block, body_block].into(),
            args: args.into(),
            conditions: [].into(),
            texts: texts.into(),
        };
        let mut rel = self.rel_of(source);
        for (id, inner) in plan.output.iter().zip(body.output.iter()) {
            let term = self.column(&made, *inner)?;
            let term = self.arena.term(Term::Input(1, term));
            rel.columns.insert(*id, term);
        }
        Ok(rel)
    }

    // Series and nested groups.

    pub fn make_series(&mut self, input: Rel, m: &MakeSeries) -> Made<Rel> {
        let (block, input) = self.sealed(input)?;
        let scope = self.no_scope();
        let mut keys = Vec::with_capacity(m.keys.len());
        for item in &m.keys {
            let key = self.value(&item.expr, &input)?;
            keys.push((item.ids.clone(), self.unfilled(key)));
        }
        let axis = self.value(&m.axis, &input)?;
        let mut args = vec![axis, self.value(&m.step, &scope)?];
        let mut texts: Vec<SmolStr> = Vec::new();
        for (name, bound) in [("from", &m.from), ("to", &m.to)] {
            if let Some(bound) = bound {
                texts.push(name.into());
                args.push(self.value(bound, &scope)?);
            }
        }
        if m.in_range {
            texts.push("in range".into());
        }
        if m.nonempty {
            texts.push("nonempty".into());
        }
        let mut key_terms: Vec<TermId> = keys.iter().map(|k| k.1).collect();
        key_terms.sort_unstable();
        key_terms.dedup();
        texts.push(format_smolstr!("{} keys", key_terms.len()));
        args.extend(&key_terms);
        let mut group = Group::new(input, key_terms);
        let mut columns: FxHashMap<ColId, TermId> = FxHashMap::default();
        for item in &m.aggregates {
            let values = self.aggregated(&item.aggregate, &mut group)?;
            let default = match &item.default {
                Some(e) => Some(self.value(e, &scope)?),
                None => None,
            };
            for (id, value) in item.aggregate.ids.iter().zip(values) {
                let args = [Some(value), default].into_iter().flatten().collect();
                let term = self.opaque_call("$series", args, self.ty_of(*id));
                columns.insert(*id, term);
            }
        }
        columns.insert(m.axis_out, self.made_part("axis", Vec::new(), 0, self.ty_of(m.axis_out)));
        for (ids, key) in keys {
            let value = self.key_value(key);
            columns.extend(ids.into_iter().map(|id| (id, value)));
        }
        let source = self.other("make-series", args, texts)(block);
        let mut rel = self.rel_of(source);
        rel.columns = columns;
        Ok(rel)
    }

    pub fn top_nested(&mut self, input: Rel, t: &TopNested) -> Made<Rel> {
        let (block, input) = self.sealed(input)?;
        let scope = self.no_scope();
        let mut args = Vec::new();
        let mut texts: Vec<SmolStr> = Vec::new();
        let mut columns: FxHashMap<ColId, TermId> = FxHashMap::default();
        let mut group = Group::new(input, Vec::new());
        for (n, level) in t.levels.iter().enumerate() {
            let mut text = String::from(if level.descending { "desc" } else { "asc" });
            let key = self.value(&level.key.expr, &group.scope)?;
            args.push(self.unfilled(key));
            if let Some(count) = &level.count {
                text.push_str(" count");
                args.push(self.value(count, &scope)?);
            }
            if let Some(others) = &level.others {
                text.push_str(" others");
                args.push(self.value(others, &scope)?);
            }
            args.extend(self.aggregated(&level.by, &mut group)?);
            texts.push(text.into());
            for id in &level.key.ids {
                columns.insert(*id, self.made_part("nested key", Vec::new(), n, self.ty_of(*id)));
            }
            for (k, id) in level.by.ids.iter().enumerate() {
                columns.insert(*id, self.made_part("nested value", Vec::new(), n * 64 + k, self.ty_of(*id)));
            }
        }
        let source = self.other("top-nested", args, texts)(block);
        let mut rel = self.rel_of(source);
        rel.columns = columns;
        Ok(rel)
    }

    // Parts of texts: values of each row, no source of their own.

    pub fn parse(&mut self, mut rel: Rel, p: &Parse) -> Made<Rel> {
        let subject = self.value(&p.subject, &rel)?;
        let subject = self.cast(subject, Type::String);
        let subject = self.unfilled(subject);
        let mut how = format!("$parse {:?} {}", p.mode, p.flags);
        for piece in &p.pieces {
            match piece {
                ParsePiece::Star => how.push_str(" *"),
                ParsePiece::Text(text) => how.push_str(&format!(" {text:?}")),
                ParsePiece::Column(id) => how.push_str(&format!(" :{}", self.ty_of(*id))),
            }
        }
        let columns = p.pieces.iter().filter_map(|piece| match piece {
            ParsePiece::Column(id) => Some(*id),
            ParsePiece::Star | ParsePiece::Text(_) => None,
        });
        for (n, id) in columns.enumerate() {
            let term = self.opaque_call(format!("{how} #{n}"), vec![subject], self.ty_of(id));
            rel.columns.insert(id, term);
        }
        if p.filter {
            let call = self.opaque_call(how, vec![subject], Type::Bool);
            let matches = self.is_true(call);
            self.push(&mut rel.draft, matches)?;
        }
        Ok(rel)
    }

    pub fn parse_kv(&mut self, mut rel: Rel, p: &ParseKv) -> Made<Rel> {
        let subject = self.value(&p.subject, &rel)?;
        let subject = self.cast(subject, Type::String);
        let subject = self.unfilled(subject);
        let names: Vec<(SmolStr, Type)> =
            p.columns.iter().map(|id| (self.query.columns.name(*id).into(), self.ty_of(*id))).collect();
        let how = format!(
            "$parse-kv {:?} {:?} {:?} {:?} {} {:?} {names:?}",
            p.pair_delimiter, p.kv_delimiter, p.quotes, p.escape, p.greedy, p.regex
        );
        for (n, id) in p.columns.iter().enumerate() {
            let term = self.opaque_call(format!("{how} #{n}"), vec![subject], self.ty_of(*id));
            rel.columns.insert(*id, term);
        }
        Ok(rel)
    }

    // The rest.

    /// `scan`: steps over rows in their order.
    pub fn sequence(&mut self, plan: &Plan, input: Rel, s: &Sequence) -> Made<Rel> {
        let (block, input) = self.sealed(input)?;
        let none = self.no_scope();
        let mut args: Vec<TermId> = input.order.keys.iter().map(|k| k.0).collect();
        let mut texts = order_texts(&input.order);
        let mut conditions = Vec::new();
        let mut scope = input.clone();
        // Columns that a step may set, by their place.
        let mut set: Vec<ColId> = s.declared.iter().map(|d| d.0).collect();
        for step in &s.steps {
            for (id, _) in &step.assignments {
                if !set.contains(id) {
                    set.push(*id);
                }
            }
        }
        for (n, (id, default)) in s.declared.iter().enumerate() {
            let ty = self.ty_of(*id);
            texts.push(format_smolstr!("declare {ty} {}", default.is_some()));
            if let Some(e) = default {
                args.push(self.value(e, &none)?);
            }
            let term = self.arena.term(Term::Column { name: format_smolstr!("$declared {n}"), ty });
            scope.columns.insert(*id, term);
        }
        if let Some(id) = s.match_id {
            let term = self.arena.term(Term::Column { name: "$match id".into(), ty: self.ty_of(id) });
            scope.columns.insert(id, term);
        }
        for step in &s.steps {
            let output = step.output.as_deref().unwrap_or("all");
            texts.push(format_smolstr!(
                "step {} {} {output} {}",
                step.name,
                step.optional,
                step.assignments.len()
            ));
            for (name, column, id) in &step.states {
                let of = self.column(&scope, *column)?;
                let ty = self.ty_of(*id);
                let name = self.arena.constant(Constant::String(name.clone()));
                let state = self.opaque_call("$state", vec![name, of], ty);
                scope.columns.insert(*id, state);
            }
            conditions.push(self.test(&step.condition, &scope)?.holds);
            for (id, e) in &step.assignments {
                let place = set.iter().position(|s| s == id).unwrap_or(usize::MAX);
                texts.push(format_smolstr!("set {place}"));
                args.push(self.value(e, &scope)?);
            }
        }
        let source = Source::Other {
            what: "scan".into(),
            inputs: [block].into(),
            args: args.into(),
            conditions: conditions.into(),
            texts: texts.into(),
        };
        let mut rel = self.rel_of(source);
        for id in plan.output.iter() {
            let ty = self.ty_of(*id);
            let term = if Some(*id) == s.match_id {
                self.made_part("match id", Vec::new(), 0, ty)
            } else if let Some(place) = set.iter().position(|s| s == id) {
                self.made_part("set", Vec::new(), place, ty)
            } else {
                let term = self.column(&input, *id)?;
                self.input(0, term)
            };
            rel.columns.insert(*id, term);
        }
        Ok(rel)
    }

    /// Names and values of all columns, for what reads whole rows.
    fn whole_rows(&mut self, rel: &Rel, args: &mut Vec<TermId>, texts: &mut Vec<SmolStr>) -> Made<()> {
        for id in rel.output.iter() {
            texts.push(self.query.columns.name(*id).into());
            args.push(self.column(rel, *id)?);
        }
        args.extend(&rel.events);
        Ok(())
    }

    /// Columns that are passed on keep their ids; the others are made, under names that may come from the data.
    fn passed_or_made(&mut self, plan: &Plan, input: Option<&Rel>, what: &str, rel: &mut Rel) -> Made<()> {
        for (n, id) in plan.output.iter().enumerate() {
            let term = match input {
                Some(input) if input.output.contains(id) => {
                    let term = self.column(input, *id)?;
                    self.arena.term(Term::Input(0, term))
                }
                _ => {
                    let what = format_smolstr!("{what} {}", self.query.columns.name(*id));
                    self.made_part(what, Vec::new(), n, self.ty_of(*id))
                }
            };
            rel.columns.insert(*id, term);
        }
        Ok(())
    }

    pub fn plugin(&mut self, plan: &Plan, input: Option<Rel>, p: &Plugin) -> Made<Rel> {
        let mut inputs = Vec::new();
        let (mut args, mut texts) = (Vec::new(), vec![SmolStr::new(p.function.name)]);
        let input = match input {
            Some(rel) => {
                let (block, rel) = self.sealed(rel)?;
                inputs.push(block);
                self.whole_rows(&rel, &mut args, &mut texts)?;
                args.extend(rel.order.keys.iter().map(|k| k.0));
                texts.extend(order_texts(&rel.order));
                Some(rel)
            }
            None => None,
        };
        let mut scope = match &input {
            Some(rel) => rel.clone(),
            None => self.no_scope(),
        };
        // Tables first: other arguments name their columns.
        for arg in &p.args {
            if let PluginArg::Table(table) = arg {
                let rel = self.rel(table)?;
                let (block, rel) = self.sealed(rel)?;
                let side = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
                inputs.push(block);
                texts.push("table".into());
                self.whole_rows(&rel, &mut args, &mut texts)?;
                for id in rel.output.iter() {
                    let term = self.column(&rel, *id)?;
                    let term = self.arena.term(Term::Input(side, term));
                    scope.columns.entry(*id).or_insert(term);
                }
            }
        }
        let mut group = Group::new(scope.clone(), Vec::new());
        for arg in &p.args {
            match arg {
                PluginArg::Expr(e) => {
                    texts.push("value".into());
                    args.push(self.value(e, &scope)?);
                }
                PluginArg::Aggregate(item) => {
                    texts.push("aggregate".into());
                    args.extend(self.aggregated(item, &mut group)?);
                }
                PluginArg::Table(_) => texts.push("the table".into()),
            }
        }
        let what = format!("plugin {}", p.function.name);
        let source = Source::Other {
            what: what.as_str().into(),
            inputs: inputs.into(),
            args: args.into(),
            conditions: [].into(),
            texts: texts.into(),
        };
        let mut rel = self.rel_of(source);
        self.passed_or_made(plan, input.as_ref(), &what, &mut rel)?;
        if p.open {
            rel.events.push(self.made_part("further columns", Vec::new(), 0, Type::String));
        }
        Ok(rel)
    }

    /// `T | invoke F(x)`: each row beside what the input has for its key.
    pub fn invoked(&mut self, plan: &Plan, input: &ir::Input, over: &Plan) -> Made<Rel> {
        let over = self.rel(over)?;
        let (block, over) = self.sealed(over)?;
        let mut args = Vec::new();
        for arg in &input.args {
            args.push(self.value(arg, &over)?);
        }
        // Without an argument the key is known by its name.
        if !input.args.iter().any(|a| a.as_column().is_some()) {
            for id in over.output.iter() {
                if self.query.columns.name(*id) == "SHA1" {
                    args.push(self.column(&over, *id)?);
                }
            }
        }
        let mut texts = vec![input.name.clone()];
        texts.extend(input.properties.iter().map(|(k, v)| format_smolstr!("{k}={v}")));
        let source = self.other("invoke", args, texts)(block);
        let mut rel = self.rel_of(source);
        for id in plan.output.iter() {
            let term = if over.output.contains(id) {
                let term = self.column(&over, *id)?;
                self.arena.term(Term::Input(0, term))
            } else {
                let what = format_smolstr!("invoked {}", self.query.columns.name(*id));
                self.made_part(what, Vec::new(), 0, self.ty_of(*id))
            };
            rel.columns.insert(*id, term);
        }
        Ok(rel)
    }

    /// `search`, `find`: a union with a condition that does not see the name of the table.
    pub fn search(&mut self, plan: &Plan, s: &Search) -> Made<Rel> {
        if s.inputs.is_empty() {
            self.leave_out("the tables to search are not known");
            let source = Source::Scan {
                name: "*".into(),
                kind: ScanKind::Glob,
                qualifiers: [].into(),
                args: [].into(),
                over: None,
            };
            let mut rel = self.rel_of(source);
            for id in plan.output.iter() {
                let name = SmolStr::new(self.query.columns.name(*id));
                let ty = self.ty_of(*id);
                let term = self.arena.term(Term::Column { name, ty });
                rel.columns.insert(*id, term);
            }
            rel.output = plan.output.clone();
            rel.events.push(self.arena.term(Term::Event));
            let test = self.test(&s.predicate, &rel)?;
            self.push(&mut rel.draft, test.holds)?;
            return Ok(rel);
        }
        let mut rels = Vec::with_capacity(s.inputs.len());
        for input in &s.inputs {
            rels.push(self.rel(input)?);
        }
        let mut rel = self.merge(plan, rels, &s.columns, s.source, &s.labels)?;
        rel.output = plan.output.clone();
        rel.hidden = s.source;
        let shown = s.source.and_then(|id| rel.columns.get(&id).copied());
        if let Some(id) = s.source {
            let null = self.arena.constant(Constant::Null(Type::String));
            rel.columns.insert(id, null);
        }
        let test = self.test(&s.predicate, &rel)?;
        self.push(&mut rel.draft, test.holds)?;
        if let (Some(id), Some(term)) = (s.source, shown) {
            rel.columns.insert(id, term);
        }
        rel.hidden = None;
        Ok(rel)
    }

    pub fn schema(&mut self, plan: &Plan, source: &Plan) -> Made<Rel> {
        let mut rows = Vec::with_capacity(source.output.len());
        for (n, id) in source.output.iter().enumerate() {
            let ty = self.ty_of(*id);
            let name = SmolStr::new(self.query.columns.name(*id));
            let n = i64::try_from(n).unwrap_or(i64::MAX);
            let cells = [
                Constant::String(name),
                Constant::Long(n),
                Constant::String(ty.clr_name().into()),
                Constant::String(ty.name().into()),
            ];
            rows.push(cells.into_iter().map(|c| self.arena.constant(c)).collect());
        }
        let mut rel = self.rel_of(Source::Values(rows.into()));
        for (n, id) in plan.output.iter().enumerate() {
            let term = self.arena.term(Term::Column { name: format_smolstr!("${n}"), ty: self.ty_of(*id) });
            rel.columns.insert(*id, term);
        }
        rel.order.natural = true;
        Ok(rel)
    }

    pub fn opaque_rows(&mut self, plan: &Plan, input: Option<Rel>, opaque: &Opaque) -> Made<Rel> {
        self.leave_out(format!("`{}`: {}", super::expr::shorten(&opaque.text), opaque.reason));
        let (mut args, mut texts) = (Vec::new(), vec![SmolStr::new(opaque.language), opaque.text.clone()]);
        let scope = match &input {
            Some(rel) => rel.clone(),
            None => self.no_scope(),
        };
        if !self.says_all(opaque, &scope) {
            texts.push(format_smolstr!("{}", self.arena.size()));
        }
        let mut inputs = Vec::new();
        let input = match input {
            Some(rel) => {
                let (block, rel) = self.sealed(rel)?;
                inputs.push(block);
                self.whole_rows(&rel, &mut args, &mut texts)?;
                Some(rel)
            }
            None => None,
        };
        let source = Source::Other {
            what: "opaque".into(),
            inputs: inputs.into(),
            args: args.into(),
            conditions: [].into(),
            texts: texts.into(),
        };
        let mut rel = self.rel_of(source);
        self.passed_or_made(plan, input.as_ref(), "opaque", &mut rel)?;
        Ok(rel)
    }
}
