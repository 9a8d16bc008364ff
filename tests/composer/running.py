"""Running the DAG in this process, the way each Airflow has for it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, Iterable, Mapping

import drugs_rs
from drugs_rs.airflow.compat import AIRFLOW_3


def run(dag: Any, day: str, conf: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Run all tasks of one day and return the state of each."""
    logical = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.timezone.utc)
    words: dict[str, Any] = {"logical_date" if AIRFLOW_3 else "execution_date": logical}
    dag.test(run_conf=dict(conf) if conf else None, **words)
    return states(dag, logical)


def run_without_airflow(sources: Mapping[str, str], lake: Path, days: Iterable[str]) -> None:
    """Make the lake that the DAG makes of these days with the functions of the core, in a fraction of the time."""
    for day in days:
        into: dict[str, Any] = {"out": lake, "dt": day}
        for name, source in sources.items():
            given: dict[str, Any] = {"pubmed" if name.startswith("pubmed") else name: source.replace("{dt}", day)}
            drugs_rs.bronze(**into, **given, name=name)
        drugs_rs.silver(**into)
        drugs_rs.gold(**into)


def states(dag: Any, logical: datetime.datetime) -> dict[str, str]:
    """The state of each task of the run of a logical date."""
    from airflow.models import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        column = DagRun.logical_date if AIRFLOW_3 else DagRun.execution_date
        found = session.query(DagRun).filter(DagRun.dag_id == dag.dag_id, column == logical).one()
        return {ti.task_id: str(ti.state) for ti in found.get_task_instances(session=session)}


def returned(dag: Any, day: str, task_id: str) -> Any:
    """What a task of a day returned."""
    from airflow.models import DagRun
    from airflow.utils.session import create_session

    logical = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.timezone.utc)
    with create_session() as session:
        column = DagRun.logical_date if AIRFLOW_3 else DagRun.execution_date
        found = session.query(DagRun).filter(DagRun.dag_id == dag.dag_id, column == logical).one()
        if AIRFLOW_3:
            from airflow.models.xcom import XComModel

            entry = session.query(XComModel).filter(
                XComModel.run_id == found.run_id, XComModel.task_id == task_id, XComModel.key == "return_value"
            )
            return XComModel.deserialize_value(entry.one())
        from airflow.models import XCom

        return XCom.get_one(
            run_id=found.run_id, dag_id=dag.dag_id, task_id=task_id, key="return_value", session=session
        )
