//! Links the Rust tests with libpython. They contain the bindings, but no interpreter loads them.
//!
//! The extension module must not be linked so: the interpreter that loads it has these symbols. `make test-rust` sets the
//! variable, every other build leaves it unset.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DRUGS_RS_LINK_TESTS");
    let arguments = std::env::var("DRUGS_RS_LINK_TESTS").unwrap_or_default();
    for argument in arguments.split_whitespace() {
        println!("cargo:rustc-link-arg={argument}");
    }
}
