"""A corrected row is in the place of its rejected row: the tables are those of a source that was right at once."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pyarrow
import pyarrow.parquet
import pytest
import shell
from corrected_rows import (
    HEADER,
    Row,
    all_corrected,
    article_lake,
    corrected,
    gold,
    law_holds,
    read_fix,
    taken_out,
    write,
    write_fix,
)
from lake_state import hashes, stamps
from lake_tables import DT, publications
from written_sources import write_drugs

import drugs_rs
from drugs_rs import Lake, exceptions

pytestmark = pytest.mark.core

TITLE = "Aspirin in the place of nothing"


def xml(*titles: str) -> bytes:
    """Articles with headings, each followed by a notice that deletes an article with its number and a zero."""
    text = "<PubmedArticleSet>"
    for number, title in enumerate(titles, start=1):
        text += (
            f"<PubmedArticle><MedlineCitation><PMID Version='1'>{number}</PMID><Article><Journal>"
            f"<ISSN>1234-567{number}</ISSN>"
            f"<Title>J {number}</Title><JournalIssue><PubDate><Year>2020</Year></PubDate></JournalIssue></Journal>"
            f"<ArticleTitle>{title}</ArticleTitle></Article><MeshHeadingList><MeshHeading>"
            f"<DescriptorName UI='D00{number}'>A</DescriptorName></MeshHeading></MeshHeadingList></MedlineCitation>"
            f"</PubmedArticle><DeleteCitation><PMID>{number}0</PMID></DeleteCitation>"
        )
    return (text + "</PubmedArticleSet>").encode()


def articles(*titles: str) -> bytes:
    rows = [f"{number % 3},{title},2020-01-0{number},J{number % 2}\n" for number, title in enumerate(titles, start=1)]
    return (HEADER + "".join(rows)).encode()


def archive(*files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as zipped:
        for number, data in enumerate(files):
            zipped.writestr(zipfile.ZipInfo(f"a\n{number}.csv"), data)
    return target.getvalue()


def parquet(*titles: str | None) -> bytes:
    names = ["id", "title", "date", "journal"]
    columns = [
        [str(number) for number, _ in enumerate(titles)],
        list(titles),
        ["2020"] * len(titles),
        ["J"] * len(titles),
    ]
    target = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(dict(zip(names, columns))), target)
    return target.getvalue()


def ndjson(*lines: object) -> bytes:
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()


def record(number: int, title: object) -> dict[str, Any]:
    return {"id": str(number), "title": title, "date": "2020-01-01", "journal": "J", "abstract": f"Text {number}."}


LEGACY = (
    "Title,EntrezUID,ShortDetails,Details\n{},7,J Test.  2019,J Test. 2019 Jun 26;6:1.\n"
    "Aspirin,8,J Test.  2019,J Test. 2019;1.\n"
)
EXPORT = (
    "PMID,Title,Authors,Citation,Journal/Book,Publication Year,DOI\n"
    "7,{},X,J Test. 2023 Apr 25;1:2.,J Test,2023,10.1/x\n8,Aspirin,X,J Test. 2023;1:3.,J Test,2023,10.1/y\n"
)
TRIALS = (
    "NCT Number,Study Title,Start Date,Interventions,Phases\n"
    "NCT1,Rats,2020-01-01,DRUG: A,1\nNCT2,{},2020-01-02,DRUG: Aspirin,2\n"
)


class Case(NamedTuple):
    """A source with rejected rows, the same one without, and what corrects them in their order."""

    bad: bytes
    good: bytes
    values: list[dict[str, str]]
    table: str = "pubmed"


CASES = {
    "csv": Case(
        articles("Rats", "", TITLE, "", "Mice", " "),
        articles("Rats", TITLE, TITLE, "Other", "Mice", "The last"),
        [{"title": TITLE}, {"title": "Other"}, {"title": "The last"}],
    ),
    "broken csv": Case(
        (HEADER + "1,A,2020,J\n2,Too,many,2020,J\n3,B,2020,J\n4,few\n1,C,2021,J\n").encode(),
        (HEADER + '1,A,2020,J\n2,"Too,many",2020,J\n3,B,2020,J\n1,few,2020,K\n1,C,2021,J\n').encode(),
        [
            {"id": "2", "title": "Too,many", "date": "2020", "journal": "J"},
            {"id": "1", "title": "few", "date": "2020", "journal": "K"},
        ],
    ),
    "half rows": Case(
        (HEADER + ",Aspirin,2020-01-01,J\n1,,2020-01-01,\n").encode(),
        (HEADER + ",Aspirin,2020-01-01,J\n1,Aspirin,2020-01-01,\n").encode(),
        [{"title": "Aspirin"}],
    ),
    "xml with notices": Case(xml("A", "", "C"), xml("A", TITLE, "C"), [{"title": TITLE}]),
    "legacy csv": Case(LEGACY.format("").encode(), LEGACY.format(TITLE).encode(), [{"title": TITLE}]),
    "csv of pubmed": Case(EXPORT.format("").encode(), EXPORT.format(TITLE).encode(), [{"title": TITLE}]),
    "ndjson": Case(
        ndjson(record(1, "A"), record(2, {}), "no json", record(3, "B"), record(4, "")),
        ndjson(record(1, "A"), record(2, "Two"), record(9, "Nine"), record(3, "B"), record(4, "Four")),
        [
            record(2, "Two"),
            record(9, "Nine"),
            {"title": "Four"},
        ],
    ),
    "archive": Case(
        archive(articles("A", ""), articles("A", "")),
        archive(articles("A", "One"), articles("A", "Two")),
        # What an archive has is not filled in.
        [{"id": "2", "title": title, "date": "2020-01-02", "journal": "J0"} for title in ("One", "Two")],
    ),
    "parquet": Case(
        parquet("A", None, "B\0", "C"),
        parquet("A", "One", "B", "C"),
        [{"title": "One"}, {"id": "2", "title": "B", "date": "2020", "journal": "J"}],
    ),
    "trials": Case(TRIALS.format("").encode(), TRIALS.format(TITLE).encode(), [{"title": TITLE}], "clinical_trials"),
    "drugs": Case(
        b"atccode,drug\nA01,aspirin\nB01,\nA01,aspirin\nC01,x,y\nC01,rat\n",
        b"atccode,drug\nA01,aspirin\nB01,mouse\nA01,aspirin\nC01,cat\nC01,rat\n",
        [{"drug": "mouse"}, {"atccode": "C01", "drug": "cat"}],
        "drugs",
    ),
}


def lake_of(folder: Path, case: Case, data: bytes) -> Lake:
    source = folder / "source"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(data)
    sources: dict[str, Any] = {"drugs": write_drugs(folder / "drugs.csv", ("N02BA01", "aspirin")), case.table: source}
    # The names of sources are in the tables.
    before = Path.cwd()
    os.chdir(str(folder))
    try:
        relative = {name: path.relative_to(folder) for name, path in sources.items()}
        drugs_rs.run(lake=folder / "lake", dt=DT, fields=["title", "abstract"], **relative)
    finally:
        os.chdir(str(before))
    return Lake(folder / "lake")


def tables(lake: Lake) -> dict[str, str]:
    drugs_rs.gold(lake=lake.root, dt=DT, fields=["title", "abstract"])
    found = hashes(Path(lake.root), "silver", "gold")
    return {path: digest for path, digest in found.items() if "manifest" not in path and "index" not in path}


@pytest.mark.parametrize("name", CASES)
def test_the_tables_are_those_of_a_source_without_the_faults(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    lake, wanted = lake_of(tmp_path / "bad", case, case.bad), lake_of(tmp_path / "good", case, case.good)
    rows = taken_out(lake, tmp_path / "fix.csv")
    assert len(rows) == len(case.values), rows
    fixed = [corrected(row, **values) for row, values in zip(rows, case.values)]
    report = lake.replay(write_fix(tmp_path / "fix.csv", fixed))
    assert (report["resolved"], report["open"], report["stale"]) == (len(rows), 0, [])
    assert sum(step.get("corrected", 0) for step in report["steps"]) == len(rows)
    assert tables(lake) == tables(wanted)


def test_every_file_counts_its_own_rows_when_two_sources_have_one_name(tmp_path: Path) -> None:
    # Two sources with the same URI had one key, and the last correction went to both.
    drugs = write_drugs(tmp_path / "drugs.csv", ("N02BA01", "aspirin"))
    pubmed = write(tmp_path / "pubmed.csv", articles("", "Rats").decode())
    drugs_rs.bronze(lake=tmp_path / "lake", dt=DT, drugs=drugs, pubmed=pubmed)
    drugs_rs.bronze(lake=tmp_path / "lake", dt=DT, pubmed=pubmed, name="other")
    drugs_rs.silver(lake=tmp_path / "lake", dt=DT)
    lake = Lake(tmp_path / "lake")
    rows = taken_out(lake, tmp_path / "fix.csv")
    assert len({row["row_id"] for row in rows}) == 2 and len({row["source_uri"] for row in rows}) == 1
    fixed = [corrected(row, title=title, id=f"9{title}") for row, title in zip(rows, ("First", "Second"))]
    for row in fixed:
        lake.replay(write_fix(tmp_path / "one.csv", [row]))
    assert lake.replay(write_fix(tmp_path / "fix.csv", fixed))["unchanged"]
    assert [row["title"] for row in publications(Path(lake.root)) if row["title"] in ("First", "Second")] == [
        "First",
        "Second",
    ]
    law_holds(lake)


def test_corrections_stay_whatever_the_source_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # `./in/pubmed.csv` lost the corrections of `in/pubmed.csv`.
    lake = article_lake(tmp_path)
    lake.replay(write_fix(tmp_path / "fix.csv", all_corrected(taken_out(lake, tmp_path / "fix.csv"))))
    monkeypatch.chdir(tmp_path)
    for folder in ("in", "./in"):
        report = drugs_rs.run(drugs=f"{folder}/drugs.csv", pubmed=f"{folder}/pubmed.csv", lake=lake.root, dt=DT)
        assert (report["rows_rejected"], report["corrected"], report.get("stale_corrections")) == (0, 4, None)


def test_a_bronze_that_silver_was_not_made_from_is_not_replayed_into(tmp_path: Path) -> None:
    # A gate had refused the delivery; the replay made silver of it, and nobody was asked.
    lake = article_lake(tmp_path)
    fix = write_fix(tmp_path / "fix.csv", all_corrected(taken_out(lake, tmp_path / "fix.csv")))
    pubmed = tmp_path / "in" / "pubmed.csv"
    kept = pubmed.read_text(encoding="utf-8")
    drugs_rs.bronze(lake=lake.root, dt=DT, pubmed=write(pubmed, HEADER + "1,Alone,2020,J\n"))
    with pytest.raises(exceptions.DrugsError):
        drugs_rs.silver(lake=lake.root, dt=DT, expect_rows="10%")
    before = stamps(Path(lake.root))
    with pytest.raises(exceptions.FormatError, match="other files than those that silver was made from.*run silver of"):
        lake.replay(fix)
    assert stamps(Path(lake.root)) == before
    drugs_rs.bronze(lake=lake.root, dt=DT, pubmed=write(pubmed, kept))
    assert lake.replay(fix)["resolved"] == 4


def test_a_held_date_stays_held(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    drugs_rs.hold(lake=lake.root, dt=DT, reason="too poor")
    lake.replay(write_fix(tmp_path / "fix.csv", all_corrected(taken_out(lake, tmp_path / "fix.csv"))))
    assert [row["held"] for row in lake.status().to_dicts()] == [True, True]


def test_a_failed_silver_leaves_the_lake_as_it_was(tmp_path: Path) -> None:
    # The corrections were committed before silver, and stayed when it failed.
    lake = article_lake(tmp_path)
    fix = write_fix(tmp_path / "fix.csv", all_corrected(taken_out(lake, tmp_path / "fix.csv")))
    [copy] = Path(lake.root, "bronze", "pubmed").rglob("pubmed.csv")
    data = copy.read_bytes()
    copy.write_bytes(data.replace(b"rats", b"mice"))
    before = stamps(Path(lake.root))
    with pytest.raises(exceptions.DrugsError):
        lake.replay(fix)
    assert stamps(Path(lake.root)) == before
    copy.write_bytes(data)
    assert lake.replay(fix)["open"] == 0


def test_damaged_corrections_are_noticed(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    fix = write_fix(tmp_path / "fix.csv", all_corrected(taken_out(lake, tmp_path / "fix.csv")))
    lake.replay(fix)
    [stored] = Path(lake.root, "bronze", "replay-pubmed").rglob("corrections.ndjson")
    stored.write_bytes(stored.read_bytes().replace(b"Metoprolol 1", b"Metoprolol 2"))
    verified = shell.drugs_rs("lake", "verify", lake.root, "--json")
    assert verified.returncode == 1
    damaged = json.loads(verified.stdout)["damaged"]
    assert [damage["path"] for damage in damaged] == [f"bronze/replay-pubmed/dt={DT}/corrections.ndjson"]
    for read in (
        lambda: lake.replay(fix),
        lambda: drugs_rs.silver(lake=lake.root, dt=DT),
        lambda: lake.rejected(DT, corrected=True),
    ):
        with pytest.raises(exceptions.StorageError, match="SHA-256"):
            read()


def test_a_dropped_publication_does_not_come_back(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    rows = taken_out(lake, tmp_path / "fix.csv", "blank_title")
    lake.drop(publication_id="1")
    before = stamps(Path(lake.root))
    with pytest.raises(exceptions.FormatError, match="publications were dropped from it"):
        lake.replay(write_fix(tmp_path / "fix.csv", [corrected(rows[0], title="Aspirin")]))
    assert stamps(Path(lake.root)) == before


def test_a_snapshot_keeps_its_corrected_rows(tmp_path: Path) -> None:
    # The corrected rows were no part of the snapshot, and its absence took them out again.
    drugs = write_drugs(tmp_path / "drugs.csv", ("N02BA01", "aspirin"))
    pubmed = write(tmp_path / "pubmed.csv", HEADER + "1,Aspirin,2020,J\n2,,2020,J\n")
    drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=tmp_path / "lake", dt=DT, snapshot=True)
    lake = Lake(tmp_path / "lake")
    [row] = taken_out(lake, tmp_path / "fix.csv")
    fix = write_fix(tmp_path / "fix.csv", [corrected(row, title="Aspirin again")])
    lake.replay(fix)
    gold(lake)
    drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=lake.root, dt="2020-06-02", snapshot=True, max_absent="100%")
    found = lake.scan("publications", ["publication_id"]).read().to_dicts()
    assert [row["publication_id"] for row in found] == ["1"]
    # A snapshot lacks what it does not have, corrected or not; its own rejected row can be corrected in turn.
    lake.rejected("2020-06-02", out=tmp_path / "next.csv")
    [row] = read_fix(tmp_path / "next.csv")
    lake.replay(write_fix(tmp_path / "next.csv", [corrected(row, title="Aspirin again")]))
    drugs_rs.gold(lake=lake.root, dt="2020-06-02")
    found = lake.scan("publications", ["publication_id"]).read().to_dicts()
    assert sorted(row["publication_id"] for row in found) == ["1", "2"]


SAVED: dict[str, Callable[[bytes], bytes]] = {
    "as it was": lambda data: data,
    "without a mark": lambda data: data.decode("utf-8-sig").encode(),
    "with carriage returns": lambda data: data.replace(b"\n", b"\r\n"),
    "utf-16": lambda data: data.decode("utf-8-sig").encode("utf-16"),
    "windows-1252": lambda data: data.decode("utf-8-sig").encode("cp1252"),
    "empty rows": lambda data: data + b",,,,,,,,,,,,,\n" + b"\n",
}


@pytest.mark.parametrize("saved", SAVED)
def test_what_spreadsheets_save_is_read(saved: str, tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    [row] = taken_out(lake, tmp_path / "fix.csv", "blank_title")
    data = (tmp_path / "fix.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfdt,")
    write_fix(
        tmp_path / "fix.csv", [corrected(row, title="Ärger mit Aspirin")], delimiter=";" if saved == "utf-16" else ","
    )
    (tmp_path / "fix.csv").write_bytes(SAVED[saved]((tmp_path / "fix.csv").read_bytes()))
    report = lake.replay(tmp_path / "fix.csv", encoding="windows-1252" if saved == "windows-1252" else None)
    assert (report["rows"], report["resolved"]) == (1, 1)
    assert "Ärger mit Aspirin" in [row["title"] for row in publications(Path(lake.root))]


def test_no_cell_is_a_formula_and_none_is_changed(tmp_path: Path) -> None:
    drugs = write_drugs(tmp_path / "drugs.csv", ("N02BA01", "aspirin"))
    pubmed = write(tmp_path / "pubmed.csv", HEADER + "=1+1,,2020,-omics\n'=2,,2021,'Tis\n")
    drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=tmp_path / "lake", dt=DT)
    lake = Lake(tmp_path / "lake")
    rows = taken_out(lake, tmp_path / "fix.csv")
    assert [(row["id"], row["journal"], row["raw"][:2]) for row in rows] == [
        ("'=1+1", "'-omics", "'="),
        ("''=2", "'Tis", "''"),
    ]
    lake.replay(write_fix(tmp_path / "fix.csv", [corrected(row, title="'+Aspirin") for row in rows]))
    found = [(row["publication_id"], row["title"], row["journal"]) for row in publications(Path(lake.root))]
    assert found == [("=1+1", "+Aspirin", "-omics"), ("'=2", "+Aspirin", "'Tis")]


def test_a_file_is_not_written_over(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    lake.rejected(DT, out=tmp_path / "fix.csv")
    (tmp_path / "fix.csv").write_bytes(b"hours of work")
    with pytest.raises(exceptions.ArgumentError, match="which exists"):
        lake.rejected(DT, out=tmp_path / "fix.csv")
    assert (tmp_path / "fix.csv").read_bytes() == b"hours of work"
    lake.rejected(DT, out=tmp_path / "fix.csv", overwrite=True)
    assert len(read_fix(tmp_path / "fix.csv")) == 4


def test_a_row_with_a_nul_byte_does_not_pass_without_a_person(tmp_path: Path) -> None:
    drugs = write_drugs(tmp_path / "drugs.csv", ("N02BA01", "aspirin"))
    pubmed = write(tmp_path / "pubmed.csv", "id,title,date,journal,abstract\n1,Aspirin,2020,J,a\0b\n")
    drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=tmp_path / "lake", dt=DT)
    lake = Lake(tmp_path / "lake")
    [row] = taken_out(lake, tmp_path / "fix.csv")
    assert (row["reason"], row["title"], row["raw"]) == ("nul_byte", "", "1,Aspirin,2020,J,a\ufffdb")
    assert lake.replay(tmp_path / "fix.csv")["still_rejected"][0]["reason"] == "blank_title"


def test_flags_are_those_of_any_row(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    [row] = taken_out(lake, tmp_path / "fix.csv", "blank_title")
    lake.replay(write_fix(tmp_path / "fix.csv", [corrected(row, id="", title="Aspirin alone", date="?", journal="")]))
    [found] = [row for row in publications(Path(lake.root)) if row["title"] == "Aspirin alone"]
    assert set(found["flags"]) >= {"synthetic_id", "bad_date", "missing_journal"}


def test_a_moved_lake_has_its_corrections(tmp_path: Path) -> None:
    lake = article_lake(tmp_path)
    fix: list[Row] = all_corrected(taken_out(lake, tmp_path / "fix.csv"))
    shutil.move(lake.root, str(tmp_path / "moved"))
    moved = Lake(tmp_path / "moved")
    assert moved.replay(write_fix(tmp_path / "fix.csv", fix))["resolved"] == 4
    assert moved.rejected(DT, corrected=True).to_dicts()[0]["state"] == "resolved"
