//! The project's own shape: `atccode,drug[,synonyms]`. Codes and names are taken as they are given, whatever their level.

use super::{Rank, Refused, VocabularyRecord, VocabularyRow, VocabularyShape, names_of};
use crate::formats::{Field, Fields};

pub(super) const SHAPE: VocabularyShape = VocabularyShape {
    name: None,
    fields,
    record,
};

const CODE: usize = 0;
const NAME: usize = 1;
const SYNONYMS: usize = 2;

fn fields() -> Fields {
    Fields::new([
        Field::required("atccode", &["atccode", "atc_code", "atc code"]),
        Field::required("drug", &["drug", "drug_name", "name"]),
        Field::optional("synonyms", &["synonyms", "synonym"]).many(),
    ])
}

fn record(row: &VocabularyRow<'_>) -> Result<VocabularyRecord, Refused> {
    let name = row.name(row.value(NAME))?;
    let synonyms = names_of(row.value(SYNONYMS).unwrap_or_default().split('|'));
    let mut record = VocabularyRecord::new(row, row.value(CODE), Rank::Given, &name, synonyms);
    record.known_as.clone_from(&record.drug.synonyms);
    Ok(record)
}
