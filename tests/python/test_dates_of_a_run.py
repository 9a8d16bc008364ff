"""A run of several dates: each in order, then gold once; the lake is that of a run of each date."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, List, Union

import pytest
from lake_state import hashes
from shell import command
from shell import drugs_rs as shell

import drugs_rs
from drugs_rs.exceptions import ArgumentError, FormatError, SourceNotFoundError

DRUGS = "atccode,drug\nA01,VELORIN\nA02,DORANTEL\n"
HEADER = "id,title,date,journal\n"


def state(lake: Path, *, reports: bool = False) -> dict[str, bytes]:
    """Every file of a lake but its reports and the records of its states, which have times."""
    files = (path for path in lake.rglob("*") if path.is_file())
    found = {path.relative_to(lake).as_posix(): path.read_bytes() for path in files}
    return {name: data for name, data in found.items() if reports or not name.startswith(("reports/", "states/"))}


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """Deliveries of the days 1, 2 and 4; the last one corrects a record of the first."""
    folder = tmp_path / "in"
    for day, text in (
        (1, "1,Velorin,2024-01-01,J\n2,Dorantel,2024-01-01,K\n"),
        (2, "3,Velorin and dorantel,2024-01-02,J\n"),
        (4, "1,Dorantel,2024-01-04,J\n4,,2024-01-04,K\n"),
    ):
        place = folder / f"2024-01-0{day}"
        place.mkdir(parents=True)
        (place / "pubmed.csv").write_text(HEADER + text, encoding="utf-8")
    (folder / "drugs.csv").write_text(DRUGS, encoding="utf-8")
    return folder


Arguments = List[Union[str, Path]]


def of_dates(landing: Path, lake: Path, dates: str, **options: Any) -> dict[str, Any]:
    keywords = {"drugs": landing / "drugs.csv", "pubmed": landing / "{dt}" / "pubmed.csv", **options}
    report: dict[str, Any] = drugs_rs.run(lake=lake, dates=dates, **keywords)
    return report


def test_the_lake_is_that_of_a_run_of_each_date(landing: Path, tmp_path: Path) -> None:
    for day in (1, 2, 4):
        dt = f"2024-01-0{day}"
        single = drugs_rs.run(
            drugs=landing / "drugs.csv", pubmed=landing / dt / "pubmed.csv", lake=tmp_path / "single", dt=dt
        )
    report = of_dates(landing, tmp_path / "lake", "2024-01-01..2024-01-05")
    assert state(tmp_path / "lake") == state(tmp_path / "single")
    assert [(step["step"], step["dt"]) for step in report["steps"]] == [
        ("run", "2024-01-01"),
        ("run", "2024-01-02"),
        ("run", "2024-01-04"),
        ("gold", "2024-01-04"),
    ]
    assert [[step["step"] for step in date["steps"]] for date in report["steps"][:3]] == [["bronze", "silver"]] * 3
    assert report["dates"] == "2024-01-01..2024-01-05"
    assert report["skipped"] == [
        {"dt": "2024-01-03", "missing": [f"{landing}/2024-01-03/pubmed.csv"]},
        {"dt": "2024-01-05", "missing": [f"{landing}/2024-01-05/pubmed.csv"]},
    ]
    numbers = ("mentions", "pairs", "publications", "superseded", "top_journals", "as_of", "held", "dt")
    assert {name: report[name] for name in numbers} == {name: single[name] for name in numbers}
    assert report["rejected"] == {"blank_title": 1}
    totals = [sum(date[name] for date in report["steps"][:3]) for name in ("rows_in", "rows_kept", "rows_rejected")]
    assert totals == [report[name] for name in ("rows_in", "rows_kept", "rows_rejected")]
    assert {step["run_id"] for step in report["steps"]} == {report["run_id"]}
    assert "skipped" not in single and "dates" not in single


def test_made_again_it_changes_nothing(landing: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    of_dates(landing, lake, "2024-01-01..2024-01-04")
    before = state(lake, reports=True)
    report = of_dates(landing, lake, "2024-01-01..2024-01-04")
    assert report["unchanged"] is True
    assert state(lake, reports=True) == before
    # A late delivery is taken in by the same command.
    late = landing / "2024-01-03"
    late.mkdir()
    (late / "pubmed.csv").write_text(HEADER + "9,Velorin,2024-01-03,L\n", encoding="utf-8")
    report = of_dates(landing, lake, "2024-01-01..2024-01-04")
    assert [date["unchanged"] for date in report["steps"]] == [True, True, False, True, False]
    assert "skipped" not in report


def test_later_dates_take_the_vocabulary_of_the_lake(landing: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    with pytest.raises(SourceNotFoundError, match="pass drugs"):
        of_dates(landing, lake, "2024-01-01..2024-01-04", drugs=None)
    assert not lake.exists()
    drugs_rs.run(drugs=landing / "drugs.csv", lake=lake, dt="2024-01-01")
    of_dates(landing, lake, "2024-01-01..2024-01-04", drugs=None)
    assert [path.name for path in (lake / "silver" / "drugs").iterdir()] == ["dt=2024-01-01"]


def test_a_single_date(landing: Path, tmp_path: Path) -> None:
    report = of_dates(landing, tmp_path / "lake", "2024-01-02..2024-01-02")
    assert [step["dt"] for step in report["steps"]] == ["2024-01-02"] * 2


@pytest.mark.parametrize(
    ("dates", "days"),
    [("2024-02-28..2024-03-01", 3), ("2023-02-28..2023-03-01", 2), ("2023-12-31..2024-01-01", 2)],
)
def test_days_follow_the_calendar(dates: str, days: int, landing: Path, tmp_path: Path) -> None:
    for month, day in ((2, 28), (2, 29), (3, 1), (12, 31), (1, 1)):
        for year in (2023, 2024):
            place = landing / "days" / f"{year}-{month:02}-{day:02}.csv"
            place.parent.mkdir(exist_ok=True)
            place.write_text(HEADER + "1,Velorin,2024-01-01,J\n", encoding="utf-8")
    report = of_dates(landing, tmp_path / "lake", dates, pubmed=landing / "days" / "{dt}.csv")
    assert len(report["steps"]) == days + 1


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        (
            "2024-01-05..2024-01-01",
            "dates: `2024-01-05..2024-01-01` ends before it begins; expected the earlier date first",
        ),
        ("2024-01-01", "dates: `2024-01-01`; expected two ISO dates such as 2024-01-01..2024-01-31"),
        ("2024-01-01..", "dates: `2024-01-01..`; expected two ISO dates"),
        ("..2024-01-01", "dates: `..2024-01-01`; expected two ISO dates"),
        ("..", "dates: `..`; expected two ISO dates"),
        ("", "dates: ``; expected two ISO dates"),
        ("2024-02-30..2024-03-01", "dates: `2024-02-30..2024-03-01`; expected two ISO dates"),
        ("2024-1-1..2024-1-3", "dates: `2024-1-1..2024-1-3`; expected two ISO dates"),
        ("2024-01-01...2024-01-03", "dates: `2024-01-01...2024-01-03`; expected two ISO dates"),
        ("2024-01-01:2024-01-03", "dates: `2024-01-01:2024-01-03`; expected two ISO dates"),
    ],
)
def test_dates_that_are_none(dates: str, told: str, landing: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    with pytest.raises(ArgumentError) as refused:
        of_dates(landing, lake, dates)
    assert str(refused.value).startswith(told)
    sources: Arguments = ["--drugs", landing / "drugs.csv", "--pubmed", landing / "{dt}" / "pubmed.csv"]
    finished = shell("run", *sources, "--out", lake, f"--dates={dates}")
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert told in finished.stderr.decode()
    assert not lake.exists()


def test_dates_and_dt_exclude_each_other(landing: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    with pytest.raises(ArgumentError, match="dates: both `dt` and `dates`; expected one of them"):
        of_dates(landing, lake, "2024-01-01..2024-01-02", dt="2024-01-01")
    with pytest.raises(TypeError, match=r"run\(\) missing 1 required keyword-only argument: 'dt', or 'dates'"):
        drugs_rs.run(drugs=landing / "drugs.csv", lake=lake)
    with pytest.raises(TypeError, match="dates must be a string, not int"):
        of_dates(landing, lake, 3)  # type: ignore[arg-type]
    sources: Arguments = ["--drugs", landing / "drugs.csv", "--out", lake]
    for flags, told in (
        (["--dt", "2024-01-01", "--dates", "2024-01-01..2024-01-02"], "cannot be used with"),
        ([], "required"),
    ):
        finished = shell("run", *sources, *flags)
        assert finished.returncode == 2
        assert told in finished.stderr.decode()
    assert not lake.exists()


def test_no_date_has_a_source(landing: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError) as refused:
        of_dates(landing, tmp_path / "lake", "2025-01-01..2025-12-31")
    assert str(refused.value) == (
        f"{landing}/2025-01-01/pubmed.csv: not found; expected the sources of at least one date of "
        "2025-01-01..2025-12-31, and none of them has any"
    )
    assert not (tmp_path / "lake").exists()


def test_sources_without_a_place_for_the_date(landing: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"no source with \{dt\} in its name; expected a source of each date"):
        of_dates(landing, tmp_path / "lake", "2024-01-01..2024-01-02", pubmed=landing / "2024-01-01" / "pubmed.csv")
    assert not (tmp_path / "lake").exists()


def test_an_incomplete_date_leaves_the_lake_untouched(landing: Path, tmp_path: Path) -> None:
    """Two templated sources, of which the last date has one: the first dates are not run either."""
    lake = tmp_path / "lake"
    trials = landing / "{dt}" / "trials.csv"
    for day in (1, 2):
        place = landing / f"2024-01-0{day}" / "trials.csv"
        place.write_text("id,scientific_title,date,journal\nNCT1,Velorin,2024-01-01,T\n", encoding="utf-8")
    with pytest.raises(SourceNotFoundError) as refused:
        of_dates(landing, lake, "2024-01-01..2024-01-04", clinical_trials=trials)
    assert str(refused.value) == (
        f"{landing}/2024-01-04/trials.csv: not found; expected all sources of 2024-01-04 or none, and "
        f"{landing}/2024-01-04/pubmed.csv is there; deliver what is missing, or run other dates; nothing was written"
    )
    assert not lake.exists()
    assert of_dates(landing, lake, "2024-01-01..2024-01-03", clinical_trials=trials)["publications"] == 4


def test_a_missing_source_without_a_date_is_an_error(landing: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="none.csv: not found"):
        of_dates(landing, tmp_path / "lake", "2024-01-01..2024-01-04", drugs=tmp_path / "none.csv")
    assert not (tmp_path / "lake").exists()


def test_empty_folders_and_globs_without_a_match_are_missing(landing: Path, tmp_path: Path) -> None:
    (landing / "2024-01-03").mkdir()
    for number, source in enumerate((landing / "{dt}", landing / "{dt}" / "*.csv")):
        report = of_dates(landing, tmp_path / str(number), "2024-01-02..2024-01-04", pubmed=source)
        assert [date["dt"] for date in report["skipped"]] == ["2024-01-03"]
    with pytest.raises(SourceNotFoundError):
        of_dates(landing, tmp_path / "lake", "2024-01-03..2024-01-03", pubmed=landing / "{dt}")
    # A link without its file is a broken delivery, and no missing one.
    (landing / "2024-01-03" / "pubmed.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(SourceNotFoundError, match="the file that this link leads to"):
        of_dates(landing, tmp_path / "lake", "2024-01-02..2024-01-04", pubmed=landing / "{dt}")
    assert not (tmp_path / "lake").exists()


def test_a_date_that_fails_leaves_the_complete_dates_before_it(landing: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    good = (landing / "2024-01-02" / "pubmed.csv").read_bytes()
    (landing / "2024-01-02" / "pubmed.csv").write_text("[1, 2", encoding="utf-8")
    with pytest.raises(FormatError, match="2024-01-02"):
        of_dates(landing, lake, "2024-01-01..2024-01-04")
    silver = lake / "silver" / "publications" / "kind=pubmed"
    assert [path.name for path in silver.iterdir()] == ["dt=2024-01-01"]
    assert not (lake / "gold").exists()
    (landing / "2024-01-02" / "pubmed.csv").write_bytes(good)
    of_dates(landing, lake, "2024-01-01..2024-01-04")
    of_dates(landing, tmp_path / "other", "2024-01-01..2024-01-04")
    assert state(lake) == state(tmp_path / "other")


def test_the_command_prints_a_line_for_each_date_and_the_totals(landing: Path, tmp_path: Path) -> None:
    arguments: Arguments = ["--drugs", landing / "drugs.csv", "--pubmed", landing / "{dt}" / "pubmed.csv"]
    arguments += ["--dates", "2024-01-01..2024-01-04"]
    finished = shell("run", *arguments, "--out", tmp_path / "lake")
    assert finished.returncode == 0, finished.stderr.decode()
    text = finished.stdout.decode()
    assert text.startswith(f"run of 2024-01-01..2024-01-04 into {tmp_path}/lake (")
    assert "Dates: 3 run, 1 skipped" in text
    (skipped,) = [line for line in text.splitlines() if "2024-01-03" in line]
    assert skipped.split() == ["2024-01-03", "skipped:", "no", f"{landing}/2024-01-03/pubmed.csv"]
    (first,) = [line for line in text.splitlines() if line.split()[:1] == ["2024-01-01"]]
    assert first.split()[1:5] == ["4", "4", "0", "0"]
    finished = shell("run", *arguments, "--out", tmp_path / "lake", "--json")
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [(line["dt"], line.get("skipped"), line.get("step")) for line in lines[:4]] == [
        ("2024-01-01", None, "run"),
        ("2024-01-02", None, "run"),
        ("2024-01-03", True, None),
        ("2024-01-04", None, "run"),
    ]
    (together,) = lines[4:]
    assert (together["dates"], together["mentions"]) == ("2024-01-01..2024-01-04", 4)
    assert [step["step"] for step in together["steps"]] == ["gold"]
    assert shell("run", *arguments, "--out", tmp_path / "lake", "--quiet").stdout == b""


def test_names_in_a_list_have_the_date_too(landing: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text(f"{landing}/{{dt}}/pubmed.csv\n", encoding="utf-8")
    arguments: Arguments = [
        "--drugs",
        landing / "drugs.csv",
        "--pubmed",
        f"@{names}",
        "--dates",
        "2024-01-01..2024-01-02",
    ]
    finished = shell("run", *arguments, "--out", tmp_path / "lake", "--json")
    assert finished.returncode == 0, finished.stderr.decode()
    assert len(finished.stdout.splitlines()) == 3


def test_ctrl_c_ends_between_the_dates_and_the_command_continues(tmp_path: Path) -> None:
    landing, lake = tmp_path / "in", tmp_path / "lake"
    rows = "".join(f"{number},Velorin no. {number},2024-01-01,J\n" for number in range(3000))
    for month in range(1, 13):
        for day in range(1, 29):
            place = landing / f"2024-{month:02}-{day:02}.csv"
            place.parent.mkdir(exist_ok=True)
            place.write_text(HEADER + rows, encoding="utf-8")
    (tmp_path / "drugs.csv").write_text(DRUGS, encoding="utf-8")
    arguments: Arguments = ["run", "--drugs", tmp_path / "drugs.csv", "--pubmed", landing / "{dt}.csv", "--quiet"]
    arguments += ["--out", lake, "--dates", "2024-01-01..2024-12-31"]
    process = subprocess.Popen(command(*arguments), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(list(lake.glob("silver/publications/kind=pubmed/*"))) < 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    done = list(lake.glob("silver/publications/kind=pubmed/*"))
    assert 3 <= len(done) < 336
    assert not (lake / "gold").exists()
    assert shell("lake", "verify", lake).returncode == 0


def test_one_date_stands_in_the_names_of_sources_too(landing: Path, tmp_path: Path) -> None:
    lakes = [tmp_path / "named", tmp_path / "plain"]
    for lake, name in zip(lakes, ("{dt}", "2024-01-02")):
        drugs_rs.run(lake=lake, dt="2024-01-02", drugs=landing / "drugs.csv", pubmed=landing / name / "pubmed.csv")
    assert hashes(lakes[0], "gold", "silver") == hashes(lakes[1], "gold", "silver")
