//! SQL: lowering from the IR over sqlparser's tree, and the printer
