//! Target data: schemas, functions, capabilities, wrappers, embedded and checked when built
