//! Articles as MEDLINE's tagged text.

use crate::generate::details::MadeDetails;
use crate::generate::dirt::Dirt;
use crate::generate::random::journals;
use crate::generate::record::MadeRow;

/// The width of PubMed's lines.
const WIDTH: usize = 88;

/// Adds a record and a blank line after it.
pub(in crate::generate) fn record(row: &MadeRow, out: &mut Vec<u8>) {
    tag("PMID", &row.id, out);
    tag("STAT", "MEDLINE", out);
    tag("DP", &row.date.tagged(), out);
    tag("TI", &row.shown_title(), out);
    if !row.summary.is_empty() {
        tag("AB", &row.summary, out);
    }
    tag("JT", &row.journal, out);
    if !row.journal.trim().is_empty() {
        tag("JID", &journals::nlm_id(row.journal_number), out);
        tag(
            "IS",
            &format!("{} (Linking)", journals::issn(row.journal_number)),
            out,
        );
    }
    let details = MadeDetails::of(row);
    tag("LID", &format!("{} [doi]", details.doi), out);
    for its in details.types {
        tag("PT", its, out);
    }
    out.push(b'\n');
    if row.fault == Some(Dirt::BlankLine) {
        out.extend_from_slice(b" \n");
    }
}

/// Adds a tag and its text, broken at blanks and indented from the second line on.
fn tag(name: &str, text: &str, out: &mut Vec<u8>) {
    let mut line = format!("{name:<4}- ");
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
            line = " ".repeat(6);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}
