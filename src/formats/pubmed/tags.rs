//! The meaning of a record's tags, in each of the tagged formats.

use super::dialect::{Dialect, is_tag};
use crate::formats::lists::{ITEM, push_item};
use crate::text::date::has_form;

/// The values that are taken from a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Id,
    Title,
    /// The title in the original language.
    OwnTitle,
    BookTitle,
    Summary,
    Date,
    /// The date of another tag, used if the first tag holds no date.
    OtherDate,
    /// The year, if it has a tag of its own.
    Year,
    Journal,
    NlmId,
    Issn,
    Pmcid,
    /// Ids of the article, such as `10.1016/j.nut.2019.06.016 [doi]`. From here on a repeated tag adds an item.
    ArticleIds,
    PublicationTypes,
    /// Names of other publications that retract or correct this one.
    Notices,
    /// `7Z5X49W53P (Terlipressin)`
    Substances,
    /// `ClinicalTrials.gov/NCT01234567`
    Accessions,
}

const SLOTS: usize = Slot::Accessions as usize + 1;

impl Slot {
    fn is_list(self) -> bool {
        self as usize >= Self::ArticleIds as usize
    }
}

/// The tags of each slot; an earlier tag of a slot takes precedence over a later one.
type Tags = &'static [(&'static str, Slot)];

const MEDLINE: Tags = &[
    ("PMID", Slot::Id),
    ("TI", Slot::Title),
    ("TT", Slot::OwnTitle),
    ("BTI", Slot::BookTitle),
    ("AB", Slot::Summary),
    ("DP", Slot::Date),
    ("JT", Slot::Journal),
    ("TA", Slot::Journal),
    ("JID", Slot::NlmId),
    // All of them: `0006-2952 (Print) 0006-2952 (Linking)`.
    ("IS", Slot::Issn),
    ("PMC", Slot::Pmcid),
    ("LID", Slot::ArticleIds),
    ("AID", Slot::ArticleIds),
    ("PT", Slot::PublicationTypes),
    ("RIN", Slot::Notices),
    ("PRIN", Slot::Notices),
    ("ROF", Slot::Notices),
    ("ECI", Slot::Notices),
    ("ECF", Slot::Notices),
    ("EIN", Slot::Notices),
    ("CRI", Slot::Notices),
    ("RN", Slot::Substances),
    ("SI", Slot::Accessions),
];

/// What a tag of [`Slot::Notices`] says, in the words of PubMed's XML.
const NOTICES: [(&str, &str); 7] = [
    ("RIN", "RetractionIn"),
    ("PRIN", "PartialRetractionIn"),
    ("ROF", "RetractionOf"),
    ("ECI", "ExpressionOfConcernIn"),
    ("ECF", "ExpressionOfConcernFor"),
    ("EIN", "ErratumIn"),
    ("CRI", "CorrectedandRepublishedIn"),
];

const OVID: Tags = &[
    ("UI", Slot::Id),
    ("PMID", Slot::Id),
    ("AN", Slot::Id),
    ("TI", Slot::Title),
    ("OT", Slot::OwnTitle),
    ("BT", Slot::BookTitle),
    ("AB", Slot::Summary),
    ("DP", Slot::Date),
    ("DG", Slot::OtherDate),
    ("YR", Slot::Year),
    ("JT", Slot::Journal),
    ("JN", Slot::Journal),
    ("TA", Slot::Journal),
    ("JA", Slot::Journal),
    ("IS", Slot::Issn),
    ("DO", Slot::ArticleIds),
    ("PT", Slot::PublicationTypes),
];

const RIS: Tags = &[
    ("AN", Slot::Id),
    ("TI", Slot::Title),
    ("T1", Slot::Title),
    ("TT", Slot::OwnTitle),
    ("BT", Slot::BookTitle),
    ("AB", Slot::Summary),
    ("N2", Slot::Summary),
    ("DA", Slot::Date),
    ("Y1", Slot::OtherDate),
    ("PY", Slot::Year),
    ("JF", Slot::Journal),
    ("JO", Slot::Journal),
    ("T2", Slot::Journal),
    ("JA", Slot::Journal),
    ("J2", Slot::Journal),
    ("SN", Slot::Issn),
    ("DO", Slot::ArticleIds),
];

/// The values of one record, reused from record to record.
#[derive(Debug)]
pub(crate) struct Values {
    dialect: Dialect,
    texts: [String; SLOTS],
    /// The position in the table of the tag that set each text.
    ranks: [usize; SLOTS],
    /// The date, joined from its parts.
    date: String,
    /// The number of lines with a tag.
    pub tags: usize,
}

impl Values {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            texts: Default::default(),
            ranks: [0; SLOTS],
            date: String::new(),
            tags: 0,
        }
    }

    pub(crate) fn read(&mut self, record: &str, line_end: char) {
        self.texts.iter_mut().for_each(String::clear);
        self.tags = 0;
        let tags = match self.dialect {
            Dialect::Medline => MEDLINE,
            Dialect::Ovid => OVID,
            Dialect::Ris => RIS,
        };
        let mut slot = None;
        for line in record.split(line_end) {
            let tagged = is_tag(line.as_bytes());
            let value = if tagged {
                self.tags += 1;
                let tag = line[..4].trim_end();
                slot = tags.iter().position(|(name, _)| *name == tag);
                line.get(6..).unwrap_or_default()
            } else {
                line
            };
            let Some(rank) = slot else { continue };
            let its = tags[rank].1;
            // A text continues in an unindented line if a program broke its lines again. An id or a date would become
            // another one.
            let is_text = matches!(
                its,
                Slot::Title | Slot::OwnTitle | Slot::BookTitle | Slot::Summary
            );
            if its.is_list() {
                // A line that goes on with an item is indented.
                if tagged || line.starts_with([' ', '\t']) {
                    self.add_item(its, tags[rank].0, value.trim(), tagged);
                }
            } else if tagged || is_text || line.starts_with([' ', '\t']) {
                self.add(its, rank, value.trim(), tagged);
            }
        }
        self.join_date();
    }

    /// Adds a value. A repeated tag continues the text, as a title over several lines does; but a record has only one
    /// id.
    fn add(&mut self, slot: Slot, rank: usize, value: &str, tagged: bool) {
        let (text, known) = (&mut self.texts[slot as usize], &mut self.ranks[slot as usize]);
        let one_more_id = slot == Slot::Id && tagged && rank == *known;
        if value.is_empty() || (!text.is_empty() && (*known < rank || one_more_id)) {
            return;
        }
        if rank < *known {
            text.clear();
        }
        *known = rank;
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(value);
    }

    /// Adds an item to a list, or goes on with the last one.
    fn add_item(&mut self, slot: Slot, tag: &str, value: &str, tagged: bool) {
        let list = &mut self.texts[slot as usize];
        let notice = NOTICES
            .iter()
            .find(|(name, _)| slot == Slot::Notices && *name == tag);
        match (slot, notice) {
            (Slot::Notices, Some((_, says))) if tagged => push_item(list, [*says]),
            (Slot::Notices, _) => {}
            _ if tagged => push_item(list, [value]),
            _ => {
                list.push(' ');
                list.push_str(value);
            }
        }
    }

    /// Sets the date to that of the first tag that holds one, with the year of another tag if it has none: `Jan 5` in `DA`
    /// and `2020` in `PY`. If no tag holds a date, it is the year alone, or else the value of the first tag, so that the
    /// date counts as bad and not as missing.
    fn join_date(&mut self) {
        let slots = [Slot::Date, Slot::OtherDate, Slot::Year];
        let [date, other, year] = slots.map(|slot| self.texts[slot as usize].as_str());
        let has_year = |text: &str| {
            text.as_bytes()
                .windows(4)
                .any(|four| four.iter().all(u8::is_ascii_digit))
        };
        let year = between_slashes(year);
        let joined = [date, other]
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| {
                if has_year(text) || year.is_empty() {
                    between_slashes(text)
                } else {
                    format!("{year} {text}")
                }
            });
        let mut dates: Vec<String> = joined.chain([year.clone()]).collect();
        let found = dates.iter().position(|text| has_form(text)).unwrap_or(0);
        self.date = dates.swap_remove(found);
    }

    pub(crate) fn value(&self, field: &str) -> Option<&str> {
        let text = |slot: Slot| self.texts[slot as usize].as_str();
        let found = match field {
            "id" => text(Slot::Id),
            "title" => [Slot::Title, Slot::OwnTitle, Slot::BookTitle]
                .into_iter()
                .map(text)
                .find(|title| {
                    let bare = title.trim_end_matches('.');
                    !bare.is_empty() && !bare.eq_ignore_ascii_case("[Not Available]")
                })?,
            "abstract" => text(Slot::Summary),
            "date" => &self.date,
            "journal" => text(Slot::Journal),
            "nlm_id" => text(Slot::NlmId),
            "issn" => text(Slot::Issn),
            "pmcid" => text(Slot::Pmcid),
            "doi" => {
                let mut ids = text(Slot::ArticleIds).split(ITEM);
                match self.dialect {
                    Dialect::Medline => ids.find_map(|id| id.strip_suffix("[doi]"))?.trim(),
                    Dialect::Ovid | Dialect::Ris => ids.next()?,
                }
            }
            "publication_types" => text(Slot::PublicationTypes),
            "notices" => text(Slot::Notices),
            "substances" => text(Slot::Substances),
            "trial_ids" => text(Slot::Accessions),
            _ => return None,
        };
        (!found.is_empty()).then_some(found)
    }
}

/// Parses `2020/01/05/`, `2020/01//` or `2020///Spring`: year, month, day and a remark, of which only the year is
/// required. A date in any other form stays unchanged.
fn between_slashes(date: &str) -> String {
    let parts: Vec<&str> = date.split('/').map(str::trim).collect();
    match parts[..] {
        [year, "", "", other] => format!("{year} {other}").trim_end().to_owned(),
        [year, month, day, _] => [year, month, day]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("-"),
        [year, month] if year.len() == 4 && month.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{year}-{month}")
        }
        [year, month, ""] => format!("{year}-{month}").trim_end_matches('-').to_owned(),
        _ => date.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<const N: usize>(dialect: Dialect, record: &str, fields: [&str; N]) -> [Option<String>; N] {
        let mut values = Values::new(dialect);
        values.read(record, '\n');
        fields.map(|field| values.value(field).map(str::to_owned))
    }

    #[test]
    fn a_record_goes_on_over_lines() {
        let record = "PMID- 7\nTI  - A long\n      title.\nAB  - One\n      \n\t two\nJT  - A journal\nTA  - A J\nDP  - 2020 Jan-Feb\n";
        let found = read(
            Dialect::Medline,
            record,
            ["id", "title", "abstract", "date", "journal", "version"],
        );
        let wanted = ["7", "A long title.", "One two", "2020 Jan-Feb", "A journal"];
        assert_eq!(found[..5], wanted.map(|text| Some(text.to_owned())));
        assert_eq!(found[5], None);
        let record = "PMID- 9\nstray\nTI  - A title\nbroken anew\nDP  - 2020 Jan\nstray\n";
        let found = read(Dialect::Medline, record, ["id", "title", "date"]);
        let wanted = ["9", "A title broken anew", "2020 Jan"];
        assert_eq!(found, wanted.map(|text| Some(text.to_owned())));
        let record = "PMID- 8\nTA  - A J\nTI  - [Not Available].\nTT  - Titre propre\n";
        let found = read(Dialect::Medline, record, ["title", "journal", "date"]);
        assert_eq!(
            found,
            [Some("Titre propre".to_owned()), Some("A J".to_owned()), None]
        );
    }

    #[test]
    fn the_first_of_several_tags_counts() {
        let record = "TY  - JOUR\nAN  - 12\nAN  - 13\nT1  - Other\nTI  - Title\nJA  - J\nJF  - Journal\nT2  - Second\nDA  - Jan 5\nPY  - 2020\nN2  - Text\nER  - \n";
        let found = read(
            Dialect::Ris,
            record,
            ["id", "title", "journal", "date", "abstract"],
        );
        let wanted = ["12", "Title", "Journal", "2020 Jan 5", "Text"];
        assert_eq!(found, wanted.map(|text| Some(text.to_owned())));
    }

    #[test]
    fn the_first_tag_that_holds_a_date_gives_it() {
        for (dialect, record, wanted) in [
            (Dialect::Ris, "DA  - in press\nPY  - 2021\n", "2021"),
            (Dialect::Ris, "DA  - 2021 in press\nPY  - 2021\n", "2021"),
            (
                Dialect::Ris,
                "DA  - N/A\nY1  - 2021/03/02/\nPY  - 2021\n",
                "2021-03-02",
            ),
            (
                Dialect::Ris,
                "DA  - in press\nY1  - soon\nPY  - 2021///\n",
                "2021",
            ),
            (Dialect::Ris, "Y1  - 2021/03//\nPY  - 2021\n", "2021-03"),
            (Dialect::Ris, "DA  - 03/28/2021\nPY  - 2021\n", "03/28/2021"),
            (Dialect::Ris, "DA  - 2021/02/31/\nPY  - 2021\n", "2021-02-31"),
            (Dialect::Ris, "DA  - 2021/00/00/\nPY  - 2021\n", "2021"),
            (Dialect::Ris, "DA  - in press\n", "in press"),
            (Dialect::Ovid, "DG  - Foo 5\nYR  - 2020\n", "2020"),
            (
                Dialect::Ovid,
                "DP  - soon\nDG  - 2020 Jan 5\nYR  - 2020\n",
                "2020 Jan 5",
            ),
            (Dialect::Ovid, "DP  - Jan 5\nYR  - 2020\n", "2020 Jan 5"),
        ] {
            assert_eq!(
                read(dialect, record, ["date"]),
                [Some(wanted.to_owned())],
                "{record}"
            );
        }
    }

    #[test]
    fn dates_between_slashes_have_parts_that_lack() {
        for (given, wanted) in [
            ("2020/01/05/", "2020-01-05"),
            ("2020/01//", "2020-01"),
            ("2020///", "2020"),
            ("2020///Spring", "2020 Spring"),
            ("2020/01/05/Epub", "2020-01-05"),
            ("2020/01", "2020-01"),
            ("2020/01/", "2020-01"),
            ("2020/01/05", "2020/01/05"),
            ("2020 Jan/Feb", "2020 Jan/Feb"),
            ("2020", "2020"),
            ("", ""),
        ] {
            assert_eq!(between_slashes(given), wanted, "{given}");
        }
    }
}
