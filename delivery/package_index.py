"""Files of a release on package indexes: what is there, what is missing, what must not be replaced.

    python3 delivery/package_index.py registry dist --project P --location L --repository R
        upload the wheels to a Python repository of Artifact Registry, by `twine`
    python3 delivery/package_index.py pypi dist --to upload
        copy what PyPI lacks into a folder, for the action that publishes it

All files are compared before the first is uploaded: one that is there with other bytes ends the command, and nothing
is uploaded. A file that is there with the same bytes is left out, so that a delivery can be repeated.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from built_files import file_digest
from release_version import ROOT, read_version
from tool_calls import DeliveryError, ToolError, call, json_in, say

PACKAGE = "drugs-rs"
SIMPLE = f"https://pypi.org/simple/{PACKAGE}/"


def hexadecimal(value: str) -> str:
    """Return a SHA-256 in hexadecimal that is given so or in Base64."""
    return value.lower() if re.fullmatch(r"[0-9a-fA-F]{64}", value) else base64.b64decode(value).hex()


def missing_files(files: list[Path], there: dict[str, str], index: str) -> list[Path]:
    """Return the files that an index lacks; raise if it has one of them with other bytes."""
    others = [path.name for path in files if there.get(path.name, file_digest(path)) != file_digest(path)]
    if others:
        message = (
            f"{index} has these files with other bytes: {', '.join(others)}. A version is never replaced, and nothing "
            "was uploaded: raise the version in Cargo.toml and tag that"
        )
        raise DeliveryError(message)
    return [path for path in files if path.name not in there]


class ArtifactRegistry:
    """A Python repository of Artifact Registry."""

    def __init__(self, project: str, location: str, repository: str) -> None:
        """Name the repository."""
        self.place = ["--project", project, "--location", location, "--repository", repository]
        self.url = f"https://{location}-python.pkg.dev/{project}/{repository}/"
        self.name = f"Artifact Registry {project}/{repository}"

    def list_files(self, version: str) -> dict[str, str]:
        """Return the files of a version by name, each with its SHA-256."""
        command = ["gcloud", "artifacts", "files", "list", *self.place, "--package", PACKAGE, "--version", version]
        try:
            listed: list[dict[str, Any]] = json_in(call([*command, "--format=json"]))
        except ToolError as error:
            if "NOT_FOUND" in error.output and "package" in error.output.lower():
                return {}
            raise
        there = {}
        for entry in listed:
            name = re.split(r"[/:]", unquote(entry["name"]))[-1]
            for digest in entry.get("hashes") or []:
                if digest["type"] == "SHA256":
                    there[name] = hexadecimal(digest["value"])
        return there

    def upload(self, files: list[Path], version: str) -> list[str]:
        """Upload what is missing, and return the names of what was uploaded."""
        missing = missing_files(files, self.list_files(version), self.name)
        if missing:
            token = call(["gcloud", "auth", "print-access-token"]).strip()
            secret = {"TWINE_USERNAME": "oauth2accesstoken", "TWINE_PASSWORD": token}
            command = ["twine", "upload", "--non-interactive", "--disable-progress-bar", "--repository-url", self.url]
            failure: ToolError | None = None
            try:
                call([*command, *map(str, missing)], variables=secret)
            except ToolError as error:
                failure = error
            # An upload whose answer was lost has happened all the same; one that was half done is named.
            there = self.list_files(version)
            absent = [path.name for path in missing_files(files, there, self.name) if path.name not in there]
            if absent:
                reason = f"\n{failure}" if failure else ""
                message = f"{self.name} lacks {', '.join(absent)} after the upload; run it again.{reason}"
                raise DeliveryError(message)
        return [path.name for path in missing]

    def check_wheel(self, files: list[Path], version: str) -> None:
        """Raise unless all files are there with these bytes."""
        absent = missing_files(files, self.list_files(version), self.name)
        if absent:
            message = f"{self.name} lacks {', '.join(path.name for path in absent)}: upload the wheels first"
            raise DeliveryError(message)


def pypi_files(url: str) -> dict[str, str]:
    """Return the files of the project on PyPI by name, each with its SHA-256; none before its first release."""
    request = urllib.request.Request(url, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return {}
        message = f"{url} answered {error.code}: nothing was published, run it again"
        raise DeliveryError(message) from None
    except (OSError, ValueError) as error:
        message = f"{url} gave no list of files ({error}): nothing was published, run it again"
        raise DeliveryError(message) from None
    return {file["filename"]: file["hashes"].get("sha256", "") for file in content["files"]}


def release_files(folder: Path, version: str, endings: tuple[str, ...]) -> list[Path]:
    """Return the files of a version in a folder; raise if there are none."""
    files = sorted(path for path in folder.glob(f"drugs_rs-{version}[-.]*") if path.name.endswith(endings))
    if not files:
        message = f"{folder} has no file of release {version}"
        raise DeliveryError(message)
    return files


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", help="default: that of Cargo.toml")
    commands = parser.add_subparsers(dest="index", required=True)
    registry = commands.add_parser("registry", help="upload the wheels to Artifact Registry")
    registry.add_argument("folder", type=Path)
    for name in ("--project", "--location", "--repository"):
        registry.add_argument(name, required=True)
    pypi = commands.add_parser("pypi", help="copy what PyPI lacks into a folder")
    pypi.add_argument("folder", type=Path)
    pypi.add_argument("--to", type=Path, required=True)
    pypi.add_argument("--url", default=os.environ.get("DRUGS_RS_SIMPLE_INDEX", SIMPLE), help="default: PyPI")
    chosen = parser.parse_args(arguments)
    try:
        version = chosen.version or read_version(ROOT)
        if chosen.index == "registry":
            target = ArtifactRegistry(chosen.project, chosen.location, chosen.repository)
            uploaded = target.upload(release_files(chosen.folder, version, (".whl",)), version)
            say(f"{target.name}: uploaded {', '.join(uploaded) or 'nothing, all files are there'}")
        else:
            files = release_files(chosen.folder, version, (".whl", ".tar.gz"))
            missing = missing_files(files, pypi_files(chosen.url), "PyPI")
            chosen.to.mkdir(parents=True, exist_ok=True)
            for path in missing:
                shutil.copy2(path, chosen.to)
            say(f"missing={len(missing)}")
    except DeliveryError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
