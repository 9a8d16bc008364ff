//! Current publications with what silver has of them: both tables have the publications of a partition in one order, so
//! they are read side by side.

use std::sync::Arc;

use chrono::NaiveDate;
use polars::prelude::{DataFrame, DataType, StringChunked};

use crate::api::lake::scan::{ScanRequest, TableScan};
use crate::error::{Error, Result};
use crate::gaps::substances::TREATMENT_HEADINGS;
use crate::gold::struct_columns::{StructListColumn, TextListField};
use crate::lake::dt::Dt;
use crate::lake::table_files::PartitionFilter;
use crate::schema::{CURRENT_PUBLICATIONS, PUBLICATIONS, PublicationKind, Table};
use crate::storage::Storage;
use crate::task::Task;

/// What is needed of silver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SilverNeeds {
    pub abstracts: bool,
    pub interventions: bool,
    pub substances: bool,
}

/// What a trial gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenIntervention {
    pub intervention_type: Option<String>,
    pub name: String,
    pub other_names: Vec<String>,
}

/// A current publication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CurrentRow {
    pub publication_id: String,
    pub title: String,
    pub journal: Option<String>,
    pub date: Option<NaiveDate>,
    pub status: Option<String>,
    pub abstract_text: Option<String>,
    pub interventions: Vec<GivenIntervention>,
    /// The names and the registry numbers of its substances.
    pub substances: Vec<(String, Option<String>)>,
    /// Whether its headings say that it is about giving a drug.
    pub is_treatment: bool,
}

/// The current publications of a partition.
pub(super) struct CurrentRows {
    current: TableScan,
    /// Rows that were read and have not met their silver rows.
    waiting: std::vec::IntoIter<CurrentRow>,
    /// `None` if nothing is needed of silver.
    silver: Option<TableScan>,
    needs: SilverNeeds,
    /// For messages.
    root: String,
    partition: (PublicationKind, Dt),
}

impl CurrentRows {
    pub(super) fn open(
        storage: &Arc<dyn Storage>,
        partition: (PublicationKind, Dt),
        needs: SilverNeeds,
        task: &Task,
    ) -> Result<Self> {
        task.check()?;
        let scan = |table: &Table, columns: &[&str]| {
            let request = ScanRequest {
                columns: Some(columns.iter().map(|name| (*name).to_owned()).collect()),
                partitions: PartitionFilter {
                    kinds: Some([partition.0].into()),
                    dates: Some([partition.1].into()),
                },
                ..ScanRequest::default()
            };
            TableScan::open(Arc::clone(storage), table.name, request)
        };
        let wanted = [
            (needs.abstracts, &["abstract"][..]),
            (needs.interventions, &["interventions"]),
            (needs.substances, &["substances", "mesh"]),
        ];
        let mut of_silver = vec!["publication_id"];
        for (is_needed, columns) in wanted {
            of_silver.extend(columns.iter().filter(|_| is_needed));
        }
        Ok(Self {
            current: scan(
                &CURRENT_PUBLICATIONS,
                &["publication_id", "title", "date", "journal", "status"],
            )?,
            waiting: Vec::new().into_iter(),
            silver: match of_silver.len() {
                1 => None,
                _ => Some(scan(&PUBLICATIONS, &of_silver)?),
            },
            needs,
            root: storage.root(),
            partition,
        })
    }

    /// The next publications; `None` at the end.
    pub(super) fn next_batch(&mut self, task: &Task) -> Result<Option<Vec<CurrentRow>>> {
        let Some(silver) = &mut self.silver else {
            let frame = self.current.next_frame(task)?;
            return frame.map(|frame| current_rows(&frame)).transpose();
        };
        match silver.next_frame(task)? {
            Some(frame) => self.joined(&frame, task).map(Some),
            None if self.peek(task)?.is_none() => Ok(None),
            None => Err(self.differs()),
        }
    }

    /// The next current publication that has not met its silver row.
    fn peek(&mut self, task: &Task) -> Result<Option<&str>> {
        while self.waiting.as_slice().is_empty() {
            match self.current.next_frame(task)? {
                Some(frame) => self.waiting = current_rows(&frame)?.into_iter(),
                None => return Ok(None),
            }
        }
        Ok(self
            .waiting
            .as_slice()
            .first()
            .map(|row| row.publication_id.as_str()))
    }

    /// The current publications among the silver rows of a frame.
    fn joined(&mut self, frame: &DataFrame, task: &Task) -> Result<Vec<CurrentRow>> {
        let details = SilverDetails::of(frame, self.needs)?;
        let mut joined = Vec::new();
        for (row, id) in frame.column("publication_id")?.str()?.iter().enumerate() {
            if id.is_some()
                && self.peek(task)? == id
                && let Some(mut current) = self.waiting.next()
            {
                details.add_to(&mut current, row);
                joined.push(current);
            }
        }
        Ok(joined)
    }

    /// The error for current publications that silver does not have in this order.
    fn differs(&self) -> Error {
        let (kind, dt) = self.partition;
        Error::format(
            format!("{}/{}", self.root, CURRENT_PUBLICATIONS.folder),
            format!("kind={kind}, dt={dt}", kind = kind.name()),
            "publications that silver does not have: silver was made again since",
            "run the gold step",
        )
    }
}

fn current_rows(frame: &DataFrame) -> Result<Vec<CurrentRow>> {
    let text = |name: &str| -> Result<Vec<Option<&str>>> { Ok(frame.column(name)?.str()?.iter().collect()) };
    let (ids, titles) = (text("publication_id")?, text("title")?);
    let (journals, statuses) = (text("journal")?, text("status")?);
    let days = frame.column("date")?.cast(&DataType::Int32)?;
    let rows = days.i32()?.iter().enumerate().map(|(row, day)| CurrentRow {
        publication_id: ids[row].unwrap_or_default().to_owned(),
        title: titles[row].unwrap_or_default().to_owned(),
        journal: journals[row].map(str::to_owned),
        status: statuses[row].map(str::to_owned),
        date: day
            .and_then(|day| NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(day.into()))),
        ..CurrentRow::default()
    });
    Ok(rows.collect())
}

/// The details of the rows of a silver frame.
struct SilverDetails {
    abstracts: Option<StringChunked>,
    interventions: Option<InterventionColumns>,
    substances: Option<SubstanceColumns>,
}

struct InterventionColumns {
    lists: StructListColumn,
    types: StringChunked,
    names: StringChunked,
    other_names: TextListField,
}

struct SubstanceColumns {
    lists: StructListColumn,
    names: StringChunked,
    numbers: StringChunked,
    headings: TextListField,
}

impl SilverDetails {
    fn of(frame: &DataFrame, needs: SilverNeeds) -> Result<Self> {
        let mut details = Self {
            abstracts: None,
            interventions: None,
            substances: None,
        };
        if needs.abstracts {
            details.abstracts = Some(frame.column("abstract")?.str()?.clone());
        }
        if needs.interventions {
            let lists = StructListColumn::of(frame.column("interventions")?)?;
            details.interventions = Some(InterventionColumns {
                types: lists.texts("type")?,
                names: lists.texts("name")?,
                other_names: lists.text_lists("other_names")?,
                lists,
            });
        }
        if needs.substances {
            let lists = StructListColumn::of(frame.column("substances")?)?;
            details.substances = Some(SubstanceColumns {
                names: lists.texts("name")?,
                numbers: lists.texts("registry_number")?,
                headings: TextListField::of(frame.column("mesh")?.list()?)?,
                lists,
            });
        }
        Ok(details)
    }

    fn add_to(&self, current: &mut CurrentRow, row: usize) {
        if let Some(abstracts) = &self.abstracts {
            current.abstract_text = abstracts.get(row).map(str::to_owned);
        }
        if let Some(columns) = &self.interventions {
            let given = columns.lists.of_row(row).filter_map(|place| {
                Some(GivenIntervention {
                    intervention_type: columns.types.get(place).map(str::to_owned),
                    name: columns.names.get(place)?.to_owned(),
                    other_names: columns.other_names.of_row(place).map(str::to_owned).collect(),
                })
            });
            current.interventions = given.collect();
        }
        if let Some(columns) = &self.substances {
            let named = columns.lists.of_row(row).filter_map(|place| {
                let number = columns.numbers.get(place).map(str::to_owned);
                Some((columns.names.get(place)?.to_owned(), number))
            });
            current.substances = named.collect();
            current.is_treatment = columns
                .headings
                .of_row(row)
                .any(|heading| TREATMENT_HEADINGS.contains(&heading));
        }
    }
}
