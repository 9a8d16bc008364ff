//! The graph as tables. Counts are signed, for engines compute with them.

use polars::prelude::{
    DataFrame, DataType, Int32Chunked, IntoColumn, IntoSeries, NamedFrom, NewChunkedArray, Series,
};

use super::grouping::DrugGrouping;
use super::model::{DrugGraph, DrugNode, Link};
use crate::error::Result;
use crate::schema::{DrugUnit, PublicationKind};

/// Every drug, with the number of publications of each kind that mention it.
pub fn drugs(graph: &DrugGraph, unit: DrugUnit) -> Result<DataFrame> {
    let grouping = DrugGrouping::of(graph.drugs(), unit);
    let mut counts = vec![[0_i64; PublicationKind::ALL.len()]; graph.drugs().len()];
    for link in grouping.links(graph.links()) {
        counts[link.drug as usize][link.kind as usize] += 1;
    }
    let firsts: Vec<usize> = grouping.firsts().map(|drug| drug as usize).collect();
    let count = |kind: PublicationKind| -> Vec<i64> {
        firsts.iter().map(|drug| counts[*drug][kind as usize]).collect()
    };
    let text = |name: &str, value: fn(&DrugNode) -> &str| {
        let values: Vec<&str> = firsts.iter().map(|drug| value(&graph.drugs()[*drug])).collect();
        Series::new(name.into(), values).into_column()
    };
    let mut columns = vec![
        text("atccode", |drug| &drug.atccode),
        text("drug", |drug| &drug.name),
        text("substance", |drug| &drug.substance),
    ];
    columns.extend(
        graph
            .kinds()
            .map(|kind| Series::new(kind.name().into(), count(kind)).into_column()),
    );
    Ok(DataFrame::new(firsts.len(), columns)?)
}

/// Every journal with a mention, with its numbers of different drugs and of pairs of a drug and a publication.
pub fn journals(graph: &DrugGraph, unit: DrugUnit) -> Result<DataFrame> {
    let links = DrugGrouping::of(graph.drugs(), unit).links(graph.links());
    let journals = graph.by_journal(&links);
    let names: Vec<&str> = journals
        .keys()
        .map(|journal| graph.journals()[*journal as usize].as_str())
        .collect();
    let mentions: Vec<i64> = journals.values().map(|links| links.len() as i64).collect();
    let drugs: Vec<i64> = journals
        .into_values()
        .map(|mut links| {
            links.dedup_by_key(|link| link.drug);
            links.len() as i64
        })
        .collect();
    Ok(DataFrame::new(
        names.len(),
        vec![
            Series::new("journal".into(), names).into_column(),
            Series::new("drugs".into(), drugs).into_column(),
            Series::new("mentions".into(), mentions).into_column(),
        ],
    )?)
}

/// Every pair of a drug and a publication that mentions it.
pub fn mentions(graph: &DrugGraph, unit: DrugUnit) -> Result<DataFrame> {
    let links = DrugGrouping::of(graph.drugs(), unit).links(graph.links());
    let text = |name: &str, value: &dyn for<'g> Fn(&'g DrugGraph, Link) -> Option<&'g str>| {
        let values: Vec<Option<&str>> = links.iter().map(|link| value(graph, *link)).collect();
        Series::new(name.into(), values).into_column()
    };
    let dates: Vec<Option<i32>> = links
        .iter()
        .map(|link| graph.publication(*link).date.map(|date| date.to_epoch_days()))
        .collect();
    let dates = Int32Chunked::from_slice_options("date".into(), &dates)
        .into_series()
        .cast(&DataType::Date)?;
    Ok(DataFrame::new(
        links.len(),
        vec![
            text("atccode", &|graph, link| Some(&graph.drug(link).atccode)),
            text("drug", &|graph, link| Some(&graph.drug(link).name)),
            text("substance", &|graph, link| Some(&graph.drug(link).substance)),
            text("publication_id", &|graph, link| Some(&graph.publication(link).id)),
            text("kind", &|_, link| Some(link.kind.name())),
            text("journal", &|graph, link| graph.journal(graph.publication(link))),
            dates.into_column(),
        ],
    )?)
}
