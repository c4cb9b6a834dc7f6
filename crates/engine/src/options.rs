//! What a caller chooses for a conversion.

use crate::language::Language;
use ruleferry_ir::Effect;
use ruleferry_sigma::lift::LiftOptions;
use ruleferry_targets::target::Target;
use smol_str::SmolStr;

/// The worst loss that is still emitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MaxLoss {
    /// No loss at all.
    None,
    Cosmetic,
    /// Noise may be emitted, marked.
    #[default]
    Wider,
    /// Blind spots and divergent results too.
    Any,
}

impl MaxLoss {
    pub(crate) const fn allows(self, effect: Effect) -> bool {
        match effect {
            Effect::Cosmetic => !matches!(self, Self::None),
            Effect::Widens => matches!(self, Self::Wider | Self::Any),
            Effect::Narrows | Effect::Unknown => matches!(self, Self::Any),
        }
    }
}

/// Values for Sigma's placeholders (`%name%` under `expand`).
pub type Placeholders = indexmap::IndexMap<SmolStr, Vec<SmolStr>>;

#[derive(Clone, Debug)]
pub struct ConvertOptions {
    pub from: Option<Language>,
    pub to: &'static Target,
    /// Ticks since year 1; without it the engine's own clock is asked when the output runs.
    pub now: Option<i64>,
    pub sigma: LiftOptions,
    pub max_loss: MaxLoss,
    /// Refuse what is emitted without a proof.
    pub require_proof: bool,
    /// Read the output again and compare it with the source.
    pub validate: bool,
    /// Runs emitted SQL on an engine, to be compared with the evaluator. No verdict rests on it.
    pub executor: Option<std::sync::Arc<dyn ruleferry_prove::Executor>>,
}

/// Reads `--values`: a mapping from placeholder to a value or a list of values, in YAML or JSON.
pub fn parse_values(text: &str) -> Result<Placeholders, String> {
    let parsed = ruleferry_doc::parse_yaml(text);
    if let Some(d) = parsed.diagnostics.iter().find(|d| d.is_error()) {
        return Err(d.message.clone());
    }
    let mut values = Placeholders::new();
    let pairs = parsed.documents.first().and_then(|d| d.root.as_mapping()).unwrap_or_default();
    for pair in pairs {
        let name = pair.key.as_text().ok_or("a placeholder's name must be a plain text")?;
        let list = match pair.value.as_sequence() {
            Some(items) => items.iter().map(|i| i.as_text().map(SmolStr::new)).collect::<Option<Vec<_>>>(),
            None => pair.value.as_text().map(|t| vec![SmolStr::new(t)]),
        };
        let list = list.ok_or_else(|| format!("`{name}` must be a value or a list of values"))?;
        values.insert(name.trim_matches('%').into(), list);
    }
    if values.is_empty() {
        return Err("expected a mapping from placeholder to values".into());
    }
    Ok(values)
}
