//! Rows as CSV, as elements of a JSON array, and as NDJSON.

use crate::generate::dirt::Dirt;
use crate::generate::format::{Format, MadeTable};
use crate::generate::record::MadeRow;

/// The header of a CSV file.
pub(in crate::generate) fn header(table: MadeTable) -> &'static str {
    match table {
        MadeTable::Drugs => "atccode,drug,synonyms\n",
        MadeTable::Articles => "id,title,date,journal,abstract\n",
        MadeTable::Trials => "id,scientific_title,date,journal,abstract\n",
    }
}

impl MadeRow {
    /// The title with its tags.
    pub(in crate::generate) fn shown_title(&self) -> String {
        match self.title.split_once(' ') {
            Some((first, rest)) if self.markup => format!("<i>{first}</i> {rest}"),
            _ => self.title.clone(),
        }
    }
}

/// Adds a publication.
pub(in crate::generate) fn publication(table: MadeTable, format: Format, row: &MadeRow, out: &mut Vec<u8>) {
    let title_key = if table == MadeTable::Trials {
        "scientific_title"
    } else {
        "title"
    };
    let values = [
        &row.id,
        &row.shown_title(),
        &row.date.text(),
        &row.journal,
        &row.summary,
    ];
    if format == Format::Csv {
        if row.fault == Some(Dirt::BlankLine) {
            out.extend_from_slice(b" \n");
        }
        csv(&values.map(String::as_str), row.fault, out);
        return;
    }
    let mut object = String::from("{");
    for (key, value) in ["id", title_key, "date", "journal", "abstract"]
        .into_iter()
        .zip(values)
    {
        let value = match key {
            // Real sources mix numbers and texts.
            "id" if row.number.is_multiple_of(3) && value.parse::<u64>().is_ok() => value.clone(),
            "abstract" | "journal" if value.is_empty() => "null".to_owned(),
            _ => quoted(value),
        };
        if object.len() > 1 {
            object.push_str(", ");
        }
        object.push_str(&format!("\"{key}\": {value}"));
    }
    object.push('}');
    element(format, object, row.fault, out);
}

/// Adds a drug.
pub(in crate::generate) fn drug(format: Format, [code, name, synonyms]: &[String; 3], out: &mut Vec<u8>) {
    if format == Format::Csv {
        csv(&[code.as_str(), name.as_str(), synonyms.as_str()], None, out);
        return;
    }
    let synonyms = match synonyms.as_str() {
        "" => "[]".to_owned(),
        one => format!("[{}]", quoted(one)),
    };
    let (code, name) = (quoted(code), quoted(name));
    let object = format!("{{\"atccode\": {code}, \"drug\": {name}, \"synonyms\": {synonyms}}}");
    element(format, object, None, out);
}

/// Adds an object to an array, or as a line.
pub(in crate::generate) fn element(
    format: Format,
    mut object: String,
    fault: Option<Dirt>,
    out: &mut Vec<u8>,
) {
    let line = format.is_ndjson();
    match fault {
        Some(Dirt::TrailingComma) => object.insert(object.len() - 1, ','),
        Some(Dirt::BlankLine) => out.push(b'\n'),
        Some(Dirt::MalformedRow) if line => {
            // Broken but closed: an unclosed first line would be read as an object that spans lines.
            object = object.replacen(": ", " ", 1);
        }
        Some(Dirt::MalformedRow) => object = quoted("not an object"),
        _ => {}
    }
    if !line && !out.is_empty() {
        out.extend_from_slice(b",\n");
    }
    out.extend_from_slice(object.as_bytes());
    if line || format == Format::StudyFiles {
        out.push(b'\n');
    }
}

/// Adds a CSV row: texts in quotes, ids and dates only if they hold a comma.
pub(in crate::generate) fn csv(values: &[&str], fault: Option<Dirt>, out: &mut Vec<u8>) {
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        if value.contains([',', '"', ' ']) {
            out.push(b'"');
            out.extend_from_slice(value.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(value.as_bytes());
        }
    }
    if fault == Some(Dirt::MalformedRow) {
        out.extend_from_slice(b",one,field,too,many");
    }
    out.push(b'\n');
}

/// A JSON string.
pub(in crate::generate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
