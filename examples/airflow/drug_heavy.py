"""The pipeline of `dags/drug.py` with silver and gold in a container: a Cloud Run job, or a pod of Kubernetes.

Copy this file beside `dags/drug.py` in your clone, build the image that `docs/heavy-steps.md` describes, set the
constants, and set DRUG_HEAVY_RUN_BY in the environment of Airflow to `cloud_run` (the default) or `kubernetes`. The
settings are those of `dags/drug.py`, so both DAGs make the same lake; switch on only one of them.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from typing import Any

from drugs_rs.airflow import (
    PARTITION,
    AnswerOperator,
    BronzeOperator,
    QualityOperator,
    Settings,
    asset,
    on_failure,
    on_run_failure,
    partition_of,
    slow_run_alert,
    source_sensor,
)
from drugs_rs.airflow.assets import SILVER
from drugs_rs.airflow.compat import DAG, Param, provider_class
from drugs_rs.airflow.remote_steps import GoldArguments, GoldReport, SilverArguments, SilverReport
from drugs_rs.airflow.sensors import rendered_by_airflow
from drugs_rs.airflow.settings import COUNTING, GATE, MATCHING, READING, templates

RUN_BY = os.environ.get("DRUG_HEAVY_RUN_BY", "cloud_run")
PROJECT = "my-project"
REGION = "europe-west1"
# Of Cloud Run: the job, whose memory and service account are part of it. `terraform/` makes it; its output `step`
# is the name.
JOB = "drugs-rs-dev-step"
# Of Kubernetes: an image, where its pods run and as whom, and their memory (`docs/heavy-steps.md` has measurements).
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/drugs/drugs-rs:1"
NAMESPACE = "composer-user-workloads"
SERVICE_ACCOUNT = "drugs-rs"
MEMORY, PROCESSORS = "1Gi", "1"

# The sources by the names of their settings, each with its table.
SOURCES = {"drugs": "drugs", "clinical_trials": "clinical_trials", "pubmed_a": "pubmed", "pubmed_b": "pubmed"}

settings = Settings.load()
lake: dict[str, Any] = {"out": settings.out, "dt": PARTITION}
slow_run, of_last_tasks = slow_run_alert(settings)
step: dict[str, Any] = {**lake, **templates(["isolation"]), "pool": settings.pool}


def places(*parts: str) -> list[Any]:
    """Return a place of the lake as the outlets of a task; none before the lake is set."""
    return [asset(settings.out, *parts)] if settings.out else []


def cloud_run(task_id: str, arguments: Any) -> Any:
    """Return the task that executes the job with these arguments, without a worker's slot while it waits."""
    operator = provider_class("airflow.providers.google.cloud.operators.cloud_run.CloudRunExecuteJobOperator")
    if "overrides" not in operator.template_fields:
        message = "drug_heavy needs `overrides` of Cloud Run jobs: install a newer apache-airflow-providers-google"
        raise ImportError(message)
    return operator(
        task_id=task_id,
        project_id=PROJECT,
        region=REGION,
        job_name=JOB,
        overrides={"container_overrides": [{"args": arguments}], "task_count": 1},
        deferrable=settings.deferrable,
        doc_md=f"Executes the Cloud Run job `{JOB}` with the arguments of the task before.",
    )


def kubernetes(task_id: str, arguments: Any) -> Any:
    """Return the task that runs a pod with these arguments; it is the command, so no shell is involved."""
    operator = provider_class("airflow.providers.cncf.kubernetes.operators.pod.KubernetesPodOperator")
    from kubernetes.client import models

    amounts = {"memory": MEMORY, "cpu": PROCESSORS}
    root = models.V1SecurityContext(
        read_only_root_filesystem=True,
        allow_privilege_escalation=False,
        run_as_non_root=True,
        capabilities=models.V1Capabilities(drop=["ALL"]),
    )
    return operator(
        task_id=task_id,
        name=task_id.replace("_", "-"),
        namespace=NAMESPACE,
        image=IMAGE,
        arguments=arguments,
        service_account_name=SERVICE_ACCOUNT,
        container_resources=models.V1ResourceRequirements(requests=amounts, limits=amounts),
        container_security_context=root,
        volumes=[models.V1Volume(name="tmp", empty_dir=models.V1EmptyDirVolumeSource())],
        volume_mounts=[models.V1VolumeMount(name="tmp", mount_path="/tmp")],  # TMPDIR of the image
        get_logs=True,
        deferrable=settings.deferrable,
        doc_md=f"Runs the image `{IMAGE}` with the arguments of the task before.",
    )


RUNNERS = {"cloud_run": cloud_run, "kubernetes": kubernetes}
if RUN_BY not in RUNNERS:
    unknown = f"DRUG_HEAVY_RUN_BY is {RUN_BY!r} in the environment of Airflow, expected {' or '.join(RUNNERS)}"
    raise ValueError(unknown)


def elsewhere(first: Any, last: Any, task_id: str, outlets: list[Any], doc_md: str, **words: Any) -> tuple[Any, Any]:
    """Return the first and the last task of a step in a container; the last one has the name and the report."""
    arguments = first(task_id=f"{task_id}_arguments", doc_md="Makes the arguments of the command.", **words)
    container = RUNNERS[RUN_BY](f"{task_id}_container", arguments.output)
    report = last(task_id=task_id, before=arguments.output["before"], outlets=outlets, doc_md=doc_md, **words)
    arguments >> container >> report
    return arguments, report


with DAG(
    dag_id="drug_heavy",
    description="The pipeline of a day, with silver and gold in containers",
    doc_md=__doc__,
    tags=["drugs_rs"],
    schedule=settings.schedule,
    start_date=datetime.fromisoformat(settings.start_date).replace(tzinfo=timezone.utc),
    catchup=settings.catchup,
    max_active_runs=settings.max_active_runs,
    dagrun_timeout=timedelta(hours=settings.dagrun_timeout_hours),
    params={
        "dt": Param(None, type=["null", "string"], description="The partition, YYYY-MM-DD; empty: the logical date")
    },
    user_defined_macros={"drugs_rs_partition": partition_of, "drugs_rs_setting": settings.effective},
    on_failure_callback=on_run_failure,
    default_args={
        "owner": settings.owner,
        "retries": settings.retries,
        "retry_delay": timedelta(seconds=settings.retry_delay_seconds),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(seconds=settings.max_retry_delay_seconds),
        "execution_timeout": timedelta(hours=settings.execution_timeout_hours),
        "on_failure_callback": on_failure,
    },
    **slow_run,
) as dag:
    sensors = [source_sensor(f"{source}_sensor", source, settings) for source in SOURCES]
    bronze = {
        source: BronzeOperator(
            task_id=f"{source}_bronze",
            table=table,
            name=source,
            sources=rendered_by_airflow(getattr(settings, source)),
            outlets=places("bronze", source),
            **step,
        )
        for source, table in SOURCES.items()
    }
    silver = {
        table: elsewhere(
            SilverArguments,
            SilverReport,
            f"{table}_silver",
            places(*SILVER[table]),
            f"Reads the report of the container that cleaned `{table}` and held the day.",
            table=table,
            hold=True,
            **templates(READING),
            **step,
        )
        for table in ("drugs", "clinical_trials", "pubmed")
    }
    quality = QualityOperator(
        task_id="silver_quality",
        reports=[report.output for _, report in silver.values()],
        **templates(GATE),
        **step,
    )
    gold_arguments, gold = elsewhere(
        GoldArguments,
        GoldReport,
        "drug_graph_gold",
        places("gold", "drug_graph.json"),
        "Reads the report of the container that published the graph and the answers.",
        **templates([*MATCHING, *COUNTING]),
        **step,
    )
    answers = [
        AnswerOperator(
            task_id=task_id,
            answer=answer,
            report=gold.output,
            outlets=places("gold", f"{answer}.json"),
            **lake,
            **of_last_tasks,
        )
        for task_id, answer in (("top_journals_gold", "top_journals"), ("exclusive_drug_set_gold", "exclusive_drugs"))
    ]

    for copy in bronze.values():
        sensors >> copy
    for source, table in SOURCES.items():
        bronze[source] >> silver[table][0]
    [report for _, report in silver.values()] >> quality >> gold_arguments
    gold >> answers
