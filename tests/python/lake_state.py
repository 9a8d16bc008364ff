"""What a lake holds, as hashes: two equal states are the same bytes under the same names."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Iterator

# Staging folders and the lock are no part of a lake's state (see the lake layout in the documentation).
NOT_STATE = (".staging", ".lock")

GOLD_FILES = ("drug_graph.json", "exclusive_drugs.json", "top_journals.json")


def files(lake: Path, *parts: str) -> Iterator[Path]:
    """Every file below the lake, or below the named folders of it, in the order of their names."""
    for top in [lake / part for part in parts] or [lake]:
        for folder, folders, names in os.walk(str(top), followlinks=True):
            folders[:] = sorted(name for name in folders if name not in NOT_STATE)
            for name in sorted(names):
                if name not in NOT_STATE:
                    yield Path(folder) / name


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hashes(lake: Path, *parts: str) -> dict[str, str]:
    """Relative path → SHA-256."""
    return {path.relative_to(lake).as_posix(): sha256(path) for path in files(lake, *parts)}


def stamps(lake: Path) -> dict[str, tuple[int, str]]:
    """Relative path → modification time and SHA-256: writing a file again shows even with the same bytes."""
    return {path.relative_to(lake).as_posix(): (path.stat().st_mtime_ns, sha256(path)) for path in files(lake)}


def gold_files(lake: Path) -> frozenset[tuple[str, str]]:
    """The three answers as a set of (name, SHA-256); a file that does not exist is left out."""
    paths = [lake / "gold" / name for name in GOLD_FILES]
    return frozenset((path.name, sha256(path)) for path in paths if path.exists())


def leftovers(lake: Path) -> dict[str, str]:
    """The leftovers of an unfinished step."""
    return hashes(lake, ".staging")
