"""What the tests of loads into BigQuery share: clients, a lake, and what a dataset must hold of it."""

from __future__ import annotations

import datetime
import os
from typing import TYPE_CHECKING, Any, Callable

from bigquery_server import PROJECT, BigQuery
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery import DEFAULT_RETRY
from google.oauth2.credentials import Credentials
from lake_story import in_order

import drugs_rs
from drugs_rs.loading import LoadPlan, LoadReceipt, lake_parts, load_tables, pinned

__all__ = ["DEFAULT_RETRY", "AnonymousCredentials", "Credentials"]

if TYPE_CHECKING:
    from lake_story import Place

TARGET = f"{PROJECT}.drugs"
# How often a test kills, which can be raised.
KILLS = int(os.environ.get("DRUGS_RS_KILLS", "2"))


def client_of(service: BigQuery, credentials: Any = None) -> bigquery.Client:
    """The real client."""
    if credentials is None:
        credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    options = ClientOptions(api_endpoint=service.endpoint)
    return bigquery.Client(project=PROJECT, credentials=credentials, client_options=options)


def load(service: BigQuery, lake: Any, **options: Any) -> LoadPlan | LoadReceipt:
    """Load into the dataset of the tests."""
    from drugs_rs.bigquery import load as load_lake

    with client_of(service) as client:
        return load_lake(lake, TARGET, client=client, **options)


def rows_there(service: BigQuery, table: str) -> list[dict[str, Any]]:
    """The rows of a table of the dataset, in one order."""
    return in_order(service.rows("drugs", table))


def rows_of_lake(lake: drugs_rs.Lake, table: str) -> list[dict[str, Any]]:
    """What the table must hold."""
    rows = lake.status().to_dicts() if table == "status" else lake.scan(table).read().to_dicts()
    for row in rows:
        if "dt" in row:
            row["dt"] = datetime.date.fromisoformat(row["dt"])
    return in_order(rows)


def check_rows(service: BigQuery, lake: Place | drugs_rs.Lake, tables: Any = None) -> None:
    """Check that the dataset holds the lake, to the row."""
    state = pinned(lake)
    for table in load_tables(tables):
        assert rows_there(service, table.name) == rows_of_lake(state, table.name), table.name


def parts_of(lake: Place | drugs_rs.Lake, tables: Any = None) -> dict[tuple[str, str | None], str]:
    """The digest of each part of a lake."""
    return {part.key: part.content for part in lake_parts(pinned(lake), load_tables(tables))}


def destinations(service: BigQuery, pattern: str = "") -> list[str]:
    """Where the load jobs wrote, without the log."""
    names = [config["destinationTable"]["tableId"] for config in service.loads(pattern)]
    return [name for name in names if name != "load_log"]


def at_request(number: int, action: Callable[[], None]) -> Callable[[str, str], None]:
    """A hook of the service that does something before one request."""
    count = 0

    def before(_method: str, _path: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            action()

    return before
