"""How well `Lake.vocabulary_gaps` finds what a vocabulary lacks: recall of new INN, precision of the first gaps.

    make eval-gaps                                     both; the table also lands in target/evaluation/gaps.md
    make eval-gaps EVAL_OPTIONS="--check"              exit code 1 if the reach is not met

Recall: INN that the newest WHO ATC has and the one before lacks, in made-up titles; the one before is the vocabulary.
Precision: the first gaps of a real PubMed file with the newest WHO ATC as vocabulary, judged in `judgements/gaps.tsv`.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Sequence

import drugs_rs

JUDGED = Path(__file__).parent / "judgements" / "gaps.tsv"

RECALL = 0.90
PRECISION = 0.80

# Titles as those of articles about new drugs. The last two say nothing about a treatment: only a stem is found there.
TITLES = (
    "Efficacy and safety of {} in adults with a rare disease: a randomised trial",
    "{} versus placebo in patients with moderate disease",
    "Pharmacokinetics of {} in healthy volunteers",
    "{} for the treatment of a chronic disease: a phase 3 trial",
    "Long-term treatment with {}: results of an extension study",
    "Rash after {}: a case report",
    "{} and the future of this field",
)

# Words of names that are no INN: vaccines, antigens, groups.
NO_INN_WORDS = re.compile(r"\b(vaccines?|antigens?|attenuated|particles|agents|mycobacterium|covid-19|chikungunya)\b")

# New names that are no INN, and why.
NO_INN = {
    "monomethyl fumarate": "an ester under its chemical name",
    "zinc orotate": "a salt under its chemical name",
}


class Aim(NamedTuple):
    """What is to be reached, and what was measured."""

    text: str
    measured: str
    met: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code: 0 done, 1 the reach is not met, 2 something is missing."""
    options = parse(arguments)
    vocabularies = sorted(options.corpora.glob("**/who_atc_*.csv"))
    articles = sorted(options.corpora.glob("**/pubmed*n*.xml.gz"))
    if len(vocabularies) < 2 or not articles:
        say(f"{options.corpora} has not two files who_atc_<date>.csv and a file pubmed<year>n<number>.xml.gz")
        return 2
    before, after = vocabularies[-2:]
    with tempfile.TemporaryDirectory() as folder:
        text, recall = measure_recall(Path(folder) / "titles", before, after)
        more, precision = measure_precision(
            Path(folder) / "articles", after, articles[0], options.first, judgements(options.judgements)
        )
    text += [*more, "", "| aim | measured | met |", "|---|---|---|"]
    aims = (recall, precision)
    text += [f"| {aim.text} | {aim.measured} | {'yes' if aim.met else 'no'} |" for aim in aims]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gaps.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
    return 1 if options.check and not all(aim.met for aim in aims) else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Evaluate Lake.vocabulary_gaps; markdown to stdout.")
    corpora = Path(os.environ.get("DRUGS_RS_CORPORA") or "../shared/data")
    parser.add_argument("--corpora", type=Path, default=corpora, help="default: DRUGS_RS_CORPORA")
    parser.add_argument("--judgements", type=Path, default=JUDGED, help="default: those beside this file")
    parser.add_argument("--first", type=int, default=200, help="gaps whose precision counts (default: 200)")
    parser.add_argument("--check", action="store_true", help="exit with 1 if the reach is not met")
    parser.add_argument("--out", type=Path, default=Path("target") / "evaluation", help="default: target/evaluation")
    return parser.parse_args(arguments)


def names(vocabulary: Path) -> set[str]:
    """The names of the substances of a WHO ATC file."""
    with vocabulary.open(encoding="utf-8", newline="") as file:
        return {row["atc_name"].lower() for row in csv.DictReader(file) if len(row["atc_code"]) == 7}


def new_inns(before: set[str], after: set[str]) -> list[str]:
    """The INN among the new names. Of combinations the parts count that the earlier file has not."""
    found = set()
    for name in after - before:
        if NO_INN_WORDS.search(name) or name in NO_INN:
            continue
        for part in re.split(r", | and ", name):
            inn = re.sub(r" \([^)]*\)", "", part).strip()
            if not any(inn == old or re.search(rf"\b{re.escape(inn)}\b", old) for old in before):
                found.add(inn)
    return sorted(found)


def measure_recall(lake: Path, before: Path, after: Path) -> tuple[list[str], Aim]:
    """Which new INN are gaps of a lake with the earlier vocabulary and titles that hold them."""
    inns = new_inns(names(before), names(after))
    gaps: dict[int, set[str]] = {}
    for number, title in enumerate(TITLES):
        rows = [{"id": place, "title": title.format(sentence_case(title, inn))} for place, inn in enumerate(inns)]
        made = write_articles(lake.parent / f"titles{number}.csv", rows)
        drugs_rs.run(lake=lake / str(number), dt="2026-01-01", drugs=before, pubmed=made)
        gaps[number] = {gap["name"].lower() for gap in rows_of(lake / str(number))}
    found = {number: {inn for inn in inns if is_gap(inn, gaps[number])} for number in gaps}
    text = [f"## {len(inns)} INN of {after.name} that are not in {before.name}", "", "| title | found | recall |"]
    text += ["|---|---:|---:|"]
    text += [f"| {title} | {len(found[at])} | {len(found[at]) / len(inns):.3f} |" for at, title in enumerate(TITLES)]
    union = set().union(*found.values())
    text += [f"| all of them in one lake | {len(union)} | {len(union) / len(inns):.3f} |"]
    text += ["", f"- in none of the titles: {', '.join(sorted(set(inns) - union)) or 'none'}"]
    text += [f"- in no title without a treatment: {', '.join(sorted(set(inns) - found[5] - found[6]))}"]
    recall = len(union) / len(inns)
    return text, Aim(f"INN found as gaps, at least {RECALL:.0%}", f"{recall:.1%}", recall >= RECALL)


def sentence_case(title: str, inn: str) -> str:
    """An INN as a title writes it."""
    return inn.capitalize() if title.startswith("{}") else inn


def is_gap(inn: str, gaps: set[str]) -> bool:
    """Whether a gap is this INN, or the word of it that is no salt."""
    return inn in gaps or inn.split(" ")[0] in gaps


def write_articles(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """A CSV file of articles."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "date", "journal"])
        writer.writerows([row["id"], row["title"], "2025", "Annals"] for row in rows)
    return path


def rows_of(lake: Path, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """The gaps of a lake."""
    yield from drugs_rs.Lake(lake).vocabulary_gaps(limit=limit).to_dicts()


def judgements(path: Path) -> dict[str, tuple[bool, str]]:
    """Whether a name is a drug, and why not."""
    judged = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, verdict, reason = [*line.split("\t"), ""][:3]
            judged[name.lower()] = (verdict == "yes", reason)
    return judged


def measure_precision(
    lake: Path, vocabulary: Path, articles: Path, first: int, judged: dict[str, tuple[bool, str]]
) -> tuple[list[str], Aim]:
    """How many of the first gaps of a real file are drugs."""
    drugs_rs.run(lake=lake, dt="2026-01-01", drugs=vocabulary, pubmed=articles)
    gaps = list(rows_of(lake, first))
    unjudged = [gap["name"] for gap in gaps if gap["name"].lower() not in judged]
    wrong = [gap for gap in gaps if not judged.get(gap["name"].lower(), (False, ""))[0]]
    text = ["", f"## The first {len(gaps)} gaps of {articles.name} with {vocabulary.name}", ""]
    text += ["| rules | gaps | no drug | precision |", "|---|---:|---:|---:|"]
    for rules in sorted({", ".join(gap["rules"]) for gap in gaps}):
        of_rules = [gap for gap in gaps if ", ".join(gap["rules"]) == rules]
        bad = sum(gap in wrong for gap in of_rules)
        text += [f"| {rules} | {len(of_rules)} | {bad} | {1 - bad / len(of_rules):.3f} |"]
    precision = 1 - len(wrong) / max(1, len(gaps))
    text += [f"| all | {len(gaps)} | {len(wrong)} | {precision:.3f} |", ""]
    text += [f"- no drugs: {', '.join(gap['name'] for gap in wrong)}"]
    if unjudged:
        text += [f"- not judged, so counted as no drugs: {', '.join(unjudged)}"]
    aim = Aim(
        f"precision of the first {first} gaps, at least {PRECISION:.0%}", f"{precision:.1%}", precision >= PRECISION
    )
    return text, aim


def say(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
