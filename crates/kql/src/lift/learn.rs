//! Columns that no schema tells: which names a query uses over which source, and of what type they must be.

use super::scope::{Origins, Rel, Scope};
use super::{Lifter, MAX_SIZE, codes};
use ruleferry_diag::{Diagnostic, Span};
use ruleferry_ir::{self as ir, ColId, Type};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::fmt::Write as _;

/// A source of rows whose columns may have to be learned; the same in all passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SourceKey(u32);

/// What a source is, for the list of assumptions and to find it again in the next pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SourceName {
    Table(SmolStr),
    Watchlist(SmolStr),
    Function(SmolStr),
    /// An operator whose columns are known only when it runs, by its place in the text.
    Operator(&'static str, Span),
}

#[derive(Clone, Debug)]
pub(crate) struct LearnedColumn {
    pub name: SmolStr,
    pub ty: Option<Type>,
    /// The caller's data tell the type: no use of the column changes it.
    given: bool,
    /// Where the query speaks of it first.
    span: Span,
    /// The column that stands for it in the pass that met it first.
    placeholder: Option<ColId>,
}

#[derive(Debug, Default)]
struct SourceInfo {
    /// Shown for people: open, or closed with columns that the schema data lacks.
    closed: bool,
    columns: Vec<LearnedColumn>,
    by_name: FxHashMap<SmolStr, usize>,
}

/// Which of the time columns a query speaks of; this decides between the two products that have the same tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimeNames {
    pub timestamp: bool,
    pub time_generated: bool,
}

impl TimeNames {
    const fn defender(self) -> bool {
        self.timestamp && !self.time_generated
    }
}

/// What all passes over a query have learned.
#[derive(Debug)]
pub(crate) struct Knowledge {
    /// Names of time columns that the query was taken to use in this pass, and those that it has used so far.
    assumed: TimeNames,
    seen: TimeNames,
    /// The choice was corrected once; it is not done again.
    corrected: bool,
    keys: FxHashMap<SourceName, SourceKey>,
    names: Vec<SourceName>,
    sources: Vec<SourceInfo>,
    /// Placeholders of this pass: where their column is.
    placeholders: FxHashMap<ColId, Vec<(SourceKey, usize)>>,
    fresh: bool,
}

impl Knowledge {
    /// The text gives the first guess at the time columns; what the query really uses decides.
    pub fn new(text: &str) -> Self {
        let has = |name: &str| memchr::memmem::find(text.as_bytes(), name.as_bytes()).is_some();
        Self {
            assumed: TimeNames { timestamp: has("Timestamp"), time_generated: has("TimeGenerated") },
            seen: TimeNames::default(),
            corrected: false,
            keys: FxHashMap::default(),
            names: Vec::new(),
            sources: Vec::new(),
            placeholders: FxHashMap::default(),
            fresh: false,
        }
    }

    pub fn key(&mut self, name: SourceName) -> SourceKey {
        if let Some(key) = self.keys.get(&name) {
            return *key;
        }
        let key = SourceKey(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.keys.insert(name.clone(), key);
        self.names.push(name);
        self.sources.push(SourceInfo::default());
        key
    }

    /// Columns learned in earlier passes.
    pub fn learned(&self, key: SourceKey) -> impl Iterator<Item = (&SmolStr, Type)> {
        let columns = self.sources.get(key.0 as usize).map_or(&[][..], |s| &s.columns);
        columns.iter().filter(|c| c.placeholder.is_none()).map(|c| (&c.name, c.ty.unwrap_or(Type::String)))
    }

    /// Ends a pass; whether it learned something, so that another one is needed.
    pub fn finish_pass(&mut self) -> bool {
        let seen = std::mem::take(&mut self.seen);
        let says = seen.timestamp || seen.time_generated;
        if says && seen.defender() != self.assumed.defender() && !self.corrected {
            *self = Self { assumed: seen, corrected: true, ..Self::new("") };
            return true;
        }
        self.placeholders.clear();
        for column in self.sources.iter_mut().flat_map(|s| &mut s.columns) {
            column.placeholder = None;
        }
        std::mem::take(&mut self.fresh)
    }

    /// One line a source.
    pub fn assumptions(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, source) in self.names.iter().zip(&self.sources).filter(|(_, s)| !s.columns.is_empty()) {
            let mut line = match (name, source.closed) {
                (SourceName::Table(t), true) => {
                    format!("table `{t}` has columns that its schema here lacks:")
                }
                (SourceName::Table(t), false) => format!("columns of table `{t}`, inferred from use:"),
                (SourceName::Watchlist(t), _) => format!("columns of watchlist `{t}`, inferred from use:"),
                (SourceName::Function(t), _) => format!("columns of function `{t}`, inferred from use:"),
                (SourceName::Operator(t, _), _) => format!("columns that `{t}` makes, inferred from use:"),
            };
            for (i, column) in source.columns.iter().enumerate() {
                let separator = if i == 0 { "" } else { "," };
                // Writing to a string cannot fail.
                let _ = write!(line, "{separator} `{}` {}", column.name, column.ty.unwrap_or(Type::String));
            }
            lines.push(line);
        }
        lines
    }

    pub const fn time_names(&self) -> TimeNames {
        self.assumed
    }

    /// A name was looked up.
    pub fn see(&mut self, name: &str) {
        match name {
            "Timestamp" => self.seen.timestamp = true,
            "TimeGenerated" => self.seen.time_generated = true,
            _ => {}
        }
    }

    fn source(&mut self, key: SourceKey) -> Option<&mut SourceInfo> {
        self.sources.get_mut(key.0 as usize)
    }
}

impl Lifter<'_> {
    /// A column of this name that the sources of `rel` must have though no schema says so; `None` where it cannot be one.
    pub(crate) fn learn(&mut self, rel: &Rel, name: &str, span: Span) -> Option<ColId> {
        if self.exhausted || name.is_empty() || name.starts_with('$') {
            return None;
        }
        let (keys, name, closed) = self.where_to_learn(rel, name)?;
        self.size += keys.len();
        if self.size > MAX_SIZE {
            self.exhaust(codes::LIFT_TOO_LARGE, span, "too many columns are to be inferred from use".into());
            return None;
        }
        // The same name in the same pass is the same column.
        for key in &keys {
            let known = self.knowledge.source(*key).and_then(|s| Some((s.by_name.get(name)?, &s.columns)));
            if let Some(id) = known.and_then(|(i, columns)| columns.get(*i)?.placeholder) {
                return Some(id);
            }
        }
        let placeholder = self.add_column(SmolStr::new(name), Type::Unknown, span);
        let mut added = false;
        for key in keys {
            added |= self.learn_at(key, name, placeholder, closed);
        }
        // If nothing was added, every source has the column already, and an operator on the way took it out of sight.
        if matches!(name, "TimeGenerated" | "Timestamp") {
            self.hint_column(placeholder, Type::Datetime);
        }
        added.then_some(placeholder)
    }

    fn learn_at(&mut self, key: SourceKey, name: &str, placeholder: ColId, closed: bool) -> bool {
        let span = self.columns.get(placeholder).map(|c| c.span).unwrap_or_default();
        let Some(source) = self.knowledge.source(key) else { return false };
        if source.by_name.contains_key(name) {
            return false;
        }
        let at = source.columns.len();
        if !self.allows_columns(at, span) {
            return false;
        }
        let given = self.data_type(key, name);
        let Some(source) = self.knowledge.source(key) else { return false };
        source.closed |= closed && given.is_none();
        source.by_name.insert(SmolStr::new(name), at);
        source.columns.push(LearnedColumn {
            name: SmolStr::new(name),
            ty: given,
            given: given.is_some(),
            span,
            placeholder: Some(placeholder),
        });
        self.knowledge.placeholders.entry(placeholder).or_default().push((key, at));
        self.knowledge.fresh = true;
        true
    }

    /// The type of a column that the caller's own table has.
    fn data_type(&self, key: SourceKey, name: &str) -> Option<Type> {
        let Some(SourceName::Table(table)) = self.knowledge.names.get(key.0 as usize) else { return None };
        self.data?.column(table, name)
    }

    /// The sources that get the column, its name there, and whether their schema should have told.
    fn where_to_learn<'n>(&self, rel: &Rel, name: &'n str) -> Option<(Vec<SourceKey>, &'n str, bool)> {
        let Origins { open, closed, suffixed } = &rel.origins;
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if stem.len() < name.len()
            && !suffixed.is_empty()
            && self.find_column(&rel.plan.output, stem).is_some()
        {
            return Some((suffixed.clone(), stem, false));
        }
        if !open.is_empty() {
            return Some((open.clone(), name, false));
        }
        (!closed.is_empty()).then(|| (closed.clone(), name, true))
    }

    /// As a name in an expression, but with a type, and nothing reported: `column_ifexists`.
    pub(crate) fn learn_or_find(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        span: Span,
        ty: Type,
    ) -> Option<ColId> {
        if let Some(id) = self.row_column(scope, name) {
            return Some(id);
        }
        let row = scope.row.filter(|r| !r.origins.open.is_empty())?;
        let id = self.learn(row, name, span)?;
        self.hint_column(id, ty);
        Some(id)
    }

    /// A use tells the type of a learned column. Nothing happens for an expression that is no such column.
    pub(crate) fn hint(&mut self, e: &ir::Expr, ty: Type) {
        if let ir::ExprKind::Column(id) = e.kind {
            self.hint_column(id, ty);
        }
    }

    fn hint_column(&mut self, id: ColId, ty: Type) {
        if ty == Type::Unknown || self.columns.ty(id) != Type::Unknown {
            return;
        }
        let Some(places) = self.knowledge.placeholders.get(&id).cloned() else { return };
        for (key, at) in places {
            let column = self.knowledge.source(key).and_then(|s| s.columns.get_mut(at));
            if let Some(column) = column
                && !column.given
                && column.ty.is_none_or(|old| old.evidence() < ty.evidence())
            {
                column.ty = Some(ty);
            }
        }
    }

    /// A column of a union is used that some of its open inputs have not learned yet.
    pub(crate) fn learn_partial(&mut self, id: ColId) {
        let Some(keys) = self.partial.remove(&id) else { return };
        let (name, ty) = (SmolStr::new(self.columns.name(id)), self.columns.ty(id));
        for key in keys {
            self.learn_at(key, &name, id, false);
            let column = self
                .knowledge
                .source(key)
                .and_then(|s| s.by_name.get(&name).and_then(|i| s.columns.get_mut(*i)));
            if let Some(column) = column.filter(|c| c.ty.is_none() && ty != Type::Unknown) {
                column.ty = Some(ty);
            }
        }
    }

    /// A learned column has the type of a column that a schema knows, because a union makes them one.
    pub(crate) fn retype_learned(&mut self, id: ColId, ty: Type) -> bool {
        let Some((key, name)) = self.learned_ids.get(&id).cloned() else { return false };
        let Some(source) = self.knowledge.source(key) else { return false };
        let Some(column) = source.by_name.get(&name).and_then(|i| source.columns.get_mut(*i)) else {
            return false;
        };
        if column.ty != Some(ty) {
            column.ty = Some(ty);
            self.knowledge.fresh = true;
        }
        true
    }

    /// A new column stands for an old one: what is learned of it goes to the same place.
    pub(super) fn same_origin(&mut self, new: ColId, old: ColId) {
        if let Some(places) = self.knowledge.placeholders.get(&old).cloned() {
            self.knowledge.placeholders.insert(new, places);
        }
        if let Some(learned) = self.learned_ids.get(&old).cloned() {
            self.learned_ids.insert(new, learned);
        }
        if let Some(keys) = self.partial.get(&old).cloned() {
            self.partial.insert(new, keys);
        }
    }

    /// A column that is another one under a new name: hints go to the same place.
    pub(crate) fn alias_column(&mut self, new: ColId, of: &ir::Expr) {
        if let ir::ExprKind::Column(old) = of.kind {
            self.same_origin(new, old);
        }
    }

    /// Warns once for each column that a closed schema lacks.
    pub(crate) fn warn_of_closed(&mut self, table: &str, key: SourceKey, schema: &[ColId]) {
        let Some(source) = self.knowledge.source(key).filter(|s| s.closed) else { return };
        let names: Vec<(SmolStr, Span)> =
            source.columns.iter().filter(|c| !c.given).map(|c| (c.name.clone(), c.span)).collect();
        for (name, span) in names {
            let message =
                format!("table `{table}` has no column `{name}` in the schema data; it is taken to exist");
            let mut diagnostic = Diagnostic::warning(codes::COLUMN_NOT_IN_SCHEMA, span, message);
            if let Some(near) = self.nearest(schema, &name) {
                diagnostic = diagnostic.with_help(format!("did you mean `{near}`?"));
            }
            self.diagnose(diagnostic);
        }
    }
}
