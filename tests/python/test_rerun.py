"""Running again: the same inputs change nothing, other ones everything that follows, in whatever order dates come."""

from __future__ import annotations

import bz2
import gzip
import json
import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from lake_state import GOLD_FILES, gold_files, hashes, leftovers, stamps
from lake_tables import DT, clean, mentions, publications
from shell import drugs_rs as shell
from shell import run_arguments
from written_sources import whole_sample, write_drugs, write_pubmed, write_trials

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

FIRST, SECOND, THIRD = "2020-06-01", "2020-07-01", "2020-08-01"


def graph(lake: Path) -> dict[str, Any]:
    """The parsed graph."""
    found: dict[str, Any] = json.loads((lake / "gold" / "drug_graph.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    """Two drugs."""
    return write_drugs(tmp_path / "drugs.csv", ("B01AA03", "WARFARIN"), ("N02BE01", "PARACETAMOL"))


def test_same_inputs_change_no_file(samples: Path, tmp_path: Path) -> None:
    lake, sources = tmp_path / "lake", whole_sample(samples)
    first = drugs_rs.run(out=lake, dt=DT, **sources)
    before = stamps(lake)
    again = drugs_rs.run(out=lake, dt=DT, **sources)
    assert stamps(lake) == before, "no file is written, not even with the same bytes"
    assert leftovers(lake) == {}
    assert (first["unchanged"], again["unchanged"]) == (False, True)
    assert [step["unchanged"] for step in again["steps"]] == [True, True, True]
    assert again["outputs"] == first["outputs"]
    assert {name: again[name] for name in ("rows_in", "rejected", "flags")} == {
        name: first[name] for name in ("rows_in", "rejected", "flags")
    }


def test_same_inputs_from_the_shell_change_no_file(samples: Path, tmp_path: Path) -> None:
    lake, sources = tmp_path / "lake", whole_sample(samples)
    drugs_rs.run(out=lake, dt=DT, **sources)
    before = stamps(lake)
    assert shell(*run_arguments(sources, lake, DT)).returncode == 0
    assert stamps(lake) == before


def test_steps_one_by_one_are_the_run(samples: Path, tmp_path: Path) -> None:
    sources = whole_sample(samples)
    drugs_rs.run(out=tmp_path / "run", dt=DT, **sources)
    drugs_rs.bronze(out=tmp_path / "steps", dt=DT, **sources)
    drugs_rs.silver(out=tmp_path / "steps", dt=DT)
    drugs_rs.gold(out=tmp_path / "steps", dt=DT)
    assert hashes(tmp_path / "run", "gold") == hashes(tmp_path / "steps", "gold")
    assert publications(tmp_path / "run") == publications(tmp_path / "steps")


def test_two_lakes_of_the_same_inputs_have_the_same_gold(samples: Path, tmp_path: Path) -> None:
    """Neither the place of the lake nor that of the sources is in the answers."""
    shutil.copytree(str(samples), str(tmp_path / "elsewhere"))
    drugs_rs.run(out=tmp_path / "one", dt=DT, **whole_sample(samples))
    drugs_rs.run(out=tmp_path / "two" / "deeper", dt=DT, **whole_sample(tmp_path / "elsewhere"))
    assert len(gold_files(tmp_path / "one")) == len(GOLD_FILES)
    assert gold_files(tmp_path / "one") == gold_files(tmp_path / "two" / "deeper")


def test_bronze_is_the_sources_byte_for_byte(samples: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    for source, name in (("drugs", "drugs.csv"), ("pubmed", "pubmed.json"), ("clinical_trials", "clinical_trials.csv")):
        folder = lake / "bronze" / source / ("dt=" + DT)
        assert (folder / name).read_bytes() == (samples / name).read_bytes()
        manifest = (folder / "_manifest.json").read_text(encoding="utf-8")
        assert hashes(folder)[name] in manifest


def test_a_source_never_takes_the_folder_of_another_table(vocabulary: Path, tmp_path: Path) -> None:
    """A delivery of articles under the name `drugs` took the place of the vocabulary."""
    lake = tmp_path / "lake"
    drugs_rs.bronze(out=lake, dt=DT, drugs=vocabulary)
    articles = write_pubmed(tmp_path / "articles.csv", ("1", "Warfarin", "2020-01-01", "Annals"))
    before = stamps(lake)
    with pytest.raises(drugs_rs.exceptions.ArgumentError, match="name: `drugs` is where bronze keeps drugs"):
        drugs_rs.bronze(out=lake, dt=DT, pubmed=articles, name="drugs")
    assert stamps(lake) == before


def test_a_copy_of_another_size_than_bronze_copied_is_not_read(vocabulary: Path, tmp_path: Path) -> None:
    """Cut at the end of a line, it passed for a smaller but whole file."""
    lake = tmp_path / "lake"
    rows = [(str(number), "Warfarin", "2020-01-01", "Annals") for number in range(3)]
    drugs_rs.bronze(out=lake, dt=DT, drugs=vocabulary, pubmed=write_pubmed(tmp_path / "articles.csv", *rows))
    copy = lake / "bronze" / "pubmed" / ("dt=" + DT) / "articles.csv"
    content = copy.read_bytes()
    copy.write_bytes(content[: content.rindex(b"\n", 0, -1) + 1])
    with pytest.raises(drugs_rs.exceptions.FormatError, match=rf"articles.csv: byte \d+: .*{len(content)} bytes"):
        drugs_rs.silver(out=lake, dt=DT)
    assert not (lake / "silver" / "drugs").exists(), "nothing is committed, of no table"
    copy.write_bytes(content)
    assert drugs_rs.silver(out=lake, dt=DT)["rows_kept"] == 5


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.csv", "text/csv"),
        ("a.csv.bz2", "application/x-bzip2"),
        ("a.zip", "application/zip"),
        ("a.tar", "application/x-tar"),
        ("a.csv.gz", "application/gzip"),
    ],
)
def test_bronze_tells_the_media_type_of_the_file_as_it_lies_there(name: str, media_type: str, tmp_path: Path) -> None:
    """Archives and bzip2 were listed as CSV."""
    table = write_pubmed(tmp_path / "a.csv", ("1", "Warfarin", "2020-01-01", "Annals"))
    source = tmp_path / name
    if name.endswith((".zip", ".tar")):
        shutil.make_archive(str(tmp_path / "a"), name[-3:], tmp_path, table.name)
    elif source != table:
        content = table.read_bytes()
        source.write_bytes(bz2.compress(content) if name.endswith(".bz2") else gzip.compress(content))
    (told,) = drugs_rs.bronze(out=tmp_path / "lake", dt=DT, pubmed=source)["sources"]
    assert told["format"] == media_type


@pytest.mark.parametrize(
    ("text", "media_type", "form"),
    [
        ("PMID- 1\nTI  - A title\n", "application/nbib", "medline"),
        ("OWN - NLM\nPMID- 1\nTI  - A title\n", "application/nbib", "medline"),
        ("TY  - JOUR\nTI  - A title\nER  - \n", "application/x-research-info-systems", "ris"),
        ("<1. >\nVN  - Ovid Technologies\nTI  - A title\n", "application/x-ovid", "ovid"),
        ("\ufeff\ufeff[]", "application/json", "json"),
        ('{"id": 1, "title": "A title", "date": "", "journal": ""}\n', "application/x-ndjson", "ndjson"),
        ('{"data": [{"id": 1, "title": "A title", "date": "", "journal": ""}]}\n', "application/json", "json"),
        ("id|title|date|journal\n1|A title||\n", "text/csv", "csv"),
    ],
)
def test_bronze_and_the_reader_agree_on_the_format(text: str, media_type: str, form: str, tmp_path: Path) -> None:
    """MEDLINE that begins with another tag than PMID was CSV in the manifest."""
    source = tmp_path / "a.txt"
    source.write_bytes(text.encode("utf-8"))
    (told,) = drugs_rs.bronze(out=tmp_path / "lake", dt=DT, pubmed=source)["sources"]
    (read,) = drugs_rs.read_publications(source).sources
    assert (told["format"], read["format"]) == (media_type, form)


def test_two_sources_with_one_file_name_are_both_kept(vocabulary: Path, tmp_path: Path) -> None:
    one = write_pubmed(tmp_path / "a" / "articles.csv", ("1", "Warfarin", "2020-01-01", "Annals"))
    two = write_pubmed(tmp_path / "b" / "articles.csv", ("2", "Paracetamol", "2020-01-01", "Annals"))
    drugs_rs.run(out=tmp_path / "lake", dt=DT, drugs=vocabulary, pubmed=[one, two])
    assert sorted(graph(tmp_path / "lake")["pubmed"]) == ["1", "2"]


def test_changed_input_gives_the_state_of_a_clean_run(samples: Path, vocabulary: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    before = gold_files(lake)
    other = write_pubmed(tmp_path / "articles.csv", ("1", "Warfarin again", "2020-01-01", "Annals"))
    trials = write_trials(tmp_path / "trials.csv", ("NCT1", "Paracetamol", "2020-01-01", "Acta"))
    sources: dict[str, Any] = {"drugs": vocabulary, "pubmed": other, "clinical_trials": trials}
    report = drugs_rs.run(out=lake, dt=DT, **sources)
    assert report["unchanged"] is False
    drugs_rs.run(out=tmp_path / "clean", dt=DT, **sources)
    assert gold_files(lake) == gold_files(tmp_path / "clean") != before
    assert hashes(lake, "bronze").keys() == hashes(tmp_path / "clean", "bronze").keys(), (
        "files of the old state are gone"
    )
    assert [row["publication_id"] for row in publications(lake)] == ["1"]
    assert leftovers(lake) == {}


@pytest.mark.parametrize("change", [{"boundary": "none"}, {"stop_words": ["warfarin"]}])
def test_changed_settings_are_a_change(change: dict[str, Any], vocabulary: Path, tmp_path: Path) -> None:
    articles = write_pubmed(tmp_path / "a.csv", ("1", "Warfarin; norparacetamol", "2020-01-01", "Annals"))
    drugs_rs.run(out=tmp_path / "lake", dt=DT, drugs=vocabulary, pubmed=articles)
    before = gold_files(tmp_path / "lake")
    report = drugs_rs.run(out=tmp_path / "lake", dt=DT, drugs=vocabulary, pubmed=articles, **change)
    assert report["unchanged"] is False
    assert gold_files(tmp_path / "lake") != before


@pytest.fixture
def deliveries(vocabulary: Path, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Three dates: the second has another version of article 1 and a new article, the third another journal for it."""
    files = {
        FIRST: [
            ("1", "Warfarin in the first version", "2020-01-01", "Annals"),
            ("2", "Paracetamol", "2020-01-01", "Acta"),
        ],
        SECOND: [("1", "Paracetamol in the second version", "2020-01-02", "Annals"), ("3", "Warfarin", "2020", "Acta")],
        THIRD: [("3", "Warfarin", "2020", "Annals")],
    }
    return {
        dt: {"drugs": vocabulary, "pubmed": write_pubmed(tmp_path / dt / "articles.csv", *records)}
        for dt, records in files.items()
    }


def test_later_date_supersedes_the_earlier(deliveries: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt=FIRST, **deliveries[FIRST])
    assert graph(lake)["drug"]["B01AA03"]["pubmed_id"] == ["1"]
    earlier = publications(lake, dt=FIRST)
    drugs_rs.run(out=lake, dt=SECOND, **deliveries[SECOND])
    found = graph(lake)
    assert sorted(found["pubmed"]) == ["1", "2", "3"], "what the first date alone delivered is still there"
    assert found["pubmed"]["1"]["date"] == "2020-01-02"
    assert found["drug"]["B01AA03"]["pubmed_id"] == ["3"], "the first version's mention is gone"
    assert sorted(found["drug"]["N02BE01"]["pubmed_id"]) == ["1", "2"]
    assert publications(lake, dt=FIRST) == earlier, "a partition keeps what its date delivered"
    assert {row["publication_id"] for row in mentions(lake, dt=SECOND)} == {"1", "3"}


@pytest.mark.parametrize(
    "order", [(FIRST, THIRD, SECOND), (SECOND, FIRST, THIRD), (THIRD, SECOND, FIRST)], ids=" ".join
)
def test_dates_out_of_order(order: tuple[str, ...], deliveries: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """A backfill: gold over everything is the same, and a date that comes late never takes it back."""
    for dt in (FIRST, SECOND, THIRD):
        drugs_rs.run(out=tmp_path / "in order", dt=dt, **deliveries[dt])
    wanted = gold_files(tmp_path / "in order")
    lake = tmp_path / "out of order"
    for dt in order:
        drugs_rs.run(out=lake, dt=dt, **deliveries[dt])
    assert gold_files(lake) == wanted
    drugs_rs.gold(out=lake, dt=THIRD)
    assert gold_files(lake) == wanted


def test_dates_may_be_dates(deliveries: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    report = drugs_rs.run(out=tmp_path / "lake", dt=date(2020, 6, 1), **deliveries[FIRST])
    assert report["dt"] == FIRST
    assert len(publications(tmp_path / "lake", dt=FIRST)) == 2


def test_half_rows_never_cross_files(tmp_path: Path) -> None:
    """Two halves are one record because one file split it; two files that agree are two sources."""
    one = write_pubmed(tmp_path / "a.csv", ("7", "One study", "2020-01-01", ""))
    two = write_pubmed(tmp_path / "b.csv", ("", "One study", "2020-01-01", "Annals"))
    cleaned = clean(tmp_path / "lake", one, two)
    assert len(cleaned.kept) == 2
    assert {"7"} < {row["publication_id"] for row in cleaned.kept}
    assert cleaned.report["rows_merged"] == 0


def test_report_is_written_and_has_no_row_contents(samples: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    drugs_rs.run(out=lake, dt=DT, **whole_sample(samples))
    reports = sorted((lake / "reports").rglob("*.json"))
    assert {path.relative_to(lake / "reports").parts[0] for path in reports} >= {"bronze", "silver", "gold"}
    text = "".join(path.read_text(encoding="utf-8") for path in reports)
    assert "harbour pilots" not in text
    assert "Early Mobilisation" not in text
    for path in reports:
        json.loads(path.read_text(encoding="utf-8"))
