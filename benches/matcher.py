"""The matcher on the titles of a real PubMed file with the names of a peer, beside the automata of aho-corasick.

    python benches/matcher.py --names-python PYTHON       a table of what is to be reached and what was

PYTHON has drug-named-entity-recognition installed, whose 107,360 names are looked for. The titles come from a PubMed
file under DRUGS_RS_CORPORA (default: ../shared/data); without one this says so and measures nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, NamedTuple
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
EXPORT = ROOT / "evaluation" / "workers" / "export_names.py"
# Rust and Python are separate processes, so they take turns, and the fastest turn of each counts.
TURNS = 3


class Reach(NamedTuple):
    """A figure and its bound: at least or at most."""

    what: str
    figure: float
    bound: float
    at_least: bool
    unit: str

    def reached(self) -> bool:
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def row(self) -> str:
        bound = f"{'at least' if self.at_least else 'at most'} {self.bound:g}{self.unit}"
        return f"| {self.what} | {bound} | {self.figure:.3g}{self.unit} | {'yes' if self.reached() else 'no'} |"


def pubmed_file() -> Path | None:
    """The first PubMed file of the corpora."""
    root = Path(os.environ.get("DRUGS_RS_CORPORA") or ROOT.parent / "shared" / "data")
    return next(iter(sorted(root.glob("**/pubmed*.xml.gz"))), None)


def titles_of(path: Path) -> Iterator[str]:
    with gzip.open(path) as source:
        for _, element in ElementTree.iterparse(source):
            if element.tag == "ArticleTitle":
                title = " ".join("".join(element.itertext()).split())
                if title:
                    yield title
            elif element.tag == "PubmedArticle":
                element.clear()


def names_of(python: Path, folder: Path) -> Iterator[str]:
    """Each spelling of the peer's dictionary once, in its own order."""
    exported = folder / "names.json"
    subprocess.run([str(python), str(EXPORT), str(exported)], check=True)
    content = json.loads(exported.read_text(encoding="utf-8"))
    yield from dict.fromkeys(name for names in content["names"].values() for name in names)


def output_of(command: list[str], **environment: str) -> dict[str, Any]:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=str(ROOT), env={**os.environ, **environment})
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(titles: Path, names: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record of the Rust side, with the automata, and the one of Python."""
    rust = ["cargo", "bench", "--quiet", "--locked", "--no-default-features", "--bench", "matcher", "--"]
    rust += [str(titles), str(names)]
    python = [sys.executable, str(HERE / "find_many.py"), str(titles), str(names)]
    record = output_of(rust)
    columns: dict[str, Any] = {}
    core = []
    for _ in range(TURNS):
        core.append(output_of([*rust, "--alone"])["seconds"]["all names"])
        turn = output_of(python, RAYON_NUM_THREADS="1")
        columns = {key: min(value, columns.get(key, value)) for key, value in turn.items()}
    columns["core"] = min(core)
    if columns["hits"] != record["hits"]["all names"]:
        sys.exit(f"find_many found {columns['hits']} mentions and the core {record['hits']['all names']}")
    return record, columns


def reaches(record: dict[str, Any], columns: dict[str, Any]) -> list[Reach]:
    seconds = record["seconds"]
    ours = seconds["all names"]
    automata = {name: value for name, value in seconds.items() if name.startswith("aho-corasick")}
    best = min(automata, key=lambda name: automata[name])
    return [
        Reach(f"speed, one thread, over the {best}", automata[best] / ours, 5, True, "x"),
        Reach(
            f"time with all names over {record['same']:,} names and the same mentions",
            ours / seconds["few names, same mentions"],
            1.3,
            False,
            "x",
        ),
        Reach("speed of two threads over one", ours / seconds["two threads"], 1.8, True, "x"),
        Reach("index built in", record["built_seconds"], 0.4, False, " s"),
        Reach("index in memory", record["index_bytes"] / 1e6, 40, False, " MB"),
        Reach("saved index loaded in", columns["load"] * 1e3, 10, False, " ms"),
        Reach(
            "find_many on an Arrow column over the core alone", columns["find_many"] / columns["core"], 1.2, False, "x"
        ),
    ]


def as_markdown(record: dict[str, Any], columns: dict[str, Any]) -> str:
    megabytes = record["bytes"] / 1e6
    lines = [
        f"{record['titles']:,} titles of a PubMed file ({megabytes:.1f} MB), {record['names']:,} names",
        "",
        "| what | wanted | found | reached |",
        "|---|---|---:|---|",
        *(reach.row() for reach in reaches(record, columns)),
        "",
        "| side | ms | MB/s | mentions |",
        "|---|---:|---:|---:|",
    ]
    for name, value in sorted(record["seconds"].items(), key=lambda side: side[1]):
        count = record["hits"][name]
        side = name if name.startswith("aho-corasick") else f"drugs_rs, {name}"
        lines.append(f"| {side} | {value * 1e3:.3g} | {megabytes / value:.0f} | {count:,} |")
    lines.append(
        f"| drugs_rs, find_many of Python | {columns['find_many'] * 1e3:.3g} "
        f"| {megabytes / columns['find_many']:.0f} | {columns['hits']:,} |"
    )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the matcher on real titles; markdown to stdout.")
    parser.add_argument("--names-python", type=Path, required=True, help="has drug-named-entity-recognition")
    parser.add_argument("--out", type=Path, default=Path("target") / "bench", help="default: target/bench")
    options = parser.parse_args()
    source = pubmed_file()
    if source is None:
        print("no pubmed*.xml.gz under DRUGS_RS_CORPORA: the matcher is not measured on real titles")
        return 0
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    titles, names = out / "titles.txt", out / "names.txt"
    titles.write_text("".join(f"{title}\n" for title in titles_of(source)), encoding="utf-8")
    # Absolute but not resolved, because it is a link into its environment.
    python = Path.cwd() / options.names_python
    names.write_text("".join(f"{name}\n" for name in names_of(python, out)), encoding="utf-8")
    record, columns = measure(titles, names)
    table = as_markdown(record, columns)
    (out / "matcher.json").write_text(json.dumps({**record, "python": columns}, indent=1) + "\n", encoding="utf-8")
    (out / "matcher.md").write_text(table, encoding="utf-8")
    print(table, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
