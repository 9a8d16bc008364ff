//! Recognises names of classes and of parts of the body, which are no substances, by their words.
//!
//! Vocabularies list receptors, enzymes and whole classes beside substances: `dopamine receptor`, `protein kinase`,
//! `antihypertensive agent`. Such a name says what a substance acts on or is used for. It is left out by its last word;
//! a name inside it is still found, such as `dopamine` in `dopamine receptor`. The rules are about English and
//! biochemical naming, not about single names; `kept_names.tsv` lists the few medicines that they would remove.

/// Words for a protein, a gene or another target.
const TARGETS: [&str; 76] = [
    "receptor",
    "receptors",
    "adrenoceptor",
    "adrenoceptors",
    "purinoceptor",
    "purinoceptors",
    "autoreceptor",
    "autoreceptors",
    "channel",
    "channels",
    "transporter",
    "transporters",
    "cotransporter",
    "cotransporters",
    "symporter",
    "symporters",
    "exchanger",
    "exchangers",
    "pump",
    "pumps",
    "enzyme",
    "enzymes",
    "coenzymes",
    "isoenzyme",
    "isoenzymes",
    "isozyme",
    "isozymes",
    "protein",
    "proteins",
    "apoprotein",
    "apoproteins",
    "glycoprotein",
    "glycoproteins",
    "lipoprotein",
    "lipoproteins",
    "proteoglycan",
    "proteoglycans",
    "subunit",
    "subunits",
    "chain",
    "chains",
    "gene",
    "genes",
    "oncogene",
    "oncogenes",
    "rna",
    "dna",
    "mrna",
    "trna",
    "cdna",
    "mtdna",
    "rrna",
    "cytokine",
    "cytokines",
    "chemokine",
    "chemokines",
    "interleukin",
    "interleukins",
    "integrin",
    "integrins",
    "ligand",
    "ligands",
    "precursor",
    "precursors",
    "actin",
    "myosin",
    "proteinase",
    "proteinases",
    "autoantibodies",
    "autoantibody",
    "neurons",
    "system",
    "systems",
    "pathway",
    "pathways",
    "antigens",
];

/// Words for a class of substances, by their effect or nature.
const CLASSES: [&str; 58] = [
    "agent",
    "agents",
    "drug",
    "drugs",
    "inhibitor",
    "inhibitors",
    "blocker",
    "blockers",
    "antagonist",
    "antagonists",
    "agonist",
    "agonists",
    "activator",
    "activators",
    "modulator",
    "modulators",
    "inducer",
    "inducers",
    "effect",
    "effects",
    "compounds",
    "derivatives",
    "products",
    "medication",
    "medications",
    "medicines",
    "suppressant",
    "suppressants",
    "depressant",
    "depressants",
    "stimulant",
    "stimulants",
    "analogs",
    "analogues",
    "antibiotic",
    "antibiotics",
    "diuretic",
    "diuretics",
    "antidepressant",
    "antidepressants",
    "analgesic",
    "analgesics",
    "anesthetic",
    "anesthetics",
    "vasodilator",
    "vasodilators",
    "antipsychotic",
    "antipsychotics",
    "sympathomimetics",
    "reagents",
    "substances",
    "regulator",
    "regulators",
    "scavenger",
    "scavengers",
    "relaxant",
    "relaxants",
    "donors",
];

/// A factor with one of these words is a messenger of the body; `coagulation factor VIII` is a medicine.
const MESSENGERS: [&str; 12] = [
    "growth",
    "differentiation",
    "stimulating",
    "releasing",
    "inhibitory",
    "necrosis",
    "nuclear",
    "transcription",
    "chemotactic",
    "elongation",
    "initiation",
    "activating",
];

/// What comes before `-ase` in the name of an enzyme: its action or its substrate.
const ENZYME_STEMS: [&str; 68] = [
    "transfer",
    "synth",
    "synthet",
    "kin",
    "hydrogen",
    "oxid",
    "reduct",
    "hydrol",
    "phosphat",
    "phosphoryl",
    "ester",
    "peptid",
    "prote",
    "protein",
    "nucle",
    "lig",
    "mut",
    "isomer",
    "carboxyl",
    "hydroxyl",
    "oxygen",
    "methyl",
    "acetyl",
    "cycl",
    "polymer",
    "helic",
    "glucosid",
    "galactosid",
    "glycosid",
    "mannosid",
    "fucosid",
    "glucuronid",
    "aminid",
    "hexosaminid",
    "sulfat",
    "transamin",
    "deamin",
    "aromat",
    "casp",
    "elast",
    "catal",
    "dismut",
    "anhydr",
    "hydrat",
    "epimer",
    "lact",
    "sucr",
    "malt",
    "convert",
    "transpos",
    "integr",
    "thiol",
    "aldol",
    "enol",
    "aconit",
    "fumar",
    "urat",
    "argin",
    "ur",
    "renn",
    "coagul",
    "gelatin",
    "chitin",
    "dextran",
    "ly",
    "diester",
    "amid",
    "atp",
];

/// Enzymes that are medicines, by the stems of their international names and by name.
const ENZYME_MEDICINES: [&str; 44] = [
    "teplase",
    "plase",
    "streptokinase",
    "urokinase",
    "nattokinase",
    "dornase",
    "aspargase",
    "asparaginase",
    "rasburicase",
    "uricase",
    "loticase",
    "carpidase",
    "ronidase",
    "sulfase",
    "glucerase",
    "galsidase",
    "sacrosidase",
    "hyaluronidase",
    "collagenase",
    "lipase",
    "amylase",
    "tilactase",
    "lactase",
    "diastase",
    "brinase",
    "ademase",
    "valiase",
    "pegzilarginase",
    "imlifidase",
    "kallidinogenase",
    "desoxyribonuclease",
    "condoliase",
    "serrapeptase",
    "cerliponase",
    "sfotase",
    "velmanase",
    "olipudase",
    "alglucosidase",
    "taligl",
    "velagl",
    "chymopapain",
    "saruplase",
    "burlulipase",
    "pegvaliase",
];

/// Single words that begin with `anti` and are substances.
const ANTI_SUBSTANCES: [&str; 10] = [
    "antipyrin",
    "antimon",
    "antithrombin",
    "antithymocyte",
    "antipain",
    "antineoplaston",
    "antivenom",
    "antivenin",
    "antitoxin",
    "antigrel",
];

/// Endings of class names that begin with `anti`.
const ANTI_ENDINGS: [&str; 33] = [
    "ic",
    "ics",
    "ant",
    "ants",
    "ive",
    "ives",
    "gen",
    "gens",
    "body",
    "bodies",
    "al",
    "als",
    "or",
    "ors",
    "in",
    "ins",
    "ase",
    "ases",
    "dote",
    "dotes",
    "biotic",
    "biotics",
    "metabolite",
    "metabolites",
    "oxidant",
    "oxidants",
    "rheumatic",
    "acid",
    "acids",
    "septic",
    "septics",
    "anginals",
    "anginal",
];

/// Prefixes of the symbols of genes and their products, before a number.
const SYMBOLS: [&str; 18] = [
    "il",
    "interleukin",
    "adam",
    "mmp",
    "igf",
    "vegf",
    "tnf",
    "tgf",
    "pai",
    "bcl",
    "cox",
    "cd",
    "hla",
    "ccl",
    "cxcl",
    "tlr",
    "stat",
    "caspase",
];

/// Why a folded name is a class, a target or a symbol; `None` for the name of a substance.
pub(super) fn reason(form: &str) -> Option<&'static str> {
    let all: Vec<&str> = form
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let significant = all
        .iter()
        .rposition(|word| !is_ending(word))
        .map_or(1, |last| last + 1);
    let words = &all[..significant.min(all.len())];
    let last = *words.last()?;
    if TARGETS.contains(&last) && words != ["protein"] && !words.contains(&"botulinum") {
        return Some("its last word names a protein, a gene or another target of drugs, not a substance");
    }
    if CLASSES.contains(&last) && !words.contains(&"and") && !words.contains(&"with") {
        return Some("its last word names a class of drugs, not a substance");
    }
    if matches!(last, "factor" | "factors") && words.iter().any(|word| MESSENGERS.contains(word)) {
        return Some("it names a messenger of the body, not a substance that is given");
    }
    if is_enzyme(last) && !is_medicine(words, last) {
        return Some("its last word names an enzyme, not a substance that is given");
    }
    if is_anti_class(form, &all) {
        return Some("words of `anti` name a class by what it is against, not a substance");
    }
    is_symbol(form).then_some("it is the symbol of a gene or a protein")
}

/// Whether a word is a number, a letter or the like after the word that defines a name: `receptor type 2`, `protein c`.
fn is_ending(word: &str) -> bool {
    const WORDS: [&str; 10] = [
        "alpha", "beta", "gamma", "delta", "epsilon", "kappa", "mu", "sigma", "type", "human",
    ];
    let mut letters = word.chars();
    let first = letters.next();
    let rest = letters.as_str();
    let numbered = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    WORDS.contains(&word)
        || (first.is_some_and(|letter| letter.is_ascii_lowercase()) && numbered(rest))
        || (!number.is_empty() && numbered(number) && word.len() - number.len() < 2)
        || word.bytes().all(|byte| matches!(byte, b'i' | b'v' | b'x'))
}

fn is_enzyme(word: &str) -> bool {
    let stem = word.strip_suffix("ases").or_else(|| word.strip_suffix("ase"));
    stem.is_some_and(|stem| ENZYME_STEMS.iter().any(|known| stem.ends_with(known)))
}

fn is_medicine(words: &[&str], last: &str) -> bool {
    let known = |word: &str| ENZYME_MEDICINES.iter().any(|medicine| word.contains(medicine));
    (words.len() <= 2 && known(last)) || known(words[0])
}

fn is_anti_class(form: &str, words: &[&str]) -> bool {
    let (first, last) = (words[0], words[words.len() - 1]);
    let class = ANTI_ENDINGS.iter().any(|ending| last.ends_with(ending));
    match words {
        [only] => {
            *only == form
                && first.starts_with("anti")
                && class
                && !ANTI_SUBSTANCES
                    .iter()
                    .any(|substance| first.starts_with(substance))
        }
        _ => first == "anti" && class,
    }
}

fn is_symbol(form: &str) -> bool {
    let letters = form.bytes().take_while(u8::is_ascii_lowercase).count();
    let (stem, rest) = form.split_at(letters);
    let digits = rest.strip_prefix(' ').unwrap_or(rest);
    let after = digits.trim_start_matches(|digit: char| digit.is_ascii_digit());
    if after.len() == digits.len() {
        return false;
    }
    let one_letter = after.len() < 2 && after.bytes().all(|byte| byte.is_ascii_lowercase());
    let cytochrome = stem == "cyp" && after.bytes().all(|byte| byte.is_ascii_alphanumeric());
    cytochrome || (SYMBOLS.contains(&stem) && one_letter)
}
