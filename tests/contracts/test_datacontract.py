"""The contract by the tool of the standard: it takes the contract, and counts what this program counts.

The tool has an environment of its own, `.venv/contracts`; `make test-contracts` runs this.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import drugs_rs

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("DRUGS_RS_DATACONTRACT", ROOT / ".venv" / "contracts")) / "bin" / "datacontract"
SHIPPED = ROOT / "python" / "drugs_rs" / "contracts" / "lake.odcs.yaml"
TABLES = ("publications_all", "drugs_all", "rejected", "publications", "mentions", "journals")

# Rows that break rules: dates and journals that are missing or impossible, ids that are missing or of another form, a
# code that is no ATC code, rows that are rejected.
DRUGS = "atccode,drug\nA04AD,DIPHENHYDRAMINE\n6302001,TETRACYCLINE\nN02BA01,ASPIRIN\n,EPINEPHRINE\n,\n"
DAYS = (
    (
        "id,title,date,journal\n"
        "1,Diphenhydramine for motion sickness,2020-01-01,Annals\n"
        "2,Aspirin without a date,,Annals\n"
        "3,Aspirin on an impossible day,31/02/2020,\n"
        ",Tetracycline without an id,2020-01-04,Annals\n"
        "x-9,Epinephrine with another id,2020-02,\n"
        "4,,2020-01-01,Annals\n"
    ),
    "id,title,date,journal\n1,Diphenhydramine for motion sickness,,Annals\n5,Nothing of note,2021,Letters\n",
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    (folder / "drugs.csv").write_text(DRUGS, encoding="utf-8")
    for number, rows in enumerate(DAYS, start=1):
        given = folder / f"pubmed-{number}.csv"
        given.write_text(rows, encoding="utf-8")
        lake = folder / "lake"
        drugs_rs.run(drugs=folder / "drugs.csv", pubmed=given, lake=lake, dt=f"2024-01-0{number}")
    return folder / "lake"


def datacontract(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(PROGRAM), *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def checks(table: str, lake: Path, contract: Path, folder: Path) -> list[dict[str, Any]]:
    """The results of `datacontract test` for a table, in the folder of the lake."""
    out = folder / f"{table}.json"
    words = ("--server", table, "--schema-name", table, "--output-format", "json", "--output", out)
    datacontract("test", *words, contract, cwd=lake)
    found: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["checks"]
    return found


def test_the_tool_takes_the_contract(tmp_path: Path) -> None:
    done = datacontract("lint", SHIPPED, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / "broken.yaml"
    broken.write_text(SHIPPED.read_text(encoding="utf-8").replace("conformity", "niceness", 1), encoding="utf-8")
    assert datacontract("lint", broken, cwd=tmp_path).returncode == 1, "lint must be able to fail"


@pytest.mark.parametrize("table", TABLES)
def test_the_tool_counts_the_same(table: str, lake: Path, tmp_path: Path) -> None:
    ours = {result["rule"]: result for result in drugs_rs.Lake(lake).quality()["rules"] if result["table"] == table}
    assert ours, "a table without rules shows nothing"
    found = checks(table, lake, SHIPPED, tmp_path)
    theirs = {check["qualityId"]: check for check in found if check.get("qualityId") in ours}
    assert set(theirs) == set(ours)
    for rule, check in theirs.items():
        assert check["result"] in ("passed", "failed", "warning"), check
        result = ours[rule]
        value = check["diagnostics"]["value"]
        # A rule of SQL has its share as its value.
        expected = result["percent"] if result["metric"] == "flaggedRows" else result["count"]
        assert value == pytest.approx(expected, abs=1e-6), (rule, check)
        assert (check["result"] == "passed") is result["passed"], (rule, check)
    # The columns that are never null, and the types and keys, which both tools know of themselves.
    others = [check for check in found if check.get("qualityId") not in ours and check["category"] != "servicelevel"]
    assert others
    assert {check["result"] for check in others} <= {"passed", "warning"}, others


def test_silver_counts_the_same_before_it_commits(lake: Path, tmp_path: Path) -> None:
    """The one pass of silver, and a look at the files afterwards."""
    again = tmp_path / "again"
    folder = lake.parent
    report = drugs_rs.run(
        drugs=folder / "drugs.csv", pubmed=folder / "pubmed-1.csv", lake=again, dt="2024-01-01", contract="default"
    )
    ours = {result["rule"]: result for result in report["quality"] if result["table"] == "publications_all"}
    found = checks("publications_all", again, SHIPPED, tmp_path)
    theirs = {check["qualityId"]: check["diagnostics"]["value"] for check in found if check.get("qualityId") in ours}
    assert theirs["date_present"] == ours["date_present"]["count"] == 2
    assert theirs["publication_id_form"] == ours["publication_id_form"]["count"] == 1
    assert {rule: check["count"] for rule, check in ours.items() if check["metric"] != "flaggedRows"} == {
        rule: theirs[rule] for rule, check in ours.items() if check["metric"] != "flaggedRows"
    }
