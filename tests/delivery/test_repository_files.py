"""Workflows, settings of the repository, and pages agree with each other and with the scripts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import build_wheel
import built_files
import pytest
import try_wheel
import yaml
from conftest import NEW, ROOT, bom_of, write_wheel
from tool_calls import DeliveryError

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGE = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


RELEASE = ROOT / ".github" / "workflows" / "release.yml"
CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_with_their_version(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    for line in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_one_commit_for_each_action() -> None:
    used = {line for path in WORKFLOWS for line in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))}
    assert len({line.split("@")[0] for line in used}) == len(used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_jobs_have_their_own_rights_a_time_limit_and_keep_no_credentials(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]["contents"] in ("read", "write")
        assert job["timeout-minutes"] > 0
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_steps_have_no_pipe_that_hides_an_error_and_no_expression(path: Path) -> None:
    """The shell of a step has no `pipefail`, and an expression in a script is code of whoever chose its value."""
    for step in steps(path):
        assert not re.search(r"(?<!\|)\|(?!\|)|\$\{\{", step.get("run", "")), step["run"]


def test_only_the_last_job_may_write() -> None:
    jobs = read(RELEASE)["jobs"]
    assert [name for name, job in jobs.items() if job["permissions"]["contents"] == "write"] == ["announce"]
    assert "secrets." not in RELEASE.read_text(encoding="utf-8")


def test_nothing_is_published_before_it_is_verified_and_delivered() -> None:
    jobs = read(RELEASE)["jobs"]

    def before(name: str) -> set[str]:
        needs = jobs[name].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct.union(*(before(one) for one in direct))

    assert before("build") == {"check"}
    assert before("deliver") == {"check", "build", "sign", "try"}
    assert before("publish") == {*before("deliver"), "deliver"}
    assert before("announce") == {*before("publish"), "publish"}
    texts = [str(step.get("run", "")) for step in jobs["deliver"]["steps"]]
    order = [
        at
        for word in ("verify_release", "package_index", "deploy_release")
        for at, text in enumerate(texts)
        if word in text
    ]
    assert len(order) == 3
    assert order == sorted(order)
    scripts = [str(step.get("run", step.get("uses"))) for step in jobs["publish"]["steps"]]
    [verified] = [at for at, text in enumerate(scripts) if "verify_release" in text]
    [published] = [at for at, text in enumerate(scripts) if "gh-action-pypi-publish" in text]
    assert verified < published


def test_the_release_builds_what_is_checked_for_with_the_promised_rust() -> None:
    workflow = read(RELEASE)
    targets = workflow["jobs"]["build"]["strategy"]["matrix"]["target"]
    assert targets == [*build_wheel.TARGETS, build_wheel.SOURCE]
    assert len(built_files.PLATFORMS) == len(build_wheel.TARGETS)
    assert tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))["graph"]["targets"] == list(
        build_wheel.TARGETS
    )
    for path in (RELEASE, RELEASE.with_name("ci.yml")):
        assert read(path)["env"]["RUST_VERSION"] == CARGO["package"]["rust-version"]


def test_every_script_that_a_workflow_runs_exists_and_explains_itself() -> None:
    named = {name for path in WORKFLOWS for name in re.findall(r"delivery/\w+\.py", path.read_text(encoding="utf-8"))}
    assert len(named) >= 6
    for name in named:
        assert (ROOT / name).is_file()
        assert name.removeprefix("delivery/") in PAGE


def test_the_page_lists_the_variables_of_the_workflow_and_no_other() -> None:
    used = set(re.findall(r"vars\.(\w+)", RELEASE.read_text(encoding="utf-8")))
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, flags=re.MULTILINE))
    assert listed == used


@pytest.mark.parametrize("target", build_wheel.TARGETS)
def test_wheels_are_built_locked_and_for_old_machines(target: str) -> None:
    command = build_wheel.build_command(target)
    assert "--locked" in command
    assert ("--zig" in command) == ("linux" in target)


def test_an_unknown_target_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeliveryError, match="unknown target"):
        build_wheel.build_command("wasm32-wasip1")
    assert build_wheel.main([]) == 1
    assert "x86_64-unknown-linux-gnu" in capsys.readouterr().err


def test_a_build_takes_its_time_from_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maturin = tmp_path / "maturin"
    maturin.write_text(f'#!/bin/sh\necho "$SOURCE_DATE_EPOCH $*" > {tmp_path}/called\n', encoding="utf-8")
    maturin.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert build_wheel.main(["sdist"]) == 0
    time = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (tmp_path / "called").read_text(encoding="utf-8") == f"{time.stdout.strip()} sdist --out dist\n"


# A package whose command writes gold: the same twice, or its number of runs.
COMMAND = """
import pathlib, sys
__version__ = {version!r}
def main():
    gold = pathlib.Path(sys.argv[sys.argv.index("--out") + 1]) / "gold"
    gold.mkdir(parents=True, exist_ok=True)
    (gold / "drug_graph.json").write_text(str({differs} and len(list(gold.iterdir()))))
"""


@pytest.mark.parametrize(
    ("version", "differs", "message"),
    [(NEW, False, ""), (NEW, True, "changed gold"), ("0.1.0", False, f"the wheel of {NEW} says that it is 0.1.0")],
)
def test_a_wheel_is_tried_as_a_user_installs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str, differs: bool, message: str
) -> None:
    wheel = write_wheel(
        tmp_path, platform="any", bom=bom_of(NEW), extra=COMMAND.format(version=version, differs=differs)
    )
    info = f"drugs_rs-{NEW}.dist-info"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ndrugs-rs = drugs_rs:main\n")
    wheel.rename(tmp_path / f"drugs_rs-{NEW}-py3-none-any.whl")
    assert try_wheel.main([str(tmp_path), "--version", NEW]) == (1 if message else 0)
    assert message in capsys.readouterr().err


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the environments of tools are made of Python 3.13 or older")
@pytest.mark.parametrize(
    ("verb", "command"), [("advisories", "cargo-deny --locked check advisories"), ("wheel", "maturin build --locked")]
)
def test_verbs_of_workflows_need_no_old_python(tmp_path: Path, verb: str, command: str) -> None:
    """`tests/interpreters.py` demands Python 3.8 in CI, which GitHub's machines lack.

    GNU make 4.3 asked it whatever the target was, so the jobs of the wheel and of the advisories failed each time.
    """
    workflows = [step for path in WORKFLOWS for step in steps(path)]
    assert f"make {verb}" in [step.get("run") for step in workflows]
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "cargo", "env", "find", "make", "sed", "sh"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    for name in ("python3", f"python3.{sys.version_info[1]}"):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    variables = {"PATH": str(programs), "PYENV_ROOT": str(tmp_path / "none"), "CI": "true"}
    making = ["make", "--dry-run", "--what-if=requirements/delivery.txt", verb]
    done = subprocess.run(making, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert command in done.stdout
    # What needs that Python says so.
    testing = ["make", "--dry-run", "test-python-missing"]
    done = subprocess.run(testing, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert 'echo "no Python to test on" >&2; exit 1' in done.stdout


def test_the_citation_has_no_version_of_its_own() -> None:
    citation = read(ROOT / "CITATION.cff")
    assert "version" not in citation
    assert citation["license"] == CARGO["package"]["license"]


def test_owned_paths_exist() -> None:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    paths = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert paths[0] == "*"
    for path in paths[1:]:
        assert (ROOT / path.strip("/")).exists(), path
    for line in lines:
        assert not line or line.startswith("#") or re.search(r" @[\w-]+/[\w-]+", line), line


def test_updates_wait_and_cover_every_ecosystem() -> None:
    updates = {one["package-ecosystem"]: one for one in read(ROOT / ".github" / "dependabot.yml")["updates"]}
    assert set(updates) == {"cargo", "pip", "github-actions", *(["npm"] if list(ROOT.glob("package.json")) else [])}
    assert all(one["cooldown"]["default-days"] >= 7 for one in updates.values())


@pytest.mark.usefixtures("cloud")
def test_a_fake_fails_on_a_command_that_it_does_not_know() -> None:
    """A command that a fake does not know must fail, or a test would pass without testing."""
    for program in ("gcloud", "gh", "twine"):
        assert subprocess.run([program, "no-such-command"], capture_output=True, check=False).returncode != 0
