//! Records of all files to one list of drugs.
//!
//! Rows whose codes say much come first ([`Rank`]); rows whose codes say less join the drugs of their name, and stay by
//! themselves where no name meets or where it cannot be told which drug is meant. Products then give their names to what
//! they hold. Every row either is a drug or became part of one, and which of the two is counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::index::{IndexMatch, NameIndex};
use super::parts::without_salt;
use super::{Rank, VocabularyRecord, derived_code};
use crate::quality::{FileTally, Join, MergeReason};
use crate::schema::{Flag, Flags};
use crate::silver::drugs::{Drug, flag_shared, is_atc};
use crate::text::form;

/// The drugs of several vocabularies, in the order of files and rows, and what became of the rows.
#[derive(Debug, Default)]
pub struct Combined {
    pub drugs: Vec<Drug>,
    merged: Vec<(usize, MergeReason)>,
    joins: BTreeMap<(usize, Join), u64>,
}

impl Combined {
    /// Adds what became of the rows to the counts of their files.
    pub fn count(&self, tallies: &mut [FileTally]) {
        for drug in self.drugs.iter().filter(|drug| !drug.added) {
            tallies[drug.file].keep(drug.flags);
        }
        for (file, reason) in &self.merged {
            tallies[*file].merge(*reason);
        }
        for ((file, join), count) in &self.joins {
            tallies[*file].join(*join, *count);
        }
    }
}

/// Makes drugs of records. The records of one file must be in the order of its rows.
pub fn combine(records: Vec<VocabularyRecord>) -> Combined {
    let mut ranked: BTreeMap<Rank, Vec<VocabularyRecord>> = BTreeMap::new();
    for record in records {
        ranked.entry(record.rank).or_default().push(record);
    }
    let mut joiner = Joiner::default();
    for (rank, records) in ranked {
        let known = joiner.drugs.len();
        for record in records {
            joiner.take(record);
        }
        joiner.index_from(known, rank);
    }
    joiner.give_to_ingredients();
    let Joiner {
        mut drugs,
        merged,
        joins,
        ..
    } = joiner;
    drugs.sort_by_key(|drug| (drug.file, drug.source_row));
    flag_shared(&mut drugs, Flag::SharedName, |drug| drug.name.to_lowercase());
    flag_shared(&mut drugs, Flag::SharedCode, |drug| drug.atccode.clone());
    Combined { drugs, merged, joins }
}

/// A product and what it holds.
struct Product {
    file: usize,
    source_row: u64,
    names: Vec<String>,
    ingredients: Vec<Vec<String>>,
    /// Whether an ingredient that no row has for itself becomes a drug.
    are_drugs: bool,
    /// The drugs that the product itself is.
    own: Vec<usize>,
}

/// What the joiner remembers of a drug beside the drug.
struct KnownDrug {
    form: String,
    rank: Rank,
    equals: Vec<String>,
    known_as: Vec<String>,
}

#[derive(Default)]
struct Joiner {
    drugs: Vec<Drug>,
    known: Vec<KnownDrug>,
    /// Drugs by code and name in small letters.
    places: HashMap<(String, String), usize>,
    /// The first drug of a given code, and whether it is the only one.
    by_code: HashMap<String, (usize, bool)>,
    index: NameIndex,
    /// The names of each drug, so that none is added twice.
    taken: HashSet<(usize, String)>,
    products: Vec<Product>,
    merged: Vec<(usize, MergeReason)>,
    joins: BTreeMap<(usize, Join), u64>,
}

impl Joiner {
    fn take(&mut self, mut record: VocabularyRecord) {
        let file = record.drug.file;
        if record.class_code {
            *self.joins.entry((file, Join::ClassCode)).or_default() += 1;
        }
        if record.long_names > 0 {
            *self.joins.entry((file, Join::NameTooLong)).or_default() += record.long_names;
        }
        let further = std::mem::take(&mut record.further_codes);
        let ingredients = std::mem::take(&mut record.ingredients);
        let are_drugs = record.ingredients_are_drugs;
        let product = (!ingredients.is_empty()).then(|| names_of(&record.drug));
        let source_row = record.drug.source_row;
        let copies: Vec<VocabularyRecord> = further
            .into_iter()
            .map(|code| with_code(record.clone(), code))
            .collect();
        let (mut own, reason) = self.place(record);
        if let Some(reason) = reason {
            self.merged.push((file, reason));
        }
        for copy in copies {
            let (others, reason) = self.place(copy);
            if reason.is_none() {
                others.iter().for_each(|drug| self.drugs[*drug].added = true);
                *self.joins.entry((file, Join::AddedDrug)).or_default() += 1;
            }
            own.extend(others);
        }
        if let Some(names) = product {
            self.products.push(Product {
                file,
                source_row,
                names,
                ingredients,
                are_drugs,
                own,
            });
        }
    }

    /// Finds the drugs that a record belongs to, or makes one. Returns them, and if it made none, why the row was merged.
    fn place(&mut self, mut record: VocabularyRecord) -> (Vec<usize>, Option<MergeReason>) {
        let key = (record.drug.atccode.clone(), record.drug.name.to_lowercase());
        if let Some(&place) = self.places.get(&key) {
            let before = self.drugs[place].synonyms.len();
            for synonym in std::mem::take(&mut record.drug.synonyms) {
                self.add_name(place, synonym);
            }
            let news = self.drugs[place].synonyms.len() > before;
            let reason = if news {
                MergeReason::SameDrug
            } else {
                MergeReason::Identical
            };
            return (vec![place], Some(reason));
        }
        let (targets, reason) = match record.rank {
            Rank::Given => (Vec::new(), None),
            Rank::Quoted => match self.by_code.get(&record.drug.atccode) {
                Some(&(drug, true)) => (vec![drug], Some(MergeReason::SameCode)),
                _ => (Vec::new(), None),
            },
            _ => match self.find(&record) {
                IndexMatch::ByName(drugs) => (drugs, Some(MergeReason::SameName)),
                IndexMatch::BySynonym(drugs) => (drugs, Some(MergeReason::SameSynonym)),
                IndexMatch::Doubt => {
                    record.drug.flags.insert(Flag::DoubtfulJoin);
                    (Vec::new(), None)
                }
                IndexMatch::Nothing => (Vec::new(), None),
            },
        };
        if targets.is_empty() {
            return (vec![self.push(record)], None);
        }
        for name in names_of(&record.drug) {
            let name_form = form(&name);
            for target in &targets {
                self.give_name(*target, &name, &name_form, &[], record.drug.file);
            }
        }
        (targets, reason)
    }

    /// Looks for drugs of the record's name. Two rows of one file that both give codes are two drugs, as they say.
    fn find(&self, record: &VocabularyRecord) -> IndexMatch {
        let mut forms = vec![form(&record.drug.name)];
        forms.extend(record.equals.iter().map(|name| form(name)));
        if record.rank != Rank::Substance {
            forms.extend(without_salts(&record.drug.name));
        }
        let others: Vec<String> = record.known_as.iter().map(|name| form(name)).collect();
        let file = record.drug.file;
        self.index.find(
            &forms,
            &others,
            |drug| &self.known[drug].form,
            |drug| self.known[drug].rank != Rank::Given || self.drugs[drug].file != file,
        )
    }

    fn push(&mut self, record: VocabularyRecord) -> usize {
        let place = self.drugs.len();
        let key = (record.drug.atccode.clone(), record.drug.name.to_lowercase());
        self.places.insert(key, place);
        if record.rank == Rank::Given {
            self.by_code
                .entry(record.drug.atccode.clone())
                .and_modify(|(_, only)| *only = false)
                .or_insert((place, true));
        }
        self.known.push(KnownDrug {
            form: form(&record.drug.name),
            rank: record.rank,
            equals: record.equals,
            known_as: record.known_as,
        });
        let names = record.drug.synonyms.iter();
        self.taken.extend(names.map(|synonym| (place, synonym.clone())));
        self.drugs.push(record.drug);
        place
    }

    /// Makes the drugs from a number on known to those that come later.
    fn index_from(&mut self, first: usize, rank: Rank) {
        for place in first..self.drugs.len() {
            let known = &self.known[place];
            self.index.add_name(known.form.clone(), place);
            for name in &known.equals {
                self.index.add_name(form(name), place);
            }
            // Rows without a code come last, so nobody asks for their other names.
            if rank != Rank::Derived {
                for name in &known.known_as {
                    self.index.add_synonym(form(name), place);
                }
            }
        }
    }

    /// Adds a name of another row to a drug, unless it is the name of yet another drug than the `givers`.
    fn give_name(&mut self, drug: usize, name: &str, name_form: &str, givers: &[usize], file: usize) -> bool {
        let owners = self.index.named(name_form);
        let free = owners.is_empty()
            || owners.binary_search(&drug).is_ok()
            || givers.iter().any(|giver| owners.binary_search(giver).is_ok());
        if !free {
            *self.joins.entry((file, Join::NameLeftOut)).or_default() += 1;
            return false;
        }
        let known = name.to_lowercase() == self.drugs[drug].name.to_lowercase();
        !known && self.add_name(drug, name.to_owned())
    }

    fn add_name(&mut self, drug: usize, name: String) -> bool {
        let news = self.taken.insert((drug, name.clone()));
        if news {
            self.drugs[drug].synonyms.push(name);
        }
        news
    }

    /// A mention of a product is a mention of each drug that it holds.
    fn give_to_ingredients(&mut self) {
        for product in std::mem::take(&mut self.products) {
            let names: Vec<(String, String)> = product
                .names
                .iter()
                .map(|name| (name.clone(), form(name)))
                .collect();
            for ingredient in &product.ingredients {
                let mut targets = self.ingredient(ingredient);
                if targets.is_empty() && product.are_drugs {
                    targets.extend(self.add_ingredient(ingredient, &product));
                }
                for target in targets.into_iter().filter(|target| !product.own.contains(target)) {
                    for other in ingredient.iter().skip(1) {
                        self.give_name(target, other, &form(other), &[], product.file);
                    }
                    for (name, name_form) in &names {
                        if self.give_name(target, name, name_form, &product.own, product.file) {
                            *self.joins.entry((product.file, Join::Ingredient)).or_default() += 1;
                        }
                    }
                }
            }
        }
    }

    /// The drugs of an ingredient's name, with or without its salt.
    fn ingredient(&self, names: &[String]) -> Vec<usize> {
        let mut forms: Vec<String> = names.iter().take(1).map(|name| form(name)).collect();
        forms.extend(names.iter().take(1).flat_map(|name| without_salts(name)));
        match self
            .index
            .find(&forms, &[], |drug| &self.known[drug].form, |_| true)
        {
            IndexMatch::ByName(drugs) | IndexMatch::BySynonym(drugs) => drugs,
            IndexMatch::Doubt | IndexMatch::Nothing => Vec::new(),
        }
    }

    fn add_ingredient(&mut self, names: &[String], product: &Product) -> Option<usize> {
        let name = names.first()?;
        let atccode = derived_code(name);
        if let Some(&place) = self.places.get(&(atccode.clone(), name.to_lowercase())) {
            return Some(place);
        }
        let drug = Drug {
            atccode,
            name: name.clone(),
            synonyms: Vec::new(),
            flags: [Flag::NotAtc, Flag::MissingAtccode].into_iter().collect(),
            file: product.file,
            source_row: product.source_row,
            added: true,
        };
        *self.joins.entry((product.file, Join::AddedDrug)).or_default() += 1;
        let place = self.push(VocabularyRecord::of_drug(drug, Rank::Derived));
        self.index_from(place, Rank::Derived);
        Some(place)
    }
}

/// All names of a drug, its own first.
fn names_of(drug: &Drug) -> Vec<String> {
    std::iter::once(&drug.name)
        .chain(&drug.synonyms)
        .cloned()
        .collect()
}

/// The same row under another of its codes.
fn with_code(mut record: VocabularyRecord, code: String) -> VocabularyRecord {
    let mut flags: Flags = record.drug.flags;
    flags.remove(Flag::NotAtc);
    if !is_atc(&code) {
        flags.insert(Flag::NotAtc);
    }
    record.drug.flags = flags;
    record.drug.atccode = code;
    record
}

/// The forms of a name with fewer and fewer words of salts at its end.
fn without_salts(name: &str) -> Vec<String> {
    std::iter::successors(without_salt(name), |name| without_salt(name))
        .map(form)
        .collect()
}
