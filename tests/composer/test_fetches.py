"""The operator that fetches: what it passes on, returns, skips and refuses; and the DAG from NLM to the graph."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
from conftest import ROOT
from nlm_server import Nlm, nlm_server, study, times
from running import returned, run

import drugs_rs
from drugs_rs.airflow import FetchOperator
from drugs_rs.airflow.compat import AIRFLOW_3, AirflowException, AirflowFailException, AirflowSkipException
from drugs_rs.airflow.reports import MOST_ENTRIES
from drugs_rs.airflow.settings import SettingsError

DAY = "2026-01-14"


@pytest.fixture
def nlm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nlm]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with nlm_server() as service:
        yield service


def article(number: int) -> bytes:
    text = (
        "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>%d</PMID><Article><Journal><Title>Annals</Title></Journal>"
        "<ArticleTitle>Warfarin, part %d</ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
    )
    return gzip.compress((text % (number, number)).encode())


def task(nlm: Nlm, to: Path, **more: Any) -> FetchOperator:
    return FetchOperator(task_id="fetch", source="pubmed", to=str(to), base_url=nlm.pubmed, **more)


@pytest.mark.parametrize("isolation", ["process", "subprocess"])
def test_a_fetch_returns_its_report(nlm: Nlm, tmp_path: Path, isolation: str) -> None:
    for number in range(MOST_ENTRIES + 2):
        nlm.put(f"baseline/pubmed26n{number:04}.xml.gz", b"%d" % number)
    report = task(nlm, tmp_path / "to", isolation=isolation).execute({})
    assert len(list((tmp_path / "to" / "baseline").glob("*.xml.gz"))) == MOST_ENTRIES + 2
    assert (report["fetched"], len(report["files"]), report["files_left_out"]) == (MOST_ENTRIES + 2, MOST_ENTRIES, 2)
    json.dumps(report)
    # Tried again, everything is there: the task succeeds, so that its followers run.
    again = task(nlm, tmp_path / "to", isolation=isolation).execute({})
    assert (again["fetched"], again["present"]) == (0, MOST_ENTRIES + 2)


def test_without_files_it_is_skipped(nlm: Nlm, tmp_path: Path) -> None:
    nlm.put("baseline/pubmed26n0001.xml.gz", b"x")
    days = {"since": "2026-02-01", "until": "2026-02-01"}
    with pytest.raises(AirflowSkipException, match="pubmed has nothing of these days"):
        task(nlm, tmp_path / "to", **days).execute({})
    assert task(nlm, tmp_path / "to", skips=False, **days).execute({})["files"] == []


def test_what_a_retry_helps_is_retried(nlm: Nlm, tmp_path: Path) -> None:
    nlm.put("baseline/pubmed26n0001.xml.gz", b"x")
    nlm.trouble = times(1, lambda handler: handler.say(429, b"", {"Retry-After": "3600"}), "baseline/")
    with pytest.raises(AirflowException, match="asks to wait 3600 seconds") as caught:
        task(nlm, tmp_path / "to").execute({})
    assert type(caught.value) is AirflowException
    for more in ({"since": "yesterday"}, {"first": "one"}):
        with pytest.raises(AirflowFailException, match=next(iter(more))):
            task(nlm, tmp_path / "to", **more).execute({})
    # What a template leaves for a missing value is no value.
    assert task(nlm, tmp_path / "to", since="None", until="").execute({})["fetched"] == 1


def test_wrong_words_are_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(
        SettingsError, match='`source` of the task fetch is \'pubmeds\', expected "pubmed" or "clinicalt'
    ):
        FetchOperator(task_id="fetch", source="pubmeds", to="to")
    with pytest.raises(SettingsError, match="`part` of the task fetch is 'update'"):
        FetchOperator(task_id="fetch", source="pubmed", part="update", to="to")
    with pytest.raises(AirflowFailException, match="`to` of the task fetch is ''"):
        FetchOperator(task_id="fetch", source="pubmed", to="").execute({})
    FetchOperator(task_id="fetch", source="{{ params.source }}", to="{{ params.to }}")


def register(path: Path) -> None:
    """Airflow 3 runs only DAGs that its database has."""
    if AIRFLOW_3:
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

        DagBundlesManager().sync_bundles_to_db()
        sync_bag_to_db(DagBag(str(path)), "dags-folder", None)


@pytest.fixture
def dag(nlm: Nlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The DAG of the examples, with folders and a server of this test."""
    monkeypatch.setenv("DRUGS_RS_OUT", str(tmp_path / "lake"))
    path = ROOT / "examples" / "airflow" / "drug_fetch.py"
    register(path)
    spec = importlib.util.spec_from_file_location("drug_fetch", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "drug_fetch", module)
    spec.loader.exec_module(module)
    (tmp_path / "drugs.csv").write_text("atccode,drug\nB01AA03,WARFARIN\n", encoding="utf-8")
    for each in module.dag.tasks:
        each.retries = 0
        if each.task_id.endswith("_fetch"):
            each.to = each.to.replace(module.SOURCES, str(tmp_path / "sources"))
            each.base_url = nlm.pubmed if each.source == "pubmed" else nlm.trials
        elif each.task_id == "drugs_bronze":
            each.sources = str(tmp_path / "drugs.csv")
        elif each.task_id.endswith("_bronze"):
            each.sources = each.sources.replace(module.SOURCES, str(tmp_path / "sources"))
    return module.dag


def test_from_nlm_to_the_graph(nlm: Nlm, dag: Any, tmp_path: Path) -> None:
    nlm.timestamp = "2026-01-15T09:00:05"
    nlm.studies = [(DAY, study(number)) for number in range(4)]
    nlm.put("baseline/pubmed26n0001.xml.gz", article(1))
    for number, day in ((2, "2026-01-13"), (3, DAY), (4, "2026-01-15")):
        nlm.put(f"updatefiles/pubmed26n000{number}.xml.gz", article(number), listed=f"{day} 14:31  1K")
    states = run(dag, DAY)
    assert set(states.values()) == {"success"}, states
    files = returned(dag, DAY, "pubmed_fetch")["files"]
    assert [file["path"] for file in files] == ["updatefiles/pubmed26n0003.xml.gz"], "what was published on this day"
    found = drugs_rs.read_graph(tmp_path / "lake").mentions().to_dicts()
    assert sorted(mention["publication_id"] for mention in found) == ["3", *(f"NCT0000000{n}" for n in range(4))]


def test_a_day_without_articles_has_its_trials(nlm: Nlm, dag: Any, tmp_path: Path) -> None:
    nlm.timestamp = "2026-01-15T09:00:05"
    nlm.studies = [(DAY, study(1))]
    nlm.put("updatefiles/pubmed26n0002.xml.gz", article(2), listed="2026-01-13 14:31  1K")
    states = run(dag, DAY)
    skipped = {name for name, state in states.items() if state == "skipped"}
    assert skipped == {"pubmed_fetch", "pubmed_bronze", "pubmed_silver"}
    assert states["drug_graph_gold"] == "success"
    (mention,) = drugs_rs.read_graph(tmp_path / "lake").mentions().to_dicts()
    assert mention["publication_id"] == "NCT00000001"
