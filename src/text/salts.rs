//! Words of salts, esters and hydrates, which follow an ingredient's name and do not make it another substance.

/// The words, sorted.
const WORDS: [&str; 60] = [
    "acetate",
    "anhydrous",
    "aspartate",
    "benzoate",
    "besilate",
    "besylate",
    "bitartrate",
    "bromide",
    "butyrate",
    "calcium",
    "carbonate",
    "chloride",
    "citrate",
    "decanoate",
    "dihydrate",
    "dihydrochloride",
    "dimaleate",
    "dipropionate",
    "disodium",
    "disoproxil",
    "edisilate",
    "edisylate",
    "esylate",
    "fumarate",
    "furoate",
    "gluconate",
    "hcl",
    "hemifumarate",
    "hemihydrate",
    "hemipentahydrate",
    "hydrate",
    "hydrobromide",
    "hydrochloride",
    "hydrogen",
    "lactate",
    "lysine",
    "magnesium",
    "malate",
    "maleate",
    "medoxomil",
    "mesilate",
    "mesylate",
    "monohydrate",
    "nitrate",
    "oxalate",
    "palmitate",
    "pamoate",
    "phosphate",
    "pivalate",
    "potassium",
    "propionate",
    "sodium",
    "succinate",
    "sulfate",
    "sulphate",
    "tartrate",
    "tosilate",
    "tosylate",
    "trihydrate",
    "trometamol",
];

/// Ions and radicals: a name that ends with one is no substance without its salt (`ferrous` of `ferrous sulfate`,
/// `benzyl` of `benzyl benzoate`).
const NO_SUBSTANCES: [&str; 17] = [
    "aluminium",
    "aluminum",
    "ammonium",
    "barium",
    "benzyl",
    "bismuth",
    "chloral",
    "copper",
    "dimethyl",
    "ethyl",
    "ferric",
    "ferrous",
    "mercuric",
    "methyl",
    "monomethyl",
    "phenylmercuric",
    "silver",
];

/// Whether a lower-case word belongs to a salt, an ester or a hydrate.
pub fn is_salt(word: &str) -> bool {
    WORDS.binary_search(&word).is_ok()
}

/// The ingredient of a folded name that ends with words of salts. `None` for any other name, or if the rest is no
/// substance (`sodium chloride`, `calcium carbonate`, `ferrous sulfate`).
pub fn without_salts(form: &str) -> Option<&str> {
    let mut base = form;
    while let Some((rest, last)) = base.rsplit_once(' ') {
        if !is_salt(last) {
            break;
        }
        base = rest;
    }
    let letters = base.chars().filter(|letter| letter.is_alphabetic()).count();
    let last = base.rsplit(' ').next().unwrap_or(base);
    let whole = letters >= 5 && !base.split(' ').any(is_salt) && !NO_SUBSTANCES.contains(&last);
    (base.len() < form.len() && whole).then_some(base)
}
