//! Reading a data contract by its name or place.

use std::io::Read as _;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::quality::contracts::Contract;
use crate::storage::source::expand;
use crate::task::Task;

/// No contract that people write is larger.
const MOST_BYTES: u64 = 16 << 20;

/// The name of no contract, for the command line and for settings that cannot be empty.
const NONE: &str = "none";

const EXPECTED: &str =
    "a data contract: `default`, `none`, or the file or URI of one in the Open Data Contract Standard";

/// The contract with this name or at this place; `None` without one.
pub fn read_contract(contract: Option<&str>, task: &Task) -> Result<Option<Arc<Contract>>> {
    Ok(match contract {
        None | Some(NONE | "") => None,
        Some(Contract::DEFAULT) => Some(Arc::new(Contract::shipped()?)),
        Some(uri) => Some(Arc::new(read_file(uri, task)?)),
    })
}

/// The contract with this name or at this place, where there must be one.
pub fn required_contract(contract: &str, task: &Task) -> Result<Arc<Contract>> {
    let expected = "`default`, or the file or URI of a contract";
    read_contract(Some(contract), task)?
        .ok_or_else(|| Error::argument("contract", format!("`{contract}`"), expected))
}

fn read_file(uri: &str, task: &Task) -> Result<Contract> {
    let files = expand(uri, EXPECTED, task)?;
    let [file] = files.as_slice() else {
        let found = format!("{} files", files.len());
        return Err(Error::argument("contract", format!("{uri}: {found}"), "one file"));
    };
    let failed = |error| Error::storage(uri, "read the contract", error);
    let mut text = Vec::new();
    file.open()?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > MOST_BYTES {
        let found = format!("more than {MOST_BYTES} bytes");
        return Err(Error::format(
            uri,
            "the contract",
            found,
            "pass the file of a contract",
        ));
    }
    let text = String::from_utf8(text).map_err(|error| Error::Encoding {
        uri: uri.to_owned(),
        byte: error.utf8_error().valid_up_to() as u64,
        found: "no UTF-8".to_owned(),
        remedy: "save the contract as UTF-8".to_owned(),
    })?;
    Contract::parse(uri, text.trim_start_matches('\u{feff}'))
}
