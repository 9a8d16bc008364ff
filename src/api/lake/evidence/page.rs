//! Evidence as a page for people.

use std::fmt::Write as _;

use super::{EvidencePlace, PairEvent, PairEvidence, SourceRow};
use crate::choice::Choice as _;

impl PairEvidence {
    /// The evidence for people.
    pub fn to_text(&self) -> String {
        let state = &self.state;
        let verb = if self.is_mentioned {
            "mentions"
        } else {
            "does not mention"
        };
        let mut text = format!(
            "{} {} {verb} {} in state {} (up to {})\n",
            self.kind, self.publication_id, self.drug, state.state, state.as_of
        );
        if self.shown_state != state.state {
            let _ = writeln!(text, "What follows is from state {}.", self.shown_state);
        }
        let _ = writeln!(text, "\nText");
        for field in &self.texts {
            let places: Vec<&EvidencePlace> = self
                .places
                .iter()
                .filter(|place| place.field == field.field)
                .collect();
            // Where nothing was found, what was searched stands here too: but an abstract may be long.
            let found_nothing = self.places.is_empty() && field.searched && field.field != "abstract";
            if field.field != "title" && places.is_empty() && !found_nothing {
                continue;
            }
            let note = if field.searched { "" } else { " (not searched)" };
            let _ = writeln!(text, "  {}{note}: {}", field.field, marked(&field.text, &places));
            for place in places {
                let EvidencePlace {
                    start,
                    end,
                    surface,
                    rule,
                    role,
                    atccode,
                    drug,
                    ..
                } = place;
                let role = role
                    .as_ref()
                    .map_or_else(String::new, |role| format!(", in the role {role}"));
                let _ = writeln!(
                    text,
                    "    {start} to {end}: `{surface}` is {drug} ({atccode}) by its {rule}{role}"
                );
            }
            if let Some(explanation) = field.explanation.as_ref().filter(|_| field.searched) {
                let _ = writeln!(text, "    {explanation}");
            }
        }
        if let Some(excluded) = &self.excluded {
            let _ = writeln!(text, "  {excluded}.");
        }
        let _ = writeln!(text, "\nPublication");
        let known = [
            ("journal", &self.journal),
            ("date", &self.date),
            ("status", &self.status),
        ];
        for (name, value) in known {
            if let Some(value) = value {
                let _ = writeln!(text, "  {name}: {value}");
            }
        }
        self.source.iter().for_each(|source| source.add_to(&mut text));
        let _ = writeln!(text, "\nVocabulary");
        for drug in &self.vocabulary {
            let synonyms = match drug.synonyms.as_slice() {
                [] => String::new(),
                names => format!("; also {}", names.join(", ")),
            };
            let _ = writeln!(text, "  {} {}{synonyms}", drug.atccode, drug.drug);
            drug.source.iter().for_each(|source| source.add_to(&mut text));
        }
        let _ = writeln!(text, "\nMatcher");
        let fingerprint = self
            .fingerprint
            .as_deref()
            .unwrap_or("cannot be rebuilt by this version");
        let _ = writeln!(text, "  fingerprint: {fingerprint}");
        let settings: Vec<String> = self
            .settings
            .iter()
            .map(|(name, value)| {
                format!(
                    "{name}={}",
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                )
            })
            .collect();
        let _ = writeln!(text, "  settings: {}", settings.join(", "));
        let _ = writeln!(text, "\nHistory in the states that are kept");
        if self.history.is_empty() {
            let _ = writeln!(text, "  none of them has the pair");
        }
        for event in &self.history {
            let cause = match (&event.cause, &event.cause_dt) {
                (Some(cause), Some(dt)) => format!(": {}, by dt={dt}", cause.choice_name()),
                (Some(cause), None) => format!(": {}", cause.choice_name()),
                (None, _) => ", the first one that is kept, or before it".to_owned(),
            };
            let PairEvent {
                event,
                state,
                as_of,
                committed_at,
                ..
            } = event;
            let _ = writeln!(
                text,
                "  {event} with state {state} (up to {as_of}, committed at {committed_at}){cause}"
            );
        }
        text
    }
}

impl SourceRow {
    fn add_to(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "  source: {}, row {}, delivered by dt={}",
            self.uri, self.row, self.dt
        );
        match (&self.copy, &self.sha256) {
            (Some(copy), Some(sha256)) => {
                let _ = writeln!(text, "  copy: {copy}, SHA-256 {sha256}");
            }
            _ => {
                let _ = writeln!(text, "  copy: not recorded by the version that cleaned it");
            }
        }
    }
}

/// A text with its places between signs.
fn marked(text: &str, places: &[&EvidencePlace]) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut marked = String::with_capacity(text.len() + 8);
    for (point, letter) in letters.iter().chain(std::iter::once(&'\n')).enumerate() {
        let point = point as i64;
        if places.iter().any(|place| place.end == point) {
            marked.push(']');
        }
        if places.iter().any(|place| place.start == point) {
            marked.push('[');
        }
        marked.push(if letter.is_control() && *letter != '\n' {
            '\u{fffd}'
        } else {
            *letter
        });
    }
    marked.trim_end().to_owned()
}
