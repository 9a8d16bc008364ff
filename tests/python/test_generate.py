"""Made-up sources: what the pipeline finds in them is what was put there, in every format, dirt and all.

The truth comes from where the generator put each drug, so these tests fail where the reader, the cleaning, the merging
or the matcher is wrong. Shares of dirt are far above the usual ones, so that a few hundred records have every kind.
"""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import time
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from lake_tables import DT, mentions, rows
from shell import command
from shell import drugs_rs as shell

import drugs_rs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

ARTICLES = ("csv", "json", "ndjson", "parquet", "pubmed-xml", "medline", "pubmed-csv")
TRIALS = (
    *("csv", "json", "ndjson", "parquet"),
    *("ctgov-csv", "ctgov-classic-csv", "studies-json", "studies-ndjson", "study-files"),
)
DIRT = dict.fromkeys(
    (
        *("blank_title", "missing_id", "missing_journal", "half_rows", "repeated_id", "superseded_id", "escapes"),
        *("broken_escapes", "markup", "bad_date", "missing_date", "journal_spelling", "trailing_comma", "blank_line"),
        *("malformed_row", "deleted"),
    ),
    0.04,
)
UUID5 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


PLACE = ("publication_id", "kind", "atccode", "field", "start", "end", "surface")


def lines(folder: Path) -> list[dict[str, Any]]:
    """The mentions that are true."""
    (path,) = (folder / "truth").glob("mentions.ndjson*")
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in content.splitlines()]


def key(journal: str | None) -> str | None:
    """The spelling in which few records say a journal may win where there are few of them."""
    if journal is None:
        return None
    letters = unicodedata.normalize("NFKD", journal).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def expected(folder: Path) -> Counter[tuple[Any, ...]]:
    """Every place of a drug in a publication."""
    return Counter((*(line[name] for name in PLACE), line["date"], key(line["journal"])) for line in lines(folder))


def found(lake: Path) -> Counter[tuple[Any, ...]]:
    """The same of a lake. Ids that were made from the rest of a record are all alike."""
    places = (
        (*(row[name] for name in PLACE), row["date"] and str(row["date"]), key(row["journal"]))
        for row in mentions(lake)
    )
    return Counter((None if UUID5.fullmatch(identifier) else identifier, *rest) for identifier, *rest in places)


def run(folder: Path, lake: Path) -> dict[str, Any]:
    """All steps on a made-up folder."""
    sources: dict[str, Any] = {
        name: folder / name for name in ("pubmed", "clinical_trials") if (folder / name).exists()
    }
    report: dict[str, Any] = drugs_rs.run(drugs=folder / "drugs", out=lake, dt=DT, abstracts=True, **sources)
    return report


def check_rows(report: dict[str, Any], made: dict[str, Any]) -> None:
    """What became of the rows of each table is what had to."""
    for table in ("pubmed", "clinical_trials"):
        truth = made["truth"].get(table)
        tallies = [source for source in report["sources"] if source["table"] == table]
        if truth is None:
            assert tallies == []
            continue
        for name in ("rows_in", "rows_kept", "rows_merged", "rows_rejected"):
            assert sum(source[name] for source in tallies) == truth[name], (table, name)
        for name in ("merged", "rejected"):
            counts: Counter[str] = Counter()
            for source in tallies:
                counts.update(source[name])
            assert dict(counts) == truth[name], (table, name)
    # Each file is reported with the number of its rows, which once was 0.
    for file in made["files"]:
        if file["path"].startswith("truth/corrected"):
            continue
        read = [source["rows_in"] for source in report["sources"] if source["uri"].endswith(file["path"])]
        truth_lines = sum(truth["mentions"] for truth in made["truth"].values())
        assert read == [file["rows"]] or (read, file["rows"]) == ([], truth_lines), file["path"]


@pytest.mark.parametrize(
    ("articles", "trials"),
    [(ARTICLES[place % len(ARTICLES)], TRIALS[place]) for place in range(len(TRIALS))],
)
def test_what_is_found_is_what_was_put_there(articles: str, trials: str, tmp_path: Path) -> None:
    drugs = ARTICLES[:4][TRIALS.index(trials) % 4]
    folder, lake = tmp_path / "made", tmp_path / "lake"
    made = drugs_rs.generate(
        folder,
        articles=900,
        trials=600,
        drugs=150,
        journals=12,
        articles_format=articles,  # type: ignore[arg-type]
        trials_format=trials,  # type: ignore[arg-type]
        drugs_format=drugs,  # type: ignore[arg-type]
        files=3,
        abstracts=0.3,
        dirt=DIRT,
    )
    report = run(folder, lake)
    check_rows(report, made)
    truth = expected(folder)
    assert {line[3] for line in truth} == {"title", "abstract"}
    for table, kind in (("pubmed", "pubmed"), ("clinical_trials", "clinical_trial")):
        told = made["truth"][table]["mentions"]
        assert told == sum(count for line, count in truth.items() if line[1] == kind) > 100
    assert found(lake) == truth
    graph = drugs_rs.read_graph(lake)
    assert len(graph.drugs(unit="code")) == 150
    assert len(graph.drugs()) < 150, "some drugs have two codes"
    assert {name for name, share in made["settings"]["dirt"].items() if share} == set(DIRT)


def test_the_truth_tells_when_too_much_or_too_little_is_found(tmp_path: Path) -> None:
    """A substring is no mention, and a drug that the vocabulary lacks is one that is not found."""
    folder = tmp_path / "made"
    drugs_rs.generate(folder, articles=1500, trials=0, drugs=150)
    truth = expected(folder)
    drugs_rs.run(drugs=folder / "drugs", pubmed=folder / "pubmed", out=tmp_path / "all", dt=DT, boundary="none")
    more = found(tmp_path / "all")
    assert more - truth
    assert not truth - more
    vocabulary = (folder / "drugs" / "part-00001.csv").read_text(encoding="utf-8").splitlines()
    shorter = tmp_path / "shorter.csv"
    shorter.write_text("\n".join(vocabulary[:1] + vocabulary[20:]) + "\n", encoding="utf-8")
    drugs_rs.run(drugs=shorter, pubmed=folder / "pubmed", out=tmp_path / "less", dt=DT)
    less = found(tmp_path / "less")
    assert truth - less
    assert not less - truth


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_packed_and_split(packing: str, tmp_path: Path) -> None:
    folder, lake = tmp_path / "made", tmp_path / "lake"
    drugs_rs.generate(
        folder,
        articles=9000,
        trials=0,
        articles_format="pubmed-xml",
        files=4,
        packing=packing,  # type: ignore[arg-type]
    )
    assert len(list((folder / "pubmed").iterdir())) == 4
    assert not (folder / "clinical_trials").exists()
    run(folder, lake)
    if packing == "gz":
        assert found(lake) == expected(folder)


@pytest.mark.parametrize("form", ["pubmed-xml", "medline"])
def test_a_journal_has_ids_of_its_own(form: str, tmp_path: Path) -> None:
    """An ISSN once followed the number of the record: from ten thousand on, journals shared some and were joined."""
    folder, lake = tmp_path / "made", tmp_path / "lake"
    drugs_rs.generate(folder, articles=12_000, trials=0, journals=500, articles_format=form)  # type: ignore[arg-type]
    run(folder, lake)
    known = rows(lake / "silver" / "journals" / "kind=pubmed" / f"dt={DT}" / "part-00000.parquet")
    assert len(known) == len({row["journal_key"] for row in known}) > 450
    for ids in ("nlm_id", "issn"):
        assert len({row[ids] for row in known} - {None}) == len(known)
    assert found(lake) == expected(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", ARTICLES)
def test_the_same_seed_gives_the_same_bytes(form: str, tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        drugs_rs.generate(tmp_path / name, seed=seed, articles=5000, trials=50, drugs=60, articles_format=form)  # type: ignore[arg-type]
    one, same, other = (content(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] == other[name]] == []


def test_these_bytes_for_ever(tmp_path: Path) -> None:
    """Whatever changes them raises `VERSION` in `src/api/generate.rs`, and these digests."""
    made = drugs_rs.generate(tmp_path / "made", articles=2000, trials=500, articles_format="medline")
    digests = {file["path"]: file["sha256"][:16] for file in made["files"]}
    assert (made["version"], digests) == (4, DIGESTS)


DIGESTS = {
    "drugs/part-00001.csv": "afcf7cd9f31da61e",
    "pubmed/part-00001.nbib": "025378d7748e0909",
    "clinical_trials/part-00001.csv": "8e399e4bcb447409",
    "truth/mentions.ndjson": "c29937e64dab8ffa",
}


def test_bytes_do_not_depend_on_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["generate", "--articles", "20000", "--articles-format", "ndjson", "--quiet"]
    for threads in ("1", "3"):
        monkeypatch.setenv("RAYON_NUM_THREADS", threads)
        finished = shell(*arguments, "--out", str(tmp_path / threads))
        assert finished.returncode == 0, finished.stderr.decode()
    assert content(tmp_path / "1") == content(tmp_path / "3")


def test_python_and_the_command_do_the_same(tmp_path: Path) -> None:
    made = drugs_rs.generate(
        tmp_path / "python", articles=300, trials=100, trials_format="studies-json", clean=True, dirt={"markup": 0.5}
    )
    arguments = ["--articles", "300", "--trials", "100", "--trials-format", "studies-json", "--clean"]
    finished = shell("generate", "--out", str(tmp_path / "shell"), *arguments, "--dirt", "markup=0.5", "--json")
    assert finished.returncode == 0, finished.stderr.decode()
    assert json.loads(finished.stdout) == made
    assert content(tmp_path / "python") == content(tmp_path / "shell")


def test_made_again_it_stays_and_anything_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    first = drugs_rs.generate(folder, articles=100, trials=10)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert drugs_rs.generate(folder, articles=100, trials=10) == first
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    with pytest.raises(drugs_rs.exceptions.ArgumentError, match="holds something else"):
        drugs_rs.generate(folder, articles=101, trials=10)
    with pytest.raises(drugs_rs.exceptions.ArgumentError):
        drugs_rs.generate(tmp_path, articles=100)
    assert drugs_rs.generate(folder, articles=101, trials=10, force=True) != first
    (folder / "drugs" / "part-00001.csv").unlink()
    with pytest.raises(drugs_rs.exceptions.ArgumentError):
        drugs_rs.generate(folder, articles=101, trials=10)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".staging")] == []


def started(out: Path) -> subprocess.Popen[bytes]:
    """A run that takes minutes, caught when it has begun to write."""
    size = ["--articles", "500000000", "--articles-format", "ndjson"]
    process = subprocess.Popen(command("generate", "--out", out, "--quiet", *size), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not any(out.parent.glob(".staging/*/new/made/pubmed/*")):
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline, "it never began"
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_ended_on_the_way_it_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "made"
    process = started(out)
    process.send_signal(number)
    assert process.wait(30) != 0
    assert process.stderr is not None
    process.stderr.close()
    assert not out.exists()
    left = [path.name for path in tmp_path.iterdir()]
    assert left == ([".staging"] if number == signal.SIGKILL else [])
    drugs_rs.generate(out, articles=10, trials=0)
    assert [path.name for path in tmp_path.iterdir()] == ["made"], (
        "it once left the lock of a lake in a folder that is none"
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"drugs": 0},
        {"drugs": -1},
        {"seed": 1 << 64},
        {"files": 0},
        {"drugs": 1 << 25},
        {"abstracts": 1.5},
        {"dirt": {"no_such_dirt": 0.1}},
        {"dirt": {"markup": -0.1}},
        {"dirt": {"markup": float("nan")}},
        {"dirt": {"markup": 0.6, "escapes": 0.6}},
        {"articles_format": "ctgov-csv"},
        {"trials_format": "medline"},
        {"drugs_format": "pubmed-xml"},
        {"articles_format": "xlsx"},
        {"packing": "rar"},
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(drugs_rs.exceptions.ArgumentError, match=rf"{next(iter(settings))}.*: .*; expected "):
        drugs_rs.generate(tmp_path / "made", **settings)
    assert list(tmp_path.iterdir()) == []


def test_a_format_that_is_none_is_told_with_those_of_its_table(tmp_path: Path) -> None:
    for name in ("xml", "studies-json"):
        with pytest.raises(drugs_rs.exceptions.ArgumentError) as caught:
            drugs_rs.generate(tmp_path / "made", articles_format=name)  # type: ignore[arg-type]
        formats = '"csv", "json", "ndjson", "parquet", "pubmed-xml", "medline" or "pubmed-csv"'
        assert str(caught.value) == f"articles_format: `{name}`; expected {formats}"


@pytest.mark.parametrize("out", ["gs://bucket/made", "s3://bucket/made"])
def test_a_bucket_is_refused_with_what_to_do(out: str) -> None:
    with pytest.raises(drugs_rs.exceptions.ArgumentError, match=f"`{out}` is in a bucket.*copy it to the bucket"):
        drugs_rs.generate(out, articles=1)
    finished = shell("generate", "--out", out)
    assert (finished.returncode, b"copy it to the bucket" in finished.stderr) == (2, True)


def test_abstracts_have_mentions_of_their_own_and_are_found_when_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    drugs_rs.generate(folder, articles=600, trials=0, abstracts=1.0, clean=True)
    titles = Counter(line for line in expected(folder).elements() if line[3] == "title")
    drugs_rs.run(drugs=folder / "drugs", pubmed=folder / "pubmed", out=tmp_path / "titles", dt=DT)
    assert found(tmp_path / "titles") == titles != expected(folder)
    run(folder, tmp_path / "both")
    assert found(tmp_path / "both") == expected(folder)


def test_many_broken_rows_cost_no_other_row(tmp_path: Path) -> None:
    # In a file of the old export with a broken first row, all others were rejected.
    dirt = {"malformed_row": 0.5}
    folder, lake = tmp_path / "made", tmp_path / "lake"
    made = drugs_rs.generate(
        folder, articles=300, trials=0, drugs=300, files=7, articles_format="pubmed-csv", clean=True, dirt=dirt
    )
    check_rows(run(folder, lake), made)
    assert 100 < made["truth"]["pubmed"]["rows_kept"] < 200
    assert found(lake) == expected(folder)


def test_the_command_that_is_shown_runs(tmp_path: Path) -> None:
    # It named folders of tables that were not generated.
    for number, counts in enumerate((["--trials", "0"], ["--articles", "0"], ["--articles", "20"])):
        folder = tmp_path / str(number)
        finished = shell("generate", "--out", str(folder), "--drugs", "20", *counts)
        (line,) = [line for line in finished.stdout.decode().splitlines() if "drugs-rs run" in line]
        words = line.split()[2:]
        assert {"--drugs", "--out", "--dt"} < set(words)
        words[words.index("LAKE")], words[words.index("DATE")] = str(tmp_path / f"lake-{number}"), DT
        finished = shell("run", *words, "--quiet")
        assert finished.returncode == 0, finished.stderr.decode()


def test_nothing_but_drugs(tmp_path: Path) -> None:
    made = drugs_rs.generate(tmp_path / "made", articles=0, trials=0, drugs=41)
    assert made["truth"] == {}
    table = drugs_rs.read_drugs(tmp_path / "made" / "drugs")
    assert len(table) == 41
    # The name of number 39 is that of number 19.
    assert sum("shared_name" in row["flags"] for row in table.to_dicts()) == 2
