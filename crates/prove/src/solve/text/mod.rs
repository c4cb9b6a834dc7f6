//! Texts: whether one text is in some languages and not in others.
//!
//! In: languages, wanted or not. Out: a text, or small sets of these tests that no text meets together. Cheap answers come
//! first: needles put together and tried, needles compared ([`rules`]). Automata are made only of the languages that a tried
//! text failed, one after the other, so that neither thousands of list values nor one large pattern make a large product.

mod automaton;
mod chars;
mod lang;
mod nfa;
mod product;
mod rules;
mod witness;

pub(crate) use lang::{Lang, Normal, Subject};

use super::Budget;
use crate::formula::Language;
use automaton::Automaton;
use indexmap::IndexSet;
use product::{Found, shortest};
use ruleferry_eval::text::{Network, fold};
pub(super) use rules::Relation;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A language of this solver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LangId(u32);

/// A test of the text, and whether it is to hold.
pub(crate) type Test = (LangId, bool);

#[derive(Debug)]
pub(crate) enum Decided {
    Text(String),
    /// Sets of tests, by their places, that no text meets; whether automata were compared for it.
    Never(Vec<Vec<usize>>, bool),
    Unknown(String),
}

/// Tests that stand together in one product.
const MAX_ACTIVE: usize = 24;
/// States of a product that is only to make a reason smaller, or to compare two languages.
const SMALL: usize = 4_000;
/// Languages of which all pairs are compared.
const FEW: usize = 48;
const MAX_RELATIONS: usize = 200_000;
/// Conflicts told at once.
const MAX_CONFLICTS: usize = 64;

/// The languages of one comparison and what was found out about them.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    langs: IndexSet<Lang, FxBuildHasher>,
    automata: Vec<Option<Result<Box<Automaton>, String>>>,
    /// Whether two tests exclude each other, as far as automata were asked.
    pairs: FxHashMap<(Test, Test, bool), bool>,
    /// No text holds a letter that languages fold in different ways (`ſ`, `İ`, the Kelvin sign).
    pub no_odd_letters: bool,
    /// Something rests on that.
    pub rests: bool,
}

impl Texts {
    pub fn id(&mut self, lang: Lang) -> LangId {
        LangId(u32::try_from(self.langs.insert_full(lang).0).unwrap_or(u32::MAX))
    }

    pub fn get(&self, id: LangId) -> Option<&Lang> {
        self.langs.get_index(id.0 as usize)
    }

    /// A language in its one form.
    pub fn normal(&mut self, language: &Language) -> Normal {
        if !self.no_odd_letters {
            return Normal::of(language);
        }
        let (normal, rests) = Normal::without_odd_letters(language);
        self.rests |= rests;
        normal
    }

    /// Whether a text is in a language.
    pub fn holds(&mut self, id: LangId, text: &Subject<'_>, budget: &mut Budget) -> Result<bool, String> {
        budget.spend(1)?;
        if let Some(known) = self.get(id).and_then(|lang| lang.holds(text)) {
            return Ok(known);
        }
        let mut automaton = self.take(id)?;
        let answer = automaton.matches(text.exact, budget);
        self.put(id, automaton);
        answer
    }

    /// Whether some text meets all tests. `nonempty`: the empty text does not count.
    pub fn decide(&mut self, tests: &[Test], nonempty: bool, budget: &mut Budget) -> Decided {
        self.decided(tests, nonempty, budget).unwrap_or_else(Decided::Unknown)
    }

    fn decided(&mut self, tests: &[Test], nonempty: bool, budget: &mut Budget) -> Result<Decided, String> {
        let mut failed: Vec<usize> = Vec::new();
        for (round, text) in witness::candidates(self, tests).into_iter().enumerate() {
            if nonempty && text.is_empty() {
                continue;
            }
            let subject = Subject::new(&text);
            let limit = if round == 0 { usize::MAX } else { 1 };
            let now = self.failing(tests, &subject, limit, budget)?;
            if now.is_empty() {
                return Ok(Decided::Text(text));
            }
            if failed.is_empty() {
                failed = now;
                let conflicts = self.by_rules(tests, nonempty, budget)?;
                if !conflicts.is_empty() {
                    return Ok(Decided::Never(conflicts, false));
                }
            }
        }
        let ranges = self.addresses(tests, budget)?;
        if let Some(decided) = ranges {
            return Ok(decided);
        }
        if let Some(pair) = self.by_pairs(tests, &failed, nonempty, budget)? {
            return Ok(Decided::Never(vec![pair], true));
        }
        self.by_automata(tests, nonempty, budget)
    }

    /// The first tests that a text fails.
    fn failing(
        &mut self,
        tests: &[Test],
        text: &Subject<'_>,
        limit: usize,
        budget: &mut Budget,
    ) -> Result<Vec<usize>, String> {
        let mut failing = Vec::new();
        for (i, (id, wanted)) in tests.iter().enumerate() {
            if self.holds(*id, text, budget)? != *wanted {
                failing.push(i);
                if failing.len() >= limit {
                    break;
                }
            }
        }
        Ok(failing)
    }

    /// Tests that needles alone show to exclude each other.
    fn by_rules(
        &self,
        tests: &[Test],
        nonempty: bool,
        budget: &mut Budget,
    ) -> Result<Vec<Vec<usize>>, String> {
        let mut conflicts = Vec::new();
        for (i, (p, wanted)) in tests.iter().enumerate() {
            let Some(lang) = self.get(*p).filter(|_| *wanted) else { continue };
            if nonempty && matches!(lang, Lang::Equals(text, _) if text.is_empty()) {
                conflicts.push(vec![i]);
                continue;
            }
            budget.spend(tests.len() as u64)?;
            for (j, (q, wanted)) in tests.iter().enumerate() {
                let Some(other) = self.get(*q).filter(|_| i != j) else { continue };
                let excluded = match rules::relation(lang, other) {
                    Some(Relation::Within) => !wanted,
                    Some(Relation::Apart) => *wanted,
                    None => false,
                };
                if excluded {
                    conflicts.push(vec![i, j]);
                    if conflicts.len() >= MAX_CONFLICTS {
                        return Ok(conflicts);
                    }
                }
            }
        }
        Ok(conflicts)
    }

    /// How languages stand to each other as far as needles tell: pairs of places. Of many languages only those that are
    /// within another: their needles are looked up, so that not all pairs are tried.
    pub fn relations(
        &self,
        ids: &[LangId],
        budget: &mut Budget,
    ) -> Result<Vec<(usize, usize, Relation)>, String> {
        let langs: Vec<&Lang> = ids.iter().filter_map(|id| self.get(*id)).collect();
        let mut found = Vec::new();
        if langs.len() <= FEW {
            budget.spend((langs.len() * langs.len()) as u64)?;
            for (i, p) in langs.iter().enumerate() {
                for (j, q) in langs.iter().enumerate().filter(|(j, _)| *j != i) {
                    found.extend(rules::relation(p, q).map(|relation| (i, j, relation)));
                }
            }
            return Ok(found);
        }
        // A needle inside of a piece is found by its whole text, for each length that there is.
        let mut needles: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (j, q) in langs.iter().enumerate() {
            let Some(needle) = q.needle() else { continue };
            needles.entry(fold(needle)).or_default().push(j);
        }
        let lengths: BTreeSet<usize> = langs.iter().flat_map(|l| l.needle().map(|n| fold(n).len())).collect();
        for (i, p) in langs.iter().enumerate() {
            let pieces = p.pieces();
            let mut near: Vec<usize> = Vec::new();
            for piece in pieces.start.iter().chain(&pieces.end).chain(&pieces.inner) {
                let piece = fold(piece);
                for length in lengths.range(..=piece.len()) {
                    budget.spend(1 + piece.len() as u64)?;
                    let starts = 0..=piece.len() - length;
                    let inside = starts.filter_map(|at| piece.get(at..at + length));
                    near.extend(inside.filter_map(|text| needles.get(text)).flatten());
                }
            }
            near.sort_unstable();
            near.dedup();
            budget.spend(1 + near.len() as u64)?;
            for j in near.into_iter().filter(|j| *j != i) {
                if let Some(q) = langs.get(j) {
                    found.extend(rules::relation(p, q).map(|relation| (i, j, relation)));
                }
            }
            if found.len() > MAX_RELATIONS {
                break;
            }
        }
        Ok(found)
    }

    /// Address ranges: a number that is in the wanted ones and in none of the others, or why there is none. `None` where
    /// nothing is asked about addresses, or other tests stand in the way.
    fn addresses(&mut self, tests: &[Test], budget: &mut Budget) -> Result<Option<Decided>, String> {
        let mut ranges: Vec<(Network, bool, usize)> = Vec::new();
        for (i, (id, wanted)) in tests.iter().enumerate() {
            if let Some(Lang::Cidr(range)) = self.get(*id)
                && let Some(range) = Network::parse(range)
            {
                ranges.push((range, *wanted, i));
            }
        }
        // Two networks are apart or one is inside of the other; those that are apart are excluded by the rules.
        let inner = ranges.iter().filter(|(_, wanted, _)| *wanted).min_by_key(|(n, ..)| n.last - n.first);
        let Some((Network { first, last, .. }, _, inner)) = inner.copied() else { return Ok(None) };
        // Where one of the ranges is of IPv4, the address is written so; else those leave the IPv6 way of writing it.
        let v4 = ranges.iter().find(|(n, wanted, _)| *wanted && n.v4).map(|(.., i)| *i);
        let mut covered: Vec<((u128, u128), usize)> = ranges
            .iter()
            .filter(|(n, wanted, _)| !wanted && n.first <= last && first <= n.last && (!n.v4 || v4.is_some()))
            .map(|(n, _, i)| ((n.first.max(first), n.last.min(last)), *i))
            .collect();
        covered.sort_unstable();
        let mut free: Vec<u128> = Vec::new();
        let mut at = Some(first);
        let mut core = vec![inner];
        core.extend(v4.filter(|i| *i != inner));
        for ((a, b), i) in &covered {
            if at.is_some_and(|at| at < *a) {
                free.extend(at);
                free.push(a - 1);
            }
            if at.is_some_and(|at| at <= *b) {
                core.push(*i);
                at = b.checked_add(1).filter(|next| *next <= last);
            }
        }
        if let Some(at) = at {
            free.extend([at, last]);
        }
        if free.is_empty() {
            return Ok(Some(Decided::Never(vec![core], false)));
        }
        free.truncate(32);
        for number in free {
            for text in address_texts(number) {
                if self.failing(tests, &Subject::new(&text), 1, budget)?.is_empty() {
                    return Ok(Some(Decided::Text(text)));
                }
            }
        }
        Ok(None)
    }

    /// Two tests that exclude each other, among those that a text failed and those that it met.
    fn by_pairs(
        &mut self,
        tests: &[Test],
        failed: &[usize],
        nonempty: bool,
        budget: &mut Budget,
    ) -> Result<Option<Vec<usize>>, String> {
        for i in failed.iter().take(8) {
            for (j, test) in tests.iter().enumerate() {
                let Some(other) = tests.get(*i) else { continue };
                if *i == j || !(test.1 || other.1) || (failed.contains(&j) && j > *i) {
                    continue;
                }
                if j > 40 {
                    break;
                }
                let key = (*test.min(other), *test.max(other), nonempty);
                let excluded = match self.pairs.get(&key) {
                    Some(known) => *known,
                    None => {
                        // What cannot be compared is not known to exclude.
                        let found = self.product(&[*test, *other], nonempty, SMALL, budget);
                        let excluded = matches!(found, Ok(Found::Nothing));
                        if budget.is_spent() {
                            return Err(Budget::END.into());
                        }
                        self.pairs.insert(key, excluded);
                        excluded
                    }
                };
                if excluded {
                    return Ok(Some(vec![*i, j]));
                }
            }
        }
        Ok(None)
    }

    /// Tests come into the product as texts fail them, until a text meets all or no text meets those.
    fn by_automata(
        &mut self,
        tests: &[Test],
        nonempty: bool,
        budget: &mut Budget,
    ) -> Result<Decided, String> {
        let mut active: Vec<usize> = Vec::new();
        let mut why = String::new();
        loop {
            let chosen: Vec<Test> = active.iter().filter_map(|i| tests.get(*i).copied()).collect();
            let text = match self.product(&chosen, nonempty, usize::MAX, budget)? {
                Found::Text(text) => text,
                Found::Nothing => {
                    self.shrink(tests, &mut active, nonempty, budget)?;
                    return Ok(Decided::Never(vec![active], true));
                }
            };
            let failing = self.failing(tests, &Subject::new(&text), usize::MAX, budget)?;
            if failing.is_empty() {
                return Ok(Decided::Text(text));
            }
            // Wanted languages first: they say the most.
            let mut order = failing;
            order.sort_by_key(|i| tests.get(*i).is_none_or(|(_, wanted)| !wanted));
            let mut added = false;
            for i in order {
                let Some((id, _)) = tests.get(i) else { continue };
                match self.ready(*id) {
                    Ok(()) => {
                        active.push(i);
                        added = true;
                        break;
                    }
                    Err(reason) => why = reason,
                }
            }
            if !added {
                return Ok(Decided::Unknown(why));
            }
            if active.len() > MAX_ACTIVE {
                return Ok(Decided::Unknown("too many text tests depend on each other".into()));
            }
        }
    }

    /// Leaves out what is not needed for the reason.
    fn shrink(
        &mut self,
        tests: &[Test],
        active: &mut Vec<usize>,
        nonempty: bool,
        budget: &mut Budget,
    ) -> Result<(), String> {
        let mut at = 0;
        while active.len() > 1 && at < active.len() {
            let without: Vec<Test> = active
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != at)
                .filter_map(|(_, i)| tests.get(*i).copied())
                .collect();
            if matches!(self.product(&without, nonempty, SMALL, budget), Ok(Found::Nothing)) {
                active.remove(at);
            } else {
                at += 1;
            }
            budget.spend(1)?;
        }
        Ok(())
    }

    fn product(
        &mut self,
        tests: &[Test],
        nonempty: bool,
        most: usize,
        budget: &mut Budget,
    ) -> Result<Found, String> {
        let Some(((id, wanted), rest)) = tests.split_first() else {
            return Ok(Found::Text(if nonempty { "x" } else { "" }.into()));
        };
        // One language twice: only if both want the same.
        let mut ids: Vec<Test> = vec![(*id, *wanted)];
        for (id, wanted) in rest {
            match ids.iter().find(|(known, _)| known == id) {
                Some((_, known)) if known == wanted => {}
                Some(_) => return Ok(Found::Nothing),
                None => ids.push((*id, *wanted)),
            }
        }
        for (id, _) in &ids {
            self.ready(*id)?;
        }
        let mut taken = Vec::with_capacity(ids.len());
        for (id, wanted) in &ids {
            taken.push((*id, self.take(*id)?, *wanted));
        }
        let mut automata: Vec<(&mut Automaton, bool)> =
            taken.iter_mut().map(|(_, automaton, wanted)| (&mut **automaton, *wanted)).collect();
        let found = shortest(&mut automata, nonempty, !self.no_odd_letters, most, budget);
        for (id, automaton, _) in taken {
            self.put(id, automaton);
        }
        // It may hold with these letters as well: that is not looked for here.
        self.rests |= self.no_odd_letters && matches!(found, Ok(Found::Nothing));
        found
    }

    /// Makes the automaton of a language if it has none.
    fn ready(&mut self, id: LangId) -> Result<(), String> {
        let at = id.0 as usize;
        if self.automata.len() <= at {
            self.automata.resize_with(self.langs.len(), || None);
        }
        let Some(place) = self.automata.get_mut(at) else { return Err(String::new()) };
        if place.is_none() {
            let lang = self.langs.get_index(at);
            let made = lang.ok_or_else(String::new).and_then(nfa::Nfa::new).and_then(Automaton::new);
            *place = Some(made.map(Box::new));
        }
        match place {
            Some(Err(reason)) => Err(reason.clone()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    fn take(&mut self, id: LangId) -> Result<Box<Automaton>, String> {
        self.ready(id)?;
        self.automata.get_mut(id.0 as usize).and_then(Option::take).unwrap_or_else(|| Err(String::new()))
    }

    fn put(&mut self, id: LangId, automaton: Box<Automaton>) {
        if let Some(place) = self.automata.get_mut(id.0 as usize) {
            *place = Some(Ok(automaton));
        }
    }
}

/// Whether a text is in a language, by its automaton where there is one.
pub(super) fn matches(language: &Language, text: &str) -> Option<bool> {
    let lang = match Normal::of(language) {
        Normal::Always => return Some(true),
        Normal::Never => return Some(false),
        Normal::Lang(lang) => lang,
    };
    let mut texts = Texts::default();
    let id = texts.id(lang);
    texts.holds(id, &Subject::new(text), &mut Budget::new(10_000_000, None)).ok()
}

/// The texts of an address: IPv4 where it is one.
fn address_texts(number: u128) -> Vec<String> {
    let long = Ipv6Addr::from_bits(number);
    match u32::try_from(number ^ 0xffff_0000_0000) {
        Ok(short) => {
            let short = Ipv4Addr::from_bits(short);
            vec![short.to_string(), format!("::ffff:{short}"), format!(" {short}"), format!("{short}/32")]
        }
        Err(_) => vec![long.to_string()],
    }
}

#[cfg(test)]
mod tests;
