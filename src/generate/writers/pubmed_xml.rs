//! Articles as PubMed's XML.

use crate::generate::details::MadeDetails;
use crate::generate::random::journals;
use crate::generate::record::MadeRow;

pub(in crate::generate) const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!DOCTYPE PubmedArticleSet PUBLIC \
                               \"-//NLM//DTD PubMedArticle, 1st January 2025//EN\" \
                               \"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd\">\n<PubmedArticleSet>\n";
pub(in crate::generate) const TAIL: &str = "</PubmedArticleSet>\n";

/// Adds an article; the second row of a record is the next version.
pub(in crate::generate) fn article(row: &MadeRow, again: bool, out: &mut Vec<u8>) {
    let title = escaped(&row.title);
    let title = match title.split_once(' ') {
        Some((first, rest)) if row.markup => format!("<i>{first}</i> {rest}"),
        _ => title,
    };
    let journal = escaped(&row.journal);
    let (issn, info) = if journal.trim().is_empty() {
        (String::new(), String::new())
    } else {
        let (issn, nlm_id) = (
            journals::issn(row.journal_number),
            journals::nlm_id(row.journal_number),
        );
        (
            format!("<ISSN IssnType=\"Print\">{issn}</ISSN>"),
            format!(
                "<MedlineJournalInfo><NlmUniqueID>{nlm_id}</NlmUniqueID><ISSNLinking>{issn}</ISSNLinking>\
                 </MedlineJournalInfo>\n"
            ),
        )
    };
    let summary = if row.summary.is_empty() {
        String::new()
    } else {
        format!(
            "<Abstract><AbstractText>{}</AbstractText></Abstract>",
            escaped(&row.summary)
        )
    };
    let details = MadeDetails::of(row);
    let types: Vec<String> = details
        .types
        .iter()
        .map(|its| format!("<PublicationType>{its}</PublicationType>"))
        .collect();
    let types = format!("<PublicationTypeList>{}</PublicationTypeList>\n", types.concat());
    let headings: Vec<String> = details
        .mesh
        .iter()
        .map(|ui| format!("<MeshHeading><DescriptorName UI=\"{ui}\">Heading</DescriptorName></MeshHeading>"))
        .collect();
    let headings = format!("<MeshHeadingList>{}</MeshHeadingList>\n", headings.concat());
    let ids = format!(
        "<PubmedData><ArticleIdList><ArticleId IdType=\"doi\">{}</ArticleId></ArticleIdList></PubmedData>\n",
        escaped(&details.doi)
    );
    let text = format!(
        "<PubmedArticle>\n<MedlineCitation Status=\"MEDLINE\" Owner=\"NLM\">\n<PMID Version=\"{}\">{}</PMID>\n\
         <Article PubModel=\"Print\">\n<Journal>{issn}<JournalIssue CitedMedium=\"Print\">\
         <PubDate>{}</PubDate></JournalIssue><Title>{journal}</Title></Journal>\n<ArticleTitle>{title}</ArticleTitle>\n\
         {summary}<Language>eng</Language>\n{types}</Article>\n{info}{headings}</MedlineCitation>\n{ids}</PubmedArticle>\n",
        if again { 2 } else { 1 },
        row.id,
        row.date.elements(),
    );
    out.extend_from_slice(text.as_bytes());
}

/// Adds a notice of deletion.
pub(in crate::generate) fn delete(ids: &[String], out: &mut Vec<u8>) {
    if ids.is_empty() {
        return;
    }
    out.extend_from_slice(b"<DeleteCitation>\n");
    for id in ids {
        out.extend_from_slice(format!("<PMID Version=\"1\">{id}</PMID>\n").as_bytes());
    }
    out.extend_from_slice(b"</DeleteCitation>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
