"""Load a lake into the BigQuery of a test: LAKE, TARGET, tables with commas. The environment names the service."""

from __future__ import annotations

import sys
import warnings

warnings.simplefilter("ignore")

import drugs_rs.bigquery  # noqa: E402 - Google's libraries warn on import that Python 3.8 is old

print("begins", flush=True)
drugs_rs.bigquery.load(sys.argv[1], sys.argv[2], tables=sys.argv[3].split(","))
print("done", flush=True)
