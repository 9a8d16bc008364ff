//! PubMed's XML: `PubmedArticleSet` of baseline and update files and of E-utilities.
//!
//! A record is everything from `<PubmedArticle>` to its closing tag; a substring search finds it, and then its few
//! wanted elements. A file that ends before its last record or its root is closed is truncated: an error, because it is
//! unknown what else is missing. A record that begins inside another one is an error too, because the outer one was
//! truncated. So are declarations of entities, which NLM never writes.

use std::borrow::Cow;

use memchr::memmem;

use super::xml::{attribute, closing_tag, plain, record_end, tag_length, text};
use super::xml_details::{RecordIds, RecordLists, RecordPlaces};
use super::xml_record::{NAMES, another_inside, date_text, is_blank, own_pmid, summary_text};
use crate::error::{Error, Result};
use crate::formats::batch::{
    BatchBuilder, Deletion, ExtraColumns, RawBatch, ReaderNotes, Remarks, RowReader, raw_excerpt,
};
use crate::formats::buffer::{BATCH_BYTES, Buffer, LONGEST_RECORD};
use crate::formats::bytes::input::Input;
use crate::formats::fields::Fields;
use crate::schema::{Reason, Rejected};
use crate::task::Task;

/// The elements that are records, and the beginnings of their closing tags.
const RECORDS: [(&str, &str); 3] = [
    ("PubmedArticle", "</PubmedArticle"),
    ("PubmedBookArticle", "</PubmedBookArticle"),
    // Files before 2017 held only these.
    ("MedlineCitation", "</MedlineCitation"),
];
/// The elements that hold records, or ids of deleted ones.
const SETS: [&str; 5] = [
    "PubmedArticleSet",
    "PubmedBookArticleSet",
    "MedlineCitationSet",
    "DeleteCitation",
    "DeleteDocument",
];

/// The sets that hold ids of deleted records: of articles, and of books.
const DELETIONS: [&str; 2] = ["DeleteCitation", "DeleteDocument"];

/// Whether the beginning of a file looks like one of these elements.
pub(crate) fn is_pubmed(head: &[u8]) -> bool {
    SETS.iter()
        .chain(RECORDS.iter().map(|(name, _)| name))
        .any(|name| memmem::find(head, format!("<{name}").as_bytes()).is_some())
}

#[derive(Debug)]
pub(crate) struct PubmedXmlReader<'f> {
    fields: &'f Fields,
    places: ValuePlaces,
    buffer: Buffer,
    record: u64,
    /// The open sets, outermost first.
    open: Vec<&'static str>,
    deletions: u64,
    extra: ExtraColumns,
    remarks: Remarks,
    lists: RecordLists,
}

/// The columns of a record's values.
#[derive(Debug, Clone, Copy)]
struct ValuePlaces {
    id: Option<usize>,
    title: Option<usize>,
    date: Option<usize>,
    journal: Option<usize>,
    summary: Option<usize>,
    version: Option<usize>,
    nlm_id: Option<usize>,
    issn: Option<usize>,
    /// Those of [`RecordIds`] and [`RecordLists`], in their order; `None` if the table takes none of them.
    details: Option<[Option<usize>; 7]>,
}

/// What is at a place of the file.
enum XmlStep {
    /// Something of this length that is no record.
    Pass(usize),
    /// A record of this length, and whether it may hold comments or CDATA.
    Record(usize, bool),
    /// The id of a deleted record, and the length of its element.
    Deleted(String, usize),
    /// More bytes are needed.
    More,
}

impl<'f> PubmedXmlReader<'f> {
    pub(crate) fn new(input: Input, fields: &'f Fields) -> Self {
        let place = |name| fields.index(name);
        let details = [
            "doi",
            "pmcid",
            "publication_types",
            "notices",
            "mesh",
            "substances",
            "trial_ids",
        ]
        .map(place);
        Self {
            fields,
            places: ValuePlaces {
                id: place("id"),
                title: place("title"),
                date: place("date"),
                journal: place("journal"),
                summary: place("abstract"),
                version: place("version"),
                nlm_id: place("nlm_id"),
                issn: place("issn"),
                details: details.iter().any(Option::is_some).then_some(details),
            },
            buffer: Buffer::new(input),
            record: 0,
            open: Vec::new(),
            deletions: 0,
            extra: ExtraColumns::default(),
            lists: RecordLists::default(),
            remarks: Remarks::default(),
        }
    }

    fn error(&self, at: usize, found: impl Into<String>, remedy: &str) -> Error {
        let byte = self.buffer.offset + at as u64;
        let input = &self.buffer.input;
        Error::format(input.uri(), input.place(byte), found, remedy)
    }

    /// What is at `at`, which is no white space.
    fn step(&mut self, at: usize) -> Result<XmlStep> {
        let bytes = &self.buffer.bytes[at..];
        if bytes[0] != b'<' {
            let length = memchr::memchr(b'<', bytes).unwrap_or_else(|| whole_letters(bytes));
            if length == 0 {
                return Ok(XmlStep::More);
            }
            let byte = self.buffer.offset + at as u64;
            self.remarks
                .add(format!("{length} bytes of text between records at byte {byte}"));
            return Ok(XmlStep::Pass(length));
        }
        if bytes.starts_with(b"<!") || bytes.starts_with(b"<?") {
            return self.declaration(at);
        }
        let Some(tag) = tag_length(bytes) else {
            return Ok(XmlStep::More);
        };
        let inside = &bytes[1..tag - 1];
        let closes = inside.first() == Some(&b'/');
        let inside = inside.strip_prefix(b"/").unwrap_or(inside);
        let length = inside
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || *byte == b'/')
            .unwrap_or(inside.len());
        let (name, empty) = (&inside[..length], inside.ends_with(b"/"));
        if let Some((_, close)) = RECORDS.iter().find(|(record, _)| record.as_bytes() == name) {
            if closes {
                return Err(self.error(
                    at,
                    format!("{close}> without its beginning"),
                    "deliver the file again",
                ));
            }
            if empty {
                return Ok(XmlStep::Record(tag, false));
            }
            let found = record_end(&memmem::Finder::new(close), &bytes[tag..]);
            return Ok(found.map_or(XmlStep::More, |found| {
                XmlStep::Record(tag + found.end, found.hides)
            }));
        }
        if let Some(set) = SETS.iter().find(|set| set.as_bytes() == name) {
            if closes {
                if self.open.last() != Some(set) {
                    let found = format!("</{set}> where {:?} are open", self.open);
                    return Err(self.error(at, found, "deliver the file again"));
                }
                self.open.pop();
            } else if !empty {
                self.open.push(set);
            }
            return Ok(XmlStep::Pass(tag));
        }
        if name == b"PMID" && self.open.last().is_some_and(|set| DELETIONS.contains(set)) {
            if closes || empty {
                return Ok(XmlStep::Pass(tag));
            }
            let Some((inner_end, end)) = closing_tag(&memmem::Finder::new("</PMID"), bytes, tag) else {
                return Ok(XmlStep::More);
            };
            let given = String::from_utf8_lossy(&bytes[tag..inner_end]);
            let id = text(&given).trim().to_owned();
            return Ok(XmlStep::Deleted(id, end));
        }
        if self.open.is_empty() {
            let found = format!("<{}>", String::from_utf8_lossy(&inside[..length.min(64)]));
            let remedy = "expected a PubmedArticleSet as PubMed hands it out";
            return Err(self.error(at, found, remedy));
        }
        self.extra
            .add(&String::from_utf8_lossy(&inside[..length.min(64)]));
        Ok(XmlStep::Pass(tag))
    }

    /// Reads a comment, a processing instruction or a document type, which must declare nothing.
    fn declaration(&self, at: usize) -> Result<XmlStep> {
        let bytes = &self.buffer.bytes[at..];
        let end: &[u8] = if bytes.starts_with(b"<!--") {
            b"-->"
        } else if bytes.starts_with(b"<?") {
            b"?>"
        } else {
            let Some(length) = tag_length(bytes) else {
                return Ok(XmlStep::More);
            };
            if bytes[..length].contains(&b'[') {
                return Err(self.error(
                    at,
                    "a document type with declarations of its own",
                    "entities are never expanded and never fetched; deliver the file without them",
                ));
            }
            return Ok(XmlStep::Pass(length));
        };
        Ok(memmem::find(bytes, end).map_or(XmlStep::More, |place| XmlStep::Pass(place + end.len())))
    }

    /// The error for a truncated file.
    fn cut(&self, at: usize) -> Error {
        let end = self.buffer.offset + self.buffer.bytes.len() as u64;
        let found = if at < self.buffer.bytes.len() {
            format!(
                "the file ends at byte {end} inside what begins here, after {} records",
                self.record
            )
        } else {
            format!(
                "the file ends before <{}> is closed, after {} records",
                self.open.last().unwrap_or(&""),
                self.record
            )
        };
        self.error(at, found, "the file is cut off; deliver it again")
    }

    /// Reads the record at `start..end`; with `hides`, it may hold comments or CDATA.
    fn read_record(&mut self, start: usize, end: usize, hides: bool, draft: &mut BatchBuilder) -> Result<()> {
        self.record += 1;
        let bytes = &self.buffer.bytes[start..end];
        let xml = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            let byte = self.buffer.offset + (start + at) as u64;
            self.buffer.input.not_utf8(byte, bytes[at])
        })?;
        let xml = if hides { plain(xml) } else { Cow::Borrowed(xml) };
        if let Some(another) = another_inside(&xml) {
            let found =
                format!("{another} inside the record that begins here, which is not closed before it");
            return Err(self.error(
                start,
                found,
                "the file is cut off or put together from pieces; deliver it again",
            ));
        }
        if let Some(open) = [&NAMES.pmid, &NAMES.article_title]
            .into_iter()
            .find(|name| name.never_closes(&xml))
        {
            let byte = self.buffer.offset + start as u64;
            draft.rejected.push(Rejected {
                reason: Reason::MalformedRow,
                message: format!(
                    "record {} at byte {byte}: {}> is opened and not closed; deliver the record again",
                    self.record,
                    open.opening()
                ),
                raw: raw_excerpt(bytes),
                source_row: self.record,
            });
            return Ok(());
        }
        let mut values: Vec<Option<Cow<'_, str>>> = vec![None; self.fields.len()];
        let mut set = |place: Option<usize>, value| set_value(&mut values, place, value);
        let names = &*NAMES;
        let pmid = own_pmid(&xml);
        if let Some(pmid) = pmid {
            set(self.places.id, text(pmid.inner));
            if let Some(version) = attribute(pmid.attributes, "Version") {
                set(self.places.version, version);
            }
        }
        let journal = names
            .journal
            .find(&xml, pmid.map_or(0, |pmid| pmid.end))
            .or_else(|| names.journal.find(&xml, 0));
        let behind = journal.map_or(0, |journal| journal.end);
        let mut name = Cow::Borrowed("");
        if let Some(journal) = journal {
            name = names.title.text(journal.inner);
            if name.trim().is_empty() {
                name = names.abbreviation.text(journal.inner);
            }
        }
        if name.trim().is_empty() {
            name = names.medline_journal.text(&xml);
        }
        set(self.places.journal, name);
        let date_in = journal.map_or(&*xml, |journal| journal.inner);
        if let Some(date) = names.pub_date.find(date_in, 0) {
            set(self.places.date, Cow::Owned(date_text(date.inner)));
        }
        let title = names.article_title.find(&xml, behind);
        let mut titled = title.map_or(Cow::Borrowed(""), |title| text(title.inner));
        if is_blank(&titled) {
            // A title without a translation is in its own language only; a book has the title of the book.
            titled = [&names.vernacular, &names.book_title]
                .into_iter()
                .map(|name| name.text(&xml))
                .find(|title| !is_blank(title))
                .unwrap_or_default();
        }
        set(self.places.title, titled);
        let mut from = title.map_or(behind, |title| title.end);
        if self.places.summary.is_some()
            && let Some(summary) = names.summary.find(&xml, from)
        {
            from = summary.end;
            set(self.places.summary, Cow::Owned(summary_text(summary.inner)));
        }
        let found_info = names.journal_info.find(&xml, from);
        if self.places.nlm_id.is_some() || self.places.issn.is_some() {
            let info = found_info.map_or("", |info| info.inner);
            set(self.places.nlm_id, names.nlm_id.text(info));
            let mut issn = names.linking_issn.text(info);
            if issn.trim().is_empty() {
                issn = names.issn.text(journal.map_or("", |journal| journal.inner));
            }
            set(self.places.issn, issn);
        }
        if let (Some(places), Some(info)) = (self.places.details, found_info) {
            let places_in_record = RecordPlaces {
                title_end: title.map_or(behind, |title| title.end),
                summary_end: from,
                info: (info.start, info.end),
            };
            let RecordIds { doi, pmcid } = self.lists.read(&xml, places_in_record);
            let lists = &self.lists;
            let texts = [
                doi.unwrap_or_default(),
                pmcid.unwrap_or_default(),
                Cow::Borrowed(&*lists.publication_types),
                Cow::Borrowed(&*lists.notices),
                Cow::Borrowed(&*lists.mesh),
                Cow::Borrowed(&*lists.substances),
                Cow::Borrowed(&*lists.trial_ids),
            ];
            for (place, text) in places.into_iter().zip(texts) {
                set(place, text);
            }
        }
        draft.push(
            self.record,
            (start, end),
            values.iter().map(|value| value.as_deref()),
        );
        Ok(())
    }
}

/// Sets a value, if there is a column for it and it is not blank.
fn set_value<'x>(values: &mut [Option<Cow<'x, str>>], place: Option<usize>, value: Cow<'x, str>) {
    if let Some(place) = place
        && !value.trim().is_empty()
    {
        values[place] = Some(value);
    }
}

/// The number of bytes that are whole letters, if the bytes end inside a letter.
fn whole_letters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

impl RowReader for PubmedXmlReader<'_> {
    fn format(&self) -> &'static str {
        "pubmed_xml"
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        self.buffer.fill(BATCH_BYTES, task)?;
        let mut draft = self.buffer.batch_builder(self.fields, 512);
        let mut deletions = Vec::new();
        let mut at = 0;
        while at < BATCH_BYTES {
            let Some(offset) = self.buffer.bytes[at..]
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())
            else {
                at = self.buffer.bytes.len();
                if self.buffer.ended && !self.open.is_empty() {
                    return Err(self.cut(at));
                }
                break;
            };
            let start = at + offset;
            match self.step(start)? {
                XmlStep::Pass(length) => at = start + length,
                XmlStep::Record(length, hides) => {
                    at = start + length;
                    self.read_record(start, at, hides, &mut draft)?;
                }
                XmlStep::Deleted(publication_id, length) => {
                    at = start + length;
                    self.deletions += 1;
                    deletions.push(Deletion {
                        behind: draft.spans.len(),
                        publication_id,
                        source_row: self.record,
                    });
                }
                XmlStep::More if self.buffer.ended => return Err(self.cut(start)),
                XmlStep::More if self.buffer.bytes.len() - start > LONGEST_RECORD => {
                    return Err(self.error(
                        start,
                        format!("a record of more than {LONGEST_RECORD} bytes"),
                        "look for a tag or a quote that is not closed",
                    ));
                }
                XmlStep::More if at > 0 => break,
                XmlStep::More => self.buffer.fill_more(task)?,
            }
        }
        if at == 0 {
            return Ok(None);
        }
        let text = self.buffer.take(at)?;
        let mut batch = draft.finish(text)?;
        batch.deletions = deletions;
        Ok(Some(batch))
    }

    fn notes(&self) -> ReaderNotes {
        let mut notes = ReaderNotes {
            remarks: self.remarks.all(),
            ..ReaderNotes::default()
        };
        if self.deletions > 0 {
            notes.remarks.push(format!("{} deletion notices", self.deletions));
        }
        self.extra.note(&mut notes);
        notes
    }
}
