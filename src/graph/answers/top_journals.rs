//! Which journals mention the most different drugs.

use std::io::{self, Write};

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use super::question::{Answer, AnswerOption, Question};
use crate::error::Result;
use crate::graph::writer::Object;
use crate::task::Task;

pub(super) const ANSWER: Answer = Answer {
    name: "top_journals",
    sentence: "Journals by the number of different drugs that they mention, the largest first.",
    options: &[AnswerOption::UNIT],
    table,
};

fn table(question: &Question<'_>, _task: &Task) -> Result<DataFrame> {
    let shelf = question.shelf();
    let ranking = shelf.ranking(question.graph.journals());
    let (journals, drugs): (Vec<&str>, Vec<i64>) =
        ranking.into_iter().map(|(journal, drugs)| (journal, drugs as i64)).unzip();
    let columns = vec![
        Series::new("journal".into(), &journals).into_column(),
        Series::new("drugs".into(), drugs).into_column(),
    ];
    Ok(DataFrame::new(journals.len(), columns)?)
}

/// `top_journals.json` from a ranking of journals.
pub(super) fn write(out: &mut dyn Write, ranking: &[(&str, usize)]) -> io::Result<()> {
    let mut journals = Object::begin(out)?;
    for (journal, drugs) in ranking {
        write!(journals.entry(journal)?, "{drugs}")?;
    }
    journals.end()?;
    out.write_all(b"\n")
}
