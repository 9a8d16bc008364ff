"""What others learn of a run: asset events, lineage, rendered fields; with mapped tasks and without macros of a DAG."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from conftest import settings_of
from running import returned, run

from drugs_rs.airflow import asset
from drugs_rs.airflow.compat import AIRFLOW_3, AIRFLOW_VERSION

DAY = "2024-03-01"
# A DAG of another author: mapped over two sources of one table, and without anything of `dags/drug.py`.
MAPPED = """
import datetime
from drugs_rs.airflow import BronzeOperator, GoldOperator, SilverOperator, asset
from drugs_rs.airflow.compat import DAG
from notifiers import remember_lineage

SAMPLES, LAKE = {samples!r}, {lake!r}
with DAG(
    "mapped",
    start_date=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    schedule=None,
    default_args={{"on_success_callback": remember_lineage}},
    params={{"abstracts": False}},
):
    drugs = BronzeOperator(task_id="drugs", table="drugs", sources=SAMPLES + "/drugs.csv", out=LAKE)
    pubmed = BronzeOperator.partial(task_id="pubmed", table="pubmed", out=LAKE).expand_kwargs(
        [{{"name": "pubmed_" + kind, "sources": SAMPLES + "/pubmed." + kind}} for kind in ("csv", "json")]
    )
    silver = SilverOperator.partial(task_id="silver", out=LAKE).expand(table=["drugs", "pubmed"])
    gold = GoldOperator(task_id="gold", out=LAKE, abstracts="{{{{ params.abstracts }}}}")
    [drugs, pubmed] >> silver >> gold
"""


def mapped(folder: Path, samples: Path, lake: Path) -> Any:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag
    folder.mkdir()
    (folder / "mapped.py").write_text(MAPPED.format(samples=str(samples), lake=str(lake)), encoding="utf-8")
    bag = DagBag(str(folder))
    assert bag.import_errors == {}
    if AIRFLOW_3:  # whose `dag.test()` knows the DAGs of its bundles alone
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import sync_bag_to_db

        DagBundlesManager().sync_bundles_to_db()
        sync_bag_to_db(bag, "dags-folder", None)
    return bag.dags["mapped"]


# OpenLineage's classes, which some environments lack: objects with the given attributes.
FACETS = SimpleNamespace(
    output_statistics_output_dataset=SimpleNamespace(OutputStatisticsOutputDatasetFacet=SimpleNamespace),
    documentation_dataset=SimpleNamespace(DocumentationDatasetFacet=SimpleNamespace),
    schema_dataset=SimpleNamespace(SchemaDatasetFacet=SimpleNamespace, SchemaDatasetFacetFields=SimpleNamespace),
    column_lineage_dataset=SimpleNamespace(
        ColumnLineageDatasetFacet=SimpleNamespace, Fields=SimpleNamespace, InputField=SimpleNamespace
    ),
)
CLASSES = (SimpleNamespace, SimpleNamespace(InputDataset=SimpleNamespace, OutputDataset=SimpleNamespace), FACETS)


@pytest.fixture
def lineage(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The facets that each task passed to OpenLineage."""
    from notifiers import LINEAGE

    monkeypatch.setattr("drugs_rs.airflow.lineage.lineage_classes", lambda: CLASSES)
    LINEAGE.clear()
    return LINEAGE


def test_lineage_goes_from_landing_to_gold_through_mapped_tasks(
    lineage: list[tuple[str, Any]], samples: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    states = run(mapped(tmp_path / "dags", samples, lake), DAY)
    assert set(states.values()) == {"success"}
    edges = set()
    for task_id, told in lineage:
        assert {each.namespace for each in [*told.inputs, *told.outputs]} == {"file"}, task_id
        edges |= {(task_id, read.name, written.name) for read in told.inputs for written in told.outputs}

    def at(*parts: str) -> str:
        return str(lake.joinpath(*parts))

    bronze = [
        ("drugs", "drugs", "drugs.csv"),
        ("pubmed", "pubmed_csv", "pubmed.csv"),
        ("pubmed", "pubmed_json", "pubmed.json"),
    ]
    assert {(task, str(samples / file), at("bronze", name)) for task, name, file in bronze} <= edges
    silver = {"drugs": at("silver", "drugs"), "pubmed": at("silver", "publications", "kind=pubmed")}
    assert ("silver", at("bronze", "drugs"), silver["drugs"]) in edges
    assert ("silver", at("bronze", "pubmed_csv"), silver["pubmed"]) in edges
    assert ("silver", at("bronze", "pubmed_json"), silver["pubmed"]) in edges
    assert ("silver", at("bronze", "drugs"), silver["pubmed"]) not in edges
    for table in silver.values():
        assert ("gold", table, at("gold", "mentions")) in edges
        assert ("gold", table, at("gold", "drug_graph.json")) in edges
    (mentions,) = [each for task, told in lineage if task == "gold" for each in told.outputs if "mentions" in each.name]
    assert mentions.outputFacets["outputStatistics"].rowCount > 0
    made_of = mentions.facets["columnLineage"].fields
    assert {(field.name, field.field) for field in made_of["atccode"].inputFields} == {(silver["drugs"], "atccode")}
    assert (silver["pubmed"], "title") in {(field.name, field.field) for field in made_of["surface"].inputFields}


def events() -> list[tuple[str, dict[str, Any]]]:
    """The place and the extra of each asset event there is, as the database has them."""
    from airflow.utils.session import create_session

    if AIRFLOW_3:
        from airflow.models.asset import AssetEvent, AssetModel

        pair = (AssetEvent, AssetModel, AssetEvent.asset_id == AssetModel.id)
    else:
        from airflow.models.dataset import DatasetEvent, DatasetModel

        pair = (DatasetEvent, DatasetModel, DatasetEvent.dataset_id == DatasetModel.id)
    with create_session() as session:
        found = session.query(pair[0], pair[1]).join(pair[1], pair[2]).order_by(pair[0].id).all()
        return [(model.uri, dict(event.extra or {})) for event, model in found]


def test_an_event_says_what_changed_and_there_is_none_where_nothing_did(
    make_dag: Callable[..., Any], samples: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    dag = make_dag(**settings_of(samples, lake))
    if not AIRFLOW_3:  # the DAG processor writes them, and `dag.test()` of Airflow 3
        dag.bulk_write_to_db([dag])
    before = len(events())
    assert set(run(dag, DAY).values()) == {"success"}
    told = dict(events()[before:])
    places: list[tuple[str, ...]] = [("bronze", name) for name in ("drugs", "clinical_trials", "pubmed_a", "pubmed_b")]
    places += [("silver", "drugs"), ("silver", "publications", "kind=pubmed")]
    places += [("silver", "publications", "kind=clinical_trial")]
    places += [("gold", f"{name}.json") for name in ("drug_graph", "top_journals", "exclusive_drugs")]
    assert set(told) == {asset(str(lake), *parts).uri for parts in places}
    assert all(lake.joinpath(*parts).exists() for parts in places), "assets are places of the lake"
    if AIRFLOW_VERSION >= (2, 10):
        graph = told[asset(str(lake), "gold", "drug_graph.json").uri]
        assert (graph["dt"], graph["rows"], graph["unchanged"]) == (DAY, 23, False)
        assert Path(graph["report_uri"]).exists()
        assert told[asset(str(lake), "silver", "drugs").uri]["rows"] == 11
        assert told[asset(str(lake), "gold", "top_journals.json").uri]["rows"] == 6
        assert {extra["dt"] for extra in told.values()} == {DAY}
    count = len(events())
    assert set(run(dag, DAY).values()) == {"success"}
    assert events()[count:] == []


def rendered(dag: Any, day: str, task_id: str) -> dict[str, Any]:
    """The rendered fields that Airflow shows of a task of a day."""
    import datetime

    from airflow.models import DagRun
    from airflow.models.renderedtifields import RenderedTaskInstanceFields as Fields
    from airflow.utils.session import create_session

    logical = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.timezone.utc)
    with create_session() as session:
        column = DagRun.logical_date if AIRFLOW_3 else DagRun.execution_date
        found = session.query(DagRun).filter(DagRun.dag_id == dag.dag_id, column == logical).one()
        fields = session.query(Fields).filter(
            Fields.dag_id == dag.dag_id, Fields.run_id == found.run_id, Fields.task_id == task_id
        )
        return dict(fields.one().rendered_fields)


def test_rendered_fields_show_what_a_task_used(
    make_dag: Callable[..., Any], samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the parameters of the run, the Variable, the environment, in this order."""
    dag = make_dag(**settings_of(samples, tmp_path / "lake", accents="keep", min_rows=2))
    monkeypatch.setenv("AIRFLOW_VAR_DRUGS_RS", '{"min_rows": 3, "salts": true, "isolation": "subprocess"}')
    conf = {"extra_stop_words": ["metformin"], "max_rejected_share": 0.5, "unit": "code", "max_exclusive": 1}
    assert set(run(dag, DAY, conf).values()) == {"success"}
    gold, gate = rendered(dag, DAY, "drug_graph_gold"), rendered(dag, DAY, "silver_quality")
    expected = {
        "dt": DAY,
        "isolation": "subprocess",
        "accents": "keep",
        "salts": "true",
        "extra_stop_words": '["metformin"]',
        "abstracts": "false",
        "unit": "code",
        "max_exclusive": "1",
    }
    assert {name: gold[name] for name in expected} == expected
    report = returned(dag, DAY, "drug_graph_gold")
    assert (report["unit"], report["max_exclusive"]) == ("code", 1)
    assert report["exclusive_cut"] > 0
    assert (gate["min_rows"], gate["max_rejected_share"]) == ("3", "0.5")
    graph = (tmp_path / "lake" / "gold" / "drug_graph.json").read_text(encoding="utf-8").lower()
    assert "aspirin" in graph or "warfarin" in graph
