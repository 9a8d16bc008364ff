"""Operators that load a lake into a database, behind gold: what has changed since the last load.

Each load is idempotent: a task that is tried again, or runs twice, does what is left to do. The arguments are those of
``load`` in ``drugs_rs.duckdb``, ``drugs_rs.postgres`` and ``drugs_rs.bigquery``.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence
from urllib.parse import quote, urlencode

from drugs_rs.airflow.compat import BaseOperator, connection
from drugs_rs.airflow.operators import rendered
from drugs_rs.airflow.settings import check_options, option
from drugs_rs.airflow.steps import Step
from drugs_rs.airflow.task_events import logged

__all__ = ["LakeToBigQueryOperator", "LakeToDuckDBOperator", "LakeToPostgresOperator"]

_BLUE = "#4a90d9"


class LoadOperator(BaseOperator):
    """Base class of the operators that load a lake.

    Args:
        lake: The lake's root, a folder or a URI.
        tables: The names of the tables, as ``Lake.tables`` has them; ``None`` is all.
        isolation: ``"process"`` loads in the task's own process, ``"subprocess"`` in a child of it.
    """

    template_fields: Sequence[str] = ("lake", "tables", "isolation")
    ui_color = _BLUE
    step = "load"
    incident_of_failure = "load_failed"

    def __init__(
        self, *, lake: str, tables: Sequence[str] | None = None, isolation: str = "process", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.lake = lake
        self.tables = tables
        self.isolation = isolation
        self._step: Step | None = None
        check_options(self, ["isolation"])

    @logged
    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Load, and return the receipt, with the rows of each table instead of every part."""
        keywords = {"lake": rendered(self, "lake"), "tables": self.tables, **self.keywords()}
        self._step = Step("targets.load", keywords, option(self.task_id, "isolation", self.isolation), self.log)
        receipt = self._step.run()
        steps: list[dict[str, Any]] = receipt.pop("steps")
        for step in steps:
            self.log.info("%s", " ".join(f"{name}={value}" for name, value in step.items() if value is not None))
        self.log.info("%s rows of %s parts into %s", receipt["rows"], len(steps), receipt["target"])
        rows = dict.fromkeys((step["table"] for step in steps), 0)
        for step in steps:
            rows[step["table"]] += step["rows"]
        return {**receipt, "rows_of_tables": rows}

    def keywords(self) -> dict[str, Any]:
        """Return the address of the database, after templates were rendered."""
        raise NotImplementedError

    def on_kill(self) -> None:
        """Stop the load; the database is as it was, or the next load repairs it."""
        if self._step is not None:
            self._step.stop()


class LakeToDuckDBOperator(LoadOperator):
    """Loads a lake into a DuckDB file.

    Args:
        database: The path of the file, which is made if it is not there.
    """

    template_fields: Sequence[str] = (*LoadOperator.template_fields, "database")

    def __init__(self, *, database: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.database = database

    def keywords(self) -> dict[str, Any]:
        """Return the address of the file."""
        return {"target": f"duckdb:{rendered(self, 'database')}"}


class LakeToPostgresOperator(LoadOperator):
    """Loads a lake into a schema of PostgreSQL.

    Args:
        postgres_conn_id: Airflow's connection to the server; its extra has options of libpq such as ``sslmode``.
        database: The database; by default the one of the connection.
        schema: The schema, which is made if it is not there.
    """

    template_fields: Sequence[str] = (*LoadOperator.template_fields, "postgres_conn_id", "database", "schema")

    def __init__(
        self,
        *,
        postgres_conn_id: str = "postgres_default",
        database: str | None = None,
        schema: str = "drugs",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.postgres_conn_id = postgres_conn_id
        self.database = database
        self.schema = schema

    def keywords(self) -> dict[str, Any]:
        """Return the address of the database, with the password of the connection."""
        found = connection(rendered(self, "postgres_conn_id"))
        # As options, a folder of sockets, an address of IPv6 and several hosts need no escapes that libpq lacks.
        options = {name: str(value) for name, value in (("host", found.host), ("port", found.port)) if value}
        options.update({name: str(value) for name, value in found.extra_dejson.items() if _is_option(name, value)})
        options["schema"] = rendered(self, "schema")
        user = quote(found.login or "", safe="")
        password = f":{quote(found.password, safe='')}" if found.password else ""
        database = quote(self.database or found.schema or "", safe="")
        # Not with `+` for a space, which libpq does not know.
        return {"target": f"postgresql://{user}{password}@/{database}?{urlencode(options, quote_via=quote)}"}


class LakeToBigQueryOperator(LoadOperator):
    """Loads a lake into a dataset of BigQuery, with the default credentials of the environment.

    Args:
        dataset: ``project.dataset``.
    """

    template_fields: Sequence[str] = (*LoadOperator.template_fields, "dataset")

    def __init__(self, *, dataset: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset

    def keywords(self) -> dict[str, Any]:
        """Return the address of the dataset."""
        # The name of an old project may have a dot of its own.
        project, _, dataset = rendered(self, "dataset").rpartition(".")
        return {"target": f"bigquery://{project}/{dataset}"}


def _is_option(name: str, value: Any) -> bool:
    """Whether an extra of a connection is an option of libpq, and not one of a hook."""
    return (
        name.startswith(("ssl", "gss", "krb", "target_session", "connect_timeout", "keepalives")) and value is not None
    )
