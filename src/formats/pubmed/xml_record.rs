//! The values of a PubMed XML record: its elements by name, and texts that several elements form.

use std::sync::LazyLock;

use memchr::memmem;

use super::xml::{ElementName, XmlElement, attribute, text};

/// The wanted elements.
pub(crate) struct WantedElements {
    pub pmid: ElementName,
    pub journal: ElementName,
    pub pub_date: ElementName,
    pub year: ElementName,
    pub month: ElementName,
    pub day: ElementName,
    pub season: ElementName,
    pub medline_date: ElementName,
    pub title: ElementName,
    pub abbreviation: ElementName,
    pub article_title: ElementName,
    pub book_title: ElementName,
    pub vernacular: ElementName,
    pub summary: ElementName,
    pub summary_text: ElementName,
    pub medline_journal: ElementName,
    pub journal_info: ElementName,
    pub nlm_id: ElementName,
    pub issn: ElementName,
    pub linking_issn: ElementName,
    corrections: ElementName,
    /// The beginnings of records, and of citations in them.
    records: [memmem::Finder<'static>; 2],
}

pub(crate) static NAMES: LazyLock<WantedElements> = LazyLock::new(|| WantedElements {
    pmid: ElementName::new("<PMID", "</PMID"),
    journal: ElementName::new("<Journal", "</Journal"),
    pub_date: ElementName::new("<PubDate", "</PubDate"),
    year: ElementName::new("<Year", "</Year"),
    month: ElementName::new("<Month", "</Month"),
    day: ElementName::new("<Day", "</Day"),
    season: ElementName::new("<Season", "</Season"),
    medline_date: ElementName::new("<MedlineDate", "</MedlineDate"),
    title: ElementName::new("<Title", "</Title"),
    abbreviation: ElementName::new("<ISOAbbreviation", "</ISOAbbreviation"),
    article_title: ElementName::new("<ArticleTitle", "</ArticleTitle"),
    book_title: ElementName::new("<BookTitle", "</BookTitle"),
    vernacular: ElementName::new("<VernacularTitle", "</VernacularTitle"),
    summary: ElementName::new("<Abstract", "</Abstract"),
    summary_text: ElementName::new("<AbstractText", "</AbstractText"),
    medline_journal: ElementName::new("<MedlineTA", "</MedlineTA"),
    journal_info: ElementName::new("<MedlineJournalInfo", "</MedlineJournalInfo"),
    nlm_id: ElementName::new("<NlmUniqueID", "</NlmUniqueID"),
    issn: ElementName::new("<ISSN", "</ISSN"),
    linking_issn: ElementName::new("<ISSNLinking", "</ISSNLinking"),
    corrections: ElementName::new("<CommentsCorrectionsList", "</CommentsCorrectionsList"),
    records: [
        memmem::Finder::new("<Pubmed"),
        memmem::Finder::new("<MedlineCitation"),
    ],
});

/// The beginning of another record inside of one. The text between them was lost, and they would be read as one record.
pub(crate) fn another_inside(xml: &str) -> Option<&'static str> {
    let bytes = xml.as_bytes();
    let [articles, citations] = &NAMES.records;
    // After the beginning of the record itself.
    let from = 1;
    let citation = citations.find(&bytes[from..]).map(|place| from + place);
    // An article begins before its citation, if it has one, so only a few bytes need the search.
    let mut at = from;
    while let Some(place) = articles.find(&bytes[at..citation.unwrap_or(bytes.len())]) {
        at += place + articles.needle().len();
        // `<PubmedData` occurs in every record.
        if ["Article", "BookArticle"]
            .iter()
            .any(|rest| xml[at..].starts_with(rest))
        {
            return Some("another record");
        }
    }
    // An article holds one citation; in old files the citation is the record.
    let more = if xml.starts_with("<MedlineCitation") {
        citation
    } else {
        citation.and_then(|place| citations.find(&bytes[place + 1..]))
    };
    more.map(|_| "another MedlineCitation")
}

/// The record's own id, and not one of its list of corrections.
pub(crate) fn own_pmid(xml: &str) -> Option<XmlElement<'_>> {
    let mut from = 0;
    let mut pmid = NAMES.pmid.find(xml, from)?;
    loop {
        let Some(list) = xml[from..pmid.end].find("<CommentsCorrectionsList") else {
            return Some(pmid);
        };
        from = NAMES.corrections.find(xml, from + list)?.end;
        // Search again if it was in the list; otherwise there may be a list at every byte before it.
        if pmid.start < from {
            pmid = NAMES.pmid.find(xml, from)?;
        }
    }
}

/// Whether a title is missing: NLM then writes `[Not Available].`
pub(crate) fn is_blank(title: &str) -> bool {
    let bare = title.trim().trim_end_matches('.');
    bare.is_empty() || bare.eq_ignore_ascii_case("[Not Available]")
}

/// A publication date in a form that the date parser accepts.
pub(crate) fn date_text(inner: &str) -> String {
    let names = &*NAMES;
    let part = |name: &ElementName| name.text(inner).trim().to_owned();
    let (year, month, day) = (part(&names.year), part(&names.month), part(&names.day));
    if year.is_empty() {
        return part(&names.medline_date);
    }
    let season = part(&names.season);
    if month.is_empty() {
        return if season.is_empty() {
            year
        } else {
            format!("{year} {season}")
        };
    }
    let separator = if month.bytes().all(|byte| byte.is_ascii_digit()) {
        "-"
    } else {
        " "
    };
    if day.is_empty() {
        format!("{year}{separator}{month}")
    } else {
        format!("{year}{separator}{month}{separator}{day}")
    }
}

/// The sections of an abstract, each after its label.
pub(crate) fn summary_text(inner: &str) -> String {
    let mut summary = String::with_capacity(inner.len());
    let mut from = 0;
    while let Some(section) = NAMES.summary_text.find(inner, from) {
        from = section.end;
        let given = text(section.inner);
        // A label alone is no text: `<AbstractText Label="CONCLUSIONS"/>`.
        if given.trim().is_empty() {
            continue;
        }
        if !summary.is_empty() {
            summary.push(' ');
        }
        let label = attribute(section.attributes, "Label").filter(|label| !label.trim().is_empty());
        if let Some(label) = label.filter(|label| !label.eq_ignore_ascii_case("UNLABELLED")) {
            summary.push_str(label.trim().trim_end_matches(':'));
            summary.push_str(": ");
        }
        summary.push_str(&given);
    }
    if from == 0 {
        // Old records may have a text without sections; a copyright notice is none.
        let given = inner.split("<CopyrightInformation").next().unwrap_or_default();
        summary.push_str(&text(given));
    }
    summary
}
