"""`Lake.explain`: what a matcher with gold's vocabulary and settings says of the texts of a publication."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from lake_story import BAD, FIRST, FOURTH, SECOND, THIRD, current_publications, sources
from shell import drugs_rs as shell
from written_sources import write, write_drugs, write_pubmed

import drugs_rs
from drugs_rs.exceptions import ArgumentError, FormatError, SourceNotFoundError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

XML = (
    '<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version="1">7</PMID><Article><Journal><JournalIssue>'
    "<PubDate><Year>2020</Year></PubDate></JournalIssue><Title>Lancet</Title></Journal><ArticleTitle>{title}</ArticleTitle>"
    "<Abstract><AbstractText>{abstract}</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>"
    "</PubmedArticleSet>"
)
VOCABULARY = (
    ("B01AA03", "WARFARIN"),
    ("N02BA01", "acetylsalicylic acid"),
    ("A10BA02", "metformin hydrochloride"),
    ("N02BE01", "PARACÉTAMOL"),
    ("V04CX", "zinc"),
)
TITLE = "Warfarin, acetylsalicylic acid (ASA) and ASA; paracetamol, normetformin, zinc 💊"
ABSTRACT = "Metformin and warfarin; nonwarfarin. ASA again."


def small_lake(folder: Path) -> drugs_rs.Lake:
    """A lake with one article that has an abstract; its gold is to be made."""
    drugs = write_drugs(folder / "drugs.csv", *VOCABULARY)
    article = write(folder / "article.xml", XML.format(title=TITLE, abstract=ABSTRACT))
    drugs_rs.run(out=folder / "lake", dt=FIRST, drugs=drugs, pubmed=article)
    return drugs_rs.Lake(folder / "lake")


def test_each_pair_is_what_the_matcher_says(story: dict[str, Path]) -> None:
    for path in story.values():
        lake = drugs_rs.Lake(path)
        vocabulary: dict[str, list[str]] = {}
        for row in lake.scan("drugs").read():
            vocabulary.setdefault(row["atccode"], []).append(row["drug"])
        matcher = drugs_rs.Matcher.from_names(vocabulary)
        mentioned = {(row["kind"], row["publication_id"], row["atccode"]) for row in lake.scan("mentions").read()}
        assert mentioned
        for row in current_publications(path):
            for code, names in vocabulary.items():
                for drug in (code, *names):
                    said = lake.explain(row["publication_id"], drug, kind=row["kind"])
                    assert said.splitlines()[0] == "title: " + matcher.explain(row["title"], drug)
                    assert (" is found at " in said) == ((row["kind"], row["publication_id"], code) in mentioned)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"abstracts": True},
        {"boundary": "none"},
        {"abbreviations": True, "abstracts": True},
        {"salts": True, "abstracts": True},
        {"accents": "keep"},
        {"stop_words": []},
        {"stop_words": ["Warfarin", 'a "quoted" wörd\n']},
        {"extra_stop_words": ["WARFARIN", "acetylsalicylic-acid", "\u202eright to left"]},
        {"stop_words": ["warfarin"], "extra_stop_words": ["zinc"], "boundary": "none", "abstracts": True},
    ],
    ids=str,
)
def test_the_settings_of_gold_are_used(options: dict[str, Any], tmp_path: Path) -> None:
    lake = small_lake(tmp_path)
    drugs_rs.gold(out=lake.root, dt=FIRST, **options)
    searched = {name: value for name, value in options.items() if name != "abstracts"}
    names: dict[str, list[str]] = {code: [name] for code, name in VOCABULARY}
    matcher = drugs_rs.Matcher.from_names(names, **searched)
    remark = "" if options.get("abstracts") else ", which gold did not search (fields)"
    for _, drug in VOCABULARY:
        assert lake.explain("7", drug).splitlines() == [
            "title: " + matcher.explain(TITLE, drug),
            f"abstract{remark}: " + matcher.explain(ABSTRACT, drug),
        ]


def test_why_a_publication_is_not_there(story: dict[str, Path], tmp_path: Path) -> None:
    held, deleted = drugs_rs.Lake(story["held"]), drugs_rs.Lake(story["deleted"])
    for lake, publication, kind, message in (
        (held, "404", None, r"^`404` in the current publications of .*: not found; expected the id of a publication"),
        (held, "7", "clinical_trial", r"^clinical_trial `7` in the current publications"),
        (deleted, "2", None, rf"a publication that was not deleted, as a notice of dt={THIRD} did"),
        (held, "", None, "^`` in the current"),
        (held, " 1", None, "^` 1` in the current"),
        (held, "x" * 9000, None, r"^`x{200}… \(9000 bytes\)` in"),
    ):
        with pytest.raises(SourceNotFoundError, match=message):
            lake.explain(publication, "warfarin", kind=kind)
    with pytest.raises(
        ArgumentError, match=r"^kind: `1` is the id of several .*; expected one of clinical_trial, pubmed"
    ):
        held.explain("1", "warfarin")
    assert "is found" in held.explain("1", "warfarin", kind="clinical_trial")
    with pytest.raises(ArgumentError, match="did you mean"):
        held.explain("1", "warfarin", kind="pubmet")
    # A date that only held rows have, and one that gold has not reached.
    lake = drugs_rs.Lake(tmp_path / "lake")
    drugs_rs.run(out=lake.root, dt=FIRST, **sources(tmp_path)[FIRST])
    late = write_pubmed(tmp_path / "late.csv", ("77", "Warfarin", "2020", "J"))
    drugs_rs.bronze(out=lake.root, dt=SECOND, pubmed=late)
    drugs_rs.silver(out=lake.root, dt=SECOND)
    with pytest.raises(
        SourceNotFoundError, match=rf"expected a gold run since dt={SECOND} delivered it; run the gold step"
    ):
        lake.explain("77", "warfarin")
    drugs_rs.hold(lake.root, SECOND, BAD)
    with pytest.raises(
        SourceNotFoundError, match=rf"dt={SECOND}, which delivered it, is held: {BAD}; release the date"
    ):
        lake.explain("77", "warfarin")
    drugs_rs.release(lake.root, SECOND)
    drugs_rs.gold(out=lake.root, dt=SECOND)
    assert lake.explain("77", "warfarin").startswith("title: `WARFARIN` (B01AA03) is found at 0 to 8")


def test_a_newer_state_of_a_held_date_is_named(story: dict[str, Path]) -> None:
    # The notice of deletion removes it from what gold has, so another article of the held date is needed.
    lake = drugs_rs.Lake(story["late"])
    assert "newer state" not in lake.explain("5", "Digoxin")
    copy = drugs_rs.Lake(story["late"].with_name("late-held"))
    shutil.copytree(lake.root, copy.root)
    newer = write_pubmed(story["late"].parent / "newer.csv", ("5", "Paracetamol", "2021", "J"))
    drugs_rs.bronze(out=copy.root, dt=FOURTH, pubmed=newer)
    drugs_rs.silver(out=copy.root, dt=FOURTH, hold=True)
    drugs_rs.hold(copy.root, FOURTH, BAD)
    drugs_rs.gold(out=copy.root, dt=FOURTH)
    lines = copy.explain("5", "Digoxin").splitlines()
    assert lines[0] == lake.explain("5", "Digoxin")
    assert lines[1:] == [f"A newer state of the publication is left out, because dt={FOURTH} is held: {BAD}"]


def test_drugs_that_the_vocabulary_lacks(story: dict[str, Path]) -> None:
    lake = drugs_rs.Lake(story["corrected"])
    for drug, message in (
        (
            "warfarine",
            r"^`warfarine` in the vocabulary of .*; expected a name or a code of the table `drugs`; did you mean `WARF",
        ),
        ("B01AA04", "did you mean `B01AA03`"),
        ("", "^`` in the vocabulary"),
        ("warfarin\n", "in the vocabulary of"),
        ('"; DROP TABLE', r'^`"; DROP TABLE` in the vocabulary'),
        ("ن\u202e", "in the vocabulary of"),
        ("y" * 100_000, r"^`y{200}… \(100000 bytes\)` in the vocabulary of [^;]*; expected [^;]*$"),
    ):
        if drug == "warfarin\n":
            # White space at the end of a name is none of its letters.
            assert "is found" in lake.explain("1", drug, kind="pubmed")
            continue
        with pytest.raises(SourceNotFoundError, match=message):
            lake.explain("1", drug, kind="pubmed")
    for wrong in (1, None, b"warfarin"):
        with pytest.raises(TypeError):
            lake.explain("1", wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            lake.explain(wrong, "warfarin")  # type: ignore[arg-type]


def test_lakes_that_cannot_explain(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="not found"):
        drugs_rs.Lake(tmp_path / "none").explain("7", "warfarin")
    lake = small_lake(tmp_path)
    path = tmp_path / "lake" / "gold" / "_manifest.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    # A manifest without its digest is not checked.
    del record["sha256"]

    def told(**settings: Any) -> None:
        changed = {**record, "settings": {**record["settings"], **settings}}
        path.write_text(json.dumps(changed), encoding="utf-8")

    rebuilt = record["settings"]["matcher"]
    assert set(rebuilt) == {"settings", "sha256"} and rebuilt["settings"]["stop_words"] == []
    for matcher in (
        None,
        "matcher",
        {},
        {**rebuilt, "sha256": "0" * 64},
        {**rebuilt, "settings": {**rebuilt["settings"], "stop_words": ["warfarin"]}},
        {**rebuilt, "settings": {**rebuilt["settings"], "of_a_later_version": True}},
        {**rebuilt, "settings": {**rebuilt["settings"], "rules": "yes"}},
    ):
        told(matcher=matcher)
        with pytest.raises(
            FormatError, match=r"_manifest.json: the settings: settings that the matcher cannot be rebuilt"
        ):
            lake.explain("7", "warfarin")
    # Settings of another run: what it would have found is not what gold found.
    other = small_lake(tmp_path / "other")
    drugs_rs.gold(out=other.root, dt=FIRST, extra_stop_words=["warfarin"])
    told(matcher=json.loads(other.history().to_dicts()[-1]["settings"])["matcher"])
    with pytest.raises(
        FormatError, match=r"gold/mentions: the publication 7: .* mentions, and the recorded settings find"
    ):
        lake.explain("7", "zinc")
    path.write_text(json.dumps(record), encoding="utf-8")
    assert "is found" in lake.explain("7", "warfarin")
    path.unlink()
    with pytest.raises(SourceNotFoundError, match="run the gold step first"):
        lake.explain("7", "warfarin")


def test_a_report_stays_small(tmp_path: Path) -> None:
    lake = small_lake(tmp_path)
    few = drugs_rs.gold(out=lake.root, dt=FIRST, extra_stop_words=[f"word {n}" for n in range(1000)])
    assert len(json.dumps(few["settings"])) < 20_000
    assert "is found" in lake.explain("7", "warfarin")
    many = drugs_rs.gold(out=lake.root, dt=FIRST, extra_stop_words=[f"word {n}" for n in range(20_000)])
    assert len(json.dumps(many["settings"])) < 20_000
    with pytest.raises(FormatError, match="more than 1,000 stop words"):
        lake.explain("7", "warfarin")


def test_silver_that_is_newer_than_gold_is_seen(tmp_path: Path) -> None:
    lake = small_lake(tmp_path)
    drugs_rs.gold(out=lake.root, dt=FIRST, abstracts=True)
    article = write(tmp_path / "other.xml", XML.format(title=TITLE, abstract="Nothing"))
    drugs_rs.bronze(out=lake.root, dt=FIRST, pubmed=article)
    drugs_rs.silver(out=lake.root, dt=FIRST)
    with pytest.raises(FormatError, match="silver has other texts since"):
        lake.explain("7", "warfarin")
    drugs_rs.gold(out=lake.root, dt=FIRST, abstracts=True)
    assert lake.explain("7", "warfarin").splitlines()[1].startswith("abstract: `WARFARIN` (B01AA03) is not found")


def test_the_command_prints_the_same(story: dict[str, Path]) -> None:
    lake = drugs_rs.Lake(story["corrected"])
    finished = shell("lake", "explain", lake.root, "1", "aspirin", "--kind", "pubmed")
    assert finished.stdout.decode("utf-8") == lake.explain("1", "aspirin", kind="pubmed") + "\n"
    finished = shell("lake", "explain", lake.root, "1", "aspirin", "--kind", "pubmed", "--json")
    found = json.loads(finished.stdout)
    assert found.pop("fields") == [
        {
            "field": "title",
            "searched": True,
            "explanation": lake.explain("1", "aspirin", kind="pubmed").partition("title: ")[2],
        }
    ]
    assert found == {"publication_id": "1", "kind": "pubmed", "dt": SECOND, "drug": "aspirin"}
    for arguments, code, message in (
        (("1", "aspirin"), 2, b"expected one of clinical_trial, pubmed"),
        (("404", "aspirin"), 1, b"not found"),
        (("5", "aspirine"), 1, b"did you mean `aspirin`"),
        (("5",), 2, b"DRUG"),
    ):
        finished = shell("lake", "explain", lake.root, *arguments)
        assert finished.returncode == code and message in finished.stderr, finished.stderr
        assert finished.stdout == b""
