"""Which texts of which publications gold searches: `fields`, `exclude_status`, and what mentions say of both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import shell
from searched_sources import write_sources
from test_record_details import article, article_set, types
from written_sources import write_drugs

import drugs_rs
from drugs_rs import exceptions

if TYPE_CHECKING:
    from pathlib import Path

DT = "2024-03-01"
FIELDS: list[Any] = ["title", "abstract", "interventions", "substances"]


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Any]:
    return write_sources(tmp_path)


def run(tmp_path: Path, sources: dict[str, Any], **options: Any) -> tuple[drugs_rs.Lake, dict[str, Any]]:
    report: dict[str, Any] = drugs_rs.run(lake=tmp_path / "lake", dt=DT, **sources, **options)
    return drugs_rs.Lake(tmp_path / "lake"), report


def places(lake: drugs_rs.Lake) -> list[tuple[Any, ...]]:
    columns = ["publication_id", "field", "surface", "role", "status"]
    return sorted((tuple(row[name] or "" for name in columns) for row in lake.scan("mentions").read()), key=str)


def test_every_field_is_searched_and_says_the_role(tmp_path: Path, sources: dict[str, Any]) -> None:
    """An intervention's other names have its role, and no name reaches from one item of a list to the next."""
    lake, report = run(tmp_path, sources, fields=FIELDS)
    assert places(lake) == [
        ("1", "substances", "Aspirin", "", ""),
        ("1", "substances", "Warfarin", "", ""),
        ("1", "title", "Warfarin", "", ""),
        ("2", "title", "Warfarin", "", "retracted"),
        ("3", "title", "Aspirin", "", "expression_of_concern"),
        # What is called the abstract of a trial holds the names of its interventions as well.
        *[
            ("NCT00000001", "abstract", drug, "", "")
            for drug in ("Aspirin", "Aspirin", "Heparin", "Heparin", "Warfarin")
        ],
        ("NCT00000001", "interventions", "Aspirin", "placebo_comparator", ""),
        ("NCT00000001", "interventions", "Heparin", "experimental", ""),
        ("NCT00000001", "interventions", "Heparin", "other", ""),
        ("NCT00000001", "interventions", "Warfarin", "experimental", ""),
    ]
    assert report["mentions"] == 14 and report["pairs"] == 7
    assert report["settings"]["fields"] == FIELDS and report["settings"]["exclude_status"] == []
    texts = {
        "interventions": "Heparin | Warfarin | Fluindione | Sugar | Aspirin | Care | Heparin",
        "substances": "Warfarin | Aspirin",
    }
    for row in lake.scan("mentions").read():
        text = texts.get(row["field"])
        assert text is None or text[row["start"] : row["end"]] == row["surface"]


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({}, {"title"}),
        ({"abstracts": True}, {"title", "abstract"}),
        ({"fields": ["interventions"]}, {"interventions"}),
        ({"fields": ["interventions"], "abstracts": True}, {"interventions", "abstract"}),
        ({"fields": ["substances", "title", "substances"]}, {"title", "substances"}),
    ],
)
def test_only_the_fields_that_are_asked_for(
    tmp_path: Path, sources: dict[str, Any], options: dict[str, Any], fields: set[str]
) -> None:
    lake, report = run(tmp_path, sources, **options)
    assert {row["field"] for row in lake.scan("mentions").read()} == fields
    assert set(report["settings"]["fields"]) == fields
    # The same from another start, byte by byte.
    before = {row["uri"]: row["sha256"] for row in lake.files("mentions").to_dicts()}
    drugs_rs.gold(lake=lake.root, dt=DT, fields=FIELDS)
    drugs_rs.gold(lake=lake.root, dt=DT, **options)
    assert {row["uri"]: row["sha256"] for row in lake.files("mentions").to_dicts()} == before


def test_excluded_publications_stay_in_the_tables_without_mentions(tmp_path: Path, sources: dict[str, Any]) -> None:
    lake, whole = run(tmp_path, sources)
    assert "excluded" not in whole
    report = drugs_rs.gold(lake=lake.root, dt=DT, exclude_status=["retracted"])
    assert report["excluded"] == 1 and report["publications"] == whole["publications"]
    assert {row["publication_id"] for row in lake.scan("mentions").read()} == {"1", "3"}
    flagged = {row["publication_id"]: row["status"] for row in lake.scan("publications").read()}
    assert flagged == {"1": None, "2": "retracted", "3": "expression_of_concern", "NCT00000001": None}
    graph = json.loads((tmp_path / "lake" / "gold" / "drug_graph.json").read_text(encoding="utf-8"))
    assert graph["drug"]["B01AA03"]["pubmed_id"] == ["1"]
    assert graph["pubmed"]["2"]["status"] == "retracted" and "status" not in graph["pubmed"]["1"]
    links = drugs_rs.read_graph(lake.root).mentions().to_dicts()
    assert {(row["publication_id"], row["status"]) for row in links} == {("1", None), ("3", "expression_of_concern")}
    pairs = {row["substance"]: row["pairs"] for row in lake.scan("journal_drugs").read()}
    assert pairs == {"aspirin": 1, "warfarin": 1}
    # A later day without a change does nothing; another status is another gold.
    assert drugs_rs.gold(lake=lake.root, dt=DT, exclude_status=["retracted"])["unchanged"]
    both = drugs_rs.gold(lake=lake.root, dt=DT, exclude_status=["expression_of_concern", "retracted"])
    assert both["excluded"] == 2 and both["pairs"] == 1


def test_scans_leave_statuses_out(tmp_path: Path, sources: dict[str, Any]) -> None:
    lake, _ = run(tmp_path, sources)
    for table in ("publications", "publications_all", "mentions"):
        ids = {row["publication_id"] for row in lake.scan(table, exclude_status="retracted").read()}
        assert "2" not in ids and {"1", "3"} <= ids
        ids = {
            row["publication_id"]
            for row in lake.scan(table, exclude_status=["retracted", "expression_of_concern"]).read()
        }
        assert not {"2", "3"} & ids and "1" in ids
    with pytest.raises(exceptions.ArgumentError, match="`journals`, which has no statuses"):
        lake.scan("journals", exclude_status="retracted").read()
    with pytest.raises(exceptions.ArgumentError, match='did you mean "retracted"'):
        lake.scan("mentions", exclude_status="retract")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": []}, "no field"),
        ({"fields": ["titel"]}, 'did you mean "title"'),
        ({"exclude_status": ["withdrawn"]}, "`withdrawn` is unknown|`withdrawn`"),
    ],
)
def test_wrong_names_change_nothing(
    tmp_path: Path, sources: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(exceptions.ArgumentError, match=message):
        run(tmp_path, sources, **options)
    assert not (tmp_path / "lake").exists()


def test_a_retraction_later_is_a_changed_publication(tmp_path: Path, sources: dict[str, Any]) -> None:
    """With the status excluded in both states; the text is the same."""
    lake, _ = run(tmp_path, sources, exclude_status=["retracted"])
    retracted = article_set(article(1, title="Warfarin or not", inside=types("Retracted Publication")))
    (tmp_path / "later.xml").write_text(retracted, encoding="utf-8")
    report = drugs_rs.run(lake=lake.root, dt="2024-03-02", pubmed=tmp_path / "later.xml", exclude_status=["retracted"])
    assert report["excluded"] == 2
    [change] = lake.diff().to_dicts()
    assert (change["change"], change["cause"], change["cause_dt"]) == ("lost", "changed_publication", "2024-03-02")
    with pytest.raises(exceptions.LossError):
        lake.diff().check(max_lost="0.5%")
    found = lake.explain("1", "warfarin")
    assert "The publication is retracted, and gold does not search such publications (exclude_status)" in found


def test_an_exclusion_from_now_on_is_a_changed_setting(tmp_path: Path, sources: dict[str, Any]) -> None:
    """Alone, and beside another vocabulary that has nothing to do with it."""
    lake, _ = run(tmp_path, sources)
    drugs_rs.gold(lake=lake.root, dt=DT, exclude_status=["retracted"])
    changes = lake.diff().to_dicts()
    assert [(row["publication_id"], row["cause"]) for row in changes] == [("2", "changed_settings")]
    more = write_drugs(tmp_path / "more.csv", ("B01AA03", "warfarin"), ("B01AC06", "aspirin"), ("Y", "or not"))
    drugs_rs.run(lake=lake.root, dt=DT, drugs=more, fields=FIELDS)
    causes = {(row["publication_id"], row["field"], row["drug"], row["change"]): row["cause"] for row in lake.diff()}
    assert causes.pop(("1", "title", "or not", "gained")) == "new_drug"
    assert causes.pop(("2", "title", "warfarin", "gained")) == "changed_settings"
    assert set(causes.values()) == {"changed_settings"} and len(causes) == 6


def test_evidence_and_explanations_show_every_text(tmp_path: Path, sources: dict[str, Any]) -> None:
    lake, _ = run(tmp_path, sources, fields=["title", "interventions"])
    found = lake.evidence("heparin", "NCT00000001").to_dict()
    assert [text["field"] for text in found["texts"]] == ["title", "abstract", "interventions"]
    assert [text["searched"] for text in found["texts"]] == [True, False, True]
    assert found["texts"][2]["text"].startswith("Heparin | Warfarin")
    assert "which gold did not search (fields)" in lake.explain("NCT00000001", "aspirin")


def test_the_command_has_the_same_words(tmp_path: Path, sources: dict[str, Any]) -> None:
    given = [word for name, path in sources.items() for word in (f"--{name.replace('_', '-')}", path)]
    options = ("--fields", "title,interventions", "--exclude-status", "retracted", "--dt", DT)
    done = shell.drugs_rs("run", *given, *options, "--out", tmp_path / "lake")
    assert done.returncode == 0
    assert b"publications not searched because of their status: 1 (--exclude-status)" in done.stdout
    lake = drugs_rs.Lake(tmp_path / "lake")
    assert {row["field"] for row in lake.scan("mentions").read()} == {"title", "interventions"}
    done = shell.drugs_rs("gold", "--out", tmp_path / "lake", "--dt", DT, "--fields", "titles")
    assert done.returncode == 2 and b"interventions" in done.stderr


def test_evidence_says_that_a_publication_is_not_searched(tmp_path: Path, sources: dict[str, Any]) -> None:
    """Once the page said that an excluded publication does not mention the drug, and that the drug is found in it."""
    lake, _ = run(tmp_path, sources, exclude_status=["retracted"])
    evidence = lake.evidence("warfarin", "2")
    note = "The publication is retracted, and gold does not search such publications (exclude_status)"
    assert not evidence.is_mentioned and evidence["excluded"] == note
    page = str(evidence)
    assert "title (not searched): Warfarin again" in page and note in page and "is found at" not in page
    assert lake.explain("2", "warfarin").splitlines()[0].startswith("title, which gold did not search: ")
    # It was mentioned, and was retracted since.
    retracted = article_set(article(1, title="Warfarin or not", inside=types("Retracted Publication")))
    (tmp_path / "later.xml").write_text(retracted, encoding="utf-8")
    drugs_rs.run(lake=lake.root, dt="2024-03-02", pubmed=tmp_path / "later.xml", exclude_status=["retracted"])
    evidence = lake.evidence("warfarin", "1")
    assert evidence["shown_state"] == 1 and evidence["excluded"] == note and note in str(evidence)
    assert "another text or status" in str(lake.diff())


def test_a_title_that_is_not_searched_is_no_find(tmp_path: Path, sources: dict[str, Any]) -> None:
    lake, _ = run(tmp_path, sources, fields=["interventions"])
    page = str(lake.evidence("warfarin", "NCT00000001"))
    assert "title (not searched): A study of two drugs" in page and "interventions: Heparin | [Warfarin]" in page


@pytest.mark.parametrize("wrong", [5, [None], b"title"])
def test_other_types_are_named(tmp_path: Path, sources: dict[str, Any], wrong: Any) -> None:
    with pytest.raises((TypeError, exceptions.ArgumentError), match="fields") as raised:
        run(tmp_path, sources, fields=wrong)
    assert "path" not in str(raised.value)


def test_a_setting_that_differs_from_the_last_run_is_named(
    tmp_path: Path, sources: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A run without `fields=` behind one with it searches titles alone again: that must not go unseen."""
    lake, report = run(tmp_path, sources, fields=["title", "abstract"])
    assert "changed_settings" not in report
    caplog.clear()
    assert drugs_rs.gold(lake=lake.root, dt=DT, fields=["title", "abstract"]).get("changed_settings") is None
    assert not caplog.records
    _, report = run(tmp_path, sources, boundary="none")
    changed = [
        {"name": "boundary", "before": "word", "now": "none"},
        {"name": "fields", "before": '["title","abstract"]', "now": '["title"]'},
    ]
    assert report["changed_settings"] == report["steps"][-1]["changed_settings"] == changed
    (saved_report,) = (tmp_path / "lake" / "reports" / "gold").rglob("*.json")
    saved = json.loads(saved_report.read_text())
    assert saved["changed_settings"] == changed
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "boundary is none, and was word in the last run; it applies to all dates",
        'fields is ["title"], and was ["title","abstract"] in the last run; it applies to all dates',
    ]
    done = shell.drugs_rs("gold", "--out", lake.root, "--dt", DT, "--fields", "title,abstract")
    assert 'fields is ["title","abstract"], and was ["title"] in the last run' in done.stderr.decode()
