//! The exports of websites: PubMed's CSV before 2020, both of ClinicalTrials.gov's, and studies of its API.

use super::plain::{csv, element, quoted};
use crate::generate::details::MadeDetails;
use crate::generate::dirt::Dirt;
use crate::generate::format::Format;
use crate::generate::record::MadeRow;

pub(in crate::generate) const PUBMED_HEADER: &str =
    "Title,URL,Description,Details,ShortDetails,Resource,Type,Identifiers,Db,EntrezUID,Properties\n";
pub(in crate::generate) const NEW_HEADER: &str = "NCT Number,Study Title,Study URL,Study Status,Brief Summary,Conditions,Interventions,Phases,Start Date\n";
pub(in crate::generate) const CLASSIC_HEADER: &str =
    "Rank,NCT Number,Title,Status,Conditions,Interventions,Phases,Start Date,URL\n";

/// Adds a row of an export.
pub(in crate::generate) fn export(format: Format, row: &MadeRow, out: &mut Vec<u8>) {
    if row.fault == Some(Dirt::BlankLine) {
        out.push(b'\n');
    }
    let (id, title, date) = (row.id.as_str(), row.shown_title(), row.date.text());
    let rank = (row.number + 1).to_string();
    match format {
        Format::PubmedCsv => {
            let journal = row.journal.trim();
            let day = row.date.tagged();
            let doi = MadeDetails::of(row).doi;
            let details = match (journal.is_empty(), day.is_empty()) {
                (true, _) => format!("{day}."),
                (false, true) => String::new(),
                (false, false) => format!("{journal}. {day};1(1):1-2. doi: {doi}."),
            };
            let short = match (journal.is_empty(), row.date.year()) {
                (true, year) => year.map(|year| format!(" {year}")).unwrap_or_default(),
                (false, Some(year)) => format!("{journal}.  {year}"),
                (false, None) => journal.to_owned(),
            };
            let values = [
                title.as_str(),
                "/pubmed/",
                "Made Up.",
                &details,
                &short,
                "PubMed",
                "citation",
                "",
                "pubmed",
                id,
                "",
                // The extra comma at the end of each row.
                "",
            ];
            csv(&values, row.fault, out);
        }
        Format::CtgovCsv => csv(
            &[
                id,
                &title,
                "",
                "COMPLETED",
                &row.summary,
                "Asthma|COPD",
                "OTHER: usual care",
                MadeDetails::of(row).phase,
                &date,
            ],
            row.fault,
            out,
        ),
        _ => csv(
            &[
                &rank,
                id,
                &title,
                "Completed",
                "Asthma|COPD",
                "Other: usual care",
                // This export writes `Phase 2` for `PHASE2`.
                &MadeDetails::of(row).phase.replace("PHASE", "Phase "),
                &date,
                "",
            ],
            row.fault,
            out,
        ),
    }
}

/// Adds a study in the form of the API's version 2.
pub(in crate::generate) fn study(format: Format, row: &MadeRow, out: &mut Vec<u8>) {
    let (id, title, date) = (
        quoted(&row.id),
        quoted(&row.shown_title()),
        quoted(&row.date.text()),
    );
    let status = match row.date.text().as_str() {
        "" => String::new(),
        _ => format!(", \"startDateStruct\": {{\"date\": {date}, \"type\": \"ACTUAL\"}}"),
    };
    let phase = MadeDetails::of(row).phase;
    // Without an official title, the brief one is the title.
    let titles = if row.number.is_multiple_of(4) {
        format!("\"briefTitle\": {title}")
    } else {
        format!("\"briefTitle\": {title}, \"officialTitle\": {title}")
    };
    let summary = quoted(&row.summary);
    let object = format!(
        "{{\"protocolSection\": {{\"identificationModule\": {{\"nctId\": {id}, {titles}}}, \"statusModule\": \
         {{\"overallStatus\": \"COMPLETED\"{status}}}, \"descriptionModule\": {{\"briefSummary\": {summary}}}, \
         \"conditionsModule\": {{\"conditions\": [\"Asthma\", \"COPD\"]}}, \"designModule\": {{\"phases\": [\"{phase}\"]}}, \
         \"armsInterventionsModule\": {{\"armGroups\": [{{\"label\": \"Control\", \"type\": \"ACTIVE_COMPARATOR\"}}], \
         \"interventions\": [{{\"type\": \"OTHER\", \"name\": \"usual care\", \"armGroupLabels\": [\"Control\"]}}]}}}}, \
         \"hasResults\": false}}"
    );
    element(format, object, row.fault, out);
}
