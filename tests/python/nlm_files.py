"""Files of PubMed for the tests of `fetch`: published, fetched, and looked at."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

    from nlm_server import Nlm

ONE, TWO, THREE = (f"baseline/pubmed26n000{number}.xml.gz" for number in (1, 2, 3))
UPDATE = "updatefiles/pubmed26n0004.xml.gz"


def made(seed: int, size: int = 40_000) -> bytes:
    """Bytes that look like a file; fetching does not look into it."""
    return random.Random(seed).getrandbits(8 * size).to_bytes(size, "big")


def publish(nlm: Nlm, *names: str, size: int = 40_000, **more: Any) -> dict[str, bytes]:
    """Publish files, and return what they hold."""
    for number, name in enumerate(names):
        nlm.put(name, made(number, size), **more)
    return {name: nlm.files[name].data for name in names}


def fetch(nlm: Nlm, to: object, **settings: Any) -> dict[str, Any]:
    return drugs_rs.fetch("pubmed", str(to), **{"base_url": nlm.pubmed, **settings})


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder that a reader would take."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    is_hidden = {name: any(part.startswith(("_", ".")) for part in name.parts) for name in files}
    return {name.as_posix(): path.read_bytes() for name, path in files.items() if not is_hidden[name]}


def leftovers(folder: Path) -> list[str]:
    """What is in a folder beside its files and the record."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob(".*"))
    return sorted(names)


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {file["path"]: file["status"] for file in report["files"]}
