//! One record: its content, its rows in the source, and the truth about it.

use super::GenerateSettings;
use super::date::{Date, Given};
use super::dice::Dice;
use super::dirt::Dirt;
use super::drugs::Drugs;
use super::format::{Format, MadeTable};
use super::journals;
use super::mention::{self, ABSTRACT, MadeMention, TITLE, Text};
use super::words::{
    ABOUT_DRUGS, CONDITIONS, DESIGNS, OPENINGS, POPULATIONS, RELATIONS, SENTENCES, STANDINGS, SUBJECTS, TRAPS,
};

/// A row of a source.
#[derive(Debug, Clone)]
pub(super) struct MadeRow {
    /// The id, in the style of the format; empty if it is missing.
    pub id: String,
    pub title: String,
    /// Whether the first word of the title is in tags.
    pub markup: bool,
    pub date: Given,
    pub journal: String,
    /// The number from which the journal's ids are made.
    pub journal_number: u64,
    pub summary: String,
    pub fault: Option<Dirt>,
    pub number: u64,
}

/// The rows of a record in its source.
#[derive(Debug)]
pub(super) struct MadeRecord {
    pub row: MadeRow,
    /// A second row, some rows after the first.
    pub later: Option<MadeRow>,
    /// Whether a notice after it deletes the record.
    pub deleted: bool,
    pub dirt: Option<Dirt>,
    pub truth: Truth,
}

/// The truth about a record.
#[derive(Debug)]
pub(super) struct Truth {
    pub kept: bool,
    /// `None` if the id is derived from the rest of the record.
    pub id: Option<String>,
    pub date: Option<String>,
    pub journal: Option<String>,
    /// In the order of their places: those of the title, then those of the abstract.
    pub mentions: Vec<MadeMention>,
}

/// Generates records of one table.
pub(super) struct RecordMaker<'s> {
    settings: &'s GenerateSettings,
    table: MadeTable,
    format: Format,
    drugs: Drugs,
}

impl<'s> RecordMaker<'s> {
    pub(super) fn new(settings: &'s GenerateSettings, table: MadeTable) -> Self {
        Self {
            settings,
            table,
            format: settings.format(table),
            drugs: Drugs {
                seed: settings.seed,
                count: settings.drugs,
            },
        }
    }

    pub(super) fn record(&self, number: u64) -> MadeRecord {
        let dice = &mut Dice::new(self.settings.seed, 1 + self.table as u64, number);
        let dirt = self.settings.dirt.draw(dice, self.format);
        let id = self.id(number);
        let title = self.title(dice, number);
        let date = Date::draw(dice, dirt == Some(Dirt::HalfRows));
        let (journal_number, journal) = if self.format.has_journals() {
            let number = dice.early(self.settings.journals);
            (number, journals::name(number))
        } else {
            (0, String::new())
        };
        let summary = if dice.happens(self.settings.abstracts) && self.format.has_abstracts() {
            self.summary(dice)
        } else {
            Text::default()
        };
        let mut row = MadeRow {
            id: id.clone(),
            title: title.text.clone(),
            markup: false,
            date: Given::Date(date.clone()),
            journal: journal.clone(),
            journal_number,
            summary: summary.text,
            fault: None,
            number,
        };
        let mut later = None;
        match dirt {
            None => {}
            Some(Dirt::BlankTitle) => row.title = dice.pick(&["", " ", "   "]).to_owned(),
            Some(Dirt::MissingId) => row.id = dice.pick(&["", " "]).to_owned(),
            Some(Dirt::MissingJournal) => row.journal = dice.pick(&["", "  "]).to_owned(),
            Some(Dirt::HalfRows) => {
                let other = MadeRow {
                    id: String::new(),
                    date: Given::Date(date.restyled(dice)),
                    ..row.clone()
                };
                row.journal = String::new();
                later = Some(other);
                // Either half may come first.
                if dice.below(2) == 0
                    && let Some(other) = &mut later
                {
                    std::mem::swap(&mut row, other);
                }
            }
            Some(Dirt::RepeatedId) => later = Some(row.clone()),
            Some(Dirt::SupersededId) => {
                let old = self.title(dice, number);
                later = Some(row.clone());
                row.title = old.text.replace(" no. ", " draft ");
                row.date = Given::Date(Date::draw(dice, false));
            }
            Some(Dirt::Escapes) => row.title.push_str(dice.pick(&[
                " in Gen\\xc3\\xa8ve",
                " \\xe2\\x80\\x93 a report",
                " in M\\\\xc3\\\\xbcnster",
            ])),
            Some(Dirt::BrokenEscapes) => row.title.push_str("\\xc3\\x28"),
            Some(Dirt::Markup) => row.markup = true,
            Some(Dirt::BadDate) => row.date = Given::bad(dice),
            Some(Dirt::MissingDate) => row.date = Given::Missing,
            Some(Dirt::JournalSpelling) => {
                row.journal = if dice.below(2) == 0 {
                    journal.to_uppercase()
                } else {
                    format!("{journal}.")
                };
            }
            Some(fault @ (Dirt::TrailingComma | Dirt::BlankLine | Dirt::MalformedRow)) => {
                row.fault = Some(fault);
            }
            Some(Dirt::Deleted) => {}
        }
        let deleted = dirt == Some(Dirt::Deleted);
        let lost = matches!(dirt, Some(Dirt::BlankTitle | Dirt::MalformedRow));
        let without_journal = dirt == Some(Dirt::MissingJournal) || journal.is_empty();
        let truth = Truth {
            kept: !deleted && !lost,
            id: (dirt != Some(Dirt::MissingId)).then_some(id),
            // Of two rows with one id, the later one counts; both halves of a record have the same date.
            date: later.as_ref().unwrap_or(&row).date.truth(),
            journal: (!without_journal).then_some(journal),
            mentions: title.mentions.into_iter().chain(summary.mentions).collect(),
        };
        MadeRecord {
            row,
            later,
            deleted,
            dirt,
            truth,
        }
    }

    fn id(&self, number: u64) -> String {
        match self.table {
            MadeTable::Trials => format!("NCT{:08}", 1_000_000 + number),
            _ => (10_000_000 + number).to_string(),
        }
    }

    /// A title with the number of its record, so that no two are equal by chance.
    fn title(&self, dice: &mut Dice, number: u64) -> Text {
        let mut put = Vec::new();
        let opening = dice.pick(&OPENINGS);
        let subject = self.subject(dice, &mut put);
        let (relation, condition) = (dice.pick(&RELATIONS), dice.pick(&CONDITIONS));
        let (population, design) = (dice.pick(&POPULATIONS), dice.pick(&DESIGNS));
        let text = match dice.below(3) {
            0 => format!("{opening} {subject} {relation} {condition} in {population}: {design} no. {number}"),
            1 => format!("{subject} {relation} {condition} in {population} ({design} no. {number})"),
            _ => format!("{condition} in {population}, {subject}: {design} no. {number}"),
        };
        Text::new(TITLE, &text, put)
    }

    /// Some sentences, one in six about a drug.
    fn summary(&self, dice: &mut Dice) -> Text {
        let mut put = Vec::new();
        let count = 4 + dice.below(10);
        let sentences: Vec<String> = (0..count)
            .map(|_| match dice.below(6) {
                0 => {
                    let mention = self.mention(dice, &mut put);
                    dice.pick(&ABOUT_DRUGS).replace("{}", &mention)
                }
                _ => dice.pick(&SENTENCES).to_owned(),
            })
            .collect();
        Text::new(ABSTRACT, &sentences.join(" "), put)
    }

    fn subject(&self, dice: &mut Dice, put: &mut Vec<Vec<String>>) -> String {
        match dice.below(100) {
            0..=54 => dice.pick(&SUBJECTS).to_owned(),
            55..=59 => dice.pick(&TRAPS).replace("{}", &self.drugs.trap(dice)),
            60..=89 => self.mention(dice, put),
            90..=97 => {
                let (first, second) = (self.mention(dice, put), self.mention(dice, put));
                format!("{first} {} {second}", dice.pick(&["plus", "and", "versus"]))
            }
            _ => {
                let three = [(); 3].map(|()| self.mention(dice, put));
                format!("{}, {} or {}", three[0], three[1], three[2])
            }
        }
    }

    /// A drug as written in a text, between marks; adds its codes.
    fn mention(&self, dice: &mut Dice, put: &mut Vec<Vec<String>>) -> String {
        let surface = self.drugs.surface(dice);
        put.push(surface.codes);
        dice.pick(&STANDINGS)
            .replace("{}", &mention::marked(&surface.text))
    }
}
