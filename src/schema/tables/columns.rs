//! The columns that several tables have.

use crate::schema::table::ColumnType::{Date, Number, StructList, Text, TextList};
use crate::schema::table::{StructField, TableColumn, optional, required};

pub(super) const ATCCODE: TableColumn = required("atccode", Text).is(
    "ATC code",
    "A04AD",
    "The code of the drug; where the source has none, a UUIDv5 of the name in lower case",
);
pub(super) const DRUG: TableColumn = required("drug", Text).is(
    "drug name",
    "DIPHENHYDRAMINE",
    "The name of the drug in the vocabulary, cleaned",
);
pub(super) const SUBSTANCE: TableColumn = required("substance", Text).is(
    "active substance",
    "insulin",
    "What several codes of one drug have in common: its folded name without qualifiers in brackets, salts and hydrates",
);
pub(super) const PUBLICATION_ID: TableColumn = required("publication_id", Text).is(
    "publication identifier",
    "31839592",
    "The PMID or NCT id, trimmed; where the source has none, a UUIDv5 of kind, title, date and journal",
);
pub(super) const KIND: TableColumn = required("kind", Text).repeating().is(
    "publication type",
    "pubmed",
    "The kind of publication: pubmed, clinical_trial or preprint",
);
pub(super) const DT: TableColumn = required("dt", Text).repeating().is(
    "logical date",
    "2024-01-31",
    "The date of the delivery, which is the partition",
);
pub(super) const TITLE: TableColumn = required("title", Text).is(
    "title",
    "Tranexamic acid versus epinephrine during exploratory tympanotomy",
    "The title, cleaned",
);
pub(super) const DATE: TableColumn = optional("date", Date).is(
    "publication date",
    "2019-01-01",
    "The first day of the period that the source names; null if it is missing, impossible or in no accepted form",
);
pub(super) const DATE_PRECISION: TableColumn = optional("date_precision", Text).repeating().is(
    "precision of the date",
    "month",
    "How exact the date is: day, month, season or year; null with the date",
);
pub(super) const DISPLAY_NAME: TableColumn = optional("journal", Text).repeating().is(
    "journal title",
    "Journal of emergency nursing",
    "The display name of the journal: its most frequent spelling in the lake",
);
pub(super) const JOURNAL_KEY: TableColumn = optional("journal_key", Text).repeating().is(
    "journal key",
    "journal of emergency nursing",
    "The journal's name with case, accents and punctuation folded, by which spellings are one journal",
);
pub(super) const DOI: TableColumn = optional("doi", Text).is(
    "DOI",
    "10.1016/j.jen.2019.10.013",
    "The digital object identifier, without a resolver before it",
);
pub(super) const PMCID: TableColumn = optional("pmcid", Text).is(
    "PubMed Central identifier",
    "PMC7026692",
    "The id of the full text in PubMed Central",
);
pub(super) const VERSION: TableColumn = optional("version", Number).is(
    "version of the record",
    "1",
    "The version that the source gives the record; null for a source without versions",
);
pub(super) const PUBLICATION_TYPES: TableColumn = required("publication_types", TextList).is(
    "publication types",
    "[\"Journal Article\"]",
    "What PubMed says the article is, in its words",
);
pub(super) const STATUS: TableColumn = optional("status", Text).repeating().is(
    "status of the publication",
    "retracted",
    "What notices make of it: retracted, retraction_notice, expression_of_concern or corrected; null for none",
);
pub(super) const MESH: TableColumn = required("mesh", TextList).is(
    "MeSH headings",
    "[\"D014148\"]",
    "The ids of the descriptors of the article's MeSH headings",
);
pub const SUBSTANCE_FIELDS: &[StructField] = &[
    StructField {
        name: "name",
        field_type: Text,
        description: "The name of the substance, as NLM writes it",
    },
    StructField {
        name: "registry_number",
        field_type: Text,
        description: "Its UNII, CAS number or EC number; null for none",
    },
    StructField {
        name: "ui",
        field_type: Text,
        description: "The id of its MeSH record; null where the format has none",
    },
];
pub(super) const SUBSTANCES: TableColumn = required("substances", StructList(SUBSTANCE_FIELDS)).is(
    "substances",
    "[{\"name\": \"Tranexamic Acid\", \"registry_number\": \"6T84R30KC1\", \"ui\": \"D014148\"}]",
    "The substances that NLM's indexers name (PubMed's ChemicalList)",
);
pub(super) const TRIAL_IDS: TableColumn = required("trial_ids", TextList).is(
    "registered trials",
    "[\"NCT04188184\"]",
    "The NCT ids of trials that the article names in its list of data banks",
);
pub(super) const PHASE: TableColumn = optional("phase", Text).repeating().is(
    "trial phase",
    "PHASE2/PHASE3",
    "The phases of the trial: EARLY_PHASE1, PHASE1 to PHASE4, joined by /; NA where phases do not apply",
);
pub(super) const TRIAL_STATUS: TableColumn = optional("trial_status", Text).repeating().is(
    "recruitment status",
    "COMPLETED",
    "The overall status of the trial, as ClinicalTrials.gov's API writes it",
);
pub(super) const CONDITIONS: TableColumn = required("conditions", TextList).is(
    "conditions",
    "[\"Hypertension\"]",
    "The diseases that the trial is about, cleaned",
);
pub const INTERVENTION_FIELDS: &[StructField] = &[
    StructField {
        name: "type",
        field_type: Text,
        description: "The kind of intervention, as ClinicalTrials.gov's API writes it, such as DRUG; null if unknown",
    },
    StructField {
        name: "name",
        field_type: Text,
        description: "The name of the intervention, cleaned",
    },
    StructField {
        name: "other_names",
        field_type: TextList,
        description: "Its other names",
    },
    StructField {
        name: "roles",
        field_type: TextList,
        description: "What it is in the arms that have it: experimental, active_comparator, placebo_comparator, other",
    },
];
pub(super) const INTERVENTIONS: TableColumn = required("interventions", StructList(INTERVENTION_FIELDS)).is(
    "interventions",
    "[{\"type\": \"DRUG\", \"name\": \"Docetaxel\", \"other_names\": [\"Taxotere\"], \"roles\": [\"experimental\"]}]",
    "What the trial gives or does; exports have neither other names nor roles",
);
pub(super) const FLAGS: TableColumn = required("flags", TextList).is(
    "data quality flags",
    "[\"missing_journal\"]",
    "What was repaired or is doubtful in the row",
);
pub(super) const SOURCE_URI: TableColumn = required("source_uri", Text).repeating().is(
    "source file",
    "gs://bucket/pubmed.csv",
    "The file that delivered the row, as the caller named it",
);
pub(super) const SOURCE_ROW: TableColumn = required("source_row", Number).is(
    "source row",
    "2",
    "The line of a CSV or NDJSON file (the header is line 1), or the element of a JSON array or record (from 1)",
);
pub(super) const SYNONYMS: TableColumn = required("synonyms", TextList).is(
    "synonyms",
    "[\"benadryl\"]",
    "Other names of the drug, cleaned, without duplicates",
);
