"""A cloud of files for the tests: fakes of `gcloud`, `gh` and `twine` on PATH, a bucket, wheels, and a clock."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = "0.1.0", "0.2.0"
PLATFORMS = (
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "musllinux_1_2_x86_64",
    "musllinux_1_2_aarch64",
    "macosx_11_0_arm64",
)


class Cloud:
    """What the fakes answer, and what they were asked; also the clock, whose sleep takes no time."""

    def __init__(self, folder: Path) -> None:
        self.state_file = folder / "state.json"
        self.buckets = folder / "buckets"
        self.dags = self.buckets / "bucket" / "dags"
        self.deliveries = self.buckets / "bucket" / "drugs_rs_deliveries"
        self.dags.mkdir(parents=True)
        state: dict[str, Any] = {
            "now": 0,
            "calls": [],
            # Composer
            "state": "RUNNING",
            "new_version": NEW,
            "packages": {"drugs-rs": f"=={OLD}", "other": "==1.0"},
            "worker": OLD,
            "busy_until": 0,
            "operation": None,
            "update_minutes": 10,
            "update_error": None,
            "update_breaks": False,
            # Airflow
            "airflow": 3,
            "canary": "success",
            "import_errors": [],
            "mapped": [],
            "runs": {},
            # Storage: numbers of synchronisations that end in the middle, with an error or without
            "syncs": 0,
            "broken_syncs": [],
            "lying_syncs": [],
            # Empty objects of folders
            "folder_objects": [],
            # Packages and attestations, by SHA-256
            "registry": {},
            "attestations": {},
            # Troubles that happen a number of times
            "troubles": {},
        }
        self.state_file.write_text(json.dumps(state), encoding="utf-8")

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads(self.state_file.read_text(encoding="utf-8")))

    def set(self, **values: Any) -> None:
        self.state_file.write_text(json.dumps({**self.state, **values}), encoding="utf-8")

    def trouble(self, **counts: int) -> None:
        self.set(troubles={**self.state["troubles"], **counts})

    def calls(self, *words: str) -> list[list[str]]:
        """The calls that have all these words."""
        return [call for call in self.state["calls"] if all(word in call for word in words)]

    def now(self) -> float:
        return float(self.state["now"])

    def sleep(self, seconds: float) -> None:
        self.set(now=self.now() + seconds)

    def write_dag(self, text: str, folder: str = "drug") -> None:
        (self.dags / folder).mkdir(exist_ok=True)
        (self.dags / folder / "drug.py").write_text(text, encoding="utf-8")

    def attest(self, path: Path, **values: str) -> None:
        found = {
            "repo": "owner/name",
            "workflow": "owner/name/.github/workflows/release.yml",
            "ref": f"refs/tags/drugs/v{NEW}",
            "name": path.name,
            "predicate": "https://slsa.dev/provenance/v1",
        }
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.set(attestations={**self.state["attestations"], digest: {**found, **values}})


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    folder = tmp_path / "cloud"
    programs = folder / "programs"
    programs.mkdir(parents=True)
    start = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import fake_tools; "
    start += "fake_tools.main(*sys.argv[1:2], sys.argv[2:])"
    # Imported, because Python compiles a program at each start, but a module once.
    fake = shlex.join([sys.executable, "-S", "-E", "-c", start])
    for name in ("gcloud", "gh", "twine"):
        (programs / name).write_text(f'#!/bin/sh\nexec {fake} {name} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    made = Cloud(folder)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("FAKE_STATE", str(made.state_file))
    monkeypatch.setenv("FAKE_BUCKETS", str(made.buckets))
    return made


def bom_of(version: str, **values: Any) -> dict[str, Any]:
    component = {"type": "library", "name": "drugs_rs", "version": version}
    parts = [{"type": "library", "name": "polars", "version": "0.55.0"}, {"name": "memchr", "version": "2.7.6"}]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "metadata": {"component": component},
        "components": parts,
        **values,
    }


def write_wheel(
    folder: Path,
    version: str = NEW,
    platform: str = PLATFORMS[0],
    bom: Any = "its own",
    tampered: bool = False,
    extra: str = "",
) -> Path:
    """Write a small wheel as maturin writes it."""
    info = f"drugs_rs-{version}.dist-info"
    files = {
        "drugs_rs/__init__.py": f"__version__ = '{version}'\n{extra}",
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: drugs-rs\nVersion: {version}\n\ntext\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp38-abi3-{platform}\n",
    }
    if bom is not None:
        content = bom_of(version) if bom == "its own" else bom
        files[f"{info}/sboms/drugs_rs.cyclonedx.json"] = content if isinstance(content, str) else json.dumps(content)
    lines = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        lines.append(f"{name},sha256={digest},{len(text)}")
    record = "\n".join([*lines, f"{info}/RECORD,,", ""])
    if tampered:
        files["drugs_rs/__init__.py"] += "import evil\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"drugs_rs-{version}-cp38-abi3-{platform}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in [*files.items(), (f"{info}/RECORD", record)]:
            archive.writestr(zipfile.ZipInfo(name), text)
    return path


def write_source(folder: Path, version: str = NEW, lock: bool = True) -> Path:
    """Write a small source distribution."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"drugs_rs-{version}.tar.gz"
    names = ["Cargo.toml", *(["Cargo.lock"] if lock else [])]
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            content = b'[[package]]\nname = "drugs_rs"\n'
            member = tarfile.TarInfo(f"drugs_rs-{version}/{name}")
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    return path


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """The folder of a whole release."""
    folder = tmp_path / "dist"
    for platform in PLATFORMS:
        write_wheel(folder, platform=platform)
    write_source(folder)
    return folder
