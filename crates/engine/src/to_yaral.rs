//! A rule of another language to YARA-L.

use crate::convert::{artefact, line};
use crate::language::Language;
use crate::options::ConvertOptions;
use crate::outcome::{Emitted, Failure};
use crate::record::NeedRecord;
use crate::validate;
use ruleferry_diag::codes;
use ruleferry_ir::Rule;
use ruleferry_prove::Verdict;
use ruleferry_yaral as yaral;
use ruleferry_yaral::syntax::tree::WindowKind;
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) fn to_yaral(
    rule: &Rule,
    from: Language,
    origin: &str,
    path: &Path,
    options: &ConvertOptions,
) -> Result<Emitted, Failure> {
    let title = path.file_stem().map(|s| s.to_string_lossy().into_owned());
    let lower_options = yaral::lower::LowerOptions { title };
    let lowered = yaral::lower::lower(rule, &lower_options).map_err(Failure::Refused)?;
    let body = yaral::syntax::print_rule(&lowered.rule);
    let window = lowered.rule.matching.as_ref().and_then(|m| m.window.as_ref());
    let overlap = window.is_some_and(|w| w.kind == WindowKind::Hop);
    let verdict = options.validate.then(|| {
        if lowered.one_table {
            validate::read_yaral_back(rule, from, &lowered, overlap, options.now)
        } else {
            Verdict::undecided("a rule over several tables is not read back over them")
        }
    });
    let mut lines = Vec::new();
    line(&mut lines, "Converted from", origin);
    // Absent and zero values are one value in UDM: an event in which they differ cannot be stored there. That no such event was
    // meant is an assumption, and listed.
    let (empty, losses): (Vec<_>, Vec<_>) =
        lowered.losses.into_iter().partition(|l| l.code == codes::EMPTY_IS_MISSING);
    let mut assumptions = rule.query.assumptions.clone();
    for text in lowered.assumptions.into_iter().chain(empty.into_iter().map(|l| l.detail)) {
        if !assumptions.contains(&text) {
            assumptions.push(text);
        }
    }
    let needs = lowered.lists.into_iter().map(|(name, column)| NeedRecord {
        kind: "watchlist",
        name,
        columns: column.map(|c| (c, "string")).into_iter().collect::<BTreeMap<_, _>>(),
    });
    let needs = needs.collect();
    let mut emitted = Emitted { losses, needs, assumptions, ..Emitted::default() };
    emitted.judge(verdict, rule, true);
    emitted.text = artefact("// ", &lines, emitted.verdict.as_ref(), &emitted.losses, &body);
    Ok(emitted)
}
