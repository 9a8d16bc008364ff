"""drugs_rs and its peers with the same names on every annotated corpus: accuracy, speed and memory.

    make eval                                          everything; the table also lands in target/evaluation/record.md
    make eval EVAL_OPTIONS="--check"                   exit code 1 if the reach is not met
    .venv/eval/bin/python evaluation/run.py --help     the other options, once `make eval` has set up the environments

README.md beside this file says what is compared and how it is counted.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Iterator, Sequence, Tuple

import corpora
import report
import systems
import vocabularies
from corpora import Corpus
from report import Aim, Row
from systems import OURS, PLAIN, SYSTEMS, Result, System
from vocabularies import Vocabulary

Run = Tuple[Vocabulary, Result]


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate, print, and return the exit code: 0 done, 1 the reach is not met, 2 something is missing."""
    options = parse(arguments)
    chosen = [system for system in SYSTEMS if any(part in system.name for part in options.systems or [""])]
    missing = sorted({tool.environment for tool in (*chosen, systems.DNER) if not tool.python.exists()})
    if missing or not chosen:
        say(f"no environment {', '.join(missing)}: `make eval` sets them up" if missing else "no such system")
        return 2
    try:
        found = corpora.find(options.corpora)
    except corpora.MissingError as error:
        say(str(error))
        return 2
    usable = [corpus for corpus in found if any(corpus.gold(options.types))]
    for corpus in found:
        describe(corpus, options.types)
    if not usable:
        say("no corpus annotates one of the wanted types: choose others with --types")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    runs, drugbank = measure_all(usable, chosen, options)
    rows = [row for vocabulary, result in runs for row in report.score(usable, options.types, vocabulary, result)]
    aims = report.reach(rows, drugbank.source if drugbank else None)
    text = as_markdown(usable, runs, rows, aims, options)
    record = as_json(runs, rows, aims, options)
    (options.out / "record.md").write_text(text, encoding="utf-8")
    for path in filter(None, (options.out / "record.json", options.json)):
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(text, end="")
    found_by = {result.system: result.found for _, result in reversed(runs)}
    if systems.COLUMNS in found_by and OURS in found_by and found_by[systems.COLUMNS] != found_by[OURS]:
        say("find and find_many do not find the same: that is a fault of drugs_rs")
        return 1
    return 1 if options.check and not all(aim.met for aim in aims) else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Evaluate drugs_rs beside its peers; markdown to stdout.")
    parser.add_argument("--corpora", type=Path, default=corpora.folder(), help="default: DRUGS_RS_CORPORA")
    parser.add_argument("--types", nargs="+", default=list(corpora.TYPES), help="annotated types that count as drugs")
    parser.add_argument("--systems", nargs="+", help="only the systems whose name holds one of these")
    parser.add_argument(
        "--repeat", type=int, default=3, help="runs of each side, of which the best counts (default: 3)"
    )
    parser.add_argument("--top", type=int, default=25, help="misses and false hits to list (default: 25)")
    parser.add_argument("--check", action="store_true", help="exit with 1 if the reach is not met")
    parser.add_argument("--json", type=Path, help="write the numbers there too (default: record.json in --out)")
    parser.add_argument("--out", type=Path, default=Path("target") / "evaluation", help="default: target/evaluation")
    return parser.parse_args(arguments)


def describe(corpus: Corpus, types: Sequence[str]) -> None:
    """Say on stderr what a corpus holds, and what of it cannot be used."""
    wanted = sum(map(len, corpus.gold(tuple(types))))
    text = f"{corpus.name}: {len(corpus.documents):,} documents, {wanted:,} annotated mentions"
    if corpus.displaced:
        text += f"; {corpus.displaced:,} left out whose offsets hold another text"
    if not wanted:
        text += f"; skipped, its types are {', '.join(corpus.types())} (--types)"
    say(text)


def measure_all(
    usable: Sequence[Corpus], chosen: Sequence[System], options: argparse.Namespace
) -> tuple[list[Run], Vocabulary | None]:
    """Run every tool with the peers' names, and ours with DrugBank's too, where it lies beside the corpora."""
    worker = systems.HERE / "workers" / "export_names.py"
    vocabulary = vocabularies.of_peer(systems.DNER.python, worker, options.out / "names.json")
    drugbank = vocabularies.drugbank(options.corpora)
    runs = [(vocabulary, result) for result in measure(vocabulary, "peers", chosen, usable, options)]
    if drugbank:
        ours = [system for system in chosen if system in (OURS, PLAIN)]
        runs += [(drugbank, result) for result in measure(drugbank, "drugbank", ours, usable, options)]
    else:
        say(f"no DrugBank open vocabulary below {options.corpora}: its precision is not measured")
    return runs, drugbank


def measure(
    vocabulary: Vocabulary, label: str, chosen: Sequence[System], usable: Sequence[Corpus], options: argparse.Namespace
) -> Iterator[Result]:
    """Run some tools one after the other with one vocabulary."""
    say(str(vocabulary))
    job = options.out / f"job-{label}.json"
    systems.write_job(job, vocabulary.names, [corpus.texts() for corpus in usable], options.repeat)
    for system in chosen:
        say(f"  {system.name} …")
        yield systems.measure(system, job, options.out / "answer.json")


def as_markdown(
    usable: Sequence[Corpus], runs: Sequence[Run], rows: Sequence[Row], aims: Sequence[Aim], options: argparse.Namespace
) -> str:
    """Write everything for people."""
    names = list(dict.fromkeys(str(vocabulary) for vocabulary, _ in runs))
    lines = [
        ", ".join(f"{key} {value}" for key, value in report.machine().items()),
        "",
        *(f"- {name}" for name in names),
    ]
    for number, corpus in enumerate(usable):
        wanted = sum(map(len, corpus.gold(options.types)))
        lines += ["", f"## {corpus.name}: {len(corpus.documents):,} documents, {wanted:,} mentions", ""]
        lines += report.table([row for row in rows if row.corpus == corpus.name])
        for vocabulary, result in runs:
            if result.system == OURS:
                counted = report.errors(corpus, options.types, result.found[number], options.top)
                lines += ["", f"drugs_rs with {vocabulary.source}, strict, by word:"]
                lines += ["", report.words("- missed", counted["misses"])]
                lines += [report.words("- found but not annotated", counted["false_hits"])]
    lines += ["", "## Reach", "", "| aim | measured | met |", "|---|---|---|"]
    lines += [f"| {aim.text} | {aim.measured} | {'yes' if aim.met else 'NO'} |" for aim in aims]
    return "\n".join(lines) + "\n"


def as_json(
    runs: Sequence[Run], rows: Sequence[Row], aims: Sequence[Aim], options: argparse.Namespace
) -> dict[str, Any]:
    """Write everything for machines."""
    vocabulary_list = {vocabulary.source: vocabulary for vocabulary, _ in runs}.values()
    return {
        "machine": report.machine(),
        "types": list(options.types),
        "vocabularies": [
            {"source": one.source, "names": one.size(), "drugs": len(one.names)} for one in vocabulary_list
        ],
        "results": [report.as_record(row) for row in rows],
        "reach": [aim._asdict() for aim in aims],
    }


def say(message: str) -> None:
    """Print progress to stderr; only the table goes to stdout."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
