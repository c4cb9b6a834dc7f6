//! Rows on their way through a plan.

use crate::Value;
use ruleferry_ir::ColId;
use std::sync::Arc;

/// The values of one row, in the order of its columns. Shared: operators that only pass rows on copy no values.
pub type Row = Arc<[Value]>;

/// What an operator takes and makes.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub columns: Arc<[ColId]>,
    pub rows: Vec<Row>,
}

/// The text of the whole event travels from a scan to the filters over it as one more column with this id.
pub(crate) const EVENT: ColId = ColId(u32::MAX);

/// Where each column of a row is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    /// By column id; `u32::MAX` for one that the row does not have.
    places: Vec<u32>,
    event: Option<u32>,
}

impl Slots {
    pub fn new(columns: &[ColId]) -> Self {
        let mut slots = Self::default();
        for (i, id) in columns.iter().enumerate() {
            slots.put(*id, i);
        }
        slots
    }

    pub fn put(&mut self, id: ColId, place: usize) {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        if id == EVENT {
            self.event = Some(place);
            return;
        }
        let index = id.0 as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, u32::MAX);
        }
        if let Some(slot) = self.places.get_mut(index) {
            *slot = place;
        }
    }

    pub fn get(&self, id: ColId) -> Option<usize> {
        if id == EVENT {
            return self.event.map(|p| p as usize);
        }
        self.places.get(id.0 as usize).filter(|p| **p != u32::MAX).map(|p| *p as usize)
    }

    pub fn event(&self) -> Option<usize> {
        self.event.map(|p| p as usize)
    }
}
