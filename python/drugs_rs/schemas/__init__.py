"""JSON Schemas (draft 2020-12) of the files that other programs read.

>>> from drugs_rs import schemas
>>> schemas.drug_graph()["title"]
'drug_graph.json'

Check a graph with any validator, for example ``jsonschema.validate(json.load(file), schemas.drug_graph())``. Programs
without Python find the file ``drugs_rs/schemas/drug_graph.schema.json`` in the wheel, which is a zip archive.
"""

from __future__ import annotations

import json
import pkgutil
from typing import Any, cast

__all__ = ["drug_graph"]


def drug_graph() -> dict[str, Any]:
    """Return the JSON Schema of ``gold/drug_graph.json``, a new dictionary at each call."""
    return _load("drug_graph")


def _load(name: str) -> dict[str, Any]:
    # importlib.resources.files is missing on 3.8, and the functions that 3.8 has warn on 3.11 and 3.12.
    content = pkgutil.get_data(__name__, f"{name}.schema.json")
    if content is None:
        message = f"the loader of {__name__} cannot read {name}.schema.json"
        raise FileNotFoundError(message)
    return cast("dict[str, Any]", json.loads(content))


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
