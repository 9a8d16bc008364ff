"""Files that a caller names to be written: a device, a pipe and a link stay as they are; a file keeps its mode."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Callable

import pytest

import drugs_rs
from drugs_rs.exceptions import ArgumentError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

Writer = Callable[["Path"], None]


def matcher(path: Path) -> None:
    drugs_rs.Matcher.from_names({"V03AB": ["velorin"]}).save(path)


def graph(path: Path) -> None:
    folder = path.parent / "sources"
    folder.mkdir(exist_ok=True)
    (folder / "drugs.csv").write_text("atccode,drug\nV03AB,velorin\n", encoding="utf-8")
    (folder / "articles.csv").write_text("id,title,date,journal\n1,Velorin,2020,J\n", encoding="utf-8")
    drugs_rs.run(drugs=folder / "drugs.csv", pubmed=folder / "articles.csv", out=folder / "lake", dt="2020-01-01")
    drugs_rs.read_graph(folder / "lake").write(path, shape="graph")


def sources(path: Path) -> None:
    drugs_rs.generate(path, articles=1, trials=0, force=True)


FILES = [matcher, graph]


@pytest.mark.parametrize("write", [*FILES, sources])
def test_a_pipe_is_refused(write: Writer, tmp_path: Path) -> None:
    """The pipe was replaced by a file, and its reader waited for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(str(pipe))
    with pytest.raises(StorageError, match=r"pipe: cannot write: it is a pipe \(FIFO\); name a "):
        write(pipe)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@pytest.mark.parametrize("write", FILES)
def test_a_device_is_refused(write: Writer, tmp_path: Path) -> None:
    device = tmp_path / "null"
    try:
        os.mknod(str(device), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this user makes no devices")
    link = tmp_path / "link"
    link.symlink_to(device)
    for path in (device, link):
        with pytest.raises(StorageError, match="it is a device; name a file"):
            write(path)
    assert stat.S_ISCHR(device.lstat().st_mode)


@pytest.mark.parametrize("write", FILES)
def test_an_open_file_is_refused(write: Writer, tmp_path: Path) -> None:
    """A link like `/dev/stdout`: a process that has the file open would go on writing to the replaced one."""
    with (tmp_path / "open").open("wb") as file:
        (tmp_path / "stdout").symlink_to(f"/proc/self/fd/{file.fileno()}")
        with pytest.raises(StorageError, match="an open file of a process"):
            write(tmp_path / "stdout")


@pytest.mark.parametrize("write", FILES)
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_file_keeps_its_mode(write: Writer, mode: int, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(mode)
    write(file)
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert file.stat().st_size > 0


@pytest.mark.parametrize("write", FILES)
def test_a_link_stays_and_its_file_is_replaced(write: Writer, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    file, link = tmp_path / "inner" / "file", tmp_path / "latest"
    file.touch()
    link.symlink_to(file)
    write(link)
    assert link.is_symlink()
    assert file.stat().st_size > 0
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StorageError, match="a symbolic link to what is not there"):
        write(dangling)


@pytest.mark.parametrize("write", FILES)
def test_what_lies_beside_a_file_stays(write: Writer, tmp_path: Path) -> None:
    """The folder's own `.lock` and `.staging` were taken for those of a lake, and removed."""
    (tmp_path / ".lock").write_text("mine")
    (tmp_path / ".staging" / "drafts").mkdir(parents=True)
    (tmp_path / ".staging" / "drafts" / "notes").write_text("mine")
    before = sorted(path.name for path in tmp_path.iterdir())
    write(tmp_path / "file")
    assert (tmp_path / ".lock").read_text() == "mine"
    assert (tmp_path / ".staging" / "drafts" / "notes").read_text() == "mine"
    names = {path.name for path in tmp_path.iterdir()} - {"sources"}
    assert sorted(names - {"file"}) == before


def test_sources_replace_no_file(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    for force in (False, True):
        with pytest.raises(StorageError, match=r"notes\.txt: cannot write: it is a file; name a folder"):
            drugs_rs.generate(file, articles=1, trials=0, force=force)
    assert file.read_text() == "mine"
    with pytest.raises(ArgumentError):
        drugs_rs.generate(tmp_path / "..", articles=1)


def test_a_folder_of_sources_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir(mode=0o700)
    link.symlink_to(folder)
    drugs_rs.generate(link, articles=1, trials=0)
    assert link.is_symlink()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "_generated.json").is_file()
