//! The one cause of each gained and lost mention.
//!
//! A mention depends on the text of its field, the vocabulary, the settings and the rules of the matcher. Where only one of
//! these differs, it is the cause. Where several do, they are exchanged one after the other, in this order, and the matcher
//! finds the mentions again after each: the cause is the last exchange with which the mention came, or went.
//!
//! What is delivered is exchanged before what is held: between the two states is one with the deliveries of the later and
//! the holds of the earlier.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::cause::{MentionCause, MentionChange};
use super::compared_state::ComparedState;
use super::records::SeenMention;
use super::traces::{STATUS_COLUMN, WantedTexts};
use crate::error::Result;
use crate::lake::dt::Dt;
use crate::matcher::{CodePoints, Matcher, Mention, VocabularyEntry};
use crate::schema::{PublicationKind, SearchedField};
use crate::steps::gold::MentionsOrigin;
use crate::task::Task;

/// What two states have of a publication.
#[derive(Debug, Default)]
pub(super) struct PublicationStates {
    /// The date that delivered what each state has; `None`: it has nothing.
    pub dates: [Option<Dt>; 2],
    /// The newest notice of deletion that only this state obeys.
    pub notices: [Option<Dt>; 2],
    /// The snapshot that replaced what the other state has; only where this state has no row of the publication.
    pub snapshots: [Option<Dt>; 2],
    /// The date of the row that counts with the later state's deliveries and the earlier one's holds; `None`: the publication
    /// is not there. What the later state has, if the holds are the same.
    pub between: Option<Dt>,
    /// The texts, by date and field: a partition may have a row that another replaces.
    pub texts: [BTreeMap<(Dt, String), String>; 2],
}

/// A cause, and the date of what it is.
pub(super) type DatedCause = (MentionCause, Option<Dt>);

/// What the mentions of both states were found with, and what differs.
pub(super) struct CauseFinder<'c> {
    states: [&'c ComparedState; 2],
    /// Dates that the later state holds and the earlier one does not, and the reverse.
    newly_held: BTreeSet<Dt>,
    released: BTreeSet<Dt>,
    has_other_vocabulary: bool,
    has_other_settings: bool,
    has_other_rules: bool,
    /// Whether both states record what their mentions were found with.
    is_recorded: bool,
    codes: [HashSet<&'c str>; 2],
    /// The vocabulary and the settings of the earlier state; then the vocabulary of the later one; then its settings too.
    matchers: [OnceCell<Option<Matcher>>; 3],
    task: &'c Task,
}

/// A place of a mention in a field, with its drug.
type MentionPlace = (i64, i64, String, String);

/// The places after each exchange; `None`, where it leaves them as they are.
type ExchangedPlaces = Vec<Option<HashSet<MentionPlace>>>;

/// The dates of each kind that count.
pub(super) type KindDates = Vec<(PublicationKind, Vec<Dt>)>;

impl<'c> CauseFinder<'c> {
    pub(super) fn new(states: [&'c ComparedState; 2], task: &'c Task) -> Self {
        let [earlier, later] = states;
        let differ = |part: fn(&MentionsOrigin) -> &String| match (&earlier.origin, &later.origin) {
            (Some(earlier), Some(later)) => part(earlier) != part(later),
            _ => false,
        };
        Self {
            states,
            newly_held: later.held.difference(&earlier.held).copied().collect(),
            released: earlier.held.difference(&later.held).copied().collect(),
            has_other_vocabulary: earlier.entries != later.entries,
            has_other_settings: differ(|origin| &origin.settings),
            has_other_rules: differ(|origin| &origin.rules),
            is_recorded: earlier.origin.is_some() && later.origin.is_some(),
            codes: states.map(|state| state.entries.iter().map(|entry| &*entry.atccode).collect()),
            matchers: [OnceCell::new(), OnceCell::new(), OnceCell::new()],
            task,
        }
    }

    /// What counts of the later state's deliveries with the holds of the earlier state, from the newest snapshot on; `None` if
    /// the holds are the same. A date that is held from the beginning was never delivered to the tables.
    pub(super) fn between(&self) -> Result<Option<KindDates>> {
        if !self.has_other_holds() {
            return Ok(None);
        }
        let [earlier, later] = self.states;
        let mut between = Vec::new();
        for kind in PublicationKind::ALL {
            let table = kind.source_table();
            let mut dates = Vec::new();
            for dt in later.delivered_dates(table) {
                let is_unseen = later.held.contains(&dt) && earlier.partition(kind, dt).is_none();
                if earlier.held.contains(&dt) || is_unseen {
                    continue;
                }
                dates.push(dt);
                if later.is_snapshot(table, dt)? {
                    break;
                }
            }
            between.push((kind, dates));
        }
        Ok(Some(between))
    }

    /// How many of vocabulary, settings and rules differ.
    fn differences(&self) -> usize {
        usize::from(self.has_other_vocabulary)
            + usize::from(self.has_other_settings)
            + usize::from(self.has_other_rules)
    }

    /// The texts that are needed to find the causes.
    pub(super) fn wanted_texts(&self) -> WantedTexts {
        match self.differences() {
            _ if !self.is_recorded => WantedTexts::None,
            0 if self.has_other_holds() => WantedTexts::Changed,
            0 => WantedTexts::None,
            1 => WantedTexts::Changed,
            _ => WantedTexts::All,
        }
    }

    /// The causes of the changes of one publication, in the order of the mentions.
    pub(super) fn causes(
        &self,
        publication: &PublicationStates,
        changes: &[(MentionChange, &SeenMention)],
    ) -> Result<Vec<DatedCause>> {
        let Some((_, first)) = changes.first() else {
            return Ok(Vec::new());
        };
        let kind = first.kind;
        if let [None, _] | [_, None] = publication.dates {
            return Ok(vec![self.cause_of_presence(publication); changes.len()]);
        }
        // Of the two exchanges of a text, only one may change anything.
        let of_text = if !self.has_other_holds() || publication.between == publication.dates[1] {
            Some(Self::cause_of_delivery(publication))
        } else if self.is_earlier_between(kind, publication) {
            Some(self.cause_of_hold(publication))
        } else {
            None
        };
        let may_differ = self.may_differ(kind, publication);
        let mut found = BTreeMap::new();
        let mut causes = Vec::new();
        for (change, mention) in changes {
            let cause = if !self.is_recorded {
                (MentionCause::Unknown, None)
            } else if !may_differ && self.differences() <= 1 {
                self.cause_of_matcher(*change, mention)
            } else if let (0, Some(of_text)) = (self.differences(), of_text) {
                of_text
            } else {
                let field = mention.field.as_str();
                if !found.contains_key(field) {
                    found.insert(field, self.exchange(publication, may_differ, field)?);
                }
                match found.get(field).and_then(Option::as_ref) {
                    Some(exchanged) => self.last_flip(exchanged, publication, *change, mention),
                    None => (MentionCause::Unknown, None),
                }
            };
            causes.push(cause);
        }
        Ok(causes)
    }

    /// Whether the texts of a publication may differ.
    fn may_differ(&self, kind: PublicationKind, publication: &PublicationStates) -> bool {
        match publication.dates {
            [Some(earlier), Some(later)] if earlier == later => {
                self.states[0].partition(kind, earlier) != self.states[1].partition(kind, later)
            }
            _ => true,
        }
    }

    /// Whether the holds of the states differ.
    fn has_other_holds(&self) -> bool {
        !self.newly_held.is_empty() || !self.released.is_empty()
    }

    /// Whether what is between the states is what the earlier state has, so that deliveries changed nothing.
    fn is_earlier_between(&self, kind: PublicationKind, publication: &PublicationStates) -> bool {
        let same = |dt: Dt| self.states[0].partition(kind, dt) == self.states[1].partition(kind, dt);
        publication.between == publication.dates[0] && publication.between.is_none_or(same)
    }

    /// The cause of a change that the deliveries made.
    fn cause_of_delivery(publication: &PublicationStates) -> DatedCause {
        match publication.dates {
            [None, later] => (MentionCause::NewPublication, later.or(publication.between)),
            [Some(earlier), None] => match (publication.notices[1], publication.snapshots[1]) {
                // A notice says so, whether a snapshot lacks the publication too or not.
                (None, Some(snapshot)) => (MentionCause::AbsentFromSnapshot, Some(snapshot)),
                (notice, _) => (MentionCause::DeletedPublication, notice.or(Some(earlier))),
            },
            [_, later] => (MentionCause::ChangedPublication, later),
        }
    }

    /// The cause of a change that a hold or a release made.
    fn cause_of_hold(&self, publication: &PublicationStates) -> DatedCause {
        let decides = |side: usize| {
            let removed = publication.notices[side].max(publication.snapshots[side]);
            publication.dates[side].max(removed)
        };
        if let Some(later) = decides(1).filter(|later| self.released.contains(later)) {
            return (MentionCause::Released, Some(later));
        }
        let held = [publication.between, decides(0)].into_iter().flatten();
        let held = held.filter(|dt| self.newly_held.contains(dt)).max();
        (MentionCause::Held, held)
    }

    /// The cause of a publication that only one state has.
    fn cause_of_presence(&self, publication: &PublicationStates) -> DatedCause {
        let is_there = |dt: &Option<Dt>| dt.is_some();
        if self.has_other_holds() && is_there(&publication.between) == is_there(&publication.dates[0]) {
            self.cause_of_hold(publication)
        } else {
            Self::cause_of_delivery(publication)
        }
    }

    /// The cause where the texts are the same, and one of vocabulary, settings and rules differs.
    fn cause_of_matcher(&self, change: MentionChange, mention: &SeenMention) -> DatedCause {
        if self.has_other_vocabulary {
            self.cause_of_vocabulary(change, mention)
        } else if self.has_other_settings {
            (MentionCause::ChangedSettings, None)
        } else if self.has_other_rules {
            (MentionCause::ChangedRules, None)
        } else {
            // The same texts with the same matcher: the files are not what gold wrote.
            (MentionCause::Unknown, None)
        }
    }

    fn cause_of_vocabulary(&self, change: MentionChange, mention: &SeenMention) -> DatedCause {
        let [earlier, later] = self.states.map(|state| state.vocabulary_dt);
        if let Some(held) = earlier.filter(|dt| self.newly_held.contains(dt) && later < Some(*dt)) {
            return (MentionCause::Held, Some(held));
        }
        if let Some(released) = later.filter(|dt| self.released.contains(dt)) {
            return (MentionCause::Released, Some(released));
        }
        let code = mention.atccode.as_str();
        let cause = match change {
            MentionChange::Gained if !self.codes[0].contains(code) => MentionCause::NewDrug,
            MentionChange::Lost if !self.codes[1].contains(code) => MentionCause::RemovedDrug,
            _ => MentionCause::ChangedNames,
        };
        (cause, later)
    }

    /// The places of a field's mentions: with the rules of now; with the text between the states; with the later text; with the
    /// later vocabulary too; with the later settings too. `None` for all, if the matcher cannot be rebuilt or a text is missing.
    fn exchange(
        &self,
        publication: &PublicationStates,
        may_differ: bool,
        field: &str,
    ) -> Result<Option<ExchangedPlaces>> {
        // What a row has: its text, and its status.
        let row = |side: usize, dt: Option<Dt>| {
            [field, STATUS_COLUMN].map(|name| {
                let found = publication.texts[side].get(&(dt?, name.to_owned()));
                found.map(String::as_str)
            })
        };
        let rows = [row(0, publication.dates[0]), row(1, publication.dates[1])];
        let between = row(1, publication.between);
        let has_current_rules = |state: &ComparedState| {
            let origin = state.origin.as_ref();
            origin.is_some_and(MentionsOrigin::has_current_rules)
        };
        let current = self.states.map(has_current_rules);
        // A title is in every publication; another text may be in one state alone.
        let has_texts = field != SearchedField::Title.name() || rows.iter().all(|[text, _]| text.is_some());
        if !has_texts || current == [false, false] {
            return Ok(None);
        }
        let searched = field
            .parse()
            .map(|field| self.states.map(|state| state.searches(field)));
        let searched = searched.unwrap_or_default();
        let mut stages = Vec::new();
        // Which matcher, which row, whose settings of the search, and whether the exchange changes anything.
        for (matcher, [text, status], settings, is_exchange) in [
            (0, rows[0], 0, self.has_other_rules),
            (0, between, 0, may_differ && between != rows[0]),
            (
                0,
                rows[1],
                0,
                may_differ && (between != rows[0] || rows[0] != rows[1]),
            ),
            (1, rows[1], 0, self.has_other_vocabulary),
            (2, rows[1], 1, self.has_other_settings),
        ] {
            if !is_exchange {
                stages.push(None);
                continue;
            }
            let Some(matcher) = self.matcher(matcher)? else {
                return Ok(None);
            };
            let is_searched = searched[settings] && !self.states[settings].excludes(status);
            let text = text.filter(|_| is_searched).unwrap_or_default();
            stages.push(Some(places(matcher, text, self.task)?));
        }
        Ok(Some(stages))
    }

    /// The last exchange with which a mention came or went.
    fn last_flip(
        &self,
        stages: &[Option<HashSet<MentionPlace>>],
        publication: &PublicationStates,
        change: MentionChange,
        mention: &SeenMention,
    ) -> DatedCause {
        let place = (
            mention.start,
            mention.end,
            mention.atccode.clone(),
            mention.drug.clone(),
        );
        let at_end = change == MentionChange::Gained;
        let mut is_there = !at_end;
        let mut cause = (MentionCause::Unknown, None);
        let exchanges = [
            (MentionCause::ChangedRules, None),
            Self::cause_of_delivery(publication),
            self.cause_of_hold(publication),
            self.cause_of_vocabulary(change, mention),
            (MentionCause::ChangedSettings, None),
        ];
        for (stage, exchange) in stages.iter().zip(exchanges) {
            let Some(found) = stage else { continue };
            let is_found = found.contains(&place);
            if is_found != is_there && is_found == at_end {
                cause = exchange;
            }
            is_there = is_found;
        }
        if is_there != at_end {
            // With everything of the later state, today's rules do not find what its own found.
            return (
                if self.has_other_rules {
                    MentionCause::ChangedRules
                } else {
                    MentionCause::Unknown
                },
                None,
            );
        }
        cause
    }

    fn matcher(&self, number: usize) -> Result<Option<&Matcher>> {
        let cell = &self.matchers[number];
        if cell.get().is_none() {
            let (entries, settings) = match number {
                0 => (&self.states[0].entries, self.states[0].matcher_settings()),
                1 => (&self.states[1].entries, self.states[0].matcher_settings()),
                _ => (&self.states[1].entries, self.states[1].matcher_settings()),
            };
            let built = match settings {
                Some(settings) => Some(Matcher::build(entries, &settings, self.task)?),
                None => None,
            };
            let _ = cell.set(built);
        }
        Ok(cell.get().and_then(Option::as_ref))
    }

    /// The entries of both vocabularies.
    pub(super) fn vocabularies(&self) -> [&'c [VocabularyEntry]; 2] {
        self.states.map(|state| state.entries.as_slice())
    }
}

/// The places of all mentions in a text.
fn places(matcher: &Matcher, text: &str, task: &Task) -> Result<HashSet<MentionPlace>> {
    let mut points = CodePoints::new(text);
    let mentions = matcher.find_under(text, task)?;
    let place = |mention: &Mention<'_>| {
        (
            points.at(mention.start) as i64,
            points.at(mention.end) as i64,
            mention.atccode().to_owned(),
            mention.drug().to_owned(),
        )
    };
    Ok(mentions.iter().map(place).collect())
}
