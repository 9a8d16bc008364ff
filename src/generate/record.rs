//! One record: its content, its rows in the source, and the truth about it.

use super::GenerateSettings;
use super::delivery::{Changes, Delivery, is_correctable};
use super::dirt::Dirt;
use super::format::{Format, MadeTable};
use super::mention::{self, ABSTRACT, MadeMention, TITLE, Text};
use super::random::date::{Date, Given};
use super::random::dice::Dice;
use super::random::drugs::Drugs;
use super::random::journals;
use super::random::words::{
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
    /// What it changes of a record of an earlier delivery; `None` for a new record.
    pub corrected: Option<Changes>,
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

/// What is drawn of a record, before anything is wrong with it.
struct Drawn {
    title: Text,
    date: Date,
    /// The journal's number.
    journal: u64,
    summary: Text,
}

impl Drawn {
    fn row(&self, id: String, journal: String, number: u64) -> MadeRow {
        MadeRow {
            id,
            title: self.title.text.clone(),
            markup: false,
            date: Given::Date(self.date.clone()),
            journal,
            journal_number: self.journal,
            summary: self.summary.text.clone(),
            fault: None,
            number,
        }
    }

    fn mentions(self) -> Vec<MadeMention> {
        let title = self.title.mentions.into_iter();
        title.chain(self.summary.mentions).collect()
    }
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

    /// The numbers at random of a record, and what is wrong with it.
    fn begin(&self, number: u64) -> (Dice, Option<Dirt>) {
        let mut dice = Dice::new(self.settings.seed, 1 + self.table as u64, number);
        let dirt = self.settings.dirt.draw(&mut dice, self.format);
        (dice, dirt)
    }

    /// A record before anything is wrong with it.
    fn draw(&self, dice: &mut Dice, dirt: Option<Dirt>, number: u64) -> Drawn {
        let title = self.title(dice, number, "");
        let date = Date::draw(dice, dirt == Some(Dirt::HalfRows));
        let journal = if self.format.has_journals() {
            dice.early(self.settings.journals)
        } else {
            0
        };
        let summary = if dice.happens(self.settings.abstracts) && self.format.has_abstracts() {
            self.summary(dice)
        } else {
            Text::default()
        };
        Drawn {
            title,
            date,
            journal,
            summary,
        }
    }

    fn journal(&self, number: u64) -> String {
        if self.format.has_journals() {
            journals::name(number)
        } else {
            String::new()
        }
    }

    /// A record of an earlier delivery with another title, date or journal; nothing is wrong with it.
    pub(super) fn correction(&self, delivery: &Delivery, correction: u64) -> Option<MadeRecord> {
        let mut dice = Dice::new(self.settings.seed, delivery.stream(self.table as u64), correction);
        let number =
            delivery.corrected(self.settings.count(self.table), correction, &mut dice, |number| {
                is_correctable(self.begin(number).1)
            })?;
        let (mut its, dirt) = self.begin(number);
        let mut drawn = self.draw(&mut its, dirt, number);
        let journals = self.settings.journals;
        let changes = Changes::draw(&mut dice, self.format.has_journals() && journals > 1);
        if changes.title {
            let version = format!(", version {}", delivery.number);
            drawn.title = self.title(&mut dice, number, &version);
        }
        if changes.date {
            drawn.date = drawn.date.another(&mut dice);
        }
        if changes.journal {
            drawn.journal = (drawn.journal + 1 + dice.below(journals - 1)) % journals;
        }
        let (id, journal) = (self.id(number), self.journal(drawn.journal));
        let row = drawn.row(id.clone(), journal.clone(), number);
        let truth = Truth {
            kept: true,
            id: Some(id),
            date: row.date.truth(),
            journal: (!journal.is_empty()).then_some(journal),
            mentions: drawn.mentions(),
        };
        Some(MadeRecord {
            row,
            later: None,
            deleted: false,
            dirt: None,
            truth,
            corrected: Some(changes),
        })
    }

    pub(super) fn record(&self, number: u64) -> MadeRecord {
        let (mut dice, dirt) = self.begin(number);
        let dice = &mut dice;
        let id = self.id(number);
        let drawn = self.draw(dice, dirt, number);
        let (date, journal) = (drawn.date.clone(), self.journal(drawn.journal));
        let mut row = drawn.row(id.clone(), journal.clone(), number);
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
                let old = self.title(dice, number, "");
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
            mentions: drawn.mentions(),
        };
        MadeRecord {
            row,
            later,
            deleted,
            dirt,
            truth,
            corrected: None,
        }
    }

    fn id(&self, number: u64) -> String {
        match self.table {
            MadeTable::Trials => format!("NCT{:08}", 1_000_000 + number),
            _ => (10_000_000 + number).to_string(),
        }
    }

    /// A title with the number of its record and its version, so that no two are equal by chance.
    fn title(&self, dice: &mut Dice, number: u64, version: &str) -> Text {
        let mut put = Vec::new();
        let opening = dice.pick(&OPENINGS);
        let subject = self.subject(dice, &mut put);
        let (relation, condition) = (dice.pick(&RELATIONS), dice.pick(&CONDITIONS));
        let (population, design) = (dice.pick(&POPULATIONS), dice.pick(&DESIGNS));
        let text = match dice.below(3) {
            0 => format!(
                "{opening} {subject} {relation} {condition} in {population}: {design} no. {number}{version}"
            ),
            1 => format!("{subject} {relation} {condition} in {population} ({design} no. {number}{version})"),
            _ => format!("{condition} in {population}, {subject}: {design} no. {number}{version}"),
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
