//! What the rules find in one publication, without what the matcher of the lake finds there.

use std::collections::{BTreeSet, HashSet};

use chrono::NaiveDate;

use super::current_rows::{CurrentRow, SilverNeeds};
use crate::gaps::codes::company_codes;
use crate::gaps::context::treatment_names;
use crate::gaps::interventions::intervention_name;
use crate::gaps::names::stem_names;
use crate::gaps::substances::substance_name;
use crate::gaps::{GapRule, NamePlace};
use crate::gold::mentions::SearchSettings;
use crate::matcher::{CodePoints, Matcher, VocabularyEntry};
use crate::schema::{PublicationKind, SearchedField};
use crate::sorting::sort_record;
use crate::text::{BETWEEN_NAMES, form};

/// Letters of a text on either side of a name in an example.
const AROUND: usize = 60;

/// Longer items of lists are cut in examples.
const LONGEST_ITEM: usize = 200;

/// A place of a name that is probably a drug, in the order in which places of one name are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GapSighting {
    pub key: String,
    pub journal: Option<String>,
    pub kind: PublicationKind,
    pub publication_id: String,
    /// See [`FIELDS`].
    pub field: u8,
    pub start: i64,
    pub end: i64,
    /// The number of the rule.
    pub rule: u8,
    /// Whether the rule alone is sure.
    pub is_sure: bool,
    /// Whether the publication is about giving a drug; of substances.
    pub is_treatment: bool,
    pub surface: String,
    /// What is counted as its spelling: the surface, or a name without doses.
    pub spelling: String,
    pub text: String,
    pub date: Option<NaiveDate>,
}

sort_record!(GapSighting {
    key,
    journal,
    kind,
    publication_id,
    field,
    start,
    end,
    rule,
    is_sure,
    is_treatment,
    surface,
    spelling,
    text,
    date
});

/// The fields by their numbers.
pub(super) const FIELDS: [&str; 4] = ["title", "abstract", "interventions", "substances"];

/// Looks for gaps, publication by publication.
pub(super) struct GapFinder<'f> {
    matcher: &'f Matcher,
    /// The folded names of the vocabulary, with those that the matcher skips.
    known: HashSet<String>,
    rules: &'f BTreeSet<GapRule>,
    search: &'f SearchSettings,
}

impl<'f> GapFinder<'f> {
    pub(super) fn new(
        matcher: &'f Matcher,
        entries: &[VocabularyEntry],
        rules: &'f BTreeSet<GapRule>,
        search: &'f SearchSettings,
    ) -> Self {
        let names = entries.iter().flat_map(|entry| {
            std::iter::once(entry.drug.as_str()).chain(entry.synonyms.iter().map(|name| &**name))
        });
        Self {
            matcher,
            known: names.map(form).collect(),
            rules,
            search,
        }
    }

    /// What is needed of silver.
    pub(super) fn needs(&self) -> SilverNeeds {
        let reads_texts = [GapRule::InnStem, GapRule::CompanyCode, GapRule::Context]
            .iter()
            .any(|rule| self.rules.contains(rule));
        SilverNeeds {
            abstracts: reads_texts && self.search.fields.contains(SearchedField::Abstract),
            interventions: self.rules.contains(&GapRule::Intervention),
            substances: self.rules.contains(&GapRule::Substance),
        }
    }

    /// The gaps of a publication.
    pub(super) fn find(&self, kind: PublicationKind, row: &CurrentRow) -> Vec<GapSighting> {
        let mut found = Vec::new();
        if self.search.excludes(row.status.as_deref()) {
            return found;
        }
        let publication = SeenPublication { kind, row };
        self.find_in_text(&publication, 0, &row.title, &mut found);
        if let Some(text) = &row.abstract_text {
            self.find_in_text(&publication, 1, text, &mut found);
        }
        let mut next = 0;
        for given in &row.interventions {
            let mut names = std::iter::once(&given.name).chain(&given.other_names);
            let before = next;
            next += names.clone().map(|name| width_in_list(name)).sum::<i64>();
            if names.any(|name| self.finds(name)) {
                continue;
            }
            let Some(named) = intervention_name(given.intervention_type.as_deref(), &given.name) else {
                continue;
            };
            if self.is_known(&named.key) {
                continue;
            }
            let start = given.name.find(&named.name).unwrap_or(0);
            let whole = if given.name.contains(&named.name) {
                start..start + named.name.len()
            } else {
                0..given.name.len()
            };
            let place = NamePlace {
                start: whole.start,
                end: whole.end,
                key: named.key,
            };
            let mut sighting = {
                let mut points = CodePoints::new(&given.name);
                publication.sighting(
                    (2, before),
                    GapRule::Intervention,
                    (&given.name, &mut points),
                    &place,
                )
            };
            sighting.is_sure = named.is_sure;
            sighting.spelling = named.name;
            found.push(sighting);
        }
        self.find_in_substances(&publication, &mut found);
        found
    }

    fn find_in_text(
        &self,
        publication: &SeenPublication<'_>,
        field: u8,
        text: &str,
        found: &mut Vec<GapSighting>,
    ) {
        let is_known = |name: &str| self.is_known(name);
        let mut places: Vec<(GapRule, NamePlace)> = Vec::new();
        let mut add = |rule: GapRule, found: &dyn Fn() -> Vec<NamePlace>| {
            if self.rules.contains(&rule) {
                places.extend(found().into_iter().map(|place| (rule, place)));
            }
        };
        add(GapRule::InnStem, &|| stem_names(text, &is_known));
        add(GapRule::CompanyCode, &|| company_codes(text));
        add(GapRule::Context, &|| treatment_names(text, &is_known));
        // Most texts have none, so the matcher does not look at them.
        if places.is_empty() {
            return;
        }
        let taken = TakenPlaces::of(self.matcher, text);
        let mut points = CodePoints::new(text);
        for (rule, place) in places {
            if taken.is_free(&place) && !self.is_known(&place.key) {
                let mut sighting = publication.sighting((field, 0), rule, (text, &mut points), &place);
                sighting.is_sure = rule != GapRule::Context;
                found.push(sighting);
            }
        }
    }

    fn find_in_substances(&self, publication: &SeenPublication<'_>, found: &mut Vec<GapSighting>) {
        let mut seen = HashSet::new();
        let is_known = |name: &str| self.is_known(name);
        let mut next = 0;
        for (name, number) in &publication.row.substances {
            let before = next;
            next += width_in_list(name);
            let Some(substance) = substance_name(name, number.as_deref(), &is_known) else {
                continue;
            };
            if self.finds(name) || !seen.insert(substance.key.clone()) {
                continue;
            }
            let place = NamePlace {
                start: 0,
                end: name.len(),
                key: substance.key,
            };
            let mut sighting = {
                let mut points = CodePoints::new(name);
                publication.sighting((3, before), GapRule::Substance, (name, &mut points), &place)
            };
            sighting.is_sure = substance.has_stem;
            sighting.is_treatment = publication.row.is_treatment;
            found.push(sighting);
        }
    }

    /// Whether the matcher finds a drug in a text.
    fn finds(&self, text: &str) -> bool {
        let mut is_found = false;
        self.matcher.finder().each(text, |_| is_found = true);
        is_found
    }

    fn is_known(&self, name: &str) -> bool {
        self.known.contains(name)
    }
}

/// The places of a text where the matcher finds drugs.
struct TakenPlaces {
    /// Where each begins, in order, and where those up to it end at the latest.
    places: Vec<(usize, usize)>,
}

impl TakenPlaces {
    fn of(matcher: &Matcher, text: &str) -> Self {
        let mut places = Vec::new();
        matcher
            .finder()
            .each(text, |mention| places.push((mention.start, mention.end)));
        places.sort_unstable();
        let mut latest = 0;
        for (_, end) in &mut places {
            latest = latest.max(*end);
            *end = latest;
        }
        Self { places }
    }

    fn is_free(&self, place: &NamePlace) -> bool {
        let before = self.places.partition_point(|(start, _)| *start < place.end);
        before == 0 || self.places[before - 1].1 <= place.start
    }
}

/// A publication that is looked at.
struct SeenPublication<'p> {
    kind: PublicationKind,
    row: &'p CurrentRow,
}

impl SeenPublication<'_> {
    /// A sighting in a field, of which this many code points stand before the text.
    fn sighting(
        &self,
        (field, before): (u8, i64),
        rule: GapRule,
        (text, points): (&str, &mut CodePoints<'_>),
        place: &NamePlace,
    ) -> GapSighting {
        let surface = cut(&text[place.start..place.end], LONGEST_ITEM);
        GapSighting {
            key: place.key.clone(),
            journal: self.row.journal.clone(),
            kind: self.kind,
            publication_id: self.row.publication_id.clone(),
            field,
            start: before + points.at(place.start) as i64,
            end: before + points.at(place.end) as i64,
            rule: rule as u8,
            is_sure: false,
            is_treatment: false,
            spelling: surface.to_owned(),
            surface: surface.to_owned(),
            text: around(text, place),
            date: self.row.date,
        }
    }
}

/// The code points that a name takes in the text of its list.
fn width_in_list(name: &str) -> i64 {
    (name.chars().count() + BETWEEN_NAMES.len()) as i64
}

/// The beginning of a text, with at most this number of bytes.
fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The words around a place of a text.
fn around(text: &str, place: &NamePlace) -> String {
    let is_blank = char::is_whitespace;
    let (mut before, mut behind) = (&text[..place.start], &text[place.end..]);
    let (mut opening, mut closing) = ("", "");
    if before.len() > AROUND {
        let mut start = before.len() - AROUND;
        while !before.is_char_boundary(start) {
            start += 1;
        }
        before = &before[start..];
        before = before
            .find(is_blank)
            .map_or("", |blank| before[blank..].trim_start());
        opening = "…";
    }
    if behind.len() > AROUND {
        behind = cut(behind, AROUND);
        behind = behind
            .rfind(is_blank)
            .map_or("", |blank| behind[..blank].trim_end());
        closing = "…";
    }
    let name = cut(&text[place.start..place.end], LONGEST_ITEM);
    format!("{opening}{before}{name}{behind}{closing}")
}
