//! The list of medicines of the European Medicines Agency: a brand, what it holds and its ATC code. The drug of a row is
//! what it holds; the brand is another name of it.

use super::parts::bare;
use super::{Rank, Refused, VocabularyRecord, VocabularyRow, VocabularyShape, names_of};
use crate::formats::{Field, Fields};
use crate::silver::drugs::is_atc;
use crate::text::clean;

pub(super) const SHAPE: VocabularyShape = VocabularyShape {
    name: Some("EMA medicines"),
    fields,
    record,
};

const BRAND: usize = 0;
const COMMON_NAME: usize = 1;
const SUBSTANCE: usize = 2;
const CODE: usize = 3;
const VETERINARY_CODE: usize = 4;

/// Between the ingredients of a name that the list itself does not take apart.
const PLUS: &str = " + ";

fn fields() -> Fields {
    Fields::new([
        Field::required(
            "brand",
            &["name of medicine", "medicine name", "name_of_medicine"],
        ),
        Field::required(
            "common_name",
            &[
                "international non-proprietary name (inn) / common name",
                "international non-proprietary name (inn)",
                "international_non_proprietary_name_common_name",
            ],
        ),
        Field::optional("substance", &["active substance", "active_substance"]),
        Field::required("atc_code", &["atc code (human)", "atc code", "atc_code_human"]),
        Field::optional(
            "atcvet_code",
            &[
                "atcvet code (veterinary)",
                "atcvet code",
                "atcvet_code_veterinary",
            ],
        ),
    ])
}

fn record(row: &VocabularyRow<'_>) -> Result<VocabularyRecord, Refused> {
    let brands = brands(row.value(BRAND).unwrap_or_default());
    let commons = listed(row.value(COMMON_NAME));
    let substances = listed(row.value(SUBSTANCE));
    let holds = if commons.is_empty() { &substances } else { &commons };
    let name = match holds.as_slice() {
        [] => row.name(brands.first().map(String::as_str))?,
        several => row.name(Some(&several.join(PLUS)))?,
    };
    let codes = codes(row.value(CODE).unwrap_or_default());
    let veterinary: Option<String> = row.value(VETERINARY_CODE).map(without_blanks);
    let mut substance_codes = codes.iter().filter(|code| code.len() == 7);
    let (code, rank) = match (substance_codes.next(), &veterinary) {
        (Some(code), _) => (Some(code.as_str()), Rank::Quoted),
        (None, Some(code)) => (Some(code.as_str()), Rank::Use),
        (None, None) => (None, Rank::Derived),
    };
    let known_as = match (holds.as_slice(), substances.as_slice()) {
        ([_], [only]) => vec![only.clone()],
        ([common], several) => ingredient(common, several).split_off(1),
        _ => Vec::new(),
    };
    let names = brands.iter().chain(&known_as).map(String::as_str);
    let mut synonyms = names_of(names);
    synonyms.retain(|synonym| *synonym != name.text);
    let mut record = VocabularyRecord::new(row, code, rank, &name, synonyms);
    record.further_codes = substance_codes.cloned().collect();
    record.class_code = code.is_none() && !codes.is_empty();
    record.known_as = known_as;
    if holds.len() > 1 {
        record.ingredients = holds
            .iter()
            .map(|common| ingredient(common, &substances))
            .collect();
        record.ingredients_are_drugs = true;
    }
    Ok(record)
}

/// The names of an ingredient: its common name, and the substances that begin with it ("metformin hydrochloride"). What
/// else stands among the substances is not taken for a name: some cells hold stray words ("fumarate").
fn ingredient(common: &str, substances: &[String]) -> Vec<String> {
    let start = format!("{} ", common.to_lowercase());
    let salts = substances
        .iter()
        .filter(|substance| substance.to_lowercase().starts_with(&start));
    std::iter::once(common.to_owned()).chain(salts.cloned()).collect()
}

/// The parts of a cell between `;`, or between slashes with blanks around them; `abacavir (as sulfate)` is abacavir.
fn listed(cell: Option<&str>) -> Vec<String> {
    let cell = clean(cell.unwrap_or_default()).text;
    let parts = cell.split(';').flat_map(|part| part.split(" / "));
    let cleaned = names_of(parts);
    names_of(cleaned.iter().map(|part| match bare(part) {
        Some(front) if part[front.len()..].trim_start().starts_with("(as ") => front,
        _ => part.as_str(),
    }))
}

/// The brand, and the one before it: `B (previously A)` is known as B and as A.
fn brands(cell: &str) -> Vec<String> {
    let cell = clean(cell).text;
    match cell
        .strip_suffix(')')
        .and_then(|cell| cell.split_once(" (previously "))
    {
        Some((now, before)) => names_of([now, before]),
        None => names_of([&*cell]),
    }
}

/// What of a cell has the shape of an ATC code.
fn codes(cell: &str) -> Vec<String> {
    let parts = cell.split([';', ',']).map(without_blanks);
    parts.filter(|code| is_atc(code)).collect()
}

fn without_blanks(code: &str) -> String {
    code.split_whitespace().collect()
}
