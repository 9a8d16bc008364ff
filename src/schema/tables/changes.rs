//! The table of a comparison of two states, which is in no lake.

use super::columns::{ATCCODE, DATE, DISPLAY_NAME, DRUG, KIND, PUBLICATION_ID, SUBSTANCE};
use super::gold::MENTIONS;
use crate::schema::table::ColumnType::{Number, Text};
use crate::schema::table::{Table, optional, required};

pub const MENTION_CHANGES: Table = Table {
    name: "mention_changes",
    folder: "",
    description: "The mentions that one of two states of a lake has and the other has not, each with its cause",
    key: MENTIONS.key,
    partitions: &[],
    columns: &[
        required("change", Text).repeating().is(
            "change",
            "lost",
            "gained: the later state alone has the mention; lost: the earlier one alone",
        ),
        required("cause", Text).repeating().is(
            "cause of the change",
            "removed_drug",
            "Why the mention came or went, as a word",
        ),
        KIND,
        PUBLICATION_ID,
        ATCCODE.repeating(),
        DRUG.repeating(),
        SUBSTANCE.repeating(),
        DISPLAY_NAME,
        DATE,
        required("field", Text).repeating().is(
            "searched field",
            "title",
            "The field of the publication that has the mention",
        ),
        required("start", Number).is(
            "start of the span",
            "0",
            "Where the mention begins, in Unicode code points of the field in the state that has it, from 0",
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
        required("pair", Text).repeating().is(
            "change of the pair",
            "kept",
            "Whether the pair of drug and publication was gained or lost with the mention; kept: the other state also has \
             a mention of its code or its substance in the publication",
        ),
        optional("from_dt", Text).repeating().is(
            "date before",
            "2026-11-21",
            "The date that delivered what the earlier state has of the publication; null: it has nothing",
        ),
        optional("to_dt", Text).repeating().is(
            "date after",
            "2026-11-22",
            "The date that delivered what the later state has of the publication; null: it has nothing",
        ),
        optional("cause_dt", Text).repeating().is(
            "date of the cause",
            "2026-11-22",
            "The date of the delivery, notice or vocabulary that is the cause; null for settings and rules",
        ),
    ],
};
