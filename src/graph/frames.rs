//! The graph as tables.

use chrono::{Datelike, NaiveDate};
use polars::prelude::{
    DataFrame, DataType, Int32Chunked, IntoColumn, IntoSeries, NamedFrom, NewChunkedArray, Series,
};

use super::model::{DrugGraph, Link};
use crate::error::Result;
use crate::schema::PublicationKind;

/// Every drug, with the number of publications of each kind that mention it.
pub fn drugs(graph: &DrugGraph) -> Result<DataFrame> {
    let drugs = graph.drugs();
    let mut counts = vec![[0_u64; 2]; drugs.len()];
    for link in graph.links() {
        counts[link.drug as usize][link.kind as usize] += 1;
    }
    let count =
        |kind: PublicationKind| -> Vec<u64> { counts.iter().map(|count| count[kind as usize]).collect() };
    let codes: Vec<&str> = drugs.iter().map(|drug| drug.atccode.as_str()).collect();
    let names: Vec<&str> = drugs.iter().map(|drug| drug.name.as_str()).collect();
    Ok(DataFrame::new(
        drugs.len(),
        vec![
            Series::new("atccode".into(), codes).into_column(),
            Series::new("drug".into(), names).into_column(),
            Series::new("pubmed".into(), count(PublicationKind::Pubmed)).into_column(),
            Series::new("clinical_trial".into(), count(PublicationKind::ClinicalTrial)).into_column(),
        ],
    )?)
}

/// Every journal with a mention, with its numbers of different drugs and of mentions.
pub fn journals(graph: &DrugGraph) -> Result<DataFrame> {
    let journals = graph.links_by_journal();
    let names: Vec<&str> = journals
        .keys()
        .map(|journal| graph.journals()[*journal as usize].as_str())
        .collect();
    let mentions: Vec<u64> = journals.values().map(|links| links.len() as u64).collect();
    let drugs: Vec<u64> = journals
        .into_values()
        .map(|mut links| {
            links.dedup_by_key(|link| link.drug);
            links.len() as u64
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
pub fn mentions(graph: &DrugGraph) -> Result<DataFrame> {
    let text = |name: &str, value: &dyn for<'g> Fn(&'g DrugGraph, Link) -> Option<&'g str>| {
        let values: Vec<Option<&str>> = graph.links().iter().map(|link| value(graph, *link)).collect();
        Series::new(name.into(), values).into_column()
    };
    let dates: Vec<Option<i32>> = graph
        .links()
        .iter()
        .map(|link| graph.publication(*link).date.map(days))
        .collect();
    let dates = Int32Chunked::from_slice_options("date".into(), &dates)
        .into_series()
        .cast(&DataType::Date)?;
    Ok(DataFrame::new(
        graph.links().len(),
        vec![
            text("atccode", &|graph, link| Some(&graph.drug(link).atccode)),
            text("drug", &|graph, link| Some(&graph.drug(link).name)),
            text("publication_id", &|graph, link| Some(&graph.publication(link).id)),
            text("kind", &|_, link| Some(link.kind.name())),
            text("journal", &|graph, link| graph.journal(graph.publication(link))),
            dates.into_column(),
        ],
    )?)
}

/// Days since 1970-01-01, as Arrow counts them.
fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}
