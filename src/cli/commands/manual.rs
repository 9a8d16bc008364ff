//! `drugs-rs completions` and `drugs-rs man`, generated from the definition of the command line.

use clap_complete::Shell;
use clap_mangen::Man;

use crate::api::write_file;
use crate::cli::arguments::{CompletionsArguments, ManArguments};
use crate::cli::output::printing::not_printed;
use crate::cli::parse::definition;
use crate::error::{Error, Result};
use crate::task::Task;

/// The completions for a shell.
pub(in crate::cli) fn completions(arguments: &CompletionsArguments) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut definition(), "drugs-rs", &mut script);
    if arguments.shell == Shell::Bash {
        // If the program's name has a dash, clap_complete reads other labels than it writes, and completes no
        // subcommand (clap-rs/clap#6421).
        let text = String::from_utf8_lossy(&script);
        script = text.replace("drugs__subcmd__rs", "drugs__rs").into_bytes();
    }
    script
}

/// The man page of a command, or a line for each page that was written.
pub(in crate::cli) fn man(arguments: &ManArguments, task: &Task) -> Result<Vec<u8>> {
    let mut command = definition().disable_help_subcommand(true);
    // Only a built command knows the full names of subcommands and the global options.
    command.build();
    let Some(folder) = &arguments.out else {
        return page(found(&command, &arguments.command)?);
    };
    let mut written = Vec::new();
    write_pages(&command, folder, &mut written, task)?;
    Ok(written)
}

fn found<'c>(command: &'c clap::Command, words: &[String]) -> Result<&'c clap::Command> {
    let mut command = command;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            let names: Vec<String> = command
                .get_subcommands()
                .map(|below| below.get_name().to_owned())
                .collect();
            unknown(word, &names)
        })?;
    }
    Ok(command)
}

fn unknown(word: &str, names: &[String]) -> Error {
    let expected = if names.is_empty() {
        "no further command".to_owned()
    } else {
        format!("one of {}", names.join(", "))
    };
    Error::argument("man", format!("`{word}` is not a command"), expected)
}

fn page(command: &clap::Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone())
        .source(concat!("drugs-rs ", env!("CARGO_PKG_VERSION")))
        .manual("drugs-rs");
    man.render(&mut page).map_err(|error| not_printed(&error))?;
    Ok(page)
}

fn write_pages(command: &clap::Command, folder: &str, written: &mut Vec<u8>, task: &Task) -> Result<()> {
    let path = format!(
        "{}/{}",
        folder.trim_end_matches('/'),
        Man::new(command.clone()).get_filename()
    );
    write_file(&path, &page(command)?, task)?;
    written.extend_from_slice(path.as_bytes());
    written.push(b'\n');
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_pages(below, folder, written, task)?;
    }
    Ok(())
}
