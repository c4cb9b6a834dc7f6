//! `convert`: a file's rules to one target.
//!
//! text → language tree → IR → language tree → text. A rule that fails stops no other rule, of its file or of the run.

use crate::identify::{Identified, identify};
use crate::input::Input;
use crate::language::{Language, Layout};
use crate::options::ConvertOptions;
use crate::outcome::{Emitted, Failure, Outcome};
use crate::record::{ConvertRecord, NeedRecord, RuleName, Status, diagnostic_records};
use crate::run::guarded;
use crate::source::{self, LiftFault, SourceRule, no_rule};
use crate::to_yaral::to_yaral;
use crate::validate;
use ruleferry_diag::{Diagnostic, SpanMap, codes};
use ruleferry_ir::{Effect, Envelope, InputKind, Loss, Op, Rule, Scan, Source};
use ruleferry_kql as kql;
use ruleferry_kql::file::{RuleText, Wrapper};
use ruleferry_prove::Verdict;
use ruleferry_sigma as sigma;
use ruleferry_sql as sql;
use ruleferry_targets::target::Language as TargetLanguage;
use ruleferry_yaral as yaral;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::path::Path;

/// Expression nodes of a query with its scalar `let`s written out; the largest real ones have some thousands.
const MAX_EXPANDED: usize = 1_000_000;

/// What came of one file. No records: the file lay in a folder among rules, and holds none.
#[derive(Debug)]
pub struct Converted {
    pub records: Vec<ConvertRecord>,
    /// What each of the rules says of itself; empty where it could not be read.
    pub envelopes: Vec<Envelope>,
    /// The text of the file, for showing diagnostics; empty where it could not be read.
    pub text: String,
    /// The same diagnostics as in the records, with their spans in the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Converts every rule of a file. `stem` is the output path without its extension.
pub fn convert_file(input: &Input, stem: &Path, options: &ConvertOptions) -> Converted {
    let converted = guarded(|| input.read().map(|text| convert_text(input, text, stem, options)));
    converted.flatten().unwrap_or_else(|d| invalid(input, String::new(), None, vec![d], options))
}

fn invalid(
    input: &Input,
    text: String,
    source: Option<Language>,
    diagnostics: Vec<Diagnostic>,
    options: &ConvertOptions,
) -> Converted {
    let record = ConvertRecord {
        path: input.shown.clone(),
        rule: RuleName::default(),
        source: source.map(Language::name),
        target: options.to.name,
        status: Status::Invalid,
        verdict: None,
        assumptions: Vec::new(),
        needs: Vec::new(),
        losses: Vec::new(),
        files: Vec::new(),
        diagnostics: diagnostic_records(&diagnostics, &text),
    };
    Converted { records: vec![record], envelopes: vec![Envelope::default()], text, diagnostics }
}

/// The same for a text that was read already. `input` says what to call it.
pub fn convert_text(input: &Input, text: String, stem: &Path, options: &ConvertOptions) -> Converted {
    let (language, layout) = match identify(input, &text, options.from) {
        Identified::Rules(language, layout) => (language, layout),
        Identified::NoRules => {
            return Converted { records: Vec::new(), envelopes: Vec::new(), text, diagnostics: Vec::new() };
        }
        Identified::Unknown(diagnostics) => return invalid(input, text, None, diagnostics, options),
    };
    match language {
        Language::Kql => convert_kql(input, text, layout, stem, options),
        Language::Sigma => convert_sigma(input, text, stem, options),
        Language::Yaral => convert_yaral(input, text, stem, options),
        Language::Sql(_) => convert_sql(input, text, language, stem, options),
    }
}

fn convert_sql(
    input: &Input,
    text: String,
    language: Language,
    stem: &Path,
    options: &ConvertOptions,
) -> Converted {
    let rules = match source::read(&text, language, Layout::Text) {
        Ok(rules) => rules,
        Err(diagnostics) => return invalid(input, text, Some(language), diagnostics, options),
    };
    let mut converted =
        Converted { records: Vec::new(), envelopes: Vec::new(), text, diagnostics: Vec::new() };
    for rule in &rules {
        let origin = origin(input, 0, 1);
        let (envelope, warnings, result) = sql_rule(rule, &origin, &input.path, options);
        let map = SpanMap::identity();
        let outcome = Outcome { envelope: &envelope, source: "sql", map: &map, warnings, result };
        converted.take(outcome, input, output_path(stem, 0, 1, options), options);
    }
    converted
}

fn sql_rule(
    rule: &SourceRule,
    origin: &str,
    path: &Path,
    options: &ConvertOptions,
) -> (Envelope, Vec<Diagnostic>, Result<Emitted, Failure>) {
    let lifted = match rule.lift(&options.sigma, None) {
        Ok(lifted) => lifted,
        Err(fault) => {
            let envelope = rule.envelope();
            let failure = match fault {
                LiftFault::Invalid(found) => Failure::Invalid(found),
                LiftFault::Refused(found) => Failure::Refused(found),
            };
            return (envelope, Vec::new(), Err(failure));
        }
    };
    let (rule, warnings) = (lifted.rule, lifted.warnings);
    if options.to.language != TargetLanguage::Sql && rule.query.expanded_size() > MAX_EXPANDED {
        let message = "the query stands for too much once its CTEs are written out";
        let fault = Diagnostic::error(codes::SQL_TOO_DEEP, rule.query.plan.span, message);
        return (rule.envelope, warnings, Err(Failure::Refused(vec![fault])));
    }
    let result = match options.to.language {
        TargetLanguage::Kql => to_kql(&rule, Language::SQL, origin, options),
        TargetLanguage::Sql => to_sql(&rule, Language::SQL, origin, options),
        TargetLanguage::Sigma => to_sigma(&rule, Language::SQL, origin, path, options),
        TargetLanguage::Yaral => to_yaral(&rule, Language::SQL, origin, path, options),
    };
    (rule.envelope, warnings, result)
}

/// Output paths of the rules of one file: the stem, numbered where the file holds several.
fn output_path(stem: &Path, index: usize, count: usize, options: &ConvertOptions) -> String {
    let extension = match options.to.language {
        TargetLanguage::Kql => "kql",
        TargetLanguage::Sigma => "yml",
        TargetLanguage::Sql => "sql",
        TargetLanguage::Yaral => "yaral",
    };
    let stem = stem.to_string_lossy().replace('\\', "/");
    if count > 1 { format!("{stem}.{}.{extension}", index + 1) } else { format!("{stem}.{extension}") }
}

fn convert_kql(
    input: &Input,
    text: String,
    layout: Layout,
    stem: &Path,
    options: &ConvertOptions,
) -> Converted {
    let file = match layout {
        Layout::Text => kql::file::read_bare(&text),
        Layout::Yaml => kql::file::read_yaml(&text),
        Layout::Json => kql::file::read_json(&text),
    };
    if file.rules.is_empty() || file.diagnostics.iter().any(Diagnostic::is_error) {
        let mut diagnostics = file.diagnostics;
        if !diagnostics.iter().any(Diagnostic::is_error) {
            diagnostics.push(no_rule(Language::Kql));
        }
        return invalid(input, text, Some(Language::Kql), diagnostics, options);
    }
    let count = file.rules.len();
    let mut converted = Converted {
        records: Vec::with_capacity(count),
        envelopes: Vec::with_capacity(count),
        text,
        diagnostics: file.diagnostics,
    };
    for (i, rule) in file.rules.iter().enumerate() {
        let origin = origin(input, i, count);
        let (warnings, result) = kql_rule(rule, &origin, &input.path, options);
        let outcome = Outcome { envelope: &rule.envelope, source: "kql", map: &rule.map, warnings, result };
        converted.take(outcome, input, output_path(stem, i, count, options), options);
    }
    converted
}

fn kql_rule(
    rule: &RuleText,
    origin: &str,
    path: &Path,
    options: &ConvertOptions,
) -> (Vec<Diagnostic>, Result<Emitted, Failure>) {
    let parsed = kql::syntax::parse(&rule.query);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return (Vec::new(), Err(Failure::Invalid(parsed.diagnostics)));
    }
    let mut warnings = mapped(parsed.diagnostics, &rule.map);
    if options.to.language == TargetLanguage::Kql {
        return (warnings, Ok(kql_to_kql(rule, &parsed.query, &parsed.comments, origin, options)));
    }
    let lifted = kql::lift::lift(&parsed.query, &kql::lift::LiftOptions { source: &rule.query });
    let Some(query) = lifted.query else {
        return (warnings, Err(Failure::Refused(lifted.diagnostics)));
    };
    warnings.extend(mapped(lifted.diagnostics, &rule.map));
    // SQL has a limit of its own.
    if options.to.language != TargetLanguage::Sql && query.expanded_size() > MAX_EXPANDED {
        let message = "the query stands for too much once its `let`s are written out";
        let fault = Diagnostic::error(codes::SQL_TOO_DEEP, query.plan.span, message)
            .with_help("name the parts that repeat as tables, or compute them step by step with `extend`");
        return (warnings, Err(Failure::Refused(vec![fault])));
    }
    let lifted = Rule { envelope: rule.envelope.clone(), query };
    let result = match options.to.language {
        TargetLanguage::Kql => unreachable_target(),
        TargetLanguage::Sql => to_sql(&lifted, Language::Kql, origin, options),
        TargetLanguage::Sigma => to_sigma(&lifted, Language::Kql, origin, path, options),
        TargetLanguage::Yaral => to_yaral(&lifted, Language::Kql, origin, path, options),
    };
    (warnings, result)
}

/// The file that a rule comes from, as the header of its output names it: below the folder that was converted.
fn origin(input: &Input, index: usize, count: usize) -> String {
    if input.shown == "-" {
        return String::new();
    }
    let path = input.relative.to_string_lossy().replace('\\', "/");
    if count > 1 { format!("{path}#{}", index + 1) } else { path }
}

/// KQL to KQL prints the tree that was read, so that nothing of it can be lost.
fn kql_to_kql(
    rule: &RuleText,
    query: &kql::syntax::tree::Query,
    comments: &[kql::syntax::tree::Comment],
    origin: &str,
    options: &ConvertOptions,
) -> Emitted {
    let body = kql::syntax::print_with_comments(query, comments);
    let verdict = options.validate.then(|| {
        let again = kql::syntax::parse(&body);
        same_tree(again.diagnostics.is_empty() && again.query == *query)
    });
    // A query that is only laid out anew gets no header: it would get another one each time.
    let text = if rule.wrapper == Wrapper::Bare {
        body
    } else {
        artefact("// ", &header(&rule.envelope, origin), verdict.as_ref(), &[], &body)
    };
    Emitted { text, verdict, ..Emitted::default() }
}

/// The verdict of a same-language conversion: the output read again is the same tree, or we do not know.
fn same_tree(same: bool) -> Verdict {
    if same {
        Verdict::same_tree()
    } else {
        Verdict::undecided("the output does not read back as the same tree")
    }
}

fn to_sql(rule: &Rule, from: Language, origin: &str, options: &ConvertOptions) -> Result<Emitted, Failure> {
    let (query, envelope) = (&rule.query, &rule.envelope);
    let dialect = options.to.dialect.and_then(sql::Dialect::find).unwrap_or(sql::Dialect::DUCKDB);
    let sql_options = sql::SqlOptions { dialect, now: options.now, look_back: envelope.schedule.look_back };
    let lowered = sql::lower(query, &sql_options).map_err(Failure::Refused)?;
    let (lines, body) = (header(envelope, origin), sql::print(&lowered.script));
    let read_back = || {
        let text = artefact("-- ", &lines, None, &[], &body);
        validate::read_sql_back(rule, from, &text, &lowered.needs, options.now)
    };
    // There is no reader of the other dialects yet: what they say is tested, and not compared.
    let verdict = if options.validate && dialect.generic { read_back() } else { None };
    let mut needs: Vec<NeedRecord> = lowered
        .needs
        .into_iter()
        .map(|n| NeedRecord {
            kind: match n.kind {
                InputKind::Table => "table",
                InputKind::Watchlist => "watchlist",
                InputKind::ExternalData => "external-data",
                InputKind::Function => "function",
            },
            name: n.name,
            columns: n.columns.into_iter().map(|(name, ty)| (name, ty.name())).collect(),
        })
        .collect();
    needs.extend(tables_beyond_schemas(query, &needs));
    let mut assumptions = query.assumptions.clone();
    for a in lowered.assumptions {
        if !assumptions.contains(&a) {
            assumptions.push(a);
        }
    }
    if options.validate && !dialect.generic {
        let title = dialect.title;
        assumptions.push(format!(
            "the output is not read back and compared: what is emitted for {title} has no way back yet"
        ));
    }
    let fault = options.executor.as_deref().filter(|_| options.validate && dialect.generic);
    let fault = fault.and_then(|executor| validate::try_out(rule, executor));
    let losses = lowered.losses;
    let mut emitted = Emitted { losses, needs, assumptions, fault, ..Emitted::default() };
    emitted.judge(verdict, rule, false);
    emitted.text = artefact("-- ", &lines, emitted.verdict.as_ref(), &emitted.losses, &body);
    Ok(emitted)
}

/// The tables that no shipped schema has, and those whose shipped schema lacks a column that the query uses: each with all
/// the columns that the query knows of it, so that a table made from the record alone is enough to run the output.
fn tables_beyond_schemas(query: &ruleferry_ir::Query, listed: &[NeedRecord]) -> Vec<NeedRecord> {
    use ruleferry_targets::schema::{SchemaSet, find_table};
    let mut tables: BTreeMap<SmolStr, BTreeMap<SmolStr, &'static str>> = BTreeMap::new();
    query.for_each_plan(&mut |plan| {
        let Op::Scan(Scan { source: Source::Table(table), .. }) = &*plan.op else { return };
        let known: Vec<_> =
            SchemaSet::ALL.into_iter().filter_map(|set| find_table(set, &table.name)).collect();
        // Most scans have the columns of a schema in its order: those need no look-up.
        let mut in_order: Vec<_> = known.iter().map(|t| t.columns()).collect();
        let mut next_is = |name: &str| {
            let next = in_order.iter_mut().map(|columns| columns.next().is_some_and(|(n, _)| n == name));
            next.fold(false, |found, is| found | is)
        };
        let lacks = |name: &str| known.iter().all(|t| t.column(name).is_none());
        let beyond =
            plan.output.iter().map(|id| query.columns.name(*id)).any(|name| !next_is(name) && lacks(name));
        if known.is_empty() || beyond {
            tables.insert(table.name.clone(), BTreeMap::new());
        }
    });
    tables.retain(|name, _| listed.iter().all(|n| n.name != *name));
    if tables.is_empty() {
        return Vec::new();
    }
    query.for_each_plan(&mut |plan| {
        let Op::Scan(Scan { source: Source::Table(table), .. }) = &*plan.op else { return };
        let Some(columns) = tables.get_mut(&table.name) else { return };
        for (id, name) in sql::table_columns(query, &plan.output) {
            columns.entry(name).or_insert_with(|| query.columns.ty(id).name());
        }
    });
    tables.into_iter().map(|(name, columns)| NeedRecord { kind: "table", name, columns }).collect()
}

fn to_sigma(
    rule: &Rule,
    from: Language,
    origin: &str,
    path: &Path,
    options: &ConvertOptions,
) -> Result<Emitted, Failure> {
    let title = path.file_stem().map(|s| s.to_string_lossy().into_owned());
    let lowered =
        sigma::lower::lower(rule, &sigma::lower::LowerOptions { title }).map_err(Failure::Refused)?;
    let mut documents = lowered.base;
    documents.push(lowered.document);
    let body = sigma::syntax::print(&documents, &Default::default());
    let groups = lowered.groups.as_deref();
    let verdict = options.validate.then(|| validate::read_sigma_back(rule, from, &body, groups, options.now));
    let mut lines = Vec::new();
    line(&mut lines, "Converted from", origin);
    let mut assumptions = rule.query.assumptions.clone();
    if lowered.groups.is_some() {
        assumptions.push(validate::EVENTS_HAVE_TIMES.to_owned());
    }
    let mut emitted = Emitted { losses: lowered.losses, assumptions, ..Emitted::default() };
    emitted.judge(verdict, rule, true);
    emitted.text = artefact("# ", &lines, emitted.verdict.as_ref(), &emitted.losses, &body);
    Ok(emitted)
}

fn to_kql(rule: &Rule, from: Language, origin: &str, options: &ConvertOptions) -> Result<Emitted, Failure> {
    let (query, envelope) = (&rule.query, &rule.envelope);
    let lower_options = kql::lower::LowerOptions { now: options.now, look_back: envelope.schedule.look_back };
    let lowered = kql::lower::lower(query, &lower_options).map_err(Failure::Refused)?;
    let body = kql::syntax::print(&lowered.query);
    let lines = header(envelope, origin);
    let verdict = options.validate.then(|| {
        let text = artefact("// ", &lines, None, &[], &body);
        validate::read_back(rule, from, &text, Language::Kql, options.now)
    });
    // Absent and empty text are one value in Kusto: an event in which they differ cannot be stored there, so on the events
    // that the output can see nothing is lost. That no such event was meant is an assumption, and listed.
    let (empty, losses): (Vec<_>, Vec<_>) =
        lowered.losses.into_iter().partition(|l| l.code == codes::EMPTY_IS_MISSING);
    let mut assumptions = query.assumptions.clone();
    for loss in empty {
        if !assumptions.contains(&loss.detail) {
            assumptions.push(loss.detail);
        }
    }
    let mut emitted = Emitted { losses, assumptions, ..Emitted::default() };
    emitted.judge(verdict, rule, true);
    emitted.text = artefact("// ", &lines, emitted.verdict.as_ref(), &emitted.losses, &body);
    Ok(emitted)
}

fn convert_sigma(input: &Input, text: String, stem: &Path, options: &ConvertOptions) -> Converted {
    let parsed = sigma::syntax::parse(&text);
    let to_itself = options.to.language == TargetLanguage::Sigma;
    if to_itself && !parsed.documents.is_empty() {
        return sigma_to_sigma(input, text, &parsed, stem, options);
    }
    let map = SpanMap::identity();
    let rules = parsed.rules();
    if rules.is_empty() {
        // A file of global actions alone holds documents, and no rule.
        let mut diagnostics = parsed.diagnostics.clone();
        if !diagnostics.iter().any(Diagnostic::is_error) {
            diagnostics.push(no_rule(Language::Sigma));
        }
        return invalid(input, text, Some(Language::Sigma), diagnostics, options);
    }
    // A rule that only a correlation of the file refers to is a part of that.
    let alerting = sigma::lift::alerting(&rules);
    let faulty = parsed.diagnostics.iter().any(Diagnostic::is_error);
    let count = alerting.iter().filter(|alerts| **alerts).count();
    let set = sigma::lift::RuleSet::new(&rules, &options.sigma.companions);
    let mut converted = Converted {
        records: Vec::with_capacity(count),
        envelopes: Vec::with_capacity(count),
        text,
        diagnostics: Vec::new(),
    };
    let ends = rules.iter().skip(1).map(|d| d.span.start).chain([u32::MAX]);
    let (mut start, mut at) = (0, 0);
    for ((document, end), alerts) in rules.iter().zip(ends).zip(alerting) {
        // What is wrong between the start of this document and that of the next one is wrong with this one, and with a
        // correlation all that is wrong with the file.
        let whole = document.correlation().is_some() && faulty;
        let own = parsed.diagnostics.iter();
        let own = own.filter(|d| whole || (start..end).contains(&d.span.start)).cloned().collect();
        start = end;
        if !alerts {
            continue;
        }
        let (envelope, warnings, result) =
            sigma_rule(document, set, own, &origin(input, at, count), &input.path, options);
        let outcome = Outcome { envelope: &envelope, source: "sigma", map: &map, warnings, result };
        converted.take(outcome, input, output_path(stem, at, count, options), options);
        at += 1;
    }
    converted
}

/// Sigma to Sigma prints the tree that was read: the whole file, in the canonical order of keys.
fn sigma_to_sigma(
    input: &Input,
    text: String,
    parsed: &sigma::syntax::Parsed,
    stem: &Path,
    options: &ConvertOptions,
) -> Converted {
    let faulty = parsed.diagnostics.iter().any(Diagnostic::is_error);
    let (warnings, result) = if faulty {
        (Vec::new(), Err(Failure::Invalid(parsed.diagnostics.clone())))
    } else {
        let printed = sigma::syntax::print(&parsed.documents, &parsed.comments);
        let verdict =
            options.validate.then(|| same_tree(sigma::syntax::parse(&printed).documents == parsed.documents));
        (parsed.diagnostics.clone(), Ok(Emitted { text: printed, verdict, ..Emitted::default() }))
    };
    let envelope = parsed.documents.first().map(names).unwrap_or_default();
    let map = SpanMap::identity();
    let mut converted =
        Converted { records: Vec::new(), envelopes: Vec::new(), text, diagnostics: Vec::new() };
    let outcome = Outcome { envelope: &envelope, source: "sigma", map: &map, warnings, result };
    converted.take(outcome, input, output_path(stem, 0, 1, options), options);
    converted
}

fn convert_yaral(input: &Input, text: String, stem: &Path, options: &ConvertOptions) -> Converted {
    if options.to.language == TargetLanguage::Yaral {
        return yaral_to_yaral(input, text, stem, options);
    }
    let rules = match source::read(&text, Language::Yaral, Layout::Text) {
        Ok(rules) => rules,
        Err(found) => return invalid(input, text, Some(Language::Yaral), found, options),
    };
    let map = SpanMap::identity();
    let count = rules.len();
    let mut converted = Converted {
        records: Vec::with_capacity(count),
        envelopes: Vec::with_capacity(count),
        text,
        diagnostics: Vec::new(),
    };
    for (i, rule) in rules.iter().enumerate() {
        let (envelope, warnings, result) = match rule.lift(&options.sigma, None) {
            Ok(lifted) => {
                let origin = origin(input, i, count);
                let from = Language::Yaral;
                let result = match options.to.language {
                    TargetLanguage::Yaral => unreachable_target(),
                    TargetLanguage::Kql => to_kql(&lifted.rule, from, &origin, options),
                    TargetLanguage::Sql => to_sql(&lifted.rule, from, &origin, options),
                    TargetLanguage::Sigma => to_sigma(&lifted.rule, from, &origin, &input.path, options),
                };
                (lifted.rule.envelope, lifted.warnings, result)
            }
            Err(fault) => {
                let envelope = Envelope {
                    id: rule.name.id.clone(),
                    title: rule.name.title.clone(),
                    ..Envelope::default()
                };
                let failure = match fault {
                    source::LiftFault::Invalid(found) => Failure::Invalid(found),
                    source::LiftFault::Refused(found) => Failure::Refused(found),
                };
                (envelope, Vec::new(), Err(failure))
            }
        };
        let outcome = Outcome { envelope: &envelope, source: "yaral", map: &map, warnings, result };
        converted.take(outcome, input, output_path(stem, i, count, options), options);
    }
    converted
}

/// YARA-L to YARA-L prints the tree that was read: the whole file, in canonical layout.
fn yaral_to_yaral(input: &Input, text: String, stem: &Path, options: &ConvertOptions) -> Converted {
    let parsed = yaral::syntax::parse(&text);
    if parsed.file.rules.is_empty() {
        return invalid(input, text, Some(Language::Yaral), parsed.diagnostics, options);
    }
    let (warnings, result) = if parsed.has_errors() {
        (Vec::new(), Err(Failure::Invalid(parsed.diagnostics.clone())))
    } else {
        let printed = yaral::syntax::print_with_comments(&parsed.file, &parsed.comments);
        let verdict = options.validate.then(|| {
            let again = yaral::syntax::parse(&printed);
            same_tree(again.file == parsed.file)
        });
        (parsed.diagnostics.clone(), Ok(Emitted { text: printed, verdict, ..Emitted::default() }))
    };
    let envelope = parsed.file.rules.first().map(yaral::lift::envelope).unwrap_or_default();
    let map = SpanMap::identity();
    let mut converted =
        Converted { records: Vec::new(), envelopes: Vec::new(), text, diagnostics: Vec::new() };
    let outcome = Outcome { envelope: &envelope, source: "yaral", map: &map, warnings, result };
    converted.take(outcome, input, output_path(stem, 0, 1, options), options);
    converted
}

/// What a rule is called, where nothing else of it is known.
fn names(document: &sigma::syntax::SigmaDocument) -> Envelope {
    let text = |key: &str| document.text(key).map(Into::into);
    Envelope { id: text("id"), title: text("title"), ..Envelope::default() }
}

fn sigma_rule(
    document: &sigma::syntax::SigmaDocument,
    set: sigma::lift::RuleSet<'_>,
    diagnostics: Vec<Diagnostic>,
    origin: &str,
    path: &Path,
    options: &ConvertOptions,
) -> (Envelope, Vec<Diagnostic>, Result<Emitted, Failure>) {
    if diagnostics.iter().any(Diagnostic::is_error) {
        return (names(document), Vec::new(), Err(Failure::Invalid(diagnostics)));
    }
    let mut warnings = diagnostics;
    let lifted = match sigma::lift::lift_in(document, set, &options.sigma) {
        Ok(lifted) => lifted,
        Err(found) => return (names(document), warnings, Err(Failure::Refused(found))),
    };
    warnings.extend(lifted.warnings);
    let rule = lifted.rule;
    let result = match options.to.language {
        TargetLanguage::Sigma => unreachable_target(),
        TargetLanguage::Kql => to_kql(&rule, Language::Sigma, origin, options),
        TargetLanguage::Sql => to_sql(&rule, Language::Sigma, origin, options),
        TargetLanguage::Yaral => to_yaral(&rule, Language::Sigma, origin, path, options),
    };
    (rule.envelope, warnings, result)
}

/// A target that the caller has dealt with already.
fn unreachable_target() -> Result<Emitted, Failure> {
    Err(Failure::Refused(Vec::new()))
}

fn mapped(mut diagnostics: Vec<Diagnostic>, map: &SpanMap) -> Vec<Diagnostic> {
    for d in &mut diagnostics {
        d.span = map.span(d.span);
    }
    diagnostics
}

/// What the rule says of itself, as lines of a comment: the reader of a query alone should not have to look for it.
fn header(envelope: &Envelope, origin: &str) -> Vec<String> {
    let mut lines = Vec::new();
    line(&mut lines, "Rule", envelope.title.as_deref().unwrap_or_default());
    line(&mut lines, "Id", envelope.id.as_deref().unwrap_or_default());
    line(&mut lines, "Severity", envelope.severity.map_or("", ruleferry_ir::Severity::name));
    line(&mut lines, "Tactics", &envelope.tactics.join(", "));
    line(&mut lines, "Techniques", &envelope.techniques.join(", "));
    line(&mut lines, "Author", &envelope.authors.join(", "));
    // The period bounds what the query sees: a query alone is read with it again.
    line(
        &mut lines,
        "Frequency",
        &envelope.schedule.frequency.map(kql::file::iso_duration).unwrap_or_default(),
    );
    line(&mut lines, "Period", &envelope.schedule.look_back.map(kql::file::iso_duration).unwrap_or_default());
    // `diff` finds the source of a rule by this line.
    line(&mut lines, "Converted from", origin);
    lines
}

pub(crate) fn line(lines: &mut Vec<String>, key: &str, value: &str) {
    if !value.is_empty() {
        lines.push(format!("{key}: {}", one_line(value)));
    }
}

/// A comment ends with its line: what a hostile title holds must not end it sooner.
fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if is_line_break(c) { ' ' } else { c }).collect();
    text.trim().to_owned()
}

/// The header, what is known of the output, and the output.
pub(crate) fn artefact(
    mark: &str,
    header: &[String],
    verdict: Option<&Verdict>,
    losses: &[Loss],
    body: &str,
) -> String {
    let mut out = String::with_capacity(body.len() + 64 * header.len());
    let judged = verdict.map(|v| one_line(&validate::comment(v)));
    let lost: Vec<String> = losses.iter().map(lost).collect();
    for line in header.iter().chain(&judged).chain(&lost) {
        out.push_str(mark);
        out.push_str(line);
        out.push('\n');
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(body);
    out
}

/// Characters of a loss in the artefact; the record has all of it.
const LONGEST_LOSS: usize = 200;

/// A loss in one line: what it is, and what it does to what is found. A header is read again, and two blanks part its keys.
fn lost(loss: &Loss) -> String {
    let effect = match loss.effect {
        Effect::Widens => "it finds more",
        Effect::Narrows => "it misses alerts",
        Effect::Unknown => "it finds something else",
        Effect::Cosmetic => "it finds the same",
    };
    let mut detail = loss.detail.split_whitespace().collect::<Vec<_>>().join(" ");
    if detail.chars().count() > LONGEST_LOSS {
        detail = detail.chars().take(LONGEST_LOSS - 1).collect::<String>() + "…";
    }
    one_line(&format!("Lost ({}, {effect}): {detail}", loss.code))
}

/// Control characters, and the separators that some readers take for the end of a line.
fn is_line_break(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}')
        || ruleferry_diag::render::visible::is_hidden(c)
}

impl Converted {
    fn take(&mut self, outcome: Outcome<'_>, input: &Input, file: String, options: &ConvertOptions) {
        self.envelopes.push(outcome.envelope.clone());
        let record = outcome.record(&input.shown, file, &self.text, options, &mut self.diagnostics);
        self.records.push(record);
    }
}
