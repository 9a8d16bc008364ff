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
        Field {
            name: "atccode",
            aliases: &["atccode", "atc_code", "atc code"],
            required: true,
            many: false,
        },
        Field {
            name: "drug",
            aliases: &["drug", "drug_name", "name"],
            required: true,
            many: false,
        },
        Field {
            name: "synonyms",
            aliases: &["synonyms", "synonym"],
            required: false,
            many: true,
        },
    ])
}

fn record(row: &VocabularyRow<'_>) -> Result<VocabularyRecord, Refused> {
    let name = row.name(row.value(NAME))?;
    let synonyms = names_of(row.value(SYNONYMS).unwrap_or_default().split('|'));
    let mut record = VocabularyRecord::new(row, row.value(CODE), Rank::Given, &name, synonyms);
    record.known_as.clone_from(&record.drug.synonyms);
    Ok(record)
}
