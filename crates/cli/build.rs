//! How the program is linked.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Compiled-in tables hold some 40,000 pointers. In a program that may be loaded anywhere the loader writes each of them at
    // every start, which copies 200 pages: a fifth of the time that one rule takes. At a fixed address they are constants.
    let is = |key: &str, value: &str| var(key).is_ok_and(|v| v == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
