//! Warnings about data: some of each kind with their place, then how many more there were.

use ruleferry_diag::Code;
use std::collections::BTreeMap;

/// Something that is wrong with an event file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub code: Code,
    /// The file as the user named it.
    pub file: String,
    /// From 1; `None` for the file as a whole.
    pub line: Option<u64>,
    pub message: String,
}

/// Warnings of one kind about one file that are kept.
const SHOWN: usize = 5;

#[derive(Clone, Debug, Default)]
pub struct Report {
    kept: Vec<Warning>,
    counts: BTreeMap<(String, Code), usize>,
    /// Events that were left out, by file.
    skipped: BTreeMap<String, usize>,
}

impl Report {
    pub fn warn(&mut self, warning: Warning) {
        // A table that is read twice is not told twice.
        if self.kept.contains(&warning) {
            return;
        }
        let count = self.counts.entry((warning.file.clone(), warning.code)).or_default();
        *count += 1;
        if *count <= SHOWN {
            self.kept.push(warning);
        }
    }

    /// Notes an event that is left out.
    pub fn skip(&mut self, warning: Warning) {
        *self.skipped.entry(warning.file.clone()).or_default() += 1;
        self.warn(warning);
    }

    /// Takes in what a whole reading of one file has found. Only the first reading of a file counts.
    pub fn merge(&mut self, other: Self) {
        for warning in other.kept {
            if !self.kept.contains(&warning) {
                self.kept.push(warning);
            }
        }
        for (key, count) in other.counts {
            let known = self.counts.entry(key).or_default();
            *known = (*known).max(count);
        }
        for (file, count) in other.skipped {
            let known = self.skipped.entry(file).or_default();
            *known = (*known).max(count);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many events were left out.
    pub fn skipped(&self) -> usize {
        self.skipped.values().sum()
    }

    /// All warnings that are kept, and one for each kind of which there were more.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut all = self.kept.clone();
        for ((file, code), count) in &self.counts {
            if let Some(more) = count.checked_sub(SHOWN).filter(|n| *n > 0) {
                let message = format!("{more} more like these");
                all.push(Warning { code: *code, file: file.clone(), line: None, message });
            }
        }
        for (file, count) in &self.skipped {
            let message = format!("{count} {} left out", if *count == 1 { "event is" } else { "events are" });
            let code = ruleferry_diag::codes::DATA_BAD_EVENT;
            all.push(Warning { code, file: file.clone(), line: None, message });
        }
        all.sort_by(|a, b| {
            (&a.file, a.line.is_none(), a.line, a.code).cmp(&(&b.file, b.line.is_none(), b.line, b.code))
        });
        all
    }
}
