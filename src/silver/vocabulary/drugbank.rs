//! The DrugBank open vocabulary: a DrugBank ID, a name and many synonyms, but no ATC code. Most rows join drugs of
//! another vocabulary; those that do not keep their ID as code.

use super::{Rank, Refused, VocabularyRecord, VocabularyRow, VocabularyShape, names_of};
use crate::formats::{Field, Fields};

pub(super) const SHAPE: VocabularyShape = VocabularyShape {
    name: Some("DrugBank open vocabulary"),
    fields,
    record,
};

const CODE: usize = 0;
const NAME: usize = 1;
const SYNONYMS: usize = 2;

fn fields() -> Fields {
    Fields::new([
        Field::required("drugbank_id", &["drugbank id", "drugbank_id"]),
        Field::required("common_name", &["common name", "common_name"]),
        Field::optional("synonyms", &["synonyms"]).many(),
    ])
}

fn record(row: &VocabularyRow<'_>) -> Result<VocabularyRecord, Refused> {
    let name = row.name(row.value(NAME))?;
    let mut synonyms = names_of(row.value(SYNONYMS).unwrap_or_default().split('|'));
    synonyms.retain(|synonym| *synonym != name.text);
    let mut record = VocabularyRecord::new(row, row.value(CODE), Rank::Substance, &name, synonyms);
    record.known_as.clone_from(&record.drug.synonyms);
    Ok(record)
}
