"""Synthetic sources of any size: `drugs.csv`, `pubmed.csv` and `clinical_trials.csv`.

The same seed gives the same bytes on every Python from 3.8 on: only `Random.random()` is drawn from, whose sequence
Python promises to keep, and never `choice`, `sample` or `shuffle`, whose use of it has changed between versions.
Rows are written as they are made, so memory does not grow with the number of rows.

A row carries at most one kind of dirt, and the dirt stays where the rules leave one answer. Where they leave a choice
(two missing dates as halves of one row, a season's first day, an accented drug name) nothing is generated: a benchmark
compares speed, and must not turn on how a corner was read.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from pathlib import Path
from random import Random
from typing import Callable, Iterator, NamedTuple, Sequence, TypeVar

T = TypeVar("T")

# The words of titles, drugs and journals, by kind. A repeated word is twice as frequent.
WORDS: dict[str, list[str]] = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))

MENTION_SHARE = 0.15
TRAP_SHARE = 0.05

# Kind of dirt → share of the rows. If it takes two rows (half rows, a repeated id), both are counted.
DIRT = {
    "blank_title": 0.005,
    "missing_id": 0.010,
    "missing_journal": 0.030,
    "half_rows": 0.010,
    "repeated_id": 0.004,
    "superseded_id": 0.004,
    "title_escapes": 0.010,
    "title_broken_escapes": 0.004,
    "title_markup": 0.010,
    "bad_date": 0.008,
    "missing_date": 0.005,
}
PAIRS = ("half_rows", "repeated_id", "superseded_id")

BLANKS = ("", "", " ", "   ")
BAD_DATES = ("31/02/2020", "25/13/2020", "yesterday", "02/25/2019", "00/00/0000", "2021-02-30", "not known")
ESCAPED = (
    "and Sj\\xc3\\xb6gren syndrome",
    "or \\xc3\\xb1 laminectomy",
    "in Gen\\\\xc3\\\\xa8ve",
    "\\xe2\\x80\\x93 a report",
    "(M\\xc3\\xa9ni\\xc3\\xa8re disease)",
)
# At the end or between two blanks: there every reading of "removed with the blank after it" gives the same
# text.
BROKEN_ESCAPES = ("\\xc3\\x28", " \\xc3\\x28 again")

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# Not strftime, which is slow and takes the names of months from the locale.
DAY_FORMS: tuple[Callable[[dt.date], str], ...] = (
    lambda day: day.isoformat(),
    lambda day: day.isoformat(),
    lambda day: f"{day.day:02d}/{day.month:02d}/{day.year}",
    lambda day: f"{day.day:02d}/{day.month:02d}/{day.year}",
    lambda day: f"{day.day:02d}.{day.month:02d}.{day.year}",
    lambda day: f"{day.day} {MONTHS[day.month - 1]} {day.year}",
    lambda day: f"{MONTHS[day.month - 1]} {day.day}, {day.year}",
    lambda day: f"{day.year} {MONTHS[day.month - 1][:3]} {day.day}",
    lambda day: f"{day.isoformat()}T10:30:00",
)
PARTIAL_FORMS: tuple[Callable[[dt.date], str], ...] = (
    lambda day: f"{day.year}-{day.month:02d}",
    lambda day: f"{day.year}",
    lambda day: (
        f"{day.year} {MONTHS[day.month - 2][:3]}-{MONTHS[day.month - 1][:3]}" if day.month > 1 else f"{day.year}"
    ),
    lambda day: f"{day.year}-{day.year + 1}",
)
FIRST_DAY = dt.date(1985, 1, 1).toordinal()
DAYS = dt.date(2025, 1, 1).toordinal() - FIRST_DAY


class Drug(NamedTuple):
    """A row of `drugs.csv`."""

    atccode: str
    name: str
    synonyms: tuple[str, ...]


class Sources(NamedTuple):
    """The paths of the generated files."""

    drugs: Path
    pubmed: Path
    clinical_trials: Path


class Dice:
    """All random draws. Only `Random.random()` is used (see above)."""

    def __init__(self, seed: str) -> None:
        self.roll = Random(seed).random

    def happens(self, share: float) -> bool:
        return self.roll() < share

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.roll() * len(choices))]

    def pick_early(self, choices: Sequence[T]) -> T:
        """One of `choices`, the first ones far more often: a few drugs and journals are common and most are rare."""
        return choices[int(self.roll() ** 2 * len(choices))]

    def word(self, kind: str) -> str:
        return self.pick(WORDS[kind])

    def number(self, first: int, end: int) -> int:
        return first + int(self.roll() * (end - first))


def generate(folder: Path, rows: int, drugs: int, seed: int = 1) -> Sources:
    """Write the three sources into `folder`: `drugs` drugs, and `rows` publications of which 70 % are articles."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = Dice(f"drugs_rs {seed} {rows} {drugs}")
    vocabulary = make_drugs(dice, drugs)
    # One for every 40 rows: most journals repeat, but not so few that each mentions every drug.
    journals = [journal_spellings(name) for name in make_journals(dice, max(12, min(rows // 40, 4000)))]
    sources = Sources(folder / "drugs.csv", folder / "pubmed.csv", folder / "clinical_trials.csv")
    write(
        sources.drugs,
        "atccode,drug,synonyms",
        (f"{drug.atccode},{drug.name},{' | '.join(drug.synonyms)}" for drug in vocabulary),
    )
    trials = rows * 3 // 10
    articles = Publications(dice, vocabulary, journals, "{}", 30_000_000)
    write(sources.pubmed, "id,title,date,journal", articles.rows(rows - trials))
    studies = Publications(dice, vocabulary, journals, "NCT{:08d}", 1_000_000)
    write(sources.clinical_trials, "id,scientific_title,date,journal", studies.rows(trials))
    return sources


def make_drugs(dice: Dice, count: int) -> list[Drug]:
    """`count` drugs with distinct codes. One name in 40 has two codes (in the real ATC one in eight)."""
    used = {word.lower() for texts in WORDS.values() for text in texts for word in text.split()}
    codes: set[str] = set()
    drugs: list[Drug] = []

    def two_words() -> str:
        # Half of them lengthen another drug's name: the longest match must win.
        first = dice.pick(drugs).name.split()[0].lower() if drugs and dice.happens(0.5) else make_name(dice, "stems")
        return f"{first} {dice.word('salts')}"

    for number in range(count):
        code = unused(codes, lambda: make_code(dice))
        if number % 40 == 39:
            drugs.append(Drug(code, dice.pick(drugs).name, ()))
            continue
        name = unused(used, two_words if dice.happens(0.08) else lambda: make_name(dice, "stems"))
        synonyms: list[str] = []
        while dice.happens(0.12) and len(synonyms) < 3:
            synonyms.append(unused(used, lambda: make_name(dice, "brands")).capitalize())
        drugs.append(Drug(code, name.upper() if dice.happens(0.7) else name.capitalize(), tuple(synonyms)))
    return drugs


def make_name(dice: Dice, endings: str) -> str:
    """Two or three syllables and an ending, never under eight letters, so no everyday word and no stop word."""
    name = ""
    while len(name) < 8:
        syllables = (dice.word("onsets") + dice.word("vowels") for _ in range(2 if dice.happens(0.6) else 3))
        name = "".join(syllables) + dice.word(endings)
    return name


def make_code(dice: Dice) -> str:
    """A code of ATC's fifth level, and one in a hundred that is not ATC-shaped."""
    if dice.happens(0.01):
        return str(dice.number(6_000_000, 7_000_000))
    subgroups = dice.pick("ABCDEFGHX") + dice.pick("ABCDEFGHJKX")
    return f"{dice.pick('ABCDGHJLMNPRSV')}{dice.number(1, 17):02d}{subgroups}{dice.number(1, 100):02d}"


def make_journals(dice: Dice, count: int) -> list[str]:
    """`count` journal names that stay different when case, accents and punctuation are folded."""
    used: set[str] = set()

    def name() -> str:
        return dice.word("journals").format(kind=dice.word("kinds"), field=dice.word("fields"))

    names = (unused(used, name) for _ in range(count))
    return [name[0].upper() + name[1:] for name in names]


def journal_spellings(name: str) -> tuple[str, ...]:
    """The spellings one journal comes in, the usual one first; cleaning and `journal_key` bring them together."""
    escaped = "".join(c if c.isascii() else "".join(f"\\x{byte:02x}" for byte in c.encode()) for c in name)
    return (
        name,
        name.upper(),
        name.lower(),
        name.title(),
        name + ".",
        name.translate(str.maketrans("éèôü", "eeou")),
        escaped,
        escaped.replace("\\x", "\\\\x"),
        name.replace(" ", "  "),
        f" {name} ",
        name + "\\xc3\\x28",
    )


class Publications:
    """The rows of one file."""

    def __init__(
        self, dice: Dice, drugs: Sequence[Drug], journals: Sequence[tuple[str, ...]], identifier: str, first: int
    ) -> None:
        self.dice = dice
        self.drugs = drugs
        self.journals = journals
        self.identifier = identifier
        self.last_number = first
        # Second rows of a pair, each with the row before which it must come: the two are not adjacent.
        self.waiting: list[tuple[int, str]] = []

    def rows(self, count: int) -> Iterator[str]:
        for number in range(count):
            if self.waiting and (self.waiting[0][0] <= number or number + len(self.waiting) == count):
                yield self.waiting.pop(0)[1]
            else:
                yield self.row(number, room_for_pair=number + len(self.waiting) + 2 <= count)

    def row(self, number: int, room_for_pair: bool) -> str:
        dirt = self.draw_dirt()
        identifier, title, journal, day = self.next_identifier(), self.title(), self.journal(), self.day()
        if dirt in PAIRS and room_for_pair:
            row, second = self.pair(dirt, identifier, title, day, journal)
            self.waiting.append((number + self.dice.number(1, 40), second))
            self.waiting.sort()
            return row
        date = self.dice.pick(DAY_FORMS if self.dice.happens(0.95) else PARTIAL_FORMS)(day)
        if dirt == "blank_title":
            title = self.dice.pick(BLANKS)
        elif dirt == "missing_id":
            identifier = ""
        elif dirt == "missing_journal":
            journal = self.dice.pick(BLANKS)
        elif dirt == "title_escapes":
            title = f"{title.rstrip('.')} {self.dice.pick(ESCAPED)}"
        elif dirt == "title_broken_escapes":
            title += self.dice.pick(BROKEN_ESCAPES)
        elif dirt == "title_markup":
            first, _, rest = title.partition(" ")
            title = f"<i>{first}</i> {rest}"
        elif dirt == "bad_date":
            date = self.dice.pick(BAD_DATES)
        elif dirt == "missing_date":
            date = ""
        return line(identifier, title, date, journal)

    def pair(self, dirt: str, identifier: str, title: str, day: dt.date, journal: str) -> tuple[str, str]:
        if dirt == "half_rows":
            # The same day in two forms: halves pair by the cleaned date, not by its text.
            halves = (
                line(identifier, title, self.dice.pick(DAY_FORMS)(day), ""),
                line("", title, self.dice.pick(DAY_FORMS)(day), journal),
            )
            return halves if self.dice.happens(0.5) else halves[::-1]
        row = line(identifier, title, self.dice.pick(DAY_FORMS)(day), journal)
        if dirt == "repeated_id":
            return row, row
        return row, line(identifier, self.title(), self.dice.pick(DAY_FORMS)(self.day()), self.journal())

    def draw_dirt(self) -> str:
        left = self.dice.roll()
        for dirt, share in DIRT.items():
            left -= share / 2 if dirt in PAIRS else share
            if left < 0:
                return dirt
        return ""

    def next_identifier(self) -> str:
        self.last_number += 1
        return self.identifier.format(self.last_number)

    def day(self) -> dt.date:
        return dt.date.fromordinal(self.dice.number(FIRST_DAY, FIRST_DAY + DAYS))

    def journal(self) -> str:
        spellings = self.dice.pick_early(self.journals)
        return spellings[0] if self.dice.happens(0.85) else self.dice.pick(spellings)

    def title(self) -> str:
        title = self.dice.word("shapes").format(
            opening=self.dice.word("openings"),
            subject=self.subject(),
            other=self.plain_subject(),
            relation=self.dice.word("relations"),
            condition=self.dice.word("conditions"),
            population=self.dice.word("populations"),
            design=self.dice.word("designs").format(count=self.dice.number(10, 2000)),
        )
        return title[0].upper() + title[1:]

    def subject(self) -> str:
        draw = self.dice.roll()
        if draw < MENTION_SHARE:
            subject = self.dice.word("standings").format(self.surface())
            return f"{subject} plus {self.surface()}" if self.dice.happens(0.1) else subject
        if draw < MENTION_SHARE + TRAP_SHARE:
            return self.dice.word("traps").format(self.dice.pick_early(self.drugs).name.lower().split()[0])
        return self.plain_subject()

    def plain_subject(self) -> str:
        return f"{self.dice.word('qualities')} {self.dice.word('subjects')}"

    def surface(self) -> str:
        """A drug as authors write it: mostly in lower case, two words joined by a blank and now and then by a dash."""
        drug = self.dice.pick_early(self.drugs)
        surface = self.dice.pick((drug.name, *drug.synonyms))
        surface = self.dice.pick((str.lower, str.lower, str.lower, str.lower, str.capitalize, str.upper))(surface)
        return surface.replace(" ", self.dice.pick((" ", " ", " ", "-", "  ")))


def line(identifier: str, title: str, date: str, journal: str) -> str:
    """A CSV row. Text is always quoted and the rest only where a comma asks for it, as in the real exports."""
    if '"' in title:
        title = title.replace('"', '""')
    if "," in date:
        date = f'"{date}"'
    return f'{identifier},"{title}",{date},"{journal}"'


def unused(used: set[str], make: Callable[[], str]) -> str:
    """The result of `make`, tried until it is new (compared without case)."""
    while True:
        made = make()
        if made.lower() not in used:
            used.add(made.lower())
            return made


def write(path: Path, header: str, rows: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{header}\n")
        file.writelines(f"{row}\n" for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write drugs.csv, pubmed.csv and clinical_trials.csv into a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000, help="publications in all (default: 10000)")
    parser.add_argument("--drugs", type=int, default=1_000, help="drugs (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (default: 1)")
    options = parser.parse_args()
    for path in generate(options.folder, options.rows, options.drugs, options.seed):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
