//! How sources of publications call their columns, and what has to be taken out of a column before it is cleaned.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::formats::{Field, Fields};
use crate::schema::{PublicationKind, SourceShape};
use crate::text::clean;
use crate::text::date::has_form;

/// Where the values of a row stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// A column each.
    #[default]
    Plain,
    /// PubMed's own CSV before 2020: journal and date stand inside descriptions.
    LegacyPubmed,
    /// PubMed's own CSV since then: the date stands inside the citation.
    PubmedCsv,
}

/// The shapes of a kind, made once a process: first the plain one, which JSON and tagged formats have as well.
pub fn shapes(kind: PublicationKind) -> &'static [Fields] {
    static SHAPES: LazyLock<[Vec<Fields>; PublicationKind::ALL.len()]> =
        LazyLock::new(|| PublicationKind::ALL.map(shapes_of));
    &SHAPES[kind as usize]
}

fn shapes_of(kind: PublicationKind) -> Vec<Fields> {
    let plural = kind.description().plural;
    match kind.description().shape {
        SourceShape::Articles => vec![
            Fields::new(
                plain(&["id", "pmid", "publication_id"], &["title"])
                    .into_iter()
                    .chain([
                        Field::optional("abstract", &["abstract"]),
                        Field::optional("version", &["version"]),
                        // Of PubMed's own formats alone: a column of that name somewhere else may hold anything,
                        // and no row is to be rejected for what only helps to join journals.
                        Field::optional("nlm_id", &[]),
                        Field::optional("issn", &[]),
                        Field::optional("doi", &["doi"]).lenient(),
                        Field::optional("pmcid", &["pmcid"]).lenient(),
                        Field::optional("publication_types", &[]),
                        Field::optional("notices", &[]),
                        Field::optional("mesh", &[]),
                        Field::optional("substances", &[]),
                        Field::optional("trial_ids", &[]),
                    ]),
            )
            .titled(plural),
            Fields::new([
                Field::required("id", &["EntrezUID"]),
                Field::required("title", &["Title"]),
                Field::required("date", &["Details"]),
                Field::required("journal", &["ShortDetails"]),
                // `PMID:31396594 | PMCID:PMC6683974`
                Field::optional("pmcid", &["Identifiers"]),
                Field::optional("abstract", &[]),
                Field::optional("version", &[]),
            ])
            .titled("PubMed's CSV export of before 2020"),
            Fields::new([
                Field::required("id", &["PMID"]),
                Field::required("title", &["Title"]),
                Field::required("date", &["Citation"]),
                Field::required("journal", &["Journal/Book"]),
                Field::optional("abstract", &["Abstract"]),
                Field::optional("version", &[]),
                Field::optional("year", &["Publication Year"]),
                Field::optional("doi", &["DOI"]),
                Field::optional("pmcid", &["PMCID"]),
            ])
            .titled("PubMed's CSV export"),
        ],
        SourceShape::Trials => {
            let more = [
                Field::optional("abstract", &["abstract", "Brief Summary"]),
                Field::optional("brief_title", &["brief_title"]),
                Field::optional("interventions", &["interventions"]),
            ];
            vec![
                Fields::new(
                    plain(
                        &["id", "nct_id", "publication_id"],
                        &["scientific_title", "title"],
                    )
                    .into_iter()
                    .chain(more)
                    .chain([
                        Field::optional("phase", &[]),
                        Field::optional("trial_status", &[]),
                        Field::optional("conditions", &[]),
                        // Of the API's studies: with other names and arms.
                        Field::optional("intervention_list", &[]),
                    ]),
                )
                .titled(plural),
                Fields::new(
                    [
                        Field::required("id", &["NCT Number"]),
                        Field::required("title", &["Study Title", "Title"]),
                        // Some exports of the new site lack the dates altogether, and none has a journal.
                        Field::optional("date", &["Start Date"]),
                        Field::optional("journal", &["journal"]),
                        Field::optional("phase", &["Phases"]),
                        Field::optional("trial_status", &["Study Status", "Status"]),
                        Field::optional("conditions", &["Conditions"]),
                    ]
                    .into_iter()
                    .chain(more),
                )
                .titled("ClinicalTrials.gov's CSV exports"),
                Fields::new([
                    Field::required("id", &["nct_id"]),
                    // Where it is blank, the brief title counts.
                    Field::required("title", &["official_title"]),
                    Field::required("date", &["start_date"]),
                    Field::optional("journal", &[]),
                    Field::optional("abstract", &[]),
                    Field::optional("brief_title", &["brief_title"]),
                    Field::optional("interventions", &[]),
                    Field::optional("phase", &["phase"]),
                    Field::optional("trial_status", &["overall_status"]),
                ])
                .titled("AACT's table of studies"),
            ]
        }
    }
}

fn plain(id: &'static [&'static str], title: &'static [&'static str]) -> [Field; 4] {
    [
        Field::required("id", id),
        Field::required("title", title),
        Field::required("date", &["date"]),
        Field::required("journal", &["journal"]),
    ]
}

impl Layout {
    /// The layout of a shape of [`shapes`], by its number.
    pub(super) fn of(kind: PublicationKind, shape: usize) -> Self {
        match (kind.description().shape, shape) {
            (SourceShape::Articles, 1) => Self::LegacyPubmed,
            (SourceShape::Articles, 2) => Self::PubmedCsv,
            _ => Self::Plain,
        }
    }

    /// The journal in its column.
    pub(super) fn journal(self, text: &str) -> &str {
        match self {
            Self::Plain | Self::PubmedCsv => text,
            // `Crit Rev Oncol Hematol.  2019`; a book has the year alone.
            Self::LegacyPubmed => match text.rsplit_once(".  ") {
                Some((journal, _)) => journal.trim(),
                None if text.trim().bytes().all(|byte| byte.is_ascii_digit()) => "",
                None => text.trim(),
            },
        }
    }

    /// The date in its column; `year` is that of a column of its own.
    pub(super) fn date<'d>(self, date: &'d str, journal: &'d str, year: Option<&'d str>) -> &'d str {
        match self {
            Self::Plain => date,
            Self::LegacyPubmed | Self::PubmedCsv => {
                // `Nutrition. 2019 Jun 26;67-68:110535. doi: …`, behind the journal of `Nutrition.  2019`
                let name = self.journal(journal).trim();
                // `Version 2. Wellcome Open Res. 2019 Jul 8 [revised …];4:56.`: there may be something before it.
                let behind = match date.find(name).filter(|_| !name.is_empty()) {
                    Some(place) => date[place + name.len()..].trim_start_matches(['.', ' ']),
                    None => date,
                };
                // `bioRxiv [Preprint]. 2023 Feb 14:2023.02.14.528498.`
                let behind = match behind.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                    Some((_, rest)) => rest.trim_start_matches(['.', ' ']),
                    None => behind,
                };
                let first = |text: &'d str| {
                    let end = text.find([';', ':', '.', '[']).unwrap_or(text.len());
                    text[..end].trim()
                };
                // `Ottawa (ON): Agency; 2019 Jun.`: of a book, behind its publisher.
                let found = match date.trim_end_matches(['.', ' ']).rsplit_once("; ") {
                    Some((_, last)) if name.is_empty() => last.trim(),
                    _ => first(behind),
                };
                // The last resort is the year, in its own column or behind the journal. Without one, the text found is
                // returned all the same, so that the date counts as bad and not as missing.
                let year = year.or_else(|| journal.trim().rsplit(' ').next());
                let year = year.unwrap_or_default();
                // `2023 May 29. In: StatPearls [Internet]. …`: of a chapter, before its book.
                let mut dates = [first(date), found, year].into_iter();
                dates.find(|date| has_form(date)).unwrap_or(found)
            }
        }
    }
}

/// What is searched as the abstract of a trial: its brief title where that is another than its title, which is clean already,
/// its summary and its interventions.
pub(super) fn trial_summary<'s>(
    title: &str,
    brief_title: Option<&'s str>,
    summary: Option<&'s str>,
    interventions: Option<&str>,
) -> Option<Cow<'s, str>> {
    let given = |text: Option<&'s str>| text.map(str::trim).filter(|text| !text.is_empty());
    let brief_title = given(brief_title).filter(|brief| clean(brief).text != title);
    let interventions = interventions.map(str::trim).filter(|text| !text.is_empty());
    if brief_title.is_none() && interventions.is_none() {
        return given(summary).map(Cow::Borrowed);
    }
    let mut parts: Vec<Cow<'_, str>> = Vec::with_capacity(3);
    if let Some(brief) = brief_title {
        let stop = if brief.ends_with(['.', '?', '!']) { "" } else { "." };
        parts.push(Cow::Owned(format!("{brief}{stop}")));
    }
    parts.extend(given(summary).map(Cow::Borrowed));
    if let Some(interventions) = interventions {
        parts.push(Cow::Owned(format!(
            "Interventions: {}.",
            interventions.replace('|', "; ").trim_end_matches('.')
        )));
    }
    Some(Cow::Owned(parts.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brief_title_that_is_the_title_is_not_said_again() {
        let summary = |brief| trial_summary("A trial of Genève", Some(brief), Some("Text."), None);
        for same in ["A trial of Genève", " A  trial of <i>Gen\\xc3\\xa8ve</i>"] {
            assert_eq!(summary(same).as_deref(), Some("Text."));
        }
        assert_eq!(summary("Another").as_deref(), Some("Another. Text."));
    }

    #[test]
    fn journal_and_date_stand_inside_the_old_descriptions() {
        let cases = [
            (
                "Nutrition.  2019",
                "Nutrition. 2019 Jun 26;67-68:110535. doi: 10.1016/x.",
                "Nutrition",
                "2019 Jun 26",
            ),
            (
                "Biosci Rep.  2019",
                "Biosci Rep. 2019 Aug 2. pii: BSR2. doi: 1.",
                "Biosci Rep",
                "2019 Aug 2",
            ),
            (
                "J Chem.  1999",
                "J Chem. 1999 Jan-Feb;3(1):1-9.",
                "J Chem",
                "1999 Jan-Feb",
            ),
            (
                "Medicine (Baltimore).  2019",
                "Medicine (Baltimore). 2019 Aug;98(33):e1.",
                "Medicine (Baltimore)",
                "2019 Aug",
            ),
            ("Odd.  2001", "something else", "Odd", "2001"),
            ("Without year", "2010 May;3", "Without year", "2010 May"),
            (
                "J Spec Oper Med.  Spri",
                "J Spec Oper Med. Spring 2019;19(1):1.",
                "J Spec Oper Med",
                "Spring 2019",
            ),
            (
                "Odd Month.  2019",
                "Odd Month. 2019 Aprial;28(2):1.",
                "Odd Month",
                "2019",
            ),
            (" 2019", "Ottawa (ON): Agency; 2019 Jun.", "", "2019 Jun"),
            (
                " 2018",
                "Rockville (MD): Agency (US); 2018 Jan 7.",
                "",
                "2018 Jan 7",
            ),
            (" 2019", "Somewhere; Somebody.", "", "2019"),
            // It was the year, without a word.
            (
                "J Chem.  2019",
                "J Chem. 2019 Feb 31;1:1.",
                "J Chem",
                "2019 Feb 31",
            ),
            ("J Chem.  2019", "J Chem. 2019 Foo 3;1:1.", "J Chem", "2019"),
            ("Nothing", "no date", "Nothing", "no date"),
        ];
        for (short, details, journal, date) in cases {
            assert_eq!(Layout::LegacyPubmed.journal(short), journal);
            assert_eq!(Layout::LegacyPubmed.date(details, short, None), date, "{details}");
        }
    }

    #[test]
    fn the_date_of_a_citation_stands_behind_the_journal() {
        for (journal, citation, date) in [
            (
                "Proc Natl Acad Sci U S A",
                "Proc Natl Acad Sci U S A. 2023 Apr 25;120(17):e2217872120. doi: 10.1/x. Epub 2023 Apr 17.",
                "2023 Apr 25",
            ),
            ("Eur J Test", "Eur J Test. 2020 Feb;63(2):103640.", "2020 Feb"),
            ("J Test", "J Test. 2023 Jan-Feb 01;1(1):1.", "2023 Jan-Feb 01"),
            (
                "J Test",
                "J Test. 2021 Mar 2. doi: 10.1/x. Online ahead of print.",
                "2021 Mar 2",
            ),
            (
                "StatTests",
                "In: StatTests [Internet]. Town (FL): StatTests Publishing; 2024 Jan\u{2013}.",
                "2019",
            ),
            (
                "bioRxiv",
                "bioRxiv [Preprint]. 2023 Feb 14:2023.02.14.528498. doi: 10.1101/2023.02.14.528498.",
                "2023 Feb 14",
            ),
            (
                "StatTests",
                "2023 May 29. In: StatTests [Internet]. Town (FL): StatTests Publishing; 2023 Jan\u{2013}.",
                "2023 May 29",
            ),
            (
                "",
                "2023 May 29. In: StatTests [Internet]. Town (FL): StatTests Publishing; 2023 Jan\u{2013}.",
                "2023 May 29",
            ),
            ("J Test", "J Test. 2021 Feb 31;1:1.", "2021 Feb 31"),
            ("J Test", "J Test. 2021 Foo;1:1.", "2019"),
            ("J Test", "", "2019"),
        ] {
            assert_eq!(
                Layout::PubmedCsv.date(citation, journal, Some("2019")),
                date,
                "{citation}"
            );
            assert_eq!(Layout::PubmedCsv.journal(journal), journal);
        }
    }

    #[test]
    fn a_trial_is_summed_up_from_what_is_there() {
        let summary = |brief, text, interventions| {
            trial_summary("Official", brief, text, interventions).map(Cow::into_owned)
        };
        assert_eq!(summary(None, None, None), None);
        assert_eq!(summary(Some("Official"), Some(" "), Some("")), None);
        assert_eq!(
            summary(None, Some("A summary."), None).as_deref(),
            Some("A summary.")
        );
        assert_eq!(
            summary(
                Some("Brief"),
                Some("A summary."),
                Some("DRUG: Aspirin|OTHER: Rest")
            )
            .as_deref(),
            Some("Brief. A summary. Interventions: DRUG: Aspirin; OTHER: Rest.")
        );
    }
}
