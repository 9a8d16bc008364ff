"""Tags that may be released, the one place of the version, and the notes of a release."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import release_version
from conftest import NEW, ROOT
from tool_calls import DeliveryError

CHANGELOG = f"""# Changelog

## [Unreleased]

### Added

- Something for later.

## [{NEW}] - 2026-12-01

### Added

- `drugs-rs verify`.

## [0.1.0] - 2026-11-01

### Added

- Everything.
"""


def git(clone: Path, *arguments: str) -> None:
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *author, *arguments], cwd=clone, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose tag `drugs/v0.2.0` may be released."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "Cargo.toml").write_text(f'[package]\nname = "drugs_rs"\nversion = "{NEW}"\n', encoding="utf-8")
    (folder / "Cargo.lock").write_text(f'[[package]]\nname = "drugs_rs"\nversion = "{NEW}"\n', encoding="utf-8")
    (folder / "pyproject.toml").write_text('[project]\nname = "drugs-rs"\ndynamic = ["version"]\n', encoding="utf-8")
    (folder / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=Release")
    git(folder, "tag", f"drugs/v{NEW}")
    return folder


def refusal(clone: Path, tag: str = f"drugs/v{NEW}") -> str:
    with pytest.raises(DeliveryError) as error:
        release_version.check_tag(clone, tag, "main")
    return str(error.value)


def test_a_good_tag_passes(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release_version.main(["--root", str(clone), "check", f"drugs/v{NEW}", "--main", "main"]) == 0
    assert capsys.readouterr().out == f"{NEW}\n"


@pytest.mark.parametrize(
    "tag", ["v0.2.0", "drugs/0.2.0", "drugs/v0.2", "drugs/v0.2.0-rc1", "drugs/v00.2.0", "drugs/v0.2.0\n"]
)
def test_a_tag_of_another_form_is_refused(clone: Path, tag: str) -> None:
    assert "has not the form drugs/vX.Y.Z" in refusal(clone, tag)


def test_a_tag_of_another_version_is_refused(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(clone, "tag", "drugs/v0.3.0")
    assert release_version.main(["--root", str(clone), "check", "drugs/v0.3.0", "--main", "main"]) == 1
    assert "the tag drugs/v0.3.0 asks for 0.3.0, but Cargo.toml has 0.2.0" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["changed", "new"])
def test_a_dirty_tree_is_refused(clone: Path, change: str) -> None:
    name = "CHANGELOG.md" if change == "changed" else "new.txt"
    (clone / name).write_text(CHANGELOG + "more", encoding="utf-8")
    assert name in refusal(clone)


def test_a_tag_beside_main_is_refused(clone: Path) -> None:
    git(clone, "switch", "--quiet", "--create", "other")
    git(clone, "commit", "--quiet", "--allow-empty", "--message=Not merged")
    git(clone, "tag", "--force", f"drugs/v{NEW}")
    assert "which is not on main: merge it first" in refusal(clone)


def test_a_tag_on_another_commit_is_refused(clone: Path) -> None:
    git(clone, "commit", "--quiet", "--allow-empty", "--message=Later")
    assert "is checked out" in refusal(clone)


def test_a_tag_that_the_clone_lacks_is_refused(clone: Path) -> None:
    git(clone, "tag", "--delete", f"drugs/v{NEW}")
    assert "fetch it with `git fetch --tags`" in refusal(clone)


def test_an_old_commit_of_main_may_be_released(clone: Path) -> None:
    git(clone, "commit", "--quiet", "--allow-empty", "--message=Later")
    git(clone, "checkout", "--quiet", f"drugs/v{NEW}")
    assert release_version.check_tag(clone, f"drugs/v{NEW}", "main") == NEW


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("Cargo.lock", NEW, "0.1.0", "Cargo.lock has drugs_rs 0.1.0, Cargo.toml 0.2.0"),
        ("pyproject.toml", 'dynamic = ["version"]', 'version = "0.2.0"', "pyproject.toml has a version of its own"),
        ("CHANGELOG.md", f"[{NEW}] - 2026-12-01", "[Next]", "CHANGELOG.md has no section `## [0.2.0] - YYYY-MM-DD`"),
        ("CHANGELOG.md", "- `drugs-rs verify`.", "", "the section of 0.2.0 in CHANGELOG.md lists no change"),
    ],
)
def test_versions_that_disagree_are_refused(clone: Path, name: str, old: str, new: str, message: str) -> None:
    text = (clone / name).read_text(encoding="utf-8")
    assert old in text
    (clone / name).write_text(text.replace(old, new), encoding="utf-8")
    git(clone, "commit", "--quiet", "--all", "--message=Disagree")
    git(clone, "tag", "--force", f"drugs/v{NEW}")
    assert message in refusal(clone)


def test_notes_are_the_section_of_the_version(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release_version.main(["--root", str(clone), "notes"]) == 0
    assert capsys.readouterr().out == "### Added\n\n- `drugs-rs verify`.\n"


def test_the_version_of_this_clone_is_in_one_place() -> None:
    version = release_version.read_version(ROOT)
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    # Either the version has its section, or it is what `[Unreleased]` leads to.
    unreleased = text.split("## [Unreleased]", 1)[1].split("\n## [", 1)[0]
    assert f"## [{version}] - " in text or f"Towards {version}" in unreleased
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\] - ", text, flags=re.MULTILINE)
    assert newest is None or newest[1] == version
