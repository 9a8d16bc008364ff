//! Checks the directory of a ZIP archive against the files before it.
//!
//! Other programs read the files that the directory lists; this one reads them as they stream in. Where the two differ, it would
//! read other rows than they do, so that is an error that names the file.

use std::io;

use super::archive_faults::broken;
use crate::error;

/// The most memory for the names and places of the files of an archive: enough for more than a million files.
const MOST_BYTES: usize = 128 << 20;

/// The header before a file.
pub(crate) struct ZipHeader {
    pub offset: u64,
    pub name: Vec<u8>,
    pub method: u16,
    /// Its sizes and checksum, unless a descriptor behind the file has them.
    pub facts: Option<ZipFacts>,
}

/// What is said of a file, before it, behind it or in the directory, or what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ZipFacts {
    pub checksum: u32,
    pub packed: u64,
    pub unpacked: u64,
}

/// A file of the archive.
struct ZipFile {
    /// Where its header stands, from the first byte of its archive.
    offset: u64,
    /// Where its name ends among all names.
    name_end: usize,
    facts: ZipFacts,
    method: u16,
    listed: bool,
}

/// The files of an archive, and how far its directory lists them.
#[derive(Default)]
pub(crate) struct ZipDirectory {
    files: Vec<ZipFile>,
    names: Vec<u8>,
    /// The number of the file that comes next, where they are listed in their order.
    next: usize,
    listed: u64,
    /// Where the directory stands.
    begin: Option<u64>,
    end: u64,
    /// What a record for large archives says of the directory: the number of its files, its size, its place.
    wide: Option<[u64; 3]>,
}

/// A name in messages.
pub(crate) fn shown(name: &[u8]) -> String {
    format!("`{}`", error::shown(&String::from_utf8_lossy(name)))
}

impl ZipDirectory {
    /// Notes a file that was read.
    pub(crate) fn met(&mut self, offset: u64, name: &[u8], method: u16, facts: ZipFacts) -> io::Result<()> {
        self.names.extend_from_slice(name);
        self.files.push(ZipFile {
            offset,
            name_end: self.names.len(),
            facts,
            method,
            listed: false,
        });
        if self.names.len() + self.files.len() * size_of::<ZipFile>() > MOST_BYTES {
            return Err(broken("more names of files than are held"));
        }
        Ok(())
    }

    /// Checks an entry of the directory against the file that it lists.
    pub(crate) fn list(&mut self, offset: u64, name: &[u8], method: u16, facts: ZipFacts) -> io::Result<()> {
        self.listed += 1;
        let number = match self.files.get(self.next) {
            Some(file) if file.offset == offset => self.next,
            _ => self
                .files
                .binary_search_by_key(&offset, |file| file.offset)
                .map_err(|_| broken(format!("its directory lists {}, which is not there", shown(name))))?,
        };
        self.next = number + 1;
        let own = self.name(number);
        if own != name {
            let (own, name) = (shown(own), shown(name));
            return Err(broken(format!("its directory lists {own} as {name}")));
        }
        let Some(file) = self.files.get_mut(number) else {
            return Ok(());
        };
        if std::mem::replace(&mut file.listed, true) {
            return Err(broken(format!("its directory lists {} twice", shown(name))));
        }
        if (file.method, file.facts) != (method, facts) {
            let name = shown(name);
            return Err(broken(format!(
                "{name} has another size, packing or checksum in its directory"
            )));
        }
        Ok(())
    }

    /// Notes that the bytes from `begin` to `end` belong to the directory.
    pub(crate) fn stands(&mut self, begin: u64, end: u64) {
        self.begin.get_or_insert(begin);
        self.end = end;
    }

    /// Notes what a record for large archives says of the directory.
    pub(crate) fn widen(&mut self, wide: [u64; 3]) {
        self.wide = Some(wide);
    }

    /// Checks that the directory lists every file, and that the end record, which begins at `at`, gives the right number of
    /// files and the right size and place of the directory.
    pub(crate) fn finish(&self, at: u64, count: u16, size: u32, place: u32) -> io::Result<()> {
        if let Some(number) = self.files.iter().position(|file| !file.listed) {
            let name = shown(self.name(number));
            return Err(broken(format!("its directory does not list {name}")));
        }
        self.check_names()?;
        let begin = self.begin.unwrap_or(at);
        let found = [self.listed, self.end.saturating_sub(begin), begin];
        // Where a number has no room, some programs write its lower half, others the largest one and a record of its own.
        let narrow = [u64::from(count), u64::from(size), u64::from(place)];
        let most = [u64::from(u16::MAX), u64::from(u32::MAX), u64::from(u32::MAX)];
        let wide = self.wide.unwrap_or(found);
        let fits = (0..3).all(|field| {
            found[field] & most[field] == narrow[field]
                || (narrow[field] == most[field] && wide[field] == found[field])
        });
        // An archive without files has no directory that could stand anywhere.
        if fits || self.listed == 0 && count == 0 {
            return Ok(());
        }
        Err(broken("its end tells of another directory"))
    }

    /// Whoever unpacks the archive keeps one of two files of one name.
    fn check_names(&self) -> io::Result<()> {
        let mut order: Vec<u32> = (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).collect();
        order.sort_unstable_by_key(|number| self.name(*number as usize));
        let twice = order.windows(2).find_map(|pair| {
            let name = self.name(pair[0] as usize);
            (name == self.name(pair[1] as usize) && !name.ends_with(b"/")).then(|| shown(name))
        });
        match twice {
            Some(name) => Err(broken(format!("two files are named {name}"))),
            None => Ok(()),
        }
    }

    fn name(&self, number: usize) -> &[u8] {
        let end = |number: usize| self.files.get(number).map_or(0, |file| file.name_end);
        let start = number.checked_sub(1).map_or(0, end);
        self.names.get(start..end(number)).unwrap_or_default()
    }
}
