//! Which drugs a name belongs to, while vocabularies are combined.

use std::collections::{BTreeMap, HashMap};

/// A name that more drugs than these have joins none of them: it tells a kind of product rather than a drug, and each row
/// of that name would give its names to each of those drugs. Of the names in WHO ATC only `combinations` comes near.
const MOST_OF_ONE_NAME: usize = 64;

/// Drugs by the forms of their names, as numbers.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    names: HashMap<String, Vec<usize>>,
    synonyms: HashMap<String, Vec<usize>>,
}

/// What an index knows of a drug that looks for its like.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IndexMatch {
    /// Drugs of the same name.
    ByName(Vec<usize>),
    /// Drugs of one name, which meets among synonyms.
    BySynonym(Vec<usize>),
    /// Drugs of several names: which one is meant cannot be told.
    Doubt,
    Nothing,
}

impl NameIndex {
    pub(super) fn add_name(&mut self, form: String, drug: usize) {
        add(&mut self.names, form, drug);
    }

    pub(super) fn add_synonym(&mut self, form: String, drug: usize) {
        add(&mut self.synonyms, form, drug);
    }

    /// The drugs that have the form as their name, ascending.
    pub(super) fn named(&self, form: &str) -> &[usize] {
        self.names.get(form).map_or(&[], Vec::as_slice)
    }

    /// Looks for drugs by the forms of a name, the best one first, and then by the forms of other names. `own_form` gives
    /// the form of a drug's name, `allowed` says whether a drug may be found at all.
    pub(super) fn find<'i>(
        &'i self,
        forms: &[String],
        others: &[String],
        own_form: impl Fn(usize) -> &'i str,
        allowed: impl Fn(usize) -> bool,
    ) -> IndexMatch {
        for form in forms {
            if self.named(form).len() > MOST_OF_ONE_NAME {
                return IndexMatch::Doubt;
            }
            let hits: Vec<usize> = self
                .named(form)
                .iter()
                .copied()
                .filter(|drug| allowed(*drug))
                .collect();
            if !hits.is_empty() {
                return IndexMatch::ByName(hits);
            }
        }
        let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut add = |name: &'i str, drug: usize| {
            let drugs = names.entry(name).or_default();
            if !drugs.contains(&drug) {
                drugs.push(drug);
            }
        };
        let too_many = |hits: &Vec<usize>| hits.len() > MOST_OF_ONE_NAME;
        if forms
            .iter()
            .filter_map(|form| self.synonyms.get(form))
            .any(too_many)
            || others
                .iter()
                .filter_map(|form| self.names.get(form))
                .any(too_many)
        {
            return IndexMatch::Doubt;
        }
        for drug in forms.iter().filter_map(|form| self.synonyms.get(form)).flatten() {
            if allowed(*drug) {
                add(own_form(*drug), *drug);
            }
        }
        for form in others {
            let Some((form, hits)) = self.names.get_key_value(form) else {
                continue;
            };
            // Drugs that share a name but for remarks (`retinol`, `retinol (vit A)`) are of one name here.
            let one = hits.windows(2).all(|pair| own_form(pair[0]) == own_form(pair[1]));
            for drug in hits.iter().copied().filter(|drug| allowed(*drug)) {
                add(if one { own_form(drug) } else { form }, drug);
            }
        }
        if names.len() > 1 {
            return IndexMatch::Doubt;
        }
        names
            .into_values()
            .next()
            .map_or(IndexMatch::Nothing, IndexMatch::BySynonym)
    }
}

fn add(map: &mut HashMap<String, Vec<usize>>, form: String, drug: usize) {
    if form.is_empty() {
        return;
    }
    let drugs = map.entry(form).or_default();
    // A drug adds all its names at once, so a repetition can only be the last one.
    if drugs.last() != Some(&drug) {
        drugs.push(drug);
    }
}
