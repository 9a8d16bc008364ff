//! Which journals mention the most different drugs.

use std::io::{self, Write};

use polars::prelude::DataFrame;

use super::question::{Answer, AnswerOption, Question};
use crate::error::Result;
use crate::graph::writer::Object;
use crate::row_frame::RowFrame;
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
    RowFrame::of(&ranking)
        .column("journal", |(journal, _)| *journal)
        .count("drugs", |(_, drugs)| *drugs as u64)
        .finish()
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
