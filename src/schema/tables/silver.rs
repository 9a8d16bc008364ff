//! The tables of silver: every delivery.

use super::columns::{
    ATCCODE, CONDITIONS, DATE, DATE_PRECISION, DOI, DRUG, DT, FLAGS, INTERVENTIONS, JOURNAL_KEY, KIND, MESH,
    PHASE, PMCID, PUBLICATION_ID, PUBLICATION_TYPES, SOURCE_ROW, SOURCE_URI, STATUS, SUBSTANCES, SYNONYMS,
    TITLE, TRIAL_IDS, TRIAL_STATUS, VERSION,
};
use crate::schema::table::ColumnType::Text;
use crate::schema::table::{Table, optional, required};

pub const DRUGS: Table = Table {
    name: "drugs_all",
    folder: "silver/drugs",
    description: "The drugs of every delivery of a vocabulary, one row for each pair of a code and a name",
    key: &["atccode", "drug", "dt"],
    partitions: &[DT],
    columns: &[ATCCODE, DRUG, SYNONYMS, FLAGS, SOURCE_URI, SOURCE_ROW],
};

pub const PUBLICATIONS: Table = Table {
    name: "publications_all",
    folder: "silver/publications",
    description: "Every publication of every delivery, one row for each publication and date",
    key: &["kind", "publication_id", "dt"],
    partitions: &[KIND, DT],
    columns: &[
        PUBLICATION_ID,
        TITLE,
        optional("abstract", Text).is("abstract", "Background: …", "The abstract or summary, cleaned"),
        DATE,
        DATE_PRECISION,
        optional("journal", Text).repeating().is(
            "journal title",
            "Journal of Emergency Nursing",
            "The journal in this row's own spelling, cleaned",
        ),
        JOURNAL_KEY,
        DOI,
        PMCID,
        VERSION,
        PUBLICATION_TYPES,
        STATUS,
        MESH,
        SUBSTANCES,
        TRIAL_IDS,
        PHASE,
        TRIAL_STATUS,
        CONDITIONS,
        INTERVENTIONS,
        FLAGS,
        SOURCE_URI,
        SOURCE_ROW,
    ],
};

pub const REJECTED: Table = Table {
    name: "rejected",
    folder: "silver/rejected",
    description: "The rows of sources that cannot be a drug or a publication, with the reason",
    key: &[],
    partitions: &[
        optional("kind", Text).repeating().is(
            KIND.term,
            KIND.example,
            "The kind of publication; null for rows of a vocabulary",
        ),
        DT,
    ],
    columns: &[
        required("reason", Text).repeating().is(
            "reason for rejection",
            "blank_title",
            "Why the row was rejected, as a word",
        ),
        required("message", Text).is(
            "explanation",
            "pubmed.csv row 7: the title is blank",
            "The place, what was found, and what to do",
        ),
        required("raw", Text).is(
            "raw row",
            "7,,2020-01-01,",
            "The row as in the source, at most its first 64 KiB",
        ),
        SOURCE_URI,
        SOURCE_ROW,
    ],
};

pub const DELETED: Table = Table {
    name: "deleted",
    folder: "silver/deleted/publications",
    description: "The notices that a publication is deleted",
    key: &[],
    partitions: &[KIND, DT],
    columns: &[PUBLICATION_ID, SOURCE_URI, SOURCE_ROW],
};

pub const JOURNAL_IDS: Table = Table {
    name: "journal_ids",
    folder: "silver/journals",
    description: "The identifiers under which sources know a journal, one row for each set of them",
    key: &[],
    partitions: &[KIND, DT],
    columns: &[
        required("journal_key", Text).is(JOURNAL_KEY.term, JOURNAL_KEY.example, JOURNAL_KEY.description),
        optional("nlm_id", Text).is("NLM catalogue id", "0370077", "The id in NLM's catalogue"),
        optional("issn", Text).is(
            "ISSN",
            "0006-2952",
            "The linking ISSN, or else the first one; only with a correct check digit",
        ),
    ],
};
