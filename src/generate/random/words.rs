//! The words of titles. None of them is a real drug, and none looks like the names in [`super::drugs`].

pub(in crate::generate) const OPENINGS: [&str; 14] = [
    "Effect of",
    "Efficacy and safety of",
    "Long-term outcomes of",
    "A randomised trial of",
    "Clinical use of",
    "Tolerability of",
    "Early response to",
    "Adverse events after",
    "Resistance to",
    "Comparison of",
    "Predictors of response to",
    "Adherence to",
    "Costs of",
    "Real-world experience with",
];

pub(in crate::generate) const SUBJECTS: [&str; 16] = [
    "supervised exercise",
    "early rehabilitation",
    "home visits",
    "repeated screening",
    "delayed surgery",
    "telephone counselling",
    "group education",
    "bedside imaging",
    "low-dose radiotherapy",
    "nurse-led follow-up",
    "daily monitoring",
    "music therapy",
    "assisted ventilation",
    "school meals",
    "maternal vaccination",
    "care pathways",
];

pub(in crate::generate) const RELATIONS: [&str; 6] = [
    "on",
    "for",
    "in the treatment of",
    "and the risk of",
    "during",
    "after",
];

pub(in crate::generate) const CONDITIONS: [&str; 22] = [
    "hip fracture",
    "chronic low back pain",
    "migraine",
    "community-acquired pneumonia",
    "preterm birth",
    "psoriasis",
    "heart failure",
    "asthma exacerbations",
    "ear, nose & throat disease",
    "Crohn's disease",
    "otitis media",
    "burn wounds",
    "sepsis",
    "Sjögren syndrome",
    "breast cancer",
    "atrial fibrillation",
    "ischaemic stroke",
    "malaria",
    "type 2 diabetes",
    "sickle cell disease",
    "TNF-α induced injury",
    "glaucoma",
];

pub(in crate::generate) const POPULATIONS: [&str; 14] = [
    "children",
    "older adults",
    "pregnant women",
    "healthy volunteers",
    "rats",
    "primary care",
    "nursing homes",
    "rural districts",
    "a tertiary hospital",
    "infants",
    "smokers",
    "outpatients",
    "veterans",
    "adolescents",
];

pub(in crate::generate) const DESIGNS: [&str; 8] = [
    "cohort",
    "pilot study",
    "protocol",
    "registry report",
    "case series",
    "audit",
    "follow-up",
    "letter",
];

/// Phrases around a drug in a title; it is always a whole word.
pub(in crate::generate) const STANDINGS: [&str; 14] = [
    "{}",
    "{}",
    "{}",
    "{}",
    "{}",
    "{} therapy",
    "({})",
    "{}-treated disease",
    "pre-{} care",
    "{}'s role",
    "{}/placebo",
    "topical {},",
    "{}™ tablets",
    "“{}”",
];

/// Words that contain a drug's name without mentioning it.
pub(in crate::generate) const TRAPS: [&str; 6] = [
    "nor{}",
    "{}ase activity",
    "de{}",
    "anti{}ic agents",
    "poly{}",
    "{}2 receptors",
];

pub(in crate::generate) const SENTENCES: [&str; 10] = [
    "We followed the participants for two years.",
    "Outcomes were assessed by two blinded readers.",
    "The difference between the groups was small.",
    "No serious events were reported.",
    "Quality of life improved in both arms.",
    "Results were adjusted for age and sex.",
    "Half of the invited households took part.",
    "The protocol was registered before the first visit.",
    "Further work is needed.",
    "Data were missing for one in twenty visits.",
];

/// Sentences of abstracts about a drug.
pub(in crate::generate) const ABOUT_DRUGS: [&str; 5] = [
    "Participants were given {} for twelve weeks.",
    "{} and usual care were compared.",
    "Four of them had stopped {} before.",
    "There was no difference for {}.",
    "We compared placebo with {}, each once a day.",
];

pub(in crate::generate) const JOURNALS: [&str; 10] = [
    "Journal of {kind} {field}",
    "The {kind} journal of {field}",
    "Annals of {kind} {field}",
    "{kind} {field} research",
    "Archives of {kind} {field}",
    "Acta {kind} {field}",
    "Revue européenne de {kind} {field}",
    "Zeitschrift für {kind} {field}",
    "The journal of maternal-fetal & {kind} {field}",
    "Advances in {kind} {field}",
];

pub(in crate::generate) const KINDS: [&str; 14] = [
    "clinical",
    "experimental",
    "emergency",
    "internal",
    "family",
    "molecular",
    "applied",
    "community",
    "general",
    "comparative",
    "preventive",
    "rural",
    "surgical",
    "geriatric",
];

pub(in crate::generate) const FIELDS: [&str; 16] = [
    "nursing",
    "cardiology",
    "oncology",
    "immunology",
    "neurology",
    "psychiatry",
    "dermatology",
    "nephrology",
    "urology",
    "radiology",
    "pathology",
    "epidemiology",
    "nutrition",
    "rehabilitation",
    "microbiology",
    "toxicology",
];

pub(in crate::generate) const SALTS: [&str; 6] =
    ["sodium", "citrate", "acetate", "phosphate", "maleate", "tartrate"];
