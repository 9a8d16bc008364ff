"""Annotated corpora of any folder: PubTator files, and pairs of a text with BRAT's stand-off annotations.

    python3 evaluation/corpora.py     what is found under DRUGS_RS_CORPORA; exit code 2 when there is none

What a file is says its content, not its name alone. Mentions that do not hold the text they claim to hold are left out
and counted.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, NamedTuple, Tuple

Fragment = Tuple[int, int]
Mention = Tuple[Fragment, ...]

ROOT = Path(__file__).resolve().parents[1]
# Compared without case, blanks, dashes and underscores: `Small_molecule` equals `smallmolecule`.
TYPES = (
    *("Chemical", "Chemical entity", "Simple chemical", "Small molecule", "Compound", "Chemical or drug"),
    *("Drug", "Drug or compound", "Drug name", "Drug N", "Brand", "Brand name", "Generic name"),
    *("Medication", "Medicine", "Medicinal product", "Active ingredient"),
)
PUBTATOR_SUFFIXES = (".txt", ".pubtator", ".txt.gz", ".pubtator.gz")
PUBTATOR_LINE = re.compile(r"([^\s|]+)\|([a-z])\|(.*)", re.DOTALL)


class MissingError(Exception):
    """There is no corpus to evaluate on; the message says where one was looked for."""


class Document(NamedTuple):
    """One text and its annotated mentions, of any type: `(type, fragments)`, offsets in code points of `text`."""

    identifier: str
    text: str
    annotations: list[tuple[str, Mention]]


@dataclass
class Corpus:
    """The documents of one file or folder."""

    name: str
    documents: list[Document] = field(default_factory=list)
    # Annotations whose text is not at their offsets.
    displaced: int = 0

    def texts(self) -> list[str]:
        """The texts of all documents."""
        return [document.text for document in self.documents]

    def gold(self, types: tuple[str, ...] = TYPES) -> list[list[Mention]]:
        """For each document the mentions of the wanted types."""
        wanted = {plain(name) for name in types}
        return [
            [mention for kind, mention in document.annotations if plain(kind) in wanted] for document in self.documents
        ]

    def types(self) -> Counter[str]:
        """How often each type is annotated."""
        return Counter(kind for document in self.documents for kind, _ in document.annotations)


def plain(kind: str) -> str:
    """The name of a type as it is compared."""
    return re.sub(r"[\s_-]+", "", kind).lower()


def folder() -> Path:
    """Where real data is: DRUGS_RS_CORPORA, or its default beside the clone."""
    return Path(os.environ.get("DRUGS_RS_CORPORA") or ROOT.parent / "shared" / "data")


def find(root: Path) -> list[Corpus]:
    """Every corpus with an annotation below `root`, in the order of names."""
    if not root.is_dir():
        raise MissingError(f"no corpora in {root}: set DRUGS_RS_CORPORA to a folder that holds some")
    pubtator: list[Path] = []
    pairs: dict[Path, list[Path]] = {}
    for path in files(root):
        if path.name.endswith(".ann") and path.with_suffix(".txt").is_file():
            pairs.setdefault(path.parent, []).append(path)
        elif is_pubtator(path):
            pubtator.append(path)
    corpora = []
    for path in (*pubtator, *pairs):
        # A malformed file does not stop the others, but is reported.
        try:
            corpora.append(read_brat(path, pairs[path], root) if path in pairs else read_pubtator(path, root))
        except ValueError as fault:
            print(f"{path}: left out, for it cannot be read: {fault}", file=sys.stderr)
    corpora = sorted((corpus for corpus in corpora if corpus.types()), key=lambda corpus: corpus.name)
    if not corpora:
        raise MissingError(
            f"no annotated corpus in {root}: neither a PubTator file nor a pair of .txt and .ann lies there"
        )
    return corpora


def files(root: Path) -> Iterator[Path]:
    """Every file below `root` that is not hidden, in a fixed order."""
    for place, folders, names in os.walk(str(root)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in sorted(names) if not name.startswith("."))


# --- PubTator ---


def is_pubtator(path: Path) -> bool:
    """Whether the first line that is not blank looks like `identifier|t|title`."""
    if not path.name.lower().endswith(PUBTATOR_SUFFIXES):
        return False
    try:
        with open_bytes(path) as source:
            head = source.read(4096).decode("utf-8-sig", errors="replace").lstrip()
    except OSError:
        return False
    return bool(re.match(r"[^\s|]+\|t\|", head))


def open_bytes(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN201 - gzip and plain files have no common class
    """A file for reading, packed or not."""
    return gzip.open(str(path), "rb") if path.name.lower().endswith(".gz") else path.open("rb")


def read_pubtator(path: Path, root: Path) -> Corpus:
    """Read one PubTator file: the text of a document is its title, a blank and its abstract."""
    with open_bytes(path) as source:
        content = source.read().decode("utf-8-sig")
    corpus = Corpus(name_of(path, root))
    passages: dict[str, list[str]] = {}
    rows: dict[str, list[list[str]]] = {}
    # Not `splitlines()`, which also ends lines at characters that occur inside titles.
    for line in content.split("\n"):
        line = line[:-1] if line.endswith("\r") else line
        passage = PUBTATOR_LINE.fullmatch(line)
        if passage:
            passages.setdefault(passage.group(1), []).append(passage.group(3))
            continue
        cells = line.split("\t")
        # A relation has an identifier in the column of an annotation's start.
        if len(cells) >= 5 and cells[1].isdigit() and cells[2].isdigit():
            rows.setdefault(cells[0], []).append(cells)
    for identifier, parts in passages.items():
        document = Document(identifier, " ".join(parts), [])
        for _, start, end, surface, kind, *_ in rows.get(identifier, []):
            add(corpus, document, kind, ((int(start), int(end)),), surface)
        corpus.documents.append(document)
    return corpus


# --- BRAT ---


def read_brat(parent: Path, annotations: list[Path], root: Path) -> Corpus:
    """Read the pairs of one folder: the text is the `.txt` file as it is, line ends included."""
    corpus = Corpus(name_of(parent, root))
    for path in annotations:
        document = Document(path.stem, path.with_suffix(".txt").read_bytes().decode("utf-8"), [])
        for line in path.read_bytes().decode("utf-8").split("\n"):
            cells = line.rstrip("\r").split("\t")
            # The ids of relations, events and remarks begin with other letters than T.
            if not line.startswith("T") or len(cells) < 2:
                continue
            kind, _, offsets = cells[1].partition(" ")
            mention = join(document.text, parse_fragments(offsets))
            add(corpus, document, kind, mention, cells[2] if len(cells) > 2 else None)
        corpus.documents.append(document)
    return corpus


def parse_fragments(offsets: str) -> Mention:
    """Parse `10 15` or, for a mention with gaps, `0 5;10 15`."""
    numbers = [piece.split() for piece in offsets.split(";")]
    return tuple(sorted((int(start), int(end)) for start, end in numbers))


def join(text: str, mention: Mention) -> Mention:
    """Join fragments with nothing but white space between them: BRAT cuts a mention in two at the end of a line."""
    joined: list[Fragment] = []
    for start, end in mention:
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


# --- Both ---


def add(corpus: Corpus, document: Document, kind: str, mention: Mention, surface: str | None) -> None:
    """Keep an annotation whose offsets hold the text that it names, and count one that is displaced."""
    held = " ".join(document.text[start:end] for start, end in mention)
    if mention[-1][1] > len(document.text) or (surface is not None and squeeze(held) != squeeze(surface)):
        corpus.displaced += 1
    else:
        document.annotations.append((kind, mention))


def squeeze(text: str) -> str:
    """The letters of a text without its white space and case, which annotations write in their own way."""
    return "".join(text.split()).lower()


def name_of(path: Path, root: Path) -> str:
    """The path below the folder of corpora, without the endings of PubTator files."""
    relative = path.relative_to(root).as_posix() if path != root else path.name
    return re.sub(r"(\.PubTator)?(\.txt)?(\.gz)?$", "", relative, flags=re.IGNORECASE)


def main() -> int:
    """Print the corpora and return the exit code."""
    parser = argparse.ArgumentParser(description="List the annotated corpora under DRUGS_RS_CORPORA.")
    parser.add_argument("--corpora", type=Path, default=folder(), help="the folder (default: DRUGS_RS_CORPORA)")
    options = parser.parse_args()
    try:
        corpora = find(options.corpora)
    except MissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    for corpus in corpora:
        types = ", ".join(f"{kind} {count:,}" for kind, count in corpus.types().most_common(8))
        displaced = f"; {corpus.displaced:,} displaced" if corpus.displaced else ""
        print(f"{corpus.name}: {len(corpus.documents):,} documents; {types}{displaced}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
