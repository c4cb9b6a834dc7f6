//! Owners of databases, connections, statements and results.

use super::api::{self, Api, RawResult, SUCCESS};
use super::logical::LogicalType;
use super::vector;
use crate::{Column, Error, Phase, Result, SqlError, Table};
use std::ffi::CString;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::Arc;

pub(crate) struct Database {
    api: &'static Api,
    raw: api::Database,
}

// SAFETY: a database may be used from any thread; the library locks it.
unsafe impl Send for Database {}
// SAFETY: as above; `connect` is the only call on a shared handle.
unsafe impl Sync for Database {}

impl Database {
    pub fn open(library: Option<&Path>, settings: &[(&str, String)]) -> Result<Self> {
        let api = Api::get(library)?;
        let config = ConfigHandle::new(api, settings)?;
        let mut raw = null_mut();
        let mut message = null_mut();
        // SAFETY: a null path means in memory; the out-pointers live through the call; the library copies the config.
        let state = unsafe { (api.open_ext)(std::ptr::null(), &raw mut raw, config.raw, &raw mut message) };
        let message = api.owned(message);
        if state == SUCCESS { Ok(Self { api, raw }) } else { Err(Error::Open(message.unwrap_or_default())) }
    }

    pub fn version(&self) -> String {
        // SAFETY: it takes nothing and returns a string that lives as long as the library.
        self.api.borrowed(unsafe { (self.api.library_version)() })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: the handle came from `open_ext` and is closed once; connections hold an `Arc` of this owner.
        unsafe { (self.api.close)(&raw mut self.raw) };
    }
}

struct ConfigHandle {
    api: &'static Api,
    raw: api::Config,
}

impl ConfigHandle {
    fn new(api: &'static Api, settings: &[(&str, String)]) -> Result<Self> {
        let mut raw = null_mut();
        // SAFETY: the out-pointer lives through the call.
        if unsafe { (api.create_config)(&raw mut raw) } != SUCCESS {
            return Err(Error::Open("no configuration can be made".to_owned()));
        }
        let config = Self { api, raw };
        for (name, value) in settings {
            let (key, text) = (c_string(name, Error::NulInOption)?, c_string(value, Error::NulInOption)?);
            // SAFETY: both strings end with NUL and live through the call.
            if unsafe { (api.set_config)(config.raw, key.as_ptr(), text.as_ptr()) } != SUCCESS {
                return Err(Error::Open(format!("`{value}` is no value of the setting `{name}`")));
            }
        }
        Ok(config)
    }
}

impl Drop for ConfigHandle {
    fn drop(&mut self) {
        // SAFETY: the handle came from `create_config` and is destroyed once.
        unsafe { (self.api.destroy_config)(&raw mut self.raw) };
    }
}

fn c_string(text: &str, otherwise: Error) -> Result<CString> {
    CString::new(text).map_err(|_| otherwise)
}

pub(crate) struct Connection {
    api: &'static Api,
    raw: api::Connection,
    /// A connection must not outlive its database.
    _database: Arc<Database>,
}

// SAFETY: a connection is not tied to the thread that made it, and the library locks it per call.
unsafe impl Send for Connection {}
// SAFETY: as above. `Engine` is not `Sync`, so all that another thread reaches is `interrupt`, which is made for that.
unsafe impl Sync for Connection {}

impl Connection {
    pub fn open(database: Arc<Database>) -> Result<Self> {
        let api = database.api;
        let mut raw = null_mut();
        // SAFETY: the database is open; the out-pointer lives through the call.
        let state = unsafe { (api.connect)(database.raw, &raw mut raw) };
        if state == SUCCESS {
            Ok(Self { api, raw, _database: database })
        } else {
            Err(Error::Open("no connection can be made".to_owned()))
        }
    }

    pub fn interrupt(&self) {
        // SAFETY: the connection is open as long as `self` lives.
        unsafe { (self.api.interrupt)(self.raw) };
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the handle came from `connect` and is closed once; statements hold an `Arc` of this owner.
        unsafe { (self.api.disconnect)(&raw mut self.raw) };
    }
}

/// The statements of a script, parsed and not yet bound.
pub(crate) struct Statements {
    connection: Arc<Connection>,
    raw: api::Extracted,
    count: u64,
    /// Preparing takes a statement out of the list, and asking for it again would read a null pointer inside.
    next: u64,
}

impl Statements {
    pub fn parse(connection: &Arc<Connection>, sql: &str) -> Result<Self> {
        let api = connection.api;
        let text = c_string(sql, Error::NulInSql)?;
        let mut raw = null_mut();
        // SAFETY: the text ends with NUL and lives through the call, as does the out-pointer.
        let count = unsafe { (api.extract_statements)(connection.raw, text.as_ptr(), &raw mut raw) };
        let statements = Self { connection: Arc::clone(connection), raw, count, next: 0 };
        if count > 0 {
            return Ok(statements);
        }
        // SAFETY: the handle is set whether or not parsing succeeded.
        let message = api.borrowed(unsafe { (api.extract_statements_error)(raw) });
        if message.is_empty() {
            return Err(Error::EmptyScript);
        }
        Err(SqlError::new(Phase::Parse, 0, message).into())
    }

    /// How many statements have not been prepared yet.
    pub const fn remaining(&self) -> u64 {
        self.count - self.next
    }

    /// Binds the next statement; what it needs of those before it must have been executed.
    pub fn prepare_next(&mut self) -> Result<Prepared> {
        if self.remaining() == 0 {
            return Err(Error::EmptyScript);
        }
        let api = self.connection.api;
        let (index, mut raw) = (self.next, null_mut());
        self.next += 1;
        // SAFETY: both handles are live, `index` is below the count and was not asked for before; the out-pointer
        // lives through the call.
        let state =
            unsafe { (api.prepare_extracted_statement)(self.connection.raw, self.raw, index, &raw mut raw) };
        // The handle is set on failure too, and carries the message; it is destroyed like any other.
        let prepared = Prepared { connection: Arc::clone(&self.connection), raw, index };
        if state == SUCCESS {
            // SAFETY: the handle is live.
            let parameters = unsafe { (api.nparams)(prepared.raw) };
            // It would bind and then never run.
            return if parameters == 0 { Ok(prepared) } else { Err(Error::Parameters(parameters)) };
        }
        // SAFETY: the library accepts a null handle here and gives a null string for it.
        let message = api.borrowed(unsafe { (api.prepare_error)(prepared.raw) });
        Err(SqlError::new(Phase::Prepare, index, message).into())
    }
}

impl Drop for Statements {
    fn drop(&mut self) {
        // SAFETY: the handle came from `extract_statements` and is destroyed once; null is accepted.
        unsafe { (self.connection.api.destroy_extracted)(&raw mut self.raw) };
    }
}

pub(crate) struct Prepared {
    connection: Arc<Connection>,
    raw: api::Prepared,
    index: u64,
}

impl Prepared {
    /// The columns that it would return.
    pub fn columns(&self) -> Result<Vec<Column>> {
        let api = self.connection.api;
        // SAFETY: the handle is live.
        let count = unsafe { (api.prepared_statement_column_count)(self.raw) };
        let column = |i| {
            // SAFETY: `i` is below the count. The name is ours to free although it is declared const.
            let name = api.owned(unsafe { (api.prepared_statement_column_name)(self.raw, i) }.cast_mut());
            // SAFETY: as above; the type is ours to destroy.
            let logical = unsafe { (api.prepared_statement_column_logical_type)(self.raw, i) };
            let logical = LogicalType::read(api, logical);
            Column { name: name.unwrap_or_default(), type_name: logical.name }
        };
        Ok((0..count).map(column).collect())
    }

    pub fn execute(&self) -> Result<ResultSet> {
        let api = self.connection.api;
        let (connection, statement) = (Arc::clone(&self.connection), self.index);
        let mut result = ResultSet { connection, raw: RawResult::empty(), statement };
        // SAFETY: the handle is live; the out-pointer lives through the call.
        let state = unsafe { (api.execute_prepared)(self.raw, &raw mut result.raw) };
        if state == SUCCESS {
            return Ok(result);
        }
        // SAFETY: the result is set on failure too, and carries the message.
        let message = api.borrowed(unsafe { (api.result_error)(&raw mut result.raw) });
        Err(SqlError::new(Phase::Execute, self.index, message).into())
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: the handle came from `prepare_extracted_statement` and is destroyed once; null is accepted.
        unsafe { (self.connection.api.destroy_prepare)(&raw mut self.raw) };
    }
}

/// A result, whole in the library's memory.
pub(crate) struct ResultSet {
    connection: Arc<Connection>,
    raw: RawResult,
    statement: u64,
}

impl ResultSet {
    pub fn table(mut self) -> Result<Table> {
        let api = self.connection.api;
        // SAFETY: the result is live.
        let count = unsafe { (api.column_count)(&raw mut self.raw) };
        let mut columns = Vec::new();
        let mut types = Vec::new();
        for i in 0..count {
            // SAFETY: `i` is below the count; the name stays the result's.
            let name = api.borrowed(unsafe { (api.column_name)(&raw mut self.raw, i) });
            // SAFETY: as above; the type is ours to destroy.
            let logical = unsafe { (api.column_logical_type)(&raw mut self.raw, i) };
            let logical = LogicalType::read(api, logical);
            columns.push(Column { name, type_name: logical.name.clone() });
            types.push(logical);
        }
        let mut rows = Vec::new();
        while let Some(chunk) = self.next_chunk() {
            chunk.append_to(&mut rows, &columns, &types)?;
        }
        // No chunk is the end of the rows or a failure; only the latter leaves a message.
        // SAFETY: the result is live.
        let message = api.borrowed(unsafe { (api.result_error)(&raw mut self.raw) });
        if !message.is_empty() {
            return Err(SqlError::new(Phase::Execute, self.statement, message).into());
        }
        Ok(Table { columns, rows })
    }

    fn next_chunk(&self) -> Option<ChunkHandle> {
        let api = self.connection.api;
        // SAFETY: the result is live; the library reads the pointer inside and keeps no copy of the struct.
        let raw = unsafe { (api.fetch_chunk)(self.raw) };
        (!raw.is_null()).then_some(ChunkHandle { api, raw })
    }
}

impl Drop for ResultSet {
    fn drop(&mut self) {
        // SAFETY: the result is destroyed once; an empty one is accepted. Chunks own their data.
        unsafe { (self.connection.api.destroy_result)(&raw mut self.raw) };
    }
}

struct ChunkHandle {
    api: &'static Api,
    raw: api::Chunk,
}

impl ChunkHandle {
    fn append_to(
        &self,
        rows: &mut Vec<Vec<crate::Value>>,
        columns: &[Column],
        types: &[LogicalType],
    ) -> Result<()> {
        // SAFETY: the chunk is live.
        let size = unsafe { (self.api.data_chunk_get_size)(self.raw) };
        let mut read = Vec::new();
        for ((i, column), logical) in (0..).zip(columns).zip(types) {
            // SAFETY: the chunk is live, has as many vectors as the result has columns, and outlives the reading below.
            let vector = unsafe { (self.api.data_chunk_get_vector)(self.raw, i) };
            // SAFETY: the vector has `logical`'s layout and `size` rows.
            let values = unsafe { vector::read(self.api, vector, logical, 0, size) };
            read.push(
                values
                    .map_err(|type_name| Error::UnreadableType { column: column.name.clone(), type_name })?,
            );
        }
        let mut sources: Vec<_> = read.into_iter().map(Vec::into_iter).collect();
        rows.extend((0..size).map(|_| sources.iter_mut().filter_map(Iterator::next).collect()));
        Ok(())
    }
}

impl Drop for ChunkHandle {
    fn drop(&mut self) {
        // SAFETY: the handle came from `fetch_chunk` and is destroyed once.
        unsafe { (self.api.destroy_data_chunk)(&raw mut self.raw) };
    }
}
