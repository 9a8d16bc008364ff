//! What a PubMed XML record says beside title, date and journal: ids, publication types, notices, headings, substances.
//!
//! Most of a record is authors and references, so each list is looked for only where PubMed's document type has it:
//! types and accession numbers at the end of the article, headings and substances between the journal's information and
//! `PubmedData`, ids at the beginning of that.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::{memchr, memmem};

use super::xml::{ElementName, XmlElement, attribute, text};
use crate::formats::lists::push_item;

struct DetailElements {
    types: ElementName,
    one_type: ElementName,
    banks: ElementName,
    accession: ElementName,
    location: ElementName,
    chemicals: ElementName,
    chemical: ElementName,
    number: ElementName,
    substance: ElementName,
    notices: ElementName,
    notice: ElementName,
    headings: ElementName,
    descriptor: ElementName,
    ids: ElementName,
    id: ElementName,
}

/// The types of notices that say what became of the record.
const NOTICES: [&str; 7] = [
    "RetractionIn",
    "RetractionOf",
    "PartialRetractionIn",
    "ExpressionOfConcernIn",
    "ExpressionOfConcernFor",
    "ErratumIn",
    "CorrectedandRepublishedIn",
];

static NAMES: LazyLock<DetailElements> = LazyLock::new(|| DetailElements {
    types: ElementName::new("<PublicationTypeList", "</PublicationTypeList"),
    one_type: ElementName::new("<PublicationType", "</PublicationType"),
    banks: ElementName::new("<DataBankList", "</DataBankList"),
    accession: ElementName::new("<AccessionNumber", "</AccessionNumber"),
    location: ElementName::new("<ELocationID", "</ELocationID"),
    chemicals: ElementName::new("<ChemicalList", "</ChemicalList"),
    chemical: ElementName::new("<Chemical", "</Chemical"),
    number: ElementName::new("<RegistryNumber", "</RegistryNumber"),
    substance: ElementName::new("<NameOfSubstance", "</NameOfSubstance"),
    notices: ElementName::new("<CommentsCorrectionsList", "</CommentsCorrectionsList"),
    notice: ElementName::new("<CommentsCorrections", "</CommentsCorrections"),
    headings: ElementName::new("<MeshHeadingList", "</MeshHeadingList"),
    descriptor: ElementName::new("<DescriptorName", "</DescriptorName"),
    ids: ElementName::new("<ArticleIdList", "</ArticleIdList"),
    id: ElementName::new("<ArticleId", "</ArticleId"),
});

/// Where the parts of a record are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordPlaces {
    /// The end of the title.
    pub title_end: usize,
    /// The end of the abstract, or of the title.
    pub summary_end: usize,
    /// The element of the journal's information.
    pub info: (usize, usize),
}

/// The lists of a record, as texts of a batch in the form of [`push_item`]; their room serves one record after the other.
#[derive(Debug, Default)]
pub(crate) struct RecordLists {
    pub publication_types: String,
    pub notices: String,
    pub mesh: String,
    pub substances: String,
    pub trial_ids: String,
}

/// The ids of a record.
#[derive(Debug, Default)]
pub(crate) struct RecordIds<'x> {
    pub doi: Option<Cow<'x, str>>,
    pub pmcid: Option<Cow<'x, str>>,
}

impl RecordLists {
    /// Reads a record in place of the one before.
    pub(crate) fn read<'x>(&mut self, xml: &'x str, places: RecordPlaces) -> RecordIds<'x> {
        for list in [
            &mut self.publication_types,
            &mut self.notices,
            &mut self.mesh,
            &mut self.substances,
            &mut self.trial_ids,
        ] {
            list.clear();
        }
        let names = &*NAMES;
        let article = &xml[places.summary_end..places.info.0];
        let types = names.types.find_last(article);
        for its_type in types.iter().flat_map(|types| names.one_type.all(types.inner)) {
            push_item(&mut self.publication_types, [text(its_type.inner).trim()]);
        }
        let types_start = types.map_or(article.len(), |types| types.start);
        if let Some(banks) = names.banks.find(&article[..types_start], 0) {
            for accession in names.accession.all(banks.inner) {
                push_item(&mut self.trial_ids, [text(accession.inner).trim()]);
            }
        }
        let behind = &xml[places.info.1..];
        let data = self.read_lists(behind);
        let mut ids = read_ids(&behind[data..]);
        if ids.doi.is_none() {
            let end = memmem::find(article.as_bytes(), b"<Author").unwrap_or(article.len());
            let before_authors = &xml[places.title_end..places.summary_end + end];
            let is_doi = |location: &XmlElement<'_>| {
                attribute(location.attributes, "EIdType").is_some_and(|kind| kind == "doi")
                    && attribute(location.attributes, "ValidYN").is_none_or(|valid| valid != "N")
            };
            ids.doi = names
                .location
                .all(before_authors)
                .find(is_doi)
                .map(|found| text(found.inner));
        }
        ids
    }

    /// Reads substances, notices and headings between the journal's information and `PubmedData`, where they end: one
    /// walk from tag to tag, because a record without a list would be searched for it to its end.
    fn read_lists(&mut self, xml: &str) -> usize {
        let names = &*NAMES;
        let bytes = xml.as_bytes();
        let mut at = 0;
        // Each list that does not end would be searched for its end.
        let mut all_end = true;
        while let Some(place) = memchr(b'<', &bytes[at..]) {
            let tag = at + place;
            let here = &bytes[tag..];
            at = tag + 1;
            let list = match here.get(1..3) {
                Some(b"Ch") if all_end && names.chemicals.begins(here) => &names.chemicals,
                Some(b"Co") if all_end && names.notices.begins(here) => &names.notices,
                Some(b"Me") if all_end && names.headings.begins(here) => &names.headings,
                Some(b"Pu") if here.starts_with(b"<PubmedData") => return tag,
                _ => continue,
            };
            let Some(found) = list.find(xml, tag) else {
                all_end = false;
                continue;
            };
            at = found.end;
            match here[2] {
                b'h' => self.read_substances(found.inner),
                b'o' => self.read_notices(found.inner),
                _ => self.read_headings(found.inner),
            }
        }
        xml.len()
    }

    fn read_substances(&mut self, list: &str) {
        let names = &*NAMES;
        for chemical in names.chemical.all(list) {
            let Some(name) = names.substance.find(chemical.inner, 0) else {
                continue;
            };
            let ui = attribute(name.attributes, "UI").unwrap_or_default();
            let number = names.number.text(chemical.inner);
            push_item(
                &mut self.substances,
                [text(name.inner).trim(), number.trim(), &ui],
            );
        }
    }

    fn read_notices(&mut self, list: &str) {
        for says in NAMES.notice.attributes(list, "RefType") {
            // `Cites` and comments are far more frequent, and do not concern this record.
            if NOTICES.contains(&&*says) {
                push_item(&mut self.notices, [&*says]);
            }
        }
    }

    fn read_headings(&mut self, list: &str) {
        for ui in NAMES.descriptor.attributes(list, "UI") {
            push_item(&mut self.mesh, [&*ui]);
        }
    }
}

/// Reads the record's own ids, and not those of the works that it cites.
fn read_ids(data: &str) -> RecordIds<'_> {
    let names = &*NAMES;
    let mut ids = RecordIds::default();
    let Some(list) = names.ids.find(data, 0) else {
        return ids;
    };
    if memmem::find(&data.as_bytes()[..list.start], b"<Reference").is_some() {
        return ids;
    }
    for id in names.id.all(list.inner) {
        match attribute(id.attributes, "IdType").as_deref() {
            Some("doi") => ids.doi = Some(text(id.inner)),
            Some("pmc") => ids.pmcid = Some(text(id.inner)),
            _ => {}
        }
    }
    ids
}
