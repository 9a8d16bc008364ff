//! Messages on stderr: errors, warnings and hints, as text or as JSON lines, never with credentials.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::ColorChoice;
use serde::Serialize;

use crate::api::credentials::hide_credentials;

/// Variables with this prefix may set options, and so may hold credentials.
pub(in crate::cli) const VARIABLES: &str = "DRUGS_RS_";

const BOLD: &str = "\x1b[1m";
const BOLD_RED: &str = "\x1b[1m\x1b[31m";
const BOLD_YELLOW: &str = "\x1b[1m\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// The style of messages. It is known before the command line is parsed, because usage errors need it too.
#[derive(Debug, Clone)]
pub struct Voice {
    color: ColorChoice,
    json: bool,
    /// The words of the command line, any of which may hold credentials even if it is no URI.
    words: Vec<String>,
}

/// An error as one JSON line.
#[derive(Serialize)]
struct JsonError<'e> {
    error: ErrorFields<'e>,
}

#[derive(Serialize)]
struct ErrorFields<'e> {
    class: &'e str,
    message: &'e str,
    exit_code: u8,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    hints: &'e [String],
}

#[derive(Serialize)]
struct JsonWarning<'w> {
    warning: WarningFields<'w>,
}

#[derive(Serialize)]
struct WarningFields<'w> {
    message: &'w str,
}

impl Voice {
    /// The style that the words of a command line ask for.
    pub(in crate::cli) fn of_words(words: &[OsString]) -> Self {
        let variables = std::env::vars_os().filter(|(name, _)| {
            let name = name.to_str();
            name.is_some_and(|name| name.starts_with(VARIABLES))
        });
        let values = variables.filter_map(|(_, value)| value.into_string().ok());
        let words: Vec<String> = words
            .iter()
            .filter_map(|word| word.to_str())
            .map(ToOwned::to_owned)
            .collect();
        let flags = || words.iter().take_while(|word| *word != "--").map(String::as_str);
        let color = flags().zip(flags().skip(1).map(Some).chain([None])).fold(
            ColorChoice::Auto,
            |color, (word, next)| {
                let value = match word {
                    "--color" => next,
                    _ => word.strip_prefix("--color="),
                };
                match value {
                    Some("always") => ColorChoice::Always,
                    Some("never") => ColorChoice::Never,
                    Some("auto") => ColorChoice::Auto,
                    _ => color,
                }
            },
        );
        let json = flags().any(|word| word == "--json");
        Self {
            color,
            json,
            words: words.iter().cloned().chain(values).collect(),
        }
    }

    pub(in crate::cli) fn color(&self) -> ColorChoice {
        self.color
    }

    fn is_coloured(&self) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            // Follows NO_COLOR, CLICOLOR_FORCE and TERM, as clap does for the help.
            ColorChoice::Auto => anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never,
        }
    }

    /// The message without the credentials of any word.
    pub(in crate::cli) fn hide(&self, message: &str) -> String {
        hide_credentials(message, self.words.iter().map(String::as_str))
    }

    /// Prints a warning.
    pub(in crate::cli) fn warn(&self, message: &str) {
        let message = self.hide(message);
        if self.json {
            let message = &message;
            say_json(&JsonWarning {
                warning: WarningFields { message },
            });
        } else {
            self.say_labelled("warning", BOLD_YELLOW, &message);
        }
    }

    /// Prints an error, and returns the exit code.
    pub(in crate::cli) fn fail(&self, class: &str, message: &str, hints: &[String], exit_code: u8) -> u8 {
        let (message, hints) = self.without_credentials(message, hints);
        if self.json {
            self.fail_in_json(class, &message, &hints, exit_code);
        } else {
            self.say_labelled("error", BOLD_RED, &message);
            self.say_hints(&hints);
        }
        exit_code
    }

    /// Prints a usage error of clap, which has its own form and begins with the same prefix.
    pub(in crate::cli) fn fail_usage(&self, error: &clap::Error, hints: &[String]) -> u8 {
        const USAGE: u8 = 2;
        let rendered = error.render();
        if self.json {
            let (message, hints) = self.without_credentials(&rendered.to_string(), hints);
            self.fail_in_json("ArgumentError", &in_one_line(&message), &hints, USAGE);
        } else {
            let text = if self.is_coloured() {
                rendered.ansi().to_string()
            } else {
                rendered.to_string()
            };
            let (text, hints) = self.without_credentials(&text, hints);
            say(&text);
            self.say_hints(&hints);
        }
        USAGE
    }

    fn without_credentials(&self, message: &str, hints: &[String]) -> (String, Vec<String>) {
        (
            self.hide(message),
            hints.iter().map(|hint| self.hide(hint)).collect(),
        )
    }

    fn fail_in_json(&self, class: &str, message: &str, hints: &[String], exit_code: u8) {
        say_json(&JsonError {
            error: ErrorFields {
                class,
                message,
                exit_code,
                hints,
            },
        });
    }

    fn say_hints(&self, hints: &[String]) {
        for hint in hints {
            self.say_labelled("  hint", BOLD, hint);
        }
    }

    fn say_labelled(&self, label: &str, style: &str, message: &str) {
        if self.is_coloured() {
            say(&format!("{style}{label}:{PLAIN} {message}\n"));
        } else {
            say(&format!("{label}: {message}\n"));
        }
    }
}

/// The message of clap before the usage, without its prefix.
fn in_one_line(rendered: &str) -> String {
    let text = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let end = ["\n\nUsage:", "\n\nFor more information"];
    let end = end.iter().filter_map(|end| text.find(end)).min();
    let paragraphs = text[..end.unwrap_or(text.len())].split("\n\n");
    let lines = paragraphs.map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("; ")
}

fn say_json(line: &impl Serialize) {
    if let Ok(line) = serde_json::to_string(line) {
        say(&format!("{line}\n"));
    }
}

/// Writes to stderr. Ignores errors, because there is nowhere left to report them.
pub(in crate::cli) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
