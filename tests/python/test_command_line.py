"""How the command speaks: errors for people and as JSON, colours, notes, variables, formats, completions, man pages."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from generated_input import generate
from lake_tables import DT
from shell import command, run_arguments
from shell import drugs_rs as shell
from written_sources import whole_sample, write

import drugs_rs
from drugs_rs import exceptions

SECRET = "s3://KEY:hunter2@bucket/lake"


def error_of(finished: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """The JSON error, the only line of stderr."""
    [line] = finished.stderr.decode("utf-8").splitlines()
    value: dict[str, Any] = json.loads(line)
    assert list(value) == ["error"]
    error: dict[str, Any] = value["error"]
    assert finished.stdout == b""
    assert error["exit_code"] == finished.returncode
    assert issubclass(getattr(exceptions, error["class"]), exceptions.DrugsError)
    return error


def on_a_terminal(arguments: list[str], **variables: str) -> tuple[int, bytes]:
    """Run the command with stdout and stderr on a terminal of 80 columns."""
    terminal, end = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "CI")}
    environment.update({"TERM": "xterm", **variables})
    process = subprocess.Popen(command(*arguments), stdin=subprocess.DEVNULL, stdout=end, stderr=end, env=environment)
    os.close(end)
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the end of a terminal is an input/output error
            break
        if not piece:
            break
        shown += piece
    os.close(terminal)
    return process.wait(timeout=60), shown


# Errors


def test_an_error_has_one_prefix_whoever_finds_it(samples: Path, tmp_path: Path) -> None:
    missing = shell("match", "--vocabulary", tmp_path / "none.csv", "x")
    usage = shell("gold", "--nonsense")
    value = shell("gold", "--out", "", "--dt", DT)
    for finished, code in ((missing, 1), (usage, 2), (value, 2)):
        assert finished.returncode == code
        assert finished.stderr.startswith(b"error: "), finished.stderr
    texts = write(tmp_path / "texts.csv", "text,x\nbroken\nwarfarin,1\n")
    warned = shell("match", "--vocabulary", samples / "drugs.csv", "--column", "text", texts)
    assert warned.returncode == 0
    assert warned.stderr.startswith(b"warning: "), warned.stderr


def test_errors_as_json_have_the_class_and_message_of_python(samples: Path, tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.json", '[{"id": 1, "title": "T"},')
    sources: dict[str, Any] = {"drugs": str(samples / "drugs.csv"), "pubmed": str(bad)}
    found = error_of(shell(*run_arguments(sources, tmp_path / "shell", DT), "--json"))
    with pytest.raises(exceptions.DrugsError) as caught:
        drugs_rs.run(out=tmp_path / "shell", dt=DT, **sources)
    assert found == {"class": type(caught.value).__name__, "message": str(caught.value), "exit_code": 1}
    for arguments, name, code in (
        (["gold", "--out", str(tmp_path / "no"), "--dt", DT, "--json"], "SourceNotFoundError", 1),
        (["silver", "--out", "", "--dt", DT, "--json"], "ArgumentError", 2),
        (["run", "--json"], "ArgumentError", 2),
        (["gold", "--out", "x", "--dt", "01/06/2020", "--json"], "ArgumentError", 2),
        (["gold", "--out", "x", "--dt", DT, "--unit", "substanze", "--json"], "ArgumentError", 2),
        (["explain", "--vocabulary", str(samples / "drugs.csv"), "a", "tralala", "--json"], "SourceNotFoundError", 1),
        (["match", "--vocabulary", str(samples / "none.csv"), "--json"], "SourceNotFoundError", 1),
    ):
        error = error_of(shell(*arguments))
        assert (error["class"], error["exit_code"]) == (name, code), arguments
        assert error["message"] and "\n" not in error["message"]
        assert not error["message"].startswith("error")
        assert "Usage" not in error["message"]


def test_a_warning_is_a_json_line_too(samples: Path, tmp_path: Path) -> None:
    texts = write(tmp_path / "texts.csv", "text,x\nbroken\nwarfarin,1\n")
    finished = shell("match", "--vocabulary", samples / "drugs.csv", "--column", "text", "--json", texts)
    [line] = finished.stderr.decode("utf-8").splitlines()
    assert "1 rows could not be read" in json.loads(line)["warning"]["message"]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_credentials_are_in_no_error(options: list[str], samples: Path) -> None:
    for arguments in (
        ["gold", "--out", SECRET, "--dt", DT],
        ["gold", "--out", "lake", "--dt", SECRET],
        ["gold", f"--unit={SECRET}", "--out", "lake", "--dt", DT],
        ["gold", SECRET],
    ):
        finished = shell(*arguments, *options)
        assert finished.returncode == 2
        assert b"hunter2" not in finished.stdout + finished.stderr, finished.stderr
    drugs = str(samples / "drugs.csv")
    for arguments in (
        ["gold", "--dt", DT, "-v"],
        ["match", "--vocabulary", drugs, "-v"],
        ["gold", "--help"],
    ):
        variables = dict.fromkeys(("DRUGS_RS_OUT", "DRUGS_RS_UNIT", "DRUGS_RS_STOP_WORDS_FILE"), SECRET)
        finished = shell(*arguments, *options, variables=variables)
        assert b"hunter2" not in finished.stdout + finished.stderr, finished.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="closing descriptors in the child")
def test_a_closed_stderr_is_no_panic(tmp_path: Path) -> None:
    line = " ".join(command("gold", "--out", tmp_path / "no", "--dt", DT)) + " 2>&-"
    finished = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, check=False)
    assert (finished.returncode, finished.stdout) == (1, b"")


# Suggestions


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["sliver", "--out", "x"], "'silver'"),
        (["gold", "--out", "x", "--dt", DT, "--unitt", "code"], "'--unit'"),
        (["gold", "--out", "x", "--dt", DT, "--unit", "substanze"], "'substance'"),
        (["silver", "--out", "x", "--dt", DT, "--table", "clinical_trial"], "'clinical_trials'"),
        (["generate", "--out", "x", "--articles-format", "pubmed-xm"], "'pubmed-xml'"),
        (["match", "--vocabulary", "x", "--format", "tabel"], "'table'"),
    ],
)
def test_misspelt_words_are_suggested(arguments: list[str], meant: str, tmp_path: Path) -> None:
    finished = shell(*arguments, cwd=tmp_path)
    assert finished.returncode == 2
    assert re.search(f"similar .*{meant}", finished.stderr.decode("utf-8")), finished.stderr


def test_shell_and_python_name_the_same_choices(tmp_path: Path) -> None:
    keywords: dict[str, Any] = {"out": tmp_path / "lake", "dt": DT}
    matching: dict[str, list[str]] = {"boundary": ["word", "none"], "accents": ["fold", "keep"]}
    for step, options in (
        ("silver", {"on_bad_file": ["fail", "reject"], "encoding": ["utf-8", "windows-1252"]}),
        ("gold", {"unit": ["substance", "code"], **matching}),
    ):
        for name, choices in options.items():
            flag = "--" + name.replace("_", "-")
            refused = shell(step, "--out", tmp_path / "lake", "--dt", DT, flag, "x")
            for choice in choices:
                assert choice in refused.stderr.decode("utf-8")
                # Both accept each choice: what fails then is the lake, which does not exist.
                taken = shell(step, "--out", tmp_path / "lake", "--dt", DT, flag, choice)
                assert taken.returncode == 1, taken.stderr
                with pytest.raises(exceptions.SourceNotFoundError):
                    getattr(drugs_rs, step)(**keywords, **{name: choice})
            with pytest.raises(exceptions.ArgumentError) as caught:
                getattr(drugs_rs, step)(**keywords, **{name: choices[1] + "e"})
            for choice in choices:
                assert f'"{choice}"' in str(caught.value)
            assert f'did you mean "{choices[1]}"?' in str(caught.value)
    assert shell("silver", "--out", tmp_path / "lake", "--dt", DT, "--encoding", "UTF-8").returncode == 1


# Variables


def test_variables_set_options_and_the_command_line_overrides_them(samples: Path, tmp_path: Path) -> None:
    drugs_rs.run(drugs=samples / "drugs.csv", pubmed=samples / "pubmed.csv", out=tmp_path / "lake", dt=DT)
    variables = {"DRUGS_RS_OUT": str(tmp_path / "lake"), "DRUGS_RS_UNIT": "code", "DRUGS_RS_ABSTRACTS": "true"}
    finished = shell("gold", "--dt", DT, "--json", variables=variables)
    assert json.loads(finished.stdout)["unit"] == "code", finished.stderr
    finished = shell("gold", "--dt", DT, "--json", "--unit", "substance", variables=variables)
    assert json.loads(finished.stdout)["unit"] == "substance", finished.stderr
    finished = shell("lake", "verify", variables=variables)
    assert finished.returncode == 0, finished.stderr
    variables = {"DRUGS_RS_VOCABULARY": str(samples / "drugs.csv")}
    assert shell("match", stdin=b"warfarin\n", variables=variables).returncode == 0
    stopped = {**variables, "DRUGS_RS_STOP_WORDS_FILE": str(write(tmp_path / "words.txt", "warfarin\n"))}
    assert shell("match", stdin=b"warfarin\n", variables=stopped).returncode == 1
    # The flag takes precedence over the variable, and is rejected beside the option.
    assert shell("match", "--no-stop-words", stdin=b"warfarin\n", variables=stopped).returncode == 0
    both = shell("match", "--no-stop-words", "--stop-words", tmp_path / "words.txt", variables=variables)
    assert both.returncode == 2
    assert b"cannot be used with" in both.stderr


@pytest.mark.parametrize("value", ["", "  ", "null"])
def test_an_empty_variable_is_not_set(value: str, samples: Path) -> None:
    names = ("ENCODING", "MAX_RATIO", "BOUNDARY", "SALTS", "STOP_WORDS_FILE", "OUT")
    variables = {f"DRUGS_RS_{name}": value for name in names}
    finished = shell("match", "--vocabulary", samples / "drugs.csv", stdin=b"warfarin\n", variables=variables)
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert shell("gold", "--dt", DT, variables=variables).returncode == 2, "no lake in the working folder"


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("UNIT", "codes", 2),
        ("MAX_EXCLUSIVE", "-1", 2),
        ("ABSTRACTS", "perhaps", 2),
        ("STOP_WORDS_FILE", "/nowhere/words.txt", 1),
        ("OUT", "ftp://host/lake", 2),
        ("OUT", SECRET, 2),
    ],
)
def test_an_error_names_the_variable(name: str, value: str, code: int, options: list[str], tmp_path: Path) -> None:
    variables = {"DRUGS_RS_OUT": str(tmp_path / "lake"), f"DRUGS_RS_{name}": value}
    finished = shell("gold", "--dt", DT, *options, variables=variables)
    assert finished.returncode == code
    talk = finished.stderr.decode("utf-8")
    assert f"DRUGS_RS_{name}" in talk, talk
    if options:
        assert any(f"DRUGS_RS_{name}" in hint for hint in error_of(finished)["hints"])
    # The environment is not blamed for an option of the command line.
    if name == "UNIT":
        finished = shell("gold", "--dt", DT, "--unit", "codes", variables=variables)
        assert b"DRUGS_RS_UNIT" not in finished.stderr


def test_the_help_shows_each_variable_and_no_value() -> None:
    shown = set()
    for name in ("run", "silver", "gold", "match", "explain"):
        finished = shell(name, "--help", variables={"DRUGS_RS_OUT": "the-value"})
        shown |= set(re.findall(r"\[env: (DRUGS_RS_[A-Z_]+)\]", finished.stdout.decode("utf-8")))
        assert b"the-value" not in finished.stdout
    documented = set(re.findall("`(DRUGS_RS_[A-Z_]+)`", Path("docs/command.md").read_text(encoding="utf-8")))
    assert shown == documented - {"DRUGS_RS_STOP_WORDS"}, "which the page names as no variable of the command"


def test_the_dag_knows_every_variable() -> None:
    """It warns about variables of this prefix that are no settings. Airflow itself is not needed to read its text."""
    settings = Path("python/drugs_rs/airflow/settings.py").read_text(encoding="utf-8")
    [others] = re.findall(r"^_NO_SETTINGS = \((.*)\)$", settings, re.MULTILINE)
    page = Path("docs/command.md").read_text(encoding="utf-8")
    for name in set(re.findall("`DRUGS_RS_([A-Z_]+)`", page)):
        is_setting = re.search(rf"^    {name.lower()}: ", settings, re.MULTILINE)
        assert bool(is_setting) != (f'"{name}"' in others), name


def test_generate_writes_into_no_lake_of_the_environment(tmp_path: Path) -> None:
    finished = shell("generate", "--clean", variables={"DRUGS_RS_OUT": str(tmp_path / "lake")}, cwd=tmp_path)
    assert finished.returncode == 2
    assert list(tmp_path.iterdir()) == []


# Colours, notes, progress


COLOUR = re.compile(rb"\x1b\[[0-9;]*m")  # the progress moves the cursor, with other sequences


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    arguments = ["gold", "--out", str(tmp_path / "no"), "--dt", DT]
    for words in (arguments, ["gold", "--nonsense"]):
        assert b"\x1b" not in shell(*words).stderr
        assert COLOUR.search(shell(*words, "--color=always").stderr)
        assert COLOUR.search(on_a_terminal(words)[1])
        assert not COLOUR.search(on_a_terminal(words, NO_COLOR="1")[1])
        assert not COLOUR.search(on_a_terminal(words, TERM="dumb")[1])
        assert not COLOUR.search(on_a_terminal([*words, "--color", "never"])[1])
        assert COLOUR.search(on_a_terminal([*words, "--color", "always"], NO_COLOR="1")[1])
    assert COLOUR.search(shell("--color", "always", "--help").stdout)
    assert b"\x1b" not in shell("--help").stdout
    assert b"\x1b" not in shell(*arguments, "--json", "--color", "always").stderr, "JSON is for programs"


def test_verbose_shows_steps_files_and_variables(samples: Path, tmp_path: Path) -> None:
    sources = whole_sample(samples)
    arguments = run_arguments(sources, tmp_path / "lake", DT)
    finished = shell(*arguments, "-v", variables={"DRUGS_RS_UNIT": "code"})
    talk = finished.stderr.decode("utf-8")
    assert finished.returncode == 0, talk
    for step in ("bronze", "silver", "gold"):
        assert re.search(rf"^ +\d+\.\d\d s  step {step}$", talk, re.MULTILINE), talk
    for name in ("drugs.csv", "pubmed.csv", "clinical_trials.csv"):
        assert re.search(rf"s  (copying|reading) .*{name}$", talk, re.MULTILINE), talk
    assert "--unit: `code` from DRUGS_RS_UNIT" in talk
    assert finished.stdout.startswith(b"run of ")
    assert shell(*arguments, "--verbose", "--quiet").returncode == 2
    assert shell("-v", *arguments, "-q").returncode == 2
    # Before and after the name of the command.
    assert b"step gold" in shell("-v", "gold", "--out", tmp_path / "lake", "--dt", DT).stderr
    assert shell("gold", "--out", tmp_path / "lake", "--dt", DT).stderr == b""
    assert json.loads(shell("gold", "--out", tmp_path / "lake", "--dt", DT, "--json", "-vv").stdout)["step"] == "gold"


def test_the_summary_begins_on_a_line_of_its_own(tmp_path: Path) -> None:
    """It began after the words of the progress, whose removal then cut it."""
    sources = generate(tmp_path / "sources", "progress", 60_000)
    code, shown = on_a_terminal(run_arguments(sources, tmp_path / "lake", DT))
    assert code == 0
    before, summary, after = shown.partition(b"run of dt=")
    assert summary
    assert re.search(rb"(bronze|silver|gold): [^\r\n]* read", before), "there was progress"
    line = re.split(rb"[\r\n]", before)[-1]
    assert re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", line) == b"", line
    assert before.rstrip(b"\r").endswith(b"\x1b[2K"), "the line was cleared"
    assert not re.search(rb"\x1b\[[0-9]*[AKJ]|\d rows\r", after), "nothing of it is removed afterwards"


# Mentions


TEXTS = 'Warfarin, "IBUPROFEN"\nnothing\nmetformin\n'


def test_match_as_csv(tmp_path: Path) -> None:
    drugs = write(tmp_path / "drugs.csv", 'atccode,drug\n"A,1","say ""x"", y"\nB01AA03,WARFARIN\n')
    finished = shell("match", "--vocabulary", drugs, "--format", "csv", stdin=b'say "x", y and warfarin\n')
    assert finished.returncode == 0, finished.stderr
    rows = list(csv.DictReader(io.StringIO(finished.stdout.decode("utf-8"), newline="")))
    lines = shell("match", "--vocabulary", drugs, "--format", "ndjson", stdin=b'say "x", y and warfarin\n').stdout
    mentions = [json.loads(line) for line in lines.splitlines()]
    assert len(mentions) == 2
    assert rows == [{name: str(value) for name, value in mention.items()} for mention in mentions]
    empty = shell("match", "--vocabulary", drugs, "--format", "csv", stdin=b"nothing\n")
    assert (empty.returncode, empty.stdout) == (1, b"row,atccode,drug,start,end,surface,rule\n")


def test_match_as_a_table(tmp_path: Path) -> None:
    long = "x" * 100
    drugs = write(tmp_path / "drugs.csv", f"atccode,drug\nB01AA03,WARFARIN\nA10BA02,METFORMIN\nX1,{long}\n")
    texts = f"Warfarin and \nnothing\nmetformin\n{long}\n".encode()
    finished = shell("match", "--vocabulary", drugs, "--format", "table", stdin=texts, variables={"COLUMNS": "80"})
    lines = finished.stdout.decode("utf-8").splitlines()
    assert lines[0].split() == ["row", "place", "code", "drug", "found", "rule"]
    assert [line.split()[0] for line in lines[1:]] == ["0", "2", "3"]
    assert max(map(len, lines)) <= 80
    assert lines[3].count("…") == 2
    # Lines come in batches, and columns grow: in each batch, what fits the terminal is whole.
    assert lines[1].split() == ["0", "0-8", "B01AA03", "WARFARIN", "Warfarin", "name"]
    assert lines[2].split() == ["2", "0-9", "A10BA02", "METFORMIN", "metformin", "name"]


def test_match_on_a_terminal_is_a_table_without_control_characters(tmp_path: Path) -> None:
    texts = write(tmp_path / "texts.txt", "war\x1bfarin warfarin\n")
    drugs = write(tmp_path / "drugs.csv", "atccode,drug\nB01AA03,WARFARIN\nX\x1b[31m,war\x1bfarin\n")
    code, shown = on_a_terminal(["match", "--vocabulary", str(drugs), str(texts)])
    assert code == 0
    assert shown.split()[:3] == [b"row", b"place", b"code"]
    assert b"\x1b" not in shown
    code, shown = on_a_terminal(["match", "--vocabulary", str(drugs), str(texts), "--json"])
    assert json.loads(shown.splitlines()[0])["drug"]


def test_quiet_match_stops_at_the_first_mention(samples: Path) -> None:
    """Standard input stays open: only a search that ends by itself returns."""
    with subprocess.Popen(
        command("match", "--quiet", "--vocabulary", samples / "drugs.csv"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it may have ended before all is written
            process.stdin.write(b"warfarin\n" * 200_000)
            process.stdin.flush()
        assert process.wait(timeout=30) == 0
        assert process.stdout.read() == b""
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


@pytest.mark.parametrize("form", ["ndjson", "csv", "table"])
def test_a_search_ends_when_its_reader_goes_away(form: str, samples: Path) -> None:
    """It searched on to the end of its input, which may not have one."""
    arguments = ("match", "--vocabulary", samples / "drugs.csv", "--format", form)
    with subprocess.Popen(
        command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdout.close()
        endless = b"warfarin and ibuprofen\n" * 100_000
        with pytest.raises(BrokenPipeError):
            process.stdin.writelines(endless for _ in range(1000))
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == b""


@pytest.mark.skipif(sys.platform != "linux", reason="how much a pipe holds")
def test_a_signal_ends_a_command_whose_output_nobody_reads(samples: Path, tmp_path: Path) -> None:
    texts = write(tmp_path / "texts.txt", "warfarin and ibuprofen\n" * 20_000)
    process = subprocess.Popen(command("match", "--vocabulary", samples / "drugs.csv", texts), stdout=subprocess.PIPE)
    assert process.stdout is not None
    time.sleep(1.5)  # the pipe is full long before
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 143
    process.stdout.close()


# Help, completions, man pages


COMMANDS = ("run", "bronze", "silver", "gold", "hold", "release", "match", "explain", "lake", "fetch", "generate")


def test_help_is_a_command() -> None:
    listed = shell("help").stdout.decode("utf-8")
    assert all(re.search(rf"^  {name} ", listed, re.MULTILINE) for name in (*COMMANDS, "completions", "man", "help"))
    assert "Exit codes:" in listed
    assert shell("help", "match").stdout == shell("match", "--help").stdout
    assert "no mention" in shell("help", "match").stdout.decode("utf-8")
    assert shell("help", "lake", "verify").returncode == 0


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completions(name: str, tmp_path: Path) -> None:
    finished = shell("completions", name)
    assert (finished.returncode, finished.stderr) == (0, b"")
    script = finished.stdout.decode("utf-8")
    assert all(word in script for word in (*COMMANDS, "on-bad-file", "substance"))
    assert finished.stdout == shell("completions", name).stdout
    if name == "bash":
        path = write(tmp_path / "drugs-rs.bash", script)
        words = (
            'COMP_WORDS=(drugs-rs gold --unit ""); COMP_CWORD=3; _drugs__rs drugs-rs "" --unit; echo "${COMPREPLY[@]}"'
        )
        done = subprocess.run(["bash", "-c", f"source {path} && {words}"], stdout=subprocess.PIPE, check=True)
        assert done.stdout.split() == [b"substance", b"code"]


def test_completions_of_another_shell_are_refused() -> None:
    finished = shell("completions", "tcsh")
    assert finished.returncode == 2
    assert b"bash, zsh, fish" in finished.stderr


def test_man_pages(tmp_path: Path) -> None:
    page = shell("man").stdout.decode("utf-8")
    assert page.startswith((".ie", ".TH"))
    assert re.search(r"^\.TH drugs-rs 1 +\"drugs-rs [0-9.]+\"", page, re.MULTILINE)
    gold = shell("man", "gold").stdout.decode("utf-8")
    assert all(word in gold for word in ("DRUGS_RS_UNIT", "substance", r"\-\-max\-exclusive"))
    assert "verify" in shell("man", "lake", "verify").stdout.decode("utf-8")
    refused = shell("man", "golden")
    assert refused.returncode == 2
    assert b"gold" in refused.stderr
    finished = shell("man", "--out", tmp_path)
    assert finished.returncode == 0, finished.stderr
    names = {path.name for path in tmp_path.iterdir()}
    assert {"drugs-rs.1", "drugs-rs-lake-verify.1"} | {f"drugs-rs-{name}.1" for name in COMMANDS} <= names
    assert {Path(line).name for line in finished.stdout.decode("utf-8").splitlines()} == names
    assert (tmp_path / "drugs-rs-gold.1").read_text(encoding="utf-8") == gold
    assert shell("man", "--out", tmp_path / "none").returncode == 1
