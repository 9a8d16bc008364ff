"""The program in `examples/spark` that people submit."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from written_sources import write_drugs, write_pubmed, write_trials

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "spark" / "find_drugs.py"


@pytest.mark.core
def test_find_drugs(spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drugs = write_drugs(tmp_path / "drugs.csv", ("B01AA03", "WARFARIN"), ("N02BA01", "aspirin"))
    pubmed = [
        write_pubmed(tmp_path / "1.csv", ("1", "Warfarin or aspirin", "2020", "J"), ("2", " ", "2020", "J")),
        write_pubmed(tmp_path / "2.csv", ("3", "Nothing", "2021", "J")),
    ]
    trials = write_trials(tmp_path / "3.csv", ("N1", "Aspirin", "2020", "J"))
    out = tmp_path / "out"
    main = runpy.run_path(str(PROGRAM))["main"]
    arguments = [f"--drugs={drugs}", *(f"--pubmed={path}" for path in pubmed), f"--clinical-trials={trials}"]
    for _ in range(2):
        assert main([*arguments, f"--out=file://{out}"]) == 0
        counts = json.loads(capsys.readouterr().out)
        assert counts["pubmed"] == {"rows_in": 3, "rows_kept": 2, "rows_merged": 0, "rows_rejected": 1}
        assert counts["clinical_trial"]["rows_kept"] == 1
    mentions = spark.read.parquet(str(out / "mentions")).collect()
    assert sorted((row["kind"], row["publication_id"], row["drug"], row["start"]) for row in mentions) == [
        ("clinical_trial", "N1", "aspirin", 0),
        ("pubmed", "1", "WARFARIN", 0),
        ("pubmed", "1", "aspirin", 12),
    ]
    read = spark.read.parquet(str(out / "rejected"))
    assert [row["reason"] for row in read.collect()] == ["blank_title"]
    with pytest.raises(SystemExit):
        main([f"--drugs={drugs}", f"--out={out}"])
    assert "give at least one of --pubmed" in capsys.readouterr().err
