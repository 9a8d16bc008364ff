//! The ATC classification of the WHO as CSV. Only codes of the fifth level name substances; the headings above them
//! ("ANTIBACTERIALS FOR SYSTEMIC USE") and the groups among the fifth level ("combinations", "amino acids") are classes,
//! and are rejected so that nobody looks for them.

use super::parts::{bare, combined, names_a_group, without_combinations};
use super::{Rank, Refused, VocabularyRecord, VocabularyRow, VocabularyShape};
use crate::formats::{Field, Fields};
use crate::schema::Reason;
use crate::text::clean;

pub(super) const SHAPE: VocabularyShape = VocabularyShape {
    name: Some("WHO ATC"),
    fields,
    record,
};

const CODE: usize = 0;
const NAME: usize = 1;

/// The length of a code of the fifth level.
const SUBSTANCE: usize = 7;

/// Vaccines: their names are those of diseases ("measles, live attenuated"), which are no drugs by themselves.
const VACCINES: &str = "J07";

fn fields() -> Fields {
    Fields::new([
        Field::required("atc_code", &["atc_code", "atc code"]),
        Field::required("atc_name", &["atc_name", "atc name"]),
    ])
}

fn record(row: &VocabularyRow<'_>) -> Result<VocabularyRecord, Refused> {
    // The files write what is not there as the text NA, which is also what they write behind a class.
    let given = |field: usize| row.value(field).filter(|value| *value != "NA");
    let name = row.name(given(NAME))?;
    let code = given(CODE);
    let level = code.map_or(SUBSTANCE, str::len);
    let class = if level < SUBSTANCE {
        Some("its code is of a level above substances")
    } else if names_a_group(&name.text) {
        Some("its name is that of a group")
    } else {
        None
    };
    if let Some(why) = class {
        let message = format!("row {}: a class of drugs, not a drug: {why}", row.number);
        return Err(Refused(Reason::ClassOfDrugs, message));
    }
    let vaccine = code.is_some_and(|code| code.starts_with(VACCINES));
    let mut synonyms = Vec::new();
    if !vaccine {
        synonyms.extend(bare(&name.text).map(str::to_owned));
    }
    let mut record = VocabularyRecord::new(row, code, Rank::Given, &name, synonyms.clone());
    record.equals = synonyms;
    if let Some(alone) = without_combinations(&name.text).filter(|_| !vaccine) {
        let alone = clean(alone).text.into_owned();
        record.equals.push(alone.clone());
        record.drug.synonyms.push(alone);
    } else {
        record.ingredients = combined(&name.text)
            .into_iter()
            .map(|part| vec![part.to_owned()])
            .collect();
    }
    Ok(record)
}
