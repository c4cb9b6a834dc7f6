//! One in-memory database and a connection to it.

use crate::ffi::{Connection, Database, Prepared, Statements};
use crate::{Column, Result, Table};
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;

/// What an engine may do. The default suits SQL that was made from rules of others: no files, no network.
#[derive(Clone, Debug)]
pub struct Options {
    /// The library, or the folder that holds it; else it is searched for, see [`crate::library`].
    pub library: Option<PathBuf>,
    /// Whether SQL may read and write files, attach databases and load extensions.
    pub external_access: bool,
    /// Worker threads of the engine.
    pub threads: u16,
    /// As DuckDB writes sizes: `512MB`.
    pub memory_limit: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { library: None, external_access: false, threads: 1, memory_limit: "1GB".to_owned() }
    }
}

/// A connection; temporary macros, settings and the open transaction belong to it, tables to the database.
pub struct Engine {
    database: Arc<Database>,
    connection: Arc<Connection>,
    /// A transaction is the connection's, so two threads must not share one.
    not_shared: PhantomData<std::cell::Cell<()>>,
}

impl Engine {
    /// An empty in-memory database with the default options.
    pub fn open() -> Result<Self> {
        Self::open_with(&Options::default())
    }

    pub fn open_with(options: &Options) -> Result<Self> {
        let settings = [
            ("access_mode", "automatic".to_owned()),
            ("threads", options.threads.max(1).to_string()),
            ("memory_limit", options.memory_limit.clone()),
            ("enable_external_access", options.external_access.to_string()),
            ("autoinstall_known_extensions", "false".to_owned()),
            ("autoload_known_extensions", "false".to_owned()),
        ];
        Self::connect(Arc::new(Database::open(options.library.as_deref(), &settings)?))
    }

    /// Another connection to the same database: the same tables, none of this one's temporary macros.
    pub fn reconnect(&self) -> Result<Self> {
        Self::connect(Arc::clone(&self.database))
    }

    fn connect(database: Arc<Database>) -> Result<Self> {
        let connection = Arc::new(Connection::open(Arc::clone(&database))?);
        let engine = Self { database, connection, not_shared: PhantomData };
        // Otherwise the zone of the machine decides how a time with a zone is cut into days.
        engine.execute("SET TimeZone = 'UTC'")?;
        Ok(engine)
    }

    /// The version of the library, `v1.5.6`.
    pub fn version(&self) -> String {
        self.database.version()
    }

    /// Runs every statement of a script and drops the results.
    pub fn execute(&self, sql: &str) -> Result<()> {
        self.last(sql)?.execute().map(drop)
    }

    /// Runs every statement of a script and returns the rows of the last.
    pub fn query(&self, sql: &str) -> Result<Table> {
        self.last(sql)?.execute()?.table()
    }

    /// Runs all but the last statement (the macros) and prepares the last: do its names and types resolve?
    pub fn prepare(&self, sql: &str) -> Result<()> {
        self.last(sql).map(drop)
    }

    /// Like [`Self::prepare`]; returns the columns that the last statement would.
    pub fn describe(&self, sql: &str) -> Result<Vec<Column>> {
        self.last(sql)?.columns()
    }

    fn last(&self, sql: &str) -> Result<Prepared> {
        let mut statements = Statements::parse(&self.connection, sql)?;
        while statements.remaining() > 1 {
            statements.prepare_next()?.execute()?;
        }
        statements.prepare_next()
    }

    /// Stops what this connection runs, from another thread.
    pub fn interrupter(&self) -> Interrupter {
        Interrupter { connection: Arc::clone(&self.connection) }
    }
}

/// See [`Engine::interrupter`].
#[derive(Clone)]
pub struct Interrupter {
    connection: Arc<Connection>,
}

impl Interrupter {
    /// The running statement fails with [`crate::ErrorClass::Interrupt`]; without one nothing happens.
    pub fn interrupt(&self) {
        self.connection.interrupt();
    }
}
