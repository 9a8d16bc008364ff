//! Gaps as text for people.

use std::fmt::Write as _;

use polars::prelude::{AnyValue, DataFrame};

use crate::error::Result;

/// A line for each gap and one for its first example.
pub fn gaps_page(gaps: &DataFrame) -> Result<String> {
    if gaps.height() == 0 {
        return Ok("no gaps: the rules find no name that the vocabulary lacks\n".to_owned());
    }
    let [names, confidences] = ["name", "confidence"].map(|name| gaps.column(name));
    let (names, confidences) = (names?.str()?, confidences?.str()?);
    let (publications, journals) = (
        gaps.column("publications")?.i64()?,
        gaps.column("journals")?.i64()?,
    );
    let rules = gaps.column("rules")?.list()?;
    let examples = gaps.column("examples")?.list()?;
    let mut page = String::new();
    for row in 0..gaps.height() {
        let of_row = rules.get_as_series(row);
        let of_row: Vec<&str> = match &of_row {
            Some(rules) => rules.str()?.iter().flatten().collect(),
            None => Vec::new(),
        };
        let count = |number: Option<i64>, one: &str, many: &str| {
            let number = number.unwrap_or_default();
            format!("{number} {}", if number == 1 { one } else { many })
        };
        let years = ["first_date", "last_date"].map(|name| year(gaps, name, row));
        let _ = writeln!(
            page,
            "{name}: {confidence} ({rules}), {publications} in {journals}{years}",
            name = names.get(row).unwrap_or_default(),
            confidence = confidences.get(row).unwrap_or_default(),
            rules = of_row.join(", "),
            publications = count(publications.get(row), "publication", "publications"),
            journals = count(journals.get(row), "journal", "journals"),
            years = match years {
                [Some(first), Some(last)] if first == last => format!(", {first}"),
                [Some(first), Some(last)] => format!(", {first} to {last}"),
                _ => String::new(),
            }
        );
        if let Some(example) = examples.get_as_series(row) {
            let example = example.struct_()?;
            let text = |field: &str| -> Result<String> {
                let values = example.field_by_name(field)?;
                Ok(values.str()?.get(0).unwrap_or_default().to_owned())
            };
            let place = [text("kind")?, text("publication_id")?, text("field")?].join(" ");
            let _ = writeln!(page, "    {place}: {}", text("text")?);
        }
    }
    Ok(page)
}

/// The year of a date in a row.
fn year(gaps: &DataFrame, name: &str, row: usize) -> Option<String> {
    match gaps.column(name).ok()?.get(row).ok()? {
        AnyValue::Null => None,
        date => date.to_string().split('-').next().map(str::to_owned),
    }
}
