"""Rejected rows come back corrected: they are resolved, counted, and in the graph; nothing else changes."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import shell
from bucket_peers import Google
from corrected_rows import (
    BAD_ARTICLES,
    HEADER,
    all_corrected,
    article_lake,
    content,
    corrected,
    gold,
    law_holds,
    read_fix,
    taken_out,
    write,
    write_fix,
)
from fenced_blocks import blocks
from lake_state import hashes, stamps
from lake_tables import DT, publications, rejected
from written_sources import write_drugs

import drugs_rs
from drugs_rs import Lake, exceptions

pytestmark = pytest.mark.core


def test_corrected_rows_are_resolved_and_in_the_graph(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    rows = taken_out(lake, tmp_path / "fix.csv")
    assert [row["reason"] for row in rows if row["table"] == "pubmed"] == [
        reason for _, reason in BAD_ARTICLES if reason is not None
    ]
    before = {row["table"]: row["rejected_share"] for row in lake.status().to_dicts()}
    report = lake.replay(write_fix(tmp_path / "fix.csv", all_corrected(rows)))
    counts = {name: report[name] for name in ("rows", "resolved", "changed", "already_resolved", "withdrawn", "open")}
    assert counts == {"rows": 4, "resolved": 4, "changed": 0, "already_resolved": 0, "withdrawn": 0, "open": 0}
    assert not report["still_rejected"] and not report["stale"] and not report["unchanged"]
    for step in report["steps"]:
        assert step["rows_in"] == step["rows_kept"] + step["rows_merged"] + step["rows_rejected"]
    pubmed = next(step for step in report["steps"] if step["sources"][0]["table"] == "pubmed")
    assert (pubmed["sources"][0]["rows_in"], pubmed["sources"][0]["rows_kept"], pubmed["corrected"]) == (5, 5, 3)
    law_holds(lake)
    after = {row["table"]: row["rejected_share"] for row in lake.status().to_dicts()}
    assert all(after[table] == 0 < before[table] for table in before)
    assert len(lake.rejected(DT)) == 0 and not rejected(Path(lake.root), "publications/kind=pubmed")
    gold(lake)
    found = lake.scan("mentions", ["publication_id", "surface"]).read().to_dicts()
    assert {row["publication_id"] for row in found if row["surface"] == "Metoprolol"} == {
        row["id"] for row in all_corrected(rows) if row["table"] == "pubmed"
    }
    # The row of silver is in the place of the rejected one.
    [row] = [row for row in publications(Path(lake.root)) if row["publication_id"] == "2"]
    assert (row["source_uri"], str(row["source_row"])) == (rows[-3]["source_uri"], rows[-3]["source_row"])
    assert shell.drugs_rs("lake", "verify", lake.root).returncode == 0


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    fix = write_fix(tmp_path / "fix.csv", all_corrected(taken_out(lake, tmp_path / "fix.csv")))
    lake.replay(fix)
    gold(lake)
    before = stamps(Path(lake.root))
    report = lake.replay(fix)
    assert (report["already_resolved"], report["resolved"], report["unchanged"]) == (4, 0, True)
    drugs_rs.silver(lake=lake.root, dt=DT)
    gold(lake)
    assert stamps(Path(lake.root)) == before


def test_silver_from_nothing_has_the_same_bytes_in_any_order_of_replays(tmp_path: Path) -> None:
    lakes = [article_lake(tmp_path, name) for name in ("a", "b")]
    rows = all_corrected(taken_out(lakes[0], tmp_path / "fix.csv"))
    lakes[0].replay(write_fix(tmp_path / "fix.csv", rows))
    for row in reversed(rows):
        # A spreadsheet of another country saves it with semicolons.
        lakes[1].replay(write_fix(tmp_path / "one.csv", [row], delimiter=";"))
        law_holds(lakes[1])
    for lake in lakes:
        gold(lake)
    assert content(lakes[0]) == content(lakes[1])
    shutil.rmtree(f"{lakes[1].root}/silver")
    shutil.rmtree(f"{lakes[1].root}/gold")
    drugs_rs.silver(lake=lakes[1].root, dt=DT)
    gold(lakes[1])
    assert content(lakes[0]) == content(lakes[1])


def test_a_replay_killed_at_any_moment_is_finished(tmp_path: Path) -> None:
    done = article_lake(tmp_path, "done")
    fix = write_fix(tmp_path / "fix.csv", all_corrected(taken_out(done, tmp_path / "fix.csv")))
    before = hashes(Path(done.root), "bronze", "silver")
    began = time.monotonic()
    shutil.copytree(done.root, str(tmp_path / "timed"))
    assert shell.drugs_rs("replay", tmp_path / "timed", fix).returncode == 0
    whole = time.monotonic() - began
    states = set()
    for part in (0.5, 0.7, 0.8, 0.9):
        lake = tmp_path / f"killed-{part}"
        shutil.copytree(done.root, str(lake))
        with subprocess.Popen(shell.command("replay", lake, fix), stdout=subprocess.DEVNULL) as process:
            time.sleep(part * whole)
            process.kill()
        Lake(lake).replay(fix)
        law_holds(Lake(lake))
        states.add(frozenset(hashes(lake, "bronze", "silver").items()))
    done.replay(fix)
    assert states == {frozenset(hashes(Path(done.root), "bronze", "silver").items())}
    assert hashes(Path(done.root), "bronze", "silver") != before


def test_the_settings_of_silver_stay(tmp_path: Path) -> None:
    lake = article_lake(tmp_path, month_first=True, on_bad_file="reject", max_ratio=0)
    rows = taken_out(lake, tmp_path / "fix.csv", "blank_title")
    lake.replay(write_fix(tmp_path / "fix.csv", [corrected(rows[0], title="Aspirin again")]))
    [row] = [row for row in publications(Path(lake.root)) if row["publication_id"] == "2"]
    assert str(row["date"]) == "2020-02-03"
    settings: dict[str, Any] = {"month_first": True, "on_bad_file": "reject", "max_ratio": 0}
    before = stamps(Path(lake.root))
    # What the quality gate judges when the task is cleared.
    again = drugs_rs.silver(lake=lake.root, dt=DT, **settings)
    assert (again["unchanged"], again["rows_rejected"], again["rejected"].get("blank_title")) == (True, 3, None)
    assert stamps(Path(lake.root)) == before
    Path(lake.root, f"reports/silver/dt={DT}/pubmed.json").unlink()
    with pytest.raises(exceptions.FormatError, match="no record of the settings"):
        lake.replay(tmp_path / "fix.csv")


XML_ARTICLE = (
    "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>7</PMID><Article><Journal><Title>J</Title></Journal>"
    "<ArticleTitle></ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
)

PREFILLED = {
    "csv": (
        "pubmed.csv",
        HEADER + '7,,2020-01-02,"A ""quoted"", journal"\n',
        {"id": "7", "title": "", "date": "2020-01-02", "journal": 'A "quoted", journal'},
    ),
    "semicolons": ("pubmed.csv", "title;id;journal;date\n ;7;J;2020\n", {"id": "7", "journal": "J", "date": "2020"}),
    "json": (
        "pubmed.json",
        '[{"id": 7, "title": " ", "date": "2020", "journal": "J", "abstract": "Text."}]',
        {"id": "7", "journal": "J", "date": "2020", "abstract": "Text."},
    ),
    "json without a title": (
        "pubmed.json",
        '[{"id": 7, "date": "2020", "journal": "J"}, {"id": 8, "title": "A", "date": "2020", "journal": "J"}]',
        {"id": "7", "title": "", "date": "2020", "journal": "J"},
    ),
    "ndjson of another type": (
        "pubmed.ndjson",
        '{"id": "7", "title": {}, "date": "2020", "journal": "J"}\n',
        {"id": ""},
    ),
    "no object": ("pubmed.json", '[{"id": 1, "title": "A", "date": "", "journal": ""}, 5]', {"id": ""}),
    "legacy": (
        "pubmed.csv",
        "Title,EntrezUID,ShortDetails,Details\n,7,J Test.  2019,J Test. 2019 Jun 26;6:1.\n",
        {"id": "7", "journal": "J Test", "date": "2019 Jun 26"},
    ),
    "xml": (
        "pubmed.xml",
        XML_ARTICLE,
        {"id": "7", "journal": "J"},
    ),
}


@pytest.mark.parametrize("case", PREFILLED)
def test_values_that_can_be_read_are_filled_in(case: str, tmp_path: Path) -> None:
    name, text, expected = PREFILLED[case]
    drugs = write_drugs(tmp_path / "drugs.csv", ("A", "aspirin"))
    drugs_rs.bronze(lake=tmp_path / "lake", dt=DT, drugs=drugs, pubmed=write(tmp_path / name, text))
    drugs_rs.silver(lake=tmp_path / "lake", dt=DT)
    lake = Lake(tmp_path / "lake")
    [row] = taken_out(lake, tmp_path / "fix.csv")
    assert {key: row[key] for key in expected} == expected
    assert lake.rejected(DT).to_dicts()[0]["raw"] == row["raw"]
    report = lake.replay(write_fix(tmp_path / "fix.csv", [corrected(row, id="7", title="Aspirin")]))
    assert (report["resolved"], report["open"]) == (1, 0)
    assert any(row["title"] == "Aspirin" for row in publications(tmp_path / "lake"))


def test_trials_keep_their_interventions(tmp_path: Path) -> None:
    text = "id,scientific_title,date,journal,interventions\nNCT00000001,,2020,J,DRUG: Aspirin\n"
    sources: dict[str, Any] = {
        "drugs": write_drugs(tmp_path / "drugs.csv", ("A", "aspirin")),
        "clinical_trials": write(tmp_path / "t.csv", text),
    }
    drugs_rs.run(lake=tmp_path / "lake", dt=DT, fields=["interventions"], **sources)
    lake = Lake(tmp_path / "lake")
    [row] = taken_out(lake, tmp_path / "fix.csv")
    assert row["interventions"] == "DRUG: Aspirin" and "drug" not in row
    lake.replay(write_fix(tmp_path / "fix.csv", [corrected(row, title="A trial")]))
    assert drugs_rs.gold(lake=lake.root, dt=DT, fields=["abstract"])["mentions"] == 1


def test_a_row_that_is_still_bad_stays_open(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    rows = taken_out(lake, tmp_path / "fix.csv")
    drug, first, second, third = all_corrected(rows)
    bad = [corrected(drug, drug=" "), corrected(first, title=""), corrected(second, title="\u00a0"), third]
    report = lake.replay(write_fix(tmp_path / "fix.csv", bad))
    found = [(row["row"], row["reason"], row["source_row"]) for row in report["still_rejected"]]
    places = [int(row["source_row"]) for row in rows]
    assert found == [(2, "blank_drug", places[0]), (3, "blank_title", places[1]), (4, "blank_title", places[2])]
    # The rejected drug is left too, although its table is as it was.
    assert (report["rows"], report["resolved"], report["open"]) == (4, 1, 3)
    law_holds(lake)
    assert [row["source_row"] for row in lake.rejected(DT).to_dicts()] == places[:3]
    # Another try, as JSON that holds what no table may.
    line = {**rows[1], "title": "a\0b", "source_row": places[1]}
    report = lake.replay(write(tmp_path / "fix.ndjson", json.dumps(line) + "\n"))
    assert [row["reason"] for row in report["still_rejected"]] == ["nul_byte"]
    report = lake.replay(write(tmp_path / "fix.ndjson", json.dumps({**line, "title": "Aspirin\r\n at\nlast"}) + "\n"))
    assert (report["resolved"], report["open"]) == (1, 1)
    assert "Aspirin at last" in [row["title"] for row in publications(Path(lake.root))]
    # A correction that is bad does not take away the one before.
    report = lake.replay(write(tmp_path / "fix.ndjson", json.dumps({**line, "title": ""}) + "\n"))
    assert len(report["still_rejected"]) == 1 and report["unchanged"]
    assert "Aspirin at last" in [row["title"] for row in publications(Path(lake.root))]


def test_a_later_replay_changes_a_correction_and_withdrawing_opens_the_row_again(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    silver = hashes(Path(lake.root), "bronze", "silver")
    [row] = taken_out(lake, tmp_path / "fix.csv", "blank_title")
    for title, counts in (("Aspirin one", (1, 0)), ("Aspirin two", (0, 1))):
        report = lake.replay(write_fix(tmp_path / "fix.csv", [corrected(row, title=title)]))
        assert (report["resolved"], report["changed"], report["unchanged"]) == (*counts, False)
    titles = [row["title"] for row in publications(Path(lake.root)) if row["publication_id"] == "2"]
    assert titles == ["Aspirin two"]
    law_holds(lake)
    [listed] = lake.rejected(DT, corrected=True).to_dicts()
    assert (listed["state"], listed["row_id"], listed["title"]) == ("resolved", row["row_id"], "Aspirin two")
    report = lake.replay(tmp_path / "fix.csv", withdraw=True)
    assert (report["withdrawn"], report["open"]) == (1, 3)
    assert len(lake.rejected(DT, corrected=True)) == 0
    # As if nothing had been replayed, down to the bytes.
    assert hashes(Path(lake.root), "bronze", "silver") == silver
    with pytest.raises(exceptions.FormatError, match="row 2: .* is no rejected or corrected row"):
        lake.replay(tmp_path / "fix.csv", withdraw=True)


def test_a_file_that_was_rejected_whole_is_to_be_delivered_again(tmp_path: Path) -> None:
    drugs = write_drugs(tmp_path / "drugs.csv", ("A", "aspirin"))
    pubmed = [write(tmp_path / "a.csv", HEADER + "1,,2020,J\n"), write(tmp_path / "b.csv", "")]
    drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=tmp_path / "lake", dt=DT, on_bad_file="reject")
    lake = Lake(tmp_path / "lake")
    rows = taken_out(lake, tmp_path / "fix.csv")
    report = lake.replay(write_fix(tmp_path / "fix.csv", [corrected(row, title="Aspirin") for row in rows]))
    assert [row["reason"] for row in report["still_rejected"]] == ["bad_file"]
    assert "deliver the file again" in report["still_rejected"][0]["message"]
    assert (report["resolved"], report["open"]) == (1, 1)
    law_holds(lake)


def test_another_row_at_the_place_of_a_corrected_one_is_rejected(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    [row] = taken_out(lake, tmp_path / "fix.csv", "blank_title")
    old = write_fix(tmp_path / "old.csv", [corrected(row, title="Aspirin again")])
    lake.replay(old)
    drugs, pubmed = tmp_path / "in" / "drugs.csv", tmp_path / "in" / "pubmed.csv"
    text = pubmed.read_text(encoding="utf-8")
    # The delivery again: with the same row, it stays resolved.
    drugs_rs.run(drugs=drugs, pubmed=write(pubmed, text + "6,Aspirin,2020,J\n"), lake=lake.root, dt=DT)
    assert len(lake.rejected(DT, "blank_title")) == 0
    other = text.replace("\n2,,", "\n22,,")
    report = drugs_rs.run(drugs=drugs, pubmed=write(pubmed, other), lake=lake.root, dt=DT)
    assert report["stale_corrections"] == 1
    [row] = taken_out(lake, tmp_path / "fix.csv", "blank_title")
    assert row["id"] == "22"
    law_holds(lake)
    # The file from before names a row that is gone. It is known, so it changes nothing but is said to be stale.
    report = lake.replay(old)
    assert (report["already_resolved"], [stale["source_row"] for stale in report["stale"]]) == (1, [3])
    assert [row["title"] for row in publications(Path(lake.root)) if row["title"] == "Aspirin again"] == []
    report = lake.replay(write_fix(tmp_path / "fix.csv", [corrected(row, title="New")]))
    assert (report["resolved"], len(report["stale"])) == (1, 1)
    states = {row["state"]: row for row in lake.rejected(DT, corrected=True, out=tmp_path / "all.csv").to_dicts()}
    assert (states["stale"]["title"], states["resolved"]["title"]) == ("Aspirin again", "New")
    stale = [row for row in read_fix(tmp_path / "all.csv") if row["state"] == "stale"]
    report = lake.replay(write_fix(tmp_path / "stale.csv", stale), withdraw=True)
    assert (report["withdrawn"], report["stale"], report["open"]) == (1, [], 2)
    law_holds(lake)


def test_conservation_holds_across_replays(tmp_path: Path) -> None:
    dice = random.Random(7)
    records = []
    for number in range(400):
        title = dice.choice(["", " ", "Aspirin", "Metoprolol in rats"])
        extra = ",more" if dice.random() < 0.1 else ""
        records.append(f"{dice.choice(['', number])},{title},2020-01-{number % 28 + 1:02},J{number % 5}{extra}\n")
    drugs = write_drugs(tmp_path / "drugs.csv", ("A", "aspirin"), ("B", "metoprolol"))
    pubmed = [write(tmp_path / f"{part}.csv", HEADER + "".join(records[part::3])) for part in range(3)]
    drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=tmp_path / "lake", dt=DT)
    lake = Lake(tmp_path / "lake")
    rows = taken_out(lake, tmp_path / "fix.csv")
    assert len(rows) > 150
    resolved: set[tuple[str, str]] = set()
    for _ in range(4):
        some = [corrected(row, title=dice.choice(["", "Aspirin", "Metoprolol", " "])) for row in dice.sample(rows, 60)]
        report = lake.replay(write_fix(tmp_path / "fix.csv", some))
        good = {(row["source_uri"], row["source_row"]) for row in some if row["title"].strip()}
        assert report["resolved"] == len(good - resolved)
        resolved |= good
        assert report["open"] == len(rows) - len(resolved) == len(lake.rejected(DT))
        taken = report["resolved"] + report["changed"] + report["already_resolved"]
        assert report["rows"] == taken + len(report["still_rejected"]) == 60
        law_holds(lake)


def test_a_bucket_takes_corrected_rows_like_a_disk(gs: Google, prefix: str, tmp_path: Path) -> None:
    disk = article_lake(tmp_path)
    sources: dict[str, Any] = {"drugs": tmp_path / "in" / "drugs.csv", "pubmed": tmp_path / "in" / "pubmed.csv"}
    drugs_rs.run(lake=gs.uri(f"{prefix}/lake"), dt=DT, **sources)
    bucket = Lake(gs.uri(f"{prefix}/lake"))
    fix, copy = tmp_path / "fix.csv", gs.uri(f"{prefix}/fix.csv")
    assert bucket.rejected(DT, out=copy).to_dicts() == disk.rejected(DT, out=fix).to_dicts()
    with pytest.raises(exceptions.ArgumentError, match="which exists"):
        bucket.rejected(DT, out=copy)
    assert gs.data(f"{prefix}/fix.csv") == fix.read_bytes()
    write_fix(fix, all_corrected(read_fix(fix)))
    reports = [lake.replay(fix) for lake in (bucket, disk)]
    for report in reports:
        assert [report.pop(key) for key in ("step", "resolved", "open", "unchanged")] == ["replay", 4, 0, False]
    for lake in (bucket, disk):
        gold(lake)
        assert lake.replay(fix)["unchanged"]
    for table in ("publications", "mentions", "rejected", "drugs_all"):
        assert bucket.scan(table).read().to_dicts() == disk.scan(table).read().to_dicts()


def test_the_command_does_the_same(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    fix = tmp_path / "fix.csv"
    done = shell.drugs_rs("rejected", lake.root, "--dt", DT, "--reason", "blank_title", "--out", fix)
    assert done.stdout.decode() == f"1 rejected row of dt={DT} written to {fix}\n", done
    printed = shell.drugs_rs("rejected", lake.root, "--dt", DT, "--json")
    assert json.loads(printed.stdout) == lake.rejected(DT).to_dicts()
    [row] = read_fix(fix)
    again = shell.drugs_rs("rejected", lake.root, "--dt", DT, "--out", fix)
    assert again.returncode == 2 and b"which exists" in again.stderr
    assert shell.drugs_rs("rejected", lake.root, "--dt", DT, "--out", fix, "--overwrite").returncode == 0
    done = shell.drugs_rs("replay", lake.root, write_fix(fix, [row]))
    assert done.stdout.decode().startswith("1 still rejected; rejected rows left: 3\n"), done
    assert "fix.csv: row 2: blank_title: " in done.stdout.decode()
    quiet = shell.drugs_rs("replay", lake.root, fix, "-q")
    for failed in (done, quiet):
        assert failed.returncode == 1
        assert b"fix.csv: row 2: still rejected as blank_title: " in failed.stderr
    assert quiet.stdout == b""
    write_fix(fix, [corrected(row, title="Aspirin")])
    report = json.loads(shell.drugs_rs("replay", lake.root, fix, "--json").stdout)
    assert (report["resolved"], report["open"]) == (1, 2)
    again = shell.drugs_rs("replay", lake.root, fix)
    assert again.stdout.decode().endswith("nothing to do: the lake is as it was\n")
    assert shell.drugs_rs("replay", lake.root, fix, "--quiet").stdout == b""
    listed = shell.drugs_rs("rejected", lake.root, "--dt", DT, "--corrected", "--json")
    assert [row["state"] for row in json.loads(listed.stdout)] == ["resolved"]
    done = shell.drugs_rs("replay", lake.root, fix, "--withdraw")
    assert done.stdout.decode().startswith("1 withdrawn; rejected rows left: 3\n"), done
    wrong = shell.drugs_rs("rejected", lake.root, "--dt", DT, "--reason", "blank")
    assert wrong.returncode == 2


def test_the_example_of_the_page_runs() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "quarantine.md"
    [block] = [block for block in blocks(page) if block.language == "python"]
    subprocess.run([sys.executable, "-W", "error", "-c", block.text], check=True, timeout=60)
