//! The functions of YARA-L that do what a function of the IR does: `targets/yaral/calls.toml`.

use ruleferry_ir::Type;

include!(concat!(env!("OUT_DIR"), "/yaral.rs"));

#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// In the IR.
    pub name: &'static str,
    /// In YARA-L, with its module.
    pub call: &'static str,
    /// The type that all arguments must have.
    pub types: Option<Type>,
    /// How many arguments it takes, if fewer than in the IR.
    pub arity: Option<usize>,
    /// What is not the same.
    pub differs: Option<&'static str>,
}

/// The function for one of the IR with these arguments.
pub fn function(name: &str, types: &[Type]) -> Option<&'static Function> {
    let at = FUNCTIONS.binary_search_by_key(&name, |f| f.name).ok()?;
    FUNCTIONS.get(at).filter(|f| {
        f.arity.is_none_or(|n| n == types.len())
            && f.types.is_none_or(|wanted| types.iter().all(|t| *t == wanted))
    })
}
