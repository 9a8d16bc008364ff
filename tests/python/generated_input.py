"""Large source files that look real enough: seeded, so that the same arguments give the same bytes.

Rows are dirty at a known rate, and every kind of row that silver treats differently is among them.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from written_sources import DRUG_COLUMNS, PUBMED_COLUMNS, TRIAL_COLUMNS, csv_text, write

if TYPE_CHECKING:
    from pathlib import Path

SYLLABLES = ("ba", "cor", "di", "fen", "gli", "lo", "mab", "nol", "pra", "ri", "sta", "tin", "vi", "xa", "zo")
WORDS = ("treatment", "of", "patients", "with", "and", "without", "after", "surgery", "response", "study", "long-term")
JOURNALS = tuple(f"Journal of {word}" for word in ("testing", "sampling", "Testing", "rounding", "récits", "waiting"))


def drug_names(count: int) -> list[str]:
    """Different names of four syllables."""
    generator = random.Random("names")
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(generator.choices(SYLLABLES, k=4))] = None
    return list(names)


def date(generator: random.Random) -> str:
    """One of the three date styles; now and then a day that does not exist."""
    day, month, year = generator.randint(1, 28), generator.randint(1, 12), generator.randint(1990, 2020)
    forms = (f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}", f"{day} May {year}")
    return "31/02/2020" if generator.random() < 0.01 else generator.choice(forms)


def title(generator: random.Random, names: list[str]) -> str:
    """Eight words, every second time with one drug or more."""
    words = generator.choices(WORDS, k=7)
    for _ in range(generator.choice((0, 0, 1, 2))):
        words.insert(generator.randrange(len(words)), generator.choice(names).capitalize())
    if generator.random() < 0.02:
        words.append("caf\\xc3\\xa9")
    return "  " if generator.random() < 0.01 else " ".join(words)


def publications(generator: random.Random, names: list[str], count: int, prefix: str) -> list[list[str]]:
    """Rows of (id, title, date, journal); one in a hundred lacks its id."""
    rows = []
    for number in range(count):
        identifier = "" if generator.random() < 0.01 else f"{prefix}{number}"
        rows.append([identifier, title(generator, names), date(generator), generator.choice(JOURNALS)])
    return rows


def generate(folder: Path, seed: str, articles: int, trials: int = 0, drugs: int = 200) -> dict[str, Any]:
    """Write the files and return the arguments of `drugs_rs.run` for them; the seed decides what is in them."""
    generator = random.Random(seed)
    names = drug_names(drugs)
    vocabulary = [[f"C{number:05}", name] for number, name in enumerate(names)]
    sources: dict[str, Any] = {
        "drugs": str(write(folder / "drugs.csv", csv_text(DRUG_COLUMNS, vocabulary))),
        "pubmed": str(
            write(folder / "pubmed.csv", csv_text(PUBMED_COLUMNS, publications(generator, names, articles, "")))
        ),
    }
    if trials:
        rows = publications(generator, names, trials, "NCT")
        sources["clinical_trials"] = str(write(folder / "trials.csv", csv_text(TRIAL_COLUMNS, rows)))
    return sources
