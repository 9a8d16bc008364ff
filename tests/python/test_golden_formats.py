"""A small hand-made file of every format, and the whole table that comes of it.

`tests/data/README.md` says what is odd in each. `DRUGS_RS_UPDATE_GOLDEN=1 pytest tests/python/test_golden_formats.py`
writes the tables anew, and their difference is to be read like code.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import drugs_rs

pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "data" / "formats"
GOLDEN = ROOT / "golden" / "formats"
TRIALS = ("ctgov_new.csv", "ctgov_classic.csv", "studies.json", "studies.ndjson", "study.json", "aact_studies.txt")
NAMES = sorted(path.name for path in FIXTURES.iterdir())


def read(name: str) -> drugs_rs.CleanTable:
    """A fixture as the table it is of."""
    if name.startswith("drugs"):
        return drugs_rs.read_drugs(FIXTURES / name)
    return drugs_rs.read_publications(FIXTURES / name, kind="clinical_trial" if name in TRIALS else "pubmed")


def shown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without the path of the clone, and with dates as text."""
    return [
        {key: str(value) if key == "date" and value else value for key, value in row.items() if key != "source_uri"}
        for row in rows
    ]


def whole(name: str) -> dict[str, Any]:
    """Everything that is known of a fixture once it is read."""
    table = read(name)
    (source,) = table.sources
    counts = {key: value for key, value in source.items() if key not in ("uri", "bytes")}
    refused = [
        {key: value for key, value in row.items() if key != "message"} for row in shown(table.rejected.to_dicts())
    ]
    return {"source": counts, "rows": shown(table.to_dicts()), "rejected": refused}


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_table_of_a_format(name: str) -> None:
    path = GOLDEN / (name + ".golden.json")
    found = whole(name)
    assert found["source"]["rows_in"] == sum(
        found["source"][key] for key in ("rows_kept", "rows_merged", "rows_rejected")
    )
    if os.environ.get("DRUGS_RS_UPDATE_GOLDEN") == "1":
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert path.exists(), "no golden table yet: run with DRUGS_RS_UPDATE_GOLDEN=1 and read what it writes"
    assert found == json.loads(path.read_text(encoding="utf-8"))


def test_every_fixture_has_a_line_that_says_what_is_odd() -> None:
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`formats/{name}`" not in readme] == []
    assert {path.name for path in GOLDEN.iterdir()} == {name + ".golden.json" for name in NAMES}
