"""Write the dictionary that drug-named-entity-recognition brings along as `{drug: [name, …]}`.

python workers/export_names.py FILE
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

from drug_named_entity_recognition import drugs_finder


def main() -> None:
    names: dict[str, list[str]] = {}
    for name, drugs in drugs_finder.drug_variant_to_canonical.items():
        for drug in drugs:
            names.setdefault(drug, []).append(name)
    version = metadata.version("drug-named-entity-recognition")
    content = {"from": f"drug-named-entity-recognition {version}", "names": names}
    Path(sys.argv[1]).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
