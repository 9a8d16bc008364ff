"""What the tests put on PATH as `gcloud`, `gh` and `twine`: small services that misbehave as the real ones do.

The state is one JSON file (`FAKE_STATE`), buckets are folders (`FAKE_BUCKETS`). Time is a number in the state, which
the clock of the tests moves on. `conftest.py` says what a test can switch on.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, NoReturn

STATE = Path(os.environ["FAKE_STATE"])
BUCKETS = Path(os.environ["FAKE_BUCKETS"])
TOKEN = "ya29.secret-token"
Json = dict[str, Any]
# The options of each command of gcloud 528 that the scripts call. gcloud takes no abbreviation of an option, and no
# option of another command.
PLACE = {"--project", "--location", "--quiet"}
OPTIONS = {
    "composer environments describe": PLACE | {"--format"},
    "composer environments update": PLACE | {"--format", "--async", "--update-pypi-package", "--remove-pypi-packages"},
    "composer environments list-packages": PLACE,
    "composer environments run": PLACE,
    "composer operations describe": PLACE | {"--format"},
    "storage rsync": {"--recursive", "--checksums-only", "--delete-unmatched-destination-objects", "--exclude"},
    "storage objects list": {"--format"},
    "storage cat": set(),
    "storage cp": {"--if-generation-match"},
    "storage rm": {"--recursive"},
    "artifacts files list": PLACE | {"--repository", "--package", "--version", "--format"},
    "auth print-access-token": set(),
}


def fail(message: str, code: int = 1) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(code)


def option(arguments: list[str], name: str) -> str | None:
    for at, argument in enumerate(arguments):
        if argument == name:
            return arguments[at + 1]
        if argument.startswith(name + "="):
            return argument.split("=", 1)[1]
    return None


def check_options(arguments: list[str]) -> None:
    """Refuse a command or an option that gcloud does not have."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    words = " ".join(own)
    command = next((known for known in OPTIONS if f"{words} ".startswith(f"{known} ")), None)
    if command is None:
        fail(f"ERROR: (gcloud) Invalid choice: {words}", 2)
    for option_name in (argument.split("=", 1)[0] for argument in own if argument.startswith("--")):
        if option_name not in OPTIONS[command]:
            fail(f"ERROR: (gcloud.{command.replace(' ', '.')}) unrecognized arguments: {option_name}", 2)


def happens(state: Json, trouble: str) -> bool:
    """Whether a trouble that the test asked for happens now; each is counted down."""
    left = state["troubles"].get(trouble, 0)
    if left > 0:
        state["troubles"][trouble] = left - 1
    return bool(left > 0)


# --- Composer ---


def settle(state: Json) -> None:
    """Apply the operation that has ended by now."""
    operation = state["operation"]
    if operation and not operation["applied"] and state["now"] >= operation["ends"]:
        operation["applied"] = True
        if not operation["error"]:
            state["packages"] = operation["packages"]
            requirement = state["packages"].get("drugs-rs")
            state["worker"] = requirement.split("==")[1] if requirement else None
        if operation["breaks"]:
            state["state"] = "ERROR"


def current_state(state: Json) -> str:
    return "UPDATING" if state["now"] < state["busy_until"] else str(state["state"])


def start_update(state: Json, arguments: list[str]) -> None:
    if happens(state, "race"):
        state["busy_until"] = state["now"] + 600
    if current_state(state) != "RUNNING":
        fail("ERROR: (gcloud.composer.environments.update) FAILED_PRECONDITION: Environment is being updated already")
    if happens(state, "denied"):
        fail("ERROR: (gcloud.composer.environments.update) PERMISSION_DENIED: composer.environments.update")
    packages = dict(state["packages"])
    update = option(arguments, "--update-pypi-package")
    if update:
        name, version = re.fullmatch(r"([\w-]+)((?:\[[\w,]+\])?==.+)", update).groups()  # type: ignore[union-attr]
        packages[name] = version
    else:
        packages.pop(option(arguments, "--remove-pypi-packages") or "", None)
    new = packages.get("drugs-rs", "").endswith("==" + state["new_version"])
    minutes = state["update_minutes"]
    state["operation"] = {
        "name": f"projects/p/locations/l/operations/{len(state['calls'])}",
        "ends": state["now"] + minutes * 60,
        "packages": packages,
        "error": state["update_error"] if new else None,
        "breaks": new and state["update_breaks"],
        "applied": False,
    }
    state["busy_until"] = state["operation"]["ends"]
    print(f"Update in progress for environment [e] with operation [{state['operation']['name']}].", file=sys.stderr)
    print(json.dumps({"name": state["operation"]["name"], "metadata": {"state": "PENDING"}}))


def composer(state: Json, arguments: list[str]) -> None:
    settle(state)
    match arguments[:2]:
        case ["environments", "describe"]:
            if happens(state, "denied_state"):
                fail("ERROR: (gcloud.composer.environments.describe) PERMISSION_DENIED: composer.environments.get")
            if state["operation"] and state["operation"]["applied"] and happens(state, "lost_state"):
                fail("ERROR: gcloud crashed (ConnectionError): Remote end closed connection without response")
            software = {"pypiPackages": state["packages"]} if state["packages"] else {}
            config = {"softwareConfig": software, "dagGcsPrefix": "gs://bucket/dags"}
            print(json.dumps({"state": current_state(state), "config": config}))
        case ["environments", "update"]:
            start_update(state, arguments)
        case ["operations", "describe"]:
            if happens(state, "lost_answer"):
                fail("ERROR: gcloud crashed (ConnectionError): Remote end closed connection without response")
            operation = state["operation"]
            answer: Json = {"name": operation["name"]}
            if state["now"] >= operation["ends"]:
                answer["done"] = True
                if operation["error"]:
                    answer["error"] = {"code": 9, "message": operation["error"]}
            print(json.dumps(answer))
        case ["environments", "list-packages"]:
            if happens(state, "no_worker"):
                fail("ERROR: (gcloud.composer.environments.list-packages) Desired GKE pod not found.")
            lines = ["Package    Version", "---------- -------", "apache-airflow 2.10.5"]
            if state["worker"] and not happens(state, "old_worker"):
                lines.append(f"drugs-rs   {state['worker']}")
            print("\n".join(lines))
        case ["environments", "run"]:
            airflow(state, arguments[3:])
        case _:
            fail(f"fake gcloud: unknown command composer {arguments}", 2)


def airflow(state: Json, arguments: list[str]) -> None:
    own = arguments[arguments.index("--") + 1 :]
    at = arguments.index("--quiet")
    print("Executing within the following Kubernetes cluster namespace: composer", file=sys.stderr)
    match arguments[at + 1 : at + 3]:
        case ["dags", "list-import-errors"]:
            if happens(state, "lost_list"):
                fail("error: unable to upgrade connection: container not found")
            print(json.dumps(state["import_errors"], indent=2) if state["import_errors"] else "No data found")
            if state["import_errors"] and state["airflow"] == 3:
                fail("command terminated with exit code 1")
        case ["dags", "trigger"]:
            if happens(state, "no_trigger"):
                fail(f"airflow.exceptions.DagNotFound: Dag id {own[0]} not found in DagModel")
            conf = json.loads(option(own, "--conf") or "")
            run_id = option(own, "--run-id")
            if run_id in state["runs"]:
                fail(f"airflow.exceptions.DagRunAlreadyExists: A Dag Run already exists with run id {run_id}")
            state["runs"][run_id] = {"dag": own[0], "started": state["now"], "conf": conf}
            if happens(state, "lost_trigger"):
                fail("error: unable to upgrade connection: container not found")
            print("Created <DagRun drug>")
        case ["tasks", "states-for-dag-run"]:
            run = state["runs"].get(own[1])
            if run is None or run["dag"] != own[0] or state["now"] < run["started"] + 30:
                fail(f"DagRun for {own[0]} with run_id or execution_date of {own[1]} not found")
            ended = state["now"] >= run["started"] + 240 and state["canary"] != "queued"
            first = "success" if ended else "running"
            second = state["canary"] if ended else None
            third = {"failed": "upstream_failed"}.get(state["canary"], second) if ended else None
            tasks = {"drugs_sensor": first, "drugs_silver": second, "drug_graph_gold": third}
            print("[2026-01-01T00:00:00] {dagbag.py:500} INFO - Filling up the DagBag")
            listed = [{"dag_id": "drug", "task_id": task, "state": value} for task, value in tasks.items()]
            if state["mapped"]:
                for at, value in enumerate(state["mapped"]):
                    listed.append({"dag_id": "drug", "task_id": "mapped", "state": value, "map_index": str(at)})
            print(json.dumps(listed))
        case other:
            fail(f"fake airflow: unknown command {other}", 2)


# --- Storage ---


def place(uri: str) -> Path:
    return BUCKETS / uri.removeprefix("gs://") if uri.startswith("gs://") else Path(uri)


def rsync(state: Json, arguments: list[str]) -> None:
    source, target = (place(one) for one in arguments[:2])
    if not source.is_dir():
        fail("ERROR: (gcloud.storage.rsync) Did not find existing container at: " + arguments[0])
    exclude = re.compile(option(arguments, "--exclude") or "(?!)")
    names = [path.relative_to(source).as_posix() for path in sorted(source.rglob("*")) if path.is_file()]
    names = [name for name in names if not exclude.match(name)]
    state["syncs"] += 1
    broken = state["syncs"] in state["broken_syncs"]
    for at, name in enumerate(names):
        if (broken or state["syncs"] in state["lying_syncs"]) and at == len(names) - 1:
            break
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target / name)
    if broken:
        fail("ERROR: (gcloud.storage.rsync) HTTPError 503: We encountered an internal error. Please try again.")
    if "--delete-unmatched-destination-objects" in arguments and target.is_dir():
        for path in [path for path in target.rglob("*") if path.is_file()]:
            if path.relative_to(target).as_posix() not in names:
                path.unlink()


def storage(state: Json, arguments: list[str]) -> None:
    match arguments[0]:
        case "rsync":
            rsync(state, arguments[1:])
        case "objects":
            folder = place(arguments[2].removesuffix("/**"))
            files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
            if not files:
                fail("ERROR: (gcloud.storage.objects.list) One or more URLs matched no objects.")
            bucket = BUCKETS / "bucket"
            found = [{"name": path.relative_to(bucket).as_posix(), "md5_hash": md5(path)} for path in files]
            prefix = folder.relative_to(bucket).as_posix() + "/"
            empty = "1B2M2Y8AsgTpgAmY7PhCfg=="
            found += [{"name": name, "md5_hash": empty} for name in state["folder_objects"] if name.startswith(prefix)]
            print(json.dumps(found))
        case "cat":
            if not place(arguments[1]).is_file():
                fail(f"ERROR: (gcloud.storage.cat) The following URLs matched no objects or files:\n{arguments[1]}")
            print(place(arguments[1]).read_text(encoding="utf-8"))
        case "cp":
            target = place(arguments[2])
            if "--if-generation-match=0" in arguments and (target.exists() or happens(state, "second_delivery")):
                fail("ERROR: HTTPError 412: At least one of the pre-conditions you specified did not hold.")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(arguments[1], target)
        case "rm":
            target = place(arguments[-1])
            if happens(state, "no_removal"):
                fail("ERROR: (gcloud.storage.rm) HTTPError 503: We encountered an internal error. Please try again.")
            if "--recursive" in arguments:
                shutil.rmtree(target)
            elif target.exists():
                target.unlink()
                if happens(state, "lost_removal"):
                    fail("ERROR: (gcloud.storage.rm) HTTPError 503: We encountered an internal error.")
            else:
                fail("ERROR: (gcloud.storage.rm) The following URLs matched no objects or files")
        case other:
            fail(f"fake gcloud: unknown command storage {other}", 2)


def md5(path: Path) -> str:
    return base64.b64encode(hashlib.md5(path.read_bytes()).digest()).decode("ascii")


# --- Artifact Registry, twine, attestations ---


def artifacts(state: Json) -> None:
    if not state["registry"]:
        fail('ERROR: (gcloud.artifacts.files.list) NOT_FOUND: Package "drugs-rs" was not found')
    prefix = "projects/p/locations/l/repositories/r/files/drugs-rs%2F"
    listed = [
        {
            "name": prefix + name,
            "hashes": [{"type": "SHA256", "value": base64.b64encode(bytes.fromhex(digest)).decode()}],
        }
        for name, digest in state["registry"].items()
    ]
    print(json.dumps(listed))


def twine(state: Json, arguments: list[str]) -> None:
    if os.environ.get("TWINE_PASSWORD") != TOKEN or os.environ.get("TWINE_USERNAME") != "oauth2accesstoken":
        fail("HTTPError: 401 Unauthorized from " + str(option(arguments, "--repository-url")))
    files = [Path(argument) for argument in arguments if argument.endswith((".whl", ".tar.gz"))]
    half = happens(state, "half_upload")
    for at, path in enumerate(files):
        if half and at == 1:
            fail("HTTPError: 503 Service Unavailable")
        if path.name in state["registry"]:
            fail(f"HTTPError: 400 Bad Request\nFile already exists: {path.name}")
        state["registry"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    if happens(state, "lost_upload"):
        fail("requests.exceptions.ReadTimeout: read timed out.")


def gh(state: Json, arguments: list[str]) -> None:
    if arguments[:2] != ["attestation", "verify"]:
        fail(f"fake gh: unknown command {arguments}", 2)
    digest = hashlib.sha256(Path(arguments[2]).read_bytes()).hexdigest()
    found = state["attestations"].get(digest)
    if found is None:
        fail("Error: HTTP 404: Not Found (no attestations found for this digest)")
    wanted = [option(arguments, name) for name in ("--repo", "--signer-workflow", "--source-ref")]
    if wanted != [found["repo"], found["workflow"], found["ref"]]:
        fail('Error: verifying with issuer "sigstore.dev": expected SourceRepositoryRef to be ' + str(wanted[2]))
    statement = {
        "predicateType": found["predicate"],
        "subject": [{"name": found["name"], "digest": {"sha256": found.get("subject", digest)}}],
    }
    print(json.dumps([{"verificationResult": {"statement": statement}}]) if found["predicate"] else "[]")


def main(name: str, arguments: list[str]) -> None:
    state: Json = json.loads(STATE.read_text(encoding="utf-8"))
    state["calls"].append([name, *arguments])
    if name == "gcloud" and arguments != ["--version"]:
        check_options(arguments)
    try:
        match [name, *arguments[:1]]:
            case ["gcloud", "composer"]:
                composer(state, arguments[1:])
            case ["gcloud", "storage"]:
                storage(state, arguments[1:])
            case ["gcloud", "artifacts"]:
                artifacts(state)
            case ["gcloud", "auth"]:
                print(TOKEN)
            case ["gcloud", "--version"]:
                print("Google Cloud SDK 528.0.0")
            case ["twine", *_]:
                twine(state, arguments)
            case ["gh", *_]:
                gh(state, arguments)
            case other:
                fail(f"fake: unknown program {other}", 2)
    finally:
        STATE.write_text(json.dumps(state), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
