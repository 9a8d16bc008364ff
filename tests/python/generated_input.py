"""Large source files that look real enough, by the product's own `generate`: the same arguments give the same bytes.

Rows are dirty at a known rate, and every kind of row that silver treats differently is among them (`docs/generate.md`).
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path


def generate(folder: Path, seed: str, articles: int, trials: int = 0, drugs: int = 200) -> dict[str, Any]:
    """Write the files and return the arguments of `drugs_rs.run` for them; the seed decides what is in them."""
    number = zlib.crc32(seed.encode())
    drugs_rs.generate(folder, seed=number, articles=articles, trials=trials, drugs=drugs, journals=6)
    tables = ("drugs", "pubmed", "clinical_trials") if trials else ("drugs", "pubmed")
    return {table: str(folder / table / "part-00001.csv") for table in tables}
