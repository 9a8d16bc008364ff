"""What a consumer's check refuses: files without signature, with one of somebody else, without SBOM, changed ones."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import warnings
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import built_files
import pytest
import verify_release
from conftest import NEW, PLATFORMS, ROOT, Cloud, bom_of, write_source, write_wheel


def verify(*files: Path) -> int:
    return verify_release.main(["--repo", "owner/name", *map(str, files)])


def test_a_whole_release_passes(cloud: Cloud, dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(dist.iterdir())
    for path in files:
        cloud.attest(path)
    assert verify(*files) == 0
    output = capsys.readouterr().out
    assert output.count("verified ") == 6
    assert "attested by owner/name, 2 components in its SBOM" in output
    assert "1 packages in its Cargo.lock" in output


def test_the_script_runs_alone(cloud: Cloud, dist: Path, tmp_path: Path) -> None:
    script = tmp_path / "alone" / "verify_release.py"
    script.parent.mkdir()
    script.write_bytes((ROOT / "delivery" / "verify_release.py").read_bytes())
    [wheel] = dist.glob("*macosx*.whl")
    command = [sys.executable, "-I", str(script), "--repo", "owner/name", str(wheel)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert f"refused {wheel.name}: no valid attestation" in refused.stderr
    cloud.attest(wheel)
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_an_unsigned_file_is_refused_and_the_others_are_named(
    cloud: Cloud, dist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signed, unsigned = sorted(dist.glob("*.whl"))[:2]
    cloud.attest(signed)
    assert verify(unsigned, signed) == 1
    output = capsys.readouterr()
    assert f"refused {unsigned.name}: no valid attestation" in output.err
    assert f"verified {signed.name}" in output.out


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"repo": "other/name"}, "no valid attestation of owner/name/.github/workflows/release.yml"),
        ({"workflow": "owner/name/.github/workflows/ci.yml"}, "no valid attestation"),
        (
            {"ref": "refs/heads/main"},
            f"no valid attestation of owner/name/.github/workflows/release.yml for refs/tags/drugs/v{NEW}",
        ),
        ({"ref": "refs/tags/drugs/v0.1.0"}, "no valid attestation"),
        ({"predicate": "https://spdx.dev/Document/v2.3"}, "none of its provenance"),
        ({"predicate": ""}, "an empty list"),
        ({"subject": "0" * 64}, "the attestation is about another name or other bytes"),
        ({"name": f"drugs_rs-{NEW}.tar.gz"}, "the attestation is about another name or other bytes"),
    ],
)
def test_an_attestation_of_something_else_is_refused(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str], claim: dict[str, str], message: str
) -> None:
    wheel = write_wheel(tmp_path)
    cloud.attest(wheel, **claim)
    assert verify(wheel) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bom", "message"),
    [
        (None, f"it has no SBOM in drugs_rs-{NEW}.dist-info/sboms/"),
        ("{", "its SBOM is not JSON"),
        ("[]", "its SBOM is not in the format CycloneDX"),
        ({"spdxVersion": "SPDX-2.3"}, "its SBOM is not in the format CycloneDX"),
        (bom_of("0.1.0"), "its SBOM is about drugs_rs 0.1.0, not about drugs_rs 0.2.0"),
        (bom_of(NEW, components=[]), "its SBOM lists no components"),
        (bom_of(NEW, components=[{"name": "polars"}]), "some without name or version"),
    ],
)
def test_a_wheel_without_a_good_sbom_is_refused_though_signed(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str], bom: Any, message: str
) -> None:
    wheel = write_wheel(tmp_path, bom=bom)
    cloud.attest(wheel)
    assert verify(wheel) == 1
    assert message in capsys.readouterr().err


def test_a_changed_wheel_is_refused(cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = write_wheel(tmp_path, tampered=True)
    cloud.attest(wheel)
    assert verify(wheel) == 1
    assert "drugs_rs/__init__.py is not the file that RECORD lists" in capsys.readouterr().err


def test_a_wheel_with_the_name_of_another_version_is_refused(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = write_wheel(tmp_path, version="0.1.0").rename(tmp_path / f"drugs_rs-{NEW}-cp38-abi3-{PLATFORMS[0]}.whl")
    cloud.attest(renamed)
    assert verify(renamed) == 1
    assert f"it has no drugs_rs-{NEW}.dist-info/RECORD" in capsys.readouterr().err


Files = list[tuple[str, bytes]]


def rebuild(wheel: Path, change: Callable[[Files], Files], record: bool = True) -> Path:
    """Change the files of a wheel, and write its RECORD anew, as somebody does who builds a wheel to deceive."""
    info = f"drugs_rs-{NEW}.dist-info/RECORD"
    with zipfile.ZipFile(wheel) as archive:
        files = change([(name, archive.read(name)) for name in archive.namelist()])
    if record:
        files = [(name, content) for name, content in files if name != info]
        lines = [f"{name},sha256={urlsafe_b64encode(sha256(text).digest()).decode()[:-1]},0" for name, text in files]
        files.append((info, "\n".join([*lines, f"{info},,", ""]).encode()))
    with zipfile.ZipFile(wheel, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content)
    return wheel


def with_metadata(text: str) -> Callable[[Files], Files]:
    return lambda files: [(name, text.encode() if name.endswith("/METADATA") else content) for name, content in files]


@pytest.mark.parametrize(
    ("change", "record", "message"),
    [
        # zipfile reads the last of two files of one name, and an installer that streams takes the first.
        (lambda files: [("drugs_rs/__init__.py", b"import evil"), *files], False, "drugs_rs/__init__.py twice"),
        (lambda files: [(f"drugs_rs-{NEW}.dist-info/RECORD", b""), *files], False, "RECORD twice"),
        (lambda files: [("../../evil.py", b""), *files], True, "'../../evil.py' would be unpacked outside"),
        (lambda files: [("drugs_rs/../../evil.py", b""), *files], True, "would be unpacked outside"),
        (lambda files: [("/etc/evil.py", b""), *files], True, "'/etc/evil.py' would be unpacked outside"),
        (lambda files: [("..\\evil.py", b""), *files], True, "would be unpacked outside"),
        (lambda files: [("evil-1.dist-info/METADATA", b""), *files], True, "it has evil-1.dist-info beside"),
        (lambda files: files[1:], False, "RECORD lists drugs_rs/__init__.py, which it lacks"),
        # The line that was looked for may be anywhere in the description.
        (with_metadata(f"Name: evil\nVersion: 9.9\n\nVersion: {NEW}\n"), True, "its METADATA is not that of drugs-rs"),
        (with_metadata(f"Name: evil\nVersion: {NEW}\n\n"), True, "its METADATA is not that of drugs-rs"),
        (with_metadata(f"Name: drugs-rs\nVersion: {NEW}\nVersion: 9.9\n\n"), True, "its METADATA is not that"),
    ],
)
def test_a_signed_wheel_that_deceives_is_refused(
    cloud: Cloud,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Files], Files],
    record: bool,
    message: str,
) -> None:
    wheel = rebuild(write_wheel(tmp_path), change, record)
    cloud.attest(wheel)
    assert verify(wheel) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("../evil", tarfile.REGTYPE, "'../evil' would be unpacked outside"),
        ("other/evil", tarfile.REGTYPE, "'other/evil' would be unpacked outside"),
        (f"drugs_rs-{NEW}/evil", tarfile.SYMTYPE, "evil is a link or a device"),
        (f"drugs_rs-{NEW}/Cargo.lock", tarfile.REGTYPE, "Cargo.lock twice"),
    ],
)
def test_a_signed_source_distribution_that_deceives_is_refused(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, kind: bytes, message: str
) -> None:
    source = write_source(tmp_path)
    with tarfile.open(source) as archive:
        lock = archive.extractfile(f"drugs_rs-{NEW}/Cargo.lock")
        assert lock is not None
        content = lock.read()
    with tarfile.open(source, "w:gz") as archive:
        for member_name, member_kind in ((f"drugs_rs-{NEW}/Cargo.lock", tarfile.REGTYPE), (name, kind)):
            member = tarfile.TarInfo(member_name)
            member.type, member.linkname = member_kind, "../../etc/passwd"
            member.size = len(content) if member_kind == tarfile.REGTYPE else 0
            archive.addfile(member, BytesIO(content))
    cloud.attest(source)
    assert verify(source) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "bom",
    [
        "[" * 100_000,  # RecursionError
        {"bomFormat": "CycloneDX", "metadata": ["x"]},
        {"bomFormat": "CycloneDX", "metadata": {"component": "x"}},
        bom_of(NEW, components=["polars"]),
    ],
)
def test_damage_is_a_refusal_and_the_next_file_is_still_verified(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str], bom: Any
) -> None:
    """Each of these ended the check with a traceback, so the files after it were not looked at."""
    bad, good = write_wheel(tmp_path, bom=bom), write_wheel(tmp_path, platform=PLATFORMS[1])
    cloud.attest(bad)
    cloud.attest(good)
    assert verify(bad, good) == 1
    output = capsys.readouterr()
    assert f"refused {bad.name}: it cannot be read: " in output.err
    assert f"verified {good.name}" in output.out


def test_an_archive_that_nobody_signed_is_not_opened(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be made to fill the memory of whoever verifies it."""
    monkeypatch.setattr(verify_release, "check_content", lambda _: pytest.fail("it was opened"))
    assert verify(write_wheel(tmp_path)) == 1
    assert cloud.calls("gh")


def test_what_is_no_release_file_is_refused(cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / f"drugs_rs-{NEW}-cp38-abi3-{PLATFORMS[0]}.whl"
    cut.write_bytes(b"PK\x03\x04 cut")
    other = tmp_path / "polars-1.0.0-py3-none-any.whl"
    bare = write_source(tmp_path, lock=False)
    absent = tmp_path / f"drugs_rs-{NEW}-cp38-abi3-absent.whl"
    cloud.attest(cut)
    cloud.attest(bare)
    assert verify(cut, other, bare, absent) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "it cannot be read",
        "the name is not that of a wheel or source distribution of drugs_rs",
        f"it has no drugs_rs-{NEW}/Cargo.lock with packages, which lists what it is built from",
        "it cannot be read",
    ]
    assert len(cloud.calls("gh")) == 2


def test_without_gh_nothing_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert verify(write_wheel(tmp_path)) == 1
    assert "`gh` is not on PATH" in capsys.readouterr().err


# --- What is checked before anything is signed ---


def test_a_complete_release_gets_its_sums(dist: Path) -> None:
    assert built_files.main([str(dist), "--version", NEW]) == 0
    lines = (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 6
    assert built_files.main([str(dist), "--version", NEW]) == 0


@pytest.mark.parametrize("missing", ["*musllinux_1_2_aarch64*", "*macosx*", "*.tar.gz"])
def test_an_incomplete_release_is_not_signed(dist: Path, capsys: pytest.CaptureFixture[str], missing: str) -> None:
    for path in dist.glob(missing):
        path.unlink()
    assert built_files.main([str(dist), "--version", NEW]) == 1
    assert ": missing" in capsys.readouterr().err
    assert not (dist / "SHA256SUMS").exists()


def test_all_problems_of_a_release_are_named(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wheel(dist, version="0.1.0")
    write_wheel(dist, platform="macosx_12_0_arm64")
    write_wheel(dist, platform="linux_x86_64")
    write_wheel(dist, platform=PLATFORMS[1], bom=None)
    assert built_files.main([str(dist), "--version", NEW]) == 1
    message = capsys.readouterr().err
    assert f"drugs_rs-0.1.0-cp38-abi3-{PLATFORMS[0]}.whl: no file of release {NEW}" in message
    assert "linux_x86_64.whl: no file of release" in message
    assert "wheel for macOS arm64: more than one" in message
    assert "it has no SBOM" in message
