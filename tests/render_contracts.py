"""Writes the contract that the wheel ships, from `src/schema` and `python/drugs_rs/contracts/objectives.yaml`."""

from __future__ import annotations

from pathlib import Path

import drugs_rs

CONTRACT = Path(__file__).resolve().parents[1] / "python" / "drugs_rs" / "contracts" / "lake.odcs.yaml"

if __name__ == "__main__":
    CONTRACT.write_text(drugs_rs.describe_tables("odcs"), encoding="utf-8")
