//! Which rule of one set belongs to which of the other.
//!
//! In order: the file that a converted rule says it was made of, an id that is unique in both sets, the path below the
//! folder, a title that is unique in both. What is left has no partner.

use super::side::ReadFile;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::hash::Hash;

/// A rule of a set: file, and rule within it. A file that cannot be read is one such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub file: usize,
    pub rule: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub a: Option<Slot>,
    pub b: Option<Slot>,
}

struct Entry {
    slot: Slot,
    /// Below the folder, with the rule's number where the file holds several.
    path: String,
    /// The same without the extension.
    stem: String,
    origin: Option<SmolStr>,
    id: Option<SmolStr>,
    title: Option<SmolStr>,
}

/// The pairs in the order of `a`; rules that `b` alone has come last.
pub(crate) fn pairs(a: &[ReadFile], b: &[ReadFile]) -> Vec<Pair> {
    let (in_a, in_b) = (entries(a), entries(b));
    if let ([x], [y]) = (in_a.as_slice(), in_b.as_slice()) {
        return vec![Pair { a: Some(x.slot), b: Some(y.slot) }];
    }
    let mut partner: Vec<Option<usize>> = vec![None; in_a.len()];
    let mut taken = vec![false; in_b.len()];
    let mut join = |of_a: &dyn Fn(&Entry) -> Option<SmolStr>, of_b: &dyn Fn(&Entry) -> Option<SmolStr>| {
        let places = unique(in_b.iter().enumerate().filter(|(j, _)| taken.get(*j) == Some(&false)), of_b);
        let free: Vec<usize> = (0..in_a.len()).filter(|i| partner.get(*i) == Some(&None)).collect();
        let own = unique(free.iter().filter_map(|i| Some((*i, in_a.get(*i)?))), of_a);
        for i in free {
            let Some(key) = in_a.get(i).and_then(of_a) else { continue };
            if own.get(&key) != Some(&Some(i)) {
                continue;
            }
            if let Some(Some(j)) = places.get(&key)
                && let (Some(slot), Some(used)) = (partner.get_mut(i), taken.get_mut(*j))
            {
                (*slot, *used) = (Some(*j), true);
            }
        }
    };
    let path = |e: &Entry| Some(SmolStr::new(&e.path));
    let stem = |e: &Entry| Some(SmolStr::new(&e.stem));
    let origin = |e: &Entry| e.origin.clone();
    join(&path, &origin);
    join(&origin, &path);
    join(&origin, &origin);
    join(&|e| e.id.clone(), &|e| e.id.clone());
    join(&path, &path);
    join(&stem, &stem);
    join(&|e| e.title.clone(), &|e| e.title.clone());
    let at = |entries: &[Entry], i: usize| entries.get(i).map(|e| e.slot);
    let mut pairs: Vec<Pair> = partner
        .iter()
        .enumerate()
        .map(|(i, j)| Pair { a: at(&in_a, i), b: j.and_then(|j| at(&in_b, j)) })
        .collect();
    let lone = taken.iter().enumerate().filter(|(_, taken)| !**taken);
    pairs.extend(lone.map(|(j, _)| Pair { a: None, b: at(&in_b, j) }));
    pairs
}

fn entries(files: &[ReadFile]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (file, read) in files.iter().enumerate() {
        let rules = read.rules.as_deref().unwrap_or_default();
        let count = rules.len().max(1);
        let (stem, _) = read.relative.rsplit_once('.').unwrap_or((&read.relative, ""));
        for rule in 0..count {
            let number = if count > 1 { format!("#{}", rule + 1) } else { String::new() };
            let known = rules.get(rule);
            entries.push(Entry {
                slot: Slot { file, rule },
                path: format!("{}{number}", read.relative),
                stem: format!("{stem}{number}"),
                origin: known.and_then(|r| r.origin.clone()),
                id: known.and_then(|r| r.name.id.clone()).filter(|id| !id.is_empty()),
                title: known.and_then(|r| r.name.title.clone()).filter(|t| !t.is_empty()),
            });
        }
    }
    entries
}

/// Where each key stands; `None` for one that stands in several places.
fn unique<'e, K: Hash + Eq>(
    entries: impl Iterator<Item = (usize, &'e Entry)>,
    key: &dyn Fn(&Entry) -> Option<K>,
) -> HashMap<K, Option<usize>> {
    let mut places: HashMap<K, Option<usize>> = HashMap::new();
    for (i, entry) in entries {
        if let Some(key) = key(entry) {
            places.entry(key).and_modify(|place| *place = None).or_insert(Some(i));
        }
    }
    places
}
