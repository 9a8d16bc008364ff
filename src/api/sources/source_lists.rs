//! Lists of sources in a file, for more names than a command line holds: `@names.txt` expands to the names in it.
//!
//! A line is one name, written as on the command line: a path, a folder, a glob, a URI. No character in it is special, not
//! even another `@`; blank lines are skipped. `@-` is the list on standard input. An error about a name reports its list
//! and line.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::formats::{Input, ReadOptions, TextLines};
use crate::ingest::sources::open_source_or_empty;
use crate::storage::home::with_home;
use crate::storage::source::expand;
use crate::storage::uri::without_credentials;
use crate::task::{Patient, Task};

/// What begins the name of a list. A file whose own name begins so is `./@name`.
const MARK: char = '@';

const EXPECTED: &str = "a file with one name of a source a line, or @- for standard input";

/// The lists that a command line named.
#[derive(Debug, Default)]
pub struct Lists {
    lists: Vec<String>,
    /// For each name the list and the line that it is on first.
    places: HashMap<String, (usize, u64)>,
    standard_input: bool,
}

impl Lists {
    /// Expands words to names of sources: a list to its names, any other word to itself, in order.
    pub fn names(&mut self, words: &[String], task: &Task) -> Result<Vec<String>> {
        let mut names = Vec::with_capacity(words.len());
        for word in words {
            match word.strip_prefix(MARK) {
                Some(list) => self.read(word, list, &mut names, task)?,
                None => names.push(word.clone()),
            }
        }
        Ok(names)
    }

    /// Whether standard input was read as a list, so that nothing else can be read from it.
    pub fn took_standard_input(&self) -> bool {
        self.standard_input
    }

    /// Adds the list and the line to an error about a name from a list.
    pub fn place(&self, mut error: Error) -> Error {
        if let Error::SourceNotFound { uri: name, .. }
        | Error::EmptyFolder { uri: name, .. }
        | Error::Argument { argument: name, .. }
        | Error::Storage { path: name, .. } = &mut error
            && let Some((list, line)) = self.place_of(name)
        {
            *name = format!("{list}: line {line}: {name}");
        }
        error
    }

    fn place_of(&self, name: &str) -> Option<(&str, u64)> {
        let place = self.places.get(name).or_else(|| {
            // A message repeats no credentials and names the home of `~`, so it may not repeat the name as it is listed.
            let mut places = self.places.iter();
            places.find_map(|(listed, place)| {
                (without_credentials(listed) == name || with_home(listed) == name).then_some(place)
            })
        });
        place.map(|&(list, line)| (self.lists[list].as_str(), line))
    }

    fn read(&mut self, word: &str, list: &str, names: &mut Vec<String>, task: &Task) -> Result<()> {
        let (shown, input) = self.open(word, list, task)?;
        let number = self.lists.len();
        let before = names.len();
        let mut line = 0;
        if let Some(input) = input {
            let mut lines = TextLines::new(input.single()?);
            while let Some(texts) = lines.next_batch(task)? {
                for name in texts {
                    line += 1;
                    if !name.trim().is_empty() {
                        self.places.entry(name.clone()).or_insert((number, line));
                        names.push(name);
                    }
                }
            }
        }
        if names.len() == before {
            return Err(Error::format(
                shown,
                format!("line {}", line.max(1)),
                "the list ends without a name",
                "write one name of a source a line",
            ));
        }
        self.lists.push(shown);
        Ok(())
    }

    fn open(&mut self, word: &str, list: &str, task: &Task) -> Result<(String, Option<Input>)> {
        let refused = |found: &str| Error::argument(format!("`{word}`"), found, EXPECTED);
        match list {
            "" => Err(refused("no name of a list")),
            "-" if self.standard_input => Err(refused("standard input was read as a list before")),
            "-" => {
                self.standard_input = true;
                let uri = "standard input".to_owned();
                let input =
                    Input::open_or_empty(&uri, Box::new(Patient(std::io::stdin())), ReadOptions::default())?;
                Ok((uri, input))
            }
            list => match expand(list, EXPECTED, task)?.as_slice() {
                [file] => {
                    let input = open_source_or_empty(file, ReadOptions::default(), task)?;
                    Ok((file.uri.clone(), input))
                }
                files => Err(refused(&format!("{} files", files.len()))),
            },
        }
    }
}
