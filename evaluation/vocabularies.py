"""The names that are looked for: the dictionary of a peer, exported from its environment, and DrugBank's open one."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path
from typing import Dict, List, NamedTuple

import corpora

Names = Dict[str, List[str]]
DRUGBANK_COLUMNS = {"DrugBank ID", "Common name", "Synonyms"}


class Vocabulary(NamedTuple):
    """Names by code or drug, and where they come from."""

    source: str
    names: Names

    def size(self) -> int:
        """How many names there are, each spelling once."""
        return len({name for names in self.names.values() for name in names})

    def __str__(self) -> str:
        """Say how many names there are, and of how many drugs."""
        return f"{self.source}: {self.size():,} names of {len(self.names):,} drugs"


def of_peer(python: Path, worker: Path, path: Path) -> Vocabulary:
    """Export the peer's dictionary with its own interpreter to `path` and read it back."""
    subprocess.run([str(python), str(worker), str(path)], check=True)
    content = json.loads(path.read_text(encoding="utf-8"))
    return Vocabulary(content["from"], content["names"])


def drugbank(root: Path) -> Vocabulary | None:
    """Read DrugBank's open vocabulary, wherever it lies below `root`; `None` where it does not."""
    for path in corpora.files(root):
        if path.suffix.lower() != ".csv":
            continue
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as source:
            rows = csv.DictReader(source)
            if not set(rows.fieldnames or ()) >= DRUGBANK_COLUMNS:
                continue
            names = {row["DrugBank ID"]: spellings(row["Common name"], row["Synonyms"]) for row in rows}
        return Vocabulary("DrugBank open vocabulary", names)
    return None


def spellings(name: str, synonyms: str) -> list[str]:
    """Split a row's names: the common one and the synonyms between `|`, each once."""
    every = [spelling.strip() for spelling in (name, *synonyms.split("|"))]
    return list(dict.fromkeys(spelling for spelling in every if spelling))
