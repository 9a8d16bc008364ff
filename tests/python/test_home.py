"""`~` and `~user` at the beginning of a path are the home, in Python and in the command."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

import pytest
from shell import drugs_rs as command

import drugs_rs
from drugs_rs.exceptions import SourceNotFoundError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: Path) -> Path:
    """A home with sources in it; the working folder is another one."""
    home = tmp_path / "home"
    (home / "in").mkdir(parents=True)
    for name in ("drugs.csv", "pubmed.csv"):
        (home / "in" / name).write_bytes((samples / name).read_bytes())
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    return home


def test_every_kind_of_path(home: Path) -> None:
    report = drugs_rs.run(drugs="~/in/drugs.csv", pubmed=Path("~/in/pub*.csv"), lake="~/lake", dt="2020-01-01")
    assert report["out"] == str(home / "lake")
    assert [source["uri"] for source in report["sources"]] == [f"{home}/in/drugs.csv", f"{home}/in/pubmed.csv"]
    graph = drugs_rs.read_graph("~/lake")
    graph.write("~/graph.json")
    assert (home / "graph.json").read_bytes() == (home / "lake" / "gold" / "drug_graph.json").read_bytes()
    assert drugs_rs.read_answers("~/lake")["as_of"] == "2020-01-01"
    assert drugs_rs.hold("~/lake", "2020-01-01", "no reason")["held"]
    drugs_rs.Matcher.from_vocabulary("~/in/drugs.csv").save("~/matcher")
    assert len(drugs_rs.Matcher.load("~/matcher")) > 0
    drugs_rs.generate("~/made-up", articles=10, trials=10, drugs=5, journals=2)
    assert (home / "made-up" / "_generated.json").exists()
    assert list(Path.cwd().iterdir()) == []


def test_sources_are_listed_with_the_home(home: Path) -> None:
    assert drugs_rs.list_sources("~/in") == [f"{home}/in/drugs.csv", f"{home}/in/pubmed.csv"]
    assert drugs_rs.list_sources(["~/in/*s.csv", "~/in/../in/drugs.csv"]) == [f"{home}/in/drugs.csv"]
    assert drugs_rs.list_sources([f"{os.path.expanduser('~')}/in/drugs.csv"]) == drugs_rs.list_sources("~/in/drugs.csv")  # noqa: PTH111
    with pytest.raises(SourceNotFoundError, match=f"{home}/nowhere.csv"):
        drugs_rs.list_sources("~/nowhere.csv")


@pytest.mark.usefixtures("home")
def test_the_home_of_another_user() -> None:
    user = pwd.getpwuid(0)
    with pytest.raises(SourceNotFoundError, match=f"^{user.pw_dir}/no such file"):
        drugs_rs.list_sources(f"~{user.pw_name}/no such file")


@pytest.mark.usefixtures("home")
def test_what_is_no_home() -> None:
    """`./~` is a file of that name; so is `~name` where no user has it, and a `~` elsewhere is a letter."""
    for name in ("~", "~no_such_user", "a~"):
        Path(name).write_text("atccode,drug\nV03AB,ethanol\n", encoding="utf-8")
    assert drugs_rs.list_sources(["./~", "~no_such_user", "a~"]) == ["./~", "~no_such_user", "a~"]
    with pytest.raises(SourceNotFoundError):
        drugs_rs.list_sources("file://~/in/drugs.csv")


def test_the_command(home: Path) -> None:
    """A shell expands `~` where a word begins with it, and not in `--out=~/lake`."""
    flags = ["--drugs=~/in/drugs.csv", "--pubmed=~/in/pubmed.csv", "--out=~/lake", "--dt=2020-01-01", "--json"]
    done = command("run", *flags)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["out"] == str(home / "lake")


def test_a_list_names_the_line_of_a_missing_file(home: Path) -> None:
    (home / "names.txt").write_text("~/in/drugs.csv\n~/in/gone.csv\n", encoding="utf-8")
    done = command("run", "--drugs", "@~/names.txt", "--out", "~/lake", "--dt", "2020-01-01")
    assert done.returncode == 1
    assert f"{home}/names.txt: line 2: {home}/in/gone.csv" in done.stderr.decode()
