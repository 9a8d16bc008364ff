"""A lake over several days: corrections, a deletion, a held date, a late delivery, other vocabularies, ids of journals.

And what its tables must hold, by plain loops over the rows of other tables.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Union

from written_sources import write, write_drugs, write_pubmed, write_trials

import drugs_rs

Row = Dict[str, Any]
Place = Union[Path, str]

EARLY, FIRST, SECOND, THIRD, FOURTH = "2024-02-01", "2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04"
BAD = "pubmed: 1 of 2 rows rejected"

TABLES = (
    *("drugs", "publications", "mentions", "journals", "journal_drugs", "atc_classes", "rejected", "publications_all"),
    *("drugs_all", "deleted", "journal_ids"),
)
# What a mention has of its publication.
OF_PUBLICATION = ("publication_id", "journal", "date", "status", "kind", "dt")
# What current publications leave to `publications_all`.
NOT_IN_GOLD = (
    "abstract",
    "doi",
    "pmcid",
    "version",
    "publication_types",
    "mesh",
    "substances",
    "trial_ids",
    "phase",
    "trial_status",
    "conditions",
    "interventions",
    "source_uri",
    "source_row",
)
# Those with the columns `kind` and `dt` in their paths, and those with `dt` alone.
BY_KIND = ("publications", "mentions", "rejected", "publications_all", "deleted", "journal_ids")
BY_DATE = (*BY_KIND, "drugs_all")

# One PubMed article, and a notice that another is deleted.
XML = (
    '<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version="1">7</PMID><Article><Journal><JournalIssue>'
    "<PubDate><Year>2020</Year></PubDate></JournalIssue><Title>Lancet</Title></Journal>"
    "<ArticleTitle>Digoxin or warfarin</ArticleTitle></Article><MedlineJournalInfo><NlmUniqueID>0370077</NlmUniqueID>"
    "</MedlineJournalInfo></MedlineCitation></PubmedArticle>"
    "<DeleteCitation><PMID>2</PMID><PMID>99</PMID></DeleteCitation></PubmedArticleSet>"
)


def sources(folder: Path) -> dict[str, dict[str, Any]]:
    """The arguments of `run` for each date."""
    few = [("B01AA03", "WARFARIN"), ("N02BE01", "PARACETAMOL"), ("", "")]
    more = [*few, ("C01AA05", "Digoxin"), ("A04AD", "aspirin"), ("N02BA01", "aspirin"), ("X", "zzz")]
    return {
        EARLY: {
            "drugs": write_drugs(folder / "drugs-0.csv", ("B01AA03", "WARFARIN")),
            "pubmed": write_pubmed(
                folder / "early.csv",
                ("1", "Paracetamol of an early day", "2019", "Annals"),
                ("6", "Warfarin, digoxin", "2019-05", "BMJ"),
                ("3", "Warfarin came back", "2019", "ANNALS"),
            ),
        },
        FIRST: {
            "drugs": write_drugs(folder / "drugs-1.csv", *few),
            "pubmed": write_pubmed(
                folder / "first.csv",
                ("1", "Warfarin and paracetamol and warfarin", "2020-01-01", "annals"),
                ("2", "Paracetamol", "2020-02", "Annals"),
                ("3", "Nothing of note", "", ""),
                ("4", " ", "2020", "BMJ"),
                ("8", "Déjà vu: Warfarin", "2020-01-31", "Annals"),
            ),
            "clinical_trials": write_trials(
                folder / "trials.csv",
                ("NCT1", "Paracetamol, twice paracetamol", "1 January 2020", "BMJ"),
                ("NCT2", "Warfarin", "2020-01-09", "Annals"),
                ("1", "A trial with the id of an article: Warfarin", "2020-01-08", "BMJ"),
            ),
            "preprints": write_pubmed(folder / "preprints.csv", ("10.1101/1", "Warfarin", "2020-03-01", "medRxiv")),
        },
        SECOND: {
            "drugs": write_drugs(folder / "drugs-2.csv", *more),
            "pubmed": write_pubmed(
                folder / "second.csv",
                ("1", "Aspirin instead of warfarin", "2020-01-02", "Annals"),
                ("5", "Digoxin", "bad", "The Lancet"),
            ),
            "clinical_trials": write_trials(folder / "again.csv", ("NCT2", "A placebo", "2020-01-09", "Annals")),
        },
        THIRD: {
            "drugs": write_drugs(folder / "drugs-2.csv", *more),
            "pubmed": write(folder / "third.xml", XML),
        },
        FOURTH: {
            "drugs": write_drugs(folder / "drugs-4.csv", ("B01AA03", "WARFARIN"), ("N02BE01", "acetaminophen")),
            "pubmed": write_pubmed(
                folder / "fourth.csv", ("2", "Warfarin, acetaminophen", "2021", "annals"), ("9", "", "", "")
            ),
        },
    }


def tell(lake: Place, folder: Path, after: Callable[[str], None]) -> None:
    """Make the lake, and call `after` with the name of each of its states."""
    days = sources(folder)
    for name, dt in (("first", FIRST), ("corrected", SECOND), ("deleted", THIRD), ("late", EARLY)):
        drugs_rs.run(lake=lake, dt=dt, **days[dt])
        after(name)
    for table, source in days[FOURTH].items():
        drugs_rs.bronze(lake=lake, dt=FOURTH, **{table: source})
    drugs_rs.silver(lake=lake, dt=FOURTH)
    drugs_rs.hold(lake, FOURTH, BAD)
    drugs_rs.gold(lake=lake, dt=FOURTH)
    after("held")
    drugs_rs.release(lake, FOURTH)
    drugs_rs.gold(lake=lake, dt=FOURTH)
    after("released")


STATES = ("first", "corrected", "deleted", "late", "held", "released")


def states(folder: Path) -> dict[str, Path]:
    """A copy of the lake in each of its states."""
    found: dict[str, Path] = {}

    def copy(name: str) -> None:
        found[name] = folder / name
        shutil.copytree(str(folder / "lake"), str(found[name]))

    tell(folder / "lake", folder, copy)
    assert tuple(found) == STATES
    return found


def scanned(lake: Place, table: str, *columns: str, **filters: Any) -> list[Row]:
    """The rows of a table."""
    return drugs_rs.Lake(lake).scan(table, list(columns) or None, **filters).read().to_dicts()


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The rows in one order, for comparing tables that have none."""
    return sorted(rows, key=lambda row: repr(sorted(row.items())))


def current_publications(lake: Place) -> list[Row]:
    """Of every delivery that is not held the newest state of each publication, unless a notice deletes it."""
    held = {row["dt"] for row in drugs_rs.Lake(lake).status() if row["held"]}
    newest: dict[tuple[str, str], Row] = {}
    for row in sorted(scanned(lake, "publications_all"), key=lambda row: str(row["dt"])):
        if row["dt"] not in held:
            newest[row["kind"], row["publication_id"]] = row
    for notice in scanned(lake, "deleted"):
        row = newest.get((notice["kind"], notice["publication_id"]), {})
        if notice["dt"] not in held and row.get("dt", "9") <= notice["dt"]:
            del newest[notice["kind"], notice["publication_id"]]
    spellings: dict[str, Counter[str]] = {}
    for row in newest.values():
        if row["journal"] is not None:
            spellings.setdefault(row["journal_key"], Counter())[row["journal"]] += 1
    names = {key: min(found, key=lambda name: (-found[name], name)) for key, found in spellings.items()}
    return [
        {
            **{name: value for name, value in row.items() if name not in NOT_IN_GOLD},
            "journal": names.get(row["journal_key"]),
        }
        for row in newest.values()
    ]


def mentions(lake: Place) -> list[Row]:
    """Every place of a title where a name of the vocabulary stands as a word."""
    found: list[Row] = []
    vocabulary = scanned(lake, "drugs", "atccode", "drug")
    for row in scanned(lake, "publications"):
        for drug in vocabulary:
            for place in re.finditer(r"\b{}\b".format(re.escape(drug["drug"])), row["title"], re.IGNORECASE):
                of_publication = {name: row[name] for name in OF_PUBLICATION}
                span = {"field": "title", "start": place.start(), "end": place.end(), "surface": place.group()}
                found.append(
                    {**drug, "substance": drug["drug"].lower(), **of_publication, **span, "rule": "name", "role": None}
                )
    return found


def journals(lake: Place) -> list[Row]:
    """The journals of current publications, and what they mention."""
    found: list[Row] = []
    all_mentions = scanned(lake, "mentions", "journal", "substance", "atccode")
    for name, count in Counter(row["journal"] for row in scanned(lake, "publications", "journal")).items():
        of_journal = [row for row in all_mentions if row["journal"] == name]
        substances, codes = ({row[column] for row in of_journal} for column in ("substance", "atccode"))
        found.append({"journal": name, "publications": count, "substances": len(substances), "codes": len(codes)})
    return [row for row in found if row["journal"] is not None]


def journal_drugs(lake: Place) -> list[Row]:
    """The pairs of a substance and a publication, by journal and kind."""
    pairs = {
        (row["journal"], row["substance"], row["kind"], row["publication_id"]) for row in scanned(lake, "mentions")
    }
    counted = Counter(pair[:3] for pair in pairs if pair[0] is not None)
    columns = ("journal", "substance", "kind", "pairs")
    return [dict(zip(columns, (*key, count))) for key, count in counted.items()]


def atc_classes(lake: Place) -> list[Row]:
    """The beginnings of the codes that are of the ATC classification."""
    lengths = (1, 3, 4, 5, 7)
    codes = {row["atccode"] for row in scanned(lake, "drugs")}
    codes = {code for code in codes if re.fullmatch(r"[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?", code)}
    counted = Counter(code[:length] for code in codes for length in lengths if length <= len(code))
    return [
        {
            "atc_class": name,
            "level": lengths.index(len(name)) + 1,
            "parent": name[: lengths[lengths.index(len(name)) - 1]] if len(name) > 1 else None,
            "codes": count,
        }
        for name, count in counted.items()
    ]
