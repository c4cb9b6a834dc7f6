//! The rows to be made: their values, what is asked of each, which of them are equal, how often a row comes.
//!
//! In: wishes from a walk over a rule. Out: tables.

use super::wish::{About, Patterns, Wish, alternatives, candidates, text_of};
use indexmap::IndexMap;
use ruleferry_eval::{MemoryTable, MemoryTables, Row, Value, cast, json_text};
use ruleferry_ir::{Json, Type};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

pub(super) type NodeId = usize;
pub(super) type TemplateId = usize;

/// A piece of a text that is put together from other values.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(SmolStr),
    Hole(NodeId),
}

/// A text with values inside.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub pieces: Vec<Piece>,
    /// It must stand at the start.
    pub first: bool,
}

/// A value: a column of a row, or a part of one.
#[derive(Clone, Debug, Default)]
struct Node {
    name: SmolStr,
    ty: Option<Type>,
    wishes: Vec<Wish>,
    members: IndexMap<SmolStr, NodeId>,
    elements: Vec<NodeId>,
    shapes: Vec<Shape>,
    /// It is (also) a text of JSON.
    fixed: Option<Value>,
    /// The node that stands for this one.
    same: Option<NodeId>,
}

/// A row to be made, once or several times.
#[derive(Clone, Debug)]
struct Template {
    table: SmolStr,
    columns: IndexMap<SmolStr, (NodeId, Type)>,
    gone: bool,
}

/// Rows that come several times, each time with other values of some nodes.
#[derive(Clone, Debug)]
pub(super) struct Repeat {
    pub templates: Vec<TemplateId>,
    pub count: usize,
    /// Nodes with the step from one value to the next.
    pub vary: Vec<(NodeId, i64)>,
    /// All rows of the templates are copied where nothing varies, not those of the first alone.
    pub all: bool,
}

/// Rows that a table may come to.
const MAX_ROWS: usize = 1500;
const MAX_NODES: usize = 20_000;

#[derive(Debug)]
pub(super) struct Store<'p> {
    nodes: Vec<Node>,
    templates: Vec<Template>,
    pub repeats: Vec<Repeat>,
    /// Tables with all columns that are known of them.
    pub tables: IndexMap<SmolStr, IndexMap<SmolStr, Type>>,
    pub now: i64,
    pub patterns: &'p Patterns,
    /// Wishes that do not go together.
    pub conflicts: u32,
    /// Texts of split values: the text's node and the separator.
    pub splits: FxHashMap<(NodeId, SmolStr), Vec<NodeId>>,
    /// Which candidate a node takes.
    pub variant: u64,
    /// What the making has cost so far, in the steps of a search.
    pub work: u64,
    /// Nodes in the order in which they were decided.
    log: Vec<NodeId>,
}

impl<'p> Store<'p> {
    pub fn new(now: i64, patterns: &'p Patterns) -> Self {
        Self {
            nodes: Vec::new(),
            templates: Vec::new(),
            repeats: Vec::new(),
            tables: IndexMap::new(),
            now,
            patterns,
            conflicts: 0,
            splits: FxHashMap::default(),
            variant: 0,
            work: 0,
            log: Vec::new(),
        }
    }

    pub fn node(&mut self, name: &str, ty: Type) -> NodeId {
        if self.nodes.len() >= MAX_NODES {
            return self.nodes.len().saturating_sub(1);
        }
        self.nodes.push(Node { name: name.into(), ty: Some(ty), ..Node::default() });
        self.nodes.len() - 1
    }

    pub fn template(&mut self, table: &SmolStr) -> TemplateId {
        self.tables.entry(table.clone()).or_default();
        self.templates.push(Template { table: table.clone(), columns: IndexMap::new(), gone: false });
        self.templates.len() - 1
    }

    /// A row of this table that is there already.
    pub fn template_of(&self, table: &str) -> Option<TemplateId> {
        self.templates.iter().position(|t| t.table.eq_ignore_ascii_case(table))
    }

    pub fn column(&mut self, template: TemplateId, name: &str, ty: Type) -> NodeId {
        if let Some((id, _)) = self.templates.get(template).and_then(|t| t.columns.get(name)) {
            return *id;
        }
        // As the table has it, where both rules read it.
        let table = self.templates.get(template).map(|t| t.table.clone()).unwrap_or_default();
        let columns = self.tables.entry(table).or_default();
        let ty = *columns.entry(name.into()).or_insert(ty);
        let id = self.node(name, ty);
        if let Some(t) = self.templates.get_mut(template) {
            t.columns.insert(name.into(), (id, ty));
        }
        id
    }

    /// No rows of these templates, after all.
    pub fn forget(&mut self, templates: &[TemplateId]) {
        for at in templates {
            if let Some(t) = self.templates.get_mut(*at) {
                t.gone = true;
            }
        }
    }

    pub fn root(&self, mut id: NodeId) -> NodeId {
        while let Some(up) = self.nodes.get(id).and_then(|n| n.same) {
            id = up;
        }
        id
    }

    fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(self.root(id))
    }

    fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        let root = self.root(id);
        self.nodes.get_mut(root)
    }

    pub fn is_fixed(&self, id: NodeId) -> bool {
        self.get(id).is_some_and(|n| n.fixed.is_some())
    }

    /// Whether anything is asked of a node.
    pub fn is_asked(&self, id: NodeId) -> bool {
        self.get(id).is_some_and(|n| !n.wishes.is_empty() || !n.shapes.is_empty())
    }

    pub fn wish(&mut self, id: NodeId, wish: Wish) {
        let patterns = self.patterns;
        let mut broken = false;
        if let Some(node) = self.get_mut(id) {
            match &node.fixed {
                Some(value) => broken = !super::wish::holds(value, &wish, patterns),
                None => node.wishes.push(wish),
            }
        }
        self.conflicts += u32::from(broken);
    }

    pub fn shape(&mut self, id: NodeId, shape: Shape) {
        if let Some(node) = self.get_mut(id) {
            node.shapes.push(shape);
        }
    }

    pub fn member(&mut self, id: NodeId, name: &str) -> NodeId {
        if let Some(known) = self.get(id).and_then(|n| n.members.get(name)) {
            return *known;
        }
        let new = self.node(name, Type::Unknown);
        if let Some(node) = self.get_mut(id) {
            node.members.insert(name.into(), new);
        }
        new
    }

    pub fn element(&mut self, id: NodeId, at: usize) -> NodeId {
        loop {
            if let Some(known) = self.get(id).and_then(|n| n.elements.get(at)) {
                return *known;
            }
            let name = self.get(id).map(|n| n.name.clone()).unwrap_or_default();
            let new = self.node(&name, Type::Unknown);
            let room = self.get_mut(id).filter(|n| n.elements.len() < 400);
            match room {
                Some(node) => node.elements.push(new),
                None => return new,
            }
        }
    }

    /// Two nodes have one value.
    pub fn unite(&mut self, a: NodeId, b: NodeId) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        // What is decided stays.
        let (keep, gone) = if self.is_fixed(b) && !self.is_fixed(a) { (b, a) } else { (a, b) };
        let Some(node) = self.nodes.get_mut(gone) else { return };
        let taken = Node { same: Some(keep), ..Node::default() };
        let old = std::mem::replace(node, taken);
        for wish in old.wishes {
            self.wish(keep, wish);
        }
        for (name, member) in old.members {
            let known = self.get(keep).and_then(|n| n.members.get(&name)).copied();
            match known {
                Some(known) => self.unite(known, member),
                None => {
                    if let Some(n) = self.get_mut(keep) {
                        n.members.insert(name, member);
                    }
                }
            }
        }
        for (at, element) in old.elements.into_iter().enumerate() {
            let known = self.get(keep).and_then(|n| n.elements.get(at)).copied();
            match known {
                Some(known) => self.unite(known, element),
                None => {
                    if let Some(n) = self.get_mut(keep) {
                        n.elements.push(element);
                    }
                }
            }
        }
        let Some(node) = self.get_mut(keep) else { return };
        node.shapes.extend(old.shapes);
        // Of two types the one that can hold what the other holds.
        let rank = |ty: Option<Type>| match ty {
            Some(Type::String) => 3,
            Some(Type::Dynamic) => 2,
            Some(Type::Unknown) | None => 0,
            Some(_) => 1,
        };
        if rank(old.ty) > rank(node.ty) {
            node.ty = old.ty;
        }
        if let Some(value) = old.fixed
            && node.fixed.is_none()
        {
            node.fixed = Some(value);
        }
    }

    /// The value of a node, chosen now if it was not.
    pub fn value(&mut self, id: NodeId) -> Value {
        self.value_at(id, 0)
    }

    fn value_at(&mut self, id: NodeId, depth: usize) -> Value {
        let root = self.root(id);
        let Some(node) = self.nodes.get(root) else { return Value::Null };
        if let Some(value) = &node.fixed {
            return value.clone();
        }
        if depth > 16 {
            return Value::Null;
        }
        self.work += 10 + 10 * node.wishes.len() as u64;
        let value = self.decide(root, depth);
        self.fix(root, value.clone());
        value
    }

    /// Gives a node its value.
    pub fn fix(&mut self, id: NodeId, value: Value) {
        let root = self.root(id);
        if let Some(node) = self.nodes.get_mut(root) {
            node.fixed = Some(value);
            self.log.push(root);
        }
    }

    /// What is decided so far, to come back to.
    pub const fn save(&self) -> (usize, u32) {
        (self.log.len(), self.conflicts)
    }

    pub fn restore(&mut self, saved: (usize, u32)) {
        while self.log.len() > saved.0 {
            if let Some(node) = self.log.pop().and_then(|id| self.nodes.get_mut(id)) {
                node.fixed = None;
            }
        }
        self.conflicts = saved.1;
    }

    /// Values that a node may have.
    pub fn options(&self, id: NodeId, harvest: &[Value]) -> Vec<Value> {
        let root = self.root(id);
        let Some(node) = self.nodes.get(root) else { return Vec::new() };
        let about = About {
            ty: wanted_type(node.ty.unwrap_or(Type::Unknown), &node.wishes),
            wishes: &node.wishes,
            name: &node.name,
            number: root,
            shapes: &[],
            now: self.now,
            patterns: self.patterns,
        };
        super::late::options(&about, harvest, self.patterns)
    }

    /// The parts of a text with a separator between them, in place of fewer of them.
    pub fn shape_split(&mut self, id: NodeId, by: &str, parts: &[NodeId]) {
        let mut pieces: Vec<Piece> = Vec::new();
        for part in parts {
            if !pieces.is_empty() {
                pieces.push(Piece::Text(by.into()));
            }
            pieces.push(Piece::Hole(*part));
        }
        let Some(node) = self.get_mut(id) else { return };
        let same = |s: &Shape| matches!((s.pieces.first(), parts.first()), (Some(Piece::Hole(a)), Some(b)) if a == b);
        match node.shapes.iter_mut().find(|s| same(s)) {
            Some(shape) => shape.pieces = pieces,
            None => node.shapes.push(Shape { pieces, first: true }),
        }
    }

    fn decide(&mut self, root: NodeId, depth: usize) -> Value {
        let Some(node) = self.nodes.get(root).cloned() else { return Value::Null };
        let ty = node.ty.unwrap_or(Type::Unknown);
        if !node.elements.is_empty() || !node.members.is_empty() {
            return self.nested(&node, root, ty, depth);
        }
        let shapes: Vec<(String, bool)> =
            node.shapes.iter().map(|s| (self.shaped(s, depth), s.first)).collect();
        let wanted = wanted_type(ty, &node.wishes);
        let about = About {
            ty: wanted,
            wishes: &node.wishes,
            name: &node.name,
            number: root,
            shapes: &shapes,
            now: self.now,
            patterns: self.patterns,
        };
        let (found, good) = candidates(&about);
        self.conflicts += u32::from(!good);
        let at = if self.variant == 0 {
            0
        } else {
            let mixed = (self.variant ^ (root as u64) << 16).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
            // The first is the likeliest still.
            if mixed.is_multiple_of(3) {
                usize::try_from(mixed >> 8).unwrap_or(0) % found.len().max(1)
            } else {
                0
            }
        };
        found.into_iter().nth(at).unwrap_or(Value::Null)
    }

    fn shaped(&mut self, shape: &Shape, depth: usize) -> String {
        shape
            .pieces
            .iter()
            .map(|p| match p {
                Piece::Text(t) => t.to_string(),
                Piece::Hole(id) => text_of(&self.value_at(*id, depth + 1)).to_string(),
            })
            .collect()
    }

    fn nested(&mut self, node: &Node, root: NodeId, ty: Type, depth: usize) -> Value {
        // A text that must be inside of the JSON stands in a member of its own.
        let texts: Vec<Wish> = node
            .wishes
            .iter()
            .filter(|w| matches!(w.test, super::wish::Test::Text { .. }) && !w.not)
            .cloned()
            .collect();
        let mut json = if node.elements.is_empty() || node.members.len() > node.elements.len() {
            let members = node
                .members
                .iter()
                .map(|(name, id)| (name.clone(), plain_json(&self.value_at(*id, depth + 1))));
            Json::Object(members.filter(|(_, v)| !matches!(v, Json::Null)).collect())
        } else {
            let items = node.elements.iter().map(|id| plain_json(&self.value_at(*id, depth + 1)));
            Json::Array(items.collect())
        };
        let value = Value::dynamic(json.clone());
        let patterns = self.patterns;
        let unmet: Vec<Wish> =
            texts.into_iter().filter(|w| !super::wish::holds(&value, w, patterns)).collect();
        if !unmet.is_empty() {
            let about = About {
                ty: Type::String,
                wishes: &unmet,
                name: "",
                number: root,
                shapes: &[],
                now: self.now,
                patterns,
            };
            let extra = candidates(&about).0.into_iter().next().map_or(Json::Null, |v| v.to_json());
            match &mut json {
                Json::Object(map) => {
                    map.insert("note".into(), extra);
                }
                Json::Array(items) => items.push(extra),
                Json::Null
                | Json::Bool(_)
                | Json::Long(_)
                | Json::Real(_)
                | Json::String(_)
                | Json::Datetime(_)
                | Json::Timespan(_) => {}
            }
        }
        let value = Value::dynamic(json);
        let broken = node.wishes.iter().any(|w| !super::wish::holds(&value, w, patterns));
        self.conflicts += u32::from(broken);
        match (&value, ty) {
            (Value::Dynamic(json), Type::String) => Value::String(json_text(json)),
            _ => value,
        }
    }

    /// Other values that a node may have: the one that it has first.
    fn others(&mut self, id: NodeId, count: usize, step: i64) -> Vec<Value> {
        let base = self.value(id);
        let root = self.root(id);
        let Some(node) = self.nodes.get(root).cloned() else { return vec![base] };
        let ty = node.ty.unwrap_or(Type::Unknown);
        let about = About {
            ty: wanted_type(ty, &node.wishes),
            wishes: &node.wishes,
            name: &node.name,
            number: root,
            shapes: &[],
            now: self.now,
            patterns: self.patterns,
        };
        if matches!(base, Value::Dynamic(_)) && !(node.members.is_empty() && node.elements.is_empty()) {
            return vec![base];
        }
        alternatives(&base, count, step, &about)
    }

    /// The rows that the templates stand for.
    pub fn tables(&mut self) -> MemoryTables {
        let mut rows: Vec<Vec<FxHashMap<NodeId, Value>>> =
            vec![vec![FxHashMap::default()]; self.templates.len()];
        let columns: Vec<Vec<NodeId>> =
            self.templates.iter().map(|t| t.columns.values().map(|(id, _)| *id).collect()).collect();
        // Which nodes a column is made of.
        let made_of: Vec<Vec<NodeId>> = columns.iter().map(|ids| self.leaves(ids)).collect();
        let repeats = std::mem::take(&mut self.repeats);
        for repeat in &repeats {
            // So many are not made, and a few do not help.
            if repeat.count > MAX_ROWS {
                self.conflicts += 1;
                continue;
            }
            let count = repeat.count;
            let vary: Vec<(NodeId, Vec<Value>)> = repeat
                .vary
                .iter()
                .map(|(id, step)| {
                    let values = self.others(*id, count, *step);
                    (self.root(*id), values)
                })
                .collect();
            let short = vary.iter().any(|(_, values)| values.len() < count);
            self.conflicts += u32::from(short);
            for (at, of) in made_of.iter().enumerate() {
                let first = repeat.templates.first() == Some(&at)
                    || repeat.all && vary.is_empty() && repeat.templates.contains(&at);
                let touched = vary.iter().any(|(id, _)| of.contains(id));
                let copied = if vary.is_empty() { first } else { touched };
                let Some(mine) = rows.get_mut(at).filter(|r| copied && r.len() * count <= MAX_ROWS) else {
                    continue;
                };
                let old = std::mem::take(mine);
                for n in 0..count {
                    for row in &old {
                        let mut row = row.clone();
                        for (id, values) in &vary {
                            if let Some(value) = values.get(n % values.len().max(1)) {
                                row.insert(*id, value.clone());
                            }
                        }
                        mine.push(row);
                    }
                }
            }
        }
        self.repeats = repeats;
        let mut out = MemoryTables::default();
        for (table, columns) in &self.tables {
            let columns = columns.iter().map(|(n, t)| (n.clone(), *t)).collect();
            out.tables.insert(table.clone(), MemoryTable { columns, rows: Vec::new(), events: None });
        }
        for (at, rows) in rows.iter().enumerate() {
            let Some(template) = self.templates.get(at).filter(|t| !t.gone).cloned() else { continue };
            let Some(known) = self.tables.get(&template.table).cloned() else { continue };
            self.work += (rows.len() * (1 + known.len() / 8)) as u64;
            for over in rows {
                let made: Row = known
                    .iter()
                    .map(|(name, ty)| {
                        let Some((id, _)) = template.columns.get(name) else { return Value::Null };
                        let value = self.with(*id, over);
                        stored(&value, *ty)
                    })
                    .collect();
                if let Some(table) = out.tables.get_mut(&template.table) {
                    table.rows.push(made);
                }
            }
        }
        out
    }

    /// A value with some of the nodes inside of it replaced.
    fn with(&mut self, id: NodeId, over: &FxHashMap<NodeId, Value>) -> Value {
        let root = self.root(id);
        if let Some(value) = over.get(&root) {
            return value.clone();
        }
        if over.is_empty() || !self.leaves(&[id]).iter().any(|l| over.contains_key(l)) {
            return self.value(id);
        }
        // A part of it is replaced: made anew.
        let saved: Vec<(NodeId, Option<Value>)> = self
            .leaves(&[id])
            .into_iter()
            .filter_map(|l| Some((l, self.nodes.get(l)?.fixed.clone())))
            .collect();
        for (leaf, _) in &saved {
            if let Some(node) = self.nodes.get_mut(*leaf) {
                node.fixed = match over.get(leaf) {
                    Some(value) => Some(value.clone()),
                    None if node.members.is_empty() && node.elements.is_empty() && node.shapes.is_empty() => {
                        node.fixed.clone()
                    }
                    None => None,
                };
            }
        }
        let conflicts = self.conflicts;
        let value = self.value(id);
        self.conflicts = conflicts;
        for (leaf, fixed) in saved {
            if let Some(node) = self.nodes.get_mut(leaf) {
                node.fixed = fixed;
            }
        }
        value
    }

    /// The roots of nodes and of all that is inside of them.
    fn leaves(&self, ids: &[NodeId]) -> Vec<NodeId> {
        let mut out: Vec<NodeId> = Vec::new();
        let mut open: Vec<NodeId> = ids.to_vec();
        while let Some(id) = open.pop() {
            let root = self.root(id);
            if out.contains(&root) || out.len() > 2000 {
                continue;
            }
            out.push(root);
            if let Some(node) = self.nodes.get(root) {
                open.extend(node.members.values());
                open.extend(&node.elements);
                for shape in &node.shapes {
                    open.extend(shape.pieces.iter().filter_map(|p| match p {
                        Piece::Hole(id) => Some(*id),
                        Piece::Text(_) => None,
                    }));
                }
            }
        }
        out
    }
}

/// What is put into a dynamic value: JSON has no times of its own.
fn plain_json(value: &Value) -> Json {
    match value {
        Value::Datetime(t) => Json::String(ruleferry_ir::time::datetime_text(*t)),
        Value::Timespan(t) => Json::String(ruleferry_ir::time::timespan_text(*t)),
        other => other.to_json(),
    }
}

/// The value as its column holds it.
pub(super) fn stored(value: &Value, ty: Type) -> Value {
    match (value, ty) {
        (Value::Null, _) | (_, Type::Unknown) => value.clone(),
        (Value::Dynamic(_), Type::Dynamic) => value.clone(),
        // A text in a dynamic column is a text there; one that looks like JSON is read as such, as events are.
        (Value::String(s), Type::Dynamic) => {
            let nested = s.trim_start().starts_with(['{', '[']);
            let json = if nested { ruleferry_eval::parse_json(s) } else { None };
            Value::dynamic(json.unwrap_or_else(|| Json::String(s.clone())))
        }
        (Value::Datetime(_) | Value::Timespan(_), Type::Dynamic) => Value::dynamic(plain_json(value)),
        (_, ty) => cast(value, ty),
    }
}

/// The type in which a value is made: that of its column, or of what is asked where the column takes any.
fn wanted_type(ty: Type, wishes: &[Wish]) -> Type {
    if !matches!(ty, Type::Dynamic | Type::Unknown) {
        return ty;
    }
    let asked = wishes.iter().map(|w| w.ty).find(|t| !matches!(t, Type::Dynamic | Type::Unknown));
    asked.unwrap_or(Type::Unknown)
}
