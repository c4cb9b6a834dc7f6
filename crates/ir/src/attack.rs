//! ATT&CK tactics: the names of the matrix and the spellings that rule languages use for them.
//!
//! Source: MITRE ATT&CK, enterprise matrix 18.1 (© The MITRE Corporation), and the two tactics that Sigma's tags take from its successor.

use smol_str::SmolStr;

/// Tactic names as the matrix shows them.
pub const TACTICS: [&str; 16] = [
    "Reconnaissance",
    "Resource Development",
    "Initial Access",
    "Execution",
    "Persistence",
    "Privilege Escalation",
    "Defense Evasion",
    "Stealth",
    "Defense Impairment",
    "Credential Access",
    "Discovery",
    "Lateral Movement",
    "Collection",
    "Command and Control",
    "Exfiltration",
    "Impact",
];

/// The tactic that a name means, however it is cased and joined (`InitialAccess`, `initial-access`, `initial_access`).
pub fn tactic(name: &str) -> Option<&'static str> {
    let plain = |s: &str| {
        s.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect::<SmolStr>()
    };
    let wanted = plain(name);
    TACTICS.into_iter().find(|t| plain(t) == wanted)
}

/// `InitialAccess`: as Sentinel spells a tactic.
pub fn joined(tactic: &str) -> SmolStr {
    let mut out = String::with_capacity(tactic.len());
    for word in tactic.split(' ') {
        let mut chars = word.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.extend(chars);
    }
    out.into()
}

/// `initial-access`: as Sigma's tags spell a tactic.
pub fn hyphenated(tactic: &str) -> SmolStr {
    tactic.replace(' ', "-").to_ascii_lowercase().into()
}

/// Whether the text is the id of a technique: `T1078`, `T1021.008`.
pub fn is_technique(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['T', 't']) else { return false };
    let (main, sub) = rest.split_once('.').map_or((rest, None), |(m, s)| (m, Some(s)));
    let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
    digits(main, 4) && sub.is_none_or(|s| digits(s, 3))
}
