//! Salts and hydrates: what stands behind the name of an ingredient and is no other drug.

/// Words of salts, esters and hydrates that medicines come as.
const WORDS: [&str; 43] = [
    "acetate",
    "anhydrous",
    "aspartate",
    "benzoate",
    "besilate",
    "besylate",
    "bitartrate",
    "bromide",
    "calcium",
    "carbonate",
    "chloride",
    "citrate",
    "dihydrate",
    "dihydrochloride",
    "disodium",
    "edisylate",
    "esylate",
    "fumarate",
    "gluconate",
    "hcl",
    "hemihydrate",
    "hydrate",
    "hydrobromide",
    "hydrochloride",
    "lactate",
    "magnesium",
    "malate",
    "maleate",
    "mesilate",
    "mesylate",
    "monohydrate",
    "nitrate",
    "oxalate",
    "pamoate",
    "phosphate",
    "potassium",
    "sodium",
    "succinate",
    "sulfate",
    "sulphate",
    "tartrate",
    "tosylate",
    "trihydrate",
];

/// Whether a word, in small letters, is one of a salt or hydrate.
pub(super) fn is_salt(word: &str) -> bool {
    WORDS.binary_search(&word).is_ok()
}

/// The ingredient of a folded name that ends with the words of a salt or hydrate; nothing for any other name, or where
/// what is left says too little (`sodium chloride`, `calcium carbonate`).
pub(super) fn without(form: &str) -> Option<&str> {
    let mut base = form;
    while let Some((rest, last)) = base.rsplit_once(' ') {
        if !is_salt(last) {
            break;
        }
        base = rest;
    }
    let letters = base.chars().filter(|letter| letter.is_alphabetic()).count();
    (base.len() < form.len() && letters >= 5 && !base.split(' ').any(is_salt)).then_some(base)
}
