//! The tables of gold: the current state.

use super::columns::{
    ATCCODE, DATE, DATE_PRECISION, DISPLAY_NAME, DRUG, DT, FLAGS, JOURNAL_KEY, KIND, PUBLICATION_ID, STATUS,
    SUBSTANCE, SYNONYMS, TITLE,
};
use crate::schema::table::ColumnType::{Number, Text};
use crate::schema::table::{Table, optional, required};

pub const CURRENT_DRUGS: Table = Table {
    name: "drugs",
    folder: "gold/drugs",
    description: "The drugs of the vocabulary that the mentions were found with, one row for each pair of a code and a name",
    key: &["atccode", "drug"],
    partitions: &[],
    columns: &[ATCCODE, DRUG, SUBSTANCE, SYNONYMS],
};

pub const CURRENT_PUBLICATIONS: Table = Table {
    name: "publications",
    folder: "gold/publications",
    description: "The current state of every publication: the newest delivery of it, without held and deleted ones",
    key: &["kind", "publication_id"],
    partitions: &[KIND, DT],
    columns: &[
        PUBLICATION_ID,
        TITLE,
        DATE,
        DATE_PRECISION,
        DISPLAY_NAME,
        JOURNAL_KEY,
        FLAGS,
        STATUS,
    ],
};

pub const MENTIONS: Table = Table {
    name: "mentions",
    folder: "gold/mentions",
    description: "The places in the text of current publications that name a drug, one row for each place and code",
    key: &[
        "kind",
        "publication_id",
        "field",
        "start",
        "end",
        "atccode",
        "drug",
    ],
    partitions: &[KIND, DT],
    columns: &[
        ATCCODE.repeating(),
        DRUG.repeating(),
        SUBSTANCE.repeating(),
        PUBLICATION_ID,
        DISPLAY_NAME,
        DATE,
        required("field", Text).repeating().is(
            "searched field",
            "title",
            "The field of the publication that was searched: title, abstract, interventions or substances; names in a list are one \
             text, with ` | ` between them",
        ),
        required("start", Number).is(
            "start of the span",
            "0",
            "Where the mention begins, in Unicode code points of the silver text of the field, from 0",
        ),
        required("end", Number).is("end of the span", "15", "Where the mention ends, exclusive"),
        required("surface", Text).repeating().is(
            "surface form",
            "Diphenhydramine",
            "The text of the mention: exactly text[start:end]",
        ),
        required("rule", Text).repeating().is(
            "matching rule",
            "name",
            "How the drug was found: name, synonym, abbreviation or combination",
        ),
        optional("role", Text).repeating().is(
            "role of the intervention",
            "experimental",
            "What the intervention that names the drug is in its arms, the first that holds of experimental, \
             active_comparator, placebo_comparator and other; null in other fields and where the source has no arms",
        ),
        STATUS,
    ],
};

pub const JOURNALS: Table = Table {
    name: "journals",
    folder: "gold/journals",
    description: "The journals of current publications, one row for each display name",
    key: &["journal"],
    partitions: &[],
    columns: &[
        required("journal", Text).is(DISPLAY_NAME.term, DISPLAY_NAME.example, DISPLAY_NAME.description),
        required("publications", Number).is(
            "number of publications",
            "120",
            "How many current publications of all kinds the journal has",
        ),
        required("substances", Number).is(
            "number of substances",
            "67",
            "How many different substances its publications mention",
        ),
        required("codes", Number).is(
            "number of codes",
            "101",
            "How many different codes its publications mention",
        ),
    ],
};

pub const JOURNAL_DRUGS: Table = Table {
    name: "journal_drugs",
    folder: "gold/journal_drugs",
    description: "Which journal mentions which substance, one row for each journal, substance and kind of publication",
    key: &["journal", "substance", "kind"],
    partitions: &[],
    columns: &[
        required("journal", Text).repeating().is(
            DISPLAY_NAME.term,
            DISPLAY_NAME.example,
            DISPLAY_NAME.description,
        ),
        SUBSTANCE.repeating(),
        KIND,
        required("pairs", Number).is(
            "number of publications",
            "3",
            "How many current publications of that kind in the journal mention the substance",
        ),
    ],
};

pub const ATC_CLASSES: Table = Table {
    name: "atc_classes",
    folder: "gold/atc_classes",
    description: "The classes of the ATC classification that codes of the vocabulary belong to, one row for each class",
    key: &["atc_class"],
    partitions: &[],
    columns: &[
        required("atc_class", Text).is(
            "ATC class",
            "A04",
            "The code of the class: the first 1, 3, 4, 5 or 7 characters of a code",
        ),
        required("level", Number).is(
            "ATC level",
            "2",
            "The level of the class: 1 is the anatomical main group, 5 the substance",
        ),
        optional("parent", Text).repeating().is(
            "parent class",
            "A",
            "The class one level above; null at level 1",
        ),
        required("codes", Number).is(
            "number of codes",
            "12",
            "How many codes of the vocabulary belong to the class",
        ),
    ],
};
