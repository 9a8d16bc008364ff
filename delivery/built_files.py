"""Check that a release is complete before anything is signed: `built_files.py dist [--version X.Y.Z]`.

The folder must have one wheel for each platform and the source distribution, all of one version, each wheel with an
SBOM and with the files of its RECORD, and nothing else. Writes `SHA256SUMS` into the folder.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from pathlib import Path

from release_version import ROOT, read_version
from tool_calls import DeliveryError, say
from verify_release import RefusedFile, check_content

SUMS = "SHA256SUMS"
# The platforms of a release, each with the tags of its wheel.
PLATFORMS = {
    "manylinux2014 x86-64": r"(manylinux_2_17_x86_64\.)?manylinux2014_x86_64(\.manylinux_2_17_x86_64)?",
    "manylinux2014 arm64": r"(manylinux_2_17_aarch64\.)?manylinux2014_aarch64(\.manylinux_2_17_aarch64)?",
    "musllinux x86-64": r"musllinux_1_2_x86_64",
    "musllinux arm64": r"musllinux_1_2_aarch64",
    "macOS arm64": r"macosx_\d+_\d+_arm64",
}


def expected_files(version: str) -> dict[str, str]:
    """Return what a release consists of, each with the form of its name."""
    wheel = rf"drugs_rs-{re.escape(version)}-cp38-abi3-"
    forms = {f"wheel for {platform}": wheel + tags + r"\.whl" for platform, tags in PLATFORMS.items()}
    return {**forms, "source distribution": rf"drugs_rs-{re.escape(version)}\.tar\.gz"}


def check_files(folder: Path, version: str) -> list[Path]:
    """Return the files of a complete release; raise all that is wrong otherwise."""
    files = sorted(path for path in folder.iterdir() if path.name != SUMS) if folder.is_dir() else []
    forms = expected_files(version)
    problems = [
        f"{path.name}: no file of release {version}"
        for path in files
        if not any(re.fullmatch(form, path.name) for form in forms.values())
    ]
    for what, form in forms.items():
        found = [path.name for path in files if re.fullmatch(form, path.name)]
        if len(found) != 1:
            problems.append(f"{what}: {'missing' if not found else 'more than one: ' + ', '.join(found)}")
    for path in files:
        try:
            check_content(path)
        except RefusedFile as reason:
            problems.append(f"{path.name}: {reason}")
    if problems:
        message = f"{folder} is not the whole release {version}, nothing is signed:\n" + "\n".join(problems)
        raise DeliveryError(message)
    return files


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str]) -> int:
    """Check a folder, write the sums, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", help="default: that of Cargo.toml")
    chosen = parser.parse_args(arguments)
    try:
        files = check_files(chosen.folder, chosen.version or read_version(ROOT))
    except DeliveryError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    lines = [f"{file_digest(path)}  {path.name}" for path in files]
    (chosen.folder / SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    say("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
