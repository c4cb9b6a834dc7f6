//! Columns are ids inside a plan; names live in this table and come back at the two ends.

use crate::Type;
use ruleferry_diag::Span;
use smol_str::SmolStr;

/// A column of one rule. Every expression that makes a value makes a new id; a column that is only passed on keeps its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColId(pub u32);

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name as the source language shows it.
    pub name: SmolStr,
    pub ty: Type,
    /// Where the source names it first; empty for a column of a schema.
    pub span: Span,
}

/// The columns of one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns(Vec<Column>);

impl Columns {
    pub fn add(&mut self, name: impl Into<SmolStr>, ty: Type, span: Span) -> ColId {
        let id = ColId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Column { name: name.into(), ty, span });
        id
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, count: usize) {
        self.0.reserve(count);
    }

    pub fn get(&self, id: ColId) -> Option<&Column> {
        self.0.get(id.0 as usize)
    }

    pub fn get_mut(&mut self, id: ColId) -> Option<&mut Column> {
        self.0.get_mut(id.0 as usize)
    }

    /// The name, or `""` for an id of another rule.
    pub fn name(&self, id: ColId) -> &str {
        self.get(id).map_or("", |c| c.name.as_str())
    }

    pub fn ty(&self, id: ColId) -> Type {
        self.get(id).map_or(Type::Unknown, |c| c.ty)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (ColId, &Column)> {
        self.0.iter().enumerate().map(|(i, c)| (ColId(u32::try_from(i).unwrap_or(u32::MAX)), c))
    }
}
