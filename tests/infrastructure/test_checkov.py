"""checkov finds nothing but what is skipped, and each skip has a reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from terraform_tool import ROOT, Workspace

# How often each check is skipped in the files; docs of the reasons are beside the skips.
SKIPS = {"CKV_GCP_62": 4, "CKV_GCP_78": 1, "CKV_GCP_84": 4, "CKV_GCP_81": 1, "CKV_GCP_125": 1}
SKIP = re.compile(r"#\s*checkov:skip=(\w+)(?::(.*))?")


def scan(folder: Path) -> dict[str, Any]:
    """Return what checkov reports."""
    command = [str(Path(sys.executable).with_name("checkov")), "--directory", str(folder), "--framework", "terraform"]
    done = subprocess.run(
        [*command, "--skip-download", "--compact", "--output", "json"], capture_output=True, text=True, check=False
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_each_skip_has_a_reason_and_they_are_counted() -> None:
    found: Counter[str] = Counter()
    for path in sorted((ROOT / "terraform").rglob("*.tf")):
        for check, reason in SKIP.findall(path.read_text(encoding="utf-8")):
            assert len(reason.split()) >= 4, f"{path.name}: {check} is skipped without a reason"
            found[check] += 1
    assert found == SKIPS


@pytest.mark.timeout(300)
def test_checkov_finds_only_what_is_skipped(workspace: Workspace) -> None:
    # A bucket that is open to everybody, to see that the scan would notice.
    bad = workspace.folder / "terraform" / "modules" / "storage" / "open.tf"
    bad.write_text(
        'resource "google_storage_bucket" "open" {\n  name     = "open"\n  location = "EU"\n}\n', encoding="utf-8"
    )
    found = scan(workspace.folder / "terraform")
    assert found["summary"]["parsing_errors"] == 0
    failed = [
        each for each in found["results"]["failed_checks"] if "google_storage_bucket.open" not in each["resource"]
    ]
    assert [(each["check_id"], each["resource"]) for each in failed] == []
    noticed = {each["check_id"] for each in found["results"]["failed_checks"]}
    assert {"CKV_GCP_29", "CKV_GCP_78", "CKV_GCP_114"} <= noticed
    assert {each["check_id"] for each in found["results"]["skipped_checks"]} == set(SKIPS)
    assert found["summary"]["passed"] >= 20
