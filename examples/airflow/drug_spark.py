"""Finds drugs on Managed Service for Apache Spark (Dataproc) once a day, by `examples/spark/find_drugs.py`.

Copy this file beside `dags/drug.py`, put `find_drugs.py` into a bucket, build the image that `docs/spark.md` describes,
and set the constants.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from drugs_rs.airflow.compat import DAG

try:
    from airflow.providers.google.cloud.operators.dataproc import DataprocCreateBatchOperator
except ImportError as error:
    message = f"drug_spark needs the operators of Dataproc ({error}): pip install apache-airflow-providers-google"
    raise ImportError(message) from error

PROJECT = "my-project"
REGION = "europe-west1"
BUCKET = "gs://my-bucket"
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/spark/drugs-rs:1"

BATCH = {
    "pyspark_batch": {
        "main_python_file_uri": f"{BUCKET}/code/find_drugs.py",
        "args": [
            f"--drugs={BUCKET}/drugs/*.csv",
            # The delivery of the day; the results of a day that runs again are replaced.
            f"--pubmed={BUCKET}/pubmed/{{{{ ds }}}}/*.xml.gz",
            f"--out={BUCKET}/found/dt={{{{ ds }}}}",
        ],
    },
    "runtime_config": {
        "version": "2.3",
        "container_image": IMAGE,
        "properties": {
            "spark.executor.cores": "4",
            "spark.executor.memory": "8g",
            # The Python beside the Java of an executor: the matcher and the batches that it works on.
            "spark.executor.memoryOverhead": "4g",
        },
    },
}

with DAG(
    dag_id="drug_spark",
    description="Drugs in the titles of a day's articles, found on Spark's executors",
    doc_md=__doc__,
    tags=["drugs_rs"],
    schedule="@daily",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
) as dag:
    DataprocCreateBatchOperator(
        task_id="find_drugs",
        project_id=PROJECT,
        region=REGION,
        batch=BATCH,
        # A batch that failed keeps its id, so each attempt has one of its own.
        batch_id="find-drugs-{{ ds_nodash }}-{{ ti.try_number }}",
        doc_md="Cleans the articles of a day and finds the drugs in their titles.",
    )
