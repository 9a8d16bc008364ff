"""The command: data on stdout, talk on stderr, and an exit code that says how it went."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from generated_input import generate
from lake_state import gold_files, hashes
from lake_tables import DT, publications
from shell import command, run_arguments
from shell import drugs_rs as shell
from written_sources import whole_sample, write, write_pubmed

import drugs_rs

TITLES = "Warfarin at last\n\nnothing here\nibuprofen, IBUPROFEN\n"
MENTIONS = [
    {"row": 0, "atccode": "B01AA03", "drug": "WARFARIN", "start": 0, "end": 8, "surface": "Warfarin", "rule": "name"},
    {"row": 3, "atccode": "M01AE01", "drug": "IBUPROFEN", "start": 0, "end": 9, "surface": "ibuprofen", "rule": "name"},
    {
        "row": 3,
        "atccode": "M01AE01",
        "drug": "IBUPROFEN",
        "start": 11,
        "end": 20,
        "surface": "IBUPROFEN",
        "rule": "name",
    },
]


def lines(output: bytes) -> list[dict[str, Any]]:
    """Parsed NDJSON; a line that is anything else fails."""
    return [json.loads(line) for line in output.decode("utf-8").splitlines()]


def without_seconds(report: object) -> object:
    """A report without what differs between two runs."""
    if isinstance(report, dict):
        varies = ("seconds", "out", "run_id", "started_at")
        return {name: without_seconds(value) for name, value in report.items() if name not in varies}
    if isinstance(report, list):
        return [without_seconds(value) for value in report]
    return report


def test_json_is_the_report_and_nothing_else(samples: Path, tmp_path: Path) -> None:
    sources = whole_sample(samples)
    finished = shell(*run_arguments(sources, tmp_path / "shell", DT), "--json")
    assert finished.returncode == 0, finished.stderr.decode()
    report = json.loads(finished.stdout.decode("utf-8"))
    assert without_seconds(report) == without_seconds(drugs_rs.run(out=tmp_path / "python", dt=DT, **sources))
    assert gold_files(tmp_path / "shell") == gold_files(tmp_path / "python")


def test_summary_for_people(samples: Path, tmp_path: Path) -> None:
    """The whole of it is a golden file; here what it has to say in any wording."""
    finished = shell(*run_arguments(whole_sample(samples), tmp_path / "lake", DT))
    text = finished.stdout.decode("utf-8")
    assert finished.returncode == 0
    for word in ("WARFARIN", "Northern Archives of Cardiology", str(tmp_path / "lake")):
        assert word in text
    assert re.search("rejected", text, re.IGNORECASE)
    assert re.search("merged", text, re.IGNORECASE)
    assert "\x1b" not in text, "no colours where no terminal is"
    assert not re.search(rb"[\x1b\r]", finished.stderr), "nor a progress bar"


def test_the_summary_names_a_bad_file_once(samples: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(b'[{"id": 1, "title": "T"},')
    sources = {**whole_sample(samples), "pubmed": [bad]}
    finished = shell(*run_arguments(sources, tmp_path / "lake", DT), "--on-bad-file", "reject")
    assert finished.returncode == 0, finished.stderr.decode()
    lines_about = [line.strip() for line in finished.stdout.decode().splitlines() if "cut off" in line]
    assert lines_about
    for line in lines_about:
        assert line.count("bad.json") == 1, line


def test_quiet_says_nothing(samples: Path, tmp_path: Path) -> None:
    finished = shell(*run_arguments(whole_sample(samples), tmp_path / "lake", DT), "--quiet")
    assert (finished.returncode, finished.stderr) == (0, b"")


def test_steps(samples: Path, tmp_path: Path) -> None:
    sources = whole_sample(samples)
    lake = tmp_path / "lake"
    for arguments in (
        ["bronze", *run_arguments(sources, lake, DT)[1:]],
        ["silver", "--out", lake, "--dt", DT],
        ["gold", "--out", lake, "--dt", DT],
    ):
        finished = shell(*arguments, "--json")
        assert finished.returncode == 0, finished.stderr.decode()
        assert json.loads(finished.stdout.decode("utf-8"))["step"] == arguments[0]
    drugs_rs.run(out=tmp_path / "python", dt=DT, **sources)
    assert hashes(lake, "gold") == hashes(tmp_path / "python", "gold")


def test_silver_of_one_table(samples: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shell("bronze", *run_arguments(whole_sample(samples), lake, DT)[1:])
    assert shell("silver", "--table", "pubmed", "--out", lake, "--dt", DT).returncode == 0
    assert len(publications(lake)) == 15
    assert publications(lake, "clinical_trial") == []


def test_flags_are_the_python_keywords(tmp_path: Path) -> None:
    content = 'id,title,date,journal\n1,"Caf\xe9 same norwarfarin",02/01/2019,Annals\n'.encode("windows-1252")
    (tmp_path / "articles.csv").write_bytes(content)
    drugs = write(tmp_path / "drugs.csv", "atccode,drug\nB01AA03,WARFARIN\nX01,same\n")
    options = ["--encoding", "windows-1252", "--month-first", "--boundary", "none", "--no-stop-words"]
    arguments = ["run", "--drugs", str(drugs), "--pubmed", str(tmp_path / "articles.csv"), "--dt", DT]
    finished = shell(*arguments, "--out", tmp_path / "lake", *options)
    assert finished.returncode == 0, finished.stderr.decode()
    graph = json.loads((tmp_path / "lake" / "gold" / "drug_graph.json").read_text(encoding="utf-8"))
    assert graph["pubmed"]["1"]["date"] == "2019-02-01"
    assert graph["drug"]["B01AA03"]["pubmed_id"] == graph["drug"]["X01"]["pubmed_id"] == ["1"]

    (tmp_path / "words.txt").write_text("warfarin\n", encoding="utf-8")
    options[-1:] = ["--stop-words", str(tmp_path / "words.txt")]
    assert shell(*arguments, "--out", tmp_path / "stopped", *options).returncode == 0
    graph = json.loads((tmp_path / "stopped" / "gold" / "drug_graph.json").read_text(encoding="utf-8"))
    assert graph["drug"]["B01AA03"]["pubmed_id"] == []


def test_match_from_stdin(samples: Path) -> None:
    finished = shell("match", "--vocabulary", samples / "drugs.csv", stdin=TITLES.encode("utf-8"))
    assert finished.returncode == 0, finished.stderr.decode()
    assert lines(finished.stdout) == MENTIONS


def test_match_from_a_file(samples: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "titles.txt", TITLES)
    finished = shell("match", "--vocabulary", samples / "drugs.csv", path)
    assert lines(finished.stdout) == MENTIONS


def test_match_from_a_column(samples: Path, tmp_path: Path) -> None:
    records = [(str(row), title, "2020", "warfarin in another column") for row, title in enumerate(TITLES.splitlines())]
    path = write_pubmed(tmp_path / "articles.csv", *records)
    finished = shell("match", "--vocabulary", samples / "drugs.csv", "--column", "title", path)
    assert finished.returncode == 0, finished.stderr.decode()
    assert lines(finished.stdout) == MENTIONS


def test_match_with_several_vocabularies_and_letters_beyond_ascii(samples: Path, tmp_path: Path) -> None:
    more = write(tmp_path / "more.csv", "atccode,drug\nA11CA02,β-carotene\n")
    text = "Étude: β-carotene, warfarin".encode()
    finished = shell("match", "--vocabulary", samples / "drugs.csv", "--vocabulary", more, stdin=text)
    assert [(row["surface"], row["start"]) for row in lines(finished.stdout)] == [("β-carotene", 7), ("warfarin", 19)]
    assert "β-carotene".encode() in finished.stdout, "letters are written as themselves"


@pytest.mark.parametrize("options", [[], ["--json"], ["--quiet"], ["--format", "table"], ["--format", "ndjson"]])
def test_match_without_a_mention_exits_as_grep_does(samples: Path, options: list[str]) -> None:
    finished = shell("match", "--vocabulary", samples / "drugs.csv", *options, stdin=b"nothing\n")
    assert (finished.returncode, finished.stdout, finished.stderr) == (1, b"", b"")


def test_match_with_a_column_that_is_not_there(samples: Path) -> None:
    finished = shell("match", "--vocabulary", samples / "drugs.csv", "--column", "headline", samples / "pubmed.csv")
    assert (finished.returncode, finished.stdout) == (1, b"")
    talk = finished.stderr.decode("utf-8")
    assert all(word in talk for word in ("headline", "title", "journal")), "what is missing, and what there is"


@pytest.mark.parametrize(
    ("options", "text", "drug"),
    [
        ([], "Warfarin-treated", "warfarin"),
        ([], "nothing here", "B01AA03"),
        ([], "norwarfarin", "WARFARIN"),
        (["--boundary", "none"], "norwarfarin", "WARFARIN"),
        (["--no-stop-words"], "warfarin", "warfarin"),
    ],
)
def test_explain(samples: Path, options: list[str], text: str, drug: str) -> None:
    arguments: list[str | Path] = ["--vocabulary", samples / "drugs.csv", *options, text, drug]
    finished = shell("explain", *arguments)
    assert (finished.returncode, finished.stderr) == (0, b"")
    matcher = drugs_rs.Matcher.from_vocabulary(
        samples / "drugs.csv",
        boundary="none" if "none" in options else "word",
        stop_words=[] if "--no-stop-words" in options else None,
    )
    sentence = matcher.explain(text, drug)
    assert finished.stdout.decode("utf-8") == sentence + "\n"
    finished = shell("explain", *arguments, "--json")
    assert lines(finished.stdout) == [{"drug": drug, "explanation": sentence}]


def test_explain_a_text_from_stdin(samples: Path) -> None:
    """All of it is one text, and a text may begin with a dash."""
    text = "Étude\n\nde la\nwarfarin\n"
    finished = shell("explain", "--vocabulary", samples / "drugs.csv", "-", "warfarin", stdin=text.encode("utf-8"))
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert "is found at 13 to 21" in finished.stdout.decode("utf-8")
    finished = shell("explain", "--vocabulary", samples / "drugs.csv", "-", "warfarin", stdin=b"")
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert "is not found" in finished.stdout.decode("utf-8")
    finished = shell("explain", "--vocabulary", samples / "drugs.csv", "--", "--warfarin", "warfarin")
    assert "is found at 2 to 10" in finished.stdout.decode("utf-8")


def test_explain_a_drug_that_is_not_there(samples: Path) -> None:
    finished = shell("explain", "--vocabulary", samples / "drugs.csv", "warfarin", "tralala")
    assert (finished.returncode, finished.stdout) == (1, b"")
    talk = finished.stderr.decode("utf-8")
    assert all(word in talk for word in ("`tralala`", "drugs.csv", "not found"))


def test_reader_that_goes_away_is_no_fault(samples: Path, tmp_path: Path) -> None:
    """`drugs-rs match … | head -1`."""
    path = write(tmp_path / "titles.txt", "warfarin and ibuprofen\n" * 200000)
    process = subprocess.Popen(
        command("match", "--vocabulary", samples / "drugs.csv", path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert b"warfarin" in process.stdout.readline()
    process.stdout.close()
    talk = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=30)
    assert b"panicked" not in talk
    assert b"Traceback" not in talk


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_output_that_cannot_be_printed_is_told_and_what_was_made_stands(samples: Path, tmp_path: Path) -> None:
    # The message said "the old state is untouched", although the new state was committed.
    sources = {"drugs": str(samples / "drugs.csv"), "pubmed": str(samples / "pubmed.csv")}
    arguments = [*run_arguments(sources, tmp_path / "lake", DT), "--json"]
    with Path("/dev/full").open("wb") as full:
        finished = subprocess.run(command(*arguments), stdout=full, stderr=subprocess.PIPE, check=False)
    talk = finished.stderr.decode("utf-8")
    assert finished.returncode == 1
    assert "standard output: cannot write: No space left on device" in talk
    assert "the work itself is done" in talk
    assert (tmp_path / "lake" / "gold" / "drug_graph.json").is_file()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["match", "--help"], ["explain", "--help"], ["--version"]]
)
def test_help_is_asked_for_so_it_is_data(arguments: list[str]) -> None:
    finished = shell(*arguments)
    assert (finished.returncode, finished.stderr) == (0, b"")
    text = finished.stdout.decode("utf-8")
    assert "drugs-rs" in text
    if arguments == ["--help"]:
        assert all(word in text for word in ("run", "bronze", "silver", "gold", "match", "explain"))
    if arguments == ["run", "--help"]:
        assert all(flag in text for flag in ("--drugs", "--pubmed", "--clinical-trials", "--out", "--dt", "--json"))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["run"],
        ["run", "--drugs", "d.csv", "--pubmed", "p.csv", "--dt", DT],
        ["run", "--drugs", "d.csv", "--out", "lake", "--dt", DT, "--nonsense"],
        ["run", "--drugs", "d.csv", "--pubmed", "p.csv", "--out", "lake", "--dt", "01/06/2020"],
        # An unset variable of a script: the lake was written into the current folder, and not found
        # afterwards.
        ["run", "--drugs", "d.csv", "--pubmed", "p.csv", "--out", "", "--dt", DT],
        ["bronze", "--pubmed", "p.csv", "--out", " ", "--dt", DT],
        ["silver", "--out", "", "--dt", DT],
        ["gold", "--out", "", "--dt", DT],
        ["run", "--drugs", "d.csv", "--pubmed", "p.csv", "--out", "lake", "--dt", DT, "--boundary", "syllable"],
        ["match"],
        ["explain", "warfarin"],
        ["explain", "--vocabulary", "drugs.csv", "warfarin"],
    ],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_wrong_usage(arguments: list[str], tmp_path: Path) -> None:
    finished = shell(*arguments, cwd=tmp_path)
    assert (finished.returncode, finished.stdout) == (2, b"")
    assert finished.stderr.strip()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="arguments are texts there")
def test_an_argument_that_is_no_text_is_wrong_usage(tmp_path: Path) -> None:
    """Once it was a traceback of Python's."""
    finished = subprocess.run(
        [*map(os.fsencode, command("bronze", "--out", tmp_path)), b"--pubmed", b"in/\xe9.csv", b"--dt", DT.encode()],
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 2
    assert finished.stderr.startswith(b"error: invalid UTF-8")
    with pytest.raises(drugs_rs.exceptions.ArgumentError, match="is not UTF-8"):
        drugs_rs.bronze(pubmed=os.fsdecode(b"in/\xe9.csv"), out=tmp_path, dt=DT)


def test_gold_without_silver(tmp_path: Path) -> None:
    finished = shell("gold", "--out", tmp_path / "lake", "--dt", DT)
    assert (finished.returncode, finished.stdout) == (1, b"")
    assert "silver" in finished.stderr.decode("utf-8")


def test_the_command_runs_under_its_own_name(samples: Path, tmp_path: Path) -> None:
    """The script that installing the wheel puts beside the interpreter."""
    script = Path(sys.executable).with_name("drugs-rs")
    if not script.exists():
        pytest.skip("the package is not installed into this interpreter's folder, so there is no script")
    arguments = run_arguments(whole_sample(samples), tmp_path / "lake", DT)
    assert subprocess.run([str(script), *arguments], stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert len(gold_files(tmp_path / "lake")) == 3


def test_rows_that_cannot_be_read_count_and_are_told(tmp_path: Path) -> None:
    """They were once skipped silently, and the rows after them had the wrong numbers."""
    texts = tmp_path / "texts.csv"
    texts.write_text("text,x\nnothing,1\nbroken\n\nwarfarin,1\n", encoding="utf-8")
    vocabulary = tmp_path / "drugs.csv"
    vocabulary.write_text("atccode,drug\nB01AA03,WARFARIN\n", encoding="utf-8")
    finished = shell("match", "--vocabulary", str(vocabulary), "--column", "text", str(texts))
    assert finished.returncode == 0
    assert [json.loads(line)["row"] for line in finished.stdout.splitlines()] == [2]
    talk = finished.stderr.decode("utf-8")
    assert "texts.csv: 1 rows could not be read" in talk
    assert "line 3" in talk


def test_lines_may_be_packed_and_abbreviated(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt.gz"
    texts.write_bytes(gzip.compress(b"\xef\xbb\xbfdoxorubicin (DOX)\r\n\nDOX alone\n"))
    vocabulary = tmp_path / "drugs.csv"
    vocabulary.write_text("atccode,drug\nL01DB01,doxorubicin\n", encoding="utf-8")
    finished = shell("match", "--vocabulary", str(vocabulary), "--abbreviations", str(texts))
    found = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [(mention["row"], mention["start"], mention["rule"]) for mention in found] == [
        (0, 0, "name"),
        (0, 13, "abbreviation"),
    ]


POLARS = {
    "POLARS_PARQUET_BINARY_STATISTICS_TRUNCATE_LEN": "1",
    "POLARS_PANIC_ON_ERR": "1",
    "POLARS_GATHER_RECHUNK_RATIO": "none",
    "POLARS_MAX_THREADS": "99999999",
    "POLARS_VERBOSE": "1",
}


def test_variables_of_the_library_inside_change_nothing(samples: Path, tmp_path: Path) -> None:
    """Some changed bytes of the tables, some ended the process with a panic."""
    sources = {
        "drugs": str(samples / "drugs.csv"),
        "pubmed": [str(samples / "pubmed.csv"), str(samples / "pubmed.json")],
        "clinical_trials": str(samples / "clinical_trials.csv"),
    }
    environment = dict(os.environ, **POLARS)
    arguments = command(*run_arguments(sources, tmp_path / "command", DT), "--quiet")
    ended = subprocess.run(arguments, env=environment, capture_output=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    # A program's own settings of polars stay, and the tables are the same.
    environment = dict(os.environ, POLARS_PARQUET_BINARY_STATISTICS_TRUNCATE_LEN="1")
    keywords: dict[str, Any] = dict(sources, out=str(tmp_path / "python"), dt=DT)
    code = f"import drugs_rs, os; drugs_rs.run(**{keywords!r}); print(os.environ['{next(iter(POLARS))}'])"
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=120, check=True)
    assert ended.stdout == b"1\n"
    drugs_rs.run(**dict(keywords, out=tmp_path / "plain"))
    plain = tables(tmp_path / "plain")
    assert plain and tables(tmp_path / "command") == plain and tables(tmp_path / "python") == plain


def tables(lake: Path) -> dict[str, bytes]:
    return {str(path.relative_to(lake)): path.read_bytes() for path in lake.rglob("*.parquet")}


def test_progress_is_words_on_a_terminal(tmp_path: Path) -> None:
    """It was once an empty bar that said 0/0 for as long as the run took."""
    sources = generate(tmp_path / "sources", "progress", 60_000)
    terminal, stderr = pty.openpty()
    process = subprocess.Popen(
        command(*run_arguments(sources, tmp_path / "lake", DT)), stdout=subprocess.DEVNULL, stderr=stderr
    )
    os.close(stderr)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an input/output error
        while piece := os.read(terminal, 4096):
            shown += piece
    os.close(terminal)
    assert process.wait(timeout=60) == 0
    assert re.search(rb"(bronze|silver|gold): [^\r\n]* read, [\d,]+ rows", shown), shown[-400:]
    assert b"0/0" not in shown
