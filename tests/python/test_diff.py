"""What changed between two states: each cause in a scenario, the vocabulary, the gate, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, List, Tuple

import pyarrow
import pytest
import shell
from bucket_peers import Google
from lake_story import tell
from written_sources import write, write_drugs, write_pubmed

import drugs_rs
from drugs_rs import Lake, exceptions, ledger

pytestmark = pytest.mark.core

A, B, C = "2024-03-01", "2024-03-02", "2024-03-03"
DRUGS = (("B01AA03", "warfarin"), ("N02BE01", "paracetamol"))
ARTICLES = (
    ("1", "Warfarin and paracetamol", "2020", "Annals"),
    ("2", "Warfarin", "2020", "Annals"),
    ("3", "Paracetamol once", "2020", "BMJ"),
)

Found = List[Tuple[str, str, str, str]]


def command(*arguments: shell.Argument) -> tuple[int, str, str]:
    """The exit code, the output and the messages of `drugs-rs diff`."""
    done = shell.drugs_rs("diff", *arguments)
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")


class Desk:
    """A lake of a first day, and the files of the next ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = folder / "lake"
        self.number = 0
        self.deliver(A, drugs=DRUGS, pubmed=ARTICLES)
        self.run(A)

    def deliver(self, dt: str, **tables: Any) -> None:
        """Bronze and silver of a day; gold is not run."""
        self.number += 1
        writers: dict[str, Any] = {"drugs": write_drugs, "pubmed": write_pubmed}
        for table, rows in tables.items():
            path = self.folder / f"{table}-{self.number}.csv"
            source = write(path.with_suffix(".xml"), rows) if isinstance(rows, str) else writers[table](path, *rows)
            keywords: dict[str, Any] = {table: source}
            drugs_rs.bronze(lake=self.lake, dt=dt, **keywords)
            named: Any = table
            drugs_rs.silver(lake=self.lake, dt=dt, tables=[named])

    def run(self, dt: str, **settings: Any) -> None:
        """Gold."""
        drugs_rs.gold(lake=self.lake, dt=dt, **settings)

    def found(self, **states: Any) -> Found:
        """The changes between two states."""
        rows = Lake(self.lake).diff(**states).to_dicts()
        return sorted((row["change"], row["cause"], row["publication_id"], row["atccode"]) for row in rows)


def article(identifier: str, title: str) -> str:
    return (
        f"<PubmedArticle><MedlineCitation><PMID>{identifier}</PMID><Article><Journal><JournalIssue><PubDate><Year>2020"
        f"</Year></PubDate></JournalIssue><Title>Annals</Title></Journal><ArticleTitle>{title}</ArticleTitle></Article>"
        "</MedlineCitation></PubmedArticle>"
    )


def xml(*parts: str) -> str:
    return f"<PubmedArticleSet>{''.join(parts)}</PubmedArticleSet>"


def deletion(identifier: str) -> str:
    return f"<DeleteCitation><PMID>{identifier}</PMID></DeleteCitation>"


def new_publication(desk: Desk) -> Found:
    desk.deliver(B, pubmed=[("9", "Warfarin again", "2021", "BMJ")])
    desk.run(B)
    return [("gained", "new_publication", "9", "B01AA03")]


def changed_publication(desk: Desk) -> Found:
    desk.deliver(B, pubmed=[("2", "Paracetamol instead", "2020", "Annals")])
    desk.run(B)
    return [("gained", "changed_publication", "2", "N02BE01"), ("lost", "changed_publication", "2", "B01AA03")]


def another_journal_changes_no_mention(desk: Desk) -> Found:
    desk.deliver(B, pubmed=[("2", "Warfarin", "2021-05", "The Lancet")])
    desk.run(B)
    return []


def a_title_that_moves_a_mention(desk: Desk) -> Found:
    desk.deliver(B, pubmed=[("2", "On warfarin", "2020", "Annals")])
    desk.run(B)
    rows = Lake(desk.lake).diff().to_dicts()
    assert [row["pair"] for row in rows] == ["kept", "kept"]
    return [("gained", "changed_publication", "2", "B01AA03"), ("lost", "changed_publication", "2", "B01AA03")]


def deleted_publication(desk: Desk) -> Found:
    desk.deliver(B, pubmed=xml(article("7", "Nothing"), deletion("2")))
    desk.run(B)
    return [("lost", "deleted_publication", "2", "B01AA03")]


def a_delivery_again_without_it(desk: Desk) -> Found:
    desk.deliver(A, pubmed=ARTICLES[:2])
    desk.run(A)
    return [("lost", "deleted_publication", "3", "N02BE01")]


def a_deleted_one_that_comes_back(desk: Desk) -> Found:
    desk.deliver(B, pubmed=xml(article("7", "Nothing"), deletion("2")))
    desk.run(B)
    desk.deliver(C, pubmed=xml(article("2", "Warfarin")))
    desk.run(C)
    return [("gained", "new_publication", "2", "B01AA03")]


def new_drug(desk: Desk) -> Found:
    desk.deliver(B, drugs=[*DRUGS, ("X01", "once")])
    desk.run(B)
    return [("gained", "new_drug", "3", "X01")]


def removed_drug(desk: Desk) -> Found:
    desk.deliver(B, drugs=DRUGS[1:])
    desk.run(B)
    return [("lost", "removed_drug", "1", "B01AA03"), ("lost", "removed_drug", "2", "B01AA03")]


def changed_names(desk: Desk) -> Found:
    desk.deliver(B, drugs=[DRUGS[0], ("N02BE01", "once")])
    desk.run(B)
    return [
        ("gained", "changed_names", "3", "N02BE01"),
        ("lost", "changed_names", "1", "N02BE01"),
        ("lost", "changed_names", "3", "N02BE01"),
    ]


def another_name_that_wins_the_span(desk: Desk) -> Found:
    desk.deliver(B, drugs=[*DRUGS, ("X01", "paracetamol once")])
    desk.run(B)
    return [("gained", "new_drug", "3", "X01"), ("lost", "changed_names", "3", "N02BE01")]


def changed_settings(desk: Desk) -> Found:
    desk.run(A, extra_stop_words=["paracetamol"])
    return [("lost", "changed_settings", "1", "N02BE01"), ("lost", "changed_settings", "3", "N02BE01")]


def held(desk: Desk) -> Found:
    desk.deliver(B, pubmed=[("9", "Warfarin again", "2021", "BMJ"), ("2", "Paracetamol", "2020", "Annals")])
    desk.run(B)
    drugs_rs.hold(desk.lake, B, "too poor")
    desk.run(B)
    return [("gained", "held", "2", "B01AA03"), ("lost", "held", "2", "N02BE01"), ("lost", "held", "9", "B01AA03")]


def a_held_deletion(desk: Desk) -> Found:
    desk.deliver(B, pubmed=xml(article("7", "Nothing"), deletion("2")))
    desk.run(B)
    drugs_rs.hold(desk.lake, B, "too poor")
    desk.run(B)
    return [("gained", "held", "2", "B01AA03")]


def a_held_vocabulary(desk: Desk) -> Found:
    desk.deliver(B, drugs=[*DRUGS, ("X01", "once")])
    desk.run(B)
    drugs_rs.hold(desk.lake, B, "too poor")
    desk.run(B)
    return [("lost", "held", "3", "X01")]


def a_held_delivery_again_without_it(desk: Desk) -> Found:
    """Without the hold it would be gone too."""
    desk.deliver(B, pubmed=[("9", "Warfarin again", "2021", "BMJ"), ("8", "Warfarin", "2021", "BMJ")])
    desk.run(B)
    desk.deliver(B, pubmed=[("8", "Warfarin", "2021", "BMJ")])
    drugs_rs.hold(desk.lake, B, "too poor")
    desk.run(B)
    return [("lost", "deleted_publication", "9", "B01AA03"), ("lost", "held", "8", "B01AA03")]


def released(desk: Desk) -> Found:
    desk.deliver(B, pubmed=[("9", "Warfarin again", "2021", "BMJ"), ("2", "Paracetamol", "2020", "Annals")])
    drugs_rs.hold(desk.lake, B, "too poor")
    desk.run(B)
    drugs_rs.release(desk.lake, B)
    desk.run(B)
    return [
        ("gained", "released", "2", "N02BE01"),
        ("gained", "released", "9", "B01AA03"),
        ("lost", "released", "2", "B01AA03"),
    ]


def a_released_vocabulary(desk: Desk) -> Found:
    desk.deliver(B, drugs=DRUGS[1:])
    drugs_rs.hold(desk.lake, B, "too poor")
    desk.run(B)
    drugs_rs.release(desk.lake, B)
    desk.run(B)
    return [("lost", "released", "1", "B01AA03"), ("lost", "released", "2", "B01AA03")]


def a_new_text_and_a_new_drug(desk: Desk) -> Found:
    """Of two changes that only together make a mention, the later one of the order is the cause."""
    desk.deliver(
        B,
        pubmed=[("2", "Warfarin, digoxin", "2020", "Annals"), ("3", "Paracetamol once more", "2020", "BMJ")],
        drugs=[*DRUGS, ("C01AA05", "digoxin"), ("X01", "once")],
    )
    desk.run(B)
    return [("gained", "new_drug", "2", "C01AA05"), ("gained", "new_drug", "3", "X01")]


def a_text_that_changes_beside_a_new_drug(desk: Desk) -> Found:
    desk.deliver(B, pubmed=[("2", "Paracetamol", "2020", "Annals")], drugs=[*DRUGS, ("X01", "once")])
    desk.run(B, extra_stop_words=["nothing"])
    return [
        ("gained", "changed_publication", "2", "N02BE01"),
        ("gained", "new_drug", "3", "X01"),
        ("lost", "changed_publication", "2", "B01AA03"),
    ]


def settings_beside_a_vocabulary(desk: Desk) -> Found:
    desk.deliver(B, drugs=[*DRUGS, ("X01", "once")])
    desk.run(B, extra_stop_words=["warfarin"])
    return [
        ("gained", "new_drug", "3", "X01"),
        ("lost", "changed_settings", "1", "B01AA03"),
        ("lost", "changed_settings", "2", "B01AA03"),
    ]


SCENARIOS: list[Callable[[Desk], Found]] = [
    new_publication,
    changed_publication,
    another_journal_changes_no_mention,
    a_title_that_moves_a_mention,
    deleted_publication,
    a_delivery_again_without_it,
    a_deleted_one_that_comes_back,
    new_drug,
    removed_drug,
    changed_names,
    another_name_that_wins_the_span,
    changed_settings,
    held,
    a_held_deletion,
    a_held_vocabulary,
    a_held_delivery_again_without_it,
    released,
    a_released_vocabulary,
    a_new_text_and_a_new_drug,
    a_text_that_changes_beside_a_new_drug,
    settings_beside_a_vocabulary,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_each_cause_in_a_scenario(scenario: Callable[[Desk], Found], tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    expected = scenario(desk)
    assert desk.found() == sorted(expected)


def test_abstracts_that_are_searched_from_now_on(tmp_path: Path) -> None:
    text = (
        "<PubmedArticle><MedlineCitation><PMID>5</PMID><Article><ArticleTitle>Warfarin</ArticleTitle><Abstract>"
        "<AbstractText>Digoxin</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>"
    )
    drugs = write_drugs(tmp_path / "drugs.csv", *DRUGS, ("C01AA05", "digoxin"))
    lake = tmp_path / "lake"
    drugs_rs.run(lake=lake, dt=A, drugs=drugs, pubmed=write(tmp_path / "a.xml", xml(text)))
    drugs_rs.gold(lake=lake, dt=A, abstracts=True)
    (row,) = Lake(lake).diff().to_dicts()
    assert (row["change"], row["cause"], row["field"]) == ("gained", "changed_settings", "abstract")
    # The abstract alone changes: the table of current publications does not show it.
    other = write(tmp_path / "b.xml", xml(text.replace("Digoxin", "Nothing")))
    drugs_rs.run(lake=lake, dt=A, pubmed=other, abstracts=True)
    (row,) = Lake(lake).diff().to_dicts()
    assert (row["change"], row["cause"], row["field"]) == ("lost", "changed_publication", "abstract")


def test_rules_of_another_version(tmp_path: Path) -> None:
    """A state of a version with other rules, which found less: its manifest says so, and nothing else differs."""
    desk = Desk(tmp_path)
    desk.run(A, graph="none")
    states = desk.lake / "states"
    record = json.loads((states / "00000001.json").read_text(encoding="utf-8"))
    (manifest,) = (path for path in (states / "kept").rglob(f"{record['gold']}.json"))
    found = json.loads(manifest.read_text(encoding="utf-8"))
    name, version, settings = found["mentions_made_with"].split(" ", 2)
    found["mentions_made_with"] = f"{name} {int(version) - 1} {settings}"
    del found["sha256"], record["sha256"]
    lost = next(file for file in found["outputs"] if file["path"].startswith("gold/mentions"))
    found["outputs"].remove(lost)
    _rewrite(manifest, found, record)
    (states / "00000001.json").write_text(json.dumps(record), encoding="utf-8")
    assert {row[:2] for row in desk.found()} == {("gained", "changed_rules")}
    assert len(desk.found()) == 4
    # A state that records nothing is never given a cause.
    found["mentions_made_with"] = ""
    _rewrite(manifest.parent / f"{record['gold']}.json", found, record)
    (states / "00000001.json").write_text(json.dumps(record), encoding="utf-8")
    assert {row[:2] for row in desk.found()} == {("gained", "unknown")}


def _rewrite(path: Path, manifest: dict[str, Any], record: dict[str, Any]) -> None:
    import hashlib

    text = json.dumps(manifest).encode("utf-8")
    record["gold"] = hashlib.sha256(text).hexdigest()
    path.unlink()
    (path.parent / f"{record['gold']}.json").write_bytes(text)


def test_any_two_states_add_up(tmp_path: Path) -> None:
    """From the first to the last state the changes are the difference of the tables, over any states between."""
    desk = Desk(tmp_path)
    for scenario in (changed_publication, held, new_drug, deleted_publication):
        scenario(desk)
    lake = Lake(desk.lake)
    numbers = lake.states()["state"]
    columns = ["kind", "publication_id", "field", "start", "end", "atccode", "drug"]
    tables = {
        n: {tuple(row.values()) for row in lake.at(n).scan("mentions", columns).read().to_dicts()} for n in numbers
    }
    for a in numbers:
        for b in (b for b in numbers if b > a):
            diff = lake.diff(a, b)
            rows = [(row["change"], *(row[column] for column in columns)) for row in diff.to_dicts()]
            gained = {("gained", *row) for row in tables[b] - tables[a]}
            assert len(rows) == len(set(rows)) == len(diff)
            assert set(rows) == gained | {("lost", *row) for row in tables[a] - tables[b]}
            assert (diff.from_state, diff.to_state) == (a, b)


def test_the_vocabulary_drug_by_drug(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.deliver(B, drugs=[("B01AA99", "warfarin"), ("N02BE01", "acetaminophen"), ("X01", "once")])
    desk.run(B)
    diff = Lake(desk.lake).diff()
    found = {row["atccode"]: row for row in diff.drugs.to_dicts()}
    assert {code: row["change"] for code, row in found.items()} == {
        "B01AA99": "recoded",
        "N02BE01": "renamed",
        "X01": "new",
    }
    assert found["B01AA99"]["atccode_before"] == "B01AA03"
    assert (found["B01AA99"]["gained"], found["B01AA99"]["lost"]) == (2, 2)
    assert (found["N02BE01"]["drug_before"], found["N02BE01"]["removed_names"]) == ("paracetamol", ["paracetamol"])
    # A new code of a substance loses no pair.
    pairs = {(row["drug"], row["change"]): row["pair"] for row in diff.to_dicts()}
    assert pairs[("warfarin", "lost")] == pairs[("warfarin", "gained")] == "kept"
    assert diff.lost_share == 0.5
    assert sum(row["pairs"] for row in diff.causes.to_dicts() if row["change"] == "lost") == 2


def test_the_rows_for_every_reader(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    changed_names(desk)
    diff = Lake(desk.lake).diff()
    table = pyarrow.table(diff)
    assert table.num_rows == len(diff) == 3
    assert table.to_pylist() == diff.to_dicts() == diff.read().to_dicts() == list(diff)
    assert table.schema.names == list(diff.schema)
    assert b"description" in table.schema.field("cause").metadata
    assert diff["cause"] == ["changed_names"] * 3
    assert repr(diff) == "LakeDiff(state 1 to state 2: 1 mentions gained, 2 lost)"
    assert str(diff) == diff.to_text()
    assert diff.to_dict()["lost"] == {"mentions": 2, "pairs": 1}
    assert diff.substances["substance"] == ["paracetamol", "once"]


@pytest.mark.parametrize(("bound", "passes"), [("100%", True), ("50%", True), ("49.999%", False), ("0%", False)])
def test_the_gate(bound: str, passes: bool, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    removed_drug(desk)
    code, printed, told = command(desk.lake, "--max-lost", bound)
    assert code == (0 if passes else 1)
    assert printed == Lake(desk.lake).diff().to_text()
    judged = ledger.diff(desk.lake, max_lost=bound)
    assert (judged["refusal"] is None) == passes
    if not passes:
        assert f"2 of 4 pairs were lost (50.0 %), and max_lost={bound} allows less: 2 by removed_drug" in told
        with pytest.raises(exceptions.LossError, match="2 of 4 pairs were lost"):
            Lake(desk.lake).diff().check(bound)
    with pytest.raises(exceptions.ArgumentError, match="max_lost: `2`; expected a share such as 50%"):
        Lake(desk.lake).diff().check("2")


def test_the_command_prints_what_python_returns(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    changed_publication(desk)
    diff = Lake(desk.lake).diff()
    assert command(desk.lake)[1] == diff.to_text()
    found = json.loads(command(desk.lake, "--json")[1])
    changes = found.pop("mention_changes")
    assert found == diff.to_dict()
    wanted = [{**row, "date": str(row["date"])} for row in diff.to_dicts()]
    assert changes == wanted
    lines = command(desk.lake, "--format", "ndjson", "--from", "1", "--to", B)[1]
    assert [json.loads(line) for line in lines.splitlines()] == wanted
    assert command(desk.lake, "--format", "csv")[1].count("\n") == 3
    assert command(desk.lake, "--quiet")[1] == ""


def test_what_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    lake = Lake(desk.lake)
    with pytest.raises(exceptions.SourceNotFoundError, match="the state before state 1.*an earlier state"):
        lake.diff()
    assert ledger.diff(desk.lake, max_lost="0%") == {"state": 1, "refusal": None}
    new_drug(desk)
    removed_drug(desk)
    assert lake.states()["state"] == [1, 2, 3]
    with pytest.raises(exceptions.ArgumentError, match="state 3, which is later than state 1"):
        lake.diff(3, 1)
    with pytest.raises(exceptions.ArgumentError, match="state 2 twice"):
        lake.diff(2, 2)
    # Two dates may well be one state.
    assert len(lake.diff(B, "2024-12-31")) == 0
    with pytest.raises(exceptions.SourceNotFoundError, match="one of the states 1 to 3"):
        lake.diff(7)
    assert lake.at(2).diff().to_state == 2
    lake.vacuum(keep="1 states")
    with pytest.raises(exceptions.SourceNotFoundError, match="states 2 to 3.*given up"):
        lake.diff(1, 3)
    with pytest.raises(TypeError, match="a must be a number from 1 on, or a date"):
        lake.diff(-1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(exceptions.SourceNotFoundError, match="run the gold step first"):
        Lake(tmp_path / "empty").diff()


def test_a_state_of_another_format(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    new_drug(desk)
    states = desk.lake / "states"
    record = json.loads((states / "00000001.json").read_text(encoding="utf-8"))
    (manifest,) = (states / "kept").rglob(f"{record['gold']}.json")
    found = json.loads(manifest.read_text(encoding="utf-8"))
    found["format"] = 1
    del found["sha256"], record["sha256"]
    _rewrite(manifest, found, record)
    (states / "00000001.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(exceptions.FormatError, match="state 1: its tables are of format 1.*3 publications, 4 mentions"):
        Lake(desk.lake).diff()


def test_a_lake_in_a_bucket(gs: Google, prefix: str, tmp_path: Path) -> None:
    """The changes and the evidence of a disk."""
    found = []
    for lake in (str(tmp_path / "lake"), gs.uri(f"{prefix}/lake")):
        tell(lake, tmp_path / "sources", lambda _: None)
        rows = [Lake(lake).diff(a, b).to_dicts() for a, b in ((1, 2), (2, 5), (1, 6))]
        history = Lake(lake).at(2).evidence("warfarin", "1", kind="pubmed")["history"]
        found.append((rows, [(event["state"], event["cause"]) for event in history]))
    assert found[0] == found[1]
    assert all(found[0][0])
    assert command(gs.uri(f"{prefix}/lake"), "--max-lost", "0%")[0] in (0, 1)


def test_the_page_for_people(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    removed_drug(desk)
    assert Lake(desk.lake).diff().to_text() == (Path(__file__).parents[1] / "golden" / "diff.txt").read_text(
        encoding="utf-8"
    )
