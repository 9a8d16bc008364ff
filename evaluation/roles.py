"""The roles that drugs_rs gives the interventions of trials, against a reading of the studies by hand.

    .venv/eval/bin/python evaluation/roles.py     needs drugs_rs, and studies of the API v2 under DRUGS_RS_CORPORA

`judgements/roles.json` has the reading; README.md beside this file says how it was made and how it is counted.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Sequence

import corpora
from scoring import Score

import drugs_rs

JUDGEMENTS = Path(__file__).resolve().parent / "judgements" / "roles.json"
# The part of the reading that the reach is about: an even sample.
DECISIVE = "sample"
LEAST_AGREEMENT = 0.95
# Studies are searched for in JSON files with this word near their beginning.
STUDY = b'"protocolSection"'
ROLES = ("experimental", "active_comparator", "placebo_comparator", "other")

# The roles of interventions of one study by name. A study may use a name several times, in this order.
Study = Dict[str, List[FrozenSet[str]]]


class Pair(NamedTuple):
    """One intervention as it was read by hand and by drugs_rs; `None` where one of them lacks it."""

    study: str
    name: str
    judged: frozenset[str] | None
    given: frozenset[str] | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print, and return the exit code: 0 done, 1 the reach is not met, 2 something is missing."""
    parser = argparse.ArgumentParser(description="Compare roles of interventions with a reading; markdown to stdout.")
    parser.add_argument("--corpora", type=Path, default=corpora.folder(), help="default: DRUGS_RS_CORPORA")
    parser.add_argument("--judgements", type=Path, default=JUDGEMENTS, help="another reading")
    parser.add_argument("--check", action="store_true", help="exit with 1 if the reach is not met")
    options = parser.parse_args(arguments)
    judgements = json.loads(options.judgements.read_text(encoding="utf-8"))
    judged = {part: {study: by_name(its) for study, its in studies.items()} for part, studies in judgements.items()}
    given = read_studies(options.corpora)
    lacking = sorted({study for studies in judged.values() for study in studies} - set(given))
    if lacking:
        print(
            f"{len(lacking)} of the judged studies are not below {options.corpora}: set DRUGS_RS_CORPORA to a folder "
            f"that has {', '.join(lacking[:3])}, … as JSON of the API v2",
            file=sys.stderr,
        )
        return 2
    pairs = {
        part: [pair for study, its in studies.items() for pair in match(study, its, given[study])]
        for part, studies in judged.items()
    }
    print("\n".join(as_markdown(pairs)))
    measured = agreement(pairs[DECISIVE])
    is_met = measured >= LEAST_AGREEMENT
    print(
        f"\nReach: {LEAST_AGREEMENT:.0%} of the interventions of `{DECISIVE}`, measured {measured:.1%}: "
        f"{'met' if is_met else 'not met'}"
    )
    return 1 if options.check and not is_met else 0


def by_name(interventions: Sequence[dict[str, list[str] | str]]) -> Study:
    """The roles of each name, which is compared without differences of white space."""
    roles: Study = {}
    for intervention in interventions:
        roles.setdefault(" ".join(str(intervention["name"]).split()), []).append(frozenset(intervention["roles"]))
    return roles


def read_studies(root: Path) -> dict[str, Study]:
    """Every study of the API below `root`, as drugs_rs reads it."""
    paths = [path for path in corpora.files(root) if path.suffix == ".json" and STUDY in head(path)]
    rows = drugs_rs.read_publications(paths, kind="clinical_trial").to_dicts() if paths else []
    return {row["publication_id"]: by_name(row["interventions"]) for row in rows}


def head(path: Path) -> bytes:
    """The beginning of a file."""
    with path.open("rb") as source:
        return source.read(4096)


def match(study: str, judged: Study, given: Study) -> Iterator[Pair]:
    """The interventions of a study, those with one name in their order."""
    for name in dict.fromkeys([*judged, *given]):
        ours, theirs = judged.get(name, []), given.get(name, [])
        for number in range(max(len(ours), len(theirs))):
            yield Pair(study, name, *(roles[number] if number < len(roles) else None for roles in (ours, theirs)))


def agreement(pairs: Sequence[Pair]) -> float:
    """The share of interventions that have exactly the judged roles."""
    return sum(pair.judged == pair.given for pair in pairs) / len(pairs)


def score(pairs: Sequence[Pair], role: str) -> Score:
    """How often a role was judged, given, and both."""
    judged = [role in (pair.judged or ()) for pair in pairs]
    given = [role in (pair.given or ()) for pair in pairs]
    return Score(sum(map(min, judged, given)), sum(given), sum(judged))


def as_markdown(parts: dict[str, list[Pair]]) -> Iterator[str]:
    """Write the tables of agreement, and the disagreements."""
    yield "| part | studies | interventions | with the judged roles | agreement |"
    yield "|---|---:|---:|---:|---:|"
    every = [pair for pairs in parts.values() for pair in pairs]
    for part, pairs in (*parts.items(), ("all", every)):
        agreed = sum(pair.judged == pair.given for pair in pairs)
        studies = len({pair.study for pair in pairs})
        yield f"| {part} | {studies} | {len(pairs)} | {agreed} | {agreement(pairs):.1%} |"
    for part, pairs in (*parts.items(), ("all", every)):
        yield from (
            "",
            f"| role, {part} | judged | given | both | precision | recall |",
            "|---|---:|---:|---:|---:|---:|",
        )
        for role in ROLES:
            its = score(pairs, role)
            precision, recall = share(its.hits, its.found), share(its.hits, its.gold)
            yield f"| {role} | {its.gold} | {its.found} | {its.hits} | {precision} | {recall} |"
    yield ""
    for pair in every:
        if pair.judged != pair.given:
            yield f"- {pair.study}, {pair.name}: judged {words(pair.judged)}, given {words(pair.given)}"


def share(part: int, whole: int) -> str:
    """A share for people, who see a dash for a share of nothing."""
    return f"{part / whole:.1%}" if whole else "–"


def words(roles: frozenset[str] | None) -> str:
    """Some roles for people."""
    if roles is None:
        return "no such intervention"
    return ", ".join(role for role in ROLES if role in roles) or "no role"


if __name__ == "__main__":
    sys.exit(main())
