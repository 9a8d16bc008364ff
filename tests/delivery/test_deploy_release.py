"""A delivery to Composer: what is done in which order, and that everything is as before when anything fails."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import deploy_release
import pytest
from conftest import NEW, OLD, Cloud
from tool_calls import DeliveryError, json_in

SYNC = ("storage", "rsync")
UPDATE = ("composer", "update")


@pytest.fixture
def ready(cloud: Cloud, dist: Path) -> Cloud:
    """A cloud with the old DAG and the old wheel, whose registry has the new wheels."""
    cloud.write_dag("old DAG")
    (cloud.dags / "drug" / "gone.py").write_text("only in the old version", encoding="utf-8")
    cloud.write_dag("a DAG of somebody else", folder="others")
    cloud.set(registry={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.glob("*.whl")})
    return cloud


@pytest.fixture
def dags(tmp_path: Path) -> Path:
    folder = tmp_path / "dags"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "drug.cpython-311.pyc").write_text("never copied", encoding="utf-8")
    (folder / "drug.py").write_text("new DAG", encoding="utf-8")
    (folder / ".airflowignore").write_text("__pycache__\n", encoding="utf-8")
    return folder


def run(cloud: Cloud, dist: Path, dags: Path, **options: Any) -> int:
    arguments = ["deliver", "--project", "p", "--location", "l", "--environment", "e", "--repository", "r"]
    given = {
        "wheels": dist,
        "dags": dags,
        "version": NEW,
        "canary-dt": "2024-03-01",
        "attempt": "7",
        "canary-minutes": 15,
        "poll": 300,
        **options,
    }
    return deploy_release.main([*arguments, *(f"--{name}={value}" for name, value in given.items())], cloud)


def roll_back(cloud: Cloud, **options: Any) -> int:
    arguments = ["rollback", "--project", "p", "--location", "l", "--environment", "e", "--poll", "300"]
    return deploy_release.main([*arguments, *(f"--{name}={value}" for name, value in options.items())], cloud)


def live(cloud: Cloud) -> dict[str, str]:
    folder = cloud.dags / "drug"
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()}


def is_as_before(cloud: Cloud) -> bool:
    """Whether DAG, wheel and lock are what they were; the DAGs of others always are."""
    assert (cloud.dags / "others" / "drug.py").read_text(encoding="utf-8") == "a DAG of somebody else"
    assert cloud.state["packages"]["other"] == "==1.0"
    old = {"drug.py": "old DAG", "gone.py": "only in the old version"}
    unlocked = not (cloud.deliveries / "unfinished.json").exists()
    return live(cloud) == old and cloud.state["packages"]["drugs-rs"] == f"=={OLD}" and unlocked


def positions(cloud: Cloud, *words: str) -> list[int]:
    calls = cloud.state["calls"]
    return [at for at, call in enumerate(calls) if all(word in call for word in words)]


def test_the_wheel_goes_first_then_the_dag_then_the_canary(ready: Cloud, dist: Path, dags: Path) -> None:
    assert run(ready, dist, dags) == 0
    assert live(ready) == {"drug.py": "new DAG", ".airflowignore": "__pycache__\n"}
    assert ready.state["packages"] == {"drugs-rs": f"=={NEW}", "other": "==1.0"}
    assert ready.state["runs"][f"canary-{NEW}-7"]["conf"] == {"dt": "2024-03-01"}
    [update] = positions(ready, *UPDATE)
    [packages] = positions(ready, "list-packages")
    [sync] = [at for at in positions(ready, *SYNC) if str(dags) in ready.state["calls"][at]]
    [canary] = positions(ready, "dags", "trigger")
    assert update < packages < sync < canary
    assert not (ready.deliveries / "unfinished.json").exists()
    assert (ready.dags / "others" / "drug.py").exists()


def test_files_that_a_delivery_removes_are_named(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A watch that was copied into the bucket beside `drug.py` went without a word, and its alerts with it."""
    (ready.dags / "drug" / "drug_watch.py").write_text("copied by hand", encoding="utf-8")
    assert run(ready, dist, dags) == 0
    assert "which will be removed: drug_watch.py, gone.py" in capsys.readouterr().out
    assert "drug_watch.py" not in live(ready)


def test_extras_of_the_environment_stay(ready: Cloud, dist: Path, dags: Path) -> None:
    """A delivery once asked for the version alone, and the DAG that loads into PostgreSQL lost its driver."""
    ready.set(packages={"drugs-rs": f"[postgres]=={OLD}", "other": "==1.0"})
    assert run(ready, dist, dags) == 0
    assert ready.state["packages"]["drugs-rs"] == f"[postgres]=={NEW}"
    assert roll_back(ready, record=f"gs://bucket/drugs_rs_deliveries/{NEW}-7/record.json") == 0
    assert ready.state["packages"]["drugs-rs"] == f"[postgres]=={OLD}"


def test_the_canary_may_be_another_dag(ready: Cloud, dist: Path, dags: Path) -> None:
    """Who runs the example `drug_heavy` in place of `drug` has paused that one, so its canary would never start."""
    assert run(ready, dist, dags, **{"canary-dag": "drug_heavy"}) == 0
    assert [entry["dag"] for entry in ready.state["runs"].values()] == ["drug_heavy"]


def test_a_delivery_may_be_repeated(ready: Cloud, dist: Path, dags: Path) -> None:
    assert run(ready, dist, dags) == 0
    assert run(ready, dist, dags, attempt="8") == 0
    assert len(ready.calls(*UPDATE)) == 1


def test_an_update_of_35_minutes_is_waited_for(ready: Cloud, dist: Path, dags: Path) -> None:
    ready.set(update_minutes=35)
    assert run(ready, dist, dags) == 0
    assert ready.now() >= 35 * 60


def test_an_update_beyond_its_time_leaves_the_dag_alone_and_is_reverted_when_it_ends(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.set(update_minutes=35)
    assert run(ready, dist, dags, minutes=30) == 2
    assert "did not end within 30 minutes" in capsys.readouterr().err
    assert not [call for call in ready.calls(*SYNC) if str(dags) in call]
    # It ended all the same, with the new wheel, and was taken back.
    assert len(ready.calls(*UPDATE)) == 2
    assert is_as_before(ready)


def test_an_update_that_never_ends_names_what_is_left_to_do(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.set(update_minutes=10_000)
    assert run(ready, dist, dags, minutes=10) == 3
    message = capsys.readouterr().err
    assert "did not end within 10 minutes" in message
    assert "e was not set to ==0.1.0: another operation has kept" in message
    assert "deploy_release.py rollback" in message
    # The lock stays, so that nobody delivers over it, and the command that the message names works later.
    assert run(ready, dist, dags, attempt="8") == 1
    ready.set(now=10_000 * 60 + 1, update_minutes=5)
    assert roll_back(ready) == 0
    assert is_as_before(ready)


CONFLICT = "Failed to install PyPI packages. Check the in-cluster build logs for details."
TIMEOUT = "The build timed out after 35 minutes: context deadline exceeded"


@pytest.mark.parametrize("reason", [CONFLICT, TIMEOUT])
def test_an_environment_that_refuses_the_wheel_never_gets_the_dag(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str], reason: str
) -> None:
    ready.set(update_minutes=35, update_error=reason)
    assert run(ready, dist, dags) == 2
    message = capsys.readouterr().err
    assert f"the environment e refused the package drugs-rs: {reason}" in message
    assert "DAG and wheel are as before" in message
    assert not [call for call in ready.calls(*SYNC) if str(dags) in call]
    assert not ready.calls("dags", "trigger")
    assert is_as_before(ready)


def test_an_environment_broken_by_the_update_is_reported(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.set(update_error=CONFLICT, update_breaks=True)
    assert run(ready, dist, dags) == 3
    assert "is in state ERROR, not RUNNING: repair it first" in capsys.readouterr().err
    assert (ready.deliveries / "unfinished.json").exists()


def test_another_update_is_waited_for(ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ready.set(busy_until=20 * 60)
    assert run(ready, dist, dags) == 0
    assert "another operation is updating e" in capsys.readouterr().out


def test_another_update_that_comes_between_is_waited_for(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.trouble(race=2)
    assert run(ready, dist, dags) == 0
    assert "another operation was faster on e" in capsys.readouterr().out
    assert len(ready.calls(*UPDATE)) == 3


def test_another_update_that_does_not_end_refuses_the_delivery(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.set(busy_until=10_000 * 60)
    assert run(ready, dist, dags, minutes=30) == 1
    assert "another operation has kept the environment e UPDATING for 30 minutes" in capsys.readouterr().err
    assert not ready.calls(*UPDATE)


def test_a_missing_right_is_no_conflict(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.trouble(denied=1)
    assert run(ready, dist, dags) == 2
    assert "PERMISSION_DENIED" in capsys.readouterr().err
    assert len(ready.calls(*UPDATE)) == 1
    assert is_as_before(ready)


def test_lost_answers_do_not_end_a_delivery(ready: Cloud, dist: Path, dags: Path) -> None:
    ready.trouble(lost_answer=4)
    assert run(ready, dist, dags) == 0


def test_old_workers_get_no_new_dag(ready: Cloud, dist: Path, dags: Path) -> None:
    ready.trouble(old_worker=3)
    assert run(ready, dist, dags, poll=150) == 0
    assert len(ready.calls("list-packages")) == 4


def test_a_worker_that_never_has_the_wheel_rolls_back(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.trouble(old_worker=100)
    assert run(ready, dist, dags) == 2
    assert "after ten minutes a worker of e has version none" in capsys.readouterr().err
    assert is_as_before(ready)


# The first synchronisation copies the old DAG, the second brings the new one, the third restores.
@pytest.mark.parametrize("broken", [{"broken_syncs": [2]}, {"lying_syncs": [2]}, {"broken_syncs": [2, 3]}])
def test_a_half_done_synchronisation_is_rolled_back(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str], broken: dict[str, list[int]]
) -> None:
    ready.set(**broken)
    assert run(ready, dist, dags) == 2
    message = capsys.readouterr().err
    assert "503" in message or "is not the same as" in message
    assert not ready.calls("dags", "trigger")
    assert is_as_before(ready)


def test_a_roll_back_that_fails_says_where_the_copy_is(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.set(broken_syncs=[2, 3, 4, 5])
    assert run(ready, dist, dags) == 3
    message = capsys.readouterr().err
    assert f"gs://bucket/dags/drug was not restored from gs://bucket/drugs_rs_deliveries/{NEW}-7/dags" in message
    # The wheel is restored all the same, and the DAG by the command that the message names.
    assert ready.state["packages"]["drugs-rs"] == f"=={OLD}"
    assert roll_back(ready) == 0
    assert is_as_before(ready)


def test_a_copy_that_cannot_be_made_refuses_the_delivery(ready: Cloud, dist: Path, dags: Path) -> None:
    ready.set(lying_syncs=[1])
    assert run(ready, dist, dags) == 1
    assert not ready.calls(*UPDATE)
    assert is_as_before(ready)


def test_a_failed_canary_rolls_back_the_dag_first(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.set(canary="failed")
    assert run(ready, dist, dags) == 2
    assert f"the run canary-{NEW}-7 failed: drugs_silver (failed);" in capsys.readouterr().err
    assert is_as_before(ready)
    assert positions(ready, *SYNC)[-1] < positions(ready, *UPDATE)[-1]


def test_a_canary_that_never_starts_rolls_back(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.set(canary="queued")
    assert run(ready, dist, dags) == 2
    message = capsys.readouterr().err
    assert "has not ended after 15 minutes" in message
    assert "Is the DAG drug paused, does another run of it still wait" in message
    assert is_as_before(ready)


def test_skipped_tasks_are_no_success(ready: Cloud, dist: Path, dags: Path) -> None:
    ready.set(canary="skipped")
    assert run(ready, dist, dags) == 2


def test_a_dag_that_is_not_there_rolls_back(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.trouble(no_trigger=9)
    assert run(ready, dist, dags) == 2
    assert "cannot be started" in capsys.readouterr().err
    assert is_as_before(ready)


@pytest.mark.parametrize("trouble", ["no_trigger", "lost_trigger", "lost_list"])
def test_an_answer_of_airflow_that_is_lost_does_not_roll_back(
    ready: Cloud, dist: Path, dags: Path, trouble: str
) -> None:
    """The commands go through a pod of the cluster, and a run whose start was not answered was left running."""
    ready.trouble(**{trouble: 1})
    assert run(ready, dist, dags, poll=60) == 0
    assert list(ready.state["runs"]) == [f"canary-{NEW}-7"]


def test_an_import_error_rolls_back(ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = {"filepath": "/home/airflow/gcs/dags/drug/drug.py", "error": "ImportError: cannot import name 'asset'"}
    ready.set(import_errors=[error])
    assert run(ready, dist, dags) == 2
    assert "cannot import name 'asset'" in capsys.readouterr().err
    assert not ready.calls("dags", "trigger")
    assert is_as_before(ready)


@pytest.mark.parametrize("airflow", [2, 3])
def test_import_errors_of_others_do_not_matter(ready: Cloud, dist: Path, dags: Path, airflow: int) -> None:
    ready.set(airflow=airflow)
    ready.set(import_errors=[{"filepath": "/home/airflow/gcs/dags/others/drug.py", "error": "SyntaxError"}])
    assert run(ready, dist, dags) == 0


def test_a_failed_first_delivery_leaves_nothing(cloud: Cloud, dist: Path, dags: Path) -> None:
    """The way back once had the option `--remove-pypi-package`, which gcloud does not have, and the fake took it."""
    registry = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.glob("*.whl")}
    cloud.set(registry=registry, packages={}, worker=None, canary="failed")
    assert run(cloud, dist, dags) == 2
    assert live(cloud) == {}
    assert cloud.state["packages"] == {}
    [removal] = [call for call in cloud.calls(*UPDATE) if "--remove-pypi-packages=drugs-rs" in call]
    assert removal


def test_a_wheel_that_the_registry_lacks_refuses_the_delivery(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.set(registry={})
    assert run(ready, dist, dags) == 1
    assert "upload the wheels first" in capsys.readouterr().err
    assert not ready.calls("composer")


def test_a_second_file_of_the_same_dag_refuses_the_delivery(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (ready.dags / "drug.py").write_text("copied by hand", encoding="utf-8")
    assert run(ready, dist, dags) == 1
    assert "gs://bucket/dags/drug.py defines the DAG too" in capsys.readouterr().err
    assert not ready.calls(*UPDATE)


def test_two_deliveries_at_once_are_refused(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.trouble(second_delivery=1)
    assert run(ready, dist, dags) == 1
    assert "another delivery has just started" in capsys.readouterr().err
    assert not ready.calls(*UPDATE)


def test_a_delivery_whose_runner_died_is_rolled_back_by_hand(
    ready: Cloud, dist: Path, dags: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(deploy_release, "run_canary", die)
        with pytest.raises(KeyboardInterrupt):
            run(ready, dist, dags)
    assert live(ready)["drug.py"] == "new DAG"
    assert run(ready, dist, dags, attempt="8") == 1
    assert f"the delivery of {NEW} (7) did not end" in capsys.readouterr().err
    assert roll_back(ready) == 0
    assert is_as_before(ready)
    assert roll_back(ready) == 1
    assert "unfinished.json does not exist" in capsys.readouterr().err


def test_a_delivery_that_succeeded_is_rolled_back_by_its_record(ready: Cloud, dist: Path, dags: Path) -> None:
    assert run(ready, dist, dags) == 0
    record = f"gs://bucket/drugs_rs_deliveries/{NEW}-7/record.json"
    assert roll_back(ready, record=record) == 0
    assert is_as_before(ready)


def test_an_old_record_does_not_hide_an_unfinished_delivery(ready: Cloud, dist: Path, dags: Path) -> None:
    assert run(ready, dist, dags) == 0
    (ready.deliveries / "unfinished.json").write_text(json.dumps({"version": "9.9.9"}), encoding="utf-8")
    assert roll_back(ready, record=f"gs://bucket/drugs_rs_deliveries/{NEW}-7/record.json") == 1
    assert live(ready)["drug.py"] == "new DAG"


@pytest.mark.parametrize("day", ["yesterday", "2024-02-30", "", "20240301", "2024-W09-5"])
def test_a_day_of_another_form_is_refused(ready: Cloud, dist: Path, dags: Path, day: str) -> None:
    assert run(ready, dist, dags, **{"canary-dt": day}) == 1
    assert ready.state["calls"] == []


def test_an_answer_of_an_unknown_form_is_rolled_back(
    ready: Cloud, dist: Path, dags: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ended in a traceback: the new wheel and DAG stayed, with exit code 1, which says that nothing was changed."""

    def misread(*_: object) -> None:
        raise KeyError("filepath")

    monkeypatch.setattr(deploy_release, "check_imports", misread)
    assert run(ready, dist, dags) == 2
    assert "KeyError: 'filepath'" in capsys.readouterr().err
    assert is_as_before(ready)


def test_an_older_release_never_replaces_a_newer_one(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """*Re-run failed jobs* of last week's release, after this week's: the deliver job does not check the tag again."""
    ready.set(packages={"drugs-rs": "==0.10.0"}, worker="0.10.0")
    assert run(ready, dist, dags) == 1
    assert f"e has ==0.10.0, which is newer than {NEW}" in capsys.readouterr().err
    assert not ready.calls(*UPDATE) and not ready.calls(*SYNC)


def test_a_second_delivery_by_hand_keeps_the_record_of_the_first(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both had the attempt "1": the new DAG overwrote the copy of the old one, and there was no way back."""
    assert run(ready, dist, dags) == 0
    assert run(ready, dist, dags) == 1
    assert "choose another --attempt" in capsys.readouterr().err
    assert roll_back(ready, record=f"gs://bucket/drugs_rs_deliveries/{NEW}-7/record.json") == 0
    assert is_as_before(ready)


def test_a_record_of_another_environment_is_refused(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The DAG of the record's environment and the wheel of the named one would have been set back."""
    assert run(ready, dist, dags) == 0
    file = ready.deliveries / f"{NEW}-7" / "record.json"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("gs://bucket/dags/drug", "gs://other/dags/drug"), encoding="utf-8")
    assert roll_back(ready, record=f"gs://bucket/drugs_rs_deliveries/{NEW}-7/record.json") == 1
    assert "is the record of another environment" in capsys.readouterr().err
    file.write_text("{}", encoding="utf-8")
    assert roll_back(ready, record=f"gs://bucket/drugs_rs_deliveries/{NEW}-7/record.json") == 1
    assert "is no record of a delivery: it lacks attempt, copy" in capsys.readouterr().err
    assert live(ready)["drug.py"] == "new DAG"


def test_a_damaged_lock_is_a_lock(ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ready.deliveries.mkdir()
    (ready.deliveries / "unfinished.json").write_text("{}", encoding="utf-8")
    assert run(ready, dist, dags) == 1
    assert "the delivery of None (None) did not end" in capsys.readouterr().err
    assert not ready.calls(*UPDATE)


def test_a_lock_that_stays_after_a_good_delivery_is_no_refusal(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 says that nothing was changed, while the environment ran the new version."""
    ready.trouble(no_removal=1)
    assert run(ready, dist, dags) == 3
    message = capsys.readouterr().err
    assert f"e runs {NEW}, but gs://bucket/drugs_rs_deliveries/unfinished.json was not removed" in message
    assert live(ready)["drug.py"] == "new DAG"


def test_a_removal_of_the_lock_whose_answer_is_lost_is_a_success(ready: Cloud, dist: Path, dags: Path) -> None:
    ready.trouble(lost_removal=1)
    assert run(ready, dist, dags) == 0
    assert not (ready.deliveries / "unfinished.json").exists()


def test_answers_that_are_lost_after_the_update_do_not_roll_back(ready: Cloud, dist: Path, dags: Path) -> None:
    """Workers are replaced then: there may be none to list packages, and the service may not answer."""
    ready.trouble(no_worker=2, lost_state=3)
    assert run(ready, dist, dags, poll=60) == 0


def test_a_missing_right_to_look_is_no_lost_answer(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.trouble(denied_state=1)
    assert run(ready, dist, dags) == 1
    assert "PERMISSION_DENIED" in capsys.readouterr().err
    assert ready.now() == 0


def test_what_the_console_and_python_leave_in_the_folder_is_no_difference(ready: Cloud, dist: Path, dags: Path) -> None:
    """The empty object that the console makes for a folder, and bytecode, which no synchronisation copies."""
    (ready.dags / "drug" / "__pycache__").mkdir()
    (ready.dags / "drug" / "__pycache__" / "drug.cpython-311.pyc").write_text("bytecode", encoding="utf-8")
    ready.set(folder_objects=["dags/", "dags/drug/"])
    assert run(ready, dist, dags) == 0
    assert live(ready)["drug.py"] == "new DAG"


def test_airflow_3_names_a_file_below_the_folder_of_dags(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`airflow dags list-import-errors` of 3.3.2 prints `drug/drug.py`, which was taken for somebody else's."""
    others = {"bundle_name": "dags-folder", "filepath": "others/drug/drug.py", "error": "SyntaxError"}
    ready.set(import_errors=[others])
    assert run(ready, dist, dags) == 0
    ours = {"bundle_name": "dags-folder", "filepath": "drug/drug.py", "error": "ModuleNotFoundError: drugs_rs"}
    ready.set(import_errors=[others, ours])
    assert run(ready, dist, dags, attempt="8") == 2
    assert "Airflow cannot import the DAG: drug/drug.py: ModuleNotFoundError" in capsys.readouterr().err


def test_a_mapped_task_that_failed_fails_the_canary(
    ready: Cloud, dist: Path, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both have one task_id: the last state, a success, hid the failure."""
    ready.set(mapped=["failed", "success"])
    assert run(ready, dist, dags) == 2
    assert "mapped[0] (failed)" in capsys.readouterr().err


def test_lines_of_a_log_are_no_answer() -> None:
    text = "[2026] INFO - Filling up the DagBag\n[1] done\n"
    with pytest.raises(DeliveryError, match="expected JSON"):
        json_in(text)
    assert json_in(text + '[{"a": 1}]\n{"b": 2}') == [{"a": 1}]
