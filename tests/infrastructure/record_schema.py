"""Record the arguments of the resources that terraform/ uses: ``record_schema.py PACKAGE_FOLDER``.

The folder is the unpacked npm package ``@cdktf/provider-google``, which is generated from the schema of the provider.
The result, ``google_schema.json``, lets terraform itself validate and plan our modules where the provider cannot be
downloaded (``schema_server.py``).
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TERRAFORM = HERE.parents[1] / "terraform"
ENTRY = re.compile(
    r"^(?: {8}| {12})(\w+): \{\n\s+value: (.+),\n\s+isBlock: (true|false),\n\s+type: \"(\w+)\",\n"
    r"\s+storageClassType: \"(\w+)\"",
    re.MULTILINE,
)
COMPUTED = re.compile(
    r"// (\w+) - computed: true, optional: false, required: false\n\s+"
    r"(?:get \w+\(\) \{\s+return this\.get(\w+)Attribute|this\._\w+ = new cdktf\.(\w+)\()"
)
SIMPLE = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}


def type_of(kind: str, storage: str) -> Any:
    """Return a type as terraform writes it in JSON."""
    if kind == "simple":
        return SIMPLE[storage]
    inner = SIMPLE[re.sub(r"(List|Map|Set)$", "", storage)]
    return [kind, inner]


class Package:
    """The generated code of one resource or data source."""

    def __init__(self, folder: Path) -> None:
        self.code = (folder / "index.js").read_text(encoding="utf-8")
        self.types = (folder / "index.d.ts").read_text(encoding="utf-8")

    def required(self, interface: str) -> set[str]:
        """Return the names that an interface does not mark as optional, in snake case."""
        body = re.search(rf"^export interface {interface} [^\n]*\n(.*?)^\}}", self.types, re.MULTILINE | re.DOTALL)
        names = re.findall(r"^\s+readonly (\w+):", body[1] if body else "", re.MULTILINE)
        return {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in names}

    def block(self, entries: str, interface: str, reference: str) -> dict[str, Any]:
        """Return the attributes and blocks of a list of entries."""
        required = {name.replace("_", "") for name in self.required(interface)}
        result: dict[str, Any] = {"attributes": {}, "blocks": {}}
        for name, value, is_block, kind, storage in ENTRY.findall(entries):
            if name == "timeouts":
                continue
            if is_block == "false":
                how = "required" if name.replace("_", "") in required else "optional"
                result["attributes"][name] = [type_of(kind, storage), how]
                continue
            function = re.search(r"(\w+)ToHclTerraform", value)
            assert function is not None
            start = self.code.index(f"function {function[1]}ToHclTerraform(")
            inner = function[1][0].upper() + function[1][1:]
            result["blocks"][name] = {
                "nesting": "set" if kind == "set" else "list",
                "required": name.replace("_", "") in required,
                "many": "listMapper" in value,
                **self.block(self.code[start : self.code.index("\n}\n", start)], inner, f"{inner}OutputReference"),
            }
        for name, getter, made in COMPUTED.findall(self.body_of(reference)):
            kind = SIMPLE.get(getter.lower()) or {"StringMap": ["map", "string"]}.get(made)
            if kind:
                result["attributes"].setdefault(name, [kind, "computed"])
        return result

    def body_of(self, name: str) -> str:
        """Return the code of a class."""
        start = self.code.find(f"class {name} extends")
        end = self.code.find("\n}\n", start)
        return self.code[start : end if end > 0 else None] if start >= 0 else ""

    def whole(self) -> dict[str, Any]:
        """Return the schema of the resource."""
        root = re.search(r"^class (\w+) extends cdktf\.Terraform(?:Resource|DataSource)", self.code, re.MULTILINE)
        assert root is not None
        start = self.code.index("synthesizeHclAttributes()")
        end = self.code.index("\n    }\n", start)
        block = self.block(self.code[start:end], f"{root[1]}Config", root[1])
        block["attributes"]["id"] = ["string", "computed"]
        return block


def main(package: Path) -> None:
    """Write the schema of every kind of resource that the modules name."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(TERRAFORM.rglob("*.tf")))
    found: dict[str, Any] = {}
    for block, folder in (("resource", ""), ("data", "data-google-")):
        kinds = sorted(set(re.findall(rf'^{block} "google_(\w+)"', text, re.MULTILINE)))
        found[block] = {
            f"google_{kind}": Package(package / "lib" / (folder + kind.replace("_", "-"))).whole() for kind in kinds
        }
    code = (package / "lib" / "provider" / "index.js").read_text(encoding="utf-8")
    version = re.search(r"providerVersion: '([\d.]+)'", code)
    assert version is not None
    # A line for each kind of resource.
    parts = [
        f'"{block}": {{\n' + ",\n".join(f'"{kind}": {json.dumps(each)}' for kind, each in found[block].items()) + "\n}"
        for block in ("resource", "data")
    ]
    whole = "{\n" + ",\n".join([f'"version": "{version[1]}"', *parts]) + "\n}\n"
    (HERE / "google_schema.json").write_text(whole, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
