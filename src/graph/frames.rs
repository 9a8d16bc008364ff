//! The graph as tables. Counts are signed, for engines compute with them.

use polars::prelude::DataFrame;

use super::grouping::DrugGrouping;
use super::model::{DrugGraph, Link};
use crate::error::Result;
use crate::row_frame::RowFrame;
use crate::schema::{DrugUnit, PublicationKind, PublicationStatus};

/// Every drug, with the number of publications of each kind that mention it.
pub fn drugs(graph: &DrugGraph, unit: DrugUnit) -> Result<DataFrame> {
    let grouping = DrugGrouping::of(graph.drugs(), unit);
    let mut counts = vec![[0_i64; PublicationKind::ALL.len()]; graph.drugs().len()];
    for link in grouping.links(graph.links()) {
        counts[link.drug as usize][link.kind as usize] += 1;
    }
    let firsts: Vec<usize> = grouping.firsts().map(|drug| drug as usize).collect();
    let node = |drug: &usize| &graph.drugs()[*drug];
    let mut frame = RowFrame::of(&firsts)
        .column("atccode", |drug| node(drug).atccode.as_str())
        .column("drug", |drug| node(drug).name.as_str())
        .column("substance", |drug| node(drug).substance.as_str());
    for kind in graph.kinds() {
        frame = frame.column(kind.name(), |drug| counts[*drug][kind as usize]);
    }
    frame.finish()
}

/// Every journal with a mention, with its numbers of different drugs and of pairs of a drug and a publication.
pub fn journals(graph: &DrugGraph, unit: DrugUnit) -> Result<DataFrame> {
    let links = DrugGrouping::of(graph.drugs(), unit).links(graph.links());
    let journals: Vec<(u32, Vec<Link>)> = graph.by_journal(&links).into_iter().collect();
    RowFrame::of(&journals)
        .column("journal", |(journal, _)| {
            graph.journals()[*journal as usize].as_str()
        })
        .count("drugs", |(_, links)| {
            let drugs = links.chunk_by(|left, right| left.drug == right.drug);
            drugs.count() as u64
        })
        .count("mentions", |(_, links)| links.len() as u64)
        .finish()
}

/// Every pair of a drug and a publication that mentions it.
pub fn mentions(graph: &DrugGraph, unit: DrugUnit) -> Result<DataFrame> {
    let links = DrugGrouping::of(graph.drugs(), unit).links(graph.links());
    RowFrame::of(&links)
        .column("atccode", |link| graph.drug(*link).atccode.as_str())
        .column("drug", |link| graph.drug(*link).name.as_str())
        .column("substance", |link| graph.drug(*link).substance.as_str())
        .column("publication_id", |link| graph.publication(*link).id.as_str())
        .column("kind", |link| link.kind.name())
        .column("journal", |link| graph.journal(graph.publication(*link)))
        .column("date", |link| graph.publication(*link).date)
        .column("status", |link| {
            graph.publication(*link).status.map(PublicationStatus::name)
        })
        .finish()
}
