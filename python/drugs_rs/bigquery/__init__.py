"""BigQuery: loads of a lake into a dataset, and the matcher as a function of SQL.

``load`` brings the tables of a lake into a dataset with load jobs, which BigQuery does not charge for: what has changed
since the last load, partition by partition.

    import drugs_rs.bigquery

    print(drugs_rs.bigquery.load("gs://bucket/lake", "project.dataset", plan=True))
    print(drugs_rs.bigquery.load("gs://bucket/lake", "project.dataset"))

``function_sql`` writes the statement that creates ``drugs_find(text)``, a Python function of BigQuery with a saved
matcher.

``write_aspects`` writes what the tables and columns mean as files for Knowledge Catalog.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable

if TYPE_CHECKING:
    import os

    from google.cloud import bigquery

    from drugs_rs import Lake
    from drugs_rs.loading import LoadPlan, LoadReceipt

from drugs_rs.bigquery.function import function_sql

__all__ = ["function_sql", "load", "write_aspects"]


def load(
    lake: Lake | str | os.PathLike[str],
    target: str,
    *,
    tables: Iterable[str] | None = None,
    location: str | None = None,
    client: bigquery.Client | None = None,
    plan: bool = False,
    max_partitions: int = 4000,
) -> LoadPlan | LoadReceipt:
    """Load the tables of a lake into a dataset: what has changed since the last load.

    A table with dates is partitioned by ``dt``, and each date is replaced by a job of its own; a table without dates is
    replaced whole. Files in a bucket of Google are read by BigQuery itself, all others are uploaded. A load that was
    killed is finished or repaired by the next one. The table ``load_log`` of the dataset has what each load began and
    finished.

    Args:
        lake: The lake, its folder or its URI. An earlier state (``Lake.at``) is loaded as it was.
        target: ``"project.dataset"`` or ``"bigquery://project/dataset"``. A missing dataset is created.
        tables: Only these tables; by default all of ``Lake.tables``, and ``status`` with the rows of ``Lake.status``.
        location: Where a missing dataset is created, such as ``"EU"``; by default BigQuery decides.
        client: The client; by default one with the application default credentials.
        plan: Say what would be done, and change nothing.
        max_partitions: The most partitions that one job may write, at most 4,000.

    Returns:
        The plan, or the receipt of what was done; both have the same steps.

    Raises:
        ArgumentError: An argument is wrong, the dataset is in another location, it has a table of this name that
            drugs_rs did not make, or a table has more partitions than BigQuery allows.
        ConflictError: Another load with another state ran at the same time, and goes on.
        ConservationError: BigQuery counts other rows than the lake.
        MissingLibraryError: google-cloud-bigquery is not installed.
        SchemaError: A table of the dataset was altered.
        SourceNotFoundError: There is no lake, or gold has not run.
        StorageError: BigQuery refused or failed: no credentials, a missing right, a quota, a failed job.
    """
    from drugs_rs import Lake as OpenLake
    from drugs_rs.bigquery.client import opened, parse_target
    from drugs_rs.bigquery.loader import DatasetLoader
    from drugs_rs.bigquery.parts import check_limits
    from drugs_rs.loading import lake_parts, load_tables, pinned

    dataset = parse_target(target)
    wanted = load_tables(tables)
    is_earlier = isinstance(lake, OpenLake) and lake.state is not None
    with opened(client, dataset) as lent:
        state = pinned(lake)
        parts = lake_parts(state, wanted)
        check_limits(parts, max_partitions)
        loader = DatasetLoader(lent, dataset, state, wanted, parts, max_partitions)
        return loader.plan(location) if plan else loader.run(location, is_earlier=is_earlier)


def write_aspects(folder: str | os.PathLike[str], *, project: str, location: str) -> list[str]:
    """Write the aspects of all tables as files, which ``gcloud dataplex`` loads into Knowledge Catalog.

    Nothing is sent. ``docs/bigquery.md`` has the commands that create the two aspect types and update the entries.

    Args:
        folder: Where to write; made if it is missing. Files of these names are replaced.
        project: The project that has the aspect types.
        location: The location of the aspect types: that of the dataset, such as ``"eu"``, or ``"global"``.

    Returns:
        The paths of the files: a template for each of the two aspect types, then the aspects of each table.

    Raises:
        ArgumentError: ``project`` or ``location`` is not an id.
    """
    from drugs_rs.bigquery.catalog_aspects import write_files

    return write_files(folder, project, location)


def __dir__() -> list[str]:
    """List what is public, for tab completion."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
