//! Links the Rust tests with libpython, and hands the docstrings of the stub to the bindings.
//!
//! The Rust tests contain the bindings, but no interpreter loads them. The extension module must not be linked so: the
//! interpreter that loads it has these symbols. `make test-rust` sets the variable, every other build leaves it unset.
//!
//! The docstrings of what Rust offers to Python are written once, in the stub, where editors and type checkers look. For
//! `help()`, this script makes a macro of them, `stub_doc!(Matcher.find)`. A name that the stub does not document is
//! a compile error. `stub_help!(run)` has the signature too, for functions with arguments that Rust takes as `**options`.

use std::error::Error;
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
        let entries = docstrings(&stub)?;
        let docs = entries
            .iter()
            .map(|entry| (entry.name.clone(), entry.docstring.clone()));
        let help = entries
            .iter()
            .filter_map(|entry| Some((entry.name.clone(), entry.help()?)));
        let macros = macro_of("stub_doc", docs) + &macro_of("stub_help", help);
        std::fs::write(Path::new(&folder).join("stub_docs.rs"), macros)?;
    }
    Ok(())
}

/// What the stub says about a name.
struct StubEntry {
    /// Such as `run`, `Matcher` and `Matcher.find`; `module` for the module itself.
    name: String,
    /// A function's definition from `def` to the end of its arguments; empty for anything else.
    definition: String,
    docstring: String,
}

impl StubEntry {
    /// The docstring of a function behind its signature without types, of which CPython makes `__text_signature__`.
    fn help(&self) -> Option<String> {
        let name = self.name.rsplit('.').next()?;
        let (_, arguments) = self.definition.split_once('(')?;
        let (arguments, _) = arguments.rsplit_once(')')?;
        let arguments: Vec<String> = pieces(arguments, ',')
            .into_iter()
            .filter(|argument| !argument.is_empty())
            .map(|argument| {
                let parts = pieces(argument, '=');
                let own = parts[0].split(':').next().unwrap_or_default().trim();
                let mark = if matches!(own, "self" | "cls") { "$" } else { "" };
                let default = parts
                    .get(1)
                    .map_or_else(String::new, |default| format!("={default}"));
                format!("{mark}{own}{default}")
            })
            .collect();
        Some(format!(
            "{name}({})\n--\n\n{}",
            arguments.join(", "),
            self.docstring
        ))
    }
}

/// The pieces of a text between separators that are in no brackets and no string.
fn pieces(text: &str, separator: char) -> Vec<&str> {
    let (mut depth, mut in_string) = (0, false);
    let is_end = |letter: char| {
        match letter {
            '"' => in_string = !in_string,
            '[' | '(' if !in_string => depth += 1,
            ']' | ')' if !in_string => depth -= 1,
            _ => {}
        }
        depth == 0 && !in_string && letter == separator
    };
    text.split(is_end).map(str::trim).collect()
}

/// All that the stub documents.
fn docstrings(stub: &str) -> Result<Vec<StubEntry>, String> {
    let mut found = Vec::new();
    // What was defined last, as long as its docstring may follow.
    let mut defined = Some(("module".to_owned(), String::new()));
    let mut class = String::new();
    let mut lines = stub.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = name_behind(line, "class ") {
            class = name.to_owned();
            defined = Some((class.clone(), String::new()));
        } else if let Some(name) = name_behind(line, "def ") {
            defined = Some((name.to_owned(), definition(line, &mut lines)));
        } else if let Some(name) = name_behind(line, "    def ") {
            defined = Some((format!("{class}.{name}"), definition(line, &mut lines)));
        }
        let text = line.trim_start();
        let raw = text.strip_prefix("r\"\"\"");
        let Some(first) = raw.or_else(|| text.strip_prefix("\"\"\"")) else {
            continue;
        };
        let (name, definition) = defined
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
        found.push(StubEntry {
            name,
            definition,
            docstring: dedented(&docstring),
        });
    }
    Ok(found)
}

/// The lines of a function's definition up to the end of its arguments.
fn definition<'l>(first: &str, lines: &mut impl Iterator<Item = &'l str>) -> String {
    let mut text = first.to_owned();
    while text.matches('(').count() > text.matches(')').count() {
        let Some(next) = lines.next() else { break };
        text.push_str(next);
    }
    let end = text.rfind(')').map_or(0, |end| end + 1);
    text.truncate(end);
    text
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

/// A macro that expands to the text about a name.
///
/// Nothing where rustdoc reads them: it takes indented lines of Python for Rust, and lists for links.
fn macro_of(macro_name: &str, texts: impl Iterator<Item = (String, String)>) -> String {
    let rules = texts.map(|(name, text)| format!("    ({name}) => {{ {text:?} }};\n"));
    let rules = rules.collect::<String>();
    format!(
        "#[cfg(not(any(doc, doctest)))]\nmacro_rules! {macro_name} {{\n{rules}}}\n\
         #[cfg(any(doc, doctest))]\nmacro_rules! {macro_name} {{ ($($name:tt)*) => {{ \"\" }} }}\n"
    )
}
