//! What stands before the first pipe: tables, `let`s, functions, literal tables, inputs from outside.

use super::learn::{SourceKey, SourceName};
use super::scope::{Def, Env, Origins, Rel, Scope};
use super::{DataTables, Lifter, codes};
use crate::syntax::literal::Literal;
use crate::syntax::tree::{self, ExprKind};
use ruleferry_diag::{Diagnostic, Span};
use ruleferry_ir::functions::{FunctionKind, resolve};
use ruleferry_ir::{self as ir, ColId, Input, InputKind, Op, Plan, Scan, Source, TableName, Type};
use ruleferry_targets::schema::{self, SchemaSet, TableFunctionForm, TableRef};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::expr::scalar_type;

/// Functions that say where a table lives.
const QUALIFIERS: [&str; 8] =
    ["workspace", "database", "cluster", "app", "adx", "arg", "resource", "entity_group"];

impl Rel {
    /// Rows of which all columns are known.
    pub fn source(plan: Plan) -> Self {
        Self { plan, origins: Origins::default(), ordered: false, depth: 1 }
    }
}

impl<'t> Lifter<'t> {
    /// A tabular expression.
    pub(crate) fn table(&mut self, e: &'t tree::Expr, env: Env) -> Rel {
        if !self.enter(e.span.0) {
            return self.nothing(e.span.0);
        }
        let rel = self.table_inner(e, env);
        self.leave();
        rel
    }

    fn table_inner(&mut self, e: &'t tree::Expr, env: Env) -> Rel {
        let span = e.span.0;
        match &e.kind {
            ExprKind::Name(name) => self.named_table(name, span, env),
            ExprKind::Wildcard(name) => self.glob(name, span),
            ExprKind::Star => self.glob("*", span),
            ExprKind::Path { base, name } => match self.qualifiers(base) {
                Some(qualifiers) => self.scan(&name.text, qualifiers, span),
                None => self.not_a_table(span),
            },
            ExprKind::Call(call) => self.called_table(call, Vec::new(), span, env),
            ExprKind::MethodCall { base, call } => match self.qualifiers(base) {
                Some(qualifiers) => self.called_table(call, qualifiers, span, env),
                None => self.not_a_table(span),
            },
            ExprKind::Pipeline(pipeline) => self.pipeline(pipeline, None, env),
            ExprKind::Wrapped(wrapped) => match wrapped.kind {
                tree::WrapKind::ToScalar => self.not_a_table(span),
                // Where it stands in the middle of a query, it only says how to run it.
                tree::WrapKind::ToTable | tree::WrapKind::Materialize => self.table(&wrapped.value, env),
            },
            ExprKind::Datatable(datatable) => self.datatable(datatable, span, env),
            ExprKind::ExternalData(external) => self.external(external, span, env),
            ExprKind::DataScope { entity, .. } => self.table(entity, env),
            ExprKind::ClientParameter(_)
            | ExprKind::Literal(_)
            | ExprKind::Dynamic(_)
            | ExprKind::TypeOf(_)
            | ExprKind::Index { .. }
            | ExprKind::Unary { .. }
            | ExprKind::Binary(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::List(_)
            | ExprKind::Between(_)
            | ExprKind::Named(_)
            | ExprKind::EntityGroup(_) => self.not_a_table(span),
            ExprKind::Error => {
                self.error(codes::LIFT_ERROR_NODE, span, "this part of the query was not understood");
                self.nothing(span)
            }
        }
    }

    fn not_a_table(&mut self, span: Span) -> Rel {
        if !self.exhausted {
            let message = format!("`{}` is no table, and a table is needed here", shorten(self.text(span)));
            self.error(codes::VALUE_AS_TABLE, span, message);
        }
        self.nothing(span)
    }

    /// What stands where an error was reported: no rows. Any column may be asked of it, so that one fault is one message.
    pub(super) fn nothing(&mut self, span: Span) -> Rel {
        let key = self.knowledge.key(SourceName::Operator("the faulty part", span));
        let plan = Plan::new(Op::Values(ir::Values { rows: Vec::new(), print: false }), Vec::new(), span);
        let origins = Origins { open: vec![key], ..Origins::default() };
        let mut rel = Rel { plan, origins, ordered: true, depth: 1 };
        self.append_learned(&mut rel, key);
        rel
    }

    pub(super) fn named_table(&mut self, name: &str, span: Span, env: Env) -> Rel {
        let def = self.frames.find(env, name).or_else(|| self.as_names.get(name)).cloned();
        let Some(def) = def else { return self.scan(name, Vec::new(), span) };
        match def {
            Def::Table(table) => self.reference(&table, span),
            Def::Lazy(e, env) => self.table(e, env),
            Def::Rows(rel) => *rel,
            Def::Function(f) => self.call_table(f, None, &[], span, env),
            Def::Scalar(..) | Def::Inline(..) | Def::Unbound { .. } => {
                let message = format!("`{name}` is a value, and a table is needed here");
                self.error(codes::VALUE_AS_TABLE, span, message);
                self.nothing(span)
            }
            Def::Pattern => self.opaque_plan(None, "patterns have no neutral form", span),
        }
    }

    pub(super) fn is_known_table(&self, name: &str) -> bool {
        name.ends_with("_CL")
            || self.schema_of(name, &[]).is_some()
            || self.data.is_some_and(|d| d.columns(name).is_some())
    }

    /// Whether a call gives a table. `unknown` is the answer where nothing is known of the function.
    pub(super) fn call_is_tabular(&self, name: &str, unknown: bool) -> bool {
        if schema::table_function(name).is_some_and(|f| f.form == TableFunctionForm::Call) {
            return true;
        }
        if resolve(name, FunctionKind::Tabular).is_some() || QUALIFIERS.contains(&name) {
            return true;
        }
        let value =
            resolve(name, FunctionKind::Scalar).is_some() || resolve(name, FunctionKind::Aggregate).is_some();
        !value && (unknown || name.starts_with('_'))
    }

    /// `workspace("x")`, `cluster("c").database("d")`.
    pub(super) fn is_qualifier(&self, e: &tree::Expr) -> bool {
        let mut e = e;
        loop {
            match &e.kind {
                ExprKind::Call(call) => return QUALIFIERS.contains(&call.name.text.as_str()),
                ExprKind::MethodCall { base, call } if QUALIFIERS.contains(&call.name.text.as_str()) => {
                    e = base
                }
                _ => return false,
            }
        }
    }

    fn qualifiers(&self, e: &tree::Expr) -> Option<Vec<(SmolStr, SmolStr)>> {
        let (mut e, mut list) = (e, Vec::new());
        loop {
            let (call, base) = match &e.kind {
                ExprKind::Call(call) => (call, None),
                ExprKind::MethodCall { base, call } => (call, Some(base)),
                _ => return None,
            };
            if !QUALIFIERS.contains(&call.name.text.as_str()) {
                return None;
            }
            let argument = call.args.first().map(|a| match &a.kind {
                ExprKind::Literal(Literal::String(s)) => s.value.clone(),
                _ => SmolStr::new(self.text(a.span.0)),
            });
            list.push((call.name.text.clone(), argument.unwrap_or_default()));
            let Some(base) = base else { break };
            e = base;
        }
        list.reverse();
        Some(list)
    }

    fn schema_of(&self, name: &str, qualifiers: &[(SmolStr, SmolStr)]) -> Option<TableRef> {
        if qualifiers.iter().any(|(f, _)| f == "arg") {
            return schema::find_table(SchemaSet::ResourceGraph, name);
        }
        let times = self.knowledge.time_names();
        schema::choose_table(name, times.timestamp, times.time_generated)
    }

    /// A table of the data source.
    fn scan(&mut self, name: &str, qualifiers: Vec<(SmolStr, SmolStr)>, span: Span) -> Rel {
        let table = self.schema_of(name, &qualifiers);
        let key = self.knowledge.key(SourceName::Table(SmolStr::new(name)));
        let mut output;
        let open;
        let mut time = None;
        match table {
            Some(table) => {
                open = table.open;
                let columns = table.columns();
                output = Vec::with_capacity(columns.len());
                self.columns.reserve(columns.len());
                self.hashes.reserve(columns.len());
                for (column, ty) in columns {
                    let id = self.add_column(SmolStr::new_static(column), ty, Span::default());
                    if table.time_column == Some(column) {
                        time = Some(id);
                    }
                    output.push(id);
                }
                self.assume_schema(table);
            }
            None if let Some(columns) = self.data.and_then(|d| d.columns(name)) => {
                open = true;
                output = Vec::with_capacity(columns.len());
                for (column, ty) in columns {
                    let is_time =
                        ty == Type::Datetime && matches!(column.as_str(), "TimeGenerated" | "Timestamp");
                    let id = self.add_column(column, ty, Span::default());
                    if is_time && time.is_none() {
                        time = Some(id);
                    }
                    output.push(id);
                }
            }
            None => {
                open = true;
                let times = self.knowledge.time_names();
                let column =
                    if times.timestamp && !times.time_generated { "Timestamp" } else { "TimeGenerated" };
                let id = self.add_column(SmolStr::new_static(column), Type::Datetime, Span::default());
                time = Some(id);
                output = vec![id];
                self.unknown_table(name, &qualifiers, span);
            }
        }
        let name = SmolStr::new(name);
        let scan = Scan { source: Source::Table(TableName { qualifiers, name: name.clone() }), open, time };
        let origins = if open {
            Origins { open: vec![key], ..Origins::default() }
        } else {
            Origins { closed: vec![key], ..Origins::default() }
        };
        if !open {
            self.warn_of_closed(&name, key, &output);
        }
        let plan = Plan::new(Op::Scan(scan), output, span);
        let mut rel = Rel { plan, origins, ordered: false, depth: 1 };
        self.append_learned(&mut rel, key);
        rel
    }

    /// Says that a table is in no schema; of a name that looks like a misspelt one, with a warning.
    fn unknown_table(&mut self, name: &str, qualifiers: &[(SmolStr, SmolStr)], span: Span) {
        self.assume(format!("table `{name}` is in no schema: its columns are those that the query uses"));
        // Custom tables, and tables that live elsewhere, are in no schema by their nature.
        if !qualifiers.is_empty() || name.ends_with("_CL") {
            return;
        }
        let sets = [SchemaSet::LogAnalytics, SchemaSet::DefenderXdr];
        if let Some(near) = schema::similar_table(&sets, name) {
            let message = format!("table `{name}` is in no schema; it is taken to exist");
            let help = format!("did you mean `{near}`?");
            self.diagnose(Diagnostic::warning(codes::UNKNOWN_TABLE, span, message).with_help(help));
        }
    }

    fn assume_schema(&mut self, table: TableRef) {
        let other = match table.set {
            SchemaSet::DefenderXdr => SchemaSet::LogAnalytics,
            SchemaSet::LogAnalytics => SchemaSet::DefenderXdr,
            SchemaSet::ResourceGraph => return,
        };
        if schema::find_table(other, table.name).is_some() {
            let product = match table.set {
                SchemaSet::DefenderXdr => "Defender XDR",
                SchemaSet::LogAnalytics | SchemaSet::ResourceGraph => "Log Analytics",
            };
            self.assume(format!("table `{}` is read with its {product} schema", table.name));
        }
    }

    /// Columns of the source that earlier passes learned.
    pub(super) fn append_learned(&mut self, rel: &mut Rel, key: SourceKey) {
        let learned: Vec<(SmolStr, Type)> =
            self.knowledge.learned(key).map(|(n, t)| (n.clone(), t)).collect();
        if learned.is_empty() {
            return;
        }
        let schema = std::sync::Arc::clone(&rel.plan.output);
        let mut output = schema.to_vec();
        for (name, ty) in learned {
            if self.find_column(&schema, &name).is_none() {
                let id = self.add_column(name.clone(), ty, Span::default());
                self.learned_ids.insert(id, (key, name));
                output.push(id);
            }
        }
        rel.plan.output = output.into();
    }

    /// Tables whose names fit: those that a schema knows; where none does, the glob itself, whose columns are learned.
    fn glob(&mut self, pattern: &str, span: Span) -> Rel {
        let key = self.knowledge.key(SourceName::Table(SmolStr::new(pattern)));
        let id = self.add_column(SmolStr::new_static("TimeGenerated"), Type::Datetime, Span::default());
        let scan = Scan { source: Source::Glob(SmolStr::new(pattern)), open: true, time: Some(id) };
        let origins = Origins { open: vec![key], ..Origins::default() };
        let mut rel =
            Rel { plan: Plan::new(Op::Scan(scan), vec![id], span), origins, ordered: false, depth: 1 };
        self.append_learned(&mut rel, key);
        rel
    }

    /// The tables of the schema data that a wildcard in a union stands for.
    pub(super) fn glob_tables(&self, pattern: &str) -> Vec<SmolStr> {
        let given = self.given_tables(pattern);
        if !given.is_empty() {
            return given;
        }
        let times = self.knowledge.time_names();
        let set = if times.timestamp && !times.time_generated {
            SchemaSet::DefenderXdr
        } else {
            SchemaSet::LogAnalytics
        };
        let fits = schema::tables(set).map(|t| t.name).filter(|n| super::op::fits_wildcard(pattern, n));
        fits.take(GLOB_LIMIT + 1).map(SmolStr::new_static).collect()
    }

    /// The caller's own tables that fit.
    pub(super) fn given_tables(&self, pattern: &str) -> Vec<SmolStr> {
        let names: Vec<SmolStr> = self.data.map(DataTables::names).unwrap_or_default();
        names.into_iter().filter(|n| super::op::fits_wildcard(pattern, n)).collect()
    }

    pub(super) fn table_by_name(&mut self, name: &str, span: Span) -> Rel {
        self.scan(name, Vec::new(), span)
    }

    /// A call in the place of a table.
    fn called_table(
        &mut self,
        call: &'t tree::Call,
        qualifiers: Vec<(SmolStr, SmolStr)>,
        span: Span,
        env: Env,
    ) -> Rel {
        let name = call.name.text.as_str();
        if qualifiers.is_empty() {
            match self.frames.find(env, name) {
                Some(Def::Function(f)) => {
                    let f = *f;
                    return self.call_table(f, None, &call.args, span, env);
                }
                // `T()` of a table let.
                Some(Def::Table(_) | Def::Lazy(..) | Def::Rows(_)) if call.args.is_empty() => {
                    return self.named_table(name, span, env);
                }
                Some(Def::Pattern) => return self.opaque_plan(None, "patterns have no neutral form", span),
                _ => {}
            }
        }
        if name == "table" || name == "external_table" {
            let argument = call.args.first().map(|a| self.expr(a, &Scope::bare(env)));
            if let Some(table) = argument.and_then(|a| self.constant_text(&a).map(SmolStr::new)) {
                if qualifiers.is_empty() && self.frames.find(env, &table).is_some() {
                    return self.named_table(&table, span, env);
                }
                return self.scan(&table, qualifiers, span);
            }
        }
        self.function_input(call, None, span, env)
    }

    /// A table that a function from outside of the query gives.
    pub(super) fn function_input(
        &mut self,
        call: &'t tree::Call,
        over: Option<Rel>,
        span: Span,
        env: Env,
    ) -> Rel {
        let name = &call.name.text;
        let scope = match &over {
            Some(rel) => Scope::over(env, rel),
            None => Scope::bare(env),
        };
        let mut args = Vec::with_capacity(call.args.len());
        let mut properties = Vec::new();
        for arg in &call.args {
            match &arg.kind {
                ExprKind::Named(named) => {
                    if let tree::ColumnNames::One(n) = &named.names {
                        let value = if self.is_tabular(&named.value, env) {
                            SmolStr::new(self.text(named.value.span.0))
                        } else {
                            let value = self.expr(&named.value, &scope);
                            let constant = self.constant_text(&value).map(SmolStr::new);
                            args.push(value);
                            constant.unwrap_or_else(|| SmolStr::new(self.text(named.value.span.0)))
                        };
                        properties.push((n.text.clone(), value));
                    }
                }
                // A table as argument of a function that is not known: it is kept as text only.
                _ if self.is_tabular(arg, env) => {
                    properties.push((SmolStr::default(), SmolStr::new(self.text(arg.span.0))));
                }
                _ => args.push(self.expr(arg, &scope)),
            }
        }
        let known = schema::table_function(name);
        let watchlist = (name == "_GetWatchlist")
            .then(|| args.first().and_then(|a| self.constant_text(a)).map(SmolStr::new));
        let (kind, source) = match watchlist.flatten() {
            Some(alias) => (InputKind::Watchlist, SourceName::Watchlist(alias)),
            None => (InputKind::Function, SourceName::Function(name.clone())),
        };
        let label = match &source {
            SourceName::Watchlist(n) | SourceName::Function(n) | SourceName::Table(n) => n.clone(),
            SourceName::Operator(n, _) => SmolStr::new_static(n),
        };
        let identity = SmolStr::from(format!("{kind:?} {label} {}", self.text_of_args(call)));
        let input_name = self.input_name(identity, &label);
        let open = known.is_none_or(|f| f.open);
        let key = self.knowledge.key(source);
        let mut output: Vec<ColId> = Vec::new();
        let mut origins = Origins::default();
        let mut depth = 1;
        if let Some(rel) = over.as_ref().filter(|_| known.is_none_or(|f| f.keeps_input)) {
            output.extend(rel.plan.output.iter());
            origins = rel.origins.clone();
            depth = rel.depth + 1;
        }
        for (column, ty) in known.map_or(&[][..], |f| f.columns) {
            let name = self.fresh_name(&output, column);
            let id = self.add_column(name, *ty, Span::default());
            output.push(id);
        }
        if known.is_none() && over.is_none() {
            output.push(self.add_column(
                SmolStr::new_static("TimeGenerated"),
                Type::Datetime,
                Span::default(),
            ));
        }
        if open {
            origins.open = vec![key];
        }
        let time =
            output.iter().copied().find(|id| matches!(self.columns.name(*id), "TimeGenerated" | "Timestamp"));
        let over = over.map(|r| r.plan);
        let input = Input { kind, name: input_name, args, over, properties };
        let plan = Plan::new(Op::Scan(Scan { source: Source::Input(input), open, time }), output, span);
        let mut rel = Rel { plan, origins, ordered: false, depth };
        self.append_learned(&mut rel, key);
        rel
    }

    fn text_of_args(&self, call: &tree::Call) -> &'t str {
        match (call.args.first(), call.args.last()) {
            (Some(first), Some(last)) => self.text(first.span.0.to(last.span.0)),
            _ => "",
        }
    }

    /// The name of an input: the same for the same thing, different for different ones.
    fn input_name(&mut self, identity: SmolStr, wanted: &str) -> SmolStr {
        if let Some(name) = self.inputs.get(&identity) {
            return name.clone();
        }
        let name = self.unique_name(wanted);
        self.inputs.insert(identity, name.clone());
        name
    }

    fn datatable(&mut self, datatable: &'t tree::Datatable, span: Span, env: Env) -> Rel {
        if !self.allows_columns(datatable.columns.len(), span) {
            return self.nothing(span);
        }
        let output = self.declared_columns(&datatable.columns);
        let types: Vec<Type> = output.iter().map(|id| self.columns.ty(*id)).collect();
        let width = types.len().max(1);
        if !datatable.values.len().is_multiple_of(width) {
            let message =
                format!("{} values do not fill rows of {} columns", datatable.values.len(), types.len());
            self.error(codes::WRONG_ARGUMENTS, span, message);
        }
        let scope = Scope::bare(env);
        let mut rows = Vec::with_capacity(datatable.values.len() / width);
        for row in datatable.values.chunks(width) {
            rows.push(row.iter().zip(&types).map(|(e, ty)| self.expr_as(e, *ty, &scope)).collect());
        }
        Rel::source(Plan::new(Op::Values(ir::Values { rows, print: false }), output, span))
    }

    fn declared_columns(&mut self, columns: &[tree::ColumnDecl]) -> Vec<ColId> {
        let mut seen = FxHashSet::default();
        for column in columns {
            if !seen.insert(column.name.text.as_str()) {
                let message = format!("the column `{}` is declared twice", column.name.text);
                self.error(codes::WRONG_ARGUMENTS, column.name.span.0, message);
            }
        }
        let add =
            |c: &tree::ColumnDecl| self.add_column(c.name.text.clone(), scalar_type(&c.ty), c.name.span.0);
        columns.iter().map(add).collect()
    }

    /// The name that a `let` gives to external data.
    pub(super) fn name_external(&mut self, external: &tree::ExternalData, span: Span, name: &str) {
        let identity = external_identity(external, span, self.text(span));
        self.input_name(identity, name);
    }

    fn external(&mut self, external: &'t tree::ExternalData, span: Span, env: Env) -> Rel {
        if !self.allows_columns(external.columns.len(), span) {
            return self.nothing(span);
        }
        let output = self.declared_columns(&external.columns);
        let args: Vec<ir::Expr> = external.uris.iter().map(|u| self.expr(u, &Scope::bare(env))).collect();
        let file = args.first().and_then(|a| self.constant_text(a)).map(file_stem).unwrap_or_default();
        let wanted = if file.is_empty() { SmolStr::new_static("externaldata") } else { file };
        let identity = external_identity(external, span, self.text(span));
        let name = self.input_name(identity, &wanted);
        let properties =
            external.properties.iter().map(|p| (p.name.text.clone(), self.param_text(&p.value))).collect();
        let input = Input { kind: InputKind::ExternalData, name, args, over: None, properties };
        let scan = Scan { source: Source::Input(input), open: false, time: None };
        Rel::source(Plan::new(Op::Scan(scan), output, span))
    }

    /// The value of a parameter as text: a word, or a constant without its quotes.
    pub(super) fn param_text(&self, value: &tree::ParamValue) -> SmolStr {
        match value {
            tree::ParamValue::Word(word) => word.clone(),
            tree::ParamValue::Expr(e) => match &e.kind {
                ExprKind::Literal(Literal::String(s)) => s.value.clone(),
                ExprKind::Literal(Literal::Bool(b)) => SmolStr::new_static(if *b { "true" } else { "false" }),
                ExprKind::Literal(Literal::Long(n) | Literal::Real(n) | Literal::Timespan(n)) => n.clone(),
                ExprKind::Name(n) => n.clone(),
                _ => SmolStr::new(self.text(e.span.0)),
            },
            tree::ParamValue::Words(names) => {
                let names: Vec<&str> = names.iter().map(|n| n.text.as_str()).collect();
                SmolStr::from(names.join(", "))
            }
        }
    }
}

/// A wildcard that fits more tables than this is left as it is.
pub(super) const GLOB_LIMIT: usize = 60;

fn external_identity(external: &tree::ExternalData, span: Span, text: &str) -> SmolStr {
    if text.is_empty() {
        return SmolStr::from(format!("external {:?} {:?}", span, external.columns.len()));
    }
    SmolStr::new(text)
}

/// The name of the file at an address, without path, extension and characters that need quotes.
fn file_stem(address: &str) -> SmolStr {
    let path = address.split(['?', '#', ';']).next().unwrap_or_default();
    let file = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let stem = file.split('.').find(|s| !s.is_empty()).unwrap_or_default();
    let clean = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    stem.chars().take(48).map(clean).collect::<String>().trim_matches('_').into()
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}
