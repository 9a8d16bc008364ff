//! Links the Rust tests with libpython, and hands the docstrings of the stub to the bindings.
//!
//! The Rust tests contain the bindings, but no interpreter loads them. The extension module must not be linked so: the
//! interpreter that loads it has these symbols. `make test-rust` sets the variable, every other build leaves it unset.
//!
//! The docstrings of what Rust offers to Python are written once, in the stub, where editors and type checkers look. For
//! `help()`, this script makes a macro of them, `stub_doc!(Matcher.find)`. A name that the stub does not document is
//! a compile error.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

const STUB: &str = "python/drugs_rs/_core.pyi";

#[expect(
    clippy::disallowed_methods,
    reason = "cargo reads and writes these files; there is no lake"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DRUGS_RS_LINK_TESTS");
    let arguments = std::env::var("DRUGS_RS_LINK_TESTS").unwrap_or_default();
    for argument in arguments.split_whitespace() {
        println!("cargo:rustc-link-arg={argument}");
    }
    if std::env::var_os("CARGO_FEATURE_PYTHON").is_some() {
        println!("cargo:rerun-if-changed={STUB}");
        let stub = std::fs::read_to_string(STUB).map_err(|error| format!("{STUB}: {error}"))?;
        let folder = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
        std::fs::write(
            Path::new(&folder).join("stub_docs.rs"),
            macro_of(&docstrings(&stub)?)?,
        )?;
    }
    Ok(())
}

/// Names as `run`, `Matcher` and `Matcher.find`, and their docstrings; the module's own is that of `module`.
fn docstrings(stub: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    // What was defined last, as long as its docstring may follow.
    let mut defined = Some("module".to_owned());
    let mut class = String::new();
    let mut lines = stub.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = name_behind(line, "class ") {
            class = name.to_owned();
            defined = Some(class.clone());
        } else if let Some(name) = name_behind(line, "def ") {
            defined = Some(name.to_owned());
        } else if let Some(name) = name_behind(line, "    def ") {
            defined = Some(format!("{class}.{name}"));
        }
        let text = line.trim_start();
        let raw = text.strip_prefix("r\"\"\"");
        let Some(first) = raw.or_else(|| text.strip_prefix("\"\"\"")) else {
            continue;
        };
        let name = defined
            .take()
            .ok_or_else(|| format!("{STUB}: a docstring of nothing: {line}"))?;
        let mut docstring = first.to_owned();
        while !docstring.ends_with("\"\"\"") {
            let next = lines
                .next()
                .ok_or_else(|| format!("{STUB}: the docstring of {name} has no end"))?;
            docstring.push('\n');
            docstring.push_str(next);
        }
        docstring.truncate(docstring.len() - 3);
        if raw.is_none() && docstring.contains('\\') {
            return Err(format!(
                "{STUB}: a docstring with a backslash must be raw (r\"\"\"): {name}"
            ));
        }
        found.push((name, dedented(&docstring)));
    }
    Ok(found)
}

/// The name that a definition gives.
fn name_behind<'l>(line: &'l str, keyword: &str) -> Option<&'l str> {
    let rest = line.strip_prefix(keyword)?;
    rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .next()
}

/// A docstring without the indentation of its lines, as `inspect.cleandoc` gives it.
fn dedented(docstring: &str) -> String {
    let (first, rest) = docstring.split_once('\n').unwrap_or((docstring, ""));
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let depth = rest
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(indentation)
        .min()
        .unwrap_or_default();
    let mut text = first.trim_start().to_owned();
    for line in rest.lines() {
        text.push('\n');
        text.push_str(line.get(depth..).unwrap_or_default());
    }
    text.trim_end().to_owned()
}

/// A macro that expands to the docstring of a name.
fn macro_of(docstrings: &[(String, String)]) -> Result<String, std::fmt::Error> {
    let mut text = "macro_rules! stub_doc {\n".to_owned();
    for (name, docstring) in docstrings {
        writeln!(text, "    ({name}) => {{ {docstring:?} }};")?;
    }
    text.push_str("}\n");
    Ok(text)
}
