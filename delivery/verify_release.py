"""Verify files of a release before they are installed: `verify_release.py --repo OWNER/NAME FILE…`.

A file passes if GitHub holds a provenance attestation for exactly its bytes, made by this project's release workflow
for the tag of the version in the file's name, and if it says what is inside: a wheel by its CycloneDX SBOM, a source
distribution by its Cargo.lock. Anything else is refused with exit code 1. Needs `gh` (2.68 or newer, signed in) and
Python 3.8; this file needs no other one.
"""

from __future__ import annotations

import argparse
import base64
import collections
import email.parser
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

WORKFLOW = ".github/workflows/release.yml"
PROVENANCE = "https://slsa.dev/provenance/"
NAME = re.compile(r"drugs_rs-(?P<version>\d+\.\d+\.\d+)(?P<rest>-[\w.\-]+\.whl|\.tar\.gz)")


class RefusedFile(Exception):
    """A file that must not be installed, and why."""


def version_of(path: Path) -> str:
    """Return the version in the name of a wheel or source distribution."""
    form = NAME.fullmatch(path.name)
    if form is None:
        message = "the name is not that of a wheel or source distribution of drugs_rs"
        raise RefusedFile(message)
    return form["version"]


def check_names(names: list[str], folder: str = "") -> None:
    """Refuse names of an archive's members that programs unpack differently, or outside of the folder."""
    repeated = sorted(name for name, count in collections.Counter(names).items() if count > 1)
    if repeated:
        message = f"it has {repeated[0]} twice, and programs differ in which of them they unpack"
        raise RefusedFile(message)
    for name in names:
        if name.startswith("/") or re.search(r"(^|/)\.\.(/|$)|[\\:]", name) or not f"{name}/".startswith(folder):
            message = f"{name!r} would be unpacked outside of its folder"
            raise RefusedFile(message)


def recorded_digests(archive: zipfile.ZipFile, folder: str) -> dict[str, str]:
    """Return the SHA-256 that the wheel's RECORD has for each of its files."""
    digests = {}
    for line in archive.read(f"{folder}/RECORD").decode("utf-8").splitlines():
        name, digest, _ = line.rsplit(",", 2)
        digests[name.strip('"')] = digest
    return digests


def check_wheel(path: Path) -> int:
    """Check a wheel's files against its RECORD, and its SBOM; return the number of components."""
    version = version_of(path)
    folder = f"drugs_rs-{version}.dist-info"
    with zipfile.ZipFile(path) as archive:
        check_names(archive.namelist())
        names = set(archive.namelist())
        others = sorted({name.split("/")[0] for name in names if ".dist-info/" in name} - {folder})
        if f"{folder}/RECORD" in names and others:
            message = f"it has {others[0]} beside {folder}"
            raise RefusedFile(message)
        if f"{folder}/RECORD" not in names:
            message = f"it has no {folder}/RECORD"
            raise RefusedFile(message)
        digests = recorded_digests(archive, folder)
        for name in sorted(names - {f"{folder}/RECORD"}):
            digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).decode("ascii").rstrip("=")
            if digests.get(name) != f"sha256={digest}":
                message = f"{name} is not the file that RECORD lists"
                raise RefusedFile(message)
        lost = sorted(set(digests) - names)
        if lost:
            message = f"RECORD lists {lost[0]}, which it lacks"
            raise RefusedFile(message)
        metadata = archive.read(f"{folder}/METADATA") if f"{folder}/METADATA" in names else b""
        # Its description may have lines like headers.
        headers = email.parser.BytesHeaderParser().parsebytes(metadata)
        if (headers.get_all("Name"), headers.get_all("Version")) != (["drugs-rs"], [version]):
            message = f"its METADATA is not that of drugs-rs {version}"
            raise RefusedFile(message)
        boms = [name for name in sorted(names) if name.startswith(f"{folder}/sboms/") and name.endswith(".json")]
        if not boms:
            message = f"it has no SBOM in {folder}/sboms/"
            raise RefusedFile(message)
        return sum(check_bom(archive.read(name), version) for name in boms)


def check_bom(content: bytes, version: str) -> int:
    """Check that an SBOM is CycloneDX, about this version, and lists components; return their number."""
    try:
        bom: Any = json.loads(content)
    except ValueError as error:
        message = f"its SBOM is not JSON: {error}"
        raise RefusedFile(message) from None
    if not isinstance(bom, dict) or bom.get("bomFormat") != "CycloneDX":
        message = "its SBOM is not in the format CycloneDX"
        raise RefusedFile(message)
    about = (bom.get("metadata") or {}).get("component") or {}
    if (about.get("name"), about.get("version")) != ("drugs_rs", version):
        message = f"its SBOM is about {about.get('name')} {about.get('version')}, not about drugs_rs {version}"
        raise RefusedFile(message)
    components = bom.get("components") or []
    if not components or not all(part.get("name") and part.get("version") for part in components):
        message = "its SBOM lists no components, or some without name or version"
        raise RefusedFile(message)
    return len(components)


def check_source(path: Path) -> int:
    """Check that a source distribution has its Cargo.lock; return the number of packages in it."""
    lock = f"drugs_rs-{version_of(path)}/Cargo.lock"
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        check_names([member.name for member in members], lock.split("/")[0] + "/")
        links = [member.name for member in members if not (member.isfile() or member.isdir())]
        if links:
            message = f"{links[0]} is a link or a device, not a file"
            raise RefusedFile(message)
        content = archive.extractfile(lock) if lock in archive.getnames() else None
        packages = content.read().count(b"[[package]]") if content else 0
        if not packages:
            message = f"it has no {lock} with packages, which lists what it is built from"
            raise RefusedFile(message)
        return packages


def check_attestation(path: Path, repo: str) -> None:
    """Check that the release workflow attested these bytes for the tag of this version."""
    reference = f"refs/tags/drugs/v{version_of(path)}"
    if not path.is_file():
        message = "it cannot be read: there is no such file"
        raise RefusedFile(message)
    command = ["gh", "attestation", "verify", str(path), "--repo", repo]
    command += ["--signer-workflow", f"{repo}/{WORKFLOW}", "--source-ref", reference]
    command += ["--deny-self-hosted-runners", "--format", "json"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        message = "`gh` is not on PATH: install the GitHub CLI, which checks attestations"
        raise RefusedFile(message) from None
    if ended.returncode != 0:
        reason = ended.stderr.strip() or ended.stdout.strip() or "no reason given"
        message = f"no valid attestation of {repo}/{WORKFLOW} for {reference}: {reason}"
        raise RefusedFile(message)
    try:
        verified: Any = json.loads(ended.stdout)
        kinds = [entry["verificationResult"]["statement"]["predicateType"] for entry in verified]
        named = [
            (subject["name"], subject["digest"].get("sha256"))
            for entry in verified
            for subject in entry["verificationResult"]["statement"]["subject"]
        ]
    except (ValueError, KeyError, TypeError):
        message = f"`gh attestation verify` printed what this script does not know: {ended.stdout[:200]!r}"
        raise RefusedFile(message) from None
    if not any(str(kind).startswith(PROVENANCE) for kind in kinds):
        message = f"it has attestations, but none of its provenance: {', '.join(map(str, kinds)) or 'an empty list'}"
        raise RefusedFile(message)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if (path.name, digest) not in named:
        message = f"the attestation is about another name or other bytes: the file has the SHA-256 {digest}"
        raise RefusedFile(message)


def check_content(path: Path) -> tuple[int, str]:
    """Check what a file says about its content; return the number of parts and what lists them."""
    version_of(path)
    try:
        if path.suffix == ".whl":
            return check_wheel(path), "components in its SBOM"
        return check_source(path), "packages in its Cargo.lock"
    except RefusedFile:
        raise
    except Exception as error:  # noqa: BLE001  # each way to damage an archive or an SBOM has one of its own
        message = f"it cannot be read: {type(error).__name__}: {error}"
        raise RefusedFile(message) from None


def main(arguments: list[str]) -> int:
    """Verify each file and return 0 if all of them pass."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", required=True, metavar="OWNER/NAME", help="the repository on GitHub that released it")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    chosen = parser.parse_args(arguments)
    refused = 0
    for path in chosen.files:
        try:
            # Who signed it comes first: an archive of a stranger is not opened.
            check_attestation(path, chosen.repo)
            count, listed = check_content(path)
            print(f"verified {path.name}: attested by {chosen.repo}, {count} {listed}")
        except RefusedFile as reason:
            refused += 1
            print(f"refused {path.name}: {reason}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
