//! Finding the drugs in a frame of publications.

use std::collections::{BTreeSet, HashMap};

use polars::prelude::{
    ChunkCast, DataFrame, DataType, Int32Chunked, IntoColumn, IntoSeries, NamedFrom, NewChunkedArray, Series,
    StringChunkedBuilder,
};
use rayon::prelude::*;

use super::field_texts::{FieldText, FieldTexts};
use super::journals::DisplayNames;
use crate::error::Result;
use crate::matcher::{CodePoints, Finder, Matcher};
use crate::schema::{MENTIONS, PublicationStatus, SearchedField, SearchedFields};
use crate::task::Task;
use crate::text::substance;

/// Rows that one thread takes at a time.
const SLICE: usize = 4096;

/// The substance of each code of the vocabulary.
pub type Substances = HashMap<String, String>;

/// Which texts of which publications are searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchSettings {
    pub fields: SearchedFields,
    /// Publications of these statuses are not searched.
    pub exclude_status: BTreeSet<PublicationStatus>,
}

impl SearchSettings {
    /// Whether publications of a status are not searched.
    pub fn excludes(&self, status: Option<&str>) -> bool {
        // Most publications have none.
        let status = status.and_then(|name| name.parse().ok());
        status.is_some_and(|status| self.exclude_status.contains(&status))
    }

    /// The columns of a silver frame that mentions need.
    pub fn columns(&self) -> Vec<String> {
        let columns = ["publication_id", "date", "journal_key", "status"].into_iter();
        columns.chain(self.fields.names()).map(str::to_owned).collect()
    }

    /// How many publications of a frame are not searched.
    pub fn count_excluded(&self, frame: &DataFrame) -> Result<u64> {
        let statuses = frame.column("status")?.str()?;
        Ok(statuses.iter().filter(|status| self.excludes(*status)).count() as u64)
    }
}

/// The mentions in the searched fields, as the table [`MENTIONS`]: in the order of the rows, then of the fields, then by
/// place.
pub fn find_mentions(
    frame: &DataFrame,
    (matcher, search): (&Matcher, &SearchSettings),
    names: (&Substances, &DisplayNames),
    task: &Task,
) -> Result<DataFrame> {
    let slices: Vec<(i64, usize)> = (0..frame.height())
        .step_by(SLICE)
        .map(|start| (start as i64, SLICE.min(frame.height() - start)))
        .collect();
    let found: Vec<DataFrame> = slices
        .into_par_iter()
        .map(|(start, length)| {
            task.check()?;
            let mentions = find_in_slice(&frame.slice(start, length), (matcher, search), names)?;
            task.count_rows(length);
            Ok(mentions)
        })
        .collect::<Result<_>>()?;
    let mut all = MENTIONS.empty();
    for mentions in &found {
        all.vstack_mut(mentions)?;
    }
    Ok(all)
}

fn find_in_slice(
    frame: &DataFrame,
    (matcher, search): (&Matcher, &SearchSettings),
    (substances, journals): (&Substances, &DisplayNames),
) -> Result<DataFrame> {
    let ids = frame.column("publication_id")?.str()?;
    let statuses = frame.column("status")?.str()?;
    let keys = frame.column("journal_key")?.str()?;
    let dates = frame.column("date")?.cast(&DataType::Int32)?;
    let dates = dates.i32()?;
    let texts = search.fields.iter().map(|field| FieldTexts::of(frame, field));
    let texts = texts.collect::<Result<Vec<_>>>()?;
    let mut draft = SliceMentions::new(substances);
    let mut finder = matcher.finder();
    for (row, ((id, status), (key, date))) in ids
        .iter()
        .zip(statuses.iter())
        .zip(keys.iter().zip(dates.iter()))
        .enumerate()
    {
        if search.excludes(status) {
            continue;
        }
        let publication = Publication {
            id: id.unwrap_or_default(),
            journal: key.and_then(|key| journals.get(key)),
            date,
            status,
        };
        for texts in &texts {
            if let Some(text) = texts.get(row) {
                draft.add(&publication, texts.field(), &text, &mut finder);
            }
        }
    }
    draft.finish()
}

struct Publication<'p> {
    id: &'p str,
    journal: Option<&'p str>,
    date: Option<i32>,
    status: Option<&'p str>,
}

/// Collects the mentions of a slice, column by column.
struct SliceMentions<'d> {
    substances: &'d Substances,
    texts: Vec<[String; 7]>,
    journals: Vec<Option<String>>,
    dates: Vec<Option<i32>>,
    roles: Vec<Option<&'static str>>,
    statuses: Vec<Option<String>>,
    starts: Vec<i64>,
    ends: Vec<i64>,
}

impl<'d> SliceMentions<'d> {
    fn new(substances: &'d Substances) -> Self {
        Self {
            substances,
            texts: Vec::new(),
            journals: Vec::new(),
            dates: Vec::new(),
            roles: Vec::new(),
            statuses: Vec::new(),
            starts: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn add(
        &mut self,
        publication: &Publication<'_>,
        field: SearchedField,
        of_field: &FieldText<'_>,
        finder: &mut Finder<'_>,
    ) {
        let text = &*of_field.text;
        let mut points = None;
        finder.each(text, |mention| {
            let points = points.get_or_insert_with(|| CodePoints::new(text));
            self.texts.push([
                mention.atccode().to_owned(),
                mention.drug().to_owned(),
                self.substances
                    .get(mention.atccode())
                    .cloned()
                    .unwrap_or_else(|| substance(mention.drug())),
                publication.id.to_owned(),
                field.name().to_owned(),
                text[mention.start..mention.end].to_owned(),
                mention.rule.name().to_owned(),
            ]);
            self.journals.push(publication.journal.map(str::to_owned));
            self.dates.push(publication.date);
            self.roles.push(of_field.role_at(mention.start));
            self.statuses.push(publication.status.map(str::to_owned));
            self.starts.push(points.at(mention.start) as i64);
            self.ends.push(points.at(mention.end) as i64);
        });
    }

    fn finish(self) -> Result<DataFrame> {
        let height = self.texts.len();
        let text = |name: &str, place: usize| {
            let mut column = StringChunkedBuilder::new(name.into(), height);
            self.texts
                .iter()
                .for_each(|texts| column.append_value(&texts[place]));
            column.finish().into_column()
        };
        let dates = Int32Chunked::from_slice_options("date".into(), &self.dates).cast(&DataType::Date)?;
        let frame = DataFrame::new(
            height,
            vec![
                text("atccode", 0),
                text("drug", 1),
                text("substance", 2),
                text("publication_id", 3),
                Series::new("journal".into(), &self.journals).into_column(),
                dates.into_series().into_column(),
                text("field", 4),
                Series::new("start".into(), &self.starts).into_column(),
                Series::new("end".into(), &self.ends).into_column(),
                text("surface", 5),
                text("rule", 6),
                Series::new("role".into(), &self.roles).into_column(),
                Series::new("status".into(), &self.statuses).into_column(),
            ],
        )?;
        MENTIONS.check(&frame)?;
        Ok(frame)
    }
}
