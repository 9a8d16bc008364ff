"""The version of a release, from `Cargo.toml` alone, and its notes from `CHANGELOG.md`.

    python3 delivery/release_version.py version               0.1.0
    python3 delivery/release_version.py notes                 the section of that version in CHANGELOG.md
    python3 delivery/release_version.py check drugs/v0.1.0    refuse a tag that must not be released

`check` runs before anything is built.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

from tool_calls import DeliveryError, ToolError, call, say

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
TAG = re.compile(rf"drugs/v(?P<version>{VERSION.pattern})")


def read_version(root: Path) -> str:
    """Return the version in `Cargo.toml`, after checking that no other file has one of its own."""
    version = tomllib.loads((root / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if "version" in project or "version" not in project.get("dynamic", []):
        message = (
            'pyproject.toml has a version of its own: it must have `dynamic = ["version"]`, so that Cargo.toml decides'
        )
        raise DeliveryError(message)
    packages = tomllib.loads((root / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    [locked] = [package["version"] for package in packages if package["name"] == "drugs_rs"]
    if locked != version:
        message = (
            f"Cargo.lock has drugs_rs {locked}, Cargo.toml {version}: run `cargo update --package drugs_rs` and commit"
        )
        raise DeliveryError(message)
    return str(version)


def version_numbers(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a version, or `None` if the text is not the form of a release."""
    form = VERSION.fullmatch(text)
    return tuple(int(part) for part in form.groups()) if form else None


def read_notes(root: Path, version: str) -> str:
    """Return the section of a version in `CHANGELOG.md`, without its heading."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", text, flags=re.MULTILINE)
    if heading is None:
        message = (
            f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD`: give the section `[Unreleased]` this heading, "
            "and open a new `[Unreleased]` above it"
        )
        raise DeliveryError(message)
    rest = text[heading.end() :]
    following = re.search(r"^(## |\[[^\]]+\]: )", rest, flags=re.MULTILINE)
    notes = rest[: following.start()].strip() if following else rest.strip()
    if not re.search(r"^[-*] ", notes, flags=re.MULTILINE):
        message = f"the section of {version} in CHANGELOG.md lists no change"
        raise DeliveryError(message)
    return notes


def git(root: Path, *arguments: str) -> str:
    """Return what git prints in the clone."""
    return call(["git", *arguments], folder=root).strip("\n")


def check_tag(root: Path, tag: str, main: str) -> str:
    """Return the version of a tag that may be released; otherwise raise the reason why not."""
    form = TAG.fullmatch(tag)
    if form is None:
        message = f"the tag {tag!r} has not the form drugs/vX.Y.Z"
        raise DeliveryError(message)
    version = read_version(root)
    asked = form["version"]
    if asked != version:
        message = f"the tag {tag} asks for {asked}, but Cargo.toml has {version}: tag the commit that has {asked}"
        raise DeliveryError(message)
    changed = git(root, "status", "--porcelain")
    if changed:
        message = f"the clone has changes that no commit has:\n{changed}\ncommit or remove them"
        raise DeliveryError(message)
    try:
        tagged = git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    except ToolError:
        message = f"the clone has no tag {tag}: fetch it with `git fetch --tags`"
        raise DeliveryError(message) from None
    head = git(root, "rev-parse", "HEAD")
    if tagged != head:
        message = f"the tag {tag} is on commit {tagged[:12]}, but {head[:12]} is checked out"
        raise DeliveryError(message)
    try:
        git(root, "merge-base", "--is-ancestor", head, main)
    except ToolError as error:
        if error.code != 1:
            raise
        message = (
            f"the tag {tag} is on commit {head[:12]}, which is not on {main}: "
            "merge it first, then tag the merged commit"
        )
        raise DeliveryError(message) from None
    read_notes(root, version)
    return version


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT, help="the clone")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version", help="print the version")
    commands.add_parser("notes", help="print the notes of the version")
    check = commands.add_parser("check", help="refuse a tag that must not be released; otherwise print its version")
    check.add_argument("tag")
    check.add_argument("--main", default="origin/main", help="the branch that a release must be on")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "check":
            say(check_tag(chosen.root, chosen.tag, chosen.main))
        elif chosen.command == "notes":
            say(read_notes(chosen.root, read_version(chosen.root)))
        else:
            say(read_version(chosen.root))
    except DeliveryError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
