//! The symbols of `libduckdb` that we call, loaded at run time.
//!
//! The signatures are those of `duckdb.h` as of 1.5.

use crate::{Error, Result, library};
use std::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What the handles point to. Distinct types, so that the compiler tells a vector from a type.
pub mod opaque {
    macro_rules! opaque {
        ($($name:ident)*) => { $(#[repr(C)] pub struct $name { _private: [u8; 0] })* };
    }
    opaque! { Database Config Connection Extracted Prepared Logical Chunk Vector }
}

pub type Database = *mut opaque::Database;
pub type Config = *mut opaque::Config;
pub type Connection = *mut opaque::Connection;
pub type Extracted = *mut opaque::Extracted;
pub type Prepared = *mut opaque::Prepared;
pub type Logical = *mut opaque::Logical;
pub type Chunk = *mut opaque::Chunk;
pub type Vector = *mut opaque::Vector;

/// `duckdb_state`: 0 is success.
pub type State = u32;
pub const SUCCESS: State = 0;

/// `duckdb_result`. Only the library reads the fields, yet their size and order matter: `fetch_chunk` takes it by value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawResult {
    column_count: u64,
    row_count: u64,
    rows_changed: u64,
    columns: *mut c_void,
    error_message: *mut c_char,
    internal_data: *mut c_void,
}

impl RawResult {
    pub const fn empty() -> Self {
        Self {
            column_count: 0,
            row_count: 0,
            rows_changed: 0,
            columns: std::ptr::null_mut(),
            error_message: std::ptr::null_mut(),
            internal_data: std::ptr::null_mut(),
        }
    }
}

macro_rules! api {
    ($($name:ident($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        /// The functions, named without their prefix `duckdb_`.
        pub struct Api {
            $(pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*
            /// Keeps the code mapped that the pointers above point into.
            _library: libloading::Library,
        }

        impl Api {
            fn link(library: libloading::Library) -> std::result::Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: each type is the signature that `duckdb.h` declares for the symbol.
                    $($name: unsafe {
                        *library.get::<unsafe extern "C" fn($($arg),*) $(-> $ret)?>(concat!("duckdb_", stringify!($name)))?
                    },)*
                    _library: library,
                })
            }
        }
    };
}

api! {
    library_version() -> *const c_char;
    create_config(*mut Config) -> State;
    set_config(Config, *const c_char, *const c_char) -> State;
    destroy_config(*mut Config);
    open_ext(*const c_char, *mut Database, Config, *mut *mut c_char) -> State;
    close(*mut Database);
    connect(Database, *mut Connection) -> State;
    disconnect(*mut Connection);
    interrupt(Connection);
    free(*mut c_void);

    extract_statements(Connection, *const c_char, *mut Extracted) -> u64;
    extract_statements_error(Extracted) -> *const c_char;
    destroy_extracted(*mut Extracted);
    prepare_extracted_statement(Connection, Extracted, u64, *mut Prepared) -> State;
    prepare_error(Prepared) -> *const c_char;
    nparams(Prepared) -> u64;
    prepared_statement_column_count(Prepared) -> u64;
    prepared_statement_column_name(Prepared, u64) -> *const c_char;
    prepared_statement_column_logical_type(Prepared, u64) -> Logical;
    destroy_prepare(*mut Prepared);

    execute_prepared(Prepared, *mut RawResult) -> State;
    result_error(*mut RawResult) -> *const c_char;
    destroy_result(*mut RawResult);
    column_count(*mut RawResult) -> u64;
    column_name(*mut RawResult, u64) -> *const c_char;
    column_logical_type(*mut RawResult, u64) -> Logical;
    fetch_chunk(RawResult) -> Chunk;
    destroy_data_chunk(*mut Chunk);
    data_chunk_get_size(Chunk) -> u64;
    data_chunk_get_vector(Chunk, u64) -> Vector;

    vector_get_data(Vector) -> *mut c_void;
    vector_get_validity(Vector) -> *mut u64;
    list_vector_get_child(Vector) -> Vector;
    struct_vector_get_child(Vector, u64) -> Vector;
    array_vector_get_child(Vector) -> Vector;

    get_type_id(Logical) -> u32;
    logical_type_get_alias(Logical) -> *mut c_char;
    list_type_child_type(Logical) -> Logical;
    array_type_child_type(Logical) -> Logical;
    array_type_array_size(Logical) -> u64;
    map_type_key_type(Logical) -> Logical;
    map_type_value_type(Logical) -> Logical;
    struct_type_child_count(Logical) -> u64;
    struct_type_child_name(Logical, u64) -> *mut c_char;
    struct_type_child_type(Logical, u64) -> Logical;
    union_type_member_count(Logical) -> u64;
    union_type_member_name(Logical, u64) -> *mut c_char;
    union_type_member_type(Logical, u64) -> Logical;
    decimal_width(Logical) -> u8;
    decimal_scale(Logical) -> u8;
    decimal_internal_type(Logical) -> u32;
    enum_internal_type(Logical) -> u32;
    enum_dictionary_size(Logical) -> u32;
    enum_dictionary_value(Logical, u64) -> *mut c_char;
    destroy_logical_type(*mut Logical);
}

/// The library of this process. It is loaded once and never unloaded: DuckDB keeps threads and thread-local state.
static LOADED: Mutex<Option<&'static Api>> = Mutex::new(None);

impl Api {
    /// Loads the library, or returns the one that is loaded already whatever path is given.
    pub fn get(explicit: Option<&Path>) -> Result<&'static Self> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(api) = *loaded {
            return Ok(api);
        }
        let api: &'static Self = Box::leak(Box::new(Self::find(library::candidates(explicit))?));
        *loaded = Some(api);
        Ok(api)
    }

    fn find(candidates: Vec<PathBuf>) -> Result<Self> {
        let mut searched = Vec::new();
        for path in candidates {
            let name = path.display().to_string();
            // SAFETY: loading runs the initialisers of the library. The path was named by the user, stands beside the
            // program, or is the system's, so it is as trusted as the program itself.
            match unsafe { libloading::Library::new(&path) } {
                Ok(library) => return Self::link(library).map_err(|e| unsuitable(name, &e)),
                Err(e) if path.is_file() => return Err(unsuitable(name, &e)),
                Err(_) => searched.push(name),
            }
        }
        Err(Error::LibraryMissing { searched })
    }

    /// A copy of a string that the library keeps.
    pub fn borrowed(&self, text: *const c_char) -> String {
        if text.is_null() {
            return String::new();
        }
        // SAFETY: every string of the C API ends with NUL, and it is copied before any further call.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }

    /// A copy of a string that is ours to free.
    pub fn owned(&self, text: *mut c_char) -> Option<String> {
        if text.is_null() {
            return None;
        }
        let copy = self.borrowed(text);
        // SAFETY: the functions that return `*mut c_char` give it up; it is not used after this.
        unsafe { (self.free)(text.cast()) };
        Some(copy)
    }
}

fn unsuitable(path: String, error: &libloading::Error) -> Error {
    let detail = std::error::Error::source(error).map(ToString::to_string);
    Error::LibraryUnsuitable { path, reason: detail.unwrap_or_else(|| error.to_string()) }
}
