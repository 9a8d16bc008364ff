"""The tables of an evaluation, and whether its reach is met."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path
from typing import Any, NamedTuple, Sequence

import scoring
from corpora import Corpus
from systems import OURS, PLAIN, Result
from vocabularies import Vocabulary

# The corpus whose scores must reach the minimum.
DECISIVE = "CDR_DevelopmentSet"
LEAST_F1 = 0.80
LEAST_PRECISION = 0.84
LEAST_PRECISION_DRUGBANK = 0.90


class Row(NamedTuple):
    """One tool with one vocabulary on one corpus."""

    corpus: str
    vocabulary: str
    result: Result
    strict: scoring.Score
    overlap: scoring.Score
    documents: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Documents a second."""
        return self.documents / self.seconds if self.seconds else 0.0


class Aim(NamedTuple):
    """One line of the reach: what must be true, what was measured, whether it is met."""

    text: str
    measured: str
    met: bool


def score(corpora: Sequence[Corpus], types: Sequence[str], vocabulary: Vocabulary, result: Result) -> list[Row]:
    """Score what one tool found in each corpus."""
    rows = []
    for corpus, seconds, found in zip(corpora, result.seconds, result.found):
        gold = corpus.gold(tuple(types))
        strict, overlap = scoring.strict(gold, found), scoring.overlap(gold, found)
        rows.append(Row(corpus.name, vocabulary.source, result, strict, overlap, len(found), seconds))
    return rows


def table(rows: Sequence[Row]) -> list[str]:
    """One markdown table of rows on one corpus."""
    lines = [
        "| system | names | strict P | R | F1 | overlap P | R | F1 | abstracts/s | build s | holds MiB | peak MiB |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        shares = [f"{value:.3f}" for value in (*three(row.strict), *three(row.overlap))]
        sizes = [f"{size / 2**20:,.0f}" for size in (row.result.held_bytes, row.result.peak_bytes)]
        speed = [f"{row.per_second:,.0f}", f"{row.result.build_seconds:.2f}"]
        name = f"{row.result.system.name} ({row.result.version})"
        lines.append(f"| {' | '.join([name, row.vocabulary, *shares, *speed, *sizes])} |")
    return lines


def as_record(row: Row) -> dict[str, Any]:
    """Turn a row into what a record for machines holds."""
    strict, overlap = (
        {**counted._asdict(), **dict(zip(("precision", "recall", "f1"), three(counted)))}
        for counted in (row.strict, row.overlap)
    )
    return {
        "corpus": row.corpus,
        "names": row.vocabulary,
        "system": row.result.system.name,
        "version": row.result.version,
        "strict": strict,
        "overlap": overlap,
        "documents": row.documents,
        "seconds": row.seconds,
        "build_seconds": row.result.build_seconds,
        "held_bytes": row.result.held_bytes,
        "peak_bytes": row.result.peak_bytes,
    }


def three(counted: scoring.Score) -> list[float]:
    """Precision, recall and F1."""
    return [counted.precision, counted.recall, counted.f1]


def errors(corpus: Corpus, types: Sequence[str], found: Sequence[Any], number: int) -> dict[str, Any]:
    """The most frequent misses and false hits of one tool on one corpus, by word."""
    gold, texts = corpus.gold(tuple(types)), corpus.texts()
    return {
        "misses": scoring.top(scoring.misses(texts, gold, found), number),
        "false_hits": scoring.top(scoring.false_hits(texts, gold, found), number),
    }


def words(title: str, counted: Sequence[Any]) -> str:
    """One line of words with their counts."""
    return f"{title}: {', '.join(f'{count} {name}' for count, name in counted) or 'none'}"


def reach(rows: Sequence[Row], drugbank: str | None) -> list[Aim]:
    """Hold the decisive corpus against the aims; what was not measured is not met."""
    decisive = [row for row in rows if row.corpus.endswith(DECISIVE)]
    ours = [row for row in decisive if row.result.system == OURS and row.vocabulary != drugbank]
    peers = [row for row in decisive if not row.result.system.is_ours]
    lone = [row for row in decisive if row.result.system in (OURS, PLAIN) and row.vocabulary == drugbank]
    precision = min((row.strict.precision for row in lone), default=None)
    best = max(peers, key=lambda row: row.strict.f1, default=None)
    f1 = ours[0].strict.f1 if ours else None
    return [
        at_least(f"{DECISIVE}, the peers' names: strict F1", LEAST_F1, f1),
        at_least(
            f"{DECISIVE}, the peers' names: strict precision",
            LEAST_PRECISION,
            ours[0].strict.precision if ours else None,
        ),
        Aim(
            f"{DECISIVE}: strict F1 above every peer in the run",
            f"best peer {best.strict.f1:.3f}, {best.result.system.name}" if best else "no peer ran",
            best is not None and f1 is not None and f1 > best.strict.f1,
        ),
        at_least(f"{DECISIVE}, DrugBank's names: strict precision", LEAST_PRECISION_DRUGBANK, precision),
    ]


def at_least(text: str, least: float, measured: float | None) -> Aim:
    """Make an aim out of a number and the least that it may be."""
    said = "not measured" if measured is None else f"{measured:.3f}"
    return Aim(f"{text} at least {least:.2f}", said, measured is not None and measured >= least)


def machine() -> dict[str, str]:
    """What a record needs to be read later, and nothing that names the machine."""
    model = platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        named = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    day = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%d")
    system = f"{platform.system()}, {os.cpu_count()} cores of {model}"
    return {"measured": day, "on": system, "Python": platform.python_version()}
