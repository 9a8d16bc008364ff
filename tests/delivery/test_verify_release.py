"""What a consumer's check refuses: files without signature, with one of somebody else, without SBOM, changed ones."""

from __future__ import annotations

import subprocess
import sys
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


def test_what_is_no_release_file_is_refused(cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / f"drugs_rs-{NEW}-cp38-abi3-{PLATFORMS[0]}.whl"
    cut.write_bytes(b"PK\x03\x04 cut")
    other = tmp_path / "polars-1.0.0-py3-none-any.whl"
    bare = write_source(tmp_path, lock=False)
    absent = tmp_path / f"drugs_rs-{NEW}-cp38-abi3-absent.whl"
    assert verify(cut, other, bare, absent) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "it cannot be read",
        "the name is not that of a wheel or source distribution of drugs_rs",
        f"it has no drugs_rs-{NEW}/Cargo.lock, which lists what it is built from",
        "it cannot be read",
    ]
    assert cloud.calls("gh") == []


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
