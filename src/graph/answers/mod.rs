//! Answers: questions that anybody asks of a graph by name, and that give a table. One file each, registered in one list.
//!
//! The command (`drugs-rs answer`) and Python (`DrugGraph.answer`) know names, options and sentences from the list. So a new
//! answer is a new file here and its line in the list below.

mod published;
mod question;

use polars::prelude::DataFrame;

pub use exclusive_drugs::ExclusiveDrugs;
pub use published::{AnswerSettings, AnswerTotals, write_answers};
pub use question::{Answer, AnswerOption, OptionValue, Question};

pub(super) use published::write_published;

use super::model::DrugGraph;
use crate::choice::find_named;
use crate::error::Result;
use crate::task::Task;

/// Makes the list of answers from one line each.
macro_rules! answers {
    ($($module:ident;)+) => {
        $(mod $module;)+

        /// All answers, in the order of their names.
        pub const ANSWERS: &[&Answer] = &[$(&$module::ANSWER),+];
    };
}

answers! {
    co_mentions;
    exclusive_drugs;
    top_journals;
}

/// The answer with this name.
pub fn find_answer(name: &str) -> Result<&'static Answer> {
    find_named(ANSWERS, |answer| answer.name, name, "answer").copied()
}

/// Asks a graph: the name of an answer, and options by name with their values as texts.
pub fn ask(graph: &DrugGraph, name: &str, options: &[(String, String)], task: &Task) -> Result<DataFrame> {
    let answer = find_answer(name)?;
    let question = Question::new(graph, answer, options)?;
    (answer.table)(&question, task)
}
