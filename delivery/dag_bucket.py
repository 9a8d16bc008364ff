"""The DAG's folder in the bucket of an environment: copied, compared, and restored.

The folder is the project's own, `dags/drug/`: a synchronisation removes what it does not know, and the DAGs of others
and of Composer itself lie beside it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from tool_calls import Clock, DeliveryError, ToolError, call, json_in, say

EXCLUDE = r"(^|.*/)__pycache__/.*|.*\.pyc$"
# Times that restoring is tried: there is nothing behind it.
TRIES = 3


def local_digests(folder: Path) -> dict[str, str]:
    """Return the files of a folder that a synchronisation copies, each with its MD5 as the bucket writes it."""
    return {
        path.relative_to(folder).as_posix(): base64.b64encode(hashlib.md5(path.read_bytes()).digest()).decode("ascii")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def list_digests(uri: str) -> dict[str, str]:
    """Return the files below a URI that a synchronisation copies, each with its MD5.

    The console makes an empty object for a folder: its name ends with a slash, and it is no file.
    """
    try:
        listed: list[dict[str, Any]] = json_in(
            call(["gcloud", "storage", "objects", "list", f"{uri}/**", "--format=json"])
        )
    except ToolError as error:
        if "matched no objects" in error.output:
            return {}
        raise
    prefix = uri.split("/", 3)[3] + "/"
    files = {entry["name"].removeprefix(prefix): entry.get("md5_hash", "") for entry in listed}
    return {
        name: digest
        for name, digest in files.items()
        if name and not name.endswith("/") and not re.match(EXCLUDE, name)
    }


def read_record(uri: str) -> dict[str, Any] | None:
    """Return a JSON object of the bucket, or `None` if there is none."""
    try:
        record = json_in(call(["gcloud", "storage", "cat", uri]))
    except ToolError as error:
        if "matched no objects" in error.output or "not found" in error.output.lower():
            return None
        raise
    return dict(record)


def write_record(uri: str, record: dict[str, Any], *, new: bool) -> None:
    """Write a JSON object into the bucket; with `new`, raise if there is one already."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(record, file, indent=2)
        file.flush()
        once = ["--if-generation-match=0"] if new else []
        call(["gcloud", "storage", "cp", file.name, uri, *once])


def remove_object(uri: str) -> None:
    """Remove one object."""
    call(["gcloud", "storage", "rm", uri])


def synchronise(source: str, target: str, expected: dict[str, str]) -> None:
    """Make a folder of the bucket the same as another folder, and look whether it is."""
    command = ["gcloud", "storage", "rsync", source, target, "--recursive", "--checksums-only"]
    call([*command, "--delete-unmatched-destination-objects", f"--exclude={EXCLUDE}"])
    found = list_digests(target)
    if found != expected:
        wrong = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
        message = f"{target} is not the same as {source} after the synchronisation: {', '.join(wrong)}"
        raise DeliveryError(message)


def restore(copy: str, folder: str, expected: dict[str, str], clock: Clock) -> None:
    """Make the DAG's folder what it was: the copy, or nothing if there was nothing."""
    for attempt in range(1, TRIES + 1):
        try:
            if expected:
                synchronise(copy, folder, expected)
            elif list_digests(folder):
                call(["gcloud", "storage", "rm", "--recursive", f"{folder}/"])
                if list_digests(folder):
                    message = f"{folder} has objects after its removal"
                    raise DeliveryError(message)
            return
        except DeliveryError as error:
            if attempt == TRIES:
                raise
            say(f"restoring {folder} failed, trying again: {error}")
            clock.sleep(10)
