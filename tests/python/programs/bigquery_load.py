"""Load a lake into the BigQuery of a test: LAKE, TARGET, tables with commas. The environment names the service."""

from __future__ import annotations

import sys

import drugs_rs.bigquery

print("begins", flush=True)
drugs_rs.bigquery.load(sys.argv[1], sys.argv[2], tables=sys.argv[3].split(","))
print("done", flush=True)
