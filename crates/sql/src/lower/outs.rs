//! The SELECT list of a block under construction, and names that differ in more than case.
//!
//! Tables are wide and operators name few of their columns: ids and hashes of the names stand apart from the columns, so that
//! a look-up reads four bytes a column.

use super::block::Out;
use ruleferry_ir::ColId;
use smol_str::SmolStr;
use std::ops::Deref;

/// What a column is looked up by: its id, and the hash of its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub id: ColId,
    pub fold: u32,
}

/// The columns of a SELECT list in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outs {
    list: Vec<Out>,
    keys: Vec<Key>,
    /// Some column names others of the list, or did.
    aliased: bool,
}

impl Deref for Outs {
    type Target = [Out];

    fn deref(&self) -> &[Out] {
        &self.list
    }
}

impl<'o> IntoIterator for &'o Outs {
    type Item = &'o Out;
    type IntoIter = std::slice::Iter<'o, Out>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl FromIterator<Out> for Outs {
    fn from_iter<I: IntoIterator<Item = Out>>(outs: I) -> Self {
        let outs = outs.into_iter();
        let mut list = Self::with_capacity(outs.size_hint().0);
        list.extend(outs);
        list
    }
}

impl Extend<Out> for Outs {
    fn extend<I: IntoIterator<Item = Out>>(&mut self, outs: I) {
        let outs = outs.into_iter();
        self.reserve(outs.size_hint().0);
        outs.for_each(|o| self.push(o));
    }
}

impl Outs {
    pub(crate) fn with_capacity(n: usize) -> Self {
        Self { list: Vec::with_capacity(n), keys: Vec::with_capacity(n), aliased: false }
    }

    pub(crate) fn reserve(&mut self, n: usize) {
        self.list.reserve(n);
        self.keys.reserve(n);
    }

    pub(crate) fn push(&mut self, out: Out) {
        let fold = fold(&out.name);
        self.push_folded(out, fold);
    }

    /// As [`Self::push`], where the hash of the name is known.
    pub(crate) fn push_folded(&mut self, out: Out, fold: u32) {
        self.keys.push(Key { id: out.id, fold });
        self.aliased |= !out.aliases.is_empty();
        self.list.push(out);
    }

    /// Puts a column in the place of another, or at the end.
    pub(crate) fn set(&mut self, at: Option<usize>, out: Out) {
        match at.and_then(|i| Some((self.list.get_mut(i)?, self.keys.get_mut(i)?))) {
            Some((slot, key)) => {
                *key = Key { id: out.id, fold: fold(&out.name) };
                self.aliased |= !out.aliases.is_empty();
                *slot = out;
            }
            None => self.push(out),
        }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Out) -> bool) {
        if self.list.iter().all(&mut keep) {
            return;
        }
        self.list.retain(keep);
        self.index();
    }

    pub(crate) fn sort_by_key<K: Ord>(&mut self, key: impl FnMut(&Out) -> K) {
        self.list.sort_by_key(key);
        self.index();
    }

    /// Gives the column another id.
    pub(crate) fn set_id(&mut self, from: ColId, to: ColId) {
        if let Some(i) = self.position(from)
            && let (Some(out), Some(key)) = (self.list.get_mut(i), self.keys.get_mut(i))
        {
            out.id = to;
            key.id = to;
        }
    }

    fn index(&mut self) {
        self.keys.clear();
        self.keys.extend(self.list.iter().map(|o| Key { id: o.id, fold: fold(&o.name) }));
    }

    /// For changes to anything but id and name.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Out> {
        self.list.iter_mut()
    }

    /// For changes to anything but id and name.
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut Out> {
        self.list.get_mut(at)
    }

    /// Whether these are the columns, in order.
    pub(crate) fn are(&self, ids: &[ColId]) -> bool {
        self.keys.iter().map(|k| k.id).eq(ids.iter().copied())
    }

    pub(crate) fn position(&self, id: ColId) -> Option<usize> {
        self.keys.iter().position(|k| k.id == id)
    }

    pub(crate) fn by_id(&self, id: ColId) -> Option<&Out> {
        self.position(id).and_then(|i| self.list.get(i))
    }

    /// The columns of these ids, in order of the list and each once.
    pub(crate) fn among(&self, ids: &[ColId]) -> Vec<&Out> {
        match ids {
            [] => Vec::new(),
            [id] => self.by_id(*id).into_iter().collect(),
            ids => {
                let mut at: Vec<usize> = ids.iter().filter_map(|id| self.position(*id)).collect();
                at.sort_unstable();
                at.dedup();
                at.into_iter().filter_map(|i| self.list.get(i)).collect()
            }
        }
    }

    /// Whether some column may name others.
    pub(crate) const fn aliased(&self) -> bool {
        self.aliased
    }

    /// The places of the columns of this name.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a Out)> + 'a {
        self.like(name).filter(move |(_, o)| o.name == name)
    }

    /// The places of the columns of this name, in whatever case.
    pub(crate) fn like<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a Out)> + 'a {
        let wanted = fold(name);
        let hits = self.keys.iter().enumerate().filter(move |(_, k)| k.fold == wanted);
        hits.filter_map(move |(i, _)| self.list.get(i).map(|o| (i, o)))
            .filter(move |(_, o)| o.name.eq_ignore_ascii_case(name))
    }
}

/// A hash that is the same for names that differ only in the case of ASCII letters.
pub(crate) fn fold(name: &str) -> u32 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    const LOWER: u64 = 0x2020_2020_2020_2020;
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let mut hash = name.len() as u64;
    for word in words {
        hash = (hash.rotate_left(23) ^ (u64::from_le_bytes(*word) | LOWER)).wrapping_mul(FACTOR);
    }
    let last = rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte | 0x20));
    hash = (hash.rotate_left(23) ^ last).wrapping_mul(FACTOR);
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// Names that were given so far: no two differ only in case.
#[derive(Debug)]
pub(crate) struct Unique {
    /// A bit for the hash of each name: most names meet none that is set.
    seen: [u64; WORDS],
    given: Vec<(u32, SmolStr)>,
}

const WORDS: usize = 64;

impl Unique {
    pub(crate) fn with_capacity(n: usize) -> Self {
        Self { seen: [0; WORDS], given: Vec::with_capacity(n) }
    }

    /// The name, or `name__2` and on where it is taken.
    pub(crate) fn name(&mut self, wanted: &SmolStr) -> SmolStr {
        let mut name = wanted.clone();
        let mut n = 1;
        while !self.take(&name) {
            n += 1;
            name = SmolStr::from(format!("{wanted}__{n}"));
        }
        name
    }

    fn take(&mut self, name: &SmolStr) -> bool {
        let hash = if name.is_ascii() { fold(name) } else { fold(&name.to_lowercase()) };
        let Some(word) = self.seen.get_mut(hash as usize / 64 % WORDS) else { return true };
        let met = *word >> (hash % 64) & 1 == 1;
        *word |= 1 << (hash % 64);
        let same = |(h, given): &(u32, SmolStr)| *h == hash && given.to_lowercase() == name.to_lowercase();
        if met && self.given.iter().any(same) {
            return false;
        }
        self.given.push((hash, name.clone()));
        true
    }
}

/// A set of columns: their ids are small numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColSet(Vec<u64>);

impl ColSet {
    pub(crate) fn contains(&self, id: ColId) -> bool {
        self.0.get(id.0 as usize / 64).is_some_and(|word| word >> (id.0 % 64) & 1 == 1)
    }
}

/// Ids of helper columns, which no plan has, are not small: they are in no set.
const LARGEST: u32 = 1 << 24;

impl FromIterator<ColId> for ColSet {
    fn from_iter<I: IntoIterator<Item = ColId>>(ids: I) -> Self {
        let mut set = Self::default();
        for id in ids {
            if id.0 >= LARGEST {
                continue;
            }
            let at = id.0 as usize / 64;
            if at >= set.0.len() {
                set.0.resize(at + 1, 0);
            }
            if let Some(word) = set.0.get_mut(at) {
                *word |= 1 << (id.0 % 64);
            }
        }
        set
    }
}
