"""The operator that compares the new state of a lake with the one before: it passes, warns, fails or holds."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import drugs_rs
from drugs_rs.airflow import LakeDiffOperator
from drugs_rs.airflow.compat import AirflowException, AirflowFailException
from drugs_rs.airflow.settings import SettingsError

A, B = "2024-01-30", "2024-01-31"


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """Two states: the second has lost one of three pairs."""
    for dt, names in ((A, "B01AA03,WARFARIN\nN02BE01,PARACETAMOL\n"), (B, "B01AA03,WARFARIN\n")):
        drugs = tmp_path / f"drugs-{dt}.csv"
        drugs.write_text(f"atccode,drug\n{names}", encoding="utf-8")
        pubmed = tmp_path / "pubmed.csv"
        titles = "1,Warfarin,2020,Annals\n2,Warfarin and paracetamol,2020,Annals\n"
        pubmed.write_text(f"id,title,date,journal\n{titles}", encoding="utf-8")
        drugs_rs.run(drugs=drugs, pubmed=pubmed, lake=tmp_path / "lake", dt=dt)
    return str(tmp_path / "lake")


@pytest.fixture(autouse=True)
def plain_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow 3 logs by another library, whose records pytest does not see."""
    monkeypatch.setattr(LakeDiffOperator, "log", logging.getLogger("drugs_rs.test"), raising=False)


def operator(lake: str, **options: Any) -> LakeDiffOperator:
    return LakeDiffOperator(task_id="diff", lake=lake, dt=B, **options)


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_a_loss_below_the_bound_passes(lake: str, isolation: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        found = operator(lake, max_lost="34%", isolation=isolation).execute({})
    assert (found["lost"], found["refusal"]) == ({"mentions": 1, "pairs": 1}, None)
    assert json.loads(json.dumps(found))["causes"][0]["cause"] == "removed_drug"
    assert "removed_drug" in caplog.text


def test_a_loss_above_it_fails_and_is_not_retried(lake: str) -> None:
    with pytest.raises(AirflowFailException, match="1 of 3 pairs were lost .33.3 %., and max_lost=0.5%"):
        operator(lake).execute({})
    assert not any(row["held"] for row in drugs_rs.Lake(lake).status())


def test_a_loss_above_it_warns(lake: str, caplog: pytest.LogCaptureFixture) -> None:
    found = operator(lake, on_loss="warn").execute({})
    assert "1 of 3 pairs were lost" in found["refusal"]
    assert [record.levelname for record in caplog.records if "pairs were lost" in record.message] == ["WARNING"]


def test_a_loss_above_it_holds_the_day(lake: str) -> None:
    with pytest.raises(AirflowFailException, match=f"dt={B} is held: run gold to take it out"):
        operator(lake, on_loss="hold").execute({})
    held = {row["dt"]: row["reason"] for row in drugs_rs.Lake(lake).status() if row["held"]}
    assert set(held) == {B} and "1 of 3 pairs were lost" in held[B]
    drugs_rs.gold(lake=lake, dt=B)
    assert drugs_rs.Lake(lake).diff(1, 3).to_dicts() == []


def test_states_by_templates_and_a_first_day(lake: str) -> None:
    found = operator(lake, from_state="1", to_state="None", max_lost="100%").execute({})
    assert (found["from"]["state"], found["to"]["state"]) == (1, 2)
    drugs_rs.Lake(lake).vacuum(keep="0 states")
    assert operator(lake, max_lost="0%").execute({}) == {"state": 2, "refusal": None}
    with pytest.raises(AirflowFailException, match="SourceNotFoundError"):
        operator(lake, from_state=1).execute({})


def test_what_is_refused(lake: str) -> None:
    with pytest.raises(SettingsError, match="on_loss"):
        operator(lake, on_loss="ignore")
    with pytest.raises(AirflowException, match="max_lost: `much`"):
        operator(lake, max_lost="much").execute({})
