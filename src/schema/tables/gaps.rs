//! The table of probable drugs that a vocabulary lacks, which is in no lake.

use crate::schema::table::ColumnType::{Date, Number, StructList, Text, TextList};
use crate::schema::table::{StructField, Table, optional, required};

/// An example of a gap: where a publication names it.
pub const GAP_EXAMPLE_FIELDS: &[StructField] = &[
    StructField {
        name: "kind",
        field_type: Text,
        description: "The kind of the publication",
    },
    StructField {
        name: "publication_id",
        field_type: Text,
        description: "The PMID or NCT id",
    },
    StructField {
        name: "field",
        field_type: Text,
        description: "title, abstract, interventions or substances",
    },
    StructField {
        name: "start",
        field_type: Number,
        description: "Where the name begins, in Unicode code points of the field; of an item, if the field is a list",
    },
    StructField {
        name: "end",
        field_type: Number,
        description: "Where the name ends, exclusive",
    },
    StructField {
        name: "surface",
        field_type: Text,
        description: "The name as it is there: exactly text[start:end]",
    },
    StructField {
        name: "text",
        field_type: Text,
        description: "The words around it",
    },
];

pub const VOCABULARY_GAPS: Table = Table {
    name: "vocabulary_gaps",
    folder: "",
    description: "Names in current publications that are probably drugs and that the vocabulary lacks, the most probable and frequent ones first",
    key: &["name"],
    partitions: &[],
    columns: &[
        required("name", Text).is(
            "name of the probable drug",
            "Pirbenicillin",
            "Its most frequent spelling; spellings that fold to one name are one row",
        ),
        required("confidence", Text).repeating().is(
            "confidence",
            "high",
            "How sure it is that the name is a drug: high, medium or low",
        ),
        required("rules", TextList).is(
            "rules",
            "[\"inn_stem\"]",
            "What says that it is a drug: inn_stem, company_code, intervention, substance, context",
        ),
        required("publications", Number).is(
            "number of publications",
            "3",
            "How many current publications have the name",
        ),
        required("mentions", Number).is(
            "number of mentions",
            "4",
            "How many places of their titles, abstracts and lists have it",
        ),
        required("journals", Number).is("number of journals", "2", "How many journals they are in"),
        optional("first_date", Date).is(
            "first date",
            "1978-06-01",
            "The date of the earliest of these publications; null if none has one",
        ),
        optional("last_date", Date).is(
            "last date",
            "1979-02-01",
            "The date of the latest of these publications; null if none has one",
        ),
        required("spellings", TextList).is(
            "spellings",
            "[\"Pirbenicillin\", \"pirbenicillin\"]",
            "Its spellings, the most frequent one first, at most five",
        ),
        required("examples", StructList(GAP_EXAMPLE_FIELDS)).is(
            "examples",
            "[{\"kind\": \"pubmed\", \"publication_id\": \"123\", \"field\": \"title\", \"start\": 0, \"end\": 13, \
             \"surface\": \"Pirbenicillin\", \"text\": \"Pirbenicillin: comparison with…\"}]",
            "Up to three publications with a place of the name in each, of different journals if there are several",
        ),
    ],
};
