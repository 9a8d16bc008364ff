"""The files of terraform/ as texts: what terraform itself does not ask for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest
from terraform_tool import ROOT

FILES = sorted((ROOT / "terraform").rglob("*.tf"))
FOLDERS = sorted({path.parent for path in FILES})


def parsed(folder: Path) -> dict[str, list[Any]]:
    """Return the blocks of all files of a folder by their kind."""
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            for kind, blocks in hcl2.load(file).items():
                found.setdefault(kind, []).extend(blocks)
    return found


def texts(folder: Path) -> str:
    """Return the files of a folder without comments."""
    whole = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.tf")))
    return re.sub(r"^\s*#.*$", "", whole, flags=re.MULTILINE)


def name_of(folder: Path) -> str:
    """Return a short name for a folder."""
    return folder.name


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_variables_are_typed_described_and_used(folder: Path) -> None:
    text = texts(folder)
    for block in parsed(folder).get("variable", []):
        [(name, body)] = block.items()
        assert body["description"][0].endswith((".", "id")), name
        assert body["type"][0], name
        declared = re.search(rf'^variable "{name}" \{{.*?^\}}', text, re.MULTILINE | re.DOTALL)
        assert declared is not None
        # Its own validation is no use.
        assert re.search(rf"\bvar\.{name}\b", text.replace(declared[0], "")), f"{name} is not used"


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_fields_of_variables_are_used(folder: Path) -> None:
    text = texts(folder)
    for variable, body in re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL):
        fields = re.search(r"type +=\s*object\(\{(.*)\}\)", body, re.DOTALL)
        # A field whose whole object goes on is checked where it arrives.
        if fields is None or re.search(rf"\bvar\.{variable}\b(?!\.)", text):
            continue
        for name in re.findall(r"^ {4}(\w+) +=", fields[1], re.MULTILINE):
            assert re.search(rf"\bvar\.{variable}\.{name}\b", text), f"{variable}.{name} is not used"


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_locals_and_outputs_are_used_and_described(folder: Path) -> None:
    text, blocks = texts(folder), parsed(folder)
    for block in blocks.get("locals", []):
        for name in block:
            assert name.startswith("__") or re.search(rf"\blocal\.{name}\b", text), name
    platform = texts(ROOT / "terraform" / "modules" / "platform")
    for block in blocks.get("output", []):
        [(name, body)] = block.items()
        assert body["description"][0].endswith("."), name
        if folder.parent.name == "modules" and folder.name != "platform":
            assert re.search(rf"\bmodule\.{folder.name}\.{name}\b", platform), f"the output {name} is not used"


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_versions_are_bound(folder: Path) -> None:
    [block] = parsed(folder)["terraform"]
    assert block["required_version"] == [">= 1.9"]
    [providers] = block["required_providers"]
    [google] = providers["google"]
    assert google == {"source": "hashicorp/google", "version": "~> 6.50"}
    recorded = json.loads((Path(__file__).parent / "google_schema.json").read_text(encoding="utf-8"))["version"]
    assert recorded.startswith("6.50.")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_project_bucket_address_or_secret_is_written_down(path: Path) -> None:
    text = re.sub(r"^\s*#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for value in re.findall(r'\b(?:project|project_id|bucket|location|region|member|email) += "([^"]*)"', text):
        assert "${" in value, f"{value} is a literal"
    for value in re.findall(r'gs://[^"]*', text):
        assert value.startswith("gs://${"), value
    assert not re.search(r"(private_key|password|secret)\s*=", text)
    assert not re.search(r'"[^"\s]+@[^"$\s]+\.(com|org|net)"', text.replace("cloudcomposer-accounts", "$"))
    assert len(text.splitlines()) < 500


def test_every_module_is_called_by_the_platform_and_both_environments_are_alike() -> None:
    called = set(re.findall(r'source = "\.\./(\w+)"', texts(ROOT / "terraform" / "modules" / "platform")))
    assert called == {path.name for path in (ROOT / "terraform" / "modules").iterdir()} - {"platform"}
    dev, prod = ROOT / "terraform" / "envs" / "dev", ROOT / "terraform" / "envs" / "prod"
    for name in ("variables.tf", "outputs.tf", "example.tfvars"):
        assert (dev / name).read_bytes() == (prod / name).read_bytes(), name
    example = set(re.findall(r"^(\w+) +=", (dev / "example.tfvars").read_text(encoding="utf-8"), re.MULTILINE))
    required = {name for block in parsed(dev)["variable"] for name, body in block.items() if "default" not in body}
    assert example == required
