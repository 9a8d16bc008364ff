//! Why a drug was found in a text, or why it was not, in one sentence.

use super::tokens::folded_name;
use super::{Boundary, CodePoints, Matcher, MatcherSettings, Mention, StopWords, VocabularyEntry};
use crate::error::{Error, Result};
use crate::schema::Rule;
use crate::task::Task;

/// Says in one sentence why the drug of a name is found in a text, or why it is not.
pub(super) fn explain(matcher: &Matcher, text: &str, drug: &str, task: &Task) -> Result<String> {
    let accents = matcher.settings.accents;
    let form = folded_name(drug, accents);
    let vocabulary = &matcher.vocabulary;
    let entries: Vec<u32> = (0..vocabulary.len() as u32)
        .filter(|entry| {
            vocabulary.code(*entry) == drug
                || vocabulary
                    .names(*entry)
                    .any(|name| folded_name(name, accents) == form)
        })
        .collect();
    let Some(&first) = entries.first() else {
        return Err(Error::argument(
            "drug",
            format!("`{drug}` is neither a name nor a code of this vocabulary"),
            "a name of the vocabulary as it is written there",
        ));
    };
    let mut points = CodePoints::new(text);
    let all = matcher.find_under(text, task)?;
    if let Some(mention) = all.iter().find(|mention| entries.contains(&mention.entry)) {
        return Ok(found(text, mention, matcher.settings.boundary, &mut points));
    }
    for name in vocabulary.names(first) {
        if let Some(sentence) = missed(matcher, (text, &all), first, name, &mut points, task)? {
            return Ok(sentence);
        }
    }
    let names: Vec<String> = vocabulary.names(first).map(|name| format!("`{name}`")).collect();
    Ok(format!(
        "`{}` ({}) is not found: the text holds none of its names {}.",
        vocabulary.drug(first),
        vocabulary.code(first),
        names.join(", ")
    ))
}

fn found(text: &str, mention: &Mention<'_>, boundary: Boundary, points: &mut CodePoints<'_>) -> String {
    let surface = &text[mention.start..mention.end];
    let (start, end) = (points.at(mention.start), points.at(mention.end));
    let why = match mention.rule {
        Rule::Name => "its name occurs there",
        Rule::Synonym => "a synonym of it occurs there",
        Rule::Abbreviation => "the text itself introduced this abbreviation of it, which occurs there",
        Rule::Combination => "its parts occur there, joined or ordered in another way than in its name,",
    };
    let how = match boundary {
        Boundary::Word => " as whole words",
        Boundary::None => "; bounds of words do not matter to this matcher",
    };
    format!(
        "`{}` ({}) is found at {start} to {end} as `{surface}`: {why}{how}.",
        mention.drug(),
        mention.atccode()
    )
}

/// The sentence for a name that is on the stop list, inside another word, or covered by another mention.
fn missed(
    matcher: &Matcher,
    (text, all): (&str, &[Mention<'_>]),
    entry: u32,
    name: &str,
    points: &mut CodePoints<'_>,
    task: &Task,
) -> Result<Option<String>> {
    let (atccode, drug) = (matcher.vocabulary.code(entry), matcher.vocabulary.drug(entry));
    let settings = &matcher.settings;
    let form = folded_name(name, settings.accents);
    if let Some(reason) = settings.stop_words.reason(&form) {
        return Ok(Some(format!(
            "`{drug}` ({atccode}) is not found: `{name}` is left out by the stop words ({reason})."
        )));
    }
    let alone = |boundary: Boundary, stop_words: StopWords| {
        let settings = MatcherSettings {
            boundary,
            stop_words,
            ..settings.clone()
        };
        let matcher = Matcher::new(&[VocabularyEntry::new(atccode, name, [])], &settings)?;
        let first = matcher
            .find_under(text, task)?
            .first()
            .map(|mention| (mention.start, mention.end, mention.rule));
        Ok::<_, Error>(first)
    };
    if let Some((start, end, rule)) = alone(Boundary::Word, StopWords::none())? {
        let mut overlapping = all.iter().filter(|other| other.start < end && start < other.end);
        // A mention inside a combination does not hide it.
        let covering = overlapping
            .clone()
            .find(|other| other.start < start || end < other.end)
            .or_else(|| overlapping.next());
        let surface = &text[start..end];
        if rule == Rule::Combination && alone(Boundary::Word, settings.stop_words.clone())?.is_none() {
            return Ok(Some(format!(
                "`{drug}` ({atccode}) is not found: `{surface}` at {} is no spelling of `{name}`, for the stop words leave \
                 out one of its parts or this spelling.",
                points.at(start)
            )));
        }
        if covering.is_none() {
            return Ok(Some(format!(
                "`{drug}` ({atccode}) is not found: `{surface}` at {} is too short a word to count unless it is written as \
                 the vocabulary writes it or in capitals, or the text says that it stands for something else.",
                points.at(start)
            )));
        }
        return Ok(covering.map(|cover| {
            format!(
                "`{drug}` ({atccode}) is not found: `{name}` at {} is part of `{}`, a longer or earlier mention of `{}` ({}).",
                points.at(start),
                &text[cover.start..cover.end],
                cover.drug(),
                cover.atccode()
            )
        }));
    }
    let Some((start, end, _)) = alone(Boundary::None, StopWords::none())? else {
        return Ok(None);
    };
    let word_start = text[..start].rfind(|letter: char| !letter.is_alphanumeric());
    let word_start = word_start.map_or(0, |place| {
        place + text[place..].chars().next().map_or(1, char::len_utf8)
    });
    let word_end = text[end..]
        .find(|letter: char| !letter.is_alphanumeric())
        .map_or(text.len(), |length| end + length);
    Ok(Some(format!(
        "`{drug}` ({atccode}) is not found: at {} its name occurs only inside the word `{}`.",
        points.at(start),
        &text[word_start..word_end]
    )))
}
