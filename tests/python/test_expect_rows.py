"""Deliveries of another size: refused before silver is committed if asked for, and told in any case."""

from __future__ import annotations

import json
import shutil
import statistics
from typing import TYPE_CHECKING, Any

import pytest
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs.exceptions import ArgumentError, InputError, RowCountError

if TYPE_CHECKING:
    from pathlib import Path


def state(lake: Path, *but: str) -> dict[str, bytes]:
    """Every file of a lake, but those below some folders."""
    files = (path for path in lake.rglob("*") if path.is_file())
    found = {path.relative_to(lake).as_posix(): path.read_bytes() for path in files}
    return {name: data for name, data in found.items() if not name.startswith(but or ("/",))}


def source(folder: Path, rows: int, *, bad: int = 0) -> Path:
    path = folder / f"{rows}-{bad}.csv"
    lines = ["id,title,date,journal", *(f"{number},Velorin {number},2024-01-01,J" for number in range(rows))]
    lines += [f"{rows + number},,2024-01-01,J" for number in range(bad)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def vocabulary(folder: Path, rows: int) -> Path:
    path = folder / f"drugs-{rows}.csv"
    names = "".join(f"A{number:02},VELORIN{'abcdefghijklmnopqrstuvwxyz'[number]}\n" for number in range(rows))
    path.write_text("atccode,drug\n" + names, encoding="utf-8")
    return path


def deliver(lake: Path, rows: int, day: int, share: str | None = None, **options: Any) -> dict[str, Any]:
    """Bronze and silver of one delivery."""
    dt = f"2024-01-{day:02}"
    drugs_rs.bronze(lake=lake, dt=dt, pubmed=source(lake.parent, rows, **options))
    report: dict[str, Any] = drugs_rs.silver(lake=lake, dt=dt, expect_rows=share)
    return report


@pytest.mark.parametrize(
    ("earlier", "share", "rows", "passes"),
    [
        ([100, 100, 100], "50%", 50, True),
        ([100, 100, 100], "50%", 49, False),
        ([100, 100, 100], "50%", 150, True),
        ([100, 100, 100], "50%", 151, False),
        ([100, 100], "50%", 1, True),  # two are no usual size
        ([], "0%", 5, True),
        ([10, 10, 10], "0%", 10, True),
        ([10, 10, 10], "0%", 11, False),
        ([10, 20, 30, 40], "20%", 20, True),  # the median is 25
        ([10, 20, 30, 40], "20%", 31, False),
        ([1, 1, 100, 100, 100, 100, 100], "12.5%", 88, True),
        ([1, 1, 100, 100, 100, 100, 100], "12.5%", 87, False),
        # Only the last seven count.
        ([1, 1, 1, 1, 50, 50, 50, 50, 50, 50, 50], "10%", 50, True),
        ([50, 50, 50, 50, 1, 1, 1, 1, 1, 1, 1], "10%", 50, False),
        ([40, 40, 40], "100%", 0, True),
        ([40, 40, 40], "99.999%", 0, False),
        ([40, 40, 40], "200%", 120, True),
        ([40, 40, 40], "200%", 121, False),
        ([0, 0, 0], "50%", 0, True),
        ([0, 0, 0], "50%", 1, False),
    ],
)
def test_the_median_of_the_deliveries_before(
    earlier: list[int], share: str, rows: int, passes: bool, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    for day, count in enumerate(earlier, 1):
        deliver(lake, count, day)
    # A later date says nothing about this one.
    deliver(lake, 7, 28)
    drugs_rs.bronze(lake=lake, dt="2024-01-20", pubmed=source(tmp_path, rows))
    before = state(lake)
    if passes:
        report = drugs_rs.silver(lake=lake, dt="2024-01-20", expect_rows=share)
        assert (report["rows_kept"], "shrunk" in report) == (rows, False)
        return
    with pytest.raises(RowCountError) as refused:
        drugs_rs.silver(lake=lake, dt="2024-01-20", expect_rows=share)
    last = earlier[-7:]
    told = str(refused.value)
    assert told.startswith(
        f"{lake}/silver/publications/kind=pubmed/dt=2024-01-20: {rows} kept rows, and the median of the "
    )
    assert (
        f"median of the {len(last)} deliveries before it is {statistics.median(last):g}: expect_rows={share} allows "
        in told
    )
    assert told.endswith(
        "; nothing was written to silver; check the delivery, or accept it with a run without expect_rows "
        "(--expect-rows)"
    )
    assert state(lake) == before
    assert isinstance(refused.value, InputError)
    # What was refused is accepted without the option, and then stands.
    assert drugs_rs.silver(lake=lake, dt="2024-01-20")["rows_kept"] == rows
    assert drugs_rs.silver(lake=lake, dt="2024-01-20", expect_rows=share)["unchanged"] is True


@pytest.mark.parametrize(
    ("before", "share", "rows", "passes"),
    [
        (100, "50%", 50, True),
        (100, "50%", 49, False),
        (100, "50%", 1000, True),  # growing is no loss, and there is no median
        (3, "0%", 2, False),
        (3, "33.333%", 2, False),
        (3, "33.334%", 2, True),
        (3, "100%", 0, True),
        (0, "0%", 0, True),
    ],
)
def test_a_delivery_that_shrinks_its_partition(
    before: int, share: str, rows: int, passes: bool, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    deliver(lake, before, 5)
    drugs_rs.bronze(lake=lake, dt="2024-01-05", pubmed=source(tmp_path, rows))
    lost = [{"table": "pubmed", "dt": "2024-01-05", "rows_before": before, "rows": rows}] if rows < before else None
    unchanged = state(lake)
    if not passes:
        with pytest.raises(
            RowCountError, match=f"{rows} kept rows, and the delivery that it replaces has {before}: exp"
        ):
            drugs_rs.silver(lake=lake, dt="2024-01-05", expect_rows=share)
        assert state(lake) == unchanged
        share_or_none = None
    else:
        share_or_none = share
    report = drugs_rs.silver(lake=lake, dt="2024-01-05", expect_rows=share_or_none)
    assert report.get("shrunk") == lost
    saved = json.loads((lake / "reports" / "silver" / "dt=2024-01-05" / "pubmed.json").read_text(encoding="utf-8"))
    assert saved.get("shrunk") == lost


def test_rows_that_were_rejected_are_not_kept(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for day in (1, 2, 3):
        deliver(lake, 10, day)
    with pytest.raises(RowCountError, match="^.*: 4 kept rows"):
        deliver(lake, 4, 4, "50%", bad=6)


def test_tables_are_compared_with_their_own_deliveries(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for day in (1, 2, 3):
        deliver(lake, 100, day)
    trials = tmp_path / "trials.csv"
    trials.write_text("id,scientific_title,date,journal\nNCT1,Velorin,2024-01-01,J\n", encoding="utf-8")
    dt = "2024-01-04"
    drugs_rs.bronze(
        lake=lake, dt=dt, pubmed=source(tmp_path, 90), clinical_trials=trials, drugs=vocabulary(tmp_path, 2)
    )
    drugs_rs.silver(lake=lake, dt=dt, expect_rows="50%")
    # One table that is refused keeps the others from being written.
    drugs_rs.bronze(lake=lake, dt=dt, pubmed=source(tmp_path, 9), drugs=vocabulary(tmp_path, 3))
    before = state(lake)
    with pytest.raises(RowCountError, match="kind=pubmed"):
        drugs_rs.silver(lake=lake, dt=dt, expect_rows="50%", hold=True)
    assert state(lake) == before
    drugs_rs.silver(lake=lake, dt=dt, tables=["drugs"], expect_rows="50%")
    drugs_rs.bronze(lake=lake, dt=dt, drugs=vocabulary(tmp_path, 1))
    with pytest.raises(
        RowCountError, match=f"{lake}/silver/drugs/dt={dt}: 1 kept rows, and the delivery that it replaces"
    ):
        drugs_rs.silver(lake=lake, dt=dt, tables=["drugs"], expect_rows="50%")


def test_a_run_keeps_silver_and_gold(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(drugs=vocabulary(tmp_path, 2), pubmed=source(tmp_path, 20), lake=lake, dt="2024-01-01")
    before = state(lake, "bronze/", "reports/bronze/")
    with pytest.raises(RowCountError, match="expect_rows=50% allows 10 or more"):
        drugs_rs.run(pubmed=source(tmp_path, 5), lake=lake, dt="2024-01-01", expect_rows="50%")
    assert state(lake, "bronze/", "reports/bronze/") == before
    report = drugs_rs.run(pubmed=source(tmp_path, 5), lake=lake, dt="2024-01-01")
    assert report["shrunk"] == [{"table": "pubmed", "dt": "2024-01-01", "rows_before": 20, "rows": 5}]
    assert report["publications"] == 5


def test_several_dates_compare_each_with_those_before(tmp_path: Path) -> None:
    lake, landing = tmp_path / "lake", tmp_path / "in"
    landing.mkdir()
    for day, rows in enumerate((10, 11, 9, 2, 10), 1):
        source(tmp_path, rows).replace(landing / f"2024-01-{day:02}.csv")
    keywords: dict[str, Any] = {"drugs": vocabulary(tmp_path, 2), "pubmed": landing / "{dt}.csv", "lake": lake}
    with pytest.raises(RowCountError, match="dt=2024-01-04: 2 kept rows, and the median of the 3 deliveries before"):
        drugs_rs.run(**keywords, dates="2024-01-01..2024-01-05", expect_rows="50%")
    silver = sorted(path.name for path in (lake / "silver" / "publications" / "kind=pubmed").iterdir())
    assert silver == ["dt=2024-01-01", "dt=2024-01-02", "dt=2024-01-03"]


def test_a_partition_that_was_removed_by_hand_is_no_delivery(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for day in (1, 2, 3):
        deliver(lake, 100, day)
    shutil.rmtree(lake / "silver" / "publications" / "kind=pubmed" / "dt=2024-01-02")
    assert deliver(lake, 1, 4, "50%")["rows_kept"] == 1


def test_a_damaged_manifest_is_left_out(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for day in (1, 2, 3):
        deliver(lake, 100, day)
    (lake / "silver" / "manifests" / "pubmed" / "dt=2024-01-02.json").write_text("{", encoding="utf-8")
    assert deliver(lake, 1, 4, "50%")["rows_kept"] == 1


@pytest.mark.parametrize(
    "share", ["", "50", "0.5", "%", "-50%", "+5%", "50 %", "5e1%", "inf%", "NaN%", "half", "1.2345%"]
)
def test_shares_that_are_none(share: str, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs = vocabulary(tmp_path, 1)
    told = f"expect_rows: `{share}`; expected a share such as 50%, with at most three decimals"
    with pytest.raises(ArgumentError) as refused:
        drugs_rs.run(drugs=drugs, lake=lake, dt="2024-01-01", expect_rows=share)
    assert str(refused.value) == told
    with pytest.raises(ArgumentError):
        drugs_rs.silver(lake=lake, dt="2024-01-01", expect_rows=share)
    finished = shell("run", "--drugs", drugs, "--out", lake, "--dt", "2024-01-01", f"--expect-rows={share}")
    assert (finished.returncode, told in finished.stderr.decode()) == (2, True)
    assert not lake.exists()
    for wrong in (50, 0.5, True):
        with pytest.raises(TypeError):
            drugs_rs.silver(lake=lake, dt="2024-01-01", expect_rows=wrong)  # type: ignore[arg-type]


def test_the_command_and_its_variable(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    deliver(lake, 10, 1)
    drugs_rs.bronze(lake=lake, dt="2024-01-01", pubmed=source(tmp_path, 4))
    arguments: list[str | Path] = ["silver", "--out", lake, "--dt", "2024-01-01"]
    finished = shell(*arguments, "--expect-rows", "50%", "--json")
    assert (finished.returncode, finished.stdout) == (1, b"")
    error = json.loads(finished.stderr)["error"]
    assert (error["class"], error["exit_code"]) == ("RowCountError", 1)
    finished = shell(*arguments, variables={"DRUGS_RS_EXPECT_ROWS": "50%"})
    assert (finished.returncode, b"4 kept rows" in finished.stderr) == (1, True)
    finished = shell(*arguments, variables={"DRUGS_RS_EXPECT_ROWS": "fifty"})
    assert finished.returncode == 2
    assert "comes from the environment variable DRUGS_RS_EXPECT_ROWS" in finished.stderr.decode()
    finished = shell(*arguments, variables={"DRUGS_RS_EXPECT_ROWS": ""})
    assert finished.returncode == 0, finished.stderr.decode()
    text = finished.stdout.decode()
    assert "Notice: fewer rows than in the delivery that was replaced" in text
    (line,) = [line for line in text.splitlines() if line.split()[:2] == ["pubmed", "2024-01-01"]]
    assert line.split()[2:] == ["10", "4"]


def test_the_option_changes_no_byte(tmp_path: Path) -> None:
    made = []
    for share in ("50%", None):
        lake = tmp_path / "lake"
        for day in (1, 2, 3, 4):
            deliver(lake, 10 + day, day, share)
        made.append(state(lake, "reports/"))
        lake.rename(tmp_path / str(share))
    assert made[0] == made[1]
