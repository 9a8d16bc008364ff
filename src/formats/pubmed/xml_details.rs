//! What a PubMed XML record says beside title, date and journal: ids, publication types, notices, headings, substances.
//!
//! Most of a record is authors and references, so each list is looked for only where PubMed's document type has it:
//! types and accession numbers at the end of the article, headings and substances between the journal's information and
//! `PubmedData`, ids at the beginning of that.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;

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
    data: memmem::Finder<'static>,
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
    data: memmem::Finder::new("<PubmedData"),
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

/// The details of a record, as texts of a batch; a list has its items in the form of [`push_item`].
#[derive(Debug, Default)]
pub(crate) struct RecordDetails<'x> {
    pub doi: Option<Cow<'x, str>>,
    pub pmcid: Option<Cow<'x, str>>,
    pub publication_types: String,
    pub notices: String,
    pub mesh: String,
    pub substances: String,
    pub trial_ids: String,
}

impl<'x> RecordDetails<'x> {
    pub(crate) fn read(xml: &'x str, places: RecordPlaces) -> Self {
        let names = &*NAMES;
        let mut details = Self::default();
        let article = &xml[places.summary_end..places.info.0];
        let types = names.types.find_last(article);
        for its_type in types.iter().flat_map(|types| names.one_type.all(types.inner)) {
            push_item(&mut details.publication_types, [text(its_type.inner).trim()]);
        }
        let types_start = types.map_or(article.len(), |types| types.start);
        if let Some(banks) = names.banks.find(&article[..types_start], 0) {
            for accession in names.accession.all(banks.inner) {
                push_item(&mut details.trial_ids, [text(accession.inner).trim()]);
            }
        }
        let behind = &xml[places.info.1..];
        let data = names.data.find(behind.as_bytes()).unwrap_or(behind.len());
        details.read_lists(&behind[..data]);
        details.read_ids(&behind[data..]);
        if details.doi.is_none() {
            let end = memmem::find(article.as_bytes(), b"<Author").unwrap_or(article.len());
            let before_authors = &xml[places.title_end..places.summary_end + end];
            let is_doi = |location: &XmlElement<'_>| {
                attribute(location.attributes, "EIdType").is_some_and(|kind| kind == "doi")
                    && attribute(location.attributes, "ValidYN").is_none_or(|valid| valid != "N")
            };
            details.doi = names
                .location
                .all(before_authors)
                .find(is_doi)
                .map(|found| text(found.inner));
        }
        details
    }

    /// Reads substances, notices and headings between the journal's information and `PubmedData`.
    fn read_lists(&mut self, xml: &str) {
        let names = &*NAMES;
        let mut from = 0;
        if let Some(list) = names.chemicals.find(xml, from) {
            from = list.end;
            for chemical in names.chemical.all(list.inner) {
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
        if let Some(list) = names.notices.find(xml, from) {
            from = list.end;
            for notice in names.notice.all(list.inner) {
                // `Cites` and comments are far more frequent, and do not concern this record.
                let says = attribute(notice.attributes, "RefType").unwrap_or_default();
                if NOTICES.contains(&&*says) {
                    push_item(&mut self.notices, [&*says]);
                }
            }
        }
        if let Some(list) = names.headings.find(xml, from) {
            for descriptor in names.descriptor.all(list.inner) {
                if let Some(ui) = attribute(descriptor.attributes, "UI") {
                    push_item(&mut self.mesh, [&*ui]);
                }
            }
        }
    }

    /// Reads the record's own ids, and not those of the works that it cites.
    fn read_ids(&mut self, data: &'x str) {
        let names = &*NAMES;
        let Some(list) = names.ids.find(data, 0) else {
            return;
        };
        if memmem::find(&data.as_bytes()[..list.start], b"<Reference").is_some() {
            return;
        }
        for id in names.id.all(list.inner) {
            match attribute(id.attributes, "IdType").as_deref() {
                Some("doi") => self.doi = Some(text(id.inner)),
                Some("pmc") => self.pmcid = Some(text(id.inner)),
                _ => {}
            }
        }
    }
}
